//! Whether a file is still what was read, but for what was appended to it.

use std::fs::{self, File};
use std::path::Path;

use crate::source::Problem;
use crate::source::csv::files::{Stamp, cannot_open, cannot_read};

/// A file from the moment on in which it was opened to be judged.
pub(super) struct Reading<'a> {
    pub(super) file: &'a File,
    pub(super) path: &'a Path,
    /// What it looked like then.
    pub(super) before: Stamp,
}

impl<'a> Reading<'a> {
    pub(super) fn of(file: &'a File, path: &'a Path) -> Result<Reading<'a>, Problem> {
        Ok(Reading { file, path, before: stamp(file, path)? })
    }

    /// How much was appended behind what is taken. None where the file is no longer what was
    /// read: it was shortened or edited, or another one stands in its place.
    pub(super) fn appended(&self, taken: u64) -> Result<Option<u64>, Problem> {
        let now = stamp(self.file, self.path)?;
        let was_edited = now.size == self.before.size && now != self.before;
        let is_there = is_at(self.file, self.path)?;
        Ok(now.size.checked_sub(taken).filter(|_| is_there && !was_edited))
    }

    /// Whether a handle leads to the same file.
    pub(super) fn is_of(&self, other: &File) -> Result<bool, Problem> {
        Ok(stamp(other, self.path)?.is_same_file(&self.before))
    }
}

/// Whether a name still leads to the file that was opened by it.
pub(super) fn is_at(file: &File, path: &Path) -> Result<bool, Problem> {
    let there = fs::metadata(path).map_err(|error| cannot_open(path, &error))?;
    Ok(stamp(file, path)?.is_same_file(&Stamp::of(&there)))
}

pub(super) fn stamp(file: &File, path: &Path) -> Result<Stamp, Problem> {
    file.metadata().map(|metadata| Stamp::of(&metadata)).map_err(|error| cannot_read(path, &error))
}
