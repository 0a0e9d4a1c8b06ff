//! How long a rule keeps a record: as long as every other, or as its own data says.

use super::Reason;
use super::related::Lasting;
use crate::calendar::{Cutoff, Event, Longest, PeriodReading, Schedule, Timestamp, WrittenPeriods};
use crate::value::Value;

/// How long a rule keeps, ready to judge.
#[derive(Clone, Debug)]
pub(super) enum Length {
    /// One period for all records, and so one cutoff.
    Fixed { schedule: Schedule, cutoff: Cutoff },
    /// What the data says of each.
    FromData(Box<FromData>),
}

/// Where the data says how long a record is kept.
#[derive(Clone, Debug)]
pub(super) struct FromData {
    /// The place of the cell that says it.
    pub(super) cell: usize,
    /// How the record's own column writes periods; none where related rows say it.
    pub(super) own: Option<WrittenPeriods>,
    /// A schedule for no time at all, counted as every period is.
    pub(super) counted: Schedule,
    pub(super) cap: Option<Schedule>,
    pub(super) now: Timestamp,
}

/// What the data says of one record.
pub(super) enum Said<'a> {
    /// That long.
    For(Term<'a>),
    /// Nothing yet.
    Nothing,
    Unreadable(Reason),
}

/// The periods of one record, of which the longest counts.
pub(super) struct Term<'a> {
    schedules: Vec<Schedule>,
    cap: Option<&'a Schedule>,
}

impl FromData {
    pub(super) fn read<'v>(&self, row: &impl Fn(usize) -> Value<'v>) -> Said<'_> {
        let value = row(self.cell);
        match &self.own {
            Some(periods) => match periods.read(value) {
                PeriodReading::Empty => Said::Nothing,
                PeriodReading::Unreadable(why) => Said::Unreadable(Reason::Period { cell: self.cell, why }),
                PeriodReading::Period(period) => {
                    let mut longest = Longest::default();
                    longest.add(period);
                    Said::For(self.term(&longest))
                }
            },
            None => match Lasting::from_cell(value) {
                Lasting::Nothing | Lasting::NotSaid => Said::Nothing,
                Lasting::Unreadable => Said::Unreadable(Reason::RelatedPeriod(self.cell)),
                Lasting::Periods(longest) => Said::For(self.term(&longest)),
            },
        }
    }

    fn term(&self, longest: &Longest) -> Term<'_> {
        let schedules = longest.iter().map(|period| self.counted.with_period(period.clone()));
        Term { schedules: schedules.collect(), cap: self.cap.as_ref() }
    }
}

impl Term<'_> {
    /// The first instant at which a record of this event is due.
    pub(super) fn due_from(&self, event: Event) -> Timestamp {
        let said = self.schedules.iter().map(|schedule| schedule.due_from(event)).max();
        let said = said.unwrap_or(Timestamp::NEVER);
        self.cap.map_or(said, |cap| said.min(cap.due_from(event)))
    }
}
