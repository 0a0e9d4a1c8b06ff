//! `with`: what goes together with a record.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Given, Target, related};
use crate::diagnostic::{Code, Finding};
use crate::policy::file_name::{FileName, PathPattern};
use crate::policy::path;
use crate::policy::relation::Relation;
use crate::policy::section::{Placed, Section};
use crate::policy::{Kind, Policy};

/// What is deleted together with each record.
#[derive(Clone, Debug, Default)]
pub struct With {
    /// Rows that belong to it, each with what goes together with them in turn.
    pub rows: Vec<(Relation, With)>,
    /// Files that it names.
    pub files: Vec<NamedFiles>,
}

/// Files that a row names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFiles {
    /// The folder below which they lie.
    pub folder: PathBuf,
    /// How it names them.
    pub name: FileName,
    /// Where it stands in the policy, in bytes.
    pub span: Range<usize>,
    /// The same as `FILE:LINE:COLUMN`.
    pub at: String,
}

/// What names files in a table of a database, wherever in a policy it says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamingColumn {
    pub database: PathBuf,
    pub table: String,
    /// The column that holds their paths; empty where these are made of several.
    pub column: String,
    /// What they are made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The folder below which the files lie.
    pub folder: PathBuf,
}

impl NamingColumn {
    /// What names files below a folder.
    pub fn new(name: &FileName, database: &Path, table: &str, folder: &Path) -> NamingColumn {
        let (column, path) = match name {
            FileName::Column(column) => (column.clone(), None),
            FileName::Path(pattern) => (String::new(), Some(pattern.text().to_string())),
        };
        let (database, table) = (database.to_path_buf(), table.to_string());
        NamingColumn { database, table, column, path, folder: folder.to_path_buf() }
    }

    /// How a row names its file; none where nobody understands it any more.
    pub fn name(&self) -> Option<FileName> {
        match &self.path {
            None => Some(FileName::Column(self.column.clone())),
            Some(path) => PathPattern::parse(path).ok().map(FileName::Path),
        }
    }

    /// All those of a policy.
    pub fn all(policy: &Policy) -> Vec<NamingColumn> {
        let mut columns = Vec::new();
        for rule in &policy.rules {
            if let Some(Kind::Sqlite(database)) = policy.source(&rule.source).map(|source| &source.kind) {
                rule.with.add_naming(database, &rule.table, &mut columns);
            }
        }
        columns
    }
}

impl With {
    fn add_naming(&self, database: &Path, table: &str, columns: &mut Vec<NamingColumn>) {
        for files in &self.files {
            let naming = NamingColumn::new(&files.name, database, table, &files.folder);
            if !columns.contains(&naming) {
                columns.push(naming);
            }
        }
        self.rows.iter().for_each(|(relation, with)| with.add_naming(database, &relation.table, columns));
    }

    /// Whether a record goes alone.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.files.is_empty()
    }

    /// All relations, those further in behind those that lead to them.
    pub fn relations(&self) -> Vec<&Relation> {
        self.rows.iter().flat_map(|(relation, with)| [vec![relation], with.relations()].concat()).collect()
    }

    /// All columns of files, wherever they stand.
    pub fn all_files(&self) -> Vec<&NamedFiles> {
        let further = self.rows.iter().flat_map(|(_, with)| with.all_files());
        self.files.iter().chain(further).collect()
    }
}

/// Deeper than anybody writes, and each step is a statement within a statement.
const DEEPEST: usize = 8;

/// Reads `with` of a rule whose data may not be known.
pub(super) fn read(section: &mut Section<'_>, target: Option<&Target<'_>>, given: &Given<'_>) -> With {
    let elsewhere = target.filter(|target| section.has("with") && !target.source.kind.has_tables());
    if elsewhere.is_some() {
        let message = format!(
            "`with` of {} needs a database: other records have none that belong to them",
            section.title()
        );
        let finding = Finding::error(Code::BadValue, message, section.key_span("with"));
        section.note(finding.help("leave `with` out, and write a rule of its own for what else is to go"));
        section.value("with");
        return With::default();
    }
    list(section, target, given, 1)
}

fn list(section: &mut Section<'_>, target: Option<&Target<'_>>, given: &Given<'_>, depth: usize) -> With {
    let title = format!("`with` of {}", section.title());
    let mut with = With::default();
    if section.has("with") && depth > DEEPEST {
        let message = format!("{title} is more than {DEEPEST} steps away from the record");
        section.note(Finding::error(Code::BadValue, message, section.key_span("with")));
        section.value("with");
        return with;
    }
    for mut entry in section.listed_inline("with", &title) {
        match (entry.has("table"), entry.has("files")) {
            (_, false) => {
                let relation =
                    related::read(&mut entry, target, given).filter(|relation| is_near(&entry, relation));
                let further = list(&mut entry, target, given, depth + 1);
                with.rows.extend(relation.map(|relation| (relation, further)));
            }
            (false, true) => with.files.extend(files(&mut entry, given)),
            (true, true) => {
                let message = format!("{title} has `table` and `files` in one entry");
                let finding = Finding::error(Code::TwoKinds, message, entry.key_span("files"));
                entry.note(
                    finding.help("files are named by the row they stand under: with = [{ files = … }]"),
                );
                let _ = (related::read(&mut entry, target, given), files(&mut entry, given));
            }
        }
        entry.finish();
    }
    with
}

/// One transaction deletes them all.
fn is_near(entry: &Section<'_>, relation: &Relation) -> bool {
    if relation.elsewhere.is_none() {
        return true;
    }
    let message = format!("rows of another source cannot go along with a record, in {}", entry.title());
    let finding = Finding::error(Code::BadValue, message, relation.span.clone());
    entry.note(finding.help("write a rule for them: one transaction reaches one database"));
    false
}

fn files(entry: &mut Section<'_>, given: &Given<'_>) -> Option<NamedFiles> {
    let folder = entry.parsed("files", |text| path::resolve(text, given.surroundings));
    let name = match (entry.has("column"), entry.has("path")) {
        (true, false) => {
            let column = entry.text("column");
            column.map(|column| Placed { value: FileName::Column(column.value), span: column.span })
        }
        (false, true) => pattern(entry),
        (has_both, _) => {
            let (code, said, span) = match has_both {
                true => (Code::TwoKinds, "`column` and `path` in one entry", entry.key_span("path")),
                false => (Code::MissingKey, "no `column` and no `path`", entry.span()),
            };
            let message = format!("{} has {said}", entry.title());
            entry.note(Finding::error(code, message, span).help(NAMING));
            let _ = (entry.text("column"), pattern(entry));
            None
        }
    };
    let (folder, name) = (folder?, name?);
    let at = given.place(name.span.start);
    Some(NamedFiles { folder: folder.value, name: name.value, span: name.span, at })
}

const NAMING: &str = "write column = \"path\" where a column holds the file's path, and path = \"{id}/{file_name}\" where \
                      it is made of columns";

/// Reads `path`, and says at which byte of the file it goes wrong.
fn pattern(entry: &mut Section<'_>) -> Option<Placed<FileName>> {
    let text = entry.text("path")?;
    match PathPattern::parse(&text.value) {
        Ok(pattern) => Some(Placed { value: FileName::Path(pattern), span: text.span }),
        Err(fault) => {
            // Inside plain quotes the text's bytes are the file's, one behind the quote.
            let is_plain = text.span.len() == text.value.len() + 2 && !fault.span.is_empty();
            let start = text.span.start + 1;
            let span = if is_plain { start + fault.span.start..start + fault.span.end } else { text.span };
            let message = format!("`path` in {}: {}", entry.title(), fault.message);
            entry.note(Finding::error(Code::BadPath, message, span).help(fault.help));
            None
        }
    }
}
