//! Reading a text by a pattern.

use super::pattern::Pattern;
use super::pattern_fields::{Field, NameLength, Piece};
use super::wall_time::{self, WallDay, WallTime, digits};
use super::{Event, Unreadable, Zone};

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// What the fields of one text say.
#[derive(Default)]
struct Parts {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    weekday: Option<i64>,
    hour: i64,
    afternoon: Option<bool>,
    minute: i64,
    second: i64,
    nanos: u32,
    offset: Option<i64>,
}

impl Pattern {
    /// Reads a whole text. A pattern without a day stands for the last day of
    /// its month or year; a time without an offset is one of `times_in`.
    pub fn read(&self, text: &[u8], times_in: Zone) -> Result<Event, Unreadable> {
        let parts = self.parts_of(text).ok_or(Unreadable::OtherPattern)?;
        let day = parts.wall_day()?;
        if parts.weekday.is_some_and(|weekday| weekday != day.weekday()) {
            return Err(Unreadable::OtherWeekday);
        }
        if self.has_time { day.event_at(parts.wall_time()?, parts.offset, times_in) } else { day.event() }
    }

    fn parts_of(&self, text: &[u8]) -> Option<Parts> {
        let mut parts = Parts::default();
        let rest = self.pieces.iter().try_fold(text, |rest, piece| match piece {
            Piece::Literal(bytes) => rest.strip_prefix(bytes.as_slice()),
            Piece::Field(field) => parts.take(*field, rest),
        })?;
        rest.is_empty().then_some(parts)
    }
}

impl Parts {
    /// Reads one field at the start of a text and gives back what follows.
    fn take<'a>(&mut self, field: Field, text: &'a [u8]) -> Option<&'a [u8]> {
        match field {
            Field::Fraction => return self.take_fraction(text),
            Field::DottedFraction => return self.take_dotted_fraction(text),
            _ => {}
        }
        let (value, rest) = split_value(field, text)?;
        self.set(field, value);
        Some(rest)
    }

    fn take_fraction<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let (nanos, rest) = wall_time::split_fraction(text)?;
        self.nanos = nanos;
        Some(rest)
    }

    /// A dot that no digit follows belongs to the pattern, not to a fraction.
    fn take_dotted_fraction<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        match text {
            [b'.', digits @ ..] if digits.first().is_some_and(u8::is_ascii_digit) => {
                self.take_fraction(digits)
            }
            _ => Some(text),
        }
    }

    fn set(&mut self, field: Field, value: i64) {
        match field {
            Field::Year => self.year = value,
            Field::Month | Field::MonthShort | Field::MonthName(_) => self.month = Some(value),
            Field::Day | Field::DayPadded | Field::DayShort => self.day = Some(value),
            Field::DayOfYear => self.day_of_year = Some(value),
            Field::Weekday(_) => self.weekday = Some(value),
            Field::Hour | Field::HourShort | Field::Hour12 => self.hour = value,
            Field::HalfOfDay => self.afternoon = Some(value == 1),
            Field::Minute => self.minute = value,
            Field::Second => self.second = value,
            Field::Offset => self.offset = Some(value),
            Field::Fraction | Field::DottedFraction => {}
        }
    }

    fn wall_day(&self) -> Result<WallDay, Unreadable> {
        match (self.month, self.day, self.day_of_year) {
            (_, _, Some(day_of_year)) => WallDay::of_year(self.year, day_of_year),
            (Some(month), Some(day), None) => WallDay::new(self.year, month, day),
            (Some(month), None, None) => WallDay::last_of_month(self.year, month),
            (None, _, None) => WallDay::last_of_month(self.year, 12),
        }
    }

    fn wall_time(&self) -> Result<WallTime, Unreadable> {
        let hour = match self.afternoon {
            Some(_) if !(1..=12).contains(&self.hour) => return Err(Unreadable::NoSuchTime),
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
            None => self.hour,
        };
        WallTime::new(hour, self.minute, self.second, self.nanos)
    }
}

/// Splits what is written of a field off the start of a text.
pub(super) fn split_field(field: Field, text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = Parts::default().take(field, text)?;
    Some((&text[..text.len() - rest.len()], rest))
}

/// Splits the number that a field stands for off the start of a text. Months
/// count from 1, weekdays from Monday as 0, halves of the day from 0.
fn split_value(field: Field, text: &[u8]) -> Option<(i64, &[u8])> {
    match field {
        Field::Year => split_digits::<4>(text),
        Field::DayOfYear => split_digits::<3>(text),
        Field::DayPadded => split_padded_day(text),
        Field::MonthShort | Field::DayShort | Field::HourShort => {
            split_digits::<2>(text).or_else(|| split_digits::<1>(text))
        }
        Field::MonthName(length) => split_name(&MONTHS, length, text).map(|(n, rest)| (n + 1, rest)),
        Field::Weekday(length) => split_name(&WEEKDAYS, length, text),
        Field::HalfOfDay => split_name(&["AM", "PM"], NameLength::Full, text),
        Field::Offset => wall_time::split_offset(text),
        _ => split_digits::<2>(text),
    }
}

fn split_digits<const N: usize>(text: &[u8]) -> Option<(i64, &[u8])> {
    let (&bytes, rest) = text.split_first_chunk::<N>()?;
    Some((digits(bytes)?, rest))
}

fn split_padded_day(text: &[u8]) -> Option<(i64, &[u8])> {
    match text.strip_prefix(b" ") {
        Some(text) => split_digits::<1>(text),
        None => split_digits::<2>(text),
    }
}

/// Splits one of the names off, in any case, and gives its place among them.
fn split_name<'a>(names: &[&str], length: NameLength, text: &'a [u8]) -> Option<(i64, &'a [u8])> {
    names.iter().zip(0..).find_map(|(name, place)| {
        let name = if length == NameLength::Short { name.get(..3)? } else { name };
        let (start, rest) = text.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name.as_bytes()).then_some((place, rest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pattern: &str, text: &str) -> Result<Event, Unreadable> {
        let zone = Zone::parse("Europe/Copenhagen").unwrap();
        Pattern::parse(pattern).unwrap().read(text.as_bytes(), zone)
    }

    fn date(pattern: &str, text: &str) -> String {
        match read(pattern, text) {
            Ok(Event::Date(date)) => date.to_string(),
            other => format!("{text}: {other:?}"),
        }
    }

    fn instant(pattern: &str, text: &str) -> String {
        match read(pattern, text) {
            Ok(Event::At(instant)) => instant.to_string(),
            other => format!("{text}: {other:?}"),
        }
    }

    #[test]
    fn dates_in_every_field() {
        for (pattern, text) in [
            ("%d-%m-%Y", "05-03-2024"),
            ("%Y%m%d", "20240305"),
            ("%F", "2024-03-05"),
            ("%e %b %Y", " 5 mar 2024"),
            ("%e %h %Y", "05 MAR 2024"),
            ("%-d/%-m %Y", "5/3 2024"),
            ("%-d/%-m %Y", "05/03 2024"),
            ("%A, %B %d %Y", "tuesday, March 05 2024"),
            ("%a %Y.%j", "Tue 2024.065"),
            ("app-%Y-%m-%d.db.zst", "app-2024-03-05.db.zst"),
            ("100%% %F", "100% 2024-03-05"),
            ("\u{e6}%F\u{f8}", "\u{e6}2024-03-05\u{f8}"),
        ] {
            assert_eq!(date(pattern, text), "2024-03-05", "{pattern}");
        }
    }

    #[test]
    fn a_month_or_a_year_stands_for_its_last_day() {
        assert_eq!(date("%Y-%m", "2024-02"), "2024-02-29");
        assert_eq!(date("%B %Y", "april 2023"), "2023-04-30");
        assert_eq!(date("%Y", "2023"), "2023-12-31");
        assert_eq!(date("%Y.%j", "2024.366"), "2024-12-31");
    }

    #[test]
    fn times_in_every_field() {
        for (pattern, text) in [
            ("%F %T", "2024-03-05 14:07:00"),
            ("%F %R", "2024-03-05 14:07"),
            ("%F %-H.%M", "2024-03-05 14.07"),
            ("%F %I:%M %p", "2024-03-05 02:07 pm"),
            ("%FT%T%.f%z", "2024-03-05T13:07:00Z"),
            ("%FT%T%.f%z", "2024-03-05T13:07:00.000+0000"),
            ("%d/%b/%Y:%T %z", "05/Mar/2024:08:07:00 -0500"),
            ("%F %T.%f%z", "2024-03-05 14:07:00.0+01"),
            ("%F %T%z", "2024-03-05 14:07:00+01:00"),
            ("%F %T%.f.log", "2024-03-05 14:07:00.log"),
        ] {
            assert_eq!(instant(pattern, text), "2024-03-05T13:07:00Z", "{pattern}");
        }
        assert_eq!(instant("%F %H", "2024-03-05 14"), "2024-03-05T13:00:00Z");
        assert_eq!(instant("%F %T,%f", "2024-03-05 14:07:00,25"), "2024-03-05T13:07:00.25Z");
        assert_eq!(instant("%F %I %p", "2024-03-05 12 AM"), "2024-03-04T23:00:00Z");
        assert_eq!(instant("%F %I %p", "2024-03-05 12 PM"), "2024-03-05T11:00:00Z");
        assert_eq!(instant("%F %T", "2024-06-30 01:59:60"), "2024-06-30T00:00:00Z");
    }

    #[test]
    fn the_whole_text_must_match() {
        for (pattern, text) in [
            ("%F", ""),
            ("%F", "2024-03-05 "),
            ("%F", " 2024-03-05"),
            ("%F", "2024-3-5"),
            ("%d-%m-%Y", "5-03-2024"),
            ("%d-%m-%Y", "05-03-24"),
            ("%d-%m-%Y", "05/03/2024"),
            ("%d-%m-%Y", "+5-03-2024"),
            ("%e %b %Y", "  5 mar 2024"),
            ("%e %b %Y", "5 mar 2024"),
            ("%d %b %Y", "05 march 2024"),
            ("%d %B %Y", "05 mar 2024"),
            ("%d %b %Y", "05 m\u{e4}r 2024"),
            ("%F %I:%M %p", "2024-03-05 02:07 p.m."),
            ("%F %T%.f", "2024-03-05 14:07:00."),
            ("%F %T%.f", "2024-03-05 14:07:00.1234567890"),
            ("%F %T%z", "2024-03-05 14:07:00"),
            ("%F %T%z", "2024-03-05 14:07:00+1"),
            ("%F %T%z", "2024-03-05 14:07:00+24:00"),
            ("%F %T%z", "2024-03-05 14:07:00z"),
            ("app-%F", "App-2024-03-05"),
            ("%Y", "02024"),
        ] {
            assert_eq!(read(pattern, text), Err(Unreadable::OtherPattern), "{pattern} {text}");
        }
    }

    #[test]
    fn days_and_times_must_exist() {
        for (pattern, text, reason) in [
            ("%d-%m-%Y", "29-02-2023", Unreadable::NoSuchDay),
            ("%d-%m-%Y", "00-00-0000", Unreadable::NoSuchDay),
            ("%Y-%m", "2024-13", Unreadable::NoSuchDay),
            ("%Y-%m", "2024-00", Unreadable::NoSuchDay),
            ("%Y-%j", "2023-366", Unreadable::NoSuchDay),
            ("%Y-%j", "2023-000", Unreadable::NoSuchDay),
            ("%F %T", "2024-03-05 24:00:00", Unreadable::NoSuchTime),
            ("%F %T", "2024-03-05 12:00:60", Unreadable::NoSuchTime),
            ("%F %I %p", "2024-03-05 00 AM", Unreadable::NoSuchTime),
            ("%F %I %p", "2024-03-05 13 PM", Unreadable::NoSuchTime),
            ("%a %F", "Mon 2024-03-05", Unreadable::OtherWeekday),
            ("%F", "1899-12-31", Unreadable::OutOfRange),
            ("%Y", "2300", Unreadable::OutOfRange),
            ("%F %T%z", "1900-01-01 00:30:00+01:00", Unreadable::OutOfRange),
        ] {
            assert_eq!(read(pattern, text), Err(reason), "{pattern} {text}");
        }
    }
}
