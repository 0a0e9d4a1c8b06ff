//! Records that cannot be read, and rules that match none.

use insta::assert_snapshot;

use super::super::super::support::{Place, rule};
use super::{customers, found, messages};

#[test]
fn unreadable_times_are_counted_and_the_first_are_named() {
    let place = customers();
    place.sql(
        "INSERT INTO customers VALUES (1, 'a', '31-12-2020'), (2, 'b', 'soon'), (3, 'c', 17), (4, 'd', 'x'),
         (5, 'e', '2199-01-01'), (6, 'f', NULL)",
    );
    assert_snapshot!(found(&place, 0), @r"
    warning[unreadable]: 4 records of app.customers cannot be read, and so are kept; first: 1 (ended_at: not a date), 2 (ended_at: not a date), 3 (ended_at: not a date)
      --> policy.toml:16:1
       |
    16 | after = 'ended_at'
       | ^^^^^
       |
       = help: correct the values, or say in the policy how the column is written (`formats`) and what means empty (`empty`)
    ");
}

#[test]
fn what_would_read_them_is_told_and_no_value() {
    let place = customers();
    let told = |values: &str| {
        place.sql(&format!("DELETE FROM customers; INSERT INTO customers (id, ended_at) VALUES {values}"));
        let mut messages = messages(&place, 0);
        let message = messages.pop().unwrap();
        message.rsplit_once("; ").unwrap().1.to_string()
    };
    assert_eq!(told("(1, '31-12-2020')"), "it looks like `%d-%m-%Y`");
    assert_eq!(
        told("(1, '05/06/2024')"),
        "it looks like `%d/%m/%Y` or `%m/%d/%Y`, which they do not tell apart"
    );
    assert_eq!(told("(1, '05/06/2024'), (2, '13/06/2024')"), "all 2 look like `%d/%m/%Y`");
    assert_eq!(told("(1, '1700000000'), (2, '1700000000.5')"), "all 2 look like `unix`");
    assert_eq!(
        told("(1, '1700000000'), (2, 'soon')"),
        "first: 1 (ended_at: not a date), 2 (ended_at: not a date)"
    );
    let many: Vec<String> = (1..=60).map(|id| format!("({id}, '{:02}.01.24')", id % 28 + 1)).collect();
    let many = told(&many.join(", "));
    assert_eq!(many, "the first 50 look like `{ pattern = \"%d.%m.%y\", century = \"1970\" }`");
}

#[test]
fn times_that_all_lie_where_none_can_are_told() {
    let place = customers();
    let policy = std::fs::read_to_string(place.path("policy.toml")).unwrap();
    let told = |format: &str, values: &str| {
        let line = format!("sqlite = \"app.db\"\nformats = {{ ended_at = {format} }}");
        std::fs::write(place.path("policy.toml"), policy.replace("sqlite = \"app.db\"", &line)).unwrap();
        place.sql(&format!("DELETE FROM customers; INSERT INTO customers (id, ended_at) VALUES {values}"));
        messages(&place, 0)
    };
    let said =
        |what: &str| vec![format!("[implausible-times] all times in `ended_at` of app.customers {what}")];
    // Milliseconds where seconds are declared would be unreadable; the other way round all is January 1970.
    assert_eq!(
        told("\"unix-ms\"", "(1, 1700000000), (2, 1600000000)"),
        said("read as the first month of 1970, from which is counted")
    );
    assert_eq!(told("\"unix-ms\"", "(1, 1700000000), (2, 1700000000000)"), Vec::<String>::new());
    assert_eq!(
        told("\"unix\"", "(1, 790000000), (2, NULL)"),
        said("lie before 2004, when there was no such database")
    );
    assert_eq!(told("\"unix\"", "(1, 790000000), (2, 1700000000)"), Vec::<String>::new());
    assert_eq!(told("\"cocoa\"", "(1, 1700000000), (2, 1710000000)"), said("lie more than 20 years ahead"));
    assert_eq!(told("\"cocoa\"", "(1, 790000000)"), Vec::<String>::new());
    assert_eq!(told("\"iso\"", "(1, '1980-01-01')"), Vec::<String>::new());
}

#[test]
fn a_rule_that_matches_nothing_is_told_where_there_are_records() {
    let rules =
        format!("{}when = \"kind = 'Extern'\"\n", rule("accounts", "customers", "1 year", "ended_at"));
    let place = Place::with_rules(&rules);
    place.sql("CREATE TABLE customers (id INTEGER PRIMARY KEY, kind TEXT, ended_at TEXT)");
    assert_eq!(messages(&place, 0), Vec::<String>::new(), "an empty table proves nothing");
    place.sql("INSERT INTO customers VALUES (1, 'extern', NULL), (2, 'intern', NULL)");
    assert_snapshot!(found(&place, 0), @r#"
    warning[matches-nothing]: rule `accounts` matches no record of app.customers, which has 2 records
      --> policy.toml:17:8
       |
    17 | when = "kind = 'Extern'"
       |        ^^^^^^^^^^^^^^^^^
       |
       = help: compare `when` with what the columns hold; texts are compared letter by letter
    "#);
    place.sql("UPDATE customers SET kind = 'Extern' WHERE id = 1");
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}

#[test]
fn relations_are_looked_at_too() {
    let rules = rule("accounts", "customers", "1 year", "ended_at");
    let orders = "only-if = [{ table = \"orders\", on = \"customer_id = id\" }]\n";
    let place = Place::with_rules(&(rules + orders));
    place.sql(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, ended_at TEXT); INSERT INTO customers VALUES (1, NULL)",
    );
    assert_eq!(
        messages(&place, 1),
        ["[missing-table] the database has no table `orders`; it has: customers"]
    );
    assert!(found(&place, 1).contains("--> policy.toml:17:22"), "{}", found(&place, 1));
    place.sql("CREATE TABLE orders (customer_id)");
    assert_eq!(
        messages(&place, 0),
        ["[matches-nothing] rule `accounts` matches no record of app.customers, which has 1 record"]
    );
}
