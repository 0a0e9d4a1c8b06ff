//! Patterns: dates and times written in a way of their own, such as
//! `%d-%m-%Y` in a column or `app-%Y-%m-%d.db.zst` in a file's name.
//!
//! The parser is frist's own because those at hand are lenient: they skip
//! white space, take signs and short numbers, and fill in what is missing.
//! Here a pattern either says what a text means, or it is refused.

use std::fmt;

use super::format::FormatError;
use super::pattern_fields::{Field, Part, Piece, specifier};
use super::pattern_problem::PatternProblem;

/// A compiled pattern of literals and `%` fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    pub(super) pieces: Vec<Piece>,
    pub(super) has_time: bool,
}

impl Pattern {
    /// Compiles a pattern.
    pub fn parse(text: &str) -> Result<Pattern, FormatError> {
        compile(text).map_err(|problem| FormatError::Pattern { pattern: text.to_owned(), problem })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn compile(text: &str) -> Result<Pattern, PatternProblem> {
    let pieces = merged(pieces_of(text)?);
    let parts: Vec<Part> = fields(&pieces).map(Field::part).collect();
    check_repetition(&parts)?;
    check_completeness(&parts)?;
    check_ends(&pieces)?;
    let has_time = parts.iter().any(|part| part.is_of_time());
    Ok(Pattern { text: text.to_owned(), pieces, has_time })
}

fn pieces_of(mut text: &str) -> Result<Vec<Piece>, PatternProblem> {
    let mut pieces = Vec::new();
    while let Some((literal, after_percent)) = text.split_once('%') {
        pieces.push(Piece::Literal(literal.as_bytes().to_vec()));
        let (fields, length) = specifier(after_percent)?;
        pieces.extend(fields);
        text = after_percent.get(length..).unwrap_or_default();
    }
    pieces.push(Piece::Literal(text.as_bytes().to_vec()));
    Ok(pieces)
}

/// Joins literals that touch and leaves out empty ones.
fn merged(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut merged: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (merged.last_mut(), piece) {
            (Some(Piece::Literal(before)), Piece::Literal(bytes)) => before.extend(bytes),
            (_, Piece::Literal(bytes)) if bytes.is_empty() => {}
            (_, piece) => merged.push(piece),
        }
    }
    merged
}

fn fields(pieces: &[Piece]) -> impl Iterator<Item = Field> {
    pieces.iter().filter_map(|piece| match piece {
        Piece::Field(field) => Some(*field),
        Piece::Literal(_) => None,
    })
}

fn check_repetition(parts: &[Part]) -> Result<(), PatternProblem> {
    for (place, part) in parts.iter().enumerate() {
        if parts.iter().take(place).any(|before| before.tells_the_same(*part)) {
            return Err(PatternProblem::Repeated { part: part.name() });
        }
    }
    Ok(())
}

/// Every part needs the next larger one, up to the year; a time and a weekday
/// need a whole date.
fn check_completeness(parts: &[Part]) -> Result<(), PatternProblem> {
    let has = |part| parts.contains(&part);
    let has_hour = has(Part::Hour) || has(Part::Hour12);
    let has_date = has(Part::Day) || has(Part::DayOfYear);
    let has_time = parts.iter().any(|part| part.is_of_time());
    let demands = [
        (true, has(Part::Year), "a pattern", "a year (`%Y`)"),
        (has(Part::Day), has(Part::Month), "a day", "a month"),
        (has(Part::Weekday), has_date, "a weekday", "a whole date"),
        (has(Part::Hour12), has(Part::HalfOfDay), "an hour of twelve (`%I`)", "`%p`"),
        (has(Part::HalfOfDay), has(Part::Hour12), "`%p`", "an hour of twelve (`%I`)"),
        (has(Part::Minute), has_hour, "a minute", "an hour"),
        (has(Part::Second), has(Part::Minute), "a second", "a minute"),
        (has(Part::Fraction), has(Part::Second), "a fraction", "a second"),
        (has(Part::Offset), has_hour, "an offset", "a time"),
        (has_time, has_date, "a time", "a whole date"),
    ];
    match demands.into_iter().find(|(there, met, ..)| *there && !met) {
        Some((_, _, part, needed)) => Err(PatternProblem::Incomplete { part, needed }),
        None => Ok(()),
    }
}

fn check_ends(pieces: &[Piece]) -> Result<(), PatternProblem> {
    for (place, piece) in pieces.iter().enumerate() {
        let Piece::Field(field) = piece else { continue };
        if field.has_open_end() && may_go_on_with_digit(pieces.get(place + 1..).unwrap_or_default()) {
            return Err(PatternProblem::OpenEnd);
        }
    }
    Ok(())
}

/// Whether what is read next can be a digit. An optional fraction can be
/// absent, so that what follows it counts as well.
fn may_go_on_with_digit(pieces: &[Piece]) -> bool {
    match pieces {
        [Piece::Literal(bytes), ..] => bytes.first().is_some_and(u8::is_ascii_digit),
        [Piece::Field(Field::DottedFraction), rest @ ..] => may_go_on_with_digit(rest),
        [Piece::Field(field), ..] => field.may_begin_with_digit(),
        [] => false,
    }
}

impl Part {
    fn is_of_time(self) -> bool {
        use Part::{Day, DayOfYear, Month, Weekday, Year};
        !matches!(self, Year | Month | Day | DayOfYear | Weekday)
    }

    /// Two hours tell the same, and so do a month and a day of the year,
    /// which could contradict each other.
    fn tells_the_same(self, other: Part) -> bool {
        use Part::{Day, DayOfYear, Hour, Hour12, Month};
        self == other
            || matches!((self, other), (Hour, Hour12) | (Hour12, Hour))
            || matches!((self, other), (DayOfYear, Month | Day) | (Month | Day, DayOfYear))
    }

    fn name(self) -> &'static str {
        match self {
            Part::Year => "the year",
            Part::Month => "the month",
            Part::Day => "the day",
            Part::DayOfYear => "the day of the year",
            Part::Weekday => "the weekday",
            Part::Hour | Part::Hour12 => "the hour",
            Part::HalfOfDay => "`%p`",
            Part::Minute => "the minute",
            Part::Second => "the second",
            Part::Fraction => "the fraction",
            Part::Offset => "the offset",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> PatternProblem {
        compile(text).unwrap_err()
    }

    #[test]
    fn guesses_are_refused_with_the_reason() {
        let named = |text: &str| text.to_owned();
        assert_eq!(fault("%d.%m.%y"), PatternProblem::TwoDigitYear { specifier: named("%y") });
        assert_eq!(fault("%D"), PatternProblem::TwoDigitYear { specifier: named("%D") });
        assert_eq!(fault("%s"), PatternProblem::UnixInPattern);
        assert_eq!(fault("%Y-%q"), PatternProblem::UnknownSpecifier { specifier: named("%q") });
        assert_eq!(fault("%Y-%-j"), PatternProblem::UnknownSpecifier { specifier: named("%-j") });
        assert_eq!(fault("%Y %3f"), PatternProblem::UnknownSpecifier { specifier: named("%3f") });
        assert_eq!(
            fault("%Y\u{e9}%\u{e9}"),
            PatternProblem::UnknownSpecifier { specifier: named("%\u{e9}") }
        );
        assert_eq!(fault("%Y-%"), PatternProblem::LonePercent);
    }

    #[test]
    fn nothing_is_told_twice() {
        for text in [
            "%Y %Y",
            "%F %m",
            "%Y-%m %B",
            "%F %-d",
            "%F %e",
            "%F %T %S",
            "%F %H:%M %R",
            "%F %I %p %H",
            "%Y-%j %m",
            "%F %j",
            "%F %T%f%.f",
            "%F %a %A",
            "%F %T%z%z",
        ] {
            assert!(matches!(fault(text), PatternProblem::Repeated { .. }), "{text}");
        }
    }

    #[test]
    fn nothing_is_told_without_what_it_belongs_to() {
        for text in [
            "",
            "x",
            "%%",
            "%m-%d",
            "%Y %d",
            "%F %M",
            "%F %H %S",
            "%F %H:%M %f",
            "%F %I:%M",
            "%F %p",
            "%F %H %p",
            "%Y-%m %H",
            "%Y %T",
            "%F%z",
            "%Y %a",
            "%Y-%m %A",
            "%T",
        ] {
            assert!(matches!(fault(text), PatternProblem::Incomplete { .. }), "{text}");
        }
    }

    #[test]
    fn where_a_number_ends_is_never_a_guess() {
        for text in [
            "%Y%-m%d",
            "%-d%m%Y",
            "%-d1/%m/%Y",
            "%F %T%.f%%1%z0",
            "%F %-H%M",
            "%F %T.%f0",
            "%d%m%Y %-H%%%M:%S%.f5",
            "%H:%M:%S%z%F",
            "%F %H:%M:%S %z%%%z",
        ] {
            let fault = compile(text).unwrap_err();
            assert!(matches!(fault, PatternProblem::OpenEnd | PatternProblem::Repeated { .. }), "{text}");
        }
        assert_eq!(fault("%-d%m%Y"), PatternProblem::OpenEnd);
        assert_eq!(fault("%H:%M:%S%z%F"), PatternProblem::OpenEnd);
        assert_eq!(fault("%H:%M:%S%.f%F"), PatternProblem::OpenEnd);
        assert_eq!(fault("%F %T.%f7"), PatternProblem::OpenEnd);
    }

    #[test]
    fn whole_patterns_of_the_field_are_accepted() {
        for text in [
            "%Y",
            "%Y-%m",
            "%B %Y",
            "%Y-%j",
            "%Y%m%d",
            "%F",
            "%F %T",
            "%FT%T%.f%z",
            "%d-%m-%Y",
            "%-d.%-m.%Y",
            "%e %b %Y",
            "%a, %d %b %Y %H:%M:%S %z",
            "%d/%b/%Y:%H:%M:%S %z",
            "%m/%d/%Y %I:%M %p",
            "%F %R",
            "%F %H",
            "app-%Y-%m-%d.db.zst",
            "100%% %Y",
            "%F %-H:%M",
            "%F %T,%f",
        ] {
            assert_eq!(Pattern::parse(text).unwrap().to_string(), text);
        }
    }
}
