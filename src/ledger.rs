//! What frist did, in a form that shows when somebody changes it.
//!
//! The state folder holds an append-only file, `ledger.jsonl`, of one JSON
//! object a line. Each line carries the SHA-256 of its own bytes and the hash of
//! the line before, so a change, a loss or a reorder is found offline by
//! [`verify`](verify()). A second file, `ledger.head`, names the last entry known to be on
//! the disk, so that a tail cut off at a line's end is found too.
//!
//! ```text
//! {"seq":1,"at":"2026-11-20T01:00:00Z","run":"r1","event":"run-started",…,"prev":"0…0","hash":"9f…"}
//!  └──────────────────────────── what the hash covers ────────────────────────────┘
//! ```
//!
//! **What this does not do.** The chain has no key: whoever can write both files
//! can write a new, valid chain. Every run therefore prints its last entry's
//! number and hash, and [`verify`](verify()) compares the ledger with such a copy when it
//! was kept elsewhere.
//!
//! **What never stands in an entry:** values or keys of records,
//! the text of conditions, messages of databases, hashes of data without a key.
//! Keys that a killed run would need stand in [`Pending`], for one batch.
//!
//! A run goes through here in this order: [`StateFolder::create`],
//! [`RunLock::acquire`], [`Ledger::open`] (whose [`History`] tells of killed runs),
//! then [`Ledger::append`] with [`Ledger::sync`] before each commit and
//! [`Ledger::seal`] at the start and the end of the run and of each rule.

mod append;
mod chain;
mod entries;
mod error;
mod event;
mod finding;
mod folder;
mod head;
mod history;
mod line;
mod link;
mod lock;
mod moment;
mod pending;
mod private;
mod removals;
mod slots;
mod torn;
mod verify;

#[cfg(test)]
mod tests;

pub use append::Ledger;
pub use entries::{Entries, Entry, entries, last_success};
pub use error::LedgerError;
pub use event::{
    Batch, BatchDone, BatchUndone, Event, Recovered, RecoveryOutcome, RuleFinished, RuleOutcome, RuleStarted,
    RunFinished, RunStarted, Seconds, SourceRead, SourceStatus, WrittenCode,
};
pub use finding::{Fault, Finding};
pub use folder::StateFolder;
pub use history::{Doubt, History, Unfinished};
pub use link::{Hash, Link, NotALink, Receipt};
pub use lock::RunLock;
pub use pending::Pending;
pub use removals::{NamedFile, Removal, Seen};
pub use torn::Torn;
pub use verify::{Note, Verified, verify};
