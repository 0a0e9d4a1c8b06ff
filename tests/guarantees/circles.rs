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
fn a_rule_on_a_circle_that_is_not_enforced_is_reported_as_if_it_were() {
    let one = source_and_rule("customers").replace("[[rule]]\n", "[[rule]]\nwhen = \"id < 10\"\n");
    let other =
        rule("others", "customers").replace("[[rule]]\n", "[[rule]]\nwhen = \"id >= 10\"\nenforce = false\n");
    let (place, _) = place(
        &format!("{one}{other}"),
        &format!(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT, parent INTEGER REFERENCES customers (id));
             INSERT INTO customers VALUES (1, '{OLD}', NULL), (2, '{OLD}', 1), (3, '{OLD}', NULL), (10, '{OLD}', NULL),
                 (11, '{OLD}', 10), (12, '{OLD}', 3), (13, '{OLD}', NULL), (14, '{COMING}', 13);"
        ),
    );
    let report = place.frist(&REPORT).expect(0);
    assert_eq!([&customers(&report)["due"], &customers(&report)["blocked"]], [2, 1], "12 stays in this run");
    assert_eq!([&report.rule("others")["due"], &report.rule("others")["blocked"]], [3, 1]);
    let list = place.frist(&["report", "--list"]).expect(0);
    assert!(list.out.contains("that rule `others` does not delete in this run"), "{list:?}");
    assert_eq!(customers(&place.purge().expect(0))["deleted"], 2);
}

/// Reports, lists and warnings say the same of rules of which none is enforced.
#[test]
fn rules_that_are_not_enforced_are_listed_as_they_are_counted() {
    let draft = |name: &str| rule(name, name).replace("[[rule]]\n", "[[rule]]\nenforce = false\n");
    let begin = source_and_rule("x").split("[[rule]]").next().unwrap().to_string();
    let (place, _) = place(
        &format!("{begin}{}{}", draft("customers"), draft("contacts")),
        &format!(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT);
             CREATE TABLE contacts (id INTEGER PRIMARY KEY, at TEXT, customer INTEGER REFERENCES customers (id));
             CREATE INDEX named ON contacts (customer); INSERT INTO customers VALUES (1, '{OLD}'), (2, '{OLD}');
             INSERT INTO contacts VALUES (1, '{OLD}', 1), (2, '{COMING}', 2);"
        ),
    );
    let report = place.frist(&["report", "--list", "--format", "json"]).expect(0);
    let customers = customers(&report);
    assert_eq!([&customers["due"], &customers["blocked"]], [1, 1]);
    let states: Vec<&str> = customers["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["due", "blocked"], "{report:?}");
}

/// What goes first for the sake of another rule's records is bound by the limit of its own rule.
#[test]
fn no_rule_takes_more_of_another_than_its_limit_allows() {
    let holds = "CREATE TABLE holds (id INTEGER PRIMARY KEY, contact INTEGER);
         CREATE TABLE first (id INTEGER PRIMARY KEY, at TEXT);
         CREATE TRIGGER freed AFTER DELETE ON first BEGIN DELETE FROM holds; END;
         CREATE INDEX held ON holds (contact); CREATE INDEX named ON contacts (customer);";
    let many = format!(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT, main INTEGER REFERENCES contacts (id));
         CREATE TABLE contacts (id INTEGER PRIMARY KEY, at TEXT, customer INTEGER REFERENCES customers (id));
         CREATE INDEX main ON customers (main); {holds}
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 200)
         INSERT INTO customers SELECT n, '{OLD}', NULL FROM n;
         INSERT INTO contacts SELECT id + 1000, '{OLD}', id FROM customers;
         INSERT INTO holds SELECT id, id FROM contacts WHERE id > 1040; INSERT INTO first VALUES (1, '{OLD}');"
    );
    let contacts = rule("contacts", "contacts").replace(
        "[[rule]]\n",
        "[[rule]]\nunless = [{ table = \"holds\", on = \"contact = id\" }]\nlimit = { share = \"25%\" }\n",
    );
    let all = |name: &str| rule(name, name).replace("[[rule]]\n", "[[rule]]\nlimit = { share = \"100%\" }\n");
    let begin = |policy: &str| source_and_rule("x").split("[[rule]]").next().unwrap().to_string() + policy;
    for rules in
        [[all("first"), contacts.clone(), all("customers")], [all("first"), all("customers"), contacts]]
    {
        let (place, connection) = place(&begin(&rules.concat()), &many);
        assert_eq!(place.frist(&REPORT).expect(0).rule("contacts")["due"], 40);
        let purge = place.purge().expect(3);
        assert_eq!(purge.rule("contacts")["deleted"], 50, "a quarter of 200");
        assert_eq!(count(&connection, "contacts"), 150);
        assert_eq!(purge.rule("customers")["deleted"], 200 - count(&connection, "customers"));
        assert_no_orphan(&connection);
        place.assert_ledger_is_whole();
    }
}

/// A trigger that answers the deletion of one row of a circle by changing another, or by naming it.
#[test]
fn a_row_is_asked_again_right_before_it_goes() {
    let circle = |action: &str, trigger: &str| {
        format!(
            "PRAGMA foreign_keys = OFF;
             CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT, main INTEGER REFERENCES contacts (id));
             CREATE TABLE contacts (id INTEGER PRIMARY KEY, at TEXT,
                                    customer INTEGER REFERENCES customers (id) {action});
             CREATE TABLE notes (id INTEGER PRIMARY KEY,
                                 customer INTEGER REFERENCES customers (id) ON DELETE CASCADE,
                                 plain INTEGER REFERENCES contacts (id));
             INSERT INTO customers VALUES (1, '{OLD}', 12), (2, '{OLD}', 11), (3, '{OLD}', NULL), (4, '{COMING}', NULL);
             INSERT INTO contacts VALUES (11, '{OLD}', 1), (12, '{OLD}', 2), (13, '{COMING}', NULL);
             CREATE TRIGGER answer {trigger}; END;
             CREATE TABLE gone (at TEXT);
             CREATE TRIGGER a BEFORE DELETE ON contacts BEGIN INSERT INTO gone VALUES (old.at); END;
             CREATE TRIGGER b BEFORE DELETE ON customers BEGIN INSERT INTO gone VALUES (old.at); END;
             CREATE TRIGGER c BEFORE DELETE ON notes BEGIN INSERT INTO gone VALUES ('a note'); END;"
        )
    };
    let triggers = [
        // A usual way to mark what has changed.
        format!("AFTER DELETE ON customers BEGIN UPDATE contacts SET at = '{COMING}' WHERE customer = old.id"),
        format!("BEFORE DELETE ON customers BEGIN UPDATE contacts SET at = '{COMING}' WHERE customer = old.id"),
        format!("AFTER DELETE ON contacts BEGIN UPDATE customers SET at = '{COMING}' WHERE main = old.id"),
        "AFTER DELETE ON customers WHEN old.id < 3 BEGIN INSERT INTO notes (customer) SELECT id FROM customers LIMIT 1"
            .to_string(),
        // Of a row that is gone: only the commit finds that out.
        "AFTER DELETE ON customers WHEN old.id < 3 BEGIN INSERT INTO notes (customer) VALUES (old.id)".to_string(),
        "AFTER DELETE ON contacts BEGIN INSERT INTO notes (plain) VALUES (old.id)".to_string(),
        "AFTER DELETE ON contacts BEGIN SELECT RAISE(ABORT, 'no')".to_string(),
    ];
    for action in ["", "ON DELETE CASCADE"] {
        for trigger in &triggers {
            let (place, connection) = place(&both_rules(), &circle(action, trigger));
            let purge = place.purge();
            let left = ["customers", "contacts", "notes"].map(|table| count(&connection, table));
            // Where the contacts go with their customer, they go before it, and nothing is changed too late.
            let all_went = !action.is_empty() && left == [1, 1, 0];
            assert!(
                all_went || left == [3, 3, 0],
                "the third goes, and nothing else: {trigger} {left:?} {purge:?}"
            );
            assert_eq!(purge.code, if all_went { 0 } else { 3 }, "{action} {trigger} {purge:?}");
            assert_eq!(count(&connection, &format!("gone WHERE at <> '{OLD}'")), 0, "{action} {trigger}");
            assert_eq!(count(&connection, "gone"), 6 - left[0] - left[1] + 1);
            let deleted = [&customers(&purge)["deleted"], &purge.rule("contacts")["deleted"]];
            assert_eq!(deleted, [4 - left[0], 3 - left[1]]);
            assert_no_orphan(&connection);
            place.assert_ledger_is_whole();
        }
    }
}

/// One row that a trigger does not let go costs the others neither their turn nor a transaction each.
#[test]
fn what_a_trigger_refuses_keeps_no_other_from_going() {
    let tables = format!(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT, parent INTEGER REFERENCES customers (id));
         CREATE INDEX parents ON customers (parent);
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 400)
         INSERT INTO customers SELECT n, iif(n > 390, '{COMING}', '{OLD}'), iif(n % 10, n - n % 10, NULL) FROM n;
         CREATE TRIGGER no BEFORE DELETE ON customers WHEN old.id = 205 BEGIN SELECT RAISE(ABORT, 'no'); END;"
    );
    let policy = format!("{}limit = {{ share = \"100%\" }}\n", source_and_rule("customers"));
    let (place, connection) = place(&policy, &tables.replace("n - n % 10", "nullif(n - n % 10, 0)"));
    let purge = place.purge().expect(3);
    assert_eq!(purge.problems("customers")[0], "constraint", "{purge:?}");
    assert_eq!(count(&connection, &format!("customers WHERE at = '{OLD}' AND id NOT IN (200, 205, 390)")), 0);
    assert_eq!(customers(&purge)["deleted"], 387);
    let batches = place.ledger().iter().filter(|entry| entry["event"] == "batch").count();
    assert!(batches < 20, "{batches} batches");
    assert_no_orphan(&connection);
}

/// A usual way to keep things clean: with the last contact goes the customer.
#[test]
fn what_a_trigger_deletes_is_in_nobody_s_way() {
    let trigger = "CREATE TRIGGER last AFTER DELETE ON contacts
        WHEN NOT EXISTS (SELECT 1 FROM contacts WHERE customer = old.customer)
        BEGIN DELETE FROM customers WHERE id = old.customer; END;";
    for (to_customer, to_contact) in [("", ""), ("", "ON DELETE CASCADE")] {
        let (place, connection) =
            place(&both_rules(), &format!("{}{trigger}", tables(to_customer, to_contact)));
        let purge = place.purge().expect(0);
        assert_eq!((count(&connection, "customers"), count(&connection, "contacts")), (1, 1), "{purge:?}");
        assert_eq!([&customers(&purge)["survivors"], &purge.rule("contacts")["survivors"]], [0, 0]);
        assert_no_orphan(&connection);
    }
}

/// A contact of two customers goes with the one that goes, where a trigger keeps the other.
#[test]
fn a_unit_that_stays_leaves_to_others_what_they_need_as_well() {
    let tables = format!(
        "PRAGMA foreign_keys = OFF;
         CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT, main INTEGER REFERENCES contacts (id));
         CREATE TABLE contacts (id INTEGER PRIMARY KEY, at TEXT, customer INTEGER REFERENCES customers (id),
                                also INTEGER REFERENCES customers (id));
         INSERT INTO customers VALUES (1, '{OLD}', NULL), (2, '{OLD}', NULL), (3, '{COMING}', NULL);
         INSERT INTO contacts VALUES (11, '{OLD}', 1, 2), (12, '{COMING}', NULL, NULL);
         CREATE TRIGGER kept BEFORE DELETE ON customers WHEN old.id = 1 BEGIN SELECT RAISE(IGNORE); END;"
    );
    let (place, connection) = place(&both_rules(), &tables);
    let purge = place.purge().expect(3);
    assert_eq!([&customers(&purge)["deleted"], &customers(&purge)["survivors"]], [1, 1], "{purge:?}");
    assert_eq!([&purge.rule("contacts")["deleted"], &purge.rule("contacts")["survivors"]], [1, 0]);
    assert_eq!((count(&connection, "customers"), count(&connection, "contacts")), (2, 1));
}

/// A trigger that puts a new due row into the place of each that goes keeps no run going.
#[test]
fn a_circle_that_grows_as_it_is_deleted_comes_to_an_end() {
    let tables = format!(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT,
                                 main INTEGER REFERENCES contacts (id));
         CREATE TABLE contacts (id INTEGER PRIMARY KEY, at TEXT, customer INTEGER REFERENCES customers (id));
         INSERT INTO customers VALUES (1, '{OLD}', NULL); INSERT INTO contacts VALUES (11, '{OLD}', 1);
         CREATE TRIGGER again AFTER DELETE ON customers BEGIN INSERT INTO customers VALUES (NULL, '{OLD}', NULL); END;"
    );
    let policy =
        both_rules().replace("data = \"db.customers\"", "data = \"db.customers\"\nlimit = { records = 0 }");
    let (place, connection) = place(&policy, &tables);
    let accepted = ["purge", "--yes", "--format", "json", "--accept-limit", "customers"];
    let purge = place.frist(&accepted).expect(3);
    assert_eq!([&customers(&purge)["deleted"], &customers(&purge)["survivors"]], [1, 1]);
    assert_eq!(count(&connection, "customers"), 1);
}
