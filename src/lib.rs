//! frist reads what a company promised to delete, shows what is past its time, deletes it, and
//! can prove what it did.
//!
//! Data flows one way, and the modules stand in its order:
//!
//! ```text
//! policy text ─▶ policy ─▶ plan ─▶ purge ─▶ ledger ─▶ report
//!                  ▲         ▲        ▲
//!               calendar   dataset   dataset
//!               condition  (read)    (write)
//! ```
//!
//! [`calendar`] says when a record is due and how columns write time; `condition` says which
//! records a rule is about. `policy` reads promises and lets only valid ones through, with
//! [`diagnostic`] to tell what is wrong with the others. [`verdict`] decides a record's state in
//! one place, `note` remembers evidence that went, `dataset` brings that decision to where the data is, `plan` freezes the
//! outcome; `anonymise` is what an anonymised value becomes; `coverage` asks whether rules
//! cover all that is there. `purge` is the only code that changes data, and [`ledger`] remembers
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
mod dataset;
#[cfg(test)]
#[path = "../tests/support/depth.rs"]
mod depth;
pub mod diagnostic;
pub mod exit;
mod hexadecimal;
mod key;
pub mod ledger;
mod note;
mod plan;
mod policy;
mod purge;
pub mod report;
mod spelling;
mod value;
pub mod verdict;
