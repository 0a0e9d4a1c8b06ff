//! What a rule book asks about the rows that belong to a record, and the answers.
//!
//! An answer is a cell like those of the record's own columns: a source finds it where the rows
//! are, in whatever way it can, and hands it over with the others.

use crate::calendar::{Date, Event, Instant, Reading, Schedule, Timestamps};
use crate::condition::Truth;
use crate::policy::{Dated, Relation};
use crate::value::Value;

/// One question about the related rows.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which rows belong to the record.
    pub relation: Relation,
    /// What is asked of them.
    pub asked: Asked,
}

/// What is asked of related rows.
#[derive(Clone, Debug)]
pub enum Asked {
    /// The latest of their times.
    Latest(LatestOf),
    /// Whether there is one.
    Any,
}

/// Whether a related row counts, or whether there is one that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Speaks {
    /// It does not.
    No,
    /// Its condition is unknown or cannot be read: nobody can say.
    Doubtful,
    /// It does.
    Yes,
}

impl Speaks {
    /// As the number of a cell: the greatest of several is the answer for all of them.
    pub fn to_cell(self) -> i64 {
        self as i64
    }

    /// Back from a cell.
    pub fn from_cell(cell: Value<'_>) -> Speaks {
        match cell {
            Value::Integer(0) | Value::Null => Speaks::No,
            Value::Integer(2) => Speaks::Yes,
            _ => Speaks::Doubtful,
        }
    }
}

/// Which time of related rows is asked for.
#[derive(Clone, Debug)]
pub struct LatestOf {
    /// Their column.
    pub column: String,
    timestamps: Timestamps,
    schedule: Schedule,
}

impl Question {
    pub(super) fn latest(dated: &Dated, schedule: &Schedule) -> Question {
        let Dated { relation, column, timestamps } = dated.clone();
        let asked = Asked::Latest(LatestOf { column, timestamps, schedule: schedule.clone() });
        Question { relation, asked }
    }

    pub(crate) fn any(relation: &Relation) -> Question {
        Question { relation: relation.clone(), asked: Asked::Any }
    }

    /// Whether a related row counts, by the answer of the relation's `where`.
    pub fn counts<'v>(&self, row: impl Fn(usize) -> Value<'v>) -> Speaks {
        let Some(condition) = &self.relation.condition else { return Speaks::Yes };
        match condition.eval(row) {
            Truth::True => Speaks::Yes,
            Truth::False => Speaks::No,
            Truth::Unknown | Truth::Unreadable { .. } => Speaks::Doubtful,
        }
    }
}

/// What was found among the related rows that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Found {
    /// There is none.
    #[default]
    Nothing,
    /// The latest of their times.
    Event(Event),
    /// For one of them the clock has not started.
    Empty,
    /// The time of one of them cannot be read.
    Unreadable,
}

impl LatestOf {
    /// Looks at one more row. What keeps the record longest stays.
    pub fn show(&self, found: &mut Found, value: Value<'_>) {
        let seen = match self.timestamps.read(value) {
            Reading::Event(event) => Found::Event(event),
            Reading::Empty => Found::Empty,
            Reading::Unreadable(_) => Found::Unreadable,
        };
        if self.is_beyond(seen, *found) {
            *found = seen;
        }
    }

    fn is_beyond(&self, seen: Found, found: Found) -> bool {
        match (seen, found) {
            (Found::Event(seen), Found::Event(found)) => {
                self.schedule.due_from(seen) > self.schedule.due_from(found)
            }
            _ => seen.rank() > found.rank(),
        }
    }
}

impl Found {
    fn rank(self) -> u8 {
        match self {
            Found::Nothing => 0,
            Found::Event(_) => 1,
            Found::Empty => 2,
            Found::Unreadable => 3,
        }
    }

    /// As the text of a cell; none where nothing was found.
    pub fn to_cell(self) -> Option<String> {
        match self {
            Found::Nothing => None,
            Found::Event(Event::Date(date)) => Some(date.to_string()),
            Found::Event(Event::At(at)) => Some(format!("{}.{}", at.seconds(), at.nanos())),
            Found::Empty => Some(String::new()),
            Found::Unreadable => Some("?".to_string()),
        }
    }

    /// Back from a cell.
    pub fn from_cell(cell: Value<'_>) -> Found {
        match cell {
            Value::Null => Found::Nothing,
            Value::Text(b"") => Found::Empty,
            Value::Text(text) => event(text).map_or(Found::Unreadable, Found::Event),
            // Nobody writes these.
            Value::Integer(_) | Value::Real(_) | Value::Blob => Found::Unreadable,
        }
    }
}

fn event(text: &[u8]) -> Option<Event> {
    let text = std::str::from_utf8(text).ok()?;
    match text.split_once('.') {
        Some((seconds, nanos)) => {
            Some(Event::At(Instant::from_unix(seconds.parse().ok()?, nanos.parse().ok()?)))
        }
        None => text.parse::<Date>().ok().map(Event::Date),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_same_after_its_way_through_a_cell() {
        let date = Event::Date("2024-02-29".parse().unwrap());
        let [before, after] = [Instant::from_unix(-1, 999_999_999), Instant::from_unix(1_795_132_800, 0)];
        for found in [
            Found::Nothing,
            Found::Empty,
            Found::Unreadable,
            Found::Event(date),
            Found::Event(Event::At(before)),
            Found::Event(Event::At(after)),
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
