//! Conditions: what they mean, alone and beside SQLite and a naive reading, and how a faulty one is told.

use super::{Condition, Truth};
use crate::value::Value;

mod drawn;
mod faults;
mod hostile;
mod meaning;
mod naive;
mod numbers;
mod sqlite;

/// The answer when every column holds `value`.
fn ask(condition: &str, value: Value<'_>) -> Truth {
    let condition = Condition::parse(condition).unwrap_or_else(|error| panic!("{condition}: {error}"));
    condition.eval(|_| value)
}

fn text(text: &str) -> Value<'_> {
    Value::Text(text.as_bytes())
}

const UNREADABLE: Truth = Truth::Unreadable { column: 0 };
