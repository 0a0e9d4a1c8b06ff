//! What a period is counted from: the end of a month, a quarter, a year.

use chrono::Datelike;
use thiserror::Error;

use crate::calendar::{Date, civil};

/// The unit of time whose end starts the clock, instead of the event itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountedFrom {
    /// The end of the month.
    EndOfMonth,
    /// The end of the calendar quarter.
    EndOfQuarter,
    /// The end of the calendar year.
    EndOfYear,
    /// The end of the controller's financial year.
    EndOfFinancialYear(FinancialYear),
}

impl CountedFrom {
    /// The last day of the month, quarter or year that contains `date`.
    /// Never before `date`, and never decreasing with it.
    pub fn end_of(&self, date: Date) -> Date {
        let (year, month) = (i64::from(date.year()), i64::from(date.month()));
        match self {
            CountedFrom::EndOfMonth => civil::last_of_month(year, month),
            CountedFrom::EndOfQuarter => civil::last_of_month(year, (month + 2) / 3 * 3),
            CountedFrom::EndOfYear => civil::last_of_month(year, 12),
            CountedFrom::EndOfFinancialYear(years) => years.end_of(date),
        }
    }
}

/// When the controller's financial years end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinancialYear {
    ends: MonthDay,
    irregular: Vec<Date>,
}

impl FinancialYear {
    /// Financial years that end each year on one day, and before that on the
    /// days of a list that is complete up to its last entry.
    pub fn new(ends: MonthDay, irregular: Vec<Date>) -> Result<FinancialYear, FinancialYearError> {
        match irregular.iter().zip(irregular.iter().skip(1)).find(|(a, b)| a >= b) {
            Some((&before, &after)) => Err(FinancialYearError::NotAscending { before, after }),
            None => Ok(FinancialYear { ends, irregular }),
        }
    }

    /// The last day of the financial year that contains `date`: up to the
    /// last of the list the first listed end on or after it, otherwise the
    /// next regular end.
    pub fn end_of(&self, date: Date) -> Date {
        let passed = self.irregular.partition_point(|end| *end < date);
        match self.irregular.get(passed) {
            Some(end) => *end,
            None => self.regular_end_of(date),
        }
    }

    /// The ends that are listed, in their order.
    pub(crate) fn irregular(&self) -> &[Date] {
        &self.irregular
    }

    fn regular_end_of(&self, date: Date) -> Date {
        let year = i64::from(date.year());
        let this_year = self.ends.in_year(year);
        if date <= this_year { this_year } else { self.ends.in_year(year + 1) }
    }
}

/// A day of every year, such as `12-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthDay {
    month: i64,
    day: i64,
}

impl MonthDay {
    /// Reads `MM-DD`. `02-29` is the last day of February in every year;
    /// `02-28` is always the 28th.
    pub fn parse(text: &str) -> Result<MonthDay, FinancialYearError> {
        let unreadable = || FinancialYearError::NoSuchDay { text: text.to_owned() };
        let (month, day) = two_pairs_of_digits(text).ok_or_else(unreadable)?;
        // Any leap year will do: the 29th of February is allowed.
        if day == 0 || day > civil::days_in_month(2000, month) {
            return Err(unreadable());
        }
        Ok(MonthDay { month, day })
    }

    fn in_year(self, year: i64) -> Date {
        let last = civil::days_in_month(year, self.month);
        civil::date_of(civil::day_number(year, self.month, self.day.min(last)))
    }
}

fn two_pairs_of_digits(text: &str) -> Option<(i64, i64)> {
    let &[m1, m2, b'-', d1, d2] = text.as_bytes() else {
        return None;
    };
    let pair = |tens: u8, ones: u8| {
        let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        digits.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
    };
    Some((pair(m1, m2)?, pair(d1, d2)?))
}

impl std::fmt::Display for MonthDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

/// Financial years that make no sense.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FinancialYearError {
    /// The day does not exist, or is not written `MM-DD`.
    #[error("`{text}` is no day of the year; write month and day, such as `12-31`")]
    NoSuchDay {
        /// What was written.
        text: String,
    },
    /// The list of irregular ends goes back in time or repeats a day.
    #[error(
        "{after} stands after {before}; list the ends of financial years from the earliest to the latest, each once"
    )]
    NotAscending {
        /// The entry before.
        before: Date,
        /// The entry that should be later.
        after: Date,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn years(ends: &str, irregular: &[&str]) -> FinancialYear {
        let irregular = irregular.iter().map(|text| date(text)).collect();
        FinancialYear::new(MonthDay::parse(ends).unwrap(), irregular).unwrap()
    }

    #[test]
    fn ends_of_months_quarters_and_years() {
        let end = |unit: CountedFrom, day| unit.end_of(date(day)).to_string();
        assert_eq!(end(CountedFrom::EndOfMonth, "2024-02-01"), "2024-02-29");
        assert_eq!(end(CountedFrom::EndOfMonth, "2023-02-28"), "2023-02-28");
        assert_eq!(end(CountedFrom::EndOfQuarter, "2024-01-01"), "2024-03-31");
        assert_eq!(end(CountedFrom::EndOfQuarter, "2024-06-30"), "2024-06-30");
        assert_eq!(end(CountedFrom::EndOfQuarter, "2024-07-01"), "2024-09-30");
        assert_eq!(end(CountedFrom::EndOfYear, "2024-12-31"), "2024-12-31");
        assert_eq!(end(CountedFrom::EndOfYear, "2024-01-01"), "2024-12-31");
    }

    #[test]
    fn a_financial_year_ends_at_the_next_of_its_days() {
        let years = years("06-30", &[]);
        assert_eq!(years.end_of(date("2024-06-30")), date("2024-06-30"));
        assert_eq!(years.end_of(date("2024-07-01")), date("2025-06-30"));
    }

    #[test]
    fn the_list_rules_up_to_its_last_entry_and_the_day_after_it() {
        let years = years("12-31", &["2018-12-31", "2019-06-30"]);
        assert_eq!(years.end_of(date("1990-05-05")), date("2018-12-31"));
        assert_eq!(years.end_of(date("2018-12-31")), date("2018-12-31"));
        assert_eq!(years.end_of(date("2019-01-01")), date("2019-06-30"));
        assert_eq!(years.end_of(date("2019-06-30")), date("2019-06-30"));
        assert_eq!(years.end_of(date("2019-07-01")), date("2019-12-31"));
    }

    #[test]
    fn the_29th_of_february_is_the_last_day_and_the_28th_is_the_28th() {
        assert_eq!(years("02-29", &[]).end_of(date("2023-01-01")), date("2023-02-28"));
        assert_eq!(years("02-29", &[]).end_of(date("2024-02-29")), date("2024-02-29"));
        assert_eq!(years("02-28", &[]).end_of(date("2024-02-29")), date("2025-02-28"));
    }

    #[test]
    fn refuses_days_that_no_year_has_and_lists_that_do_not_ascend() {
        for text in
            ["", "12-32", "13-01", "00-10", "02-30", "04-31", "06-00", "6-30", "0630", "+1-01", "12-31 "]
        {
            assert!(MonthDay::parse(text).is_err(), "{text}");
        }
        let ends = MonthDay::parse("12-31").unwrap();
        for list in [["2019-06-30", "2019-06-30"], ["2019-06-30", "2018-06-30"]] {
            assert!(FinancialYear::new(ends, list.map(date).to_vec()).is_err());
        }
    }

    #[test]
    fn the_last_date_there_is_has_an_end_too() {
        let years = years("01-01", &[]);
        assert_eq!(years.end_of(Date::MAX), Date::MAX);
        assert_eq!(CountedFrom::EndOfQuarter.end_of(Date::MAX), Date::MAX);
    }
}
