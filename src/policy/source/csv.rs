//! CSV files: which they are, and how they are written.

use std::path::{Path, PathBuf};

use encoding_rs::Encoding;

use crate::diagnostic::{Code, Finding};
use crate::policy::section::{Complaint, Placed, Section};
use crate::policy::{LoadContext, path};

/// The CSV files of a source, which together are one dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvFiles {
    /// Which files: an absolute path, or one with `*`, `?`, `[…]` and `**`.
    pub pattern: PathBuf,
    /// Between fields.
    pub delimiter: u8,
    /// Whether the policy says so; else the line `sep=;` of a file may.
    pub says_delimiter: bool,
    /// How text is written, where that is not UTF-8.
    pub encoding: Option<&'static Encoding>,
    /// How many lines stand before the header, or the first record.
    pub skip_lines: u64,
    /// Around fields; none where quotes mean nothing.
    pub quote: Option<u8>,
    /// The columns' names; none where the first line of each file says them.
    pub columns: Option<Vec<String>>,
    /// How a file gets its new content.
    pub rewrite: Rewrite,
}

/// How a file gets its new content, which depends on the programs that write to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// A new file takes its place.
    Rename,
    /// The same, while a lock is held that writers take too.
    Lock,
    /// The content is copied into the same file: for writers that never open it again.
    CopyTruncate,
}

/// Reads the keys of a CSV source; none where there is none, or a wrong one.
pub(super) fn read(section: &mut Section<'_>, surroundings: &LoadContext<'_>) -> Option<CsvFiles> {
    let pattern = section.parsed("csv", |text| path::pattern(text, surroundings));
    let says_delimiter = section.has("delimiter");
    let (delimiter, quote) = marks(section);
    let encoding = section.parsed("encoding", encoding).and_then(|encoding| encoding.value);
    let skip_lines = section.whole_number("skip-lines").map_or(0, |lines| lines.value);
    let columns = columns(section);
    let rewrite = section.parsed("rewrite", parse_rewrite).map_or(Rewrite::Rename, |rewrite| rewrite.value);
    Some(CsvFiles {
        pattern: pattern?.value,
        delimiter,
        says_delimiter,
        encoding,
        skip_lines,
        quote,
        columns,
        rewrite,
    })
}

/// An encoding of which every byte is a character; none for UTF-8, in which all text is.
fn encoding(label: &str) -> Result<Option<&'static Encoding>, Complaint> {
    let help = "write \"windows-1252\" (which is \"iso-8859-1\" too), or another label of one byte a character; or \
                convert the files, as `iconv -t utf-8` does";
    let complain = |message: String| Complaint::new(Code::BadValue, message, Some(help.to_string()));
    let known = Encoding::for_label_no_replacement(label.as_bytes())
        .ok_or_else(|| complain(format!("`{label}` is no encoding that frist knows")))?;
    match known {
        _ if known == encoding_rs::UTF_8 => Ok(None),
        _ if known.is_single_byte() => Ok(Some(known)),
        _ => Err(complain(format!(
            "`{label}` writes characters in several bytes, and frist reads single ones"
        ))),
    }
}

/// The delimiter and the quote, which must differ.
fn marks(section: &mut Section<'_>) -> (u8, Option<u8>) {
    let optional = |text: &str| if text.is_empty() { Ok(None) } else { one_byte(text).map(Some) };
    let (delimiter, quote) = (section.parsed("delimiter", one_byte), section.parsed("quote", optional));
    let marks = (
        delimiter.as_ref().map_or(b',', |delimiter| delimiter.value),
        quote.as_ref().map_or(Some(b'"'), |quote| quote.value),
    );
    let written = quote.map(|quote| quote.span).or(delimiter.map(|delimiter| delimiter.span));
    if let Some(span) = written
        && marks.1 == Some(marks.0)
    {
        let finding = Finding::error(Code::BadValue, "the quote is the delimiter too", span);
        section.note(finding.help("write two different characters"));
    }
    marks
}

/// A character that is one byte and cannot be part of a line end.
fn one_byte(text: &str) -> Result<u8, Complaint> {
    match text.as_bytes() {
        [byte] if !matches!(byte, b'\n' | b'\r' | 0) => Ok(*byte),
        _ => {
            let help = "write one ASCII character, such as \";\" or \"\\t\"".to_string();
            Err(Complaint::new(Code::BadValue, format!("{text:?} is not one character"), Some(help)))
        }
    }
}

/// The names of the columns, where files have no header.
fn columns(section: &mut Section<'_>) -> Option<Vec<String>> {
    let header = section.flag("header");
    let columns = section.texts("columns", false);
    match (header.unwrap_or(true), columns.is_empty()) {
        (true, true) => None,
        (true, false) => {
            let finding = Finding::error(
                Code::BadValue,
                "`columns` is for files without a header, and these have one",
                section.key_span("columns"),
            );
            section.note(finding.help("write `header = false` as well, or leave `columns` out"));
            None
        }
        (false, true) => {
            let finding = Finding::error(
                Code::MissingKey,
                "files without a header need `columns`",
                section.key_span("header"),
            );
            section.note(finding.help("write the names in order: columns = [\"id\", \"at\"]"));
            None
        }
        (false, false) => Some(distinct(section, columns)),
    }
}

fn distinct(section: &Section<'_>, columns: Vec<Placed<String>>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for column in columns {
        if names.contains(&column.value) {
            let message = format!("two columns are called `{}`", column.value);
            let finding = Finding::error(Code::DuplicateName, message, column.span);
            section.note(finding.help("give each column a name of its own"));
        }
        names.push(column.value);
    }
    names
}

fn parse_rewrite(text: &str) -> Result<Rewrite, Complaint> {
    match text {
        "rename" => Ok(Rewrite::Rename),
        "lock" => Ok(Rewrite::Lock),
        "copytruncate" => Ok(Rewrite::CopyTruncate),
        other => {
            let help = "write \"rename\", \"lock\" or \"copytruncate\"".to_string();
            Err(Complaint::new(Code::BadValue, format!("`{other}` is no way to rewrite a file"), Some(help)))
        }
    }
}

impl CsvFiles {
    /// The folder behind which the pattern begins to vary.
    pub fn root(&self) -> PathBuf {
        let varies = |part: &Path| part.to_string_lossy().contains(['*', '?', '[']);
        let fixed = self.pattern.ancestors().skip(1).find(|folder| !varies(folder));
        fixed.unwrap_or(Path::new("")).to_path_buf()
    }
}
