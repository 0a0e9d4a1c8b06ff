//! What a killed run did, found out by the next one.
//!
//! Every batch but the last is known: the run went on after its commit. The last one is decided
//! by asking the rule, as of the killed run's time and in the words of its policy, whether due
//! records remain within the batch's keys. A commit takes all of them or none.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Witness;
use super::running::Running;
use super::sqlite::{Keys, Remaining, recover, remaining};
use crate::calendar::{Instant, Zone};
use crate::dataset::sqlite::open::read;
use crate::dataset::sqlite::schema::describe;
use crate::ledger::{
    Doubt, Event, Ledger, LedgerError, Pending, Recovered, RecoveryOutcome, RunLock, Unfinished,
};
use crate::policy::{Policy, Rule};
use crate::verdict::RuleBook;

/// What a killed run turned out to have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The killed run.
    pub run: String,
    /// The records it deleted, by rule.
    pub deleted: BTreeMap<String, u64>,
    /// The rows of the batch that was in doubt.
    pub rows: u64,
    /// What became of that batch.
    pub outcome: RecoveryOutcome,
    /// Whether no other program can have changed the answer.
    pub exact: bool,
}

/// Accounts for every killed run in the ledger's history, and writes the answers into it.
pub(super) fn account(
    lock: &RunLock,
    ledger: &mut Ledger<'_>,
    clock: &dyn Fn() -> String,
    witness: Witness,
    wait: Duration,
) -> Result<Vec<Account>, LedgerError> {
    let unfinished = ledger.history().unfinished.clone();
    let running = Running::read(lock)?;
    let mut accounts = Vec::new();
    for killed in &unfinished {
        let policy = running.as_ref().filter(|running| running.run == killed.run).and_then(Running::policy);
        for event in events(lock, killed, policy.as_ref(), witness, wait) {
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
        rows: event.rows,
        outcome: event.outcome,
        exact: event.exact,
    }
}

fn events(
    lock: &RunLock,
    killed: &Unfinished,
    policy: Option<&Policy>,
    witness: Witness,
    wait: Duration,
) -> Vec<Recovered> {
    let mut deleted = killed.deleted.clone();
    let mut events = Vec::new();
    for doubt in &killed.doubts {
        let (outcome, sure) = decide(lock, killed, doubt, policy, wait);
        let exact = sure && witness.nobody_wrote_since;
        if outcome == RecoveryOutcome::Committed {
            *deleted.entry(doubt.rule.clone()).or_default() += doubt.rows;
        }
        events.push(event(killed, Some(doubt), outcome, exact, &deleted));
    }
    if events.is_empty() {
        events.push(event(killed, None, RecoveryOutcome::NoBatch, true, &deleted));
    }
    events
}

fn event(
    killed: &Unfinished,
    doubt: Option<&Doubt>,
    outcome: RecoveryOutcome,
    exact: bool,
    deleted: &BTreeMap<String, u64>,
) -> Recovered {
    Recovered {
        killed_run: killed.run.clone(),
        rule: doubt.map(|doubt| doubt.rule.clone()),
        batch: doubt.map(|doubt| doubt.number),
        rows: doubt.map_or(0, |doubt| doubt.rows),
        outcome,
        exact,
        deleted_total: deleted.clone(),
    }
}

fn decide(
    lock: &RunLock,
    killed: &Unfinished,
    doubt: &Doubt,
    policy: Option<&Policy>,
    wait: Duration,
) -> (RecoveryOutcome, bool) {
    let keys = match keys(lock, killed, doubt) {
        Ok(Some(keys)) => keys,
        Ok(None) => return (RecoveryOutcome::RolledBack, true),
        Err(error) => {
            tracing::warn!("{error}");
            return (RecoveryOutcome::Undecided, false);
        }
    };
    let asked = policy.and_then(|policy| {
        let rule = policy.rules.iter().find(|rule| rule.name == doubt.rule)?;
        let now = Instant::parse_now(killed.now.as_deref()?, &Zone::UTC).ok()?;
        ask(policy, rule, now, &keys, wait)
    });
    match asked {
        Some((Remaining { due: 0, .. }, no_trigger)) => (RecoveryOutcome::Committed, no_trigger),
        // What is due and referred to was passed over, or came to be so since.
        Some((Remaining { free: 0, .. }, _)) | None => (RecoveryOutcome::Undecided, false),
        Some((left, no_trigger)) => {
            let same = left.due == doubt.rows && left.free == doubt.rows;
            (RecoveryOutcome::RolledBack, no_trigger && same)
        }
    }
}

/// The keys of the batch in doubt. They are written between its entry and its commit: where those
/// of another batch are found, or none, this one was never committed.
fn keys(lock: &RunLock, killed: &Unfinished, doubt: &Doubt) -> Result<Option<Keys>, LedgerError> {
    if let Some([first, last]) = doubt.range {
        return Ok(Some(Keys::between(first, last)));
    }
    let Some(pending) = Pending::read(lock.folder())? else { return Ok(None) };
    let same = pending.run == killed.run && pending.rule == doubt.rule && pending.batch == doubt.number;
    Ok(if same { Keys::from_json(&pending.range) } else { None })
}

/// How many due records remain within the keys, and whether no trigger can have put them there.
fn ask(policy: &Policy, rule: &Rule, now: Instant, keys: &Keys, wait: Duration) -> Option<(Remaining, bool)> {
    let source = policy.source(&rule.source)?;
    recover(&source.path, wait).ok()?;
    let book = Arc::new(RuleBook::new(policy.rules_on(&rule.source, &rule.table), now));
    let place = policy.rules_on(&rule.source, &rule.table).position(|other| other.name == rule.name)?;
    let answer = read(&source.path, |opener| {
        let connection = opener.connect()?;
        let table = describe(&connection, &rule.table, "")?;
        let rows = remaining(&connection, &table, &book, place, keys)?;
        Ok((rows, !table.has_delete_trigger))
    });
    answer.ok()
}
