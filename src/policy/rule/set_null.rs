//! `set-null`: references to a record that are emptied when it goes, in rows that stay.

use std::ops::Range;

use super::given::condition;
use super::{Given, Target, Then};
use crate::diagnostic::{Code, Finding};
use crate::policy::relation::{On, Relation};
use crate::policy::section::{Placed, Section};

/// A column that is emptied in rows that refer to a record.
#[derive(Clone, Debug)]
pub struct SetNull {
    /// Which rows refer to it. Where `on` is not written, the one foreign key of the column says.
    pub relation: Relation,
    pub column: String,
    /// Where it stands in the policy, in bytes.
    pub span: Range<usize>,
}

/// Reads the list of a rule whose data may not be known.
pub(super) fn read(
    section: &mut Section<'_>,
    target: Option<&Target<'_>>,
    given: &Given<'_>,
) -> Vec<SetNull> {
    let title = format!("`set-null` of {}", section.title());
    let elsewhere = target.is_some_and(|target| !target.source.kind.has_tables());
    if elsewhere && section.has("set-null") {
        let message = format!("{title} needs a database: nothing else refers to records by keys");
        let finding = Finding::error(Code::BadValue, message, section.key_span("set-null"));
        section.note(finding.help("leave `set-null` out"));
        section.value("set-null");
        return Vec::new();
    }
    let mut all = Vec::new();
    for mut entry in section.listed_inline("set-null", &title) {
        all.extend(one(&mut entry, target, given));
        entry.finish();
    }
    all
}

fn one(entry: &mut Section<'_>, target: Option<&Target<'_>>, given: &Given<'_>) -> Option<SetNull> {
    let (table, column) = (entry.required("table"), entry.required("column"));
    let where_written = entry.has("where");
    let on = On::read(entry);
    let condition = condition(entry, "where");
    let (table, column, on) = (table?, column?, on.ok()?);
    if where_written && condition.is_none() {
        return None;
    }
    let relation = Relation {
        at: given.place(table.span.start),
        table: own_table(entry, &table, target?)?,
        span: table.span,
        elsewhere: None,
        on,
        condition: condition.map(|condition| condition.value),
    };
    Some(SetNull { relation, column: column.value, span: column.span })
}

/// The table, which one transaction has to reach: `TABLE`, or `SOURCE.TABLE` of the record's own source.
fn own_table(entry: &Section<'_>, written: &Placed<String>, target: &Target<'_>) -> Option<String> {
    let own = target.source.name.as_str();
    let table = match written.value.split_once('.') {
        Some((source, table)) if source == own => table,
        Some((source, _)) => {
            let message =
                format!("{} reaches into `{source}`, and one transaction into one database", entry.title());
            let finding = Finding::error(Code::BadValue, message, written.span.clone());
            entry.note(finding.help(format!("name a table of `{own}`")));
            return None;
        }
        None => &written.value,
    };
    if table.is_empty() {
        let message = format!("{} names no table", entry.title());
        entry.note(Finding::error(Code::BadValue, message, written.span.clone()));
        return None;
    }
    Some(table.to_string())
}

/// Notes that nothing lets go of a record that stays.
pub(super) fn check(section: &Section<'_>, then: Option<&Then>) {
    if section.has("set-null") && matches!(then, Some(Then::Anonymise(_))) {
        let message = format!("{} has `set-null`, and anonymises", section.title());
        let finding = Finding::error(Code::BadValue, message, section.key_span("set-null"));
        section.note(finding.help("references are emptied where the record that they name is deleted"));
    }
}
