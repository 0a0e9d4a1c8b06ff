//! What one cell of a record holds, whichever the source.
//!
//! A source hands its cells over in this form without copying them, and the
//! calendar and the conditions read them. It keeps the distinctions that
//! decide between reading and refusing: a number is not its text, and text
//! is bytes, because a database does not promise UTF-8.

mod owned;
mod text;

pub use owned::Owned;
pub(crate) use text::{lower, trimmed};

/// One cell of a record, borrowed from where it was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// SQL's null, or an empty field of a CSV file.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text, in whatever encoding the source holds it.
    Text(&'a [u8]),
    /// Binary data. No rule reads it, so its content is not carried along.
    Blob,
}
