//! The calendar of retention, found by walking day by day and minute by minute.

use std::cell::RefCell;
use std::collections::HashMap;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use chrono_tz::{OffsetComponents, Tz};

use super::period::Length;

/// When something happened, as the model knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Event {
    Date(NaiveDate),
    At(DateTime<Utc>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Counted {
    Month,
    Quarter,
    Year,
    FinancialYear,
}

#[derive(Debug)]
pub(super) struct Calendar {
    pub(super) zone: Tz,
    /// Month and day; a day that a year does not have is the last one of its month.
    pub(super) financial_end: (u32, u32),
    pub(super) irregular_ends: Vec<NaiveDate>,
    starts: RefCell<HashMap<NaiveDate, DateTime<Utc>>>,
}

impl Counted {
    /// Financial years have the most to go wrong.
    pub(super) const DRAWN: [Counted; 5] =
        [Counted::Month, Counted::Quarter, Counted::Year, Counted::FinancialYear, Counted::FinancialYear];

    pub(super) fn word(self) -> &'static str {
        match self {
            Counted::Month => "end-of-month",
            Counted::Quarter => "end-of-quarter",
            Counted::Year => "end-of-year",
            Counted::FinancialYear => "end-of-financial-year",
        }
    }
}

impl Calendar {
    pub(super) fn new(zone: Tz, financial_end: (u32, u32), irregular_ends: Vec<NaiveDate>) -> Calendar {
        Calendar { zone, financial_end, irregular_ends, starts: RefCell::default() }
    }

    fn shown(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// The first instant from which no clock shows an earlier day again.
    pub(super) fn start_of(&self, day: NaiveDate) -> DateTime<Utc> {
        if let Some(known) = self.starts.borrow().get(&day) {
            return *known;
        }
        let mut at = day.and_hms_opt(12, 0, 0).unwrap().and_utc() + TimeDelta::hours(40);
        while self.shown(at) >= day {
            at -= TimeDelta::minutes(15);
        }
        // Times before 1970 have offsets with seconds; none are drawn.
        while self.shown(at) < day {
            at += TimeDelta::minutes(1);
        }
        self.starts.borrow_mut().insert(day, at);
        at
    }

    /// The latest day that a clock has shown by then: one that has begun counts as begun.
    pub(super) fn date_of(&self, at: DateTime<Utc>) -> NaiveDate {
        let offset = |at: DateTime<Utc>| {
            let offset = *at.with_timezone(&self.zone).offset();
            offset.base_utc_offset() + offset.dst_offset()
        };
        if offset(at) == offset(at - TimeDelta::hours(3)) {
            return self.shown(at);
        }
        let before = (0..180).map(|minutes| self.shown(at - TimeDelta::minutes(minutes)));
        before.max().unwrap()
    }

    fn is_end(&self, day: NaiveDate, counted: Counted) -> bool {
        let next = day.succ_opt().unwrap();
        let is_new_month = next.month() != day.month();
        match counted {
            Counted::Month => is_new_month,
            Counted::Quarter => is_new_month && [3, 6, 9, 12].contains(&day.month()),
            Counted::Year => next.year() != day.year(),
            Counted::FinancialYear if self.irregular_ends.last().is_some_and(|last| day <= *last) => {
                self.irregular_ends.contains(&day)
            }
            Counted::FinancialYear => {
                let (month, last) = self.financial_end;
                day.month() == month && (day.day() == last || (day.day() < last && is_new_month))
            }
        }
    }

    /// The end of what contains a day.
    pub(super) fn end_of(&self, day: NaiveDate, counted: Counted) -> NaiveDate {
        day.iter_days().find(|day| self.is_end(*day, counted)).unwrap()
    }

    /// From when what happened then is due.
    pub(super) fn due(&self, event: Event, counted: Option<Counted>, length: Length) -> DateTime<Utc> {
        let day = match event {
            Event::Date(date) => date,
            Event::At(at) => self.date_of(at),
        };
        let moved = counted.map(|counted| self.end_of(day, counted));
        match length {
            Length::Elapsed { minutes } => {
                let end = |day: NaiveDate| self.start_of(day.succ_opt().unwrap());
                let from = match (moved, event) {
                    (Some(day), _) | (None, Event::Date(day)) => end(day),
                    (None, Event::At(at)) => at,
                };
                from + TimeDelta::minutes(minutes)
            }
            Length::Calendar { months, days, at_most } => {
                let last = plus(moved.unwrap_or(day), months, days);
                self.start_of(if at_most { last } else { last.succ_opt().unwrap() })
            }
        }
    }
}

/// Months in one step, with the day of the same number or the last one before it, then days.
fn plus(day: NaiveDate, months: u32, days: u32) -> NaiveDate {
    let (mut year, mut month) = (day.year(), day.month());
    for _ in 0..months {
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
    let same = (1..=day.day()).rev().find_map(|number| NaiveDate::from_ymd_opt(year, month, number));
    same.unwrap().iter_days().nth(days as usize).unwrap()
}
