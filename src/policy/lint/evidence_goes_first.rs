//! Related rows that start a rule's period must not be deleted before it is over: without them the
//! records would be due at once.

use std::cmp::Ordering;

use crate::calendar::{Event, telling_events};
use crate::diagnostic::Finding;
use crate::policy::{Dated, Policy, Rule};

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in policy.rules.iter().filter(|rule| rule.enforce) {
        for dated in rule.start.related_parts() {
            let others = policy.rules.iter().filter(|other| {
                let same_table = other.table.eq_ignore_ascii_case(&dated.relation.table);
                other.enforce && other.source == rule.source && same_table
            });
            findings.extend(others.filter_map(|other| too_early(rule, dated, other)));
        }
    }
    findings
}

/// That a rule deletes the related rows too early, if it may.
fn too_early(rule: &Rule, dated: &Dated, other: &Rule) -> Option<Finding> {
    let same_time = other.start.only_column().is_some_and(|own| own.column == dated.column);
    let why = if same_time {
        let (theirs, ours) = (&other.schedule, &rule.schedule);
        let is_early = |event: &Event| theirs.compare_due(ours, *event) == Ordering::Less;
        let schedules = [theirs, ours];
        let first = telling_events(&schedules).find(is_early)?;
        let date = match first {
            Event::Date(date) => date,
            Event::At(at) => ours.zone().date_of(at),
        };
        format!("one of {date} goes before it should count no more")
    } else {
        format!("and not by their `{}` alone", dated.column)
    };
    let message = format!(
        "rule `{}` deletes rows of `{}` that start the period of rule `{}`: {why}",
        other.name, other.table, rule.name
    );
    let help = format!(
        "without them records would be due too early: let rule `{}` keep its rows at least as long after `{}`",
        other.name, dated.column
    );
    Some(Finding::error("evidence-goes-first", message, dated.relation.span.clone()).help(help))
}
