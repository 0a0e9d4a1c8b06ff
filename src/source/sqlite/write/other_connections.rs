//! Whether another program has the database open.

use std::fs::File;
use std::path::Path;

use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};

use crate::source::sqlite::open::beside;

/// The bytes of the `-shm` file on which connections hold locks: eight of the WAL index, and one
/// that every connection shares for as long as it is open.
const FIRST_LOCK: u64 = 120;
const LOCKS: u64 = 9;

/// Sees the locks that other programs hold on a database with a write-ahead log.
///
/// The operating system drops all locks of a process on a file as soon as the process closes any
/// descriptor of it: this must outlive the connection to the database.
#[derive(Debug)]
pub(super) struct OtherConnections {
    index: Option<File>,
}

impl OtherConnections {
    /// Watches the database, whose WAL index must exist. Without one nobody can tell.
    pub(super) fn of(database: &Path, is_wal: bool) -> OtherConnections {
        OtherConnections { index: is_wal.then(|| File::open(beside(database, "-shm")).ok()).flatten() }
    }

    /// Whether another program may have the database open.
    pub(super) fn are_there(&self) -> bool {
        self.index.is_none() || self.are_seen()
    }

    /// Whether another program is seen to have the database open.
    pub(super) fn are_seen(&self) -> bool {
        let Some(index) = &self.index else { return false };
        let any = Flock {
            start: FIRST_LOCK,
            length: LOCKS,
            pid: None,
            typ: FlockType::WriteLock,
            offset_type: FlockOffsetType::Set,
        };
        fcntl_getlk(index, &any).map_or(true, |held| held.is_some())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn the_locks_of_the_purge_itself_are_not_those_of_a_neighbour() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x); BEGIN IMMEDIATE").unwrap();
        assert!(!OtherConnections::of(&path, true).are_there());
    }

    #[test]
    fn where_nobody_can_tell_a_neighbour_is_assumed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(OtherConnections::of(&folder.path().join("data.db"), true).are_there());
        assert!(OtherConnections::of(&folder.path().join("data.db"), false).are_there());
    }
}
