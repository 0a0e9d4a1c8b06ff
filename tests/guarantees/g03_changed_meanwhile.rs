//! G3: a row is judged as it is right before it goes, also where what happened to another row of the same
//! batch has changed it.

use rusqlite::Connection;
use serde_json::json;

use super::support::{COMING, OLD, Place, Ran, SOURCE, WITHOUT_LIMIT, assert_integrity, count, rule};

/// More than one batch.
const PAIRS: u64 = 1_500;

const NUMBERED: (&str, &str) = ("id INTEGER PRIMARY KEY,", ")");
const NAMED: (&str, &str) =
    ("id INTEGER, kind TEXT DEFAULT 'x',", ", PRIMARY KEY (id DESC, kind)) WITHOUT ROWID");

const FREE: &str = "when = \"hold = 0\"\n";
const ANONYMISE: &str = "then = \"anonymise\"\nset = { name = \"remove\" }\n";

/// Rows in pairs of an odd and an even number, all due, and a rule on those that are not on hold.
fn place((head, end): (&str, &str), also: &str, sql: &str) -> (Place, Connection) {
    let place = Place::in_memory();
    place.write_policy(&format!("{WITHOUT_LIMIT}{SOURCE}{}{FREE}{also}", rule("v", "v")));
    let connection = place.database(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;
         CREATE TABLE v ({head} at TEXT, name TEXT, hold INTEGER{end};
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {PAIRS} * 2)
         INSERT INTO v (id, at, name, hold) SELECT n, '{OLD}', 'name', 0 FROM n; {sql}"
    ));
    (place, connection)
}

/// What puts the other one of a pair on hold.
const HOLD: &str = "UPDATE v SET hold = 1 WHERE id = old.id + (CASE old.id % 2 WHEN 1 THEN 1 ELSE -1 END)";

/// One of each pair is done, the other one is on hold, and that is no failure.
fn assert_one_of_each_pair(purge: Ran, connection: &Connection, deed: &str, what: &str) {
    let of_rule = purge.expect(0).rule("v");
    let told = [&of_rule[deed], &of_rule["survivors"], &of_rule["outcome"]];
    assert_eq!(told, [&json!(PAIRS), &json!(0), &json!("done")], "{what}: {of_rule}");
    let held = count(connection, "v WHERE hold = 1 AND name = 'name'");
    assert_eq!((held, count(connection, "v WHERE hold = 0 AND name IS NOT NULL")), (PAIRS, 0), "{what}");
    assert_integrity(connection);
}

#[test]
fn a_row_that_a_trigger_of_another_puts_on_hold_stays() {
    let by_a_view = "CREATE VIEW held AS SELECT * FROM v;
         CREATE TRIGGER hold INSTEAD OF UPDATE ON held BEGIN UPDATE v SET hold = 1 WHERE id = new.id; END;
         CREATE TRIGGER gone AFTER DELETE ON v WHEN old.id % 2 BEGIN UPDATE held SET hold = 1 WHERE id = old.id + 1; END"
        .to_string();
    let by_a_log = format!(
        "CREATE TABLE log (id INTEGER); CREATE TRIGGER logged AFTER DELETE ON v BEGIN INSERT INTO log VALUES (old.id); END;
         CREATE TRIGGER hold AFTER INSERT ON log BEGIN {}; END",
        HOLD.replace("old.", "new.")
    );
    let directly = |when: &str| format!("CREATE TRIGGER hold {when} DELETE ON v BEGIN {HOLD}; END");
    for sql in [directly("AFTER"), directly("BEFORE"), by_a_log, by_a_view] {
        for table in [NUMBERED, NAMED] {
            let (place, connection) = place(table, "", &sql);
            assert_one_of_each_pair(place.purge(), &connection, "deleted", &sql);
            assert_eq!(count(&connection, "v"), PAIRS);
        }
    }
}

/// So few due rows among many that a purge names each of them.
#[test]
fn a_row_that_was_picked_is_asked_again() {
    let (place, connection) =
        place(NUMBERED, "", &format!("CREATE TRIGGER hold AFTER DELETE ON v BEGIN {HOLD}; END"));
    connection
        .execute_batch(&format!(
            "UPDATE v SET at = '{COMING}' WHERE id > 40;
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 2000)
             INSERT INTO v (at, hold, name) SELECT '{COMING}', 2, 'name' FROM n"
        ))
        .unwrap();
    let purge = place.purge().expect(0).rule("v");
    assert_eq!([&purge["due"], &purge["deleted"], &purge["survivors"]], [40, 20, 0], "{purge}");
    assert_eq!(count(&connection, "v WHERE hold = 1"), 20);
}

#[test]
fn a_row_that_a_trigger_puts_on_hold_is_not_anonymised() {
    for event in ["UPDATE", "UPDATE OF name"] {
        for table in [NUMBERED, NAMED] {
            let sql = format!(
                "CREATE TRIGGER hold AFTER {event} ON v WHEN new.name IS NULL AND old.name IS NOT NULL BEGIN {HOLD}; END"
            );
            let (place, connection) = place(table, ANONYMISE, &sql);
            assert_one_of_each_pair(place.purge(), &connection, "anonymised", &sql);
            assert_eq!(count(&connection, "v"), PAIRS * 2);
        }
    }
}

/// Two rows name each other: when one has gone, the other names nobody, and is another rule's.
#[test]
fn a_key_that_the_engine_empties_makes_a_row_another_rules() {
    let column = "p INTEGER REFERENCES v (id) ON DELETE SET NULL";
    let made = format!("{column}, q TEXT AS (coalesce(p, 'none'))");
    for (columns, when) in [(column, "p is not null"), (made.as_str(), "q <> 'none'")] {
        let place = Place::in_memory();
        place.write_policy(&format!("{WITHOUT_LIMIT}{SOURCE}{}when = \"{when}\"\n", rule("v", "v")));
        let connection = place.database(&format!(
            "CREATE TABLE v (id INTEGER PRIMARY KEY, at TEXT, {columns}); CREATE INDEX vp ON v (p);
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 600)
             INSERT INTO v (id, at) SELECT n, '{OLD}' FROM n; UPDATE v SET p = iif(id % 2, id + 1, id - 1)"
        ));
        let purge = place.purge().expect(0).rule("v");
        assert_eq!([&purge["deleted"], &purge["survivors"]], [&json!(300), &json!(0)], "{purge}");
        assert_eq!(count(&connection, "v WHERE p IS NULL"), 300, "{columns}");
    }
}

/// A key of another table is emptied, and a trigger on that writes back.
#[test]
fn a_trigger_on_what_is_emptied_is_heeded() {
    let sql = "CREATE TABLE o (v INTEGER REFERENCES v (id) ON DELETE SET NULL); CREATE INDEX ov ON o (v);
        INSERT INTO o SELECT id FROM v;
        CREATE TRIGGER hold AFTER UPDATE ON o BEGIN UPDATE v SET hold = 1 WHERE id = old.v + 1 AND old.v % 2; END";
    let (place, connection) = place(NUMBERED, "", sql);
    assert_one_of_each_pair(place.purge(), &connection, "deleted", sql);
}

/// What goes along goes first: a trigger on that can change another record, and the very record.
#[test]
fn a_trigger_on_what_goes_along_is_heeded() {
    let along = "with = [{ table = \"o\", on = \"v = id\" }]\n";
    let tables = "CREATE TABLE o (id INTEGER PRIMARY KEY, v INTEGER); CREATE INDEX ov ON o (v);
        INSERT INTO o (v) SELECT id FROM v WHERE id <= 600; DELETE FROM v WHERE id > 600;";
    let other = "CREATE TRIGGER hold AFTER DELETE ON o BEGIN UPDATE v SET hold = 1 WHERE id = old.v + 1 AND old.v % 2; END";
    let (place, connection) = place(NUMBERED, along, &format!("{tables} {other}"));
    let purge = place.purge().expect(0).rule("v");
    assert_eq!([&purge["deleted"], &purge["taken_along"]], [300, 300], "{purge}");
    assert_eq!([count(&connection, "v WHERE hold = 1"), count(&connection, "o")], [300, 300]);

    connection
        .execute_batch(
            "DROP TRIGGER hold; UPDATE v SET hold = 0 WHERE id <= 10;
             CREATE TRIGGER hold AFTER DELETE ON o BEGIN UPDATE v SET hold = 1 WHERE id = old.v AND old.v = 4; END",
        )
        .unwrap();
    let purge = place.purge().expect(3);
    assert_eq!(purge.problems("v"), ["constraint"], "{purge:?}");
    assert!(purge.out.contains("id 4 (a trigger keeps, takes or changes rows of `v`"), "{purge:?}");
    assert_eq!(purge.rule("v")["deleted"], 4);
    assert_eq!([count(&connection, "v WHERE id <= 10"), count(&connection, "o WHERE v <= 10")], [1, 1]);
}

/// The engine does not look again at a row that a trigger changes right before it goes.
#[test]
fn a_row_that_its_own_trigger_puts_on_hold_stays_and_is_named() {
    let own = "CREATE TRIGGER own BEFORE DELETE ON v WHEN old.id = 7 BEGIN UPDATE v SET hold = 1 WHERE id = old.id; END;
        CREATE TRIGGER noted BEFORE DELETE ON v BEGIN UPDATE v SET name = 'gone' WHERE id = old.id; END";
    for table in [NUMBERED, NAMED] {
        let (place, connection) = place(table, "", own);
        let purge = place.purge().expect(3);
        assert_eq!(purge.problems("v"), ["constraint"], "{purge:?}");
        assert!(purge.out.contains("(a trigger changes it right before it goes)"), "{purge:?}");
        assert_eq!(purge.rule("v")["deleted"], PAIRS * 2 - 1);
        assert_eq!(count(&connection, "v WHERE id = 7 AND hold = 0 AND name = 'name'"), 1);
    }
}
