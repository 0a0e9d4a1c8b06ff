//! What the language says of one record under all rules of its table: slow, obvious, and
//! written from the sentences of the language alone.

use std::cmp::Reverse;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::g01_cells::{Meaning, resolve};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Keep {
    pub(crate) text: &'static str,
    months: u32,
    days: u64,
    minutes: i64,
    at_most: bool,
    /// About how long it is, to find events that have just become due.
    pub(crate) about_days: i64,
}

const fn calendar(text: &'static str, months: u32, days: u64) -> Keep {
    let about_days = months as i64 * 61 / 2 + days as i64;
    Keep { text, months, days, minutes: -1, at_most: false, about_days }
}

const fn elapsed(text: &'static str, minutes: i64) -> Keep {
    Keep { text, months: 0, days: 0, minutes, at_most: false, about_days: minutes / 1440 }
}

pub(crate) const KEEPS: [Keep; 11] = [
    calendar("1 day", 0, 1),
    calendar("2 weeks", 0, 14),
    calendar("1 month", 1, 0),
    calendar("2 months 3 days", 2, 3),
    calendar("1 year", 12, 0),
    calendar("1 year 1 month 1 week 1 day", 13, 8),
    Keep { at_most: true, ..calendar("at most 1 month", 1, 0) },
    Keep { at_most: true, ..calendar("at most 6 months", 6, 0) },
    elapsed("immediately", 0),
    elapsed("90 minutes", 90),
    elapsed("36 hours 30 minutes", 36 * 60 + 30),
];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum CountedFrom {
    Event,
    Month,
    Quarter,
    Year,
    /// A financial year that ends on 30 June.
    FinancialYear,
}

impl CountedFrom {
    fn end_of(self, date: NaiveDate) -> NaiveDate {
        let ends = |day: &NaiveDate| {
            let next = day.succ_opt().unwrap();
            match self {
                CountedFrom::Event => true,
                CountedFrom::Month => next.day() == 1,
                CountedFrom::Quarter => next.day() == 1 && next.month() % 3 == 1,
                CountedFrom::Year => next.day() == 1 && next.month() == 1,
                CountedFrom::FinancialYear => next.day() == 1 && next.month() == 7,
            }
        };
        date.iter_days().find(ends).unwrap()
    }
}

/// The answer of a condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Answer {
    Yes,
    No,
    Unknown,
    Unreadable,
}

/// One rule for one record: what its condition answers and what its event means.
pub(crate) struct Asked {
    pub(crate) keep: Keep,
    pub(crate) counted_from: CountedFrom,
    pub(crate) when: Answer,
    pub(crate) event: Meaning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Unreadable,
    Waiting,
    Running,
    Overruled,
    Due,
}

/// What a record is under one rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) state: State,
    /// The event's date in the zone, and from when the record is due.
    pub(crate) dates: Option<(NaiveDate, DateTime<Utc>)>,
}

/// The record's verdict under every rule; none where a rule does not match.
pub(crate) fn judge(rules: &[Asked], zone: Tz, now: DateTime<Utc>) -> Vec<Option<Verdict>> {
    let alone: Vec<Option<Verdict>> = rules.iter().map(|rule| rule.alone(zone, now)).collect();
    let all_due = alone.iter().flatten().all(|verdict| verdict.state == State::Due);
    // The latest due date rules; of equal ones the rule written first.
    let due = |place: usize| alone[place].and_then(|verdict| verdict.dates).map(|(_, due)| due);
    let matching = (0..rules.len()).filter(|place| alone[*place].is_some());
    let winner = matching.max_by_key(|place| (due(*place), Reverse(*place))).filter(|_| all_due);
    let overruled = |place: usize, verdict: Verdict| match verdict.state {
        State::Due if winner != Some(place) => Verdict { state: State::Overruled, ..verdict },
        _ => verdict,
    };
    alone
        .iter()
        .enumerate()
        .map(|(place, verdict)| verdict.map(|verdict| overruled(place, verdict)))
        .collect()
}

impl Asked {
    fn alone(&self, zone: Tz, now: DateTime<Utc>) -> Option<Verdict> {
        match self.when {
            Answer::No | Answer::Unknown => return None,
            Answer::Unreadable => return Some(Verdict { state: State::Unreadable, dates: None }),
            Answer::Yes => {}
        }
        Some(match self.event {
            Meaning::Unreadable => Verdict { state: State::Unreadable, dates: None },
            Meaning::Empty => Verdict { state: State::Waiting, dates: None },
            Meaning::Date(date) => self.dated(date, self.due_from_date(zone, date), now),
            Meaning::At(at) => {
                let date = at.with_timezone(&zone).date_naive();
                let moved = self.counted_from != CountedFrom::Event || self.keep.minutes < 0;
                let due = if moved { self.due_from_date(zone, date) } else { self.elapsed_after(at) };
                self.dated(date, due, now)
            }
        })
    }

    fn dated(&self, date: NaiveDate, due: DateTime<Utc>, now: DateTime<Utc>) -> Verdict {
        let state = if due <= now { State::Due } else { State::Running };
        Verdict { state, dates: Some((date, due)) }
    }

    fn elapsed_after(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        at + TimeDelta::minutes(self.keep.minutes)
    }

    fn due_from_date(&self, zone: Tz, date: NaiveDate) -> DateTime<Utc> {
        let start = self.counted_from.end_of(date);
        if self.keep.minutes >= 0 {
            return self.elapsed_after(start_of_day(zone, start + Days::new(1)));
        }
        let last = months_later(start, self.keep.months) + Days::new(self.keep.days);
        start_of_day(zone, if self.keep.at_most { last } else { last + Days::new(1) })
    }
}

fn months_later(date: NaiveDate, months: u32) -> NaiveDate {
    let month = date.month0() + months;
    let (year, month) = (date.year() + i32::try_from(month / 12).unwrap(), month % 12 + 1);
    (1..=date.day()).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day)).unwrap()
}

pub(crate) fn start_of_day(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    resolve(zone, date.and_time(NaiveTime::MIN))
}
