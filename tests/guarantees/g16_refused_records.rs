//! G16: a record that the database refuses stays, is named, and keeps no other from going.

use rusqlite::Connection;
use serde_json::json;

use super::support::{COMING, OLD, Place, SOURCE, WITHOUT_LIMIT, assert_integrity, count, rule};

const DUE: u64 = 2_000;

/// The key's column, its constraint, and what ends the statement.
type Table = (&'static str, &'static str, &'static str);

const NUMBERED: Table = ("id INTEGER PRIMARY KEY", "", "");
const NAMED: Table = ("id INTEGER", ", PRIMARY KEY (id)", "WITHOUT ROWID");
const ANONYMISE: &str = "then = \"anonymise\"\nset = { name = \"remove\" }\n";

fn place((id, key, end): Table, check: &str, also: &str, sql: &str) -> (Place, Connection) {
    let place = Place::in_memory();
    place.write_policy(&format!("{WITHOUT_LIMIT}{SOURCE}{}{also}", rule("v", "v")));
    let connection = place.database(&format!(
        "PRAGMA journal_mode = WAL; CREATE TABLE v ({id}, at TEXT, name TEXT, data TEXT DEFAULT '{{}}'{key}{check}) {end};
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {DUE})
         INSERT INTO v (id, at, name) SELECT n, '{OLD}', 'name ' || n FROM n;
         INSERT INTO v (id, at, name) VALUES (100000, '{COMING}', 'stays'); {sql}"
    ));
    (place, connection)
}

/// The first, one in the middle, two that follow each other, and the last.
const REFUSED: [u64; 5] = [1, 777, 1_500, 1_501, DUE];

fn assert_refused(place: &Place, connection: &Connection, deed: &str, what: &str) {
    let due = count(connection, &format!("v WHERE at = '{OLD}'"));
    let purge = place.purge().expect(3);
    let of_rule = purge.rule("v");
    let left = REFUSED.len() as u64;
    assert_eq!([&of_rule[deed], &of_rule["survivors"]], [due - left, left], "{what}: {purge:?}");
    assert_eq!((&of_rule["outcome"], purge.problems("v")), (&json!("failed"), vec!["constraint".to_owned()]));
    for id in REFUSED {
        assert!(purge.out.contains(&format!("id {id} (")), "{what}: {id}: {purge:?}");
    }
    let undone = REFUSED.map(|id| id.to_string()).join(", ");
    let condition = format!("v WHERE at = '{OLD}' AND name IS NOT NULL");
    assert_eq!(count(connection, &condition), left, "{what}");
    assert_eq!(count(connection, &format!("{condition} AND id IN ({undone})")), left, "{what}");
    assert_integrity(connection);
    place.assert_ledger_is_whole();
}

fn refusing(event: &str, raise: &str) -> String {
    let undone = REFUSED.map(|id| id.to_string()).join(", ");
    format!(
        "CREATE TRIGGER locked {event} ON v WHEN old.id IN ({undone}) BEGIN SELECT RAISE({raise}, 'locked'); END"
    )
}

#[test]
fn records_whose_deletion_a_trigger_refuses_stay() {
    for raise in ["ABORT", "FAIL", "ROLLBACK"] {
        for event in ["BEFORE DELETE", "AFTER DELETE"] {
            for table in [NUMBERED, NAMED] {
                let sql = refusing(event, raise);
                let (place, connection) = place(table, "", "", &sql);
                assert_refused(&place, &connection, "deleted", &sql);
            }
        }
    }
}

#[test]
fn records_whose_change_a_trigger_refuses_stay() {
    for raise in ["ABORT", "FAIL", "ROLLBACK"] {
        for table in [NUMBERED, NAMED] {
            let sql = refusing("BEFORE UPDATE", raise);
            let (place, connection) = place(table, "", ANONYMISE, &sql);
            assert_refused(&place, &connection, "anonymised", &sql);
        }
    }
}

/// No trigger says so beforehand: one statement for many rows finds out.
#[test]
fn records_that_a_constraint_refuses_stay() {
    let undone = REFUSED.map(|id| id.to_string()).join(", ");
    let check = format!(", CHECK (name IS NOT NULL OR id NOT IN ({undone}))");
    let no_json = format!("UPDATE v SET data = '{{' WHERE id IN ({undone})");
    let json = ", CHECK (name IS NOT NULL OR json_extract(data, '$.x') IS NULL)";
    for (check, sql) in [(check.as_str(), ""), (json, no_json.as_str())] {
        for table in [NUMBERED, NAMED] {
            let (place, connection) = place(table, check, ANONYMISE, sql);
            assert_refused(&place, &connection, "anonymised", check);
        }
    }
}

/// What goes along with a record that stays, stays as well.
#[test]
fn what_goes_along_with_a_refused_record_stays() {
    let along = "with = [{ table = \"o\", on = \"v = id\" }]\n";
    for (raise, on) in [("ABORT", "v"), ("ROLLBACK", "v"), ("FAIL", "o")] {
        let id = if on == "v" { "id" } else { "v" };
        let sql = format!(
            "CREATE TABLE o (id INTEGER PRIMARY KEY, v INTEGER); CREATE INDEX ov ON o (v);
             DELETE FROM v WHERE id BETWEEN 100 AND 1900 AND id NOT IN (777, 1500, 1501);
             INSERT INTO o (v) SELECT id FROM v; INSERT INTO o (v) SELECT id FROM v; {}",
            refusing("BEFORE DELETE", raise)
                .replace("ON v", &format!("ON {on}"))
                .replace("old.id", &format!("old.{id}"))
        );
        let (place, connection) = place(NUMBERED, "", along, &sql);
        assert_refused(&place, &connection, "deleted", &sql);
        assert_eq!(count(&connection, "o"), 2 * (REFUSED.len() as u64 + 1), "{sql}");
    }
}

#[test]
fn of_many_refused_records_some_are_named_and_all_are_counted() {
    let sql = "CREATE TRIGGER locked BEFORE DELETE ON v WHEN old.id % 2 BEGIN SELECT RAISE(ABORT, 'anna stays'); END";
    let (place, connection) = place(NUMBERED, "", "", sql);
    let purge = place.purge().expect(3);
    assert!(purge.out.contains("1000 due records stay") && purge.out.contains("and 995 more"), "{purge:?}");
    assert_eq!(count(&connection, &format!("v WHERE at = '{OLD}'")), DUE / 2);
    assert!(!place.ledger_text().contains("anna"));
}

/// A refusal that has had its day: another record's trigger has put the record on hold meanwhile.
#[test]
fn a_refused_record_that_is_no_longer_due_is_no_failure() {
    let sql = "CREATE TRIGGER locked BEFORE DELETE ON v WHEN old.id = 3 BEGIN SELECT RAISE(ABORT, 'locked'); END;
        CREATE TRIGGER later AFTER DELETE ON v WHEN old.id = 1000 BEGIN UPDATE v SET at = '2290-01-01' WHERE id = 3; END";
    let (place, connection) = place(NUMBERED, "", "", sql);
    assert_eq!(place.purge().expect(0).rule("v")["deleted"], DUE - 1);
    assert_eq!(count(&connection, "v"), 2);
}
