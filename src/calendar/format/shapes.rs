//! Which formats would read values that the declared one does not. It tells how a column may be written, and
//! reads nothing: what was not declared stays unreadable.

use std::sync::LazyLock;

use chrono::Datelike;

use crate::calendar::{Count, Dialect, Format, Locale, Pattern, Unit, Zone};
use crate::value::Value;

/// Some of the formats that are tried, by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shapes(u128);

struct Shape {
    /// As a policy declares it.
    declared: String,
    format: Format,
    /// A stricter one of which the same values say the same.
    stricter: Option<usize>,
}

/// Dates, each with one that reads shorter numbers too.
const DATES: [(&str, &str); 6] = [
    ("%d-%m-%Y", "%-d-%-m-%Y"),
    ("%m-%d-%Y", "%-m-%-d-%Y"),
    ("%d/%m/%Y", "%-d/%-m/%Y"),
    ("%m/%d/%Y", "%-m/%-d/%Y"),
    ("%d.%m.%Y", "%-d.%-m.%Y"),
    ("%Y/%m/%d", "%Y/%-m/%-d"),
];

const TIMES: [&str; 5] = ["", " %H:%M", " %H:%M:%S", " %-I:%M %p", " %-I:%M:%S %p"];

const PATTERNS: [&str; 14] = [
    "%Y%m%d",
    "%Y%m%d%H%M%S",
    "%Y%m%dT%H%M%S%z",
    "%Y-%m",
    "%Y",
    "%B %-d, %Y",
    "%b %-d, %Y",
    "%-d %B %Y",
    "%-d %b %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%d/%b/%Y:%H:%M:%S %z",
    "%a %b %e %H:%M:%S %Y",
    "%F %T UTC",
    "%FT%T%z[%Z]",
];

const SHORT_YEARS: [&str; 5] = ["%d-%m-%y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%y%m%d"];

const IN_LANGUAGES: [&str; 4] = ["%-d. %B %Y", "%-d. %b %Y", "%-d %B %Y", "%-d %b %Y"];

static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(all);

fn all() -> Vec<Shape> {
    let named = [
        "iso",
        "unix",
        "unix-ms",
        "unix-us",
        "unix-ns",
        "julian-day",
        "webkit",
        "cocoa",
        "excel-serial",
        "dotnet-ticks",
    ];
    let mut shapes: Vec<Shape> = Vec::new();
    for text in named.into_iter().chain(PATTERNS) {
        let format = Format::parse(text).ok();
        shapes.extend(format.map(|format| Shape { declared: text.to_owned(), format, stricter: None }));
    }
    let file_time = Count::since_year(1601, Unit::HundredNanoseconds);
    let declared = "{ epoch = \"1601-01-01\", unit = \"100ns\" }".to_owned();
    shapes.push(Shape { declared, format: Format::Count(file_time), stricter: None });
    for (strict, loose) in DATES {
        for time in TIMES {
            let place = shapes.len();
            shapes.extend(pattern(&format!("{strict}{time}"), Dialect::default(), ""));
            let loose = pattern(&format!("{loose}{time}"), Dialect::default(), "");
            shapes.extend(loose.map(|shape| Shape { stricter: Some(place), ..shape }));
        }
    }
    for text in SHORT_YEARS {
        shapes.extend(pattern(text, Dialect { century: Some(1970), locale: None }, "century = \"1970\""));
    }
    for (tag, locale) in [("da", Locale::Danish), ("de", Locale::German)] {
        let dialect = Dialect { century: None, locale: Some(locale) };
        let beside = format!("locale = \"{tag}\"");
        shapes.extend(IN_LANGUAGES.into_iter().filter_map(|text| pattern(text, dialect, &beside)));
    }
    shapes
}

fn pattern(text: &str, dialect: Dialect, beside: &str) -> Option<Shape> {
    let format = Format::Strftime(Pattern::parse_in(text, dialect).ok()?);
    let declared = match beside {
        "" => text.to_owned(),
        _ => format!("{{ pattern = \"{text}\", {beside} }}"),
    };
    Some(Shape { declared, format, stricter: None })
}

impl Shape {
    /// Whether it reads the value. Nearly every number is a time by some count, and so one must be of these years.
    fn reads(&self, value: Value<'_>) -> bool {
        let Ok(event) = self.format.read(value, Zone::UTC) else { return false };
        let is_count = matches!(self.format, Format::Count(_) | Format::JulianDay);
        !is_count || (2004..2036).contains(&event.date_in(Zone::UTC).year())
    }
}

impl Shapes {
    /// Those that read a value.
    pub(crate) fn of(value: Value<'_>) -> Shapes {
        let read = SHAPES.iter().enumerate().filter(|(_, shape)| shape.reads(value));
        Shapes(read.fold(0, |all, (place, _)| all | 1 << place))
    }

    /// Those that read both.
    pub(crate) fn and(self, other: Shapes) -> Shapes {
        Shapes(self.0 & other.0)
    }

    /// How a policy would declare them, and how to tell them apart where they are several.
    pub(crate) fn words(self) -> Option<String> {
        let has = |place: usize| self.0 & (1 << place) != 0;
        let told = SHAPES
            .iter()
            .enumerate()
            .filter(|(place, shape)| has(*place) && !shape.stricter.is_some_and(has));
        let told: Vec<String> = told.map(|(_, shape)| format!("`{}`", shape.declared)).collect();
        match &told[..] {
            [] => None,
            [one] => Some(one.clone()),
            [one, other] => Some(format!("{one} or {other}, which they do not tell apart")),
            [first @ .., last] => {
                Some(format!("{} or {last}, which they do not tell apart", first.join(", ")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(texts: &[&str]) -> String {
        let shapes = texts.iter().map(|text| Shapes::of(Value::Text(text.as_bytes())));
        shapes.reduce(Shapes::and).unwrap().words().unwrap_or_default()
    }

    fn number(number: i64) -> String {
        Shapes::of(Value::Integer(number)).words().unwrap_or_default()
    }

    #[test]
    fn every_shape_has_a_place() {
        assert!(SHAPES.len() <= 128, "{}", SHAPES.len());
        assert_eq!(SHAPES.len(), 10 + 14 + 1 + 60 + 5 + 8);
        for shape in SHAPES.iter().filter_map(|shape| shape.stricter) {
            assert!(SHAPES[shape].stricter.is_none());
        }
    }

    #[test]
    fn dates_that_do_not_tell_day_and_month_apart_are_told_as_both() {
        assert_eq!(words(&["05/06/2024"]), "`%d/%m/%Y` or `%m/%d/%Y`, which they do not tell apart");
        assert_eq!(words(&["05/06/2024", "31/06/2024", "13/06/2024"]), "");
        assert_eq!(words(&["05/06/2024", "13/06/2024"]), "`%d/%m/%Y`");
        assert_eq!(words(&["5/6/2024", "13/06/2024"]), "`%-d/%-m/%Y`");
        assert_eq!(words(&["5/30/2024 1:05 PM"]), "`%-m/%-d/%Y %-I:%M %p`");
        assert_eq!(words(&["13.06.24"]), "`{ pattern = \"%d.%m.%y\", century = \"1970\" }`");
        assert_eq!(
            words(&["13. juni 2024"]),
            "`{ pattern = \"%-d. %B %Y\", locale = \"da\" }`, `{ pattern = \"%-d. %b %Y\", locale = \"da\" }`, `{ pattern = \"%-d. %B %Y\", locale = \"de\" }` or `{ pattern = \"%-d. %b %Y\", locale = \"de\" }`, which they do not tell apart"
        );
        assert_eq!(
            words(&["13. juni 2024", "1. maj 2024"]),
            "`{ pattern = \"%-d. %B %Y\", locale = \"da\" }`, `{ pattern = \"%-d. %b %Y\", locale = \"da\" }`"
                .replace("`, `", "` or `") + ", which they do not tell apart"
        );
        assert_eq!(words(&["13/Jun/2024:10:00:00 +0200"]), "`%d/%b/%Y:%H:%M:%S %z`");
        assert_eq!(words(&["2024-06-13T10:00:00Z"]), "`iso`");
        assert_eq!(words(&["whatever", "2024-06-13"]), "");
    }

    #[test]
    fn numbers_are_told_by_the_count_of_which_they_are_of_these_years() {
        assert_eq!(number(1_795_136_400), "`unix`");
        assert_eq!(number(1_795_136_400_000), "`unix-ms`");
        assert_eq!(number(816_829_200), "`cocoa`");
        assert_eq!(number(13_439_610_000_000_000), "`webkit`");
        assert_eq!(number(639_307_332_000_000_000), "`dotnet-ticks`");
        assert_eq!(number(134_396_100_000_000_000), "`{ epoch = \"1601-01-01\", unit = \"100ns\" }`");
        assert_eq!(number(46_346), "`excel-serial`");
        assert_eq!(number(2_461_364), "`julian-day`");
        assert_eq!(number(20_261_120), "`%Y%m%d`");
        assert_eq!(number(7), "");
        assert_eq!(words(&["1795136400.25"]), "`unix`");
    }
}
