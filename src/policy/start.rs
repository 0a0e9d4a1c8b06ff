//! What starts a rule's period: one time, or several of which the latest or the earliest counts.

use std::fmt;

use super::relation::Relation;
use crate::calendar::Timestamps;

/// What starts a rule's period.
#[derive(Clone, Debug)]
pub struct Start {
    /// Which of the parts counts.
    pub choice: Choice,
    /// The times; at least one.
    pub parts: Vec<Part>,
}

/// Which of several times counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// That with the latest due date.
    Latest,
    /// That with the earliest due date.
    Earliest,
}

/// One time.
#[derive(Clone, Debug)]
pub enum Part {
    /// A column of the record.
    Own(Own),
    /// The latest of the related rows.
    Related(Box<Dated>),
}

/// A column of the record that holds a time.
#[derive(Clone, Debug)]
pub struct Own {
    pub column: String,
    /// How it writes time.
    pub timestamps: Timestamps,
    /// Whether an empty one is passed over, instead of meaning that the clock has not started.
    pub is_optional: bool,
}

/// A column of related rows that holds a time.
#[derive(Clone, Debug)]
pub struct Dated {
    /// Which rows are related.
    pub relation: Relation,
    /// Their column.
    pub column: String,
    /// How it writes time.
    pub timestamps: Timestamps,
}

impl Start {
    /// A single column of the record.
    pub fn own(column: String, timestamps: Timestamps) -> Start {
        let own = Own { column, timestamps, is_optional: false };
        Start { choice: Choice::Latest, parts: vec![Part::Own(own)] }
    }

    /// The record's own columns among the parts.
    pub fn own_parts(&self) -> impl Iterator<Item = &Own> {
        self.parts.iter().filter_map(|part| match part {
            Part::Own(own) => Some(own),
            Part::Related(_) => None,
        })
    }

    /// The columns of related rows among the parts.
    pub fn related_parts(&self) -> impl Iterator<Item = &Dated> {
        self.parts.iter().filter_map(|part| match part {
            Part::Own(_) => None,
            Part::Related(dated) => Some(&**dated),
        })
    }

    /// The column, where there is no other part.
    pub fn only_column(&self) -> Option<&Own> {
        match &self.parts[..] {
            [Part::Own(own)] => Some(own),
            _ => None,
        }
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.parts.iter().map(Part::to_string).collect();
        match (&names[..], self.choice) {
            ([name], _) => f.write_str(name),
            ([first @ .., last], choice) => {
                let word = if choice == Choice::Latest { "latest" } else { "earliest" };
                write!(f, "the {word} of {} and {last}", first.join(", "))
            }
            ([], _) => Ok(()),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Own(own) => f.write_str(&own.column),
            Part::Related(dated) => write!(f, "{}.{}", dated.relation.rows(), dated.column),
        }
    }
}
