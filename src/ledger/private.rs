//! Files in the state folder that may hold personal data for as long as a batch needs them: private, in
//! place at once, overwritten with zeros when they are done.

use std::fs::OpenOptions;
use std::io::Read;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{LedgerError, io_error};
use super::folder::{StateFolder, beside, write_zeros};
use super::lock::RunLock;

/// Puts a value on the disk in place of the last one, whose bytes are overwritten once they have lost
/// their name.
pub(super) fn write<T: Serialize>(lock: &RunLock, path: &Path, value: &T) -> Result<(), LedgerError> {
    let content = serde_json::to_vec(value).map_err(LedgerError::Encoding)?;
    replace(lock, path, &content)
}

/// The same for bytes.
pub(super) fn replace(lock: &RunLock, path: &Path, content: &[u8]) -> Result<(), LedgerError> {
    let folder = lock.folder();
    let old = folder.open_if_there(path, OpenOptions::new().write(true))?;
    folder.replace(path, content)?;
    match old {
        Some(old) => write_zeros(&old).map_err(io_error("overwrite", path)),
        None => Ok(()),
    }
}

/// What a killed run left. A file that its erasure has begun to overwrite holds nothing.
pub(super) fn read<T: DeserializeOwned>(
    folder: &StateFolder,
    path: &Path,
    what: &str,
) -> Result<Option<T>, LedgerError> {
    let Some(content) = bytes(folder, path)? else { return Ok(None) };
    parse(path, &content, what).map(Some)
}

/// The bytes of one. Of a file that its erasure has begun to overwrite there are none.
pub(super) fn bytes(folder: &StateFolder, path: &Path) -> Result<Option<Vec<u8>>, LedgerError> {
    let Some(mut file) = folder.open_if_there(path, OpenOptions::new().read(true))? else {
        return Ok(None);
    };
    let mut content = Vec::new();
    file.read_to_end(&mut content).map_err(io_error("read", path))?;
    Ok((content.first() != Some(&0)).then_some(content))
}

/// What some bytes mean.
pub(super) fn parse<T: DeserializeOwned>(path: &Path, content: &[u8], what: &str) -> Result<T, LedgerError> {
    // What the parser says may quote a key.
    let reason = format!("not {what} as frist writes them");
    serde_json::from_slice(content).map_err(|_| LedgerError::Unreadable {
        path: path.to_path_buf(),
        line: None,
        reason,
    })
}

/// Overwrites the file with zeros and removes it, and one that a killed run left half-written. On file
/// systems that write copies, and on disks that move blocks, older bytes stay out of any program's
/// reach.
pub(super) fn clear(lock: &RunLock, path: &Path) -> Result<(), LedgerError> {
    let folder = lock.folder();
    folder.erase(&beside(path))?;
    folder.erase(path)
}
