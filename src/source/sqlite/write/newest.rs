//! The newest records while a purge goes on: others may delete, change or add some between two transactions.

use std::cell::Cell;
use std::sync::Arc;

use rusqlite::Connection;

use super::set_off::{Change, Event, may_be_written_to};
use super::survivors::data_version;
use crate::policy::Policy;
use crate::source::sqlite::newest::Watch;
use crate::source::sqlite::schema::Table;
use crate::source::sqlite::web::Web;

/// Those of all tables of which records may go.
pub(super) struct Newest {
    watches: Vec<Arc<Watch>>,
    /// The version of the database in which they were seen.
    version: Cell<i64>,
    /// Whether they were found anew since what goes was last asked for.
    has_moved: Cell<bool>,
    /// Whether a trigger may write to one of the tables, or to rows by which their times are told.
    is_restless: bool,
}

impl Newest {
    pub(super) fn of(
        connection: &Connection,
        own: &Table,
        web: Option<&Web>,
        (policy, version): (&Policy, i64),
    ) -> rusqlite::Result<Newest> {
        let others = web.into_iter().flat_map(|web| &web.tables).map(|member| &member.table);
        let all: Vec<&Table> = std::iter::once(own).chain(others).collect();
        let watched: Vec<&Table> = all.iter().copied().filter(|table| table.newest.is_some()).collect();
        let changes = changes(&all, policy);
        let is_restless = !watched.is_empty() && may_be_written_to(connection, &watched, changes)?;
        let watches = watched.iter().filter_map(|table| table.newest.clone()).collect();
        Ok(Newest { watches, version: Cell::new(version), has_moved: Cell::new(false), is_restless })
    }

    /// Where another program has committed something, the newest may be others.
    pub(super) fn refresh(&self, connection: &Connection) -> rusqlite::Result<()> {
        if self.watches.is_empty() {
            return Ok(());
        }
        let version = data_version(connection)?;
        if version == self.version.get() {
            return Ok(());
        }
        self.look(connection)?;
        self.version.set(version);
        Ok(())
    }

    /// Looks between two rows, where a trigger may have changed something.
    pub(super) fn look_between_rows(&self, connection: &Connection) -> rusqlite::Result<()> {
        if self.is_restless { self.look(connection) } else { Ok(()) }
    }

    fn look(&self, connection: &Connection) -> rusqlite::Result<()> {
        for watch in &self.watches {
            if watch.refresh(connection)? {
                self.has_moved.set(true);
            }
        }
        Ok(())
    }

    /// Says that what goes is asked for now.
    pub(super) fn is_asked(&self) {
        self.has_moved.set(false);
    }

    /// Whether they were found anew since.
    pub(super) fn has_moved(&self) -> bool {
        self.has_moved.get()
    }
}

/// What a purge does itself to the tables that are decided about together.
fn changes(tables: &[&Table], policy: &Policy) -> Vec<Change> {
    let anonymises = policy.rules.iter().any(|rule| !rule.deletes());
    let changes = tables.iter().flat_map(|table| {
        let changed = anonymises.then(|| Change::new(&table.name, Event::Update));
        [Some(Change::new(&table.name, Event::Delete)), changed]
    });
    let released = policy.rules.iter().flat_map(|rule| &rule.set_null);
    changes
        .flatten()
        .chain(released.map(|emptied| Change::new(&emptied.relation.table, Event::Update)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::run::meanwhile::{Manner, Purged, policy_in, purge_as};

    /// Six thousand rows that are all past their time, the last of them the newest.
    const ROWS: i64 = 6_000;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn database(folder: &Path, end: &str, journal: &str) -> Connection {
        let connection = Connection::open(folder.join("a.db")).unwrap();
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode = {journal}; CREATE TABLE t (id INTEGER PRIMARY KEY, at INTEGER, g TEXT) {end};
                 CREATE TABLE u (id INTEGER PRIMARY KEY, of INTEGER REFERENCES t (id)); CREATE INDEX i ON u (of);
                 WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {ROWS})
                 INSERT INTO t SELECT n, 1000000000 + n / 2, n % 2 FROM n;
                 INSERT INTO u SELECT id, id FROM t"
            ))
            .unwrap();
        connection
    }

    /// Purges; as the first batch is announced, another program waits for the lock with a statement.
    fn purge_beside(folder: &Path, with: &str, sql: &'static str) -> Purged {
        let policy = policy_in(
            folder,
            &format!(
                "sqlite = \"a.db\"\n[source.s.table.t]\nformats = {{ at = \"unix\" }}\n[[rule]]\nname = \"r\"\n\
                 data = \"s.t\"\nkeep = \"1 year\"\nafter = \"at\"\nkeep-newest = 10\nper = \"g\"\n{with}"
            ),
        );
        let (path, mut other) = (folder.join("a.db"), None);
        let manner = Manner { wait: PATIENCE, nice: 0.5, is_together: !with.is_empty() };
        let purged = purge_as(&policy, (u64::MAX, &Default::default()), &manner, &mut |_| {
            other.get_or_insert_with(|| {
                let path = path.clone();
                thread::spawn(move || {
                    let connection = Connection::open(path).unwrap();
                    connection.busy_timeout(PATIENCE).unwrap();
                    connection.execute_batch(sql).unwrap();
                })
            });
        });
        other.unwrap().join().unwrap();
        purged
    }

    fn left(connection: &Connection) -> (i64, i64, i64) {
        let sql = "SELECT count(*), min(id), max(id) FROM t";
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
    }

    #[test]
    fn where_others_delete_the_newest_the_next_ones_are_kept() {
        for with in ["", "with = [{ table = \"u\", on = \"of = id\" }]\n"] {
            for (end, journal) in [("", "WAL"), ("", "DELETE"), ("WITHOUT ROWID", "WAL")] {
                if !end.is_empty() && !with.is_empty() {
                    continue;
                }
                let folder = tempfile::tempdir().unwrap();
                let connection = database(folder.path(), end, journal);
                if with.is_empty() {
                    connection.execute_batch("DROP TABLE u").unwrap();
                }
                let purged = purge_beside(
                    folder.path(),
                    with,
                    "PRAGMA foreign_keys = OFF; DELETE FROM t WHERE id > 5900",
                );
                assert!(purged.halt.is_none(), "{with} {end} {journal}: {:?}", purged.halt);
                assert!(purged.announced.len() > 1, "{with} {end} {journal}: all went in one batch");
                assert_eq!(left(&connection), (20, 5_881, 5_900), "{with} {end} {journal}");
            }
        }
    }

    #[test]
    fn where_others_move_the_newest_elsewhere_the_next_ones_of_their_group_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let connection = database(folder.path(), "", "WAL");
        connection.execute_batch("DROP TABLE u").unwrap();
        purge_beside(folder.path(), "", "UPDATE t SET g = 'elsewhere' WHERE id = 5990");
        assert_eq!(left(&connection), (21, 5_980, ROWS));
    }

    #[test]
    fn where_others_add_newer_ones_none_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let connection = database(folder.path(), "", "WAL");
        connection.execute_batch("DROP TABLE u").unwrap();
        purge_beside(
            folder.path(),
            "",
            "INSERT INTO t SELECT id + 100000, at + 100000, g FROM t WHERE id > 5990; INSERT INTO t VALUES (0, 1, 'new')",
        );
        let (all, first, last) = left(&connection);
        assert!((21..=31).contains(&all) && first == 0 && last == ROWS + 100_000, "{all} {first} {last}");
    }
}
