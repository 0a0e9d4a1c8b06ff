//! Due dates, cutoffs and zones, compared with the oracle where clocks and
//! calendars are at their worst.
use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;

use super::{Length, MINUTE, Rule, Unit, date_of, offset, opening, settled, wall_date, zone};
use crate::calendar::{Event, Timestamp};

const DAY: i64 = 86_400;

/// Zones whose clocks have done what others' have not.
const ODD_ZONES: [Tz; 11] = [
    Tz::Pacific__Apia,
    Tz::America__St_Johns,
    Tz::America__Sao_Paulo,
    Tz::Africa__Cairo,
    Tz::Asia__Beirut,
    Tz::Australia__Lord_Howe,
    Tz::Pacific__Kwajalein,
    Tz::Pacific__Kiritimati,
    Tz::America__Havana,
    Tz::Europe__Amsterdam,
    Tz::Europe__Copenhagen,
];

/// The first change of the clock within two years after an instant.
fn clock_change_after(tz: Tz, second: i64) -> Option<i64> {
    let day = (0..730).map(|n| second + n * DAY).find(|day| offset(tz, *day) != offset(tz, day + DAY))?;
    let hour = (0..24).map(|n| day + n * 3600).find(|hour| offset(tz, *hour) != offset(tz, hour + 3600))?;
    (hour..hour + 3600).find(|second| offset(tz, *second) != offset(tz, second + 1)).map(|before| before + 1)
}

fn zones() -> impl Strategy<Value = Tz> {
    prop_oneof![proptest::sample::select(ODD_ZONES.to_vec()), proptest::sample::select(TZ_VARIANTS.to_vec()),]
}

fn readable_second() -> impl Strategy<Value = i64> {
    let (earliest, latest) = (Timestamp::EARLIEST.seconds(), Timestamp::LATEST.seconds());
    // Half of them in the century and a half in which clocks were changed.
    prop_oneof![earliest..latest, earliest..4_102_444_800]
}

/// A few seconds to two days, either way.
fn nudge() -> impl Strategy<Value = i64> {
    prop_oneof![-2 * DAY..2 * DAY, -4000_i64..4000, -90_i64..0, 0_i64..3600, -1_i64..=1]
}

/// A zone and a second in the months before a day began, and the clock was
/// then set back to the day before.
fn begun_twice() -> impl Strategy<Value = (Tz, i64)> {
    let newfoundland = [Tz::America__St_Johns, Tz::America__Goose_Bay];
    let july_1987 = 552_096_000;
    prop_oneof![
        4 => (proptest::sample::select(newfoundland.to_vec()), 0_i64..24)
            .prop_map(move |(tz, years)| (tz, july_1987 + years * 31_557_600)),
        1 => Just((Tz::Antarctica__Casey, 1_265_000_000)),
    ]
}

/// A zone and a second, close to a change of its clock where there is one.
fn moments() -> impl Strategy<Value = (Tz, i64)> {
    let any = (zones(), readable_second());
    (prop_oneof![2 => any, 1 => begun_twice()], nudge()).prop_map(|((tz, second), nudge)| {
        let close = clock_change_after(tz, second).unwrap_or(second) + nudge;
        (tz, readable_or_nearest(close))
    })
}

fn readable_or_nearest(second: i64) -> i64 {
    second.clamp(Timestamp::EARLIEST.seconds(), Timestamp::LATEST.seconds() - 1)
}

fn readable(date: NaiveDate) -> bool {
    (1900..=2299).contains(&date.year())
}

fn lengths() -> impl Strategy<Value = Length> {
    let months = prop_oneof![0_u32..30, Just(60), 0_u32..1200];
    let days = prop_oneof![Just(0_u32), 0_u32..40, 0_u32..4000];
    let calendar = (months, days, any::<bool>()).prop_map(|(months, days, at_most)| {
        let days = if months == 0 { days.max(1) } else { days };
        Length::Calendar { months, days, at_most }
    });
    let minutes = prop_oneof![Just(0_u32), 1_u32..10_000, 1_u32..10_000_000];
    prop_oneof![3 => calendar, 1 => minutes.prop_map(Length::Minutes)]
}

/// Units, whose irregular years lie around a date.
fn units_around(date: NaiveDate) -> impl Strategy<Value = Unit> {
    let ends = proptest::sample::select(vec![(12, 31), (6, 30), (2, 29), (2, 28), (3, 31), (1, 1)]);
    let first = prop_oneof![Just(1), 0_i64..1000];
    let gaps = proptest::collection::vec(prop_oneof![Just(1_u64), 1_u64..900], 0..4);
    let financial = (ends, first, gaps).prop_map(move |(ends, before, gaps)| {
        let mut end = date - TimeDelta::days(before);
        let next = |gap| {
            end = end.checked_add_days(Days::new(gap)).unwrap();
            end
        };
        let irregular = gaps.into_iter().map(next).collect();
        Unit::Financial { ends, irregular }
    });
    prop_oneof![
        4 => Just(Unit::Event),
        1 => Just(Unit::Month),
        1 => Just(Unit::Quarter),
        1 => Just(Unit::Year),
        3 => financial,
    ]
}

/// A rule and an event of it: the event, or its due date, close to a change
/// of the clock.
fn cases() -> impl Strategy<Value = (Rule, Event)> {
    let events = (moments(), lengths(), any::<[bool; 2]>(), 0..1_000_000_000_u32, -2_i64..3);
    let events = events.prop_map(|((tz, second), length, [dated, at_due], nanos, days)| {
        let back = back_by(&length, second) + days * DAY;
        let second = readable_or_nearest(if at_due { back } else { second });
        let date = DateTime::from_timestamp(second, 0).unwrap().date_naive();
        let instant = Timestamp::from_unix(second, nanos * (second as u32 % 2));
        let event = if dated { Event::Date(date) } else { Event::At(instant) };
        (tz, length, event, date)
    });
    events.prop_flat_map(|(tz, length, event, date)| {
        units_around(date).prop_map(move |unit| (Rule { tz, unit, length: length.clone() }, event))
    })
}

/// Roughly the event whose due date is at a second.
fn back_by(length: &Length, second: i64) -> i64 {
    match length {
        Length::Minutes(minutes) => second - i64::from(*minutes) * MINUTE,
        Length::Calendar { months, days, .. } => {
            second - i64::from(*months) * 2_629_746 - (i64::from(*days) + 1) * DAY
        }
    }
}

/// The event and those around it, as far as they are readable.
fn neighbours(event: Event) -> Vec<Event> {
    match event {
        Event::Date(date) => date
            .pred_opt()
            .into_iter()
            .chain([date, date.succ_opt().unwrap()])
            .filter(|date| readable(*date))
            .map(Event::Date)
            .collect(),
        Event::At(instant) => {
            [instant.predecessor(), instant, Timestamp::from_unix(instant.seconds() + 1, 0)]
                .into_iter()
                .filter(|instant| instant.is_readable())
                .map(Event::At)
                .collect()
        }
    }
}

proptest! {
    #![proptest_config(crate::depth::config(64))]

    #[test]
    fn zones_agree_with_the_clock_on_the_wall((tz, second) in moments()) {
        let zone = zone(tz);
        let date = wall_date(tz, second);
        prop_assert_eq!(zone.opening_of(date).seconds(), opening(tz, date));
        prop_assert_eq!(zone.settled(date).seconds(), settled(tz, date));
        prop_assert_eq!(zone.date_of(Timestamp::from_unix(second, 999_999_999)), date_of(tz, second));
        prop_assert!(zone.date_of(zone.opening_of(date)) >= date);
        prop_assert!(zone.date_of(zone.opening_of(date).predecessor()) < date);
    }

    #[test]
    fn local_times_agree_with_the_clock_on_the_wall((tz, second) in moments()) {
        // A whole minute of the wall's clock, shown or skipped around the second.
        let local = (second + offset(tz, second - DAY)).div_euclid(MINUTE) * MINUTE;
        let naive = DateTime::from_timestamp(local, 0).unwrap().naive_utc();
        let seconds = local - 15 * 3600..local + 13 * 3600;
        let shown = offsets_of(tz, local).into_iter().map(|o| local - o).filter(|s| *s + offset(tz, *s) == local).max();
        let expected = shown.unwrap_or_else(|| {
            let late = |s: &i64| *s + offset(tz, *s) >= local;
            let minute = seconds.step_by(60).find(late).unwrap();
            (minute - MINUTE..=minute).find(late).unwrap()
        });
        prop_assert_eq!(zone(tz).instant_of_local(naive).seconds(), expected);
    }

    #[test]
    fn due_dates_agree_with_the_oracle((rule, event) in cases()) {
        prop_assert_eq!(rule.schedule().due_from(event), rule.due_from(event));
    }

    #[test]
    fn a_cutoff_judges_as_the_oracle_does((rule, event) in cases()) {
        let (schedule, due) = (rule.schedule(), rule.due_from(event));
        let judged = neighbours(event).into_iter().map(|event| (event, rule.due_from(event)));
        let judged: Vec<_> = judged.collect();
        for now in [due.predecessor(), due, Timestamp::from_unix(due.seconds() + 1, due.nanos())] {
            let cutoff = schedule.cutoff(now);
            for (event, due) in &judged {
                prop_assert_eq!(cutoff.is_due(event), *due <= now, "{:?} at {}", event, now);
            }
        }
    }

    #[test]
    fn a_cutoff_judges_records_far_from_it((rule, event) in cases(), now in readable_second()) {
        let now = Timestamp::from_unix(now, 0);
        prop_assert_eq!(rule.schedule().cutoff(now).is_due(&event), rule.due_from(event) <= now);
    }

    #[test]
    fn a_later_event_is_never_due_earlier((rule, event) in cases(), nudges in proptest::collection::vec(0..2 * DAY, 16)) {
        let schedule = rule.schedule();
        let mut before = schedule.due_from(event);
        let mut later = event;
        for nudge in nudges {
            later = match later {
                Event::Date(date) => Event::Date(date.checked_add_days(Days::new((nudge / DAY) as u64)).unwrap()),
                Event::At(instant) => Event::At(instant.plus_seconds(nudge / 64).unwrap()),
            };
            let due = schedule.due_from(later);
            prop_assert!(before <= due, "{:?} is due at {}, after {}", later, due, before);
            before = due;
        }
    }

    #[test]
    fn a_clock_is_left_alone_for_two_days_after_a_change((tz, second) in (zones(), readable_second())) {
        let change = clock_change_after(tz, second);
        if let Some(change) = change {
            for hour in 0..48 {
                prop_assert_eq!(offset(tz, change + hour * 3600), offset(tz, change));
                prop_assert_eq!(offset(tz, change - 1 - hour * 3600), offset(tz, change - 1));
            }
        }
    }
}

fn offsets_of(tz: Tz, second: i64) -> Vec<i64> {
    (-48..48).map(|hour| offset(tz, second + hour * 3600)).collect()
}

/// All zones, every half hour of 200 years: minutes of work, to be run by
/// hand when chrono-tz is updated.
#[test]
#[ignore = "takes minutes; run it in release mode when chrono-tz is updated"]
fn no_zone_changes_its_clock_twice_within_two_days() {
    for tz in TZ_VARIANTS {
        let (mut current, mut since) = (offset(tz, -2_400_000_000), -2_400_000_000);
        for second in (-2_400_000_000..4_200_000_000).step_by(1800) {
            let now = offset(tz, second);
            assert!(now.abs() < 16 * 3600, "{tz}");
            if now != current {
                assert!(second - since > 2 * DAY, "{tz} at {second}");
                (current, since) = (now, second);
            }
        }
    }
}
