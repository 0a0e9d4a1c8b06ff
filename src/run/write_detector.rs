//! What a killed run left, as it was before this one touched any of it.
//!
//! What is gone from a folder may have been deleted by somebody else. A deletion follows its announcement within
//! a second; a folder that was changed later than that was changed by another.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::running::Running;
use crate::ledger::{LedgerError, RunLock};
use crate::source::folder::look::Modified;
use crate::source::sqlite::open::real;
use crate::source::sqlite::write::Stand;

/// How long after its announcement a file may have been deleted.
const DELETION: Duration = Duration::from_secs(1);

/// What the files looked like before this run touched any.
#[derive(Clone, Debug)]
pub struct WriteDetector {
    /// When the last batch was announced.
    announced: Option<SystemTime>,
    /// Where the logs of databases stood, before they were put right.
    logs: BTreeMap<PathBuf, Stand>,
}

impl WriteDetector {
    /// Looks at the files. Must be called before anything else of a run.
    pub fn look(lock: &RunLock) -> Result<WriteDetector, LedgerError> {
        let policy = Running::read(lock)?.and_then(|running| running.policy());
        let announced = modified(&lock.folder().ledger());
        let sources = policy.iter().flat_map(|policy| &policy.sources);
        let databases =
            sources.filter(|source| source.kind.has_tables()).map(|source| real(source.kind.path()));
        let logs = databases.filter_map(|path| Stand::of_log(&path).map(|stand| (path, stand))).collect();
        Ok(WriteDetector { announced, logs })
    }

    /// Where the log of a database stood.
    pub(crate) fn log(&self, database: &Path) -> Option<Stand> {
        self.logs.get(database).copied()
    }

    /// Whether a time is one at which the killed run may still have been at work.
    pub(crate) fn is_before(&self, modified: Modified) -> bool {
        let latest =
            self.announced.and_then(|announced| (announced + DELETION).duration_since(UNIX_EPOCH).ok());
        latest.is_some_and(|latest| i128::from(modified.in_nanos()) <= latest.as_nanos() as i128)
    }
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}
