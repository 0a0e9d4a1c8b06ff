//! Rows that refer to each other: answers to one row, pairs over two tables, and one ring.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

pub(crate) struct Circles {
    _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
    pub(crate) policy: String,
}

/// What a customer and a contact of number `i` refer to, with the number of all.
pub(crate) const KINDS: [(&str, &str, &str); 3] = [
    ("answers to one row", "NULL", "1"),
    ("pairs that name each other", "i", "i"),
    ("one ring", "i", "i % ALL + 1"),
];

impl Circles {
    /// So many customers and as many contacts, all due, with an index on either key.
    pub(crate) fn build((_, main, customer): (&str, &str, &str), rows: u64) -> Circles {
        let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
        let path = folder.path().join("app.db");
        let customer = customer.replace("ALL", &rows.to_string());
        let connection = Connection::open(&path).unwrap();
        let numbers =
            format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})");
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;
                 CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT, main INTEGER REFERENCES contacts (id));
                 CREATE TABLE contacts (id INTEGER PRIMARY KEY, at TEXT,
                                        customer INTEGER REFERENCES customers (id));
                 {numbers} INSERT INTO customers SELECT i, '2001-02-03', {main} FROM n;
                 {numbers} INSERT INTO contacts SELECT i, '2001-02-03', {customer} FROM n;
                 CREATE INDEX customers_main ON customers (main);
                 CREATE INDEX contacts_customer ON contacts (customer);
                 PRAGMA wal_checkpoint(TRUNCATE)"
            ))
            .unwrap();
        let policy = folder.path().join("policy.toml");
        let rule = |name: &str| {
            format!(
                "[[rule]]\nname = \"{name}\"\ndata = \"app.{name}\"\nkeep = \"5 years\"\nafter = \"at\"\n"
            )
        };
        let text = format!(
            "version = 1\n[policy]\nname = \"bench\"\ntimezone = \"UTC\"\n[source.app]\nsqlite = \"app.db\"\n{}{}",
            rule("customers"),
            rule("contacts")
        );
        std::fs::write(&policy, text).unwrap();
        Circles { _folder: folder, path, policy: policy.display().to_string() }
    }
}
