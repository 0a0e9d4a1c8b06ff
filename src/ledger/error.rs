//! Why the ledger could not be opened, written or read.

use std::io;
use std::path::{Path, PathBuf};

use crate::ledger::finding::Finding;

/// Why the ledger could not be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another run holds the lock.
    #[error(
        "another run{} holds {}; wait for it to end",
        holder.as_ref().map(|pid| format!(" (process {pid})")).unwrap_or_default(),
        path.display()
    )]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// The process that wrote its id into it.
        holder: Option<String>,
    },
    /// Others may write to the state folder, so its files prove nothing.
    #[error("{} may be written to by others (mode {mode:03o}); run: chmod go-w {}", path.display(), path.display())]
    Exposed {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A state file is a symbolic link, a folder or a device.
    #[error("{} is not a regular file; frist does not follow links in its state folder", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The chain is broken; nothing was written.
    #[error("{}: {finding}; keep the file as it is and run: frist ledger verify --state {}", path.display(), folder_of(path).display())]
    Broken {
        /// The ledger.
        path: PathBuf,
        /// The first thing that is wrong.
        finding: Finding,
    },
    /// Something else wrote to the ledger while this run had it open.
    #[error("{} was changed by another program during this run; run: frist ledger verify --state {}", path.display(), folder_of(path).display())]
    ChangedMeanwhile {
        /// The ledger.
        path: PathBuf,
    },
    /// An earlier write or sync failed in a way that leaves the file's end unknown.
    #[error("{} takes no more entries after the failure before; end this run and start a new one", path.display())]
    Poisoned {
        /// The ledger.
        path: PathBuf,
    },
    /// A value that the line format has no room for.
    #[error("{field} {value:?} cannot stand in the ledger: {rule}")]
    Unfit {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What it must look like.
        rule: &'static str,
    },
    /// A commit failed in a way that leaves open whether it happened.
    #[error("{0}; whether the last batch was committed is not known, and the next run finds out")]
    Doubt(String),
    /// An event could not be written as JSON.
    #[error("an event cannot be written as JSON: {0}")]
    Encoding(serde_json::Error),
    /// A state file holds something that frist did not write.
    #[error("{}{}: {reason}", path.display(), line.map(|line| format!(" line {line}")).unwrap_or_default())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: Option<u64>,
        /// What is wrong with it.
        reason: String,
    },
}

/// Names the file and what was tried.
fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(file)
}

pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LedgerError {
    move |source| LedgerError::Io { action, path: path.to_path_buf(), source }
}
