//! The rows that belong to a record, found by the engine: each question of the rule book becomes a
//! subquery beside the record's own columns.

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context};
use rusqlite::types::Value;

use super::functions::PURE;
use super::join::Join;
use super::schema::Table;
use super::{quoted, value};
use crate::verdict::{Answer, AnswerCell, Asked, Question, RuleBook, Speaks};

/// Registers what the questions need, and returns each as SQL that gives its answer.
pub fn register(connection: &Connection, table: &Table, book: &RuleBook) -> rusqlite::Result<Vec<String>> {
    let questions = book.questions().iter().zip(&table.joins).enumerate();
    let suffix = table.function_suffix();
    let register = |(number, (question, join)): (usize, (&Question, &Option<Join>))| match join {
        Some(join) => register_one(connection, &format!("{suffix}_{number}"), question, join),
        // The book knows the answer.
        None => Ok("NULL".to_string()),
    };
    questions.map(register).collect()
}

fn register_one(
    connection: &Connection,
    suffix: &str,
    question: &Question,
    join: &Join,
) -> rusqlite::Result<String> {
    let Join { from, alias, on } = join;
    let rows = format!("FROM {from} AS {alias} WHERE {on}");
    let read: Vec<String> = question.columns().map(|name| format!("{alias}.{}", quoted(name))).collect();
    let owned = Arc::new(question.clone());
    if !matches!(question.asked, Asked::Any) {
        let name = format!("frist_found_{suffix}");
        connection.create_aggregate_function(name.as_str(), -1, PURE, Rows(owned))?;
        return Ok(format!("(SELECT {name}({}) {rows})", read.join(", ")));
    }
    if read.is_empty() {
        return Ok(format!("{} * EXISTS (SELECT 1 {rows})", Speaks::Yes.to_cell()));
    }
    let name = format!("frist_counts_{suffix}");
    connection.create_scalar_function(name.as_str(), -1, PURE, move |context: &Context<'_>| {
        Ok(owned.counts(|column| value(context.get_raw(column))).to_cell())
    })?;
    Ok(format!("(SELECT max({name}({})) {rows})", read.join(", ")))
}

/// What a question finds among the related rows.
struct Rows(Arc<Question>);

impl Aggregate<Answer, Value> for Rows {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Answer> {
        Ok(self.0.nothing())
    }

    fn step(&self, context: &mut Context<'_>, answer: &mut Answer) -> rusqlite::Result<()> {
        self.0.show(answer, |column| value(context.get_raw(column)));
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, answer: Option<Answer>) -> rusqlite::Result<Value> {
        Ok(match answer.unwrap_or_else(|| self.0.nothing()).to_cell() {
            AnswerCell::Text(text) => text.map_or(Value::Null, |text| Value::Text(text.into())),
            AnswerCell::Number(number) => Value::Integer(number),
        })
    }
}
