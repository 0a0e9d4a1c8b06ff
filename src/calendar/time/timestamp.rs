//! Instants: points on the time line, the same in every zone.

use std::fmt;

use thiserror::Error;

use crate::calendar::civil::{self, SECONDS_PER_DAY};
use crate::calendar::{Event, Unreadable, Zone, iso};

const NANOS_PER_SECOND: u32 = 1_000_000_000;

/// A point in time, to the nanosecond, counted from 1970-01-01T00:00:00Z
/// without leap seconds, as Unix does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

impl Timestamp {
    /// The first instant that frist reads: 1900-01-01T00:00:00Z.
    pub const EARLIEST: Timestamp = Timestamp::start_of_year_utc(1900);
    /// The first instant that frist no longer reads: 2300-01-01T00:00:00Z.
    pub const LATEST: Timestamp = Timestamp::start_of_year_utc(2300);
    /// Later than everything; what a sum that leaves the time line becomes,
    /// because what is due then is kept.
    pub const NEVER: Timestamp = Timestamp { seconds: i64::MAX, nanos: NANOS_PER_SECOND - 1 };

    const fn start_of_year_utc(year: i64) -> Timestamp {
        Timestamp { seconds: civil::day_number(year, 1, 1) * SECONDS_PER_DAY, nanos: 0 }
    }

    /// The instant so many seconds and nanoseconds after 1970-01-01T00:00:00Z.
    /// A billion nanoseconds and more are carried into the seconds.
    pub const fn from_unix(seconds: i64, nanos: u32) -> Timestamp {
        let carried = (nanos / NANOS_PER_SECOND) as i64;
        match seconds.checked_add(carried) {
            Some(seconds) => Timestamp { seconds, nanos: nanos % NANOS_PER_SECOND },
            None => Timestamp::NEVER,
        }
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds since the start of the second.
    pub const fn nanos(self) -> u32 {
        self.nanos
    }

    /// Whether frist reads this instant: from 1900 to the end of 2299, UTC.
    pub fn is_readable(self) -> bool {
        (Timestamp::EARLIEST..Timestamp::LATEST).contains(&self)
    }

    /// The instant so many seconds later, or earlier for a negative number;
    /// none where the time line ends.
    pub fn plus_seconds(self, seconds: i64) -> Option<Timestamp> {
        let seconds = self.seconds.checked_add(seconds)?;
        Some(Timestamp { seconds, ..self })
    }

    /// The last instant before this one, a nanosecond earlier.
    pub fn predecessor(self) -> Timestamp {
        match self.nanos.checked_sub(1) {
            Some(nanos) => Timestamp { nanos, ..self },
            None => self.last_nanosecond_of_the_second_before(),
        }
    }

    fn last_nanosecond_of_the_second_before(self) -> Timestamp {
        match self.seconds.checked_sub(1) {
            Some(seconds) => Timestamp { seconds, nanos: NANOS_PER_SECOND - 1 },
            None => self,
        }
    }

    /// Reads what was typed after `--now`: a date-time as in an `iso` column,
    /// or a date, which stands for its first instant in `zone`. Without an
    /// offset the time is one of `zone`.
    pub fn parse_now(text: &str, zone: &Zone) -> Result<Timestamp, NowError> {
        let fault = |reason| NowError { text: text.to_owned(), reason };
        match iso::read(text.as_bytes(), *zone).map_err(fault)? {
            Event::Date(date) => Ok(zone.opening_of(date)),
            Event::At(instant) => Ok(instant),
        }
    }
}

/// A time after `--now` that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` is no time frist can read ({reason}); write `2026-11-20` or `2026-11-20T02:00:00+01:00`")]
pub struct NowError {
    text: String,
    reason: Unreadable,
}

/// RFC 3339 in UTC: `2026-11-20T01:00:00Z`, with a fraction only where there
/// is one.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_civil_time(f, self.seconds, self.nanos)?;
        f.write_str("Z")
    }
}

/// Writes date and time of day of a number of seconds that counts local time
/// as if it were UTC.
pub(crate) fn write_civil_time(out: &mut dyn fmt::Write, local_seconds: i64, nanos: u32) -> fmt::Result {
    let (year, month, day) = civil::civil_of(local_seconds.div_euclid(SECONDS_PER_DAY));
    let of_day = local_seconds.rem_euclid(SECONDS_PER_DAY);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
    write_fraction(out, nanos)
}

fn write_fraction(out: &mut dyn fmt::Write, nanos: u32) -> fmt::Result {
    if nanos == 0 {
        return Ok(());
    }
    write!(out, ".{}", format!("{nanos:09}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_rfc3339_in_utc_with_a_fraction_only_where_there_is_one() {
        let at = |seconds, nanos| Timestamp::from_unix(seconds, nanos).to_string();
        assert_eq!(at(1_795_136_400, 0), "2026-11-20T01:00:00Z");
        assert_eq!(at(1_795_136_400, 250_000_000), "2026-11-20T01:00:00.25Z");
        assert_eq!(at(-1, 1), "1969-12-31T23:59:59.000000001Z");
        assert_eq!(Timestamp::EARLIEST.to_string(), "1900-01-01T00:00:00Z");
        assert_eq!(Timestamp::LATEST.to_string(), "2300-01-01T00:00:00Z");
    }

    #[test]
    fn the_ends_of_the_time_line_neither_wrap_nor_panic() {
        let first = Timestamp::from_unix(i64::MIN, 0);
        assert_eq!(first.predecessor(), first);
        assert_eq!(first.plus_seconds(-1), None);
        assert_eq!(Timestamp::from_unix(i64::MAX, u32::MAX), Timestamp::NEVER);
        assert_eq!(Timestamp::NEVER.plus_seconds(1), None);
        assert!(!first.to_string().is_empty() && !Timestamp::NEVER.to_string().is_empty());
    }

    #[test]
    fn nanoseconds_carry_and_borrow() {
        assert_eq!(Timestamp::from_unix(1, 2_500_000_000), Timestamp::from_unix(3, 500_000_000));
        assert_eq!(Timestamp::from_unix(0, 0).predecessor(), Timestamp::from_unix(-1, 999_999_999));
        assert_eq!(Timestamp::from_unix(0, 1).predecessor(), Timestamp::from_unix(0, 0));
    }

    #[test]
    fn now_is_read_with_an_offset_or_in_the_zone() {
        let zone = Zone::parse("Europe/Copenhagen").unwrap();
        let now = |text| Timestamp::parse_now(text, &zone).map(|at| at.to_string()).ok();
        assert_eq!(now("2026-11-20").as_deref(), Some("2026-11-19T23:00:00Z"));
        assert_eq!(now("2026-11-20T02:00:00").as_deref(), Some("2026-11-20T01:00:00Z"));
        assert_eq!(now("2026-11-20 02:00Z").as_deref(), Some("2026-11-20T02:00:00Z"));
        assert_eq!(now("tomorrow"), None);
        assert_eq!(now("2300-01-02"), None);
        let message = Timestamp::parse_now("2026-02-30", &zone).unwrap_err().to_string();
        assert!(message.contains("`2026-02-30`") && message.contains("no such day"), "{message}");
    }
}
