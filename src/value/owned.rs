//! A value that is about to be written.

use super::Value;

/// A value of its own, made from another one.
#[derive(Clone, Debug, PartialEq)]
pub enum Owned {
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    Text(Vec<u8>),
}

impl Owned {
    /// The same as a value that is read.
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Owned::Integer(number) => Value::Integer(*number),
            Owned::Real(number) => Value::Real(*number),
            Owned::Text(text) => Value::Text(text),
        }
    }
}
