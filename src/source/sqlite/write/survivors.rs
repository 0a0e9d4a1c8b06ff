//! Why records survived, as far as it can be known.

use rusqlite::Connection;

use super::SqliteJob;
use super::search::Survivors;

/// A number that another one follows when another connection has changed the database.
pub(super) fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0))
}

/// What happened to records that are still due, a phrase each; `before` is the database's version
/// before the first batch.
pub(super) fn reasons(
    task: &SqliteJob<'_>,
    (survivors, has_refusals): (&Survivors, bool),
    before: i64,
) -> rusqlite::Result<Vec<String>> {
    let mut reasons = Vec::new();
    if survivors.referred > 0 {
        let rows = match has_refusals {
            true => "rows refer to some of them that stay, or that did not when they were counted",
            false => "rows refer to some of them that did not when they were counted",
        };
        reasons.push(rows.to_string());
    }
    if survivors.free > 0 && task.table.has_trigger_for(task.book.deletes(task.rule)) {
        let names = triggers(task)?;
        let (noun, run) = if names.len() == 1 { ("trigger", "runs") } else { ("triggers", "run") };
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        reasons.push(format!(
            "the {noun} {} of the table {run} with each of them, and can keep them or put them back",
            names.join(", ")
        ));
    }
    if data_version(task.connection())? != before {
        reasons.push("another program wrote to the database meanwhile".to_string());
    }
    Ok(reasons)
}

fn triggers(task: &SqliteJob<'_>) -> rusqlite::Result<Vec<String>> {
    let sql =
        "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = lower(?1) ORDER BY name";
    let mut statement = task.connection().prepare(sql)?;
    statement.query_map([&task.table.name], |row| row.get(0))?.collect()
}
