//! `[source.NAME]`: where data lives, and how its columns write time.

mod csv;
mod folder;
mod format;
mod ignore;
mod settings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Finding};

use super::section::{Placed, Section};
use super::{LoadContext, copies, path};
pub use csv::{CsvFiles, Rewrite};
pub use folder::{COLUMNS as FOLDER_COLUMNS, Folder, Unit};
pub(super) use format::read_of_name;
pub use ignore::{Ignored, IgnoredFiles};
pub use settings::ColumnSettings;

/// Where data lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An SQLite database: a file.
    Sqlite(PathBuf),
    /// CSV files.
    Csv(CsvFiles),
    /// A folder of files.
    Folder(Folder),
}

impl Kind {
    /// Whether it has tables, which `data` must name.
    pub fn has_tables(&self) -> bool {
        match self {
            Kind::Sqlite(_) => true,
            Kind::Csv(_) => false,
            Kind::Folder(_) => false,
        }
    }

    /// The path that the policy gives: a file's, or a pattern of files.
    pub fn path(&self) -> &Path {
        match self {
            Kind::Sqlite(path) => path,
            Kind::Csv(files) => &files.pattern,
            Kind::Folder(folder) => &folder.path,
        }
    }

    /// The folder, to be told more.
    pub(super) fn folder_mut(&mut self) -> Option<&mut Folder> {
        match self {
            Kind::Folder(folder) => Some(folder),
            Kind::Sqlite(_) | Kind::Csv(_) => None,
        }
    }

    pub fn folder(&self) -> Option<&Folder> {
        match self {
            Kind::Folder(folder) => Some(folder),
            Kind::Sqlite(_) | Kind::Csv(_) => None,
        }
    }
}

/// A source, and what the policy says of its tables.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name that rules use.
    pub name: String,
    /// Where its data lives.
    pub kind: Kind,
    /// Tables that no rule needs to cover, and why.
    pub ignore: Vec<Ignored>,
    /// Files that no rule needs to cover, and why.
    pub ignore_files: Vec<IgnoredFiles>,
    /// Settings of single tables, those of the source included.
    pub tables: BTreeMap<String, ColumnSettings>,
    /// Settings of every table that has none of its own.
    pub defaults: ColumnSettings,
    /// The sources that this one holds copies of, with their places in bytes.
    pub copies_of: Vec<(String, std::ops::Range<usize>)>,
    /// Where the source stands in the policy, in bytes.
    pub span: std::ops::Range<usize>,
}

impl Source {
    /// What the policy says of one table.
    pub fn settings(&self, table: &str) -> &ColumnSettings {
        self.tables.get(table).unwrap_or(&self.defaults)
    }
}

/// The sources of a policy.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) valid: Vec<Source>,
    /// The names of those that cannot be used; why has been noted.
    pub(super) broken: Vec<String>,
}

/// Reads every `[source.NAME]`.
pub(super) fn read_all(whole: &mut Section<'_>, surroundings: &LoadContext<'_>) -> Sources {
    let mut sources = Sources::default();
    for (name, mut section) in whole.named_sections("source") {
        if name.value.is_empty() || name.value.contains('.') {
            let message = format!("a source cannot be called `{}`: rules write SOURCE.TABLE", name.value);
            let finding = Finding::error(Code::BadName, message, name.span.clone());
            section.note(finding.help("give it a name without a dot, such as [source.app]"));
        }
        match read(&name, &mut section, surroundings) {
            Some(source) => sources.valid.push(source),
            None => sources.broken.push(name.value),
        }
        section.finish();
    }
    copies::check(&sources, whole);
    sources
}

fn read(name: &Placed<String>, section: &mut Section<'_>, surroundings: &LoadContext<'_>) -> Option<Source> {
    let kind = kind(section, surroundings);
    reclaim(section);
    let defaults = settings::read(section, &ColumnSettings::default());
    let (ignore, tables) = (ignore::read(section), tables(section, &defaults));
    if let (Some(table), Some(false)) = (tables.values().next(), kind.as_ref().map(Kind::has_tables)) {
        let finding =
            Finding::error(Code::NoTables, format!("{} has no tables", section.title()), table.span.clone());
        section.note(finding.help("write these keys into the source itself"));
    }
    if kind.as_ref().is_some_and(Kind::has_tables) && section.has("limit") {
        let message = format!("{} has tables, and a limit is of one of them", section.title());
        let finding = Finding::error(Code::BadValue, message, section.key_span("limit"));
        section.note(finding.help(format!("write it into the table: [source.{}.table.NAME]", name.value)));
    }
    let copies_of = copies::read(section);
    let (name, span) = (name.value.clone(), name.span.clone());
    let (ignore, ignore_files) = (ignore.tables, ignore.files);
    Some(Source { name, kind: kind?, ignore, ignore_files, tables, defaults, copies_of, span })
}

/// The keys of which each source has exactly one.
const KINDS: [&str; 3] = ["sqlite", "csv", "files"];

fn kind(section: &mut Section<'_>, surroundings: &LoadContext<'_>) -> Option<Kind> {
    section.not_yet(&["postgres", "mysql"]);
    let later = ["postgres", "mysql"].iter().any(|kind| section.has(kind));
    let written: Vec<&str> = KINDS.into_iter().filter(|kind| section.value(kind).is_some()).collect();
    if let [first, second, ..] = written[..] {
        let message = format!("{} has `{first}` and `{second}`: a source has one kind", section.title());
        let finding = Finding::error(Code::TwoKinds, message, section.key_span(second));
        section.note(finding.help("make it two sources"));
    }
    if written.is_empty() && !later {
        section.missing("sqlite");
    }
    let csv = if section.has("csv") { csv::read(section, surroundings).map(Kind::Csv) } else { None };
    let files = folder::read(section, surroundings).map(Kind::Folder);
    let sqlite = section.parsed("sqlite", |text| path::resolve(text, surroundings));
    sqlite.map(|path| Kind::Sqlite(path.value)).or(csv).or(files)
}

fn reclaim(section: &mut Section<'_>) {
    let Some(reclaim) = section.text("reclaim") else { return };
    let finding = match reclaim.value.as_str() {
        "none" => return,
        known @ ("incremental" | "vacuum") => {
            let message = format!("`reclaim = \"{known}\"` is not yet supported");
            let finding = Finding::error(Code::NotYetSupported, message, reclaim.span);
            finding.help("leave `reclaim` out: the file keeps its size, and SQLite uses the space again")
        }
        other => {
            Finding::error(Code::BadValue, format!("`{other}` is not a way to reclaim space"), reclaim.span)
                .help("write \"none\", \"incremental\" or \"vacuum\"")
        }
    };
    section.note(finding);
}

fn tables(section: &mut Section<'_>, defaults: &ColumnSettings) -> BTreeMap<String, ColumnSettings> {
    let mut tables = BTreeMap::new();
    for (name, mut inner) in section.named_sections("table") {
        inner.entitle(format!("table `{}`", name.value));
        tables.insert(name.value, settings::read(&mut inner, defaults));
        inner.finish();
    }
    tables
}
