//! What a transaction took, and the files that go after it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;

use super::refusals::Refusal;
use crate::dataset::folder::named;
use crate::dataset::folder::root::Root;
use crate::ledger::{NamedFile, Removal, Seen};
use crate::purge::job::{Deletion, Halt, Journal};
use crate::purge::named_files;

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

/// Files as they are now, before the commit. What is not there has not to go; of a folder that cannot be
/// opened nobody knows, and the removal tells why.
pub(super) fn seen(folder: &Path, paths: BTreeSet<String>) -> Vec<NamedFile> {
    let Ok(root) = Root::reopen(folder) else {
        return paths.into_iter().map(|path| NamedFile { path, seen: None }).collect();
    };
    let look = |path: &String| named::place(&root, Path::new(path))?.map_or(Ok(None), |place| place.look());
    let seen = paths.into_iter().filter_map(|path| match look(&path) {
        Ok(None) => None,
        Ok(Some(look)) => Some(NamedFile { path, seen: Some(Seen::of(&look)) }),
        Err(_) => Some(NamedFile { path, seen: None }),
    });
    seen.collect()
}

/// Removes the files that deleted rows named. What cannot be removed is remembered, and fails the rule.
pub(super) fn remove_files(
    files: &[Removal],
    own: (&Path, &Connection),
    journal: &mut dyn Journal,
    done: &mut Deletion,
) -> Result<(), Halt> {
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
