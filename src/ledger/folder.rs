//! The state folder: where the ledger and its neighbours live, private to the
//! account that purges, and how files in it are made and replaced durably.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::ledger::error::{LedgerError, io_error};

const PRIVATE_FOLDER: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// The folder that holds the ledger. Only a purge makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateFolder {
    path: PathBuf,
}

impl StateFolder {
    /// The folder, if a purge has made it.
    pub fn open_existing(path: &Path) -> Result<Option<StateFolder>, LedgerError> {
        match fs::metadata(path) {
            Ok(metadata) => private(path, &metadata).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("open", path)(error)),
        }
    }

    /// The folder, made with mode 0700 where it is missing, as are its parents.
    pub fn create(path: &Path) -> Result<StateFolder, LedgerError> {
        make_folder(path)?;
        let metadata = fs::metadata(path).map_err(io_error("open", path))?;
        private(path, &metadata)
    }

    /// A folder that is only read, wherever an auditor has put a copy of it.
    pub(crate) fn unchecked(path: &Path) -> StateFolder {
        StateFolder { path: path.to_path_buf() }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The entries.
    pub fn ledger(&self) -> PathBuf {
        self.path.join("ledger.jsonl")
    }

    /// The last entry known to be on the disk.
    pub fn head(&self) -> PathBuf {
        self.path.join("ledger.head")
    }

    /// Last lines that a kill or a full disk tore.
    pub fn torn(&self) -> PathBuf {
        self.path.join("ledger.torn")
    }

    /// The keys of one batch, while its commit is pending.
    pub fn pending(&self) -> PathBuf {
        self.path.join("pending.json")
    }

    /// Files that are to go because the rows that named them did.
    pub fn removals(&self) -> PathBuf {
        self.path.join("removals.json")
    }

    /// What a run locks.
    pub fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// Makes new, renamed and removed names durable.
    pub(crate) fn sync(&self) -> Result<(), LedgerError> {
        sync_folder(&self.path)
    }

    /// Opens a state file, first making it with mode 0600 where it is missing.
    pub(crate) fn open_or_create(&self, path: &Path, how: &OpenOptions) -> Result<File, LedgerError> {
        match how.clone().create_new(true).mode(PRIVATE_FILE).open(path) {
            Ok(file) => self.sync().map(|()| file),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => open_regular(path, how),
            Err(error) => Err(io_error("create", path)(error)),
        }
    }

    /// Opens a state file, if it is there.
    pub(crate) fn open_if_there(&self, path: &Path, how: &OpenOptions) -> Result<Option<File>, LedgerError> {
        match fs::symlink_metadata(path) {
            Ok(_) => open_regular(path, how).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("open", path)(error)),
        }
    }

    /// Replaces a state file: at any moment there is the old content or the new.
    pub(crate) fn replace(&self, path: &Path, content: &[u8]) -> Result<(), LedgerError> {
        let new = beside(path);
        let written = self
            .write_new(&new, content)
            .and_then(|()| fs::rename(&new, path).map_err(io_error("rename", &new)));
        if written.is_err() {
            // The first failure is what the caller has to hear of; what stays
            // behind is erased when the next run opens the ledger.
            let _ = self.erase(&new);
        }
        written.and_then(|()| self.sync())
    }

    fn write_new(&self, new: &Path, content: &[u8]) -> Result<(), LedgerError> {
        self.erase(new)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(PRIVATE_FILE);
        let mut file = options.open(new).map_err(io_error("create", new))?;
        file.write_all(content).map_err(io_error("write", new))?;
        file.sync_all().map_err(io_error("sync", new))
    }

    /// Overwrites a state file with zeros and removes it; a missing one is fine.
    pub(crate) fn erase(&self, path: &Path) -> Result<(), LedgerError> {
        let Some(file) = self.open_if_there(path, OpenOptions::new().write(true))? else {
            return Ok(());
        };
        let zeroed = write_zeros(&file).map_err(io_error("overwrite", path));
        fs::remove_file(path).map_err(io_error("remove", path))?;
        zeroed.and_then(|()| self.sync())
    }
}

/// Where the next content of a state file is written before it takes its name.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Overwrites all of a file's content and waits until the disk has it.
pub(crate) fn write_zeros(mut file: &File) -> io::Result<()> {
    let length = file.metadata()?.len();
    io::copy(&mut io::Read::take(io::repeat(0), length), &mut file)?;
    file.sync_data()
}

fn private(path: &Path, metadata: &fs::Metadata) -> Result<StateFolder, LedgerError> {
    if !metadata.is_dir() {
        return Err(io_error("open", path)(ErrorKind::NotADirectory.into()));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Err(LedgerError::Exposed { path: path.to_path_buf(), mode });
    }
    Ok(StateFolder { path: path.to_path_buf() })
}

fn make_folder(path: &Path) -> Result<(), LedgerError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    make_folder(parent)?;
    match DirBuilder::new().mode(PRIVATE_FOLDER).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(io_error("open", path)(ErrorKind::NotADirectory.into()))
        }
        Err(error) => Err(io_error("create", path)(error)),
        Ok(()) => sync_folder(parent),
    }
}

fn sync_folder(path: &Path) -> Result<(), LedgerError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(io_error("sync", path))
}

fn open_regular(path: &Path, how: &OpenOptions) -> Result<File, LedgerError> {
    let metadata = fs::symlink_metadata(path).map_err(io_error("open", path))?;
    if !metadata.is_file() {
        return Err(LedgerError::NotAFile { path: path.to_path_buf() });
    }
    how.open(path).map_err(io_error("open", path))
}
