//! The keys of the one batch whose commit is pending. They may be personal data,
//! so they stand here and not in the ledger, for as long as the batch is in doubt.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Read;

use serde::{Deserialize, Serialize};

use crate::ledger::error::{LedgerError, io_error};
use crate::ledger::folder::{StateFolder, beside, write_zeros};
use crate::ledger::lock::RunLock;

/// The keys of the one batch whose commit is pending.
///
/// [`Pending::write`] belongs between the sync of the batch's entry and its commit,
/// [`Pending::clear`] after the sync of the entry that ends the rule. Then a batch
/// in doubt whose keys would stand here, and do not, was never committed.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// The run.
    pub run: String,
    /// The rule.
    pub rule: String,
    /// The batch's number within the rule.
    pub batch: u64,
    /// Its first and last key.
    pub range: serde_json::Value,
}

/// Keys must not reach a log by way of a debug print.
impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pending { run, rule, batch, range: _ } = self;
        f.debug_struct("Pending")
            .field("run", run)
            .field("rule", rule)
            .field("batch", batch)
            .finish_non_exhaustive()
    }
}

impl Pending {
    /// Puts these keys on the disk in place of the last batch's, whose bytes are
    /// overwritten once they have lost their name.
    pub fn write(&self, lock: &RunLock) -> Result<(), LedgerError> {
        let folder = lock.folder();
        let path = folder.pending();
        let content = serde_json::to_vec(self).map_err(LedgerError::Encoding)?;
        let old = folder.open_if_there(&path, OpenOptions::new().write(true))?;
        folder.replace(&path, &content)?;
        match old {
            Some(old) => write_zeros(&old).map_err(io_error("overwrite", &path)),
            None => Ok(()),
        }
    }

    /// The keys that a killed run left. A file that its erasure has begun to
    /// overwrite holds none.
    pub fn read(folder: &StateFolder) -> Result<Option<Pending>, LedgerError> {
        let path = folder.pending();
        let Some(mut file) = folder.open_if_there(&path, OpenOptions::new().read(true))? else {
            return Ok(None);
        };
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(io_error("read", &path))?;
        if content.first() == Some(&0) {
            return Ok(None);
        }
        let pending = serde_json::from_slice(&content);
        // What the parser says may quote a key.
        let reason = "not the keys of a batch as frist writes them".to_owned();
        pending.map(Some).map_err(|_| LedgerError::Unreadable { path, line: None, reason })
    }

    /// Overwrites the keys with zeros and removes the file, and one that a killed
    /// run left half-written. On file systems that write copies, and on disks that
    /// move blocks, older bytes stay out of any program's reach.
    pub fn clear(lock: &RunLock) -> Result<(), LedgerError> {
        let folder = lock.folder();
        folder.erase(&beside(&folder.pending()))?;
        folder.erase(&folder.pending())
    }
}
