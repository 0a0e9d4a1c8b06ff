//! A connection that may write.

use std::cell::{Cell, RefCell};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use super::checkpoints::Checkpoints;
use super::other_connections::OtherConnections;
use super::stand::{Look, Stand};
use crate::diagnostic::Code;
use crate::run::stop::Stop;
use crate::source::Problem;
use crate::source::sqlite::open::{beside, configure, needs_recovery, real, require_one_name};
use crate::source::sqlite::problem;

/// The one connection of a purge to a database.
pub(crate) struct Writer {
    /// Where nobody else has the database open, while a purge goes on.
    checkpoints: RefCell<Option<Checkpoints>>,
    pub(super) connection: Connection,
    path: PathBuf,
    wait: Duration,
    pub(super) is_wal: bool,
    /// How many frames the log may have while a reader pins it.
    longest_log: i64,
    /// Whether it was said that the log cannot be emptied.
    has_told: Cell<bool>,
    // Behind the connection: fields are dropped in their order, and this one must go last.
    neighbours: OtherConnections,
    // For the same reason.
    look: Look,
}

/// Pages of deleted rows are kept until the commit: enough of them that none is written early.
const CACHE: &str = "PRAGMA cache_size = -24000";

impl Writer {
    /// Opens an existing database; `wait` is how long it waits for other writers.
    pub(crate) fn open(path: &Path, wait: Duration) -> Result<Writer, Problem> {
        let path = &real(path);
        if let Ok(metadata) = path.metadata() {
            require_one_name(path, &metadata)?;
        }
        let explain = |error| problem(path, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(explain)?;
        connection.busy_timeout(wait).map_err(explain)?;
        configure(&connection).map_err(explain)?;
        let settings = "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL";
        connection.execute_batch(CACHE).and_then(|()| quietly(&connection, settings)).map_err(explain)?;
        let mode: String =
            connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).map_err(explain)?;
        let is_wal = mode.eq_ignore_ascii_case("wal");
        if is_wal {
            // Checkpoints are ours, in the gaps: the engine's own would hold the lock longer.
            // So is the sync of a commit, before anything builds on it: see `settle`.
            let ours = "PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = NORMAL";
            quietly(&connection, ours).map_err(explain)?;
        }
        let page: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0)).map_err(explain)?;
        let longest_log = LONGEST_LOG / page.max(512);
        let neighbours = OtherConnections::of(path, is_wal);
        let (checkpoints, look) = (RefCell::default(), Look::at(path, is_wal));
        let writer = Writer {
            checkpoints,
            connection,
            path: path.to_path_buf(),
            wait,
            is_wal,
            longest_log,
            has_told: Cell::new(false),
            neighbours,
            look,
        };
        writer.require_foreign_keys()?;
        writer.require_writable()?;
        Ok(writer)
    }

    /// Foreign-key checks are never off; an engine without them may not delete.
    fn require_foreign_keys(&self) -> Result<(), Problem> {
        let on = self.connection.query_row("PRAGMA foreign_keys", [], |row| row.get::<_, bool>(0));
        match on {
            Ok(true) => Ok(()),
            Ok(false) => Err(Problem::new(Code::NoForeignKeys, "the engine cannot check foreign keys")),
            Err(error) => Err(self.problem(&error)),
        }
    }

    fn require_writable(&self) -> Result<(), Problem> {
        match self.connection.is_readonly("main") {
            Ok(false) => Ok(()),
            Ok(true) => {
                let message = format!("{} may only be read; look at its owner and mode", self.path.display());
                Err(Problem::new(Code::ReadOnly, message))
            }
            Err(error) => Err(self.problem(&error)),
        }
    }

    /// Waits for other writers as long as was asked for.
    pub(super) fn be_patient(&self) {
        self.be_patient_for(self.wait);
    }

    pub(super) fn be_patient_for(&self, time: Duration) {
        if let Err(error) = self.connection.busy_timeout(time) {
            tracing::warn!("{}", self.problem(&error));
        }
    }

    /// Keeps more pages in memory, where these come in random order and nothing else takes much.
    pub(super) fn widen_cache(&self, kibibytes: u32) -> rusqlite::Result<()> {
        self.connection.execute_batch(&format!("PRAGMA cache_size = -{kibibytes}"))
    }

    /// The database file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How long it waits for other writers.
    pub(super) fn wait(&self) -> Duration {
        self.wait
    }

    /// Whether another program may have the database open.
    pub(super) fn has_neighbours(&self) -> bool {
        self.neighbours.are_there()
    }

    /// Whether another program is seen to have the database open.
    pub(super) fn sees_neighbours(&self) -> bool {
        self.neighbours.are_seen()
    }

    /// How many bytes the log has; none where there is none.
    pub(super) fn log_size(&self) -> u64 {
        fs::metadata(beside(&self.path, "-wal")).map_or(0, |log| log.len())
    }

    /// Where the database stands: it moves with every commit.
    pub(super) fn stand(&self) -> Option<Stand> {
        self.look.stand()
    }

    /// An error of this connection as a problem.
    pub(crate) fn problem(&self, error: &rusqlite::Error) -> Problem {
        problem(&self.path, error)
    }

    /// The connection, for reading.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// A number that changes with every change of the schema, by whatever program.
    pub(super) fn schema_version(&self) -> rusqlite::Result<i64> {
        self.connection.query_row("PRAGMA schema_version", [], |row| row.get(0))
    }

    /// Makes the last commit durable, and moves its pages from the log into the database: at once, or
    /// beside the next batch where that holds up nobody. Readers may keep the pages from moving; the
    /// next time, or the engine, does the rest, unless the log has become too long for that.
    pub(super) fn settle(&self, is_alone: bool, stop: &Stop) -> Result<(), Problem> {
        if !self.is_wal {
            return Ok(());
        }
        // The engine syncs the log only together with a checkpoint, which a reader can prevent.
        // Closing this descriptor releases nothing: SQLite holds no lock on the log.
        let log = beside(&self.path, "-wal");
        let synced = File::open(&log).and_then(|log| log.sync_data());
        synced.map_err(|error| {
            Problem::new(Code::IoError, format!("cannot sync {}: {error}", log.display()))
        })?;
        let mut checkpoints = self.checkpoints.borrow_mut();
        if is_alone && self.log_size() > LOG_OF_ONE {
            *checkpoints = None;
            if self.try_to_empty("TRUNCATE").unwrap_or(false) {
                return Ok(());
            }
        }
        let is_moved = is_alone && checkpoints.get_or_insert_with(|| Checkpoints::of(&self.path)).next();
        if is_moved {
            return Ok(());
        }
        *checkpoints = None;
        match self.checkpoint("PASSIVE") {
            Ok(log) if log.frames > self.longest_log => self.begin_the_log_anew(stop),
            Ok(_) => Ok(()),
            // A log that only grows would fill the disk.
            Err(error) if self.log_size() > LONGEST_LOG as u64 => Err(self.problem(&error)),
            Err(error) => {
                self.not_emptied(&error);
                Ok(())
            }
        }
    }

    /// Waits until no reader needs the log any more. Nobody waits for that but this purge: it holds no lock
    /// meanwhile.
    fn begin_the_log_anew(&self, stop: &Stop) -> Result<(), Problem> {
        let since = Instant::now();
        while stop.reason().is_none() {
            if self.try_to_empty("RESTART").map_err(|error| self.problem(&error))? {
                return Ok(());
            }
            if since.elapsed() > self.wait {
                return Err(self.pinned());
            }
            std::thread::sleep(BETWEEN_TRIES);
        }
        Ok(())
    }

    fn pinned(&self) -> Problem {
        let size = self.log_size();
        let message = format!(
            "{}: another program has been reading for so long that the log has grown to {} MB and cannot be emptied; \
             what was deleted so far stays deleted; end that reader, a backup or an open shell, and run again",
            self.path.display(),
            size / 1_000_000
        );
        Problem::new(Code::Busy, message)
    }

    /// Moves all pages into the database and empties the log, where no reader needs it. Nobody waits for a
    /// reader: where one stays, the engine does it later.
    pub(crate) fn finish(self) {
        *self.checkpoints.borrow_mut() = None;
        if !self.is_wal {
            return;
        }
        for number in 0..LAST_TRIES {
            if number > 0 {
                std::thread::sleep(BETWEEN_TRIES);
            }
            match self.try_to_empty("TRUNCATE") {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => return self.not_emptied(&error),
            }
        }
        tracing::info!("{}: another program reads, and so the log was not emptied", self.path.display());
    }

    /// What is in the log counts, and the next program that writes moves it. Told once.
    fn not_emptied(&self, error: &rusqlite::Error) {
        if !self.has_told.replace(true) {
            tracing::warn!("{}: the log was not emptied: {error}", self.path.display());
        }
    }

    /// Moves all pages beside other writers, and then tries for a moment to begin the log anew, for which
    /// these have to wait.
    fn try_to_empty(&self, how: &str) -> rusqlite::Result<bool> {
        self.be_patient_for(Duration::ZERO);
        let is_empty = self
            .checkpoint("PASSIVE")
            .and_then(|log| Ok(log.moved == log.frames && !self.checkpoint(how)?.is_busy));
        self.be_patient();
        is_empty
    }

    fn checkpoint(&self, how: &str) -> rusqlite::Result<Log> {
        self.connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |row| {
            Ok(Log { is_busy: row.get(0)?, frames: row.get(1)?, moved: row.get(2)? })
        })
    }
}

/// A longer log, in bytes, is emptied before the next transaction, which may make it as long again.
const LOG_OF_ONE: u64 = 64 * 1024 * 1024;

/// What a checkpoint says of the log.
struct Log {
    is_busy: bool,
    frames: i64,
    /// How many frames are in the database.
    moved: i64,
}

/// The longest log that a purge leaves to readers, in bytes.
const LONGEST_LOG: i64 = 128 * 1024 * 1024;

const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// How often the last checkpoint is tried: short readers and writers are gone by then.
const LAST_TRIES: u32 = 10;

/// Runs pragmas that answer with rows nobody needs.
fn quietly(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    for pragma in sql.split(';') {
        connection.prepare(pragma)?.query([])?.next()?;
    }
    Ok(())
}

/// Lets SQLite recover a database that a killed writer left, so that it can be read.
pub(crate) fn recover(path: &Path, wait: Duration) -> Result<(), Problem> {
    if !needs_recovery(path) {
        return Ok(());
    }
    let writer = Writer::open(path, wait)?;
    let read = writer.connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
    read.map_err(|error| writer.problem(&error))?;
    writer.finish();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use super::*;

    /// A database with a log, a writer whose patience and whose longest log are short, and a reader.
    fn pinned() -> (tempfile::TempDir, Writer, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.db");
        let reader = Connection::open(&path).unwrap();
        reader
            .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)")
            .unwrap();
        let writer = Writer::open(&path, Duration::from_millis(100)).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM t").unwrap();
        (folder, Writer { longest_log: 20, ..writer }, reader)
    }

    fn stop() -> Stop {
        Stop::new(Arc::new(AtomicBool::new(false)), Instant::now(), None)
    }

    #[test]
    fn a_log_that_a_reader_pins_does_not_grow_without_bound() {
        let (_folder, writer, reader) = pinned();
        let write = |bytes: u32| {
            let sql = format!("INSERT INTO t VALUES (zeroblob({bytes}))");
            writer.connection.execute_batch(&sql).unwrap();
            writer.settle(false, &stop())
        };
        assert_eq!(write(1), Ok(()));
        let busy = write(200_000).unwrap_err();
        assert!(busy.code == Code::Busy && busy.message.contains("has grown to"), "{busy:?}");
        let signalled = Stop::new(Arc::new(AtomicBool::new(true)), Instant::now(), None);
        assert_eq!(writer.settle(false, &signalled), Ok(()), "a signal ends the waiting");
        reader.execute_batch("COMMIT").unwrap();
        assert_eq!(write(1), Ok(()));
        assert_eq!(write(1), Ok(()), "the log has begun anew");
        assert!(writer.checkpoint("PASSIVE").unwrap().frames < 20);
    }

    #[test]
    fn the_last_checkpoint_waits_for_no_reader() {
        let (folder, writer, reader) = pinned();
        let writer = Writer { wait: Duration::from_secs(600), ..writer };
        writer.connection.execute_batch("INSERT INTO t VALUES (zeroblob(100000))").unwrap();
        let log = folder.path().join("data.db-wal");
        let began = Instant::now();
        writer.finish();
        assert!(began.elapsed() < Duration::from_secs(30));
        assert!(fs::metadata(&log).unwrap().len() > 100_000);
        reader.execute_batch("COMMIT").unwrap();
        Writer::open(&folder.path().join("data.db"), Duration::ZERO).unwrap().finish();
        assert_eq!(fs::metadata(&log).unwrap().len(), 0);
    }
}
