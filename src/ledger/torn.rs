//! A last line that a kill or a full disk tore. It is moved, never dropped: what
//! a run tried to say is evidence too.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use crate::ledger::error::{LedgerError, io_error};
use crate::ledger::folder::StateFolder;

/// A torn last line that was set aside when the ledger was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The line that it was, counted from 1.
    pub line: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// Where it is now, with any that were torn before.
    pub path: PathBuf,
}

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, bytes, path) = (self.line, self.bytes, self.path.display());
        write!(
            f,
            "line {line} of the ledger was torn by a kill or a full disk; its {bytes} bytes are now in {path}"
        )
    }
}

/// Copies what stands after the ledger's last line end, then cuts it off. A kill
/// between the two leaves it in both files, and the next run copies it again.
pub(crate) fn set_aside(
    folder: &StateFolder,
    ledger: &File,
    keep: u64,
    torn: &[u8],
) -> Result<(), LedgerError> {
    let path = folder.torn();
    let mut aside = folder.open_or_create(&path, OpenOptions::new().append(true))?;
    aside.write_all(&[torn, b"\n"].concat()).map_err(io_error("write", &path))?;
    aside.sync_all().map_err(io_error("sync", &path))?;
    let path = folder.ledger();
    ledger.set_len(keep).map_err(io_error("shorten", &path))?;
    ledger.sync_all().map_err(io_error("sync", &path))
}
