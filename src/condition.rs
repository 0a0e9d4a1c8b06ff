//! `when` and `where`: a condition on one record, parsed once and asked often.
//!
//! A condition is three-valued as in SQL, and has a fourth answer for values
//! that cannot be read: such a record is kept and reported.

mod eval;
mod lex;
mod like;
mod number;
mod parse;
mod tree;

use std::fmt;
use std::ops::Range;

use crate::value::Value;
use tree::Node;

/// A condition on the columns of one record.
#[derive(Clone, Debug)]
pub struct Condition {
    text: String,
    columns: Vec<String>,
    root: Node,
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    ///
    /// Where the text is not a condition, or is one that could only be meant
    /// otherwise, such as `= null` or a column compared with a column.
    pub fn parse(text: &str) -> Result<Condition, SyntaxError> {
        parse::condition(text)
    }

    /// The columns it reads, each once, in the order of their first use.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The answer for one record; `row` gives its value in the column with an
    /// index of [`Condition::columns`].
    pub fn eval<'a>(&self, row: impl Fn(usize) -> Value<'a>) -> Truth {
        self.root.truth(&|column| row(column))
    }
}

/// A value that a column must have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Equal<'a> {
    Integer(i64),
    Text(&'a str),
}

impl Condition {
    /// What is false of no record that matches, or of which nobody can say: columns that must equal a value.
    pub(crate) fn required(&self) -> Vec<(&str, Equal<'_>)> {
        let parts = match &self.root {
            Node::All(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        let required = parts.iter().filter_map(Node::required);
        required.filter_map(|(column, equal)| Some((self.columns.get(column)?.as_str(), equal))).collect()
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// What a condition says of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Truth {
    /// The record matches.
    True,
    /// The record does not match.
    False,
    /// A null decides, so that nobody can say.
    Unknown,
    /// A value does not allow the comparison, so that nobody may say.
    Unreadable {
        /// The index of its column in [`Condition::columns`].
        column: usize,
    },
}

impl Truth {
    /// Whether the record matches; what is unknown or unreadable does not.
    #[must_use]
    pub fn matches(self) -> bool {
        self == Truth::True
    }

    /// False decides alone, whatever cannot be read beside it.
    fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (unreadable @ Truth::Unreadable { .. }, _) | (_, unreadable @ Truth::Unreadable { .. }) => {
                unreadable
            }
            (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
            (Truth::True, Truth::True) => Truth::True,
        }
    }

    fn not(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            neither => neither,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Truth {
        if holds { Truth::True } else { Truth::False }
    }
}

/// Why a text is no condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// The faulty part, in bytes of the text; empty where something is missing.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl SyntaxError {
    fn new(span: Range<usize>, message: impl Into<String>) -> SyntaxError {
        SyntaxError { span, message: message.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> SyntaxError {
        SyntaxError { help: Some(help.into()), ..self }
    }
}

#[cfg(test)]
mod tests;
