//! A transaction that goes on for as long as nobody waits for it.
//!
//! A short one writes again nearly every page of an index that is in random order, and the next one does so once more.
//! Where no other program has the database open there is no reason for that.

use std::time::{Duration, Instant};

use super::batch::{Continuation, Leg, Next};
use super::refusals::Refusals;
use super::way::Way;
use super::{Conditions, SqliteJob};
use crate::run::batch_sizer::BatchSizer;
use crate::run::job::{Deletion, WriteError};
use crate::run::stop::Stop;

/// As long a transaction may take, which is what is lost when it is killed.
const LONGEST: Duration = Duration::from_secs(10);

/// The most bytes that it may leave in the log, which stands beside the database until they are moved.
const LONGEST_LOG: u64 = 512 * 1024 * 1024;

/// The most records, of which those take memory that others depend on.
const MOST: u64 = 1_000_000;
const MOST_NOTED: u64 = 50_000;

/// What may follow in a transaction, and what it learns from its legs.
pub(super) struct LongTransaction<'o, 'a> {
    task: &'o SqliteJob<'o>,
    conditions: &'o Conditions,
    stop: &'o Stop,
    way: &'o mut Way<'a>,
    pace: &'o mut BatchSizer,
    refusals: &'o mut Refusals,
    done: &'o mut Deletion,
    most: u64,
    may_go_on: bool,
    began: Instant,
}

impl<'o, 'a> LongTransaction<'o, 'a> {
    pub(super) fn new(
        (task, conditions, stop): (&'o SqliteJob<'o>, &'o Conditions, &'o Stop),
        (way, pace, refusals, done): (
            &'o mut Way<'a>,
            &'o mut BatchSizer,
            &'o mut Refusals,
            &'o mut Deletion,
        ),
        (most, may_go_on): (u64, bool),
    ) -> LongTransaction<'o, 'a> {
        let began = Instant::now();
        LongTransaction { task, conditions, stop, way, pace, refusals, done, most, may_go_on, began }
    }

    fn goes_on(&self, records: u64) -> bool {
        let most = if self.task.evidence.is_watching() { MOST_NOTED } else { MOST };
        self.may_go_on
            && records < most.min(self.most)
            && self.began.elapsed() < LONGEST
            && self.stop.reason().is_none()
            && !self.task.writer.has_neighbours()
            && self.task.writer.log_size() < LONGEST_LOG
    }
}

impl<'a> Continuation<'a> for LongTransaction<'_, 'a> {
    fn behind(&mut self, leg: Leg, records: u64) -> Result<Next<'a>, WriteError> {
        if !self.goes_on(records) {
            return Ok(Next::Commit(Some(leg)));
        }
        let (allowed, most) = (self.pace.rows(), self.most - records);
        self.pace.learn(leg.held);
        self.way.ended(self.task, (leg, allowed, self.pace), self.refusals, self.done)?;
        if self.way.looks_ahead() {
            return Ok(Next::Commit(None));
        }
        let next = self.way.next(self.task, self.conditions, self.pace, most)?;
        Ok(next.map_or(Next::Commit(None), |work| Next::Leg(work, *self.pace, most)))
    }
}
