//! Vaultwarden: keys that are texts, rows that belong to two others, times without a zone, and a folder of icons
//! beside the database.

use std::fs::File;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;

use crate::support::{Counts, Program, assert_sound, texts, unix};

const POLICY: &str = r#"
[source.vault]
sqlite = "data/db.sqlite3"
ignore = [
  { table = "__diesel_schema_migrations", why = "no personal data" },
  { table = "organizations", why = "kept until they are closed" },
  { table = "collections", why = "kept with their organization" },
  { table = "ciphers_collections", why = "goes with its cipher" },
  { table = "folders*", why = "goes with its user, or its cipher" },
  { table = "favorites", why = "goes with its cipher" },
  { table = "attachments", why = "goes with its cipher" },
  { table = "twofactor", why = "goes with its user" },
]

[source.icons]
files = "data/icon_cache"
match = ["*.png", "*.miss"]

[[rule]]
name  = "bin"
data  = "vault.ciphers"
keep  = "at most 30 days"
after = "deleted_at"
with  = [
  { table = "attachments" },
  { table = "folders_ciphers", on = "cipher_uuid = uuid" },
  { table = "ciphers_collections", on = "cipher_uuid = uuid" },
  { table = "favorites", on = "cipher_uuid = uuid" },
]

[[rule]]
name  = "sends"
data  = "vault.sends"
keep  = "immediately"
after = "deletion_date"

[[rule]]
name  = "devices"
data  = "vault.devices"
keep  = "6 months"
after = "updated_at"

[[rule]]
name  = "events"
data  = "vault.event"
keep  = "90 days"
after = "event_date"

[[rule]]
name   = "never-verified"
data   = "vault.users"
keep   = "7 days"
after  = "created_at"
when   = "verified_at is null"
with   = [
  { table = "devices" }, { table = "twofactor" },
  { table = "folders", with = [{ table = "folders_ciphers", on = "folder_uuid = uuid" }] },
]

[[rule]]
name  = "icons"
data  = "icons"
keep  = "30 days"
after = "modified"
"#;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
    CREATE TABLE users (uuid TEXT NOT NULL PRIMARY KEY, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL,
        email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, password_hash BLOB NOT NULL, verified_at DATETIME DEFAULT NULL);
    CREATE TABLE organizations (uuid TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, billing_email TEXT NOT NULL);
    CREATE TABLE collections (uuid TEXT NOT NULL PRIMARY KEY, org_uuid TEXT NOT NULL REFERENCES organizations (uuid), name TEXT NOT NULL);
    CREATE TABLE ciphers (uuid TEXT NOT NULL PRIMARY KEY, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL,
        user_uuid TEXT REFERENCES users (uuid), organization_uuid TEXT REFERENCES organizations (uuid), atype INTEGER NOT NULL,
        name TEXT NOT NULL, data TEXT NOT NULL, deleted_at DATETIME);
    CREATE TABLE attachments (id TEXT NOT NULL PRIMARY KEY, cipher_uuid TEXT NOT NULL REFERENCES ciphers (uuid),
        file_name TEXT NOT NULL, file_size INTEGER NOT NULL, akey TEXT);
    CREATE TABLE folders (uuid TEXT NOT NULL PRIMARY KEY, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL,
        user_uuid TEXT NOT NULL REFERENCES users (uuid), name TEXT NOT NULL);
    CREATE TABLE folders_ciphers (cipher_uuid TEXT NOT NULL REFERENCES ciphers (uuid), folder_uuid TEXT NOT NULL REFERENCES folders (uuid),
        PRIMARY KEY (cipher_uuid, folder_uuid));
    CREATE TABLE ciphers_collections (cipher_uuid TEXT NOT NULL REFERENCES ciphers (uuid), collection_uuid TEXT NOT NULL REFERENCES collections (uuid),
        PRIMARY KEY (cipher_uuid, collection_uuid));
    CREATE TABLE favorites (user_uuid TEXT NOT NULL REFERENCES users (uuid), cipher_uuid TEXT NOT NULL REFERENCES ciphers (uuid),
        PRIMARY KEY (user_uuid, cipher_uuid));
    CREATE TABLE devices (uuid TEXT NOT NULL, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL,
        user_uuid TEXT NOT NULL REFERENCES users (uuid), name TEXT NOT NULL, refresh_token TEXT NOT NULL, PRIMARY KEY (uuid, user_uuid));
    CREATE TABLE twofactor (uuid TEXT NOT NULL PRIMARY KEY, user_uuid TEXT NOT NULL REFERENCES users (uuid), atype INTEGER NOT NULL, data TEXT NOT NULL,
        UNIQUE (user_uuid, atype));
    CREATE TABLE sends (uuid TEXT NOT NULL PRIMARY KEY, user_uuid TEXT REFERENCES users (uuid), name TEXT NOT NULL, atype INTEGER NOT NULL,
        data TEXT NOT NULL, creation_date DATETIME NOT NULL, expiration_date DATETIME, deletion_date DATETIME NOT NULL);
    CREATE TABLE event (uuid CHAR(36) NOT NULL PRIMARY KEY, event_type INTEGER NOT NULL, user_uuid CHAR(36), cipher_uuid CHAR(36),
        ip_address TEXT, event_date DATETIME NOT NULL);
    INSERT INTO organizations VALUES ('org', 'Lund ApS', 'lund@example.org'); INSERT INTO collections VALUES ('col', 'org', 'shared');
";

/// A short name in the form of a key.
fn uuid(name: &str) -> String {
    format!("{name:0>8}-0000-4000-8000-000000000000")
}

/// Name, created, verified. Seven days of 13 November end with 20 November.
const USERS: [(&str, &str, Option<&str>); 6] = [
    ("ida", "2020-01-01 10:00:00.123456789", Some("2020-01-01 11:00:00")),
    ("late", "2026-11-13 22:59:59.999", None),
    ("soon", "2026-11-13 23:00:00", None),
    ("full", "2026-01-01 10:00:00", None),
    ("send", "2026-01-01 10:00:00", None),
    ("idle", "2026-01-01 10:00:00", None),
];

/// Name, whose, since when in the bin. At most 30 days of 22 October in summer time end today.
const CIPHERS: [(&str, Option<&str>, Option<&str>); 6] = [
    ("c1", Some("ida"), Some("2026-10-22 21:59:59.999999")),
    ("c2", Some("ida"), Some("2026-10-22 22:00:00")),
    ("c3", Some("ida"), None),
    ("c4", Some("full"), Some("2026-11-10 10:00:00")),
    ("c5", None, Some("2020-01-01 10:00:00")),
    ("c6", Some("late"), Some("2020-01-01 10:00:00")),
];

/// Name, whose, when to be deleted.
const SENDS: [(&str, &str, &str); 4] = [
    ("s1", "ida", "2026-11-21 12:00:00"),
    ("s2", "ida", "2026-11-21 12:00:00.000001"),
    ("s3", "send", "2026-12-01 10:00:00"),
    ("s4", "late", "2020-01-01 10:00:00"),
];

/// Name, whose, when last seen. Six months of 20 May end with 20 November.
const DEVICES: [(&str, &str, &str); 5] = [
    ("d1", "ida", "2026-05-20 21:59:59"),
    ("d2", "ida", "2026-05-20 22:00:00"),
    ("d1", "full", "2026-11-01 10:00:00"),
    ("d4", "late", "2026-05-20 10:00:00"),
    ("d5", "idle", "2026-11-20 10:00:00"),
];

/// Name and time. Ninety days of 22 August end with 20 November.
const EVENTS: [(&str, &str); 4] =
    [("e1", "2026-08-22 21:59:59"), ("e2", "2026-08-22 22:00:00"), ("e3", "not a date"), ("e4", "")];

fn fill(database: &Connection) {
    for (name, created, verified) in USERS {
        let sql = "INSERT INTO users VALUES (?1, ?2, ?2, ?1, ?1, x'00', ?3)";
        database.execute(sql, (uuid(name), created, verified)).unwrap();
        let folder = uuid(&format!("f-{name}"));
        database
            .execute("INSERT INTO folders VALUES (?1, ?2, ?2, ?3, 'mine')", (folder, created, uuid(name)))
            .unwrap();
        database
            .execute("INSERT INTO twofactor VALUES (?1, ?2, 0, '')", (uuid(&format!("t-{name}")), uuid(name)))
            .unwrap();
    }
    for (name, user, deleted) in CIPHERS {
        let organization = user.is_none().then_some("org");
        let sql = "INSERT INTO ciphers VALUES (?1, '2020-01-01 10:00:00', '2020-01-01 10:00:00', ?2, ?3, 1, 'n', '{}', ?4)";
        database.execute(sql, (uuid(name), user.map(uuid), organization, deleted)).unwrap();
        database
            .execute(
                "INSERT INTO attachments VALUES (?1 || 'a', ?2, 'x', 1, NULL), (?1 || 'b', ?2, 'y', 1, NULL)",
                (name, uuid(name)),
            )
            .unwrap();
        database.execute("INSERT INTO ciphers_collections VALUES (?1, 'col')", [uuid(name)]).unwrap();
        database.execute("INSERT INTO favorites VALUES (?1, ?2)", (uuid("ida"), uuid(name))).unwrap();
        database.execute("INSERT INTO folders_ciphers VALUES (?1, ?2)", (uuid(name), uuid("f-ida"))).unwrap();
    }
    // Somebody who never verified an address put a shared cipher into a folder.
    database.execute("INSERT INTO folders_ciphers VALUES (?1, ?2)", (uuid("c3"), uuid("f-idle"))).unwrap();
    for (name, user, at) in SENDS {
        let sql = "INSERT INTO sends VALUES (?1, ?2, 'n', 0, '{}', '2020-01-01 10:00:00', NULL, ?3)";
        database.execute(sql, (uuid(name), uuid(user), at)).unwrap();
    }
    for (name, user, at) in DEVICES {
        let sql = "INSERT INTO devices VALUES (?1, '2020-01-01 10:00:00', ?3, ?2, 'phone', 'x')";
        database.execute(sql, (uuid(name), uuid(user), at)).unwrap();
    }
    for (name, at) in EVENTS {
        let sql = "INSERT INTO event VALUES (?1, 1000, ?2, NULL, '192.0.2.1', ?3)";
        database.execute(sql, (uuid(name), uuid("ida"), at)).unwrap();
    }
}

/// Thirty days of 21 October in Copenhagen end with 20 November.
fn write_icons(program: &Program) {
    for (name, at) in [
        ("a.example.png", "2026-10-21 21:59:59"),
        ("b.example.png", "2026-10-21 22:00:00"),
        ("c.example.miss", "2020-01-01 10:00:00"),
        ("d.example.png", "2090-01-01 10:00:00"),
    ] {
        program.write(&format!("data/icon_cache/{name}"), "icon");
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(unix(at).unsigned_abs());
        File::options()
            .write(true)
            .open(program.path(&format!("data/icon_cache/{name}")))
            .unwrap()
            .set_modified(at)
            .unwrap();
    }
}

fn uuids(names: &[&str]) -> Vec<String> {
    let mut uuids: Vec<String> = names.iter().map(|name| uuid(name)).collect();
    uuids.sort();
    uuids
}

#[test]
fn what_is_in_the_bin_goes_with_all_that_names_it() {
    let program = Program::new(POLICY);
    write_icons(&program);
    let database = program.database("data/db.sqlite3", SCHEMA);
    fill(&database);
    let rows = |due| Counts { due, ..Counts::default() };
    // c1, c5 and c6: two attachments, a folder, a collection and a favourite each.
    let bin = Counts { due: 3, along: 3 * 5, ..Counts::default() };
    let events = Counts { due: 1, unreadable: 1, ..Counts::default() };
    // A cipher keeps one, a send another, and a device that was seen yesterday the third.
    let users = Counts { due: 1, blocked: 3, along: 2, ..Counts::default() };
    program.hold_to(
        &["unreadable"],
        &[
            ("bin", bin),
            ("sends", rows(2)),
            ("devices", rows(2)),
            ("events", events),
            ("never-verified", users),
            ("icons", rows(2)),
        ],
    );
    assert_eq!(
        texts(&database, "SELECT uuid FROM users ORDER BY 1"),
        uuids(&["ida", "soon", "full", "send", "idle"])
    );
    assert_eq!(texts(&database, "SELECT uuid FROM ciphers ORDER BY 1"), uuids(&["c2", "c3", "c4"]));
    assert_eq!(
        texts(&database, "SELECT id FROM attachments ORDER BY 1"),
        ["c2a", "c2b", "c3a", "c3b", "c4a", "c4b"]
    );
    for table in ["favorites", "ciphers_collections", "folders_ciphers"] {
        let left = texts(&database, &format!("SELECT DISTINCT cipher_uuid FROM {table} ORDER BY 1"));
        assert_eq!(left, uuids(&["c2", "c3", "c4"]), "{table}");
    }
    assert_eq!(texts(&database, "SELECT uuid FROM sends ORDER BY 1"), uuids(&["s2", "s3"]));
    let devices = "SELECT substr(uuid, 7, 2) || substr(user_uuid, 5, 4) FROM devices ORDER BY 1";
    assert_eq!(texts(&database, devices), ["d1full", "d20ida", "d5idle"]);
    assert_eq!(texts(&database, "SELECT uuid FROM event ORDER BY 1"), uuids(&["e2", "e3", "e4"]));
    for table in ["folders", "twofactor"] {
        let left = texts(&database, &format!("SELECT user_uuid FROM {table} ORDER BY 1"));
        assert_eq!(left, uuids(&["ida", "soon", "full", "send", "idle"]), "{table}");
    }
    assert!(!program.path("data/icon_cache/a.example.png").exists());
    assert!(!program.path("data/icon_cache/c.example.miss").exists());
    assert!(
        ["b.example.png", "d.example.png"]
            .iter()
            .all(|name| program.path(&format!("data/icon_cache/{name}")).exists())
    );
    assert_sound(&database);
}
