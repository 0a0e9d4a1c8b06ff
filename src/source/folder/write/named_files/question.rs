//! Whether rows that stay name a file, in whatever spelling. No index knows all spellings, so each
//! column that may name it is read once for all files of a batch, and outside of every transaction that writes.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::diagnostic::Code;
use crate::ledger::Removal;
use crate::policy::{FileName, NamingColumn};
use crate::source::Problem;
use crate::source::sqlite::open::{read, real};
use crate::source::sqlite::schema::{columns, table_names};
use crate::source::sqlite::{problem, quoted};
use crate::value::Value;

/// Folders that are remembered while a column is read.
const REMEMBERED: usize = 10_000;

/// The files of some removals, and which of them rows name.
#[derive(Default)]
pub(crate) struct Question {
    wanted: HashSet<PathBuf>,
    naming: Vec<NamingColumn>,
    named: HashSet<PathBuf>,
}

impl Question {
    pub(crate) fn about(removals: &[Removal]) -> Question {
        let mut question = Question::default();
        for removal in removals {
            let folder = real(&removal.folder);
            question.wanted.extend(removal.files.iter().map(|file| plain(&folder.join(&file.path))));
            for naming in &removal.naming {
                if !question.naming.contains(naming) {
                    question.naming.push(naming.clone());
                }
            }
        }
        question
    }

    /// Reads every column. The database that is open must not be opened a second time: closing that
    /// would drop the locks of the first.
    pub(crate) fn ask(mut self, open: Option<(&Path, &Connection)>) -> Result<Question, Problem> {
        for naming in std::mem::take(&mut self.naming) {
            let own = open.filter(|(path, _)| real(path) == real(&naming.database));
            match own {
                Some((path, connection)) => self.ask_column(path, connection, &naming)?,
                None => {
                    let asked = read(&naming.database, |opener| {
                        self.ask_column(opener.path(), &opener.connect()?, &naming)
                    });
                    asked.map_err(|unusable| unusable.problem)?;
                }
            }
        }
        Ok(self)
    }

    /// Whether a row names the file of a path below a folder.
    pub(crate) fn is_named(&self, folder: &Path, path: &Path) -> bool {
        self.named.contains(&plain(&real(folder).join(path)))
    }

    fn ask_column(
        &mut self,
        database: &Path,
        connection: &Connection,
        naming: &NamingColumn,
    ) -> Result<(), Problem> {
        let explain = |error| problem(database, &error);
        let Some(name) = naming.name() else { return Err(unknown(naming)) };
        if !is_known(connection, naming, &name).map_err(explain)? {
            return Err(unknown(naming));
        }
        self.scan(connection, naming, &name).map_err(explain)
    }

    fn scan(
        &mut self,
        connection: &Connection,
        naming: &NamingColumn,
        name: &FileName,
    ) -> rusqlite::Result<()> {
        let columns: Vec<String> = name.columns().iter().map(|column| quoted(column)).collect();
        let are_there: Vec<String> = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect();
        let (columns, are_there) = (columns.join(", "), are_there.join(" AND "));
        let sql = format!("SELECT {columns} FROM main.{} WHERE {are_there}", quoted(&naming.table));
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut ways = Ways::below(&naming.folder);
        while let Some(row) = rows.next()? {
            // What says nothing clear names no file that could be asked for.
            let said = name.said(|cell| row.get_ref(cell).map_or(Value::Null, as_text));
            let Ok(said) = said else { continue };
            let number;
            let value = match said.value() {
                Value::Text(bytes) => bytes,
                Value::Integer(integer) => {
                    number = integer.to_string();
                    number.as_bytes()
                }
                Value::Null | Value::Real(_) | Value::Blob => continue,
            };
            for path in ways.of(value) {
                if self.wanted.contains(&path) {
                    self.named.insert(path);
                }
            }
        }
        Ok(())
    }
}

/// Bytes may be the name of a file, too.
fn as_text(cell: ValueRef<'_>) -> Value<'_> {
    match cell {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Value::Text(bytes),
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Null => Value::Null,
    }
}

/// Where values lead, from one folder.
struct Ways {
    folder: PathBuf,
    /// Folders on the way, without links.
    known: HashMap<PathBuf, Option<PathBuf>>,
}

impl Ways {
    fn below(folder: &Path) -> Ways {
        Ways { folder: real(folder), known: HashMap::new() }
    }

    /// The paths that a value can mean: as it is written, and as the system goes it.
    fn of(&mut self, value: &[u8]) -> impl Iterator<Item = PathBuf> + use<> {
        let path = self.folder.join(OsStr::from_bytes(value));
        let gone = path.parent().zip(path.file_name()).and_then(|(parent, name)| {
            if self.known.len() > REMEMBERED {
                self.known.clear();
            }
            let known = self.known.entry(parent.to_path_buf());
            let folder = known.or_insert_with(|| parent.canonicalize().ok()).as_ref()?;
            Some(folder.join(name))
        });
        let written = plain(&path);
        let other = gone.filter(|gone| *gone != written);
        std::iter::once(written).chain(other)
    }
}

/// A path without detours, as it is written.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// What was renamed since names nothing that could be asked for.
fn is_known(connection: &Connection, naming: &NamingColumn, name: &FileName) -> rusqlite::Result<bool> {
    let same = |name: &String, other: &String| name.eq_ignore_ascii_case(other);
    let Some(table) = table_names(connection)?.into_iter().find(|table| same(table, &naming.table)) else {
        return Ok(false);
    };
    let there = columns(connection, &table)?.0;
    Ok(name.columns().iter().all(|named| there.iter().any(|column| same(column, named))))
}

fn unknown(naming: &NamingColumn) -> Problem {
    let message = format!(
        "{}: column `{}` of table `{}` is not there, and files that it may name are still to be removed; nobody can \
         say whether other rows name them",
        naming.database.display(),
        naming.path.as_ref().unwrap_or(&naming.column),
        naming.table
    );
    Problem::new(Code::NamedFiles, message)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_spelling_leads_to_the_same_file_and_no_other_name_does() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().canonicalize().unwrap();
        fs::create_dir(folder.join("a")).unwrap();
        fs::write(folder.join("a/x"), "").unwrap();
        std::os::unix::fs::symlink("a", folder.join("way")).unwrap();
        std::os::unix::fs::symlink(&folder, folder.join("all")).unwrap();
        let wanted = folder.join("a/x");
        let through_link = folder.join("all");
        let leads = |value: &str| Ways::below(&through_link).of(value.as_bytes()).any(|path| path == wanted);
        let absolute = format!("{}//a/./x", folder.display());
        for same in ["a/x", "a//x", "./a/x", "a/./x", "b/../a/x", "a/../a/x", "way/x", "all/a/x", &absolute] {
            assert!(leads(same), "{same}");
        }
        for other in ["a/X", "x", "a/x ", "../a/x", "A/x", "a/x/y", ""] {
            assert!(!leads(other), "{other:?}");
        }
    }
}
