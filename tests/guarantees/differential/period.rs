//! Periods: how they are written, and how long they are.

use super::draw::Draw;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Length {
    Calendar { months: u32, days: u32, at_most: bool },
    Elapsed { minutes: i64 },
}

#[derive(Clone, Debug)]
pub(super) struct Period {
    pub(super) text: String,
    pub(super) length: Length,
}

/// Years, months, weeks and days; some are as long as others.
const CALENDAR: [[u32; 4]; 18] = [
    [1, 0, 0, 0],
    [0, 12, 0, 0],
    [0, 1, 0, 0],
    [0, 2, 0, 0],
    [0, 3, 0, 0],
    [0, 6, 0, 0],
    [0, 13, 0, 0],
    [2, 0, 0, 0],
    [5, 0, 0, 0],
    [2, 6, 0, 0],
    [0, 1, 0, 1],
    [0, 1, 0, 30],
    [1, 0, 1, 2],
    [0, 0, 2, 0],
    [0, 0, 0, 14],
    [0, 0, 0, 1],
    [0, 0, 0, 30],
    [0, 0, 0, 365],
];

/// Hours and minutes.
const ELAPSED: [[u32; 2]; 8] = [[24, 0], [36, 0], [336, 0], [720, 0], [8760, 0], [1, 30], [0, 90], [0, 1]];

pub(super) const UNITS: [&str; 6] = ["years", "months", "weeks", "days", "hours", "minutes"];

pub(super) fn any(draw: &mut Draw) -> Period {
    match draw.below(10) {
        0 => Period { text: "immediately".to_owned(), length: Length::Elapsed { minutes: 0 } },
        1 | 2 => elapsed(draw),
        _ => calendar(draw),
    }
}

/// One that can cap another: any but no time at all.
pub(super) fn cap(draw: &mut Draw) -> Period {
    if draw.chance(20) { elapsed(draw) } else { calendar(draw) }
}

fn calendar(draw: &mut Draw) -> Period {
    let counts = draw.pick(&CALENDAR);
    let at_most = draw.chance(30);
    let [years, months, weeks, days] = counts;
    let words = if at_most { "at most " } else { "" };
    Period {
        text: format!("{words}{}", spelt(draw, &counts, &UNITS[..4])),
        length: Length::Calendar { months: 12 * years + months, days: 7 * weeks + days, at_most },
    }
}

fn elapsed(draw: &mut Draw) -> Period {
    let counts = draw.pick(&ELAPSED);
    let minutes = i64::from(60 * counts[0] + counts[1]);
    Period { text: spelt(draw, &counts, &UNITS[4..]), length: Length::Elapsed { minutes } }
}

/// Singular and plural mean the same.
fn spelt(draw: &mut Draw, counts: &[u32], units: &[&str]) -> String {
    let there = counts.iter().zip(units).filter(|(count, _)| **count > 0);
    let words = there.map(|(count, unit)| {
        let is_singular = draw.chance(if *count == 1 { 90 } else { 10 });
        format!("{count} {}", if is_singular { unit.trim_end_matches('s') } else { unit })
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A number of a unit.
pub(super) fn counted(count: u32, unit: &str) -> Length {
    let calendar = |months, days| Length::Calendar { months, days, at_most: false };
    match unit {
        "years" => calendar(12 * count, 0),
        "months" => calendar(count, 0),
        "weeks" => calendar(0, 7 * count),
        "days" => calendar(0, count),
        "hours" => Length::Elapsed { minutes: 60 * i64::from(count) },
        _ => Length::Elapsed { minutes: i64::from(count) },
    }
}
