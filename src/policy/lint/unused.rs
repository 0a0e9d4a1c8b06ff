//! A source, an activity or a law that nothing uses protects nothing.

use std::collections::HashSet;

use crate::anonymise::Form;
use crate::diagnostic::{Code, Finding, nearest};
use crate::policy::statute::Statute;
use crate::policy::{ColumnSettings, Policy, Rule, Source};

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let used: HashSet<&str> = policy.rules.iter().flat_map(sources_of).collect();
    let named: HashSet<&str> = policy.rules.iter().filter_map(|rule| rule.activity.as_deref()).collect();
    let lawful: HashSet<&str> =
        policy.activities.iter().filter_map(|activity| activity.law.as_deref()).collect();
    let sources = policy
        .sources
        .iter()
        .filter(|source| !used.contains(source.name.as_str()))
        .map(|source| finding(Code::UnusedSource, "source", &source.name, source.span.clone()));
    // An activity with a time limit in words is carried out by somebody else.
    let activities = policy
        .activities
        .iter()
        .filter(|activity| activity.time_limit.is_none())
        .filter(|activity| !named.contains(activity.name.as_str()))
        .map(|activity| finding(Code::UnusedActivity, "activity", &activity.name, activity.span.clone()));
    let laws = policy.laws.iter().filter(|law| !lawful.contains(law.id.as_str())).map(unused_law);
    sources.chain(activities).chain(laws).chain(tables(policy)).chain(formats(policy)).collect()
}

/// The sources that a rule is about, or asks about rows in.
fn sources_of(rule: &Rule) -> impl Iterator<Item = &str> {
    let elsewhere = rule.relations().filter_map(|relation| relation.elsewhere.as_deref());
    std::iter::once(rule.source.as_str()).chain(elsewhere)
}

/// Settings of a table that no rule is about are usually a misspelt name.
fn tables(policy: &Policy) -> impl Iterator<Item = Finding> {
    settings(policy).filter_map(|(source, table, settings)| {
        let ignored = source.ignore.iter().any(|ignored| ignored.matches(table));
        let rules = policy.rules.iter().filter(|rule| rule.source == source.name);
        let related = policy.rules.iter().flat_map(|rule| {
            let theirs = rule
                .relations()
                .filter(|relation| relation.is_about(&rule.source, &source.name, &relation.table));
            theirs.map(|relation| relation.table.as_str())
        });
        let along = policy.rules.iter().filter(|rule| rule.source == source.name);
        let along = along.flat_map(|rule| rule.with.relations()).map(|relation| relation.table.as_str());
        let known: Vec<&str> = rules.map(|rule| rule.table.as_str()).chain(related).chain(along).collect();
        if ignored || known.contains(&table) {
            return None;
        }
        let message = format!("no rule is about table `{table}` of source `{}`", source.name);
        let near = nearest(table, known).map(|near| format!("did you mean `{near}`?"));
        Some(Finding::warning(Code::UnusedTable, message, settings.span.clone()).maybe_help(near))
    })
}

/// So are formats of columns that start no rule's period.
fn formats(policy: &Policy) -> impl Iterator<Item = Finding> {
    let written = settings(policy).flat_map(|(source, table, settings)| {
        settings.own_formats.iter().map(move |(column, span)| (source, table, column, span))
    });
    written.filter_map(|(source, table, column, span)| {
        let columns = timed_columns(policy, source, table);
        if columns.is_empty() || columns.contains(&column.as_str()) {
            return None;
        }
        let message = format!("no rule on table `{table}` reads the time in column `{column}`");
        let near = nearest(column, columns).map(|near| format!("did you mean `{near}`?"));
        Some(Finding::warning(Code::UnusedFormat, message, span.clone()).maybe_help(near))
    })
}

/// The columns of a table in which rules read a time.
fn timed_columns<'p>(policy: &'p Policy, source: &'p Source, table: &'p str) -> Vec<&'p str> {
    let own = policy.rules_on(&source.name, table).flat_map(|rule| rule.start.own_parts());
    let related = policy.rules.iter().flat_map(|rule| {
        rule.start.related_parts().filter(|dated| dated.relation.is_about(&rule.source, &source.name, table))
    });
    let made_coarse = policy.rules_on(&source.name, table).flat_map(|rule| rule.then.settings());
    let made_coarse = made_coarse.filter(|setting| matches!(setting.form, Form::Begin(_)));
    own.map(|own| own.column.as_str())
        .chain(related.map(|dated| dated.column.as_str()))
        .chain(made_coarse.map(|setting| setting.column.as_str()))
        .collect()
}

fn settings(policy: &Policy) -> impl Iterator<Item = (&Source, &str, &ColumnSettings)> {
    policy.sources.iter().flat_map(|source| {
        source.tables.iter().map(move |(table, settings)| (source, table.as_str(), settings))
    })
}

fn unused_law(law: &Statute) -> Finding {
    let message = format!("no activity names law `{}`", law.id);
    let help = "write it as the `law` of an activity, or take the law away";
    Finding::warning(Code::UnusedLaw, message, law.span.clone()).help(help)
}

fn finding(code: Code, kind: &str, name: &str, span: std::ops::Range<usize>) -> Finding {
    Finding::warning(code, format!("no rule uses {kind} `{name}`"), span)
        .help(format!("write a rule for it, or take the {kind} away"))
}
