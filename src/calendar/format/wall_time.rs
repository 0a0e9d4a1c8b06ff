//! What a wall clock and a calendar on the wall show, checked piece by piece
//! and turned into an event. The readers of text all end here.

use crate::calendar::civil::{self, SECONDS_PER_DAY};
use crate::calendar::{Date, Event, Timestamp, Unreadable, Zone};

/// A day that exists.
#[derive(Clone, Copy)]
pub(crate) struct WallDay {
    year: i64,
    month: i64,
    day: i64,
}

/// A time of day that exists. The leap second and 24:00 count on into the
/// minute and the day that follow.
#[derive(Clone, Copy)]
pub(crate) struct WallTime {
    second_of_day: i64,
    nanos: u32,
}

impl WallDay {
    pub(crate) fn new(year: i64, month: i64, day: i64) -> Result<WallDay, Unreadable> {
        if day == 0 || day > civil::days_in_month(year, month) {
            return Err(Unreadable::NoSuchDay);
        }
        Ok(WallDay { year, month, day })
    }

    pub(crate) fn last_of_month(year: i64, month: i64) -> Result<WallDay, Unreadable> {
        WallDay::new(year, month, civil::days_in_month(year, month))
    }

    pub(crate) fn of_year(year: i64, day_of_year: i64) -> Result<WallDay, Unreadable> {
        let days = if civil::is_leap(year) { 366 } else { 365 };
        if !(1..=days).contains(&day_of_year) {
            return Err(Unreadable::NoSuchDay);
        }
        WallDay::of_number(civil::day_number(year, 1, 1) + day_of_year - 1)
    }

    /// The day so many days after 1970-01-01.
    pub(crate) fn of_number(number: i64) -> Result<WallDay, Unreadable> {
        // A year is written with four digits at most; far from that the arithmetic would overflow.
        if !(civil::day_number(0, 1, 1)..civil::day_number(10_000, 1, 1)).contains(&number) {
            return Err(Unreadable::OutOfRange);
        }
        let (year, month, day) = civil::civil_of(number);
        Ok(WallDay { year, month, day })
    }

    fn number(self) -> i64 {
        civil::day_number(self.year, self.month, self.day)
    }

    /// Days since Monday.
    pub(crate) fn weekday(self) -> i64 {
        // 1970-01-01 was a Thursday.
        (self.number() + 3).rem_euclid(7)
    }

    /// The day as an event that has a date only.
    pub(crate) fn event(self) -> Result<Event, Unreadable> {
        if !(1900..=2299).contains(&self.year) {
            return Err(Unreadable::OutOfRange);
        }
        Date::from_ymd_opt(self.year as i32, self.month as u32, self.day as u32)
            .map(Event::Date)
            .ok_or(Unreadable::NoSuchDay)
    }

    /// The day and a time of it, `offset` seconds ahead of UTC or else in a
    /// zone.
    pub(crate) fn event_at(
        self,
        time: WallTime,
        offset: Option<i64>,
        times_in: Zone,
    ) -> Result<Event, Unreadable> {
        let local = self.number() * SECONDS_PER_DAY + time.second_of_day;
        readable(match offset {
            Some(offset) => Timestamp::from_unix(local - offset, time.nanos),
            None => times_in.instant_of_local_seconds(local, time.nanos),
        })
    }
}

impl WallTime {
    pub(crate) fn new(hour: i64, minute: i64, second: i64, nanos: u32) -> Result<WallTime, Unreadable> {
        let leap_second = second == 60 && minute == 59;
        if hour > 23 || minute > 59 || (second > 59 && !leap_second) {
            return Err(Unreadable::NoSuchTime);
        }
        Ok(WallTime { second_of_day: hour * 3600 + minute * 60 + second, nanos })
    }

    /// So many milliseconds after midnight.
    pub(crate) fn of_milliseconds(milliseconds: i64) -> WallTime {
        let nanos = milliseconds.rem_euclid(1_000) as u32 * 1_000_000;
        WallTime { second_of_day: milliseconds.div_euclid(1_000), nanos }
    }

    /// 24:00, the start of the next day.
    pub(crate) const END_OF_DAY: WallTime = WallTime { second_of_day: SECONDS_PER_DAY, nanos: 0 };
}

/// The instant as an event, if it lies where frist reads times.
pub(crate) fn readable(instant: Timestamp) -> Result<Event, Unreadable> {
    if instant.is_readable() { Ok(Event::At(instant)) } else { Err(Unreadable::OutOfRange) }
}

/// The value of `N` digits; none if one of them is no digit.
#[inline]
pub(crate) fn digits<const N: usize>(bytes: [u8; N]) -> Option<i64> {
    let (mut value, mut all_digits) = (0, true);
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        all_digits &= digit <= 9;
        value = value * 10 + i64::from(digit);
    }
    all_digits.then_some(value)
}

/// Splits one to nine digits of a fraction off, as nanoseconds.
pub(crate) fn split_fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let (fraction, rest) = text.split_at(count);
    let value = fraction.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    Some((value * 10_u32.pow(9 - count as u32), rest))
}

/// Reads `Z`, `±HH`, `±HHMM` or `±HH:MM` at the start of a text, as seconds
/// ahead of UTC; the longest of them that is there.
pub(crate) fn split_offset(text: &[u8]) -> Option<(i64, &[u8])> {
    let (sign, text) = match text {
        [b'Z', rest @ ..] => return Some((0, rest)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (&hours, rest) = text.split_first_chunk::<2>()?;
    let hours = digits(hours)?;
    let (minutes, rest) = split_offset_minutes(rest).unwrap_or((0, rest));
    let exists = hours <= 23 && minutes <= 59;
    exists.then_some((sign * (hours * 3600 + minutes * 60), rest))
}

fn split_offset_minutes(text: &[u8]) -> Option<(i64, &[u8])> {
    let text = text.strip_prefix(b":").unwrap_or(text);
    let (&minutes, rest) = text.split_first_chunk::<2>()?;
    Some((digits(minutes)?, rest))
}
