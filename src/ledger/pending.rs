//! The keys of the one batch whose commit is pending. They may be personal data,
//! so they stand here and not in the ledger, for as long as the batch is in doubt.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::{LedgerError, io_error};
use super::folder::StateFolder;
use super::lock::RunLock;
use super::{private, slots};

/// The keys of the one batch whose commit is pending.
///
/// [`Pending::prepare`] belongs before a rule's first batch, [`Pending::write`] or
/// [`Pending::write_over`] between the sync of a batch's entry and its commit,
/// [`Pending::clear`] after the sync of the entry that ends the rule. Then a batch
/// in doubt whose keys would stand here, and do not, was never committed; where there is
/// no file, somebody took it away.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// The run.
    pub run: String,
    /// The rule.
    pub rule: String,
    /// The batch's number within the rule.
    pub batch: u64,
    /// What tells whether it was committed, such as the keys of its rows.
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
    /// About how long a mark may be in JSON to be written over another.
    pub(crate) const LONGEST_OVER: usize = slots::LONGEST;

    /// Makes the file, without any keys, where there is none.
    pub fn prepare(lock: &RunLock) -> Result<(), LedgerError> {
        let path = lock.folder().pending();
        match (Pending::is_there(lock.folder()), slots::file_of(b"null")) {
            (false, Some(file)) => private::replace(lock, &path, &file),
            _ => Ok(()),
        }
    }

    /// Whether the file is there.
    pub fn is_there(folder: &StateFolder) -> bool {
        std::fs::symlink_metadata(folder.pending()).is_ok()
    }

    /// Puts these keys on the disk in place of the last batch's.
    pub fn write(&self, lock: &RunLock) -> Result<(), LedgerError> {
        private::write(lock, &lock.folder().pending(), self)
    }

    /// The same over what was written before the last batch's, which takes one wait for the disk instead of
    /// three. Meanwhile `beside` is done, which waits for the disk itself.
    pub fn write_over(
        &self,
        lock: &RunLock,
        beside: impl FnOnce() -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let path = lock.folder().pending();
        let content = serde_json::to_vec(self).map_err(LedgerError::Encoding)?;
        let Some(file) = slots::write(lock, &path, &content)? else {
            private::replace(lock, &path, slots::file_of(&content).as_deref().unwrap_or(&content))?;
            return beside();
        };
        std::thread::scope(|scope| {
            let synced = scope.spawn(|| file.sync_data());
            beside()?;
            let synced = synced.join().unwrap_or_else(|_| Err(std::io::Error::other("a thread stopped")));
            synced.map_err(io_error("sync", &path))
        })
    }

    /// Notes that the batch written over last is committed. Only a run that was killed reads it: what
    /// a loss of power leaves of it says nothing.
    pub fn note_committed(lock: &RunLock) -> Result<(), LedgerError> {
        slots::note_committed(lock, &lock.folder().pending())
    }

    /// The keys that a killed run left.
    pub fn read(folder: &StateFolder) -> Result<Option<Pending>, LedgerError> {
        Ok(Pending::read_noted(folder)?.map(|(pending, _)| pending))
    }

    /// The same, and whether their batch was noted to be committed.
    pub fn read_noted(folder: &StateFolder) -> Result<Option<(Pending, bool)>, LedgerError> {
        let path = folder.pending();
        let Some(file) = private::bytes(folder, &path)? else { return Ok(None) };
        let (content, committed) = slots::read(&file).unwrap_or((&file, false));
        let pending: Option<Pending> = private::parse(&path, content, "the keys of a batch")?;
        Ok(pending.map(|pending| (pending, committed)))
    }

    /// Overwrites the keys and removes the file.
    pub fn clear(lock: &RunLock) -> Result<(), LedgerError> {
        private::clear(lock, &lock.folder().pending())
    }
}
