//! `after`: what starts a rule's period, one time or several of which the latest or the earliest counts.

use std::fmt;

use toml::Spanned;
use toml::de::DeValue;

use super::{Given, Target, of_files, related, rows};
use crate::calendar::{CountedFrom, Timestamps};
use crate::diagnostic::{Code, Finding};
use crate::policy::Counting;
use crate::policy::relation::Relation;
use crate::policy::section::{Placed, Section};

/// What starts a rule's period.
#[derive(Clone, Debug)]
pub struct Start {
    /// Which of the parts counts.
    pub choice: Choice,
    /// The times; at least one.
    pub parts: Vec<Part>,
}

/// Which of several times counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// That with the latest due date.
    Latest,
    /// That with the earliest due date.
    Earliest,
}

/// One time.
#[derive(Clone, Debug)]
pub enum Part {
    /// A column of the record.
    Own(Own),
    /// The latest of the related rows.
    Related(Box<Dated>),
}

/// A column of the record that holds a time.
#[derive(Clone, Debug)]
pub struct Own {
    pub column: String,
    /// How it writes time.
    pub timestamps: Timestamps,
    /// Whether an empty one is passed over, instead of meaning that the clock has not started.
    pub is_optional: bool,
}

/// A column of related rows that holds a time.
#[derive(Clone, Debug)]
pub struct Dated {
    /// Which rows are related.
    pub relation: Relation,
    /// Their column.
    pub column: String,
    /// How it writes time.
    pub timestamps: Timestamps,
}

impl Start {
    /// A single column of the record.
    pub fn own(column: String, timestamps: Timestamps) -> Start {
        let own = Own { column, timestamps, is_optional: false };
        Start { choice: Choice::Latest, parts: vec![Part::Own(own)] }
    }

    /// The record's own columns among the parts.
    pub fn own_parts(&self) -> impl Iterator<Item = &Own> {
        self.parts.iter().filter_map(|part| match part {
            Part::Own(own) => Some(own),
            Part::Related(_) => None,
        })
    }

    /// The columns of related rows among the parts.
    pub fn related_parts(&self) -> impl Iterator<Item = &Dated> {
        self.parts.iter().filter_map(|part| match part {
            Part::Own(_) => None,
            Part::Related(dated) => Some(&**dated),
        })
    }

    /// The column, where there is no other part.
    pub fn only_column(&self) -> Option<&Own> {
        match &self.parts[..] {
            [Part::Own(own)] => Some(own),
            _ => None,
        }
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.parts.iter().map(Part::to_string).collect();
        match (&names[..], self.choice) {
            ([name], _) => f.write_str(name),
            ([first @ .., last], choice) => {
                let word = if choice == Choice::Latest { "latest" } else { "earliest" };
                write!(f, "the {word} of {} and {last}", first.join(", "))
            }
            ([], _) => Ok(()),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Own(own) => f.write_str(&own.column),
            Part::Related(dated) => write!(f, "{}.{}", dated.relation.rows(), dated.column),
        }
    }
}

/// What starts the period, and the end of what it is counted from.
pub(super) struct After {
    pub(super) start: Start,
    pub(super) counted_from: Option<CountedFrom>,
}

/// Reads `after` of a rule whose data may not be known.
pub(super) fn read(
    section: &mut Section<'_>,
    target: Option<&Target<'_>>,
    given: &Given<'_>,
) -> Option<After> {
    let Some(value) = section.value("after") else {
        section.missing("after");
        return None;
    };
    let folder = target.filter(|target| target.source.kind.folder().is_some());
    let folder_zone = folder.map(|target| target.source.settings("").times_in);
    let is_folder = folder.is_some();
    match value.get_ref() {
        DeValue::String(_) => {
            let text = section.as_text("after", value)?;
            let start = if is_folder {
                of_files::modified(section, &text)?
            } else {
                own(target, column_name(section, text)?)
            };
            Some(After { start, counted_from: None })
        }
        DeValue::Table(_) => {
            let title = format!("`after` of {}", section.title());
            let mut inner = section.as_section("after", value, title)?;
            let written = inner.has("counted-from");
            let counted_from =
                inner.parsed("counted-from", Counting::parse).and_then(|text| counted(&inner, text, given));
            let start = if let Some(times_in) = folder_zone {
                of_files::after(&mut inner, times_in)
            } else {
                table(&mut inner, target, given)
            };
            inner.finish();
            (written == counted_from.is_some()).then_some(After { start: start?, counted_from })
        }
        _ if is_folder => section.wrong_type("after", "\"modified\", or a table", value),
        _ => section.wrong_type("after", "a column's name, or a table", value),
    }
}

fn table(inner: &mut Section<'_>, target: Option<&Target<'_>>, given: &Given<'_>) -> Option<Start> {
    inner.not_yet(&["name"]);
    let lists = [("latest", Choice::Latest), ("earliest", Choice::Earliest)];
    match lists.into_iter().find(|(key, _)| inner.has(key)) {
        Some((key, choice)) => list(inner, key, choice, target, given),
        None => {
            let part = part(inner, target, given)?;
            Some(Start { choice: Choice::Latest, parts: vec![part] })
        }
    }
}

fn list(
    inner: &mut Section<'_>,
    key: &'static str,
    choice: Choice,
    target: Option<&Target<'_>>,
    given: &Given<'_>,
) -> Option<Start> {
    let value = inner.value(key)?;
    let DeValue::Array(items) = value.get_ref() else {
        return inner.wrong_type(key, "a list of columns and tables", value);
    };
    if items.is_empty() {
        let message = format!("`{key}` in {} lists nothing", inner.title());
        let finding = Finding::error(Code::BadValue, message, value.span());
        inner.note(finding.help("write the columns that hold the times"));
        return None;
    }
    let parts: Vec<Option<Part>> =
        items.iter().map(|item| listed(inner, key, choice, item, target, given)).collect();
    Some(Start { choice, parts: parts.into_iter().collect::<Option<_>>()? })
}

fn listed(
    inner: &Section<'_>,
    key: &str,
    choice: Choice,
    item: &Spanned<DeValue<'_>>,
    target: Option<&Target<'_>>,
    given: &Given<'_>,
) -> Option<Part> {
    match item.get_ref() {
        DeValue::String(_) => {
            let column = column_name(inner, inner.as_text(key, item)?)?;
            own(target, column).parts.pop()
        }
        DeValue::Table(_) => {
            let mut entry = inner.as_section(key, item, format!("`{key}` in {}", inner.title()))?;
            if choice == Choice::Earliest && entry.has("table") {
                let message = format!("{} can name columns of the record alone", entry.title());
                let finding = Finding::error(Code::BadValue, message, entry.key_span("table"));
                entry.note(finding.help("`latest` may have related tables"));
                return None;
            }
            // Where no row is related, the part is passed over anyway.
            let may_be_optional = choice == Choice::Latest && !entry.has("table");
            let is_optional = may_be_optional && entry.flag("optional").unwrap_or(false);
            let part = part(&mut entry, target, given).map(|part| optional(part, is_optional));
            entry.finish();
            part
        }
        _ => inner.wrong_type(key, "a list of columns and tables", item),
    }
}

fn optional(part: Part, is_optional: bool) -> Part {
    match part {
        Part::Own(own) => Part::Own(Own { is_optional, ..own }),
        related @ Part::Related(_) => related,
    }
}

/// Reads a table that names a column: of the record, or of related rows.
fn part(inner: &mut Section<'_>, target: Option<&Target<'_>>, given: &Given<'_>) -> Option<Part> {
    let column = inner.required("column").and_then(|column| column_name(inner, column));
    if !inner.has("table") {
        return own(target, column?).parts.pop();
    }
    let relation = related::read(inner, target, given);
    let (column, relation) = (column?, relation?);
    let timestamps = rows::settings(&relation, target, given).timestamps(&column);
    Some(Part::Related(Box::new(Dated { relation, column, timestamps })))
}

fn own(target: Option<&Target<'_>>, column: String) -> Start {
    let timestamps = timestamps(target, target.map_or("", |target| &target.table), &column);
    Start::own(column, timestamps)
}

/// Without valid data there is no valid rule, whatever its columns.
fn timestamps(target: Option<&Target<'_>>, table: &str, column: &str) -> Timestamps {
    let settings = target.map(|target| target.source.settings(table).clone()).unwrap_or_default();
    settings.timestamps(column)
}

fn column_name(section: &Section<'_>, text: Placed<String>) -> Option<String> {
    if !text.value.is_empty() {
        return Some(text.value);
    }
    let message = format!("{} names no column", section.title());
    let finding = Finding::error(Code::BadValue, message, text.span);
    section.note(finding.help("write the column that holds the time from which the period runs"));
    None
}

fn counted(section: &Section<'_>, counting: Placed<Counting>, given: &Given<'_>) -> Option<CountedFrom> {
    let counted_from = counting.value.within(given.financial_year.as_ref());
    if counted_from.is_none() && !given.financial_year_written {
        let message = format!(
            "{} counts from the end of the financial year, which [policy] does not give",
            section.title()
        );
        let finding = Finding::error(Code::MissingKey, message, counting.span);
        section
            .note(finding.help("write `financial-year-ends = \"12-31\"` under [policy], with your own date"));
    }
    counted_from
}
