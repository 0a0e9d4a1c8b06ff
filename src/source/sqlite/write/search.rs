//! Finding what the next batch is about, outside of any transaction.

use std::collections::VecDeque;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::keys::{Bound, End, Keys};
use super::together::{self, Live};
use super::{Conditions, SqliteJob};
use crate::run::batch_sizer::BatchSizer;
use crate::source::Problem;
use crate::source::sqlite::count::rows_up_to;
use crate::source::sqlite::schema::{Key, Table};
use crate::source::sqlite::{functions, open};

/// Row numbers held in memory at most, at eight bytes each.
const WINDOW: usize = 1_000_000;

/// Row numbers in one statement at most: it has to be read before it is carried out.
pub(super) const LISTED: u64 = 10_000;

/// Naming single rows pays where less than one in this many is due.
const SPARSE: u64 = 20;

/// Row numbers are dense where at least one in this many is that of a due row.
const DENSE: i128 = 4;

/// The way through a table.
pub(super) enum Search {
    /// Through all keys, stretch by stretch.
    Walk(Walk),
    /// Through the row numbers of the few due rows.
    Picked(Picked),
}

/// Row numbers still to go, in rising order, and those given out last.
pub(super) struct Picked {
    left: VecDeque<i64>,
    /// Since the transaction began.
    given: Vec<i64>,
}

/// A walk from one key to the last one that there was when it began. What is inserted behind
/// that is not walked over, so that a trigger that inserts for every deletion cannot keep a run
/// going for ever.
pub(super) struct Walk {
    from: End,
    last: Bound,
    /// Where the stretch ends that was given out last.
    stretch: Option<Bound>,
    /// Whether the last stretch held so little that looking ahead is cheaper than locking.
    is_sparse: bool,
    /// Whether row numbers are used so densely that they can be counted instead of rows.
    is_dense: bool,
    /// Where the transaction began.
    began: End,
}

impl Search {
    /// Chooses the way.
    pub(super) fn start(task: &SqliteJob<'_>, conditions: &Conditions) -> Result<Option<Search>, Problem> {
        if let Some(picked) = pick(task, conditions)? {
            return Ok(Some(Search::Picked(Picked { left: picked, given: Vec::new() })));
        }
        let ends = first_and_last_key(task).map_err(|error| task.writer.problem(&error))?;
        Ok(ends.map(|(first, last)| {
            let is_dense = is_dense(task, &first, &last);
            let (from, began) = (End::with(first.clone()), End::with(first));
            Search::Walk(Walk { from, last, stretch: None, is_sparse: true, is_dense, began })
        }))
    }

    /// Begins a transaction.
    pub(super) fn begin(&mut self) {
        match self {
            Search::Picked(picked) => picked.given.clear(),
            Search::Walk(walk) => walk.began = walk.from.clone(),
        }
    }

    /// Whether finding the next keys may take long.
    pub(super) fn looks_ahead(&self) -> bool {
        matches!(self, Search::Walk(Walk { is_sparse: true, .. }))
    }

    /// The keys of the next leg; none when there is nothing left.
    pub(super) fn next(
        &mut self,
        task: &SqliteJob<'_>,
        conditions: &Conditions,
        pace: &BatchSizer,
        most: u64,
    ) -> rusqlite::Result<Option<Keys>> {
        match self {
            Search::Picked(picked) => Ok(picked.next(pace.rows().min(most).min(LISTED))),
            Search::Walk(walk) => walk.next(task, conditions, stretch(task, pace, most)),
        }
    }

    /// Goes on behind a record that the database does not let go.
    pub(super) fn skip(&mut self, key: &Bound) {
        match (self, key.as_slice()) {
            (Search::Walk(walk), _) => walk.from = End::without(key.clone()),
            (Search::Picked(picked), [Value::Integer(number)]) => {
                picked.give_back_from(number.saturating_add(1))
            }
            _ => {}
        }
    }

    /// Gives the same keys out again: their transaction did not happen.
    pub(super) fn again(&mut self) {
        match self {
            Search::Picked(picked) => picked.give_back(),
            Search::Walk(walk) => walk.from = walk.began.clone(),
        }
    }

    /// Learns where the batch ended: at the first row that did not fit, or at its last key.
    pub(super) fn ended(&mut self, refused: Option<Bound>, deleted: u64, pace: &BatchSizer) {
        match self {
            Search::Walk(walk) => {
                walk.is_sparse = refused.is_none() && deleted.saturating_mul(SPARSE) < pace.stretch();
                walk.from = match (refused, walk.stretch.take()) {
                    (Some(refused), _) => End::with(refused),
                    (None, Some(stretch)) => End::without(stretch),
                    (None, None) => End::without(walk.last.clone()),
                };
            }
            Search::Picked(picked) => {
                if let Some([Value::Integer(refused)]) = refused.as_deref() {
                    picked.give_back_from(*refused);
                }
            }
        }
    }
}

/// Where rows do not come in the order of their keys, all of a stretch must fit into its batch.
fn stretch(task: &SqliteJob<'_>, pace: &BatchSizer, most: u64) -> u64 {
    let whole = pace.stretch();
    // From the first key to the one so many rows further on, both included, is one row more.
    if task.table.has_row_numbers() { whole } else { whole.min(pace.rows()).min(most).saturating_sub(1) }
}

impl Picked {
    fn next(&mut self, rows: u64) -> Option<Keys> {
        let some = self.left.len().min(usize::try_from(rows).unwrap_or(usize::MAX));
        let given: Vec<i64> = self.left.drain(..some).collect();
        self.given.extend(&given);
        (!given.is_empty()).then_some(Keys::Rowids(given))
    }

    /// A leg that ran out of time left its rows from this one on.
    fn give_back_from(&mut self, first: i64) {
        let place = self.given.partition_point(|rowid| *rowid < first);
        self.given.drain(place..).rev().for_each(|rowid| self.left.push_front(rowid));
    }

    /// A transaction that did not happen left all of its rows.
    fn give_back(&mut self) {
        self.give_back_from(i64::MIN);
    }
}

impl Walk {
    fn next(
        &mut self,
        task: &SqliteJob<'_>,
        conditions: &Conditions,
        rows: u64,
    ) -> rusqlite::Result<Option<Keys>> {
        if self.is_sparse {
            // A stretch in which nothing is due needs no transaction at all.
            match first_due(task, conditions, &self.from, &self.last)? {
                Some(key) => self.from = End::with(key),
                None => return Ok(None),
            }
        }
        if !self.from.included && self.from.key == self.last {
            return Ok(None);
        }
        let stretch = match (self.is_dense, self.from.key.as_slice(), self.last.as_slice()) {
            (true, [Value::Integer(from)], [Value::Integer(last)]) => {
                let rows = i64::try_from(rows).unwrap_or(i64::MAX);
                vec![Value::Integer(from.saturating_add(rows).min(*last))]
            }
            _ => key_further_on(task, &self.from, &self.last, rows)?,
        };
        self.stretch = Some(stretch.clone());
        Ok(Some(Keys::Range(self.from.clone(), End::with(stretch))))
    }
}

/// Where few records are due among many, their row numbers in rising order.
fn pick(task: &SqliteJob<'_>, conditions: &Conditions) -> Result<Option<VecDeque<i64>>, Problem> {
    let Key::Rowid(rowid) = task.table.key else { return Ok(None) };
    if task.amount.expected > WINDOW as u64 {
        return Ok(None);
    }
    let few = task.amount.expected.saturating_mul(SPARSE);
    let rows = rows_up_to(task.connection(), task.table, few).map_err(|error| task.writer.problem(&error))?;
    if rows < few {
        return Ok(None);
    }
    let (table, rowid) = (task.table.sql(), task.table.column_sql(rowid));
    let sql = format!(
        "SELECT {rowid} FROM {table} WHERE {}{} LIMIT {}",
        conditions.by_event,
        conditions.unreferenced,
        WINDOW + 1
    );
    let mut rowids: Vec<i64> = beside_writers(task, |connection| {
        connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect()
    })?;
    if rowids.len() > WINDOW {
        return Ok(None);
    }
    rowids.sort_unstable();
    Ok(Some(rowids.into()))
}

fn first_and_last_key(task: &SqliteJob<'_>) -> rusqlite::Result<Option<(Bound, Bound)>> {
    let end = |direction: &str| -> rusqlite::Result<Option<Bound>> {
        let columns = key_columns(task.table);
        let order: Vec<String> = columns.iter().map(|column| format!("{column} {direction}")).collect();
        let (key, order) = (columns.join(", "), order.join(", "));
        let sql = format!("SELECT {key} FROM {} ORDER BY {order} LIMIT 1", task.table.sql());
        task.connection().query_row(&sql, [], |row| bound_of(row, columns.len())).optional()
    };
    Ok(end("ASC")?.zip(end("DESC")?))
}

/// Whether the records that are due would alone fill a good part of the row numbers.
fn is_dense(task: &SqliteJob<'_>, first: &Bound, last: &Bound) -> bool {
    match (first.as_slice(), last.as_slice()) {
        ([Value::Integer(first), ..], [Value::Integer(last), ..]) if task.table.has_row_numbers() => {
            i128::from(*last) - i128::from(*first) < i128::from(task.amount.expected) * DENSE
        }
        _ => false,
    }
}

fn key_columns(table: &Table) -> Vec<String> {
    table.order().iter().map(|column| table.column_sql(column)).collect()
}

fn bound_of(row: &Row<'_>, width: usize) -> rusqlite::Result<Bound> {
    (0..width).map(|column| row.get(column)).collect()
}

/// The first due key on the way to the end.
fn first_due(
    task: &SqliteJob<'_>,
    conditions: &Conditions,
    from: &End,
    last: &Bound,
) -> rusqlite::Result<Option<Bound>> {
    one_key(task, from, last, &format!("AND {}{}", conditions.by_keys, conditions.unreferenced), 0)
}

/// The key some rows further on, or the end where there are not so many.
fn key_further_on(task: &SqliteJob<'_>, from: &End, last: &Bound, rows: u64) -> rusqlite::Result<Bound> {
    Ok(one_key(task, from, last, "", rows)?.unwrap_or_else(|| last.clone()))
}

fn one_key(
    task: &SqliteJob<'_>,
    from: &End,
    last: &Bound,
    also: &str,
    skipped: u64,
) -> rusqlite::Result<Option<Bound>> {
    let columns = key_columns(task.table);
    let (condition, parameters) = Keys::Range(from.clone(), End::with(last.clone())).condition(task.table);
    let sql = format!(
        "SELECT {key} FROM {} WHERE {condition} {also} ORDER BY {key} LIMIT 1 OFFSET {skipped}",
        task.table.sql(),
        key = columns.join(", ")
    );
    let mut statement = task.connection().prepare(&sql)?;
    statement.query_row(params_from_iter(parameters), |row| bound_of(row, columns.len())).optional()
}

/// Due records that are still there.
pub(super) struct Survivors {
    /// Those that nothing keeps.
    pub(super) free: u64,
    /// Those that rows keep, which did not when they were counted.
    pub(super) referred: u64,
}

/// How many records of the whole table are due and should be gone: all but those that were known to
/// be kept by others.
pub(super) fn survivors(
    task: &SqliteJob<'_>,
    live: Option<&Live<'_>>,
    conditions: &Conditions,
) -> Result<Survivors, Problem> {
    if let Some(live) = live {
        let (free, kept) = together::survivors(task, live)?;
        return Ok(Survivors { free, referred: kept.saturating_sub(task.amount.blocked) });
    }
    let Conditions { by_event, overdue, unreferenced, .. } = conditions;
    let count = |condition: &str| {
        let sql = format!("SELECT count(*) FROM {} WHERE {condition}", task.table.sql());
        beside_writers(task, |connection| {
            connection.query_row(&sql, [], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()))
        })
    };
    let all = count(overdue)?;
    if all == 0 || unreferenced.is_empty() {
        return Ok(Survivors { free: all, referred: 0 });
    }
    let free = count(&format!("{by_event}{unreferenced}"))?;
    Ok(Survivors { free, referred: (all - free.min(all)).saturating_sub(task.amount.blocked) })
}

/// Reads the whole table without keeping other writers waiting. With a log readers never do; a
/// reader of a database with a rollback journal does, and so this one takes no lock. Its file is
/// closed while the writer holds no lock that would go with it.
pub(super) fn beside_writers<T>(
    task: &SqliteJob<'_>,
    mut work: impl FnMut(&Connection) -> rusqlite::Result<T>,
) -> Result<T, Problem> {
    if task.writer.is_wal {
        return work(task.connection()).map_err(|error| task.writer.problem(&error));
    }
    let read = open::read(task.writer.path(), |opener| {
        let connection = opener.connect()?;
        let registered = functions::register_due(&connection, task.table, task.book, task.rule)
            .and_then(|_| functions::register_overdue(&connection, task.table, task.book, task.rule))
            .and_then(|_| task.kept(&connection))
            .and_then(|_| task.releases.iter().try_for_each(|release| release.register(&connection)));
        registered.and_then(|()| work(&connection)).map_err(|error| task.writer.problem(&error))
    });
    read.map_err(|unusable| unusable.problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_a_batch_had_no_time_for_come_again() {
        let mut picked = Picked { left: (1..=5).collect(), given: Vec::new() };
        assert_eq!(picked.next(3), Some(Keys::Rowids(vec![1, 2, 3])));
        picked.give_back();
        assert_eq!(picked.next(4), Some(Keys::Rowids(vec![1, 2, 3, 4])));
        picked.give_back_from(3);
        assert_eq!(picked.next(1), Some(Keys::Rowids(vec![3])));
        assert_eq!(picked.next(9), Some(Keys::Rowids(vec![4, 5])));
        assert_eq!(picked.next(9), None);
    }
}
