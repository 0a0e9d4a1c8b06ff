//! Dates and date-times of ISO 8601 as databases write them: strictly one
//! of the forms below, so that nothing is guessed.
//!
//! `YYYY-MM-DD`, optionally followed by `T` or one blank, `HH:MM`, then
//! optionally `:SS` and a fraction after `.` or `,` of up to nine digits,
//! then optionally one blank and an offset: `Z`, `±HH`, `±HHMM`, `±HH:MM`.
//! `24:00` is the start of the next day, and a second 60 at the end of an
//! hour, a leap second, that of the next minute.

use crate::calendar::format::wall_time::{self, WallDay, WallTime, digits};
use crate::calendar::{Date, Event, Unreadable, Zone, iso_common};

/// Reads a whole text; a time without an offset is one of `times_in`.
#[inline]
pub(crate) fn read(text: &[u8], times_in: Zone) -> Result<Event, Unreadable> {
    match iso_common::read(text, times_in) {
        Some(event) => Ok(event),
        None => read_carefully(text, times_in),
    }
}

/// The reader of every form, which says what is wrong with the others.
pub(crate) fn read_carefully(text: &[u8], times_in: Zone) -> Result<Event, Unreadable> {
    let (day, rest) = split_day(text)?;
    if rest.is_empty() {
        return day.event();
    }
    let (time, rest) = split_time(rest)?;
    let offset = read_offset(rest)?;
    day.event_at(time, offset, times_in)
}

fn split_day(text: &[u8]) -> Result<(WallDay, &[u8]), Unreadable> {
    let (&date, rest) = text.split_first_chunk::<10>().ok_or(Unreadable::NotADate)?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else {
        return Err(Unreadable::NotADate);
    };
    let year = digits([y1, y2, y3, y4]).ok_or(Unreadable::NotADate)?;
    let month = digits([m1, m2]).ok_or(Unreadable::NotADate)?;
    let day = digits([d1, d2]).ok_or(Unreadable::NotADate)?;
    Ok((WallDay::new(year, month, day)?, rest))
}

/// Reads `T` or a blank and the time of day after it.
fn split_time(text: &[u8]) -> Result<(WallTime, &[u8]), Unreadable> {
    let (&time, rest) = text.split_first_chunk::<6>().ok_or(Unreadable::NotADate)?;
    let [b'T' | b't' | b' ', h1, h2, b':', m1, m2] = time else {
        return Err(Unreadable::NotADate);
    };
    let hour = digits([h1, h2]).ok_or(Unreadable::NotADate)?;
    let minute = digits([m1, m2]).ok_or(Unreadable::NotADate)?;
    let (second, nanos, rest) = split_second(rest)?;
    let time = match (hour, minute, second, nanos) {
        (24, 0, 0, 0) => WallTime::END_OF_DAY,
        _ => WallTime::new(hour, minute, second, nanos)?,
    };
    Ok((time, rest))
}

/// Reads `:SS` and its fraction, where there are any.
fn split_second(text: &[u8]) -> Result<(i64, u32, &[u8]), Unreadable> {
    let Some(text) = text.strip_prefix(b":") else {
        return Ok((0, 0, text));
    };
    let (&second, rest) = text.split_first_chunk::<2>().ok_or(Unreadable::NotADate)?;
    let second = digits(second).ok_or(Unreadable::NotADate)?;
    let [b'.' | b',', fraction @ ..] = rest else {
        return Ok((second, 0, rest));
    };
    let (nanos, rest) = wall_time::split_fraction(fraction).ok_or(Unreadable::NotADate)?;
    Ok((second, nanos, rest))
}

/// Reads what follows the time: nothing, or an offset and nothing more.
fn read_offset(text: &[u8]) -> Result<Option<i64>, Unreadable> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.strip_prefix(b" ").unwrap_or(text) {
        [b'Z' | b'z'] => Ok(Some(0)),
        offset => match wall_time::split_offset(offset) {
            Some((offset, [])) => Ok(Some(offset)),
            _ => Err(Unreadable::NotADate),
        },
    }
}

/// A readable text with another date, and midnight where it has a time: `T` or blank, seconds,
/// fraction and offset stay as they are written.
pub(crate) fn with_date(text: &[u8], date: Date) -> Option<Vec<u8>> {
    let (_, time) = text.split_at_checked("YYYY-MM-DD".len())?;
    let mut made = date.format("%Y-%m-%d").to_string().into_bytes();
    // Behind the `T` or the blank, the offset begins where the digits and their marks end.
    let clock = time.iter().skip(1).take_while(|byte| byte.is_ascii_digit() || b":.,".contains(byte)).count();
    let (clock, offset) = time.split_at(time.len().min(clock + 1));
    made.extend(clock.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }));
    made.extend_from_slice(offset);
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> Zone {
        Zone::parse("Europe/Copenhagen").unwrap()
    }

    fn instant(text: &str) -> String {
        match read(text.as_bytes(), zone()) {
            Ok(Event::At(instant)) => instant.to_string(),
            other => format!("{text}: {other:?}"),
        }
    }

    fn refusal(text: &str) -> Unreadable {
        match read(text.as_bytes(), zone()) {
            Err(reason) => reason,
            Ok(event) => unreachable!("{text} was read as {event:?}"),
        }
    }

    #[test]
    fn a_date_is_a_date_in_no_zone() {
        for text in ["1900-01-01", "2024-02-29", "2299-12-31"] {
            let date = text.parse().unwrap();
            assert_eq!(read(text.as_bytes(), zone()), Ok(Event::Date(date)));
        }
    }

    #[test]
    fn date_times_come_in_these_forms() {
        for text in [
            "2021-01-01T10:00Z",
            "2021-01-01t10:00z",
            "2021-01-01 10:00:00Z",
            "2021-01-01 10:00:00 Z",
            "2021-01-01 10:00:00 z",
            "2021-01-01T10:00:00.000000000Z",
            "2021-01-01T11:00:00+01",
            "2021-01-01T11:00:00 +0100",
            "2021-01-01T11:00:00,0+01:00",
            "2021-01-01T00:30-0930",
            "2021-01-02T09:59:00+23:59",
            "2021-01-01T11:00:00",
            "2021-01-01 11:00",
            "2021-01-01T10:00:00-00:00",
        ] {
            assert_eq!(instant(text), "2021-01-01T10:00:00Z", "{text}");
        }
        assert_eq!(instant("2021-01-01T10:00:00.123456789Z"), "2021-01-01T10:00:00.123456789Z");
        assert_eq!(instant("2021-01-01T10:00:00,5Z"), "2021-01-01T10:00:00.5Z");
    }

    #[test]
    fn midnight_at_the_end_and_the_leap_second_count_on() {
        assert_eq!(instant("2020-12-31T24:00Z"), "2021-01-01T00:00:00Z");
        assert_eq!(instant("2020-12-31T24:00:00.0Z"), "2021-01-01T00:00:00Z");
        assert_eq!(instant("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z");
        for text in [
            "2020-12-31T24:00:01Z",
            "2020-12-31T24:01Z",
            "2020-12-31T24:00:00.1Z",
            "2020-12-31T25:00Z",
            "2016-12-31T23:58:60Z",
            "2016-12-31T23:59:61Z",
            "2016-12-31T23:60Z",
        ] {
            assert_eq!(refusal(text), Unreadable::NoSuchTime, "{text}");
        }
    }

    #[test]
    fn local_times_that_are_doubled_or_skipped() {
        assert_eq!(instant("2026-10-25T02:30"), "2026-10-25T01:30:00Z");
        assert_eq!(instant("2026-03-29 02:30:00.25"), "2026-03-29T01:00:00Z");
    }

    #[test]
    fn days_that_do_not_exist_are_not_read() {
        for text in [
            "2023-02-29",
            "1900-02-29",
            "0000-00-00",
            "2024-13-01",
            "2024-00-10",
            "2024-04-31",
            "2024-01-00",
            "0000-00-00 00:00:00",
        ] {
            assert_eq!(refusal(text), Unreadable::NoSuchDay, "{text}");
        }
    }

    #[test]
    fn times_outside_four_centuries_are_not_read() {
        for text in [
            "1899-12-31",
            "2300-01-01",
            "9999-12-31",
            "0001-01-01",
            "1899-12-31T23:59:59Z",
            "1900-01-01T00:30:00+01:00",
            "2300-01-01T00:00Z",
            "2299-12-31T24:00Z",
            "2299-12-31T23:59:59-00:01",
        ] {
            assert_eq!(refusal(text), Unreadable::OutOfRange, "{text}");
        }
        assert_eq!(instant("1899-12-31T23:30:00-01:00"), "1900-01-01T00:30:00Z");
        assert_eq!(instant("2300-01-01T00:30:00+01"), "2299-12-31T23:30:00Z");
    }

    #[test]
    fn nothing_else_is_a_date() {
        for text in [
            "",
            "x",
            "20240501",
            "2024-5-1",
            "2024-05",
            "2024",
            "24-05-01",
            "12024-05-01",
            "+2024-05-01",
            " 2024-05-01",
            "2024-05-01 ",
            "2024-05-01T",
            "2024-05-01T10",
            "2024-05-01T1000",
            "2024-05-01Z",
            "2024-05-01T10:00:",
            "2024-05-01T10:0",
            "2024-05-01T10:00:00.",
            "2024-05-01T10:00.5",
            "2024-05-01T10:00:00.1234567890",
            "2024-05-01  10:00",
            "2024-05-01T10:00:00  Z",
            "2024-05-01T10:00:00Z ",
            "2024-05-01T10:00:00+1",
            "2024-05-01T10:00:00+1:00",
            "2024-05-01T10:00:00+24:00",
            "2024-05-01T10:00:00+01:60",
            "2024-05-01T10:00:00+01:0",
            "2024-05-01T10:00:00+01:00:00",
            "2024-05-01T10:00:00\u{2212}01:00",
            "2024/05/01",
            "2024-05-01T10:00:00 CET",
            "2024-05-01T10:00:00 ",
            "2024-05-01\0",
            "\u{ff12}024-05-01",
        ] {
            assert_eq!(refusal(text), Unreadable::NotADate, "{text}");
        }
    }
}
