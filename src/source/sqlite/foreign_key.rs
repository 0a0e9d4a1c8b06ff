//! Foreign keys that point at a table: what deleting its rows would orphan or take along.

use rusqlite::Connection;

use super::name::alias_beside;
use super::quoted;
use super::schema::{Table, table_names};
use crate::diagnostic::Code;
use crate::source::Problem;

/// A foreign key of some table that names rows of the table in hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The table that holds the key.
    pub child: String,
    /// The table that it names.
    pub parent: String,
    /// Its columns.
    pub child_columns: Vec<String>,
    /// The columns they name.
    pub parent_columns: Vec<String>,
    /// What the schema says happens to the child when the parent goes.
    pub on_delete: String,
    /// Whether rows that name a record keep it, or the engine makes them let go of it.
    pub keeps: bool,
    /// Rows that let go of what they name, by a rule's `set-null`.
    pub(crate) except: Vec<Except>,
}

/// Rows of which a function says that they let go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Except {
    pub(crate) function: String,
    pub(crate) columns: Vec<String>,
}

impl Except {
    /// The condition that a row of some (quoted) alias lets go.
    pub(crate) fn sql(&self, alias: &str) -> String {
        let cells: Vec<String> =
            self.columns.iter().map(|column| format!("{alias}.{}", quoted(column))).collect();
        format!("{}({})", self.function, cells.join(", "))
    }
}

impl Reference {
    /// The key as a person writes it: `invoices.customer_id → customers.id`.
    pub fn name(&self) -> String {
        let (theirs, ours) = (self.child_columns.join(", "), self.parent_columns.join(", "));
        format!("{}.{theirs} → {}.{ours}", self.child, self.parent)
    }

    /// What deleting a referenced row would do.
    pub fn effect(&self) -> &'static str {
        match self.on_delete.as_str() {
            "CASCADE" => "cascade into",
            "SET NULL" | "SET DEFAULT" => "change",
            _ => "orphan",
        }
    }

    /// Whether it is the same key, whatever lets go of it.
    pub(crate) fn is_same(&self, other: &Reference) -> bool {
        self.child == other.child
            && self.parent.eq_ignore_ascii_case(&other.parent)
            && self.child_columns == other.child_columns
            && self.parent_columns == other.parent_columns
    }

    /// Whether a table names itself.
    pub fn is_to_itself(&self) -> bool {
        self.child.eq_ignore_ascii_case(&self.parent)
    }

    /// The condition that a child of some alias names a row of the table.
    pub fn names_sql(&self, table: &Table, alias: &str) -> String {
        let pairs = self.child_columns.iter().zip(&self.parent_columns);
        let child = quoted(alias);
        // The parent stands on the left: its collation decides, as in the key itself.
        let mut equal: Vec<String> = pairs
            .map(|(theirs, ours)| format!("{} = {child}.{}", table.column_sql(ours), quoted(theirs)))
            .collect();
        if self.is_to_itself() {
            equal.push(not_itself(table, &child));
        }
        equal.extend(self.except.iter().map(|except| format!("NOT {}", except.sql(&child))));
        equal.join(" AND ")
    }

    /// A condition on a row of the table: some other row names it.
    pub fn exists_sql(&self, table: &Table) -> String {
        let alias = self.alias_beside(table);
        let names = self.names_sql(table, &alias);
        format!("EXISTS (SELECT 1 FROM main.{} AS {} WHERE {names})", quoted(&self.child), quoted(&alias))
    }

    /// A name for the rows that hold the key, in a statement about a table.
    pub fn alias_beside(&self, table: &Table) -> String {
        alias_beside(table.qualifier(), "frist_child")
    }

    /// The statement that makes an index on the key.
    pub fn create_index(&self) -> String {
        let columns: Vec<String> = self.child_columns.iter().map(|column| quoted(column)).collect();
        let name = quoted(&format!("{}_{}", self.child, self.child_columns.join("_")));
        format!("CREATE INDEX {name} ON {} ({})", quoted(&self.child), columns.join(", "))
    }
}

/// A row that names only itself orphans nobody.
fn not_itself(table: &Table, child: &str) -> String {
    let same: Vec<String> = table
        .order()
        .iter()
        .map(|column| format!("{child}.{} IS {}", quoted(column), table.column_sql(column)))
        .collect();
    format!("NOT ({})", same.join(" AND "))
}

/// All foreign keys that point at a table.
pub fn references_to(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Reference>> {
    Ok(pointing_at(&all_references(connection)?, table))
}

/// All foreign keys of a database.
pub(crate) fn all_references(connection: &Connection) -> rusqlite::Result<Vec<Reference>> {
    let mut references = Vec::new();
    for child in table_names(connection)? {
        references.extend(references_from(connection, &child)?);
    }
    Ok(references)
}

/// Those of some foreign keys that point at a table.
pub(crate) fn pointing_at(references: &[Reference], table: &str) -> Vec<Reference> {
    let mut pointing = references.to_vec();
    pointing.retain(|reference| reference.parent.eq_ignore_ascii_case(table));
    // The key may write the table's name in other letters.
    pointing.iter_mut().for_each(|reference| reference.parent = table.to_string());
    pointing
}

/// The foreign keys of one table that name another.
pub fn references_between(
    connection: &Connection,
    child: &str,
    parent: &str,
) -> rusqlite::Result<Vec<Reference>> {
    Ok(pointing_at(&references_from(connection, child)?, parent))
}

/// The foreign keys of a table.
pub fn references_from(connection: &Connection, child: &str) -> rusqlite::Result<Vec<Reference>> {
    // A key that names no columns means the parent's primary key.
    let sql = "SELECT key.id, key.\"from\", key.on_delete, coalesce(key.\"to\", \
               (SELECT name FROM pragma_table_xinfo(key.\"table\", 'main') WHERE pk = key.seq + 1)), key.\"table\" \
               FROM pragma_foreign_key_list(?1, 'main') AS key ORDER BY key.id, key.seq";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([child])?;
    let mut found: Vec<(i64, Reference)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, column, named): (i64, String, Option<String>) = (row.get(0)?, row.get(1)?, row.get(3)?);
        if found.last().is_none_or(|(last, _)| *last != id) {
            found.push((id, reference(child, row.get(4)?, row.get(2)?)));
        }
        if let Some((_, reference)) = found.last_mut() {
            reference.child_columns.push(column);
            reference.parent_columns.extend(named);
        }
    }
    let mut references: Vec<Reference> = found.into_iter().map(|(_, reference)| reference).collect();
    for reference in &mut references {
        reference.keeps = keeps(connection, reference)?;
    }
    Ok(references)
}

fn reference(child: &str, parent: String, on_delete: String) -> Reference {
    let (child_columns, parent_columns, except) = (Vec::new(), Vec::new(), Vec::new());
    let child = child.to_string();
    Reference { child, parent, child_columns, parent_columns, on_delete, keeps: true, except }
}

/// Whether a child keeps its parent: unless the engine is told to take the reference out of it, and
/// the column can be empty.
fn keeps(connection: &Connection, reference: &Reference) -> rusqlite::Result<bool> {
    let is_default = match reference.on_delete.as_str() {
        "SET NULL" => false,
        "SET DEFAULT" => true,
        _ => return Ok(true),
    };
    let sql = "SELECT \"notnull\" <> 0 OR pk <> 0, dflt_value FROM pragma_table_xinfo(?1, 'main') WHERE lower(name) = lower(?2)";
    let mut statement = connection.prepare(sql)?;
    let (mut any_emptied, mut any_kept) = (false, false);
    for column in &reference.child_columns {
        let (is_needed, default): (bool, Option<String>) =
            statement.query_row([&reference.child, column], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let is_emptied = !is_default || default.is_none_or(|default| default.eq_ignore_ascii_case("null"));
        any_emptied |= is_emptied;
        any_kept |= is_emptied && is_needed;
    }
    // A default that is no null names a record that would have to stay: nobody looks that far.
    Ok(any_kept || !any_emptied)
}

/// The end of a condition on a row of the table: none of these keys keeps it.
pub fn unreferenced(table: &Table, references: &[Reference]) -> String {
    let keeping = references.iter().filter(|reference| reference.keeps);
    keeping.map(|reference| format!(" AND NOT {}", reference.exists_sql(table))).collect()
}

/// Looking for a child without an index costs a scan for every due row; up to this size that
/// is not worth a word.
const SMALL: i64 = 1_000;

/// A key without an index, of a large table: every deletion would search all of it.
pub fn obstacle(connection: &Connection, references: &[Reference]) -> rusqlite::Result<Option<Problem>> {
    for reference in references {
        if !is_indexed(connection, reference)? && is_large(connection, &reference.child)? {
            return Ok(Some(unindexed(reference)));
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

/// Whether a table is too large to be searched for every record.
pub fn is_large(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM main.{} LIMIT ?1)", quoted(table));
    let rows: i64 = connection.query_row(&sql, [SMALL + 1], |row| row.get(0))?;
    Ok(rows > SMALL)
}

fn unindexed(reference: &Reference) -> Problem {
    let message = format!(
        "the foreign key {} has no index, so that every deletion would search all of `{}`; run: {}",
        reference.name(),
        reference.child,
        reference.create_index()
    );
    Problem::new(Code::UnindexedForeignKey, message)
}
