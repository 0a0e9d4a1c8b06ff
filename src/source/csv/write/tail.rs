//! What other programs append to a file while it is written anew.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use memchr::memrchr;

use super::reading::stamp;
use super::replacement::Replacement;
use super::writers;
use crate::diagnostic::Code;
use crate::source::Problem;
use crate::source::csv::files::cannot_read;

/// How long a program that has the old file open may take to notice, at least.
const GRACE: Duration = Duration::from_millis(20);

/// How often a program that has it open and writes nothing is waited for: on a busy machine it comes to its turn
/// late.
const HELD: u32 = 25;

/// How often it is looked at: a program that never opens the file again must not hold up a run
/// for ever.
const PATIENCE: u32 = 250;

/// How much is appended at once.
const PIECE: usize = 1024 * 1024;

/// What became of the old file after the exchange.
pub(super) struct Followed {
    /// Whether something was written to it, and taken along.
    pub(super) has_grown: bool,
    /// Whether a program has it open still.
    pub(super) is_held: bool,
}

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

    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// How many bytes have been appended that are not taken.
    fn grown(&self) -> Result<u64, Problem> {
        Ok(stamp(self.old, self.path)?.size.saturating_sub(self.taken))
    }

    /// Takes what has been appended into the successor.
    pub(super) fn take(&mut self, successor: &mut Replacement) -> Result<u64, Problem> {
        let grown = self.grown()?;
        if grown == 0 {
            return Ok(0);
        }
        successor.copy_from(self.old, self.taken..self.taken + grown)?;
        self.taken += grown;
        Ok(grown)
    }

    /// Takes what is appended to the old file after the new one took its place, as long as more
    /// comes. A program may have opened the old file just before, and write when it gets its turn.
    pub(super) fn follow(&mut self, new: &mut Replacement) -> Result<Followed, Problem> {
        let (mut quiet, mut has_grown) = (0, false);
        for _ in 0..PATIENCE {
            std::thread::sleep(GRACE);
            if self.grown()? == 0 {
                quiet += 1;
                let metadata = self.old.metadata().map_err(|error| cannot_read(self.path, &error))?;
                let is_held = writers::are_there(&metadata);
                // What was written between the two looks is there now, if nobody can write any more.
                if (!is_held && self.grown()? == 0) || quiet >= HELD {
                    return Ok(Followed { has_grown, is_held });
                }
                continue;
            }
            (quiet, has_grown) = (0, true);
            let bytes = self.piece().map_err(|error| cannot_read(self.path, &error))?;
            new.append(&bytes)?;
            self.taken += bytes.len() as u64;
        }
        Err(still_written(self.path))
    }

    /// What comes next: whole lines, where there are any.
    fn piece(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; PIECE];
        let read = self.old.read_at(&mut bytes, self.taken)?;
        let whole = memrchr(b'\n', &bytes[..read]).map_or(read, |at| at + 1);
        bytes.truncate(whole);
        Ok(bytes)
    }
}

fn still_written(path: &Path) -> Problem {
    let message = format!(
        "a program goes on writing to the old file of {}, and what it writes from now on is lost; let it open \
         the file again, or set `rewrite` in the policy",
        path.display()
    );
    Problem::new(Code::StillWritten, message)
}
