//! Cutoffs: the latest event that is due now, so that a record is judged by
//! one comparison.

use std::fmt;

use crate::calendar::{Date, Event, Schedule, Timestamp, civil};

/// The search begins here, two centuries and a margin before the first date
/// that can be read, so that the cutoff of a long period is shown as the
/// date that it is even where nothing readable is due.
const FIRST_DAY: i64 = civil::day_number(1650, 1, 1);
/// It ends one day after the last date that can be read: east of Greenwich
/// the last readable instants belong to that day.
const LAST_DAY: i64 = civil::day_number(2300, 1, 2);

/// Exactly which readable events are due at one instant.
///
/// It can be exact because a later event is never due earlier: whatever the
/// zone does to its clock, [`Schedule::due_from`] never decreases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutoff {
    last_date: Option<Date>,
    last_instant: Option<Timestamp>,
    counts_calendar_days: bool,
}

/// How a cutoff is told to people: what is dated up to here is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueUpTo {
    /// No readable event is due.
    Nothing,
    /// The last civil date that is due, in the policy's zone.
    Date(Date),
    /// The last instant that is due.
    Timestamp(Timestamp),
}

impl Cutoff {
    /// Whether a record of this event is due.
    #[inline]
    pub fn is_due(&self, event: &Event) -> bool {
        match event {
            Event::Date(date) => self.last_date.is_some_and(|last| *date <= last),
            Event::At(instant) => self.last_instant.is_some_and(|last| *instant <= last),
        }
    }

    /// The cutoff in the terms of its period: a date for calendar periods, an
    /// instant for elapsed time.
    pub fn due_up_to(&self) -> DueUpTo {
        let told = if self.counts_calendar_days {
            self.last_date.map(DueUpTo::Date)
        } else {
            self.last_instant.map(DueUpTo::Timestamp)
        };
        told.unwrap_or(DueUpTo::Nothing)
    }

    /// The last event that is a date only and is due.
    pub fn last_due_date(&self) -> Option<Date> {
        self.last_date
    }

    /// The last event that is an instant and is due.
    pub fn last_due_instant(&self) -> Option<Timestamp> {
        self.last_instant
    }
}

impl fmt::Display for DueUpTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DueUpTo::Nothing => f.write_str("nothing"),
            DueUpTo::Date(date) => date.fmt(f),
            DueUpTo::Timestamp(instant) => instant.fmt(f),
        }
    }
}

pub(crate) fn of(schedule: &Schedule, now: Timestamp) -> Cutoff {
    let last_date = last_due_date(schedule, now);
    let last_instant = if schedule.counts_dates() {
        last_date.map(|date| last_instant_of(schedule, date))
    } else {
        now.plus_seconds(-schedule.period().elapsed_seconds().unwrap_or(0))
    };
    Cutoff { last_date, last_instant, counts_calendar_days: schedule.period().is_calendar() }
}

/// The last instant whose civil date is `date` or earlier.
fn last_instant_of(schedule: &Schedule, date: Date) -> Timestamp {
    schedule.zone().opening_of(civil::days_after(date, 1)).predecessor()
}

/// Halves the days between the last one known to be due and the first one
/// known not to be.
fn last_due_date(schedule: &Schedule, now: Timestamp) -> Option<Date> {
    let (mut due, mut not_due) = (FIRST_DAY - 1, LAST_DAY + 1);
    while not_due - due > 1 {
        let middle = due + (not_due - due) / 2;
        if schedule.due_from_date(civil::date_of(middle)) <= now {
            due = middle;
        } else {
            not_due = middle;
        }
    }
    (due >= FIRST_DAY).then(|| civil::date_of(due))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{CountedFrom, Period, Zone};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_now(text, &Zone::UTC).unwrap()
    }

    fn cutoff(counted_from: Option<CountedFrom>, keep: &str, now: &str) -> Cutoff {
        let zone = Zone::parse("Europe/Copenhagen").unwrap();
        Schedule::new(zone, counted_from, Period::parse(keep).unwrap()).cutoff(at(now))
    }

    fn due_up_to(keep: &str, now: &str) -> String {
        cutoff(None, keep, now).due_up_to().to_string()
    }

    #[test]
    fn the_last_days_of_january_are_due_together() {
        assert_eq!(due_up_to("1 month", "2025-02-28T22:59:59Z"), "2025-01-27");
        assert_eq!(due_up_to("1 month", "2025-02-28T23:00:00Z"), "2025-01-31");
        assert_eq!(due_up_to("at most 1 month", "2025-02-27T23:00:00Z"), "2025-01-31");
    }

    #[test]
    fn an_elapsed_period_is_told_as_the_last_due_instant() {
        assert_eq!(due_up_to("24 hours", "2026-11-20T01:00:00Z"), "2026-11-19T01:00:00Z");
        let counted = cutoff(Some(CountedFrom::EndOfMonth), "1 hour", "2026-10-31T23:59:59Z");
        assert_eq!(counted.due_up_to().to_string(), "2026-09-30T21:59:59.999999999Z");
        let an_hour_later = cutoff(Some(CountedFrom::EndOfMonth), "1 hour", "2026-11-01T00:00:00Z");
        assert_eq!(an_hour_later.due_up_to().to_string(), "2026-10-31T22:59:59.999999999Z");
    }

    #[test]
    fn instants_are_due_with_their_date() {
        let cutoff = cutoff(None, "1 month", "2025-02-28T23:00:00Z");
        assert_eq!(cutoff.last_due_date(), Some(Date::from_ymd_opt(2025, 1, 31).unwrap()));
        assert!(cutoff.is_due(&Event::At(at("2025-01-31T22:59:59.999999999Z"))));
        assert!(!cutoff.is_due(&Event::At(at("2025-01-31T23:00:00Z"))));
    }

    #[test]
    fn a_day_that_has_begun_is_not_due_with_the_day_it_went_back_to() {
        // St. John's put its clocks back from 00:01 on 7 November 2010.
        let zone = Zone::parse("America/St_Johns").unwrap();
        let schedule = Schedule::new(zone, None, Period::parse("1 day").unwrap());
        let cutoff = schedule.cutoff(schedule.due_from(Event::At(at("2010-11-07T02:29:59Z"))));
        assert_eq!(cutoff.due_up_to().to_string(), "2010-11-06");
        assert!(cutoff.is_due(&Event::At(at("2010-11-07T02:29:59Z"))));
        assert!(!cutoff.is_due(&Event::At(at("2010-11-07T02:30:00Z"))));
        assert!(!cutoff.is_due(&Event::At(at("2010-11-07T03:00:00Z"))));
    }

    #[test]
    fn long_ago_nothing_readable_is_due_and_at_last_everything() {
        assert_eq!(due_up_to("200 years", "2026-11-20T12:00:00Z"), "1826-11-19");
        let first = Event::Date(Date::from_ymd_opt(1900, 1, 1).unwrap());
        assert!(!cutoff(None, "200 years", "2026-11-20T12:00:00Z").is_due(&first));
        let of_old = Schedule::new(Zone::UTC, None, Period::parse("1 day").unwrap());
        assert_eq!(of_old.cutoff(Timestamp::from_unix(-20_000_000_000, 0)).due_up_to(), DueUpTo::Nothing);
        let last = Event::At(Timestamp::LATEST.predecessor());
        assert!(of_old.cutoff(Timestamp::from_unix(20_000_000_000, 0)).is_due(&last));
    }

    #[test]
    fn every_now_has_an_answer() {
        for now in [Timestamp::NEVER, Timestamp::from_unix(i64::MIN, 0)] {
            for keep in ["200 years", "immediately", "105189120 minutes"] {
                let zone = Zone::parse("Pacific/Apia").unwrap();
                let period = Period::parse(keep).unwrap();
                let cutoff = Schedule::new(zone, None, period).cutoff(now);
                assert_eq!(cutoff.is_due(&Event::At(Timestamp::EARLIEST)), now == Timestamp::NEVER);
            }
        }
    }
}
