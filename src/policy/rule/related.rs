//! Rows that belong to a rule's records: in `after`, `unless` and `only-if`.

use toml::de::DeValue;

use super::given::condition;
use super::{Given, Target};
use crate::diagnostic::Finding;
use crate::policy::relation::{On, Relation};
use crate::policy::section::{Placed, Section};

/// Reads `table`, `on` and `where`.
pub(super) fn read(
    section: &mut Section<'_>,
    target: Option<&Target<'_>>,
    given: &Given<'_>,
) -> Option<Relation> {
    let table = section.required("table");
    let on_written = section.has("on");
    let on = section.parsed("on", On::parse);
    let where_written = section.has("where");
    let condition = condition(section, "where");
    let table = table.filter(|table| is_supported(section, table, target, given))?;
    if (on_written && on.is_none()) || (where_written && condition.is_none()) {
        return None;
    }
    Some(Relation {
        at: given.place(table.span.start),
        span: table.span,
        table: table.value,
        on: on.map(|on| on.value),
        condition: condition.map(|condition| condition.value),
    })
}

/// Reads a list of relations.
pub(super) fn list(
    section: &mut Section<'_>,
    key: &'static str,
    target: Option<&Target<'_>>,
    given: &Given<'_>,
) -> Vec<Relation> {
    let title = format!("`{key}` of {}", section.title());
    let mut relations = Vec::new();
    let value = section.value(key).map(|value| value.get_ref());
    if matches!(value, Some(DeValue::Array(items)) if items.is_empty()) {
        let message = format!("{title} names no table");
        let finding = Finding::error("bad-value", message, section.key_span(key));
        section.note(finding.help("write the tables that hold the related rows, or take the key away"));
    }
    for mut entry in section.listed_inline(key, &title) {
        relations.extend(read(&mut entry, target, given));
        entry.finish();
    }
    relations
}

/// Related rows can stand in the record's own database only, for now.
fn is_supported(
    section: &Section<'_>,
    table: &Placed<String>,
    target: Option<&Target<'_>>,
    given: &Given<'_>,
) -> bool {
    if table.value.is_empty() {
        let message = format!("{} names no table", section.title());
        let finding = Finding::error("bad-value", message, table.span.clone());
        section.note(finding.help("write the table that holds the related rows"));
        return false;
    }
    let Some(target) = target else { return false };
    if table.value.eq_ignore_ascii_case(&target.table) {
        let message =
            format!("related rows in the record's own table, in {}, are not yet supported", section.title());
        let finding = Finding::error("not-yet-supported", message, table.span.clone());
        section.note(finding.help("deleting some of its rows would change what is said of the others: leave the whole rule out for now"));
        return false;
    }
    let (source, _) = table.value.split_once('.').unwrap_or((&table.value, ""));
    let is_elsewhere = source != target.source.name && given.has_source(source);
    let message = if !target.source.kind.has_tables() {
        format!(
            "related rows of records that are not in a database, in {}, are not yet supported",
            section.title()
        )
    } else if is_elsewhere {
        format!("related rows in another source, in {}, are not yet supported", section.title())
    } else {
        return true;
    };
    let finding = Finding::error("not-yet-supported", message, table.span.clone());
    section.note(
        finding.help("this version can only relate tables of one database: leave the whole rule out for now"),
    );
    false
}
