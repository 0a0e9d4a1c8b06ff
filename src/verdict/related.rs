//! What a rule book asks about the rows that belong to a record, and the answers.
//!
//! An answer is a cell like those of the record's own columns: a source finds it where the rows
//! are, in whatever way it can, and hands it over with the others.

mod lasting;
mod latest;

use crate::condition::Truth;
use crate::policy::{Dated, Instructions, Relation};
use crate::value::Value;

pub use lasting::{Lasting, LongestOf};
pub use latest::{Found, LatestOf};

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
    /// The longest of their periods.
    Longest(LongestOf),
    /// Whether there is one.
    Any,
}

/// What was found so far among the related rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The latest of their times.
    Latest(Found),
    /// The longest of their periods.
    Longest(Lasting),
    /// Whether there is one.
    Any(Speaks),
}

/// An answer as a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerCell {
    /// A text; null where nothing was found.
    Text(Option<Box<str>>),
    /// A number.
    Number(i64),
}

impl AnswerCell {
    /// What keeps a record, whatever was asked.
    pub(super) const UNKNOWN: Value<'static> = Value::Text(b"?");

    /// The same, where the key is text in an unknown encoding.
    pub(super) const IN_DOUBT: Value<'static> = Value::Text(b"!");

    /// As a value.
    pub fn value(&self) -> Value<'_> {
        match self {
            AnswerCell::Text(Some(text)) => Value::Text(text.as_bytes()),
            AnswerCell::Text(None) => Value::Null,
            AnswerCell::Number(number) => Value::Integer(*number),
        }
    }
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

impl Question {
    pub(super) fn latest(dated: &Dated) -> Question {
        let Dated { relation, column, timestamps } = dated.clone();
        Question { relation, asked: Asked::Latest(LatestOf { column, timestamps }) }
    }

    pub(super) fn longest(relation: &Relation, asked: &Instructions) -> Question {
        let longest = LongestOf { column: asked.column.clone(), periods: asked.periods.clone() };
        Question { relation: relation.clone(), asked: Asked::Longest(longest) }
    }

    pub(crate) fn any(relation: &Relation) -> Question {
        Question { relation: relation.clone(), asked: Asked::Any }
    }

    /// The columns of a related row that it reads: first that which it asks for, if it asks for
    /// one, and then those of the relation's `where`.
    pub fn columns(&self) -> impl Iterator<Item = &String> {
        let asked = match &self.asked {
            Asked::Latest(latest) => Some(&latest.column),
            Asked::Longest(longest) => Some(&longest.column),
            Asked::Any => None,
        };
        let condition = self.relation.condition.iter().flat_map(|read| read.columns());
        asked.into_iter().chain(condition)
    }

    /// The answer before any row was seen.
    pub fn nothing(&self) -> Answer {
        match self.asked {
            Asked::Latest(_) => Answer::Latest(Found::Nothing),
            Asked::Longest(_) => Answer::Longest(Lasting::Nothing),
            Asked::Any => Answer::Any(Speaks::No),
        }
    }

    /// Looks at one more row, by the values of the question's columns. What keeps the record
    /// longest stays.
    pub fn show<'v>(&self, answer: &mut Answer, row: impl Fn(usize) -> Value<'v>) {
        match (&self.asked, answer) {
            (Asked::Latest(latest), Answer::Latest(found)) => {
                latest.show(found, self.counts(|column| row(column + 1)), || row(0));
            }
            (Asked::Longest(longest), Answer::Longest(lasting)) => {
                longest.show(lasting, self.counts(|column| row(column + 1)), || row(0));
            }
            (Asked::Any, Answer::Any(speaks)) => *speaks = (*speaks).max(self.counts(row)),
            // An answer is always that of its question.
            _ => {}
        }
    }

    /// What was found once one more row was looked at.
    pub(super) fn shown<'v>(&self, found: &AnswerCell, row: impl Fn(usize) -> Value<'v>) -> AnswerCell {
        let found = found.value();
        let mut answer = match self.asked {
            Asked::Latest(_) => Answer::Latest(Found::from_cell(found)),
            Asked::Longest(_) => Answer::Longest(Lasting::from_cell(found)),
            Asked::Any => Answer::Any(Speaks::from_cell(found)),
        };
        self.show(&mut answer, row);
        answer.to_cell()
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

impl Answer {
    /// As a cell.
    pub fn to_cell(&self) -> AnswerCell {
        match self {
            Answer::Latest(found) => AnswerCell::Text(found.to_cell().map(String::into_boxed_str)),
            Answer::Longest(lasting) => AnswerCell::Text(lasting.to_cell().map(String::into_boxed_str)),
            Answer::Any(speaks) => AnswerCell::Number(speaks.to_cell()),
        }
    }
}
