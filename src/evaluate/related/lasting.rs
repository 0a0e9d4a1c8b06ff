//! The longest period of related rows.

use super::Match;
use crate::calendar::{Longest, PeriodReading, WrittenPeriods};
use crate::value::Value;

/// Which period of related rows is asked for.
#[derive(Clone, Debug)]
pub struct LongestOf {
    /// Their column.
    pub column: String,
    pub(super) periods: WrittenPeriods,
}

/// What was found among the related rows that count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lasting {
    /// There is none.
    #[default]
    Nothing,
    /// The longest of their periods.
    Periods(Longest),
    /// One of them says nothing yet, or nobody can say whether it counts.
    NotSaid,
    /// The period of one of them cannot be read.
    Unreadable,
}

impl LongestOf {
    /// Looks at one more row. What keeps the record longest stays.
    pub(super) fn show<'v>(&self, lasting: &mut Lasting, counts: Match, value: impl Fn() -> Value<'v>) {
        let seen = match counts {
            Match::No => return,
            // Neither to count it nor to pass it over is sure to keep the record as long.
            Match::Doubtful | Match::Leaving => Lasting::NotSaid,
            Match::Yes => match self.periods.read(value()) {
                PeriodReading::Period(period) => return lasting.add(period),
                PeriodReading::Empty => Lasting::NotSaid,
                PeriodReading::Unreadable(_) => Lasting::Unreadable,
            },
        };
        if seen.rank() > lasting.rank() {
            *lasting = seen;
        }
    }
}

impl Lasting {
    /// What is said by these rows and by others.
    pub(super) fn or_beyond(self, other: Lasting) -> Lasting {
        match (self, other) {
            (Lasting::Periods(mut longest), Lasting::Periods(other)) => {
                other.iter().for_each(|period| longest.add(period.clone()));
                Lasting::Periods(longest)
            }
            (one, other) if other.rank() > one.rank() => other,
            (one, _) => one,
        }
    }

    fn add(&mut self, period: crate::calendar::Period) {
        if *self == Lasting::Nothing {
            *self = Lasting::Periods(Longest::default());
        }
        if let Lasting::Periods(longest) = self {
            longest.add(period);
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Lasting::Nothing => 0,
            Lasting::Periods(_) => 1,
            Lasting::NotSaid => 2,
            Lasting::Unreadable => 3,
        }
    }

    /// As the text of a cell; none where nothing was found.
    pub fn to_cell(&self) -> Option<String> {
        match self {
            Lasting::Nothing => None,
            Lasting::Periods(longest) => Some(longest.to_string()),
            Lasting::NotSaid => Some(String::new()),
            Lasting::Unreadable => Some("?".to_string()),
        }
    }

    /// Back from a cell.
    pub fn from_cell(cell: Value<'_>) -> Lasting {
        match cell {
            Value::Null => Lasting::Nothing,
            Value::Text(b"") => Lasting::NotSaid,
            Value::Text(text) => {
                let longest = std::str::from_utf8(text).ok().and_then(Longest::parse);
                longest.map_or(Lasting::Unreadable, Lasting::Periods)
            }
            // Nobody writes these.
            Value::Integer(_) | Value::Real(_) | Value::Blob => Lasting::Unreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rows: &[(Match, &str)]) -> Lasting {
        let asked = LongestOf { column: "keep".to_string(), periods: WrittenPeriods::texts(Vec::new()) };
        let mut lasting = Lasting::Nothing;
        for (speaks, text) in rows {
            asked.show(&mut lasting, *speaks, || Value::Text(text.as_bytes()));
        }
        let cell = lasting.to_cell();
        let value = cell.as_ref().map_or(Value::Null, |text| Value::Text(text.as_bytes()));
        assert_eq!(Lasting::from_cell(value), lasting, "{cell:?}");
        lasting
    }

    #[test]
    fn what_keeps_longest_stays_whatever_the_order() {
        use Match::{Doubtful, No, Yes};
        let periods = |text: &str| Longest::parse(text).map(Lasting::Periods);
        assert_eq!(shown(&[]), Lasting::Nothing);
        assert_eq!(shown(&[(No, "x"), (No, "5 years")]), Lasting::Nothing);
        assert_eq!(Some(shown(&[(Yes, "1 day"), (Yes, "1 year"), (No, "x")])), periods("1 year"));
        for empty in [(Yes, " "), (Doubtful, "1 day")] {
            assert_eq!(shown(&[(Yes, "1 year"), empty]), Lasting::NotSaid);
            assert_eq!(shown(&[empty, (Yes, "1 year")]), Lasting::NotSaid);
            assert_eq!(shown(&[(Yes, "x"), empty]), Lasting::Unreadable);
            assert_eq!(shown(&[empty, (Yes, "1 year"), (Yes, "x")]), Lasting::Unreadable);
        }
    }

    #[test]
    fn a_cell_that_nobody_writes_cannot_be_read() {
        for wrong in
            [Value::Integer(0), Value::Real(1.0), Value::Text(b"x"), Value::Text(b"\xff"), Value::Blob]
        {
            assert_eq!(Lasting::from_cell(wrong), Lasting::Unreadable, "{wrong:?}");
        }
    }
}
