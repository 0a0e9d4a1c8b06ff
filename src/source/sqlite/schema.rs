//! What a table is made of, as far as reading and deleting need it.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row};

use super::decide::Kept;
use super::join::Join;
use super::newest::Watch;
use super::quoted;
use super::trigger::Trigger;
use crate::diagnostic::{Code, nearest};
use crate::note::Notes;
use crate::source::Problem;

/// A table with records.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// What it is called in a statement that is about another table, too.
    pub alias: Option<String>,
    /// Its columns, generated ones included.
    pub columns: Vec<String>,
    /// What orders and bounds its records.
    pub key: Key,
    /// The columns of its primary key, as declared; none where there is none.
    pub primary_key: Vec<String>,
    /// Whether a trigger runs when a record is deleted.
    pub has_delete_trigger: bool,
    /// Whether a trigger runs when a record is changed.
    pub has_update_trigger: bool,
    /// Whether one of these may change another table.
    pub carries_changes_on: bool,
    /// How the rows are found that the rule book asks about, in the order of its questions; none where
    /// they are in another source.
    pub joins: Vec<Option<Join>>,
    /// What was noted of such rows that are gone.
    pub notes: Notes,
    /// What keeps its records for the sake of others, where that was asked for.
    pub kept: Option<Kept>,
    /// Its newest records, where rules keep these and they were looked for with it.
    pub(crate) newest: Option<Arc<Watch>>,
}

/// What a record is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// SQLite's own row number, under a name that no column hides.
    Rowid(&'static str),
    /// The primary key of a table without row numbers.
    Columns(Vec<String>),
}

impl Table {
    /// The table in SQL, as a statement reads from it.
    pub fn sql(&self) -> String {
        let name = quoted(&self.name);
        match &self.alias {
            Some(alias) => format!("main.{name} AS {}", quoted(alias)),
            None => format!("main.{name}"),
        }
    }

    /// The end of the names of functions that are about it: one statement can be about several tables.
    pub(crate) fn function_suffix(&self) -> &str {
        self.alias.as_deref().unwrap_or("0")
    }

    /// What its columns are qualified by.
    pub(crate) fn qualifier(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }

    /// A column in SQL: qualified, so that it can never be taken for a text.
    pub fn column_sql(&self, column: &str) -> String {
        format!("{}.{}", quoted(self.qualifier()), quoted(column))
    }

    /// Whether SQLite numbers its records. Only those are sure to be visited in the order of their
    /// keys: a primary key may fall, have a collation of its own, or be passed over for an index.
    pub fn has_row_numbers(&self) -> bool {
        matches!(self.key, Key::Rowid(_))
    }

    /// Whether a trigger runs when a record is deleted, or, where it is not deleted, changed.
    pub fn has_trigger_for(&self, deletes: bool) -> bool {
        if deletes { self.has_delete_trigger } else { self.has_update_trigger }
    }

    /// The columns that order its records.
    pub fn order(&self) -> Vec<String> {
        match &self.key {
            Key::Rowid(rowid) => vec![(*rowid).to_string()],
            Key::Columns(columns) => columns.clone(),
        }
    }

    /// The columns that name a record to a person.
    pub fn key_columns(&self) -> Vec<String> {
        match (&self.key, self.primary_key.as_slice()) {
            (Key::Rowid(rowid), []) => vec![(*rowid).to_string()],
            (_, primary_key) => primary_key.to_vec(),
        }
    }

    /// Checks that a column exists.
    pub fn require(&self, column: &str, place: &str) -> Result<(), Problem> {
        require_column(&self.name, &self.columns, column, place)
    }
}

/// Checks that a table has a column.
pub fn require_column(table: &str, columns: &[String], column: &str, place: &str) -> Result<(), Problem> {
    if columns.iter().any(|known| known == column) {
        return Ok(());
    }
    let advice = match nearest(column, columns.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has: {}", columns.join(", ")),
    };
    let message = format!("table `{table}` has no column `{column}`; {advice}");
    Err(Problem::new(Code::MissingColumn, message).at(place))
}

/// Describes one table, or says why rules cannot be about it.
pub fn describe(connection: &Connection, name: &str, place: &str) -> Result<Table, Problem> {
    let engine =
        |error: rusqlite::Error| Problem::new(Code::Sqlite, format!("table `{name}`: {error}")).at(place);
    let Some((kind, without_rowid)) = kind_of(connection, name).map_err(engine)? else {
        let names = table_names(connection).unwrap_or_default();
        return Err(no_such_table(name, &names).at(place));
    };
    if kind != "table" || name.starts_with("sqlite_") {
        return Err(not_a_table(name, &kind).at(place));
    }
    let (columns, primary_key) = columns(connection, name).map_err(engine)?;
    let key = if without_rowid { Key::Columns(primary_key.clone()) } else { rowid(name, &columns, place)? };
    let triggers = triggers(connection, name).map_err(engine)?;
    Ok(Table {
        name: name.to_string(),
        alias: None,
        columns,
        key,
        primary_key,
        has_delete_trigger: triggers.iter().any(|trigger| trigger.on_delete),
        has_update_trigger: triggers.iter().any(|trigger| trigger.on_update),
        carries_changes_on: triggers.iter().any(Trigger::carries_changes_on),
        joins: Vec::new(),
        notes: Notes::default(),
        kept: None,
        newest: None,
    })
}

fn kind_of(connection: &Connection, name: &str) -> rusqlite::Result<Option<(String, bool)>> {
    let sql = "SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1";
    connection.query_row(sql, [name], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// The tables of a database, apart from the engine's own.
pub fn table_names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
               AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// Says that a table is not among those that there are.
pub fn no_such_table(name: &str, names: &[String]) -> Problem {
    let advice = match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "it has no table at all".to_string(),
        None => format!("it has: {}", names.join(", ")),
    };
    Problem::new(Code::MissingTable, format!("the database has no table `{name}`; {advice}"))
}

fn not_a_table(name: &str, kind: &str) -> Problem {
    let message = match kind {
        "view" => format!("`{name}` is a view; write the rule for the table that holds its rows"),
        "virtual" => format!("`{name}` is a virtual table; its rows cannot be purged yet"),
        "shadow" => format!("`{name}` belongs to a virtual table; write no rule for it"),
        _ => format!("`{name}` belongs to SQLite itself"),
    };
    Problem::new(Code::NotATable, message)
}

/// The columns of a table or view, and those of its primary key.
pub fn columns(connection: &Connection, name: &str) -> rusqlite::Result<(Vec<String>, Vec<String>)> {
    // hidden = 1 marks the hidden columns of virtual tables; 2 and 3 are generated columns.
    let sql = "SELECT name, pk FROM pragma_table_xinfo(?1, 'main') WHERE hidden <> 1 ORDER BY cid";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    let rows: Vec<(String, i64)> = rows.collect::<rusqlite::Result<_>>()?;
    let mut keyed: Vec<&(String, i64)> = rows.iter().filter(|(_, position)| *position > 0).collect();
    keyed.sort_by_key(|(_, position)| *position);
    let primary_key = keyed.into_iter().map(|(column, _)| column.clone()).collect();
    Ok((rows.into_iter().map(|(column, _)| column).collect(), primary_key))
}

fn rowid(table: &str, columns: &[String], place: &str) -> Result<Key, Problem> {
    let free = |name: &&&str| !columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    let name = ["rowid", "_rowid_", "oid"].iter().find(free);
    name.map(|name| Key::Rowid(name)).ok_or_else(|| {
        let message =
            format!("table `{table}` has columns `rowid`, `_rowid_` and `oid`, which hide its row numbers");
        Problem::new(Code::NoRowNumber, message).at(place)
    })
}

/// The triggers on a table.
pub(super) fn triggers(connection: &Connection, name: &str) -> rusqlite::Result<Vec<Trigger>> {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = lower(?1)";
    let mut statement = connection.prepare(sql)?;
    let read = |row: &Row<'_>| Ok(Trigger::read(&row.get::<_, String>(0)?, name, &row.get::<_, String>(1)?));
    statement.query_map([name], read)?.collect()
}
