//! What a statement changes beside the rows that it is about: a row may be another's business by the time
//! its turn comes.

use rusqlite::Connection;

use super::foreign_key::{Reference, references_to};
use super::schema::{Table, triggers};
use crate::evaluate::Evaluator;

/// Whether what is done to one record may change what a rule says of the next one: by a trigger, or by a key
/// that the engine empties. Such records are asked one by one.
pub(crate) fn reach_other_records(
    connection: &Connection,
    table: &Table,
    book: &Evaluator,
    (rule, references): (usize, &[Reference]),
) -> rusqlite::Result<bool> {
    let deletes = book.deletes(rule);
    if table.has_trigger_for(deletes) {
        return Ok(true);
    }
    for reference in references.iter().filter(|reference| !reference.keeps) {
        if empties_what_is_read(connection, table, book, reference)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a key that is emptied stands in a column that a rule reads, or sets off more.
fn empties_what_is_read(
    connection: &Connection,
    table: &Table,
    book: &Evaluator,
    reference: &Reference,
) -> rusqlite::Result<bool> {
    let may_be_related = table.joins.iter().any(Option::is_some);
    let is_changed = triggers(connection, &reference.child)?.iter().any(|trigger| trigger.on_update);
    if may_be_related || is_changed || is_named(connection, reference)? {
        return Ok(true);
    }
    let reads = |column: &String| book.columns().iter().any(|read| read.eq_ignore_ascii_case(column));
    let is_read = reference.child_columns.iter().any(reads) || has_generated_columns(connection, table)?;
    Ok(reference.is_to_itself() && is_read)
}

/// Whether another key names the columns that are emptied.
fn is_named(connection: &Connection, reference: &Reference) -> rusqlite::Result<bool> {
    let is_emptied =
        |column: &String| reference.child_columns.iter().any(|own| own.eq_ignore_ascii_case(column));
    let others = references_to(connection, &reference.child)?;
    Ok(others.iter().any(|other| other.parent_columns.iter().any(is_emptied)))
}

/// A generated column may be made of the one that is emptied.
fn has_generated_columns(connection: &Connection, table: &Table) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM pragma_table_xinfo(?1, 'main') WHERE hidden > 1";
    connection.query_row(sql, [&table.name], |row| Ok(row.get::<_, i64>(0)? > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Timestamp;
    use crate::policy::tests::{rule, valid};
    use crate::source::sqlite::schema::describe;

    /// Whether deletions from `t` reach others, where the rule reads `at` and `p`, or `at` alone.
    fn reach(sql: &str, reads_p: bool) -> bool {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(sql).unwrap();
        let when = if reads_p { "\nwhen = \"p is null\"" } else { "" };
        let policy = valid(&rule(&format!("keep = \"1 year\"\nafter = \"at\"{when}")));
        let book = Evaluator::new(&policy.rules, Timestamp::from_unix(0, 0));
        let table = describe(&connection, "t", "").unwrap();
        let references = references_to(&connection, "t").unwrap();
        reach_other_records(&connection, &table, &book, (0, &references)).unwrap()
    }

    const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT, p INTEGER";

    #[test]
    fn a_key_that_is_emptied_matters_where_a_rule_reads_its_column() {
        let own = format!("{TABLE} REFERENCES t (id) ON DELETE SET NULL)");
        assert!(reach(&own, true));
        assert!(!reach(&own, false));
        assert!(!reach(&own.replace("SET NULL", "RESTRICT"), true), "the row would be kept");
        let made = format!("{TABLE} REFERENCES t (id) ON DELETE SET NULL, q AS (p + 1))");
        assert!(reach(&made, false), "another column may be made of it");
    }

    #[test]
    fn a_key_of_another_table_matters_where_its_change_sets_off_more() {
        let other = format!(
            "{TABLE}); CREATE TABLE o (id INTEGER PRIMARY KEY, t INTEGER UNIQUE REFERENCES t (id) ON DELETE SET NULL)"
        );
        assert!(!reach(&other, true));
        let trigger = "CREATE TRIGGER w AFTER UPDATE ON o BEGIN UPDATE t SET at = '2090-01-01'; END";
        assert!(reach(&format!("{other}; {trigger}"), false));
        let named = "CREATE TABLE n (o INTEGER REFERENCES o (t) ON UPDATE SET NULL)";
        assert!(reach(&format!("{other}; {named}"), false));
    }

    #[test]
    fn a_trigger_matters_where_it_runs_for_the_deed() {
        let trigger =
            |event: &str| format!("{TABLE}); CREATE TRIGGER w AFTER {event} ON t BEGIN SELECT 1; END");
        assert!(reach(&trigger("DELETE"), false));
        assert!(!reach(&trigger("INSERT"), false));
        assert!(!reach(&trigger("UPDATE"), false));
    }
}
