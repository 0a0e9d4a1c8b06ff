//! The fields of a pattern: which specifiers there are, and what each reads.

use super::pattern_problem::PatternProblem;

/// One piece of a compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(Vec<u8>),
    Field(Field),
}

/// One field, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Year,
    Month,
    MonthShort,
    MonthName(NameLength),
    Day,
    DayPadded,
    DayShort,
    DayOfYear,
    Weekday(NameLength),
    Hour,
    HourShort,
    Hour12,
    HalfOfDay,
    Minute,
    Second,
    Fraction,
    DottedFraction,
    Offset,
}

/// Whether names are written in three letters or in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameLength {
    Short,
    Full,
}

/// What a field tells, however it is written. No pattern may tell it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
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
}

impl Field {
    pub(super) fn part(self) -> Part {
        match self {
            Field::Year => Part::Year,
            Field::Month | Field::MonthShort | Field::MonthName(_) => Part::Month,
            Field::Day | Field::DayPadded | Field::DayShort => Part::Day,
            Field::DayOfYear => Part::DayOfYear,
            Field::Weekday(_) => Part::Weekday,
            Field::Hour | Field::HourShort => Part::Hour,
            Field::Hour12 => Part::Hour12,
            Field::HalfOfDay => Part::HalfOfDay,
            Field::Minute => Part::Minute,
            Field::Second => Part::Second,
            Field::Fraction | Field::DottedFraction => Part::Fraction,
            Field::Offset => Part::Offset,
        }
    }

    /// Whether the number of digits at its end varies, so that a digit after
    /// it could belong to either.
    pub(super) fn has_open_end(self) -> bool {
        matches!(
            self,
            Field::MonthShort
                | Field::DayShort
                | Field::HourShort
                | Field::Fraction
                | Field::DottedFraction
                | Field::Offset
        )
    }

    /// Whether it can begin with a digit, or be absent before one.
    pub(super) fn may_begin_with_digit(self) -> bool {
        !matches!(
            self,
            Field::MonthName(_)
                | Field::Weekday(_)
                | Field::HalfOfDay
                | Field::Offset
                | Field::DottedFraction
        )
    }
}

/// The fields that a specifier stands for, with the literals between them,
/// and how many bytes after the `%` it takes.
pub(super) fn specifier(after_percent: &str) -> Result<(Vec<Piece>, usize), PatternProblem> {
    if let Some((field, length)) = two_character_field(after_percent) {
        return Ok((vec![Piece::Field(field)], length));
    }
    let letter = after_percent.chars().next().ok_or(PatternProblem::LonePercent)?;
    let pieces = match letter {
        '%' => vec![Piece::Literal(b"%".to_vec())],
        'F' => joined(&[Field::Year, Field::Month, Field::Day], b"-"),
        'T' => joined(&[Field::Hour, Field::Minute, Field::Second], b":"),
        'R' => joined(&[Field::Hour, Field::Minute], b":"),
        letter => vec![Piece::Field(one_letter_field(letter, after_percent)?)],
    };
    Ok((pieces, letter.len_utf8()))
}

fn two_character_field(after_percent: &str) -> Option<(Field, usize)> {
    let field = match after_percent.get(..2)? {
        "-d" => Field::DayShort,
        "-m" => Field::MonthShort,
        "-H" => Field::HourShort,
        ".f" => Field::DottedFraction,
        _ => return None,
    };
    Some((field, 2))
}

fn one_letter_field(letter: char, after_percent: &str) -> Result<Field, PatternProblem> {
    Ok(match letter {
        'Y' => Field::Year,
        'm' => Field::Month,
        'd' => Field::Day,
        'e' => Field::DayPadded,
        'j' => Field::DayOfYear,
        'b' | 'h' => Field::MonthName(NameLength::Short),
        'B' => Field::MonthName(NameLength::Full),
        'a' => Field::Weekday(NameLength::Short),
        'A' => Field::Weekday(NameLength::Full),
        'H' => Field::Hour,
        'I' => Field::Hour12,
        'p' => Field::HalfOfDay,
        'M' => Field::Minute,
        'S' => Field::Second,
        'f' => Field::Fraction,
        'z' => Field::Offset,
        'y' | 'g' | 'D' | 'x' => {
            return Err(PatternProblem::TwoDigitYear { specifier: format!("%{letter}") });
        }
        's' => return Err(PatternProblem::UnixInPattern),
        _ => {
            return Err(PatternProblem::UnknownSpecifier { specifier: named(after_percent) });
        }
    })
}

/// The specifier as it would be read, modifiers included.
fn named(after_percent: &str) -> String {
    let modifiers = after_percent.chars().take_while(|c| !c.is_alphabetic()).take(3).count();
    format!("%{}", after_percent.chars().take(modifiers + 1).collect::<String>())
}

fn joined(fields: &[Field], between: &[u8]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> =
        fields.iter().flat_map(|field| [Piece::Field(*field), Piece::Literal(between.to_vec())]).collect();
    pieces.pop();
    pieces
}
