//! Due dates once more, slowly and obviously, to compare with.
//!
//! The oracle knows nothing of spells, cutoffs or periods as the rest of the
//! calendar has them. It asks chrono-tz for the local date minute by minute,
//! walks from day to day to the end of a financial year, and judges every
//! record by itself.
mod comparisons;
mod dates;
mod horizons;
mod texts;

use chrono::{DateTime, Datelike, Days, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;

use super::{CountedFrom, Event, FinancialYear, MonthDay, Period, Schedule, Timestamp, Zone};

pub(super) const MINUTE: i64 = 60;

pub(super) fn offset(tz: Tz, second: i64) -> i64 {
    let utc = DateTime::from_timestamp(second, 0).unwrap().naive_utc();
    tz.offset_from_utc_datetime(&utc).fix().local_minus_utc().into()
}

/// What a calendar on the wall shows, which may go back.
pub(super) fn wall_date(tz: Tz, second: i64) -> NaiveDate {
    let local = DateTime::from_timestamp(second + offset(tz, second), 0).unwrap();
    local.date_naive()
}

fn utc_midnight(date: NaiveDate) -> i64 {
    date.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp()
}

/// The first second that shows the date or a later one.
pub(super) fn opening(tz: Tz, date: NaiveDate) -> i64 {
    let shows = |second: &i64| wall_date(tz, *second) >= date;
    let mut minutes = (0..).map(|n| utc_midnight(date) - 16 * 3600 + n * MINUTE);
    let minute = minutes.find(shows).unwrap();
    (minute - MINUTE..=minute).find(shows).unwrap()
}

/// The first second after the last one that shows an earlier date.
pub(super) fn settled(tz: Tz, date: NaiveDate) -> i64 {
    let shows_less = |second: &i64| wall_date(tz, *second) < date;
    let mut minutes = (0..).map(|n| utc_midnight(date) + 16 * 3600 - n * MINUTE);
    let minute = minutes.find(shows_less).unwrap();
    (minute..=minute + MINUTE).rev().find(shows_less).unwrap() + 1
}

/// The latest date that was shown until then.
pub(super) fn date_of(tz: Tz, second: i64) -> NaiveDate {
    (0..26 * 60).map(|n| wall_date(tz, second - n * MINUTE)).max().unwrap()
}

#[derive(Clone, Debug)]
pub(super) enum Length {
    Calendar { months: u32, days: u32, at_most: bool },
    Minutes(u32),
}

#[derive(Clone, Debug)]
pub(super) enum Unit {
    Event,
    Month,
    Quarter,
    Year,
    Financial { ends: (u32, u32), irregular: Vec<NaiveDate> },
}

/// A rule in the oracle's own words.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) tz: Tz,
    pub(super) unit: Unit,
    pub(super) length: Length,
}

impl Unit {
    fn ends_on(&self, date: NaiveDate) -> bool {
        let next = date.succ_opt().unwrap();
        match self {
            Unit::Event => true,
            Unit::Month => next.month() != date.month(),
            Unit::Quarter => next.day() == 1 && [1, 4, 7, 10].contains(&next.month()),
            Unit::Year => next.year() != date.year(),
            Unit::Financial { irregular, .. } if irregular.last().is_some_and(|last| date <= *last) => {
                irregular.contains(&date)
            }
            Unit::Financial { ends: (2, 29), .. } => (next.month(), next.day()) == (3, 1),
            Unit::Financial { ends, .. } => (date.month(), date.day()) == *ends,
        }
    }

    fn end_of(&self, date: NaiveDate) -> NaiveDate {
        date.iter_days().find(|day| self.ends_on(*day)).unwrap()
    }

    fn counted_from(&self) -> Option<CountedFrom> {
        Some(match self {
            Unit::Event => return None,
            Unit::Month => CountedFrom::EndOfMonth,
            Unit::Quarter => CountedFrom::EndOfQuarter,
            Unit::Year => CountedFrom::EndOfYear,
            Unit::Financial { ends: (month, day), irregular } => {
                let ends = MonthDay::parse(&format!("{month:02}-{day:02}")).unwrap();
                let years = FinancialYear::new(ends, irregular.clone()).unwrap();
                CountedFrom::EndOfFinancialYear(years)
            }
        })
    }
}

pub(super) fn months_later(date: NaiveDate, months: u32) -> NaiveDate {
    let month = date.year() * 12 + date.month0() as i32 + months as i32;
    let same_day = |day| NaiveDate::from_ymd_opt(month / 12, month as u32 % 12 + 1, day);
    (1..=date.day()).rev().find_map(same_day).unwrap()
}

impl Rule {
    fn text(&self) -> String {
        match self.length {
            Length::Minutes(0) => "immediately".to_owned(),
            Length::Minutes(minutes) => format!("{minutes} minutes"),
            Length::Calendar { months, days, at_most } => {
                let at_most = if at_most { "at most" } else { "" };
                let months = if months > 0 { format!("{months} months") } else { String::new() };
                let days = if days > 0 { format!("{days} days") } else { String::new() };
                let words = [at_most.to_owned(), months, days];
                words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
            }
        }
    }

    pub(super) fn schedule(&self) -> Schedule {
        let period = Period::parse(&self.text()).unwrap();
        Schedule::new(zone(self.tz), self.unit.counted_from(), period)
    }

    /// The due date, by the sentences of the language.
    pub(super) fn due_from(&self, event: Event) -> Timestamp {
        let moved = !matches!(self.unit, Unit::Event);
        let instant = match event {
            Event::At(instant) if !moved => Some(instant),
            _ => None,
        };
        match self.length {
            Length::Calendar { months, days, at_most } => {
                let start = self.unit.end_of(self.civil_date(event));
                let last = months_later(start, months).checked_add_days(Days::new(days.into())).unwrap();
                let due = if at_most { last } else { last.succ_opt().unwrap() };
                Timestamp::from_unix(settled(self.tz, due), 0)
            }
            Length::Minutes(minutes) => {
                let start = instant.unwrap_or_else(|| {
                    let end = self.unit.end_of(self.civil_date(event));
                    Timestamp::from_unix(settled(self.tz, end.succ_opt().unwrap()), 0)
                });
                let seconds = start.seconds() + i64::from(minutes) * MINUTE;
                Timestamp::from_unix(seconds, start.nanos())
            }
        }
    }

    fn civil_date(&self, event: Event) -> NaiveDate {
        match event {
            Event::Date(date) => date,
            Event::At(instant) => date_of(self.tz, instant.seconds()),
        }
    }
}

pub(super) fn zone(tz: Tz) -> Zone {
    Zone::parse(tz.name()).unwrap()
}
