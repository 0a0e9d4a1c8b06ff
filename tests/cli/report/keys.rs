//! Every kind of table that SQLite has, and how its records are named.

use super::{Place, Value, only_rule, report, rule};

/// The keys of the due records of a table `a`, made by some SQL.
fn keys_of(sql: &str, settings: &str) -> Vec<String> {
    let place = Place::with_rules(&format!("{settings}\n{}", rule("a", "a", "1 year", "at")));
    place.sql(sql);
    let json = report(&place, &["--list", "--format", "json"]).code(0).json();
    let records = json["rules"][0]["records"].as_array().unwrap();
    records.iter().map(|record| record["key"].as_str().unwrap().to_string()).collect()
}

#[test]
fn a_record_is_named_by_its_primary_key_or_its_row_number() {
    let cases = [
        ("CREATE TABLE a (at TEXT); INSERT INTO a VALUES ('2020-01-01')", "1"),
        ("CREATE TABLE a (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO a VALUES (-7, '2020-01-01')", "-7"),
        (
            "CREATE TABLE a (mail TEXT PRIMARY KEY, at TEXT); INSERT INTO a VALUES ('å@b.dk', '2020-01-01')",
            "å@b.dk",
        ),
        (
            "CREATE TABLE a (x, y, at TEXT, PRIMARY KEY (y, x)); INSERT INTO a VALUES (NULL, 1.5, '2020-01-01')",
            "1.5,",
        ),
        (
            "CREATE TABLE a (x TEXT, y BLOB, at TEXT, PRIMARY KEY (x, y)) WITHOUT ROWID;
             INSERT INTO a VALUES ('a,b', x'00ff', '2020-01-01')",
            "a,b,00ff",
        ),
    ];
    for (sql, key) in cases {
        assert_eq!(keys_of(sql, ""), [key], "{sql}");
    }
}

#[test]
fn the_policy_may_choose_the_key() {
    let sql = "CREATE TABLE a (id INTEGER PRIMARY KEY, number TEXT, at TEXT);
               INSERT INTO a VALUES (1, 'K-17', '2020-01-01')";
    assert_eq!(keys_of(sql, "[source.app.table.a]\nkey = \"number\""), ["K-17"]);
    let place = Place::with_rules(&format!(
        "[source.app.table.a]\nkey = [\"id\", \"numbr\"]\n{}",
        rule("a", "a", "1 year", "at")
    ));
    place.sql(sql);
    report(&place, &[]).code(3).says("table `a` has no column `numbr`; did you mean `number`?");
}

#[test]
fn columns_that_hide_the_row_number_do_not_confuse() {
    for columns in ["rowid TEXT, at TEXT", "\"ROWID\" TEXT, _rowid_ TEXT, at TEXT"] {
        let width = columns.matches(',').count();
        let values = "'x', ".repeat(width) + "'2020-01-01'";
        assert_eq!(
            keys_of(&format!("CREATE TABLE a ({columns}); INSERT INTO a VALUES ({values})"), ""),
            ["1"]
        );
    }
    let place = Place::with_rules(&rule("a", "a", "1 year", "at"));
    place.sql("CREATE TABLE a (rowid, _rowid_, oid, at TEXT)");
    report(&place, &[])
        .code(3)
        .says("table `a` has columns `rowid`, `_rowid_` and `oid`, which hide its row numbers");
    let place = Place::with_rules(&rule("a", "a", "1 year", "at"));
    place.sql("CREATE TABLE a (rowid PRIMARY KEY, _rowid_, oid, at TEXT) WITHOUT ROWID");
    report(&place, &[]).code(0);
}

#[test]
fn generated_columns_are_columns() {
    for kind in ["VIRTUAL", "STORED"] {
        let sql = format!(
            "CREATE TABLE a (y INTEGER, at TEXT AS (y || '-06-30') {kind}, on_date TEXT);
             INSERT INTO a (y) VALUES (2020), (2026)"
        );
        assert_eq!(keys_of(&sql, ""), ["1"], "{kind}");
    }
}

#[test]
fn a_key_cannot_write_on_the_terminal() {
    let place = Place::with_rules(&rule("a", "a", "1 year", "at"));
    place.sql(
        "CREATE TABLE a (k TEXT PRIMARY KEY, at TEXT);
         INSERT INTO a VALUES (char(27) || '[31m' || char(10) || 'x', '2020-01-01'), ('y' || char(7), 'bad')",
    );
    let out = report(&place, &["--list"]).code(3).out;
    assert!(out.contains(r"\u{1b}[31m\nx  due         2020-01-01"), "{out}");
    assert!(out.contains(r"first: y\u{7} (at: not a date)"), "{out}");
    assert!(!out.contains(['\u{1b}', '\u{7}']), "{out}");
}

#[test]
fn an_empty_table_is_done() {
    let place = Place::with_rules(&rule("a", "a", "1 year", "at"));
    place.sql("CREATE TABLE a (at TEXT)");
    report(&place, &["--list"]).code(0).says("Nothing is due.");
    let rule = only_rule(&place);
    assert_eq!((&rule["matched"], &rule["next_due"]), (&Value::from(0), &Value::Null));
}
