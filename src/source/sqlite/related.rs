//! The rows that belong to a record, found by the engine: each question of the rule book becomes a
//! subquery beside the record's own columns.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::functions::{Aggregate, Context};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error};

use super::functions::{FRESH, PURE};
use super::join::Join;
use super::leaving::Leaving;
use super::schema::Table;
use super::{newest, quoted, value};
use crate::evaluate::{Answer, AnswerCell, Asked, Evaluator, Match, Question};
use crate::note::Reader;

/// Registers what the questions need, and returns each as SQL that gives its answer.
pub fn register(connection: &Connection, table: &Table, book: &Evaluator) -> rusqlite::Result<Vec<String>> {
    register_all(connection, table, book, true)
}

/// The same, where it may be left out what spares a record: only its clock is asked for.
fn register_all(
    connection: &Connection,
    table: &Table,
    book: &Evaluator,
    asks_who_spares: bool,
) -> rusqlite::Result<Vec<String>> {
    let questions = book.questions().iter().zip(&table.joins).enumerate();
    let suffix = table.function_suffix();
    let register = |(number, (question, join)): (usize, (&Question, &Option<Join>))| match join {
        _ if !asks_who_spares && question.is_sparing() => Ok(Match::No.to_cell().to_string()),
        Some(join) => {
            let suffix = format!("{suffix}_{number}");
            let answer = register_one(connection, &suffix, question, join)?;
            match table.notes.reader(question) {
                Some(reader) => register_noted(connection, &suffix, (question, reader), (answer, join)),
                None => Ok(answer),
            }
        }
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
    let Join { from, alias, on, leaving, .. } = join;
    let rows = format!("FROM {from} AS {alias} WHERE {on}");
    if let Some(leaving) = leaving {
        return register_leaving(connection, suffix, (question, leaving), &rows);
    }
    let read: Vec<String> = question.columns().map(|name| format!("{alias}.{}", quoted(name))).collect();
    let owned = Arc::new(question.clone());
    if !matches!(question.asked, Asked::Any) {
        let name = format!("frist_found_{suffix}");
        connection.create_aggregate_function(name.as_str(), -1, PURE, Rows(owned))?;
        return Ok(format!("(SELECT {name}({}) {rows})", read.join(", ")));
    }
    if read.is_empty() {
        return Ok(format!("{} * EXISTS (SELECT 1 {rows})", Match::Yes.to_cell()));
    }
    let name = format!("frist_counts_{suffix}");
    connection.create_scalar_function(name.as_str(), -1, PURE, move |context: &Context<'_>| {
        Ok(owned.counts(|column| value(context.get_raw(column))).to_cell())
    })?;
    Ok(format!("(SELECT max({name}({})) {rows})", read.join(", ")))
}

/// Whether rows spare a record, where they may go themselves: those that are past their time do only for as long as
/// they are there.
fn register_leaving(
    connection: &Connection,
    suffix: &str,
    (question, leaving): (&Question, &Arc<Leaving>),
    rows: &str,
) -> rusqlite::Result<String> {
    let Leaving { table, book, .. } = &**leaving;
    let name = format!("frist_leaving_{suffix}");
    let (question, leaving) = (question.clone(), Arc::clone(leaving));
    let read: Vec<String> = question.columns().map(|column| table.column_sql(column)).collect();
    let width = read.len();
    connection.create_scalar_function(name.as_str(), -1, PURE, move |context: &Context<'_>| {
        let counts = question.counts(|column| value(context.get_raw(column)));
        let cell = |cell: usize| value(context.get_raw(width + cell));
        let is_past =
            counts > Match::No && leaving.acting.iter().any(|rule| leaving.book.is_due(*rule, &cell));
        Ok(if is_past { Match::Leaving } else { counts }.to_cell())
    })?;
    let own = book.columns().iter().map(|column| table.column_sql(column));
    let answers = register_all(connection, table, book, false)?;
    let binary = newest::binary_cells(table, book);
    let cells: Vec<String> = read.into_iter().chain(own).chain(answers).chain(binary).collect();
    Ok(format!("(SELECT max({name}({})) {rows})", cells.join(", ")))
}

/// Puts what was noted of rows that are gone beside what the engine finds; returns the call.
fn register_noted(
    connection: &Connection,
    suffix: &str,
    (question, reader): (&Question, Reader),
    (answer, join): (String, &Join),
) -> rusqlite::Result<String> {
    let name = format!("frist_noted_{suffix}");
    let (question, reader) = (question.clone(), Mutex::new(reader));
    connection.create_scalar_function(name.as_str(), -1, FRESH, move |context: &Context<'_>| {
        let there = context.get_raw(0);
        let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
        if reader.is_empty() {
            return context.get(0);
        }
        let key = key_of((1..context.len()).map(|place| context.get_raw(place)));
        let noted = key.map_or(Ok(None), |key| reader.find(&key));
        let noted = noted.map_err(|problem| Error::UserFunctionError(problem.message.into()))?;
        Ok(match noted {
            Some(noted) => cell(question.merged(&AnswerCell::of(value(there)), &noted)),
            None => context.get(0)?,
        })
    })?;
    Ok(format!("{name}({answer}, {})", join.ours.join(", ")))
}

/// What joins a record to its rows, as notes remember it; none where a part of it is null, which equals nothing.
pub(crate) fn key_of<'v>(cells: impl Iterator<Item = ValueRef<'v>>) -> Option<Vec<u8>> {
    let mut key = Vec::with_capacity(32);
    let mut add = |kind: u8, bytes: &[u8]| {
        key.push(kind);
        key.extend((bytes.len() as u64).to_be_bytes());
        key.extend(bytes);
    };
    for cell in cells {
        match cell {
            ValueRef::Null => return None,
            ValueRef::Integer(number) => add(b'i', &number.to_be_bytes()),
            ValueRef::Real(number) => add(b'r', &number.to_bits().to_be_bytes()),
            ValueRef::Text(text) => add(b't', text),
            ValueRef::Blob(bytes) => add(b'b', bytes),
        }
    }
    Some(key)
}

fn cell(answer: AnswerCell) -> Value {
    match answer {
        AnswerCell::Text(text) => text.map_or(Value::Null, |text| Value::Text(text.into())),
        AnswerCell::Number(number) => Value::Integer(number),
    }
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
        Ok(cell(answer.unwrap_or_else(|| self.0.nothing()).to_cell()))
    }
}
