//! What is wrong with a period, and what to write instead.

use thiserror::Error;

use crate::calendar::period::grammar::{Unit, parse_exactly};

/// A text that is no period.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{problem}")]
pub struct PeriodError {
    problem: PeriodProblem,
    suggestion: Option<String>,
}

/// The ways in which a text fails to be a period.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PeriodProblem {
    /// There is no text.
    #[error("the period is empty")]
    Empty,
    /// A number stands alone.
    #[error("`{number}` has no unit")]
    MissingUnit {
        /// The number.
        number: String,
    },
    /// A word stands where a unit should.
    #[error("`{word}` is no unit of time")]
    UnknownUnit {
        /// The word.
        word: String,
    },
    /// A number is zero.
    #[error("a period of zero says nothing")]
    Zero,
    /// A number is negative.
    #[error("`{number}` is negative")]
    Negative {
        /// The number.
        number: String,
    },
    /// A word stands where a number should: a fraction, an exponent, a sign,
    /// a leading zero or letters.
    #[error("`{word}` is not a whole number in plain digits")]
    NotWhole {
        /// The word.
        word: String,
    },
    /// The period is longer than frist counts.
    #[error("the period is longer than 200 years")]
    TooLong,
    /// A smaller unit stands before a larger one.
    #[error("the largest unit comes first")]
    Order,
    /// A unit stands twice.
    #[error("`{unit}` stands twice")]
    Repeated {
        /// The unit.
        unit: &'static str,
    },
    /// Calendar units stand beside elapsed ones.
    #[error("calendar units (years, months, weeks, days) and elapsed ones (hours, minutes) do not mix")]
    Mixed,
    /// An upper bound is given in hours or minutes.
    #[error("`at most` takes years, months, weeks and days only")]
    AtMostElapsed,
    /// An upper bound is given as `immediately`.
    #[error("`at most immediately` says no more than `immediately`")]
    AtMostImmediately,
    /// There are capitals.
    #[error("periods are written in lower case")]
    UpperCase,
    /// The parts are joined by a comma or by `and`.
    #[error("the parts of a period are separated by a blank, without commas or `and`")]
    Joined,
    /// There are blanks too many, or white space of another kind.
    #[error("the words of a period are separated by one blank, with none around it")]
    Blanks,
}

impl PeriodError {
    pub(crate) fn new(text: &str, problem: PeriodProblem) -> PeriodError {
        PeriodError { suggestion: corrected(text), problem }
    }

    /// What to write instead, as a sentence.
    pub fn help(&self) -> String {
        match (&self.problem, &self.suggestion) {
            (PeriodProblem::MissingUnit { number }, _) => {
                let [years, months, days] =
                    [Unit::Years, Unit::Months, Unit::Days].map(|unit| unit.counted(number));
                format!("did you mean {years}, {months} or {days}?")
            }
            (_, Some(period)) => format!("did you mean `{period}`?"),
            (problem, None) => problem.advice().to_owned(),
        }
    }
}

impl PeriodProblem {
    fn advice(&self) -> &'static str {
        match self {
            PeriodProblem::Zero => "write `immediately` for no time at all",
            PeriodProblem::TooLong => "the longest period is `200 years`",
            PeriodProblem::NotWhole { .. } => {
                "write whole numbers, with a smaller unit for the rest: `1 year 6 months`"
            }
            PeriodProblem::Repeated { .. } => "write each unit once: `1 year 6 months`",
            PeriodProblem::Mixed => "write `3 days` (whole days of the calendar) or `72 hours`",
            _ => {
                "write a number and its unit, such as `5 years`, `1 year 6 months`, `72 hours`, \
                 `at most 3 months`, or `immediately`"
            }
        }
    }
}

/// The text with its slips mended, if that makes a period of it.
fn corrected(text: &str) -> Option<String> {
    // What is longer was no attempt at a period.
    if text.len() > 100 {
        return None;
    }
    let lower = text.to_lowercase().replace(',', " ");
    let mut words: Vec<&str> = lower.split_whitespace().filter(|word| *word != "and").collect();
    let at_most = words.starts_with(&["at", "most"]);
    words.drain(..if at_most { 2 } else { 0 });
    let amount = corrected_amount(&words)?;
    [at_most, false]
        .into_iter()
        .map(|at_most| format!("{}{amount}", if at_most { "at most " } else { "" }))
        .find_map(|candidate| parse_exactly(&candidate).ok())
        .map(|period| period.to_string())
}

fn corrected_amount(words: &[&str]) -> Option<String> {
    if words == ["immediately"] {
        return Some("immediately".to_owned());
    }
    let apart: Vec<&str> = words.iter().flat_map(|word| number_and_rest(word)).collect();
    let mut counts = apart.chunks(2).map(corrected_count).collect::<Option<Vec<_>>>()?;
    counts.sort_by_key(|(_, unit)| *unit);
    let counts = counts.iter().map(|(number, unit)| format!("{number} {}", unit.plural()));
    Some(counts.collect::<Vec<_>>().join(" "))
}

fn corrected_count<'a>(pair: &[&'a str]) -> Option<(&'a str, Unit)> {
    let &[number, unit] = pair else { return None };
    Some((number.trim_start_matches(['-', '+', '0']), Unit::guess(unit)?))
}

/// Parts `5y` into `5` and `y`.
fn number_and_rest(word: &str) -> Vec<&str> {
    let end = word.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(word.len());
    let (number, rest) = word.split_at(end);
    [number, rest].into_iter().filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use crate::calendar::Period;

    fn help(text: &str) -> String {
        Period::parse(text).unwrap_err().help()
    }

    #[test]
    fn slips_are_mended() {
        for (written, meant) in [
            ("5 yers", "5 years"),
            ("5 Years", "5 years"),
            ("5y", "5 years"),
            ("30 d", "30 days"),
            (" 5  years", "5 years"),
            ("05 years", "5 years"),
            ("-1 day", "1 day"),
            ("6 months, 1 year", "1 year 6 months"),
            ("1 year and 6 months", "1 year 6 months"),
            ("At most 3 monts", "at most 3 months"),
            ("at most 72 hours", "72 hours"),
            ("at most immediately", "immediately"),
        ] {
            assert_eq!(help(written), format!("did you mean `{meant}`?"));
        }
    }

    #[test]
    fn what_cannot_be_mended_is_explained() {
        assert_eq!(help("5"), "did you mean 5 years, 5 months or 5 days?");
        assert_eq!(help("1"), "did you mean 1 year, 1 month or 1 day?");
        assert!(help("0 days").contains("`immediately`"));
        assert!(help("1.5 years").contains("`1 year 6 months`"));
        assert!(help("1e9 years").contains("whole numbers"));
        assert!(help("300 years").contains("`200 years`"));
        assert!(help("1 day 12 hours").contains("`72 hours`"));
        assert!(help("5 m").contains("`5 years`"));
        assert!(help("").contains("`immediately`"));
    }

    #[test]
    fn the_message_names_the_word() {
        let message = Period::parse("5 yers").unwrap_err().to_string();
        assert_eq!(message, "`yers` is no unit of time");
    }

    #[test]
    fn a_text_of_any_kind_and_length_is_answered() {
        for text in ["\u{130} \u{130}".repeat(20), "9".repeat(90), "1 ".repeat(5000), "%".repeat(10)] {
            assert!(!help(&text).is_empty());
        }
    }
}
