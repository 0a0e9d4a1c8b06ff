//! Times that are stored as numbers: counts since some epoch, and Julian days.

use std::fmt;

use crate::calendar::civil::{self, SECONDS_PER_DAY};
use crate::calendar::format::wall_time::{WallDay, WallTime, readable};
use crate::calendar::{Date, Event, Timestamp, Unreadable, Zone};
use crate::value::{Owned, Value};

const NANOS_PER_SECOND: i128 = 1_000_000_000;
const NANOS_PER_DAY: i128 = SECONDS_PER_DAY as i128 * NANOS_PER_SECOND;
const NANOS_PER_MILLISECOND: i128 = 1_000_000;

/// Midnight of 1970-01-01 in milliseconds of the Julian day.
pub(crate) const EPOCH_JULIAN_MILLISECONDS: i64 = 210_866_760_000_000;
const MILLISECONDS_PER_DAY: f64 = 86_400_000.0;

/// No time that is read is so many of anything away from its epoch; it keeps the
/// arithmetic below clear of its limits.
const FAR_AWAY: f64 = 1e20;

/// What a count counts, and since when. Of days it counts those of a calendar on the wall, in no zone;
/// of all else what has passed since midnight UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The days from 1970-01-01 to the epoch.
    epoch: i64,
    unit: Unit,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Days.
    Days,
    /// Hours.
    Hours,
    /// Minutes.
    Minutes,
    /// Seconds.
    Seconds,
    /// Thousandths of a second.
    Milliseconds,
    /// Millionths of a second.
    Microseconds,
    /// Ten-millionths of a second.
    HundredNanoseconds,
    /// Thousand-millionths of a second.
    Nanoseconds,
}

impl Unit {
    /// The units by their names.
    pub(crate) const NAMED: [(&str, Unit); 8] = [
        ("days", Unit::Days),
        ("hours", Unit::Hours),
        ("minutes", Unit::Minutes),
        ("s", Unit::Seconds),
        ("ms", Unit::Milliseconds),
        ("us", Unit::Microseconds),
        ("100ns", Unit::HundredNanoseconds),
        ("ns", Unit::Nanoseconds),
    ];

    /// The unit of a name.
    pub(crate) fn parse(name: &str) -> Option<Unit> {
        Unit::NAMED.into_iter().find(|(known, _)| *known == name).map(|(_, unit)| unit)
    }

    fn nanos(self) -> i128 {
        match self {
            Unit::Days => NANOS_PER_DAY,
            Unit::Hours => 3_600 * NANOS_PER_SECOND,
            Unit::Minutes => 60 * NANOS_PER_SECOND,
            Unit::Seconds => NANOS_PER_SECOND,
            Unit::Milliseconds => NANOS_PER_MILLISECOND,
            Unit::Microseconds => 1_000,
            Unit::HundredNanoseconds => 100,
            Unit::Nanoseconds => 1,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Unit::NAMED.iter().filter(|(_, unit)| unit == self).try_for_each(|(name, _)| f.write_str(name))
    }
}

impl Count {
    /// A count since midnight of a day, in UTC.
    pub(crate) fn since(epoch: Date, unit: Unit) -> Count {
        Count { epoch: civil::number_of(epoch), unit }
    }

    /// A count since 1970-01-01.
    pub(crate) const fn unix(unit: Unit) -> Count {
        Count { epoch: 0, unit }
    }

    /// A count since the start of a year.
    pub(crate) const fn since_year(year: i64, unit: Unit) -> Count {
        Count { epoch: civil::day_number(year, 1, 1), unit }
    }

    /// Days as spreadsheets count them, from 1900-03-01 on.
    pub(crate) const EXCEL_SERIAL: Count = Count { epoch: civil::day_number(1899, 12, 30), unit: Unit::Days };

    /// The day that it counts from.
    pub(crate) fn epoch(self) -> Date {
        civil::date_of(self.epoch)
    }

    fn epoch_nanos(self) -> i128 {
        i128::from(self.epoch) * NANOS_PER_DAY
    }

    /// Reads a count: a number, or one in plain digits. Zero is what programs write when they know no
    /// time, so it is not read as the epoch.
    #[inline]
    pub(crate) fn read(self, value: Value<'_>, times_in: Zone) -> Result<Event, Unreadable> {
        let nanos = match value {
            Value::Integer(count) => i128::from(count) * self.unit.nanos(),
            Value::Real(count) => self.nanos_of_real(count)?,
            Value::Text(text) => nanos_of_text(text, self.unit.nanos()).ok_or(Unreadable::NotANumber)?,
            Value::Null | Value::Blob => return Err(Unreadable::NotANumber),
        };
        if nanos == 0 {
            return Err(Unreadable::Zero);
        }
        if self.unit == Unit::Days {
            return self.on_the_wall(nanos, times_in);
        }
        readable(instant_of_nanos(nanos.saturating_add(self.epoch_nanos()))?)
    }

    /// Whole counts exactly, and the fraction rounded to the nearest
    /// nanosecond, half away from zero.
    fn nanos_of_real(self, count: f64) -> Result<i128, Unreadable> {
        if count.is_nan() || count.abs() >= FAR_AWAY {
            return Err(Unreadable::OutOfRange);
        }
        let fraction = (count.fract() * self.unit.nanos() as f64).round();
        Ok(count.trunc() as i128 * self.unit.nanos() + fraction as i128)
    }

    /// A whole day is a date; another one has a time of day, to the nearest millisecond, for a
    /// floating-point number of days is no more exact.
    fn on_the_wall(self, nanos: i128, times_in: Zone) -> Result<Event, Unreadable> {
        let milliseconds = nanos.saturating_add(NANOS_PER_MILLISECOND / 2).div_euclid(NANOS_PER_MILLISECOND);
        let per_day = NANOS_PER_DAY / NANOS_PER_MILLISECOND;
        let day = i64::try_from(milliseconds.div_euclid(per_day)).map_err(|_| Unreadable::OutOfRange)?;
        let day = WallDay::of_number(day.saturating_add(self.epoch))?;
        match milliseconds.rem_euclid(per_day) {
            0 => day.event(),
            of_day => day.event_at(WallTime::of_milliseconds(of_day as i64), None, times_in),
        }
    }

    /// A count that no event up to `instant` exceeds, however its fraction
    /// was rounded, and in whatever zone its day was.
    pub(crate) fn count_beyond(self, instant: Timestamp) -> f64 {
        let since = nanos(instant) - self.epoch_nanos();
        let ahead = if self.unit == Unit::Days { 3 } else { 2 };
        let count = (since.div_euclid(self.unit.nanos()) + ahead) as f64;
        // Beyond 2^53 the conversion itself may have rounded down.
        (count + count.abs() * f64::EPSILON).ceil()
    }

    /// The count at the first instant of a day in a zone, written as another one is. Zero says that no time is
    /// known, and so it becomes one.
    pub(crate) fn write(self, value: Value<'_>, first: Date, zone: Zone) -> Result<Owned, Unreadable> {
        let since = match self.unit {
            Unit::Days => i128::from(civil::number_of(first) - self.epoch) * NANOS_PER_DAY,
            _ => nanos(zone.opening_of(first)) - self.epoch_nanos(),
        };
        let count = i64::try_from(since.div_euclid(self.unit.nanos())).map_err(|_| Unreadable::OutOfRange)?;
        let count = if count == 0 { 1 } else { count };
        match value {
            Value::Integer(_) => Ok(Owned::Integer(count)),
            Value::Real(_) => Ok(Owned::Real(count as f64)),
            Value::Text(text) => {
                let behind = text.iter().skip_while(|byte| **byte != b'.');
                let zeros = behind.map(|byte| if *byte == b'.' { b'.' } else { b'0' });
                Ok(Owned::Text(count.to_string().into_bytes().into_iter().chain(zeros).collect()))
            }
            Value::Null | Value::Blob => Err(Unreadable::NotANumber),
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} since {}", self.unit, self.epoch())
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

/// Reads `-?[0-9]+(\.[0-9]+)?` as so many units. What does not fit becomes the largest or the smallest
/// number, which is out of range as the number itself is.
fn nanos_of_text(text: &[u8], unit: i128) -> Option<i128> {
    let (sign, digits): (i128, _) = match text {
        [b'-', digits @ ..] => (-1, digits),
        digits => (1, digits),
    };
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = point.map_or((digits, None), |at| (&digits[..at], Some(&digits[at + 1..])));
    let whole = whole_number(whole)?.saturating_mul(unit);
    let fraction = fraction.map_or(Some(0), |digits| fraction_of(digits, unit))?;
    Some(sign * whole.saturating_add(fraction))
}

/// The digits behind a point as a part of a unit, rounded half away from zero.
fn fraction_of(digits: &[u8], unit: i128) -> Option<i128> {
    // Further digits weigh nothing: a unit has fewer nanoseconds than these can tell apart.
    let telling = &digits[..digits.len().min(MOST_DIGITS)];
    let of = 10_i128.pow(telling.len() as u32);
    whole_number(digits)?;
    Some((whole_number(telling)? * unit * 2 + of) / (of * 2))
}

/// Reads `[0-9]+`.
fn whole_number(digits: &[u8]) -> Option<i128> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    if digits.len() > MOST_DIGITS {
        return Some(long_number(digits));
    }
    let value = digits.iter().fold(0, |value: i64, digit| value * 10 + i64::from(digit - b'0'));
    Some(i128::from(value))
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

    const SECONDS: Count = Count::unix(Unit::Seconds);
    const UNITS: [Count; 4] = [
        SECONDS,
        Count::unix(Unit::Milliseconds),
        Count::unix(Unit::Microseconds),
        Count::unix(Unit::Nanoseconds),
    ];

    impl Count {
        fn in_utc(self, value: Value<'_>) -> Result<Event, Unreadable> {
            self.read(value, Zone::UTC)
        }
    }

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
                assert_eq!(instant(scale.in_utc(value)), "2026-11-20T01:00:00Z", "{scale:?} {value:?}");
            }
        }
        assert_eq!(instant(SECONDS.in_utc(text("-1"))), "1969-12-31T23:59:59Z");
        assert_eq!(instant(SECONDS.in_utc(text("0001"))), "1970-01-01T00:00:01Z");
    }

    #[test]
    fn fractions_are_rounded_to_the_nanosecond_away_from_zero() {
        let read = |unit: Unit, count| instant(Count::unix(unit).in_utc(Value::Real(count)));
        assert_eq!(read(Unit::Seconds, 1.5), "1970-01-01T00:00:01.5Z");
        assert_eq!(read(Unit::Seconds, -1.25), "1969-12-31T23:59:58.75Z");
        assert_eq!(read(Unit::Nanoseconds, 1.5), "1970-01-01T00:00:00.000000002Z");
        assert_eq!(read(Unit::Nanoseconds, -1.5), "1969-12-31T23:59:59.999999998Z");
        assert_eq!(read(Unit::Microseconds, 0.5), "1970-01-01T00:00:00.0000005Z");
        assert_eq!(read(Unit::Milliseconds, 1_795_136_400_000.25), "2026-11-20T01:00:00.00025Z");
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
                assert_eq!(scale.in_utc(value), Err(Unreadable::Zero), "{value:?}");
            }
        }
    }

    #[test]
    fn only_plain_numbers_are_read_from_text() {
        for number in [
            "", "-", "+1", "1e9", " 1", "1 ", "--1", "1-", "0x10", "1_000", "\u{661}", "1.", ".5", "1.2.3",
            "1.-5", "1,5", "-.5",
        ] {
            assert_eq!(SECONDS.in_utc(text(number)), Err(Unreadable::NotANumber), "{number}");
        }
    }

    #[test]
    fn decimals_in_text_count_to_the_nanosecond() {
        let read = |unit, number| instant(Count::unix(unit).in_utc(text(number)));
        assert_eq!(read(Unit::Seconds, "1795136400.25"), "2026-11-20T01:00:00.25Z");
        assert_eq!(read(Unit::Seconds, "1.0"), "1970-01-01T00:00:01Z");
        assert_eq!(read(Unit::Seconds, "-1.25"), "1969-12-31T23:59:58.75Z");
        assert_eq!(read(Unit::Seconds, "0.0000000005"), "1970-01-01T00:00:00.000000001Z");
        assert_eq!(read(Unit::Milliseconds, "1795136400000.123456789"), "2026-11-20T01:00:00.000123457Z");
        let many = format!("1.{}", "9".repeat(40));
        assert_eq!(read(Unit::Seconds, &many), "1970-01-01T00:00:02Z");
        let long = format!("{}.{}", "9".repeat(60), "9".repeat(60));
        assert_eq!(SECONDS.in_utc(text(&long)), Err(Unreadable::OutOfRange));
        assert_eq!(SECONDS.in_utc(text("0.0")), Err(Unreadable::Zero));
    }

    /// As each program's own documentation tells one of them.
    #[test]
    fn counts_from_other_epochs() {
        let read = |epoch: &str, unit, count| {
            instant(Count::since(epoch.parse().unwrap(), unit).in_utc(Value::Integer(count)))
        };
        assert_eq!(read("1601-01-01", Unit::Microseconds, 13_439_610_000_000_000), "2026-11-20T01:00:00Z");
        assert_eq!(read("2001-01-01", Unit::Seconds, 816_829_200), "2026-11-20T01:00:00Z");
        assert_eq!(
            read("0001-01-01", Unit::HundredNanoseconds, 639_307_332_000_000_000),
            "2026-11-20T01:00:00Z"
        );
        assert_eq!(read("2000-01-01", Unit::Minutes, -1), "1999-12-31T23:59:00Z");
        assert_eq!(read("2000-01-01", Unit::Hours, 25), "2000-01-02T01:00:00Z");
    }

    #[test]
    fn a_whole_day_is_a_date_and_another_a_time_on_the_wall() {
        let copenhagen = Zone::parse("Europe/Copenhagen").unwrap();
        let read = |value| Count::EXCEL_SERIAL.read(value, copenhagen);
        let date = |date: &str| Ok(Event::Date(date.parse().unwrap()));
        for value in [Value::Integer(46_346), Value::Real(46_346.0), text("46346"), text("46346.0")] {
            assert_eq!(read(value), date("2026-11-20"), "{value:?}");
        }
        // Less than a millisecond from midnight is midnight.
        assert_eq!(read(Value::Real(46_345.999_999_999_9)), date("2026-11-20"));
        assert_eq!(instant(read(Value::Real(46_346.083_333_333_336))), "2026-11-20T01:00:00Z");
        assert_eq!(instant(read(text("46346.5"))), "2026-11-20T11:00:00Z");
        assert_eq!(read(Value::Integer(0)), Err(Unreadable::Zero));
        assert_eq!(read(Value::Integer(1)), Err(Unreadable::OutOfRange));
        assert_eq!(read(Value::Integer(2)), date("1900-01-01"));
        for value in [
            Value::Integer(i64::MAX),
            Value::Integer(i64::MIN),
            Value::Real(9.9e19),
            text("999999999999999999999999999999999999999999"),
        ] {
            assert_eq!(read(value), Err(Unreadable::OutOfRange), "{value:?}");
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
            assert_eq!(SECONDS.in_utc(value), Err(Unreadable::OutOfRange), "{value:?}");
        }
        assert_eq!(instant(SECONDS.in_utc(Value::Integer(10_413_791_999))), "2299-12-31T23:59:59Z");
        assert_eq!(instant(SECONDS.in_utc(Value::Integer(-2_208_988_800))), "1900-01-01T00:00:00Z");
        let beyond_64_bits = text("10413791999000000000");
        assert_eq!(instant(Count::unix(Unit::Nanoseconds).in_utc(beyond_64_bits)), "2299-12-31T23:59:59Z");
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
