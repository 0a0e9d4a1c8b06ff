//! Plans and runs in the text format of Prometheus, for the textfile collector of its node exporter.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use crate::calendar::Timestamp;
use crate::plan::{Plan, PlannedRule};
use crate::policy::{Action, Policy};
use crate::run::{Outcome, RuleRun};

/// What one policy exports.
pub enum Exported<'a> {
    /// What is due.
    Report(&'a Policy, &'a Plan),
    /// What a run did.
    Run {
        /// The policy.
        policy: &'a Policy,
        /// What was planned.
        plan: &'a Plan,
        /// What was done.
        outcome: &'a Outcome,
        /// How long it took.
        took: Duration,
        /// When a run of the policy last ended with 0, in seconds since 1970-01-01 UTC.
        last_success: Option<i64>,
    },
    /// A run that could not begin.
    NotRun {
        /// The policy.
        policy: &'a Policy,
        /// With what it ended.
        code: u8,
        /// When that was.
        now: Timestamp,
        /// When a run of the policy last ended with 0, in seconds since 1970-01-01 UTC.
        last_success: Option<i64>,
    },
}

/// The metrics, all of them gauges: they tell of the last run, which another one replaces.
const METRICS: [(&str, &str); 11] = [
    ("frist_due_records", "Records past their time that nothing keeps; after a purge, those that are left."),
    ("frist_blocked_records", "Records past their time that something else keeps."),
    ("frist_held_records", "Records past their time that a hold keeps."),
    ("frist_unreadable_records", "Records whose time cannot be read, and that are kept."),
    ("frist_overdue_seconds", "For how long the longest overdue record has been due; whole days."),
    ("frist_run_records", "Records that the last purge deleted, anonymised or pseudonymised."),
    ("frist_report_timestamp_seconds", "As of when the report was made."),
    ("frist_run_timestamp_seconds", "When the last purge began."),
    ("frist_run_duration_seconds", "How long the last purge took."),
    ("frist_run_exit_code", "The exit code of the last purge."),
    ("frist_last_success_timestamp_seconds", "When a purge last ended with 0."),
];

/// Samples by the name of their metric, each with its labels.
#[derive(Default)]
struct Samples(BTreeMap<&'static str, Vec<String>>);

/// Writes the metrics of some policies.
pub fn write(out: &mut dyn Write, all: &[Exported<'_>]) -> io::Result<()> {
    let mut samples = Samples::default();
    all.iter().for_each(|one| samples.take(one));
    for (name, help) in METRICS {
        let Some(lines) = samples.0.get(name) else { continue };
        writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge")?;
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    Ok(())
}

impl Samples {
    fn add(&mut self, name: &'static str, labels: &[(&str, &str)], value: impl ToString) {
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let line = format!("{name}{{{}}} {}", labels.join(","), value.to_string());
        self.0.entry(name).or_default().push(line);
    }

    fn take(&mut self, exported: &Exported<'_>) {
        match exported {
            Exported::Report(policy, plan) => {
                let name = [("policy", policy.name.as_str())];
                self.add("frist_report_timestamp_seconds", &name, plan.now.seconds());
                for planned in &plan.rules {
                    self.rule(policy, planned, [planned.due(), planned.blocked()]);
                }
            }
            Exported::Run { policy, plan, outcome, took, last_success } => {
                self.run(policy, plan.now, i64::from(outcome.exit_code()), *last_success);
                let name = [("policy", policy.name.as_str())];
                self.add("frist_run_duration_seconds", &name, format!("{:.3}", took.as_secs_f64()));
                for planned in &plan.rules {
                    let run = outcome.rules.iter().find(|run| run.index == planned.index);
                    let kept = [planned.due(), planned.blocked()];
                    self.rule(policy, planned, run.map_or(kept, |run| left(planned, run)));
                    run.iter().for_each(|run| self.done(policy, run));
                }
            }
            Exported::NotRun { policy, code, now, last_success } => {
                self.run(policy, *now, i64::from(*code), *last_success);
            }
        }
    }

    fn run(&mut self, policy: &Policy, now: Timestamp, code: i64, last_success: Option<i64>) {
        let name = [("policy", policy.name.as_str())];
        self.add("frist_run_timestamp_seconds", &name, now.seconds());
        self.add("frist_run_exit_code", &name, code);
        last_success.iter().for_each(|at| self.add("frist_last_success_timestamp_seconds", &name, at));
    }

    /// What is past its time under a rule. What nobody counted is no sample: a number would be a guess.
    fn rule(&mut self, policy: &Policy, planned: &PlannedRule, [due, blocked]: [Option<u64>; 2]) {
        let labels = [("policy", policy.name.as_str()), ("rule", &policy.rules[planned.index].name)];
        let counts = [
            ("frist_due_records", due),
            ("frist_blocked_records", blocked),
            ("frist_held_records", planned.counts.held),
            ("frist_unreadable_records", planned.counts.unreadable),
        ];
        for (name, count) in counts {
            count.iter().for_each(|count| self.add(name, &labels, count));
        }
        if let Some(due) = due {
            let days = planned.longest_overdue_days.filter(|_| due > 0).unwrap_or_default();
            self.add("frist_overdue_seconds", &labels, days.saturating_mul(86_400));
        }
    }

    fn done(&mut self, policy: &Policy, run: &RuleRun) {
        let rule = policy.rules[run.index].name.as_str();
        let done = match run.deed {
            Action::Deleted => "deleted",
            Action::Anonymised => "anonymised",
            Action::Pseudonymised => "pseudonymised",
        };
        let labels = [("policy", policy.name.as_str()), ("rule", rule), ("done", done)];
        self.add("frist_run_records", &labels, run.records);
    }
}

/// The due and the blocked records that a run left. Others' deletions may have set some free, and those went,
/// too.
fn left(planned: &PlannedRule, run: &RuleRun) -> [Option<u64>; 2] {
    let due = planned.due();
    let set_free = run.records.saturating_sub(due.unwrap_or_default());
    let left = run.survivors.or_else(|| due.map(|due| due.saturating_sub(run.records)));
    [left, planned.blocked().map(|blocked| blocked.saturating_sub(set_free))]
}

/// A label's value: within quotes, and on one line.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_ends_where_it_should() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }

    #[test]
    fn every_sample_has_a_metric_that_is_explained() {
        let mut samples = Samples::default();
        samples.add("frist_due_records", &[("policy", "p"), ("rule", "r")], 3);
        assert_eq!(samples.0["frist_due_records"], ["frist_due_records{policy=\"p\",rule=\"r\"} 3"]);
        assert!(METRICS.iter().all(|(name, help)| name.starts_with("frist_") && help.ends_with('.')));
    }
}
