//! One run: from the first entry in the ledger to the last.

use std::collections::BTreeMap;
use std::time::{Duration, Instant as Stopwatch};

use super::entries::{rule_finished, rule_started, run_started, source_read};
use super::job::{self, Amount, Deletion, Noting, RuleJob, WriteError};
use super::journal::LedgerJournal;
use super::recovery::{self, Account};
use super::running::Running;
use super::stop::Stop;
use super::{Confirmed, Outcome, RuleRun, WriteDetector};
use crate::calendar::Timestamp;
use crate::diagnostic::Code;
use crate::key;
use crate::ledger::{
    Event, Ledger, LedgerError, Link, Pending, Removal, RuleOutcome, RunFinished, RunLock, WrittenCode,
};
use crate::note::{Asked, Gone, Notes};
use crate::plan::{Accepted, Plan, PlannedRule};
use crate::policy::{Action, Policy, Rule};
use crate::source::Problem;
use crate::source::folder::write::named_files;
use crate::source::joined;
use crate::source::request::requests;

/// What a run needs to know besides its policy and its plan.
pub struct RunOptions<'a> {
    /// Tells the time.
    pub clock: &'a dyn Fn() -> Timestamp,
    /// When to stop early.
    pub stop: Stop,
    /// How long to wait for other writers.
    pub wait: Duration,
    /// The limits that may be broken this once.
    pub accepted: &'a Accepted,
    /// The account that runs it.
    pub operator: String,
    /// The machine.
    pub host: String,
    /// What started it: `terminal` or `unattended`.
    pub trigger: &'static str,
    /// The share of time that is left to other writers, beyond the shortest gap.
    pub nice: f64,
    /// Told after every batch: the rule, how many records it has deleted, and of how many.
    pub progress: &'a (dyn Fn(&str, u64, u64) + Sync),
    /// Runs that were promised since the last one and did not happen.
    pub runs_missed: Option<u64>,
}

/// A confirmed run that holds the lock and has begun its entry in the ledger.
pub struct Run<'a> {
    pub(crate) lock: &'a RunLock,
    pub(crate) ledger: Ledger<'a>,
    policy: &'a Policy,
    plan: &'a Plan,
    circumstances: &'a RunOptions<'a>,
    pub(crate) name: String,
    started: Stopwatch,
    accounts: Vec<Account>,
    /// Files that earlier runs could not remove, and why.
    pub(crate) left: Vec<Removal>,
    /// What was noted of evidence that went, if it can be read.
    pub(crate) notes: Result<Notes, Problem>,
    problems: Vec<Problem>,
    /// Records that went before those of other rules, for each rule that has not had its turn.
    ahead: BTreeMap<String, u64>,
    /// Whether a rule of this run has done something: what others are spared for may be gone.
    has_acted: bool,
}

impl<'a> Run<'a> {
    /// Begins a run: accounts for killed ones, and says in the ledger that this one starts.
    pub fn begin(
        _consent: Confirmed,
        lock: &'a RunLock,
        mut ledger: Ledger<'a>,
        policy: &'a Policy,
        plan: &'a Plan,
        circumstances: &'a RunOptions<'a>,
        witness: WriteDetector,
    ) -> Result<Run<'a>, LedgerError> {
        let name = ledger.run().to_string();
        let previous = ledger.history().last_run.clone();
        let clock = || (circumstances.clock)().to_string();
        let started = run_started(policy, plan, circumstances, previous);
        ledger.append(&clock(), &Event::RunStarted(started))?;
        let accounts = recovery::account(lock, &mut ledger, &clock, &witness, circumstances.wait)?;
        let removed = named_files::finish(&Removal::read(lock.folder())?, policy);
        removed.stayed.tell();
        let named_files::Removed { left, problems, .. } = removed;
        Removal::write(&left, lock)?;
        policy.sources.iter().for_each(|source| job::clear_strays(&source.kind));
        Running::of(&name, policy).write(lock)?;
        ledger.seal()?;
        let started = Stopwatch::now();
        let ahead = BTreeMap::new();
        Ok(Run {
            lock,
            ledger,
            policy,
            plan,
            circumstances,
            name,
            started,
            accounts,
            left,
            notes: Notes::open(policy),
            problems,
            ahead,
            has_acted: false,
        })
    }

    /// Carries out the plan, rule by rule. An error means that the ledger could not be written:
    /// nothing was deleted after that, and the next run accounts for what was.
    pub fn carry_out(mut self) -> Result<Outcome, LedgerError> {
        let plan = self.plan;
        for source in &plan.sources {
            self.write(&Event::Source(source_read(source)))?;
        }
        let mut rules = Vec::new();
        let mut stopped = None;
        let mut in_turn: Vec<&PlannedRule> = plan.rules.iter().collect();
        // What goes, also along with other records, is not anonymised before.
        in_turn.sort_by_key(|planned| (!self.policy.rules[planned.index].deletes(), planned.turn));
        for (turn, planned) in in_turn.iter().enumerate() {
            let rule = &self.policy.rules[planned.index];
            stopped = stopped.or_else(|| self.circumstances.stop.reason());
            let has_begun = self.ahead.contains_key(&rule.name);
            if !rule.enforce || (stopped.is_some() && !has_begun) {
                continue;
            }
            let (run, reason) = self.one_rule(rule, planned, &in_turn[turn + 1..])?;
            stopped = stopped.or(reason);
            rules.push(run);
        }
        rules.sort_by_key(|run| run.index);
        self.sweep_notes();
        let (accounts, sources) = (std::mem::take(&mut self.accounts), plan.sources.clone());
        let ledger = self.ledger.last().unwrap_or_default();
        let (run, problems) = (self.name.clone(), std::mem::take(&mut self.problems));
        let mut outcome = Outcome { run, accounts, problems, sources, rules, stopped, ledger };
        outcome.ledger = self.finish(&outcome)?;
        Ok(outcome)
    }

    pub(crate) fn write(&mut self, event: &Event) -> Result<Link, LedgerError> {
        self.ledger.append(&(self.circumstances.clock)().to_string(), event)
    }

    fn finish(mut self, outcome: &Outcome) -> Result<Link, LedgerError> {
        let finished = RunFinished {
            exit_code: i32::from(outcome.exit_code()),
            deleted: outcome.records(Action::Deleted),
            anonymised: outcome.records(Action::Anonymised),
            pseudonymised: outcome.records(Action::Pseudonymised),
            reason: outcome.reasons().into_iter().map(WrittenCode::from).collect(),
            seconds: self.started.elapsed().into(),
        };
        let link = self.write(&Event::RunFinished(finished))?;
        self.ledger.seal()?;
        Running::clear(self.lock)?;
        Ok(link)
    }

    /// Notes go with the last record that they are about. Where that cannot be found out they stay.
    fn sweep_notes(&self) {
        let Ok(notes) = &self.notes else { return };
        // A killed run may have left some that were not put in order.
        if let Err(problem) = notes.rest(self.lock, &Asked::all(self.policy), true) {
            tracing::warn!("{problem}");
        }
        for asked in Asked::all(self.policy) {
            let mut each = |told: &mut dyn FnMut(&[u8])| joined::each(self.policy, &asked, told);
            if let Err(problem) = notes.sweep(self.lock, &asked.question, &mut each) {
                tracing::warn!("{problem}");
            }
        }
        notes.close();
    }

    fn one_rule(
        &mut self,
        rule: &Rule,
        planned: &PlannedRule,
        to_come: &[&PlannedRule],
    ) -> Result<(RuleRun, Option<super::StopReason>), LedgerError> {
        let started = Stopwatch::now();
        self.write(&Event::RuleStarted(rule_started(self.policy, rule, planned)))?;
        self.ledger.seal()?;
        let ahead = self.ahead.remove(&rule.name).unwrap_or_default();
        let mut done = Deletion { deleted: ahead, ..Deletion::default() };
        let mut problems = planned.problems.clone();
        let breach = planned.refusing(rule, self.circumstances.accepted).cloned();
        let outcome = match planned.counts.due {
            None => RuleOutcome::Failed,
            Some(_) if breach.is_some() => RuleOutcome::Refused,
            Some(0) if planned.is_partial && !self.may_have_changed(rule, planned) => RuleOutcome::Failed,
            Some(0) if !self.may_have_changed(rule, planned) => {
                done.survivors = Some(0);
                RuleOutcome::Done
            }
            Some(expected) => {
                let most = self.most(rule, planned);
                let blocked = planned.counts.blocked.unwrap_or_default();
                let amount = Amount { expected, most, blocked, unreadable: planned.unreadable };
                let room = self.room(to_come);
                self.delete(rule, amount, &room, &mut done, &mut problems)?
            }
        };
        for (other, records) in std::mem::take(&mut done.ahead) {
            *self.ahead.entry(other).or_default() += records;
        }
        self.has_acted |= done.deleted > 0;
        let run = RuleRun {
            index: planned.index,
            counts: planned.counts,
            deed: rule.then.deed(),
            records: done.deleted,
            taken_along: done.taken_along,
            freed: done.freed,
            survivors: done.survivors,
            batches: done.batches,
            took: started.elapsed(),
            outcome,
            breach,
            problems,
        };
        self.write(&Event::RuleFinished(rule_finished(rule, &run)))?;
        self.ledger.seal()?;
        Pending::clear(self.lock)?;
        Ok((run, done.stopped))
    }

    /// Whether what other rules have deleted may have made records due, or free.
    fn may_have_changed(&self, rule: &Rule, planned: &PlannedRule) -> bool {
        let is_kept_by_others = planned.counts.blocked.is_some_and(|blocked| blocked > 0);
        self.has_acted && (is_kept_by_others || rule.relations().next().is_some())
    }

    /// How many records of the rules to come may go before those of the one in hand. Of one that has had its
    /// turn none may: it has been counted.
    fn room(&self, to_come: &[&PlannedRule]) -> BTreeMap<String, u64> {
        let acting = to_come.iter().filter(|planned| planned.acts);
        let room = acting.map(|planned| {
            let rule = &self.policy.rules[planned.index];
            let gone = self.ahead.get(&rule.name).copied().unwrap_or_default();
            (rule.name.clone(), self.most(rule, planned).saturating_sub(gone))
        });
        room.collect()
    }

    /// How many records of a rule its limit lets the run delete.
    fn most(&self, rule: &Rule, planned: &PlannedRule) -> u64 {
        let is_accepted = planned.breach.is_some() && self.circumstances.accepted.rules.contains(&rule.name);
        if is_accepted { u64::MAX } else { planned.most }
    }

    fn delete(
        &mut self,
        rule: &Rule,
        amount: Amount,
        room: &BTreeMap<String, u64>,
        done: &mut Deletion,
        problems: &mut Vec<Problem>,
    ) -> Result<RuleOutcome, LedgerError> {
        let ended = self.try_delete(rule, amount, room, done);
        let has_left_parts = !done.problems.is_empty();
        for problem in std::mem::take(&mut done.problems) {
            add_problem(problems, problem, rule);
        }
        match ended {
            Ok(()) if done.stopped.is_some() => Ok(RuleOutcome::Stopped),
            Ok(()) => match done.survivors {
                Some(survivors) if survivors > 0 => {
                    let left = survivors.saturating_sub(done.refused);
                    let problem = if done.is_capped {
                        capped(rule, left)
                    } else {
                        survived(rule, left, &done.survived_for)
                    };
                    problems.extend((left > 0).then(|| problem.at(&rule.places.data_at)));
                    Ok(RuleOutcome::Failed)
                }
                _ if has_left_parts => Ok(RuleOutcome::Failed),
                _ => Ok(RuleOutcome::Done),
            },
            Err(WriteError::Refused(problem)) => {
                problems.push(problem.or_at(&rule.places.data_at));
                Ok(RuleOutcome::Refused)
            }
            Err(WriteError::Problem(problem) | WriteError::Busy(problem)) => {
                add_problem(problems, problem, rule);
                Ok(RuleOutcome::Failed)
            }
            Err(WriteError::Ledger(error)) => Err(error),
            Err(WriteError::Doubt(problem)) => Err(LedgerError::Doubt(problem.message)),
        }
    }

    fn try_delete(
        &mut self,
        rule: &Rule,
        amount: Amount,
        room: &BTreeMap<String, u64>,
        done: &mut Deletion,
    ) -> Result<(), WriteError> {
        let missing = || WriteError::Problem(Problem::new(Code::Internal, "the rule has no source"));
        let source = self.policy.source(&rule.source).ok_or_else(missing)?;
        let mut requests = requests(self.policy, source, self.plan.now, |other| other.name == rule.name);
        for request in &mut requests {
            request.set_acting(self.plan.acting(self.policy));
            request.kept = self.plan.kept(self.policy, &source.name);
            let mut planned = self.plan.rules.iter();
            let planned = planned.find(|planned| self.policy.rules[planned.index].name == rule.name);
            request.is_together = planned.is_some_and(|planned| planned.is_together);
            request.notes = self.notes.clone().unwrap_or_default();
        }
        let request = requests.first().ok_or_else(missing)?;
        let place = *request.wanted.first().ok_or_else(missing)?;
        let (wait, nice) = (self.circumstances.wait, self.circumstances.nice);
        let progress = self.circumstances.progress;
        let told = |deleted| progress(&rule.name, deleted, amount.expected);
        let stop = &self.circumstances.stop.clone();
        let key = match rule.then.deed() {
            Action::Pseudonymised => Some(key::obtain(self.lock, key::PSEUDONYMS)?),
            Action::Deleted | Action::Anonymised => None,
        };
        let key = key.as_ref();
        Pending::prepare(self.lock)?;
        let noting = NotesOfRun::of(self);
        let (notes, told) = (&noting, &told);
        let job = RuleJob { source, request, rule: place, amount, room, stop, wait, nice, key, notes, told };
        let ended = job::carry_out(&job, &mut LedgerJournal { run: self, rule: &rule.name }, done);
        noting.end().map_or(ended, |problem| Err(WriteError::Problem(problem)))
    }
}

/// The notes of a run, in the hand of one rule.
struct NotesOfRun<'a> {
    lock: &'a RunLock,
    notes: Result<Notes, Problem>,
    asked: Vec<Asked>,
}

impl<'a> NotesOfRun<'a> {
    fn of(run: &Run<'a>) -> NotesOfRun<'a> {
        NotesOfRun { lock: run.lock, notes: run.notes.clone(), asked: Asked::all(run.policy) }
    }

    /// The rules to come find all in order.
    fn end(&self) -> Option<Problem> {
        let notes = self.notes.as_ref().ok()?;
        notes.rest(self.lock, &self.asked, true).err()
    }
}

impl Noting for NotesOfRun<'_> {
    fn note(&self, gone: &Gone) -> Result<(), Problem> {
        match &self.notes {
            _ if gone.is_empty() => Ok(()),
            Ok(notes) => notes.add(self.lock, gone),
            Err(problem) => Err(problem.clone()),
        }
    }

    fn rest(&self) -> Result<(), Problem> {
        self.notes.as_ref().map_or(Ok(()), |notes| notes.rest(self.lock, &self.asked, false))
    }
}

/// The plan may have met the same problem.
fn add_problem(problems: &mut Vec<Problem>, problem: Problem, rule: &Rule) {
    if problems.iter().all(|known| known.message != problem.message) {
        problems.push(problem.or_at(&rule.places.data_at));
    }
}

fn capped(rule: &Rule, left: u64) -> Problem {
    let message = format!(
        "{left} more records of {} fell due after they were counted, and the limit leaves no room for them, or that \
         of another rule none for what has to go before them; look at the report and run again",
        rule.data()
    );
    Problem::new(Code::Limit, message)
}

fn survived(rule: &Rule, survivors: u64, reasons: &[String]) -> Problem {
    let what = match rule.then.deed() {
        Action::Deleted => "the deletion",
        Action::Anonymised | Action::Pseudonymised => "it was carried out",
    };
    let why = if reasons.is_empty() { "why is not known".to_string() } else { reasons.join("; ") };
    let message = format!(
        "after {what} {survivors} of {} still due: {why}",
        match survivors {
            1 => format!("the records of {} is", rule.data()),
            _ => format!("the records of {} are", rule.data()),
        }
    );
    Problem::new(Code::Survivors, message)
}
