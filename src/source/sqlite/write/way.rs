//! What the batches of a rule are about, one after the other.

use super::batch::{Leg, Work};
use super::keys::Bound;
use super::parts::Ended;
use super::refusals::Refusals;
use super::search::Search;
use super::together::{Live, Together};
use super::{Conditions, SqliteJob, changes};
use crate::run::batch_sizer::BatchSizer;
use crate::run::job::{Deletion, WriteError};

/// The way through the records of a task.
pub(super) enum Way<'a> {
    /// Each is decided about by itself.
    Alone(Search),
    Together(Together, &'a Live<'a>),
}

impl<'a> Way<'a> {
    /// Begins a transaction.
    pub(super) fn begin(&mut self) {
        match self {
            Way::Alone(search) => search.begin(),
            Way::Together(together, _) => together.begin(),
        }
    }

    /// Whether finding out what comes next may take long, for which no lock is to be held.
    pub(super) fn looks_ahead(&self) -> bool {
        match self {
            Way::Alone(search) => search.looks_ahead(),
            Way::Together(together, _) => together.looks_ahead(),
        }
    }

    /// What the next leg is about; none when there is nothing left.
    pub(super) fn next(
        &mut self,
        task: &SqliteJob<'_>,
        conditions: &Conditions,
        pace: &BatchSizer,
        most: u64,
    ) -> Result<Option<Work<'a>>, WriteError> {
        match self {
            Way::Alone(search) => {
                let keys = search.next(task, conditions, pace, most);
                Ok(keys.map_err(|error| task.halt(&error))?.map(Work::Keys))
            }
            Way::Together(together, live) => {
                let given = together.next(task, live, pace.rows()).map_err(WriteError::Problem)?;
                Ok(given.map(|given| Work::Records(given, live)))
            }
        }
    }

    /// Gives the same records out again: their transaction did not happen.
    pub(super) fn again(&mut self) {
        match self {
            Way::Alone(search) => search.again(),
            Way::Together(together, _) => together.again(),
        }
    }

    /// Goes on behind records that the database does not let go.
    pub(super) fn skip(&mut self, keys: &[Bound], ended: Ended) {
        match self {
            Way::Alone(search) => keys.iter().for_each(|key| search.skip(key)),
            Way::Together(together, live) => together.skip(live, keys, ended),
        }
    }

    /// Learns how a leg ended that might have taken so many rows.
    pub(super) fn ended(
        &mut self,
        task: &SqliteJob<'_>,
        (leg, allowed, pace): (Leg, u64, &BatchSizer),
        refusals: &mut Refusals,
        done: &mut Deletion,
    ) -> Result<(), WriteError> {
        match self {
            Way::Alone(search) => search.ended(leg.refused, leg.held.rows, pace),
            Way::Together(together, live) if leg.ended.is_too_large => {
                let is_shared = task.writer.sees_neighbours();
                together.too_large(live, (allowed, is_shared)).map_err(|error| task.halt(&error))?;
            }
            Way::Together(together, live) => {
                done.is_capped |= leg.ended.is_capped;
                for (number, rows) in &leg.ended.waiting {
                    let key = live.follower.key(live.table, *number);
                    refusals.add(vec![task.refusal(&key, &waits(*rows))]);
                }
                for number in together.ended(leg.ended, allowed) {
                    let key = live.follower.key(live.table, number);
                    refusals.add(vec![task.refusal(&key, &changes(&task.table.name))]);
                }
            }
        }
        Ok(())
    }
}

/// Why a record stays that goes with very many rows.
fn waits(rows: usize) -> String {
    format!(
        "{rows} rows go with it in one transaction, which waits until no other program has the database open"
    )
}
