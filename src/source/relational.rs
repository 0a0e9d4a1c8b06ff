//! What is the same in every database: which rows keep which, and what goes together.
//!
//! [`model`] says which tables decide about each other, [`closure`] follows the edges between their rows, [`graph`]
//! finds out what stays, and [`order`] what goes first. Nothing here knows an engine: one answers by
//! [`closure::Database`].

pub(crate) mod closure;
pub(crate) mod graph;
pub(crate) mod model;
pub(crate) mod order;
pub(crate) mod reason;
