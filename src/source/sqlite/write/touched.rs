//! A trigger that runs before a deletion can change the very row that goes: the engine does not look again.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::functions::Context;
use rusqlite::types::{FromSql, Value};

use super::keys::Bound;
use crate::source::sqlite::functions::FRESH;
use crate::source::sqlite::quoted;
use crate::source::sqlite::schema::Table;

/// A table, and the columns that rules read of it.
pub(super) type Watched<'a> = (&'a Table, &'a [String]);

/// Sees whether a column that rules read was changed in the row that goes.
#[derive(Debug, Default)]
pub(super) struct Touched {
    row: Arc<Mutex<Option<(String, Bound)>>>,
    is_touched: Arc<AtomicBool>,
}

impl Touched {
    /// Watches tables by triggers of this connection alone.
    pub(super) fn watch(connection: &Connection, tables: &[Watched<'_>]) -> rusqlite::Result<Touched> {
        let touched = Touched::default();
        let (row, is_touched) = (Arc::clone(&touched.row), Arc::clone(&touched.is_touched));
        connection.create_scalar_function("frist_touched", -1, FRESH, move |context: &Context<'_>| {
            let table: String = context.get(0)?;
            let key: Result<Bound, _> =
                (1..context.len()).map(|cell| Value::column_result(context.get_raw(cell))).collect();
            let row = row.lock().unwrap_or_else(PoisonError::into_inner);
            if key.ok().is_none_or(|key| row.as_ref() == Some(&(table, key))) {
                is_touched.store(true, Relaxed);
            }
            Ok(true)
        })?;
        for (place, (table, read)) in tables.iter().enumerate().filter(|(_, (_, read))| !read.is_empty()) {
            let same: Vec<String> =
                read.iter().map(|column| format!("old.{0} IS new.{0}", quoted(column))).collect();
            let key: Vec<String> =
                table.order().iter().map(|column| format!("old.{}", quoted(column))).collect();
            connection.execute_batch(&format!(
                "CREATE TEMP TRIGGER frist_touched_{place} AFTER UPDATE ON main.{} WHEN NOT ({}) \
                 BEGIN SELECT frist_touched('{}', {}); END",
                quoted(&table.name),
                same.join(" AND "),
                table.name.replace('\'', "''"),
                key.join(", ")
            ))?;
        }
        Ok(touched)
    }

    /// From now on it is about this row.
    pub(super) fn begin(&self, table: &str, key: &[Value]) {
        let row = Some((table.to_string(), key.to_vec()));
        *self.row.lock().unwrap_or_else(PoisonError::into_inner) = row;
        self.is_touched.store(false, Relaxed);
    }

    pub(super) fn is_touched(&self) -> bool {
        self.is_touched.load(Relaxed)
    }
}
