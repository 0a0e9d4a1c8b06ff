//! Removing files that deleted rows named, below their folder and past every link.

use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params_from_iter};
use rustix::fs::{AtFlags, unlinkat};
use rustix::io::Errno;

use crate::dataset::Problem;
use crate::dataset::folder::named;
use crate::dataset::folder::root::{Closed, Root, enter};
use crate::dataset::sqlite::open::read;
use crate::dataset::sqlite::schema::{columns, table_names};
use crate::dataset::sqlite::{problem, quoted};
use crate::ledger::Removal;
use crate::value::Value;

/// What came of removing files.
#[derive(Debug, Default)]
pub(super) struct Removed {
    /// Files that are gone by our hand.
    pub(super) files: u64,
    /// Those that are still to go.
    pub(super) left: Vec<Removal>,
    /// Why.
    pub(super) problems: Vec<Problem>,
}

/// Removes the files of rows that are gone.
pub(super) fn remove(removals: &[Removal]) -> Removed {
    let mut removed = Removed::default();
    for removal in removals {
        removed.one(removal);
    }
    removed
}

/// Removes the files of an earlier run, as far as no row names them: the rows that did may still be
/// there.
pub(super) fn finish(removals: &[Removal]) -> Removed {
    let mut removed = Removed::default();
    for removal in removals {
        match unnamed(removal) {
            Ok(values) => removed.one(&Removal { values, ..removal.clone() }),
            Err(problem) => {
                removed.problems.push(problem);
                removed.left.push(removal.clone());
            }
        }
    }
    removed
}

/// The values that no row holds any more.
fn unnamed(removal: &Removal) -> Result<Vec<String>, Problem> {
    let asked = read(&removal.database, |opener| {
        let connection = opener.connect()?;
        let explain = |error| problem(opener.path(), &error);
        if !is_known(&connection, removal).map_err(explain)? {
            return Err(unknown(removal));
        }
        let (table, column) = (quoted(&removal.table), quoted(&removal.column));
        let mut unnamed = Vec::new();
        for value in &removal.values {
            let spellings = named::spellings(&removal.folder, value);
            let marks = vec!["?"; spellings.len()].join(", ");
            let sql = format!("SELECT 1 FROM main.{table} WHERE {column} IN ({marks}) LIMIT 1");
            let row: Option<i64> = connection
                .query_row(&sql, params_from_iter(spellings), |row| row.get(0))
                .optional()
                .map_err(explain)?;
            if row.is_none() {
                unnamed.push(value.clone());
            }
        }
        Ok(unnamed)
    });
    asked.map_err(|unusable| unusable.problem)
}

/// What was renamed since names nothing that could be asked for.
fn is_known(connection: &Connection, removal: &Removal) -> rusqlite::Result<bool> {
    Ok(table_names(connection)?.contains(&removal.table)
        && columns(connection, &removal.table)?.0.contains(&removal.column))
}

fn unknown(removal: &Removal) -> Problem {
    let message = format!(
        "{}: column `{}` of table `{}` is not there any more, and files that it named are still to be removed; nobody \
         can say whether other rows name them",
        removal.database.display(),
        removal.column,
        removal.table
    );
    Problem::new("named-files", message)
}

impl Removed {
    fn one(&mut self, removal: &Removal) {
        let root = match Root::reopen(&removal.folder) {
            Ok(root) => root,
            Err(problem) => {
                self.problems.push(problem);
                self.left.push(removal.clone());
                return;
            }
        };
        let mut left = Vec::new();
        for value in &removal.values {
            match unlink(&root, &removal.folder, value) {
                Ok(files) => self.files += files,
                Err(why) => {
                    if left.is_empty() {
                        self.problems.push(stuck(removal, &why));
                    }
                    left.push(value.clone());
                }
            }
        }
        if !left.is_empty() {
            self.left.push(Removal { values: left, ..removal.clone() });
        }
    }
}

/// Says why files stay; their names may be personal, and so are not told.
fn stuck(removal: &Removal, why: &str) -> Problem {
    let message = format!(
        "a file below {} that a deleted row of `{}` named cannot be removed: {why}; it is remembered, and the next \
         run tries again",
        removal.folder.display(),
        removal.table
    );
    Problem::new("named-files", message)
}

/// Removes one file; how many that were. What is not there is as good as removed.
fn unlink(root: &Root, folder: &Path, value: &str) -> Result<u64, String> {
    let Ok(Some(path)) = named::below(folder, Value::Text(value.as_bytes())) else { return Ok(0) };
    let names: Result<Vec<CString>, _> = path.iter().map(|name| CString::new(name.as_bytes())).collect();
    let Ok(names) = names else { return Ok(0) };
    let Some((file, folders)) = names.split_last() else { return Ok(0) };
    let mut inner: Option<OwnedFd> = None;
    for name in folders {
        let outer = inner.as_ref().map_or_else(|| root.as_fd(), AsFd::as_fd);
        inner = Some(match enter(outer, name, root.volume()) {
            Ok(entered) => entered,
            Err(Closed::Gone) => return gone_or_link(outer, name),
            Err(closed) => return Err(closed.words()),
        });
    }
    let inner = inner.as_ref().map_or_else(|| root.as_fd(), AsFd::as_fd);
    match unlinkat(inner, file.as_c_str(), AtFlags::empty()) {
        Ok(()) => Ok(1),
        // A name that no file can have is one that is not there.
        Err(Errno::NOENT | Errno::NAMETOOLONG) => Ok(0),
        Err(error) => Err(std::io::Error::from(error).to_string()),
    }
}

/// A folder that is not there holds nothing; through a link nobody goes.
fn gone_or_link(folder: std::os::fd::BorrowedFd<'_>, name: &CString) -> Result<u64, String> {
    match rustix::fs::statat(folder, name.as_c_str(), AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(0),
        Err(error) => Err(std::io::Error::from(error).to_string()),
        Ok(_) => Err("its folder is a link, or no folder".to_string()),
    }
}
