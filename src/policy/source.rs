//! `[source.NAME]`: where data lives, and how its columns write time.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::calendar::{Format, FormatError, Timestamps, Zone};
use crate::diagnostic::Finding;

use super::section::{Complaint, Placed, Section};
use super::{Surroundings, header, path};

/// A database, and what the policy says of its tables.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name that rules use.
    pub name: String,
    /// The database file.
    pub path: PathBuf,
    /// Tables that no rule needs to cover, and why.
    pub ignore: Vec<Ignored>,
    /// Settings of single tables, those of the source included.
    pub tables: BTreeMap<String, ColumnSettings>,
    /// Settings of every table that has none of its own.
    pub defaults: ColumnSettings,
    /// Where the source stands in the policy, in bytes.
    pub span: std::ops::Range<usize>,
}

impl Source {
    /// What the policy says of one table.
    pub fn settings(&self, table: &str) -> &ColumnSettings {
        self.tables.get(table).unwrap_or(&self.defaults)
    }
}

/// A table that holds nothing to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The table.
    pub table: String,
    /// Why it may be ignored.
    pub why: String,
}

/// How a table names its records and writes its times.
#[derive(Clone, Debug)]
pub struct ColumnSettings {
    /// The kind of data subject and the column that names one.
    pub subject: Option<(String, String)>,
    /// The columns that name a record, where the table's own key is not to.
    pub key: Vec<String>,
    /// How columns write time; `iso` where a column is not listed.
    pub formats: BTreeMap<String, Format>,
    /// Values that mean "empty".
    pub empty: Vec<String>,
    /// The zone of date-times that carry no offset.
    pub times_in: Zone,
    /// The columns whose format is written here and not further out, with their places in bytes.
    pub own_formats: Vec<(String, std::ops::Range<usize>)>,
    /// Where these settings stand in the policy, in bytes.
    pub span: std::ops::Range<usize>,
}

impl Default for ColumnSettings {
    fn default() -> ColumnSettings {
        ColumnSettings {
            subject: None,
            key: Vec::new(),
            formats: BTreeMap::new(),
            empty: Vec::new(),
            times_in: Zone::UTC,
            own_formats: Vec::new(),
            span: 0..0,
        }
    }
}

impl ColumnSettings {
    /// The reader of one column's times.
    pub fn timestamps(&self, column: &str) -> Timestamps {
        let format = self.formats.get(column).cloned().unwrap_or(Format::Iso);
        Timestamps::new(format, self.times_in, self.empty.clone())
    }
}

/// Reads every `[source.NAME]`; a source with an error is left out, its problems noted.
pub(super) fn read_all(whole: &mut Section<'_>, surroundings: &Surroundings<'_>) -> Vec<Source> {
    let mut sources = Vec::new();
    for (name, mut section) in whole.named_sections("source") {
        if name.value.is_empty() || name.value.contains('.') {
            let message = format!("a source cannot be called `{}`: rules write SOURCE.TABLE", name.value);
            let finding = Finding::error("bad-name", message, name.span.clone());
            section.note(finding.help("give it a name without a dot, such as [source.app]"));
        }
        sources.push(read(name.value, &mut section, surroundings, name.span));
        section.finish();
    }
    sources
}

fn read(
    name: String,
    section: &mut Section<'_>,
    surroundings: &Surroundings<'_>,
    span: std::ops::Range<usize>,
) -> Source {
    let path = section.parsed("sqlite", |text| path::resolve(text, surroundings));
    let other_kind = ["csv", "files", "postgres", "mysql"].iter().any(|kind| section.has(kind));
    if !section.has("sqlite") && !other_kind {
        section.missing("sqlite");
    }
    section.not_yet(&["csv", "delimiter", "quote", "header", "columns"]);
    section.not_yet(&["files", "match", "recursive", "unit", "postgres", "mysql", "copies-of"]);
    reclaim(section);
    let defaults = column_settings(section, &ColumnSettings::default());
    Source {
        name,
        path: path.map(|path| path.value).unwrap_or_default(),
        ignore: ignored(section),
        tables: tables(section, &defaults),
        defaults,
        span,
    }
}

fn reclaim(section: &mut Section<'_>) {
    let Some(reclaim) = section.text("reclaim") else { return };
    let finding = match reclaim.value.as_str() {
        "none" => return,
        known @ ("incremental" | "vacuum") => {
            let message = format!("`reclaim = \"{known}\"` is not yet supported");
            let finding = Finding::error("not-yet-supported", message, reclaim.span);
            finding.help("leave `reclaim` out: the file keeps its size, and SQLite uses the space again")
        }
        other => {
            Finding::error("bad-value", format!("`{other}` is not a way to reclaim space"), reclaim.span)
                .help("write \"none\", \"incremental\" or \"vacuum\"")
        }
    };
    section.note(finding);
}

fn ignored(section: &mut Section<'_>) -> Vec<Ignored> {
    let title = format!("`ignore` of {}", section.title());
    let mut ignored = Vec::new();
    for mut entry in section.listed_sections("ignore", &title) {
        let table = entry.required("table").map(|table| table.value);
        let why = entry.required("why").map(|why| why.value);
        entry.finish();
        ignored.extend(table.zip(why).map(|(table, why)| Ignored { table, why }));
    }
    ignored
}

fn tables(section: &mut Section<'_>, defaults: &ColumnSettings) -> BTreeMap<String, ColumnSettings> {
    let mut tables = BTreeMap::new();
    for (name, mut inner) in section.named_sections("table") {
        inner.entitle(format!("table `{}`", name.value));
        tables.insert(name.value, column_settings(&mut inner, defaults));
        inner.finish();
    }
    tables
}

fn column_settings(section: &mut Section<'_>, defaults: &ColumnSettings) -> ColumnSettings {
    let key = section.texts("key", true).into_iter().map(|column| column.value).collect();
    let empty_written = section.has("empty");
    let empty = section.texts("empty", true).into_iter().map(|text| text.value).collect();
    let mut formats = defaults.formats.clone();
    let own = own_formats(section);
    let own_formats = own.iter().map(|(column, _)| (column.value.clone(), column.span.clone())).collect();
    formats.extend(own.into_iter().map(|(column, format)| (column.value, format)));
    ColumnSettings {
        own_formats,
        span: section.span(),
        subject: section.parsed("subject", parse_subject).map(|subject| subject.value),
        key,
        formats,
        empty: if empty_written { empty } else { defaults.empty.clone() },
        times_in: section.parsed("times-in", header::parse_zone).map_or(defaults.times_in, |zone| zone.value),
    }
}

fn own_formats(section: &mut Section<'_>) -> Vec<(Placed<String>, Format)> {
    let title = format!("`formats` of {}", section.title());
    let Some(inner) = section.section("formats", title) else { return Vec::new() };
    let mut formats = Vec::new();
    for (column, value) in inner.entries() {
        let text = inner.as_text(&column.value, value);
        let format = text.and_then(|text| inner.understood(text, parse_format));
        formats.extend(format.map(|format| (column, format.value)));
    }
    formats
}

fn parse_format(text: &str) -> Result<Format, Complaint> {
    Format::parse(text).map_err(|error| match error {
        FormatError::Unknown { text, suggestion } => {
            let help = match suggestion {
                Some(format) => format!("did you mean \"{format}\"?"),
                None => FORMATS.to_string(),
            };
            Complaint::new("bad-format", format!("`{text}` is no format of times"), Some(help))
        }
        FormatError::Pattern { problem, .. } => {
            let problem = problem.to_string();
            let (message, help) = problem.split_once("; ").unwrap_or((&problem, FORMATS));
            Complaint::new("bad-format", message, Some(help.to_string()))
        }
    })
}

const FORMATS: &str =
    "write iso, unix, unix-ms, unix-us, unix-ns, julian-day, or a pattern such as \"%d-%m-%Y\"";

fn parse_subject(text: &str) -> Result<(String, String), Complaint> {
    let parts = text.split_once(':').filter(|(kind, column)| !kind.is_empty() && !column.is_empty());
    parts.map(|(kind, column)| (kind.to_string(), column.to_string())).ok_or_else(|| {
        let help = "write KIND:COLUMN, such as \"customer:id\"".to_string();
        Complaint::new("bad-value", format!("`{text}` does not name a data subject"), Some(help))
    })
}
