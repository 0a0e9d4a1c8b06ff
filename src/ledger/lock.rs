//! One run at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;

use crate::ledger::error::{LedgerError, io_error};
use crate::ledger::folder::StateFolder;

/// No process id is longer; a larger file is not ours.
const HOLDER_LENGTH: u64 = 20;

/// The exclusive lock of a state folder. The system frees it when the process
/// ends, however it ends; the file stays.
#[derive(Debug)]
pub struct RunLock {
    folder: StateFolder,
    file: File,
}

impl RunLock {
    /// Takes the lock, or says at once who holds it.
    pub fn acquire(folder: &StateFolder) -> Result<RunLock, LedgerError> {
        let path = folder.lock();
        let file = folder.open_or_create(&path, OpenOptions::new().read(true).write(true))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(busy(path, &file)),
            Err(TryLockError::Error(error)) => return Err(io_error("lock", &path)(error)),
        }
        sign(&file).map_err(io_error("write", &path))?;
        Ok(RunLock { folder: folder.clone(), file })
    }

    /// The folder that is locked.
    pub fn folder(&self) -> &StateFolder {
        &self.folder
    }
}

/// Closing the file alone would leave the lock with a child process that was
/// forked meanwhile and still has the descriptor.
impl Drop for RunLock {
    fn drop(&mut self) {
        // If this fails, the end of the process still frees the lock.
        let _ = self.file.unlock();
    }
}

fn sign(mut file: &File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(format!("{}\n", std::process::id()).as_bytes())
}

fn busy(path: PathBuf, file: &File) -> LedgerError {
    let mut text = String::new();
    // The lock tells that there is a holder; its name is only a help.
    let _ = file.take(HOLDER_LENGTH).read_to_string(&mut text);
    let pid = text.trim();
    let known = !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit());
    LedgerError::Busy { path, holder: known.then(|| pid.to_owned()) }
}
