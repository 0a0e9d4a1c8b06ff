//! Tables as nearly every real program has them: several indexes, whose order is not that of the rows.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::measure::shell;

pub(crate) struct Indexed {
    _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
    pub(crate) policy: String,
}

/// A name, the table with its indexes, and what a row holds.
pub(crate) const SHAPES: [(&str, &str, &str); 2] = [
    (
        "three indexes in random order",
        "CREATE TABLE log (id INTEGER PRIMARY KEY, user INTEGER, repo INTEGER, at TEXT, text TEXT, uuid TEXT);
         CREATE INDEX log_user ON log (user, at); CREATE INDEX log_repo ON log (repo);
         CREATE UNIQUE INDEX log_uuid ON log (uuid)",
        "i, abs(random() % 50000), abs(random() % 200000), AT, hex(randomblob(30)), hex(randomblob(18))",
    ),
    (
        "five, and a random key",
        "CREATE TABLE log (id TEXT PRIMARY KEY, user TEXT, repo TEXT, at TEXT, text TEXT, parent TEXT, kind INTEGER);
         CREATE INDEX log_user ON log (user); CREATE INDEX log_repo ON log (repo); CREATE INDEX log_at ON log (at);
         CREATE INDEX log_parent ON log (parent, kind)",
        "hex(randomblob(18)), hex(randomblob(18)), hex(randomblob(18)), AT, hex(randomblob(30)), \
         hex(randomblob(18)), abs(random() % 20)",
    ),
];

impl Indexed {
    /// So many rows, half of them due, at random.
    pub(crate) fn build((_, table, row): (&str, &str, &str), rows: u64) -> Indexed {
        let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
        let path = folder.path().join("log.db");
        let row = row.replace("AT", "date('2010-01-01', '+' || abs(random() % 30000) || ' days')");
        let sql = format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; {table}; CREATE TABLE beside (at TEXT);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
             INSERT INTO log SELECT {row} FROM n; UPDATE log SET at = '2001-02-03' WHERE at < '2051';
             PRAGMA wal_checkpoint(TRUNCATE)"
        );
        Connection::open(&path).unwrap().execute_batch(&sql).unwrap();
        let policy = folder.path().join("policy.toml");
        let text = "version = 1\n[policy]\nname = \"bench\"\ntimezone = \"UTC\"\nlimit = { share = \"100%\" }\n\
                    [source.db]\nsqlite = \"log.db\"\n\
                    [[rule]]\nname = \"log\"\ndata = \"db.log\"\nkeep = \"1 year\"\nafter = \"at\"\n";
        std::fs::write(&policy, text).unwrap();
        Indexed { _folder: folder, path, policy: policy.display().to_string() }
    }

    /// Deletes the same rows by one statement.
    pub(crate) fn delete(&self) -> Duration {
        let sql =
            "PRAGMA secure_delete = ON; DELETE FROM log WHERE at < '2025'; PRAGMA wal_checkpoint(TRUNCATE)";
        shell(&self.path, sql).unwrap()
    }
}
