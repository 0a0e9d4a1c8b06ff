//! Schedules over all dates there are: whether any event is due under one before it is due under
//! another, and the last day on which data may still exist, runs that come late included.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use chrono::Months;

use crate::calendar::{CountedFrom, Date, Event, Period, Schedule, Zone, civil};

const FIRST_READABLE: i64 = civil::day_number(1900, 1, 1);
const LAST_READABLE: i64 = civil::day_number(2299, 12, 31);
/// A leap year in which searches begin, so that the first date that they find is one that people know.
const OF_OUR_TIME: i64 = civil::day_number(2024, 1, 1);
/// The days of 400 years, after which the Gregorian calendar repeats, weekdays included.
const CYCLE: i64 = 146_097;

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

    /// The first event that is due earlier under this schedule than under another.
    pub fn first_earlier(&self, than: &Schedule) -> Option<Event> {
        if self == than {
            return None;
        }
        telling_events(&[self, than]).find(|event| self.compare_due(than, *event).is_lt())
    }

    /// The last day on which a record of this date may still exist, where a run begins at most one
    /// `runs_every` after it is due. A later date never gives an earlier day.
    pub fn exists_until(&self, date: Date, runs_every: &Period) -> Date {
        match runs_every.elapsed_seconds() {
            None => last_day_before_a_run(self.last_day_before_due(date), runs_every),
            Some(seconds) => {
                let run = self.due_from_date(date).plus_seconds(seconds);
                run.map_or(Date::MAX, |run| self.zone().date_of(run.predecessor()))
            }
        }
    }

    fn last_day_before_due(&self, date: Date) -> Date {
        match self.first_day_due(date) {
            Some(day) => day.pred_opt().unwrap_or(day),
            None => self.zone().date_of(self.due_from_date(date).predecessor()),
        }
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

/// The run before came at the end of the day on which the record was not yet due, and this is the
/// latest day of the next one.
///
/// Runs on the last day of each month are further apart than a month: from 28 February to
/// 31 March. There the month counts from the day after.
fn last_day_before_a_run(not_yet_due: Date, runs_every: &Period) -> Date {
    let from_the_next = runs_every.last_day(civil::days_after(not_yet_due, 1));
    runs_every.last_day(not_yet_due).max(from_the_next.pred_opt().unwrap_or(from_the_next))
}

/// The start dates on which a promise has to hold: 400 years, so that every length of a month, every
/// leap year and every change of the clock within the year occurs.
///
/// Where a schedule counts from the end of listed financial years, the dates begin with the
/// first of them. It is taken to be a year long, for the list does not say where it began.
pub fn start_dates<'a>(schedules: impl IntoIterator<Item = &'a Schedule>) -> impl Iterator<Item = Date> {
    let listed = schedules.into_iter().find_map(listed_ends).unwrap_or_default();
    let readable = |date: Date| civil::number_of(date).clamp(FIRST_READABLE, LAST_READABLE);
    let first = listed.first().map_or(OF_OUR_TIME, |end| readable(year_that_ends(*end)));
    let regular = listed.last().map_or(OF_OUR_TIME, |end| readable(*end) + 1);
    (first..regular.max(OF_OUR_TIME) + CYCLE).map(civil::date_of)
}

/// The first day of the first listed financial year, where a schedule counts from listed ones.
fn first_listed<'a>(schedules: impl IntoIterator<Item = &'a Schedule>) -> Option<Date> {
    schedules.into_iter().find_map(listed_ends)?.first().map(|end| year_that_ends(*end))
}

fn listed_ends(schedule: &Schedule) -> Option<&[Date]> {
    match schedule.counted_from()? {
        CountedFrom::EndOfFinancialYear(years) => Some(years.irregular()),
        _ => None,
    }
}

/// The first day of the year that ends on this one.
fn year_that_ends(end: Date) -> Date {
    let year_before = end.checked_sub_months(Months::new(12)).unwrap_or(end);
    civil::days_after(year_before, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{FinancialYear, MonthDay};

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

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn until(from: &str, keep: &str, runs_every: &str) -> String {
        let runs_every = Period::parse(runs_every).unwrap();
        schedule(keep, None).exists_until(date(from), &runs_every).to_string()
    }

    /// The last day of data that backups copy at the last moment before it is deleted.
    fn copied(start: Date, keep: &str) -> Date {
        let original = schedule(keep, None).exists_until(start, &Period::DAY);
        schedule("30 days", None).exists_until(original, &Period::DAY)
    }

    fn breaks(keep: &str, promise: &str) -> Vec<Date> {
        let promise = Period::parse(promise).unwrap();
        start_dates([]).filter(|start| copied(*start, keep) > promise.last_day(*start)).collect()
    }

    #[test]
    fn three_months_and_thirty_days_of_backups_are_gone_within_five_months_and_not_four() {
        assert_eq!(breaks("3 months", "5 months"), []);
        assert_eq!(breaks("3 months", "4 months").first(), Some(&date("2024-01-01")));
        assert_eq!(copied(date("2024-01-01"), "3 months"), date("2024-05-03"));
    }

    #[test]
    fn twelve_months_and_thirty_days_of_backups_outlast_thirteen_months_on_every_date() {
        assert_eq!(breaks("12 months", "13 months").len(), 146_097);
        assert_eq!(breaks("12 months", "14 months"), []);
    }

    #[test]
    fn a_promise_may_break_in_leap_years_alone_and_where_there_is_none() {
        // Two months have from 59 to 62 days, and 59 only where February ends with its 28th.
        let first = |keep, promise| breaks(keep, promise).first().map(ToString::to_string);
        assert_eq!(first("27 days", "2 months").as_deref(), None);
        assert_eq!(first("28 days", "2 months").as_deref(), Some("2024-12-31"));
        // 1,461 days are longer than four years only where they reach into 2100, which has no leap day.
        assert_eq!(first("1429 days", "4 years").as_deref(), Some("2096-02-29"));
    }

    #[test]
    fn a_run_comes_at_most_one_interval_late() {
        assert_eq!(until("2025-01-31", "1 month", "1 day"), "2025-03-01");
        assert_eq!(until("2025-01-31", "1 month", "1 week"), "2025-03-07");
        assert_eq!(until("2025-01-31", "1 month", "6 hours"), "2025-03-01");
        assert_eq!(until("2025-01-31", "1 month", "24 hours"), "2025-03-01");
        assert_eq!(until("2025-01-31", "1 month", "25 hours"), "2025-03-02");
    }

    #[test]
    fn an_upper_bound_is_met_by_a_daily_run() {
        assert_eq!(until("2025-01-31", "at most 1 month", "1 day"), "2025-02-28");
        assert_eq!(until("2025-01-31", "at most 1 month", "2 days"), "2025-03-01");
    }

    #[test]
    fn elapsed_periods_begin_with_the_end_of_the_day() {
        assert_eq!(until("2025-01-31", "immediately", "1 day"), "2025-02-01");
        assert_eq!(until("2025-01-31", "24 hours", "1 day"), "2025-02-02");
        assert_eq!(until("2025-01-31", "36 hours", "1 day"), "2025-02-03");
        assert_eq!(until("2025-01-31", "36 hours", "6 hours"), "2025-02-02");
        // Clocks were put forward on 30 March: a day of 23 hours.
        assert_eq!(until("2025-03-29", "24 hours", "1 day"), "2025-04-01");
    }

    #[test]
    fn monthly_runs_may_come_on_the_last_day_of_each_month() {
        assert_eq!(until("2025-01-28", "1 month", "1 month"), "2025-03-31");
        assert_eq!(until("2025-01-29", "1 day", "1 month"), "2025-02-28");
        assert_eq!(until("2025-02-28", "1 year", "1 year"), "2027-02-28");
    }

    #[test]
    fn start_dates_are_one_cycle_of_leap_years() {
        let dates: Vec<Date> = start_dates([&schedule("1 day", Some(CountedFrom::EndOfYear))]).collect();
        assert_eq!((dates[0], dates[146_096]), (date("2024-01-01"), date("2423-12-31")));
        assert_eq!(dates.len(), 146_097);
    }

    #[test]
    fn start_dates_begin_with_the_first_listed_financial_year_and_go_on_behind_the_last() {
        let ends = |irregular: &[&str]| {
            let dates: Vec<Date> = start_dates([
                &schedule("1 day", None),
                &schedule("1 day", Some(financial_year("12-31", irregular))),
            ])
            .collect();
            (dates[0].to_string(), dates[dates.len() - 1].to_string())
        };
        let as_text = |(a, b): (&str, &str)| (a.to_string(), b.to_string());
        assert_eq!(ends(&[]), as_text(("2024-01-01", "2423-12-31")));
        assert_eq!(ends(&["2019-06-30"]), as_text(("2018-07-01", "2423-12-31")));
        assert_eq!(ends(&["2030-06-30", "2031-03-31"]), as_text(("2029-07-01", "2431-03-31")));
        assert_eq!(ends(&["0001-01-01", "9999-12-31"]), as_text(("1900-01-01", "2699-12-31")));
    }

    #[test]
    fn the_ends_of_time_are_answered() {
        for keep in ["200 years", "at most 1 day", "1753152 hours", "immediately"] {
            for runs_every in ["1 day", "200 years", "1 minute"] {
                let runs_every = Period::parse(runs_every).unwrap();
                for day in [Date::MIN, Date::MAX] {
                    let _ = schedule(keep, Some(financial_year("12-31", &[]))).exists_until(day, &runs_every);
                    let _ = schedule(keep, None).exists_until(day, &runs_every);
                }
            }
        }
        let _ = year_that_ends(Date::MIN);
    }
}
