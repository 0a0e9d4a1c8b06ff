//! What a transaction took, and the files that go after it.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use super::refusals::Refusal;
use crate::ledger::Removal;
use crate::run::job::{Deletion, Journal, WriteError};
use crate::source::folder::write::named_files;

/// What a transaction takes along.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// The records themselves.
    pub(super) records: u64,
    /// Rows of other tables.
    pub(super) rows: u64,
    /// Records of other rules that had to go first, by the names of these.
    pub(super) ahead: BTreeMap<String, u64>,
    /// Records that the database refused.
    pub(super) refusals: Vec<Refusal>,
    /// Files to be removed after the commit.
    pub(super) files: Vec<Removal>,
}

impl Taken {
    /// How many files are to be removed after the commit.
    pub(super) fn named_files(&self) -> usize {
        self.files.iter().map(|removal| removal.files.len()).sum()
    }

    /// Adds what a later leg of the same transaction took.
    pub(super) fn absorb(&mut self, later: Taken) {
        let Taken { records, rows, ahead, refusals, files } = later;
        (self.records, self.rows) = (self.records + records, self.rows + rows);
        ahead.into_iter().for_each(|(rule, more)| *self.ahead.entry(rule).or_default() += more);
        self.refusals.extend(refusals);
        self.files.extend(files);
    }

    /// Adds what a batch took to what is done; the files that go now.
    pub(super) fn account(self, told: &dyn Fn(u64), done: &mut Deletion) -> Vec<Removal> {
        if self.records > 0 {
            done.deleted += self.records;
            done.batches += 1;
            done.taken_along += self.rows;
            for (rule, records) in self.ahead {
                *done.ahead.entry(rule).or_default() += records;
            }
            told(done.deleted);
        }
        self.files
    }
}

/// Removes the files that deleted rows named. What cannot be removed is remembered, and fails the rule.
pub(super) fn remove_files(
    files: &[Removal],
    own: (&Path, &Connection),
    journal: &mut dyn Journal,
    done: &mut Deletion,
) -> Result<(), WriteError> {
    if files.is_empty() {
        return Ok(());
    }
    let removed = named_files::remove(files, Some(own));
    done.taken_along += removed.files;
    done.stayed.add(removed.stayed);
    journal.leave(removed.left)?;
    // One is told for all of them: the others are remembered.
    let is_told = done.problems.iter().any(|known| removed.problems.iter().any(|new| new.code == known.code));
    done.problems.extend(removed.problems.into_iter().next().filter(|_| !is_told));
    Ok(())
}
