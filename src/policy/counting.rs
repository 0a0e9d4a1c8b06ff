//! `counted-from`: the end of what starts the clock, as rules and laws name it.

use crate::calendar::{CountedFrom, FinancialYear};
use crate::diagnostic::{Code, nearest};

use super::section::Complaint;

/// A value of `counted-from`, before it is known when financial years end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// `end-of-month`
    Month,
    /// `end-of-quarter`
    Quarter,
    /// `end-of-year`
    Year,
    /// `end-of-financial-year`
    FinancialYear,
}

const NAMES: [(&str, Counting); 4] = [
    ("end-of-month", Counting::Month),
    ("end-of-quarter", Counting::Quarter),
    ("end-of-year", Counting::Year),
    ("end-of-financial-year", Counting::FinancialYear),
];

impl Counting {
    pub(super) fn parse(text: &str) -> Result<Counting, Complaint> {
        let known = NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, counting)| *counting).ok_or_else(|| {
            let names = NAMES.map(|(name, _)| name);
            let help = match nearest(text, names) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("one of: {}", names.join(", ")),
            };
            Complaint::new(Code::BadValue, format!("`{text}` is nothing to count from"), Some(help))
        })
    }

    /// The word of the language.
    pub fn word(self) -> &'static str {
        NAMES.iter().find(|(_, counting)| *counting == self).map_or("", |(name, _)| name)
    }

    /// The same for people: `the end of the month`.
    pub fn words(self) -> &'static str {
        match self {
            Counting::Month => "the end of the month",
            Counting::Quarter => "the end of the quarter",
            Counting::Year => "the end of the year",
            Counting::FinancialYear => "the end of the financial year",
        }
    }

    /// What it means for a policy with these financial years; none where it gives none and they matter.
    pub(super) fn within(self, years: Option<&FinancialYear>) -> Option<CountedFrom> {
        Some(match self {
            Counting::Month => CountedFrom::EndOfMonth,
            Counting::Quarter => CountedFrom::EndOfQuarter,
            Counting::Year => CountedFrom::EndOfYear,
            Counting::FinancialYear => CountedFrom::EndOfFinancialYear(years?.clone()),
        })
    }
}
