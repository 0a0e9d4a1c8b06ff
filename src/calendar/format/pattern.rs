//! Patterns: how to read dates and times written in a way of their own, such as
//! `%d-%m-%Y` in a column or `app-%Y-%m-%d.db.zst` in a file's name.
//!
//! The parser is frist's own because those at hand are lenient: they skip
//! white space, take signs and short numbers, and fill in what is missing.
//! Here a pattern either says what a text means, or it is refused.

use std::fmt;

use thiserror::Error;

use crate::calendar::FormatError;
use crate::calendar::format::names::{Locale, Name};

/// A compiled pattern of literals and `%` fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) has_time: bool,
}

/// One piece of a compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Literal(Vec<u8>),
    Field(Field),
    Name(Name),
}

/// What a pattern leaves open, and the policy says beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// The first of the hundred years that a year of two digits can be.
    pub century: Option<i64>,
    /// The language of names, where it is written.
    pub locale: Option<Locale>,
}

/// One field of digits: what it tells, which no pattern may tell twice, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) part: Part,
    pub(crate) written: Written,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Year,
    Month,
    Day,
    DayOfYear,
    Weekday,
    Hour,
    Hour12,
    HalfOfDay,
    Minute,
    Second,
    Fraction,
    Offset,
    ZoneName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// Always so many digits: two, three or four.
    Digits(usize),
    /// One digit or two.
    Short,
    /// Two digits, or a blank and one.
    Blank,
    /// The last two digits of a year, of the hundred from this one on.
    YearSince(i64),
    /// One to nine digits.
    Fraction,
    /// A dot and one to nine digits, or nothing at all.
    DottedFraction,
    /// `Z`, or a sign and digits.
    Offset,
    /// Letters, digits, and what else stands in the names of zones.
    ZoneName,
}

/// What stands behind a `%` for one field of digits. None begins with another one.
const FIELDS: [(&str, Part, Written); 18] = [
    ("Y", Part::Year, Written::Digits(4)),
    ("m", Part::Month, Written::Digits(2)),
    ("-m", Part::Month, Written::Short),
    ("d", Part::Day, Written::Digits(2)),
    ("-d", Part::Day, Written::Short),
    ("e", Part::Day, Written::Blank),
    ("j", Part::DayOfYear, Written::Digits(3)),
    ("H", Part::Hour, Written::Digits(2)),
    ("-H", Part::Hour, Written::Short),
    ("I", Part::Hour12, Written::Digits(2)),
    ("-I", Part::Hour12, Written::Short),
    ("M", Part::Minute, Written::Digits(2)),
    ("-M", Part::Minute, Written::Short),
    ("S", Part::Second, Written::Digits(2)),
    ("f", Part::Fraction, Written::Fraction),
    (".f", Part::Fraction, Written::DottedFraction),
    ("z", Part::Offset, Written::Offset),
    ("Z", Part::ZoneName, Written::ZoneName),
];

/// What stands behind a `%` for a name, and whether it is short.
const NAMES: [(&str, Part, bool); 6] = [
    ("b", Part::Month, true),
    ("h", Part::Month, true),
    ("B", Part::Month, false),
    ("a", Part::Weekday, true),
    ("A", Part::Weekday, false),
    ("p", Part::HalfOfDay, false),
];

/// What stands behind a `%` for several fields.
const SHORTHANDS: [(&str, &str); 4] =
    [("F", "%Y-%m-%d"), ("D", "%m/%d/%y"), ("T", "%H:%M:%S"), ("R", "%H:%M")];

/// Why a pattern is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PatternProblem {
    /// It ends in `%`.
    #[error("a single `%` at the end; write `%%` for a percent sign")]
    LonePercent,
    /// A specifier that frist does not have.
    #[error(
        "frist has no `{specifier}`; it has %Y %y %m %-m %b %B %d %-d %e %j %a %A %H %-H %I %-I %p %M %-M %S %f %.f %z %Z %F %D %T %R %%"
    )]
    UnknownSpecifier {
        /// The specifier.
        specifier: String,
    },
    /// A specifier whose year has two digits, or may have.
    #[error(
        "`{specifier}` has a year of two digits, and its century would be a guess; say which hundred years it can be: \
         {{ pattern = \"%d.%m.%y\", century = \"1970\" }} reads 1970 to 2069"
    )]
    TwoDigitYear {
        /// The specifier.
        specifier: String,
    },
    /// `%s`.
    #[error("`%s` is a count of seconds, not a part of a pattern; declare the format `unix`")]
    UnixInPattern,
    /// The same part of a date or time stands twice.
    #[error("{part} stands twice")]
    Repeated {
        /// The part.
        part: &'static str,
    },
    /// A part without the one that it belongs to.
    #[error("{part} without {needed}")]
    Incomplete {
        /// The part that is there.
        part: &'static str,
        /// The part that is missing.
        needed: &'static str,
    },
    /// A number of varying length stands right before another digit.
    #[error(
        "a number whose length varies stands right before another digit, and where it ends would be a guess"
    )]
    OpenEnd,
    /// The name of a zone stands right before what could belong to it.
    #[error(
        "`%Z` stands right before what may be a part of the zone's name, and where that ends would be a guess"
    )]
    OpenZone,
    /// The name of a zone without an offset.
    #[error(
        "`%Z` without `%z` says no offset: `CST` names several; write a name that is always the same as it is, such as \
         `UTC`, and its zone as `times-in`"
    )]
    ZoneAlone,
    /// `century` where there is nothing for it to say.
    #[error(
        "`century` says nothing without a year of two digits; write `%y` in the pattern, or leave `century` out"
    )]
    UnusedCentury,
    /// `locale` where there is nothing for it to say.
    #[error(
        "`locale` says nothing without a name of a month or a day; write `%B`, `%b`, `%A` or `%a`, or leave `locale` out"
    )]
    UnusedLocale,
}

impl Pattern {
    /// Compiles a pattern that says all by itself, in English.
    pub fn parse(text: &str) -> Result<Pattern, FormatError> {
        Pattern::parse_in(text, Dialect::default())
    }

    /// Compiles a pattern that is read with what stands beside it.
    pub fn parse_in(text: &str, dialect: Dialect) -> Result<Pattern, FormatError> {
        compile(text, dialect).map_err(|problem| FormatError::Pattern { pattern: text.to_owned(), problem })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn compile(text: &str, dialect: Dialect) -> Result<Pattern, PatternProblem> {
    let mut pieces = Vec::new();
    read_pieces(text, dialect, &mut pieces)?;
    let parts: Vec<Part> = pieces.iter().filter_map(Piece::part).collect();
    check_repetition(&parts)?;
    check_completeness(&parts)?;
    check_ends(&pieces)?;
    check_dialect(&pieces, dialect)?;
    give_dots_back(&mut pieces);
    let has_time = parts.iter().any(|part| part.is_of_time());
    Ok(Pattern { text: text.to_owned(), pieces, has_time })
}

fn read_pieces(mut text: &str, dialect: Dialect, pieces: &mut Vec<Piece>) -> Result<(), PatternProblem> {
    while let Some((literal, behind)) = text.split_once('%') {
        add_literal(literal, pieces);
        text = if let Some(rest) = behind.strip_prefix('%') {
            add_literal("%", pieces);
            rest
        } else if let Some((name, meaning)) = SHORTHANDS.iter().find(|(name, _)| behind.starts_with(name)) {
            read_pieces(meaning, dialect, pieces)?;
            &behind[name.len()..]
        } else {
            let (name, piece) = field(behind, dialect).ok_or_else(|| no_field(behind))?;
            pieces.push(piece);
            &behind[name.len()..]
        };
    }
    add_literal(text, pieces);
    Ok(())
}

/// The field that stands behind a `%`, and how it is called.
fn field(behind: &str, dialect: Dialect) -> Option<(&'static str, Piece)> {
    let digits = FIELDS.into_iter().find(|(name, ..)| behind.starts_with(name));
    let name = NAMES.into_iter().find(|(name, ..)| behind.starts_with(name));
    if let Some((name, part, written)) = digits {
        Some((name, Piece::Field(Field { part, written })))
    } else if let Some((name, part, is_short)) = name {
        Some((name, Piece::Name(Name::new(part, is_short, dialect.locale.unwrap_or_default()))))
    } else {
        let century = dialect.century.filter(|_| behind.starts_with('y'))?;
        Some(("y", Piece::Field(Field { part: Part::Year, written: Written::YearSince(century) })))
    }
}

/// Joins literals that touch and leaves out empty ones.
fn add_literal(literal: &str, pieces: &mut Vec<Piece>) {
    match pieces.last_mut() {
        _ if literal.is_empty() => {}
        Some(Piece::Literal(before)) => before.extend(literal.as_bytes()),
        _ => pieces.push(Piece::Literal(literal.as_bytes().to_vec())),
    }
}

/// Why what stands behind a `%` is no field. It is named as it would be read, modifiers included.
fn no_field(behind: &str) -> PatternProblem {
    let modifiers = behind.chars().take_while(|c| !c.is_alphabetic()).take(3).count();
    let specifier = format!("%{}", behind.chars().take(modifiers + 1).collect::<String>());
    match behind.chars().next() {
        None => PatternProblem::LonePercent,
        Some('y' | 'g' | 'x') => PatternProblem::TwoDigitYear { specifier },
        Some('s') => PatternProblem::UnixInPattern,
        Some(_) => PatternProblem::UnknownSpecifier { specifier },
    }
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
    if has(Part::ZoneName) && !has(Part::Offset) {
        return Err(PatternProblem::ZoneAlone);
    }
    match demands.into_iter().find(|(there, met, ..)| *there && !met) {
        Some((_, _, part, needed)) => Err(PatternProblem::Incomplete { part, needed }),
        None => Ok(()),
    }
}

fn check_ends(pieces: &[Piece]) -> Result<(), PatternProblem> {
    for (place, piece) in pieces.iter().enumerate() {
        let Piece::Field(field) = piece else { continue };
        let behind = pieces.get(place + 1..).unwrap_or_default();
        if field.written.has_open_end() && may_go_on_with_digit(behind) {
            return Err(PatternProblem::OpenEnd);
        }
        if field.written == Written::ZoneName && may_go_on_with_name(behind) {
            return Err(PatternProblem::OpenZone);
        }
    }
    Ok(())
}

/// Whether what is read next can be a digit. An optional fraction can be
/// absent, so that what follows it counts as well.
fn may_go_on_with_digit(pieces: &[Piece]) -> bool {
    match pieces {
        [Piece::Literal(bytes), ..] => bytes.first().is_some_and(u8::is_ascii_digit),
        [Piece::Field(Field { written: Written::DottedFraction, .. }), rest @ ..] => {
            may_go_on_with_digit(rest)
        }
        [Piece::Field(field), ..] => field.written != Written::Offset,
        [Piece::Name(_), ..] | [] => false,
    }
}

fn may_go_on_with_name(pieces: &[Piece]) -> bool {
    match pieces.first() {
        Some(Piece::Literal(bytes)) => bytes.first().copied().is_some_and(is_in_zone_name),
        Some(Piece::Field(_) | Piece::Name(_)) => true,
        None => false,
    }
}

/// Whether a byte can stand in the name of a zone: `CEST`, `-03`, `Europe/Copenhagen`, `Etc/GMT+1`.
pub(crate) fn is_in_zone_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+-/_".contains(&byte)
}

/// What stands beside a pattern must have something to say.
fn check_dialect(pieces: &[Piece], dialect: Dialect) -> Result<(), PatternProblem> {
    let is_year = |piece: &Piece| matches!(piece, Piece::Field(Field { written: Written::YearSince(_), .. }));
    let is_name = |piece: &Piece| matches!(piece, Piece::Name(name) if name.is_of_a_language());
    if dialect.century.is_some() && !pieces.iter().any(is_year) {
        return Err(PatternProblem::UnusedCentury);
    }
    if dialect.locale.is_some() && !pieces.iter().any(is_name) {
        return Err(PatternProblem::UnusedLocale);
    }
    Ok(())
}

/// A dot that the pattern itself has behind a short name is no part of the name.
fn give_dots_back(pieces: &mut [Piece]) {
    for place in 1..pieces.len() {
        let has_dot = matches!(&pieces[place], Piece::Literal(bytes) if bytes.first() == Some(&b'.'))
            || matches!(&pieces[place], Piece::Field(Field { written: Written::DottedFraction, .. }));
        if let Piece::Name(name) = &mut pieces[place - 1] {
            name.takes_dot &= !has_dot;
        }
    }
}

impl Piece {
    fn part(&self) -> Option<Part> {
        match self {
            Piece::Literal(_) => None,
            Piece::Field(field) => Some(field.part),
            Piece::Name(name) => Some(name.part),
        }
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
            Part::ZoneName => "the zone's name",
        }
    }
}

impl Written {
    /// Whether the number of digits at its end varies, so that a digit after it could belong to either.
    fn has_open_end(self) -> bool {
        !matches!(self, Written::Digits(_) | Written::Blank | Written::YearSince(_) | Written::ZoneName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> PatternProblem {
        compile(text, Dialect::default()).unwrap_err()
    }

    #[test]
    fn guesses_are_refused_with_the_reason() {
        let named = |text: &str| text.to_owned();
        assert_eq!(fault("%d.%m.%y"), PatternProblem::TwoDigitYear { specifier: named("%y") });
        assert_eq!(fault("%D"), PatternProblem::TwoDigitYear { specifier: named("%y") });
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
    fn what_a_pattern_leaves_open_is_said_or_refused() {
        let said = |text, century, locale| compile(text, Dialect { century, locale }).err();
        assert_eq!(said("%d.%m.%y", Some(1970), None), None);
        assert_eq!(said("%D", Some(1970), None), None);
        assert_eq!(said("%d.%m.%Y", Some(1970), None), Some(PatternProblem::UnusedCentury));
        assert_eq!(said("%y %Y", Some(1970), None), Some(PatternProblem::Repeated { part: "the year" }));
        assert_eq!(said("%d. %B %Y", None, Some(Locale::Danish)), None);
        assert_eq!(said("%F %I:%M %p", None, Some(Locale::Danish)), Some(PatternProblem::UnusedLocale));
        assert_eq!(fault("%F %T %Z"), PatternProblem::ZoneAlone);
        for text in ["%F %T%z %Z2", "%T%z %Z%F", "%z%Z %F %T"] {
            assert!(compile(text, Dialect::default()).is_err(), "{text}");
        }
        assert_eq!(fault("%T%z %Z%F"), PatternProblem::OpenZone);
        assert_eq!(fault("%F %T%z %Z/x"), PatternProblem::OpenZone);
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
            let fault = compile(text, Dialect::default()).unwrap_err();
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
            "%-m/%-d/%Y %-I:%M %p",
            "%F %-H.%-M",
            "%a %b %d %H:%M:%S %z %Y",
            "%FT%T%z[%Z]",
            "%F %T %z %Z",
        ] {
            assert_eq!(Pattern::parse(text).unwrap().to_string(), text);
        }
    }
}
