//! The formats in which columns write time.

use super::draw::Draw;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Format {
    Iso,
    /// A count since 1970, and how many there are to a second.
    Count(&'static str, i64),
    Julian,
    Dates(&'static str),
    Months(&'static str),
    Years(&'static str),
    /// Date-times without an offset, to the minute and to the second.
    Minutes(&'static str),
    Seconds(&'static str),
    WithOffset(&'static str),
}

const FORMATS: [Format; 16] = [
    Format::Count("unix", 1),
    Format::Count("unix-ms", 1_000),
    Format::Count("unix-us", 1_000_000),
    Format::Count("unix-ns", 1_000_000_000),
    Format::Julian,
    Format::Dates("%d-%m-%Y"),
    Format::Dates("%Y%m%d"),
    Format::Dates("%A, %e %B %Y"),
    Format::Dates("%Y-%j"),
    Format::Months("%m/%Y"),
    Format::Months("%b %Y"),
    Format::Years("%Y"),
    Format::Minutes("%d/%m/%Y %H:%M"),
    Format::Seconds("%Y.%m.%d %I:%M:%S %p"),
    Format::WithOffset("%Y-%m-%dT%H:%M:%S%z"),
    Format::WithOffset("%d %b %Y, %H:%M:%S%.f %z"),
];

impl Format {
    pub(super) fn draw(draw: &mut Draw) -> Format {
        if draw.chance(45) { Format::Iso } else { draw.pick(&FORMATS) }
    }

    /// As a policy names it; nothing where it need not.
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            Format::Iso => None,
            Format::Julian => Some("julian-day"),
            Format::Count(word, _)
            | Format::Dates(word)
            | Format::Months(word)
            | Format::Years(word)
            | Format::Minutes(word)
            | Format::Seconds(word)
            | Format::WithOffset(word) => Some(word),
        }
    }

    /// Types of columns that hold what is written as it is.
    pub(super) fn types(self) -> &'static [&'static str] {
        match self {
            Format::Count(..) => &["INTEGER", "", "TEXT", "DATETIME"],
            Format::Julian => &["REAL", ""],
            _ => &["TEXT", "", "DATETIME"],
        }
    }

    /// What nobody can read in it.
    pub(super) fn nonsense(self) -> &'static [&'static str] {
        match self {
            Format::Iso => &[
                "soon",
                "2025-02-30",
                "2024/05/01",
                "20240501",
                "2024-05-01 ",
                "1735689600",
                "2024-13-01",
                "1899-12-31",
                "2300-01-01",
                "2024-5-1",
                "2024-05-01T10:00 CET",
                "9999-12-31",
                "n/a",
            ],
            Format::Count(..) => {
                &["0", "0", "soon", "2024-05-01", "99999999999999999999", "9999-12-31", "n/a"]
            }
            Format::Julian => &["0", "soon", "2024-05-01", "99999999", "9999-12-31", "n/a"],
            _ => &["soon", "31-02-2025", "13/2024", "99", "Febber 2024", "9999-12-31", "n/a"],
        }
    }
}
