//! Counting states: what one pass over a table leaves behind.

use serde::{Deserialize, Serialize};

use crate::calendar::{Date, Event, Timestamp};
use crate::value::Value;

use super::{Evaluator, State, Verdict};

/// How many records are in each state. None is "not counted", never an estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records that the rule matches.
    pub matched: Option<u64>,
    /// To be deleted or anonymised.
    pub due: Option<u64>,
    /// Kept by a hold.
    pub held: Option<u64>,
    /// Kept by a foreign key, or as one of the newest.
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
    pub at: Option<Timestamp>,
    /// The earliest due date among records that have periods of their own.
    pub due: Option<Timestamp>,
}

impl Extremes {
    #[inline]
    fn add(&mut self, event: Event) {
        match event {
            Event::Date(date) => self.date = Some(self.date.map_or(date, |earliest| earliest.min(date))),
            Event::At(at) => self.at = Some(self.at.map_or(at, |earliest| earliest.min(at))),
        }
    }

    fn add_due(&mut self, due: Timestamp) {
        self.due = Some(self.due.map_or(due, |earliest| earliest.min(due)));
    }

    fn merge(&mut self, other: &Extremes) {
        other.events().for_each(|event| self.add(event));
        other.due.into_iter().for_each(|due| self.add_due(due));
    }

    /// The earliest date and the earliest instant, where there are any.
    pub fn events(&self) -> impl Iterator<Item = Event> + use<> {
        self.date.map(Event::Date).into_iter().chain(self.at.map(Event::At))
    }
}

/// The records seen in one state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    records: u64,
    earliest: Extremes,
}

/// What one rule makes of the records seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    // Chosen by number and not by branches: which state comes next cannot be foretold.
    by_state: [Seen; State::COUNT],
    /// Records that nothing is related to which could start their clock, and that no other rule of a run means.
    without_clock: u64,
}

impl Tally {
    /// Counts one verdict.
    #[inline]
    pub fn add(&mut self, verdict: &Verdict) {
        let seen = &mut self.by_state[verdict.state as usize];
        seen.records += 1;
        if let Some(event) = verdict.event {
            seen.earliest.add(event);
        }
        if let Some(due) = verdict.due {
            seen.earliest.add_due(due);
        }
    }

    /// Counts many records of one state, by the earliest of their events.
    pub(super) fn add_many(&mut self, state: State, records: u64, earliest: Event) {
        let seen = &mut self.by_state[state as usize];
        seen.records += records;
        seen.earliest.add(earliest);
    }

    /// How many records are in a state.
    pub fn records(&self, state: State) -> u64 {
        self.by_state[state as usize].records
    }

    /// The earliest events of the records in a state.
    pub fn earliest(&self, state: State) -> Extremes {
        self.by_state[state as usize].earliest
    }

    /// The earliest events of each state.
    pub(crate) fn events(&self) -> impl Iterator<Item = Event> {
        self.by_state.iter().flat_map(|seen| seen.earliest.events())
    }

    /// Judges one record by every rule of the book and counts the verdicts.
    #[inline]
    pub fn count<'v>(tallies: &mut [Tally], book: &Evaluator, row: &impl Fn(usize) -> Value<'v>) {
        for (rule, tally) in tallies.iter_mut().enumerate() {
            if let Some(verdict) = book.judge(rule, row) {
                tally.add(&verdict);
                let is_alone = verdict.state == State::Unrelated && !book.is_meant_by_another(rule, row);
                tally.without_clock += u64::from(is_alone);
            }
        }
    }

    /// Counts a record that is not a proper one: no rule can tell that it is not meant.
    pub fn count_malformed(tallies: &mut [Tally]) {
        for tally in tallies {
            tally.by_state[State::Unreadable as usize].records += 1;
        }
    }

    /// Adds what another pass counted.
    pub fn merge(&mut self, other: &Tally) {
        for (mine, theirs) in self.by_state.iter_mut().zip(&other.by_state) {
            mine.records += theirs.records;
            mine.earliest.merge(&theirs.earliest);
        }
        self.without_clock += other.without_clock;
    }

    /// How many records nothing is related to which could start their clock, and no other rule of a run means.
    pub fn without_clock(&self) -> u64 {
        self.without_clock
    }

    /// The records that the rule matches.
    pub fn matched(&self) -> u64 {
        let all: u64 = self.by_state.iter().map(|seen| seen.records).sum();
        // To those the rule does not apply.
        all - self.records(State::Unrelated)
    }

    /// Records past their period that something keeps, be it `keep-newest`.
    fn blocked(&self) -> u64 {
        self.records(State::Blocked) + self.records(State::Newest)
    }

    /// The counts of a pass that saw every record.
    pub fn counts(&self) -> Counts {
        let records = |state| Some(self.records(state));
        Counts {
            matched: Some(self.matched()),
            due: records(State::Due),
            held: Some(0),
            blocked: Some(self.blocked()),
            overruled: records(State::Overruled),
            spared: records(State::Spared),
            done: records(State::Done),
            waiting: records(State::Waiting),
            running: records(State::Running),
            unreadable: records(State::Unreadable),
            unrelated: records(State::Unrelated),
        }
    }

    /// The counts of a pass that saw only what may be due.
    pub fn counts_of_met(&self) -> Counts {
        let records = |state| Some(self.records(state));
        Counts { due: records(State::Due), blocked: Some(self.blocked()), ..Counts::default() }
    }
}
