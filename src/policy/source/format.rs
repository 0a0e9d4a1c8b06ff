//! Formats of times as a policy declares them: a name or a pattern, a table of what one needs beside it, or
//! a list of these.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use crate::calendar::{Count, Date, Dialect, Format, FormatError, Locale, Pattern, Unit};
use crate::diagnostic::{Code, Finding};
use crate::policy::header;
use crate::policy::section::{Complaint, Placed, Section};

const FORMATS: &str = "write iso, unix, unix-ms, unix-us, unix-ns, webkit, cocoa, excel-serial, dotnet-ticks, julian-day, a \
                       pattern such as \"%d-%m-%Y\", or { epoch = \"1601-01-01\", unit = \"us\" }";

/// Reads what stands behind a key.
pub(crate) fn read(section: &Section<'_>, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Format> {
    read_where(section, key, value, named)
}

/// Reads how a name writes its date: by patterns alone.
pub(crate) fn read_of_name(section: &Section<'_>, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Format> {
    let format = read_where(section, key, value, pattern_of_name)?;
    let all = if let Format::OneOf(formats) = &format { &formats[..] } else { std::slice::from_ref(&format) };
    if all.iter().any(|format| !matches!(format, Format::Strftime(_))) {
        section.note(no_date(&format!("`{key}`")).at(value.span()));
        return None;
    }
    Some(format)
}

fn pattern_of_name(text: &str) -> Result<Format, Complaint> {
    if text.contains('%') { named(text) } else { Err(no_date(&format!("`{text}`"))) }
}

fn no_date(what: &str) -> Complaint {
    let help = "write the whole name with the fields of its date, such as \"app-%Y-%m-%d.db.zst\"";
    Complaint::new(Code::BadFormat, format!("{what} has no date in it"), Some(help.to_string()))
}

type Parse = fn(&str) -> Result<Format, Complaint>;

fn read_where(
    section: &Section<'_>,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    parse: Parse,
) -> Option<Format> {
    match value.get_ref() {
        DeValue::Array(items) => list(section, key, (items, value.span()), parse),
        _ => one(section, key, value, parse),
    }
}

fn list(
    section: &Section<'_>,
    key: &str,
    (items, span): (&[Spanned<DeValue<'_>>], Range<usize>),
    parse: Parse,
) -> Option<Format> {
    let mut formats = Vec::new();
    for item in items {
        let format = one(section, key, item, parse);
        if let Some(format) =
            format.as_ref().filter(|format| formats.iter().flatten().any(|known| known == *format))
        {
            let finding = Finding::error(Code::BadFormat, format!("`{format}` stands twice"), item.span());
            section.note(finding.help("write each format once"));
        }
        formats.push(format);
    }
    if items.is_empty() {
        let message = format!("`{key}` in {} lists no format", section.title());
        section.note(Finding::error(Code::BadFormat, message, span).help(FORMATS));
    }
    let mut formats: Vec<Format> = formats.into_iter().collect::<Option<_>>()?;
    if formats.len() > 1 { Some(Format::OneOf(formats)) } else { formats.pop() }
}

fn one(section: &Section<'_>, key: &str, value: &Spanned<DeValue<'_>>, parse: Parse) -> Option<Format> {
    match value.get_ref() {
        DeValue::String(text) => {
            let text = Placed { value: text.to_string(), span: value.span() };
            section.understood(text, parse).map(|format| format.value)
        }
        DeValue::Table(_) => table(section.as_section(key, value, format!("the format of `{key}`"))?),
        _ => section.wrong_type(key, "a format: text in quotes, a table, or a list of these", value),
    }
}

/// Reads `{ epoch, unit }` or `{ pattern, century, locale }`.
fn table(mut table: Section<'_>) -> Option<Format> {
    let (is_epoch, is_pattern) = (table.has("epoch") || table.has("unit"), table.has("pattern"));
    let format = match (is_epoch, is_pattern) {
        (true, false) => epoch(&mut table),
        (false, true) => pattern(&mut table),
        _ => {
            let message = format!("{} must have either `epoch` and `unit`, or `pattern`", table.title());
            table.note(Finding::error(Code::MissingKey, message, table.span()).help(FORMATS));
            for key in ["epoch", "unit", "pattern", "century", "locale"] {
                table.value(key);
            }
            None
        }
    };
    table.finish();
    format
}

fn epoch(table: &mut Section<'_>) -> Option<Format> {
    for key in ["epoch", "unit"] {
        if !table.has(key) {
            table.missing(key);
        }
    }
    let epoch = table.parsed("epoch", parse_epoch);
    let unit = table.parsed("unit", parse_unit);
    Some(Format::Count(Count::since(epoch?.value, unit?.value)))
}

fn parse_epoch(text: &str) -> Result<Date, Complaint> {
    let date = header::parse_date(text)?;
    let years = chrono::Datelike::year(&date);
    if (1..=2299).contains(&years) {
        return Ok(date);
    }
    let help = "write the day from which is counted, from 0001-01-01 to 2299-12-31".to_string();
    Err(Complaint::new(Code::BadDate, format!("`{text}` is no epoch that frist can count from"), Some(help)))
}

fn parse_unit(text: &str) -> Result<Unit, Complaint> {
    Unit::parse(text).ok_or_else(|| {
        let meant = match text.to_ascii_lowercase().as_str() {
            "day" | "d" => Some("days"),
            "hour" | "h" => Some("hours"),
            "minute" | "min" | "m" => Some("minutes"),
            "second" | "seconds" | "sec" => Some("s"),
            "milliseconds" | "millis" => Some("ms"),
            "microseconds" | "micros" | "µs" => Some("us"),
            "ticks" | "100 ns" => Some("100ns"),
            "nanoseconds" | "nanos" => Some("ns"),
            _ => None,
        };
        let names: Vec<&str> = Unit::NAMED.iter().map(|(name, _)| *name).collect();
        let help = meant
            .map_or(format!("write one of {}", names.join(", ")), |unit| format!("did you mean \"{unit}\"?"));
        Complaint::new(Code::BadFormat, format!("`{text}` is no unit of time that is counted"), Some(help))
    })
}

fn pattern(table: &mut Section<'_>) -> Option<Format> {
    let pattern = table.text("pattern");
    let century = table.parsed("century", parse_century);
    let locale = table.parsed("locale", parse_locale);
    let is_whole = table.has("century") == century.is_some() && table.has("locale") == locale.is_some();
    let dialect =
        Dialect { century: century.map(|century| century.value), locale: locale.map(|locale| locale.value) };
    let pattern = pattern.filter(|_| is_whole)?;
    table.understood(pattern, |text| in_dialect(text, dialect)).map(|format| format.value)
}

fn in_dialect(text: &str, dialect: Dialect) -> Result<Format, Complaint> {
    Pattern::parse_in(text, dialect).map(Format::Strftime).map_err(complaint)
}

fn parse_century(text: &str) -> Result<i64, Complaint> {
    let digits = Some(text).filter(|text| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()));
    let first = digits.and_then(|digits| digits.parse().ok()).filter(|first| (1900..=2200).contains(first));
    first.ok_or_else(|| {
        let help = "write the first of the hundred years that are meant, from \"1900\" to \"2200\": \"1970\" reads 70 \
                    as 1970 and 69 as 2069";
        Complaint::new(Code::BadFormat, format!("`{text}` begins no hundred years"), Some(help.to_string()))
    })
}

fn parse_locale(text: &str) -> Result<Locale, Complaint> {
    let known = Locale::TAGGED.into_iter().find(|(tag, _)| *tag == text);
    known.map(|(_, locale)| locale).ok_or_else(|| {
        let help = "write da for Danish, de for German or en for English".to_string();
        Complaint::new(Code::BadFormat, format!("frist knows no names of months in `{text}`"), Some(help))
    })
}

fn named(text: &str) -> Result<Format, Complaint> {
    Format::parse(text).map_err(complaint)
}

fn complaint(error: FormatError) -> Complaint {
    match error {
        FormatError::Unknown { text, suggestion } => {
            let help = match suggestion {
                Some(format) => format!("did you mean \"{format}\"?"),
                None => FORMATS.to_string(),
            };
            Complaint::new(Code::BadFormat, format!("`{text}` is no format of times"), Some(help))
        }
        FormatError::Pattern { problem, .. } => {
            let problem = problem.to_string();
            let (message, help) = problem.split_once("; ").unwrap_or((&problem, FORMATS));
            Complaint::new(Code::BadFormat, message, Some(help.to_string()))
        }
    }
}
