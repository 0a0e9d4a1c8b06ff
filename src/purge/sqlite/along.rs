//! Deleting records together with what goes along, in one transaction: the row numbers of each table are
//! gathered first, and then deleted from the rows that refer to others on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::careful::Failure;
use super::refusals::Refusal;
use crate::dataset::folder::named;
use crate::dataset::folder::root::Root;
use crate::dataset::sqlite::blocked::along::{Along, Node, row_number};
use crate::dataset::sqlite::blocked::order::Web;
use crate::dataset::sqlite::foreign_key::Reference;
use crate::dataset::sqlite::schema::Table;
use crate::dataset::sqlite::{quoted, value};
use crate::ledger::{NamedFile, Removal, Seen};
use crate::policy::NamedFiles;

/// What a transaction takes along.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// The records themselves.
    pub(super) records: u64,
    /// Rows of other tables.
    pub(super) rows: u64,
    /// Records of other rules that had to go first, by the names of these.
    pub(super) ahead: BTreeMap<String, u64>,
    /// Records that the database refused.
    pub(super) refusals: Vec<Refusal>,
    /// Files to be removed after the commit.
    pub(super) files: Vec<Removal>,
}

impl Taken {
    /// Adds another record, and what it took along.
    pub(super) fn add(&mut self, other: Taken) {
        self.records += other.records;
        self.rows += other.rows;
        self.files.extend(other.files);
    }
}

/// A deletion of records with what goes along.
pub(super) struct Together<'a> {
    pub(super) connection: &'a Connection,
    pub(super) database: &'a std::path::Path,
    pub(super) table: &'a Table,
    pub(super) along: &'a Along,
    /// What a single record must satisfy once the others are gone, and its parameters.
    pub(super) still: Option<(String, Vec<Value>)>,
}

/// The row numbers that go, by the number of their node and one more; the records are number 0.
const TAKEN: &str = "CREATE TEMP TABLE IF NOT EXISTS frist_taken (node INTEGER, row INTEGER, PRIMARY KEY (node, row)) \
                     WITHOUT ROWID; DELETE FROM temp.frist_taken";

impl Together<'_> {
    /// Deletes the records that satisfy a condition, and what goes along with them.
    pub(super) fn delete(&self, condition: &str, parameters: &[Value]) -> Result<Taken, Failure> {
        let engine = |error: rusqlite::Error| Failure::of(self.database, &error);
        let records = self.take(condition, parameters).map_err(engine)?;
        if records == 0 {
            return Ok(Taken::default());
        }
        for (number, node) in self.along.nodes.iter().enumerate() {
            self.take_along(number, node).map_err(engine)?;
        }
        for (number, node) in self.along.nodes.iter().enumerate() {
            self.require_unreferenced(number, node)?;
        }
        let files = self.files().map_err(engine)?;
        let rows = self.delete_taken(records).map_err(engine)?;
        match rows {
            Ok(rows) => Ok(Taken { records, rows, files, ..Taken::default() }),
            Err(table) => Err(kept(&table)),
        }
    }

    fn take(&self, condition: &str, parameters: &[Value]) -> rusqlite::Result<u64> {
        // A row may go before one that refers to it; until the commit that is no violation.
        self.connection.execute_batch("PRAGMA defer_foreign_keys = ON")?;
        self.connection.execute_batch(TAKEN)?;
        let (table, row) = (self.table.sql(), row_number(self.table));
        let sql = format!("INSERT INTO temp.frist_taken SELECT 0, {row} FROM {table} WHERE {condition}");
        Ok(self.connection.prepare(&sql)?.execute(params_from_iter(parameters))? as u64)
    }

    /// Rows that belong to taken ones and to no other.
    fn take_along(&self, number: usize, node: &Node) -> rusqlite::Result<()> {
        let parent = self.along.parent(node, self.table);
        let parents = node.parent.map_or(0, |parent| parent + 1);
        let other = Table { alias: Some(format!("{}_other", node.table.qualifier())), ..parent.clone() };
        let sql = format!(
            "INSERT OR IGNORE INTO temp.frist_taken SELECT {own}, {row} FROM temp.frist_taken AS frist_from \
             CROSS JOIN {parent_sql} CROSS JOIN {table} WHERE frist_from.node = {parents} \
             AND {parent_row} = frist_from.row AND {on} AND NOT EXISTS (SELECT 1 FROM {other_sql} WHERE {other_on} \
             AND {other_row} NOT IN (SELECT row FROM temp.frist_taken WHERE node = {parents}))",
            own = number + 1,
            row = row_number(&node.table),
            parent_sql = parent.sql(),
            table = node.table.sql(),
            parent_row = row_number(parent),
            on = node.on(parent, node.table.qualifier()),
            other_sql = other.sql(),
            other_on = node.on(&other, node.table.qualifier()),
            other_row = row_number(&other),
        );
        self.connection.execute(&sql, []).map(drop)
    }

    /// Rows that several records share go with the last of them: nobody has asked yet who refers to these.
    fn require_unreferenced(&self, number: usize, node: &Node) -> Result<(), Failure> {
        for (reference, names) in self.along.referring(node) {
            let alias = reference.alias_beside(&node.table);
            let (from, stays) = match self.known(&reference.child) {
                None => (format!("main.{} AS {}", quoted(&reference.child), quoted(&alias)), "1".to_string()),
                Some(table) => {
                    let (child, places) =
                        (Table { alias: Some(alias), ..table.clone() }, self.places_of(table));
                    let taken = format!("SELECT row FROM temp.frist_taken WHERE node IN ({places})");
                    (child.sql(), format!("{} NOT IN ({taken})", row_number(&child)))
                }
            };
            let sql = format!(
                "SELECT count(*) FROM temp.frist_taken AS frist_from CROSS JOIN {} CROSS JOIN {} \
                 WHERE frist_from.node = {} AND {} = frist_from.row AND {names} AND {stays}",
                node.table.sql(),
                from,
                number + 1,
                row_number(&node.table),
            );
            let engine = |error: rusqlite::Error| Failure::of(self.database, &error);
            let rows: i64 = self.connection.query_row(&sql, [], |row| row.get(0)).map_err(engine)?;
            if rows > 0 {
                return Err(shared(node, &reference));
            }
        }
        Ok(())
    }

    /// The files that rows name that go. Whether others name them is asked when these are gone.
    fn files(&self) -> rusqlite::Result<Vec<Removal>> {
        let mut removals = Vec::new();
        for files in &self.along.files {
            removals.extend(self.files_of(0, self.table, files)?);
        }
        for (number, node) in self.along.nodes.iter().enumerate() {
            for files in &node.files {
                removals.extend(self.files_of(number + 1, &node.table, files)?);
            }
        }
        Ok(removals)
    }

    fn files_of(
        &self,
        number: usize,
        table: &Table,
        files: &NamedFiles,
    ) -> rusqlite::Result<Option<Removal>> {
        let sql = format!(
            "SELECT {} FROM {} WHERE {} IN (SELECT row FROM temp.frist_taken WHERE node = {number})",
            table.column_sql(&files.column),
            table.sql(),
            row_number(table)
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut paths = BTreeSet::new();
        while let Some(row) = rows.next()? {
            if let Ok(Some(path)) = named::below(&files.folder, value(row.get_ref(0)?)) {
                paths.extend(path.into_os_string().into_string());
            }
        }
        let files_seen = seen(&files.folder, paths);
        let (database, folder) = (self.database.to_path_buf(), files.folder.clone());
        let (table, column) = (table.name.clone(), files.column.clone());
        let naming = self.along.naming.clone();
        let removal = Removal { database, table, column, folder, files: files_seen, naming };
        Ok((!removal.files.is_empty()).then_some(removal))
    }

    /// A table of which rows may be taken.
    fn known(&self, name: &str) -> Option<&Table> {
        let nodes = self.along.nodes.iter().map(|node| &node.table);
        std::iter::once(self.table).chain(nodes).find(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// The numbers under which rows of a table are taken.
    fn places_of(&self, table: &Table) -> String {
        let own = (self.table.name == table.name).then(|| "0".to_string());
        let nodes = self.along.nodes.iter().enumerate();
        let nodes = nodes
            .filter(|(_, node)| node.table.name == table.name)
            .map(|(number, _)| (number + 1).to_string());
        own.into_iter().chain(nodes).collect::<Vec<String>>().join(", ")
    }

    /// Deletes what was taken, rows that refer to others first; how many rows of other tables. Where a
    /// trigger keeps a row, or was faster, its table.
    fn delete_taken(&self, records: u64) -> rusqlite::Result<Result<u64, String>> {
        let mut tables: Vec<(&Table, usize)> = vec![(self.table, 0)];
        tables.extend(self.along.nodes.iter().enumerate().map(|(number, node)| (&node.table, number + 1)));
        let names: Vec<(&str, Vec<&str>)> =
            tables.iter().map(|(table, _)| (table.name.as_str(), Vec::new())).collect();
        let turns = Web::read(self.connection)?.turns(&names);
        // Of tables that say nothing of each other, those farthest from the record go first.
        let mut order: Vec<usize> = (0..tables.len()).rev().collect();
        order.sort_by_key(|place| turns[*place]);
        let mut rows = 0;
        for place in order {
            let (table, number) = tables[place];
            let plain = Table { alias: None, ..table.clone() };
            let sql = format!(
                "DELETE FROM main.{} WHERE {} IN (SELECT row FROM temp.frist_taken WHERE node = {number})",
                quoted(&table.name),
                row_number(&plain)
            );
            let deleted = match &self.still {
                Some((still, parameters)) if number == 0 => {
                    let sql = format!("{sql} AND {still}");
                    self.connection.execute(&sql, params_from_iter(parameters))? as u64
                }
                _ => self.connection.execute(&sql, [])? as u64,
            };
            rows += if number == 0 { 0 } else { deleted };
            let left = format!(
                "SELECT count(*) FROM {} WHERE {} IN (SELECT row FROM temp.frist_taken WHERE node = {number})",
                plain.sql(),
                row_number(&plain)
            );
            let is_gone = self.connection.query_row(&left, [], |row| row.get::<_, i64>(0))? == 0;
            if !is_gone || (number == 0 && deleted != records) {
                return Ok(Err(table.name.clone()));
            }
        }
        Ok(Ok(rows))
    }
}

/// Files as they are now, before the commit. What is not there has not to go; of a folder that cannot be
/// opened nobody knows, and the removal tells why.
fn seen(folder: &Path, paths: BTreeSet<String>) -> Vec<NamedFile> {
    let Ok(root) = Root::reopen(folder) else {
        return paths.into_iter().map(|path| NamedFile { path, seen: None }).collect();
    };
    let look = |path: &String| named::place(&root, Path::new(path))?.map_or(Ok(None), |place| place.look());
    let seen = paths.into_iter().filter_map(|path| match look(&path) {
        Ok(None) => None,
        Ok(Some(look)) => Some(NamedFile { path, seen: Some(Seen::of(&look)) }),
        Err(_) => Some(NamedFile { path, seen: None }),
    });
    seen.collect()
}

fn kept(table: &str) -> Failure {
    Failure::Refused(format!("a trigger keeps, takes or changes rows of `{table}` that were to go"))
}

fn shared(node: &Node, reference: &Reference) -> Failure {
    Failure::Refused(format!(
        "rows of `{}` refer to what it takes along from `{}`",
        reference.child, node.table.name
    ))
}
