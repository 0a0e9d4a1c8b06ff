//! Files that are to go because the rows that named them do: written down before the rows go, and
//! struck out when the files are gone. Between the two falls the commit, and whatever may kill a run.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::folder::StateFolder;
use super::lock::RunLock;
use super::private;

/// Files that one column of a database named.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The database.
    pub database: PathBuf,
    /// The table and the column that named them.
    pub table: String,
    /// See `table`.
    pub column: String,
    /// The folder below which they lie.
    pub folder: PathBuf,
    /// What the column held.
    pub values: Vec<String>,
}

/// A value can be a name.
impl fmt::Debug for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Removal").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Removal {
    /// Puts a list on the disk in place of the last one; an empty list leaves no file.
    pub fn write(removals: &[Removal], lock: &RunLock) -> Result<(), LedgerError> {
        let path = lock.folder().removals();
        let is_empty = removals.iter().all(|removal| removal.values.is_empty());
        if is_empty { private::clear(lock, &path) } else { private::write(lock, &path, &removals) }
    }

    /// What earlier runs could not remove, or did not live to.
    pub fn read(folder: &StateFolder) -> Result<Vec<Removal>, LedgerError> {
        Ok(private::read(folder, &folder.removals(), "the files of a batch")?.unwrap_or_default())
    }
}
