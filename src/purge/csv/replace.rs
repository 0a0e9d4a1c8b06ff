//! Letting a new file take the place of the old one.

use std::fs::{self, File};

use super::doubt::Moving;
use super::rewrite::{Attempt, Ended, Rewriting, stamp};
use super::sift::Sifted;
use super::successor::{Successor, path_beside, sync_folder};
use super::tail::Tail;
use crate::dataset::Problem;
use crate::dataset::csv::files::{Stamp, cannot_open};
use crate::purge::job::{Halt, Journal};

/// What is about to be replaced, and by what.
struct Exchange<'a> {
    old: &'a File,
    before: &'a Stamp,
    successor: Successor,
    tail: Tail<'a>,
    /// Whether what is appended meanwhile can be taken along.
    may_grow: bool,
}

impl Rewriting<'_> {
    /// Makes the new file durable and moves it.
    pub(super) fn replace(
        &self,
        (old, before): (&File, &Stamp),
        sifted: Sifted,
        is_restless: bool,
        journal: &mut dyn Journal,
    ) -> Result<Attempt, Halt> {
        let Sifted { successor, deleted, is_capped, read, is_terminated } = sifted;
        let may_grow = (is_terminated || is_restless) && successor.can_grow();
        // What a compressed file holds is longer than the file: it is judged by its stamp alone.
        let taken = if successor.can_grow() { read } else { before.size };
        let tail = Tail::behind(taken, old, self.path());
        let mut exchange = Exchange { old, before, successor, tail, may_grow };
        if !self.settle(&mut exchange)? {
            return Ok(Attempt::Changed);
        }
        let (device, inode) = exchange.successor.identity()?;
        let moving = Moving { from: path_beside(self.path()), to: self.path().to_path_buf(), device, inode };
        journal.announce(self.number, deleted, moving.mark())?;
        // Writing to the ledger takes its time, in which lines may have come.
        let moved = match self.settle(&mut exchange) {
            Ok(true) => exchange.successor.replace(),
            Ok(false) => {
                journal.undo(self.number)?;
                return Ok(Attempt::Changed);
            }
            Err(problem) => Err(problem),
        };
        if let Err(problem) = moved {
            journal.undo(self.number)?;
            return Err(Halt::Problem(problem));
        }
        sync_folder(self.path()).map_err(Halt::Doubt)?;
        let behind = self.follow(&mut exchange.tail).err();
        Ok(Attempt::Ended(Ended::Rewritten { deleted, is_capped, behind }))
    }

    /// Makes the successor whole and durable, with all that was appended meanwhile; whether the
    /// old file is still what was read.
    fn settle(&self, exchange: &mut Exchange<'_>) -> Result<bool, Problem> {
        let Exchange { old, before, successor, tail, may_grow } = exchange;
        loop {
            let now = stamp(old, self.path())?;
            let there = fs::metadata(self.path()).map_err(|error| cannot_open(self.path(), &error))?;
            let is_there = Stamp::of(&there).is_same_file(&now);
            let was_edited = now.size == before.size && now != **before;
            let grown = tail.grown()?;
            if grown.is_none() || was_edited || !is_there || (grown > Some(0) && !*may_grow) {
                return Ok(false);
            }
            if grown == Some(0) && successor.is_synced() {
                return Ok(true);
            }
            tail.take(successor)?;
            successor.take_over(old)?;
            successor.sync()?;
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
