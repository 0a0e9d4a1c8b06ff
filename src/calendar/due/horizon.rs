//! Horizons: the last day on which data may still exist, runs that come late included.

use chrono::Months;

use crate::calendar::{CountedFrom, Date, Period, Schedule, civil};

/// A leap year. From here the calendar is walked through once, unless listed financial years begin
/// somewhere else.
const CYCLE_BEGINS: i64 = civil::day_number(2024, 1, 1);
/// The days of 400 years, after which the Gregorian calendar repeats, weekdays included.
const CYCLE: i64 = 146_097;
const FIRST_READABLE: i64 = civil::day_number(1900, 1, 1);
const LAST_READABLE: i64 = civil::day_number(2299, 12, 31);

impl Schedule {
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
    let first = listed.first().map_or(CYCLE_BEGINS, |end| readable(year_that_ends(*end)));
    let regular = listed.last().map_or(CYCLE_BEGINS, |end| readable(*end) + 1);
    (first..regular.max(CYCLE_BEGINS) + CYCLE).map(civil::date_of)
}

/// The first day of the first listed financial year, where a schedule counts from listed ones.
pub(crate) fn first_listed<'a>(schedules: impl IntoIterator<Item = &'a Schedule>) -> Option<Date> {
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
    use crate::calendar::{FinancialYear, MonthDay, Zone};

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn schedule(keep: &str, counted_from: Option<CountedFrom>) -> Schedule {
        let zone = Zone::parse("Europe/Copenhagen").unwrap();
        Schedule::new(zone, counted_from, Period::parse(keep).unwrap())
    }

    fn financial_year(irregular: &[&str]) -> CountedFrom {
        let irregular = irregular.iter().map(|text| date(text)).collect();
        let years = FinancialYear::new(MonthDay::parse("12-31").unwrap(), irregular).unwrap();
        CountedFrom::EndOfFinancialYear(years)
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
            let dates: Vec<Date> =
                start_dates([&schedule("1 day", None), &schedule("1 day", Some(financial_year(irregular)))])
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
                    let _ = schedule(keep, Some(financial_year(&[]))).exists_until(day, &runs_every);
                    let _ = schedule(keep, None).exists_until(day, &runs_every);
                }
            }
        }
        let _ = year_that_ends(Date::MIN);
    }
}
