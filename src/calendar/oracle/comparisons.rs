//! Comparisons of schedules, against an oracle that tries events one by one.
use chrono::{Datelike, Days, NaiveDate};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::{Length, MINUTE, Rule, Unit, months_later, opening};
use crate::calendar::{Event, Timestamp};

const ZONES: [Tz; 4] = [Tz::Europe__Copenhagen, Tz::UTC, Tz::America__Santiago, Tz::Pacific__Apia];

/// The first event, if there is one, that is due earlier under the first rule.
fn found(one: &Rule, other: &Rule) -> Option<Event> {
    let (one, other) = (one.schedule(), other.schedule());
    one.first_earlier(&other)
}

/// Units whose ends can be written down without looking for them.
fn end_of(unit: &Unit, date: NaiveDate) -> NaiveDate {
    let (year, month) = (date.year(), date.month());
    let before_the_first = |year, month| NaiveDate::from_ymd_opt(year, month, 1).unwrap().pred_opt().unwrap();
    match unit {
        Unit::Year => before_the_first(year + 1, 1),
        Unit::Financial { ends: (6, 30), .. } if month <= 6 => before_the_first(year, 7),
        Unit::Financial { ends: (6, 30), .. } => before_the_first(year + 1, 7),
        _ => date,
    }
}

/// The day on which a record of this date is due under a calendar period.
fn due(rule: &Rule, date: NaiveDate) -> NaiveDate {
    let Length::Calendar { months, days, at_most } = rule.length else { return date };
    let last = months_later(end_of(&rule.unit, date), months) + Days::new(days.into());
    if at_most { last } else { last + Days::new(1) }
}

fn calendar_units() -> impl Strategy<Value = Unit> {
    let financial = Unit::Financial { ends: (6, 30), irregular: Vec::new() };
    prop_oneof![3 => Just(Unit::Event), 1 => Just(Unit::Year), 1 => Just(financial)]
}

/// Periods that lie close together, so that a few days decide.
fn close_lengths() -> impl Strategy<Value = Length> {
    let whole = (1_u32..9, 0_u32..4).prop_map(|(years, days)| (years * 12, days));
    let half = (1_u32..9, 0_u32..4).prop_map(|(years, days)| (years * 12 + 6, days));
    let in_days = (1_u32..9, 0_u32..4).prop_map(|(years, days)| (0, years * 365 + days));
    (prop_oneof![whole, half, in_days], any::<bool>())
        .prop_map(|((months, days), at_most)| Length::Calendar { months, days, at_most })
}

/// Days, and hours that are about as long, so that the time of day and the clock decide.
fn days_and_hours() -> impl Strategy<Value = (Length, Length)> {
    (1_u32..5, any::<bool>(), 0_u32..29, any::<bool>()).prop_map(|(days, at_most, hours, swapped)| {
        let in_days = Length::Calendar { months: 0, days, at_most };
        let in_hours = Length::Minutes((days * 24 + hours - 2) * 60);
        if swapped { (in_hours, in_days) } else { (in_days, in_hours) }
    })
}

proptest! {
    #![proptest_config(crate::depth::config(4))]

    /// Every readable date, one after the other.
    #[test]
    fn calendar_periods_compare_as_their_dates_do(
        units in (calendar_units(), calendar_units()),
        lengths in (close_lengths(), close_lengths()),
    ) {
        let tz = Tz::UTC;
        let one = Rule { tz, unit: units.0, length: lengths.0 };
        let other = Rule { tz, unit: units.1, length: lengths.1 };
        let first = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap();
        let slowly = first.iter_days().take(146_097).any(|date| due(&one, date) < due(&other, date));
        prop_assert_eq!(found(&one, &other).is_some(), slowly, "{:?} and {:?}", one, other);
    }
}

proptest! {
    #![proptest_config(crate::depth::config(8))]

    /// What is found is so, and where nothing is found no event at any time of day shows otherwise.
    #[test]
    fn elapsed_time_compares_as_its_instants_do(
        tz in proptest::sample::select(ZONES.to_vec()),
        lengths in days_and_hours(),
        units in (
            proptest::sample::select(vec![Unit::Event, Unit::Event, Unit::Month]),
            proptest::sample::select(vec![Unit::Event, Unit::Event, Unit::Month]),
        ),
        days in proptest::collection::vec((0_u64..130 * 365, prop_oneof![Just(0_i64), 0_i64..1440]), 20),
    ) {
        let one = Rule { tz, unit: units.0, length: lengths.0 };
        let other = Rule { tz, unit: units.1, length: lengths.1 };
        match found(&one, &other) {
            Some(event) => prop_assert!(one.due_from(event) < other.due_from(event), "{:?}", event),
            None => for (day, minute) in days {
                let date = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + Days::new(day);
                let second = opening(tz, date) + minute * MINUTE;
                for event in [Event::Date(date), Event::At(Timestamp::from_unix(second, 0))] {
                    prop_assert!(one.due_from(event) >= other.due_from(event), "{:?}", event);
                }
            },
        }
    }
}
