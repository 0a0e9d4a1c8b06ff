//! The rule book inside the engine: `frist_due(…)` asks it about one row, `frist_tally(…)`
//! counts the states of all rows that a statement visits.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};

use super::schema::Table;
use super::{related, value};
use crate::dataset::Counted;
use crate::verdict::{Reason, RuleBook, State, Tally};

fn flags() -> FunctionFlags {
    FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY
}

/// What the rule book is asked with: the columns that the rules read, the answers of the related
/// rows, and what keeps the record where that is known.
pub fn cells(connection: &Connection, table: &Table, book: &RuleBook) -> rusqlite::Result<Vec<String>> {
    let columns = book.columns().iter().map(|column| table.column_sql(column));
    let mut cells: Vec<String> = columns.chain(related::register(connection, table, book)?).collect();
    if !table.blockers.is_empty() {
        cells.extend(table.blockers.register(connection, table)?);
    }
    Ok(cells)
}

/// Registers `frist_due` for one rule and returns the call that asks it about a row.
pub fn register_due(
    connection: &Connection,
    table: &Table,
    book: &Arc<RuleBook>,
    rule: usize,
) -> rusqlite::Result<String> {
    let owned = Arc::clone(book);
    connection.create_scalar_function("frist_due", -1, flags(), move |context: &Context<'_>| {
        Ok(owned.is_due(rule, &|column| value(context.get_raw(column))))
    })?;
    Ok(format!("frist_due({})", cells(connection, table, book)?.join(", ")))
}

/// Registers `frist_overdue` for one rule and returns the call that asks whether it would delete a row
/// if no other row kept it.
pub fn register_overdue(
    connection: &Connection,
    table: &Table,
    book: &Arc<RuleBook>,
    rule: usize,
) -> rusqlite::Result<String> {
    let owned = Arc::clone(book);
    connection.create_scalar_function("frist_overdue", -1, flags(), move |context: &Context<'_>| {
        let verdict = owned.judge(rule, &|column| value(context.get_raw(column)));
        Ok(verdict.is_some_and(|verdict| {
            verdict.state == State::Due || matches!(verdict.reason, Reason::Referred(_))
        }))
    })?;
    Ok(format!("frist_overdue({})", cells(connection, table, book)?.join(", ")))
}

/// Registers `frist_blocker` for one rule and returns the call that gives what keeps a blocked
/// record; null for all others.
pub fn register_blocker(
    connection: &Connection,
    table: &Table,
    book: &Arc<RuleBook>,
    rule: usize,
) -> rusqlite::Result<String> {
    let owned = Arc::clone(book);
    connection.create_scalar_function("frist_blocker", -1, flags(), move |context: &Context<'_>| {
        Ok(owned.judge(rule, &|cell| value(context.get_raw(cell))).and_then(|verdict| match verdict.reason {
            Reason::Referred(key) => Some(key),
            _ => None,
        }))
    })?;
    Ok(format!("frist_blocker({})", cells(connection, table, book)?.join(", ")))
}

/// Where a statement with `frist_tally` leaves what it counted.
pub struct TallySink(Arc<Mutex<Counted>>);

impl TallySink {
    /// What was counted, once the statement has run.
    pub fn take(self) -> Counted {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Registers `frist_tally` and returns the call that counts a row.
pub fn register_tally(
    connection: &Connection,
    table: &Table,
    book: &Arc<RuleBook>,
) -> rusqlite::Result<(String, TallySink)> {
    let nothing = Counted { total: Some(0), tallies: vec![Tally::default(); book.len()] };
    let sink = Arc::new(Mutex::new(nothing));
    let function = TallyFunction { book: Arc::clone(book), sink: Arc::clone(&sink) };
    connection.create_aggregate_function("frist_tally", -1, flags(), function)?;
    let cells = cells(connection, table, book)?;
    Ok((format!("frist_tally({})", cells.join(", ")), TallySink(sink)))
}

struct TallyFunction {
    book: Arc<RuleBook>,
    sink: Arc<Mutex<Counted>>,
}

struct Partial {
    rows: u64,
    tallies: Vec<Tally>,
}

impl Aggregate<Partial, bool> for TallyFunction {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Partial> {
        Ok(Partial { rows: 0, tallies: vec![Tally::default(); self.book.len()] })
    }

    fn step(&self, context: &mut Context<'_>, partial: &mut Partial) -> rusqlite::Result<()> {
        partial.rows += 1;
        Tally::count(&mut partial.tallies, &self.book, &|column| value(context.get_raw(column)));
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, partial: Option<Partial>) -> rusqlite::Result<bool> {
        if let Some(partial) = partial {
            let counted = Counted { total: Some(partial.rows), tallies: partial.tallies };
            self.sink.lock().unwrap_or_else(PoisonError::into_inner).merge(&counted);
        }
        Ok(true)
    }
}
