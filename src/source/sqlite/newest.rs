//! Finding the newest records of a table, which `keep-newest` keeps from every rule.

use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Params, vtab};

use super::follow::array;
use super::related;
use super::schema::{Key, Table};
use super::value;
use crate::evaluate::{Evaluator, Guard, Search};

/// As many records are remembered, to see whether they are there when others have written.
const MOST_GUARDS: usize = 50_000;

/// The newest records of a table, and how they are found again once others have written.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Tells all books that were made from the same.
    book: Evaluator,
    /// Reads all records, and those of some row numbers.
    all: String,
    some: Option<String>,
    /// The records on which what is kept rests; none where these are too many.
    guards: Mutex<Option<Vec<Guard<i64>>>>,
}

/// Finds the newest records of a table whose related rows are known, and tells its book, unless that
/// has been told already.
pub(crate) fn protect(connection: &Connection, table: &mut Table, book: &Evaluator) -> rusqlite::Result<()> {
    if !book.must_find_newest() {
        return Ok(());
    }
    vtab::array::load_module(connection)?;
    let (number, has_numbers) = match &table.key {
        Key::Rowid(rowid) => (table.column_sql(rowid), true),
        Key::Columns(_) => ("0".to_string(), false),
    };
    let cells = cells(connection, table, book)?;
    let all = format!("SELECT {} FROM {}", [vec![number.clone()], cells].concat().join(", "), table.sql());
    let some = has_numbers.then(|| format!("{all} WHERE {number} IN rarray(?1)"));
    let watch = Watch { book: book.clone(), all, some, guards: Mutex::default() };
    watch.find(connection)?;
    table.newest = Some(Arc::new(watch));
    Ok(())
}

/// What the book is asked with to find the newest. Whatever else rules ask about is left out.
fn cells(connection: &Connection, table: &Table, book: &Evaluator) -> rusqlite::Result<Vec<String>> {
    let needed = book.counting_cells();
    let columns = book.columns().iter().map(|column| table.column_sql(column));
    let answers = related::register(connection, table, book)?;
    let each = columns.chain(answers).enumerate();
    let asked = each.map(|(cell, sql)| if needed.contains(&cell) { sql } else { "NULL".to_string() });
    Ok(asked.chain(binary_cells(table, book)).collect())
}

/// What tells binary data apart, in the columns of which that matters.
pub(super) fn binary_cells(table: &Table, book: &Evaluator) -> impl Iterator<Item = String> {
    book.binary_columns().iter().map(|column| {
        let column = table.column_sql(&book.columns()[*column]);
        format!("iif(typeof({column}) = 'blob', hex({column}), NULL)")
    })
}

impl Watch {
    fn guards(&self) -> MutexGuard<'_, Option<Vec<Guard<i64>>>> {
        self.guards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, connection: &Connection) -> rusqlite::Result<()> {
        let search = self.search(connection, &self.all, [])?;
        let guards = self.some.as_ref().and_then(|_| search.guards(MOST_GUARDS));
        *self.guards() = guards.map(sorted);
        search.settle(&self.book);
        Ok(())
    }

    fn search(
        &self,
        connection: &Connection,
        sql: &str,
        parameters: impl Params,
    ) -> rusqlite::Result<Search<i64>> {
        let mut search = Search::of(&self.book);
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query(parameters)?;
        while let Some(row) = rows.next()? {
            let key: i64 = row.get(0)?;
            let cell = |cell: usize| row.get_ref(1 + cell).map_or(crate::value::Value::Null, value);
            search.show(&self.book, &cell, || key, false);
        }
        Ok(search)
    }

    /// Looks whether the records are still there on which what is kept rests: then others may have
    /// come, and as much is kept as before, or more. Else the newest are looked for again; whether
    /// they were.
    pub(crate) fn refresh(&self, connection: &Connection) -> rusqlite::Result<bool> {
        if self.stands(connection)? {
            return Ok(false);
        }
        self.find(connection)?;
        Ok(true)
    }

    fn stands(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let guards = self.guards();
        let (Some(guards), Some(some)) = (guards.as_ref(), &self.some) else { return Ok(false) };
        let mut keys: Vec<i64> = guards.iter().map(|guard| guard.key).collect();
        keys.dedup();
        let keys: Rc<Vec<_>> = array(&keys);
        let now = self.search(connection, some, [keys])?.all_shown();
        Ok(sorted(now) == *guards)
    }
}

fn sorted(mut guards: Vec<Guard<i64>>) -> Vec<Guard<i64>> {
    guards.sort_unstable();
    guards
}
