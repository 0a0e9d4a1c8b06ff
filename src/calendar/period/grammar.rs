//! The grammar of periods, in which nothing is lenient.

use crate::calendar::Period;
use crate::calendar::period::error::PeriodProblem;
use crate::spelling;

const LONGEST_MONTHS: u128 = 200 * 12;
/// Of 200 years of the Gregorian calendar, whose 400 years have 146,097 days.
const LONGEST_MINUTES: u128 = 146_097 / 2 * 24 * 60;

/// The units of periods, the largest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    Years,
    Months,
    Weeks,
    Days,
    Hours,
    Minutes,
}

impl Unit {
    pub(crate) const ALL: [Unit; 6] =
        [Unit::Years, Unit::Months, Unit::Weeks, Unit::Days, Unit::Hours, Unit::Minutes];

    pub(crate) fn plural(self) -> &'static str {
        match self {
            Unit::Years => "years",
            Unit::Months => "months",
            Unit::Weeks => "weeks",
            Unit::Days => "days",
            Unit::Hours => "hours",
            Unit::Minutes => "minutes",
        }
    }

    /// `1 year`, `5 years`.
    pub(crate) fn counted(self, count: impl ToString) -> String {
        match count.to_string() {
            one if one == "1" => format!("1 {}", self.singular()),
            many => format!("{many} {}", self.plural()),
        }
    }

    fn singular(self) -> &'static str {
        self.plural().trim_end_matches('s')
    }

    pub(crate) fn is_calendar(self) -> bool {
        self <= Unit::Days
    }

    pub(crate) fn parse(word: &str) -> Option<Unit> {
        Unit::ALL.into_iter().find(|unit| word == unit.plural() || word == unit.singular())
    }

    /// The unit that a misspelt word stands for, common abbreviations
    /// included; `m` could be two of them and is none.
    pub(crate) fn guess(word: &str) -> Option<Unit> {
        match word {
            "y" | "yr" | "yrs" => Some(Unit::Years),
            "mo" | "mos" | "mth" | "mths" => Some(Unit::Months),
            "w" | "wk" | "wks" => Some(Unit::Weeks),
            "d" => Some(Unit::Days),
            "h" | "hr" | "hrs" => Some(Unit::Hours),
            "min" | "mins" => Some(Unit::Minutes),
            _ => Unit::parse(spelling::nearest(word, Unit::ALL.map(Unit::plural))?),
        }
    }
}

/// Reads a period, or names what is wrong and no more.
pub(crate) fn parse_exactly(text: &str) -> Result<Period, PeriodProblem> {
    reject_foreign_marks(text)?;
    if text == "immediately" {
        return Ok(Period::IMMEDIATELY);
    }
    let (at_most, amount) = match text.strip_prefix("at most ") {
        Some("immediately") => return Err(PeriodProblem::AtMostImmediately),
        Some(amount) => (true, amount),
        None => (false, text),
    };
    let counts = read_counts(amount)?;
    check_units(&counts, at_most)?;
    check_length(&counts)?;
    let count_of = |unit| counts.iter().find(|(_, u)| *u == unit).map_or(0, |(count, _)| *count);
    Ok(Period::from_counts(Unit::ALL.map(count_of), at_most))
}

fn reject_foreign_marks(text: &str) -> Result<(), PeriodProblem> {
    if text.trim().is_empty() {
        Err(PeriodProblem::Empty)
    } else if text.contains(',') || text.split(' ').any(|word| word == "and") {
        Err(PeriodProblem::Joined)
    } else if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Err(PeriodProblem::UpperCase)
    } else {
        Ok(())
    }
}

fn read_counts(amount: &str) -> Result<Vec<(u32, Unit)>, PeriodProblem> {
    if amount.split(' ').any(str::is_empty) || amount.contains(|c: char| c.is_whitespace() && c != ' ') {
        return Err(PeriodProblem::Blanks);
    }
    let words: Vec<&str> = amount.split(' ').collect();
    words.chunks(2).map(read_count).collect()
}

fn read_count(pair: &[&str]) -> Result<(u32, Unit), PeriodProblem> {
    let number = pair.first().copied().unwrap_or_default();
    let count = read_number(number)?;
    let Some(word) = pair.get(1) else {
        return Err(PeriodProblem::MissingUnit { number: number.to_owned() });
    };
    match Unit::parse(word) {
        Some(unit) => Ok((count, unit)),
        None => Err(PeriodProblem::UnknownUnit { word: (*word).to_owned() }),
    }
}

fn read_number(word: &str) -> Result<u32, PeriodProblem> {
    let word_of = || word.to_owned();
    if word.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return Err(PeriodProblem::Negative { number: word_of() });
    }
    if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PeriodProblem::NotWhole { word: word_of() });
    }
    match word.trim_start_matches('0') {
        "" => Err(PeriodProblem::Zero),
        digits if digits.len() < word.len() => Err(PeriodProblem::NotWhole { word: word_of() }),
        digits => digits.parse().map_err(|_| PeriodProblem::TooLong),
    }
}

fn check_units(counts: &[(u32, Unit)], at_most: bool) -> Result<(), PeriodProblem> {
    let units = || counts.iter().map(|(_, unit)| *unit);
    if units().any(Unit::is_calendar) && !units().all(Unit::is_calendar) {
        return Err(PeriodProblem::Mixed);
    }
    if at_most && !units().all(Unit::is_calendar) {
        return Err(PeriodProblem::AtMostElapsed);
    }
    for (before, after) in units().zip(units().skip(1)) {
        if units().filter(|unit| *unit == before).count() > 1 {
            return Err(PeriodProblem::Repeated { unit: before.plural() });
        }
        if after < before {
            return Err(PeriodProblem::Order);
        }
    }
    Ok(())
}

/// No more than 200 years in all, whatever the units; a day counts as the
/// share of a year that it is on average.
fn check_length(counts: &[(u32, Unit)]) -> Result<(), PeriodProblem> {
    let shares = counts.iter().map(|(count, unit)| u128::from(*count) * shares_of(*unit));
    if shares.sum::<u128>() > SHARES { Err(PeriodProblem::TooLong) } else { Ok(()) }
}

/// The parts that 200 years are divided into to add up unlike units: a number
/// that months and minutes both divide without a rest.
const SHARES: u128 = LONGEST_MONTHS * LONGEST_MINUTES;

fn shares_of(unit: Unit) -> u128 {
    let (month, minute) = (SHARES / LONGEST_MONTHS, SHARES / LONGEST_MINUTES);
    match unit {
        Unit::Years => 12 * month,
        Unit::Months => month,
        Unit::Weeks => 7 * 24 * 60 * minute,
        Unit::Days => 24 * 60 * minute,
        Unit::Hours => 60 * minute,
        Unit::Minutes => minute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> PeriodProblem {
        parse_exactly(text).unwrap_err()
    }

    #[test]
    fn exactly_two_hundred_years_are_not_too_long() {
        for text in [
            "200 years",
            "2400 months",
            "199 years 12 months",
            "10435 weeks",
            "73048 days",
            "1753152 hours",
            "105189120 minutes",
            "100 years 36524 days",
        ] {
            assert!(parse_exactly(text).is_ok(), "{text}");
        }
        for text in [
            "201 years",
            "2401 months",
            "200 years 1 day",
            "199 years 13 months",
            "10436 weeks",
            "73049 days",
            "1753153 hours",
            "105189121 minutes",
            "1753152 hours 1 minute",
            "99999999999999999999 days",
            "4294967296 days",
        ] {
            assert_eq!(problem(text), PeriodProblem::TooLong, "{text}");
        }
    }

    #[test]
    fn calendar_and_elapsed_units_do_not_mix_and_stand_in_order() {
        assert_eq!(problem("1 day 12 hours"), PeriodProblem::Mixed);
        assert_eq!(problem("6 months 1 year"), PeriodProblem::Order);
        assert_eq!(problem("30 minutes 1 hour"), PeriodProblem::Order);
        assert_eq!(problem("1 year 2 years"), PeriodProblem::Repeated { unit: "years" });
        assert_eq!(problem("1 year 2 days 1 year"), PeriodProblem::Repeated { unit: "years" });
        assert_eq!(problem("at most 72 hours"), PeriodProblem::AtMostElapsed);
        assert_eq!(problem("at most immediately"), PeriodProblem::AtMostImmediately);
    }

    #[test]
    fn numbers_are_plain_digits_from_one() {
        assert_eq!(problem("0 days"), PeriodProblem::Zero);
        assert_eq!(problem("1 year 0 days"), PeriodProblem::Zero);
        assert_eq!(problem("-1 day"), PeriodProblem::Negative { number: "-1".to_owned() });
        for word in ["1e9", "1.5", "+5", "05", "five", "5years", "\u{665}", "1_000", "P5Y"] {
            let text = format!("{} years", word.to_lowercase());
            assert!(matches!(problem(&text), PeriodProblem::NotWhole { .. }), "{text}");
        }
    }

    #[test]
    fn every_number_has_a_unit() {
        assert_eq!(problem("5"), PeriodProblem::MissingUnit { number: "5".to_owned() });
        assert_eq!(problem("1 year 6"), PeriodProblem::MissingUnit { number: "6".to_owned() });
        assert_eq!(problem("5 yers"), PeriodProblem::UnknownUnit { word: "yers".to_owned() });
        assert_eq!(problem("30 seconds"), PeriodProblem::UnknownUnit { word: "seconds".to_owned() });
    }

    #[test]
    fn nothing_stands_between_and_around_but_one_blank() {
        for text in ["", " ", "\t"] {
            assert_eq!(problem(text), PeriodProblem::Empty);
        }
        for text in
            [" 5 years", "5 years ", "5  years", "5\tyears", "5 years\n", "at most  5 years", "at most "]
        {
            assert_eq!(problem(text), PeriodProblem::Blanks, "{text:?}");
        }
        assert_eq!(problem("1 year, 6 months"), PeriodProblem::Joined);
        assert_eq!(problem("1 year and 6 months"), PeriodProblem::Joined);
        assert_eq!(problem("5 Years"), PeriodProblem::UpperCase);
        assert_eq!(problem("Immediately"), PeriodProblem::UpperCase);
    }
}
