//! The latest time of related rows.

use super::Match;
use crate::calendar::{Date, Event, Reading, Timestamp, Timestamps};
use crate::value::Value;

/// Which time of related rows is asked for.
#[derive(Clone, Debug)]
pub struct LatestOf {
    /// Their column.
    pub column: String,
    pub(super) timestamps: Timestamps,
}

/// What was found among the related rows that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Found {
    /// There is none.
    #[default]
    Nothing,
    /// The latest of their times: dates and instants apart, for only due dates compare across them.
    Events {
        /// The latest date.
        date: Option<Date>,
        /// The latest instant.
        at: Option<Timestamp>,
    },
    /// For one of them the clock has not started.
    Empty,
    /// The time of one of them cannot be read.
    Unreadable,
}

impl LatestOf {
    /// Looks at one more row. What keeps the record longest stays.
    pub(super) fn show<'v>(&self, found: &mut Found, counts: Match, value: impl Fn() -> Value<'v>) {
        // To count a row about which nobody can say keeps the record no shorter.
        if counts == Match::No {
            return;
        }
        let seen = match self.timestamps.read(value()) {
            Reading::Event(Event::Date(date)) => Found::Events { date: Some(date), at: None },
            Reading::Event(Event::At(at)) => Found::Events { date: None, at: Some(at) },
            Reading::Empty => Found::Empty,
            Reading::Unreadable(_) => Found::Unreadable,
        };
        *found = found.or_beyond(seen);
    }
}

impl Found {
    /// What is said by these rows and by others.
    pub(super) fn or_beyond(self, seen: Found) -> Found {
        match (self, seen) {
            (Found::Events { date, at }, Found::Events { date: seen_date, at: seen_at }) => {
                Found::Events { date: date.max(seen_date), at: at.max(seen_at) }
            }
            _ if seen.rank() > self.rank() => seen,
            _ => self,
        }
    }

    fn rank(self) -> u8 {
        match self {
            Found::Nothing => 0,
            Found::Events { .. } => 1,
            Found::Empty => 2,
            Found::Unreadable => 3,
        }
    }

    /// As the text of a cell; none where nothing was found.
    pub fn to_cell(self) -> Option<String> {
        match self {
            Found::Nothing => None,
            Found::Events { date, at } => {
                let date = date.map(|date| date.to_string());
                let at = at.map(|at| format!("{}.{}", at.seconds(), at.nanos()));
                Some(date.into_iter().chain(at).collect::<Vec<_>>().join(" "))
            }
            Found::Empty => Some(String::new()),
            Found::Unreadable => Some("?".to_string()),
        }
    }

    /// Back from a cell.
    pub fn from_cell(cell: Value<'_>) -> Found {
        match cell {
            Value::Null => Found::Nothing,
            Value::Text(b"") => Found::Empty,
            Value::Text(text) => events(text).unwrap_or(Found::Unreadable),
            // Nobody writes these.
            Value::Integer(_) | Value::Real(_) | Value::Blob => Found::Unreadable,
        }
    }
}

fn events(text: &[u8]) -> Option<Found> {
    let (mut date, mut at) = (None, None);
    for word in std::str::from_utf8(text).ok()?.split(' ') {
        match word.split_once('.') {
            Some((seconds, nanos)) => {
                at = Some(Timestamp::from_unix(seconds.parse().ok()?, nanos.parse().ok()?));
            }
            None => date = Some(word.parse::<Date>().ok()?),
        }
    }
    Some(Found::Events { date, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_same_after_its_way_through_a_cell() {
        let date: Option<Date> = Some("2024-02-29".parse().unwrap());
        let [before, after] =
            [Timestamp::from_unix(-1, 999_999_999), Timestamp::from_unix(1_795_132_800, 0)].map(Some);
        for found in [
            Found::Nothing,
            Found::Empty,
            Found::Unreadable,
            Found::Events { date, at: None },
            Found::Events { date: None, at: before },
            Found::Events { date, at: after },
        ] {
            let cell = found.to_cell();
            let value = cell.as_ref().map_or(Value::Null, |text| Value::Text(text.as_bytes()));
            assert_eq!(Found::from_cell(value), found, "{cell:?}");
        }
        for wrong in
            [Value::Integer(0), Value::Text(b"x"), Value::Text(b"1.x"), Value::Text(b"\xff"), Value::Blob]
        {
            assert_eq!(Found::from_cell(wrong), Found::Unreadable, "{wrong:?}");
        }
    }
}
