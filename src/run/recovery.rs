//! What a killed run did, found out by the next one.
//!
//! Every batch but the last is known: the run went on after its commit. The last one is decided
//! by looking for what it took.

use std::collections::BTreeMap;
use std::time::Duration;

use super::WriteDetector;
use super::job::{Decision, Mark};
use super::running::Running;
use crate::ledger::{
    Doubt, Event, Ledger, LedgerError, Pending, Recovered, RecoveryOutcome, RunLock, Unfinished,
};
use crate::policy::{Action, Kind, Policy};
use crate::source::{csv, folder, sqlite};

/// What a killed run turned out to have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The killed run.
    pub run: String,
    /// The records it deleted, by rule.
    pub deleted: BTreeMap<String, u64>,
    /// Those it anonymised.
    pub anonymised: BTreeMap<String, u64>,
    /// Those it gave pseudonyms.
    pub pseudonymised: BTreeMap<String, u64>,
    /// The rows of the batch that was in doubt.
    pub rows: u64,
    /// What became of that batch.
    pub outcome: RecoveryOutcome,
    /// Whether no other program can have changed the answer.
    pub exact: bool,
}

/// Accounts for every killed run in the ledger's history, and writes the answers into it.
pub(crate) fn account(
    lock: &RunLock,
    ledger: &mut Ledger<'_>,
    clock: &dyn Fn() -> String,
    witness: &WriteDetector,
    wait: Duration,
) -> Result<Vec<Account>, LedgerError> {
    let unfinished = ledger.history().unfinished.clone();
    let running = Running::read(lock)?;
    let mut accounts = Vec::new();
    for killed in &unfinished {
        let policy = running.as_ref().filter(|running| running.run == killed.run).and_then(Running::policy);
        for event in events(lock, killed, policy.as_ref(), witness, wait)? {
            accounts.push(account_of(&event));
            ledger.append(&clock(), &Event::Recovered(event))?;
        }
    }
    ledger.seal()?;
    Pending::clear(lock)?;
    Running::clear(lock)?;
    Ok(accounts)
}

fn account_of(event: &Recovered) -> Account {
    Account {
        run: event.killed_run.clone(),
        deleted: event.deleted_total.clone(),
        anonymised: event.anonymised_total.clone(),
        pseudonymised: event.pseudonymised_total.clone(),
        rows: event.rows,
        outcome: event.outcome,
        exact: event.exact,
    }
}

fn events(
    lock: &RunLock,
    killed: &Unfinished,
    policy: Option<&Policy>,
    witness: &WriteDetector,
    wait: Duration,
) -> Result<Vec<Recovered>, LedgerError> {
    let mut done = killed.done.clone();
    let mut events = Vec::new();
    for doubt in &killed.doubts {
        let decision = decide(lock, killed, doubt, policy, witness, wait)?;
        if decision.outcome == RecoveryOutcome::Committed {
            *done.entry(doubt.rule.clone()).or_default() += decision.rows;
            for (other, rows) in &doubt.ahead {
                *done.entry(other.clone()).or_default() += rows;
            }
        }
        events.push(event(killed, Some(doubt), decision, &done));
    }
    if events.is_empty() {
        let nothing = Decision { outcome: RecoveryOutcome::NoBatch, rows: 0, exact: true };
        events.push(event(killed, None, nothing, &done));
    }
    Ok(events)
}

fn event(
    killed: &Unfinished,
    doubt: Option<&Doubt>,
    decision: Decision,
    done: &BTreeMap<String, u64>,
) -> Recovered {
    let of = |deed: Action| {
        let deed_of = |rule: &String| killed.deeds.get(rule).copied().unwrap_or(Action::Deleted);
        let of_deed = done.iter().filter(|(rule, _)| deed_of(rule) == deed);
        of_deed.map(|(rule, rows)| (rule.clone(), *rows)).collect()
    };
    Recovered {
        killed_run: killed.run.clone(),
        rule: doubt.map(|doubt| doubt.rule.clone()),
        batch: doubt.map(|doubt| doubt.number),
        rows: decision.rows,
        outcome: decision.outcome,
        exact: decision.exact,
        deleted_total: of(Action::Deleted),
        anonymised_total: of(Action::Anonymised),
        pseudonymised_total: of(Action::Pseudonymised),
    }
}

fn decide(
    lock: &RunLock,
    killed: &Unfinished,
    doubt: &Doubt,
    policy: Option<&Policy>,
    witness: &WriteDetector,
    wait: Duration,
) -> Result<Decision, LedgerError> {
    // A version that noted row numbers in the ledger noted nothing else.
    if doubt.range.is_some() {
        return Ok(Decision::undecided(doubt.rows));
    }
    let (taken, is_noted) = match mark(lock, killed, doubt) {
        Ok(Some(found)) => found,
        Ok(None) if Pending::is_there(lock.folder()) => {
            return Ok(Decision { outcome: RecoveryOutcome::RolledBack, rows: doubt.rows, exact: true });
        }
        // Somebody took it away, and what it told with it.
        Ok(None) => return Ok(Decision::undecided(doubt.rows)),
        // What the system does not give now, it may give to the next run.
        Err(error @ LedgerError::Io { .. }) => return Err(error),
        Err(error) => {
            tracing::warn!("{error}");
            return Ok(Decision::undecided(doubt.rows));
        }
    };
    let mark = Mark::Private(taken.clone());
    if let Some(decision) = csv::write::decide(&mark, doubt.rows, wait) {
        return decision.map_err(|problem| LedgerError::Doubt(problem.message));
    }
    let decided = policy.and_then(|policy| {
        let rule = policy.rules.iter().find(|rule| rule.name == doubt.rule)?;
        Some(match &policy.source(&rule.source)?.kind {
            Kind::Sqlite(path) => {
                Ok(sqlite::write::decide(path, rule, (&taken, doubt.rows, is_noted), witness, wait))
            }
            Kind::Csv(_) => Ok(Decision::undecided(doubt.rows)),
            Kind::Folder(files) => folder::write::decide(files, (&mark, doubt.rows), witness),
        })
    });
    let decided = decided.unwrap_or_else(|| Ok(Decision::undecided(doubt.rows)));
    decided.map_err(|problem| LedgerError::Doubt(problem.message))
}

/// The mark of the batch in doubt, and whether it was noted to be committed. It is written between the
/// batch's entry and its commit: where that of another batch is found, or none, this one was never committed.
fn mark(
    lock: &RunLock,
    killed: &Unfinished,
    doubt: &Doubt,
) -> Result<Option<(serde_json::Value, bool)>, LedgerError> {
    let Some((pending, is_noted)) = Pending::read_noted(lock.folder())? else { return Ok(None) };
    let same = pending.run == killed.run && pending.rule == doubt.rule && pending.batch == doubt.number;
    Ok(same.then_some((pending.range, is_noted)))
}
