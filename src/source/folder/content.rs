//! A sub-folder as one record: its newest content, and all its bytes.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{FileType, RawDir, fstat};

use super::look::{Look, is_file_or_link};
use super::root::{Closed, enter};
use super::volume::Volume;
use super::walk::{BUFFER, DEEPEST, is_dot};

/// Why a sub-folder cannot be seen whole. It is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opaque {
    /// It is not there any more.
    Gone,
    /// In the words of its reason.
    Because(String),
}

/// Looks at a sub-folder with all that is in it. Its time is that of its newest content: of the
/// files and links at any depth, and of folders only where they are empty.
pub fn look_into(parent: BorrowedFd<'_>, name: &CStr, volume: Volume) -> Result<Look, Opaque> {
    let folder = enter(parent, name, volume).map_err(|closed| match closed {
        Closed::Gone => Opaque::Gone,
        closed => Opaque::Because(closed.words()),
    })?;
    look_at(folder.as_fd(), volume, 0)
}

/// The same of a folder that is open.
pub fn look_at(folder: BorrowedFd<'_>, volume: Volume, depth: usize) -> Result<Look, Opaque> {
    let because = |error: rustix::io::Errno| Opaque::Because(std::io::Error::from(error).to_string());
    let own = fstat(folder).map(|stat| Look::of(&stat)).map_err(because)?;
    let mut sum = Look { size: 0, frees: 0, ..own };
    let mut newest = None;
    let mut buffer = Vec::with_capacity(BUFFER);
    let mut entries = RawDir::new(folder, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(because)?;
        if is_dot(entry.file_name()) {
            continue;
        }
        let Some(part) = part(folder, entry.file_name(), volume, depth)? else { continue };
        newest = newest.max(Some(part.modified));
        sum.size = sum.size.saturating_add(part.size);
        sum.frees = sum.frees.saturating_add(part.frees);
        sum.entries = sum.entries.saturating_add(part.entries);
    }
    Ok(Look { modified: newest.unwrap_or(own.modified), ..sum })
}

/// One entry of a sub-folder; none where it went away meanwhile.
fn part(folder: BorrowedFd<'_>, name: &CStr, volume: Volume, depth: usize) -> Result<Option<Look>, Opaque> {
    let within = |why: String| Opaque::Because(format!("{}: {why}", super::shown(name.to_bytes())));
    let look = match Look::at(folder, name) {
        Ok(look) => look,
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(error) => return Err(within(std::io::Error::from(error).to_string())),
    };
    if volume.is_mounted_over(&look) {
        return Err(within(Closed::Mount.words()));
    }
    if is_file_or_link(look.kind) {
        return Ok(Some(look));
    }
    if look.kind != FileType::Directory {
        return Err(within("a socket, a device or a pipe".to_string()));
    }
    if depth >= DEEPEST {
        return Err(within("folders are nested too deep".to_string()));
    }
    match enter(folder, name, volume) {
        Ok(inner) => match look_at(inner.as_fd(), volume, depth + 1) {
            Err(Opaque::Because(why)) => Err(within(why)),
            other => other.map(Some),
        },
        Err(Closed::Gone) => Ok(None),
        Err(closed) => Err(within(closed.words())),
    }
}
