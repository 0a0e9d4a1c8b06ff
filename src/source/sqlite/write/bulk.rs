//! Deleting many rows that were decided about together.

use rusqlite::params_from_iter;

use crate::source::relational::model::EdgeKind;
use crate::source::sqlite::follow::{Follower, array};
use crate::source::sqlite::schema::{Key, Table};

impl Follower<'_> {
    /// Deletes rows of a table, whatever becomes of others.
    pub(super) fn delete(&self, table: u16, rows: &[i64]) -> rusqlite::Result<()> {
        let plain = Table { alias: None, ..self.web.tables[usize::from(table)].table.clone() };
        let from = format!("DELETE FROM {} WHERE", plain.sql());
        if let Key::Rowid(rowid) = plain.key {
            let sql = format!("{from} {} = ?1", plain.column_sql(rowid));
            let mut statement = self.connection.prepare_cached(&sql)?;
            return rows.iter().try_for_each(|row| statement.execute([row]).map(drop));
        }
        let columns = plain.order();
        let equal =
            columns.iter().zip(1..).map(|(column, mark)| format!("{} = ?{mark}", plain.column_sql(column)));
        let sql = format!("{from} {}", equal.collect::<Vec<_>>().join(" AND "));
        let mut statement = self.connection.prepare_cached(&sql)?;
        rows.iter().try_for_each(|row| statement.execute(params_from_iter(self.key(table, *row))).map(drop))
    }

    /// Deletes those of some rows to which no row leads any more; how many.
    pub(super) fn delete_unled(&self, table: u16, rows: &[i64]) -> rusqlite::Result<usize> {
        let base = self.web.base(table);
        let Key::Rowid(rowid) = base.key else { return Ok(0) };
        let edges = self.web.model.edges_to(table);
        let sharing = edges.filter(|(_, edge)| matches!(edge.kind, EdgeKind::Shares { .. }));
        let leads = sharing.filter_map(|(number, edge)| {
            let from = self.web.tables[usize::from(edge.from)].table.sql();
            Some(format!(" AND NOT EXISTS (SELECT 1 FROM {from} WHERE {})", self.web.on(number, None)?))
        });
        let sql = format!(
            "DELETE FROM {} WHERE {} IN (SELECT value FROM rarray(?1)){}",
            base.sql(),
            base.column_sql(rowid),
            leads.collect::<String>()
        );
        self.connection.prepare_cached(&sql)?.execute([array(rows)])
    }
}
