//! Triggers on covered tables that write their rows into others, or delete those of others.

use super::reading::{Facts, Relation};
use super::{Database, Named};
use crate::coverage::Coverage;
use crate::diagnostic::{Code, Finding};
use crate::policy::Rule;
use crate::source::sqlite::trigger::Trigger;

pub(super) fn check(database: &Database<'_>, facts: &Facts<'_>, coverage: &mut Coverage) {
    database.rules().for_each(|rule| deletes_others(database, facts, rule, coverage));
    for trigger in &facts.triggers {
        let rules = database.rules();
        let Some((named, rule)) =
            rules.into_iter().find(|(_, rule)| rule.table.eq_ignore_ascii_case(&trigger.table))
        else {
            continue;
        };
        for target in targets(trigger, facts) {
            if database.is_covered(target) {
                continue;
            }
            if !is_kept_in_step(trigger, target, facts) {
                coverage.add(named.at, finding(trigger, target, rule));
            } else if let Some((named, rule)) = database.anonymising_rule_on(&trigger.table)
                && !is_followed(trigger, target, facts)
            {
                coverage.add(named.at, not_followed(trigger, target, rule));
            }
        }
    }
}

/// Warns where triggers that a rule sets off delete rows that have a rule of their own, which nobody asks then.
fn deletes_others(
    database: &Database<'_>,
    facts: &Facts<'_>,
    (named, rule): (Named<'_>, &Rule),
    coverage: &mut Coverage,
) {
    let along = rule.with.relations();
    let losing = losing(facts, rule);
    for trigger in facts.triggers.iter().filter(|trigger| is_set_off(trigger, rule, &losing)) {
        for (at, target) in trigger.deletes.iter().enumerate() {
            let is_target = |name: &str| name.eq_ignore_ascii_case(target);
            let is_told = trigger.deletes[..at].iter().any(|earlier| is_target(earlier));
            let is_along = along.iter().any(|relation| is_target(&relation.table));
            let other = database.rules().find(|(_, other)| is_target(&other.table));
            if let Some((_, other)) = other.filter(|_| !is_told && !is_along) {
                coverage.add(named.at, deletes(trigger, rule, other));
            }
        }
    }
}

fn is_set_off(trigger: &Trigger, rule: &Rule, losing: &[&str]) -> bool {
    let is_changed = !rule.deletes() && trigger.table.eq_ignore_ascii_case(&rule.table);
    (trigger.on_update && is_changed) || (trigger.on_delete && has(losing, &trigger.table))
}

/// The tables that lose rows by a rule: its own, those that go along or by a cascade, and those from which triggers on
/// any of these delete.
fn losing<'f>(facts: &'f Facts<'_>, rule: &'f Rule) -> Vec<&'f str> {
    let mut losing: Vec<&str> = Vec::new();
    if rule.deletes() {
        losing.push(&rule.table);
        losing.extend(rule.with.relations().iter().map(|relation| relation.table.as_str()));
    }
    loop {
        let references = facts.about.iter().flat_map(|about| &about.references);
        let cascades = references.filter(|pointing| {
            pointing.reference.on_delete.eq_ignore_ascii_case("CASCADE") && has(&losing, &pointing.parent)
        });
        let by_key = cascades.map(|pointing| pointing.reference.child.as_str());
        let set_off = facts.triggers.iter().filter(|trigger| is_set_off(trigger, rule, &losing));
        let by_trigger = set_off.flat_map(|trigger| trigger.deletes.iter().map(String::as_str));
        let more = by_key.chain(by_trigger).find(|table| !has(&losing, table));
        match more {
            Some(table) => losing.push(table),
            None => return losing,
        }
    }
}

fn has(tables: &[&str], table: &str) -> bool {
    tables.iter().any(|known| known.eq_ignore_ascii_case(table))
}

fn deletes(trigger: &Trigger, rule: &Rule, other: &Rule) -> Finding {
    let is_change = !rule.deletes() && trigger.table.eq_ignore_ascii_case(&rule.table);
    let does = if is_change { "changes" } else { "makes" };
    let goes = if is_change { "" } else { " go" };
    let message = format!(
        "trigger `{}` deletes rows of `{}` where rule `{}` {does} rows of `{}`{goes}, whatever rule `{}` says of them",
        trigger.name, other.table, rule.name, trigger.table, other.name
    );
    let help = if rule.deletes() && !other.table.eq_ignore_ascii_case(&rule.table) {
        format!(
            "take them along: with = [{{ table = \"{}\", on = \"…\" }}] in rule `{}`; or drop the trigger",
            other.table, rule.name
        )
    } else {
        "drop the trigger, or let it leave rows alone that the rule keeps".to_string()
    };
    Finding::warning(Code::TriggerDeletes, message, rule.places.data.clone()).help(help)
}

/// The tables into which a trigger copies, each once, apart from its own and from full-text
/// tables, which are looked at by themselves.
fn targets<'f>(trigger: &'f Trigger, facts: &'f Facts<'_>) -> Vec<&'f str> {
    let mut targets: Vec<&str> = Vec::new();
    for insert in trigger.inserts.iter().filter(|insert| insert.copies) {
        let relation = relation(facts, &insert.into);
        let is_index =
            relation.and_then(|relation| relation.module.as_ref()).is_some_and(|m| m.is_full_text());
        let name = relation.map_or(insert.into.as_str(), |relation| relation.name.as_str());
        if !is_index && !name.eq_ignore_ascii_case(&trigger.table) && !targets.contains(&name) {
            targets.push(name);
        }
    }
    targets
}

/// Whatever its capitals: SQL does not mind them.
fn relation<'f>(facts: &'f Facts<'_>, name: &str) -> Option<&'f Relation> {
    facts.relations.iter().find(|relation| relation.name.eq_ignore_ascii_case(name))
}

/// Whether the copy goes when its original does. What is written at the deletion itself stays.
fn is_kept_in_step(trigger: &Trigger, target: &str, facts: &Facts<'_>) -> bool {
    let mut beside = facts.triggers.iter().filter(|other| other.table.eq_ignore_ascii_case(&trigger.table));
    !trigger.on_delete && beside.any(|other| other.clears(target))
}

/// Whether the copy changes when its original does.
fn is_followed(trigger: &Trigger, target: &str, facts: &Facts<'_>) -> bool {
    let mut beside = facts.triggers.iter().filter(|other| other.table.eq_ignore_ascii_case(&trigger.table));
    beside.any(|other| other.follows(target))
}

fn not_followed(trigger: &Trigger, target: &str, rule: &Rule) -> Finding {
    let message = format!(
        "trigger `{}` copies rows of `{}` into `{target}`, where they stay as they are when rule `{}` anonymises \
         the rows",
        trigger.name, rule.table, rule.name
    );
    let help = format!(
        "let a trigger AFTER UPDATE ON `{}` change `{target}` too, write a rule for it, or ignore it and say why",
        rule.table
    );
    Finding::warning(Code::TriggerCopies, message, rule.places.data.clone()).help(help)
}

fn finding(trigger: &Trigger, target: &str, rule: &Rule) -> Finding {
    let message = format!(
        "trigger `{}` copies rows of `{}` into `{target}`, which no rule covers: what is deleted goes on living there",
        trigger.name, rule.table
    );
    let help = format!(
        "write a rule for `{}.{target}`, drop the trigger, or ignore the table and say why",
        rule.source
    );
    Finding::warning(Code::TriggerCopies, message, rule.places.data.clone()).help(help)
}
