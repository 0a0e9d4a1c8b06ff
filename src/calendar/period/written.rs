//! Periods that stand in data: a whole number of one unit, or a period's text.

use std::fmt;

use crate::calendar::Period;
use crate::calendar::format::timestamps;
use crate::calendar::period::error::PeriodProblem;
use crate::calendar::period::grammar::{Unit, parse_exactly};
use crate::value::Value;

/// How one column writes periods, and which of its values mean *nothing is said*.
#[derive(Clone, Debug)]
pub struct WrittenPeriods {
    /// The unit of whole numbers; without it a period's text is read.
    unit: Option<Unit>,
    empty: Vec<String>,
}

/// What a cell says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeriodReading {
    /// Nothing.
    Empty,
    /// How long to keep.
    Period(Period),
    /// Something that is no period. The record is kept.
    Unreadable(UnreadablePeriod),
}

/// Why a cell is no period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadablePeriod {
    /// Something other than a whole number, where a unit is declared.
    NotWhole,
    /// Zero, which may as well mean *no limit*.
    Zero,
    /// A number below zero.
    Negative,
    /// More than 200 years.
    TooLong,
    /// A number, where no unit is declared.
    NoUnit,
    /// Text that is no period.
    NotAPeriod,
    /// Binary data.
    Blob,
}

impl WrittenPeriods {
    /// Periods as their texts.
    pub fn texts(empty: Vec<String>) -> WrittenPeriods {
        WrittenPeriods { unit: None, empty }
    }

    /// Whole numbers of one unit, by its name; none where there is no such unit.
    pub fn counted_in(unit: &str, empty: Vec<String>) -> Option<WrittenPeriods> {
        Unit::parse(unit).map(|unit| WrittenPeriods { unit: Some(unit), empty })
    }

    /// The unit that a misspelt word stands for.
    pub fn nearest_unit(word: &str) -> Option<&'static str> {
        Unit::guess(word).map(Unit::plural)
    }

    /// The name of the unit.
    pub fn unit(&self) -> Option<&'static str> {
        self.unit.map(Unit::plural)
    }

    /// Reads a cell.
    pub fn read(&self, value: Value<'_>) -> PeriodReading {
        if timestamps::is_empty(value, &self.empty, false) {
            return PeriodReading::Empty;
        }
        let read = match self.unit {
            Some(unit) => count(value)
                .and_then(|count| parse_exactly(&unit.counted(count)).map_err(|_| UnreadablePeriod::TooLong)),
            None => text(value),
        };
        read.map_or_else(PeriodReading::Unreadable, PeriodReading::Period)
    }
}

/// A whole number from 1. A column that holds floating-point numbers alone holds whole ones as such.
fn count(value: Value<'_>) -> Result<u64, UnreadablePeriod> {
    match value {
        Value::Integer(0) => Err(UnreadablePeriod::Zero),
        Value::Integer(count) => u64::try_from(count).map_err(|_| UnreadablePeriod::Negative),
        Value::Real(0.0) => Err(UnreadablePeriod::Zero),
        Value::Real(count) if count < 0.0 => Err(UnreadablePeriod::Negative),
        Value::Real(count) if count.fract() == 0.0 => {
            if count <= f64::from(u32::MAX) {
                Ok(count as u64)
            } else {
                Err(UnreadablePeriod::TooLong)
            }
        }
        Value::Text(digits) => count_in_text(digits),
        Value::Blob => Err(UnreadablePeriod::Blob),
        Value::Real(_) | Value::Null => Err(UnreadablePeriod::NotWhole),
    }
}

fn count_in_text(digits: &[u8]) -> Result<u64, UnreadablePeriod> {
    match digits {
        [b'-', rest @ ..] if !rest.is_empty() && rest.iter().all(u8::is_ascii_digit) => {
            Err(UnreadablePeriod::Negative)
        }
        [b'0'] => Err(UnreadablePeriod::Zero),
        [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => {
            let text = std::str::from_utf8(digits).map_err(|_| UnreadablePeriod::NotWhole)?;
            text.parse().map_err(|_| UnreadablePeriod::TooLong)
        }
        _ => Err(UnreadablePeriod::NotWhole),
    }
}

fn text(value: Value<'_>) -> Result<Period, UnreadablePeriod> {
    match value {
        Value::Text(text) => {
            let text = std::str::from_utf8(text).map_err(|_| UnreadablePeriod::NotAPeriod)?;
            parse_exactly(text).map_err(|problem| match problem {
                PeriodProblem::MissingUnit { .. } => UnreadablePeriod::NoUnit,
                PeriodProblem::TooLong => UnreadablePeriod::TooLong,
                PeriodProblem::Zero => UnreadablePeriod::Zero,
                PeriodProblem::Negative { .. } => UnreadablePeriod::Negative,
                _ => UnreadablePeriod::NotAPeriod,
            })
        }
        Value::Integer(_) | Value::Real(_) => Err(UnreadablePeriod::NoUnit),
        Value::Null => Err(UnreadablePeriod::NotAPeriod),
        Value::Blob => Err(UnreadablePeriod::Blob),
    }
}

impl fmt::Display for UnreadablePeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UnreadablePeriod::NotWhole => "not a whole number",
            UnreadablePeriod::Zero => "zero, which stands for no known period",
            UnreadablePeriod::Negative => "a number below zero",
            UnreadablePeriod::TooLong => "longer than 200 years",
            UnreadablePeriod::NoUnit => "a number where no unit is declared",
            UnreadablePeriod::NotAPeriod => "not a period",
            UnreadablePeriod::Blob => "a blob",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(periods: &WrittenPeriods, value: Value<'_>) -> String {
        match periods.read(value) {
            PeriodReading::Empty => "empty".to_string(),
            PeriodReading::Period(period) => period.to_string(),
            PeriodReading::Unreadable(why) => why.to_string(),
        }
    }

    #[test]
    fn with_a_unit_a_whole_number_is_read_and_nothing_else() {
        let months = WrittenPeriods::counted_in("months", Vec::new()).unwrap();
        for (value, expected) in [
            (Value::Integer(1), "1 month"),
            (Value::Integer(2400), "2400 months"),
            (Value::Text(b"18"), "18 months"),
            (Value::Real(6.0), "6 months"),
            (Value::Null, "empty"),
            (Value::Text(b" "), "empty"),
            (Value::Integer(2401), "longer than 200 years"),
            (Value::Integer(i64::MAX), "longer than 200 years"),
            (Value::Text(b"99999999999999999999999"), "longer than 200 years"),
            (Value::Real(1e300), "longer than 200 years"),
            (Value::Integer(0), "zero, which stands for no known period"),
            (Value::Real(-0.0), "zero, which stands for no known period"),
            (Value::Text(b"0"), "zero, which stands for no known period"),
            (Value::Integer(-3), "a number below zero"),
            (Value::Text(b"-3"), "a number below zero"),
            (Value::Real(-1.0), "a number below zero"),
            (Value::Real(1.5), "not a whole number"),
            (Value::Real(f64::NAN), "not a whole number"),
            (Value::Real(f64::INFINITY), "not a whole number"),
            (Value::Text(b"1.0"), "not a whole number"),
            (Value::Text(b"06"), "not a whole number"),
            (Value::Text(b" 6"), "not a whole number"),
            (Value::Text(b"6 months"), "not a whole number"),
            (Value::Text(b"immediately"), "not a whole number"),
            (Value::Text(b"\xff"), "not a whole number"),
            (Value::Blob, "a blob"),
        ] {
            assert_eq!(told(&months, value), expected, "{value:?}");
        }
    }

    #[test]
    fn without_a_unit_the_text_of_a_period_is_read_and_nothing_else() {
        let texts = WrittenPeriods::texts(vec!["none".to_string()]);
        for (value, expected) in [
            (Value::Text(b"3 months"), "3 months"),
            (Value::Text(b"at most 1 year 6 month"), "at most 1 year 6 months"),
            (Value::Text(b"36 hours"), "36 hours"),
            (Value::Text(b"immediately"), "immediately"),
            (Value::Text(b"none"), "empty"),
            (Value::Text(b""), "empty"),
            (Value::Null, "empty"),
            (Value::Integer(12), "a number where no unit is declared"),
            (Value::Real(12.0), "a number where no unit is declared"),
            (Value::Text(b"12"), "a number where no unit is declared"),
            (Value::Text(b"0 days"), "zero, which stands for no known period"),
            (Value::Text(b"-1 day"), "a number below zero"),
            (Value::Text(b"201 years"), "longer than 200 years"),
            (Value::Text(b"3 Months"), "not a period"),
            (Value::Text(b" 3 months"), "not a period"),
            (Value::Text(b"for ever"), "not a period"),
            (Value::Text(b"3 months\xff"), "not a period"),
            (Value::Blob, "a blob"),
        ] {
            assert_eq!(told(&texts, value), expected, "{value:?}");
        }
    }

    #[test]
    fn a_unit_is_one_of_those_of_periods() {
        assert_eq!(WrittenPeriods::counted_in("day", Vec::new()).unwrap().unit(), Some("days"));
        assert!(WrittenPeriods::counted_in("moons", Vec::new()).is_none());
        assert_eq!(WrittenPeriods::nearest_unit("mnths"), Some("months"));
    }
}
