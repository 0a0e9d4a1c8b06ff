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

/// How often what was appended meanwhile is taken along before the new file takes its place.
const ROUNDS: usize = 8;

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
        let behind = self.follow(&mut exchange).err();
        Ok(Attempt::Ended(Ended::Rewritten { deleted, is_capped, behind }))
    }

    /// Makes the successor whole and durable, with all that was appended meanwhile; whether the
    /// old file is still what was read.
    fn settle(&self, exchange: &mut Exchange<'_>) -> Result<bool, Problem> {
        for round in 0.. {
            match self.appended(exchange)? {
                None => return Ok(false),
                Some(0) if exchange.successor.is_synced() => return Ok(true),
                // Where lines come faster than the disk takes them, the last are followed afterwards.
                Some(_) if exchange.successor.is_synced() && round >= ROUNDS => return Ok(true),
                Some(_) => {}
            }
            let Exchange { old, successor, tail, .. } = exchange;
            tail.take(successor)?;
            successor.take_over(old)?;
            successor.sync()?;
        }
        Ok(false)
    }

    /// How much was appended to the old file that is not taken; none where it is no longer what
    /// was read, or another file stands in its place.
    fn appended(&self, exchange: &Exchange<'_>) -> Result<Option<u64>, Problem> {
        let now = stamp(exchange.old, self.path())?;
        let there = fs::metadata(self.path()).map_err(|error| cannot_open(self.path(), &error))?;
        let is_there = Stamp::of(&there).is_same_file(&now);
        let was_edited = now.size == exchange.before.size && now != *exchange.before;
        let appended = exchange.tail.grown()?.filter(|appended| *appended == 0 || exchange.may_grow);
        Ok(appended.filter(|_| is_there && !was_edited))
    }

    /// Programs that had the old file open may have written to it until now.
    fn follow(&self, exchange: &mut Exchange<'_>) -> Result<(), Problem> {
        let Exchange { successor, tail, .. } = exchange;
        // A compressed file is not appended to.
        if successor.can_grow() && tail.follow(successor)? {
            let path = self.path().display();
            tracing::warn!(
                "{path}: a program wrote to the old file after the new one took its place. Its lines were taken \
                 along; let it open the file again, or set `rewrite` in the policy"
            );
        }
        Ok(())
    }
}
