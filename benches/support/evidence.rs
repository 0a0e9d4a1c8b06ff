//! Bills that start the clocks of people, five of each, in random order; about half of the bills are due.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

pub(crate) struct Evidence {
    _folder: tempfile::TempDir,
    /// The policy.
    pub(crate) policy: String,
}

impl Evidence {
    /// So many bills. Only where the people have a rule their bills are evidence.
    pub(crate) fn build(bills: u64, has_people: bool) -> Evidence {
        let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
        let path: PathBuf = folder.path().join("bench.db");
        let people = bills / 5;
        Connection::open(&path)
            .unwrap()
            .execute_batch(&format!(
                "PRAGMA journal_mode = WAL;
                 CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);
                 CREATE TABLE bills (id INTEGER PRIMARY KEY, person INTEGER, at TEXT, note TEXT);
                 WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {people})
                 INSERT INTO people SELECT n, 'name' || n FROM n;
                 WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {bills})
                 INSERT INTO bills SELECT n, abs(random()) % {people} + 1,
                     date('now', '-' || (abs(random()) % 3650) || ' days'), hex(randomblob(12)) FROM n;
                 CREATE INDEX bills_person ON bills (person);
                 PRAGMA wal_checkpoint(TRUNCATE);"
            ))
            .unwrap();
        let rule =
            |name: &str, rest: &str| format!("[[rule]]\nname = \"{name}\"\ndata = \"db.{name}\"\n{rest}\n");
        let bills = rule("bills", "keep = \"5 years\"\nafter = \"at\"");
        let after =
            "keep = \"60 years\"\nafter = { table = \"bills\", column = \"at\", on = \"person = id\" }";
        let people = if has_people { rule("people", after) } else { String::new() };
        let head = "version = 1\n[policy]\nname = \"bench\"\ntimezone = \"UTC\"\nlimit = { share = \"100%\" }\n\
                    [source.db]\nsqlite = \"bench.db\"\n";
        let policy = folder.path().join("policy.toml");
        std::fs::write(&policy, format!("{head}{bills}{people}")).unwrap();
        Evidence { policy: policy.to_str().unwrap().to_string(), _folder: folder }
    }
}
