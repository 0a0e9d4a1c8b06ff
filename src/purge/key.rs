//! The key of pseudonyms: made once, and kept in the state folder for as long as that.

use std::fs::OpenOptions;
use std::io::Read;
use std::path::PathBuf;

use rustix::rand::{GetRandomFlags, getrandom};

use crate::anonymise::Key;
use crate::dataset::Problem;
use crate::hexadecimal;
use crate::ledger::RunLock;

/// As it is written: digits, and a line end.
const LENGTH: usize = 65;

/// The key; made, and on the disk, where there was none.
pub(super) fn obtain(lock: &RunLock) -> Result<Key, Problem> {
    let path = path(lock);
    let there = lock.folder().open_if_there(&path, OpenOptions::new().read(true));
    match there.map_err(|error| Problem::new("no-key", error.to_string()))? {
        Some(file) => {
            let mut text = String::new();
            let read = file.take(LENGTH as u64 + 1).read_to_string(&mut text);
            read.ok().and_then(|_| parse(&text)).ok_or_else(|| spoilt(&path))
        }
        None => make(lock, &path),
    }
}

fn make(lock: &RunLock, path: &std::path::Path) -> Result<Key, Problem> {
    let mut bytes = [0; 32];
    match getrandom(&mut bytes, GetRandomFlags::empty()) {
        Ok(length) if length == bytes.len() => {}
        _ => return Err(Problem::new("no-key", "the system gave no random bytes to make a key of")),
    }
    let text = format!("{}\n", hexadecimal::digits(&bytes));
    let written = lock.folder().replace(path, text.as_bytes());
    written.map_err(|error| Problem::new("no-key", error.to_string()))?;
    Ok(Key(bytes))
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

fn spoilt(path: &std::path::Path) -> Problem {
    let message = format!(
        "{} is not a key as frist writes it; restore it, or remove it: a new key gives other pseudonyms than \
         before",
        path.display()
    );
    Problem::new("bad-key", message)
}

fn path(lock: &RunLock) -> PathBuf {
    lock.folder().path().join("pseudonym.key")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::ledger::StateFolder;

    #[test]
    fn a_key_is_made_once_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let lock = RunLock::acquire(&StateFolder::create(folder.path()).unwrap()).unwrap();
        let first = obtain(&lock).unwrap();
        assert_eq!(obtain(&lock).unwrap().0, first.0);
        let mode = std::fs::metadata(path(&lock)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_file(path(&lock)).unwrap();
        assert_ne!(obtain(&lock).unwrap().0, first.0, "a lost key is not made again");
    }

    #[test]
    fn a_spoilt_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let lock = RunLock::acquire(&StateFolder::create(folder.path()).unwrap()).unwrap();
        let whole = "0".repeat(64) + "\n";
        for spoilt in
            ["", "\n", &whole[1..], &whole[..64], &format!("{whole}0"), &"g".repeat(64), &"+1".repeat(32)]
        {
            std::fs::write(path(&lock), spoilt).unwrap();
            assert_eq!(obtain(&lock).unwrap_err().code, "bad-key", "{spoilt:?}");
            assert_eq!(std::fs::read_to_string(path(&lock)).unwrap(), *spoilt);
        }
    }
}
