//! `files = DIR`: a folder, and which of its entries are records.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::diagnostic::{Code, Finding};
use crate::policy::section::{Complaint, Placed, Section};
use crate::policy::{LoadContext, path};

/// What the records of a folder can be asked by `when` and `per`.
pub const COLUMNS: [&str; 4] = ["name", "path", "folder", "size"];

/// What is one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A file, or a symbolic link.
    File,
    /// A direct sub-folder, with everything in it.
    Folder,
}

/// A folder, and which of its entries are records.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The folder.
    pub path: PathBuf,
    /// What is one record.
    pub unit: Unit,
    /// Whether files in sub-folders are records too.
    pub recursive: bool,
    /// What must never be in it, for a deletion would reach it.
    pub keeps_out: Vec<PathBuf>,
    patterns: Vec<String>,
    selection: Option<GlobSet>,
}

impl PartialEq for Folder {
    fn eq(&self, other: &Folder) -> bool {
        let facts = |folder: &Folder| (folder.path.clone(), folder.unit, folder.recursive);
        facts(self) == facts(other) && self.patterns == other.patterns
    }
}

impl Eq for Folder {}

impl Folder {
    /// The folder of these patterns; one without any takes every entry.
    pub fn new(
        path: PathBuf,
        unit: Unit,
        recursive: bool,
        patterns: &[&str],
    ) -> Result<Folder, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(GlobBuilder::new(pattern).literal_separator(true).build()?);
        }
        let selection = if patterns.is_empty() { None } else { Some(set.build()?) };
        let patterns = patterns.iter().map(|pattern| (*pattern).to_string()).collect();
        Ok(Folder { path, unit, recursive, keeps_out: Vec::new(), patterns, selection })
    }

    /// Whether an entry of this path below the folder is a record.
    #[inline]
    pub fn selects(&self, below: &[u8]) -> bool {
        let below = Path::new(OsStr::from_bytes(below));
        self.selection.as_ref().is_none_or(|selection| selection.is_match(below))
    }

    /// Whether files below this path can be records.
    pub fn reaches(&self, below: &Path) -> bool {
        match self.unit {
            Unit::Folder => {
                below.components().next().is_some_and(|first| self.selects(first.as_os_str().as_bytes()))
            }
            Unit::File if below.components().count() > 1 && !self.recursive => false,
            Unit::File => self.selects(below.as_os_str().as_bytes()),
        }
    }
}

/// The keys of a folder in a source of another kind: an error, which tells what they belong to.
fn none(section: &mut Section<'_>) -> Option<Folder> {
    for key in ["match", "recursive", "unit"] {
        if section.value(key).is_some() {
            let message =
                format!("`{key}` in {} belongs to a folder, and `files` is not written", section.title());
            section.note(
                Finding::error(Code::BadValue, message, section.key_span(key))
                    .help(format!("take `{key}` away")),
            );
        }
    }
    // So that a misspelt `files` finds its neighbour.
    section.value("files").and(None)
}

/// What is said of tables and columns has no meaning for files.
fn refuse_columns(section: &Section<'_>) {
    for key in ["reclaim", "subject", "key", "formats", "empty"] {
        if section.has(key) {
            let message = format!(
                "`{key}` in {} has no meaning: a folder has no tables and no columns",
                section.title()
            );
            let finding = Finding::error(Code::BadValue, message, section.key_span(key));
            section.note(finding.help(format!("take `{key}` away")));
        }
    }
}

/// Reads the keys of a folder; none where the source is of another kind.
pub(super) fn read(section: &mut Section<'_>, surroundings: &LoadContext<'_>) -> Option<Folder> {
    if !section.has("files") {
        return none(section);
    }
    refuse_columns(section);
    let path = section.parsed("files", |text| path::resolve(text, surroundings));
    let patterns = section.texts("match", true);
    let recursive = section.flag("recursive").unwrap_or(false);
    let unit = unit(section);
    if recursive && unit == Some(Unit::Folder) {
        let message = format!(
            "`recursive` in {} has no meaning: a sub-folder is one record, with all in it",
            section.title()
        );
        let finding = Finding::error(Code::BadValue, message, section.key_span("recursive"));
        section.note(finding.help("take `recursive` away, or `unit = \"folder\"`"));
    }
    let sound: Vec<Placed<String>> = patterns.iter().filter_map(|text| glob(section, text)).collect();
    let texts: Vec<&str> = sound.iter().map(|text| text.value.as_str()).collect();
    let (path, unit) = (path?, unit?);
    if sound.len() < patterns.len() || (section.has("match") && patterns.is_empty()) {
        return empty_match(section, &patterns);
    }
    Folder::new(path.value, unit, recursive, &texts).ok()
}

fn empty_match(section: &Section<'_>, patterns: &[Placed<String>]) -> Option<Folder> {
    if patterns.is_empty() {
        let message = format!("`match` in {} matches nothing", section.title());
        let finding = Finding::error(Code::BadGlob, message, section.key_span("match"));
        section.note(finding.help("leave it out to take every entry"));
    }
    None
}

fn unit(section: &mut Section<'_>) -> Option<Unit> {
    let Some(unit) = section.text("unit") else {
        return (!section.has("unit")).then_some(Unit::File);
    };
    match unit.value.as_str() {
        "file" => Some(Unit::File),
        "folder" => Some(Unit::Folder),
        other => {
            let finding =
                Finding::error(Code::BadValue, format!("`{other}` is no unit of records"), unit.span);
            section.note(finding.help("write \"file\" or \"folder\""));
            None
        }
    }
}

/// A pattern of paths below a folder.
pub(super) fn glob(section: &Section<'_>, text: &Placed<String>) -> Option<Placed<String>> {
    section.understood(text.clone(), |pattern| {
        let help = "write a pattern such as \"app-*.db.zst\", or \"**/*.log\" for every level".to_string();
        let complain = |message: String| Complaint::new(Code::BadGlob, message, Some(help.clone()));
        if pattern.is_empty() || pattern.starts_with('/') {
            return Err(complain(format!("`{pattern}` matches no path below the folder")));
        }
        let built = Folder::new(PathBuf::new(), Unit::File, false, &[pattern]);
        built
            .map(|_| pattern.to_string())
            .map_err(|error| complain(format!("not a pattern: {}", error.kind())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(patterns: &[&str], path: &str) -> bool {
        Folder::new(PathBuf::new(), Unit::File, true, patterns).unwrap().selects(path.as_bytes())
    }

    #[test]
    fn a_star_stays_on_its_level_and_hidden_files_are_files() {
        assert!(selects(&["app-*.zst"], "app-1.zst"));
        assert!(!selects(&["app-*.zst"], "old/app-1.zst"));
        assert!(!selects(&["*"], "old/app-1.zst"));
        assert!(selects(&["**/*.zst"], "old/app-1.zst"));
        assert!(selects(&["**/*.zst"], "app-1.zst"));
        assert!(selects(&["*"], ".hidden"));
        assert!(selects(&["a*", "b*"], "b") && !selects(&["a*", "b*"], "c"));
        assert!(selects(&[], "anything/at all"));
    }

    #[test]
    fn names_that_are_not_utf_8_are_matched_by_their_bytes() {
        let folder = Folder::new(PathBuf::new(), Unit::File, false, &["a*.log"]).unwrap();
        assert!(folder.selects(b"a\xff\xfe.log"));
        assert!(!folder.selects(b"\xff.log"));
    }

    #[test]
    fn what_a_deletion_may_reach_is_known_from_the_path() {
        let reaches = |unit, recursive, path: &str| {
            let patterns: &[&str] = if recursive { &["**/*.db"] } else { &["*.db"] };
            Folder::new(PathBuf::new(), unit, recursive, patterns).unwrap().reaches(Path::new(path))
        };
        assert!(reaches(Unit::File, false, "a.db"));
        assert!(!reaches(Unit::File, false, "a.log"));
        assert!(!reaches(Unit::File, false, "sub/a.db"));
        assert!(reaches(Unit::File, true, "sub/a.db"));
        assert!(reaches(Unit::Folder, false, "x.db/deep/inside"));
        assert!(!reaches(Unit::Folder, false, "sub/a.db"));
    }
}
