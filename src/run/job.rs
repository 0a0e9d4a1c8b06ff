//! One rule's turn, whatever the source: what it is given, what it tells, how it ends. A record
//! that is anonymised counts as one that is deleted does.

use std::collections::BTreeMap;
use std::time::Duration;

use super::stop::{Stop, StopReason};
use crate::anonymise::Key;
use crate::ledger::{LedgerError, RecoveryOutcome, Removal};
use crate::note::Gone;
use crate::policy::{Kind, Source};
use crate::source::folder::write::named_files::Stayed;
use crate::source::request::TableQuery;
use crate::source::{Problem, csv, folder, lookup, sqlite};

/// What a rule's deletion is given.
pub(crate) struct RuleJob<'a> {
    pub(crate) source: &'a Source,
    pub(crate) request: &'a TableQuery<'a>,
    /// The rule, by its place in the request's book.
    pub(crate) rule: usize,
    /// How many records are expected, and how many may go.
    pub(crate) amount: Amount,
    /// How many records of other rules may go before its own, by the names of these.
    pub(crate) room: &'a BTreeMap<String, u64>,
    pub(crate) stop: &'a Stop,
    /// How long to wait for other writers.
    pub(crate) wait: Duration,
    /// The share of time that is left to other writers.
    pub(crate) nice: f64,
    /// What pseudonyms are made with, where the rule writes any.
    pub(crate) key: Option<&'a Key>,
    /// Notes what goes of the rows that other records' clocks depend on.
    pub(crate) notes: &'a dyn Noting,
    /// Told how many records are deleted, now and then.
    pub(crate) told: &'a (dyn Fn(u64) + Sync),
}

/// Notes what goes of the rows that other records' clocks depend on.
pub(crate) trait Noting: Sync {
    /// It is on the disk when this returns, before the commit.
    fn note(&self, gone: &Gone) -> Result<(), Problem>;
    /// No source is locked now, so that there is time to put notes in order.
    fn rest(&self) -> Result<(), Problem>;
}

/// By what the next run finds out whether an announced batch came to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mark {
    /// Files: what tells stands in a file that is zeroed afterwards.
    Private(serde_json::Value),
    /// Rows: their keys stand there, too, and are written over batch by batch.
    Rows {
        /// What tells whether they were taken.
        taken: serde_json::Value,
        /// How many records of other rules go with them, by the names of these.
        ahead: BTreeMap<String, u64>,
    },
}

/// What became of a batch in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) outcome: RecoveryOutcome,
    /// How many records it deleted.
    pub(crate) rows: u64,
    /// Whether no other program can have changed the answer.
    pub(crate) exact: bool,
}

impl Decision {
    pub(crate) fn undecided(rows: u64) -> Decision {
        Decision { outcome: RecoveryOutcome::Undecided, rows, exact: false }
    }
}

/// Where a deletion is announced before it is committed.
pub(crate) trait Journal {
    /// A batch is about to be committed; it must be durable when this returns.
    fn announce(&mut self, batch: u64, rows: u64, mark: Mark) -> Result<(), LedgerError>;
    /// The batch announced last is committed: what tells a later run so, if this one is killed.
    fn committed(&mut self);
    /// Files are to go once the batch is committed; that must be durable when this returns.
    fn promise(&mut self, files: &[Removal]) -> Result<(), LedgerError>;
    /// These files are still there after the commit: the next run tries again.
    fn leave(&mut self, files: Vec<Removal>) -> Result<(), LedgerError>;
    /// The announced batch deleted only so many.
    fn settle(&mut self, batch: u64, rows: u64) -> Result<(), LedgerError>;
    /// The announced batch did not happen.
    fn undo(&mut self, batch: u64) -> Result<(), LedgerError>;
}

/// Why a deletion ends before its work is done.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// The database refused; what was committed stays committed.
    Problem(Problem),
    /// A foreign key forbids it; nothing was deleted.
    Refused(Problem),
    /// The commit found readers that do not end; nothing was deleted, and it can be tried again.
    Busy(Problem),
    /// Nobody can say whether the last batch was committed: the next run finds out.
    Doubt(Problem),
    /// The ledger cannot be written: nothing more may be deleted by anybody.
    Ledger(LedgerError),
}

impl From<Problem> for WriteError {
    fn from(problem: Problem) -> WriteError {
        WriteError::Problem(problem)
    }
}

impl From<LedgerError> for WriteError {
    fn from(error: LedgerError) -> WriteError {
        WriteError::Ledger(error)
    }
}

/// What became of one rule.
#[derive(Debug, Default)]
pub(crate) struct Deletion {
    pub(crate) deleted: u64,
    /// Rows and files that went along.
    pub(crate) taken_along: u64,
    /// Files that rows named that went, and that stay.
    pub(crate) stayed: Stayed,
    /// Records of other rules that had to go first, by the names of these.
    pub(crate) ahead: BTreeMap<String, u64>,
    /// Bytes that were given back, where records are files.
    pub(crate) freed: Option<u64>,
    pub(crate) batches: u64,
    pub(crate) survivors: Option<u64>,
    /// What is known to have happened where records survived, a phrase each.
    pub(crate) survived_for: Vec<String>,
    /// Those of the survivors that the database did not let go, of which the problems tell.
    pub(crate) refused: u64,
    /// Why parts of it were left, where the others could go on.
    pub(crate) problems: Vec<Problem>,
    /// Whether the limit was reached although the plan had found less.
    pub(crate) is_capped: bool,
    pub(crate) stopped: Option<StopReason>,
}

/// How many records a rule is about to delete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amount {
    /// Those that the plan found due.
    pub(crate) expected: u64,
    /// The most that the rule's limit lets the run delete.
    pub(crate) most: u64,
    /// Those that the plan found kept by others that refer to them.
    pub(crate) blocked: u64,
    /// Those that the plan could not read, and tells of.
    pub(crate) unreadable: u64,
}

/// Deletes what is due, batch by batch, and asks the rule again at the end. `done` keeps count
/// even where the deletion halts.
pub(crate) fn carry_out(
    job: &RuleJob<'_>,
    journal: &mut dyn Journal,
    done: &mut Deletion,
) -> Result<(), WriteError> {
    // Earlier rules, or other programs, may have changed related rows since they were counted.
    let request = &lookup::answered(job.request)?;
    let job = &RuleJob { request, ..*job };
    match &job.source.kind {
        Kind::Sqlite(path) => sqlite::write::carry_out(path, job, journal, done),
        Kind::Csv(files) => csv::write::carry_out(files, job, journal, done),
        Kind::Folder(files) => folder::write::carry_out(files, job, journal, done),
    }
}

/// Removes what killed runs left beside a source, once they are accounted for.
pub(crate) fn clear_strays(kind: &Kind) {
    match kind {
        Kind::Sqlite(_) | Kind::Folder(_) => {}
        Kind::Csv(files) => csv::write::clear_strays(files),
    }
}
