//! Related rows that start a rule's period, or say how long it is, must not be deleted before it is
//! over: without them the records would be due too early, or never.

use crate::diagnostic::Finding;
use crate::policy::{Dated, Policy, Relation, Rule};

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in policy.rules.iter().filter(|rule| rule.enforce) {
        for dated in rule.start.related_parts() {
            let deleters = deleters(policy, rule, &dated.relation);
            findings.extend(deleters.filter_map(|other| too_early(rule, dated, other)));
        }
        if let Some(relation) = rule.keep.from_data().and_then(|asked| asked.relation.as_ref()) {
            findings.extend(deleters(policy, rule, relation).map(|other| unsaid(rule, relation, other)));
        }
    }
    findings
}

/// The rules that delete related rows.
fn deleters<'p>(
    policy: &'p Policy,
    rule: &'p Rule,
    relation: &'p Relation,
) -> impl Iterator<Item = &'p Rule> {
    policy.rules.iter().filter(move |other| {
        other.enforce && other.deletes() && relation.is_about(&rule.source, &other.source, &other.table)
    })
}

/// That a rule deletes the related rows too early, if it may.
fn too_early(rule: &Rule, dated: &Dated, other: &Rule) -> Option<Finding> {
    let same_time = other.start.only_column().is_some_and(|own| own.column == dated.column);
    let why = match (other.keep.fixed(), rule.keep.longest()) {
        (Some(theirs), Some(ours)) if same_time => {
            let date = theirs.first_earlier(&ours)?.date_in(ours.zone());
            format!("one of {date} goes before it should count no more")
        }
        _ if same_time => "and how long these or the records are kept, the data says".to_string(),
        _ => format!("and not by their `{}` alone", dated.column),
    };
    let message = format!(
        "rule `{}` deletes rows of `{}` that start the period of rule `{}`: {why}",
        other.name,
        dated.relation.rows(),
        rule.name
    );
    let help = format!(
        "without them records would be due too early: let rule `{}` keep its rows at least as long after `{}`",
        other.name, dated.column
    );
    Some(Finding::error("evidence-goes-first", message, dated.relation.span.clone()).help(help))
}

/// That a rule deletes rows that say how long others are kept.
fn unsaid(rule: &Rule, relation: &Relation, other: &Rule) -> Finding {
    let message = format!(
        "rule `{}` deletes rows of `{}` that say how long rule `{}` keeps its records",
        other.name,
        relation.rows(),
        rule.name
    );
    let help = format!(
        "a record without such a row waits for ever, and one of whose rows the longest is gone is due too early: \
         let rule `{}` keep them as long as there are such records",
        other.name
    );
    Finding::warning("evidence-goes-first", message, relation.span.clone()).help(help)
}
