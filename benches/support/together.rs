//! Records with rows below them, in random order: rows that nobody deletes, rows that go along in two steps, and rows
//! with a period of their own; and rows that many records share.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::measure::shell;

pub(crate) struct Together {
    _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
    pub(crate) policy: String,
}

/// A name, what the policy says of the rows below, and the same as `DELETE`s and as a count.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    policy: &'static str,
    pub(crate) delete: &'static str,
    pub(crate) count: &'static str,
}

const DUE: &str = "(SELECT id FROM customers WHERE at < '2020')";

pub(crate) const SHAPES: [Shape; 4] = [
    Shape {
        name: "rows without a rule",
        policy: "",
        delete: "DELETE FROM customers WHERE at < '2020' AND id NOT IN (SELECT customer FROM orders)",
        count: "SELECT count(*) FROM customers WHERE at < '2020' \
                AND NOT EXISTS (SELECT 1 FROM orders WHERE customer = customers.id)",
    },
    Shape {
        name: "`with` of two levels",
        policy: "with = [{ table = \"orders\", on = \"customer = id\", \
                 with = [{ table = \"lines\", on = \"order_id = id\" }] }]\n",
        delete: "DELETE FROM lines WHERE order_id IN (SELECT id FROM orders WHERE customer IN DUE); \
                 DELETE FROM orders WHERE customer IN DUE; DELETE FROM customers WHERE at < '2020'",
        count: "SELECT count(*) FROM lines WHERE order_id IN (SELECT id FROM orders WHERE customer IN DUE)",
    },
    Shape {
        name: "own periods",
        policy: "[[rule]]\nname = \"orders\"\ndata = \"app.orders\"\nkeep = \"1 year\"\nafter = \"at\"\n",
        delete: "DELETE FROM orders WHERE at < '2020'; \
                 DELETE FROM customers WHERE at < '2020' AND id NOT IN (SELECT customer FROM orders)",
        count: "SELECT count(*) FROM customers WHERE at < '2020' \
                AND NOT EXISTS (SELECT 1 FROM orders WHERE customer = customers.id AND at >= '2020')",
    },
    Shape {
        name: "rows that many share",
        policy: "with = [{ table = \"texts\", on = \"id = text\" }]\nwhen = \"id > 0\"\n",
        delete: "DELETE FROM customers WHERE at < '2020' AND id NOT IN (SELECT customer FROM orders); \
                 DELETE FROM texts WHERE id NOT IN (SELECT text FROM customers)",
        count: "SELECT count(*) FROM customers WHERE at < '2020' \
                AND NOT EXISTS (SELECT 1 FROM orders WHERE customer = customers.id)",
    },
];

impl Together {
    /// So many customers, half of them due, with five times as many orders for seven of ten, and as many lines
    /// where these go along; and a text for each hundred customers.
    pub(crate) fn build(shape: &Shape, customers: u64) -> Together {
        let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
        let path = folder.path().join("app.db");
        let orders = customers * 5;
        let numbers = |rows: u64| {
            format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})")
        };
        // A multiplication by a prime is random enough for an index.
        let at = "iif(i * 2654435761 % 1000 < 500, '2010-02-03', '2090-02-03')";
        Connection::open(&path)
            .unwrap()
            .execute_batch(&format!(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
                 CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT);
                 CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT, text INTEGER REFERENCES texts (id));
                 CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers (id), at TEXT);
                 CREATE TABLE lines (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id), text TEXT);
                 {texts} INSERT INTO texts SELECT i, 'text' FROM n;
                 {customers_n} INSERT INTO customers SELECT i, {at}, i * 40503 % {text} + 1 FROM n;
                 {orders_n} INSERT INTO orders SELECT i, i * 48271 % ({customers} * 7 / 10) + 1, {at} FROM n;
                 {orders_n} INSERT INTO lines SELECT i, i * 16807 % {orders} + 1, 'some text of a line' FROM n
                 WHERE {has_lines};
                 CREATE INDEX customers_text ON customers (text); CREATE INDEX orders_customer ON orders (customer);
                 CREATE INDEX lines_order ON lines (order_id); PRAGMA wal_checkpoint(TRUNCATE)",
                texts = numbers(customers / 100),
                text = customers / 100,
                customers_n = numbers(customers),
                orders_n = numbers(orders),
                // Elsewhere they would keep the orders.
                has_lines = shape.policy.contains("lines"),
            ))
            .unwrap();
        let policy = folder.path().join("policy.toml");
        let text = format!(
            "version = 1\n[policy]\nname = \"bench\"\ntimezone = \"UTC\"\nlimit = {{ share = \"100%\" }}\n[source.app]\n\
             sqlite = \"app.db\"\n[[rule]]\nname = \"customers\"\ndata = \"app.customers\"\nkeep = \"1 year\"\n\
             after = \"at\"\n{}",
            shape.policy
        );
        std::fs::write(&policy, text).unwrap();
        Together { _folder: folder, path, policy: policy.display().to_string() }
    }

    /// Runs statements of a shape in the shell.
    pub(crate) fn shell(&self, sql: &str) -> std::time::Duration {
        shell(&self.path, &sql.replace("DUE", DUE)).unwrap()
    }
}
