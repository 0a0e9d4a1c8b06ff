//! Texts of a pattern: what one says, and one with another date in the same shape.

use chrono::Datelike;

use crate::calendar::format::pattern::{Field, Part, Pattern, Piece, Written, is_in_zone_name};
use crate::calendar::format::wall_time::{self, WallDay, WallTime, digits};
use crate::calendar::{Date, Event, Unreadable, Zone};

/// What the fields of one text say, by their parts. Months count from 1, weekdays from Monday as 0,
/// halves of the day from 0.
#[derive(Default)]
struct Parts([Option<i64>; Part::ZoneName as usize + 1]);

impl Pattern {
    /// Reads a whole text. A pattern without a day stands for the last day of
    /// its month or year; a time without an offset is one of `times_in`.
    pub fn read(&self, text: &[u8], times_in: Zone) -> Result<Event, Unreadable> {
        let parts = self.parts_of(text).ok_or(Unreadable::OtherPattern)?;
        let day = parts.wall_day()?;
        if parts.get(Part::Weekday).is_some_and(|weekday| weekday != day.weekday()) {
            return Err(Unreadable::OtherWeekday);
        }
        if !self.has_time {
            return day.event();
        }
        day.event_at(parts.wall_time()?, parts.get(Part::Offset), times_in)
    }

    fn parts_of(&self, text: &[u8]) -> Option<Parts> {
        let (mut parts, mut rest) = (Parts::default(), text);
        for piece in &self.pieces {
            rest = match piece {
                Piece::Literal(bytes) => rest.strip_prefix(bytes.as_slice())?,
                Piece::Field(field) => {
                    let (value, behind) = field.split(rest)?;
                    parts.0[field.part as usize] = Some(value);
                    behind
                }
                Piece::Name(name) => {
                    let (value, behind) = name.split(rest)?;
                    parts.0[name.part as usize] = Some(value);
                    behind
                }
            };
        }
        rest.is_empty().then_some(parts)
    }

    /// A readable text with another date, and midnight where it has a time. Offsets stay.
    pub(crate) fn with_date(&self, text: &[u8], date: Date) -> Option<Vec<u8>> {
        let (mut made, mut rest) = (Vec::with_capacity(text.len()), text);
        for piece in &self.pieces {
            match piece {
                Piece::Literal(bytes) => {
                    rest = rest.strip_prefix(bytes.as_slice())?;
                    made.extend_from_slice(bytes);
                }
                Piece::Field(field) => {
                    let (_, behind) = field.split(rest)?;
                    made.extend(field.with_date(&rest[..rest.len() - behind.len()], date));
                    rest = behind;
                }
                Piece::Name(name) => {
                    let (_, behind) = name.split(rest)?;
                    made.extend(name.written(&rest[..rest.len() - behind.len()], name.part.place(date)));
                    rest = behind;
                }
            }
        }
        rest.is_empty().then_some(made)
    }
}

impl Parts {
    fn get(&self, part: Part) -> Option<i64> {
        self.0[part as usize]
    }

    fn number(&self, part: Part) -> i64 {
        self.get(part).unwrap_or(0)
    }

    fn wall_day(&self) -> Result<WallDay, Unreadable> {
        let year = self.number(Part::Year);
        match (self.get(Part::Month), self.get(Part::Day), self.get(Part::DayOfYear)) {
            (_, _, Some(day_of_year)) => WallDay::of_year(year, day_of_year),
            (Some(month), Some(day), None) => WallDay::new(year, month, day),
            (Some(month), None, None) => WallDay::last_of_month(year, month),
            (None, _, None) => WallDay::last_of_month(year, 12),
        }
    }

    fn wall_time(&self) -> Result<WallTime, Unreadable> {
        let hour = match self.get(Part::Hour12) {
            Some(hour @ 1..=12) => hour % 12 + 12 * self.number(Part::HalfOfDay),
            Some(_) => return Err(Unreadable::NoSuchTime),
            None => self.number(Part::Hour),
        };
        let [minute, second, nanos] =
            [Part::Minute, Part::Second, Part::Fraction].map(|part| self.number(part));
        WallTime::new(hour, minute, second, nanos as u32)
    }
}

impl Part {
    /// The place of a date among the part's names.
    fn place(self, date: Date) -> usize {
        match self {
            Part::Month => date.month0() as usize,
            Part::Weekday => date.weekday().num_days_from_monday() as usize,
            // Midnight is in the first half of the day.
            _ => 0,
        }
    }
}

impl Field {
    /// Splits the number that the field stands for off the start of a text.
    fn split(self, text: &[u8]) -> Option<(i64, &[u8])> {
        match self.written {
            Written::Digits(4) => split_digits::<4>(text),
            Written::Digits(3) => split_digits::<3>(text),
            Written::Digits(_) => split_digits::<2>(text),
            Written::Short => split_digits::<2>(text).or_else(|| split_digits::<1>(text)),
            Written::Blank => match text.strip_prefix(b" ") {
                Some(text) => split_digits::<1>(text),
                None => split_digits::<2>(text),
            },
            Written::YearSince(first) => {
                let (year, rest) = split_digits::<2>(text)?;
                Some((first + (year - first).rem_euclid(100), rest))
            }
            Written::Fraction => split_fraction(text),
            // A dot that no digit follows belongs to the pattern, not to a fraction.
            Written::DottedFraction => match text {
                [b'.', b'0'..=b'9', ..] => split_fraction(&text[1..]),
                _ => Some((0, text)),
            },
            Written::Offset => wall_time::split_offset(text),
            Written::ZoneName => {
                let length = text.iter().take_while(|byte| is_in_zone_name(**byte)).count();
                (length > 0).then(|| (0, &text[length..]))
            }
        }
    }

    /// What is written of the field for another date.
    fn with_date(self, before: &[u8], date: Date) -> Vec<u8> {
        let number = match self.part {
            Part::Year => date.year().unsigned_abs(),
            Part::Month => date.month(),
            Part::Day => date.day(),
            Part::DayOfYear => date.ordinal(),
            Part::Hour12 => 12,
            _ => 0,
        };
        match self.written {
            Written::Digits(count) => format!("{number:0count$}").into_bytes(),
            // A number that had a leading zero gets one.
            Written::Short | Written::Blank if before.len() == 2 && before.starts_with(b"0") => {
                format!("{number:02}").into_bytes()
            }
            Written::Short => number.to_string().into_bytes(),
            Written::Blank => format!("{number:>2}").into_bytes(),
            Written::YearSince(_) => format!("{:02}", number % 100).into_bytes(),
            Written::Fraction | Written::DottedFraction => {
                before.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }).collect()
            }
            Written::Offset | Written::ZoneName => before.to_vec(),
        }
    }
}

fn split_digits<const N: usize>(text: &[u8]) -> Option<(i64, &[u8])> {
    let (&bytes, rest) = text.split_first_chunk::<N>()?;
    Some((digits(bytes)?, rest))
}

fn split_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    wall_time::split_fraction(text).map(|(nanos, rest)| (nanos.into(), rest))
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
    fn the_name_of_a_zone_is_read_beside_its_offset() {
        for text in [
            "2024-03-05 14:00:00+0100 CET",
            "2024-03-05 14:00:00+0100 Europe/Copenhagen",
            "2024-03-05 14:00:00+0100 +01",
        ] {
            assert_eq!(instant("%F %T%z %Z", text), "2024-03-05T13:00:00Z");
        }
        assert_eq!(read("%F %T%z %Z", "2024-03-05 14:00:00+0100 "), Err(Unreadable::OtherPattern));
        assert_eq!(
            instant("%FT%T%z[%Z]", "2024-03-05T14:00:00+01:00[Europe/Copenhagen]"),
            "2024-03-05T13:00:00Z"
        );
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
