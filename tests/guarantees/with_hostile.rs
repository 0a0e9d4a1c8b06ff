//! `with` and foreign keys against schemas and neighbours that mean it badly.

use std::fmt::Write;
use std::fs;

use rusqlite::Connection;
use serde_json::json;

use super::support::{COMING, OLD, Place, REPORT, SOURCE, WITHOUT_LIMIT, count, rule};

fn place(rules: &str, sql: &str) -> (Place, Connection) {
    let place = Place::in_memory();
    place.write_policy(&format!("{WITHOUT_LIMIT}{SOURCE}{rules}"));
    let connection = place.database(&format!("PRAGMA journal_mode = WAL; {sql}"));
    fs::create_dir(place.path("uploads")).unwrap();
    (place, connection)
}

fn customers(with: &str) -> String {
    format!("{}with = [{with}]\n", rule("customers", "customers"))
}

const USERS: &str =
    "{ table = \"users\", on = \"customer = id\", with = [{ files = \"uploads\", column = \"file\" }] }";
const TABLES: &str = "CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT);
    CREATE TABLE users (id INTEGER PRIMARY KEY, customer INTEGER, file, hold INTEGER);";

#[test]
fn a_row_that_a_trigger_keeps_keeps_its_record_and_its_file() {
    let sql = format!(
        "{TABLES} CREATE TRIGGER hold BEFORE DELETE ON users WHEN old.hold BEGIN SELECT RAISE(IGNORE); END;
         INSERT INTO customers VALUES (1, '{OLD}'); INSERT INTO users VALUES (1, 1, 'a', 1), (2, 1, 'b', 0);"
    );
    let (place, connection) = place(&customers(USERS), &sql);
    for file in ["a", "b"] {
        fs::write(place.path("uploads").join(file), "").unwrap();
    }
    let purge = place.purge().expect(3);
    assert_eq!(purge.problems("customers"), ["constraint"], "{purge:?}");
    assert_eq!([count(&connection, "customers"), count(&connection, "users")], [1, 2]);
    assert!(place.path("uploads/a").exists() && place.path("uploads/b").exists());
}

#[test]
fn a_file_is_one_however_a_kept_row_spells_it() {
    for (gone, kept) in [("'a'", "'./a'"), ("'./a'", "'a'"), ("17", "'17'"), ("'17'", "17")] {
        let sql = format!(
            "{TABLES} INSERT INTO customers VALUES (1, '{OLD}'), (2, '{COMING}');
             INSERT INTO users VALUES (1, 1, {gone}, 0), (2, 2, {kept}, 0);"
        );
        let (place, connection) = place(&customers(USERS), &sql);
        let name = gone.trim_matches('\'').trim_start_matches("./");
        fs::write(place.path("uploads").join(name), "").unwrap();
        assert_eq!(place.purge().expect(0).rule("customers")["taken_along"], 1, "{gone}");
        assert!(place.path("uploads").join(name).exists(), "{kept} named it too");
        // And so it is where a killed run had written it down.
        let list = json!([{ "database": place.path("data.db"), "table": "users", "column": "file",
            "folder": place.path("uploads"), "values": [name] }]);
        fs::write(place.state().join("removals.json"), list.to_string()).unwrap();
        place.purge().expect(0);
        assert!(place.path("uploads").join(name).exists());
        drop(connection);
    }
}

#[test]
fn a_name_that_no_file_can_have_is_not_there() {
    let sql = format!(
        "{TABLES} INSERT INTO customers VALUES (1, '{OLD}'); INSERT INTO users VALUES (1, 1, '{}', 0);",
        "x".repeat(300)
    );
    let (place, _connection) = place(&customers(USERS), &sql);
    place.purge().expect(0);
}

/// Whoever refers to a row that goes along must go before, whatever the order in the policy.
#[test]
fn rows_that_refer_to_what_goes_along_go_first() {
    let logins = "CREATE TABLE logins (id INTEGER PRIMARY KEY, at TEXT, user INTEGER REFERENCES users (id));";
    let sql = format!(
        "{TABLES} {logins} INSERT INTO customers VALUES (1, '{OLD}'); INSERT INTO users VALUES (1, 1, NULL, 0);
         INSERT INTO logins VALUES (1, '{OLD}', 1);"
    );
    let (place, connection) = place(&(customers(USERS) + &rule("logins", "logins")), &sql);
    let report = place.frist(&REPORT).expect(0);
    let purge = place.purge().expect(0);
    for rule in ["customers", "logins"] {
        assert_eq!([&report.rule(rule)["due"], &purge.rule(rule)["deleted"]], [1, 1], "{rule}");
    }
    assert_eq!(count(&connection, "users"), 0);
}

/// What was due when it was counted and cannot go any more is no success.
#[test]
fn a_record_to_which_a_row_refers_meanwhile_is_a_survivor() {
    let sql = format!(
        "{TABLES} CREATE TABLE likes (user INTEGER REFERENCES users (id));
         CREATE TABLE first (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO first VALUES (1, '{OLD}');
         CREATE TRIGGER late AFTER DELETE ON first BEGIN INSERT INTO likes VALUES (1); END;
         INSERT INTO customers VALUES (1, '{OLD}'); INSERT INTO users VALUES (1, 1, NULL, 0);"
    );
    let (place, connection) = place(&(rule("first", "first") + &customers(USERS)), &sql);
    let purge = place.purge().expect(3);
    assert_eq!([&purge.rule("customers")["deleted"], &purge.rule("customers")["survivors"]], [0, 1]);
    assert_eq!(purge.problems("customers"), ["survivors"]);
    let message = purge.rule("customers")["problems"][0]["message"].to_string();
    assert!(message.contains("rows refer to some of them that did not"), "{message}");
    assert!(!message.contains("another program") && !message.contains("trigger"), "{message}");
    assert_eq!(count(&connection, "customers"), 1);
}

#[test]
fn a_record_may_refer_to_what_it_takes_along() {
    let address = "{ table = \"addresses\", on = \"id = address\" }";
    let sql = format!(
        "CREATE TABLE addresses (id INTEGER PRIMARY KEY);
         CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT, address INTEGER REFERENCES addresses (id));
         INSERT INTO addresses VALUES (1), (2), (3);
         INSERT INTO customers VALUES (1, '{OLD}', 1), (2, '{OLD}', 2), (3, '{COMING}', 2), (4, '{COMING}', 3);"
    );
    let (place, connection) = place(&customers(address), &sql);
    let report = place.frist(&REPORT).expect(0);
    assert_eq!(
        [&report.rule("customers")["due"], &report.rule("customers")["blocked"]],
        [2, 0],
        "{report:?}"
    );
    let purge = place.purge().expect(0);
    assert_eq!([&purge.rule("customers")["deleted"], &purge.rule("customers")["taken_along"]], [2, 1]);
    assert_eq!([count(&connection, "customers"), count(&connection, "addresses")], [2, 2]);
}

/// By which of two columns a row goes along is one question, and by which key it would be orphaned or taken is another.
#[test]
fn a_row_that_goes_along_with_nobody_keeps_what_it_refers_to() {
    for (action, blocks) in [("CASCADE", 1), ("NO ACTION", 1), ("RESTRICT", 1), ("SET NULL", 0)] {
        let sql = format!(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT);
             CREATE TABLE visits (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers (id) ON DELETE {action},
                                  referrer INTEGER REFERENCES customers (id) ON DELETE {action}, at TEXT);
             CREATE INDEX c ON visits (customer); CREATE INDEX r ON visits (referrer);
             INSERT INTO customers VALUES (1, '{OLD}'), (2, '{COMING}'), (3, '{OLD}');
             INSERT INTO visits VALUES (1, 1, NULL, '{COMING}'), (2, 2, 3, '{OLD}');"
        );
        let (place, connection) = place(&customers("{ table = \"visits\", on = \"referrer = id\" }"), &sql);
        let report = place.frist(&REPORT).expect(0).rule("customers");
        assert_eq!([&report["due"], &report["blocked"]], [2 - blocks, blocks], "{action}");
        let purge = place.purge().expect(0).rule("customers");
        assert_eq!([&purge["deleted"], &purge["taken_along"]], [2 - blocks, 1], "{action}");
        assert_eq!(count(&connection, "visits WHERE id = 1"), 1, "{action}");
        assert_eq!(count(&connection, "customers"), 1 + blocks, "{action}");
    }
}

/// A customer has a main user, and users have a customer.
#[test]
fn a_record_and_what_goes_along_may_refer_to_each_other() {
    let users = "{ table = \"users\", on = \"customer = id\" }";
    let sql = format!(
        "PRAGMA foreign_keys = OFF;
         CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT, main INTEGER REFERENCES users (id));
         CREATE TABLE users (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers (id));
         INSERT INTO customers VALUES (1, '{OLD}', 1), (2, '{COMING}', 2), (3, '{OLD}', 4);
         INSERT INTO users VALUES (1, 1), (2, 2), (3, 3), (4, 2);"
    );
    let (place, connection) = place(&customers(users), &sql);
    let purge = place.purge().expect(0);
    assert_eq!([&purge.rule("customers")["deleted"], &purge.rule("customers")["taken_along"]], [2, 2]);
    assert_eq!([count(&connection, "customers"), count(&connection, "users")], [1, 2]);
    assert!(!connection.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap());
}

/// Each table is asked about once, however long the chain.
#[test]
fn a_chain_of_many_tables_is_judged_in_no_time() {
    let (mut sql, mut rules) = (String::new(), String::new());
    for table in 0..40 {
        let key = if table > 0 { format!("REFERENCES t{} (id)", table - 1) } else { String::new() };
        write!(sql, "CREATE TABLE t{table} (id INTEGER PRIMARY KEY, at TEXT, up INTEGER {key});").unwrap();
        write!(sql, "INSERT INTO t{table} VALUES (1, '{OLD}', 1);").unwrap();
        rules += &rule(&format!("t{table}"), &format!("t{table}"));
    }
    sql += &format!("UPDATE t39 SET at = '{COMING}';");
    let (place, _connection) = place(&rules, &sql);
    let report = place.frist(&REPORT).expect(0);
    assert_eq!([&report.rule("t0")["due"], &report.rule("t0")["blocked"]], [0, 1]);
}
