//! The database that is measured: random dates over the ten years before today.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::{Connection, params};

use crate::rows::{Row, now, rows};

/// Ten years of days but one: what is due under it is about one day's rows.
pub(crate) const ALL_BUT_A_DAY: &str = "3651 days";

pub(crate) struct Database {
    folder: PathBuf,
}

pub(crate) struct Copy {
    folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

impl Database {
    /// Builds the database, or takes the one that was built earlier today.
    pub(crate) fn build(rows: u64) -> Database {
        let today = now() / 86_400;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{rows}-{today}"));
        if !folder.join("done").exists() {
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            fill(&folder.join("plain.db"), rows, today * 86_400);
            fs::copy(folder.join("plain.db"), folder.join("indexed.db")).unwrap();
            let indexed = Connection::open(folder.join("indexed.db")).unwrap();
            indexed
                .execute_batch("CREATE INDEX log_at ON log (created_at); PRAGMA wal_checkpoint(TRUNCATE)")
                .unwrap();
            drop(indexed);
            fs::write(folder.join("done"), "").unwrap();
        }
        Database { folder }
    }

    pub(crate) fn megabytes(&self) -> u64 {
        fs::metadata(self.folder.join("plain.db")).unwrap().len() / 1_000_000
    }

    /// A fresh copy, flushed, so that its writing does not disturb what is measured.
    pub(crate) fn copy(&self, indexed: bool) -> Copy {
        let folder = tempfile::tempdir_in(&self.folder).unwrap();
        let path = folder.path().join("log.db");
        fs::copy(self.folder.join(if indexed { "indexed.db" } else { "plain.db" }), &path).unwrap();
        fs::File::open(&path).unwrap().sync_all().unwrap();
        Copy { folder, path }
    }
}

impl Copy {
    /// Writes a policy for the copy and returns its path.
    pub(crate) fn policy(&self, keep: &str) -> String {
        let path = self.folder.path().join("policy.toml");
        let text = format!(
            "version = 1\n[policy]\nname = \"bench\"\ntimezone = \"UTC\"\nlimit = {{ share = \"100%\" }}\n\
             [source.db]\nsqlite = \"log.db\"\n\
             [[rule]]\nname = \"log\"\ndata = \"db.log\"\nkeep = \"{keep}\"\nafter = \"created_at\"\n"
        );
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// The first date that is not due, as the report tells it.
    pub(crate) fn due_before(&self, policy: &str) -> String {
        let report =
            Command::new(env!("CARGO_BIN_EXE_frist")).args(["report", "--format", "json", policy]).output();
        let report: serde_json::Value = serde_json::from_slice(&report.unwrap().stdout).unwrap();
        let last = report["rules"][0]["due_up_to"].as_str().unwrap();
        let last = chrono::NaiveDate::parse_from_str(last, "%Y-%m-%d").unwrap();
        (last + chrono::Days::new(1)).to_string()
    }
}

fn fill(path: &Path, count: u64, until: u64) {
    let mut connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF").unwrap();
    let schema = "CREATE TABLE log (id INTEGER PRIMARY KEY, customer_id INTEGER, created_at TEXT, level TEXT,
                  email TEXT, message TEXT, amount REAL)";
    connection.execute_batch(schema).unwrap();
    let transaction = connection.transaction().unwrap();
    {
        let mut insert = transaction.prepare("INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)").unwrap();
        for Row { id, customer, at, level, email, message, amount } in rows(count, until) {
            insert.execute(params![id as i64, customer as i64, at, level, email, message, amount]).unwrap();
        }
    }
    transaction.commit().unwrap();
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}
