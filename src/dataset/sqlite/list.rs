//! Naming single records: for `--list`, and for the places of unreadable values.

use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::schema::Table;
use super::{quoted, value};
use crate::verdict::{RuleBook, Verdict};

/// A record under one rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The values of its key columns, joined by commas.
    pub key: String,
    /// Its state, with the reason.
    pub verdict: Verdict,
}

/// Whether a listing goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// With the next record.
    On,
    /// No further.
    Stop,
}

/// Judges every record of a table by one rule and names those that it matches, in key order.
pub fn records(
    connection: &Connection,
    table: &Table,
    key: &[String],
    book: &Arc<RuleBook>,
    rule: usize,
    mut found: impl FnMut(Listed) -> Flow,
) -> rusqlite::Result<()> {
    let columns: Vec<String> =
        key.iter().chain(book.columns()).map(|column| table.column_sql(column)).collect();
    let order: Vec<String> =
        table.order().iter().map(|column| format!("{}.{}", quoted(&table.name), quoted(column))).collect();
    let sql = format!("SELECT {} FROM {} ORDER BY {}", columns.join(", "), table.sql(), order.join(", "));
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let cell = |column: usize| row.get_ref(key.len() + column).map_or(crate::value::Value::Null, value);
        if let Some(verdict) = book.judge(rule, &cell) {
            let listed = Listed { key: key_text(row, key.len())?, verdict };
            if found(listed) == Flow::Stop {
                break;
            }
        }
    }
    Ok(())
}

fn key_text(row: &Row<'_>, width: usize) -> rusqlite::Result<String> {
    let cells: rusqlite::Result<Vec<String>> = (0..width).map(|at| Ok(cell_text(row.get_ref(at)?))).collect();
    Ok(cells?.join(","))
}

fn cell_text(cell: ValueRef<'_>) -> String {
    match cell {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}
