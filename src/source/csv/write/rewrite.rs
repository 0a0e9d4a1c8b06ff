//! Writing one file anew without its due lines.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::reading::{Reading, is_at};
use super::sift::{Sifted, Sifting};
use crate::diagnostic::Code;
use crate::policy::{CsvFiles, Rewrite};
use crate::run::job::{Journal, RuleJob, WriteError};
use crate::run::stop::StopReason;
use crate::source::Problem;
use crate::source::csv::files::{self, CsvFile, cannot_open};
use crate::source::csv::newest::Watch;

/// How often a file is tried that changes meanwhile.
const ATTEMPTS: usize = 3;

/// How often a lock is asked for.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// One file's turn.
pub(super) struct Rewriting<'a> {
    pub(super) source: &'a CsvFiles,
    pub(super) file: &'a CsvFile,
    pub(super) job: &'a RuleJob<'a>,
    pub(super) newest: &'a Watch,
    /// How many lines the limit still lets the rule delete.
    pub(super) most: u64,
    /// How many lines the rule has deleted before.
    pub(super) before: u64,
    /// The batch's number in the ledger.
    pub(super) number: u64,
}

/// How a file's turn ended.
pub(super) enum Ended {
    /// It was not touched.
    NothingDue,
    /// It was not touched, for the run is to end.
    Stopped(StopReason),
    /// It has its new content.
    Rewritten {
        sifted: Sifted,
        /// What went wrong afterwards.
        behind: Option<Problem>,
        /// What the file was before. To close it takes a while: then its space is given back.
        old: File,
    },
}

/// How it ended that what stays was to take the file's place.
pub(super) enum Exchanged {
    Done {
        behind: Option<Problem>,
    },
    /// The file changed in another way than by growing, and was not touched.
    Not,
}

impl Rewriting<'_> {
    /// Writes the file anew where something in it is due.
    pub(super) fn run(&self, journal: &mut dyn Journal) -> Result<Ended, WriteError> {
        for attempt in 1..=ATTEMPTS {
            if let Some(ended) = self.attempt(journal, attempt == ATTEMPTS)? {
                return Ok(ended);
            }
        }
        let message = format!("{} changes faster than it can be rewritten; run again", self.path().display());
        Err(WriteError::Problem(Problem::new(Code::Changing, message)))
    }

    pub(super) fn path(&self) -> &Path {
        &self.file.path
    }

    /// How it ended; none where the file changed meanwhile.
    fn attempt(&self, journal: &mut dyn Journal, is_restless: bool) -> Result<Option<Ended>, WriteError> {
        let lock = match self.source.rewrite {
            Rewrite::Lock => Some(locked(self.path(), self.job.wait)?),
            Rewrite::Rename | Rewrite::CopyTruncate => None,
        };
        let file = files::open(self.path())?;
        let old = Reading::of(&file, self.path())?;
        if let Some(lock) = &lock
            && !old.is_of(lock)?
        {
            return Ok(None);
        }
        self.newest.refresh(self.source, self.job.request);
        let (successor, sifted) = match self.sift(&file, is_restless)? {
            Sifting::NothingDue => return Ok(Some(Ended::NothingDue)),
            Sifting::Stopped(reason) => return Ok(Some(Ended::Stopped(reason))),
            Sifting::Done(successor, sifted) => (*successor, sifted),
        };
        let is_new = match self.source.rewrite {
            Rewrite::Rename => self.replace(&old, successor, sifted, is_restless, journal)?,
            Rewrite::Lock | Rewrite::CopyTruncate => {
                self.copy_back(&old, successor, sifted, is_restless, journal)?
            }
        };
        Ok(match is_new {
            Exchanged::Done { behind } => Some(Ended::Rewritten { sifted, behind, old: file }),
            Exchanged::Not => None,
        })
    }
}

/// Waits for the lock that writers take too, on the file that has the name then.
pub(super) fn locked(path: &Path, wait: Duration) -> Result<File, Problem> {
    let since = Instant::now();
    loop {
        let file = files::open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) if is_at(&file, path)? => return Ok(file),
            Ok(()) | Err(Errno::INTR) => {}
            Err(Errno::WOULDBLOCK) if since.elapsed() < wait => std::thread::sleep(LOCK_PAUSE),
            Err(Errno::WOULDBLOCK) => {
                let message = format!("{} is locked by another program", path.display());
                return Err(Problem::new(Code::Busy, message));
            }
            Err(error) => return Err(cannot_open(path, &error.into())),
        }
    }
}
