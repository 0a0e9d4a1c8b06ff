//! The text of a value: what a comparison with text sees.

use std::borrow::Cow;

use super::{Value, real};

impl<'a> Value<'a> {
    /// The value as text, the way SQLite casts it. Null, a blob and a real
    /// number that is not a number have none.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Value::Text(text) => Some(Cow::Borrowed(text)),
            Value::Integer(number) => Some(Cow::Owned(number.to_string().into_bytes())),
            Value::Real(number) => real::text(number).map(|text| Cow::Owned(text.into_bytes())),
            Value::Null | Value::Blob => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
