//! What falls due in the months to come, if nothing is changed: a count and a bar for each month.

use std::io::{self, Write};

use chrono::{Datelike, Months};

use super::grouped;
use super::text::Style;
use super::wrap::{width, wrapped};
use crate::calendar::{Date, Timestamp, Zone};
use crate::diagnostic::printable;
use crate::plan::Plan;
use crate::policy::Policy;

/// How far a forecast looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Horizon {
    /// So many days.
    Days(u32),
    /// So many months.
    Months(u32),
}

impl Horizon {
    /// Reads `90d`, `12mo` or `2y`, up to a hundred years.
    pub fn parse(text: &str) -> Result<Horizon, String> {
        let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(unit);
        let number: u32 = number.parse().ok().filter(|number| *number > 0).unwrap_or(u32::MAX);
        match unit {
            "d" if number <= 36_500 => Ok(Horizon::Days(number)),
            "mo" if number <= 1_200 => Ok(Horizon::Months(number)),
            "y" if number <= 100 => Ok(Horizon::Months(number * 12)),
            _ => Err("write how far to look, up to 100 years: 90d, 12mo or 2y".to_string()),
        }
    }

    /// The last day that is looked at.
    fn end(self, today: Date) -> Date {
        let end = match self {
            Horizon::Days(days) => today.checked_add_days(chrono::Days::new(days.into())),
            Horizon::Months(months) => today.checked_add_months(Months::new(months)),
        };
        end.unwrap_or(Date::MAX)
    }
}

/// What falls due under one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleForecast {
    /// What is due already.
    pub due: u64,
    /// What falls due in each month.
    pub by_month: Vec<u64>,
    /// What falls due after the last day.
    pub later: u64,
}

/// What falls due under each rule of a plan, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    today: Date,
    /// The last day that is looked at.
    pub end: Date,
    /// Whether all could be read each time.
    pub is_whole: bool,
    /// Rule by rule.
    pub rules: Vec<RuleForecast>,
}

impl Forecast {
    /// What reports as of the end of each month count more than those before. `due_at` counts what is due under each
    /// rule at an instant.
    pub fn make(
        horizon: Horizon,
        now: Timestamp,
        zone: Zone,
        due_now: Vec<u64>,
        mut due_at: impl FnMut(Timestamp) -> Vec<u64>,
    ) -> Forecast {
        let today = zone.date_of(now);
        let end = horizon.end(today);
        let mut rules: Vec<RuleForecast> =
            due_now.iter().map(|due| RuleForecast { due: *due, ..RuleForecast::default() }).collect();
        let mut before = due_now;
        let mut more = |at: Timestamp| -> Vec<u64> {
            let due = due_at(at);
            let more = due.iter().zip(&before).map(|(due, before)| due.saturating_sub(*before)).collect();
            before = due;
            more
        };
        for month in month_number(today)..=month_number(end) {
            let last = last_day(month).min(end);
            let counted = more(last_instant(last, zone));
            rules.iter_mut().zip(counted).for_each(|(rule, records)| rule.by_month.push(records));
        }
        let counted = more(last_instant(last_day(month_number(LAST)), zone));
        rules.iter_mut().zip(counted).for_each(|(rule, records)| rule.later = records);
        Forecast { today, end, is_whole: true, rules }
    }

    /// The months, as `2026-12`.
    pub fn months(&self) -> impl Iterator<Item = String> + '_ {
        (month_number(self.today)..=month_number(self.end))
            .map(|month| format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1))
    }
}

/// What is due later is due by then: no time that is read is later, and few periods are as long.
const LAST: Date = match Date::from_ymd_opt(2399, 12, 31) {
    Some(day) => day,
    None => Date::MAX,
};

/// The last day of a month, by its number.
fn last_day(month: i32) -> Date {
    let next = month + 1;
    let first = u32::try_from(next.rem_euclid(12) + 1)
        .ok()
        .and_then(|month| Date::from_ymd_opt(next.div_euclid(12), month, 1));
    first.and_then(|first| first.pred_opt()).unwrap_or(Date::MAX)
}

/// The last second of a day.
fn last_instant(day: Date, zone: Zone) -> Timestamp {
    let next = day.succ_opt().unwrap_or(Date::MAX);
    Timestamp::from_unix(zone.opening_of(next).seconds().saturating_sub(1), 0)
}

/// Months since the year 0.
fn month_number(day: Date) -> i32 {
    day.year() * 12 + i32::try_from(day.month0()).unwrap_or_default()
}

/// The longest bar, where there is room.
const BAR: usize = 20;

/// A line of the forecast: when, how many in all, and how many by rule.
struct Line {
    when: String,
    total: u64,
    by_rule: Vec<u64>,
}

/// Writes a line for each month, with a bar and the rules that have most.
pub(super) fn write(
    out: &mut dyn Write,
    policy: &Policy,
    plan: &Plan,
    forecast: &Forecast,
    style: Style,
) -> io::Result<()> {
    writeln!(out, "falls due until {}, if nothing changes:\n", forecast.end)?;
    let lines = lines(forecast);
    // What comes later is any number of months.
    let months = &lines[..lines.len().saturating_sub(1)];
    let most = months.iter().map(|line| line.total).max().unwrap_or_default();
    let digits = lines.iter().map(|line| width(&grouped(line.total))).max().unwrap_or_default();
    let whens = lines.iter().map(|line| width(&line.when)).max().unwrap_or_default();
    for (at, line) in lines.iter().enumerate() {
        let bar = "#".repeat(if at < months.len() { bar(line.total, most) } else { 0 });
        let begin = format!(" {:<whens$}  {:>digits$}  {bar:<BAR$}  ", line.when, grouped(line.total));
        let names = line.by_rule.iter().zip(&plan.rules).filter(|(records, _)| **records > 0);
        let mut names: Vec<(u64, String)> =
            names.map(|(records, rule)| (*records, printable(&policy.rules[rule.index].name))).collect();
        names.sort_by_key(|(records, _)| u64::MAX - records);
        let names: Vec<String> =
            names.iter().map(|(records, name)| format!("{name} {}", grouped(*records))).collect();
        let told =
            wrapped(&(begin.clone() + &names.join(", ")), style.width.map(usize::from), 0, width(&begin));
        writeln!(out, "{}", told.trim_end())?;
    }
    writeln!(out)
}

fn lines(forecast: &Forecast) -> Vec<Line> {
    let line = |when: String, records: &dyn Fn(&RuleForecast) -> u64| {
        let by_rule: Vec<u64> = forecast.rules.iter().map(records).collect();
        Line { when, total: by_rule.iter().sum(), by_rule }
    };
    let mut lines = vec![line("due now".to_string(), &|rule| rule.due)];
    lines.extend(forecast.months().enumerate().map(|(at, month)| line(month, &|rule| rule.by_month[at])));
    lines.push(line("later".to_string(), &|rule| rule.later));
    lines
}

/// Whatever is something has a bar that can be seen.
fn bar(records: u64, most: u64) -> usize {
    let share = records as f64 / most.max(1) as f64;
    (share * BAR as f64).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_says_how_far() {
        assert_eq!(Horizon::parse("90d"), Ok(Horizon::Days(90)));
        assert_eq!(Horizon::parse("12mo"), Ok(Horizon::Months(12)));
        assert_eq!(Horizon::parse("2y"), Ok(Horizon::Months(24)));
        for wrong in ["", "0d", "12", "12m", "mo", "1.5y", "101y", "-1d", "99999999999d", "1 y"] {
            assert!(Horizon::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_month_is_what_its_end_counts_more_and_the_last_ends_with_the_last_day() {
        let now = Timestamp::parse_now("2026-11-29", &Zone::UTC).unwrap();
        let days = ["2026-11-30", "2026-12-01", "2026-12-31", "2027-01-29", "2027-01-30", "2290-01-01"];
        let days = days.map(|day| Timestamp::parse_now(day, &Zone::UTC).unwrap());
        let due = |at: Timestamp| vec![days.iter().filter(|day| **day <= at).count() as u64];
        let forecast = Forecast::make(Horizon::Months(2), now, Zone::UTC, due(now), due);
        assert_eq!(forecast.months().collect::<Vec<_>>(), ["2026-11", "2026-12", "2027-01"]);
        assert_eq!(forecast.rules[0], RuleForecast { due: 0, by_month: vec![1, 2, 1], later: 2 });
    }

    #[test]
    fn no_bar_of_something_is_empty_and_none_too_long() {
        assert_eq!([bar(0, 10), bar(1, 1_000_000), bar(10, 10), bar(0, 0)], [0, 1, BAR, 0]);
    }
}
