//! What a rule says of a folder's records: a modification time or a date in a name, and the
//! newest that stay.

use super::Start;
use crate::calendar::{Count, Format, Timestamps, Unit, Zone};
use crate::condition::Condition;
use crate::diagnostic::{Code, Finding, nearest};
use crate::policy::FOLDER_COLUMNS;
use crate::policy::section::{Placed, Section};
use crate::policy::source::read_of_name;

/// What of a record can be asked.
pub(super) const COLUMNS: &str = "a folder's records have `name`, `path` (below the folder), `folder` (that in which it lies \
                                  there) and `size` (in bytes)";

const CHOICES: &str = "write \"modified\", or a date in the name such as { name = \"app-%Y-%m-%d.db.zst\" }";

/// Reads a table of `name` or `column`.
pub(super) fn after(inner: &mut Section<'_>, times_in: Zone) -> Option<Start> {
    inner.not_yet(&["table", "on", "where", "latest", "earliest", "optional"]);
    let name_written = inner.has("name");
    let name = inner.value("name").and_then(|value| read_of_name(inner, "name", value));
    let column = inner.text("column");
    let start = column.as_ref().and_then(|column| modified(inner, column));
    if name_written == inner.has("column") {
        let message = format!("{} must have either `name` or `column`", inner.title());
        inner.note(Finding::error(Code::MissingKey, message, inner.span()).help(CHOICES));
        return None;
    }
    match name {
        Some(format) => Some(Start::own("name".to_string(), timestamps(format, times_in))),
        None => start,
    }
}

/// The only column of a file that is a time.
pub(super) fn modified(section: &Section<'_>, column: &Placed<String>) -> Option<Start> {
    if column.value != "modified" {
        let message = format!("`{}` is no time of a file", column.value);
        let finding = Finding::error(Code::UnknownColumn, message, column.span.clone());
        section.note(finding.help(CHOICES));
        return None;
    }
    Some(Start::own(
        "modified".to_string(),
        timestamps(Format::Count(Count::unix(Unit::Nanoseconds)), Zone::UTC),
    ))
}

/// How a folder's records tell the time. Every name says something: a blank one is no date.
fn timestamps(format: Format, times_in: Zone) -> Timestamps {
    Timestamps::new(format, times_in, Vec::new()).where_blank_is_text()
}

/// Notes every column of `when` that no record of a folder has.
pub(super) fn check_columns(section: &Section<'_>, when: Option<&Placed<Condition>>) {
    let Some(when) = when else { return };
    for column in when.value.columns().iter().filter(|column| !FOLDER_COLUMNS.contains(&column.as_str())) {
        let message = format!("`{column}` is nothing that a folder's records have");
        let help = match nearest(column, FOLDER_COLUMNS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => COLUMNS.to_string(),
        };
        section.note(Finding::error(Code::UnknownColumn, message, when.span.clone()).help(help));
    }
}
