//! Customers and the contacts with them, for rules that look at related rows.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

pub(crate) struct Related {
    _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
    pub(crate) policy: String,
}

impl Related {
    /// Five contacts a customer, all at random over ten years, with an index that holds what is read.
    pub(crate) fn build(contacts: u64) -> Related {
        let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
        let path = folder.path().join("app.db");
        let connection = Connection::open(&path).unwrap();
        let customers = contacts / 5;
        let day = "date('now', '-' || (abs(random()) % 3650) || ' days')";
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
                 CREATE TABLE customers (id INTEGER PRIMARY KEY, created_at TEXT);
                 CREATE TABLE contacts (id INTEGER PRIMARY KEY, customer_id INTEGER, at TEXT);
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {customers})
                 INSERT INTO customers SELECT i, {day} FROM n;
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {contacts})
                 INSERT INTO contacts SELECT i, abs(random()) % {customers} + 1, {day} FROM n;
                 CREATE INDEX contacts_customer_id ON contacts (customer_id, at);
                 PRAGMA wal_checkpoint(TRUNCATE)"
            ))
            .unwrap();
        let policy = folder.path().join("policy.toml");
        let text = "version = 1\n[policy]\nname = \"bench\"\ntimezone = \"UTC\"\nlimit = { share = \"100%\" }\n\
                    [source.app]\nsqlite = \"app.db\"\n\
                    [[rule]]\nname = \"customers\"\ndata = \"app.customers\"\nkeep = \"5 years\"\n\
                    after = { latest = [\"created_at\", { table = \"contacts\", column = \"at\", on = \"customer_id = id\" }] }\n";
        std::fs::write(&policy, text).unwrap();
        Related { _folder: folder, path, policy: policy.display().to_string() }
    }
}
