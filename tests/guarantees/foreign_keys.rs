//! A purge orphans nobody and cascades nowhere: a rule that would is refused with the key named,
//! and a child that comes while it runs keeps its parent.

use std::collections::BTreeSet;

use rusqlite::Connection;
use serde_json::json;

use super::support::{COMING, OLD, PURGE, Place, REPORT, Random, assert_integrity, count, finish, open};

const ACTIONS: [&str; 6] = [
    "",
    "ON DELETE NO ACTION",
    "ON DELETE RESTRICT",
    "ON DELETE CASCADE",
    "ON DELETE SET NULL",
    "ON DELETE SET DEFAULT",
];

/// Two due customers and one that is not.
const CUSTOMERS: &str = "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT, code TEXT UNIQUE);
    INSERT INTO log VALUES (1, '2001-02-03', 'a'), (2, '2001-02-03', 'b'), (3, '2290-01-01', 'c');";

fn place(tables: &str) -> (Place, Connection) {
    let place = Place::in_memory();
    place.write_rule_on("log");
    let connection = place.database(tables);
    (place, connection)
}

fn customers_with(children: &str) -> (Place, Connection) {
    place(&format!("{CUSTOMERS}{children}"))
}

/// The rule is refused as a whole, with the key named, and not one row of any table changes.
fn assert_refused(tables: &str, code: &str, key: &str) {
    let (place, connection) = place(tables);
    connection.execute_batch("PRAGMA wal_checkpoint").unwrap();
    let before = std::fs::read(place.path("data.db")).unwrap();
    for (command, exit_code) in [(&REPORT[..], 0), (&PURGE[..], 3)] {
        let ran = place.frist(command).expect(exit_code);
        assert_eq!(ran.problems("log"), [code], "{tables}: {ran:?}");
        assert!(ran.out.contains(key), "no {key} in {ran:?}");
    }
    assert_eq!(place.purge().rule("log")["outcome"], "refused");
    assert_eq!(std::fs::read(place.path("data.db")).unwrap(), before);
    drop(connection);
}

fn assert_purged(tables: &str, deleted: u64) {
    let (place, connection) = place(tables);
    let children = "SELECT count(*) FROM child";
    let before: Option<i64> = connection.query_row(children, [], |row| row.get(0)).ok();
    let purge = place.purge().expect(0);
    assert_eq!(purge.rule("log")["deleted"], deleted, "{tables}");
    assert_eq!(connection.query_row(children, [], |row| row.get(0)).ok(), before);
    assert_no_orphan(&connection);
}

fn assert_no_orphan(connection: &Connection) {
    assert_integrity(connection);
    let mut statement = connection.prepare("PRAGMA foreign_key_check").unwrap();
    assert!(!statement.exists([]).unwrap());
}

#[test]
fn a_child_forbids_the_rule_whatever_its_key_would_do() {
    for action in ACTIONS {
        for deferred in ["", " DEFERRABLE INITIALLY DEFERRED"] {
            let child = format!(
                "CREATE TABLE child (parent INTEGER DEFAULT 3 REFERENCES log (id) {action}{deferred});
                 INSERT INTO child VALUES (2);"
            );
            assert_refused(&format!("{CUSTOMERS}{child}"), "foreign-key", "child.parent → log.id");
        }
    }
}

#[test]
fn a_key_that_names_no_column_means_the_primary_key() {
    let child = "CREATE TABLE child (parent INTEGER REFERENCES LOG); INSERT INTO child VALUES (2);";
    assert_refused(&format!("{CUSTOMERS}{child}"), "foreign-key", "child.parent → log.id");
}

#[test]
fn a_key_to_a_unique_column_counts_as_much() {
    let child = "CREATE TABLE child (code TEXT REFERENCES log (code)); INSERT INTO child VALUES ('b');";
    assert_refused(&format!("{CUSTOMERS}{child}"), "foreign-key", "child.code → log.code");
}

#[test]
fn a_key_is_compared_as_the_engine_compares_it() {
    let tables = format!(
        "CREATE TABLE log (name TEXT COLLATE NOCASE PRIMARY KEY, at TEXT); INSERT INTO log VALUES ('Anna', '{OLD}');
         CREATE TABLE child (name TEXT REFERENCES log (name)); INSERT INTO child VALUES ('ANNA');"
    );
    assert_refused(&tables, "foreign-key", "child.name → log.name");
    let tables = format!(
        "CREATE TABLE log (name TEXT PRIMARY KEY, at TEXT); INSERT INTO log VALUES ('17', '{OLD}');
         CREATE TABLE child (name INTEGER REFERENCES log (name)); INSERT INTO child VALUES (17);"
    );
    assert_refused(&tables, "foreign-key", "child.name → log.name");
}

#[test]
fn a_composite_key_counts_where_all_its_parts_are_there() {
    let tables = format!(
        "CREATE TABLE log (part TEXT, piece INTEGER, at TEXT, PRIMARY KEY (part, piece)) WITHOUT ROWID;
         INSERT INTO log VALUES ('a', 1, '{OLD}'), ('a', 2, '{COMING}');
         CREATE TABLE child (part TEXT, piece INTEGER, FOREIGN KEY (part, piece) REFERENCES log (part, piece));"
    );
    assert_refused(
        &format!("{tables}INSERT INTO child VALUES ('a', 1);"),
        "foreign-key",
        "child.part, piece → log.part, piece",
    );
    assert_purged(
        &format!("{tables}INSERT INTO child VALUES ('a', 2), ('a', NULL), (NULL, 1), (NULL, NULL);"),
        1,
    );
}

#[test]
fn children_of_kept_rows_and_null_keys_forbid_nothing() {
    let child = "CREATE TABLE child (parent INTEGER REFERENCES log (id) ON DELETE CASCADE);
                 INSERT INTO child VALUES (3), (NULL);";
    assert_purged(&format!("{CUSTOMERS}{child}"), 2);
}

#[test]
fn a_row_of_the_same_table_forbids_the_rule() {
    let tables = format!(
        "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT, parent INTEGER REFERENCES log (id) ON DELETE CASCADE);
         INSERT INTO log VALUES (1, '{OLD}', NULL), (2, '{COMING}', 1);"
    );
    assert_refused(&tables, "foreign-key", "log.parent → log.id");
}

#[test]
fn a_row_that_names_only_itself_goes() {
    let tables = format!(
        "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT, parent INTEGER REFERENCES log (id));
         INSERT INTO log VALUES (1, '{OLD}', 1), (2, '{OLD}', NULL), (3, '{COMING}', 3);"
    );
    assert_purged(&tables, 2);
}

#[test]
fn a_large_child_without_an_index_forbids_the_rule_until_it_has_one() {
    let child = "CREATE TABLE child (parent INTEGER REFERENCES log (id));
                 WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 1500)
                 INSERT INTO child SELECT 3 FROM n;";
    let tables = format!("{CUSTOMERS}{child}");
    assert_refused(&tables, "unindexed-foreign-key", "CREATE INDEX");
    assert_purged(&format!("{tables}CREATE INDEX child_parent ON child (parent);"), 2);
}

#[test]
fn a_refused_rule_does_not_stop_the_others() {
    let (place, connection) = customers_with(&format!(
        "CREATE TABLE child (parent INTEGER REFERENCES log (id), at TEXT);
         INSERT INTO child VALUES (1, '{COMING}'), (3, '{OLD}');"
    ));
    let policy = std::fs::read_to_string(place.policy()).unwrap();
    std::fs::write(place.policy(), policy + &super::support::rule("child", "child")).unwrap();
    let purge = place.purge().expect(3);
    assert_eq!([&purge.rule("log")["outcome"], &purge.rule("child")["outcome"]], ["refused", "done"]);
    assert_eq!([count(&connection, "log"), count(&connection, "child")], [3, 1]);
}

const MANY: u32 = 40_000;

/// Children that come while their parents are being deleted.
fn insert_children_while_purging(action: &str) {
    let place = Place::in_memory();
    place.write_rule_on("log");
    let connection = place.database(&format!(
        "PRAGMA journal_mode = WAL; CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT);
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {MANY})
         INSERT INTO log SELECT n, '{OLD}' FROM n;
         CREATE TABLE child (parent INTEGER REFERENCES log (id) {action});
         CREATE INDEX child_parent ON child (parent); PRAGMA foreign_keys = ON"
    ));
    let mut purge = place.start(&PURGE);
    // What is there before the purge looks for children would be refused, not raced.
    while !place.ledger_text().contains("\"event\":\"batch\"") {
        assert!(purge.try_wait().unwrap().is_none(), "{:?}", finish(purge));
    }
    let children = insert_children(&mut || purge.try_wait().unwrap().is_none(), &connection);
    assert!(children.len() > 10, "only {} children came in time", children.len());
    let purge = finish(purge).expect(3);
    assert_eq!(purge.problems("log"), ["survivors"]);
    assert_eq!(purge.rule("log")["survivors"], json!(children.len()));
    assert_eq!(
        parents(&connection, "SELECT parent FROM child"),
        children,
        "{action}: a child went or was changed"
    );
    assert_eq!(parents(&connection, "SELECT id FROM log"), children, "{action}: a parent went");
    assert_no_orphan(&connection);
}

/// Gives a child to rows that the purge comes to next, as long as it runs.
fn insert_children(is_running: &mut dyn FnMut() -> bool, connection: &Connection) -> BTreeSet<u32> {
    let mut random = Random(11);
    let mut children = BTreeSet::new();
    while is_running() {
        let first: Option<u32> = connection
            .query_row("SELECT min(id) FROM log WHERE id NOT IN (SELECT parent FROM child)", [], |row| {
                row.get(0)
            })
            .unwrap();
        let parent = first.unwrap_or(MANY) + random.below(3_000) as u32;
        if connection.execute("INSERT INTO child VALUES (?1)", [parent]).is_ok() {
            children.insert(parent);
        }
    }
    children
}

fn parents(connection: &Connection, sql: &str) -> BTreeSet<u32> {
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn a_child_that_comes_during_the_purge_keeps_its_parent() {
    for action in ["", "ON DELETE CASCADE", "ON DELETE SET NULL"] {
        insert_children_while_purging(action);
    }
}

#[test]
fn the_engine_of_the_tests_checks_foreign_keys_itself() {
    let (place, _) = customers_with("CREATE TABLE child (parent INTEGER REFERENCES log (id));");
    let connection = open(&place.path("data.db"));
    connection.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    assert!(connection.execute("INSERT INTO child VALUES (99)", []).is_err());
}
