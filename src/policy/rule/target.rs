//! `data`: what a rule is about.

use std::ops::Range;

use super::Given;
use crate::diagnostic::{Code, Finding, nearest};
use crate::policy::section::{Placed, Section};
use crate::policy::source::Source;

/// The data of a rule.
pub(super) struct Target<'a> {
    pub(super) source: &'a Source,
    /// Empty where the source has no tables.
    pub(super) table: String,
    /// Where it is written, in bytes.
    pub(super) span: Range<usize>,
}

/// Finds the source and the table that `data` names.
pub(super) fn find<'a>(section: &Section<'_>, text: Placed<String>, given: &Given<'a>) -> Option<Target<'a>> {
    let (name, table) = text.value.split_once('.').unwrap_or((&text.value, ""));
    if given.sources.broken.iter().any(|broken| broken == name) {
        return None;
    }
    let Some(source) = given.sources.valid.iter().find(|source| source.name == name) else {
        let message =
            format!("{} is about `{}`, but there is no source `{name}`", section.title(), text.value);
        let known = given.sources.valid.iter().map(|source| source.name.as_str());
        let help = match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add a section [source.{name}]"),
        };
        section.note(Finding::error(Code::UnknownSource, message, text.span).help(help));
        return None;
    };
    if !source.kind.has_tables() && text.value.contains('.') {
        let message = format!("`{name}` has no tables: `data` names the source alone");
        section.note(Finding::error(Code::NoTables, message, text.span).help(format!("write \"{name}\"")));
        return None;
    }
    if source.kind.has_tables() && table.is_empty() {
        let message = format!("`{name}` is a database: `data` must name one of its tables");
        let finding = Finding::error(Code::MissingTable, message, text.span);
        section.note(finding.help(format!("write \"{name}.TABLE\"")));
        return None;
    }
    if let Some(ignored) = source.ignore.iter().find(|ignored| ignored.table == table) {
        let message =
            format!("`{}` is ignored (\"{}\"), yet {} is about it", table, ignored.why, section.title());
        let finding = Finding::error(Code::IgnoredTable, message, text.span.clone());
        section.note(finding.help("take the table off `ignore`, or the rule away"));
    }
    Some(Target { source, table: table.to_string(), span: text.span })
}
