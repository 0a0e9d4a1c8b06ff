//! What leaves each dataset in a run, by whatever rules, and whether that is more than its limit allows.

use std::collections::BTreeMap;

use super::{Accepted, Breach, LimitBreach, Limited, Plan, PlannedRule};
use crate::policy::{Policy, Rule, Source};
use crate::source;

/// A dataset that loses records.
struct Loser<'p> {
    source: &'p Source,
    table: &'p str,
    /// How many records leave it; one that goes in two ways counts twice.
    gone: u64,
    /// The rules that take them, by their places in the policy.
    rules: Vec<usize>,
}

/// Which rules take from a dataset that would lose more than its limit allows, by their places in the
/// policy. What a rule takes whose own limit is written or accepted is not counted, for somebody has
/// said how much it may be.
pub(super) fn broken(policy: &Policy, plan: &Plan, accepted: &Accepted) -> BTreeMap<usize, LimitBreach> {
    let mut broken = BTreeMap::new();
    for loser in losers(policy, plan, accepted) {
        let Some(breach) = loser.breach(policy, plan) else { continue };
        let name = loser.name();
        if accepted.datasets.contains(&name) {
            continue;
        }
        for rule in loser.rules {
            let breach = LimitBreach { of: Limited::Dataset(name.clone()), breach };
            broken.entry(rule).or_insert(breach);
        }
    }
    broken.extend(own(policy, plan, accepted));
    broken
}

/// The rules that their own limit refuses.
fn own(policy: &Policy, plan: &Plan, accepted: &Accepted) -> Vec<(usize, LimitBreach)> {
    let refused = plan.rules.iter().filter_map(|planned| {
        let rule = &policy.rules[planned.index];
        let breach = planned.refusing(rule, accepted).filter(|_| rule.deletes())?;
        Some((planned.index, breach.clone()))
    });
    refused.collect()
}

fn losers<'p>(policy: &'p Policy, plan: &'p Plan, accepted: &Accepted) -> Vec<Loser<'p>> {
    let mut losers: Vec<Loser<'p>> = Vec::new();
    for planned in &plan.rules {
        let rule = &policy.rules[planned.index];
        let Some(source) = policy.source(&rule.source) else { continue };
        if rule.has_own_limit || accepted.rules.contains(&rule.name) {
            continue;
        }
        for (table, records) in taken(rule, planned) {
            let is_known = |loser: &&mut Loser<'_>| loser.source.name == source.name && loser.table == table;
            match losers.iter_mut().find(is_known) {
                Some(loser) => {
                    loser.gone = loser.gone.saturating_add(records);
                    loser.rules.push(planned.index);
                }
                None => losers.push(Loser { source, table, gone: records, rules: vec![planned.index] }),
            }
        }
    }
    losers
}

/// What a rule takes from which tables, if nothing refuses it. What it anonymises does not leave.
fn taken<'p>(rule: &'p Rule, planned: &'p PlannedRule) -> impl Iterator<Item = (&'p str, u64)> {
    let goes = rule.enforce && rule.deletes() && planned.refused.is_none();
    let own = (rule.table.as_str(), planned.counts.due.unwrap_or_default());
    let along = planned.along.iter().map(|(table, rows)| (table.as_str(), *rows));
    std::iter::once(own).chain(along).filter(move |(_, records)| goes && *records > 0)
}

impl Loser<'_> {
    /// As rules and `--accept-limit` name it.
    fn name(&self) -> String {
        dataset_name(&self.source.name, self.table)
    }

    fn breach(&self, policy: &Policy, plan: &Plan) -> Option<Breach> {
        let limit = self.source.settings(self.table).limit.or(policy.limit);
        let on_it = plan.rules.iter().filter(|planned| {
            let rule = &policy.rules[planned.index];
            rule.source == self.source.name && rule.table == self.table
        });
        let counted = on_it.map(|planned| planned.total).max();
        if let Some(total) = counted {
            limit.breach_of_dataset(self.gone.min(total.max(1)), total)?;
        }
        // A rule's own limit may have needed fewer records to be counted, or nothing was counted here.
        let bound = limit.enough_to_count_of_dataset(self.gone);
        let total = source::records_up_to(self.source, self.table, bound).or(counted).unwrap_or(self.gone);
        limit.breach_of_dataset(self.gone.min(total), total)
    }
}

/// `SOURCE.TABLE`, or SOURCE where it has no tables.
pub(crate) fn dataset_name(source: &str, table: &str) -> String {
    if table.is_empty() { source.to_string() } else { format!("{source}.{table}") }
}
