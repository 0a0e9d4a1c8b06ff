//! What a run says of itself in the ledger.

use super::RuleRun;
use super::policy_run::RunOptions;
use crate::calendar::DueUpTo;
use crate::diagnostic::Code;
use crate::ledger::{RuleFinished, RuleStarted, RunStarted, SourceRead, SourceStatus, WrittenCode};
use crate::plan::{Plan, PlannedRule, SourceState};
use crate::policy::{Action, Policy, Rule};
use crate::source::Status;

pub(crate) fn run_started(
    policy: &Policy,
    plan: &Plan,
    circumstances: &RunOptions<'_>,
    previous_run: Option<String>,
) -> RunStarted {
    RunStarted {
        command: "purge".to_string(),
        version: env!("CARGO_PKG_VERSION").to_string(),
        policy: policy.name.clone(),
        policy_sha256: policy.sha256.clone(),
        now: plan.now.to_string(),
        timezone: policy.zone.name().to_string(),
        operator: circumstances.operator.clone(),
        host: circumstances.host.clone(),
        trigger: circumstances.trigger.to_string(),
        nights_missed: circumstances.runs_missed,
        previous_run,
    }
}

pub(crate) fn source_read(source: &SourceState) -> SourceRead {
    SourceRead {
        source: source.source.clone(),
        status: match source.status {
            Status::Read => SourceStatus::Read,
            Status::Missing => SourceStatus::Missing,
            Status::Failed => SourceStatus::Failed,
        },
        problem: source.problem.as_ref().map(|problem| problem.code.into()),
    }
}

pub(crate) fn rule_started(policy: &Policy, rule: &Rule, planned: &PlannedRule) -> RuleStarted {
    let activity = rule.activity.as_deref().and_then(|name| policy.activity(name));
    RuleStarted {
        rule: rule.name.clone(),
        data: rule.data(),
        then: rule.then.word().to_string(),
        pseudonyms: rule.then.deed() == Action::Pseudonymised,
        keep: rule.keep.to_string(),
        due_up_to: match planned.due_up_to {
            None | Some(DueUpTo::Nothing) => None,
            Some(told) => Some(told.to_string()),
        },
        activity: rule.activity.clone(),
        law: activity.and_then(|activity| activity.law.clone()),
        counts: planned.counts,
        oldest_event: planned.oldest_event.map(|date| date.to_string()),
        longest_overdue_days: planned.longest_overdue_days,
    }
}

pub(crate) fn rule_finished(rule: &Rule, run: &RuleRun) -> RuleFinished {
    let mut problems: Vec<WrittenCode> = run.problems.iter().map(|problem| problem.code.into()).collect();
    problems.extend(run.breach.as_ref().map(|_| Code::Limit.into()));
    RuleFinished {
        rule: rule.name.clone(),
        deleted: run.records_of(Action::Deleted),
        taken_along: run.taken_along,
        anonymised: run.records_of(Action::Anonymised),
        pseudonymised: run.records_of(Action::Pseudonymised),
        bytes_freed: run.freed,
        survivors: run.survivors,
        residue: None,
        batches: run.batches,
        seconds: run.took.into(),
        outcome: run.outcome,
        problems,
    }
}
