//! `set`: what becomes of the columns of an anonymised record.

use std::ops::Range;

use super::{Given, Target};
use crate::anonymise::{Column, Form, SAMPLE_PSEUDONYM};
use crate::calendar::Coarse;
use crate::diagnostic::{Code, Finding, nearest};
use crate::policy::section::{Complaint, Placed, Section};
use crate::policy::{CsvFiles, Kind, Rewrite};

/// What becomes of one column.
#[derive(Clone, Debug)]
pub struct Setting {
    pub column: String,
    /// What it is set to.
    pub form: Form,
    /// Where it stands in the policy, in bytes.
    pub span: Range<usize>,
    /// The same as `FILE:LINE:COLUMN`.
    pub at: String,
}

const FORMS: [&str; 6] = ["remove", "year", "month", "truncate", "pseudonym", "text:"];

const CHOICES: &str = "write \"remove\", \"year\", \"month\", \"truncate\", \"pseudonym\", or a text such as \"text:[removed]\"";

/// Reads the columns; none where there is none, or a wrong one.
pub(super) fn read(
    section: &mut Section<'_>,
    target: Option<&Target<'_>>,
    given: &Given<'_>,
) -> Option<Vec<Setting>> {
    let title = format!("`set` of {}", section.title());
    let span = section.key_span("set");
    let inner = section.section("set", title)?;
    let entries: Vec<_> = inner.entries().collect();
    if entries.is_empty() {
        let message = format!("{} sets no column", inner.title());
        let help = "write what becomes of each column, such as set = { name = \"remove\" }";
        inner.note(Finding::error(Code::BadValue, message, span).help(help));
        return None;
    }
    let settings: Vec<Option<Setting>> = entries
        .into_iter()
        .map(|(column, value)| {
            let text = inner.as_text(&column.value, value)?;
            let form = inner.understood(text, |text| form(text, &column.value, target, given))?;
            writable(&inner, &form, target);
            let (column, span, at) = (column.value, column.span.clone(), given.place(column.span.start));
            Some(Setting { column, form: form.value, span, at })
        })
        .collect();
    settings.into_iter().collect()
}

fn form(text: &str, column: &str, target: Option<&Target<'_>>, given: &Given<'_>) -> Result<Form, Complaint> {
    let begin = |coarse| {
        let table = target.map_or("", |target| &target.table);
        let settings = target.map(|target| target.source.settings(table).clone()).unwrap_or_default();
        let timestamps = settings.timestamps(column);
        Ok(Form::Begin(Box::new(Column { coarse, timestamps, zone: given.zone })))
    };
    match text {
        "remove" => Ok(Form::Remove),
        "year" => begin(Coarse::Year),
        "month" => begin(Coarse::Month),
        "truncate" => Ok(Form::Truncate),
        "pseudonym" => Ok(Form::Pseudonym),
        _ => match text.strip_prefix("text:") {
            Some("") => {
                let help = "write the text behind it, or \"remove\"".to_string();
                Err(Complaint::new(Code::BadValue, format!("`text:` of `{column}` has no text"), Some(help)))
            }
            Some(text) if text.contains('\0') => {
                let help = Some("leave the NUL character out".to_string());
                Err(Complaint::new(Code::BadValue, "a text ends at a NUL character", help))
            }
            Some(text) => Ok(Form::Text(text.to_string())),
            None => {
                let help = match nearest(text, FORMS) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => CHOICES.to_string(),
                };
                Err(Complaint::new(
                    Code::BadValue,
                    format!("`{text}` is nothing to set a column to"),
                    Some(help),
                ))
            }
        },
    }
}

/// Notes what a CSV file cannot hold.
fn writable(inner: &Section<'_>, form: &Placed<Form>, target: Option<&Target<'_>>) {
    let Some(Kind::Csv(files)) = target.map(|target| &target.source.kind) else { return };
    let text = match &form.value {
        Form::Text(text) => text.as_str(),
        Form::Pseudonym => SAMPLE_PSEUDONYM,
        _ => return,
    };
    if files.rewrite != Rewrite::Rename {
        let message = format!(
            "{} may make lines longer, and a file that is rewritten in place cannot grow",
            inner.title()
        );
        let help = "take `rewrite` off the source, so that a new file takes the place of the old one; or use \
                    \"remove\", \"year\", \"month\" or \"truncate\"";
        inner.note(Finding::error(Code::CannotGrow, message, form.span.clone()).help(help));
    }
    if let Some(encoding) = files.encoding.filter(|encoding| encoding.encode(text).2) {
        let message = format!("{} cannot be written in the encoding {}", inner.title(), encoding.name());
        let help = "leave out what the encoding has no character for";
        inner.note(Finding::error(Code::BadValue, message, form.span.clone()).help(help));
    }
    if files.quote.is_none() && needs_quotes(text, files) {
        let message = format!("{} cannot be written in files without quotes", inner.title());
        let help = "leave delimiters and line ends out of the text, or say in the source how fields are quoted \
                    (`quote`)";
        inner.note(Finding::error(Code::BadValue, message, form.span.clone()).help(help));
    }
}

fn needs_quotes(text: &str, files: &CsvFiles) -> bool {
    text.bytes().any(|byte| byte == files.delimiter || matches!(byte, b'\n' | b'\r'))
}
