//! What other programs append to a file while it is written anew.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use super::successor::{Successor, cannot_write};
use crate::dataset::Problem;
use crate::dataset::csv::files::cannot_read;

/// How long a program that has the old file open may take to notice, at least.
const GRACE: Duration = Duration::from_millis(20);

/// How much is appended at once.
const PIECE: usize = 1024 * 1024;

/// Follows a file from where it has been read to its end.
pub(super) struct Tail<'a> {
    old: &'a File,
    path: &'a Path,
    /// Up to here its bytes are in the successor.
    taken: u64,
}

impl<'a> Tail<'a> {
    pub(super) fn behind(taken: u64, old: &'a File, path: &'a Path) -> Tail<'a> {
        Tail { old, path, taken }
    }

    /// How many bytes have been appended that are not taken; none where the file has shrunk.
    pub(super) fn grown(&self) -> Result<Option<u64>, Problem> {
        let metadata = self.old.metadata().map_err(|error| cannot_read(self.path, &error))?;
        Ok(metadata.len().checked_sub(self.taken))
    }

    /// Takes what has been appended into the successor.
    pub(super) fn take(&mut self, successor: &mut Successor) -> Result<u64, Problem> {
        let grown = self.grown()?.unwrap_or_default();
        if grown == 0 {
            return Ok(0);
        }
        successor.copy_from(self.old, self.taken..self.taken + grown)?;
        self.taken += grown;
        Ok(grown)
    }

    /// Takes what was appended to the old file after the new one took its place, as long as more
    /// comes; whether anything did.
    pub(super) fn follow(&mut self) -> Result<bool, Problem> {
        let mut followed = false;
        while self.grown()?.unwrap_or_default() > 0 {
            followed = true;
            let new = OpenOptions::new().append(true).open(self.path);
            let mut new = new.map_err(|error| cannot_write(self.path, &error))?;
            self.taken += self.append(&mut new).map_err(|error| cannot_write(self.path, &error))?;
            std::thread::sleep(GRACE);
        }
        Ok(followed)
    }

    /// In one write, so that lines that others append to the new file are not torn.
    fn append(&self, new: &mut File) -> io::Result<u64> {
        let mut bytes = vec![0; PIECE];
        let read = self.old.read_at(&mut bytes, self.taken)?;
        new.write_all(&bytes[..read])?;
        new.sync_all()?;
        Ok(read as u64)
    }
}
