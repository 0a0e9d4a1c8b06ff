//! A column that a rule sets, or empties in rows that stay, must not be one that decides about records: that
//! would change when they are due, whom they belong to or how they are found.

use crate::diagnostic::{Code, Finding};
use crate::policy::{Dated, Policy, Relation, Rule, SetNull, Setting, With};

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let set = policy.rules.iter().flat_map(|rule| {
        rule.then.settings().iter().filter_map(move |setting| {
            Some(finding(rule, setting, &reader(policy, (&rule.source, &rule.table), &setting.column)?))
        })
    });
    let emptied = policy.rules.iter().flat_map(|rule| {
        rule.set_null.iter().filter_map(move |emptied| {
            let data = Data { source: &rule.source, table: &emptied.relation.table };
            let reader = reader(policy, (data.source, data.table), &emptied.column);
            let reader = reader.or_else(|| emptying(policy, &data, emptied))?;
            Some(emptied_finding(rule, emptied, &reader))
        })
    });
    set.chain(emptied).collect()
}

/// A table of a source.
struct Data<'p> {
    source: &'p str,
    table: &'p str,
}

/// Another `set-null` that reads the column.
fn emptying(policy: &Policy, data: &Data<'_>, own: &SetNull) -> Option<String> {
    let is_read = |other: &&SetNull| {
        let relation = &other.relation;
        let in_where =
            relation.condition.iter().flat_map(|read| read.columns()).any(|read| *read == own.column);
        let is_joined = relation.joins_theirs(&own.column);
        relation.table.eq_ignore_ascii_case(data.table)
            && (in_where || (is_joined && other.column != own.column))
    };
    let of_source = policy.rules.iter().filter(|rule| rule.source == data.source);
    let reading = of_source.into_iter().find(|rule| rule.set_null.iter().any(|other| is_read(&other)))?;
    Some(format!("`set-null` of rule `{}`", reading.name))
}

fn emptied_finding(rule: &Rule, emptied: &SetNull, reader: &str) -> Finding {
    let (table, column) = (&emptied.relation.table, &emptied.column);
    let message = format!("rule `{}` empties `{table}.{column}`, which is read by {reader}", rule.name);
    let help = "an empty one would change what is said of rows that stay: leave it out of `set-null`, or let nothing \
                read it";
    Finding::error(Code::SetColumnRead, message, emptied.span.clone()).help(help)
}

/// What reads a column, and where.
fn reader(policy: &Policy, (source, table): (&str, &str), column: &str) -> Option<String> {
    let rule = &Data { source, table };
    let on_data = policy
        .rules
        .iter()
        .filter(|other| other.source == rule.source && other.table.eq_ignore_ascii_case(rule.table));
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
    if other.keep.instructions().and_then(|asked| asked.own_column()) == Some(column) {
        return Some("`keep`");
    }
    if other.per.iter().any(|read| read == column) {
        return Some("`per`");
    }
    other.relations().any(|relation| relation.joins_ours(column)).then_some("`on`")
}

/// Whether a relation goes to the table that is anonymised and reads the column there.
fn reads(other: &Rule, relation: &Relation, rule: &Data<'_>, column: &str) -> bool {
    let in_where = relation.condition.iter().flat_map(|read| read.columns()).any(|read| read == column);
    is_to(other, relation, rule) && (relation.joins_theirs(column) || in_where)
}

/// Whether a time or a period of another rule stands in the column.
fn is_said(other: &Rule, rule: &Data<'_>, column: &str) -> bool {
    let is_dated = |dated: &Dated| is_to(other, &dated.relation, rule) && dated.column == column;
    let instructing = other.keep.instructions().filter(|asked| asked.column == column);
    let instructing = instructing.and_then(|asked| asked.relation.as_ref());
    other.start.related_parts().any(is_dated)
        || instructing.is_some_and(|relation| is_to(other, relation, rule))
}

/// Whether the column leads to what goes along with records: without it rows or files would be
/// forgotten.
fn takes_along(other: &Rule, rule: &Data<'_>, column: &str) -> bool {
    let is_table = |table: &str| other.source == rule.source && table.eq_ignore_ascii_case(rule.table);
    leads(&other.with, &other.table, &is_table, column)
}

fn leads(with: &With, table: &str, is_table: &impl Fn(&str) -> bool, column: &str) -> bool {
    let named = is_table(table)
        && with.files.iter().any(|files| files.name.columns().iter().any(|named| named == column));
    named
        || with.rows.iter().any(|(relation, further)| {
            let ours = is_table(table) && relation.joins_ours(column);
            let read = relation.condition.iter().flat_map(|read| read.columns()).any(|read| read == column);
            let theirs = is_table(&relation.table) && (read || relation.joins_theirs(column));
            ours || theirs || leads(further, &relation.table, is_table, column)
        })
}

fn is_to(other: &Rule, relation: &Relation, rule: &Data<'_>) -> bool {
    relation.is_about(&other.source, rule.source, rule.table)
}

fn naming_key(policy: &Policy, rule: &Data<'_>, column: &str) -> Option<String> {
    let source = policy.source(rule.source)?;
    let settings = source.settings(rule.table);
    let is_subject = settings.subject.as_ref().is_some_and(|(_, subject)| subject == column);
    let is_key = settings.key.iter().any(|key| key == column);
    let key = if is_subject { "subject" } else { "key" };
    (is_subject || is_key).then(|| format!("`{key}` of source `{}`", source.name))
}

fn finding(rule: &Rule, setting: &Setting, reader: &str) -> Finding {
    let message = format!("rule `{}` sets `{}`, which is read by {reader}", rule.name, setting.column);
    let help = "what is set would change which records are due: take the column off `set`, or let nothing read \
                it; what is anonymised already is passed over anyway";
    Finding::error(Code::SetColumnRead, message, setting.span.clone()).help(help)
}
