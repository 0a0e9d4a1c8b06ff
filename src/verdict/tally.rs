//! Counting states: what one pass over a table leaves behind.

use serde::{Deserialize, Serialize};

use crate::calendar::{Date, Event, Instant};
use crate::value::Value;

use super::{RuleBook, State, Verdict};

/// How many records are in each state. None is "not counted", never an estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records that the rule matches.
    pub matched: Option<u64>,
    /// To be deleted.
    pub due: Option<u64>,
    /// Kept by a hold.
    pub held: Option<u64>,
    /// Kept by a foreign key.
    pub blocked: Option<u64>,
    /// Kept by another rule.
    pub overruled: Option<u64>,
    /// Kept by a related record.
    pub spared: Option<u64>,
    /// Already anonymised.
    pub done: Option<u64>,
    /// Not started.
    pub waiting: Option<u64>,
    /// In period.
    pub running: Option<u64>,
    /// Kept because they cannot be read.
    pub unreadable: Option<u64>,
    /// Without any related record.
    pub unrelated: Option<u64>,
}

/// The earliest events seen: dates and instants apart, for only due dates compare across them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extremes {
    /// The earliest date.
    pub date: Option<Date>,
    /// The earliest instant.
    pub at: Option<Instant>,
}

impl Extremes {
    #[inline]
    fn add(&mut self, event: Event) {
        match event {
            Event::Date(date) => self.date = Some(self.date.map_or(date, |earliest| earliest.min(date))),
            Event::At(at) => self.at = Some(self.at.map_or(at, |earliest| earliest.min(at))),
        }
    }

    fn merge(&mut self, other: &Extremes) {
        other.events().for_each(|event| self.add(event));
    }

    /// The earliest date and the earliest instant, where there are any.
    pub fn events(&self) -> impl Iterator<Item = Event> + use<> {
        self.date.map(Event::Date).into_iter().chain(self.at.map(Event::At))
    }
}

/// What one rule makes of the records seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Kept because they cannot be read.
    pub unreadable: u64,
    /// Not started.
    pub waiting: u64,
    /// In period.
    pub running: u64,
    /// Kept by another rule.
    pub overruled: u64,
    /// To be deleted.
    pub due: u64,
    /// The earliest events of the due records.
    pub oldest_due: Extremes,
    /// The earliest events of the records in period.
    pub next_due: Extremes,
}

impl Tally {
    #[inline]
    fn add(&mut self, verdict: &Verdict) {
        match verdict.state {
            State::Unreadable => self.unreadable += 1,
            State::Waiting => self.waiting += 1,
            State::Running => self.running += 1,
            State::Overruled => self.overruled += 1,
            State::Due => self.due += 1,
        }
        match (verdict.state, verdict.event) {
            (State::Due, Some(event)) => self.oldest_due.add(event),
            (State::Running, Some(event)) => self.next_due.add(event),
            _ => {}
        }
    }

    /// Judges one record by every rule of the book and counts the verdicts.
    #[inline]
    pub fn count<'v>(tallies: &mut [Tally], book: &RuleBook, row: &impl Fn(usize) -> Value<'v>) {
        for (rule, tally) in tallies.iter_mut().enumerate() {
            if let Some(verdict) = book.judge(rule, row) {
                tally.add(&verdict);
            }
        }
    }

    /// Adds what another pass counted.
    pub fn merge(&mut self, other: &Tally) {
        self.unreadable += other.unreadable;
        self.waiting += other.waiting;
        self.running += other.running;
        self.overruled += other.overruled;
        self.due += other.due;
        self.oldest_due.merge(&other.oldest_due);
        self.next_due.merge(&other.next_due);
    }

    /// The records that the rule matches.
    pub fn matched(&self) -> u64 {
        self.unreadable + self.waiting + self.running + self.overruled + self.due
    }

    /// The counts of a pass that saw every record.
    pub fn counts(&self) -> Counts {
        Counts {
            matched: Some(self.matched()),
            due: Some(self.due),
            held: Some(0),
            blocked: Some(0),
            overruled: Some(self.overruled),
            spared: Some(0),
            done: Some(0),
            waiting: Some(self.waiting),
            running: Some(self.running),
            unreadable: Some(self.unreadable),
            unrelated: Some(0),
        }
    }

    /// The counts of a pass that saw only what may be due.
    pub fn counts_of_met(&self) -> Counts {
        Counts { due: Some(self.due), ..Counts::default() }
    }
}
