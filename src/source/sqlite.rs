//! SQLite databases, read only.
//!
//! [`open`] decides how a file can be read without leaving a trace, [`schema`] describes a
//! table, [`functions`] brings the rule book into the engine so that rows do not travel,
//! [`count`] tallies all states in one pass, and [`list`] names single records.

pub mod count;
pub(crate) mod decide;
pub(crate) mod effects;
pub(crate) mod evidence;
mod failure;
pub(crate) mod follow;
pub mod foreign_key;
pub mod functions;
pub(super) mod gather;
pub mod join;
pub(super) mod joined;
pub(crate) mod leaving;
pub mod list;
mod name;
mod narrow;
pub(crate) mod newest;
pub mod open;
pub mod prefilter;
pub mod preparable;
pub mod related;
pub(crate) mod release;
mod required_index;
pub mod schema;
pub mod settable;
mod settled;
pub(crate) mod sql;
pub mod survey;
pub(crate) mod trigger;
pub(crate) mod web;
pub(crate) mod write;

pub use failure::problem;
pub use name::quoted;

use rusqlite::types::ValueRef;

use crate::value::Value;

/// A cell of SQLite as a value of ours.
#[inline]
pub fn value(cell: ValueRef<'_>) -> Value<'_> {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(text),
        ValueRef::Blob(_) => Value::Blob,
    }
}
