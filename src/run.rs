//! Carrying out a plan. Nothing outside this module changes data.
//!
//! A [`Run`] can only be begun with the lock of the state folder and a [`Confirmed`], the token
//! of somebody's consent. It writes to the ledger before it commits, stops between batches, and
//! asks every rule again when it is done.

pub(crate) mod batch_sizer;
pub(crate) mod clock;
pub(crate) mod confirm;
pub(crate) mod entries;
pub(crate) mod job;
pub(crate) mod journal;
#[cfg(test)]
pub(crate) mod meanwhile;
pub(crate) mod policy_run;
pub(crate) mod recovery;
pub(crate) mod running;

pub(crate) mod stop;
pub(crate) mod write_detector;

use std::time::Duration;

pub use clock::check as check_clock;
pub use confirm::Confirmed;
pub use policy_run::{Run, RunOptions};
pub use recovery::Account;
pub use stop::{Stop, StopReason};
pub use write_detector::WriteDetector;

use crate::diagnostic::Code;
use crate::evaluate::Counts;
use crate::exit;
use crate::ledger::{Link, Pending, RecoveryOutcome, RuleOutcome, RunLock};
use crate::plan::{LimitBreach, SourceState};
use crate::policy::{Action, Kind, Policy};
use crate::source::{Problem, csv, sqlite};

/// Puts right what killed programs left in the sources, so that they can be read; what could not
/// be put right.
pub fn recover(policy: &Policy, lock: &RunLock, wait: Duration) -> Vec<Problem> {
    let databases = policy.sources.iter().filter_map(|source| match &source.kind {
        Kind::Sqlite(path) => sqlite::write::recover(path, wait).err(),
        Kind::Csv(_) | Kind::Folder(_) => None,
    });
    let pending = Pending::read(lock.folder()).ok().flatten();
    databases.chain(pending.and_then(|pending| csv::write::mend(&pending.range, wait).err())).collect()
}

/// What a run did.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The run's name in the ledger.
    pub run: String,
    /// What earlier, killed runs turned out to have done.
    pub accounts: Vec<Account>,
    /// What earlier runs had left to remove, and could not be removed.
    pub problems: Vec<Problem>,
    /// The sources.
    pub sources: Vec<SourceState>,
    /// The rules, in the order of the policy.
    pub rules: Vec<RuleRun>,
    /// Why the run ended early.
    pub stopped: Option<StopReason>,
    /// The last entry of the ledger, to be kept elsewhere as proof.
    pub ledger: Link,
}

/// What a run did for one rule.
#[derive(Clone, Debug)]
pub struct RuleRun {
    /// The rule's place in the policy.
    pub index: usize,
    /// The states that were met before anything was done.
    pub counts: Counts,
    /// What was done to its records.
    pub deed: Action,
    /// To how many of them.
    pub records: u64,
    /// Rows and files that went along with them.
    pub taken_along: u64,
    /// Bytes given back, where records are files.
    pub freed: Option<u64>,
    /// Due records that were still there when the rule was asked again.
    pub survivors: Option<u64>,
    /// Transactions.
    pub batches: u64,
    /// Time taken.
    pub took: Duration,
    /// How it ended.
    pub outcome: RuleOutcome,
    /// The limit that refused it.
    pub breach: Option<LimitBreach>,
    /// What went wrong, or could not be read.
    pub problems: Vec<Problem>,
}

impl RuleRun {
    /// Records that were due and are so no longer, although this run did nothing to them.
    pub fn lost(&self) -> u64 {
        let left = self.survivors.filter(|_| self.outcome == RuleOutcome::Done);
        left.map_or(0, |left| self.counts.due.unwrap_or_default().saturating_sub(self.records + left))
    }

    /// The records to which this was done.
    pub fn records_of(&self, deed: Action) -> u64 {
        if self.deed == deed { self.records } else { 0 }
    }
}

impl Outcome {
    /// All records of one fate.
    pub fn records(&self, deed: Action) -> u64 {
        self.rules.iter().map(|rule| rule.records_of(deed)).sum()
    }

    /// Whether a limit refused a rule.
    pub fn is_refused(&self) -> bool {
        self.rules.iter().any(|rule| rule.breach.is_some())
    }

    /// Whether something was left undone for a reason other than a limit.
    pub fn is_incomplete(&self) -> bool {
        self.stopped.is_some()
            || !self.problems.is_empty()
            || self.accounts.iter().any(|account| account.outcome == RecoveryOutcome::Undecided)
            || self.sources.iter().any(|source| source.problem.is_some())
            || self.rules.iter().any(|rule| !rule.problems.is_empty())
    }

    /// The exit code that this outcome asks for.
    pub fn exit_code(&self) -> u8 {
        let incomplete = if self.is_incomplete() { exit::INCOMPLETE } else { exit::DONE };
        let refused = if self.is_refused() { exit::REFUSED } else { exit::DONE };
        incomplete.max(refused)
    }

    /// The codes of everything that kept the run from being whole.
    pub fn reasons(&self) -> Vec<Code> {
        let sources = self.sources.iter().filter_map(|source| source.problem.as_ref());
        let rules = self.rules.iter().flat_map(|rule| &rule.problems);
        let limits = self.rules.iter().filter(|rule| rule.breach.is_some()).map(|_| Code::Limit);
        let stopped = self.stopped.map(StopReason::code);
        let mut codes: Vec<Code> = sources.chain(rules).map(|problem| problem.code).chain(limits).collect();
        codes.extend(stopped);
        let undecided = self.accounts.iter().any(|account| account.outcome == RecoveryOutcome::Undecided);
        codes.extend(undecided.then_some(Code::UndecidedBatch));
        codes.extend(self.problems.iter().map(|problem| problem.code));
        codes.sort_unstable_by_key(|code| code.as_str());
        codes.dedup();
        codes
    }
}
