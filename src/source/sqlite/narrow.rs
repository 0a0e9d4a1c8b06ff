//! What the condition of a relation adds to the comparison of its keys, where only both together are the beginning of an
//! index: a table with rows of many kinds is often indexed by the kind and then by the record.
//!
//! The condition itself is asked in Rust. What stands here leaves out only rows of which it is surely false: values that
//! are no number, or no text, and no value at all come through, and are judged.

use rusqlite::Connection;

use super::quoted;
use super::settable::affinity;
use crate::condition::Equal;
use crate::policy::Relation;

/// A column that a row must hold a value in.
#[derive(Clone, Debug)]
pub(super) struct Narrow {
    column: String,
    value: String,
    /// Which values are judged beside that one, as the end of a comparison.
    also: &'static str,
}

impl Narrow {
    /// The comparison in the rows of some (quoted) alias.
    pub(super) fn sql(&self, alias: &str) -> String {
        let column = format!("{alias}.{}", quoted(&self.column));
        format!("({column} = {} OR {column} IS NULL OR {column} {})", self.value, self.also)
    }
}

/// What the condition of a relation asks of columns that hold values of its own kind.
pub(super) fn of(connection: &Connection, relation: &Relation) -> rusqlite::Result<Vec<Narrow>> {
    let mut narrows = Vec::new();
    for (column, equal) in relation.condition.iter().flat_map(|condition| condition.required()) {
        let known = connection.column_metadata(Some("main"), relation.table.as_str(), column);
        // A view has no columns of its own.
        let Ok((declared, collation, ..)) = known else { continue };
        let declared = declared.map_or_else(Default::default, |declared| declared.to_string_lossy());
        let is_binary = collation.is_some_and(|name| name.to_bytes().eq_ignore_ascii_case(b"binary"));
        let (value, also) = match (equal, affinity(&declared)) {
            // Text comes behind all numbers, and bytes behind all text.
            (Equal::Integer(number), "INTEGER" | "NUMERIC" | "REAL") => (number.to_string(), ">= ''"),
            (Equal::Text(text), "TEXT") if is_binary && !text.contains('\0') => {
                (format!("'{}'", text.replace('\'', "''")), ">= x''")
            }
            _ => continue,
        };
        narrows.push(Narrow { column: column.to_string(), value, also });
    }
    Ok(narrows)
}
