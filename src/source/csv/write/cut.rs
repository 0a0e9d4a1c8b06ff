//! The note beside a file that is overwritten in place: which rewriting it is, and what stands
//! behind the cut for as long as that is not made.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::rand::{GetRandomFlags, getrandom};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::replacement::{NO_FOLLOW, cannot_write, lock, remove_stray_unless};
use crate::diagnostic::Code;
use crate::hexadecimal;
use crate::source::Problem;
use crate::source::csv::files::hidden_beside;

/// What is noted of the file before it is cut.
#[derive(Debug, Serialize, Deserialize)]
struct Cutting {
    /// How long the file will be, which is how long what is to stay is.
    length: u64,
    /// How many bytes behind that are hashed.
    behind: u64,
    sha256: String,
}

/// What a note says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Said {
    /// The rewriting that it is of.
    of: String,
    /// Nothing until all is ready for the cut.
    cut: Option<Cutting>,
}

impl Said {
    /// What the note beside a file says. One that was not written whole says nothing.
    pub(super) fn beside(file: &Path) -> Option<Said> {
        let note = OpenOptions::new().read(true).custom_flags(NO_FOLLOW).open(path_of(file)).ok()?;
        let mut text = Vec::new();
        note.take(LENGTH as u64).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    }

    pub(super) fn is_of(&self, rewriting: &str) -> bool {
        self.of == rewriting
    }

    /// Whether the file was cut: then what stood behind the cut does so no longer. Where what is to
    /// stay has grown since, the note is older than any cut.
    pub(super) fn is_cut(&self, file: &File, length: u64) -> io::Result<bool> {
        let Some(cut) = self.cut.as_ref().filter(|cut| cut.length == length) else { return Ok(false) };
        let is_long = file.metadata()?.len() >= cut.length + cut.behind;
        Ok(!is_long || hash(file, cut.length, cut.behind)? != cut.sha256)
    }
}

/// A note that this run writes. It holds the lock of it: nobody takes it for a stray one.
pub(super) struct Note {
    file: File,
    of: String,
}

/// How much of what is cut off is hashed: little, for a program that keeps on writing is raced.
const BEHIND: u64 = 4 * 1024;

/// A note is always written over in one piece of this length: it is never torn.
const LENGTH: usize = 512;

impl Note {
    /// Opens the note beside a file; what it says stays until it is written.
    pub(super) fn beside(file: &Path, of: &str) -> Result<Note, Problem> {
        let path = path_of(file);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(NO_FOLLOW);
        let note = options.open(&path).map_err(|error| cannot_write(&path, &error))?;
        lock(&note, &path)?;
        Ok(Note { file: note, of: of.to_string() })
    }

    /// Says which rewriting this is, on the disk.
    pub(super) fn begin(&self) -> io::Result<()> {
        self.write(None)?;
        self.sync()
    }

    /// Says what stands behind the cut. It is a call of its own to put that on the disk.
    pub(super) fn say(&self, file: &File, length: u64, old_length: u64) -> io::Result<()> {
        let behind = old_length.saturating_sub(length).min(BEHIND);
        self.write(Some(Cutting { length, behind, sha256: hash(file, length, behind)? }))
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn write(&self, cut: Option<Cutting>) -> io::Result<()> {
        let mut text = serde_json::to_vec(&Said { of: self.of.clone(), cut })?;
        text.resize(LENGTH, b' ');
        self.file.write_all_at(&text, 0)
    }
}

/// A name for a rewriting that no other has.
pub(super) fn unique() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    match getrandom(&mut bytes, GetRandomFlags::empty()) {
        Ok(length) if length == bytes.len() => Ok(hexadecimal::digits(&bytes)),
        _ => Err(Problem::new(Code::CannotWrite, "the system gave no random bytes to know a rewriting by")),
    }
}

pub(super) fn path_of(file: &Path) -> PathBuf {
    hidden_beside(file, "cut")
}

/// Removes a note that a killed run left. Where what is to stay is there, it is still needed.
pub(super) fn remove_stray(note: &Path) -> Result<(), Problem> {
    remove_stray_unless(note, || note.with_extension("frist-kept").exists())
}

/// Removes a note that is no longer needed.
pub(super) fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(path_of(file)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn hash(file: &File, from: u64, length: u64) -> io::Result<String> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    file.read_exact_at(&mut bytes, from)?;
    Ok(hexadecimal::digits(&Sha256::digest(&bytes)))
}
