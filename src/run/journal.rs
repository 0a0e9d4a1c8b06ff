//! Announcing batches in the ledger, before they are committed.

use std::collections::BTreeMap;

use super::job::{Journal, Mark};
use super::policy_run::Run;
use crate::ledger::{Batch, BatchDone, BatchUndone, Event, LedgerError, Pending, Removal};

/// The journal of one rule's deletion.
pub(crate) struct LedgerJournal<'r, 'a> {
    pub(crate) run: &'r mut Run<'a>,
    pub(crate) rule: &'r str,
}

impl Journal for LedgerJournal<'_, '_> {
    fn announce(&mut self, batch: u64, rows: u64, mark: Mark) -> Result<(), LedgerError> {
        let (run, rule) = (self.run.name.clone(), self.rule.to_string());
        let (range, ahead, are_rows) = match mark {
            Mark::Private(files) => (files, BTreeMap::new(), false),
            Mark::Rows { taken, ahead } => (taken, ahead, true),
        };
        self.run.write(&Event::Batch(Batch {
            rule: rule.clone(),
            number: batch,
            rows,
            ahead,
            range: None,
        }))?;
        // Behind the entry: a mark of an earlier batch means that this one was never committed.
        let (lock, pending) = (self.run.lock, Pending { run, rule, batch, range });
        let marked = if are_rows {
            pending.write_over(lock, || self.run.ledger.sync())
        } else {
            self.run.ledger.sync()?;
            pending.write(lock)
        };
        if marked.is_err() {
            // A mark that is torn decides nothing, but it is known here that nothing happens.
            self.undo(batch)?;
        }
        marked
    }

    fn committed(&mut self) {
        if let Err(error) = Pending::note_committed(self.run.lock) {
            // Only a later run would have been surer by it.
            tracing::warn!("{error}");
        }
    }

    fn promise(&mut self, files: &[Removal]) -> Result<(), LedgerError> {
        let left = self.run.left.iter().chain(files).cloned().collect::<Vec<Removal>>();
        Removal::write(&left, self.run.lock)
    }

    fn leave(&mut self, files: Vec<Removal>) -> Result<(), LedgerError> {
        self.run.left.extend(files);
        self.promise(&[])
    }

    fn settle(&mut self, batch: u64, rows: u64) -> Result<(), LedgerError> {
        let done = BatchDone { rule: self.rule.to_string(), number: batch, rows };
        self.run.write(&Event::BatchDone(done)).map(drop)
    }

    fn undo(&mut self, batch: u64) -> Result<(), LedgerError> {
        let undone = BatchUndone { rule: self.rule.to_string(), number: batch };
        self.run.write(&Event::BatchUndone(undone))?;
        self.run.ledger.sync()
    }
}
