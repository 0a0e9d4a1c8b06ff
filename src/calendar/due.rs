//! When a record is due.

pub(crate) mod comparison;
pub(crate) mod counted_from;
pub(crate) mod cutoff;
pub(crate) mod schedule;
