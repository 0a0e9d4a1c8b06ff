//! A column that an anonymise rule sets must not be one that decides about records: what is set
//! would change when they are due, whom they belong to or how they are found.

use crate::diagnostic::Finding;
use crate::policy::{Dated, Policy, Relation, Rule, Setting, With};

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let settings =
        policy.rules.iter().flat_map(|rule| rule.then.settings().iter().map(move |setting| (rule, setting)));
    settings
        .filter_map(|(rule, setting)| Some(finding(rule, setting, &reader(policy, rule, setting)?)))
        .collect()
}

/// What reads the column, and where.
fn reader(policy: &Policy, rule: &Rule, setting: &Setting) -> Option<String> {
    let column = setting.column.as_str();
    let on_data = policy.rules_on(&rule.source, &rule.table);
    let own =
        on_data.filter_map(|other| Some(format!("{} of rule `{}`", own_key(other, column)?, other.name)));
    let related = policy.rules.iter().filter_map(|other| {
        let is_read = other.relations().any(|relation| reads(other, relation, rule, column));
        if is_read || is_said(other, rule, column) {
            return Some(format!("a relation of rule `{}`", other.name));
        }
        takes_along(other, rule, column).then(|| format!("`with` of rule `{}`", other.name))
    });
    own.chain(related).next().or_else(|| naming_key(policy, rule, column))
}

/// The key of a rule by which it reads a column of its own records.
fn own_key(other: &Rule, column: &str) -> Option<&'static str> {
    if other.start.own_parts().any(|own| own.column == column) {
        return Some("`after`");
    }
    if other.when.as_ref().is_some_and(|when| when.columns().iter().any(|read| read == column)) {
        return Some("`when`");
    }
    if other.keep.from_data().and_then(|asked| asked.own_column()) == Some(column) {
        return Some("`keep`");
    }
    let is_joined = |relation: &Relation| relation.on.as_ref().is_some_and(|on| on.ours.column == column);
    other.relations().any(is_joined).then_some("`on`")
}

/// Whether a relation goes to the table that is anonymised and reads the column there.
fn reads(other: &Rule, relation: &Relation, rule: &Rule, column: &str) -> bool {
    let is_joined = relation.on.as_ref().is_some_and(|on| on.theirs.column == column);
    let in_where = relation.condition.iter().flat_map(|read| read.columns()).any(|read| read == column);
    is_to(other, relation, rule) && (is_joined || in_where)
}

/// Whether a time or a period of another rule stands in the column.
fn is_said(other: &Rule, rule: &Rule, column: &str) -> bool {
    let is_dated = |dated: &Dated| is_to(other, &dated.relation, rule) && dated.column == column;
    let instructing = other.keep.from_data().filter(|asked| asked.column == column);
    let instructing = instructing.and_then(|asked| asked.relation.as_ref());
    other.start.related_parts().any(is_dated)
        || instructing.is_some_and(|relation| is_to(other, relation, rule))
}

/// Whether the column leads to what goes along with records: without it rows or files would be
/// forgotten.
fn takes_along(other: &Rule, rule: &Rule, column: &str) -> bool {
    let is_table = |table: &str| other.source == rule.source && table.eq_ignore_ascii_case(&rule.table);
    leads(&other.with, &other.table, &is_table, column)
}

fn leads(with: &With, table: &str, is_table: &impl Fn(&str) -> bool, column: &str) -> bool {
    let named = is_table(table) && with.files.iter().any(|files| files.column == column);
    named
        || with.rows.iter().any(|(relation, further)| {
            let on = relation.on.as_ref();
            let ours = is_table(table) && on.is_some_and(|on| on.ours.column == column);
            let read = relation.condition.iter().flat_map(|read| read.columns()).any(|read| read == column);
            let theirs =
                is_table(&relation.table) && (read || on.is_some_and(|on| on.theirs.column == column));
            ours || theirs || leads(further, &relation.table, is_table, column)
        })
}

fn is_to(other: &Rule, relation: &Relation, rule: &Rule) -> bool {
    relation.is_about(&other.source, &rule.source, &rule.table)
}

fn naming_key(policy: &Policy, rule: &Rule, column: &str) -> Option<String> {
    let source = policy.source(&rule.source)?;
    let settings = source.settings(&rule.table);
    let is_subject = settings.subject.as_ref().is_some_and(|(_, subject)| subject == column);
    let is_key = settings.key.iter().any(|key| key == column);
    let key = if is_subject { "subject" } else { "key" };
    (is_subject || is_key).then(|| format!("`{key}` of source `{}`", source.name))
}

fn finding(rule: &Rule, setting: &Setting, reader: &str) -> Finding {
    let message = format!("rule `{}` sets `{}`, which is read by {reader}", rule.name, setting.column);
    let help = "what is set would change which records are due: take the column off `set`, or let nothing read \
                it; what is anonymised already is passed over anyway";
    Finding::error("set-column-read", message, setting.span.clone()).help(help)
}
