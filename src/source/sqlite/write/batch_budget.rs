//! `frist_take(…)`: asks the rule about a row, as long as the leg of a transaction has time and rows left.
//!
//! The engine deletes a row as soon as the function has said yes, so that one pass over a
//! stretch of keys finds, asks and deletes, and stops on the clock. The first row for which
//! nothing was left is where the next leg begins.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::functions::Context;
use rusqlite::types::{FromSql, Value, ValueRef};

use super::evidence::Evidence;
use super::keys::Bound;
use super::sample::{Row, Sampler};
use crate::evaluate::Evaluator;
use crate::source::sqlite::functions::{FRESH, cells};
use crate::source::sqlite::schema::Table;
use crate::source::sqlite::value;

/// Asking the clock for every row would cost as much as asking the rule.
const ROWS_PER_LOOK: u64 = 32;

/// No number is remembered apart: the last row is among the others, or has this number itself.
const NO_NUMBER: i64 = i64::MIN;

/// What the running leg may still do, shared with the function inside the engine. One thread
/// at a time uses it; the atomics only let the engine own its part.
#[derive(Clone, Debug, Default)]
pub(super) struct BatchBudget(Arc<Left>);

#[derive(Debug, Default)]
struct Left {
    /// How many cells are the key's.
    width: usize,
    /// The cells that the rule sets.
    held: Vec<usize>,
    /// Of how many rows that are taken one is remembered: a power of two.
    stride: AtomicU64,
    last_number: AtomicI64,
    sampler: Mutex<Sampler>,
    /// How many rows the transaction may have taken, and has taken.
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

impl BatchBudget {
    /// Registers the function; returns the budget, and the call that takes a row.
    pub(super) fn register(
        connection: &Connection,
        table: &Table,
        book: &Arc<Evaluator>,
        (rule, evidence): (usize, &Evidence),
    ) -> rusqlite::Result<(BatchBudget, String)> {
        let order = table.order();
        let held = (0..book.settings(rule)).map(|setting| order.len() + book.cell_of(rule, setting));
        let budget =
            BatchBudget(Arc::new(Left { width: order.len(), held: held.collect(), ..Left::default() }));
        let (shared, owned, width) = (budget.clone(), Arc::clone(book), order.len());
        let (cells, seen) = (cells(connection, table, book)?, evidence.of_own_table());
        let behind = width + cells.len();
        connection.create_scalar_function("frist_take", -1, FRESH, move |context: &Context<'_>| {
            let is_due = || owned.is_due(rule, &|column| value(context.get_raw(width + column)));
            if shared.is_spent() || !is_due() {
                return Ok(false);
            }
            let is_taken = shared.take(context)?;
            if is_taken && let Some(seen) = &seen {
                seen.see(|cell| context.get_raw(behind + cell))?;
            }
            Ok(is_taken)
        })?;
        let key = order.iter().map(|column| table.column_sql(column));
        let arguments: Vec<String> = key.chain(cells).chain(evidence.cells(table)).collect();
        Ok((budget, format!("frist_take({})", arguments.join(", "))))
    }

    fn is_spent(&self) -> bool {
        self.0.is_spent.load(Relaxed)
    }

    /// Takes a due row, or remembers it as the first for which nothing was left.
    fn take(&self, context: &Context<'_>) -> rusqlite::Result<bool> {
        let taken = self.0.taken.load(Relaxed);
        if !self.is_used_up(taken) {
            self.0.taken.store(taken + 1, Relaxed);
            self.remember(context, taken);
            return Ok(true);
        }
        let key: rusqlite::Result<Bound> =
            (0..self.0.width).map(|column| key_cell(context, column)).collect();
        self.rest().refused = Some(key?);
        self.0.is_spent.store(true, Relaxed);
        Ok(false)
    }

    /// Keeps an even sample of what is taken, and the last. Most rows are passed over at the cost of a number.
    fn remember(&self, context: &Context<'_>, taken: u64) {
        let Left { width, held, stride, last_number, sampler, .. } = &*self.0;
        let rows = stride.load(Relaxed);
        let is_passed_over = taken & (rows - 1) != 0;
        if is_passed_over
            && held.is_empty()
            && let (1, ValueRef::Integer(number)) = (*width, context.get_raw(0))
        {
            last_number.store(number, Relaxed);
            return;
        }
        let key = (0..*width).map(|place| context.get_raw(place));
        let held = held.iter().map(|place| context.get_raw(*place));
        let mut sampler = sampler.lock().unwrap_or_else(PoisonError::into_inner);
        last_number.store(NO_NUMBER, Relaxed);
        if is_passed_over {
            sampler.end_with(key, held);
        } else {
            stride.store(sampler.add(key, held, rows), Relaxed);
        }
    }

    /// What the transaction has taken: all, or an even sample with the last.
    pub(super) fn sample(&self) -> Vec<Row> {
        let mut rows = self.0.sampler.lock().unwrap_or_else(PoisonError::into_inner).take();
        let last = self.0.last_number.load(Relaxed);
        rows.extend((last != NO_NUMBER).then(|| Row::numbered(last)));
        rows
    }

    fn is_used_up(&self, taken: u64) -> bool {
        let look = taken > 0 && taken.is_multiple_of(ROWS_PER_LOOK);
        let is_late = || self.rest().deadline.is_some_and(|deadline| Instant::now() >= deadline);
        taken >= self.0.rows.load(Relaxed) || (look && is_late())
    }

    /// Begins a transaction.
    pub(super) fn begin(&self) {
        self.0.stride.store(1, Relaxed);
        self.0.last_number.store(NO_NUMBER, Relaxed);
        self.0.sampler.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.0.taken.store(0, Relaxed);
    }

    /// Grants a leg of the transaction: at least one row, so that every leg gets further.
    pub(super) fn grant(&self, rows: u64, deadline: Option<Instant>) {
        let most = self.0.taken.load(Relaxed).saturating_add(rows.max(1));
        self.0.rows.store(most, Relaxed);
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
