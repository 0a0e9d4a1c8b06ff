//! A condition that the engine can answer from an index, and that every due row satisfies.
//!
//! It only ever lets through too much: the rule book is asked about each row that passes.

use rusqlite::Connection;

use super::schema::Table;
use crate::calendar::{NumberBound, TextBound, WrittenBound};
use crate::evaluate::Evaluator;

/// The condition for one rule in SQL, to be answered from an index where there is one; `1`
/// where no column's format has an order, and where each record has a period of its own.
pub fn sql(table: &Table, book: &Evaluator, rule: usize) -> String {
    written(table, book, rule, "")
}

/// The same condition, for statements that are bounded by keys: the unary plus keeps the engine
/// from preferring an index on the event to the keys.
pub fn beside_keys(table: &Table, book: &Evaluator, rule: usize) -> String {
    written(table, book, rule, "+")
}

fn written(table: &Table, book: &Evaluator, rule: usize, sign: &str) -> String {
    let Some(cutoff) = book.cutoff(rule) else { return "1".to_string() };
    let conditions: Vec<String> = book
        .necessary(rule)
        .filter_map(|(column, timestamps)| {
            let column = format!("{sign}{} COLLATE BINARY", table.column_sql(&book.columns()[column]));
            Some(condition(&column, &timestamps.written_before(cutoff)?))
        })
        .collect();
    if conditions.is_empty() { "1".to_string() } else { conditions.join(" AND ") }
}

/// In SQLite's order numbers come before text, and text before blobs.
fn condition(column: &str, bound: &WrittenBound) -> String {
    let text = match &bound.text {
        TextBound::Any => format!("{column} >= ''"),
        TextBound::Before(end) => format!("({column} >= '' AND {column} < '{end}')"),
        TextBound::Nothing => "0".to_string(),
    };
    match (bound.numbers, &bound.text) {
        (NumberBound::Any, TextBound::Before(end)) => format!("{column} < '{end}'"),
        (NumberBound::Any, TextBound::Nothing) => format!("{column} < ''"),
        (NumberBound::Any, TextBound::Any) => format!("{column} IS NOT NULL"),
        (NumberBound::UpTo(last), _) => format!("({column} <= {last:e} OR {text})"),
        (NumberBound::Nothing, _) => text,
    }
}

/// Whether the engine answers the condition from an index rather than from every row.
pub fn is_indexed(connection: &Connection, table: &Table, condition: &str) -> rusqlite::Result<bool> {
    let sql = format!("EXPLAIN QUERY PLAN SELECT 1 FROM {} WHERE {condition}", table.sql());
    let mut statement = connection.prepare(&sql)?;
    let steps: Vec<String> = statement.query_map([], |row| row.get(3))?.collect::<rusqlite::Result<_>>()?;
    Ok(!steps.is_empty() && steps.iter().all(|step| !step.starts_with("SCAN")))
}
