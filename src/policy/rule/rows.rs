//! `table` in a relation: where the related rows are.

use super::{Given, Target};
use crate::diagnostic::{Code, Finding, nearest};
use crate::policy::relation::Relation;
use crate::policy::section::{Placed, Section};
use crate::policy::source::{ColumnSettings, Kind, Source};

/// Where related rows are.
pub(super) struct Rows {
    /// Their source, where that is not the record's own.
    pub(super) elsewhere: Option<String>,
    /// Their table; empty where the source has none.
    pub(super) table: String,
}

/// Finds the rows that `table` names: a table of the record's own database, `SOURCE.TABLE`, or
/// the name of a CSV source.
pub(super) fn find(
    section: &Section<'_>,
    written: &Placed<String>,
    target: Option<&Target<'_>>,
    given: &Given<'_>,
) -> Option<Rows> {
    let target = target?;
    let (source, table) = written.value.split_once('.').unwrap_or((&written.value, ""));
    let is_dotted = written.value.contains('.');
    let own = |table: &str| own_table(section, written, table, target);
    if written.value.is_empty() {
        let message = format!("{} names no table", section.title());
        refuse(section, written, Code::BadValue, message, "write the table that holds the related rows")
    } else if target.source.kind.folder().is_some() {
        let message = format!(
            "the records of a folder have no related rows, as {} takes them to have",
            section.title()
        );
        refuse(section, written, Code::BadValue, message, "say by `when` which files the rule is about")
    } else if given.sources.broken.iter().any(|broken| broken == source) {
        None
    } else if source == target.source.name {
        own(if is_dotted { table } else { &written.value })
    } else {
        match given.sources.valid.iter().find(|known| known.name == source) {
            // A table may be called as a database is, and a database is no table.
            Some(database) if database.kind.has_tables() && !is_dotted && target.source.kind.has_tables() => {
                own(&written.value)
            }
            Some(other) => elsewhere(section, written, other, table),
            None if target.source.kind.has_tables() => own(&written.value),
            None => unknown(section, written, source, given),
        }
    }
}

/// A table of the record's own source.
fn own_table(
    section: &Section<'_>,
    written: &Placed<String>,
    table: &str,
    target: &Target<'_>,
) -> Option<Rows> {
    if target.source.kind.has_tables() && !table.eq_ignore_ascii_case(&target.table) {
        return Some(Rows { elsewhere: None, table: table.to_string() });
    }
    let message =
        format!("related rows in the record's own table, in {}, are not yet supported", section.title());
    let help =
        "deleting some of its rows would change what is said of the others: leave the whole rule out for now";
    refuse(section, written, Code::NotYetSupported, message, help)
}

fn elsewhere(section: &Section<'_>, written: &Placed<String>, source: &Source, table: &str) -> Option<Rows> {
    let name = &source.name;
    let has_table = !table.is_empty();
    match &source.kind {
        Kind::Folder(_) => {
            let message = format!("`{name}` is a folder, and files are nobody's related rows");
            refuse(section, written, Code::BadValue, message, "name a table of a database, or CSV files")
        }
        Kind::Sqlite(_) if !has_table => {
            let message = format!("`{name}` is a database: `table` must name one of its tables");
            refuse(section, written, Code::MissingTable, message, &format!("write \"{name}.TABLE\""))
        }
        Kind::Csv(_) if has_table || written.value.contains('.') => {
            let message = format!("`{name}` has no tables: `table` names the source alone");
            refuse(section, written, Code::NoTables, message, &format!("write \"{name}\""))
        }
        Kind::Sqlite(_) | Kind::Csv(_) => {
            Some(Rows { elsewhere: Some(name.clone()), table: table.to_string() })
        }
    }
}

fn unknown(section: &Section<'_>, written: &Placed<String>, source: &str, given: &Given<'_>) -> Option<Rows> {
    let message = format!(
        "{} is about rows of `{}`, but there is no source `{source}`",
        section.title(),
        written.value
    );
    let known = given.sources.valid.iter().map(|source| source.name.as_str());
    let help = match nearest(source, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "rows that belong to a line of a CSV file are those of another source: \"SOURCE.TABLE\", or the name \
                 of a CSV source"
            .to_string(),
    };
    refuse(section, written, Code::UnknownSource, message, &help)
}

fn refuse(
    section: &Section<'_>,
    written: &Placed<String>,
    code: Code,
    message: String,
    help: &str,
) -> Option<Rows> {
    section.note(Finding::error(code, message, written.span.clone()).help(help));
    None
}

/// What the policy says of the columns of related rows.
pub(super) fn settings(
    relation: &Relation,
    target: Option<&Target<'_>>,
    given: &Given<'_>,
) -> ColumnSettings {
    let source = match &relation.elsewhere {
        Some(name) => given.sources.valid.iter().find(|source| source.name == *name),
        None => target.map(|target| target.source),
    };
    source.map(|source| source.settings(&relation.table).clone()).unwrap_or_default()
}
