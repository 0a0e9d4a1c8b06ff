//! Secret keys in the state folder, of pseudonyms and of notes: made once, and kept for as long as the folder.

use std::fs::OpenOptions;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::rand::{GetRandomFlags, getrandom};

use crate::anonymise::Key;
use crate::diagnostic::Code;
use crate::hexadecimal;
use crate::ledger::{RunLock, StateFolder};
use crate::source::Problem;

/// As it is written: digits, and a line end.
const LENGTH: usize = 65;

/// That of pseudonyms.
pub(crate) const PSEUDONYMS: Purpose = Purpose {
    file: "pseudonym.key",
    lost: "restore it, or remove it: a new key gives other pseudonyms than before",
};

/// That of the tokens by which notes find their records.
pub(crate) const NOTES: Purpose = Purpose {
    file: "notes.key",
    lost: "restore it from a backup of the state folder: without it the notes of deleted evidence say nothing",
};

/// What a key is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose {
    file: &'static str,
    /// What to do where it is spoilt.
    lost: &'static str,
}

impl Purpose {
    /// The file that holds the key.
    pub(crate) fn path(self, folder: &StateFolder) -> PathBuf {
        folder.path().join(self.file)
    }
}

/// The key, if there is one.
pub(crate) fn read(folder: &StateFolder, purpose: Purpose) -> Result<Option<Key>, Problem> {
    let path = purpose.path(folder);
    let there = folder.open_if_there(&path, OpenOptions::new().read(true));
    let Some(file) = there.map_err(|error| Problem::new(Code::NoKey, error.to_string()))? else {
        return Ok(None);
    };
    let mut text = String::new();
    let read = file.take(LENGTH as u64 + 1).read_to_string(&mut text);
    read.ok().and_then(|_| parse(&text)).map(Some).ok_or_else(|| spoilt(&path, purpose))
}

/// The key; made, and on the disk, where there was none.
pub(crate) fn obtain(lock: &RunLock, purpose: Purpose) -> Result<Key, Problem> {
    match read(lock.folder(), purpose)? {
        Some(key) => Ok(key),
        None => make(lock, &purpose.path(lock.folder())),
    }
}

fn make(lock: &RunLock, path: &Path) -> Result<Key, Problem> {
    let key = random()?;
    write(lock, path, &key)?;
    Ok(key)
}

/// A new key, which is nowhere yet.
pub(crate) fn random() -> Result<Key, Problem> {
    let mut bytes = [0; 32];
    match getrandom(&mut bytes, GetRandomFlags::empty()) {
        Ok(length) if length == bytes.len() => {}
        _ => return Err(Problem::new(Code::NoKey, "the system gave no random bytes to make a key of")),
    }
    Ok(Key(bytes))
}

/// Puts a key on the disk.
pub(crate) fn write(lock: &RunLock, path: &Path, key: &Key) -> Result<(), Problem> {
    let text = format!("{}\n", hexadecimal::digits(&key.0));
    let written = lock.folder().replace(path, text.as_bytes());
    written.map_err(|error| Problem::new(Code::NoKey, error.to_string()))
}

fn parse(text: &str) -> Option<Key> {
    let digits = text.strip_suffix('\n').filter(|_| text.len() == LENGTH)?;
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(Key(key))
}

fn spoilt(path: &Path, purpose: Purpose) -> Problem {
    let message = format!("{} is not a key as frist writes it; {}", path.display(), purpose.lost);
    Problem::new(Code::BadKey, message)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let lock = RunLock::acquire(&StateFolder::create(folder.path()).unwrap()).unwrap();
        let first = obtain(&lock, PSEUDONYMS).unwrap();
        assert_eq!(obtain(&lock, PSEUDONYMS).unwrap().0, first.0);
        let mode = std::fs::metadata(PSEUDONYMS.path(lock.folder())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_file(PSEUDONYMS.path(lock.folder())).unwrap();
        assert_ne!(obtain(&lock, PSEUDONYMS).unwrap().0, first.0, "a lost key is not made again");
    }

    #[test]
    fn a_spoilt_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let lock = RunLock::acquire(&StateFolder::create(folder.path()).unwrap()).unwrap();
        let whole = "0".repeat(64) + "\n";
        for spoilt in
            ["", "\n", &whole[1..], &whole[..64], &format!("{whole}0"), &"g".repeat(64), &"+1".repeat(32)]
        {
            std::fs::write(PSEUDONYMS.path(lock.folder()), spoilt).unwrap();
            assert_eq!(obtain(&lock, PSEUDONYMS).unwrap_err().code, Code::BadKey, "{spoilt:?}");
            assert_eq!(std::fs::read_to_string(PSEUDONYMS.path(lock.folder())).unwrap(), *spoilt);
        }
    }
}
