//! The keys of a batch, written over those of the batch before the last: a rename for every batch would
//! cost three waits for the disk where this costs one.
//!
//! The file has two places that take turns, so that the last whole mark is there whatever tears the one
//! that is being written. A mark is `STATE SEQUENCE LENGTH SHA-256 JSON`; what is behind it is zero.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::{LedgerError, io_error};
use super::lock::RunLock;
use crate::hexadecimal;

/// How long each place is.
const SLOT: usize = 64 * 1024;
/// State, sequence, length and hash.
const HEADER: usize = 1 + 16 + 16 + 64;
/// The longest content that fits.
pub(super) const LONGEST: usize = SLOT - HEADER;

const ANNOUNCED: u8 = b'A';
const COMMITTED: u8 = b'C';

/// Writes some content in place of the older of the two; the file is to be synced. None where there is no
/// file of that form, or no room.
pub(super) fn write(lock: &RunLock, path: &Path, content: &[u8]) -> Result<Option<File>, LedgerError> {
    let Some(file) = open(lock, path)?.filter(|_| content.len() <= LONGEST) else { return Ok(None) };
    let [first, second] = sequences(&file).map_err(io_error("read", path))?;
    let place = usize::from(first > second);
    let offset = (place * SLOT) as u64;
    let mut old = [0; HEADER];
    file.read_exact_at(&mut old, offset).map_err(io_error("read", path))?;
    let mut new = mark(first.max(second) + 1, content);
    let behind = number(&old, 17).and_then(|length| usize::try_from(length).ok()).unwrap_or(LONGEST);
    new.resize(new.len().max(HEADER + behind.min(LONGEST)), 0);
    file.write_all_at(&new, offset).map_err(io_error("write", path))?;
    Ok(Some(file))
}

/// A file with this content in its first place.
pub(super) fn file_of(content: &[u8]) -> Option<Vec<u8>> {
    if content.len() > LONGEST {
        return None;
    }
    let mut file = mark(1, content);
    file.resize(2 * SLOT, 0);
    Some(file)
}

/// Notes beside the newest mark that its batch is committed. The disk may hear of it later: a process that
/// is killed takes nothing with it that it has written.
pub(super) fn note_committed(lock: &RunLock, path: &Path) -> Result<(), LedgerError> {
    let Some(file) = open(lock, path)? else { return Ok(()) };
    let [first, second] = sequences(&file).map_err(io_error("read", path))?;
    let offset = if second > first { SLOT as u64 } else { 0 };
    file.write_all_at(&[COMMITTED], offset).map_err(io_error("write", path))
}

/// The newest whole mark of a file of this form, and whether its batch is known to be committed. The first one
/// is there before the file has its name.
pub(super) fn read(file: &[u8]) -> Option<(&[u8], bool)> {
    if file.len() != 2 * SLOT || !matches!(file[0], ANNOUNCED | COMMITTED) {
        return None;
    }
    let whole = file.chunks(SLOT).filter_map(whole);
    whole.max_by_key(|(sequence, ..)| *sequence).map(|(_, content, committed)| (content, committed))
}

fn mark(sequence: u64, content: &[u8]) -> Vec<u8> {
    let hash = hexadecimal::digits(&Sha256::digest(content));
    let mut mark = vec![ANNOUNCED];
    mark.extend(format!("{sequence:016x}{:016x}{hash}", content.len()).as_bytes());
    mark.extend(content);
    mark
}

fn whole(slot: &[u8]) -> Option<(u64, &[u8], bool)> {
    let length = usize::try_from(number(slot, 17)?).ok()?;
    let content = slot.get(HEADER..HEADER.checked_add(length)?)?;
    let is_whole = hexadecimal::digits(&Sha256::digest(content)).as_bytes() == &slot[33..HEADER];
    is_whole.then_some((number(slot, 1)?, content, slot[0] == COMMITTED))
}

fn number(slot: &[u8], at: usize) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(slot.get(at..at + 16)?).ok()?, 16).ok()
}

/// The sequence of each place, as the run that wrote them knows them to be whole.
fn sequences(file: &File) -> io::Result<[u64; 2]> {
    let mut sequences = [0; 2];
    for (place, sequence) in sequences.iter_mut().enumerate() {
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, (place * SLOT) as u64)?;
        *sequence = number(&header, 1).unwrap_or_default();
    }
    Ok(sequences)
}

/// The file, where it has this form.
fn open(lock: &RunLock, path: &Path) -> Result<Option<File>, LedgerError> {
    let options = &mut OpenOptions::new();
    let Some(file) = lock.folder().open_if_there(path, options.read(true).write(true))? else {
        return Ok(None);
    };
    let mut state = [0];
    let length = file.metadata().map_err(io_error("look at", path))?.len();
    let is_ours = length == 2 * SLOT as u64
        && file.read_exact_at(&mut state, 0).is_ok()
        && matches!(state[0], ANNOUNCED | COMMITTED);
    Ok(is_ours.then_some(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::StateFolder;

    fn with_file(work: impl FnOnce(&RunLock, &Path)) {
        let folder = tempfile::tempdir().unwrap();
        let lock = RunLock::acquire(&StateFolder::create(folder.path()).unwrap()).unwrap();
        let path = folder.path().join("pending.json");
        lock.folder().replace(&path, &file_of(b"first").unwrap()).unwrap();
        work(&lock, &path);
    }

    fn found(path: &Path) -> Option<(Vec<u8>, bool)> {
        let file = std::fs::read(path).unwrap();
        read(&file).map(|(content, committed)| (content.to_vec(), committed))
    }

    #[test]
    fn the_newest_mark_is_read_and_its_commit() {
        with_file(|lock, path| {
            assert_eq!(found(path), Some((b"first".to_vec(), false)));
            note_committed(lock, path).unwrap();
            assert_eq!(found(path), Some((b"first".to_vec(), true)));
            for content in [b"second".as_slice(), &[b'x'; LONGEST], b"", b"fourth"] {
                assert!(write(lock, path, content).unwrap().is_some());
                assert_eq!(found(path), Some((content.to_vec(), false)));
                note_committed(lock, path).unwrap();
                assert_eq!(found(path), Some((content.to_vec(), true)));
            }
            assert!(write(lock, path, &[b'x'; LONGEST + 1]).unwrap().is_none());
            let file = std::fs::read(path).unwrap();
            assert!(!file.contains(&b'x'), "what was longer is overwritten");
        });
    }

    #[test]
    fn a_torn_mark_leaves_the_one_before() {
        with_file(|lock, path| {
            write(lock, path, b"second").unwrap().unwrap();
            let whole = std::fs::read(path).unwrap();
            for length in 1..HEADER + 6 {
                let mut torn = whole.clone();
                torn[SLOT..SLOT + length].fill(0);
                let found = read(&torn).map(|(content, _)| content.to_vec());
                // The first byte says nothing but whether it is committed.
                let expected: &[u8] = if length == 1 { b"second" } else { b"first" };
                assert_eq!(found.as_deref(), Some(expected), "{length}");
            }
        });
    }
}
