//! What earlier runs left for the next one to know, gathered in one pass.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::event::{Batch, Event, Recovered, RecoveryOutcome};
use crate::ledger::line::Line;
use crate::ledger::moment::Moment;
use crate::policy::Action;

/// What earlier runs left for the next one to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// When the last entry was written, or the as-of time that it tells of: a clock that is
    /// before it was set back. A clock that was set back and accepted counts from then on.
    pub last_now: Option<String>,
    /// The run that wrote the last entry.
    pub last_run: Option<String>,
    /// When a run of each policy last ended by itself; several policies may share a ledger.
    pub last_finished_at: BTreeMap<String, String>,
    /// Killed runs of which nobody has said how they ended, oldest first. More
    /// than one if a run is killed before it has said so of the one before.
    pub unfinished: Vec<Unfinished>,
    /// Entries that this version does not understand: a newer one wrote them.
    pub not_understood: u64,
}

/// A run that was killed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Its id.
    pub run: String,
    /// Its policy's name, unless its first entry is not understood.
    pub policy: Option<String>,
    /// Its as-of time, unless its first entry is not understood.
    pub now: Option<String>,
    /// The hash of its policy, unless its first entry is not understood.
    pub policy_sha256: Option<String>,
    /// Rows of batches that are known to be committed, by rule.
    pub done: BTreeMap<String, u64>,
    /// What happened to them, by rule: deletion, where nothing is said.
    pub deeds: BTreeMap<String, Action>,
    /// Batches of which nothing after tells whether they were committed. A run
    /// that takes one rule after the other leaves one at most.
    pub doubts: Vec<Doubt>,
    /// Rules whose turn ended.
    pub rules_finished: BTreeSet<String>,
}

/// A batch that may or may not have been committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Its rule.
    pub rule: String,
    /// Its number within the rule.
    pub number: u64,
    /// Its rows.
    pub rows: u64,
    /// Records of other rules in it, by the names of these.
    pub ahead: BTreeMap<String, u64>,
    /// First and last row id, where a version wrote it that noted no more.
    pub range: Option<[i64; 2]>,
}

/// Gathers the history, entry by entry.
#[derive(Debug, Default)]
pub(crate) struct Chronicle {
    history: History,
    latest: Option<Moment>,
}

impl Chronicle {
    /// Takes in the next line.
    pub(crate) fn read(&mut self, line: &Line<'_>) {
        let event = serde_json::from_str(line.text).ok();
        self.take(line.at, line.run, event.as_ref());
    }

    /// Takes in the next event; none is one that is not understood.
    pub(crate) fn take(&mut self, at: &str, run: &str, event: Option<&Event>) {
        self.latest = None;
        self.note_time(at);
        self.note_run(run);
        match event {
            Some(Event::RunFinished(_)) => self.finish(run, at),
            Some(Event::Recovered(recovered)) => self.resolve(recovered),
            Some(event) => self.note_event(run, event),
            None => self.history.not_understood += 1,
        }
    }

    /// What was gathered.
    pub(crate) fn finish_reading(self) -> History {
        self.history
    }

    fn note_time(&mut self, text: &str) {
        let moment = Moment::parse(text);
        if moment > self.latest {
            self.latest = moment;
            self.history.last_now = Some(text.to_owned());
        }
    }

    /// Whatever a run writes first, it is unfinished from then on.
    fn note_run(&mut self, run: &str) {
        if self.history.last_run.as_deref() != Some(run) {
            self.history.last_run = Some(run.to_owned());
        }
        if !self.history.unfinished.iter().any(|unfinished| unfinished.run == run) {
            self.history.unfinished.push(Unfinished { run: run.to_owned(), ..Unfinished::default() });
        }
    }

    fn note_event(&mut self, run: &str, event: &Event) {
        if let Event::RunStarted(started) = event {
            self.note_time(&started.now);
        }
        if let Some(unfinished) = self.find(run) {
            unfinished.take(event);
        }
    }

    fn finish(&mut self, run: &str, at: &str) {
        let policy = self.find(run).and_then(|finished| finished.policy.clone());
        self.history.last_finished_at.extend(policy.map(|policy| (policy, at.to_owned())));
        self.history.unfinished.retain(|unfinished| unfinished.run != run);
    }

    /// A killed run is settled once none of its batches is in doubt.
    fn resolve(&mut self, recovered: &Recovered) {
        let Some(killed) = self.find(&recovered.killed_run) else {
            return;
        };
        killed.resolve(recovered);
        if killed.doubts.is_empty() {
            self.history.unfinished.retain(|unfinished| unfinished.run != recovered.killed_run);
        }
    }

    fn find(&mut self, run: &str) -> Option<&mut Unfinished> {
        self.history.unfinished.iter_mut().find(|unfinished| unfinished.run == run)
    }
}

impl Unfinished {
    fn take(&mut self, event: &Event) {
        match event {
            Event::RunStarted(started) => {
                self.policy = Some(started.policy.clone());
                self.now = Some(started.now.clone());
                self.policy_sha256 = Some(started.policy_sha256.clone());
            }
            Event::RuleStarted(started) => {
                self.confirm(&started.rule);
                self.deeds.insert(started.rule.clone(), started.deed());
            }
            Event::Batch(batch) => self.doubt(batch),
            Event::BatchDone(done) => self.settle(&done.rule, done.number, done.rows),
            Event::BatchUndone(undone) => self.drop_doubt(&undone.rule, undone.number),
            Event::RuleFinished(finished) => {
                self.confirm(&finished.rule);
                self.rules_finished.insert(finished.rule.clone());
            }
            Event::Recovered(_) | Event::Source(_) | Event::RunFinished(_) => {}
        }
    }

    fn doubt(&mut self, batch: &Batch) {
        self.confirm(&batch.rule);
        let Batch { rule, number, rows, ahead, range } = batch.clone();
        self.doubts.push(Doubt { rule, number, rows, ahead, range });
    }

    /// A rule goes on only after its commit returned, so any later entry of the
    /// rule confirms the batch before.
    fn confirm(&mut self, rule: &str) {
        for doubt in self.doubts.extract_if(.., |doubt| doubt.rule == rule) {
            for (rule, rows) in doubt.ahead.into_iter().chain([(doubt.rule, doubt.rows)]) {
                let done = self.done.entry(rule).or_default();
                *done = done.saturating_add(rows);
            }
        }
    }

    /// A batch of so many rows is no longer in doubt.
    fn settle(&mut self, rule: &str, number: u64, rows: u64) {
        let named = self.doubts.iter_mut().find(|doubt| doubt.rule == rule && doubt.number == number);
        if let Some(doubt) = named {
            doubt.rows = rows;
            self.confirm(rule);
        }
    }

    fn drop_doubt(&mut self, rule: &str, number: u64) {
        self.doubts.retain(|doubt| doubt.rule != rule || doubt.number != number);
    }

    fn resolve(&mut self, recovered: &Recovered) {
        let (Some(rule), Some(number)) = (&recovered.rule, recovered.batch) else {
            return;
        };
        let named = self.doubts.iter().any(|doubt| doubt.rule == *rule && doubt.number == number);
        if named && recovered.outcome == RecoveryOutcome::Committed {
            self.confirm(rule);
        }
        self.drop_doubt(rule, number);
    }
}
