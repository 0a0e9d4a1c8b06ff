//! The folders that records lie in, opened one name at a time from the source's folder.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::fsync;
use rustix::io::Errno;

use crate::diagnostic::Code;
use crate::source::Problem;
use crate::source::folder::root::{Closed, Root, enter};
use crate::source::folder::volume::Volume;

/// The folder of the record before, for the next one often lies in it too.
pub(super) struct Parents<'r> {
    root: &'r Root,
    path: Vec<u8>,
    /// None for the source's own folder.
    folder: Option<OwnedFd>,
    is_changed: bool,
}

impl<'r> Parents<'r> {
    pub(super) fn new(root: &'r Root) -> Parents<'r> {
        Parents { root, path: Vec::new(), folder: None, is_changed: false }
    }

    /// Opens the folder of a record. No link is followed on the way.
    pub(super) fn open(&mut self, record: &[u8]) -> Result<Result<BorrowedFd<'_>, Closed>, Problem> {
        let (path, _) = split(record);
        if path != self.path {
            self.sync()?;
            match descend(self.root, path) {
                Ok(folder) => self.folder = folder,
                Err(closed) => return Ok(Err(closed)),
            }
            self.path = path.to_vec();
        }
        Ok(Ok(self.current()))
    }

    /// What the source's folder lies on.
    pub(super) fn volume(&self) -> Volume {
        self.root.volume()
    }

    /// Says that a name was removed from the folder that is open.
    pub(super) fn changed(&mut self) {
        self.is_changed = true;
    }

    /// Makes removed names durable.
    pub(super) fn sync(&mut self) -> Result<(), Problem> {
        if std::mem::take(&mut self.is_changed) {
            let told = |error: Errno| {
                let path = self.root.path().display();
                Problem::new(Code::IoError, format!("cannot sync {path}: {}", std::io::Error::from(error)))
            };
            fsync(self.current()).map_err(told)?;
        }
        Ok(())
    }

    fn current(&self) -> BorrowedFd<'_> {
        self.folder.as_ref().map_or(self.root.as_fd(), AsFd::as_fd)
    }
}

fn descend(root: &Root, path: &[u8]) -> Result<Option<OwnedFd>, Closed> {
    let mut folder: Option<OwnedFd> = None;
    for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        let name = c_string(name).ok_or(Closed::Gone)?;
        let from = folder.as_ref().map_or(root.as_fd(), AsFd::as_fd);
        folder = Some(enter(from, &name, root.volume())?);
    }
    Ok(folder)
}

/// The path of a record's folder, and its name.
pub(super) fn split(record: &[u8]) -> (&[u8], &[u8]) {
    match record.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&record[..slash], &record[slash + 1..]),
        None => (&[], record),
    }
}

/// A name as the system takes it. Names that lead elsewhere are none.
pub(super) fn c_string(name: &[u8]) -> Option<CString> {
    let leads_elsewhere = name.is_empty() || name == b"." || name == b".." || name.contains(&b'/');
    if leads_elsewhere { None } else { CString::new(name).ok() }
}

/// The name of a record, as the system takes it.
pub(super) fn name_of(record: &[u8]) -> Option<CString> {
    c_string(split(record).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_its_folder() {
        for name in [&b""[..], b".", b"..", b"a/b", b"a\0b"] {
            assert_eq!(c_string(name), None, "{name:?}");
        }
        assert_eq!(name_of(b"a/b/\xff").unwrap().as_bytes(), b"\xff");
        assert_eq!(split(b"a/b/c"), (&b"a/b"[..], &b"c"[..]));
        assert_eq!(split(b"c"), (&b""[..], &b"c"[..]));
        assert_eq!(name_of(b"a/.."), None);
    }
}
