//! Keys by which rows of one source belong to records of another: texts, compared byte by byte.

use std::borrow::Cow;

use crate::policy::{Fold, Side};
use crate::value::{Value, lower, trimmed};

/// What stands in the column of a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key<'v> {
    /// Nothing, which belongs to nothing.
    Nothing,
    /// A text, or the text of a number.
    Known(Cow<'v, [u8]>),
    /// Binary data: nobody can say what it belongs to.
    Unreadable,
}

/// Up to here whole numbers have the same text as such and as floating-point numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl<'v> Key<'v> {
    /// The key in a cell, folded as the relation says. A number is its decimal text, and a
    /// floating-point number that is whole is that whole number.
    pub(super) fn of(value: Value<'v>, side: &Side) -> Key<'v> {
        let text: Cow<'v, [u8]> = match value {
            Value::Null => return Key::Nothing,
            Value::Blob => return Key::Unreadable,
            Value::Text(text) => Cow::Borrowed(text),
            Value::Integer(number) => Cow::Owned(number.to_string().into_bytes()),
            Value::Real(number) if number.fract() == 0.0 && number.abs() <= EXACT => {
                Cow::Owned((number as i64).to_string().into_bytes())
            }
            Value::Real(_) => return Key::Unreadable,
        };
        let text = side.folds.iter().rev().fold(text, |text, fold| folded(*fold, text));
        if text.is_empty() { Key::Nothing } else { Key::Known(text) }
    }
}

impl Key<'_> {
    /// The key of several columns. Each part has its length before it, so that no two lists of parts make the same
    /// key; what is written so is ASCII, or UTF-8, where all parts are.
    pub(super) fn of_all<'s, 'v>(
        sides: impl ExactSizeIterator<Item = &'s Side>,
        cell: impl Fn(usize) -> Value<'v>,
    ) -> Key<'v> {
        let is_one = sides.len() == 1;
        let (mut whole, mut is_readable) = (Vec::new(), true);
        for (place, side) in sides.enumerate() {
            match Key::of(cell(place), side) {
                // Whatever the others are: nothing equals it.
                Key::Nothing => return Key::Nothing,
                Key::Unreadable => is_readable = false,
                Key::Known(part) if is_one => return Key::Known(part),
                Key::Known(part) => {
                    whole.extend_from_slice(part.len().to_string().as_bytes());
                    whole.push(b':');
                    whole.extend_from_slice(&part);
                }
            }
        }
        if is_readable { Key::Known(Cow::Owned(whole)) } else { Key::Unreadable }
    }
}

fn folded(fold: Fold, text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match fold {
        Fold::Lower => lower(text),
        Fold::Trim => trimmed(text),
    }
}
