//! Schemas that set a trap: names that frist's own statements use, and keys that SQLite visits in
//! an order of its own.

use super::support::{COMING, OLD, Place, accounted, count};

/// Half of some rows are due; nothing may be left of them, and nothing else may go.
fn assert_purged(schema: &str, insert: &str, rows: u64, table: &str) {
    let place = Place::in_memory();
    place.write_rule_on(table);
    let connection = place.database(&format!(
        "{schema}
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {rows})
         INSERT INTO \"{table}\" {insert} FROM n"
    ));
    let kept = count(&connection, &format!("\"{table}\" WHERE at = '{COMING}'"));
    let purge = place.purge().expect(0);
    assert_eq!(purge.rule(table)["deleted"], rows - kept, "{schema}");
    assert_eq!(count(&connection, &format!("\"{table}\"")), kept, "{schema}");
}

fn at() -> String {
    format!("CASE n % 2 WHEN 0 THEN '{OLD}' ELSE '{COMING}' END")
}

#[test]
fn an_index_that_covers_the_rule_does_not_change_the_order_of_the_walk() {
    let schema = "CREATE TABLE log (tenant INTEGER, id INTEGER, seen TEXT, at TEXT,
                  PRIMARY KEY (tenant, id)) WITHOUT ROWID;
                  CREATE INDEX covering ON log (tenant, seen, at);";
    let insert = format!("SELECT n % 3, n, hex(n * 7919 % 10007), {}", at());
    assert_purged(schema, &insert, 20_000, "log");
}

#[test]
fn keys_that_fall_or_fold_are_walked_to_their_end() {
    for key in ["a DESC, b", "a, b DESC", "a COLLATE NOCASE, b"] {
        let schema =
            format!("CREATE TABLE log (a TEXT, b INTEGER, at TEXT, PRIMARY KEY ({key})) WITHOUT ROWID;");
        let insert = format!("SELECT char(65 + n % 50), n, {}", at());
        assert_purged(&schema, &insert, 2_000, "log");
    }
}

#[test]
fn tables_may_be_called_as_anything_that_frist_s_statements_say() {
    for table in ["child", "CHILD", "child_", "json_each", "frist_due", "main", "rowid"] {
        let schema = format!("CREATE TABLE \"{table}\" (id INTEGER PRIMARY KEY, at TEXT);");
        assert_purged(&schema, &format!("SELECT n, {}", at()), 200, table);
    }
}

/// Few among many are deleted by their row numbers, whatever other tables are called.
#[test]
fn a_table_called_json_each_is_in_nobody_s_way() {
    let schema = "CREATE TABLE json_each (x); CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT);";
    let insert = format!("SELECT n, CASE n % 50 WHEN 0 THEN '{OLD}' ELSE '{COMING}' END");
    assert_purged(schema, &insert, 5_000, "log");
}

/// The rows of a parent are spared where a child names them, also where the parent is called as
/// the child is in frist's own question.
#[test]
fn a_parent_called_child_keeps_its_children() {
    for parent in ["frist_child", "Frist_Child", "frist_child_", "frist_child_1", "child"] {
        let place = Place::in_memory();
        let kept = super::support::rule("kept", "kept") + "enforce = true\n";
        let source = super::support::source_and_rule(parent);
        place.write_policy(&format!("{}{source}{kept}", super::support::WITHOUT_LIMIT));
        let connection = place.database(&format!(
            "CREATE TABLE \"{parent}\" (id INTEGER PRIMARY KEY, at TEXT);
             CREATE TABLE kept (id INTEGER, at TEXT, parent INTEGER REFERENCES \"{parent}\" (id) ON DELETE CASCADE);
             CREATE INDEX kept_parent ON kept (parent);
             INSERT INTO \"{parent}\" VALUES (1, '{OLD}'), (2, '{COMING}'), (3, '{OLD}');
             INSERT INTO kept VALUES (1001, '{COMING}', 1), (1002, '{COMING}', 2), (1003, '{OLD}', 3)"
        ));
        let purge = place.purge().expect(0);
        assert_eq!([&purge.rule(parent)["blocked"], &purge.rule(parent)["deleted"]], [1, 1], "{parent}");
        assert_eq!((count(&connection, "kept"), count(&connection, &format!("\"{parent}\""))), (2, 2));
    }
}

/// What a trigger wrote makes the commit fail: that row is there and not counted, and all others go.
#[test]
fn a_commit_that_the_engine_refuses_has_not_happened() {
    let place = Place::in_memory();
    place.write_rule_on("log");
    let connection = place.database(&format!(
        "CREATE TABLE parents (id INTEGER PRIMARY KEY);
         CREATE TABLE notes (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT);
         CREATE TRIGGER noted AFTER DELETE ON log WHEN old.id = 7 BEGIN INSERT INTO notes VALUES (999); END;
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 20) INSERT INTO log SELECT n, {} FROM n;
         UPDATE log SET at = '{OLD}' WHERE id = 7",
        at()
    ));
    let purge = place.purge().expect(3);
    assert_eq!(purge.problems("log"), ["constraint"], "{purge:?}");
    assert!(purge.out.contains("id 7 ("), "{purge:?}");
    let log = purge.rule("log");
    assert_eq!([&log["deleted"], &log["due"], &log["survivors"]], [10, 11, 1]);
    assert_eq!((count(&connection, "log"), count(&connection, "notes")), (10, 0));
    place.assert_ledger_is_whole();
    connection.execute_batch("DROP TRIGGER noted").unwrap();
    assert_eq!(place.purge().expect(0).rule("log")["deleted"], 1);
    assert_eq!(accounted(&place.ledger()), 11);
}
