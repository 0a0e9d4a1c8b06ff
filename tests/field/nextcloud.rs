//! Nextcloud: seconds in columns of several names, files as a tree in one table, and no foreign keys.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::support::{Counts, Program, assert_sound, numbers, unix};

const POLICY: &str = r#"
[source.cloud]
sqlite  = "data/owncloud.db"
formats = { timestamp = "unix", ttl = "unix", last_activity = "unix" }
ignore  = [
  { table = "oc_migrations", why = "no personal data" },
  { table = "oc_appconfig", why = "no personal data" },
  { table = "oc_filecache*", why = "goes with what is in the bin" },
  { table = "oc_accounts", why = "kept while they are there" },
]

[[rule]]
name  = "activity"
data  = "cloud.oc_activity"
keep  = "365 days"
after = "timestamp"

[[rule]]
name  = "locks"
data  = "cloud.oc_file_locks"
keep  = "immediately"
after = "ttl"
when  = 'lock = 0'

[[rule]]
name   = "tokens"
data   = "cloud.oc_authtoken"
keep   = "at most 1 month"
after  = "last_activity"
when   = "type = 0 and remember = 0"

[[rule]]
name  = "bin"
data  = "cloud.oc_files_trash"
keep  = "30 days"
after = "timestamp"
with  = [{ table = "oc_filecache", on = "path_hash = path_hash", with = [{ table = "oc_filecache_extended", on = "fileid = fileid" }] }]

[source.cloud.table.oc_files_trash]
key   = "auto_id"
empty = ["", "-1"]
"#;

const SCHEMA: &str = "
    CREATE TABLE oc_migrations (app VARCHAR(255) NOT NULL, version VARCHAR(255) NOT NULL, PRIMARY KEY (app, version));
    CREATE TABLE oc_appconfig (appid VARCHAR(32) DEFAULT '' NOT NULL, configkey VARCHAR(64) DEFAULT '' NOT NULL, configvalue CLOB DEFAULT NULL, PRIMARY KEY (appid, configkey));
    CREATE TABLE oc_accounts (uid VARCHAR(64) DEFAULT '' NOT NULL, data CLOB DEFAULT '' NOT NULL, PRIMARY KEY (uid));
    CREATE TABLE oc_activity (activity_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, timestamp INTEGER DEFAULT 0 NOT NULL,
        priority INTEGER DEFAULT 0 NOT NULL, type VARCHAR(255) DEFAULT NULL, user VARCHAR(64) DEFAULT NULL, affecteduser VARCHAR(64) NOT NULL,
        subject VARCHAR(255) NOT NULL, object_id BIGINT DEFAULT 0 NOT NULL);
    CREATE INDEX activity_user_time ON oc_activity (affecteduser, timestamp);
    CREATE INDEX activity_time ON oc_activity (timestamp);
    CREATE TABLE oc_file_locks (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, lock INTEGER DEFAULT 0 NOT NULL, \"key\" VARCHAR(64) NOT NULL, ttl INTEGER DEFAULT -1 NOT NULL);
    CREATE UNIQUE INDEX lock_key_index ON oc_file_locks (\"key\");
    CREATE INDEX lock_ttl_index ON oc_file_locks (ttl);
    CREATE TABLE oc_authtoken (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uid VARCHAR(64) DEFAULT '' NOT NULL, name CLOB NOT NULL,
        token VARCHAR(200) DEFAULT '' NOT NULL, type SMALLINT UNSIGNED DEFAULT 0 NOT NULL, remember SMALLINT UNSIGNED DEFAULT 0 NOT NULL, last_activity INTEGER UNSIGNED DEFAULT 0 NOT NULL);
    CREATE UNIQUE INDEX authtoken_token_index ON oc_authtoken (token);
    CREATE TABLE oc_filecache (fileid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, storage BIGINT DEFAULT 0 NOT NULL, path VARCHAR(4000) DEFAULT NULL,
        path_hash VARCHAR(32) DEFAULT '' NOT NULL, parent BIGINT DEFAULT 0 NOT NULL, name VARCHAR(250) DEFAULT NULL, size BIGINT DEFAULT 0 NOT NULL, mtime BIGINT DEFAULT 0 NOT NULL);
    CREATE UNIQUE INDEX fs_storage_path_hash ON oc_filecache (storage, path_hash);
    CREATE INDEX fs_parent ON oc_filecache (parent);
    CREATE TABLE oc_filecache_extended (fileid BIGINT UNSIGNED NOT NULL, metadata_etag VARCHAR(40) DEFAULT NULL, upload_time BIGINT DEFAULT 0 NOT NULL, PRIMARY KEY (fileid));
    CREATE TABLE oc_files_trash (auto_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, id VARCHAR(250) DEFAULT '' NOT NULL, user VARCHAR(64) DEFAULT '' NOT NULL,
        timestamp VARCHAR(12) DEFAULT '' NOT NULL, location VARCHAR(512) DEFAULT '' NOT NULL, path_hash VARCHAR(32) DEFAULT NULL);
    CREATE INDEX id_index ON oc_files_trash (id);
    CREATE INDEX timestamp_index ON oc_files_trash (timestamp);
";

/// 365 days of 20 November 2025 end with 20 November 2026.
const ACTIVITY: &str = "2025-11-20 23:00:00";
/// At most a month of 21 October, in summer time, ends today.
const TOKENS: &str = "2026-10-21 22:00:00";
/// 30 days of 21 October end with 20 November.
const BIN: &str = "2026-10-21 22:00:00";

/// In the bin, the time is a text: as it is written, and the seconds that it means, if any.
fn bin() -> Vec<(i64, String, Option<i64>)> {
    let at = unix(BIN);
    let plain = [at - 1, at, at - 86_400 * 400, at + 86_400 * 400];
    let mut rows: Vec<(i64, String, Option<i64>)> =
        (1..).zip(plain).map(|(id, at)| (id, at.to_string(), Some(at))).collect();
    rows.push((5, format!("0{}", at - 1), Some(at - 1)));
    rows.push((6, String::new(), None));
    rows.push((7, "-1".to_string(), None));
    rows.push((8, "1.6e9".to_string(), None));
    rows
}

fn activities() -> Vec<(i64, i64)> {
    let mut rows: Vec<(i64, i64)> = (1..=200).map(|id| (id, unix(ACTIVITY) + (id - 100) * 3_600)).collect();
    rows.extend([(201, unix(ACTIVITY) - 1), (202, 0), (203, 4_000_000_000)]);
    rows
}

fn fill(database: &Connection) {
    for (id, at) in activities() {
        let sql = "INSERT INTO oc_activity (activity_id, timestamp, affecteduser, subject) VALUES (?1, ?2, 'ida', 'created_self')";
        database.execute(sql, (id, at)).unwrap();
    }
    for (id, lock, ttl) in [(1, 0, 0), (2, 0, -1), (3, 1, 1), (4, -1, 1), (5, 2, -1)] {
        let sql = "INSERT INTO oc_file_locks VALUES (?1, ?2, 'files/' || ?1, ?3)";
        database.execute(sql, (id, lock, unix(crate::support::NOW) + ttl)).unwrap();
    }
    let at = unix(TOKENS);
    for (id, kind, remember, at) in
        [(1, 0, 0, at - 1), (2, 0, 0, at), (3, 1, 0, 1), (4, 0, 1, 1), (5, 0, 0, 1)]
    {
        let sql = "INSERT INTO oc_authtoken VALUES (?1, 'ida', 'Firefox', 't' || ?1, ?2, ?3, ?4)";
        database.execute(sql, (id, kind, remember, at)).unwrap();
    }
    for (id, at, _) in bin() {
        let hash = format!("hash{id}");
        let sql = "INSERT INTO oc_files_trash VALUES (?1, 'letter.txt', 'ida', ?2, '.', ?3)";
        database.execute(sql, (id, at, &hash)).unwrap();
        let sql = "INSERT INTO oc_filecache (fileid, storage, path, path_hash, name) VALUES (?1, 1, 'files_trashbin/' || ?1, ?2, 'letter.txt')";
        database.execute(sql, (id, &hash)).unwrap();
        database.execute("INSERT INTO oc_filecache_extended VALUES (?1, NULL, 0)", [id]).unwrap();
    }
    database
        .execute(
            "INSERT INTO oc_filecache (fileid, storage, path, path_hash) VALUES (99, 1, 'files', 'other')",
            [],
        )
        .unwrap();
}

#[test]
fn activity_locks_tokens_and_the_bin_go_by_the_seconds() {
    let program = Program::new(POLICY);
    std::fs::create_dir(program.path("data")).unwrap();
    let database = program.database("data/owncloud.db", SCHEMA);
    fill(&database);
    let gone: BTreeSet<i64> =
        bin().iter().filter(|(_, _, at)| at.is_some_and(|at| at < unix(BIN))).map(|(id, ..)| *id).collect();
    let old = activities().iter().filter(|(_, at)| *at != 0 && *at < unix(ACTIVITY)).count() as u64;
    let rows = |due, unreadable| Counts { due, unreadable, ..Counts::default() };
    let in_bin =
        Counts { due: gone.len() as u64, unreadable: 1, along: 2 * gone.len() as u64, ..Counts::default() };
    // An exclusive lock and a shared one are held, whatever their times.
    program.hold_to(
        &["unreadable", "unreadable"],
        &[("activity", rows(old, 1)), ("locks", rows(2, 0)), ("tokens", rows(2, 0)), ("bin", in_bin)],
    );
    let left: Vec<i64> =
        activities().iter().filter(|(_, at)| *at == 0 || *at >= unix(ACTIVITY)).map(|(id, _)| *id).collect();
    assert_eq!(numbers(&database, "SELECT activity_id FROM oc_activity ORDER BY 1"), left);
    assert_eq!(numbers(&database, "SELECT id FROM oc_file_locks ORDER BY 1"), [3, 4, 5]);
    assert_eq!(numbers(&database, "SELECT id FROM oc_authtoken ORDER BY 1"), [2, 3, 4]);
    let left: Vec<i64> = (1..=8).filter(|id| !gone.contains(id)).collect();
    assert_eq!(numbers(&database, "SELECT auto_id FROM oc_files_trash ORDER BY 1"), left);
    assert_eq!(numbers(&database, "SELECT fileid FROM oc_filecache_extended ORDER BY 1"), left);
    let left: Vec<i64> = left.into_iter().chain([99]).collect();
    assert_eq!(numbers(&database, "SELECT fileid FROM oc_filecache ORDER BY 1"), left);
    assert_sound(&database);
}
