//! `frist.report/1` and `frist.run/1`: stable, versioned, and the same numbers as the text.

use std::cell::RefCell;
use std::io::{self, Write};

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::forecast::Forecast;
use super::total::States;
use super::{Listing, More, Record, Subject, due_up_to};
use crate::diagnostic::{Code, write_json};
use crate::evaluate::Counts;
use crate::ledger::RecoveryOutcome;
use crate::plan::{LimitBreach, Limited, Plan, PlannedRule, SourceState};
use crate::policy::{Action, Breach, Policy, Rule};
use crate::run::{Account, Outcome, RuleRun};
use crate::source::{Problem, Status};

/// Writes one object and a line end.
pub fn write(out: &mut dyn Write, policy: &Policy, subject: Subject<'_>, more: More<'_>) -> io::Result<()> {
    match subject {
        Subject::Plan(plan) => write_json(out, &report(policy, plan, more))?,
        Subject::Run(plan, outcome) => write_json(out, &run(policy, plan, outcome))?,
    }
    writeln!(out)
}

#[derive(Serialize)]
struct Head<'a> {
    format: &'static str,
    policy: &'a str,
    policy_sha256: &'a str,
    now: String,
    timezone: &'static str,
}

impl<'a> Head<'a> {
    fn new(format: &'static str, policy: &'a Policy, plan: &Plan) -> Head<'a> {
        Head {
            format,
            policy: &policy.name,
            policy_sha256: &policy.sha256,
            now: policy.zone.rfc3339(plan.now),
            timezone: policy.zone.name(),
        }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    rules: Vec<ReportRule<'a>>,
    sources: Vec<Source<'a>>,
    totals: States,
}

#[derive(Serialize)]
struct RuleHead<'a> {
    rule: &'a str,
    data: String,
    then: &'static str,
    keep: String,
    due_up_to: Option<String>,
    #[serde(flatten)]
    why: Why<'a>,
}

/// Why a rule is there, in the policy's words, so that a promise stands beside what became of it.
#[derive(Serialize)]
struct Why<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    promise: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    law: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

impl<'a> Why<'a> {
    fn new(policy: &'a Policy, rule: &'a Rule) -> Why<'a> {
        let activity = rule.activity.as_deref().and_then(|name| policy.activity(name));
        Why {
            promise: rule.promise.as_deref(),
            purpose: activity.map(|activity| activity.purpose.as_str()),
            law: activity.and_then(|activity| activity.law.as_deref()),
            note: rule.note.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct ReportRule<'a> {
    #[serde(flatten)]
    head: RuleHead<'a>,
    #[serde(flatten)]
    counts: Counts,
    oldest_event: Option<String>,
    longest_overdue_days: Option<i64>,
    next_due: Option<String>,
    enforced: bool,
    limit: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    along: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    released: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_due: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'a Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forecast: Option<Value>,
    #[serde(flatten)]
    found: Found<'a>,
}

#[derive(Serialize)]
struct Source<'a> {
    source: &'a str,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a Problem>,
}

fn report<'a>(policy: &'a Policy, plan: &'a Plan, more: More<'a>) -> Report<'a> {
    let rules = plan.rules.iter().enumerate();
    Report {
        head: Head::new("frist.report/1", policy, plan),
        rules: rules.map(|(place, planned)| report_rule(policy, planned, place, more)).collect(),
        sources: sources(&plan.sources),
        totals: States::of(plan),
    }
}

fn report_rule<'a>(
    policy: &'a Policy,
    planned: &'a PlannedRule,
    place: usize,
    more: More<'a>,
) -> ReportRule<'a> {
    let rule = &policy.rules[planned.index];
    ReportRule {
        head: rule_head(policy, rule, planned),
        counts: planned.counts,
        oldest_event: planned.oldest_event.map(|date| date.to_string()),
        longest_overdue_days: planned.longest_overdue_days,
        next_due: planned.next_due.map(|date| date.to_string()),
        enforced: rule.enforce,
        limit: planned.breach.as_ref().map(limit),
        along: planned.along.iter().map(|(table, rows)| json!({ "table": table, "rows": rows })).collect(),
        released: planned
            .released
            .iter()
            .map(|(column, rows)| json!({ "column": column, "rows": rows }))
            .collect(),
        bytes_due: planned.bytes_due,
        newest: Some(planned.newest).filter(|newest| *newest > 0),
        warning: planned.warning.as_ref(),
        forecast: more.forecast.map(|forecast| json_forecast(forecast, place)),
        found: Found {
            records: more.listing.filter(|_| planned.counts.matched.is_some()).map(|listing| Records {
                listing,
                place,
                failed: RefCell::new(None),
            }),
            problems: planned.problems.iter().chain(&planned.refused).collect(),
            at: &rule.places.data_at,
        },
    }
}

fn json_forecast(forecast: &Forecast, place: usize) -> Value {
    let rule = &forecast.rules[place];
    let months = forecast.months().zip(&rule.by_month);
    let months: Vec<Value> =
        months.map(|(month, records)| json!({ "month": month, "records": records })).collect();
    json!({ "until": forecast.end.to_string(), "due": rule.due, "months": months, "later": rule.later })
}

fn rule_head<'a>(policy: &'a Policy, rule: &'a Rule, planned: &PlannedRule) -> RuleHead<'a> {
    RuleHead {
        rule: &rule.name,
        data: rule.data(),
        then: rule.then.word(),
        keep: rule.keep.to_string(),
        due_up_to: due_up_to(planned.due_up_to, policy.zone),
        why: Why::new(policy, rule),
    }
}

fn sources(states: &[SourceState]) -> Vec<Source<'_>> {
    states.iter().map(source).collect()
}

fn source(state: &SourceState) -> Source<'_> {
    Source { source: &state.source, status: state.status, problem: state.problem.as_ref() }
}

fn limit(broken: &LimitBreach) -> Value {
    let mut limit = breach(&broken.breach);
    if let (Limited::Dataset(name), Some(fields)) = (&broken.of, limit.as_object_mut()) {
        fields.insert("dataset".to_string(), json!(name));
    }
    limit
}

fn breach(breach: &Breach) -> Value {
    match breach {
        Breach::Records { value, allowed } => {
            json!({ "kind": "records", "value": value, "allowed": allowed })
        }
        Breach::Share { value, allowed } => {
            json!({ "kind": "share", "value": value, "allowed": allowed.fraction() })
        }
        Breach::Whole { .. } => json!({ "kind": "whole", "value": 1.0, "allowed": null }),
    }
}

/// The records of one rule and what is wrong with it, in this order: a list can meet a problem of its own,
/// and it is written before that is known.
struct Found<'a> {
    records: Option<Records<'a>>,
    problems: Vec<&'a Problem>,
    /// Where the policy names the rule's data.
    at: &'a str,
}

impl Serialize for Found<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        if let Some(records) = &self.records {
            fields.serialize_entry("records", records)?;
        }
        let failed = self.records.as_ref().and_then(|records| records.failed.take());
        // The plan may have met the same problem.
        let new = failed.filter(|new| self.problems.iter().all(|known| known.message != new.message));
        let new = new.map(|problem| problem.or_at(self.at));
        let all: Vec<&Problem> = self.problems.iter().copied().chain(&new).collect();
        fields.serialize_entry("problems", &all)?;
        fields.end()
    }
}

/// The records of one rule, read while they are written, so that memory stays flat.
struct Records<'a> {
    listing: &'a dyn Listing,
    place: usize,
    /// Why not all of them could be read.
    failed: RefCell<Option<Problem>>,
}

impl Serialize for Records<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        let mut unwritten = None;
        let read = self.listing.each(self.place, &mut |record| {
            unwritten = sequence.serialize_element(&json_record(&record)).err();
            unwritten.is_none()
        });
        // Whatever the source does, what is written of it must be whole.
        self.failed.replace(read.err());
        unwritten.map_or_else(|| sequence.end(), Err)
    }
}

fn json_record(record: &Record) -> Value {
    json!({
        "key": record.key,
        "state": record.state.word(),
        "event": record.event,
        "due_from": record.due_from,
        "reason": record.reason,
    })
}

#[derive(Serialize)]
struct Run<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    run: &'a str,
    recovered: Vec<Value>,
    rules: Vec<RunRule<'a>>,
    sources: Vec<Source<'a>>,
    #[serde(skip_serializing_if = "<[Problem]>::is_empty")]
    problems: &'a [Problem],
    totals: RunTotals,
    stopped: Option<Code>,
    exit_code: u8,
    ledger: Value,
}

/// The states that the run met before it did anything, and what it did.
#[derive(Serialize)]
struct RunTotals {
    #[serde(flatten)]
    states: States,
    deleted: u64,
    anonymised: u64,
    pseudonymised: u64,
    taken_along: u64,
}

#[derive(Serialize)]
struct RunRule<'a> {
    #[serde(flatten)]
    head: RuleHead<'a>,
    #[serde(flatten)]
    counts: Counts,
    deleted: u64,
    anonymised: u64,
    pseudonymised: u64,
    taken_along: u64,
    survivors: Option<u64>,
    residue: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_freed: Option<u64>,
    seconds: f64,
    outcome: Value,
    limit: Option<Value>,
    problems: &'a [Problem],
}

fn run<'a>(policy: &'a Policy, plan: &'a Plan, outcome: &'a Outcome) -> Run<'a> {
    Run {
        head: Head::new("frist.run/1", policy, plan),
        run: &outcome.run,
        recovered: outcome.accounts.iter().map(account).collect(),
        rules: outcome.rules.iter().map(|rule| run_rule(policy, plan, rule)).collect(),
        sources: sources(&outcome.sources),
        problems: &outcome.problems,
        totals: RunTotals {
            states: States::of(plan),
            deleted: outcome.records(Action::Deleted),
            anonymised: outcome.records(Action::Anonymised),
            pseudonymised: outcome.records(Action::Pseudonymised),
            taken_along: outcome.rules.iter().map(|run| run.taken_along).sum(),
        },
        stopped: outcome.stopped.map(crate::run::StopReason::code),
        exit_code: outcome.exit_code(),
        ledger: json!({ "entry": outcome.ledger.seq, "hash": outcome.ledger.hash.to_string() }),
    }
}

fn run_rule<'a>(policy: &'a Policy, plan: &'a Plan, run: &'a RuleRun) -> RunRule<'a> {
    let rule = &policy.rules[run.index];
    let planned = plan.rules.iter().find(|planned| planned.index == run.index);
    RunRule {
        head: RuleHead {
            rule: &rule.name,
            data: rule.data(),
            then: rule.then.word(),
            keep: rule.keep.to_string(),
            due_up_to: planned.and_then(|planned| due_up_to(planned.due_up_to, policy.zone)),
            why: Why::new(policy, rule),
        },
        counts: run.counts,
        deleted: run.records_of(Action::Deleted),
        anonymised: run.records_of(Action::Anonymised),
        pseudonymised: run.records_of(Action::Pseudonymised),
        taken_along: run.taken_along,
        survivors: run.survivors,
        residue: None,
        bytes_freed: run.freed,
        seconds: (run.took.as_secs_f64() * 1_000.0).round() / 1_000.0,
        outcome: json!(run.outcome),
        limit: run.breach.as_ref().map(limit),
        problems: &run.problems,
    }
}

fn account(account: &Account) -> Value {
    json!({
        "run": account.run,
        "deleted": account.deleted,
        "anonymised": account.anonymised,
        "pseudonymised": account.pseudonymised,
        "batch_in_doubt": match account.outcome {
            RecoveryOutcome::NoBatch => Value::Null,
            outcome => json!({ "rows": account.rows, "outcome": outcome, "exact": account.exact }),
        },
    })
}
