//! Rows of a table that belong to a record: `{ table = "contacts", on = "customer_id = id" }`.

use std::fmt;
use std::ops::Range;

use super::section::Complaint;
use crate::condition::Condition;
use crate::diagnostic::Code;

/// Which rows belong to a record.
#[derive(Clone, Debug)]
pub struct Relation {
    /// Their source, where that is not the record's own.
    pub elsewhere: Option<String>,
    /// Their table; empty where the source has none.
    pub table: String,
    /// Which columns are equal; where it is not written, the one foreign key between the two says.
    pub on: Option<On>,
    /// Which of the rows count; all where there is none.
    pub condition: Option<Condition>,
    /// Where it stands in the policy, in bytes.
    pub span: Range<usize>,
    /// The same as `FILE:LINE:COLUMN`.
    pub at: String,
}

impl Relation {
    /// The related rows as the policy names them: `calls`, `crm.calls`, `contacts`.
    pub fn rows(&self) -> String {
        match &self.elsewhere {
            None => self.table.clone(),
            Some(source) if self.table.is_empty() => source.clone(),
            Some(source) => format!("{source}.{}", self.table),
        }
    }

    /// The column of the record by which rows of another source are found.
    pub fn key(&self) -> Option<&Side> {
        self.elsewhere.as_ref().and(self.on.as_ref()).map(|on| &on.ours)
    }

    /// Whether the rows are those that rules on this source and this table are about.
    pub fn is_about(&self, own_source: &str, source: &str, table: &str) -> bool {
        let theirs = self.elsewhere.as_deref().unwrap_or(own_source);
        theirs == source && self.table.eq_ignore_ascii_case(table)
    }
}

/// `on = "THEIRS = OURS"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct On {
    /// The column of the related rows.
    pub theirs: Side,
    /// The column of the record.
    pub ours: Side,
}

/// A column, or what is made of it before it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    pub column: String,
    /// What is done to its value, the last thing first.
    pub folds: Vec<Fold>,
}

/// What can be done to a value before it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// `lower()`: letters of either case are the same, those of ASCII.
    Lower,
    /// `trim()`: blanks at both ends do not count.
    Trim,
}

impl Fold {
    /// The function's name.
    pub fn word(self) -> &'static str {
        match self {
            Fold::Lower => "lower",
            Fold::Trim => "trim",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.folds.iter().try_for_each(|fold| write!(f, "{}(", fold.word()))?;
        f.write_str(&self.column)?;
        self.folds.iter().try_for_each(|_| f.write_str(")"))
    }
}

impl On {
    pub(super) fn parse(text: &str) -> Result<On, Complaint> {
        let parsed = side(text, 0).and_then(|(theirs, rest)| {
            let (ours, rest) = side(rest.trim_start().strip_prefix('=')?, 0)?;
            rest.trim().is_empty().then_some(On { theirs, ours })
        });
        parsed.ok_or_else(|| {
            let message = format!("`{text}` does not say which columns are equal");
            let help = "write the column of the other table, `=`, and the column of this one, such as \
                        \"customer_id = id\"; either may stand in lower() or trim()";
            Complaint::new(Code::BadRelation, message, Some(help.to_string()))
        })
    }
}

/// There are two functions, and to use one of them twice changes nothing.
const MOST_FOLDS: usize = 2;

/// Reads one side; it, and what follows.
fn side(text: &str, depth: usize) -> Option<(Side, &str)> {
    if depth > MOST_FOLDS {
        return None;
    }
    let (name, rest) = name(text.trim_start())?;
    let fold = [Fold::Lower, Fold::Trim].into_iter().find(|fold| name.eq_ignore_ascii_case(fold.word()));
    match (fold, rest.trim_start().strip_prefix('(')) {
        (Some(fold), Some(inner)) => {
            let (mut side, rest) = side(inner, depth + 1)?;
            side.folds.insert(0, fold);
            Some((side, rest.trim_start().strip_prefix(')')?))
        }
        (_, None) => Some((Side { column: name, folds: Vec::new() }, rest)),
        (None, Some(_)) => None,
    }
}

/// A column's name, in double quotes where it is not made of letters, digits and `_`.
fn name(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted_name(quoted);
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let is_name = text[..end].starts_with(|c: char| c.is_alphabetic() || c == '_');
    is_name.then(|| (text[..end].to_string(), &text[end..]))
}

fn quoted_name(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character == '"' && characters.next_if(|(_, next)| *next == '"').is_none() {
            return (!name.is_empty()).then_some((name, &text[at + 1..]));
        }
        name.push(character);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        On::parse(text).ok().map(|on| format!("{} | {}", on.theirs, on.ours))
    }

    #[test]
    fn each_side_is_a_column_or_what_is_made_of_it() {
        for (text, expected) in [
            ("customer_id = id", "customer_id | id"),
            ("customer_id=id", "customer_id | id"),
            ("  a  =  b  ", "a | b"),
            ("lower(email) = Trim( LOWER (mail) )", "lower(email) | trim(lower(mail))"),
            ("\"customer id\" = \"a\"\"b\"", "customer id | a\"b"),
            ("kundenr = søster", "kundenr | søster"),
            ("lower = trim", "lower | trim"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "id",
            "=",
            "a =",
            "= b",
            "a = b = c",
            "a == b",
            "a <> b",
            "upper(a) = b",
            "lower(a = b",
            "a = b)",
            "1 = id",
            "a = 1",
            "\"\" = b",
            "\"a = b",
            "a = b and c = d",
            "t.a = b",
            "a, b = c, d",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        let deep = format!("{}k{} = id", "lower(".repeat(60_000), ")".repeat(60_000));
        assert_eq!(read(&deep), None);
    }
}
