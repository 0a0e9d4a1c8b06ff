//! The rows that belong to a record, found by the engine: each question of the rule book becomes a
//! subquery beside the record's own columns.

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};

use super::join::Join;
use super::schema::Table;
use super::{quoted, value};
use crate::verdict::{Asked, Found, LatestOf, Question, RuleBook, Speaks};

/// Registers what the questions need, and returns each as SQL that gives its answer.
pub fn register(connection: &Connection, table: &Table, book: &RuleBook) -> rusqlite::Result<Vec<String>> {
    let questions = book.questions().iter().zip(&table.joins).enumerate();
    let suffix = table.function_suffix();
    questions
        .map(|(number, (question, join))| {
            register_one(connection, &format!("{suffix}_{number}"), question, join)
        })
        .collect()
}

fn register_one(
    connection: &Connection,
    suffix: &str,
    question: &Question,
    join: &Join,
) -> rusqlite::Result<String> {
    let Join { from, alias, on } = join;
    let column = |name: &String| format!("{alias}.{}", quoted(name));
    let read: Vec<String> =
        question.relation.condition.iter().flat_map(|read| read.columns()).map(column).collect();
    let owned = Arc::new(question.clone());
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    if let Asked::Latest(latest) = &question.asked {
        let name = format!("frist_latest_{suffix}");
        let arguments: Vec<String> = std::iter::once(column(&latest.column)).chain(read).collect();
        connection.create_aggregate_function(name.as_str(), -1, flags, Latest(owned))?;
        return Ok(format!("(SELECT {name}({}) FROM {from} AS {alias} WHERE {on})", arguments.join(", ")));
    }
    if read.is_empty() {
        let yes = Speaks::Yes.to_cell();
        return Ok(format!("{yes} * EXISTS (SELECT 1 FROM {from} AS {alias} WHERE {on})"));
    }
    let name = format!("frist_counts_{suffix}");
    connection.create_scalar_function(name.as_str(), -1, flags, move |context: &Context<'_>| {
        Ok(owned.counts(|column| value(context.get_raw(column))).to_cell())
    })?;
    let call = format!("{name}({})", read.join(", "));
    Ok(format!("(SELECT max({call}) FROM {from} AS {alias} WHERE {on})"))
}

/// The latest time of the related rows that count. Its first argument is the time, and what the
/// relation's `where` reads stands behind it.
struct Latest(Arc<Question>);

impl Latest {
    fn of(&self) -> Option<&LatestOf> {
        match &self.0.asked {
            Asked::Latest(latest) => Some(latest),
            Asked::Any => None,
        }
    }
}

impl Aggregate<Found, Option<String>> for Latest {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Found> {
        Ok(Found::Nothing)
    }

    fn step(&self, context: &mut Context<'_>, found: &mut Found) -> rusqlite::Result<()> {
        if let Some(latest) = self.of()
            && self.0.counts(|column| value(context.get_raw(column + 1))) != Speaks::No
        {
            latest.show(found, value(context.get_raw(0)));
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, found: Option<Found>) -> rusqlite::Result<Option<String>> {
        Ok(found.unwrap_or_default().to_cell())
    }
}
