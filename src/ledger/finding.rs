//! What can be wrong with a ledger.

use std::fmt;
use std::path::PathBuf;

use crate::ledger::link::{Link, Receipt};

/// One thing that is wrong with a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The line of `ledger.jsonl`, counted from 1, where it is about one.
    pub line: Option<u64>,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The line has not the form that frist writes.
    #[error("this is not an entry as frist writes it: bytes were changed, added or lost")]
    NotAnEntry,
    /// The content does not fit its own hash.
    #[error("entry {seq} was changed: its bytes do not fit its hash")]
    Changed {
        /// The entry.
        seq: u64,
    },
    /// The hash of the entry before is another.
    #[error("entry {seq} does not follow from the entry before: one of the two was replaced")]
    Unchained {
        /// The entry.
        seq: u64,
    },
    /// Entries are missing.
    #[error("{} lost before this line", numbers(*first, *last))]
    Lost {
        /// The first that is missing.
        first: u64,
        /// The last that is missing.
        last: u64,
    },
    /// An entry stands after one with a higher number, or twice.
    #[error("entry {seq} stands where entry {expected} belongs: entries were repeated or reordered")]
    OutOfOrder {
        /// The entry.
        seq: u64,
        /// The number that this line should have.
        expected: u64,
    },
    /// The last line has no line end.
    #[error(
        "the last line is torn ({bytes} bytes without a line end), by a kill, a full disk or an editor; the next purge sets it aside"
    )]
    Torn {
        /// Its length.
        bytes: u64,
    },
    /// Entries that were on the disk are gone from the end.
    #[error("the end was cut off: ledger.head names entry {}, the ledger ends with entry {last}", head.seq)]
    CutOff {
        /// What the head names.
        head: Link,
        /// The ledger's last entry.
        last: u64,
    },
    /// The head names another entry under this number.
    #[error("ledger.head names {head}, which is not what the ledger holds under this number")]
    HeadDiffers {
        /// What the head names.
        head: Link,
    },
    /// There is a ledger, and no head.
    #[error("ledger.head is missing, so a cut-off end would not be noticed")]
    HeadMissing,
    /// The head is not a number and a hash.
    #[error("ledger.head is not a number and a hash as frist writes them")]
    HeadUnreadable,
    /// There is a head, and no ledger.
    #[error("ledger.jsonl is missing; ledger.head names its entry {}", head.seq)]
    LedgerMissing {
        /// What the head names.
        head: Link,
    },
    /// Neither is there.
    #[error("there is no ledger here: no purge has run, or it was removed")]
    NoLedger,
    /// The copy kept elsewhere names an entry that the ledger has not, or has otherwise.
    #[error("the ledger does not hold the expected entry {expected}: it was cut off or rewritten")]
    NotAsExpected {
        /// The copy kept elsewhere.
        expected: Receipt,
    },
    /// A file could not be read.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// So much is wrong that the rest was not looked at.
    #[error("too much is wrong; the lines after this one were not checked")]
    GaveUp,
}

fn numbers(first: u64, last: u64) -> String {
    if first == last { format!("entry {first} was") } else { format!("entries {first} to {last} were") }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.fault),
            None => self.fault.fmt(f),
        }
    }
}

impl Fault {
    /// Why the head's entry was not met in a ledger that ends with entry `last`.
    pub(crate) fn of_head(head: Link, last: u64) -> Fault {
        if last < head.seq { Fault::CutOff { head, last } } else { Fault::HeadDiffers { head } }
    }
}
