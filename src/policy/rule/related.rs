//! Rows that belong to a rule's records: in `after`, `unless` and `only-if`.

use toml::de::DeValue;

use super::given::condition;
use super::{Given, Target, rows};
use crate::diagnostic::{Code, Finding};
use crate::policy::relation::{On, Relation};
use crate::policy::section::Section;

/// Reads `table`, `on` and `where`.
pub(super) fn read(
    section: &mut Section<'_>,
    target: Option<&Target<'_>>,
    given: &Given<'_>,
) -> Option<Relation> {
    let table = section.required("table");
    let on_written = section.has("on");
    let on = On::read(section);
    let where_written = section.has("where");
    let condition = condition(section, "where");
    let table = table?;
    let rows = rows::find(section, &table, target, given)?;
    let on = on.ok()?;
    if where_written && condition.is_none() {
        return None;
    }
    if rows.elsewhere.is_some() && !on_written {
        let message = format!("{} has no `on`, and no foreign key reaches another source", section.title());
        let finding = Finding::error(Code::MissingKey, message, table.span);
        section.note(finding.help("say which columns are equal, such as on = \"customer_id = id\""));
        return None;
    }
    Some(Relation {
        at: given.place(table.span.start),
        span: table.span,
        elsewhere: rows.elsewhere,
        table: rows.table,
        on,
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
        let finding = Finding::error(Code::BadValue, message, section.key_span(key));
        section.note(finding.help("write the tables that hold the related rows, or take the key away"));
    }
    for mut entry in section.listed_inline(key, &title) {
        relations.extend(read(&mut entry, target, given));
        entry.finish();
    }
    relations
}
