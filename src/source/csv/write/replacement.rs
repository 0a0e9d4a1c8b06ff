//! The file that is to take another's place: hidden beside it until it is whole.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{
    FlockOperation, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags, copy_file_range, fchmod,
    fchown, fcntl_setfl, fgetxattr, flistxattr, flock, fremovexattr, fsetxattr, futimens,
};

use rustix::io::Errno;

use super::early_sync::EarlySync;
use crate::diagnostic::Code;
use crate::source::Problem;
use crate::source::csv::coding::{Coding, Encoder};
use crate::source::csv::files;

/// What is written beside a file. It is removed where it does not take the file's place.
pub(super) struct Replacement {
    file: File,
    /// Writes into the same file.
    encoder: Encoder,
    coding: Coding,
    path: PathBuf,
    place: PathBuf,
    buffer: Vec<u8>,
    early: EarlySync,
    is_synced: bool,
    is_done: bool,
}

/// Small pieces are gathered; large ones go straight to the file.
const BUFFER: usize = 256 * 1024;

/// Where the successor of a file is written.
pub(super) fn path_beside(place: &Path) -> PathBuf {
    files::hidden_beside(place, "new")
}

impl Replacement {
    /// Begins one. What a killed run left is removed; what another run is writing is not.
    pub(super) fn of(place: &Path) -> Result<Replacement, Problem> {
        files::require_finished(place)?;
        let path = path_beside(place);
        remove_stray(&path)?;
        let create = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = create.map_err(|error| match error.kind() {
            // Between the look and the making, another run was quicker.
            io::ErrorKind::AlreadyExists => busy(&path),
            _ => cannot_write(&path, &error),
        })?;
        lock(&file, &path)?;
        let coding = Coding::of(place);
        let encoder = file.try_clone().and_then(|file| coding.encoder(file));
        let encoder = encoder.map_err(|error| cannot_write(&path, &error))?;
        let (buffer, place) = (Vec::with_capacity(BUFFER), place.to_path_buf());
        let early = EarlySync::default();
        Ok(Replacement {
            file,
            encoder,
            coding,
            path,
            place,
            buffer,
            early,
            is_synced: false,
            is_done: false,
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.is_synced = false;
        let is_large = bytes.len() >= BUFFER / 4;
        if is_large || self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        if is_large {
            let written = self.encoder.write_all(bytes);
            let written = written.and_then(|()| self.early.wrote(&self.file, bytes.len()));
            return written.map_err(|error| cannot_write(&self.path, &error));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Copies the beginning of what a file holds, as far as it is to stay as it is.
    pub(super) fn copy_beginning(&mut self, old: &File, up_to: u64) -> Result<(), Problem> {
        if self.coding == Coding::Plain {
            return self.copy_from(old, 0..up_to);
        }
        let mut beginning = files::content(&self.place)?.take(up_to);
        let copied = io::copy(&mut beginning, &mut self.encoder);
        copied.map(drop).map_err(|error| cannot_write(&self.path, &error))
    }

    /// Copies a part of a file that is not compressed.
    pub(super) fn copy_from(&mut self, source: &File, part: Range<u64>) -> Result<(), Problem> {
        self.flush()?;
        self.is_synced = false;
        copy_part(source, part, &mut self.file).map_err(|error| cannot_write(&self.path, &error))
    }

    /// Whether what was appended to the old file could be appended here.
    pub(super) fn can_grow(&self) -> bool {
        self.coding == Coding::Plain
    }

    fn flush(&mut self) -> Result<(), Problem> {
        let written = self.encoder.write_all(&self.buffer);
        self.buffer.clear();
        written.map_err(|error| cannot_write(&self.path, &error))
    }

    /// Writes what is gathered, and what a compressed file ends with.
    fn end(&mut self) -> Result<(), Problem> {
        self.flush()?;
        self.encoder.end().map_err(|error| cannot_write(&self.path, &error))
    }

    /// Puts all bytes on the disk.
    pub(super) fn sync(&mut self) -> Result<(), Problem> {
        self.end()?;
        let synced = self.early.end().and_then(|()| self.file.sync_all());
        synced.map_err(|error| cannot_write(&self.path, &error))?;
        self.is_synced = true;
        Ok(())
    }

    /// Whether nothing was written since all was put on the disk.
    pub(super) fn is_synced(&self) -> bool {
        self.is_synced
    }

    /// How many bytes have been written.
    pub(super) fn length(&self) -> Result<u64, Problem> {
        let metadata = self.file.metadata().map_err(|error| cannot_write(&self.path, &error))?;
        Ok(metadata.len())
    }

    /// Its device and inode: by them the next run knows it again under its new name.
    pub(super) fn identity(&self) -> Result<(u64, u64), Problem> {
        let metadata = self.file.metadata().map_err(|error| cannot_write(&self.path, &error))?;
        Ok((metadata.dev(), metadata.ino()))
    }

    /// Owner, mode, extended attributes and times of the file that it is to replace.
    pub(super) fn take_over(&mut self, old: &File) -> Result<(), Problem> {
        self.end()?;
        let taken = self.try_take_over(old);
        taken.map_err(|error| {
            let message = format!(
                "{} cannot be given the owner, mode and attributes of {}: {error}; run frist as the owner of \
                 the file or as root",
                self.path.display(),
                self.place.display()
            );
            Problem::new(Code::CannotKeepAttributes, message)
        })
    }

    fn try_take_over(&self, old: &File) -> io::Result<()> {
        let (theirs, own) = (old.metadata()?, self.file.metadata()?);
        if (theirs.uid(), theirs.gid()) != (own.uid(), own.gid()) {
            fchown(&self.file, Some(Uid::from_raw(theirs.uid())), Some(Gid::from_raw(theirs.gid())))?;
        }
        // Behind the owner: a change of owner takes set-user-id bits away.
        fchmod(&self.file, Mode::from_raw_mode(theirs.mode() & 0o7777))?;
        copy_attributes(old, &self.file)?;
        let time = |seconds, nanos| Timespec { tv_sec: seconds, tv_nsec: nanos };
        let times = Timestamps {
            last_access: time(theirs.atime(), theirs.atime_nsec()),
            last_modification: time(theirs.mtime(), theirs.mtime_nsec()),
        };
        Ok(futimens(&self.file, &times)?)
    }

    /// Takes a name under which the next run does not take it for a stray one. Where this fails,
    /// it has not got that name.
    pub(super) fn keep_as(mut self, path: &Path) -> Result<File, Problem> {
        let file = self.file.try_clone();
        let kept = file.and_then(|file| fs::rename(&self.path, path).map(|()| file));
        let file = kept.map_err(|error| cannot_write(path, &error))?;
        self.is_done = true;
        Ok(file)
    }

    /// Takes the other file's place.
    pub(super) fn replace(&mut self) -> Result<(), Problem> {
        let moved = fs::rename(&self.path, &self.place);
        moved.map_err(|error| cannot_write(&self.place, &error))?;
        self.is_done = true;
        Ok(())
    }

    /// Adds bytes at the end of the file, where others may write too, in one write: no line of
    /// theirs is torn.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        // Not by its name: under that, there may be another file by now, or one that only this
        // handle can write to.
        let appended = fcntl_setfl(&self.file, OFlags::APPEND).map_err(io::Error::from);
        let written = appended.and_then(|()| self.file.write_all(bytes)).and_then(|()| self.file.sync_all());
        written.map_err(|error| cannot_write(&self.place, &error))
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.is_done
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!("{} cannot be removed: {error}", self.path.display());
        }
    }
}

/// Puts the names in a file's folder on the disk.
pub(super) fn sync_folder(file: &Path) -> Result<(), Problem> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| cannot_write(folder, &error))
}

/// Removes what a killed run left behind, unless another run is writing it.
pub(super) fn remove_stray(path: &Path) -> Result<(), Problem> {
    remove_stray_unless(path, || false)
}

/// The same, unless it turns out to be needed when nobody else can be writing it.
pub(super) fn remove_stray_unless(path: &Path, is_needed: impl FnOnce() -> bool) -> Result<(), Problem> {
    let open = OpenOptions::new().read(true).custom_flags(NO_FOLLOW).open(path);
    let stray = match open {
        Ok(stray) => stray,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot_write(path, &error)),
    };
    lock(&stray, path)?;
    if is_needed() {
        return Ok(());
    }
    fs::remove_file(path).map_err(|error| cannot_write(path, &error))
}

/// A link is not followed, and a pipe that stands there is not waited for.
pub(super) const NO_FOLLOW: i32 = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).bits() as i32;

/// Locks a file that was opened under a name. Only who holds its lock may remove or move it: what
/// another run did to it until then shows in the name.
pub(super) fn lock(file: &File, path: &Path) -> Result<(), Problem> {
    flock(file, FlockOperation::NonBlockingLockExclusive).map_err(|_| busy(path))?;
    let identity = |metadata: &Metadata| (metadata.dev(), metadata.ino());
    let (own, there) = (file.metadata(), fs::symlink_metadata(path));
    let is_there = own.is_ok_and(|own| there.is_ok_and(|there| identity(&own) == identity(&there)));
    if is_there { Ok(()) } else { Err(busy(path)) }
}

/// Copies inside the system, where it can: between files of one file system without a copy in
/// memory.
pub(super) fn copy_part(from: &File, part: Range<u64>, to: &mut File) -> io::Result<()> {
    let mut at = part.start;
    while at < part.end {
        let length = usize::try_from(part.end - at).unwrap_or(usize::MAX);
        match copy_file_range(from, Some(&mut at), &*to, None, length) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => {}
            Err(Errno::XDEV | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL | Errno::PERM) => {
                return copy_by_hand(from, at..part.end, to);
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn copy_by_hand(from: &File, mut part: Range<u64>, to: &mut File) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    while part.start < part.end {
        let most = usize::try_from(part.end - part.start).unwrap_or(BUFFER).min(BUFFER);
        let read = from.read_at(&mut buffer[..most], part.start)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        to.write_all(&buffer[..read])?;
        part.start += read as u64;
    }
    Ok(())
}

/// Gives a file the attributes of another, and takes away the access control list that its folder
/// may have handed down to it: it would let others read what they could not.
fn copy_attributes(from: &File, to: &File) -> io::Result<()> {
    let (theirs, own) = (attributes(from)?, attributes(to)?);
    let list = b"system.posix_acl_access".to_vec();
    if own.contains(&list) && !theirs.contains(&list) {
        fremovexattr(to, list.as_slice())?;
    }
    let mut value = vec![0; 64 * 1024];
    for name in &theirs {
        let length = fgetxattr(from, name.as_slice(), &mut value[..])?;
        fsetxattr(to, name.as_slice(), &value[..length], XattrFlags::empty())?;
    }
    Ok(())
}

/// The names of a file's extended attributes; none where it cannot have any.
fn attributes(file: &File) -> io::Result<Vec<Vec<u8>>> {
    let mut names = vec![0; 64 * 1024];
    let length = match flistxattr(file, &mut names[..]) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let names = names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(<[u8]>::to_vec).collect())
}

fn busy(path: &Path) -> Problem {
    Problem::new(Code::Busy, format!("another run is writing {}", path.display()))
}

pub(super) fn cannot_write(path: &Path, error: &io::Error) -> Problem {
    let help = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room: a file is written anew beside itself before it is replaced"
        }
        io::ErrorKind::PermissionDenied => "look at the owner and mode of the file and its folder",
        _ => "the file is as it was",
    };
    Problem::new(Code::CannotWrite, format!("{} cannot be written: {error}; {help}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_whose_name_means_another_by_now_is_left_to_that() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".a.csv.frist-new");
        let stray = File::create(&path).unwrap();
        lock(&stray, &path).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(lock(&stray, &path).unwrap_err().code, Code::Busy);
        fs::write(&path, "of another run").unwrap();
        assert_eq!(lock(&stray, &path).unwrap_err().code, Code::Busy);
    }

    #[test]
    fn what_another_run_is_writing_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a.csv");
        let mut other = Replacement::of(&place).unwrap();
        other.write(b"half").unwrap();
        assert_eq!(remove_stray(&path_beside(&place)).unwrap_err().code, Code::Busy);
        assert_eq!(Replacement::of(&place).err().map(|problem| problem.code), Some(Code::Busy));
        drop(other);
        assert!(!path_beside(&place).exists());
    }
}
