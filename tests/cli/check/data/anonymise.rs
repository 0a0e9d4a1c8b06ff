//! What `check --data` says of rules that anonymise.

use super::super::super::support::{Place, policy, rule};
use super::messages;

/// A rule on `customers` that sets some columns.
fn anonymising(set: &str) -> String {
    format!(
        "{}then = \"anonymise\"\nset = {{ {set} }}\n",
        rule("accounts", "customers", "1 year", "ended_at")
    )
}

fn place(columns: &str, set: &str) -> Place {
    let place = Place::with_rules(&anonymising(set));
    place.sql(&format!("CREATE TABLE customers (id INTEGER PRIMARY KEY, {columns}, ended_at TEXT)"));
    place
}

const COLUMNS: &str = "name TEXT, kundeMail TEXT, tlf TEXT, filename TEXT, shipping TEXT, amount INTEGER";

#[test]
fn columns_that_look_personal_and_are_left_out_are_told() {
    let told = messages(&place(COLUMNS, "name = \"remove\""), 0);
    let words = "[personal-column] rule `accounts` leaves columns that look personal as they are: `kundeMail`, `tlf` \
                 stay in app.customers";
    assert_eq!(told, [words]);
    let told = messages(&place(COLUMNS, "name = \"remove\", tlf = \"remove\""), 0);
    let words = "[personal-column] rule `accounts` leaves a column that looks personal as it is: `kundeMail` stays in \
                 app.customers";
    assert_eq!(told, [words]);
    assert_eq!(
        messages(&place(COLUMNS, "name = 'remove', tlf = 'remove', kundeMail = 'remove'"), 0),
        [""; 0]
    );
}

#[test]
fn a_column_that_another_rule_sets_or_that_names_the_record_is_passed_over() {
    let place = place(COLUMNS, "name = \"remove\"");
    let other = anonymising("tlf = \"remove\"").replace("accounts", "phones");
    let table = "\n[source.app.table.customers]\nkey = [\"kundeMail\"]\n";
    place.write("policy.toml", policy("shop", &(anonymising("name = \"remove\"") + &other + table)));
    assert_eq!(messages(&place, 0), [""; 0]);
}

#[test]
fn a_rule_that_deletes_leaves_nothing() {
    let place = place(COLUMNS, "name = \"remove\"");
    place.write("policy.toml", policy("shop", &rule("accounts", "customers", "1 year", "ended_at")));
    assert_eq!(messages(&place, 0), [""; 0]);
}

#[test]
fn the_header_of_a_csv_file_is_looked_at_too() {
    let place = place(COLUMNS, "name = \"remove\"");
    let rules = anonymising("ref = \"remove\"").replace("app.customers", "log");
    let text = format!(
        "version = 1\n[policy]\nname = \"shop\"\ntimezone = \"UTC\"\n[source.log]\ncsv = \"log.csv\"\n{rules}"
    );
    place.write("policy.toml", text);
    place.write("log.csv", "\u{feff}ended_at,ref,\"client ip\"\n2290-01-01,x,10.1.2.3\n");
    let told = messages(&place, 0);
    assert!(
        told[0].starts_with("[personal-column]") && told[0].contains("`client ip` stays in log"),
        "{told:?}"
    );
    assert_eq!(told.len(), 1);
}

#[test]
fn what_cannot_be_set_is_an_error() {
    let told = messages(&place("x INTEGER NOT NULL", "x = \"remove\""), 1);
    assert!(told[0].starts_with("[not-null-column] `x` of table `customers` cannot be set"), "{told:?}");
    let told = messages(&place("x TEXT UNIQUE", "x = \"text:a\""), 1);
    assert!(told[0].starts_with("[unique-column] "), "{told:?}");
    let told = messages(&place("x TEXT", "y = \"remove\""), 1);
    assert!(told[0].starts_with("[missing-column] table `customers` has no column `y`"), "{told:?}");
}

#[test]
fn copies_that_triggers_make_must_follow() {
    let copies = |more: &str| {
        let place = place("note TEXT", "note = \"remove\"");
        place.sql(&format!(
            "CREATE TABLE copy (id, note);
             CREATE TRIGGER copies AFTER INSERT ON customers BEGIN INSERT INTO copy VALUES (NEW.id, NEW.note); END;
             CREATE TRIGGER clears AFTER DELETE ON customers BEGIN DELETE FROM copy WHERE id = OLD.id; END; {more}"
        ));
        let told = messages(&place, 0);
        told.into_iter().filter(|finding| finding.starts_with("[trigger-copies]")).collect::<Vec<_>>()
    };
    let told = copies("");
    assert!(
        told[0].contains("where they stay as they are when rule `accounts` anonymises the rows"),
        "{told:?}"
    );
    let follows = "CREATE TRIGGER follows AFTER UPDATE OF note ON customers
                   BEGIN UPDATE copy SET note = NEW.note WHERE id = NEW.id; END;";
    assert_eq!(copies(follows), [""; 0]);
    let remembers = "CREATE TRIGGER remembers AFTER UPDATE ON customers
                     BEGIN INSERT INTO copy VALUES (OLD.id, OLD.note); END;";
    assert_eq!(copies(remembers).len(), 2, "both what copies at first and what copies the old value");
}

#[test]
fn full_text_tables_must_follow() {
    let index = |more: &str| {
        let place = place("note TEXT", "note = \"remove\"");
        place.sql(&format!(
            "CREATE VIRTUAL TABLE words USING fts5(note, content='customers', content_rowid='id');
             INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
             CREATE TRIGGER clears AFTER DELETE ON customers
             BEGIN INSERT INTO words (words, rowid, note) VALUES ('delete', OLD.id, OLD.note); END; {more}"
        ));
        messages(&place, 0)
    };
    let told = index("");
    assert!(
        told[0].contains("full-text table `words` is not told when rule `accounts` anonymises"),
        "{told:?}"
    );
    let follows = "CREATE TRIGGER follows AFTER UPDATE ON customers
                   BEGIN INSERT INTO words (words, rowid, note) VALUES ('delete', OLD.id, OLD.note); END;";
    assert_eq!(index(follows), [""; 0]);
}
