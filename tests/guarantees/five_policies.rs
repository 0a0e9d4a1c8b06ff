//! Five published privacy notices, each row of their tables: the committed policies on the committed examples,
//! with records on both sides of each boundary, to the second.

#[path = "../../examples/build-example/dataset.rs"]
mod dataset;
mod example;

mod djoef;
mod meebook;
mod metier;
mod mobilize_me;
mod webshop;
