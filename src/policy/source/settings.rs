//! How a table names its records, and how its columns write time.

use std::collections::BTreeMap;

use crate::calendar::{Format, Timestamps, Zone};
use crate::diagnostic::Code;

use super::format;
use crate::policy::header;
use crate::policy::limit::{self, Limit};
use crate::policy::section::{Complaint, Placed, Section};

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
    /// How much may leave the dataset in one run, where it says so itself.
    pub limit: Limit,
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
            limit: Limit::default(),
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

/// Reads the settings that stand in a source or in one of its tables.
pub(super) fn read(section: &mut Section<'_>, defaults: &ColumnSettings) -> ColumnSettings {
    let key = section.texts("key", true).into_iter().map(|column| column.value).collect();
    let empty_written = section.has("empty");
    let empty = section.texts("empty", true).into_iter().map(|text| text.value).collect();
    let mut formats = defaults.formats.clone();
    let own = own_formats(section);
    let own_formats = own.iter().map(|(column, _)| (column.value.clone(), column.span.clone())).collect();
    formats.extend(own.into_iter().map(|(column, format)| (column.value, format)));
    ColumnSettings {
        limit: limit::read(section),
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
    let formats = inner.entries().filter_map(|(column, value)| {
        let format = format::read(&inner, &column.value, value)?;
        Some((column, format))
    });
    formats.collect()
}

fn parse_subject(text: &str) -> Result<(String, String), Complaint> {
    let parts = text.split_once(':').filter(|(kind, column)| !kind.is_empty() && !column.is_empty());
    parts.map(|(kind, column)| (kind.to_string(), column.to_string())).ok_or_else(|| {
        let help = "write KIND:COLUMN, such as \"customer:id\"".to_string();
        Complaint::new(Code::BadValue, format!("`{text}` does not name a data subject"), Some(help))
    })
}
