//! What a rule book asks about the rows that belong to a record, and the answers.
//!
//! An answer is a cell like those of the record's own columns: a source finds it where the rows
//! are, in whatever way it can, and hands it over with the others.

mod lasting;
mod latest;

use crate::condition::Truth;
use crate::policy::{Dated, Instructions, Relation, Rule};
use crate::value::Value;
use std::sync::Arc;

pub use lasting::{Lasting, LongestOf};
pub use latest::{Found, LatestOf};

/// One question about the related rows.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which rows belong to the record.
    pub relation: Relation,
    /// What is asked of them.
    pub asked: Asked,
    /// Where the rows are evidence, which counts still after frist has deleted it: the name of its notes.
    pub evidence: Option<Arc<str>>,
}

/// What is asked of related rows.
#[derive(Clone, Debug)]
pub enum Asked {
    /// The latest of their times.
    Latest(LatestOf),
    /// The longest of their periods.
    Longest(LongestOf),
    /// Whether there is one.
    Any,
}

/// What was found so far among the related rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The latest of their times.
    Latest(Found),
    /// The longest of their periods.
    Longest(Lasting),
    /// Whether there is one.
    Any(Match),
}

/// An answer as a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerCell {
    /// A text; null where nothing was found.
    Text(Option<Box<str>>),
    /// A number.
    Number(i64),
}

impl AnswerCell {
    /// What keeps a record, whatever was asked.
    pub(super) const UNKNOWN: Value<'static> = Value::Text(b"?");

    /// The same, where the key is text in an unknown encoding.
    pub(super) const IN_DOUBT: Value<'static> = Value::Text(b"!");

    /// That of a value which is an answer.
    pub(crate) fn of(value: Value<'_>) -> AnswerCell {
        match value {
            Value::Null => AnswerCell::Text(None),
            Value::Integer(number) => AnswerCell::Number(number),
            Value::Text(text) => AnswerCell::Text(Some(String::from_utf8_lossy(text).into())),
            // Nobody answers so: it keeps.
            Value::Real(_) | Value::Blob => AnswerCell::Text(Some("?".into())),
        }
    }

    /// As a value.
    pub fn value(&self) -> Value<'_> {
        match self {
            AnswerCell::Text(Some(text)) => Value::Text(text.as_bytes()),
            AnswerCell::Text(None) => Value::Null,
            AnswerCell::Number(number) => Value::Integer(*number),
        }
    }
}

/// Whether a related row counts, or whether there is one that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    /// It does not.
    No,
    /// It does for as long as it is there, and is past its own time.
    Leaving,
    /// Its condition is unknown or cannot be read: nobody can say.
    Doubtful,
    /// It does.
    Yes,
}

impl Match {
    /// As the number of a cell: the greatest of several is the answer for all of them.
    pub fn to_cell(self) -> i64 {
        self as i64
    }

    /// Back from a cell.
    pub fn from_cell(cell: Value<'_>) -> Match {
        match cell {
            Value::Integer(0) | Value::Null => Match::No,
            Value::Integer(1) => Match::Leaving,
            Value::Integer(3) => Match::Yes,
            _ => Match::Doubtful,
        }
    }
}

impl Question {
    pub(super) fn latest(rule: &Rule, dated: &Dated) -> Question {
        let Dated { relation, column, timestamps } = dated.clone();
        let evidence = Some(name_of_notes(rule, &relation, &format!("latest {column}")));
        Question { relation, asked: Asked::Latest(LatestOf { column, timestamps }), evidence }
    }

    pub(super) fn longest(rule: &Rule, relation: &Relation, asked: &Instructions) -> Question {
        let unit = asked.periods.unit().map(|unit| format!(" {unit}")).unwrap_or_default();
        let evidence = Some(name_of_notes(rule, relation, &format!("longest {}{unit}", asked.column)));
        let longest = LongestOf { column: asked.column.clone(), periods: asked.periods.clone() };
        Question { relation: relation.clone(), asked: Asked::Longest(longest), evidence }
    }

    /// Whether there is a row that spares a record, or goes along with it: one that is gone does neither.
    pub(crate) fn any(relation: &Relation) -> Question {
        Question { relation: relation.clone(), asked: Asked::Any, evidence: None }
    }

    /// Whether it asks for rows that spare a record.
    pub(crate) fn is_sparing(&self) -> bool {
        matches!(self.asked, Asked::Any) && self.evidence.is_none()
    }

    /// Whether there is, or was, a row without which a rule does not mean a record.
    pub(super) fn only_if(rule: &Rule, relation: &Relation) -> Question {
        Question { evidence: Some(name_of_notes(rule, relation, "any")), ..Question::any(relation) }
    }

    /// All that a rule asks about evidence.
    pub(crate) fn about_evidence(rule: &Rule) -> Vec<Question> {
        let dated = rule.start.related_parts().map(|dated| Question::latest(rule, dated));
        let asked = rule.keep.instructions();
        let longest = asked.and_then(|asked| Some(Question::longest(rule, asked.relation.as_ref()?, asked)));
        dated.chain(longest).chain(rule.only_if.iter().map(|only| Question::only_if(rule, only))).collect()
    }

    /// The columns of a related row that it reads: first that which it asks for, if it asks for
    /// one, and then those of the relation's `where`.
    pub fn columns(&self) -> impl Iterator<Item = &String> {
        let asked = match &self.asked {
            Asked::Latest(latest) => Some(&latest.column),
            Asked::Longest(longest) => Some(&longest.column),
            Asked::Any => None,
        };
        let condition = self.relation.condition.iter().flat_map(|read| read.columns());
        asked.into_iter().chain(condition)
    }

    /// The answer before any row was seen.
    pub fn nothing(&self) -> Answer {
        match self.asked {
            Asked::Latest(_) => Answer::Latest(Found::Nothing),
            Asked::Longest(_) => Answer::Longest(Lasting::Nothing),
            Asked::Any => Answer::Any(Match::No),
        }
    }

    /// Looks at one more row, by the values of the question's columns. What keeps the record
    /// longest stays.
    pub fn show<'v>(&self, answer: &mut Answer, row: impl Fn(usize) -> Value<'v>) {
        match (&self.asked, answer) {
            (Asked::Latest(latest), Answer::Latest(found)) => {
                latest.show(found, self.counts(|column| row(column + 1)), || row(0));
            }
            (Asked::Longest(longest), Answer::Longest(lasting)) => {
                longest.show(lasting, self.counts(|column| row(column + 1)), || row(0));
            }
            (Asked::Any, Answer::Any(speaks)) => *speaks = (*speaks).max(self.counts(row)),
            // An answer is always that of its question.
            _ => {}
        }
    }

    /// What was found once one more row was looked at.
    pub(super) fn shown<'v>(&self, found: &AnswerCell, row: impl Fn(usize) -> Value<'v>) -> AnswerCell {
        let mut answer = self.answer_of(found.value());
        self.show(&mut answer, row);
        answer.to_cell()
    }

    /// Adds what was found among other rows.
    pub(crate) fn merge(&self, answer: &mut Answer, other: Answer) {
        match (answer, other) {
            (Answer::Latest(found), Answer::Latest(other)) => *found = found.or_beyond(other),
            (Answer::Longest(lasting), Answer::Longest(other)) => {
                *lasting = std::mem::take(lasting).or_beyond(other);
            }
            (Answer::Any(speaks), Answer::Any(other)) => *speaks = (*speaks).max(other),
            // An answer is always that of its question.
            _ => {}
        }
    }

    /// What two answers say together, as if one had been given for the rows of both.
    pub(crate) fn merged(&self, one: &AnswerCell, other: &AnswerCell) -> AnswerCell {
        let mut answer = self.answer_of(one.value());
        self.merge(&mut answer, self.answer_of(other.value()));
        answer.to_cell()
    }

    /// Back from a cell.
    fn answer_of(&self, cell: Value<'_>) -> Answer {
        match self.asked {
            Asked::Latest(_) => Answer::Latest(Found::from_cell(cell)),
            Asked::Longest(_) => Answer::Longest(Lasting::from_cell(cell)),
            Asked::Any => Answer::Any(Match::from_cell(cell)),
        }
    }

    /// Whether a related row counts, by the answer of the relation's `where`.
    pub fn counts<'v>(&self, row: impl Fn(usize) -> Value<'v>) -> Match {
        let Some(condition) = &self.relation.condition else { return Match::Yes };
        match condition.eval(row) {
            Truth::True => Match::Yes,
            Truth::False => Match::No,
            Truth::Unknown | Truth::Unreadable { .. } => Match::Doubtful,
        }
    }
}

/// What tells notes of one relation from those of another. It stays when the rule gets another name, another
/// period or another condition of its own.
fn name_of_notes(rule: &Rule, relation: &Relation, asked: &str) -> Arc<str> {
    let source = relation.elsewhere.as_deref().unwrap_or(&rule.source);
    let on = relation.on.as_ref().map(|on| format!(" on {on}")).unwrap_or_default();
    let condition = relation.condition.as_ref().map(|read| format!(" where {read}")).unwrap_or_default();
    let table = &relation.table;
    format!("{}: {asked} of {source}.{table}{on}{condition}", rule.data()).into()
}

impl Answer {
    /// As a cell.
    pub fn to_cell(&self) -> AnswerCell {
        match self {
            Answer::Latest(found) => AnswerCell::Text(found.to_cell().map(String::into_boxed_str)),
            Answer::Longest(lasting) => AnswerCell::Text(lasting.to_cell().map(String::into_boxed_str)),
            Answer::Any(speaks) => AnswerCell::Number(speaks.to_cell()),
        }
    }
}
