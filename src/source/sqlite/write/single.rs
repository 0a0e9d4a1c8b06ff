//! Asking for and deleting single rows, whatever their table.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Statement, params_from_iter};

use crate::source::sqlite::foreign_key::{Reference, pointing_at, unreferenced};
use crate::source::sqlite::schema::Table;
use crate::source::sqlite::web::{Member, Web};

/// The statements about single rows of a table.
pub(super) struct SingleSql {
    held: String,
    delete: String,
    /// How many columns rules read.
    width: usize,
}

impl SingleSql {
    /// Where triggers may have put rows there that a key cascades into, these keep what they refer to.
    pub(super) fn of(web: &Web, member: &Member, references: &[Reference]) -> SingleSql {
        let plain = Table { alias: None, ..member.table.clone() };
        let columns = member.columns();
        let read: Vec<String> = columns.iter().map(|column| plain.column_sql(column)).collect();
        let read = if read.is_empty() { "1".to_string() } else { read.join(", ") };
        let keys = plain.order();
        let equal =
            keys.iter().zip(1..).map(|(column, mark)| format!("{} = ?{mark}", plain.column_sql(column)));
        let by_key = format!("FROM {} WHERE {}", plain.sql(), equal.collect::<Vec<_>>().join(" AND "));
        let mut cascading = pointing_at(references, &plain.name);
        cascading.retain(|key| web.has_triggers && key.on_delete == "CASCADE");
        SingleSql {
            held: format!("SELECT {read} {by_key}"),
            delete: format!("DELETE {by_key}{}", unreferenced(&plain, &cascading)),
            width: columns.len(),
        }
    }

    pub(super) fn prepare<'c>(&self, connection: &'c Connection) -> rusqlite::Result<Single<'c>> {
        let (held, delete) = (connection.prepare(&self.held)?, connection.prepare(&self.delete)?);
        Ok(Single { held, delete, width: self.width })
    }
}

/// The same, ready.
pub(super) struct Single<'c> {
    held: Statement<'c>,
    delete: Statement<'c>,
    width: usize,
}

impl Single<'_> {
    /// What a row holds in the columns that rules read; none where it is not there.
    pub(super) fn held(&mut self, key: &[Value]) -> rusqlite::Result<Option<Vec<Value>>> {
        let width = self.width;
        let cells = |row: &Row<'_>| (0..width).map(|column| row.get(column)).collect();
        self.held.query_row(params_from_iter(key), cells).optional()
    }

    pub(super) fn delete(&mut self, key: &[Value]) -> rusqlite::Result<()> {
        self.delete.execute(params_from_iter(key)).map(drop)
    }
}
