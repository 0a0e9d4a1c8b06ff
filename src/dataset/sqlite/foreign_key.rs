//! Foreign keys that point at a table: what deleting its rows would orphan or take along.

use rusqlite::Connection;

use super::quoted;
use super::schema::{Table, table_names};
use crate::dataset::Problem;

/// A foreign key of some table that names rows of the table in hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The table that holds the key.
    pub child: String,
    /// Its columns.
    pub child_columns: Vec<String>,
    /// The columns they name.
    pub parent_columns: Vec<String>,
    /// What the schema says happens to the child when the parent goes.
    pub on_delete: String,
}

impl Reference {
    /// The key as a person writes it: `invoices.customer_id → customers.id`.
    pub fn name(&self, parent: &str) -> String {
        let (theirs, ours) = (self.child_columns.join(", "), self.parent_columns.join(", "));
        format!("{}.{theirs} → {parent}.{ours}", self.child)
    }

    /// What deleting a referenced row would do.
    pub fn effect(&self) -> &'static str {
        match self.on_delete.as_str() {
            "CASCADE" => "cascade into",
            "SET NULL" | "SET DEFAULT" => "change",
            _ => "orphan",
        }
    }

    /// A condition on a row of the table: some other row names it.
    pub fn exists_sql(&self, table: &Table) -> String {
        let pairs = self.child_columns.iter().zip(&self.parent_columns);
        let alias = &alias_beside(&table.name);
        // The parent stands on the left: its collation decides, as in the key itself.
        let equal: Vec<String> = pairs
            .map(|(child, parent)| format!("{} = {alias}.{}", table.column_sql(parent), quoted(child)))
            .collect();
        let other = if self.child.eq_ignore_ascii_case(&table.name) {
            not_itself(table, alias)
        } else {
            String::new()
        };
        let child = quoted(&self.child);
        format!("EXISTS (SELECT 1 FROM main.{child} AS {alias} WHERE {}{other})", equal.join(" AND "))
    }

    /// The statement that makes an index on the key.
    pub fn create_index(&self) -> String {
        let columns: Vec<String> = self.child_columns.iter().map(|column| quoted(column)).collect();
        let name = quoted(&format!("{}_{}", self.child, self.child_columns.join("_")));
        format!("CREATE INDEX {name} ON {} ({})", quoted(&self.child), columns.join(", "))
    }
}

/// A name for the child in a query about a table, so that neither hides the other.
fn alias_beside(table: &str) -> String {
    let mut alias = "child".to_string();
    while alias.eq_ignore_ascii_case(table) {
        alias.push('_');
    }
    quoted(&alias)
}

/// A row that names only itself orphans nobody.
fn not_itself(table: &Table, alias: &str) -> String {
    let same: Vec<String> = table
        .order()
        .iter()
        .map(|column| format!("{alias}.{} IS {}", quoted(column), table.column_sql(column)))
        .collect();
    format!(" AND NOT ({})", same.join(" AND "))
}

/// All foreign keys that point at a table.
pub fn references_to(connection: &Connection, table: &Table) -> rusqlite::Result<Vec<Reference>> {
    let mut references = Vec::new();
    for child in table_names(connection)? {
        references.extend(references_from(connection, &child, table)?);
    }
    Ok(references)
}

/// The end of a condition on a row of the table: none of these keys names it.
pub fn unreferenced(table: &Table, references: &[Reference]) -> String {
    references.iter().map(|reference| format!(" AND NOT {}", reference.exists_sql(table))).collect()
}

fn references_from(connection: &Connection, child: &str, table: &Table) -> rusqlite::Result<Vec<Reference>> {
    let sql = "SELECT id, \"from\", \"to\", on_delete FROM pragma_foreign_key_list(?1, 'main') \
               WHERE lower(\"table\") = lower(?2) ORDER BY id, seq";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([child, &table.name])?;
    let mut found: Vec<(i64, Reference)> = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if found.last().is_none_or(|(last, _)| *last != id) {
            let on_delete = row.get(3)?;
            let (child_columns, parent_columns) = (Vec::new(), Vec::new());
            found
                .push((id, Reference { child: child.to_string(), child_columns, parent_columns, on_delete }));
        }
        if let Some((_, reference)) = found.last_mut() {
            // A key that names no columns means the parent's primary key.
            let position = reference.child_columns.len();
            let named: Option<String> = row.get(2)?;
            let parent = named.or_else(|| table.primary_key.get(position).cloned());
            reference.child_columns.push(row.get(1)?);
            reference.parent_columns.extend(parent);
        }
    }
    Ok(found.into_iter().map(|(_, reference)| reference).collect())
}

/// Looking for a child without an index costs a scan for every due row; up to this size that
/// is not worth a word.
const SMALL: i64 = 1_000;

/// Whether deleting the rows that satisfy `due` is forbidden by a foreign key, and which.
pub fn obstacle(
    connection: &Connection,
    table: &Table,
    references: &[Reference],
    due: &str,
) -> rusqlite::Result<Option<Problem>> {
    for reference in references {
        if !is_indexed(connection, reference)? && is_large(connection, reference)? {
            return Ok(Some(unindexed(table, reference)));
        }
        let exists = reference.exists_sql(table);
        let sql = format!("SELECT count(*) FROM {} WHERE {due} AND {exists}", table.sql());
        let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        if rows > 0 {
            return Ok(Some(referenced(table, reference, rows)));
        }
    }
    Ok(None)
}

/// Whether the rows that name one row are found by an index.
pub fn is_indexed(connection: &Connection, reference: &Reference) -> rusqlite::Result<bool> {
    let equal: Vec<String> =
        reference.child_columns.iter().map(|column| format!("{} = ?1", quoted(column))).collect();
    let sql = format!(
        "EXPLAIN QUERY PLAN SELECT 1 FROM main.{} WHERE {}",
        quoted(&reference.child),
        equal.join(" AND ")
    );
    let mut statement = connection.prepare(&sql)?;
    let steps: Vec<String> = statement.query_map([1], |row| row.get(3))?.collect::<rusqlite::Result<_>>()?;
    Ok(steps.iter().all(|step| !step.starts_with("SCAN")))
}

/// Whether the table that holds the key is too large to be searched for every deletion.
pub fn is_large(connection: &Connection, reference: &Reference) -> rusqlite::Result<bool> {
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM main.{} LIMIT ?1)", quoted(&reference.child));
    let rows: i64 = connection.query_row(&sql, [SMALL + 1], |row| row.get(0))?;
    Ok(rows > SMALL)
}

fn unindexed(table: &Table, reference: &Reference) -> Problem {
    let message = format!(
        "the foreign key {} has no index, so that every deletion would search all of `{}`; run: {}",
        reference.name(&table.name),
        reference.child,
        reference.create_index()
    );
    Problem::new("unindexed-foreign-key", message)
}

fn referenced(table: &Table, reference: &Reference, rows: i64) -> Problem {
    let message = format!(
        "deleting {} of `{}` would {} rows of `{}` (foreign key {}); delete those first, by a rule of \
         their own",
        if rows == 1 { "1 due row".to_string() } else { format!("{rows} due rows") },
        table.name,
        reference.effect(),
        reference.child,
        reference.name(&table.name)
    );
    Problem::new("foreign-key", message)
}
