//! How a column stores time, as `formats` declares it.

pub(crate) mod coarse;
pub(crate) mod iso;
pub(crate) mod iso_common;
pub(crate) mod names;
pub(crate) mod number;
pub(crate) mod pattern;
pub(crate) mod pattern_reading;
pub(crate) mod shapes;
pub(crate) mod timestamps;
pub(crate) mod wall_time;
pub(crate) mod written_bound;

use std::fmt;

use thiserror::Error;

use crate::spelling;
use number::{Count, Unit};
use pattern::{Pattern, PatternProblem};

/// How a column stores time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text: a date, or a date and a time, as ISO 8601 writes them.
    Iso,
    /// A count since some epoch, as a number or as digits in text.
    Count(Count),
    /// Days since noon of 24 November 4714 BC, as SQLite's `julianday`.
    JulianDay,
    /// Text in a pattern of `%` fields.
    Strftime(Pattern),
    /// One of several, none of which is of this kind.
    OneOf(Vec<Format>),
}

const NAMED: [(&str, Format); 10] = [
    ("iso", Format::Iso),
    ("unix", Format::Count(Count::unix(Unit::Seconds))),
    ("unix-ms", Format::Count(Count::unix(Unit::Milliseconds))),
    ("unix-us", Format::Count(Count::unix(Unit::Microseconds))),
    ("unix-ns", Format::Count(Count::unix(Unit::Nanoseconds))),
    ("webkit", Format::Count(Count::since_year(1601, Unit::Microseconds))),
    ("cocoa", Format::Count(Count::since_year(2001, Unit::Seconds))),
    ("excel-serial", Format::Count(Count::EXCEL_SERIAL)),
    ("dotnet-ticks", Format::Count(Count::since_year(1, Unit::HundredNanoseconds))),
    ("julian-day", Format::JulianDay),
];

impl Format {
    /// Reads one of the named formats, or a pattern, which contains a `%`.
    pub fn parse(text: &str) -> Result<Format, FormatError> {
        if text.contains('%') {
            return Ok(Format::Strftime(Pattern::parse(text)?));
        }
        let named = NAMED.into_iter().find(|(name, _)| *name == text);
        named.map(|(_, format)| format).ok_or_else(|| FormatError::unknown(text))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Format::Strftime(pattern) => pattern.fmt(f),
            Format::OneOf(formats) => {
                let formats: Vec<String> = formats.iter().map(Format::to_string).collect();
                f.write_str(&formats.join(" or "))
            }
            Format::Iso | Format::Count(_) | Format::JulianDay => {
                match (NAMED.iter().find(|(_, format)| format == self), self) {
                    (Some((name, _)), _) => f.write_str(name),
                    (None, Format::Count(count)) => count.fmt(f),
                    (None, _) => Ok(()),
                }
            }
        }
    }
}

/// A text that declares no format.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FormatError {
    /// It is none of the names, and no pattern either.
    #[error("`{text}` is no format{}; formats are iso, unix, unix-ms, unix-us, unix-ns, webkit, cocoa, excel-serial, dotnet-ticks, julian-day, or a pattern such as `%Y-%m-%d`", spelling::did_you_mean(.suggestion))]
    Unknown {
        /// What was written.
        text: String,
        /// The format that was probably meant.
        suggestion: Option<String>,
    },
    /// It is a pattern that cannot be read without guessing.
    #[error("`{pattern}`: {problem}")]
    Pattern {
        /// What was written.
        pattern: String,
        /// What is wrong with it.
        problem: PatternProblem,
    },
}

impl FormatError {
    fn unknown(text: &str) -> FormatError {
        let names = NAMED.iter().map(|(name, _)| *name);
        let meant = other_name(text).or_else(|| spelling::nearest(text, names).map(str::to_owned));
        let suggestion = meant.or_else(|| letters_as_fields(text));
        FormatError::Unknown { text: text.to_owned(), suggestion }
    }
}

/// What other programs call these formats.
fn other_name(text: &str) -> Option<String> {
    let name = match text.to_ascii_lowercase().as_str() {
        "iso8601" | "iso-8601" | "rfc3339" | "date" | "datetime" | "timestamp" => "iso",
        "epoch" | "unixepoch" | "unix-s" | "unix-seconds" | "unix-epoch" | "seconds" => "unix",
        "unix-milliseconds" | "unix-millis" | "epoch-ms" | "ms" | "millis" => "unix-ms",
        "unix-microseconds" | "unix-micros" | "epoch-us" | "us" => "unix-us",
        "unix-nanoseconds" | "unix-nanos" | "epoch-ns" | "ns" => "unix-ns",
        "julianday" | "julian" | "jd" => "julian-day",
        "chrome" | "chromium" => "webkit",
        "cfabsolutetime" | "nsdate" | "core-data" | "coredata" | "apple" | "mac" => "cocoa",
        "excel" | "serial" | "ole" | "oadate" | "oa-date" | "spreadsheet" => "excel-serial",
        "ticks" | "dotnet" | ".net" => "dotnet-ticks",
        _ => return None,
    };
    Some(name.to_owned())
}

/// `DD-MM-YYYY`, as spreadsheets write it, in fields.
fn letters_as_fields(text: &str) -> Option<String> {
    let fields = text
        .replace("YYYY", "%Y")
        .replace("yyyy", "%Y")
        .replace("MM", "%m")
        .replace("DD", "%d")
        .replace("dd", "%d")
        .replace("HH", "%H")
        .replace("mm", "%M")
        .replace("ss", "%S")
        .replace("SS", "%S");
    Pattern::parse(&fields).is_ok().then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_print_as_they_are_written() {
        for text in NAMED.map(|(name, _)| name).into_iter().chain(["%d-%m-%Y"]) {
            assert_eq!(Format::parse(text).unwrap().to_string(), text);
        }
        let count = Count::since("2000-01-01".parse().unwrap(), Unit::Minutes);
        assert_eq!(Format::Count(count).to_string(), "minutes since 2000-01-01");
        let several = Format::OneOf(vec![Format::Iso, Format::Count(count)]);
        assert_eq!(several.to_string(), "iso or minutes since 2000-01-01");
    }

    #[test]
    fn other_names_are_met_with_a_suggestion() {
        for (written, meant) in [
            ("ISO", Some("iso")),
            ("unixms", Some("unix-ms")),
            ("unix-milliseconds", Some("unix-ms")),
            ("julianday", Some("julian-day")),
            ("epoch", Some("unix")),
            ("Chrome", Some("webkit")),
            ("excel", Some("excel-serial")),
            ("DD-MM-YYYY", Some("%d-%m-%Y")),
            ("yyyy-MM-dd HH:mm:ss", Some("%Y-%m-%d %H:%M:%S")),
            ("DD-MM-YY", None),
            ("", None),
            ("whatever", None),
        ] {
            let expected =
                FormatError::Unknown { text: written.to_owned(), suggestion: meant.map(str::to_owned) };
            assert_eq!(Format::parse(written), Err(expected));
        }
        let message = Format::parse("epoch").unwrap_err().to_string();
        assert!(message.starts_with("`epoch` is no format; did you mean `unix`?"), "{message}");
    }

    #[test]
    fn a_faulty_pattern_is_named_with_its_fault() {
        let message = Format::parse("%d-%m-%y").unwrap_err().to_string();
        assert!(message.starts_with("`%d-%m-%y`: `%y` has a year of two digits"), "{message}");
    }
}
