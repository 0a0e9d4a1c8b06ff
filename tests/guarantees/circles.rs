//! Tables that refer to each other in a circle: their rows are followed one by one, and what no order can
//! part goes at once, each row counted under its own rule.

use rusqlite::Connection;
use serde_json::Value;

use super::support::{COMING, OLD, Place, REPORT, Ran, assert_integrity, count, rule, source_and_rule};

/// Customers name their main contact, and contacts their customer. The first two name each other, the
/// third waits for a contact that stays, and the fourth to the sixth stand in a row.
fn tables(to_customer: &str, to_contact: &str) -> String {
    format!(
        "PRAGMA foreign_keys = OFF;
         CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT,
                                 main INTEGER REFERENCES contacts (id) {to_contact});
         CREATE TABLE contacts (id INTEGER PRIMARY KEY, at TEXT,
                                customer INTEGER REFERENCES customers (id) {to_customer});
         INSERT INTO customers VALUES (1, '{OLD}', 11), (2, '{OLD}', 12), (3, '{OLD}', NULL),
                                      (4, '{OLD}', NULL), (5, '{OLD}', 14), (6, '{OLD}', 15);
         INSERT INTO contacts VALUES (11, '{OLD}', 1), (12, '{OLD}', 2), (13, '{COMING}', 3),
                                     (14, '{OLD}', 4), (15, '{OLD}', 5);"
    )
}

fn place(policy: &str, tables: &str) -> (Place, Connection) {
    let place = Place::in_memory();
    place.write_policy(policy);
    let connection = place.database(tables);
    (place, connection)
}

fn both_rules() -> String {
    format!("{}{}", source_and_rule("customers"), rule("contacts", "contacts"))
}

fn customers(ran: &Ran) -> Value {
    ran.rule("customers")
}

fn assert_no_orphan(connection: &Connection) {
    assert_integrity(connection);
    assert!(!connection.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap());
}

#[test]
fn rows_of_two_tables_that_name_each_other_go_in_one_run() {
    let deferred = "DEFERRABLE INITIALLY DEFERRED";
    let actions = [("", ""), (deferred, deferred), ("ON DELETE CASCADE", ""), ("", "ON DELETE CASCADE")];
    let half =
        [("ON DELETE RESTRICT", ""), ("", "ON DELETE RESTRICT"), ("ON DELETE CASCADE", "ON DELETE CASCADE")];
    for (to_customer, to_contact) in actions.into_iter().chain(half) {
        let (place, connection) = place(&both_rules(), &tables(to_customer, to_contact));
        let report = place.frist(&REPORT).expect(0);
        assert_eq!(
            [&customers(&report)["due"], &customers(&report)["blocked"]],
            [5, 1],
            "{to_customer}|{to_contact}"
        );
        assert_eq!(report.rule("contacts")["due"], 4);
        let warning = customers(&report)["warning"]["message"].as_str().unwrap().to_string();
        let keeping = "1 by rows of `contacts` that rule `contacts` keeps (foreign key contacts.customer → customers.id)";
        assert!(warning.contains(keeping), "{warning}");
        let purge = place.purge().expect(0);
        assert_eq!([&customers(&purge)["deleted"], &purge.rule("contacts")["deleted"]], [5, 4]);
        assert_eq!([&customers(&purge)["survivors"], &purge.rule("contacts")["survivors"]], [0, 0]);
        assert_eq!((count(&connection, "customers"), count(&connection, "contacts")), (1, 1));
        assert_no_orphan(&connection);
        place.assert_ledger_is_whole();
        assert_eq!(customers(&place.purge().expect(0))["deleted"], 0);
    }
}

/// The engine lets neither of two rows go first; what stands in a row goes all the same.
#[test]
fn a_circle_in_which_every_key_restricts_stays() {
    let (place, connection) = place(&both_rules(), &tables("ON DELETE RESTRICT", "ON DELETE RESTRICT"));
    let report = place.frist(&REPORT).expect(0);
    assert_eq!([&customers(&report)["due"], &customers(&report)["blocked"]], [3, 3]);
    assert_eq!([&report.rule("contacts")["due"], &report.rule("contacts")["blocked"]], [2, 2]);
    let purge = place.purge().expect(0);
    assert_eq!([&customers(&purge)["deleted"], &purge.rule("contacts")["deleted"]], [3, 2]);
    assert_no_orphan(&connection);
}

/// What does not go in this run keeps what it refers to: its rule was not asked for, is not enforced, or
/// is stopped by a limit.
#[test]
fn rows_of_a_rule_that_is_not_carried_out_keep_the_others() {
    let limited =
        both_rules().replace("data = \"db.contacts\"", "data = \"db.contacts\"\nlimit = { records = 3 }");
    let idle = both_rules().replace("data = \"db.contacts\"", "data = \"db.contacts\"\nenforce = false");
    assert!(limited != both_rules() && idle != both_rules());
    let cases = [(both_rules(), &["--rule", "customers"][..], 0), (idle, &[], 0), (limited, &[], 4)];
    for (policy, arguments, code) in cases {
        let (place, connection) = place(&policy, &tables("", ""));
        let report = place.frist(&[&REPORT[..], arguments].concat());
        assert_eq!(
            [&customers(&report)["due"], &customers(&report)["blocked"]],
            [1, 5],
            "{arguments:?} {report:?}"
        );
        let purge = place.frist(&[&["purge", "--yes", "--format", "json"], arguments].concat()).expect(code);
        assert_eq!(customers(&purge)["deleted"], 1, "{arguments:?}");
        assert_eq!((count(&connection, "customers"), count(&connection, "contacts")), (5, 5));
        assert_no_orphan(&connection);
    }
}

/// Each row is asked again, when its turn comes, whether anything refers to it.
#[test]
fn a_row_that_comes_during_the_purge_keeps_its_circle_and_no_other() {
    let tables = format!(
        "{} CREATE TABLE notes (id INTEGER PRIMARY KEY, contact INTEGER REFERENCES contacts (id));
         CREATE TRIGGER noted AFTER DELETE ON customers WHEN old.id = 1
         BEGIN INSERT INTO notes VALUES (1, 12); END;",
        tables("", "")
    );
    let (place, connection) = place(&both_rules(), &tables);
    assert_eq!(customers(&place.frist(&REPORT).expect(0))["due"], 5);
    let purge = place.purge().expect(3);
    assert_eq!([&customers(&purge)["deleted"], &customers(&purge)["survivors"]], [4, 1]);
    assert_eq!([&purge.rule("contacts")["deleted"], &purge.rule("contacts")["survivors"]], [3, 1]);
    assert_eq!(
        (count(&connection, "customers WHERE id = 2"), count(&connection, "contacts WHERE id = 12")),
        (1, 1)
    );
    assert_no_orphan(&connection);
}

/// A row that is not due any more, when its turn comes, stays; with it all that would have gone at once.
#[test]
fn a_row_that_changes_during_the_purge_keeps_its_circle_and_no_other() {
    let tables = format!(
        "{} CREATE TRIGGER renewed AFTER DELETE ON customers WHEN old.id = 1
            BEGIN UPDATE contacts SET at = '{COMING}' WHERE id = 12; END;",
        tables("", "")
    );
    let (place, connection) = place(&both_rules(), &tables);
    let purge = place.purge().expect(3);
    assert_eq!([&customers(&purge)["deleted"], &customers(&purge)["survivors"]], [4, 1]);
    assert_eq!([&purge.rule("contacts")["deleted"], &purge.rule("contacts")["survivors"]], [3, 0]);
    assert_eq!(count(&connection, "customers WHERE id = 2"), 1);
    assert_no_orphan(&connection);
}

/// A trigger keeps one row of a circle: then the other stays as well, and the run says so.
#[test]
fn a_circle_of_which_a_trigger_keeps_a_row_stays_whole() {
    let tables = format!(
        "{} CREATE TRIGGER kept BEFORE DELETE ON contacts WHEN old.id = 11 BEGIN SELECT RAISE(IGNORE); END;",
        tables("", "")
    );
    let (place, connection) = place(&both_rules(), &tables);
    let purge = place.purge().expect(3);
    assert_eq!([&customers(&purge)["deleted"], &customers(&purge)["survivors"]], [4, 1]);
    assert_eq!([&purge.rule("contacts")["deleted"], &purge.rule("contacts")["survivors"]], [3, 1]);
    assert_eq!(
        (count(&connection, "customers WHERE id = 1"), count(&connection, "contacts WHERE id = 11")),
        (1, 1)
    );
    assert_no_orphan(&connection);
}

/// Two rules on one table: what one of them deletes frees what the other does, in the same run.
#[test]
fn rows_of_one_table_under_two_rules_free_each_other() {
    let one = source_and_rule("customers").replace("[[rule]]\n", "[[rule]]\nwhen = \"id < 10\"\n");
    let other = rule("others", "customers").replace("[[rule]]\n", "[[rule]]\nwhen = \"id >= 10\"\n");
    let (place, connection) = place(
        &format!("{one}{other}"),
        &format!(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT, parent INTEGER REFERENCES customers (id));
             INSERT INTO customers VALUES (1, '{OLD}', NULL), (11, '{OLD}', 1), (2, '{OLD}', 11), (12, '{OLD}', 2),
                                          (3, '{OLD}', 13), (13, '{OLD}', 3), (4, '{OLD}', NULL), (14, '{COMING}', 4);"
        ),
    );
    let report = place.frist(&REPORT).expect(0);
    assert_eq!(
        [&customers(&report)["due"], &customers(&report)["blocked"], &report.rule("others")["due"]],
        [3, 1, 3]
    );
    let purge = place.purge().expect(0);
    assert_eq!([&customers(&purge)["deleted"], &purge.rule("others")["deleted"]], [3, 3]);
    assert_eq!(count(&connection, "customers"), 2);
    assert_no_orphan(&connection);
    place.assert_ledger_is_whole();
}

#[test]
fn a_rule_on_a_circle_that_is_not_enforced_is_reported_with_what_keeps_its_records() {
    let one = source_and_rule("customers").replace("[[rule]]\n", "[[rule]]\nwhen = \"id < 10\"\n");
    let other =
        rule("others", "customers").replace("[[rule]]\n", "[[rule]]\nwhen = \"id >= 10\"\nenforce = false\n");
    let (place, _) = place(
        &format!("{one}{other}"),
        &format!(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT, parent INTEGER REFERENCES customers (id));
             INSERT INTO customers VALUES (1, '{OLD}', NULL), (2, '{OLD}', 1), (10, '{OLD}', NULL), (11, '{OLD}', 10);"
        ),
    );
    let report = place.frist(&REPORT).expect(0);
    assert_eq!([&customers(&report)["due"], &customers(&report)["blocked"]], [2, 0]);
    assert_eq!([&report.rule("others")["due"], &report.rule("others")["blocked"]], [1, 1]);
}
