//! frist reads what a company promised to delete, shows what is past its time, deletes it, and
//! can prove what it did.
//!
//! Data flows one way, and the modules stand in its order:
//!
//! ```text
//! policy text ─▶ policy ─▶ plan ─▶ run ─▶ ledger ─▶ report
//!                  ▲         ▲       ▲
//!              calendar  evaluate  source/*/write
//!              condition  source
//! ```
//!
//! [`calendar`] says when a record is due and how columns write time; `condition` says which
//! records a rule is about. `policy` reads promises and lets only valid ones through, with
//! [`diagnostic`] to tell what is wrong with the others. [`evaluate`] decides a record's state in
//! one place, `note` remembers evidence that went, `source` brings that decision to where the data is, `plan` freezes the
//! outcome; `anonymise` is what an anonymised value becomes; `coverage` asks whether rules
//! cover all that is there. `source/*/write` is the only code that changes data, `run` gives it
//! the permission and accounts for it, and [`ledger`] remembers
//! what it did. [`report`] draws plans and runs. [`cli`] is what can be typed, [`command`] the glue.
//!
//! Rooms that neither the binary nor tests and benches need are private, so that the compiler tells
//! what nobody uses.

mod anonymise;
pub mod calendar;
pub mod cli;
pub mod command;
mod condition;
mod coverage;
#[cfg(test)]
#[path = "../tests/support/depth.rs"]
mod depth;
pub mod diagnostic;
pub mod evaluate;
pub mod exit;
mod hexadecimal;
mod key;
pub mod ledger;
mod note;
mod plan;
mod policy;
pub mod report;
mod run;
mod source;
mod spelling;
mod value;
