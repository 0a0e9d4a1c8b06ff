//! Rows of a table that belong to a record: `{ table = "contacts", on = "customer_id = id" }`.

use std::fmt;
use std::ops::Range;

use toml::de::DeValue;

use super::section::{Complaint, Section};
use crate::condition::Condition;
use crate::diagnostic::{Code, Finding};

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

    /// The columns of the record by which rows of another source are found.
    pub fn keys(&self) -> impl Iterator<Item = &Side> {
        self.elsewhere.as_ref().and(self.on.as_ref()).into_iter().flat_map(On::ours)
    }

    /// Whether a column of the related rows is one by which they are found.
    pub fn joins_theirs(&self, column: &str) -> bool {
        self.on.iter().flat_map(On::theirs).any(|side| side.column == column)
    }

    /// Whether they are found by a column of the record.
    pub fn joins_ours(&self, column: &str) -> bool {
        self.on.iter().flat_map(On::ours).any(|side| side.column == column)
    }

    /// Whether the rows are those that rules on this source and this table are about.
    pub fn is_about(&self, own_source: &str, source: &str, table: &str) -> bool {
        let theirs = self.elsewhere.as_deref().unwrap_or(own_source);
        theirs == source && self.table.eq_ignore_ascii_case(table)
    }
}

/// `on = "THEIRS = OURS"`, or a list of such pairs, of which all must be equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct On {
    /// In an order of their own, in which every list of the same pairs has them: what is noted of rows that are gone
    /// is found by their values in this order.
    pairs: Vec<ColumnPair>,
}

/// Two columns that are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnPair {
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

impl fmt::Display for ColumnPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.theirs, self.ours)
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, pair) in self.pairs.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { " and " })?;
            write!(f, "{pair}")?;
        }
        Ok(())
    }
}

impl On {
    fn new(mut pairs: Vec<ColumnPair>) -> On {
        pairs.sort_by_cached_key(ColumnPair::to_string);
        On { pairs }
    }

    /// The pairs, at least one.
    pub fn pairs(&self) -> &[ColumnPair] {
        &self.pairs
    }

    /// The columns of the related rows.
    pub fn theirs(&self) -> impl ExactSizeIterator<Item = &Side> {
        self.pairs.iter().map(|pair| &pair.theirs)
    }

    /// The columns of the record.
    pub fn ours(&self) -> impl ExactSizeIterator<Item = &Side> {
        self.pairs.iter().map(|pair| &pair.ours)
    }

    /// Reads the key of a relation, which may be left out; an error where it says nothing.
    pub(super) fn read(section: &mut Section<'_>) -> Result<Option<On>, Unsaid> {
        let Some(value) = section.value("on") else { return Ok(None) };
        let DeValue::Array(items) = value.get_ref() else {
            let text = section.as_text("on", value).ok_or(Unsaid)?;
            let pair = section.understood(text, ColumnPair::parse).ok_or(Unsaid)?;
            return Ok(Some(On::new(vec![pair.value])));
        };
        if items.is_empty() {
            let message = format!("`on` in {} names no columns", section.title());
            let finding = Finding::error(Code::BadRelation, message, value.span());
            section.note(finding.help(SEVERAL));
            return Err(Unsaid);
        }
        let mut pairs: Vec<ColumnPair> = Vec::new();
        for item in items.iter() {
            let text = section.as_text("on", item);
            let Some(pair) = text.and_then(|text| section.understood(text, ColumnPair::parse)) else {
                continue;
            };
            if pairs.contains(&pair.value) {
                let message = format!("`{}` stands in `on` of {} twice", pair.value, section.title());
                let finding = Finding::error(Code::BadRelation, message, pair.span);
                section.note(finding.help("write each pair of columns once"));
                continue;
            }
            pairs.push(pair.value);
        }
        if pairs.len() < items.len() { Err(Unsaid) } else { Ok(Some(On::new(pairs))) }
    }
}

/// What is written says nothing, and that has been noted.
pub(super) struct Unsaid;

const SEVERAL: &str =
    "several pairs of columns are a list, such as on = [\"tenant_id = tenant_id\", \"user_id = id\"]";

impl ColumnPair {
    fn parse(text: &str) -> Result<ColumnPair, Complaint> {
        let parsed = side(text, 0).and_then(|(theirs, rest)| {
            let (ours, rest) = side(rest.trim_start().strip_prefix('=')?, 0)?;
            rest.trim().is_empty().then_some(ColumnPair { theirs, ours })
        });
        parsed.ok_or_else(|| {
            let message = format!("`{text}` does not say which columns are equal");
            let help = format!(
                "write the column of the other table, `=`, and the column of this one, such as \"customer_id = id\"; \
                 either may stand in lower() or trim(); {SEVERAL}"
            );
            Complaint::new(Code::BadRelation, message, Some(help))
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
pub(super) fn name(text: &str) -> Option<(String, &str)> {
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
        ColumnPair::parse(text).ok().map(|pair| format!("{} | {}", pair.theirs, pair.ours))
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

    /// Notes of rows that are gone are found by the pairs in their order: it must not change.
    #[test]
    fn lists_of_the_same_pairs_are_the_same_and_one_pair_is_told_as_ever() {
        let on =
            |pairs: &[&str]| On::new(pairs.iter().filter_map(|pair| ColumnPair::parse(pair).ok()).collect());
        assert_eq!(on(&["b = id", "a = lower(x)"]), on(&["a = lower( x )", "b=id"]));
        assert_ne!(on(&["a = x", "b = y"]), on(&["a = y", "b = x"]));
        assert_eq!(on(&["b = id", "a = lower(x)"]).to_string(), "a = lower(x) and b = id");
        assert_eq!(on(&["customer_id=id"]).to_string(), "customer_id = id");
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
