//! Letting a new file take the place of the old one.

use std::time::Duration;

use super::doubt::Moving;
use super::reading::Reading;
use super::replacement::{Replacement, path_beside, sync_folder};
use super::rewrite::{Exchanged, Rewriting};
use super::sift::Sifted;
use super::tail::Tail;
use crate::run::job::{Journal, WriteError};
use crate::source::Problem;

/// How often what was appended meanwhile is taken along before the new file takes its place.
const ROUNDS: usize = 8;

/// How often, and after which time each, the rest of a line is looked for.
const LOOKS: usize = 50;
const PAUSE: Duration = Duration::from_millis(2);

/// What is about to be replaced, and by what.
struct Exchange<'a> {
    old: &'a Reading<'a>,
    successor: Replacement,
    tail: Tail<'a>,
    /// Whether what is appended meanwhile can be taken along.
    may_grow: bool,
}

impl Rewriting<'_> {
    /// Makes the new file durable and moves it.
    pub(super) fn replace(
        &self,
        old: &Reading<'_>,
        successor: Replacement,
        sifted: Sifted,
        is_restless: bool,
        journal: &mut dyn Journal,
    ) -> Result<Exchanged, WriteError> {
        let may_grow = sifted.may_grow(is_restless) && successor.can_grow();
        // What a compressed file holds is longer than the file: it is judged by its stamp alone.
        let taken = if successor.can_grow() { sifted.read } else { old.before.size };
        let tail = Tail::behind(taken, old.file, self.path());
        let mut exchange = Exchange { old, successor, tail, may_grow };
        if !Self::settle(&mut exchange)? {
            return Ok(Exchanged::Not);
        }
        let (device, inode) = exchange.successor.identity()?;
        let moving = Moving { from: path_beside(self.path()), to: self.path().to_path_buf(), device, inode };
        journal.announce(self.number, sifted.deleted, moving.mark())?;
        // Writing to the ledger takes its time, in which lines may have come.
        // So may have changed in which of the files the newest are.
        let moved = match Self::settle(&mut exchange).map(|is_as_read| is_as_read && self.newest.stands()) {
            Ok(true) => exchange.successor.replace(),
            Ok(false) => {
                journal.undo(self.number)?;
                return Ok(Exchanged::Not);
            }
            Err(problem) => Err(problem),
        };
        if let Err(problem) = moved {
            journal.undo(self.number)?;
            return Err(WriteError::Problem(problem));
        }
        sync_folder(self.path()).map_err(WriteError::Doubt)?;
        let behind = self.follow(&mut exchange).err();
        Ok(Exchanged::Done { behind })
    }

    /// Makes the successor whole and durable, with all that was appended meanwhile; whether the
    /// old file is still what was read. Half a line is waited for: its rest would come behind what others
    /// write to the new file.
    fn settle(exchange: &mut Exchange<'_>) -> Result<bool, Problem> {
        let mut looks = LOOKS;
        for round in 0.. {
            let Some(appended) = Self::appended(exchange)? else { return Ok(false) };
            let Exchange { old, successor, tail, may_grow } = exchange;
            let waits = *may_grow && looks > 0 && tail.is_within_a_line()?;
            // Where lines come faster than the disk takes them, the last are followed afterwards.
            let is_enough = if appended == 0 { !waits } else { round >= ROUNDS };
            if successor.is_synced() && is_enough {
                return Ok(true);
            }
            // What came since the look, to a file that may not grow, is seen at the next one.
            let is_half = *may_grow && tail.take_lines(successor)?;
            if waits {
                looks -= 1;
                std::thread::sleep(PAUSE);
                continue;
            }
            if is_half && looks == 0 {
                tail.take_all(successor)?;
            }
            successor.take_over(old.file)?;
            successor.sync()?;
        }
        Ok(false)
    }

    /// How much was appended to the old file that is not taken; none where it is no longer what
    /// was read.
    fn appended(exchange: &Exchange<'_>) -> Result<Option<u64>, Problem> {
        let appended = exchange.old.appended(exchange.tail.taken())?;
        Ok(appended.filter(|appended| *appended == 0 || exchange.may_grow))
    }

    /// Programs that had the old file open may have written to it until now.
    fn follow(&self, exchange: &mut Exchange<'_>) -> Result<(), Problem> {
        let Exchange { successor, tail, .. } = exchange;
        // A compressed file is not appended to.
        if !successor.can_grow() {
            return Ok(());
        }
        let (followed, path) = (tail.follow(successor)?, self.path().display());
        if followed.is_held {
            tracing::warn!(
                "{path}: a program has the old file open, and what it writes there from now on is lost; let it open \
                 the file again, or set `rewrite` in the policy"
            );
        } else if followed.has_grown {
            tracing::warn!(
                "{path}: a program wrote to the old file after the new one took its place. Its lines were taken \
                 along; let it open the file again, or set `rewrite` in the policy"
            );
        }
        Ok(())
    }
}
