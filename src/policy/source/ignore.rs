//! `ignore`: tables and files that no rule needs to cover, and why.

use std::ops::Range;
use std::path::PathBuf;

use globset::{Glob, GlobBuilder};

use super::Section;
use super::folder::{self, Folder, Unit};
use crate::diagnostic::{Code, Finding};
use crate::policy::section::Placed;

/// A table that holds nothing to delete, or all whose names fit a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The table, or the pattern.
    pub table: String,
    /// Why it may be ignored.
    pub why: String,
    /// Where the table's name stands in the policy, in bytes.
    pub span: Range<usize>,
    /// Where `table` has wildcards.
    pattern: Option<Glob>,
}

impl Ignored {
    /// Whether a table is one of those that are meant.
    pub fn matches(&self, table: &str) -> bool {
        let fits = |pattern: &Glob| pattern.compile_matcher().is_match(table);
        self.table == table || self.pattern.as_ref().is_some_and(fits)
    }
}

/// Files that hold nothing to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredFiles {
    /// Why they may be ignored.
    pub why: String,
    pattern: Folder,
}

impl IgnoredFiles {
    /// Whether an entry of this path below the source's folder is one of them.
    pub fn matches(&self, below: &[u8]) -> bool {
        self.pattern.selects(below)
    }
}

/// What a source ignores.
#[derive(Debug, Default)]
pub(super) struct Ignore {
    pub(super) tables: Vec<Ignored>,
    pub(super) files: Vec<IgnoredFiles>,
}

/// Reads `ignore`: tables of a database, files of any other source.
pub(super) fn read(section: &mut Section<'_>) -> Ignore {
    let title = format!("`ignore` of {}", section.title());
    let of_files = section.has("csv") || section.has("files");
    let mut ignore = Ignore::default();
    for mut entry in section.listed_sections("ignore", &title) {
        if of_files {
            ignore.files.extend(files(&mut entry));
        } else {
            ignore.tables.extend(table(&mut entry));
        }
        entry.finish();
    }
    ignore
}

/// Reads why something is ignored. What still says `TODO` is somebody's open question.
fn why(entry: &mut Section<'_>) -> Option<Placed<String>> {
    let why = entry.required("why")?;
    let mut words = why.value.split(|c: char| !c.is_alphanumeric() && c != '_');
    if words.any(|word| word == "TODO") {
        let message = format!("`why` in {} is still to be written", entry.title());
        let finding = Finding::warning(Code::UnfinishedReason, message, why.span.clone());
        entry.note(finding.help("look at what is ignored, and write why it needs no rule, or a rule for it"));
    }
    Some(why)
}

fn table(entry: &mut Section<'_>) -> Option<Ignored> {
    let (table, why) = (entry.required("table"), why(entry));
    let (table, why) = (table?, why?);
    let pattern = table.value.contains(WILDCARDS).then(|| pattern(&table.value)).flatten();
    Some(Ignored { table: table.value, why: why.value, span: table.span, pattern })
}

/// Only these are wildcards in the name of a table, in which brackets may stand for themselves.
const WILDCARDS: [char; 2] = ['*', '?'];

fn pattern(name: &str) -> Option<Glob> {
    let one = |c: char| if WILDCARDS.contains(&c) { c.to_string() } else { globset::escape(&c.to_string()) };
    let escaped: String = name.chars().map(one).collect();
    GlobBuilder::new(&escaped).literal_separator(false).build().ok()
}

fn files(entry: &mut Section<'_>) -> Option<IgnoredFiles> {
    let (file, why) = (entry.required("file"), why(entry));
    let pattern = folder::glob(entry, &file?)?.value;
    let pattern = Folder::new(PathBuf::new(), Unit::File, true, &[&pattern]).ok()?;
    Some(IgnoredFiles { why: why?.value, pattern })
}
