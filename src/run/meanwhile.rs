//! Deletions during which something happens: between the announcement of a batch and its deletion.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant as Stopwatch};

use super::job::{self, Amount, Deletion, Journal, Mark, Noting, RuleJob, WriteError};
use super::stop::Stop;
use crate::calendar::Timestamp;
use crate::ledger::{LedgerError, Removal};
use crate::note::Gone;
use crate::policy::{LoadContext, Policy, parse};
use crate::source::Problem;
use crate::source::request::requests;

/// 2026-11-20.
pub(crate) const NOW: i64 = 1_795_132_800;

/// What became of a deletion, and what its journal heard.
pub(crate) struct Purged {
    pub(crate) done: Deletion,
    pub(crate) announced: Vec<u64>,
    pub(crate) settled: Vec<(u64, u64)>,
    pub(crate) undone: Vec<u64>,
    pub(crate) halt: Option<WriteError>,
}

/// Reads a policy whose paths start at a folder.
pub(crate) fn policy_in(folder: &Path, source_and_rule: &str) -> Policy {
    let text =
        format!("version = 1\n[policy]\nname = \"p\"\ntimezone = \"UTC\"\n[source.s]\n{source_and_rule}\n");
    let state = folder.join(".frist");
    let surroundings =
        LoadContext { file: "p.toml", base: folder, default_state: &state, variable: &|_| None };
    let (policy, findings) = parse(&text, &surroundings);
    policy.unwrap_or_else(|| panic!("{findings:?}"))
}

/// Carries out the first rule on the first source; while the batch of each number is announced,
/// something happens.
pub(crate) fn purge(
    policy: &Policy,
    most: u64,
    signal: &Arc<AtomicBool>,
    happens: &mut dyn FnMut(u64),
) -> Purged {
    purge_as(policy, (most, signal), &Manner::default(), happens)
}

/// How a deletion treats others.
#[derive(Default)]
pub(crate) struct Manner {
    pub(crate) wait: Duration,
    pub(crate) nice: f64,
    /// Whether records are decided about together with others.
    pub(crate) is_together: bool,
}

/// The same, in some manner.
pub(crate) fn purge_as(
    policy: &Policy,
    (most, signal): (u64, &Arc<AtomicBool>),
    manner: &Manner,
    happens: &mut dyn FnMut(u64),
) -> Purged {
    let source = &policy.sources[0];
    let mut requests = requests(policy, source, Timestamp::from_unix(NOW, 0), |_| true);
    requests[0].is_together = manner.is_together;
    let job = RuleJob {
        source,
        request: &requests[0],
        rule: 0,
        room: &std::collections::BTreeMap::new(),
        amount: Amount { expected: 1, most, blocked: 0, unreadable: 0 },
        stop: &Stop::new(Arc::clone(signal), Stopwatch::now(), None),
        wait: manner.wait,
        nice: manner.nice,
        key: None,
        notes: &Nothing,
        told: &|_| {},
    };
    let mut journal = Meanwhile { happens, announced: Vec::new(), settled: Vec::new(), undone: Vec::new() };
    let mut done = Deletion::default();
    let halt = job::carry_out(&job, &mut journal, &mut done).err();
    let Meanwhile { announced, settled, undone, .. } = journal;
    Purged { done, announced, settled, undone, halt }
}

/// Nothing is noted.
struct Nothing;

impl Noting for Nothing {
    fn note(&self, gone: &Gone) -> Result<(), Problem> {
        assert!(gone.is_empty(), "these policies ask about nothing");
        Ok(())
    }

    fn rest(&self) -> Result<(), Problem> {
        Ok(())
    }
}

/// A journal in whose hand something happens as a batch is announced.
struct Meanwhile<'f> {
    happens: &'f mut dyn FnMut(u64),
    announced: Vec<u64>,
    settled: Vec<(u64, u64)>,
    undone: Vec<u64>,
}

impl Journal for Meanwhile<'_> {
    fn announce(&mut self, batch: u64, rows: u64, mark: Mark) -> Result<(), LedgerError> {
        assert!(matches!(mark, Mark::Private(_) | Mark::Rows { .. }), "names are never in the ledger");
        self.announced.push(rows);
        (self.happens)(batch);
        Ok(())
    }

    fn committed(&mut self) {}

    fn promise(&mut self, _: &[Removal]) -> Result<(), LedgerError> {
        Ok(())
    }

    fn leave(&mut self, _: Vec<Removal>) -> Result<(), LedgerError> {
        Ok(())
    }

    fn settle(&mut self, batch: u64, rows: u64) -> Result<(), LedgerError> {
        self.settled.push((batch, rows));
        Ok(())
    }

    fn undo(&mut self, batch: u64) -> Result<(), LedgerError> {
        self.undone.push(batch);
        Ok(())
    }
}
