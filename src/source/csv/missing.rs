//! A column that a file does not have, told without anything that may be a record.

use std::path::Path;

use super::Dialect;
use crate::diagnostic::{Code, nearest};
use crate::source::Problem;

/// How many names are told.
const TOLD: usize = 8;

/// The longest name that is told.
const LONGEST: usize = 40;

/// What separates fields where the policy says something else.
const OTHERS: [u8; 4] = *b",;\t|";

/// That there is no such column. The first line is told only where all of it looks like names: it
/// may be a record, of a file without a header.
pub(super) fn column(column: &str, names: &[Vec<u8>], path: &Path, dialect: &Dialect) -> Problem {
    let message = format!("{} has no column `{column}`; {}", path.display(), help(column, names, dialect));
    Problem::new(Code::MissingColumn, message)
}

fn help(column: &str, names: &[Vec<u8>], dialect: &Dialect) -> String {
    if let Some(other) = other_delimiter(column, names, dialect) {
        let written = if other == b'\t' { "\\t".to_string() } else { char::from(other).to_string() };
        return format!("another delimiter fits: write delimiter = \"{written}\"");
    }
    let count = names.len();
    let columns = if count == 1 { "1 column".to_string() } else { format!("{count} columns") };
    let Some(names) = plausible(names) else {
        return format!(
            "its first line has {columns}, not all of them with names that a header would have; if it is a record, \
             write `header = false` and `columns`"
        );
    };
    match nearest(column, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if count <= TOLD => format!("it has {}", names.join(", ")),
        None => format!("it has {columns}: {}, …", names[..TOLD].join(", ")),
    }
}

/// A delimiter by which the first line has the column.
fn other_delimiter(column: &str, names: &[Vec<u8>], dialect: &Dialect) -> Option<u8> {
    let line = names.join(&dialect.delimiter);
    let others = OTHERS.into_iter().filter(|other| *other != dialect.delimiter && line.contains(other));
    let is_quote = |byte: &u8| Some(*byte) == dialect.quote;
    others.into_iter().find(|other| {
        line.split(|byte| byte == other).any(|name| {
            let bare: Vec<u8> = name.iter().copied().filter(|byte| !is_quote(byte)).collect();
            bare == column.as_bytes()
        })
    })
}

/// The names, where every one of them looks like one.
fn plausible(names: &[Vec<u8>]) -> Option<Vec<&str>> {
    let names: Vec<&str> = names
        .iter()
        .map(|name| std::str::from_utf8(name).ok().filter(|name| looks_like_a_name(name)))
        .collect::<Option<_>>()?;
    let is_twice = |(at, name): (usize, &&str)| !name.is_empty() && names[..at].contains(name);
    (!names.iter().enumerate().any(is_twice)).then_some(names)
}

/// Letters with few digits and signs. Dates, numbers, addresses and sentences are none.
fn looks_like_a_name(name: &str) -> bool {
    let is_sign = |character: char| character.is_alphanumeric() || "_-. #()/".contains(character);
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let begins = name.chars().next().is_none_or(|first| first.is_alphabetic() || "_#(".contains(first));
    begins && digits < 4 && name.chars().count() <= LONGEST && name.chars().all(is_sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(column_name: &str, names: &[&str], delimiter: u8) -> String {
        let names: Vec<Vec<u8>> = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        let dialect = Dialect { delimiter, quote: Some(b'"'), width: None };
        column(column_name, &names, Path::new("a.csv"), &dialect).message
    }

    #[test]
    fn names_are_told_and_records_are_not() {
        assert_eq!(told("at", &["id", "mail"], b','), "a.csv has no column `at`; it has id, mail");
        assert_eq!(told("mial", &["id", "mail"], b','), "a.csv has no column `mial`; did you mean `mail`?");
        for record in
            [["1", "Kim"], ["Kim", "kim@example.org"], ["Kim", "2001-01-01"], ["Kim;010190-1234", ""]]
        {
            let told = told("at", &record, b',');
            assert!(
                told.contains("its first line has 2 columns") && told.contains("header = false"),
                "{told}"
            );
            assert!(!told.contains("Kim") && !told.contains("kim@"), "{told}");
        }
    }

    #[test]
    fn a_delimiter_that_fits_is_named() {
        assert!(told("at", &["id;\"at\";mail"], b',').ends_with("write delimiter = \";\""));
        assert!(told("at", &["id\tat"], b',').ends_with("write delimiter = \"\\t\""));
        assert!(told("at", &["id,at"], b';').ends_with("write delimiter = \",\""));
    }
}
