//! Opening a database so that reading it leaves no trace.
//!
//! A file without a write-ahead log, or with an empty one, is read as immutable: no lock, no
//! file beside it. Whether it stayed the same is asked before and after, and a file that
//! changed is read again. A live write-ahead log is read through the engine's shared memory.

use std::ffi::CString;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{CWD, Mode, OFlags, openat};

use super::problem;
use crate::diagnostic::Code;
use crate::source::Problem;
use crate::source::folder::look::Look;
use crate::source::folder::volume::Volume;
use crate::source::request::Unusable;

/// How often a file that changes is read before a shared lock keeps writers out.
const ATTEMPTS: usize = 3;

/// How long a reader under a shared lock waits for a writer.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Nobody writes: no locks, several connections see the same bytes.
    Immutable,
    /// Somebody may write: SQLite's own locks keep one connection's view whole.
    ReadOnly,
}

/// Opens connections to one database for one reading.
#[derive(Debug)]
pub struct Opener {
    path: PathBuf,
    access: Access,
}

impl Opener {
    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether several connections are sure to see the same state.
    pub fn can_share(&self) -> bool {
        self.access == Access::Immutable
    }

    /// A connection that cannot write.
    pub fn connect(&self) -> Result<Connection, Problem> {
        let explain = |error| problem(&self.path, &error);
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(self.uri(), flags).map_err(explain)?;
        connection.busy_timeout(PATIENCE).map_err(explain)?;
        configure(&connection).map_err(explain)?;
        connection.execute_batch("PRAGMA query_only = ON; BEGIN").map_err(explain)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(explain)?;
        Ok(connection)
    }

    fn uri(&self) -> String {
        let absolute = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let encoded: String = absolute.as_os_str().as_bytes().iter().map(|byte| percent(*byte)).collect();
        match self.access {
            Access::Immutable => format!("file:{encoded}?immutable=1"),
            Access::ReadOnly => format!("file:{encoded}?mode=ro"),
        }
    }
}

fn percent(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

/// Settings of every connection: no value in a temporary file, no text mistaken for a column.
pub fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA cache_size = -4000")
}

/// Reads a database: `work` is asked again where the file changed under it.
pub fn read<T>(path: &Path, mut work: impl FnMut(&Opener) -> Result<T, Problem>) -> Result<T, Unusable> {
    let path = &real(path);
    for _ in 0..ATTEMPTS {
        let before = Sight::of(path)?;
        let opener = Opener { path: path.to_path_buf(), access: before.access() };
        let result = work(&opener);
        if opener.access == Access::ReadOnly || Sight::of(path)? == before {
            return result.map_err(Unusable::failed);
        }
    }
    read_under_lock(path, work)
}

/// Reads a database once, for output that cannot be taken back: a file that changed under the
/// reader is a problem, told at the end.
pub fn read_once<T>(path: &Path, work: impl FnOnce(&Opener) -> Result<T, Problem>) -> Result<T, Unusable> {
    let path = &real(path);
    let before = Sight::of(path)?;
    let opener = Opener { path: path.to_path_buf(), access: before.access() };
    let result = work(&opener).map_err(Unusable::failed)?;
    if opener.access == Access::Immutable && Sight::of(path)? != before {
        let message = format!("{} changed while it was read; run again", path.display());
        return Err(Unusable::failed(Problem::new(Code::Changing, message)));
    }
    Ok(result)
}

/// A file that never rests is read under a shared lock, where its journal allows one.
fn read_under_lock<T>(
    path: &Path,
    mut work: impl FnMut(&Opener) -> Result<T, Problem>,
) -> Result<T, Unusable> {
    let sight = Sight::of(path)?;
    if sight.is_wal() && sight.access() == Access::Immutable {
        let message = format!("{} changes faster than it can be read; run again", path.display());
        return Err(Unusable::failed(Problem::new(Code::Changing, message)));
    }
    work(&Opener { path: path.to_path_buf(), access: Access::ReadOnly }).map_err(Unusable::failed)
}

/// What a database and the files beside it look like at one moment.
#[derive(Debug, PartialEq, Eq)]
struct Sight {
    header: [u8; HEADER],
    file: Stamp,
    wal: Option<Stamp>,
    has_shared_memory: bool,
    journal_in_use: bool,
}

const HEADER: usize = 100;
const MAGIC: &[u8] = b"SQLite format 3\0";
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl Sight {
    fn of(path: &Path) -> Result<Sight, Unusable> {
        let metadata = fs::metadata(path).map_err(|error| not_there(path, &error))?;
        if !metadata.is_file() {
            let message = format!("{} is not a file, so it is no SQLite database", path.display());
            return Err(Unusable::failed(Problem::new(Code::NotADatabase, message)));
        }
        require_one_name(path, &metadata).map_err(Unusable::failed)?;
        let wal = fs::metadata(beside(path, "-wal")).ok().filter(|wal| wal.size() > 0);
        let sight = Sight {
            header: header(path, metadata.size())?,
            file: Stamp::of(&metadata),
            wal: wal.as_ref().map(Stamp::of),
            has_shared_memory: beside(path, "-shm").exists(),
            journal_in_use: journal_in_use(path),
        };
        if sight.wal.is_some() && !sight.has_shared_memory {
            return Err(Unusable::failed(unrecovered(path)));
        }
        Ok(sight)
    }

    fn is_wal(&self) -> bool {
        self.header[18] == 2 || self.header[19] == 2
    }

    fn access(&self) -> Access {
        // A journal in use is a writer at work, or one that died: only locks can tell.
        if self.wal.is_some() || self.journal_in_use { Access::ReadOnly } else { Access::Immutable }
    }
}

/// Refuses a file that other programs may know by another name: SQLite keeps the log beside the name by which
/// it was opened, and what lies in the log of another name would be missed, and overwritten.
pub fn require_one_name(path: &Path, metadata: &Metadata) -> Result<(), Problem> {
    let why = if metadata.nlink() > 1 {
        format!("has {} names (hard links)", metadata.nlink())
    } else if is_mounted_alone(path) {
        "is mounted as a single file".to_string()
    } else {
        return Ok(());
    };
    let message = format!(
        "{} {why}: a program that opens it elsewhere keeps its newest content in a log beside that other name, where \
         frist cannot see it; name the database where its program opens it, and {}",
        path.display(),
        if metadata.nlink() > 1 { "remove its other names" } else { "mount the folder that it lies in" }
    );
    Err(Problem::new(Code::SeveralNames, message))
}

/// Whether a file is mounted over its own name, as single files are handed to containers.
fn is_mounted_alone(path: &Path) -> bool {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return false };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(name) = CString::new(name.as_bytes()) else { return false };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(folder) = openat(CWD, folder, flags, Mode::empty()) else { return false };
    let Ok(volume) = Volume::of(folder.as_fd()) else { return false };
    Look::at(folder.as_fd(), &name).is_ok_and(|file| volume.is_mounted_over(&file))
}

/// Whether a writer died, or is at work: only one that may write can tell and put it right.
pub fn needs_recovery(path: &Path) -> bool {
    match Sight::of(&real(path)) {
        Ok(sight) => sight.journal_in_use,
        Err(unusable) => unusable.problem.code == Code::UnrecoveredWal,
    }
}

fn unrecovered(path: &Path) -> Problem {
    let message = format!(
        "{} has a write-ahead log with content that no program has open; only a writer can recover it: \
         open it once with the program that owns it, or purge",
        path.display()
    );
    Problem::new(Code::UnrecoveredWal, message)
}

fn not_there(path: &Path, error: &std::io::Error) -> Unusable {
    if error.kind() == std::io::ErrorKind::NotFound {
        let message = format!(
            "{} does not exist; relative paths start at the policy's folder, or at --root",
            path.display()
        );
        return Unusable::missing(message);
    }
    Unusable::failed(cannot_open(path, error))
}

fn cannot_open(path: &Path, error: &std::io::Error) -> Problem {
    let message = format!(
        "{} cannot be opened: {error}; look at the owner and mode of the file and its folders",
        path.display()
    );
    Problem::new(Code::CannotOpen, message)
}

fn header(path: &Path, size: u64) -> Result<[u8; HEADER], Unusable> {
    if size == 0 {
        let message = format!("{} is empty: a database without any table", path.display());
        return Err(Unusable::failed(Problem::new(Code::EmptyDatabase, message)));
    }
    let mut header = [0; HEADER];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Ok(()) if header.starts_with(MAGIC) => Ok(header),
        Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            Err(Unusable::failed(cannot_open(path, &error)))
        }
        _ => {
            let message = format!("{} is not an SQLite database, or it is encrypted", path.display());
            Err(Unusable::failed(Problem::new(Code::NotADatabase, message)))
        }
    }
}

fn journal_in_use(path: &Path) -> bool {
    let mut magic = [0; JOURNAL_MAGIC.len()];
    let read = File::open(beside(path, "-journal")).and_then(|mut journal| journal.read_exact(&mut magic));
    read.is_ok() && magic == JOURNAL_MAGIC
}

/// The file itself: SQLite keeps its other files beside that, not beside a link to it.
pub fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// The path of a file that SQLite keeps beside a database.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
