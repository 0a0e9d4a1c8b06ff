//! The answer of a condition for one record.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::Truth;
use super::like;
use super::tree::{Choice, Function, Literal, Node, Operand, Relation, Test};
use crate::value::{Value, lower, trimmed};

impl Node {
    pub(super) fn truth<'v>(&'v self, row: &impl Fn(usize) -> Value<'v>) -> Truth {
        match self {
            Node::All(parts) => all(parts.iter().map(|part| part.truth(row))),
            Node::Any(parts) => any(parts.iter().map(|part| part.truth(row))),
            Node::Not(part) => part.truth(row).not(),
            // What is asked most goes the short way, past everything that may allocate.
            Node::Test(Operand::Column(column), test) => {
                test.truth(Seen { column: *column, value: row(*column) })
            }
            Node::Test(operand, test) => match operand.read(row) {
                Ok(reading) => test.truth(reading.seen()),
                Err(Unreadable { column }) => Truth::Unreadable { column },
            },
        }
    }
}

/// Stops at the first false: nothing after it can change the answer.
fn all(truths: impl Iterator<Item = Truth>) -> Truth {
    let mut sum = Truth::True;
    for truth in truths {
        sum = sum.and(truth);
        if sum == Truth::False {
            break;
        }
    }
    sum
}

fn any(truths: impl Iterator<Item = Truth>) -> Truth {
    all(truths.map(Truth::not)).not()
}

impl Test {
    fn truth(&self, seen: Seen<'_>) -> Truth {
        match self {
            Test::IsNull => (seen.value == Value::Null).into(),
            Test::Compare(relation, literal) => seen.compares(*relation, literal),
            Test::In(list) => any(list.iter().map(|literal| seen.compares(Relation::Equal, literal))),
            Test::Between(low, high) => {
                let above = seen.compares(Relation::GreaterOrEqual, low);
                above.and(seen.compares(Relation::LessOrEqual, high))
            }
            Test::Like(pattern) => seen.answer(|value| pattern.is_matched_by(&value.sure_text()?)),
        }
    }
}

/// A value that is tested, and the column it came from.
#[derive(Clone, Copy)]
struct Seen<'v> {
    column: usize,
    value: Value<'v>,
}

impl Seen<'_> {
    fn compares(self, relation: Relation, literal: &Literal) -> Truth {
        self.answer(|value| Some(relation.holds(literal.ordering_of(value)?)))
    }

    /// Nobody knows of a null, and nobody can tell where `ask` has no answer.
    fn answer(self, ask: impl Fn(Value<'_>) -> Option<bool>) -> Truth {
        match self.value {
            Value::Null => Truth::Unknown,
            value => ask(value).map_or(Truth::Unreadable { column: self.column }, Truth::from),
        }
    }
}

impl Literal {
    fn value(&self) -> Value<'_> {
        match self {
            Literal::Number(number) => number.value(),
            Literal::Text(text) => Value::Text(text.as_bytes()),
        }
    }

    /// How a value stands to this literal, whose type decides what is compared.
    fn ordering_of(&self, value: Value<'_>) -> Option<Ordering> {
        match (self, value) {
            (Literal::Number(number), _) => number.ordering_of(value),
            (Literal::Text(text), Value::Text(value)) => {
                let is_in_doubt = !text.is_ascii() && std::str::from_utf8(value).is_err();
                (!is_in_doubt).then(|| value.cmp(text.as_bytes()))
            }
            (Literal::Text(text), _) => Some(value.sure_text()?.as_ref().cmp(text.as_bytes())),
        }
    }
}

/// A value that an operand cannot make sense of.
struct Unreadable {
    column: usize,
}

/// What an operand gives for a record, and the column it came from.
struct Reading<'v> {
    column: usize,
    content: Content<'v>,
}

/// A value as it is stored, or a text that a function made.
enum Content<'v> {
    Stored(Value<'v>),
    Made(Vec<u8>),
}

impl Operand {
    fn read<'v>(&'v self, row: &impl Fn(usize) -> Value<'v>) -> Result<Reading<'v>, Unreadable> {
        match self {
            Operand::Column(column) => {
                Ok(Reading { column: *column, content: Content::Stored(row(*column)) })
            }
            Operand::Call(function, operand) => operand.read(row)?.applied(*function),
            Operand::Coalesce(choices) => coalesced(choices, row),
        }
    }

    fn first_column(&self) -> usize {
        match self {
            Operand::Column(column) => *column,
            Operand::Call(_, operand) => operand.first_column(),
            Operand::Coalesce(choices) => choices.iter().find_map(Choice::first_column).unwrap_or_default(),
        }
    }
}

impl Choice {
    fn read<'v>(
        &'v self,
        whose: usize,
        row: &impl Fn(usize) -> Value<'v>,
    ) -> Result<Reading<'v>, Unreadable> {
        match self {
            Choice::Operand(operand) => operand.read(row),
            Choice::Literal(literal) => {
                Ok(Reading { column: whose, content: Content::Stored(literal.value()) })
            }
        }
    }

    fn first_column(&self) -> Option<usize> {
        match self {
            Choice::Operand(operand) => Some(operand.first_column()),
            Choice::Literal(_) => None,
        }
    }
}

/// A literal stands in for the first column, and is reported as that.
fn coalesced<'v>(
    choices: &'v [Choice],
    row: &impl Fn(usize) -> Value<'v>,
) -> Result<Reading<'v>, Unreadable> {
    let column = choices.iter().find_map(Choice::first_column).unwrap_or_default();
    for choice in choices {
        let reading = choice.read(column, row)?;
        if !reading.is_null() {
            return Ok(reading);
        }
    }
    Ok(Reading { column, content: Content::Stored(Value::Null) })
}

impl<'v> Reading<'v> {
    fn seen(&self) -> Seen<'_> {
        let value = match &self.content {
            Content::Stored(value) => *value,
            Content::Made(text) => Value::Text(text),
        };
        Seen { column: self.column, value }
    }

    fn is_null(&self) -> bool {
        self.seen().value == Value::Null
    }

    fn applied(self, function: Function) -> Result<Reading<'v>, Unreadable> {
        if self.is_null() {
            return Ok(self);
        }
        let column = self.column;
        let text = self.content.into_text().ok_or(Unreadable { column })?;
        Ok(Reading { column, content: function.of(text) })
    }
}

impl<'v> Content<'v> {
    fn into_text(self) -> Option<Cow<'v, [u8]>> {
        match self {
            Content::Stored(value) => value.sure_text(),
            Content::Made(text) => Some(Cow::Owned(text)),
        }
    }
}

impl<'v> From<Cow<'v, [u8]>> for Content<'v> {
    fn from(text: Cow<'v, [u8]>) -> Content<'v> {
        match text {
            Cow::Borrowed(text) => Content::Stored(Value::Text(text)),
            Cow::Owned(text) => Content::Made(text),
        }
    }
}

impl Function {
    fn of(self, text: Cow<'_, [u8]>) -> Content<'_> {
        match self {
            Function::Lower => lower(text).into(),
            Function::Upper if text.iter().any(u8::is_ascii_lowercase) => {
                Content::Made(text.to_ascii_uppercase())
            }
            Function::Upper => text.into(),
            Function::Trim => trimmed(text).into(),
            Function::Length => Content::Stored(Value::Integer(like::characters(&text).count() as i64)),
        }
    }
}
