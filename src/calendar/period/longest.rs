//! The longest of several periods, before anybody knows from when they are counted.

use std::fmt;

use crate::calendar::Period;

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
    use crate::calendar::{Date, Event, Schedule, Zone};

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

    fn period() -> impl Strategy<Value = Period> {
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
            periods in proptest::collection::vec(period(), 1..8),
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
