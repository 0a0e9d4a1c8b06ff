//! What other programs append to a file while it is written anew.

use std::fs::File;
use std::ops::Range;
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
const PIECE: u64 = 1024 * 1024;

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

    /// What has been appended and is not taken.
    fn rest(&self) -> Result<Range<u64>, Problem> {
        Ok(self.taken..stamp(self.old, self.path)?.size.max(self.taken))
    }

    /// Whether the old file ends within a line, of which more may come.
    pub(super) fn is_within_a_line(&self) -> Result<bool, Problem> {
        let end = self.rest()?.end;
        Ok(self.piece(end.saturating_sub(1)..end)?.last().is_some_and(|last| *last != b'\n'))
    }

    /// Takes the whole lines that have been appended into the successor; whether half a line is left.
    pub(super) fn take_lines(&mut self, successor: &mut Replacement) -> Result<bool, Problem> {
        let rest = self.rest()?;
        let lines = self.lines(&rest)?;
        let is_half = lines.end < rest.end;
        self.take(lines, successor)?;
        Ok(is_half)
    }

    /// Takes all that has been appended into the successor.
    pub(super) fn take_all(&mut self, successor: &mut Replacement) -> Result<(), Problem> {
        self.take(self.rest()?, successor)
    }

    fn take(&mut self, part: Range<u64>, successor: &mut Replacement) -> Result<(), Problem> {
        if !part.is_empty() {
            self.taken = part.end;
            successor.copy_from(self.old, part)?;
        }
        Ok(())
    }

    /// Takes what is appended to the old file after the new one took its place, as long as more
    /// comes. A program may have opened the old file just before, and write when it gets its turn.
    pub(super) fn follow(&mut self, new: &mut Replacement) -> Result<Followed, Problem> {
        let (mut quiet, mut has_grown) = (0, false);
        for _ in 0..PATIENCE {
            std::thread::sleep(GRACE);
            let rest = self.rest()?;
            let lines = self.lines(&rest)?;
            if !lines.is_empty() {
                (quiet, has_grown) = (0, true);
                self.append(lines, new)?;
                continue;
            }
            quiet += 1;
            let metadata = self.old.metadata().map_err(|error| cannot_read(self.path, &error))?;
            let is_held = writers::are_there(&metadata);
            // What was written between the two looks is there now, if nobody can write any more.
            if (!is_held && self.rest()? == rest) || quiet >= HELD {
                has_grown |= !rest.is_empty();
                self.append(rest, new)?;
                return Ok(Followed { has_grown, is_held });
            }
        }
        self.append(self.rest()?, new)?;
        Err(still_written(self.path))
    }

    /// Adds a part of the old file to the new one, to which others may write: whole lines at once, where
    /// there are any.
    fn append(&mut self, part: Range<u64>, new: &mut Replacement) -> Result<(), Problem> {
        while self.taken < part.end {
            let mut bytes = self.piece(self.taken..part.end)?;
            let whole = memrchr(b'\n', &bytes).map_or(bytes.len(), |at| at + 1);
            bytes.truncate(whole);
            new.append(&bytes)?;
            self.taken += bytes.len() as u64;
        }
        Ok(())
    }

    /// The part of it up to the end of its last whole line.
    fn lines(&self, part: &Range<u64>) -> Result<Range<u64>, Problem> {
        let mut end = part.end;
        while end > part.start {
            let piece = end.saturating_sub(PIECE).max(part.start)..end;
            if let Some(at) = memrchr(b'\n', &self.piece(piece.clone())?) {
                return Ok(part.start..piece.start + at as u64 + 1);
            }
            end = piece.start;
        }
        Ok(part.start..part.start)
    }

    /// As much of a part of the old file as is handled at once.
    fn piece(&self, part: Range<u64>) -> Result<Vec<u8>, Problem> {
        let mut bytes = vec![0; (part.end - part.start).min(PIECE) as usize];
        self.old.read_exact_at(&mut bytes, part.start).map_err(|error| cannot_read(self.path, &error))?;
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
