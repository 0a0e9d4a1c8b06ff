//! A Laravel application: one column name with two ways of writing time, sessions by whole seconds, and tables whose
//! keys are texts.

use rusqlite::Connection;

use crate::support::{Counts, Program, assert_sound, texts, unix};

const POLICY: &str = r#"
[source.app]
sqlite  = "database/database.sqlite"
ignore  = [
  { table = "migrations", why = "no personal data" },
  { table = "cache*", why = "no personal data" },
  { table = "users", why = "kept while they are customers" },
]

[source.app.table.sessions]
formats = { last_activity = "unix" }

[source.app.table.jobs]
formats = { created_at = "unix" }

[[rule]]
name  = "sessions"
data  = "app.sessions"
keep  = "120 minutes"
after = "last_activity"

[[rule]]
name  = "resets"
data  = "app.password_reset_tokens"
keep  = "60 minutes"
after = "created_at"

[[rule]]
name  = "failed"
data  = "app.failed_jobs"
keep  = "at most 7 days"
after = "failed_at"

[[rule]]
name  = "stuck"
data  = "app.jobs"
keep  = "30 days"
after = "created_at"
when  = "reserved_at is null"

[[rule]]
name  = "tokens"
data  = "app.personal_access_tokens"
keep  = "1 year"
after = { latest = ["created_at", { column = "last_used_at", optional = true }, { column = "expires_at", optional = true }] }

[[rule]]
name  = "notifications"
data  = "app.notifications"
keep  = "3 months"
after = "read_at"
"#;

const SCHEMA: &str = r#"
    CREATE TABLE "migrations" ("id" integer primary key autoincrement not null, "migration" varchar not null);
    CREATE TABLE "users" ("id" integer primary key autoincrement not null, "email" varchar not null, "created_at" datetime);
    CREATE TABLE "password_reset_tokens" ("email" varchar not null, "token" varchar not null, "created_at" datetime, primary key ("email"));
    CREATE TABLE "sessions" ("id" varchar not null, "user_id" integer, "ip_address" varchar, "user_agent" text, "payload" text not null,
        "last_activity" integer not null, primary key ("id"));
    CREATE INDEX "sessions_last_activity_index" on "sessions" ("last_activity");
    CREATE TABLE "cache" ("key" varchar not null, "value" text not null, "expiration" integer not null, primary key ("key"));
    CREATE TABLE "cache_locks" ("key" varchar not null, "owner" varchar not null, "expiration" integer not null, primary key ("key"));
    CREATE TABLE "jobs" ("id" integer primary key autoincrement not null, "queue" varchar not null, "payload" text not null,
        "attempts" integer not null, "reserved_at" integer, "available_at" integer not null, "created_at" integer not null);
    CREATE TABLE "failed_jobs" ("id" integer primary key autoincrement not null, "uuid" varchar not null, "payload" text not null,
        "exception" text not null, "failed_at" datetime not null default CURRENT_TIMESTAMP);
    CREATE TABLE "personal_access_tokens" ("id" integer primary key autoincrement not null, "tokenable_type" varchar not null,
        "tokenable_id" integer not null, "token" varchar not null, "last_used_at" datetime, "expires_at" datetime, "created_at" datetime);
    CREATE UNIQUE INDEX "personal_access_tokens_token_unique" on "personal_access_tokens" ("token");
    CREATE TABLE "notifications" ("id" varchar not null, "type" varchar not null, "notifiable_type" varchar not null,
        "notifiable_id" integer not null, "data" text not null, "read_at" datetime, "created_at" datetime, primary key ("id"));
    INSERT INTO "users" VALUES (1, 'ida@example.org', '2020-01-01 10:00:00');
"#;

/// Each name says what the test is about; the key is beside its time, and whether it goes.
const SESSIONS: [(&str, &str, bool); 4] = [
    ("just", "2026-11-21 10:00:00", true),
    ("not", "2026-11-21 10:00:01", false),
    ("zero", "1970-01-01 00:00:00", false),
    ("coming", "2026-11-22 10:00:00", false),
];
const RESETS: [(&str, Option<&str>, bool); 4] = [
    ("a@example.org", Some("2026-11-21 11:00:00"), true),
    ("A@example.org", Some("2026-11-21 11:00:01"), false),
    ("æ@example.org", Some("2020-01-01 10:00:00"), true),
    ("none@example.org", None, false),
];
const FAILED: [(i64, &str, bool); 3] =
    [(1, "2026-11-14 22:59:59", true), (2, "2026-11-14 23:00:00", false), (3, "2026-11-21 10:00:00", false)];
/// Thirty days of 21 October end with 20 November. A reserved job is at work.
const JOBS: [(i64, &str, Option<i64>, bool); 4] = [
    (1, "2026-10-21 21:59:59", None, true),
    (2, "2026-10-21 22:00:00", None, false),
    (3, "2020-01-01 10:00:00", Some(1), false),
    (4, "2020-01-01 10:00:00", None, true),
];
/// Created, last used, expires.
type Times = [Option<&'static str>; 3];
const TOKENS: [(i64, Times, bool); 5] = [
    (1, [Some("2020-01-01 10:00:00"), Some("2025-11-20 22:59:59"), None], true),
    (2, [Some("2020-01-01 10:00:00"), Some("2025-11-20 23:00:00"), None], false),
    (3, [Some("2020-01-01 10:00:00"), None, Some("2027-01-01 10:00:00")], false),
    (4, [Some("2020-01-01 10:00:00"), None, None], true),
    (5, [None, Some("2020-01-01 10:00:00"), None], false),
];
const NOTIFICATIONS: [(&str, Option<&str>, bool); 3] = [
    ("n1", Some("2026-08-20 21:59:59"), true),
    ("n2", Some("2026-08-20 22:00:00"), false),
    ("n3", None, false),
];

fn fill(database: &Connection) {
    for (id, at, _) in SESSIONS {
        database
            .execute("INSERT INTO sessions VALUES (?1, 1, '192.0.2.1', 'x', 'x', ?2)", (id, unix(at)))
            .unwrap();
    }
    for (email, at, _) in RESETS {
        database.execute("INSERT INTO password_reset_tokens VALUES (?1, 'x', ?2)", (email, at)).unwrap();
    }
    for (id, at, _) in FAILED {
        database.execute("INSERT INTO failed_jobs VALUES (?1, 'u' || ?1, '{}', 'x', ?2)", (id, at)).unwrap();
    }
    for (id, at, reserved, _) in JOBS {
        database
            .execute("INSERT INTO jobs VALUES (?1, 'default', '{}', 0, ?3, ?2, ?2)", (id, unix(at), reserved))
            .unwrap();
    }
    for (id, [created, used, expires], _) in TOKENS {
        let sql = "INSERT INTO personal_access_tokens VALUES (?1, 'User', 1, 't' || ?1, ?3, ?4, ?2)";
        database.execute(sql, (id, created, used, expires)).unwrap();
    }
    for (id, at, _) in NOTIFICATIONS {
        database
            .execute(
                "INSERT INTO notifications VALUES (?1, 'x', 'User', 1, '{}', ?2, '2020-01-01 10:00:00')",
                (id, at),
            )
            .unwrap();
    }
}

/// The keys that stay, in the order of their bytes, and how many go.
fn split<K: ToString>(rows: impl Iterator<Item = (K, bool)>) -> (Vec<String>, Counts) {
    let (gone, left): (Vec<_>, Vec<_>) = rows.partition(|(_, goes)| *goes);
    let mut left: Vec<String> = left.iter().map(|(key, _)| key.to_string()).collect();
    left.sort();
    (left, Counts { due: gone.len() as u64, ..Counts::default() })
}

#[test]
fn sessions_tokens_and_jobs_go_by_the_clock_of_each_table() {
    let program = Program::new(POLICY);
    std::fs::create_dir(program.path("database")).unwrap();
    let database = program.database("database/database.sqlite", SCHEMA);
    fill(&database);
    let (sessions, mut counted) = split(SESSIONS.iter().map(|(key, _, goes)| (*key, *goes)));
    counted.unreadable = 1;
    let (resets, resets_counted) = split(RESETS.iter().map(|(key, _, goes)| (*key, *goes)));
    let (failed, failed_counted) = split(FAILED.iter().map(|(key, _, goes)| (*key, *goes)));
    let (jobs, jobs_counted) = split(JOBS.iter().map(|(key, _, _, goes)| (*key, *goes)));
    let (tokens, tokens_counted) = split(TOKENS.iter().map(|(key, _, goes)| (*key, *goes)));
    let (notifications, notifications_counted) =
        split(NOTIFICATIONS.iter().map(|(key, _, goes)| (*key, *goes)));
    program.hold_to(
        &["unreadable"],
        &[
            ("sessions", counted),
            ("resets", resets_counted),
            ("failed", failed_counted),
            ("stuck", jobs_counted),
            ("tokens", tokens_counted),
            ("notifications", notifications_counted),
        ],
    );
    for (table, column, left) in [
        ("sessions", "id", sessions),
        ("password_reset_tokens", "email", resets),
        ("failed_jobs", "id", failed),
        ("jobs", "id", jobs),
        ("personal_access_tokens", "id", tokens),
        ("notifications", "id", notifications),
    ] {
        let sql = format!("SELECT {column} FROM {table} ORDER BY {column}");
        assert_eq!(texts(&database, &sql), left, "{table}");
    }
    assert_sound(&database);
}
