//! Moving pages from the log into the database while the next batch works.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, OpenFlags};

/// Frames in the log beyond which a batch waits until all are moved: only then does the log begin
/// anew, and does not grow with the purge. With pages of 4 KiB these are 40 MiB.
const MOST_FRAMES: i64 = 10_000;

/// A thread with a connection of its own.
pub(super) struct Checkpoints {
    /// None once the thread is to end.
    ask: Option<SyncSender<()>>,
    answers: Receiver<i64>,
    is_under_way: bool,
    /// How many frames the log had when it was last looked at.
    frames: i64,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// The thread waits until it is asked.
    pub(super) fn of(database: &Path) -> Checkpoints {
        let ((ask, asked), (answer, answers)) = (sync_channel(1), sync_channel(1));
        let database = database.to_path_buf();
        let thread = thread::spawn(move || serve(&database, &asked, &answer));
        Checkpoints { ask: Some(ask), answers, is_under_way: false, frames: 0, thread: Some(thread) }
    }

    /// Begins to move what is in the log, or waits for it where that has become long. False where
    /// the thread cannot, and somebody else must.
    pub(super) fn next(&mut self) -> bool {
        let is_idle = self.is_idle();
        if self.frames > MOST_FRAMES {
            self.wait();
            let begun = self.begin();
            self.wait();
            self.frames = 0;
            return begun;
        }
        !is_idle || self.begin()
    }

    fn begin(&mut self) -> bool {
        self.is_under_way = self.ask.as_ref().is_some_and(|ask| ask.send(()).is_ok());
        self.is_under_way
    }

    fn is_idle(&mut self) -> bool {
        match self.answers.try_recv() {
            Ok(frames) => self.take(frames),
            Err(TryRecvError::Disconnected) => self.take(0),
            Err(TryRecvError::Empty) => {}
        }
        !self.is_under_way
    }

    fn wait(&mut self) {
        if self.is_under_way {
            // A thread that has ended moves nothing; the end of the purge does.
            let frames = self.answers.recv().unwrap_or_default();
            self.take(frames);
        }
    }

    fn take(&mut self, frames: i64) {
        (self.is_under_way, self.frames) = (false, frames);
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the thread that moved pages out of the log stopped");
        }
    }
}

/// Answers each question with the number of frames in the log, until that fails.
fn serve(database: &Path, asked: &Receiver<()>, answer: &SyncSender<i64>) {
    let connection = match open(database) {
        Ok(connection) => connection,
        Err(error) => return tracing::debug!("{}: {error}", database.display()),
    };
    while asked.recv().is_ok() {
        match connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1)) {
            Ok(frames) if answer.send(frames).is_ok() => {}
            Ok(_) => return,
            // The purge's own connection goes on with it, and tells of what it meets.
            Err(error) => return tracing::debug!("{}: {error}", database.display()),
        }
    }
}

fn open(database: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.query_row("PRAGMA wal_autocheckpoint = 0", [], |_| Ok(()))?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn database() -> (tempfile::TempDir, PathBuf, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.db");
        let connection = Connection::open(&path).unwrap();
        let setup = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x)";
        connection.execute_batch(setup).unwrap();
        (folder, path, connection)
    }

    #[test]
    fn the_log_begins_anew_whenever_it_has_become_long() {
        let (_folder, path, connection) = database();
        let mut checkpoints = Checkpoints::of(&path);
        for _ in 0..60 {
            connection.execute_batch("INSERT INTO t VALUES (zeroblob(4000000)); DELETE FROM t").unwrap();
            assert!(checkpoints.next());
        }
        drop(checkpoints);
        // All in all 240 MB went through it.
        let log = std::fs::metadata(path.with_extension("db-wal")).unwrap().len();
        assert!(log < 100_000_000, "{log}");
    }

    #[test]
    fn what_cannot_be_opened_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut checkpoints = Checkpoints::of(&folder.path().join("nowhere.db"));
        while checkpoints.next() {
            thread::yield_now();
        }
    }
}
