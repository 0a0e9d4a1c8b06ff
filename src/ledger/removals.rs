//! Files that are to go because the rows that named them do: written down before the rows go, and
//! struck out when the files are gone. Between the two falls the commit, and whatever may kill a run.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::folder::StateFolder;
use super::lock::RunLock;
use super::private;
use crate::policy::NamingColumn;
use crate::source::folder::look::{Look, Modified};

/// Files that rows of a table named, in one way.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The database.
    pub database: PathBuf,
    /// The table and the column that named them.
    pub table: String,
    /// See `table`; empty where several columns did.
    pub column: String,
    /// What the paths were made of, where it was columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The folder below which they lie.
    pub folder: PathBuf,
    /// The files, by their paths below the folder.
    #[serde(alias = "values")]
    pub files: Vec<NamedFile>,
    /// All columns that may name the same files.
    #[serde(default)]
    pub naming: Vec<NamingColumn>,
}

/// A file that a row named, as it was before the row went.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct NamedFile {
    /// Its path below the folder.
    pub path: String,
    /// What the system knew of it; none where nobody has looked.
    pub seen: Option<Seen>,
}

/// By what a file is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The file system.
    pub device: u64,
    /// The file in it.
    pub inode: u64,
    /// Its bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: Modified,
}

impl Seen {
    /// What a look tells.
    pub fn of(look: &Look) -> Seen {
        let Look { device, inode, size, modified, .. } = *look;
        Seen { device, inode, size, modified }
    }
}

/// Lists of before held paths alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Path(String),
    File { path: String, seen: Option<Seen> },
}

impl From<Written> for NamedFile {
    fn from(written: Written) -> NamedFile {
        match written {
            Written::Path(path) => NamedFile { path, seen: None },
            Written::File { path, seen } => NamedFile { path, seen },
        }
    }
}

/// A value can be a name.
impl fmt::Debug for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Removal").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Removal {
    /// A list without files yet, of what names them, and of all that may name the same.
    pub fn of(own: NamingColumn, naming: Vec<NamingColumn>) -> Removal {
        let NamingColumn { database, table, column, path, folder } = own;
        Removal { database, table, column, path, folder, files: Vec::new(), naming }
    }

    /// What named the files.
    pub fn own_naming(&self) -> NamingColumn {
        let Removal { database, table, column, path, folder, .. } = self.clone();
        NamingColumn { database, table, column, path, folder }
    }

    /// Puts a list on the disk in place of the last one; an empty list leaves no file.
    pub fn write(removals: &[Removal], lock: &RunLock) -> Result<(), LedgerError> {
        let path = lock.folder().removals();
        let is_empty = removals.iter().all(|removal| removal.files.is_empty());
        if is_empty { private::clear(lock, &path) } else { private::write(lock, &path, &removals) }
    }

    /// What earlier runs could not remove, or did not live to.
    pub fn read(folder: &StateFolder) -> Result<Vec<Removal>, LedgerError> {
        Ok(private::read(folder, &folder.removals(), "the files of a batch")?.unwrap_or_default())
    }
}
