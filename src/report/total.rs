//! What plans and runs come to: the last line, which must not read as if more were done than was, and
//! the totals of the JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{deeds, grouped, records};
use crate::diagnostic::{Code, printable};
use crate::ledger::{RecoveryOutcome, RuleOutcome};
use crate::plan::{Plan, PlannedRule, SourceState};
use crate::policy::{Action, DEEDS, Policy};
use crate::run::{Outcome, RuleRun, StopReason};
use crate::source::{Problem, Status};

/// How many names a sentence holds.
const NAMES: usize = 3;

/// `totals` of a report, and the part of a run's that is about states: sums over the rules whose data
/// could be read. None where one of them did not need the count.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct States {
    due: u64,
    blocked: u64,
    held: u64,
    unreadable: Option<u64>,
}

impl States {
    pub(super) fn of(plan: &Plan) -> States {
        let read = plan.rules.iter().filter(|planned| planned.due().is_some());
        let unreadable = read.map(|planned| planned.counts.unreadable).sum();
        // Nothing can put a hold on a record yet.
        States { due: plan.due(), blocked: plan.blocked(), held: 0, unreadable }
    }
}

/// What some plans, or some runs, come to.
#[derive(Clone, Debug, Default)]
pub struct Total {
    is_run: bool,
    policies: u64,
    /// What was done, in the order of the deeds; none where no rule does it.
    done: [Option<u64>; DEEDS.len()],
    /// Records that were due, and of those that a run had to do with still are.
    due: u64,
    /// Due records that no purge would touch, and why: a limit, an obstacle, `enforce = false`.
    over_limit: u64,
    refused: u64,
    not_enforced: u64,
    blocked: u64,
    newest: u64,
    without_clock: u64,
    sources: u64,
    unread: Vec<String>,
    unreadable: Vec<Unreadable>,
    /// Policies and rules of which something is not as it should be.
    undone: BTreeMap<Undone, Vec<String>>,
    stopped: Option<StopReason>,
    more: BTreeSet<&'static str>,
}

/// What can be the matter with a policy or a rule, in the order in which it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Undone {
    NotRun,
    OverLimit,
    Refused,
    Failed,
    Survived,
    Unread,
    InPart,
}

impl Undone {
    fn said_of(self, names: &[String]) -> String {
        let names = listed(names);
        match self {
            Undone::NotRun => format!("{names} was not carried out"),
            Undone::OverLimit => format!("a limit refused {names}"),
            Undone::Refused => format!("refused: {names}"),
            Undone::Failed => format!("failed: {names}"),
            Undone::Survived => format!("records are still due after {names}"),
            Undone::Unread => format!("there is no answer for {names}"),
            Undone::InPart => format!("a problem with {names} is told above"),
        }
    }
}

/// Records of one dataset that cannot be read.
#[derive(Clone, Debug)]
struct Unreadable {
    data: String,
    records: u64,
    /// Whether there may be more.
    at_least: bool,
}

impl Total {
    /// What a plan comes to.
    pub fn of_plan(policy: &Policy, plan: &Plan) -> Total {
        let mut total = Total { policies: 1, ..kept_on_purpose(plan) };
        total.add_sources(&plan.sources);
        for planned in &plan.rules {
            let rule = &policy.rules[planned.index];
            let due = planned.due().unwrap_or_default();
            total.due += due;
            total.blocked += planned.blocked().unwrap_or_default();
            if !rule.enforce {
                total.not_enforced += due;
            } else if planned.breach.is_some() {
                total.over_limit += due;
            } else if planned.refused.is_some() {
                total.refused += due;
            }
            total.add_reading(policy, planned, &planned.problems);
        }
        total
    }

    /// What a run came to.
    pub fn of_run(policy: &Policy, plan: &Plan, outcome: &Outcome) -> Total {
        let mut total = Total { is_run: true, policies: 1, ..kept_on_purpose(plan) };
        total.add_sources(&outcome.sources);
        let is_used = |deed: &Action| outcome.rules.iter().any(|run| run.deed == *deed);
        total.done = DEEDS.map(|deed| Some(deed).filter(is_used).map(|deed| outcome.records(deed)));
        for planned in &plan.rules {
            let run = outcome.rules.iter().find(|run| run.index == planned.index);
            match run {
                Some(run) => total.add_run(policy, planned, run),
                None => total.add_without_run(policy, planned),
            }
        }
        total.stopped = outcome.stopped;
        let undecided = outcome.accounts.iter().any(|one| one.outcome == RecoveryOutcome::Undecided);
        total
            .more
            .extend(undecided.then_some("whether a killed run's last batch was committed cannot be told"));
        let files = !outcome.problems.is_empty();
        total.more.extend(files.then_some("files of earlier runs could not be removed"));
        total
    }

    fn add_run(&mut self, policy: &Policy, planned: &PlannedRule, run: &RuleRun) {
        let name = &policy.rules[run.index].name;
        let due = planned.due().unwrap_or_default();
        // Others' deletions may have set records free, and those went, too.
        let set_free = run.records.saturating_sub(due);
        self.blocked += planned.blocked().unwrap_or_default().saturating_sub(set_free);
        self.due += run.survivors.unwrap_or(match run.outcome {
            RuleOutcome::Done => 0,
            _ => due.saturating_sub(run.records),
        });
        let is_read = self.add_reading(policy, planned, &run.problems);
        let what = match (run.outcome, run.survivors) {
            (RuleOutcome::Refused, _) if run.breach.is_some() => Undone::OverLimit,
            (RuleOutcome::Refused, _) => Undone::Refused,
            (RuleOutcome::Failed, Some(1..)) => Undone::Survived,
            (RuleOutcome::Failed, _) if is_read => Undone::Failed,
            _ => return,
        };
        self.is_undone(what, name);
    }

    /// Notes the worst that is the matter with a rule.
    fn is_undone(&mut self, what: Undone, name: &str) {
        if let Some(milder) = self.undone.get_mut(&Undone::InPart) {
            milder.retain(|known| known != name);
        }
        self.undone.entry(what).or_default().push(name.to_string());
    }

    /// A rule that is only reported, or whose turn did not come.
    fn add_without_run(&mut self, policy: &Policy, planned: &PlannedRule) {
        let due = planned.due().unwrap_or_default();
        self.blocked += planned.blocked().unwrap_or_default();
        if policy.rules[planned.index].enforce {
            self.due += due;
        } else {
            self.not_enforced += due;
        }
    }

    fn add_sources(&mut self, sources: &[SourceState]) {
        self.sources += u64::try_from(sources.len()).unwrap_or(u64::MAX);
        let unread = sources.iter().filter(|state| state.status != Status::Read || state.problem.is_some());
        self.unread.extend(unread.map(|state| state.source.clone()));
    }

    /// Adds what of a rule's data could not be read; whether it could be counted at all.
    fn add_reading(&mut self, policy: &Policy, planned: &PlannedRule, problems: &[Problem]) -> bool {
        let rule = &policy.rules[planned.index];
        if planned.due().is_none() {
            if !self.unread.contains(&rule.source) {
                self.is_undone(Undone::Unread, &rule.name);
            }
            return false;
        }
        if planned.unreadable > 0 {
            self.add_unreadable(Unreadable {
                data: rule.data(),
                records: planned.unreadable,
                at_least: planned.through_index,
            });
        }
        let is_more =
            |problem: &Problem| ![Code::Unreadable, Code::Survivors, Code::Limit].contains(&problem.code);
        if problems.iter().any(is_more) {
            self.is_undone(Undone::InPart, &rule.name);
        }
        true
    }

    /// Several rules may find the same records unreadable, or others.
    fn add_unreadable(&mut self, more: Unreadable) {
        match self.unreadable.iter_mut().find(|known| known.data == more.data) {
            Some(known) => {
                known.records = known.records.max(more.records);
                known.at_least = true;
            }
            None => self.unreadable.push(more),
        }
    }

    /// Adds what another policy comes to.
    pub fn add(&mut self, other: Total) {
        self.is_run |= other.is_run;
        self.policies += other.policies;
        for (mine, theirs) in self.done.iter_mut().zip(other.done) {
            *mine = mine.map_or(theirs, |mine| Some(mine + theirs.unwrap_or_default()));
        }
        self.due += other.due;
        self.over_limit += other.over_limit;
        self.refused += other.refused;
        self.not_enforced += other.not_enforced;
        self.blocked += other.blocked;
        self.newest += other.newest;
        self.without_clock += other.without_clock;
        self.sources += other.sources;
        self.unread.extend(other.unread);
        self.unreadable.extend(other.unreadable);
        for (what, names) in other.undone {
            self.undone.entry(what).or_default().extend(names);
        }
        self.stopped = self.stopped.or(other.stopped);
        self.more.extend(other.more);
    }

    /// Adds a policy for which a run could not begin; why has been said.
    pub fn add_not_run(&mut self, policy: &str) {
        self.is_run = true;
        self.policies += 1;
        self.is_undone(Undone::NotRun, policy);
    }

    /// Adds that a list is not whole.
    pub fn add_unfinished_list(&mut self) {
        self.more.insert("a list could not be finished");
    }

    /// The last line about one of several policies, or before a question.
    pub fn sentence(&self) -> String {
        let (what, why) = (self.what(), self.why().join("; "));
        if why.is_empty() { format!("{what}.") } else { format!("{what}; {why}.") }
    }

    /// The last line of all: what it comes to, and why the exit code is not 0.
    pub fn closing(&self, code: u8, fail_on_due: bool) -> String {
        let Some(ended) = self.ended(code, fail_on_due) else { return format!("{}.", self.what_of_all()) };
        format!("{}. {ended}", self.what_of_all())
    }

    /// Why the exit code is not 0.
    pub fn ended(&self, code: u8, fail_on_due: bool) -> Option<String> {
        let why = match self.why().join("; ") {
            _ if code == 0 => return None,
            why if why.is_empty() && fail_on_due => "that is what --fail-on-due asks for".to_string(),
            why if why.is_empty() => "see above".to_string(),
            why => why,
        };
        Some(format!("Ended with {code}: {why}."))
    }

    fn what_of_all(&self) -> String {
        let what = self.what();
        if self.policies > 1 { format!("{} policies: {what}", self.policies) } else { what }
    }

    fn is_whole(&self) -> bool {
        self.why().is_empty()
    }

    fn what(&self) -> String {
        let mut parts = if self.is_run { self.what_was_done() } else { self.what_is_due() };
        if self.blocked > 0 {
            let (time, are) = times(self.blocked);
            let what = if parts.is_empty() { records(self.blocked) } else { grouped(self.blocked) };
            parts.push(format!("{what} past {time} time {are} blocked"));
        }
        if parts.is_empty() {
            parts.push(
                if self.is_whole() { "Nothing is due" } else { "No record that can be read is due" }.into(),
            );
        }
        if self.newest > 0 {
            let (time, are) = times(self.newest);
            parts.push(format!("{} past {time} time {are} kept by `keep-newest`", grouped(self.newest)));
        }
        if self.without_clock > 0 {
            let have = if self.without_clock == 1 { "has" } else { "have" };
            parts.push(format!("{} {have} no clock, for no row starts it", records(self.without_clock)));
        }
        parts.join("; ")
    }

    fn what_is_due(&self) -> Vec<String> {
        if self.due == 0 {
            return Vec::new();
        }
        let parts = [
            (self.over_limit, "over a limit"),
            (self.refused, "of refused rules"),
            (self.not_enforced, "only reported (`enforce = false`)"),
        ];
        let left: u64 = parts.iter().map(|(count, _)| count).sum();
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts.map(|(count, why)| format!("{} {why}", grouped(*count))).collect();
        let but = match left {
            0 => String::new(),
            left => format!(", but a purge leaves {} of them: {}", grouped(left), parts.join(", ")),
        };
        let are = if self.due == 1 { "is" } else { "are" };
        vec![format!("{} {are} due{but}", records(self.due))]
    }

    fn what_was_done(&self) -> Vec<String> {
        let mut done: Vec<(Action, u64)> =
            DEEDS.into_iter().zip(self.done).filter_map(|(deed, count)| Some((deed, count?))).collect();
        if done.is_empty() {
            done.push((Action::Deleted, 0));
        }
        let mut parts = vec![deeds(done)];
        if self.due > 0 {
            parts.push(format!(
                "{} due {} left",
                grouped(self.due),
                if self.due == 1 { "record is" } else { "records are" }
            ));
        }
        if self.not_enforced > 0 {
            let are = if self.not_enforced == 1 { "record is" } else { "records are" };
            parts.push(format!("{} due {are} only reported (`enforce = false`)", grouped(self.not_enforced)));
        }
        parts
    }

    /// Why something was not read or not done, a phrase each.
    fn why(&self) -> Vec<String> {
        let said = |(what, names): (&Undone, &Vec<String>)| (!names.is_empty()).then(|| what.said_of(names));
        let stopped = self.stopped.map(|reason| format!("{reason}; the next purge goes on from there"));
        let mut why: Vec<String> = stopped.into_iter().collect();
        why.extend(self.undone.iter().filter_map(said));
        why.extend(self.unread_sources());
        why.extend(unreadable(&self.unreadable));
        why.extend(self.more.iter().map(|text| (*text).to_string()));
        why
    }

    fn unread_sources(&self) -> Option<String> {
        match (self.unread.len(), self.sources) {
            (0, _) => None,
            (_, 1) => Some(format!("{} could not be read", listed(&self.unread))),
            (unread, all) => {
                Some(format!("{unread} of {all} sources could not be read: {}", listed(&self.unread)))
            }
        }
    }
}

/// What stays and is neither blocked nor wrong, so that it is only counted.
fn kept_on_purpose(plan: &Plan) -> Total {
    let newest = plan.rules.iter().map(|planned| planned.newest).sum();
    let without_clock = plan.rules.iter().map(|planned| planned.without_clock).sum();
    Total { newest, without_clock, ..Total::default() }
}

fn times(count: u64) -> (&'static str, &'static str) {
    if count == 1 { ("its", "is") } else { ("their", "are") }
}

/// `4 records of app.people cannot be read`, or how many of how many datasets.
fn unreadable(all: &[Unreadable]) -> Option<String> {
    let count: u64 = all.iter().map(|one| one.records).sum();
    let at_least = if all.iter().any(|one| one.at_least) { "at least " } else { "" };
    let of: Vec<String> = all.iter().map(|one| one.data.clone()).collect();
    (count > 0).then(|| format!("{at_least}{} of {} cannot be read", records(count), listed(&of)))
}

/// Some names, and how many more there are.
fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES).map(|name| printable(name)).collect();
    match names.len().saturating_sub(NAMES) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
