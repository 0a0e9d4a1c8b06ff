//! Times that are stored as numbers: counts since 1970, and Julian days.

use crate::calendar::format::wall_time::readable;
use crate::calendar::{Event, Timestamp, UnixScale, Unreadable};
use crate::value::{Owned, Value};

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// Midnight of 1970-01-01 in milliseconds of the Julian day.
pub(crate) const EPOCH_JULIAN_MILLISECONDS: i64 = 210_866_760_000_000;
const MILLISECONDS_PER_DAY: f64 = 86_400_000.0;

/// No time that is read is so many of anything away from 1970; it keeps the
/// arithmetic below clear of its limits.
const FAR_AWAY: f64 = 1e20;

impl UnixScale {
    pub(crate) fn nanos(self) -> i128 {
        match self {
            UnixScale::Seconds => NANOS_PER_SECOND,
            UnixScale::Milliseconds => 1_000_000,
            UnixScale::Microseconds => 1_000,
            UnixScale::Nanoseconds => 1,
        }
    }

    /// Reads a count since 1970: a number, or a whole one in digits. Zero is
    /// what programs write when they know no time, so it is not read as 1970.
    pub(crate) fn read(self, value: Value<'_>) -> Result<Event, Unreadable> {
        let nanos = match value {
            Value::Integer(count) => i128::from(count) * self.nanos(),
            Value::Real(count) => self.nanos_of_real(count)?,
            Value::Text(text) => {
                let count = whole_number(text).ok_or(Unreadable::NotANumber)?;
                count.saturating_mul(self.nanos())
            }
            Value::Null | Value::Blob => return Err(Unreadable::NotANumber),
        };
        if nanos == 0 {
            return Err(Unreadable::Zero);
        }
        readable(instant_of_nanos(nanos)?)
    }

    /// Whole counts exactly, and the fraction rounded to the nearest
    /// nanosecond, half away from zero.
    fn nanos_of_real(self, count: f64) -> Result<i128, Unreadable> {
        if count.is_nan() || count.abs() >= FAR_AWAY {
            return Err(Unreadable::OutOfRange);
        }
        let fraction = (count.fract() * self.nanos() as f64).round();
        Ok(count.trunc() as i128 * self.nanos() + fraction as i128)
    }

    /// A count that no event up to `instant` exceeds, however its fraction
    /// was rounded.
    pub(crate) fn count_beyond(self, instant: Timestamp) -> f64 {
        let count = (nanos(instant).div_euclid(self.nanos()) + 2) as f64;
        // Beyond 2^53 the conversion itself may have rounded down.
        (count + count.abs() * f64::EPSILON).ceil()
    }
}

fn instant_of_nanos(nanos: i128) -> Result<Timestamp, Unreadable> {
    let seconds = i64::try_from(nanos.div_euclid(NANOS_PER_SECOND));
    let nanos = u32::try_from(nanos.rem_euclid(NANOS_PER_SECOND));
    match (seconds, nanos) {
        (Ok(seconds), Ok(nanos)) => Ok(Timestamp::from_unix(seconds, nanos)),
        _ => Err(Unreadable::OutOfRange),
    }
}

/// Reads `-?[0-9]+`. A number of more digits than fit becomes the largest or
/// the smallest, which is out of range as the number itself is.
fn whole_number(text: &[u8]) -> Option<i128> {
    let (sign, digits): (i128, _) = match text {
        [b'-', digits @ ..] => (-1, digits),
        digits => (1, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    if digits.len() > MOST_DIGITS {
        return Some(sign * long_number(digits));
    }
    let value = digits.iter().fold(0, |value: i64, digit| value * 10 + i64::from(digit - b'0'));
    Some(sign * i128::from(value))
}

/// So many digits always fit into 64 bits, in which arithmetic is fast.
const MOST_DIGITS: usize = 18;

fn long_number(digits: &[u8]) -> i128 {
    let add = |value: i128, digit: &u8| value.saturating_mul(10).saturating_add((digit - b'0').into());
    digits.iter().fold(0, add)
}

/// Reads a Julian day as SQLite does: to the nearest millisecond.
pub(crate) fn read_julian_day(value: Value<'_>) -> Result<Event, Unreadable> {
    let days = match value {
        Value::Real(days) => days,
        Value::Integer(days) => days as f64,
        Value::Text(text) => decimal_number(text).ok_or(Unreadable::NotANumber)?,
        Value::Null | Value::Blob => return Err(Unreadable::NotANumber),
    };
    if days.is_nan() || days.abs() >= FAR_AWAY {
        return Err(Unreadable::OutOfRange);
    }
    // A float beyond the range of integers becomes the last of them.
    let milliseconds = (days * MILLISECONDS_PER_DAY + 0.5).floor() as i64;
    let since_1970 = milliseconds.saturating_sub(EPOCH_JULIAN_MILLISECONDS);
    readable(instant_of_nanos(i128::from(since_1970) * 1_000_000)?)
}

/// A Julian day that no event up to `instant` exceeds.
pub(crate) fn julian_day_beyond(instant: Timestamp) -> f64 {
    let since_1970 = instant.seconds().saturating_add(2).saturating_mul(1000);
    since_1970.saturating_add(EPOCH_JULIAN_MILLISECONDS) as f64 / MILLISECONDS_PER_DAY
}

/// Reads `[0-9]+(\.[0-9]+)?`.
fn decimal_number(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if plain(whole) && plain(fraction) { text.parse().ok() } else { None }
}

/// A count since 1970. Zero says that no time is known, and so it becomes one.
pub(crate) fn write_unix(value: Value<'_>, scale: UnixScale, at: Timestamp) -> Result<Owned, Unreadable> {
    let count = i64::try_from(nanos(at) / scale.nanos()).map_err(|_| Unreadable::OutOfRange)?;
    let count = if count == 0 { 1 } else { count };
    match value {
        Value::Integer(_) => Ok(Owned::Integer(count)),
        Value::Real(_) => Ok(Owned::Real(count as f64)),
        Value::Text(_) => Ok(Owned::Text(count.to_string().into_bytes())),
        Value::Null | Value::Blob => Err(Unreadable::NotANumber),
    }
}

/// A Julian day, which begins at noon: a whole one is that of the first noon of the day.
pub(crate) fn write_julian_day(value: Value<'_>, at: Timestamp) -> Result<Owned, Unreadable> {
    let milliseconds = at.seconds().saturating_mul(1_000).saturating_add(EPOCH_JULIAN_MILLISECONDS);
    let days = milliseconds as f64 / MILLISECONDS_PER_DAY;
    let noon = milliseconds.div_euclid(MILLISECONDS_PER_DAY as i64)
        + i64::from(milliseconds.rem_euclid(MILLISECONDS_PER_DAY as i64) > 0);
    match value {
        Value::Integer(_) => Ok(Owned::Integer(noon)),
        Value::Real(_) => Ok(Owned::Real(days)),
        Value::Text(text) if text.contains(&b'.') => Ok(Owned::Text(format!("{days:?}").into_bytes())),
        Value::Text(_) => Ok(Owned::Text(noon.to_string().into_bytes())),
        Value::Null | Value::Blob => Err(Unreadable::NotANumber),
    }
}

fn nanos(at: Timestamp) -> i128 {
    i128::from(at.seconds()) * NANOS_PER_SECOND + i128::from(at.nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNITS: [UnixScale; 4] =
        [UnixScale::Seconds, UnixScale::Milliseconds, UnixScale::Microseconds, UnixScale::Nanoseconds];

    fn instant(event: Result<Event, Unreadable>) -> String {
        match event {
            Ok(Event::At(instant)) => instant.to_string(),
            other => format!("{other:?}"),
        }
    }

    fn text(text: &str) -> Value<'_> {
        Value::Text(text.as_bytes())
    }

    #[test]
    fn the_same_instant_in_every_scale_and_spelling() {
        for (scale, count) in UNITS.iter().zip([1_i64, 1_000, 1_000_000, 1_000_000_000]) {
            let count = 1_795_136_400 * count;
            for value in [Value::Integer(count), Value::Real(count as f64), text(&count.to_string())] {
                assert_eq!(instant(scale.read(value)), "2026-11-20T01:00:00Z", "{scale:?} {value:?}");
            }
        }
        assert_eq!(instant(UnixScale::Seconds.read(text("-1"))), "1969-12-31T23:59:59Z");
        assert_eq!(instant(UnixScale::Seconds.read(text("0001"))), "1970-01-01T00:00:01Z");
    }

    #[test]
    fn fractions_are_rounded_to_the_nanosecond_away_from_zero() {
        let read = |scale: UnixScale, count| instant(scale.read(Value::Real(count)));
        assert_eq!(read(UnixScale::Seconds, 1.5), "1970-01-01T00:00:01.5Z");
        assert_eq!(read(UnixScale::Seconds, -1.25), "1969-12-31T23:59:58.75Z");
        assert_eq!(read(UnixScale::Nanoseconds, 1.5), "1970-01-01T00:00:00.000000002Z");
        assert_eq!(read(UnixScale::Nanoseconds, -1.5), "1969-12-31T23:59:59.999999998Z");
        assert_eq!(read(UnixScale::Microseconds, 0.5), "1970-01-01T00:00:00.0000005Z");
        assert_eq!(read(UnixScale::Milliseconds, 1_795_136_400_000.25), "2026-11-20T01:00:00.00025Z");
    }

    #[test]
    fn zero_is_unreadable_in_any_spelling() {
        for scale in UNITS {
            for value in [
                Value::Integer(0),
                Value::Real(0.0),
                Value::Real(-0.0),
                Value::Real(1e-300),
                text("0"),
                text("-0"),
                text("000"),
            ] {
                assert_eq!(scale.read(value), Err(Unreadable::Zero), "{value:?}");
            }
        }
    }

    #[test]
    fn only_plain_whole_numbers_are_read_from_text() {
        for number in ["", "-", "+1", "1.0", "1e9", " 1", "1 ", "--1", "1-", "0x10", "1_000", "\u{661}"] {
            assert_eq!(UnixScale::Seconds.read(text(number)), Err(Unreadable::NotANumber), "{number}");
        }
    }

    #[test]
    fn counts_out_of_range_are_unreadable_and_never_wrap() {
        let digits = "9".repeat(60);
        for value in [
            Value::Integer(i64::MAX),
            Value::Integer(i64::MIN),
            Value::Real(f64::MAX),
            Value::Real(f64::NAN),
            Value::Real(f64::INFINITY),
            Value::Real(f64::NEG_INFINITY),
            Value::Real(9.9e19),
            text(&digits),
            text("18446744073709551617"),
            Value::Integer(10_413_792_000),
            Value::Integer(-2_208_988_801),
        ] {
            assert_eq!(UnixScale::Seconds.read(value), Err(Unreadable::OutOfRange), "{value:?}");
        }
        assert_eq!(instant(UnixScale::Seconds.read(Value::Integer(10_413_791_999))), "2299-12-31T23:59:59Z");
        assert_eq!(instant(UnixScale::Seconds.read(Value::Integer(-2_208_988_800))), "1900-01-01T00:00:00Z");
        let beyond_64_bits = text("10413791999000000000");
        assert_eq!(instant(UnixScale::Nanoseconds.read(beyond_64_bits)), "2299-12-31T23:59:59Z");
    }

    #[test]
    fn julian_days_are_read_to_the_millisecond_as_sqlite_does() {
        let read = |value| instant(read_julian_day(value));
        assert_eq!(read(Value::Real(2_461_364.541_666_666_5)), "2026-11-20T01:00:00Z");
        assert_eq!(read(text("2461364.5416666665")), "2026-11-20T01:00:00Z");
        assert_eq!(read(Value::Real(2_440_587.5)), "1970-01-01T00:00:00Z");
        assert_eq!(read(Value::Integer(2_440_588)), "1970-01-01T12:00:00Z");
        assert_eq!(read(text("2440588")), "1970-01-01T12:00:00Z");
        assert_eq!(read(Value::Real(2_415_020.5)), "1900-01-01T00:00:00Z");
    }

    /// What `strftime('%Y-%m-%dT%H:%M:%f', ?)` of SQLite 3.40.1 answers.
    #[test]
    fn julian_days_agree_with_sqlite() {
        for (days, answer) in [
            (2_461_364.541_666, "2026-11-20T00:59:59.942Z"),
            (2_462_331.671_611_1, "2029-07-14T04:07:07.199Z"),
            (2_472_703.134, "2057-12-05T15:12:57.6Z"),
            (2_425_603.652, "1928-12-23T03:38:52.8Z"),
            (2_468_446.688, "2046-04-11T04:30:43.2Z"),
            (2_547_925.124_809, "2263-11-18T14:59:43.498Z"),
            (2_420_498.965_715_740_3, "1915-01-01T11:10:37.84Z"),
        ] {
            assert_eq!(instant(read_julian_day(Value::Real(days))), answer);
        }
    }

    #[test]
    fn julian_days_elsewhere_are_unreadable() {
        for value in [
            Value::Real(0.0),
            Value::Integer(0),
            Value::Real(-1.0),
            Value::Real(f64::NAN),
            Value::Real(f64::INFINITY),
            Value::Real(1e19),
            Value::Integer(i64::MAX),
            Value::Integer(i64::MIN),
            Value::Integer(1_795_136_400),
            Value::Real(2_415_020.49),
            Value::Real(2_561_117.5),
        ] {
            assert_eq!(read_julian_day(value), Err(Unreadable::OutOfRange), "{value:?}");
        }
        for number in ["", ".", "1.", ".5", "-1", "1e6", "inf", "nan", "2 460 000", "1.2.3"] {
            assert_eq!(read_julian_day(text(number)), Err(Unreadable::NotANumber), "{number}");
        }
    }
}
