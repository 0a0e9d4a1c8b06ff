//! Whole commands, as a user types them: what they print, where they point, how they end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "../support/depth.rs"]
mod depth;
mod support;

mod anonymise;
mod bad_input;
mod check;
mod command_line;
mod csv_text;
mod demo;
mod dependencies;
mod documents;
mod folders;
mod fuzz;
mod last_line;
mod ledger;
mod output;
mod purge;
mod report;
mod terminal;
mod widths;
