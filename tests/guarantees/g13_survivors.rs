//! G13: after every purge the rule is asked again, and what survived is a failure.

use rusqlite::Connection;
use serde_json::json;

use super::support::{COMING, OLD, PURGE, Place, Ran, assert_integrity, count};

/// More than one batch.
const DUE: u64 = 5_000;

const NUMBERED: (&str, &str) = ("id INTEGER PRIMARY KEY, at TEXT)", "n * 10");
const NAMED: (&str, &str) = ("id TEXT PRIMARY KEY, at TEXT) WITHOUT ROWID", "printf('k%06d', n)");

/// A table of due rows and a trigger on their deletion.
fn place((columns, key): (&str, &str), trigger: &str) -> (Place, Connection) {
    let place = Place::in_memory();
    place.write_rule_on("log");
    let connection = place.database(&format!(
        "CREATE TABLE log ({columns};
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {DUE})
         INSERT INTO log SELECT {key}, '{OLD}' FROM n;
         CREATE TRIGGER put_back {trigger}; END;"
    ));
    (place, connection)
}

/// The purge ends, and says how many are still there.
fn assert_survivors(table: (&str, &str), trigger: &str, deleted: u64, survivors: u64) {
    let (place, connection) = place(table, trigger);
    let purge = place.frist(&PURGE).expect(3);
    let log = purge.rule("log");
    assert_eq!(
        [&log["deleted"], &log["survivors"]],
        [&json!(deleted), &json!(survivors)],
        "{trigger}: {purge:?}"
    );
    assert_eq!((&log["outcome"], purge.problems("log")), (&json!("failed"), vec!["survivors".to_owned()]));
    // What happened is named, and nothing that did not.
    let message = log["problems"][0]["message"].as_str().unwrap();
    let reason =
        "the trigger `put_back` of the table runs with each of them, and can keep them or put them back";
    assert!(message.ends_with(&format!("still due: {reason}")), "{message}");
    assert_eq!(count(&connection, &format!("log WHERE at = '{OLD}'")), survivors);
    assert_integrity(&connection);
    place.assert_ledger_is_whole();
}

#[test]
fn rows_put_back_under_the_same_key_are_found() {
    let trigger = "AFTER DELETE ON log BEGIN INSERT INTO log VALUES (old.id, old.at)";
    assert_survivors(NUMBERED, trigger, DUE, DUE);
    assert_survivors(NAMED, trigger, DUE, DUE);
}

#[test]
fn rows_put_back_behind_all_others_are_found_and_not_chased() {
    let trigger = "AFTER DELETE ON log BEGIN INSERT INTO log VALUES (old.id + 1000000, old.at)";
    assert_survivors(NUMBERED, trigger, DUE, DUE);
    assert_survivors(NUMBERED, "AFTER DELETE ON log BEGIN INSERT INTO log (at) VALUES (old.at)", DUE, DUE);
    let trigger = "AFTER DELETE ON log BEGIN INSERT INTO log VALUES ('z' || old.id, old.at)";
    assert_survivors(NAMED, trigger, DUE, DUE);
}

#[test]
fn rows_put_back_before_all_others_are_found() {
    let trigger = "AFTER DELETE ON log BEGIN INSERT INTO log VALUES (-old.id, old.at)";
    assert_survivors(NUMBERED, trigger, DUE, DUE);
    let trigger = "AFTER DELETE ON log BEGIN INSERT INTO log VALUES ('a' || old.id, old.at)";
    assert_survivors(NAMED, trigger, DUE, DUE);
}

/// Some of them come again in a later batch, but the purge ends.
#[test]
fn rows_put_back_just_ahead_do_not_keep_a_purge_going() {
    for (table, key) in [(NUMBERED, "old.id + 5"), (NAMED, "old.id || '0'"), (NAMED, "'k' || random()")] {
        let trigger = format!("AFTER DELETE ON log BEGIN INSERT OR IGNORE INTO log VALUES ({key}, old.at)");
        let (place, connection) = place(table, &trigger);
        let log = place.frist(&PURGE).expect(3).rule("log");
        let left = count(&connection, &format!("log WHERE at = '{OLD}'"));
        assert_eq!(log["survivors"], left);
        assert!(left > 0 && log["deleted"].as_u64().unwrap() >= DUE, "{log}");
        assert_integrity(&connection);
    }
}

#[test]
fn rows_that_a_trigger_keeps_are_found() {
    let trigger = "BEFORE DELETE ON log BEGIN SELECT RAISE(IGNORE)";
    assert_survivors(NUMBERED, trigger, 0, DUE);
    assert_survivors(NAMED, trigger, 0, DUE);
    let every_other = "BEFORE DELETE ON log WHEN old.id % 20 BEGIN SELECT RAISE(IGNORE)";
    assert_survivors(NUMBERED, every_other, DUE / 2, DUE / 2);
}

/// So few due rows among many that a purge names each of them.
#[test]
fn named_rows_that_survive_are_found() {
    for trigger in [
        "BEFORE DELETE ON log BEGIN SELECT RAISE(IGNORE)",
        "AFTER DELETE ON log BEGIN INSERT INTO log VALUES (old.id, old.at)",
    ] {
        let (place, connection) = place(NUMBERED, trigger);
        connection
            .execute_batch(&format!(
                "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {})
                 INSERT INTO log (at) SELECT '{COMING}' FROM n",
                DUE * 25
            ))
            .unwrap();
        let purge = place.frist(&PURGE).expect(3);
        assert_eq!(purge.rule("log")["survivors"], DUE);
        assert_eq!(count(&connection, "log"), DUE * 26);
    }
}

/// What a trigger forbids is not done, and what it says stays out of the ledger.
fn assert_forbidden(trigger: &str, deleted: impl Fn(u64) -> bool) {
    let (place, connection) = place(NUMBERED, trigger);
    let purge: Ran = place.frist(&PURGE).expect(3);
    assert_eq!(
        (&purge.rule("log")["outcome"], purge.problems("log")),
        (&json!("failed"), vec!["constraint".to_owned()])
    );
    let gone = DUE - count(&connection, "log");
    assert!(deleted(gone), "{gone} were deleted");
    assert_eq!(purge.rule("log")["deleted"], gone);
    assert_integrity(&connection);
    place.assert_ledger_is_whole();
    let ledger = std::fs::read_to_string(place.state().join("ledger.jsonl")).unwrap();
    assert!(ledger.contains("\"problems\":[\"constraint\"]") && !ledger.contains("anna"), "{ledger}");
}

#[test]
fn a_trigger_that_forbids_every_deletion_is_told() {
    assert_forbidden(
        "BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'anna@example.org must stay')",
        |gone| gone == 0,
    );
    assert_forbidden(
        "BEFORE DELETE ON log BEGIN SELECT RAISE(ROLLBACK, 'anna@example.org must stay')",
        |gone| gone == 0,
    );
    assert_forbidden("BEFORE DELETE ON log BEGIN SELECT RAISE(FAIL, 'anna@example.org must stay')", |gone| {
        gone == 0
    });
}

#[test]
fn only_the_forbidden_row_stays() {
    for raise in ["ABORT", "FAIL", "ROLLBACK"] {
        for id in [10, DUE * 5, (DUE - 1) * 10, DUE * 10] {
            let trigger = format!(
                "BEFORE DELETE ON log WHEN old.id = {id} BEGIN SELECT RAISE({raise}, 'anna@example.org must stay')"
            );
            assert_forbidden(&trigger, |gone| gone == DUE - 1);
        }
    }
}
