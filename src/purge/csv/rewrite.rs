//! Writing one file anew without its due lines.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::doubt::Moving;
use super::successor::{Successor, path_beside, sync_folder};
use super::tail::Tail;
use crate::dataset::Problem;
use crate::dataset::csv::chunks::{self, Chunk};
use crate::dataset::csv::columns::{self, Columns, Opened};
use crate::dataset::csv::files::{self, CsvFile, Stamp, cannot_open, cannot_read};
use crate::policy::CsvFiles;
use crate::purge::job::{Halt, Job, Journal};
use crate::purge::stop::StopReason;

/// How often a file is tried that changes meanwhile.
const ATTEMPTS: usize = 3;

/// One file's turn.
pub(super) struct Rewriting<'a> {
    pub(super) source: &'a CsvFiles,
    pub(super) file: &'a CsvFile,
    pub(super) job: &'a Job<'a>,
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
        deleted: u64,
        is_capped: bool,
        /// What went wrong afterwards.
        behind: Option<Problem>,
    },
}

/// How one attempt ended.
enum Attempt {
    Ended(Ended),
    /// The file changed in another way than by growing.
    Changed,
}

/// Why writing ends before the file does.
enum Cut {
    Stopped(StopReason),
    Problem(Problem),
    Read(io::Error),
}

impl From<io::Error> for Cut {
    fn from(error: io::Error) -> Cut {
        Cut::Read(error)
    }
}

impl From<Problem> for Cut {
    fn from(problem: Problem) -> Cut {
        Cut::Problem(problem)
    }
}

/// The successor as it grows.
#[derive(Default)]
struct Progress {
    successor: Option<Successor>,
    deleted: u64,
    is_capped: bool,
    /// How many bytes of the old file have been judged.
    read: u64,
    /// Whether the last record ended with its line.
    is_terminated: bool,
}

impl Rewriting<'_> {
    /// Writes the file anew where something in it is due.
    pub(super) fn run(&self, journal: &mut dyn Journal) -> Result<Ended, Halt> {
        for attempt in 1..=ATTEMPTS {
            match self.attempt(journal, attempt == ATTEMPTS)? {
                Attempt::Ended(ended) => return Ok(ended),
                Attempt::Changed => {}
            }
        }
        let message = format!("{} changes faster than it can be rewritten; run again", self.path().display());
        Err(Halt::Problem(Problem::new("changing", message)))
    }

    fn path(&self) -> &Path {
        &self.file.path
    }

    fn attempt(&self, journal: &mut dyn Journal, is_last: bool) -> Result<Attempt, Halt> {
        let old = files::open(self.path()).map_err(Halt::Problem)?;
        let before = stamp(&old, self.path()).map_err(Halt::Problem)?;
        let progress = match self.write_successor(&old, is_last).map_err(Halt::Problem)? {
            Ok(progress) => progress,
            Err(reason) => return Ok(Attempt::Ended(Ended::Stopped(reason))),
        };
        let Progress { successor, deleted, is_capped, read, is_terminated } = progress;
        let Some(mut successor) = successor else { return Ok(Attempt::Ended(Ended::NothingDue)) };
        let mut tail = Tail::behind(read, &old, self.path());
        if !self
            .settle(&old, &before, &mut successor, &mut tail, is_terminated || is_last)
            .map_err(Halt::Problem)?
        {
            return Ok(Attempt::Changed);
        }
        let (device, inode) = successor.identity().map_err(Halt::Problem)?;
        let moving = Moving { from: path_beside(self.path()), to: self.path().to_path_buf(), device, inode };
        journal.announce(self.number, deleted, moving.mark())?;
        // Writing to the ledger takes its time, in which lines may have come.
        let is_ready = match tail.grown() {
            Ok(Some(0)) => Ok(true),
            _ => self.settle(&old, &before, &mut successor, &mut tail, is_terminated || is_last),
        };
        let replaced = match is_ready {
            Ok(true) => successor.replace(),
            Ok(false) => {
                journal.undo(self.number)?;
                return Ok(Attempt::Changed);
            }
            Err(problem) => Err(problem),
        };
        if let Err(problem) = replaced {
            journal.undo(self.number)?;
            return Err(Halt::Problem(problem));
        }
        sync_folder(self.path()).map_err(Halt::Doubt)?;
        let behind = self.follow(&mut tail).err();
        Ok(Attempt::Ended(Ended::Rewritten { deleted, is_capped, behind }))
    }

    /// Judges every record and writes those that stay, from the first one on that goes. An early
    /// end leaves nothing behind.
    fn write_successor(&self, old: &File, is_last: bool) -> Result<Result<Progress, StopReason>, Problem> {
        let opened = columns::open(old, self.path(), self.source, self.job.request)?;
        let Opened { mut chunks, columns: Some(columns), header } = opened else {
            return Ok(Ok(Progress::default()));
        };
        let mut progress = Progress { read: header.len() as u64, is_terminated: true, ..Progress::default() };
        let written = chunks::each(&mut chunks, |chunk| {
            if let Some(reason) = self.job.stop.reason() {
                return Err(Cut::Stopped(reason));
            }
            self.write_chunk(chunk, &columns, old, &mut progress, is_last)?;
            progress.read = chunk.offset + chunk.bytes().len() as u64;
            progress.is_terminated = chunk.bytes().ends_with(b"\n");
            (self.job.told)(self.before + progress.deleted);
            Ok(())
        });
        match written {
            Ok(()) => Ok(Ok(progress)),
            Err(Cut::Stopped(reason)) => Ok(Err(reason)),
            Err(Cut::Problem(problem)) => Err(problem),
            Err(Cut::Read(error)) => Err(cannot_read(self.path(), &error)),
        }
    }

    /// Writes what stays of a chunk, in pieces as large as it allows.
    fn write_chunk(
        &self,
        chunk: &Chunk,
        columns: &Columns,
        old: &File,
        progress: &mut Progress,
        is_last: bool,
    ) -> Result<(), Problem> {
        let bytes = chunk.bytes();
        let mut kept_from = 0;
        for record in chunk.records() {
            // In a file that does not rest, a line without its end may not be all there is of it.
            let is_finished = !is_last || bytes[record.start..record.end].ends_with(b"\n");
            if !is_finished || !columns.is_due(record, &self.job.request.book, self.job.rule) {
                continue;
            }
            if progress.deleted == self.most {
                progress.is_capped = true;
                continue;
            }
            let successor = match &mut progress.successor {
                Some(successor) => successor,
                none => none.insert(self.begin(old, chunk.offset)?),
            };
            successor.write(&bytes[kept_from..record.start])?;
            progress.deleted += 1;
            kept_from = record.end;
        }
        match &mut progress.successor {
            Some(successor) => successor.write(&bytes[kept_from..]),
            None => Ok(()),
        }
    }

    /// The successor, with all that stands before the first chunk in which something is due.
    fn begin(&self, old: &File, up_to: u64) -> Result<Successor, Problem> {
        let links = old.metadata().map_err(|error| cannot_read(self.path(), &error))?.nlink();
        if links > 1 {
            let message = format!(
                "{} has {links} names (hard links): under the others its lines would stay; remove those, or \
                 rewrite the file by `rewrite = \"copytruncate\"`",
                self.path().display()
            );
            return Err(Problem::new("hard-link", message));
        }
        let mut successor = Successor::of(self.path())?;
        successor.copy_from(old, 0..up_to)?;
        Ok(successor)
    }

    /// Makes the successor whole and durable, with all that was appended meanwhile; whether the
    /// old file is still what was read.
    fn settle(
        &self,
        old: &File,
        before: &Stamp,
        successor: &mut Successor,
        tail: &mut Tail<'_>,
        may_grow: bool,
    ) -> Result<bool, Problem> {
        loop {
            let now = stamp(old, self.path())?;
            let there = fs::metadata(self.path()).map_err(|error| cannot_open(self.path(), &error))?;
            let is_there = Stamp::of(&there).is_same_file(&now);
            let grown = tail.grown()?;
            let was_edited = now.size == before.size && now != *before;
            if grown.is_none() || was_edited || !is_there || (grown > Some(0) && !may_grow) {
                return Ok(false);
            }
            tail.take(successor)?;
            successor.take_over(old)?;
            successor.sync()?;
            if tail.grown()? == Some(0) {
                return Ok(true);
            }
        }
    }

    /// Programs that had the old file open may have written to it until now.
    fn follow(&self, tail: &mut Tail<'_>) -> Result<(), Problem> {
        if tail.follow()? {
            let path = self.path().display();
            tracing::warn!(
                "{path}: a program wrote to the old file after the new one took its place. Its lines were taken \
                 along; let it open the file again, or set `rewrite` in the policy"
            );
        }
        Ok(())
    }
}

fn stamp(file: &File, path: &Path) -> Result<Stamp, Problem> {
    file.metadata().map(|metadata| Stamp::of(&metadata)).map_err(|error| cannot_read(path, &error))
}
