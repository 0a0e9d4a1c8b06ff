//! Where a database stands: a number that moves with every commit, whoever makes it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::source::sqlite::open::beside;

/// Where the header of a database holds the number of changes to the file.
const CHANGES: u64 = 24;
/// The head of the index of a write-ahead log, which is there twice.
const INDEX_HEAD: usize = 48;

/// Where a database stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Stand {
    /// How often a file with a rollback journal was changed.
    Changes(u32),
    /// Which write-ahead log it is, how many frames of it are committed, and how many commits that was since
    /// its index was made.
    Log { salts: [u32; 2], frames: u32, commits: u32 },
}

impl Stand {
    /// Whether nobody has committed anything since a database stood here. A log that begins anew, as it does
    /// at the start of a commit where all of it was moved into the database, counts up its first salt.
    pub(super) fn is_still(self, now: Stand) -> bool {
        match (self, now) {
            (
                Stand::Log { salts: before, frames, commits },
                Stand::Log { salts: now, frames: frames_now, commits: commits_now },
            ) => {
                let is_anew = now[0] == before[0].wrapping_add(1) && frames_now == 0;
                (before, frames) == (now, frames_now) || (is_anew && commits == commits_now)
            }
            _ => self == now,
        }
    }

    /// Where the log of a database stands that this process has not open; none where there is none.
    pub(crate) fn of_log(database: &Path) -> Option<Stand> {
        Stand::in_index(&File::open(beside(database, "-shm")).ok()?)
    }

    /// The same by the file alone. What a killed writer left must have been put right.
    pub(super) fn of_file(database: &Path) -> Option<Stand> {
        Stand::in_header(&File::open(database).ok()?)
    }

    fn in_header(file: &File) -> Option<Stand> {
        let mut number = [0; 4];
        file.read_exact_at(&mut number, CHANGES).ok()?;
        Some(Stand::Changes(u32::from_be_bytes(number)))
    }

    fn in_index(index: &File) -> Option<Stand> {
        let mut heads = [0; 2 * INDEX_HEAD];
        index.read_exact_at(&mut heads, 0).ok()?;
        let (head, copy) = heads.split_at(INDEX_HEAD);
        let bytes = |at: usize| head.get(at..at + 4)?.try_into().ok();
        let number = |at: usize| bytes(at).map(u32::from_ne_bytes);
        let salts = [u32::from_be_bytes(bytes(32)?), u32::from_be_bytes(bytes(36)?)];
        let log = Stand::Log { salts, frames: number(16)?, commits: number(8)? };
        // Whoever changes it changes one after the other.
        (head == copy).then_some(log)
    }
}

/// Looks where a database stands while it is open.
///
/// The operating system drops all locks of a process on a file as soon as the process closes any descriptor
/// of it: this must outlive the connection to the database.
#[derive(Debug)]
pub(super) struct Look {
    file: Option<File>,
    is_wal: bool,
}

impl Look {
    /// Looks at a database that is open.
    pub(super) fn at(database: &Path, is_wal: bool) -> Look {
        let path = if is_wal { beside(database, "-shm") } else { database.to_path_buf() };
        Look { file: File::open(path).ok(), is_wal }
    }

    /// Where it stands; none where that cannot be read.
    pub(super) fn stand(&self) -> Option<Stand> {
        let file = self.file.as_ref()?;
        if self.is_wal { Stand::in_index(file) } else { Stand::in_header(file) }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn it_moves_with_every_commit_of_anybody_and_with_nothing_else() {
        for (journal, is_wal) in [("DELETE", false), ("WAL", true)] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("data.db");
            let one = Connection::open(&path).unwrap();
            one.execute_batch(&format!("PRAGMA journal_mode = {journal}; CREATE TABLE t (x)")).unwrap();
            let other = Connection::open(&path).unwrap();
            let look = Look::at(&path, is_wal);
            let mut before = look.stand().unwrap();
            for connection in [&one, &other, &one] {
                connection.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)").unwrap();
                assert_eq!(look.stand(), Some(before), "{journal}");
                connection.execute_batch("ROLLBACK; SELECT * FROM t").unwrap();
                assert_eq!(look.stand(), Some(before), "{journal}");
                connection.execute_batch("INSERT INTO t VALUES (1)").unwrap();
                let now = look.stand().unwrap();
                assert_ne!(now, before, "{journal}");
                before = now;
            }
            drop((one, other));
            let now = if is_wal { Stand::of_log(&path) } else { Stand::of_file(&path) };
            assert_eq!(now, (!is_wal).then_some(before), "what ended well leaves no log");
        }
    }

    #[test]
    fn a_log_that_begins_anew_is_still_where_it_was_until_somebody_commits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.db");
        let one = Connection::open(&path).unwrap();
        one.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x)").unwrap();
        let look = Look::at(&path, true);
        let before = look.stand().unwrap();
        let restart = "PRAGMA wal_checkpoint(TRUNCATE)";
        one.query_row(restart, [], |_| Ok(())).unwrap();
        let anew = look.stand().unwrap();
        assert!(before != anew && before.is_still(anew), "{before:?} {anew:?}");
        one.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        assert!(!before.is_still(look.stand().unwrap()));
        one.query_row(restart, [], |_| Ok(())).unwrap();
        let again = look.stand().unwrap();
        assert!(!before.is_still(again) && !anew.is_still(again), "{again:?}");
        assert!(!before.is_still(Stand::Changes(1)) && Stand::Changes(1).is_still(Stand::Changes(1)));
    }

    #[test]
    fn of_what_is_not_there_nothing_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Stand::of_log(&folder.path().join("data.db")), None);
        assert_eq!(Stand::of_file(&folder.path().join("data.db")), None);
        assert_eq!(Look::at(&folder.path().join("data.db"), true).stand(), None);
    }
}
