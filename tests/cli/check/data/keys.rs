//! Foreign keys that will refuse a rule.

use insta::assert_snapshot;

use super::super::super::support::{Place, rule};
use super::{found, messages};

fn orders(key: &str, rules: &[String]) -> Place {
    let place = Place::with_rules(&rules.concat());
    place.sql(&format!(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, boss REFERENCES other, ended_at TEXT);
         CREATE TABLE other (id INTEGER PRIMARY KEY, at TEXT);
         CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES Customers (id) {key}, at TEXT)"
    ));
    place
}

fn accounts() -> String {
    rule("accounts", "customers", "1 year", "ended_at")
}

#[test]
fn a_key_of_rows_that_no_rule_deletes_is_named() {
    let other = rule("other", "other", "1 year", "at");
    let place = orders("ON DELETE CASCADE", &[accounts(), other.clone()]);
    assert_eq!(messages(&place, 0), Vec::<String>::new(), "an empty table keeps nothing");
    place.sql("INSERT INTO orders (at) VALUES ('2290-01-01')");
    assert_snapshot!(found(&place, 0).split("\n\n").nth(1).unwrap(), @r"
    warning[foreign-key]: no rule deletes rows of `orders`, and so rule `accounts` keeps the rows of `customers` that they name: deleting one would cascade into them (foreign key orders.customer → customers.id)
      --> policy.toml:14:8
       |
    14 | data = 'app.customers'
       |        ^^^^^^^^^^^^^^^
       |
       = help: write a rule for `app.orders`
    ");
    let ignored = "[source.app]\nsqlite = \"app.db\"\nignore = [{ table = 'ord*', why = 'x' }]";
    let policy = String::from_utf8(place.read("policy.toml")).unwrap();
    place.write("policy.toml", policy.replace("[source.app]\nsqlite = \"app.db\"", ignored));
    assert_eq!(messages(&place, 0), Vec::<String>::new(), "what is ignored is silent");
    let orders_rule = rule("orders", "orders", "1 year", "at");
    for rules in [[accounts(), other.clone(), orders_rule.clone()], [orders_rule, other, accounts()]] {
        assert_eq!(messages(&orders("", &rules), 0), Vec::<String>::new());
    }
}

#[test]
fn a_key_that_the_engine_empties_and_a_table_that_names_itself_need_no_word() {
    let other = rule("other", "other", "1 year", "at");
    let place = orders("ON DELETE SET NULL", &[accounts(), other]);
    assert!(messages(&place, 0).iter().all(|message| !message.contains("foreign key")));
    let place = Place::with_rules(&rule("tree", "tree", "1 year", "at"));
    place.sql("CREATE TABLE tree (id INTEGER PRIMARY KEY, parent REFERENCES tree, at TEXT)");
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}

#[test]
fn a_key_without_an_index_on_many_rows_is_given_one() {
    let (orders_rule, other) =
        (rule("orders", "orders", "1 year", "at"), rule("other", "other", "1 year", "at"));
    let place = orders("", &[orders_rule, accounts(), other]);
    place.sql(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 1001)
         INSERT INTO orders SELECT n, NULL, '2199-01-01' FROM n",
    );
    assert_snapshot!(found(&place, 0), @r#"
    warning[unindexed-foreign-key]: the foreign key orders.customer → customers.id has no index: rule `accounts` is refused, for every deletion would search all of `orders`
      --> policy.toml:20:8
       |
    20 | data = 'app.customers'
       |        ^^^^^^^^^^^^^^^
       |
       = help: run: CREATE INDEX "orders_customer" ON "orders" ("customer")
    "#);
    place.sql("CREATE INDEX by_customer ON orders (customer)");
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}

#[test]
fn an_event_without_an_index_on_a_million_rows_is_given_one() {
    let place = Place::with_rules(&rule("log", "log", "1 year", "at"));
    place.sql(
        "PRAGMA synchronous = OFF; CREATE TABLE log (at TEXT);
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 999999)
         INSERT INTO log SELECT '2199-01-01' FROM n",
    );
    assert_eq!(messages(&place, 0), Vec::<String>::new());
    place.sql("INSERT INTO log VALUES (NULL)");
    assert_snapshot!(found(&place, 0), @r#"
    warning[unindexed-event]: no index begins with `at`: every purge reads all of app.log, which has a million rows or more
      --> policy.toml:16:1
       |
    16 | after = 'at'
       | ^^^^^
       |
       = help: run: CREATE INDEX "log_at" ON "log" ("at")
    "#);
    place.sql("CREATE INDEX by_time ON log (at)");
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}
