//! Cells of an event column, made together with what they mean, so that nothing here has to
//! read a date.

use chrono::{
    DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;
use proptest::prelude::*;
use rusqlite::types::Value;

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Meaning {
    Empty,
    Unreadable,
    Date(NaiveDate),
    At(DateTime<Utc>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Format {
    Iso,
    Unix,
    UnixMs,
    UnixUs,
    UnixNs,
    JulianDay,
    Webkit,
    Cocoa,
    DotnetTicks,
    MinutesSince2000,
    ExcelSerial,
    DayMonthYear,
    ShortYear,
    Compact,
    DottedTime,
    TwelveHours,
    DanishMonth,
    Month,
    Year,
    IsoOrSlashes,
    DayOrMonthFirst,
    UnixOrIso,
}

pub(crate) const FORMATS: [Format; 22] = [
    Format::Iso,
    Format::Unix,
    Format::UnixMs,
    Format::UnixUs,
    Format::UnixNs,
    Format::JulianDay,
    Format::Webkit,
    Format::Cocoa,
    Format::DotnetTicks,
    Format::MinutesSince2000,
    Format::ExcelSerial,
    Format::DayMonthYear,
    Format::ShortYear,
    Format::Compact,
    Format::DottedTime,
    Format::TwelveHours,
    Format::DanishMonth,
    Format::Month,
    Format::Year,
    Format::IsoOrSlashes,
    Format::DayOrMonthFirst,
    Format::UnixOrIso,
];

impl Format {
    /// As a policy declares it.
    pub(crate) fn declared(self) -> &'static str {
        match self {
            Format::Iso => "'iso'",
            Format::Unix => "'unix'",
            Format::UnixMs => "'unix-ms'",
            Format::UnixUs => "'unix-us'",
            Format::UnixNs => "'unix-ns'",
            Format::JulianDay => "'julian-day'",
            Format::Webkit => "{ epoch = '1601-01-01', unit = 'us' }",
            Format::Cocoa => "'cocoa'",
            Format::DotnetTicks => "'dotnet-ticks'",
            Format::MinutesSince2000 => "{ epoch = '2000-01-01', unit = 'minutes' }",
            Format::ExcelSerial => "'excel-serial'",
            Format::DayMonthYear => "'%d-%m-%Y'",
            Format::ShortYear => "{ pattern = '%d/%m/%y', century = '1950' }",
            Format::Compact => "'%Y%m%d'",
            Format::DottedTime => "'%d.%m.%Y %H:%M'",
            Format::TwelveHours => "'%-m/%-d/%Y %-I:%M %p'",
            Format::DanishMonth => "{ pattern = '%-d. %b %Y', locale = 'da' }",
            Format::Month => "'%Y-%m'",
            Format::Year => "'%Y'",
            Format::IsoOrSlashes => "['iso', '%d/%m/%Y']",
            Format::DayOrMonthFirst => "['%d/%m/%Y', '%m/%d/%Y']",
            Format::UnixOrIso => "['unix', 'iso']",
        }
    }

    /// When a count begins, and how many nanoseconds one of it is.
    fn count(self) -> Option<(DateTime<Utc>, i128)> {
        let (epoch, nanoseconds) = match self {
            Format::Unix | Format::UnixOrIso => ("1970-01-01", 1_000_000_000),
            Format::UnixMs => ("1970-01-01", 1_000_000),
            Format::UnixUs => ("1970-01-01", 1_000),
            Format::UnixNs => ("1970-01-01", 1),
            Format::Webkit => ("1601-01-01", 1_000),
            Format::Cocoa => ("2001-01-01", 1_000_000_000),
            Format::DotnetTicks => ("0001-01-01", 100),
            Format::MinutesSince2000 => ("2000-01-01", 60_000_000_000),
            _ => return None,
        };
        Some((midnight(epoch.parse().unwrap()), nanoseconds))
    }
}

/// An instant, where it is one that is read and not the epoch itself, at which no time is known.
fn at_nanoseconds(epoch: DateTime<Utc>, since: i128) -> Meaning {
    let seconds = i64::try_from(since.div_euclid(1_000_000_000)).unwrap();
    let at = DateTime::from_timestamp(epoch.timestamp() + seconds, since.rem_euclid(1_000_000_000) as u32);
    match at.filter(|at| since != 0 && (1900..2300).contains(&at.year())) {
        Some(at) => Meaning::At(at),
        None => Meaning::Unreadable,
    }
}

/// The affinities that a declared type gives to a column.
pub(crate) const TYPES: [&str; 6] = ["TEXT", "INTEGER", "REAL", "NUMERIC", "BLOB", ""];

/// A column: how its cells are written, and what the engine makes of them.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) format: Format,
    pub(crate) affinity: &'static str,
    pub(crate) times_in: Tz,
    /// Whether `9999-12-31` and `-1` are declared to mean nothing.
    pub(crate) has_empty_values: bool,
}

/// A cell before its column is known.
#[derive(Clone, Debug)]
pub(crate) enum Draft {
    Null,
    Blank(usize),
    FarAway,
    MinusOne,
    Zero,
    Garbage(usize),
    Number(usize),
    Blob(usize),
    NotUtf8,
    Time { at: DateTime<Utc>, spelling: u8 },
}

const BLANKS: [&str; 4] = ["", " ", "\t \r\n", "      "];

/// Text that is a time in no format, and that no affinity turns into one.
const GARBAGE: [&str; 16] = [
    "garbage",
    "2023-02-29",
    "0000-00-00",
    "2024-13-01",
    "9999-12-31x",
    " 2024-05-01",
    "2024-5-1",
    "2001/02/03",
    "2001-02-03T25:00Z",
    "2001-02-03T10:00:00 CET",
    "2001-02-03\0",
    "\u{a0}",
    "NaN",
    "0x10",
    "12345678901234567890123",
    "-2001-02-03",
];

/// Numbers that are a time in no format.
const NUMBERS: [Value; 4] = [
    Value::Integer(i64::MIN),
    Value::Real(f64::INFINITY),
    Value::Real(-1e300),
    Value::Real(123_456_789_012_345_680_000_000.0),
];

const BLOBS: [&[u8]; 3] = [b"", b"2001-02-03", b"\xff\x00"];

pub(crate) fn draft(times: impl Strategy<Value = DateTime<Utc>>) -> impl Strategy<Value = Draft> {
    prop_oneof![
        2 => Just(Draft::Null),
        1 => (0..BLANKS.len()).prop_map(Draft::Blank),
        1 => Just(Draft::FarAway),
        1 => Just(Draft::MinusOne),
        1 => Just(Draft::Zero),
        2 => (0..GARBAGE.len()).prop_map(Draft::Garbage),
        1 => (0..NUMBERS.len()).prop_map(Draft::Number),
        1 => (0..BLOBS.len()).prop_map(Draft::Blob),
        1 => Just(Draft::NotUtf8),
        30 => (times, any::<u8>()).prop_map(|(at, spelling)| Draft::Time { at, spelling }),
    ]
}

impl Draft {
    /// The same, so much later.
    pub(crate) fn later(self, by: TimeDelta) -> Draft {
        match self {
            Draft::Time { at, spelling } => Draft::Time { at: at + by, spelling },
            other => other,
        }
    }
}

/// A cell as it is inserted: a value, or bytes that become text whatever they are.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Value(Value),
    TextOfBytes(Vec<u8>),
}

fn text(text: impl Into<String>) -> Cell {
    Cell::Value(Value::Text(text.into()))
}

fn integer(number: i64) -> Cell {
    Cell::Value(Value::Integer(number))
}

impl Column {
    /// Writes a draft into this column.
    pub(crate) fn write(&self, draft: &Draft) -> (Cell, Meaning) {
        match draft {
            Draft::Null => (Cell::Value(Value::Null), Meaning::Empty),
            Draft::Blank(which) => (text(BLANKS[*which]), Meaning::Empty),
            Draft::FarAway => (text("9999-12-31"), self.empty_or(Meaning::Unreadable)),
            Draft::MinusOne => (integer(-1), self.empty_or(self.minus_one())),
            Draft::Zero => (integer(0), Meaning::Unreadable),
            Draft::Garbage(which) => (text(GARBAGE[*which]), Meaning::Unreadable),
            Draft::Number(which) => (Cell::Value(NUMBERS[*which].clone()), Meaning::Unreadable),
            Draft::Blob(which) => (Cell::Value(Value::Blob(BLOBS[*which].to_vec())), Meaning::Unreadable),
            Draft::NotUtf8 => (Cell::TextOfBytes(b"2001-02-0\xff3".to_vec()), Meaning::Unreadable),
            Draft::Time { at, spelling } => self.write_time(*at, *spelling),
        }
    }

    fn empty_or(&self, otherwise: Meaning) -> Meaning {
        if self.has_empty_values { Meaning::Empty } else { otherwise }
    }

    fn minus_one(&self) -> Meaning {
        self.format
            .count()
            .map_or(Meaning::Unreadable, |(epoch, nanoseconds)| at_nanoseconds(epoch, -nanoseconds))
    }

    fn write_time(&self, at: DateTime<Utc>, spelling: u8) -> (Cell, Meaning) {
        let date = at.date_naive();
        match self.format {
            Format::Iso => self.iso(at, spelling),
            Format::Unix
            | Format::UnixMs
            | Format::UnixUs
            | Format::UnixNs
            | Format::Webkit
            | Format::Cocoa
            | Format::DotnetTicks
            | Format::MinutesSince2000 => self.count(at, spelling),
            Format::ExcelSerial => self.excel_serial(at, spelling),
            Format::ShortYear => (text(date.format("%d/%m/%y").to_string()), since_1950(date)),
            Format::TwelveHours => {
                let minute = truncated(at, 60).naive_utc();
                let form =
                    if spelling.is_multiple_of(2) { "%-m/%-d/%Y %-I:%M %p" } else { "%m/%d/%Y %I:%M %P" };
                (text(minute.format(form).to_string()), Meaning::At(self.resolved(minute)))
            }
            Format::DanishMonth => (text(danish(date, spelling)), Meaning::Date(date)),
            Format::IsoOrSlashes if spelling >= 128 => {
                (text(date.format("%d/%m/%Y").to_string()), Meaning::Date(date))
            }
            Format::IsoOrSlashes => self.iso(at, spelling),
            Format::DayOrMonthFirst => {
                let is_clear = date.day() > 12 || date.day() == date.month();
                let form = if spelling.is_multiple_of(2) { "%d/%m/%Y" } else { "%m/%d/%Y" };
                let meaning = if is_clear { Meaning::Date(date) } else { Meaning::Unreadable };
                (text(date.format(form).to_string()), meaning)
            }
            Format::UnixOrIso if spelling >= 128 => self.count(at, spelling),
            Format::UnixOrIso => self.iso(at, spelling),
            Format::JulianDay => self.julian_day(at, spelling),
            Format::DayMonthYear => (text(date.format("%d-%m-%Y").to_string()), Meaning::Date(date)),
            Format::DottedTime => {
                let minute = truncated(at, 60).naive_utc();
                (text(minute.format("%d.%m.%Y %H:%M").to_string()), Meaning::At(self.resolved(minute)))
            }
            Format::Month => (text(date.format("%Y-%m").to_string()), Meaning::Date(last_of_month(date))),
            Format::Compact => self.digits(&date.format("%Y%m%d").to_string(), date, spelling),
            Format::Year => {
                let last = date.format("%Y-12-31").to_string().parse().unwrap();
                self.digits(&date.format("%Y").to_string(), last, spelling)
            }
        }
    }

    /// A time without an offset.
    fn resolved(&self, local: NaiveDateTime) -> DateTime<Utc> {
        resolve(self.times_in, local)
    }

    /// Digits as text or as a number; a column of type REAL makes `2024.0` of both, which is
    /// not what the pattern says.
    fn digits(&self, digits: &str, date: NaiveDate, spelling: u8) -> (Cell, Meaning) {
        let cell = if spelling.is_multiple_of(2) { text(digits) } else { integer(digits.parse().unwrap()) };
        let meaning = if self.affinity == "REAL" { Meaning::Unreadable } else { Meaning::Date(date) };
        (cell, meaning)
    }

    fn iso(&self, at: DateTime<Utc>, spelling: u8) -> (Cell, Meaning) {
        let (second, minute) = (truncated(at, 1), truncated(at, 60));
        let shown = |at: DateTime<Utc>, hours: i64, minutes: i64, pattern: &str| {
            let offset = TimeDelta::minutes(hours * 60 + hours.signum() * minutes);
            text((at + offset).format(pattern).to_string())
        };
        let local = |at: DateTime<Utc>| Meaning::At(self.resolved(at.naive_utc()));
        match spelling % 16 {
            0..=3 => (shown(at, 0, 0, "%Y-%m-%d"), Meaning::Date(at.date_naive())),
            4 => (shown(second, 0, 0, "%Y-%m-%dT%H:%M:%SZ"), Meaning::At(second)),
            5 => (shown(second, 0, 0, "%Y-%m-%d %H:%M:%S"), local(second)),
            6 => (shown(second, 2, 0, "%Y-%m-%dT%H:%M:%S+02:00"), Meaning::At(second)),
            7 => (shown(at, 0, 0, "%Y-%m-%dT%H:%M:%S%.9fZ"), Meaning::At(at)),
            8 => (shown(minute, 0, 0, "%Y-%m-%d %H:%M"), local(minute)),
            9 => (shown(minute, -9, 30, "%Y-%m-%dT%H:%M-0930"), Meaning::At(minute)),
            10 => (shown(second, 5, 0, "%Y-%m-%d %H:%M:%S +05"), Meaning::At(second)),
            11 => (shown(second, 0, 0, "%Y-%m-%dt%H:%M:%S,000z"), Meaning::At(second)),
            12 => (shown(second, 23, 59, "%Y-%m-%dT%H:%M:%S+23:59"), Meaning::At(second)),
            13 => (shown(second, -23, 59, "%Y-%m-%dT%H:%M:%S-23:59"), Meaning::At(second)),
            14 => {
                (shown(at, 0, 0, "%Y-%m-%dT24:00:00Z"), Meaning::At(midnight(at.date_naive() + Days::new(1))))
            }
            _ => (shown(at, 0, 0, "%Y-%m-%d %H:%M:%S%.9f"), local(at)),
        }
    }

    /// Half a second at the finest, which a floating-point number of every scale holds as exactly as it holds
    /// the count.
    fn count(&self, at: DateTime<Utc>, spelling: u8) -> (Cell, Meaning) {
        let (epoch, unit) = self.format.count().unwrap();
        let at = truncated(at, i64::try_from(unit / 1_000_000_000).unwrap().max(1));
        let count = i64::try_from(i128::from((at - epoch).num_seconds()) * 1_000_000_000 / unit).unwrap();
        let whole = at_nanoseconds(epoch, i128::from(count) * unit);
        match spelling % 5 {
            0 => (integer(count), whole),
            // Beyond that the engine itself rounds a decimal in a column of numbers.
            1 if count.abs() < 100_000_000_000_000 => {
                let half = i128::from(if count < 0 { -1 } else { 1 }) * unit / 2;
                (text(format!("{count}.50")), at_nanoseconds(epoch, i128::from(count) * unit + half))
            }
            1 | 2 => (text(count.to_string()), whole),
            3 => self.real_count(count as f64),
            _ if unit >= 1_000_000_000 => self.real_count(count as f64 + 0.5),
            _ => self.real_count((i128::from(count) + 500_000_000 / unit) as f64),
        }
    }

    fn real_count(&self, count: f64) -> (Cell, Meaning) {
        let (epoch, unit) = self.format.count().unwrap();
        let since = count.trunc() as i128 * unit + (count.fract() * unit as f64).round() as i128;
        // A column of type TEXT writes a longer number with an exponent.
        let is_plain = self.affinity != "TEXT" || count.abs() < 1e17;
        let meaning = if is_plain { at_nanoseconds(epoch, since) } else { Meaning::Unreadable };
        (Cell::Value(Value::Real(count)), meaning)
    }

    /// A whole day is a date, and another a time without an offset.
    fn excel_serial(&self, at: DateTime<Utc>, spelling: u8) -> (Cell, Meaning) {
        let date = at.date_naive();
        let day = (date - "1899-12-30".parse::<NaiveDate>().unwrap()).num_days();
        let milliseconds = i64::from(at.num_seconds_from_midnight()) * 1_000;
        let serial = day as f64 + milliseconds as f64 / 86_400_000.0;
        let time = match milliseconds {
            0 => Meaning::Date(date),
            _ => Meaning::At(
                self.resolved((midnight(date) + TimeDelta::milliseconds(milliseconds)).naive_utc()),
            ),
        };
        match spelling % 4 {
            0 => (integer(day), Meaning::Date(date)),
            1 => (text(format!("{day}")), Meaning::Date(date)),
            2 => (text(format!("{serial:.9}")), time),
            _ => (Cell::Value(Value::Real(serial)), time),
        }
    }

    fn julian_day(&self, at: DateTime<Utc>, spelling: u8) -> (Cell, Meaning) {
        let at = DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap();
        let day = (at.timestamp_millis() + 210_866_760_000_000) as f64 / 86_400_000.0;
        match spelling % 4 {
            0 => {
                let noon = midnight(at.date_naive()) + TimeDelta::hours(12);
                (integer(noon.timestamp().div_euclid(86_400) + 2_440_588), Meaning::At(noon))
            }
            1 => (text(format!("{day:.10}")), Meaning::At(at)),
            // The engine writes a number into text with too few digits for a millisecond.
            _ if self.affinity == "TEXT" => (text(format!("{day:.10}")), Meaning::At(at)),
            _ => (Cell::Value(Value::Real(day)), Meaning::At(at)),
        }
    }
}

/// The same day of the year from 1950 to 2049 that ends in the same two digits, where there is one.
fn since_1950(date: NaiveDate) -> Meaning {
    let year = (1950..2050).find(|year| (year - date.year()) % 100 == 0).unwrap();
    NaiveDate::from_ymd_opt(year, date.month(), date.day()).map_or(Meaning::Unreadable, Meaning::Date)
}

fn danish(date: NaiveDate, spelling: u8) -> String {
    let months = ["jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec"];
    let longer = ["jan", "feb", "marts", "apr", "maj", "juni", "juli", "aug", "sept", "okt", "nov", "dec"];
    let month = if spelling.is_multiple_of(3) { longer } else { months }[date.month0() as usize];
    let dot = if spelling.is_multiple_of(2) { "." } else { "" };
    let written = format!("{}. {month}{dot} {}", date.day(), date.year());
    if spelling.is_multiple_of(5) { written.to_uppercase() } else { written }
}

/// Down to a whole number of so many seconds.
fn truncated(at: DateTime<Utc>, seconds: i64) -> DateTime<Utc> {
    let whole = at.timestamp().div_euclid(seconds) * seconds;
    DateTime::from_timestamp(whole, 0).unwrap()
}

fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_hms_opt(0, 0, 0).unwrap().and_utc()
}

fn last_of_month(date: NaiveDate) -> NaiveDate {
    let month: String = date.format("%Y-%m").to_string();
    (28..=31).rev().find_map(|day| format!("{month}-{day}").parse().ok()).unwrap()
}

/// The instant of a local time: the later one where the clock shows it twice, the first one
/// after the gap where the clock skips it.
pub(crate) fn resolve(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => at.to_utc(),
        LocalResult::Ambiguous(one, other) => one.max(other).to_utc(),
        LocalResult::None => {
            let minute = truncated(local.and_utc(), 60).naive_utc();
            let later =
                (1..).map(|minutes| zone.from_local_datetime(&(minute + TimeDelta::minutes(minutes))));
            later.into_iter().find_map(LocalResult::earliest).unwrap().to_utc()
        }
    }
}
