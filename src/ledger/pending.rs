//! The keys of the one batch whose commit is pending. They may be personal data,
//! so they stand here and not in the ledger, for as long as the batch is in doubt.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::folder::StateFolder;
use super::lock::RunLock;
use super::private;

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
    /// Puts these keys on the disk in place of the last batch's.
    pub fn write(&self, lock: &RunLock) -> Result<(), LedgerError> {
        private::write(lock, &lock.folder().pending(), self)
    }

    /// The keys that a killed run left.
    pub fn read(folder: &StateFolder) -> Result<Option<Pending>, LedgerError> {
        private::read(folder, &folder.pending(), "the keys of a batch")
    }

    /// Overwrites the keys and removes the file.
    pub fn clear(lock: &RunLock) -> Result<(), LedgerError> {
        private::clear(lock, &lock.folder().pending())
    }
}
