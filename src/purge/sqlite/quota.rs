//! `frist_take(…)`: asks the rule about a row, as long as the batch has time and rows left.
//!
//! The engine deletes a row as soon as the function has said yes, so that one pass over a
//! stretch of keys finds, asks and deletes, and stops on the clock. The first row for which
//! nothing was left is where the next batch begins.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::functions::Context;
use rusqlite::types::{FromSql, Value};

use super::keys::Bound;
use crate::dataset::sqlite::functions::{FRESH, cells};
use crate::dataset::sqlite::schema::Table;
use crate::dataset::sqlite::value;
use crate::verdict::RuleBook;

/// Asking the clock for every row would cost as much as asking the rule.
const ROWS_PER_LOOK: u64 = 32;

/// What the running batch may still do, shared with the function inside the engine. One thread
/// at a time uses it; the atomics only let the engine own its part.
#[derive(Clone, Debug, Default)]
pub(super) struct Quota(Arc<Left>);

#[derive(Debug, Default)]
struct Left {
    rows: AtomicU64,
    taken: AtomicU64,
    is_spent: AtomicBool,
    rest: Mutex<Rest>,
}

#[derive(Debug, Default)]
struct Rest {
    deadline: Option<Instant>,
    refused: Option<Bound>,
}

impl Quota {
    /// Registers the function; returns the quota, and the call that takes a row.
    pub(super) fn register(
        connection: &Connection,
        table: &Table,
        book: &Arc<RuleBook>,
        rule: usize,
    ) -> rusqlite::Result<(Quota, String)> {
        let quota = Quota::default();
        let order = table.order();
        let (shared, owned, width) = (quota.clone(), Arc::clone(book), order.len());
        connection.create_scalar_function("frist_take", -1, FRESH, move |context: &Context<'_>| {
            let is_due = || owned.is_due(rule, &|column| value(context.get_raw(width + column)));
            if shared.is_spent() || !is_due() {
                return Ok(false);
            }
            shared.take(context, width)
        })?;
        let key = order.iter().map(|column| table.column_sql(column));
        let arguments: Vec<String> = key.chain(cells(connection, table, book)?).collect();
        Ok((quota, format!("frist_take({})", arguments.join(", "))))
    }

    fn is_spent(&self) -> bool {
        self.0.is_spent.load(Relaxed)
    }

    /// Takes a due row, or remembers it as the first for which nothing was left.
    fn take(&self, context: &Context<'_>, width: usize) -> rusqlite::Result<bool> {
        let taken = self.0.taken.load(Relaxed);
        if !self.is_used_up(taken) {
            self.0.taken.store(taken + 1, Relaxed);
            return Ok(true);
        }
        let key: rusqlite::Result<Bound> = (0..width).map(|column| key_cell(context, column)).collect();
        self.rest().refused = Some(key?);
        self.0.is_spent.store(true, Relaxed);
        Ok(false)
    }

    fn is_used_up(&self, taken: u64) -> bool {
        let look = taken > 0 && taken.is_multiple_of(ROWS_PER_LOOK);
        let is_late = || self.rest().deadline.is_some_and(|deadline| Instant::now() >= deadline);
        taken >= self.0.rows.load(Relaxed) || (look && is_late())
    }

    /// Grants a new batch: at least one row, so that every batch gets further.
    pub(super) fn grant(&self, rows: u64, deadline: Option<Instant>) {
        self.0.rows.store(rows.max(1), Relaxed);
        self.0.taken.store(0, Relaxed);
        self.0.is_spent.store(false, Relaxed);
        *self.rest() = Rest { deadline, refused: None };
    }

    /// The first due row for which nothing was left.
    pub(super) fn refused(&self) -> Option<Bound> {
        self.rest().refused.clone()
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.0.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_cell(context: &Context<'_>, column: usize) -> rusqlite::Result<Value> {
    let cell = Value::column_result(context.get_raw(column));
    cell.map_err(|error| rusqlite::Error::UserFunctionError(Box::new(error)))
}
