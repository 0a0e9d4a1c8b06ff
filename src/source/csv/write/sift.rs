//! Judging every record of a file, and writing those that stay beside it.

use std::fs::File;
use std::io;

use super::evidence::Evidence;
use super::kept::Kept;
use super::line::Lines;
use super::replacement::Replacement;
use super::rewrite::Rewriting;
use crate::run::stop::StopReason;
use crate::source::Problem;
use crate::source::csv::chunks::Chunk;
use crate::source::csv::coding::Coding;
use crate::source::csv::columns::{self, Opened};
use crate::source::csv::files::{self, cannot_read};
use crate::source::csv::index::Record;
use crate::source::csv::turns;

/// So many answers are noted at once: memory does not grow with the file.
const NOTED_AT_ONCE: usize = 50_000;

/// How a file was sifted.
pub(super) enum Sifting {
    /// Nothing in it is due, and nothing was written.
    NothingDue,
    /// The run is to end; what was written is gone again.
    Stopped(StopReason),
    /// What stays is written.
    Done(Box<Replacement>, Sifted),
}

/// What of a file has been judged.
#[derive(Clone, Copy, Default)]
pub(super) struct Sifted {
    pub(super) deleted: u64,
    /// Whether the limit left no room for more.
    pub(super) is_capped: bool,
    /// How many bytes of the old file have been judged.
    pub(super) read: u64,
    /// Whether the last record ended with its line.
    pub(super) is_terminated: bool,
}

impl Sifted {
    /// Whether what is appended to the file meanwhile begins a line of its own.
    pub(super) fn may_grow(&self, is_restless: bool) -> bool {
        self.is_terminated || is_restless
    }
}

/// The successor as it grows, from the first record on that goes.
#[derive(Default)]
struct Progress {
    successor: Option<Replacement>,
    sifted: Sifted,
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

impl Rewriting<'_> {
    /// Writes what stays. In a file that does not rest, its last line stays where it has no end.
    pub(super) fn sift(&self, old: &File, is_restless: bool) -> Result<Sifting, Problem> {
        let explain = |error| cannot_read(self.path(), &error);
        let content =
            old.try_clone().and_then(|old| Coding::of(self.path()).decoded(old)).map_err(explain)?;
        let evidence = Evidence::of(self.job.request, self.job.request.book.deletes(self.job.rule));
        let asked = (self.job.request, evidence.columns());
        let opened = columns::open_with(content, self.path(), self.source, asked)?;
        let Opened { mut chunks, columns: Some(columns), header } = opened else {
            return Ok(Sifting::NothingDue);
        };
        let (book, rule) = (&self.job.request.book, self.job.rule);
        let is_due = |record: &Record<'_>| {
            let is_finished = !is_restless || record.bytes().ends_with(b"\n");
            is_finished && columns.is_due(*record, book, rule)
        };
        let evidence = &evidence;
        let lines = Lines { source: self.source, columns: &columns, book, rule, key: self.job.key, evidence };
        let mut gone = evidence.nothing_gone();
        let mut progress = Progress::default();
        progress.sifted.read = header.len() as u64;
        progress.sifted.is_terminated = true;
        let judge = |chunk: &Chunk, kept: &mut Kept| kept.gather(chunk, is_due, &lines, u64::MAX);
        let written = turns::each_in_order(&mut chunks, judge, |chunk, kept| {
            if let Some(reason) = self.job.stop.reason() {
                return Err(Cut::Stopped(reason));
            }
            let room = self.most - progress.sifted.deleted;
            if kept.deleted > room {
                kept.gather(chunk, is_due, &lines, room);
                progress.sifted.is_capped = true;
            }
            self.write_chunk(chunk, kept, old, &mut progress)?;
            gone.absorb(&mut kept.gone);
            if gone.len() > NOTED_AT_ONCE {
                self.job.notes.note(&gone)?;
                self.job.notes.rest()?;
                gone.clear();
            }
            (self.job.told)(self.before + progress.sifted.deleted);
            Ok(())
        });
        // Before the file takes its new content.
        match written.and_then(|()| Ok(self.job.notes.note(&gone)?)) {
            Ok(()) => Ok(progress.into()),
            Err(Cut::Stopped(reason)) => Ok(Sifting::Stopped(reason)),
            Err(Cut::Problem(problem)) => Err(problem),
            Err(Cut::Read(error)) => Err(explain(error)),
        }
    }

    /// Writes what stays of a chunk, if anything goes from it or went before.
    fn write_chunk(
        &self,
        chunk: &Chunk,
        kept: &Kept,
        old: &File,
        progress: &mut Progress,
    ) -> Result<(), Problem> {
        if progress.successor.is_none() && kept.deleted > 0 {
            progress.successor = Some(self.begin(old, chunk.offset)?);
        }
        if let Some(successor) = &mut progress.successor {
            successor.write(kept.bytes(chunk))?;
        }
        let sifted = &mut progress.sifted;
        sifted.deleted += kept.deleted;
        sifted.read = chunk.offset + chunk.bytes().len() as u64;
        sifted.is_terminated = chunk.bytes().ends_with(b"\n");
        Ok(())
    }

    /// The successor, with all that stands before the first chunk in which something is due.
    fn begin(&self, old: &File, up_to: u64) -> Result<Replacement, Problem> {
        let metadata = old.metadata().map_err(|error| cannot_read(self.path(), &error))?;
        files::require_rewritable(self.path(), &metadata, self.source.rewrite)?;
        let mut successor = Replacement::of(self.path())?;
        successor.copy_beginning(old, up_to)?;
        Ok(successor)
    }
}

impl From<Progress> for Sifting {
    fn from(progress: Progress) -> Sifting {
        match progress.successor {
            Some(successor) => Sifting::Done(Box::new(successor), progress.sifted),
            None => Sifting::NothingDue,
        }
    }
}
