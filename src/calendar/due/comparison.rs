//! Two schedules side by side: whether any event is due under one before it is due under the other.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use crate::calendar::due::horizon::first_listed;
use crate::calendar::{Date, Event, Schedule, Zone, civil};

const FIRST_READABLE: i64 = civil::day_number(1900, 1, 1);
const LAST_READABLE: i64 = civil::day_number(2299, 12, 31);
/// Where the search begins, so that the first event it finds is one that people know.
const OF_OUR_TIME: i64 = civil::day_number(2024, 1, 1);

impl Schedule {
    /// Whether a record of this event is due before it would be under another schedule of the same
    /// zone, or after.
    pub fn compare_due(&self, other: &Schedule, event: Event) -> Ordering {
        if let Event::Date(date) = event
            && let Some(order) = order_by_days(self.days_around_due(date), other.days_around_due(date))
        {
            return order;
        }
        match (self.day_due(event), other.day_due(event)) {
            (Some(day), Some(other)) => day.cmp(&other),
            _ => self.due_from(event).cmp(&other.due_from(event)),
        }
    }

    /// Days between which an event of this date is due, whatever its time and the zone: no clock is
    /// two days away from UTC.
    fn days_around_due(&self, date: Date) -> RangeInclusive<i64> {
        let (first, last) = match self.first_day_due(date) {
            Some(day) => (civil::number_of(day), civil::number_of(day)),
            None => {
                let begins = civil::number_of(self.start(date));
                let days = self.period().elapsed_seconds().unwrap_or(0) / civil::SECONDS_PER_DAY;
                (begins + days, begins + days + 2)
            }
        };
        first - 2..=last + 2
    }

    /// The day from whose start a record of this event is due; none where the period is elapsed
    /// time, which may end within a day.
    pub fn day_due(&self, event: Event) -> Option<Date> {
        self.first_day_due(event.date_in(self.zone()))
    }
}

/// Which of two due dates comes first, where that can be told from the days alone.
fn order_by_days(one: RangeInclusive<i64>, other: RangeInclusive<i64>) -> Option<Ordering> {
    if one.end() < other.start() {
        Some(Ordering::Less)
    } else {
        (other.end() < one.start()).then_some(Ordering::Greater)
    }
}

impl Schedule {
    /// The first event that is due earlier under this schedule than under another.
    pub fn first_earlier(&self, than: &Schedule) -> Option<Event> {
        if self == than {
            return None;
        }
        telling_events(&[self, than]).find(|event| self.compare_due(than, *event).is_lt())
    }
}

/// Events of every readable date that tell how schedules of one zone compare on all events.
///
/// Where all of them look at civil dates alone, one event a date is enough. Elapsed time runs from
/// the instant: there the first instant of a date is the worst for one side and the end of the date
/// for the other, because only one of two due dates can move with the time of day. (If both do,
/// they keep their distance.)
///
/// Dates before the first listed financial year are left out: the list says that there are none.
pub fn telling_events<'a>(schedules: &'a [&'a Schedule]) -> impl Iterator<Item = Event> + 'a {
    let zone = schedules.first().map_or(Zone::UTC, |schedule| schedule.zone());
    let by_date = schedules.iter().all(|schedule| schedule.counts_dates());
    let first = first_listed(schedules.iter().copied());
    let first = first.map_or(FIRST_READABLE, |date| civil::number_of(date).max(FIRST_READABLE));
    let ours = first.max(OF_OUR_TIME)..LAST_READABLE + 1;
    ours.chain(first..OF_OUR_TIME).map(civil::date_of).flat_map(move |date| {
        let opening = if by_date || far_apart(schedules, date) { None } else { first_instant(zone, date) };
        opening.into_iter().chain([Event::Date(date)])
    })
}

/// Whether the time of day cannot change the order of any two due dates. Without this look at the
/// days first, asking the zone about every date takes a noticeable time.
fn far_apart(schedules: &[&Schedule], date: Date) -> bool {
    let mut days: Vec<_> = schedules.iter().map(|schedule| schedule.days_around_due(date)).collect();
    days.sort_unstable_by_key(|days| *days.start());
    days.is_sorted_by(|before, after| before.end() < after.start())
}

/// The first instant of a date, unless the zone skipped it.
fn first_instant(zone: Zone, date: Date) -> Option<Event> {
    let opening = zone.opening_of(date);
    (zone.date_of(opening) == date).then_some(Event::At(opening))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{CountedFrom, FinancialYear, MonthDay, Period};

    fn schedule(keep: &str, counted_from: Option<CountedFrom>) -> Schedule {
        let zone = Zone::parse("Europe/Copenhagen").unwrap();
        Schedule::new(zone, counted_from, Period::parse(keep).unwrap())
    }

    fn financial_year(ends: &str, irregular: &[&str]) -> CountedFrom {
        let irregular = irregular.iter().map(|text| text.parse().unwrap()).collect();
        CountedFrom::EndOfFinancialYear(
            FinancialYear::new(MonthDay::parse(ends).unwrap(), irregular).unwrap(),
        )
    }

    /// The first event that is due earlier under the first schedule.
    fn earlier(one: &Schedule, other: &Schedule) -> Option<String> {
        one.first_earlier(other).map(|event| event.in_zone(one.zone()))
    }

    fn first(keep: &str, other: &str) -> Option<String> {
        earlier(&schedule(keep, None), &schedule(other, None))
    }

    #[test]
    fn days_and_years_are_compared_over_every_leap_year() {
        assert_eq!(first("1825 days", "5 years").as_deref(), Some("2024-01-01"));
        // Five years have at most two leap days.
        assert_eq!(first("1827 days", "5 years"), None);
        assert_eq!(first("1826 days", "5 years").as_deref(), Some("2024-01-01"));
        // Eight years have two leap days, and one where they reach over a century.
        assert_eq!(first("8 years", "2921 days"), None);
        assert_eq!(first("8 years", "2922 days").as_deref(), Some("2092-02-29"));
    }

    #[test]
    fn an_upper_bound_ends_a_day_early() {
        assert_eq!(first("at most 30 days", "30 days").as_deref(), Some("2024-01-01"));
        assert_eq!(first("30 days", "at most 31 days"), None);
        assert_eq!(first("at most 31 days", "30 days"), None);
    }

    #[test]
    fn hours_are_compared_with_days_at_the_worst_time_of_day() {
        // From the first instant of a day to the end of the next one there are 48 hours, or one more
        // where the clock is set back.
        assert_eq!(first("48 hours", "1 day").as_deref(), Some("2024-10-26T00:00:00+02:00"));
        assert_eq!(first("49 hours", "1 day"), None);
        // From the end of a day 24 hours end with the next one, or after it where it has 23.
        assert_eq!(first("1 day", "24 hours").as_deref(), Some("2024-03-30"));
        assert_eq!(first("1 day", "23 hours"), None);
        assert_eq!(first("immediately", "1 minute").as_deref(), Some("2024-01-01T00:00:00+01:00"));
        assert_eq!(first("24 hours", "1440 minutes"), None);
    }

    #[test]
    fn ends_of_years_are_compared_as_they_lie() {
        let counted = |keep: &str, ends: &str| schedule(keep, Some(financial_year(ends, &[])));
        let calendar_year = schedule("10 years", Some(CountedFrom::EndOfYear));
        assert_eq!(earlier(&counted("10 years", "12-31"), &calendar_year), None);
        assert_eq!(earlier(&counted("10 years", "06-30"), &calendar_year).as_deref(), Some("2024-01-01"));
        assert_eq!(
            earlier(&counted("10 years 6 months", "06-30"), &calendar_year).as_deref(),
            Some("2024-01-01")
        );
        assert_eq!(earlier(&counted("10 years 6 months 1 day", "06-30"), &calendar_year), None);
    }

    #[test]
    fn dates_before_the_first_listed_year_are_no_events() {
        let listed = schedule("1 year", Some(financial_year("12-31", &["2020-12-31", "2022-03-31"])));
        // The long year of 15 months begins with 2021.
        assert_eq!(earlier(&schedule("27 months", None), &listed), None);
        assert_eq!(earlier(&schedule("26 months", None), &listed).as_deref(), Some("2021-01-01"));
        assert_eq!(telling_events(&[&listed]).min(), Some(Event::Date("2020-01-01".parse().unwrap())));
    }

    #[test]
    fn every_readable_date_is_looked_at_once() {
        let mut events: Vec<Event> = telling_events(&[&schedule("1 day", None)]).collect();
        events.sort_unstable();
        events.dedup();
        assert_eq!(events.len(), 146_097);
        assert_eq!(events.first(), Some(&Event::Date("1900-01-01".parse().unwrap())));
        assert_eq!(events.last(), Some(&Event::Date("2299-12-31".parse().unwrap())));
    }
}
