//! Django with Wagtail: keys that are checked at the commit alone, references that only the ORM would empty, and
//! rows that name any other by its type and its key as text.

use rusqlite::Connection;

use crate::support::{Counts, Program, assert_sound, numbers, texts};

const POLICY: &str = r#"
[source.site]
sqlite   = "db.sqlite3"
times-in = "UTC"
ignore   = [
  { table = "django_content_type", why = "no personal data" },
  { table = "django_migrations", why = "no personal data" },
  { table = "auth_group*", why = "no personal data" },
  { table = "auth_permission", why = "no personal data" },
  { table = "auth_user_*", why = "goes with its user" },
  { table = "wagtailusers_*", why = "goes with its user" },
  { table = "wagtailcore_page", why = "published" },
  { table = "wagtailcore_comment*", why = "kept with its page" },
  { table = "wagtailsearch_*", why = "goes with what it indexes" },
]

[[rule]]
name  = "sessions"
data  = "site.django_session"
keep  = "at most 1 day"
after = "expire_date"

[[rule]]
name  = "admin-log"
data  = "site.django_admin_log"
keep  = "1 year"
after = "action_time"

[[rule]]
name     = "revisions"
data     = "site.wagtailcore_revision"
keep     = "2 years"
after    = "created_at"
unless   = [
  { table = "wagtailcore_page", on = "live_revision_id = id" },
  { table = "wagtailcore_page", on = "latest_revision_id = id" },
]
set-null = [{ table = "wagtailcore_pagelogentry", column = "revision_id", on = "revision_id = id" }]

[[rule]]
name  = "page-log"
data  = "site.wagtailcore_pagelogentry"
keep  = "3 years"
after = "timestamp"

[[rule]]
name     = "users"
data     = "site.auth_user"
keep     = "at most 3 years"
after    = { latest = ["date_joined", { column = "last_login", optional = true }] }
when     = "is_superuser = 0 and is_staff = 0"
set-null = [
  { table = "wagtailcore_page", column = "owner_id" },
  { table = "wagtailcore_page", column = "locked_by_id" },
  { table = "wagtailcore_revision", column = "user_id" },
  { table = "wagtailcore_pagelogentry", column = "user_id", on = "user_id = id" },
]
with     = [
  { table = "auth_user_groups" },
  { table = "auth_user_user_permissions" },
  { table = "wagtailusers_userprofile", with = [{ files = "media", column = "avatar" }] },
  { table = "django_admin_log" },
]
"#;

const SCHEMA: &str = r#"
    CREATE TABLE "django_content_type" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app_label" varchar(100) NOT NULL,
        "model" varchar(100) NOT NULL);
    CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL);
    CREATE TABLE "auth_group" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(150) NOT NULL UNIQUE);
    CREATE TABLE "auth_permission" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "codename" varchar(100) NOT NULL,
        "content_type_id" integer NOT NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE "auth_user" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "password" varchar(128) NOT NULL,
        "last_login" datetime NULL, "is_superuser" bool NOT NULL, "username" varchar(150) NOT NULL UNIQUE,
        "email" varchar(254) NOT NULL, "is_staff" bool NOT NULL, "is_active" bool NOT NULL, "date_joined" datetime NOT NULL);
    CREATE TABLE "auth_user_groups" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
        "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED,
        "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED);
    CREATE UNIQUE INDEX "auth_user_groups_user_id_group_id_uniq" ON "auth_user_groups" ("user_id", "group_id");
    CREATE TABLE "auth_user_user_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
        "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED,
        "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE "wagtailusers_userprofile" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "avatar" varchar(100) NOT NULL,
        "user_id" integer NOT NULL UNIQUE REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, "session_data" text NOT NULL,
        "expire_date" datetime NOT NULL);
    CREATE INDEX "django_session_expire_date" ON "django_session" ("expire_date");
    CREATE TABLE "django_admin_log" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "object_id" text NULL,
        "object_repr" varchar(200) NOT NULL, "action_flag" smallint unsigned NOT NULL CHECK ("action_flag" >= 0),
        "content_type_id" integer NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED,
        "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "action_time" datetime NOT NULL);
    CREATE INDEX "django_admin_log_user_id" ON "django_admin_log" ("user_id");
    CREATE TABLE "wagtailcore_revision" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "created_at" datetime NOT NULL,
        "object_id" varchar(255) NOT NULL, "content" text NOT NULL CHECK ((JSON_VALID("content") OR "content" IS NULL)),
        "content_type_id" integer NOT NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED,
        "user_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED);
    CREATE INDEX "wagtailcore_revision_user_id" ON "wagtailcore_revision" ("user_id");
    CREATE TABLE "wagtailcore_page" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "path" varchar(255) NOT NULL UNIQUE COLLATE BINARY,
        "depth" integer unsigned NOT NULL CHECK ("depth" >= 0), "title" varchar(255) NOT NULL, "live" bool NOT NULL,
        "owner_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED,
        "locked_by_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED,
        "live_revision_id" integer NULL REFERENCES "wagtailcore_revision" ("id") DEFERRABLE INITIALLY DEFERRED,
        "latest_revision_id" integer NULL REFERENCES "wagtailcore_revision" ("id") DEFERRABLE INITIALLY DEFERRED,
        "alias_of_id" integer NULL REFERENCES "wagtailcore_page" ("id") DEFERRABLE INITIALLY DEFERRED);
    CREATE INDEX "wagtailcore_page_owner_id" ON "wagtailcore_page" ("owner_id");
    CREATE INDEX "wagtailcore_page_live_revision_id" ON "wagtailcore_page" ("live_revision_id");
    CREATE TABLE "wagtailcore_pagelogentry" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "label" text NOT NULL,
        "action" varchar(255) NOT NULL, "timestamp" datetime NOT NULL, "page_id" integer NOT NULL, "user_id" integer NULL,
        "revision_id" integer NULL, "uuid" char(32) NULL);
    CREATE INDEX "wagtailcore_pagelogentry_timestamp" ON "wagtailcore_pagelogentry" ("timestamp");
    CREATE TABLE "wagtailcore_comment" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "text" text NOT NULL,
        "page_id" integer NOT NULL REFERENCES "wagtailcore_page" ("id") DEFERRABLE INITIALLY DEFERRED,
        "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE "wagtailsearch_indexentry" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "object_id" varchar(50) NOT NULL,
        "content_type_id" integer NOT NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED,
        "title" text NOT NULL, "body" text NOT NULL);
    CREATE VIRTUAL TABLE "wagtailsearch_indexentry_fts" USING fts5 ("title", "body", content="wagtailsearch_indexentry", content_rowid="id");
    CREATE TRIGGER "insert_wagtailsearch_indexentry_fts" AFTER INSERT ON "wagtailsearch_indexentry" BEGIN
        INSERT INTO "wagtailsearch_indexentry_fts" (title, body, rowid) VALUES (NEW.title, NEW.body, NEW.id); END;
    CREATE TRIGGER "delete_wagtailsearch_indexentry_fts" AFTER DELETE ON "wagtailsearch_indexentry" BEGIN
        INSERT INTO "wagtailsearch_indexentry_fts" ("wagtailsearch_indexentry_fts", rowid, title, body)
        VALUES ('delete', OLD.id, OLD.title, OLD.body); END;
    INSERT INTO "django_content_type" VALUES (1, 'wagtailcore', 'page'), (2, 'auth', 'user');
    INSERT INTO "auth_group" VALUES (1, 'Editors'); INSERT INTO "auth_permission" VALUES (1, 'add_page', 1);
"#;

/// Number, joined, last login, whether staff. At most three years of 21 November 2023 in Copenhagen end today.
const USERS: [(i64, &str, Option<&str>, bool); 8] = [
    (1, "2020-01-01 10:00:00.123456", Some("2020-01-01 10:00:00.123456"), true),
    (2, "2020-01-01 10:00:00", Some("2023-11-21 22:59:59.999999"), false),
    (3, "2020-01-01 10:00:00", Some("2023-11-21 23:00:00"), false),
    (4, "2020-01-01 10:00:00", None, false),
    (5, "2020-01-01 10:00:00", None, false),
    (6, "2025-01-01 10:00:00", None, false),
    (7, "2020-01-01 10:00:00", None, false),
    (8, "2020-01-01 10:00:00+02:00", None, false),
];

/// Number, when, object, whose. Two years of 20 November 2024 end with 20 November 2026.
const REVISIONS: [(i64, &str, &str, Option<i64>); 8] = [
    (1, "2024-11-20 22:59:59.999999", "1", Some(2)),
    (2, "2024-11-20 23:00:00", "1", Some(2)),
    (3, "2020-01-01 10:00:00", "1", Some(1)),
    (4, "2020-01-01 10:00:00", "2", Some(4)),
    (5, "2020-01-01 10:00:00", "2", None),
    (6, "2020-01-01 10:00:00", "auth", Some(3)),
    (7, "2026-11-20 10:00:00", "2", Some(5)),
    (8, "2090-01-01 10:00:00", "2", Some(6)),
];

/// Number, path, owner, who locked it, the live and the latest revision.
type Page = (i64, &'static str, Option<i64>, Option<i64>, Option<i64>, Option<i64>);
const PAGES: [Page; 4] = [
    (1, "0001", Some(1), None, Some(3), Some(2)),
    (2, "00010001", Some(2), Some(4), Some(8), Some(8)),
    (3, "00010002", Some(4), None, None, Some(5)),
    (4, "00010003", Some(3), None, None, None),
];

/// Number, when, whose. A year of 20 November 2025.
const LOG: [(i64, &str, i64); 6] = [
    (1, "2025-11-20 22:59:59", 1),
    (2, "2025-11-20 23:00:00", 1),
    (3, "2020-01-01 10:00:00", 2),
    (4, "2026-11-01 10:00:00", 5),
    (5, "2020-01-01 10:00:00", 8),
    (6, "1899-12-30 00:00:00", 1),
];

/// Number, when, whose, of which revision. Three years of 20 November 2023.
const PAGE_LOG: [(i64, &str, Option<i64>, Option<i64>); 6] = [
    (1, "2023-11-20 22:59:59", Some(2), Some(3)),
    (2, "2023-11-20 23:00:00", Some(2), Some(1)),
    (3, "2026-01-01 10:00:00", Some(4), Some(4)),
    (4, "2026-01-01 10:00:00", Some(3), Some(7)),
    (5, "2020-01-01 10:00:00", None, Some(6)),
    (6, "2026-01-01 10:00:00", Some(99), Some(99)),
];

const SESSIONS: [(&str, &str); 4] = [
    ("a", "2026-11-20 22:59:59.999999"),
    ("b", "2026-11-20 23:00:00"),
    ("c", "2026-12-05 10:00:00"),
    ("d", "2020-01-01 10:00:00"),
];

/// Some have none, and 2 and 3 the same.
fn avatar(user: i64) -> String {
    match user {
        4 | 6 => String::new(),
        3 => "avatar_images/2.jpg".to_owned(),
        _ => format!("avatar_images/{user}.jpg"),
    }
}

fn fill(database: &Connection) {
    for (id, joined, login, staff) in USERS {
        let sql = "INSERT INTO auth_user VALUES (?1, '!', ?3, 0, 'u' || ?1, '', ?4, 1, ?2)";
        database.execute(sql, (id, joined, login, staff)).unwrap();
        database.execute("INSERT INTO auth_user_groups (user_id, group_id) VALUES (?1, 1)", [id]).unwrap();
        let sql = "INSERT INTO wagtailusers_userprofile (avatar, user_id) VALUES (?2, ?1)";
        database.execute(sql, (id, avatar(id))).unwrap();
    }
    database.execute("INSERT INTO auth_user_user_permissions VALUES (1, 4, 1), (2, 3, 1)", []).unwrap();
    for (id, at, object, user) in REVISIONS {
        let sql = "INSERT INTO wagtailcore_revision VALUES (?1, ?2, ?3, '{}', 1, ?4)";
        database.execute(sql, (id, at, object, user)).unwrap();
    }
    for (id, path, owner, locked, live, latest) in PAGES {
        let sql = "INSERT INTO wagtailcore_page VALUES (?1, ?2, 1, 'T', 1, ?3, ?4, ?5, ?6, NULL)";
        database.execute(sql, (id, path, owner, locked, live, latest)).unwrap();
        database
            .execute("INSERT INTO wagtailsearch_indexentry VALUES (?1, ?1, 1, 'title', 'body')", [id])
            .unwrap();
    }
    for (id, at, user) in LOG {
        let sql = "INSERT INTO django_admin_log VALUES (?1, '1', 'page', 2, 1, ?3, ?2)";
        database.execute(sql, (id, at, user)).unwrap();
    }
    for (id, at, user, revision) in PAGE_LOG {
        let sql = "INSERT INTO wagtailcore_pagelogentry VALUES (?1, 'page', 'edit', ?2, 1, ?3, ?4, NULL)";
        database.execute(sql, (id, at, user, revision)).unwrap();
    }
    for (key, at) in SESSIONS {
        database.execute("INSERT INTO django_session VALUES (?1, 'x', ?2)", (key, at)).unwrap();
    }
    // What user 7 wrote stays, and nobody but the ORM knows that it may not lose its author.
    database.execute("INSERT INTO wagtailcore_comment VALUES (1, 'why?', 1, 7)", []).unwrap();
}

#[test]
fn users_go_and_what_only_the_orm_would_empty_lets_go_of_them() {
    let program = Program::new(POLICY);
    let database = program.database("db.sqlite3", SCHEMA);
    fill(&database);
    for user in [1, 2, 5, 7, 8] {
        program.write(&format!("media/avatar_images/{user}.jpg"), "a picture");
    }
    let rows = |due| Counts { due, ..Counts::default() };
    // Users 2, 4, 5, 7 and 8 are past their time. A log entry in its period keeps 5, and a comment keeps 7.
    let users = Counts {
        due: 3,
        blocked: 2,
        // Pages 2 and 3 lose their owners, page 2 who locked it; revision 2 its author, for 1 and 4 go; entry 2 and 3.
        released: 2 + 1 + 1 + 2,
        // Group and profile of each, and a permission. What 2 and 8 did is past its time itself.
        along: 2 * 3 + 1,
        // The picture of 8, for the one of 2 is that of 3 as well.
        files: 1,
        ..Counts::default()
    };
    // 3 is live and 5 is the latest one of a page; 1, 4 and 6 go, and two entries that stay name 1 and 4.
    let revisions = Counts { due: 3, released: 2, ..Counts::default() };
    let admin_log = Counts { due: 3, unreadable: 1, ..Counts::default() };
    program.hold_to(
        &["unreadable"],
        &[
            ("sessions", rows(2)),
            ("admin-log", admin_log),
            ("revisions", revisions),
            ("page-log", rows(2)),
            ("users", users),
        ],
    );
    assert_eq!(numbers(&database, "SELECT id FROM auth_user ORDER BY 1"), [1, 3, 5, 6, 7]);
    assert_eq!(texts(&database, "SELECT session_key FROM django_session ORDER BY 1"), ["b", "c"]);
    assert_eq!(numbers(&database, "SELECT id FROM django_admin_log ORDER BY 1"), [2, 4, 6]);
    assert_eq!(numbers(&database, "SELECT id FROM wagtailcore_revision ORDER BY 1"), [2, 3, 5, 7, 8]);
    assert_eq!(
        numbers(&database, "SELECT ifnull(user_id, 0) FROM wagtailcore_revision ORDER BY id"),
        [0, 1, 0, 5, 6]
    );
    assert_eq!(numbers(&database, "SELECT id FROM wagtailcore_pagelogentry ORDER BY 1"), [2, 3, 4, 6]);
    assert_eq!(
        numbers(&database, "SELECT ifnull(user_id, 0) FROM wagtailcore_pagelogentry ORDER BY id"),
        [0, 0, 3, 99]
    );
    assert_eq!(
        numbers(&database, "SELECT ifnull(revision_id, 0) FROM wagtailcore_pagelogentry ORDER BY id"),
        [0, 0, 7, 99]
    );
    assert_eq!(
        numbers(&database, "SELECT ifnull(owner_id, 0) FROM wagtailcore_page ORDER BY id"),
        [1, 0, 0, 3]
    );
    assert_eq!(
        numbers(&database, "SELECT count(*) FROM wagtailcore_page WHERE locked_by_id IS NOT NULL"),
        [0]
    );
    for table in ["auth_user_groups", "wagtailusers_userprofile"] {
        assert_eq!(
            numbers(&database, &format!("SELECT user_id FROM {table} ORDER BY 1")),
            [1, 3, 5, 6, 7],
            "{table}"
        );
    }
    assert_eq!(numbers(&database, "SELECT user_id FROM auth_user_user_permissions"), [3]);
    let mut pictures: Vec<_> = std::fs::read_dir(program.path("media/avatar_images"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    pictures.sort();
    assert_eq!(pictures, ["1.jpg", "2.jpg", "5.jpg", "7.jpg"]);
    database
        .execute_batch("INSERT INTO wagtailsearch_indexentry_fts (wagtailsearch_indexentry_fts) VALUES ('integrity-check')")
        .unwrap();
    assert_sound(&database);
}

/// A searchable page goes, and its words with it: the index is told by a trigger, the entry names its page by type
/// and text.
#[test]
fn an_index_entry_goes_with_the_page_that_it_names_by_a_text() {
    let policy = r#"
[source.site]
sqlite = "db.sqlite3"
ignore = [{ table = "*", why = "only drafts go here" }]

[[rule]]
name  = "drafts"
data  = "site.wagtailcore_page"
keep  = "1 year"
after = "title"
when  = "live = 0"
with  = [{ table = "wagtailsearch_indexentry", on = "object_id = id", where = "content_type_id = 1" }]
"#;
    let program = Program::new(policy);
    let database = program.database("db.sqlite3", SCHEMA);
    for (id, title, live) in
        [(1, "2020-01-01", 0), (2, "2020-01-01", 1), (3, "2025-11-20", 0), (4, "2025-11-21", 0)]
    {
        let sql = "INSERT INTO wagtailcore_page VALUES (?1, ?1, 1, ?2, ?3, NULL, NULL, NULL, NULL, NULL)";
        database.execute(sql, (id, title, live)).unwrap();
        let sql = "INSERT INTO wagtailsearch_indexentry VALUES (?1, ?3, ?2, 'page' || ?1, 'secret')";
        database.execute(sql, (id, 1, id.to_string())).unwrap();
        // Another object with the same key.
        database.execute(sql, (id + 10, 2, id.to_string())).unwrap();
    }
    program.hold_to(&[], &[("drafts", Counts { due: 2, along: 2, ..Counts::default() })]);
    assert_eq!(numbers(&database, "SELECT id FROM wagtailcore_page ORDER BY 1"), [2, 4]);
    let left = [2, 4, 11, 12, 13, 14];
    assert_eq!(numbers(&database, "SELECT id FROM wagtailsearch_indexentry ORDER BY 1"), left);
    let found = "SELECT rowid FROM wagtailsearch_indexentry_fts WHERE wagtailsearch_indexentry_fts MATCH 'secret' ORDER BY 1";
    assert_eq!(numbers(&database, found), left);
    database
        .execute_batch("INSERT INTO wagtailsearch_indexentry_fts (wagtailsearch_indexentry_fts) VALUES ('integrity-check')")
        .unwrap();
    assert_sound(&database);
}
