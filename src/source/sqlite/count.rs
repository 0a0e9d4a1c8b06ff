//! Counting every state of every rule on one table, in one pass where the data is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rusqlite::{Connection, OptionalExtension};

use super::functions::register_tally;
use super::open::Opener;
use super::schema::{Key, Table};
use super::{prefilter, problem};
use crate::diagnostic::Code;
use crate::evaluate::Evaluator;
use crate::source::{Counted, Problem};

/// Two readers are enough to leave a machine to its other work.
const READERS: usize = 2;

/// A table is cut into this many parts, so that readers end together however unevenly its
/// rows are spread.
const PARTS: i64 = 64;

/// Below this many row numbers one reader is faster than two.
const SMALL: i64 = 50_000;

/// Counts all rows.
pub fn all(
    opener: &Opener,
    connection: &Connection,
    table: &Table,
    book: &Arc<Evaluator>,
) -> Result<Counted, Problem> {
    let explain = |error| problem(opener.path(), &error);
    let parts = parts(connection, table).map_err(explain)?;
    let readers = thread::available_parallelism().map_or(1, usize::from).min(READERS);
    if !opener.can_share() || parts.len() < 2 || readers < 2 {
        return where_(connection, table, book, "1").map_err(explain);
    }
    in_parallel(opener, table, book, &parts, readers)
}

/// Counts the rows that satisfy a condition.
pub fn where_(
    connection: &Connection,
    table: &Table,
    book: &Arc<Evaluator>,
    condition: &str,
) -> rusqlite::Result<Counted> {
    let (call, sink) = register_tally(connection, table, book)?;
    let sql = format!("SELECT {call} FROM {} WHERE {condition}", table.sql());
    connection.query_row(&sql, [], |_| Ok(()))?;
    Ok(sink.take())
}

/// Counts only rows that may be due, through the index on a rule's event.
pub fn candidates(
    connection: &Connection,
    table: &Table,
    book: &Arc<Evaluator>,
    rule: usize,
) -> rusqlite::Result<Counted> {
    let mut counted = where_(connection, table, book, &prefilter::sql(table, book, rule))?;
    counted.total = None;
    Ok(counted)
}

/// How many rows a table has; counting stops at a bound.
pub fn rows_up_to(connection: &Connection, table: &Table, bound: u64) -> rusqlite::Result<u64> {
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT ?1)", table.sql());
    let bound = i64::try_from(bound).unwrap_or(i64::MAX);
    connection.query_row(&sql, [bound], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()))
}

type Part = (i64, i64);

/// The row numbers of a table in parts of equal width; empty where it has none, or has no rows.
fn parts(connection: &Connection, table: &Table) -> rusqlite::Result<Vec<Part>> {
    let Key::Rowid(rowid) = table.key else { return Ok(Vec::new()) };
    let ends = ["min", "max"].map(|end| {
        let sql = format!("SELECT {end}({}) FROM {}", table.column_sql(rowid), table.sql());
        connection.query_row(&sql, [], |row| row.get::<_, Option<i64>>(0)).optional()
    });
    let [Ok(Some(Some(first))), Ok(Some(Some(last)))] = ends else { return Ok(Vec::new()) };
    Ok(cut(first, last))
}

fn cut(first: i64, last: i64) -> Vec<Part> {
    let width = i128::from(last) - i128::from(first) + 1;
    let pieces = if width < i128::from(SMALL) { 1 } else { i128::from(PARTS) };
    let edge = |piece: i128| i128::from(first) + width * piece / pieces;
    let narrow = |number: i128| i64::try_from(number).unwrap_or(last);
    (0..pieces).map(|piece| (narrow(edge(piece)), narrow(edge(piece + 1) - 1))).collect()
}

fn in_parallel(
    opener: &Opener,
    table: &Table,
    book: &Arc<Evaluator>,
    parts: &[Part],
    readers: usize,
) -> Result<Counted, Problem> {
    let next = AtomicUsize::new(0);
    let results: Vec<Result<Counted, Problem>> = thread::scope(|scope| {
        let handles: Vec<_> =
            (0..readers).map(|_| scope.spawn(|| count_parts(opener, table, book, parts, &next))).collect();
        let stopped = || Err(Problem::new(Code::Internal, "a reader stopped unexpectedly"));
        handles.into_iter().map(|handle| handle.join().unwrap_or_else(|_| stopped())).collect()
    });
    let mut counted: Option<Counted> = None;
    for result in results {
        let result = result?;
        match &mut counted {
            Some(whole) => whole.merge(&result),
            None => counted = Some(result),
        }
    }
    Ok(counted.unwrap_or_default())
}

/// One reader: takes part after part until none is left.
fn count_parts(
    opener: &Opener,
    table: &Table,
    book: &Arc<Evaluator>,
    parts: &[Part],
    next: &AtomicUsize,
) -> Result<Counted, Problem> {
    let explain = |error| problem(opener.path(), &error);
    let connection = opener.connect()?;
    let (call, sink) = register_tally(&connection, table, book).map_err(explain)?;
    let Key::Rowid(rowid) = table.key else { return Ok(sink.take()) };
    let rowid = table.column_sql(rowid);
    let sql = format!("SELECT {call} FROM {} WHERE {rowid} BETWEEN ?1 AND ?2", table.sql());
    let mut statement = connection.prepare(&sql).map_err(explain)?;
    while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
        statement.query_row([part.0, part.1], |_| Ok(())).map_err(explain)?;
    }
    drop(statement);
    Ok(sink.take())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_every_row_number_once() {
        for (first, last) in [(1, 1), (1, 49_999), (1, 5_000_000), (-7, 100_000), (i64::MIN, i64::MAX)] {
            let parts = cut(first, last);
            assert_eq!(parts.first().unwrap().0, first);
            assert_eq!(parts.last().unwrap().1, last);
            assert!(parts.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{first} {last}");
        }
    }
}
