//! References that are emptied when the record goes that they name: `set-null`.

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::functions::Context;

use super::foreign_key::{Except, Reference, references_between};
use super::functions::PURE;
use super::join::{self, Join, Pairs};
use super::schema::{Table, describe};
use super::{quoted, settable, value};
use crate::diagnostic::Code;
use crate::evaluate::{Match, Question};
use crate::policy::{ColumnPair, On, Rule, SetNull};
use crate::source::Problem;

/// A column that is emptied in rows of some table.
#[derive(Clone, Debug)]
pub(crate) struct Release {
    /// The table of the rows.
    pub(crate) table: Table,
    /// The column.
    pub(crate) column: String,
    pairs: Pairs,
    /// Which of the rows let go.
    question: Arc<Question>,
    /// The foreign key that keeps nothing then.
    key: Option<Reference>,
    /// The end of its functions' names.
    number: String,
}

/// What lets go of a rule's records.
pub(crate) fn of(connection: &Connection, table: &Table, rule: &Rule) -> Result<Vec<Release>, Problem> {
    let each = rule.set_null.iter().enumerate();
    each.map(|(place, emptied)| one(connection, table, emptied, format!("{}_{place}", hex(&rule.name))))
        .collect()
}

/// A part of a function's name that no two rules share.
fn hex(name: &str) -> String {
    crate::hexadecimal::digits(name.as_bytes())
}

fn one(
    connection: &Connection,
    table: &Table,
    emptied: &SetNull,
    number: String,
) -> Result<Release, Problem> {
    let relation = &emptied.relation;
    let engine = |error: rusqlite::Error| Problem::new(Code::Sqlite, error.to_string()).at(&relation.at);
    let child = describe(connection, &relation.table, &relation.at)?;
    child.require(&emptied.column, &relation.at)?;
    if let Some(problem) = settable::cannot_be_empty(connection, &child, &emptied.column).map_err(engine)? {
        return Err(problem.at(&relation.at));
    }
    let mut keys = references_between(connection, &child.name, &table.name).map_err(engine)?;
    keys.retain(|key| key.child_columns.iter().any(|column| column.eq_ignore_ascii_case(&emptied.column)));
    let key = match &relation.on {
        None if keys.len() == 1 => keys.pop(),
        None => return Err(no_single_key(table, &child, emptied, keys.len()).at(&relation.at)),
        Some(on) => keys.into_iter().find(|key| is_key(key, on)),
    };
    let question = Question::any(relation);
    let pairs = match &key {
        Some(key) => join::of_key(key),
        None => join::pairs(connection, table, &question)?,
    };
    let record = Table { alias: Some("frist_record".to_string()), ..table.clone() };
    let alias = quoted(&child.name);
    let on: Vec<String> = pairs.iter().map(|pair| pair.sql(&record, &alias)).collect();
    let from = format!("main.{}", quoted(&child.name));
    let join = Join { from, alias, on: on.join(" AND "), ours: Vec::new(), leaving: None };
    super::required_index::require_index(connection, &record, &question, (&join, &pairs))
        .map_err(engine)??;
    let (question, column) = (Arc::new(question), emptied.column.clone());
    Ok(Release { table: child, column, pairs, question, key, number })
}

/// Whether a foreign key has the very columns of a relation.
fn is_key(key: &Reference, on: &On) -> bool {
    let is_plain = |pair: &ColumnPair| pair.theirs.folds.is_empty() && pair.ours.folds.is_empty();
    let is_there = |pair: &ColumnPair| {
        let mut columns = key.child_columns.iter().zip(&key.parent_columns);
        columns.any(|(child, parent)| {
            child.eq_ignore_ascii_case(&pair.theirs.column) && parent.eq_ignore_ascii_case(&pair.ours.column)
        })
    };
    key.child_columns.len() == on.pairs().len()
        && on.pairs().iter().all(|pair| is_plain(pair) && is_there(pair))
}

fn no_single_key(table: &Table, child: &Table, emptied: &SetNull, keys: usize) -> Problem {
    let keys = if keys == 0 { "no foreign key".to_string() } else { format!("{keys} foreign keys") };
    let message = format!(
        "`{}` of `{}` is part of {keys} to `{}`; say which rows refer to a record, such as on = \"{} = id\"",
        emptied.column, child.name, table.name, emptied.column
    );
    Problem::new(Code::AmbiguousRelation, message)
}

impl Release {
    fn function(&self) -> String {
        format!("frist_lets_go_{}", self.number)
    }

    fn columns(&self) -> impl Iterator<Item = &String> {
        self.question.relation.condition.iter().flat_map(|read| read.columns())
    }

    /// Registers what says whether a row lets go.
    pub(crate) fn register(&self, connection: &Connection) -> rusqlite::Result<()> {
        let question = Arc::clone(&self.question);
        connection.create_scalar_function(self.function().as_str(), -1, PURE, move |context: &Context<'_>| {
            Ok(question.counts(|column| value(context.get_raw(column))) == Match::Yes)
        })
    }

    /// The condition that a row of some alias refers to a record and surely lets go of it.
    pub(crate) fn on(&self, record: &Table, alias: &str) -> String {
        let alias = quoted(alias);
        let mut equal: Vec<String> = self.pairs.iter().map(|pair| pair.sql(record, &alias)).collect();
        equal.extend(self.except().map(|except| except.sql(&alias)));
        equal.join(" AND ")
    }

    /// What of the rows lets go, where not all do.
    fn except(&self) -> Option<Except> {
        self.question.relation.condition.as_ref()?;
        Some(Except { function: self.function(), columns: self.columns().cloned().collect() })
    }
}

/// The keys without what lets go of their records.
pub(crate) fn beside(releases: &[Release], mut references: Vec<Reference>) -> Vec<Reference> {
    for release in releases {
        let is_it =
            |reference: &&mut Reference| release.key.as_ref().is_some_and(|key| key.is_same(reference));
        for reference in references.iter_mut().filter(is_it) {
            match release.except() {
                None => reference.keeps = false,
                Some(except) => reference.except.push(except),
            }
        }
    }
    references
}
