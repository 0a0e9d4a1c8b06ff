//! One pass over a table whose rows belong to records of another source.

use std::path::Path;

use rusqlite::Connection;

use super::open::read;
use super::schema::{columns, no_such_table, require_column};
use super::{problem, quoted, value};
use crate::diagnostic::Code;
use crate::source::Problem;
use crate::source::lookup::Gathering;
use crate::source::request::Unusable;

/// Looks at every row of a table or view.
pub(crate) fn gather(path: &Path, gathering: &mut Gathering<'_>) -> Result<(), Unusable> {
    read(path, |opener| {
        gathering.restart();
        let connection = opener.connect()?;
        require(&connection, gathering).map_err(|error| problem(path, &error))??;
        rows(&connection, gathering).map_err(|error| problem(path, &error))?
    })
}

/// That there are such rows, and all of their columns.
fn require(connection: &Connection, gathering: &Gathering<'_>) -> rusqlite::Result<Result<(), Problem>> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view') \
               AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let names: Vec<String> =
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let table = gathering.table;
    if !names.iter().any(|name| name == table) {
        return Ok(Err(no_such_table(table, &names)));
    }
    let known = columns(connection, table)?.0;
    Ok(gathering.columns.iter().try_for_each(|column| require_column(table, &known, column, "")))
}

fn rows(connection: &Connection, gathering: &mut Gathering<'_>) -> rusqlite::Result<Result<(), Problem>> {
    let table = quoted(gathering.table);
    let columns: Vec<String> =
        gathering.columns.iter().map(|column| format!("{table}.{}", quoted(column))).collect();
    let mut statement = connection.prepare(&format!("SELECT {} FROM main.{table}", columns.join(", ")))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let cell = |column: usize| row.get_ref(column).map_or(crate::value::Value::Null, value);
        if gathering.add(cell).is_err() {
            return Ok(Err(unreadable_key(gathering)));
        }
    }
    Ok(Ok(()))
}

fn unreadable_key(gathering: &Gathering<'_>) -> Problem {
    let message = format!(
        "a row of table `{}` has a blob or a fraction in {}, and nobody can say which record it belongs to; correct \
         it, or relate another column",
        gathering.table,
        gathering.key()
    );
    Problem::new(Code::UnreadableKey, message)
}
