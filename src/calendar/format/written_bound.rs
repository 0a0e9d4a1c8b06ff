//! What a due value must look like as it is written, before it is read.
//!
//! An index on the event column knows values, not events. Bounds are wide on
//! purpose: they let through everything that is due, whatever its offset,
//! and more; each value is still read and compared with the cutoff.

use crate::calendar::civil::{self, SECONDS_PER_DAY};
use crate::calendar::{Cutoff, Format, Timestamp, number};

/// A necessary condition on a written value of a due event.
///
/// It says nothing about empty and unreadable values.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenBound {
    /// For values that are numbers.
    pub numbers: NumberBound,
    /// For values that are text.
    pub text: TextBound,
}

/// A necessary condition on a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NumberBound {
    /// Every number passes.
    Any,
    /// Numbers up to this one pass.
    UpTo(f64),
    /// No number passes.
    Nothing,
}

/// A necessary condition on a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextBound {
    /// Every text passes.
    Any,
    /// Texts that are less than this one, byte by byte, pass.
    Before(String),
    /// No text passes.
    Nothing,
}

/// Unreadable spellings pass always: text among numbers, numbers among text.
pub(crate) fn of(format: &Format, cutoff: &Cutoff) -> Option<WrittenBound> {
    match format {
        Format::Iso => Some(WrittenBound { numbers: NumberBound::Any, text: iso_bound(cutoff) }),
        Format::Count(count) => Some(number_bound(cutoff, |last| count.count_beyond(last))),
        Format::JulianDay => Some(number_bound(cutoff, number::julian_day_beyond)),
        Format::Strftime(_) => None,
        Format::OneOf(formats) => formats
            .iter()
            .map(|format| of(format, cutoff))
            .reduce(|one, other| Some(one?.or(&other?)))
            .flatten(),
    }
}

impl WrittenBound {
    /// What satisfies one of two bounds.
    fn or(&self, other: &WrittenBound) -> WrittenBound {
        WrittenBound { numbers: self.numbers.or(other.numbers), text: self.text.or(&other.text) }
    }
}

impl NumberBound {
    fn or(self, other: NumberBound) -> NumberBound {
        match (self, other) {
            (NumberBound::Nothing, bound) | (bound, NumberBound::Nothing) => bound,
            (NumberBound::UpTo(one), NumberBound::UpTo(other)) => NumberBound::UpTo(one.max(other)),
            (NumberBound::Any, _) | (_, NumberBound::Any) => NumberBound::Any,
        }
    }
}

impl TextBound {
    fn or(&self, other: &TextBound) -> TextBound {
        match (self, other) {
            (TextBound::Nothing, bound) | (bound, TextBound::Nothing) => bound.clone(),
            (TextBound::Before(one), TextBound::Before(other)) => TextBound::Before(one.max(other).clone()),
            (TextBound::Any, _) | (_, TextBound::Any) => TextBound::Any,
        }
    }
}

fn number_bound(cutoff: &Cutoff, beyond: impl Fn(Timestamp) -> f64) -> WrittenBound {
    let numbers = match cutoff.last_due_instant() {
        Some(last) if last >= Timestamp::EARLIEST => NumberBound::UpTo(beyond(last)),
        _ => NumberBound::Nothing,
    };
    WrittenBound { numbers, text: TextBound::Any }
}

/// An offset of less than a day lets the written date run one day ahead of
/// UTC. The day after the last that can be written is the bound.
fn iso_bound(cutoff: &Cutoff) -> TextBound {
    let last_date = cutoff.last_due_date().map(civil::number_of);
    let last_written = cutoff.last_due_instant().map(|last| utc_day(last) + 1);
    let bound = match last_date.max(last_written) {
        Some(last) => last + 1,
        None => return TextBound::Nothing,
    };
    let (earliest, latest) = (utc_day(Timestamp::EARLIEST) - 1, utc_day(Timestamp::LATEST) + 2);
    if bound <= earliest {
        return TextBound::Nothing;
    }
    TextBound::Before(civil::date_of(bound.min(latest)).to_string())
}

fn utc_day(instant: Timestamp) -> i64 {
    instant.seconds().div_euclid(SECONDS_PER_DAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Period, Schedule, Zone};

    impl NumberBound {
        pub(crate) fn admits(&self, number: f64) -> bool {
            match self {
                NumberBound::Any => true,
                NumberBound::UpTo(last) => number <= *last,
                NumberBound::Nothing => false,
            }
        }
    }

    impl TextBound {
        pub(crate) fn admits(&self, text: &[u8]) -> bool {
            match self {
                TextBound::Any => true,
                TextBound::Before(end) => text < end.as_bytes(),
                TextBound::Nothing => false,
            }
        }
    }

    fn bound(format: &str, keep: &str, now: &str) -> Option<WrittenBound> {
        let zone = Zone::parse("Europe/Copenhagen").unwrap();
        let now = Timestamp::parse_now(now, &zone).unwrap();
        let cutoff = Schedule::new(zone, None, Period::parse(keep).unwrap()).cutoff(now);
        of(&Format::parse(format).unwrap(), &cutoff)
    }

    #[test]
    fn the_bound_of_text_lies_two_days_behind_the_last_due_instant() {
        // Due up to 2025-11-19, whose last instant is 22:59:59.999999999 UTC.
        let bound = bound("iso", "1 year", "2026-11-20").unwrap();
        assert_eq!(bound.text, TextBound::Before("2025-11-21".to_owned()));
        assert!(bound.text.admits(b"2025-11-20T23:58:59+23:59"));
        assert!(!bound.text.admits(b"2025-11-21"));
        assert!(bound.numbers.admits(f64::MAX));
    }

    #[test]
    fn the_bound_of_numbers_is_rounded_up() {
        let unix = bound("unix", "immediately", "2026-11-20T01:00:00Z").unwrap();
        assert!(unix.numbers.admits(1_795_136_400.0) && !unix.numbers.admits(1_795_136_410.0));
        assert!(unix.text.admits(b"zzz"));
        let julian = bound("julian-day", "immediately", "2026-11-20T01:00:00Z").unwrap();
        assert!(julian.numbers.admits(2_461_364.541_67) && !julian.numbers.admits(2_461_364.55));
    }

    #[test]
    fn where_nothing_is_due_nothing_passes() {
        let iso = bound("iso", "200 years", "2026-11-20").unwrap();
        assert_eq!(iso.text, TextBound::Nothing);
        let unix = bound("unix-ns", "200 years", "2026-11-20").unwrap();
        assert_eq!(unix.numbers, NumberBound::Nothing);
    }

    #[test]
    fn a_pattern_has_no_order() {
        assert_eq!(bound("%d-%m-%Y", "1 year", "2026-11-20"), None);
    }
}
