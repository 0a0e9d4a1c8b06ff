//! Which tables come first: those whose rows name rows of others.

use rusqlite::Connection;

use crate::dataset::sqlite::foreign_key::{Reference, references_between, references_to};

/// The turn of each table: a table comes behind all tables that refer to it, or to rows that go along
/// with its own. Tables that refer to each other in a circle have no order among themselves.
pub fn turns(connection: &Connection, tables: &[(&str, Vec<&str>)]) -> rusqlite::Result<Vec<usize>> {
    let mut below: Vec<Vec<usize>> = Vec::new();
    for (table, along) in tables {
        let mut children = Vec::new();
        for parent in std::iter::once(table).chain(along) {
            for reference in references_to(connection, parent)?.iter().filter(|reference| reference.keeps) {
                let child = tables.iter().position(|(other, _)| *other == reference.child);
                if let Some(child) = child.filter(|child| tables[*child].0 != *table)
                    && !is_circular(connection, reference)?
                {
                    children.push(child);
                }
            }
        }
        below.push(children);
    }
    let mut turns = vec![0; tables.len()];
    // Without circles, no table is more steps above another than there are tables.
    for _ in tables {
        for table in 0..tables.len() {
            turns[table] = below[table].iter().map(|child| turns[*child] + 1).max().unwrap_or(0);
        }
    }
    Ok(turns)
}

/// Whether the table that a key names refers in turn, by way of others, to the one that holds it.
pub(super) fn is_circular(connection: &Connection, reference: &Reference) -> rusqlite::Result<bool> {
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let mut known = vec![reference.parent.clone()];
    let mut next = 0;
    while let Some(table) = known.get(next).cloned() {
        next += 1;
        if same(&table, &reference.child) {
            return Ok(true);
        }
        for parent in parents(connection, &table)? {
            if !known.iter().any(|known| same(known, &parent))
                && references_between(connection, &table, &parent)?.iter().any(|reference| reference.keeps)
            {
                known.push(parent);
            }
        }
    }
    Ok(false)
}

/// The tables that a table's keys name.
fn parents(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(?1, 'main')";
    connection.prepare(sql)?.query_map([table], |row| row.get(0))?.collect()
}
