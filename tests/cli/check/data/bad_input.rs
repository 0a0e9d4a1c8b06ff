//! Databases that nobody would make: no panic, and never silence.

use super::super::super::support::rule;
use super::{Place, customers, messages};

/// Writes into the schema itself, past what SQLite would let through.
fn forge(place: &Place, sql: &str) {
    let connection = place.sql("");
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).unwrap();
    connection.execute_batch(&format!("PRAGMA writable_schema = ON; {sql}")).unwrap();
}

#[test]
fn a_virtual_table_of_an_unknown_kind_is_named() {
    let place = customers();
    forge(
        &place,
        "INSERT INTO sqlite_schema VALUES ('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING nosuch(a)')",
    );
    let told = messages(&place, 0);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(
        told[0],
        "[uncovered-table] virtual table `v` (nosuch) of source `app` is covered by no rule and no `ignore`"
    );
}

#[test]
fn a_rule_on_a_virtual_table_is_an_error() {
    let place = Place::with_rules(&rule("notes", "notes", "1 year", "at"));
    place.sql("CREATE VIRTUAL TABLE notes USING fts5(at)");
    assert_eq!(
        messages(&place, 1),
        ["[not-a-table] `notes` is a virtual table; its rows cannot be purged yet"]
    );
}

#[test]
fn a_schema_that_cannot_be_read_is_an_error() {
    let place = customers();
    place.sql("CREATE TRIGGER t AFTER DELETE ON customers BEGIN SELECT 1; END");
    forge(&place, "UPDATE sqlite_schema SET sql = 'CREATE TRIGGER t' WHERE name = 't'");
    let told = messages(&place, 3);
    assert!(told[0].starts_with("[damaged] "), "{told:#?}");
}

#[test]
fn no_damage_makes_it_panic() {
    let place = customers();
    place.sql(
        "CREATE VIRTUAL TABLE search USING fts5(name, content='customers', content_rowid='id');
         CREATE TABLE gone (id PRIMARY KEY, customer REFERENCES customers) WITHOUT ROWID;
         CREATE TRIGGER copy AFTER DELETE ON customers BEGIN INSERT INTO gone SELECT OLD.id, 1; END;
         INSERT INTO customers VALUES (1, 'a', '2020-01-01')",
    );
    let whole = place.read("app.db");
    let mut codes = Vec::new();
    for step in 0..120 {
        let mut bytes = whole.clone();
        let at = 16 + step * 7919 % (bytes.len() - 16);
        let end = (at + 1 + step % 40).min(bytes.len());
        bytes[at..end].iter_mut().for_each(|byte| *byte ^= 0x55);
        place.write("app.db", &bytes);
        let ran = place.frist_at("2026-11-21", &["check", "--data", &place.arg("policy.toml")], None);
        codes.push(ran.code);
        assert!([0, 1, 3].contains(&ran.code), "{step}: {ran:?}");
    }
    assert!(codes.contains(&3), "nothing was damaged: {codes:?}");
}
