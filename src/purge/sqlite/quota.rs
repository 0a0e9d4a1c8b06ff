//! `frist_take(…)`: asks the rule about a row, as long as the batch has time and rows left.
//!
//! The engine deletes a row as soon as the function has said yes, so that one pass over a
//! stretch of keys finds, asks and deletes, and stops on the clock. The first row for which
//! nothing was left is where the next batch begins.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{FromSql, Value};

use super::keys::Bound;
use crate::dataset::sqlite::schema::Table;
use crate::dataset::sqlite::value;
use crate::verdict::RuleBook;

/// Asking the clock for every row would cost as much as asking the rule.
const ROWS_PER_LOOK: u64 = 32;

/// What one batch may still do.
#[derive(Debug)]
struct Left {
    rows: u64,
    taken: u64,
    deadline: Option<Instant>,
    refused: Option<Bound>,
}

impl Left {
    fn is_spent(&self) -> bool {
        let look = self.taken > 0 && self.taken.is_multiple_of(ROWS_PER_LOOK);
        self.taken >= self.rows || (look && self.deadline.is_some_and(|deadline| Instant::now() >= deadline))
    }
}

/// The quota of the running batch, shared with the function inside the engine.
#[derive(Clone, Debug)]
pub(super) struct Quota(Arc<Mutex<Left>>);

impl Quota {
    /// Registers the function; returns the quota, and the call that takes a row.
    pub(super) fn register(
        connection: &Connection,
        table: &Table,
        book: &Arc<RuleBook>,
        rule: usize,
    ) -> rusqlite::Result<(Quota, String)> {
        let left = Left { rows: 0, taken: 0, deadline: None, refused: None };
        let quota = Quota(Arc::new(Mutex::new(left)));
        let (shared, owned, width) = (quota.clone(), Arc::clone(book), table.order().len());
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
        connection.create_scalar_function("frist_take", -1, flags, move |context: &Context<'_>| {
            shared
                .take(context, width, || owned.is_due(rule, &|column| value(context.get_raw(width + column))))
        })?;
        let order = table.order();
        let arguments: Vec<String> =
            order.iter().chain(book.columns()).map(|column| table.column_sql(column)).collect();
        Ok((quota, format!("frist_take({})", arguments.join(", "))))
    }

    fn take(
        &self,
        context: &Context<'_>,
        width: usize,
        is_due: impl FnOnce() -> bool,
    ) -> rusqlite::Result<bool> {
        let mut left = self.left();
        if left.refused.is_some() || !is_due() {
            return Ok(false);
        }
        if left.is_spent() {
            let key: rusqlite::Result<Bound> = (0..width).map(|column| key_cell(context, column)).collect();
            left.refused = Some(key?);
            return Ok(false);
        }
        left.taken += 1;
        Ok(true)
    }

    /// Grants a new batch.
    pub(super) fn grant(&self, rows: u64, deadline: Instant) {
        *self.left() = Left { rows: rows.max(1), taken: 0, deadline: Some(deadline), refused: None };
    }

    /// The first due row for which nothing was left.
    pub(super) fn refused(&self) -> Option<Bound> {
        self.left().refused.clone()
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_cell(context: &Context<'_>, column: usize) -> rusqlite::Result<Value> {
    let cell = Value::column_result(context.get_raw(column));
    cell.map_err(|error| rusqlite::Error::UserFunctionError(Box::new(error)))
}
