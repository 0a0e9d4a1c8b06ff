//! Horizons, compared with runs that are carried out one by one.
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::{Length, MINUTE, Rule, Unit, date_of, months_later, offset, wall_date};
use crate::calendar::{Event, Period};

/// Clocks that jump over midnight, back to the day before, by half an hour, and not at all.
const ZONES: [Tz; 8] = [
    Tz::Africa__Cairo,
    Tz::Asia__Beirut,
    Tz::America__Nuuk,
    Tz::America__Santiago,
    Tz::Australia__Lord_Howe,
    Tz::Pacific__Kiritimati,
    Tz::Europe__Copenhagen,
    Tz::UTC,
];

/// How often purge runs.
#[derive(Clone, Debug)]
enum Runs {
    Days(u32),
    Months(u32),
    Minutes(u32),
}

impl Runs {
    fn period(&self) -> Period {
        let text = match self {
            Runs::Days(days) => format!("{days} days"),
            Runs::Months(months) => format!("{months} months"),
            Runs::Minutes(minutes) => format!("{minutes} minutes"),
        };
        Period::parse(&text).unwrap()
    }

    /// The dates on which runs may fall, for each day on which they may have begun.
    fn plans(&self, around: NaiveDate) -> Vec<Vec<NaiveDate>> {
        match *self {
            Runs::Days(days) => {
                let begin = around - Days::new(2 * u64::from(days) + 2);
                let plan = |first: u32| {
                    (0..6).map(move |run| begin + Days::new(u64::from(first) + run * u64::from(days)))
                };
                (0..days).map(|first| plan(first).collect()).collect()
            }
            Runs::Months(months) => {
                // A January, whose months reach every day number.
                let begin = NaiveDate::from_ymd_opt(around.year() - 6, 1, 1).unwrap();
                let plan = |first: NaiveDate, shift: u32| {
                    (0..200 / months).map(move |run| months_later(first, shift + run * months))
                };
                let begins = (0..31).flat_map(|day| (0..months).map(move |shift| (day, shift)));
                begins.map(|(day, shift)| plan(begin + Days::new(day), shift).collect()).collect()
            }
            Runs::Minutes(_) => Vec::new(),
        }
    }
}

/// The day of the first run that finds the record due, at the worst.
fn day_of_the_worst_run(tz: Tz, due: i64, runs: &Runs) -> NaiveDate {
    if let Runs::Minutes(minutes) = runs {
        let just_missed = due - 1;
        return date_of(tz, just_missed + i64::from(*minutes) * MINUTE);
    }
    let just_missed = DateTime::from_timestamp(due - 1 + offset(tz, due - 1), 0).unwrap().time();
    let end_of_day = NaiveTime::from_hms_opt(23, 59, 59).unwrap();
    let worst = |plan: Vec<NaiveDate>| {
        let at = |time: NaiveTime| plan.iter().find(|date| second_of(tz, **date, time) >= due).copied();
        at(just_missed).max(at(end_of_day)).unwrap()
    };
    runs.plans(wall_date(tz, due)).into_iter().map(worst).max().unwrap()
}

/// When a run begins that is planned for this time: at the first of two such times, and after the
/// gap where the clock skips it.
fn second_of(tz: Tz, date: NaiveDate, time: NaiveTime) -> i64 {
    let mut seconds = (0..).map(|later| date.and_time(time) + TimeDelta::seconds(later));
    let run = seconds.find_map(|local| tz.from_local_datetime(&local).earliest()).unwrap();
    run.timestamp()
}

fn lengths() -> impl Strategy<Value = Length> {
    let days = prop_oneof![Just(0_u32), 0_u32..70];
    let calendar = (0_u32..30, days, any::<bool>()).prop_map(|(months, days, at_most)| {
        let days = if months == 0 { days.max(1) } else { days };
        Length::Calendar { months, days, at_most }
    });
    let minutes = prop_oneof![Just(0_u32), (1_u32..10).prop_map(|days| days * 1440), 1_u32..10_000];
    prop_oneof![2 => calendar, 1 => minutes.prop_map(Length::Minutes)]
}

fn units() -> impl Strategy<Value = Unit> {
    let financial = |ends| Unit::Financial { ends, irregular: Vec::new() };
    prop_oneof![
        4 => Just(Unit::Event),
        1 => Just(Unit::Month),
        1 => Just(Unit::Quarter),
        1 => proptest::sample::select(vec![(12, 31), (6, 30), (2, 29)]).prop_map(financial),
    ]
}

fn runs() -> impl Strategy<Value = Runs> {
    prop_oneof![
        3 => prop_oneof![Just(1_u32), 1_u32..10].prop_map(Runs::Days),
        2 => prop_oneof![Just(1_u32), 1_u32..14].prop_map(Runs::Months),
        1 => prop_oneof![Just(1440_u32), 1_u32..5000].prop_map(Runs::Minutes),
    ]
}

fn starts() -> impl Strategy<Value = NaiveDate> {
    let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    (0_u64..80 * 365).prop_map(move |days| first + Days::new(days))
}

proptest! {
    #[test]
    fn data_lasts_as_long_as_the_worst_run_lets_it(
        tz in proptest::sample::select(ZONES.to_vec()),
        stages in proptest::collection::vec((units(), lengths()), 1..4),
        runs in runs(),
        start in starts(),
    ) {
        let mut day = start;
        for (unit, length) in stages {
            let rule = Rule { tz, unit, length };
            let due = rule.due_from(Event::Date(day));
            let worst = day_of_the_worst_run(tz, due.seconds(), &runs);
            prop_assert_eq!(rule.schedule().exists_until(day, &runs.period()), worst, "{:?} of {}", rule, day);
            day = worst;
        }
    }
}
