//! Rows of a table that refer to rows of the same table, deleted those first that refer to others.

use std::collections::VecDeque;

use rusqlite::{Connection, OptionalExtension};

use super::Task;
use super::keys::Keys;
use super::search::beside_writers;
use crate::dataset::Problem;
use crate::dataset::sqlite::blocked::tree::rows;
use crate::dataset::sqlite::foreign_key::{Reference, unreferenced};
use crate::dataset::sqlite::schema::{Key, Table};
use crate::dataset::sqlite::{functions, prefilter};

/// Groups of rows, each of which goes at once; those first that refer to others.
#[derive(Debug)]
pub(super) struct Groups {
    left: VecDeque<Vec<i64>>,
    given: Vec<Vec<i64>>,
}

impl Groups {
    /// Reads the due rows of a table whose rows refer to each other; none where they do not.
    pub(super) fn read(task: &Task<'_>, references: &[Reference]) -> Result<Option<Groups>, Problem> {
        let (own, others): (Vec<Reference>, Vec<Reference>) =
            references.iter().filter(|reference| reference.keeps).cloned().partition(Reference::is_to_itself);
        if own.is_empty() || !task.table.has_row_numbers() {
            return Ok(None);
        }
        let (table, book, rule) = (task.table, task.book, task.rule);
        let may_be_due = format!("{}{}", prefilter::sql(table, book, rule), unreferenced(table, &others));
        let rows = beside_writers(task, |connection| {
            let due = functions::register_due(connection, table, book, rule)?;
            rows(connection, table, &due, &may_be_due, &own)
        })?;
        Ok(Some(Groups { left: rows.groups().into(), given: Vec::new() }))
    }

    /// Whole groups of about so many rows, but never more than the most.
    pub(super) fn next(&mut self, rows: u64, most: u64) -> Option<Keys> {
        self.given.clear();
        let mut taken = 0;
        while let Some(group) = self.left.front() {
            taken += group.len() as u64;
            if taken > most || (taken > rows && !self.given.is_empty()) {
                break;
            }
            self.given.extend(self.left.pop_front());
        }
        (!self.given.is_empty()).then(|| Keys::Groups(self.given.clone()))
    }

    /// The same groups come again: their batch did not happen.
    pub(super) fn give_back(&mut self) {
        for group in self.given.drain(..).rev() {
            self.left.push_front(group);
        }
    }
}

/// How a group is asked for and deleted, inside of one transaction.
pub(super) struct GroupDeletion<'a> {
    pub(super) connection: &'a Connection,
    pub(super) table: &'a Table,
    /// Due, in a statement that is bounded by keys.
    pub(super) due: &'a str,
    pub(super) references: &'a [Reference],
}

impl GroupDeletion<'_> {
    /// Deletes each group of which every row is still due and referred to by no row outside of it;
    /// the rows deleted, by their groups.
    pub(super) fn delete(&self, groups: &[Vec<i64>]) -> rusqlite::Result<Vec<Vec<i64>>> {
        // Within a circle one row goes before the other; until the commit that is no violation.
        self.connection.execute_batch("PRAGMA defer_foreign_keys = ON")?;
        let mut gone = Vec::new();
        for group in groups {
            if self.can_go(group)? {
                let sql = format!("DELETE FROM {} WHERE {}", self.table.sql(), self.among(group, self.table));
                self.connection.prepare(&sql)?.execute([])?;
                gone.push(group.clone());
            }
        }
        Ok(gone)
    }

    fn can_go(&self, group: &[i64]) -> rusqlite::Result<bool> {
        let among = self.among(group, self.table);
        let free: String =
            self.references.iter().filter(|key| key.keeps).map(|key| self.free_of(key, group)).collect();
        let sql = format!("SELECT count(*) FROM {} WHERE {among} AND {}{free}", self.table.sql(), self.due);
        let can_go: Option<i64> = self.connection.query_row(&sql, [], |row| row.get(0)).optional()?;
        Ok(can_go == i64::try_from(group.len()).ok())
    }

    /// No row outside of the group refers to the row.
    fn free_of(&self, reference: &Reference, group: &[i64]) -> String {
        if !reference.is_to_itself() {
            return unreferenced(self.table, std::slice::from_ref(reference));
        }
        let alias = reference.alias_beside(self.table);
        let child = Table { alias: Some(alias.clone()), ..self.table.clone() };
        let inside = self.among(group, &child);
        format!(
            " AND NOT EXISTS (SELECT 1 FROM {} WHERE {} AND NOT ({inside}))",
            child.sql(),
            reference.names_sql(self.table, &alias)
        )
    }

    fn among(&self, group: &[i64], table: &Table) -> String {
        let numbers: Vec<String> = group.iter().map(i64::to_string).collect();
        match table.key {
            Key::Rowid(rowid) => format!("{} IN ({})", table.column_sql(rowid), numbers.join(",")),
            Key::Columns(_) => "0".to_string(),
        }
    }
}
