//! Emptying references to the records that go, in rows that stay: `set-null`.

use rusqlite::Connection;

use crate::source::sqlite::quoted;
use crate::source::sqlite::release::Release;
use crate::source::sqlite::schema::Table;

/// Lets rows go of every record of a table right before it goes, by a trigger of this connection alone: in
/// whatever way it goes, and within its transaction.
pub(super) fn watch(
    connection: &Connection,
    table: &Table,
    (releases, name): (&[Release], &str),
) -> rusqlite::Result<()> {
    let old = Table { alias: Some("old".to_string()), ..table.clone() };
    for (place, release) in releases.iter().enumerate() {
        release.register(connection)?;
        connection.execute_batch(&format!(
            "CREATE TEMP TRIGGER frist_lets_go_{name}{place} BEFORE DELETE ON main.{} BEGIN \
             UPDATE OR ABORT {child} SET {} = NULL WHERE {} IS NOT NULL AND {}; END",
            quoted(&table.name),
            quoted(&release.column),
            quoted(&release.column),
            release.on(&old, &release.table.name),
            child = quoted(&release.table.name),
        ))?;
    }
    Ok(())
}
