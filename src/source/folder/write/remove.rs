//! Removing one name, or one sub-folder with everything in it.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{
    Access, AtFlags, FileType, RawDir, Timespec, Timestamps, UTIME_OMIT, accessat, fstat, futimens, unlinkat,
};
use rustix::io::Errno;

use crate::source::folder::look::{Look, Modified, is_file_or_link};
use crate::source::folder::root::{Closed, enter};
use crate::source::folder::shown;
use crate::source::folder::volume::Volume;

/// Bytes of names that are read at once.
const BUFFER: usize = 32 * 1024;

/// As deep as a folder can be that was seen whole.
const DEEPEST: usize = 201;

/// Why something could not be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stuck {
    /// It is not there any more: somebody else removed it.
    Gone,
    /// Something was written into it meanwhile: at this path, and to stay.
    Written(String),
    /// In the words of its reason.
    Because(String),
}

impl Stuck {
    /// The same, told from a folder above.
    fn below(self, name: &CStr) -> Stuck {
        let told = |why: String| format!("{}: {why}", shown(name.to_bytes()));
        match self {
            Stuck::Gone => Stuck::Gone,
            Stuck::Written(why) => Stuck::Written(told(why)),
            Stuck::Because(why) => Stuck::Because(told(why)),
        }
    }
}

impl From<Errno> for Stuck {
    fn from(error: Errno) -> Stuck {
        match error {
            Errno::NOENT => Stuck::Gone,
            error => Stuck::Because(std::io::Error::from(error).to_string()),
        }
    }
}

/// Removes a name. A link goes, and what it leads to stays; a folder is refused by the system.
pub(super) fn name(folder: BorrowedFd<'_>, name: &CStr) -> Result<(), Stuck> {
    Ok(unlinkat(folder, name, AtFlags::empty())?)
}

/// What must hold of a sub-folder while it is emptied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// What the source's folder lies on: what is mounted in it is not entered.
    pub(super) volume: Volume,
    /// The file system and the inode that it was judged by.
    pub(super) identity: (u64, u64),
    /// Content later than this was written meanwhile, and stays.
    pub(super) newest: Modified,
    /// Whether an earlier run had begun: it left folders that are empty and look new.
    pub(super) is_begun: bool,
}

/// Removes a sub-folder and everything in it, from the bottom. What was written into it meanwhile
/// ends that, and is told.
pub(super) fn folder(parent: BorrowedFd<'_>, name: &CStr, terms: &Terms) -> Result<(), Stuck> {
    // Nothing in it is touched where the folder itself could not go.
    let allowed = accessat(parent, c".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS);
    if let Err(error @ (Errno::ACCESS | Errno::ROFS)) = allowed {
        return Err(error.into());
    }
    let inner = open(parent, name, terms)?;
    if identity(inner.as_fd())? != terms.identity {
        return Err(Stuck::Gone);
    }
    empty(inner.as_fd(), terms, 0)?;
    take_away(parent, name, inner.as_fd(), terms)
}

fn open(parent: BorrowedFd<'_>, name: &CStr, terms: &Terms) -> Result<std::os::fd::OwnedFd, Stuck> {
    enter(parent, name, terms.volume).map_err(|closed| match closed {
        Closed::Gone => Stuck::Gone,
        closed => Stuck::Because(closed.words()),
    })
}

fn identity(folder: BorrowedFd<'_>) -> Result<(u64, u64), Errno> {
    fstat(folder).map(|stat| Look::of(&stat)).map(|look| (look.device, look.inode))
}

/// Removes everything in an open folder. Returns whether there was something.
fn empty(folder: BorrowedFd<'_>, terms: &Terms, depth: usize) -> Result<bool, Stuck> {
    let mut found_some = false;
    let emptied = empty_until_stuck(folder, terms, depth, &mut found_some);
    if emptied.is_err() && found_some {
        look_old_again(folder, terms);
    }
    emptied.map(|()| found_some)
}

/// The same; tells also where it stuck whether something went.
fn empty_until_stuck(
    folder: BorrowedFd<'_>,
    terms: &Terms,
    depth: usize,
    found_some: &mut bool,
) -> Result<(), Stuck> {
    let mut buffer = Vec::with_capacity(BUFFER);
    let mut entries = RawDir::new(folder, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(Stuck::from)?;
        if matches!(entry.file_name().to_bytes(), b"." | b"..") {
            continue;
        }
        match one(folder, entry.file_name(), terms, depth) {
            // What somebody else removed meanwhile is as good as removed.
            Ok(()) | Err(Stuck::Gone) => *found_some = true,
            Err(stuck) => return Err(stuck.below(entry.file_name())),
        }
    }
    Ok(())
}

fn one(folder: BorrowedFd<'_>, entry: &CStr, terms: &Terms, depth: usize) -> Result<(), Stuck> {
    let look = Look::at(folder, entry)?;
    if terms.volume.is_mounted_over(&look) {
        return Err(Stuck::Because(Closed::Mount.words()));
    }
    if is_file_or_link(look.kind) {
        return if look.modified > terms.newest { Err(written_meanwhile()) } else { name(folder, entry) };
    }
    if look.kind != FileType::Directory || depth >= DEEPEST {
        return Err(written_meanwhile());
    }
    let inner = open(folder, entry, terms)?;
    let found_some = empty(inner.as_fd(), terms, depth + 1)?;
    if !found_some && look.modified > terms.newest && !terms.is_begun {
        return Err(written_meanwhile());
    }
    take_away(folder, entry, inner.as_fd(), terms)
}

/// Removes a folder that was emptied.
fn take_away(parent: BorrowedFd<'_>, name: &CStr, inner: BorrowedFd<'_>, terms: &Terms) -> Result<(), Stuck> {
    match unlinkat(parent, name, AtFlags::REMOVEDIR) {
        Err(Errno::NOTEMPTY | Errno::EXIST) => Err(written_meanwhile()),
        Err(error) => {
            look_old_again(inner, terms);
            Err(error.into())
        }
        Ok(()) => Ok(()),
    }
}

/// Emptying a folder makes it look new, and an empty one would be kept for that: what could not
/// be removed must stay due for the next run.
fn look_old_again(folder: BorrowedFd<'_>, terms: &Terms) {
    let keep = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let is_new = fstat(folder).is_ok_and(|stat| Look::of(&stat).modified > terms.newest);
    let times = Timestamps { last_access: keep, last_modification: terms.newest.into() };
    if is_new && let Err(error) = futimens(folder, &times) {
        tracing::warn!("a folder that was emptied looks new: {}", std::io::Error::from(error));
    }
}

fn written_meanwhile() -> Stuck {
    Stuck::Written("something was written while the folder was deleted; what is left of it stays".to_string())
}
