//! Times made coarse: the first day of a month or year in the format and the zone of the column.

use proptest::prelude::*;

use super::*;
use crate::calendar::{Dialect, Event, Locale, Pattern};

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

fn column(format: &str, times_in: &str) -> Timestamps {
    Timestamps::new(Format::parse(format).unwrap(), zone(times_in), vec!["9999-12-31".to_owned()])
}

/// What a text becomes in a policy of Copenhagen.
fn made(format: &str, coarse: Coarse, text: &str) -> String {
    let made =
        column(format, "UTC").coarsened(Value::Text(text.as_bytes()), coarse, zone("Europe/Copenhagen"));
    match made {
        Ok(None) => "as it is".to_owned(),
        Ok(Some(Owned::Text(text))) => String::from_utf8(text).unwrap(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_text_keeps_its_shape() {
    for (format, text, year, month) in [
        ("iso", "1978-11-23", "1978-01-01", "1978-11-01"),
        ("iso", "1978-11-23T10:20", "1978-01-01T00:00", "1978-11-01T00:00"),
        (
            "iso",
            "1978-11-23 10:20:30,25 +0100",
            "1978-01-01 00:00:00,00 +0100",
            "1978-11-01 00:00:00,00 +0100",
        ),
        ("iso", "1978-11-23t10:20:30.5z", "1978-01-01t00:00:00.0z", "1978-11-01t00:00:00.0z"),
        ("iso", "1978-11-23 10:20:30-09", "1978-01-01 00:00:00-09", "1978-11-01 00:00:00-09"),
        ("iso", "1978-11-23 24:00", "1978-01-01 00:00", "1978-11-01 00:00"),
        ("%d-%m-%Y", "23-11-1978", "01-01-1978", "01-11-1978"),
        ("%-d/%-m %Y", "23/11 1978", "1/1 1978", "1/11 1978"),
        ("%-d/%-m %Y", "03/09 1978", "01/01 1978", "01/09 1978"),
        ("%e %b %Y", " 9 nov 1978", " 1 jan 1978", " 1 nov 1978"),
        ("%e %B %Y", "09 NOVEMBER 1978", "01 JANUARY 1978", "01 NOVEMBER 1978"),
        ("%a %F %I:%M %p", "Thu 1978-11-23 03:04 pm", "Sun 1978-01-01 12:00 am", "Wed 1978-11-01 12:00 am"),
        ("%Y.%j", "1978.327", "1978.001", "1978.305"),
        (
            "%FT%T%.f%z",
            "1978-11-23T01:02:03.25+0130",
            "1978-01-01T00:00:00.00+0130",
            "1978-11-01T00:00:00.00+0130",
        ),
        ("%F %T,%f", "1978-11-23 01:02:03,5", "1978-01-01 00:00:00,0", "1978-11-01 00:00:00,0"),
        ("%Y-%m", "1978-11", "1978-01", "as it is"),
        ("%Y", "1978", "as it is", "as it is"),
        ("født %Y", "født 1978", "as it is", "as it is"),
    ] {
        assert_eq!(made(format, Coarse::Year, text), year, "{format}");
        assert_eq!(made(format, Coarse::Month, text), month, "{format}");
    }
}

#[test]
fn what_stands_beside_a_pattern_counts() {
    let made = |pattern: &str, century: Option<i64>, locale: Option<Locale>, text: &str| {
        let pattern = Pattern::parse_in(pattern, Dialect { century, locale }).unwrap();
        let column = Timestamps::new(Format::Strftime(pattern), Zone::UTC, Vec::new());
        match column.coarsened(Value::Text(text.as_bytes()), Coarse::Year, Zone::UTC) {
            Ok(Some(Owned::Text(text))) => String::from_utf8(text).unwrap(),
            other => format!("{other:?}"),
        }
    };
    let (danish, german) = (Some(Locale::Danish), Some(Locale::German));
    assert_eq!(made("%d/%m/%y", Some(1950), None, "23/11/50"), "01/01/50");
    assert_eq!(made("%-d. %b %Y", None, danish, "23. sept. 1978"), "1. jan. 1978");
    assert_eq!(made("%-d. %B %Y", None, danish, "23. NOVEMBER 1978"), "1. JANUAR 1978");
    assert_eq!(
        made("%A den %-d. %B %Y", None, danish, "torsdag den 23. november 1978"),
        "søndag den 1. januar 1978"
    );
    assert_eq!(made("%a, %d. %b %Y", None, german, "Do., 23. Nov. 1978"), "So., 01. Jan. 1978");
    assert_eq!(made("%b.%Y", None, danish, "okt.1978"), "jan.1978");
    assert_eq!(
        made("%F %-I:%-M:%S %p%z (%Z)", None, None, "1978-11-23 3:4:05 PM+0100 (CET)"),
        "1978-01-01 12:0:00 AM+0100 (CET)"
    );
}

#[test]
fn each_value_keeps_the_format_in_which_it_is_written() {
    let formats = ["iso", "%d/%m/%Y", "unix"].map(|format| Format::parse(format).unwrap());
    let column = Timestamps::new(Format::OneOf(formats.to_vec()), Zone::UTC, Vec::new());
    let made = |value: Value<'_>| column.coarsened(value, Coarse::Year, Zone::UTC).unwrap().unwrap();
    assert_eq!(made(Value::Text(b"1978-11-23")), Owned::Text(b"1978-01-01".to_vec()));
    assert_eq!(made(Value::Text(b"23/11/1978")), Owned::Text(b"01/01/1978".to_vec()));
    assert_eq!(made(Value::Integer(1_600_000_000)), Owned::Integer(1_577_836_800));
    assert_eq!(made(Value::Text(b"1600000000.25")), Owned::Text(b"1577836800.00".to_vec()));
}

#[test]
fn the_year_is_that_of_the_civil_date_in_the_policy_s_zone() {
    assert_eq!(made("iso", Coarse::Year, "2020-12-31T23:30:00Z"), "2021-01-01T00:00:00Z");
    assert_eq!(made("iso", Coarse::Month, "2020-12-31 22:30:00Z"), "2020-12-01 00:00:00Z");
    assert_eq!(
        made("unix", Coarse::Year, "1609457400"),
        "1609455600",
        "the first instant of 2021 in Copenhagen"
    );
}

#[test]
fn numbers_stay_numbers() {
    let utc = |format: &str, value| column(format, "UTC").coarsened(value, Coarse::Year, Zone::UTC);
    assert_eq!(utc("unix", Value::Integer(1_600_000_000)), Ok(Some(Owned::Integer(1_577_836_800))));
    assert_eq!(utc("unix-ms", Value::Real(1.6e12)), Ok(Some(Owned::Real(1_577_836_800_000.0))));
    assert_eq!(utc("unix", Value::Integer(1_577_836_800)), Ok(None));
    assert_eq!(utc("excel-serial", Value::Real(46_346.25)), Ok(Some(Owned::Real(46_023.0))));
    assert_eq!(utc("excel-serial", Value::Text(b"46346")), Ok(Some(Owned::Text(b"46023".to_vec()))));
    assert_eq!(utc("cocoa", Value::Real(816_829_200.5)), Ok(Some(Owned::Real(788_918_400.0))));
    assert_eq!(
        utc("webkit", Value::Integer(13_439_610_000_000_000)),
        Ok(Some(Owned::Integer(13_411_699_200_000_000)))
    );
    assert_eq!(utc("julian-day", Value::Real(2_459_000.25)), Ok(Some(Owned::Real(2_458_849.5))));
    assert_eq!(utc("julian-day", Value::Integer(2_459_000)), Ok(Some(Owned::Integer(2_458_850))));
    assert_eq!(utc("julian-day", Value::Text(b"2459000")), Ok(Some(Owned::Text(b"2458850".to_vec()))));
    assert_eq!(utc("%Y%m%d", Value::Integer(20_200_517)), Ok(Some(Owned::Integer(20_200_101))));
    // Zero would be no time at all.
    assert_eq!(utc("unix", Value::Integer(86_400)), Ok(Some(Owned::Integer(1))));
    assert_eq!(utc("unix", Value::Integer(1)), Ok(None));
}

#[test]
fn what_is_empty_stays_and_what_cannot_be_read_is_never_guessed() {
    for empty in ["", "  ", "9999-12-31"] {
        assert_eq!(made("iso", Coarse::Year, empty), "as it is");
    }
    let iso = column("iso", "UTC");
    let of = |value| iso.coarsened(value, Coarse::Year, Zone::UTC);
    assert_eq!(of(Value::Null), Ok(None));
    assert_eq!(of(Value::Text(b"23-11-1978")), Err(Unreadable::NotADate));
    assert_eq!(of(Value::Integer(1978)), Err(Unreadable::UndeclaredNumber));
    assert_eq!(of(Value::Blob), Err(Unreadable::Blob));
    // The first instant of this year cannot be read: it is one of 1899.
    assert_eq!(of(Value::Text(b"1900-05-01T10:00+01:00")), Err(Unreadable::OutOfRange));
}

const FORMATS: [(&str, &str); 12] = [
    ("iso", "%Y-%m-%d"),
    ("iso", "%Y-%m-%dT%H:%M:%SZ"),
    ("iso", "%Y-%m-%d %H:%M"),
    ("iso", "%Y-%m-%dT%H:%M:%S-11:00"),
    ("iso", "%Y-%m-%d %H:%M:%S.%f +1400"),
    ("%d-%m-%Y", "%d-%m-%Y"),
    ("%-d/%-m %Y", "%-d/%-m %Y"),
    ("%a, %d %b %Y %T %z", "%a, %d %b %Y %T +0530"),
    ("%e %B %Y", "%e %B %Y"),
    ("%Y-%m", "%Y-%m"),
    ("%F %I:%M %p", "%F %I:%M %p"),
    ("%Y.%j", "%Y.%j"),
];

const ZONES: [&str; 5] =
    ["UTC", "Europe/Copenhagen", "America/New_York", "Pacific/Kiritimati", "America/Sao_Paulo"];

fn zones() -> impl Strategy<Value = &'static str> {
    prop::sample::select(ZONES.to_vec())
}

/// From 1901 on: the first day of 1900 cannot always be read.
fn seconds() -> impl Strategy<Value = i64> {
    -2_177_366_400..10_413_000_000_i64
}

/// That a value is made coarse once and for all, and reads as a first day.
fn check(column: &Timestamps, value: Value<'_>, coarse: Coarse, policy: Zone) -> Result<(), TestCaseError> {
    let made = column.coarsened(value, coarse, policy).unwrap();
    let now = made.as_ref().map_or(value, Owned::as_value);
    prop_assert_eq!(column.coarsened(now, coarse, policy), Ok(None), "{:?} of {:?}", now, value);
    let Reading::Event(event) = column.read(now) else { panic!("{now:?} of {value:?}") };
    // A pattern without a day stands for the last one.
    if column.format().to_string() != "%Y-%m" {
        let near = match event {
            Event::Date(date) => vec![date],
            Event::At(at) => {
                let apart = (-2..=2).map(|days| at.plus_seconds(days * 86_400).unwrap());
                apart.map(|at| policy.date_of(at)).collect()
            }
        };
        prop_assert!(near.iter().any(|date| date.day() == 1), "{:?} of {:?}", now, value);
    }
    Ok(())
}

proptest! {
    #[test]
    fn texts_become_coarse_once_and_read_back(
        (format, shape) in prop::sample::select(FORMATS.to_vec()),
        seconds in seconds(),
        (times_in, policy) in (zones(), zones()),
        year: bool,
    ) {
        let at = chrono::DateTime::from_timestamp(seconds, 123_000_000).unwrap();
        let text = at.format(shape).to_string();
        let coarse = if year { Coarse::Year } else { Coarse::Month };
        check(&column(format, times_in), Value::Text(text.as_bytes()), coarse, zone(policy))?;
    }

    #[test]
    fn numbers_become_coarse_once_and_read_back(
        format in prop::sample::select(vec!["unix", "unix-ms", "unix-us", "unix-ns", "julian-day"]),
        seconds in seconds(),
        kind in 0..3,
        policy in zones(),
        year: bool,
    ) {
        let count = match format {
            "unix" => seconds as f64,
            "unix-ms" => seconds as f64 * 1e3,
            "unix-us" => seconds as f64 * 1e6,
            "unix-ns" => (seconds as f64 * 1e9).clamp(-9.2e18, 9.2e18),
            _ => seconds as f64 / 86_400.0 + 2_440_587.5,
        };
        let coarse = if year { Coarse::Year } else { Coarse::Month };
        let text = (count.round() as i64).to_string();
        let value = match kind {
            0 => Value::Integer(count.round() as i64),
            1 => Value::Real(count),
            _ => Value::Text(text.as_bytes()),
        };
        prop_assume!(text != "0");
        check(&column(format, "UTC"), value, coarse, zone(policy))?;
    }
}
