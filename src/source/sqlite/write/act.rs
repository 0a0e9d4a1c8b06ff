//! What a batch does to its rows: the statement up to its `WHERE`.

use std::sync::Arc;

use rusqlite::functions::Context;
use rusqlite::types::Value as Cell;

use super::SqliteJob;
use crate::anonymise::{Key, Made};
use crate::evaluate::Evaluator;
use crate::source::sqlite::functions::{FRESH, cells};
use crate::source::sqlite::{quoted, settable, value};
use crate::value::Owned;

/// Registers what the statement needs, and returns it.
pub(super) fn register(task: &SqliteJob<'_>) -> rusqlite::Result<String> {
    // Rows have to come in the order of their numbers, and an index may look shorter than the table.
    let order = if task.table.has_row_numbers() { " NOT INDEXED" } else { "" };
    let table = format!("{}{order}", task.table.sql());
    if task.book.deletes(task.rule) {
        return Ok(format!("DELETE FROM {table}"));
    }
    let cells = cells(task.connection(), task.table, task.book)?.join(", ");
    register_functions(task)?;
    let assignments: Vec<String> = (0..task.book.settings(task.rule))
        .map(|setting| {
            let column = &task.book.columns()[task.book.cell_of(task.rule, setting)];
            let (name, own) = (quoted(column), task.table.column_sql(column));
            // What stays as it is goes through no hands.
            format!(
                "{name} = CASE WHEN frist_sets({setting}, {cells}) THEN frist_set({setting}, {cells}) ELSE {own} END"
            )
        })
        .collect();
    // Without these words a constraint may say that other rows are deleted to make room.
    Ok(format!("UPDATE OR ABORT {table} SET {}", assignments.join(", ")))
}

/// `frist_sets(…)` says whether a column is changed, `frist_set(…)` gives what it becomes. The first
/// argument is the number of the setting.
fn register_functions(task: &SqliteJob<'_>) -> rusqlite::Result<()> {
    let (book, rule) = (Arc::clone(task.book), task.rule);
    task.connection().create_scalar_function("frist_sets", -1, FRESH, move |context: &Context<'_>| {
        let made = make(&book, rule, context)?;
        Ok(!matches!(made, Made::Already | Made::Illegible(_)))
    })?;
    let (book, key) = (Arc::clone(task.book), task.key.cloned());
    let may_be_null: Vec<bool> = task
        .policy
        .then
        .settings()
        .iter()
        .map(|setting| settable::may_be_null(task.connection(), task.table, &setting.column))
        .collect::<rusqlite::Result<_>>()?;
    task.connection().create_scalar_function("frist_set", -1, FRESH, move |context: &Context<'_>| {
        let may_be_null = may_be_null.get(setting(context)?).copied().unwrap_or_default();
        written(make(&book, rule, context)?, may_be_null, key.as_ref())
    })
}

fn make<'c>(book: &'c Evaluator, rule: usize, context: &'c Context<'_>) -> rusqlite::Result<Made<'c>> {
    Ok(book.make(rule, setting(context)?, &|cell| value(context.get_raw(cell + 1))))
}

fn setting(context: &Context<'_>) -> rusqlite::Result<usize> {
    usize::try_from(context.get::<i64>(0)?).map_err(impossible)
}

fn written(made: Made<'_>, may_be_null: bool, key: Option<&Key>) -> rusqlite::Result<Cell> {
    Ok(match (made, key) {
        (Made::Nothing, _) if may_be_null => Cell::Null,
        (Made::Nothing, _) => Cell::Text(String::new()),
        (Made::Value(Owned::Integer(number)), _) => Cell::Integer(number),
        (Made::Value(Owned::Real(number)), _) => Cell::Real(number),
        (Made::Value(Owned::Text(text)), _) => Cell::Text(String::from_utf8(text).map_err(impossible)?),
        (Made::PseudonymOf(text), Some(key)) => Cell::Text(key.pseudonym(&text)),
        (Made::PseudonymOf(_), None) => return Err(impossible("a pseudonym needs a key")),
        (Made::Already | Made::Illegible(_), _) => return Err(impossible("nothing is to be written")),
    })
}

fn impossible(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(error.into())
}
