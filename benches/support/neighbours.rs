//! What another writer feels while a purge meets a reader that stays, or a trigger that takes its time.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use rusqlite::Connection;

use crate::measure::{frist, longest_wait};

/// A database of its own, of which one part in two is due, and its policy.
struct Small {
    _folder: tempfile::TempDir,
    path: PathBuf,
    policy: String,
}

impl Small {
    fn build(journal: &str, rows: u64, sql: &str) -> Small {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let path = folder.path().join("log.db");
        let connection = Connection::open(&path).unwrap();
        let table = format!(
            "PRAGMA journal_mode = {journal}; PRAGMA synchronous = OFF;
             CREATE TABLE log (id INTEGER PRIMARY KEY, created_at TEXT, message TEXT);
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {rows})
             INSERT INTO log SELECT n, iif(n % 2, '2001-01-01', '2290-01-01'), hex(randomblob(32)) FROM n; {sql}"
        );
        connection.execute_batch(&table).unwrap();
        let policy = folder.path().join("policy.toml").display().to_string();
        let text = "version = 1\n[policy]\nname = \"bench\"\ntimezone = \"UTC\"\nlimit = { share = \"100%\" }\n\
             [source.db]\nsqlite = \"log.db\"\n\
             [[rule]]\nname = \"log\"\ndata = \"db.log\"\nkeep = \"1 year\"\nafter = \"created_at\"\n";
        std::fs::write(&policy, text).unwrap();
        Small { _folder: folder, path, policy }
    }

    fn read(&self) -> Connection {
        let reader = Connection::open(&self.path).unwrap();
        reader.execute_batch("BEGIN").unwrap();
        reader.query_row("SELECT count(*) FROM log", [], |_| Ok(())).unwrap();
        reader
    }
}

/// Rows whose deletion takes a trigger about 50 ms.
const SLOW: &str = "CREATE TABLE counts (n); INSERT INTO counts VALUES (1);
    CREATE VIEW counted (n) AS WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 250000)
        SELECT count(*) FROM n;
    CREATE TRIGGER counting AFTER DELETE ON log BEGIN DELETE FROM counts WHERE n = (SELECT n FROM counted); END;";

/// Another writer's longest wait while a reader's snapshot of the log stays open.
pub(crate) fn beside_a_snapshot() -> Duration {
    let small = Small::build("WAL", 400_000, "");
    let _reader = small.read();
    longest_wait(&small.path, || {
        frist(&["purge", "--yes", "--wait", "10s", &small.policy]);
    })
}

/// Another writer's longest wait while each row costs a trigger about 50 ms.
pub(crate) fn beside_a_slow_trigger() -> Duration {
    let small = Small::build("WAL", 300, SLOW);
    longest_wait(&small.path, || {
        frist(&["purge", "--yes", &small.policy]);
    })
}

/// How many entries about batches the ledger gets while a reader of a rollback journal stays for ten seconds.
pub(crate) fn entries_beside_a_reader() -> usize {
    let small = Small::build("DELETE", 10_000, "");
    let _reader = small.read();
    let mut purge = Command::new(env!("CARGO_BIN_EXE_frist"));
    purge
        .args(["purge", "--yes", "--wait", "10s", &small.policy])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let status = purge.status().unwrap();
    assert_eq!(status.code(), Some(3), "a reader that stays keeps every commit from happening");
    let ledger = small.path.with_file_name(".frist").join("ledger.jsonl");
    let ledger = std::fs::read_to_string(ledger).unwrap();
    ledger.lines().filter(|entry| entry.contains("\"event\":\"batch")).count()
}
