//! A purge orphans nobody and cascades nowhere: a record to which a row refers that stays is blocked,
//! with the key named, and a child that comes while it runs keeps its parent.

use std::collections::BTreeSet;

use rusqlite::Connection;
use serde_json::json;

use super::support::{COMING, OLD, PURGE, Place, REPORT, Random, assert_integrity, count, finish, open};

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

/// One of the two due rows stays, with the key named and nothing of the other table changed; the other
/// one goes.
fn assert_blocked(tables: &str, key: &str) {
    let (place, connection) = place(tables);
    let children = rows(&connection, "SELECT quote(child.rowid) || '|' || quote(parent) FROM child");
    let report = place.frist(&REPORT).expect(0);
    assert_eq!([&report.rule("log")["due"], &report.rule("log")["blocked"]], [1, 1], "{tables}");
    let warning = report.rule("log")["warning"].clone();
    assert_eq!(warning["code"], "blocked");
    assert!(warning["message"].as_str().unwrap().contains(key), "no {key} in {warning}");
    let listed = place.frist(&["report", "--list", "--format", "json"]).rule("log")["records"].clone();
    let blocked: Vec<_> =
        listed.as_array().unwrap().iter().filter(|record| record["state"] == "blocked").collect();
    assert!(blocked.len() == 1 && blocked[0]["reason"].as_str().unwrap().contains(key), "{listed}");
    let purge = place.purge().expect(0);
    assert_eq!(purge.rule("log")["deleted"], 1, "{tables}");
    assert_eq!(purge.rule("log")["survivors"], 0, "what is blocked is not due");
    assert_eq!(rows(&connection, "SELECT quote(child.rowid) || '|' || quote(parent) FROM child"), children);
    assert_no_orphan(&connection);
}

fn rows(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
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

const KEEPING: [&str; 4] = ["", "ON DELETE NO ACTION", "ON DELETE RESTRICT", "ON DELETE CASCADE"];

#[test]
fn a_child_that_stays_keeps_its_parent() {
    for action in KEEPING {
        for deferred in ["", " DEFERRABLE INITIALLY DEFERRED"] {
            let child = format!(
                "CREATE TABLE child (parent INTEGER REFERENCES log (id) {action}{deferred});
                 INSERT INTO child VALUES (2);"
            );
            assert_blocked(&format!("{CUSTOMERS}{child}"), "child.parent → log.id");
        }
    }
}

#[test]
fn a_key_that_the_engine_empties_keeps_nothing() {
    for column in ["INTEGER", "INTEGER DEFAULT NULL"] {
        for action in ["SET NULL", "SET DEFAULT"] {
            let (place, connection) = customers_with(&format!(
                "CREATE TABLE child (parent {column} REFERENCES log (id) ON DELETE {action}, name);
                 INSERT INTO child VALUES (2, 'a'), (3, 'b');"
            ));
            assert_eq!(place.purge().expect(0).rule("log")["deleted"], 2);
            assert_eq!(
                rows(&connection, "SELECT quote(parent) || name FROM child"),
                ["NULLa", "3b"],
                "{action}"
            );
            assert_no_orphan(&connection);
        }
    }
}

/// The engine would refuse the deletion, and with it all others of its transaction.
#[test]
fn a_key_that_cannot_be_emptied_keeps_its_parent() {
    for column in ["NOT NULL", "DEFAULT 1", "NOT NULL DEFAULT 9"] {
        for action in ["SET NULL", "SET DEFAULT"] {
            if column == "DEFAULT 1" && action == "SET NULL" {
                continue;
            }
            let child = format!(
                "CREATE TABLE child (parent INTEGER {column} REFERENCES log (id) ON DELETE {action});
                 INSERT INTO child VALUES (2);"
            );
            assert_blocked(&format!("{CUSTOMERS}{child}"), "child.parent → log.id");
        }
    }
}

#[test]
fn a_key_that_names_no_column_means_the_primary_key() {
    let child = "CREATE TABLE child (parent INTEGER REFERENCES LOG); INSERT INTO child VALUES (2);";
    assert_blocked(&format!("{CUSTOMERS}{child}"), "child.parent → log.id");
}

#[test]
fn a_key_to_a_unique_column_counts_as_much() {
    let child = "CREATE TABLE child (parent TEXT REFERENCES log (code)); INSERT INTO child VALUES ('b');";
    assert_blocked(&format!("{CUSTOMERS}{child}"), "child.parent → log.code");
}

#[test]
fn a_key_is_compared_as_the_engine_compares_it() {
    let tables = format!(
        "CREATE TABLE log (name TEXT COLLATE NOCASE PRIMARY KEY, at TEXT);
         INSERT INTO log VALUES ('Anna', '{OLD}'), ('Eva', '{OLD}');
         CREATE TABLE child (parent TEXT REFERENCES log (name)); INSERT INTO child VALUES ('ANNA');"
    );
    assert_blocked(&tables, "child.parent → log.name");
    let tables = format!(
        "CREATE TABLE log (name TEXT PRIMARY KEY, at TEXT); INSERT INTO log VALUES ('17', '{OLD}'), ('1', '{OLD}');
         CREATE TABLE child (parent INTEGER REFERENCES log (name)); INSERT INTO child VALUES (17);"
    );
    assert_blocked(&tables, "child.parent → log.name");
}

#[test]
fn a_composite_key_counts_where_all_its_parts_are_there() {
    let tables = format!(
        "CREATE TABLE log (part TEXT, piece INTEGER, at TEXT, PRIMARY KEY (part, piece)) WITHOUT ROWID;
         INSERT INTO log VALUES ('a', 1, '{OLD}'), ('a', 2, '{COMING}');
         CREATE TABLE child (part TEXT, piece INTEGER, FOREIGN KEY (part, piece) REFERENCES log (part, piece));"
    );
    let (place, connection) = place(&format!("{tables}INSERT INTO child VALUES ('a', 1);"));
    let report = place.frist(&REPORT).expect(0);
    assert_eq!([&report.rule("log")["due"], &report.rule("log")["blocked"]], [0, 1]);
    assert!(report.out.contains("child.part, piece → log.part, piece"), "{report:?}");
    assert_eq!(place.purge().expect(0).rule("log")["deleted"], 0);
    assert_eq!(count(&connection, "log"), 2);
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
fn a_row_of_the_same_table_keeps_what_it_names() {
    for action in KEEPING {
        let tables = format!(
            "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT, parent INTEGER REFERENCES log (id) {action});
             INSERT INTO log VALUES (1, '{OLD}', NULL), (2, '{COMING}', 1), (3, '{OLD}', 4), (4, '{OLD}', NULL);"
        );
        let (place, connection) = place(&tables);
        let report = place.frist(&REPORT).expect(0);
        assert_eq!([&report.rule("log")["due"], &report.rule("log")["blocked"]], [2, 1], "{action}");
        assert_eq!(place.purge().expect(0).rule("log")["deleted"], 2);
        assert_eq!(rows(&connection, "SELECT id || '' FROM log"), ["1", "2"]);
    }
}

#[test]
fn rows_that_name_each_other_go_together() {
    let tables = |action: &str| {
        format!(
            "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT, parent INTEGER REFERENCES log (id) {action});
             INSERT INTO log VALUES (1, '{OLD}', 2), (2, '{OLD}', 3), (3, '{OLD}', 1), (4, '{OLD}', 2),
             (5, '{OLD}', 6), (6, '{COMING}', 5);"
        )
    };
    for (action, left) in [("", &["5", "6"][..]), ("ON DELETE CASCADE", &["5", "6"])] {
        let (place, connection) = place(&tables(action));
        assert_eq!(place.purge().expect(0).rule("log")["deleted"], 4);
        assert_eq!(rows(&connection, "SELECT id || '' FROM log"), left);
        place.assert_ledger_is_whole();
    }
    // The engine lets none of them go before the others.
    let (place, connection) = place(&tables("ON DELETE RESTRICT"));
    assert_eq!(place.purge().expect(0).rule("log")["deleted"], 1);
    assert_eq!(count(&connection, "log"), 5);
}

/// A chain of five tables: each row goes as soon as those that name it are gone, in one run.
#[test]
fn rules_go_from_children_to_parents_whatever_their_order_in_the_policy() {
    let mut tables = format!(
        "CREATE TABLE t0 (id INTEGER PRIMARY KEY, at TEXT);
                              INSERT INTO t0 VALUES (1, '{OLD}'), (2, '{OLD}');"
    );
    let mut rules = String::new();
    for table in 0..5 {
        let parent = table;
        let table = table + 1;
        tables += &format!(
            "CREATE TABLE t{table} (id INTEGER PRIMARY KEY, at TEXT, parent REFERENCES t{parent} (id));
             INSERT INTO t{table} VALUES (1, '{OLD}', 1), (2, '{OLD}', 2);"
        );
    }
    tables += &format!("UPDATE t5 SET at = '{COMING}' WHERE id = 2;");
    (0..=5).for_each(|table| rules += &super::support::rule(&format!("r{table}"), &format!("t{table}")));
    let place = Place::in_memory();
    place.write_policy(&format!("{}{}{rules}", super::support::WITHOUT_LIMIT, super::support::SOURCE));
    let connection = place.database(&tables);
    let report = place.frist(&REPORT).expect(0);
    let purge = place.purge().expect(0);
    for table in 0..=5 {
        let rule = format!("r{table}");
        assert_eq!([&report.rule(&rule)["due"], &purge.rule(&rule)["deleted"]], [1, 1], "{rule}");
        assert_eq!(report.rule(&rule)["blocked"], i32::from(table < 5), "{rule}");
        assert_eq!(rows(&connection, &format!("SELECT id || '' FROM t{table}")), ["2"]);
    }
    assert_no_orphan(&connection);
    // Without the rule at the end of the chain, all of it stays.
    let named = place.frist(&["report", "--format", "json", "--rule", "r0", "--rule", "r1"]);
    assert_eq!([&named.rule("r0")["blocked"], &named.rule("r1")["blocked"]], [1, 1]);
}

/// What a limit stops stays, and keeps what it refers to.
#[test]
fn a_rule_that_a_limit_stops_frees_nothing() {
    let tables = format!(
        "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO log VALUES (1, '{OLD}'), (2, '{COMING}');
         CREATE TABLE child (id INTEGER PRIMARY KEY, at TEXT, parent REFERENCES log (id));
         INSERT INTO child VALUES (1, '{OLD}', 1), (2, '{OLD}', NULL);"
    );
    let child = super::support::rule("child", "child");
    let place = Place::in_memory();
    let policy = format!("{}{}", super::support::source_and_rule("log"), child);
    place.write_policy(
        &policy.replace("data = \"db.log\"", "data = \"db.log\"\nlimit = { share = \"100%\" }"),
    );
    place.database(&tables);
    let report = place.frist(&REPORT).expect(0);
    assert_eq!(report.rule("child")["limit"]["kind"], "whole");
    assert_eq!([&report.rule("log")["due"], &report.rule("log")["blocked"]], [0, 1]);
    assert_eq!(place.purge().expect(4).rule("log")["deleted"], 0);
    let accepted = ["purge", "--yes", "--format", "json", "--accept-limit", "child"];
    assert_eq!(place.frist(&accepted).expect(0).rule("log")["deleted"], 1);
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
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 1500)
         INSERT INTO child SELECT 3, '{COMING}' FROM n; UPDATE child SET at = '{OLD}' WHERE rowid = 1;"
    ));
    let policy = std::fs::read_to_string(place.policy()).unwrap();
    std::fs::write(place.policy(), policy + &super::support::rule("child", "child")).unwrap();
    let purge = place.purge().expect(3);
    assert_eq!([&purge.rule("log")["outcome"], &purge.rule("child")["outcome"]], ["refused", "done"]);
    assert_eq!([count(&connection, "log"), count(&connection, "child")], [3, 1499]);
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
    let message = purge.rule("log")["problems"][0]["message"].to_string();
    let reason = "rows refer to some of them that did not when they were counted; another program wrote to the database";
    assert!(message.contains(reason), "{message}");
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
    for action in ["", "ON DELETE CASCADE"] {
        insert_children_while_purging(action);
    }
}

/// A reply that comes after the rows were read, and before their transaction.
#[test]
fn a_reply_that_comes_during_the_purge_keeps_what_it_names() {
    let place = Place::in_memory();
    place.write_rule_on("log");
    let connection = place.database(&format!(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT, parent INTEGER REFERENCES log (id) ON DELETE CASCADE);
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {MANY})
         INSERT INTO log SELECT n, '{OLD}', NULL FROM n;
         CREATE INDEX log_parent ON log (parent); PRAGMA foreign_keys = ON"
    ));
    let mut purge = place.start(&PURGE);
    while !place.ledger_text().contains("\"event\":\"batch\"") {
        assert!(purge.try_wait().unwrap().is_none(), "{:?}", finish(purge));
    }
    let mut replies: BTreeSet<u32> = BTreeSet::new();
    for parent in (1..=MANY).rev().step_by(97).chain((1..=MANY).rev().step_by(89)) {
        let reply = "INSERT INTO log SELECT NULL, ?2, id FROM log WHERE id = ?1";
        if connection.execute(reply, (parent, COMING)).unwrap() == 1 {
            replies.insert(parent);
        }
        if purge.try_wait().unwrap().is_some() {
            break;
        }
    }
    assert!(replies.len() > 10, "only {} replies came in time", replies.len());
    let purge = finish(purge).expect(3);
    assert_eq!(purge.problems("log"), ["survivors"]);
    assert_eq!(parents(&connection, &format!("SELECT parent FROM log WHERE at = '{COMING}'")), replies);
    assert_eq!(parents(&connection, &format!("SELECT id FROM log WHERE at = '{OLD}'")), replies);
    assert_no_orphan(&connection);
}

#[test]
fn the_engine_of_the_tests_checks_foreign_keys_itself() {
    let (place, _) = customers_with("CREATE TABLE child (parent INTEGER REFERENCES log (id));");
    let connection = open(&place.path("data.db"));
    connection.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    assert!(connection.execute("INSERT INTO child VALUES (99)", []).is_err());
}
