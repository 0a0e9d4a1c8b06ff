//! What becomes of a value that is anonymised: pure, and the same for every kind of source.
//!
//! A form is asked for what it makes of a value. What it has made it leaves as it is, so that a
//! second run finds nothing to do; what it cannot read it never guesses at.

mod address;
mod pseudonym;

use std::borrow::Cow;
use std::fmt;

use crate::calendar::{Coarse, Timestamps, Unreadable, Zone};
use crate::value::{Owned, Value};

pub use pseudonym::{Key, SAMPLE as SAMPLE_PSEUDONYM};

/// What a rule sets a column to.
#[derive(Clone, Debug)]
pub enum Form {
    /// Nothing.
    Remove,
    /// The first day of its year or month.
    Begin(Box<Column>),
    /// The network of its address.
    Truncate,
    /// A constant.
    Text(String),
    /// A keyed hash of it.
    Pseudonym,
}

/// How a column writes time, and what stays of one.
#[derive(Clone, Debug)]
pub struct Column {
    /// What stays.
    pub coarse: Coarse,
    /// How it writes time.
    pub timestamps: Timestamps,
    /// The zone in which civil dates are taken.
    pub zone: Zone,
}

/// What a form makes of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Made<'v> {
    /// It already reads as the form would leave it.
    Already,
    Nothing,
    /// Another value.
    Value(Owned),
    /// The pseudonym of this text, which takes a key to make.
    PseudonymOf(Cow<'v, [u8]>),
    /// It cannot be read: the record is kept as it is.
    Illegible(Illegible),
}

/// Why a value cannot be anonymised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Illegible {
    /// It is no time of its column.
    Time(Unreadable),
    NoAddress,
    Binary,
}

impl fmt::Display for Illegible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Illegible::Time(why) => why.fmt(f),
            Illegible::NoAddress => f.write_str("not an IP address"),
            Illegible::Binary => f.write_str("a blob"),
        }
    }
}

impl Form {
    /// The word of the language.
    pub fn word(&self) -> &'static str {
        match self {
            Form::Remove => "remove",
            Form::Begin(column) if column.coarse == Coarse::Year => "year",
            Form::Begin(_) => "month",
            Form::Truncate => "truncate",
            Form::Text(_) => "text:",
            Form::Pseudonym => "pseudonym",
        }
    }

    /// What becomes of a value. Null, text that is blank, and what the policy calls empty say
    /// nothing that could be made less.
    pub fn make<'v>(&self, value: Value<'v>) -> Made<'v> {
        match self {
            Form::Remove => remove(value),
            Form::Text(text) => constant(text, value),
            Form::Begin(column) => column.begin(value),
            Form::Truncate | Form::Pseudonym if is_blank(value) => Made::Already,
            Form::Truncate => address::truncate(value),
            Form::Pseudonym => pseudonym::make(value),
        }
    }
}

fn remove(value: Value<'_>) -> Made<'_> {
    match value {
        Value::Null | Value::Text(b"") => Made::Already,
        _ => Made::Nothing,
    }
}

/// Whatever was there, empty or not, becomes the constant.
fn constant<'v>(text: &str, value: Value<'v>) -> Made<'v> {
    match value.text() {
        Some(same) if *same == *text.as_bytes() => Made::Already,
        _ => Made::Value(Owned::Text(text.as_bytes().to_vec())),
    }
}

fn is_blank(value: Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.iter().all(u8::is_ascii_whitespace),
        Value::Integer(_) | Value::Real(_) | Value::Blob => false,
    }
}

impl Column {
    fn begin(&self, value: Value<'_>) -> Made<'static> {
        match self.timestamps.coarsened(value, self.coarse, self.zone) {
            Ok(None) => Made::Already,
            Ok(Some(made)) => Made::Value(made),
            Err(why) => Made::Illegible(Illegible::Time(why)),
        }
    }
}

#[cfg(test)]
mod tests;
