//! One column of times: how it stores them, and how they are read.

use std::fmt;

use crate::calendar::format::iso_common::CommonTime;
use crate::calendar::{Cutoff, Event, Format, WrittenBound, Zone, iso, number, written_bound};
use crate::value::Value;

/// How one column stores time, and which of its values mean *no time yet*.
#[derive(Clone, Debug)]
pub struct Timestamps {
    format: Format,
    times_in: Zone,
    empty: Vec<String>,
    blank_is_text: bool,
}

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Nothing: the clock has not started.
    Empty,
    /// When something happened.
    Event(Event),
    /// Something that is no time, or one that would have to be guessed. The
    /// record is kept.
    Unreadable(Unreadable),
}

/// Why a cell cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unreadable {
    /// Text in none of the forms of an ISO date.
    NotADate,
    /// Text that does not match the declared pattern.
    OtherPattern,
    /// Text where a number is declared.
    NotANumber,
    /// A number where text is expected.
    UndeclaredNumber,
    /// What none of several declared formats reads.
    OtherFormats,
    /// What two declared formats read, and each as another time.
    Ambiguous,
    /// Year, month and day that name no day.
    NoSuchDay,
    /// Hour, minute and second that name no time.
    NoSuchTime,
    /// The weekday is not that of the date.
    OtherWeekday,
    /// A time before 1900 or after 2299.
    OutOfRange,
    /// The number zero.
    Zero,
    /// Binary data.
    Blob,
}

impl Timestamps {
    /// A column in this format, whose date-times without an offset are times
    /// in a zone, and in which some values besides null and blank text mean
    /// nothing.
    pub fn new(format: Format, times_in: Zone, empty: Vec<String>) -> Timestamps {
        Timestamps { format, times_in, empty, blank_is_text: false }
    }

    /// The same column where blank text is no empty cell: a file's name is always a name.
    pub fn where_blank_is_text(self) -> Timestamps {
        Timestamps { blank_is_text: true, ..self }
    }

    /// How the column stores time.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// The column's commonest spelling, in which no value means nothing; none where it has none.
    pub fn common(&self) -> Option<CommonTime> {
        let is_common = matches!(self.format, Format::Iso) && self.empty.is_empty();
        is_common.then(|| CommonTime::of(self.times_in))
    }

    /// Reads a cell.
    #[inline]
    pub fn read(&self, value: Value<'_>) -> Reading {
        if self.is_empty(value) {
            return Reading::Empty;
        }
        match self.read_event(value) {
            Ok(event) => Reading::Event(event),
            Err(reason) => Reading::Unreadable(reason),
        }
    }

    /// What every value that is due must satisfy as it is written, so that
    /// an index can be used; none where the written form has no order.
    pub fn written_before(&self, cutoff: &Cutoff) -> Option<WrittenBound> {
        written_bound::of(&self.format, cutoff)
    }

    #[inline(always)]
    fn read_event(&self, value: Value<'_>) -> Result<Event, Unreadable> {
        match (&self.format, value) {
            (Format::Iso, Value::Text(text)) => iso::read(text, self.times_in),
            (format, value) => format.read(value, self.times_in),
        }
    }

    /// The format in which a readable cell is written.
    pub(super) fn format_of(&self, value: Value<'_>) -> &Format {
        let formats = if let Format::OneOf(formats) = &self.format { &formats[..] } else { &[] };
        formats.iter().find(|format| format.read(value, self.times_in).is_ok()).unwrap_or(&self.format)
    }

    #[inline(always)]
    fn is_empty(&self, value: Value<'_>) -> bool {
        is_empty(value, &self.empty, self.blank_is_text)
    }
}

impl Format {
    /// Reads a cell that is not empty.
    pub(crate) fn read(&self, value: Value<'_>, times_in: Zone) -> Result<Event, Unreadable> {
        match (self, value) {
            (_, Value::Blob) => Err(Unreadable::Blob),
            (Format::Iso, Value::Text(text)) => iso::read(text, times_in),
            (Format::Iso, _) => Err(Unreadable::UndeclaredNumber),
            (Format::Count(count), value) => count.read(value, times_in),
            (Format::JulianDay, value) => number::read_julian_day(value),
            (Format::Strftime(pattern), Value::Text(text)) => pattern.read(text, times_in),
            (Format::Strftime(pattern), Value::Integer(count)) => {
                pattern.read(count.to_string().as_bytes(), times_in)
            }
            (Format::Strftime(_), _) => Err(Unreadable::OtherPattern),
            (Format::OneOf(formats), value) => read_one_of(formats, value, times_in),
        }
    }
}

/// What all formats say that can read the cell. Two that read it differently would leave a choice.
fn read_one_of(formats: &[Format], value: Value<'_>, times_in: Zone) -> Result<Event, Unreadable> {
    let (mut event, mut why) = (None, None);
    for format in formats {
        match (format.read(value, times_in), event) {
            (Ok(seen), Some(known)) if seen != known => return Err(Unreadable::Ambiguous),
            (Ok(seen), _) => event = Some(seen),
            // Where the shape is that of a format, what is wrong with it tells more.
            (Err(fault), _) if !fault.is_of_shape() => why = Some(fault),
            (Err(_), _) => {}
        }
    }
    event.ok_or(why.unwrap_or(Unreadable::OtherFormats))
}

impl Unreadable {
    /// Whether the value looks altogether different from what its format reads.
    fn is_of_shape(self) -> bool {
        use Unreadable::{NotADate, NotANumber, OtherPattern, UndeclaredNumber};
        matches!(self, NotADate | NotANumber | OtherPattern | UndeclaredNumber)
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unreadable::NotADate => "not a date",
            Unreadable::OtherPattern => "not in the declared pattern",
            Unreadable::NotANumber => "not a number",
            Unreadable::UndeclaredNumber => "a number where no format is declared",
            Unreadable::OtherFormats => "in none of the declared formats",
            Unreadable::Ambiguous => "read differently by two declared formats",
            Unreadable::NoSuchDay => "no such day",
            Unreadable::NoSuchTime => "no such time of day",
            Unreadable::OtherWeekday => "not the weekday of that date",
            Unreadable::OutOfRange => "outside 1900 to 2299",
            Unreadable::Zero => "zero, which stands for no known time",
            Unreadable::Blob => "a blob",
        })
    }
}

/// Whether a cell says nothing: null, blank text, and what a policy lists under `empty`.
/// Whether a cell is empty. Blank text can be a text like any other.
#[inline(always)]
pub(crate) fn is_empty(value: Value<'_>, listed: &[String], blank_is_text: bool) -> bool {
    let means_nothing = |text: &[u8]| listed.iter().any(|empty| empty.as_bytes() == text);
    match value {
        Value::Null => true,
        // What begins with a digit is not blank, and this is asked of every record.
        Value::Text([b'0'..=b'9', ..]) if listed.is_empty() => false,
        Value::Text(text) => (!blank_is_text && is_blank(text)) || means_nothing(text),
        Value::Integer(_) | Value::Real(_) if listed.is_empty() => false,
        Value::Integer(count) => means_nothing(count.to_string().as_bytes()),
        Value::Real(count) => {
            // A whole number is written `1` here and `1.0` by databases.
            means_nothing(format!("{count}").as_bytes()) || means_nothing(format!("{count:?}").as_bytes())
        }
        Value::Blob => false,
    }
}

#[inline]
fn is_blank(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Timestamp;

    fn column(format: &str, empty: &[&str]) -> Timestamps {
        let empty = empty.iter().map(|text| text.to_string()).collect();
        Timestamps::new(Format::parse(format).unwrap(), Zone::UTC, empty)
    }

    #[test]
    fn null_and_blank_text_are_empty_in_every_format() {
        for format in ["iso", "unix", "unix-ns", "julian-day", "%Y"] {
            for value in [Value::Null, Value::Text(b""), Value::Text(b"  "), Value::Text(b"\t\r\n \x0c")] {
                assert_eq!(column(format, &[]).read(value), Reading::Empty, "{format} {value:?}");
            }
            let no_break_space = Value::Text("\u{a0}".as_bytes());
            assert!(matches!(column(format, &[]).read(no_break_space), Reading::Unreadable(_)));
        }
    }

    #[test]
    fn listed_values_are_empty_before_they_are_read() {
        let iso = column("iso", &["9999-12-31", "0000-00-00"]);
        assert_eq!(iso.read(Value::Text(b"9999-12-31")), Reading::Empty);
        assert_eq!(iso.read(Value::Text(b"0000-00-00")), Reading::Empty);
        let out_of_range = Reading::Unreadable(Unreadable::OutOfRange);
        assert_eq!(iso.read(Value::Text(b"9999-12-30")), out_of_range);
        let unix = column("unix", &["0", "-1", "1.5", "2.0"]);
        for value in [
            Value::Integer(0),
            Value::Real(0.0),
            Value::Text(b"0"),
            Value::Integer(-1),
            Value::Real(1.5),
            Value::Real(2.0),
        ] {
            assert_eq!(unix.read(value), Reading::Empty, "{value:?}");
        }
        assert_eq!(unix.read(Value::Text(b"00")), Reading::Unreadable(Unreadable::Zero));
    }

    #[test]
    fn nothing_undeclared_is_read() {
        let unreadable = |format, value| match column(format, &[]).read(value) {
            Reading::Unreadable(reason) => reason.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(unreadable("iso", Value::Integer(20_240_501)), "a number where no format is declared");
        assert_eq!(unreadable("iso", Value::Real(2_460_000.5)), "a number where no format is declared");
        assert_eq!(unreadable("unix", Value::Text(b"2024-05-01")), "not a number");
        assert_eq!(unreadable("julian-day", Value::Text(b"2024-05-01")), "not a number");
        assert_eq!(unreadable("%F", Value::Text(b"1714521600")), "not in the declared pattern");
        assert_eq!(unreadable("%Y", Value::Real(2024.0)), "not in the declared pattern");
        for format in ["iso", "unix", "julian-day", "%F"] {
            assert_eq!(unreadable(format, Value::Blob), "a blob");
        }
    }

    #[test]
    fn a_declared_pattern_reads_whole_numbers_by_their_digits() {
        let date = "2024-05-01".parse().unwrap();
        let event = Reading::Event(Event::Date(date));
        assert_eq!(column("%Y%m%d", &[]).read(Value::Integer(20_240_501)), event);
    }

    #[test]
    fn each_format_reads_its_own() {
        let at = Reading::Event(Event::At(Timestamp::from_unix(1_795_136_400, 0)));
        assert_eq!(column("iso", &[]).read(Value::Text(b"2026-11-20 01:00")), at);
        assert_eq!(column("unix-ms", &[]).read(Value::Integer(1_795_136_400_000)), at);
        assert_eq!(column("%d.%m.%Y %R", &[]).read(Value::Text(b"20.11.2026 01:00")), at);
        assert_eq!(column("julian-day", &[]).read(Value::Real(2_461_364.541_666_666_5)), at);
    }
}
