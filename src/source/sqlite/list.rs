//! Naming single records: for `--list`, and for the places of unreadable values.

use std::path::Path;
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::functions::cells;
use super::open::read_once;
use super::schema::Table;
use super::survey::{key_columns, listed};
use super::{problem, value};
use crate::evaluate::{Evaluator, Reason};
use crate::hexadecimal;
use crate::policy::Source;
use crate::source::request::{Flow, Listed, TableQuery, Unusable};

/// Names the records of a database's table that one rule matches. What has been taken cannot be
/// given back, so the file is read once.
pub fn list(
    path: &Path,
    source: &Source,
    request: &TableQuery<'_>,
    rule: usize,
    found: &mut dyn FnMut(Listed) -> Flow,
) -> Result<(), Unusable> {
    read_once(path, |opener| {
        let connection = opener.connect()?;
        let (table, book) = listed(&connection, source, request)?;
        let key = key_columns(source, &table);
        let result = records(&connection, &table, &key, &book, rule, found);
        result.map_err(|error| problem(path, &error))
    })
}

/// Judges every record of a table by one rule and names those that it matches, in key order.
pub fn records(
    connection: &Connection,
    table: &Table,
    key: &[String],
    book: &Arc<Evaluator>,
    rule: usize,
    mut found: impl FnMut(Listed) -> Flow,
) -> rusqlite::Result<()> {
    let key_cells = key.iter().map(|column| table.column_sql(column));
    let columns: Vec<String> = key_cells.chain(cells(connection, table, book)?).collect();
    let order: Vec<String> = table.order().iter().map(|column| table.column_sql(column)).collect();
    let sql = format!("SELECT {} FROM {} ORDER BY {}", columns.join(", "), table.sql(), order.join(", "));
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let cell = |column: usize| row.get_ref(key.len() + column).map_or(crate::value::Value::Null, value);
        if let Some(verdict) = book.judge(rule, &cell) {
            let referred = match verdict.reason {
                Reason::Referred(code) => table.kept.as_ref().map(|kept| {
                    let (rows, why) = kept.words(code);
                    format!("blocked by {rows} ({why})")
                }),
                _ => None,
            };
            let shapes = book.shapes(rule, &verdict, &cell);
            let listed = Listed { key: key_text(row, key.len())?, verdict, referred, shapes };
            if found(listed) == Flow::Stop {
                break;
            }
        }
    }
    Ok(())
}

/// A key as a person reads it: the first cells of a row.
pub(crate) fn key_text(row: &Row<'_>, width: usize) -> rusqlite::Result<String> {
    let cells: rusqlite::Result<Vec<String>> = (0..width).map(|at| Ok(cell_text(row.get_ref(at)?))).collect();
    Ok(cells?.join(","))
}

fn cell_text(cell: ValueRef<'_>) -> String {
    match cell {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => hexadecimal::digits(bytes),
    }
}
