//! The rule book inside the engine: `frist_due_…(…)` asks it about one row, `frist_tally(…)`
//! counts the states of all rows that a statement visits.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags, SqlFnOutput};

use super::schema::Table;
use super::{newest, related, value};
use crate::evaluate::{Evaluator, Reason, State, Tally, Verdict};
use crate::source::Counted;

/// A function that answers the same whenever it is asked the same.
pub(crate) const PURE: FunctionFlags = FRESH.union(FunctionFlags::SQLITE_DETERMINISTIC);

/// A function that must be asked anew for each row. Neither kind can be called by a schema.
pub(crate) const FRESH: FunctionFlags = FunctionFlags::SQLITE_UTF8.union(FunctionFlags::SQLITE_DIRECTONLY);

/// What the rule book is asked with: the columns that the rules read, the answers of the related
/// rows, and what keeps the record where that is known.
pub fn cells(connection: &Connection, table: &Table, book: &Evaluator) -> rusqlite::Result<Vec<String>> {
    let columns = book.columns().iter().map(|column| table.column_sql(column));
    let answers = related::register(connection, table, book)?;
    let mut cells: Vec<String> = columns.chain(answers).chain(newest::binary_cells(table, book)).collect();
    if let Some(kept) = &table.kept {
        cells.push(kept.register(connection, table)?);
    }
    Ok(cells)
}

/// Registers a function that asks one rule about a row and answers by its verdict; returns its call.
fn register_asking<T: SqlFnOutput>(
    connection: &Connection,
    name: &str,
    (table, book, rule): (&Table, &Arc<Evaluator>, usize),
    answer: impl Fn(Option<Verdict>) -> T + Send + 'static,
) -> rusqlite::Result<String> {
    let owned = Arc::clone(book);
    connection.create_scalar_function(name, -1, PURE, move |context: &Context<'_>| {
        Ok(answer(owned.judge(rule, &|cell| value(context.get_raw(cell)))))
    })?;
    Ok(format!("{name}({})", cells(connection, table, book)?.join(", ")))
}

/// Registers `frist_due_…` for one rule and returns the call that asks it about a row.
pub fn register_due(
    connection: &Connection,
    table: &Table,
    book: &Arc<Evaluator>,
    rule: usize,
) -> rusqlite::Result<String> {
    let is_due = |verdict: Option<Verdict>| verdict.is_some_and(|verdict| verdict.state == State::Due);
    let name = format!("frist_due_{}", table.function_suffix());
    register_asking(connection, &name, (table, book, rule), is_due)
}

/// Registers `frist_overdue` for one rule and returns the call that asks whether it would delete a row
/// if no other row kept it.
pub fn register_overdue(
    connection: &Connection,
    table: &Table,
    book: &Arc<Evaluator>,
    rule: usize,
) -> rusqlite::Result<String> {
    let is_overdue = |verdict: Option<Verdict>| {
        let is_meant = |verdict: Verdict| verdict.state == State::Due || referred(verdict).is_some();
        verdict.is_some_and(is_meant)
    };
    register_asking(connection, "frist_overdue", (table, book, rule), is_overdue)
}

/// Registers `frist_blocker` for one rule and returns the call that gives what keeps a blocked
/// record; null for all others.
pub fn register_blocker(
    connection: &Connection,
    table: &Table,
    book: &Arc<Evaluator>,
    rule: usize,
) -> rusqlite::Result<String> {
    register_asking(connection, "frist_blocker", (table, book, rule), |verdict| verdict.and_then(referred))
}

/// What keeps a record to which others refer.
fn referred(verdict: Verdict) -> Option<i64> {
    match verdict.reason {
        Reason::Referred(key) => Some(key),
        _ => None,
    }
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
    book: &Arc<Evaluator>,
) -> rusqlite::Result<(String, TallySink)> {
    let nothing = Counted { total: Some(0), tallies: vec![Tally::default(); book.len()] };
    let sink = Arc::new(Mutex::new(nothing));
    let function = TallyFunction { book: Arc::clone(book), sink: Arc::clone(&sink) };
    connection.create_aggregate_function("frist_tally", -1, PURE, function)?;
    let cells = cells(connection, table, book)?;
    Ok((format!("frist_tally({})", cells.join(", ")), TallySink(sink)))
}

struct TallyFunction {
    book: Arc<Evaluator>,
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
