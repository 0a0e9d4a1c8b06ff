//! `keep-newest` and `per`: the newest records, of all or of each group, which no rule deletes.

use std::ops::Range;

use super::of_files;
use crate::diagnostic::{Code, Finding, nearest};
use crate::policy::FOLDER_COLUMNS;
use crate::policy::section::{Placed, Section};

/// More would have to be remembered while the records are read.
const MOST: u64 = 10_000;

/// How many of the newest are kept, and of what.
#[derive(Default)]
pub(super) struct Newest {
    pub(super) count: Option<u64>,
    pub(super) per: Vec<String>,
    pub(super) per_span: Range<usize>,
}

/// Reads both.
pub(super) fn read(section: &mut Section<'_>, is_folder: bool) -> Newest {
    let (is_written, per_span) = (section.has("keep-newest"), section.key_span("per"));
    let has_per = section.has("per");
    let count = section.whole_number("keep-newest").and_then(|count| within(section, count));
    let is_empty =
        section.value("per").is_some_and(|per| per.get_ref().as_array().is_some_and(|all| all.is_empty()));
    let per = section.texts("per", true);
    if has_per && !is_written {
        let message = format!("{} has `per`, and no `keep-newest`", section.title());
        let help = "write how many of the newest records of each group are kept, such as keep-newest = 20, or leave \
                    `per` out";
        section.note(Finding::error(Code::MissingKey, message, per_span.clone()).help(help));
    }
    if has_per {
        check(section, (&per, is_empty), &per_span, is_folder);
    }
    Newest { count, per: per.into_iter().map(|column| column.value).collect(), per_span }
}

fn within(section: &Section<'_>, count: Placed<u64>) -> Option<u64> {
    if (1..=MOST).contains(&count.value) {
        return Some(count.value);
    }
    let message = format!("`keep-newest` in {} cannot be {}", section.title(), count.value);
    let help = format!("write how many of the newest records are never deleted, from 1 to {MOST}");
    section.note(Finding::error(Code::BadValue, message, count.span).help(help));
    None
}

/// Notes every column that tells no groups apart.
fn check(
    section: &Section<'_>,
    (per, is_empty): (&[Placed<String>], bool),
    span: &Range<usize>,
    is_folder: bool,
) {
    let title = section.title();
    if is_empty {
        let message = format!("`per` of {title} names no column");
        let help = "write the column, or the columns, of whose values each has newest records of its own";
        section.note(Finding::error(Code::BadValue, message, span.clone()).help(help));
    }
    for (place, column) in per.iter().enumerate() {
        let name = &column.value;
        let (code, message, help) = if name.is_empty() {
            let help = "write the name of a column, or leave `per` out".to_string();
            (Code::BadValue, format!("`per` of {title} names a column without a name"), help)
        } else if per[..place].iter().any(|known| known.value == *name) {
            let message = format!("`per` of {title} names `{name}` twice");
            (Code::BadValue, message, "name each column once".to_string())
        } else if is_folder && !FOLDER_COLUMNS.contains(&name.as_str()) {
            let help = match nearest(name, FOLDER_COLUMNS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => of_files::COLUMNS.to_string(),
            };
            (Code::UnknownColumn, format!("`{name}` is nothing that a folder's records have"), help)
        } else {
            continue;
        };
        section.note(Finding::error(code, message, column.span.clone()).help(help));
    }
}
