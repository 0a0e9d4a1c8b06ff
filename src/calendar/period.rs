//! Periods: how long something is kept.

pub(crate) mod error;
pub(crate) mod grammar;
pub(crate) mod written;

use std::fmt;

use chrono::Months;

use super::{Date, civil};
use error::PeriodError;
use grammar::{Unit, parse_exactly};

/// How long something is kept: a calendar period, an elapsed time, or no
/// time at all.
///
/// Two periods are equal when they are written with the same numbers of the
/// same units: `1 year` differs from `12 months` as the texts of two promises
/// do. Where only the length matters, compare [`months`](Period::months) and
/// [`days`](Period::days).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    /// How many of each unit, in the order of [`Unit::ALL`].
    counts: [u32; Unit::ALL.len()],
    at_most: bool,
}

impl Period {
    /// No time at all.
    pub const IMMEDIATELY: Period = Period::from_counts([0; Unit::ALL.len()], false);

    /// One day.
    pub const DAY: Period = Period::from_counts([0, 0, 0, 1, 0, 0], false);

    /// Reads `[at most ]N unit[ N unit…]` or `immediately`. Nothing else is
    /// taken for a period, however clear it seems.
    pub fn parse(text: &str) -> Result<Period, PeriodError> {
        parse_exactly(text).map_err(|problem| PeriodError::new(text, problem))
    }

    /// The caller vouches that these units go together.
    pub(crate) const fn from_counts(counts: [u32; Unit::ALL.len()], at_most: bool) -> Period {
        Period { counts, at_most }
    }

    /// Whether the period is counted in years, months, weeks and days.
    pub fn is_calendar(&self) -> bool {
        self.units().any(|(_, unit)| unit.is_calendar())
    }

    /// Whether the period is an upper bound, so that its last day is already
    /// too late for keeping.
    pub fn is_at_most(&self) -> bool {
        self.at_most
    }

    /// The same period as an upper bound, if it is one of the calendar; elapsed time ends at an
    /// instant and stays as it is.
    pub fn as_upper_bound(&self) -> Period {
        Period { at_most: self.is_calendar(), ..self.clone() }
    }

    /// Whether this is `immediately`.
    pub fn is_immediate(&self) -> bool {
        *self == Period::IMMEDIATELY
    }

    /// Years and months as one total of months; zero for elapsed time.
    pub fn months(&self) -> u32 {
        self.count(Unit::Years) * 12 + self.count(Unit::Months)
    }

    /// Weeks and days as one total of days; zero for elapsed time.
    pub fn days(&self) -> u32 {
        self.count(Unit::Weeks) * 7 + self.count(Unit::Days)
    }

    /// The seconds of an elapsed time, zero for `immediately`; none for a
    /// calendar period, which has no fixed number of them.
    pub fn elapsed_seconds(&self) -> Option<i64> {
        let minutes = i64::from(self.count(Unit::Hours)) * 60 + i64::from(self.count(Unit::Minutes));
        (!self.is_calendar()).then_some(minutes * 60)
    }

    /// The last day of keeping, when the clock starts on `date`: months are
    /// added once, to the same day number or the last day of that month,
    /// then weeks and days.
    pub fn last_day(&self, date: Date) -> Date {
        let after_months = date.checked_add_months(Months::new(self.months()));
        civil::days_after(after_months.unwrap_or(Date::MAX), self.days())
    }

    fn count(&self, unit: Unit) -> u32 {
        self.counts[unit as usize]
    }

    /// The units that the period is written in.
    fn units(&self) -> impl Iterator<Item = (u32, Unit)> {
        self.counts.into_iter().zip(Unit::ALL).filter(|(count, _)| *count > 0)
    }
}

/// The period in its one canonical spelling, which parses to the same.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_immediate() {
            return f.write_str("immediately");
        }
        let units: Vec<String> = self.units().map(|(count, unit)| unit.counted(count)).collect();
        let at_most = if self.at_most { "at most " } else { "" };
        write!(f, "{at_most}{}", units.join(" "))
    }
}

/// A calendar month is no shorter, wherever it begins, and adding one to the last day of another.
const SHORTEST_MONTH: i64 = 28;
const LONGEST_MONTH: i64 = 31;

/// Those of several periods of which one is the longest, whatever the event: `1 month` and
/// `30 days` are both among them, and `2 weeks` beside them is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Longest {
    periods: Vec<Period>,
}

impl Longest {
    /// Adds a period, where it may be the longest.
    pub fn add(&mut self, period: Period) {
        if !self.periods.iter().any(|known| is_never_shorter(known, &period)) {
            self.periods.retain(|known| !is_never_shorter(&period, known));
            self.periods.push(period);
        }
    }

    /// The periods.
    pub fn iter(&self) -> impl Iterator<Item = &Period> {
        self.periods.iter()
    }

    /// Back from the text; none where it is none.
    pub fn parse(text: &str) -> Option<Longest> {
        let periods = text.split(';').map(|period| Period::parse(period).ok());
        Some(Longest { periods: periods.collect::<Option<_>>()? })
    }
}

impl fmt::Display for Longest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.periods.iter().map(Period::to_string).collect();
        f.write_str(&texts.join(";"))
    }
}

/// Whether a period ends no earlier than another one, from every event on. Of two that are not
/// of one kind that is not asked.
fn is_never_shorter(one: &Period, other: &Period) -> bool {
    match (one.elapsed_seconds(), other.elapsed_seconds()) {
        (Some(one), Some(other)) => one >= other,
        (None, None) => {
            let months = i64::from(one.months()) - i64::from(other.months());
            let worst = if months < 0 { LONGEST_MONTH } else { SHORTEST_MONTH };
            days(one) - days(other) + months * worst >= 0
        }
        _ => false,
    }
}

/// The days that are added behind the months; an upper bound ends a day earlier.
fn days(period: &Period) -> i64 {
    i64::from(period.days()) - i64::from(period.is_at_most())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::{Event, Schedule, Zone};

    fn period(text: &str) -> Period {
        Period::parse(text).unwrap()
    }

    #[test]
    fn is_printed_in_one_spelling() {
        for (written, canonical) in [
            ("at most 3 month", "at most 3 months"),
            ("1 years 2 week", "1 year 2 weeks"),
            ("1 year 1 month 1 week 1 day", "1 year 1 month 1 week 1 day"),
            ("36 hours 1 minutes", "36 hours 1 minute"),
            ("immediately", "immediately"),
        ] {
            assert_eq!(period(written).to_string(), canonical);
            assert_eq!(period(canonical), period(written));
        }
    }

    #[test]
    fn knows_its_kind_and_its_length() {
        let calendar = period("at most 2 years 3 months 2 weeks 5 days");
        assert!(calendar.is_calendar() && calendar.is_at_most() && !calendar.is_immediate());
        assert_eq!((calendar.months(), calendar.days()), (27, 19));
        assert_eq!(calendar.elapsed_seconds(), None);
        let elapsed = period("2 hours 30 minutes");
        assert!(!elapsed.is_calendar() && !elapsed.is_at_most());
        assert_eq!(elapsed.elapsed_seconds(), Some(9000));
        let nothing = period("immediately");
        assert!(nothing.is_immediate() && !nothing.is_calendar());
        assert_eq!(nothing.elapsed_seconds(), Some(0));
    }

    #[test]
    fn calendar_periods_can_be_upper_bounds() {
        assert_eq!(period("30 days").as_upper_bound(), period("at most 30 days"));
        assert_eq!(period("at most 1 year").as_upper_bound(), period("at most 1 year"));
        assert_eq!(period("72 hours").as_upper_bound(), period("72 hours"));
        assert_eq!(period("immediately").as_upper_bound(), Period::IMMEDIATELY);
    }

    #[test]
    fn months_are_added_once_and_then_days() {
        let last = |text, date: &str| period(text).last_day(date.parse().unwrap()).to_string();
        assert_eq!(last("1 year 1 month", "2024-01-31"), "2025-02-28");
        assert_eq!(last("1 month 1 day", "2025-01-31"), "2025-03-01");
        assert_eq!(last("1 month 1 week", "2024-01-30"), "2024-03-07");
        assert_eq!(last("4 years", "2096-02-29"), "2100-02-28");
        assert_eq!(last("200 years", "+262142-12-31"), Date::MAX.to_string());
    }

    fn longest(periods: &[&str]) -> String {
        let mut longest = Longest::default();
        periods.iter().for_each(|period| longest.add(Period::parse(period).unwrap()));
        assert_eq!(Longest::parse(&longest.to_string()), Some(longest.clone()));
        longest.to_string()
    }

    #[test]
    fn only_what_may_be_the_longest_is_kept() {
        assert_eq!(longest(&["2 weeks", "3 years", "1 month"]), "3 years");
        assert_eq!(longest(&["1 year", "12 months"]), "1 year");
        assert_eq!(longest(&["at most 1 year", "1 year", "at most 12 months"]), "1 year");
        assert_eq!(longest(&["1 month", "30 days", "28 days"]), "1 month;30 days");
        assert_eq!(longest(&["1 month", "31 days"]), "31 days");
        assert_eq!(longest(&["immediately", "36 hours", "2 hours"]), "36 hours");
        assert_eq!(longest(&["36 hours", "1 day"]), "36 hours;1 day");
    }

    fn any_period() -> impl Strategy<Value = Period> {
        let calendar =
            (0..40_u32, 0..70_u32, any::<bool>()).prop_filter_map("no period", |(months, days, most)| {
                let parts: Vec<String> = [(months, "months"), (days, "days")]
                    .into_iter()
                    .filter(|(count, _)| *count > 0)
                    .map(|(count, unit)| format!("{count} {unit}"))
                    .collect();
                let most = if most { "at most " } else { "" };
                Period::parse(&format!("{most}{}", parts.join(" "))).ok()
            });
        let elapsed = (1..2_000_u32).prop_map(|hours| Period::parse(&format!("{hours} hours")).unwrap());
        prop_oneof![6 => calendar, 1 => elapsed, 1 => Just(Period::IMMEDIATELY)]
    }

    proptest! {
        #[test]
        fn the_longest_is_among_them(
            periods in proptest::collection::vec(any_period(), 1..8),
            day in 0..3_000_u64,
        ) {
            let mut longest = Longest::default();
            periods.iter().for_each(|period| longest.add(period.clone()));
            let date: Date = "2019-01-01".parse().unwrap();
            let event = Event::Date(date + chrono::Days::new(day));
            let zone = Zone::parse("Europe/Copenhagen").unwrap();
            let due = |period: &Period| Schedule::new(zone, None, period.clone()).due_from(event);
            prop_assert_eq!(longest.iter().map(due).max(), periods.iter().map(due).max());
        }
    }
}
