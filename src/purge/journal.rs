//! Announcing batches in the ledger, before they are committed.

use super::job::{Journal, Mark};
use super::run::Run;
use crate::ledger::{Batch, BatchDone, BatchUndone, Event, LedgerError, Pending, Removal};

/// The journal of one rule's deletion.
pub(super) struct LedgerJournal<'r, 'a> {
    pub(super) run: &'r mut Run<'a>,
    pub(super) rule: &'r str,
}

impl Journal for LedgerJournal<'_, '_> {
    fn announce(&mut self, batch: u64, rows: u64, mark: Mark) -> Result<(), LedgerError> {
        let (run, rule) = (self.run.name.clone(), self.rule.to_string());
        let (range, private) = match mark {
            Mark::RowNumbers(range) => (Some(range), None),
            Mark::Private(range) => (None, Some(range)),
        };
        self.run.write(&Event::Batch(Batch { rule: rule.clone(), number: batch, rows, range }))?;
        self.run.ledger.sync()?;
        if let Some(range) = private {
            // Behind the entry: a mark of an earlier batch means that this one was never committed.
            let marked = Pending { run, rule, batch, range }.write(self.run.lock);
            if marked.is_err() {
                // A mark that is torn decides nothing, but it is known here that nothing happens.
                self.undo(batch)?;
            }
            marked?;
        }
        Ok(())
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
