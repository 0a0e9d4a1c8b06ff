//! Records that others keep: deleting one would orphan, or cascade into, a row that stays, or take along
//! a row that a rule of its own keeps.
//!
//! *Stays* spreads from the rows that refer to those that they name. A statement about a table asks
//! that of the tables below it, one within the other; tables that name each other in a circle are read
//! once, and their rows are followed in memory (see [`circle`]).

pub mod along;
mod build;
pub mod circle;
mod key;
pub mod order;
pub mod rows;
mod tie;

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::functions::Context;

use super::functions::{PURE, cells};
use super::prefilter;
use super::schema::Table;
use super::value;
use crate::verdict::RuleBook;
use along::Along;
pub use build::{circle_of, of};
pub(super) use build::{that_stay, web};
use circle::Stuck;
use key::{Code, keeping_rows};
use tie::Tie;

/// What may keep the records of a table.
#[derive(Clone, Debug, Default)]
pub struct Blockers {
    /// For all rules on the table, or for each of them.
    each: Vec<Blocking>,
}

/// What may keep records that one rule deletes, or any.
#[derive(Clone, Debug, Default)]
struct Blocking {
    ties: Vec<Tie>,
    /// Rows that keep each other.
    stuck: Option<Arc<Stuck>>,
    along: Along,
    /// What a record satisfies that the rule deletes.
    may_be_due: String,
}

impl Blockers {
    /// Whether nothing can keep a record.
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// The book of rules on a table with such blockers.
    pub fn book(&self, book: &Arc<RuleBook>) -> Arc<RuleBook> {
        if self.is_empty() { Arc::clone(book) } else { Arc::new(book.with_references(self.each.len())) }
    }

    /// What goes along with a record under a rule.
    pub fn along(&self, rule: usize) -> Option<&Along> {
        self.of(rule).map(|blocking| &blocking.along).filter(|along| !along.is_empty())
    }

    fn of(&self, rule: usize) -> Option<&Blocking> {
        self.each.get(rule.min(self.each.len().checked_sub(1)?))
    }

    /// Registers what is needed to ask, and returns the questions about one record as SQL: 0 where
    /// nothing keeps it.
    pub fn register(&self, connection: &Connection, table: &Table) -> rusqlite::Result<Vec<String>> {
        self.each.iter().map(|blocking| blocking.register(connection, table)).collect()
    }

    /// What keeps a record under a rule: who, and why it does.
    pub fn words(&self, rule: usize, code: i64) -> (String, String) {
        let code = Code::from_cell(code);
        let told = self.of(rule).and_then(|blocking| blocking.words(code));
        told.unwrap_or_else(|| ("rows that stay".to_string(), "they refer to it".to_string()))
    }
}

impl Blocking {
    fn is_empty(&self) -> bool {
        self.ties.is_empty() && self.stuck.is_none() && self.along.is_empty()
    }

    fn register(&self, connection: &Connection, table: &Table) -> rusqlite::Result<String> {
        let along = (&self.along, table);
        let mut each = self.along.register_blockers(connection, table, self.numbers())?;
        for (number, tie) in self.ties.iter().enumerate() {
            each.push(tie.register(connection, table, number, along)?);
        }
        if let Some(stuck) = &self.stuck {
            each.push(stuck.register(connection, table)?);
        }
        if each.is_empty() {
            return Ok("0".to_string());
        }
        Ok(format!("CASE WHEN {} THEN coalesce({}, 0) ELSE 0 END", self.may_be_due, each.join(", ")))
    }

    /// How many numbers of keys stand before those of what goes along.
    fn numbers(&self) -> usize {
        self.ties.len() + self.stuck.as_ref().map_or(0, |stuck| stuck.keys.len())
    }

    fn words(&self, code: Code) -> Option<(String, String)> {
        let key = |name: String| format!("foreign key {name}");
        if let Some(tie) = self.ties.get(code.number) {
            return Some((tie.words(code.keeper), key(tie.reference.name())));
        }
        if let Some(number) = code.number.checked_sub(self.numbers()) {
            return Some((self.along.words(number, code.keeper), "`with`".to_string()));
        }
        let (inner, rules) = self.stuck.as_ref()?.keys.get(code.number - self.ties.len())?;
        Some((keeping_rows(&inner.child, code.keeper, rules), key(inner.name())))
    }
}

/// What a record satisfies that any of some rules deletes.
fn may_be_due(table: &Table, book: &RuleBook, rules: &[usize]) -> String {
    let each: Vec<String> =
        rules.iter().map(|rule| format!("({})", prefilter::sql(table, book, *rule))).collect();
    if each.is_empty() { "1".to_string() } else { format!("({})", each.join(" OR ")) }
}

/// Registers a function that says what becomes of a row; returns its call.
fn register_keeper(
    connection: &Connection,
    table: &Table,
    book: &Arc<RuleBook>,
    acting: &[usize],
) -> rusqlite::Result<String> {
    let name = format!("frist_keeper_{}", table.function_suffix());
    let (owned, rules) = (Arc::clone(book), acting.to_vec());
    connection.create_scalar_function(name.as_str(), -1, PURE, move |context: &Context<'_>| {
        Ok(key::keeper_to_cell(owned.keeper(&rules, &|cell| value(context.get_raw(cell)))))
    })?;
    Ok(format!("{name}({})", cells(connection, table, book)?.join(", ")))
}
