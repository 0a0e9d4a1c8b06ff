//! Texts of a pattern in the shape of another one.

use chrono::Datelike;

use super::Date;
use super::pattern::Pattern;
use super::pattern_fields::{Field, NameLength, Piece};
use super::pattern_reading::{MONTHS, WEEKDAYS, split_field};

impl Pattern {
    /// A readable text with another date, and midnight where it has a time. Offsets stay.
    pub(super) fn with_date(&self, text: &[u8], date: Date) -> Option<Vec<u8>> {
        let (mut made, mut rest) = (Vec::with_capacity(text.len()), text);
        for piece in &self.pieces {
            match piece {
                Piece::Literal(bytes) => {
                    rest = rest.strip_prefix(bytes.as_slice())?;
                    made.extend_from_slice(bytes);
                }
                Piece::Field(field) => {
                    let (written, behind) = split_field(*field, rest)?;
                    made.extend(field.with_date(written, date));
                    rest = behind;
                }
            }
        }
        rest.is_empty().then_some(made)
    }
}

impl Field {
    fn with_date(self, written: &[u8], date: Date) -> Vec<u8> {
        match self {
            Field::Year => format!("{:04}", date.year()).into_bytes(),
            Field::Month => format!("{:02}", date.month()).into_bytes(),
            Field::Day => format!("{:02}", date.day()).into_bytes(),
            Field::DayOfYear => format!("{:03}", date.ordinal()).into_bytes(),
            Field::MonthShort => short(written, date.month()),
            Field::DayShort => short(written, date.day()),
            Field::HourShort => short(written, 0),
            Field::DayPadded if written.starts_with(b"0") => format!("{:02}", date.day()).into_bytes(),
            Field::DayPadded => format!("{:>2}", date.day()).into_bytes(),
            Field::MonthName(length) => name(&MONTHS, date.month0(), length, written),
            Field::Weekday(length) => name(&WEEKDAYS, date.weekday().num_days_from_monday(), length, written),
            Field::Hour12 => b"12".to_vec(),
            Field::HalfOfDay => in_the_case_of(written, "AM"),
            Field::Hour | Field::Minute | Field::Second | Field::Fraction | Field::DottedFraction => {
                written.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }).collect()
            }
            Field::Offset => written.to_vec(),
        }
    }
}

/// A number that had a leading zero gets one.
fn short(written: &[u8], number: u32) -> Vec<u8> {
    let padded = written.len() == 2 && written.starts_with(b"0");
    if padded { format!("{number:02}") } else { number.to_string() }.into_bytes()
}

fn name(names: &[&str], place: u32, length: NameLength, written: &[u8]) -> Vec<u8> {
    let name = names.get(place as usize).copied().unwrap_or_default();
    let name = if length == NameLength::Short { name.get(..3).unwrap_or(name) } else { name };
    in_the_case_of(written, name)
}

fn in_the_case_of(written: &[u8], name: &str) -> Vec<u8> {
    if written.iter().all(u8::is_ascii_lowercase) {
        name.to_ascii_lowercase().into_bytes()
    } else if written.iter().all(u8::is_ascii_uppercase) {
        name.to_ascii_uppercase().into_bytes()
    } else {
        name.as_bytes().to_vec()
    }
}
