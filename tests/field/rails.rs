//! A Rails application: rows that name any other by a kind and a number, blobs that attachments share, versions of
//! what is gone, and keys that cascade.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::support::{Counts, Program, assert_sound, numbers};

const POLICY: &str = r#"
[source.app]
sqlite = "storage/production.sqlite3"
ignore = [
  { table = "ar_internal_metadata", why = "no personal data" },
  { table = "schema_migrations", why = "no personal data" },
  { table = "active_storage_*", why = "goes with what it is attached to" },
  { table = "posts", why = "goes with its author" },
  { table = "comments", why = "goes with its post" },
  { table = "posts_fts", why = "goes with its post" },
]

[[rule]]
name  = "users"
data  = "app.users"
keep  = "at most 30 days"
after = "discarded_at"
with  = [
  { table = "active_storage_attachments", on = "record_id = id", where = "record_type = 'User'", with = [
    { table = "active_storage_blobs", on = "id = blob_id", with = [{ table = "active_storage_variant_records", on = "blob_id = id" }] },
  ] },
  { table = "posts", with = [
    { table = "comments", on = "post_id = id" },
    { table = "active_storage_attachments", on = "record_id = id", where = "record_type = 'Post'", with = [
      { table = "active_storage_blobs", on = "id = blob_id", with = [{ table = "active_storage_variant_records", on = "blob_id = id" }] },
    ] },
  ] },
  { table = "versions", on = "item_id = id", where = "item_type = 'User'" },
]

[[rule]]
name  = "versions"
data  = "app.versions"
keep  = "1 year"
after = "created_at"
when  = "item_type <> 'User'"
"#;

const SCHEMA: &str = r#"
    PRAGMA foreign_keys = ON;
    CREATE TABLE "ar_internal_metadata" ("key" varchar NOT NULL PRIMARY KEY, "value" varchar, "created_at" datetime(6) NOT NULL);
    CREATE TABLE "schema_migrations" ("version" varchar NOT NULL PRIMARY KEY);
    CREATE TABLE "users" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "email" varchar NOT NULL, "discarded_at" datetime(6),
        "created_at" datetime(6) NOT NULL, "comments_count" integer DEFAULT 0 NOT NULL);
    CREATE UNIQUE INDEX "index_users_on_email" ON "users" ("email");
    CREATE TABLE "posts" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "user_id" integer NOT NULL, "title" varchar, "body" text,
        "created_at" datetime(6) NOT NULL,
        CONSTRAINT "fk_rails_5b5ddfd518" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE);
    CREATE INDEX "index_posts_on_user_id" ON "posts" ("user_id");
    CREATE TABLE "comments" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "post_id" integer NOT NULL, "user_id" integer,
        "body" text, "created_at" datetime(6) NOT NULL,
        CONSTRAINT "fk_rails_2fd19c0db7" FOREIGN KEY ("post_id") REFERENCES "posts" ("id") ON DELETE CASCADE,
        CONSTRAINT "fk_rails_03de2dc08c" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE SET NULL);
    CREATE INDEX "index_comments_on_post_id" ON "comments" ("post_id");
    CREATE INDEX "index_comments_on_user_id" ON "comments" ("user_id");
    CREATE TABLE "active_storage_blobs" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "key" varchar NOT NULL, "filename" varchar NOT NULL,
        "metadata" text, "byte_size" bigint NOT NULL, "created_at" datetime(6) NOT NULL);
    CREATE UNIQUE INDEX "index_active_storage_blobs_on_key" ON "active_storage_blobs" ("key");
    CREATE TABLE "active_storage_attachments" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "name" varchar NOT NULL,
        "record_type" varchar NOT NULL, "record_id" bigint NOT NULL, "blob_id" bigint NOT NULL, "created_at" datetime(6) NOT NULL,
        CONSTRAINT "fk_rails_c3b3935057" FOREIGN KEY ("blob_id") REFERENCES "active_storage_blobs" ("id"));
    CREATE INDEX "index_active_storage_attachments_on_blob_id" ON "active_storage_attachments" ("blob_id");
    CREATE UNIQUE INDEX "index_active_storage_attachments_uniqueness" ON "active_storage_attachments" ("record_type", "record_id", "name", "blob_id");
    CREATE TABLE "active_storage_variant_records" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "blob_id" bigint NOT NULL,
        "variation_digest" varchar NOT NULL,
        CONSTRAINT "fk_rails_993965df05" FOREIGN KEY ("blob_id") REFERENCES "active_storage_blobs" ("id"));
    CREATE UNIQUE INDEX "index_active_storage_variant_records_uniqueness" ON "active_storage_variant_records" ("blob_id", "variation_digest");
    CREATE TABLE "versions" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "item_type" varchar NOT NULL, "item_id" bigint NOT NULL,
        "event" varchar NOT NULL, "whodunnit" varchar, "object" text(1073741823), "created_at" datetime(6));
    CREATE INDEX "index_versions_on_item_type_and_item_id" ON "versions" ("item_type", "item_id");
    CREATE VIRTUAL TABLE posts_fts USING fts5 (title, body, content = 'posts', content_rowid = 'id');
    CREATE TRIGGER posts_ai AFTER INSERT ON posts BEGIN
        INSERT INTO posts_fts (rowid, title, body) VALUES (new.id, new.title, new.body); END;
    CREATE TRIGGER posts_ad AFTER DELETE ON posts BEGIN
        INSERT INTO posts_fts (posts_fts, rowid, title, body) VALUES ('delete', old.id, old.title, old.body); END;
    INSERT INTO "ar_internal_metadata" VALUES ('environment', 'production', '2020-01-01 10:00:00.000000');
    INSERT INTO "schema_migrations" VALUES ('20200101100000');
"#;

/// Number and since when no user any more. At most 30 days of 22 October in summer time end today.
const USERS: [(i64, Option<&str>); 6] = [
    (1, None),
    (2, Some("2026-10-22 21:59:59.999999")),
    (3, Some("2026-10-22 22:00:00.000000")),
    (4, Some("2020-01-01 10:00:00.000000")),
    (5, Some("")),
    (6, Some("2090-01-01 10:00:00.000000")),
];

const GONE: [i64; 2] = [2, 4];

/// Number and author.
const POSTS: [(i64, i64); 6] = [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 6)];

/// Number, post and author.
const COMMENTS: [(i64, i64, Option<i64>); 8] = [
    (1, 1, Some(1)),
    (2, 1, Some(2)),
    (3, 2, Some(1)),
    (4, 2, Some(4)),
    (5, 3, None),
    (6, 4, Some(6)),
    (7, 4, Some(4)),
    (8, 6, Some(2)),
];

/// Number, kind and number of what it is attached to, blob. Two kinds have the same numbers.
const ATTACHMENTS: [(i64, &str, i64, i64); 9] = [
    (1, "User", 1, 1),
    (2, "User", 2, 2),
    (3, "Post", 2, 3),
    (4, "Post", 4, 4),
    (5, "Post", 5, 3),
    (6, "User", 4, 4),
    (7, "Post", 3, 5),
    (8, "ActiveStorage::VariantRecord", 2, 6),
    (9, "User", 3, 5),
];

/// Number, kind, number, when.
const VERSIONS: [(i64, &str, i64, Option<&str>); 8] = [
    (1, "User", 2, Some("2026-11-01 10:00:00.000000")),
    (2, "User", 1, Some("2020-01-01 10:00:00.000000")),
    (3, "User", 4, None),
    (4, "Post", 2, Some("2025-11-20 22:59:59.999999")),
    (5, "Post", 2, Some("2025-11-20 23:00:00.000000")),
    (6, "Comment", 4, Some("2020-01-01 10:00:00")),
    (7, "Comment", 4, None),
    (8, "Post", 99, Some("2020-02-30 10:00:00")),
];

fn fill(database: &Connection) {
    for (id, discarded) in USERS {
        let sql = "INSERT INTO users VALUES (?1, 'u' || ?1, ?2, '2019-01-01 10:00:00.000000', 0)";
        database.execute(sql, (id, discarded)).unwrap();
    }
    for (id, user) in POSTS {
        database
            .execute("INSERT INTO posts VALUES (?1, ?2, 'title', 'secret words', '2019-01-01')", (id, user))
            .unwrap();
    }
    for (id, post, user) in COMMENTS {
        database
            .execute("INSERT INTO comments VALUES (?1, ?2, ?3, 'yes', '2019-01-01')", (id, post, user))
            .unwrap();
    }
    for blob in 1..=6 {
        database
            .execute(
                "INSERT INTO active_storage_blobs VALUES (?1, 'k' || ?1, 'f', '', 1, '2019-01-01')",
                [blob],
            )
            .unwrap();
        database
            .execute("INSERT INTO active_storage_variant_records VALUES (?1 + 10, ?1, 'd')", [blob])
            .unwrap();
    }
    for (id, kind, record, blob) in ATTACHMENTS {
        let sql = "INSERT INTO active_storage_attachments VALUES (?1, 'picture', ?2, ?3, ?4, '2019-01-01')";
        database.execute(sql, (id, kind, record, blob)).unwrap();
    }
    for (id, kind, item, at) in VERSIONS {
        let sql = "INSERT INTO versions VALUES (?1, ?2, ?3, 'update', '1', '{}', ?4)";
        database.execute(sql, (id, kind, item, at)).unwrap();
    }
}

#[test]
fn users_go_with_what_names_them_by_kind_and_number() {
    let program = Program::new(POLICY);
    std::fs::create_dir(program.path("storage")).unwrap();
    let database = program.database("storage/production.sqlite3", SCHEMA);
    fill(&database);
    let posts: BTreeSet<i64> =
        POSTS.iter().filter(|(_, user)| GONE.contains(user)).map(|(id, _)| *id).collect();
    // A comment cannot stay without its post. One on the post of somebody else does, and loses who wrote it.
    let comments: BTreeSet<i64> =
        COMMENTS.iter().filter(|(_, post, _)| posts.contains(post)).map(|(id, ..)| *id).collect();
    let is_gone = |kind: &str, record: i64| match kind {
        "User" => GONE.contains(&record),
        "Post" => posts.contains(&record),
        _ => false,
    };
    let attachments: BTreeSet<i64> = ATTACHMENTS
        .iter()
        .filter(|(_, kind, record, _)| is_gone(kind, *record))
        .map(|(id, ..)| *id)
        .collect();
    let blobs_of = |gone: bool| -> BTreeSet<i64> {
        ATTACHMENTS
            .iter()
            .filter(|(id, ..)| attachments.contains(id) == gone)
            .map(|(.., blob)| *blob)
            .collect()
    };
    let blobs: BTreeSet<i64> = blobs_of(true).difference(&blobs_of(false)).copied().collect();
    assert_eq!([posts.len(), comments.len(), attachments.len(), blobs.len()], [3, 3, 5, 2], "some of each");
    // Two versions of users, whatever their times; and a blob has a variant.
    let along = posts.len() + comments.len() + attachments.len() + 2 * blobs.len() + 2;
    let users = Counts { due: 2, along: along as u64, ..Counts::default() };
    let versions = Counts { due: 2, unreadable: 1, ..Counts::default() };
    program.hold_to(&["unreadable"], &[("users", users), ("versions", versions)]);
    let left = |table: &str| numbers(&database, &format!("SELECT id FROM {table} ORDER BY 1"));
    let without = |last: i64, gone: &BTreeSet<i64>| -> Vec<i64> {
        (1..=last).filter(|id| !gone.contains(id)).collect()
    };
    assert_eq!(left("users"), without(6, &GONE.into()));
    assert_eq!(left("posts"), without(6, &posts));
    assert_eq!(left("comments"), without(8, &comments));
    let authors = COMMENTS.iter().filter(|(id, ..)| !comments.contains(id));
    let authors = authors.map(|(.., user)| user.filter(|user| !GONE.contains(user)).unwrap_or_default());
    let sql = "SELECT ifnull(user_id, 0) FROM comments ORDER BY id";
    assert_eq!(numbers(&database, sql), authors.collect::<Vec<_>>());
    assert_eq!(left("active_storage_attachments"), without(9, &attachments));
    assert_eq!(left("active_storage_blobs"), without(6, &blobs));
    let variants: Vec<i64> = without(6, &blobs).iter().map(|blob| blob + 10).collect();
    assert_eq!(left("active_storage_variant_records"), variants);
    assert_eq!(left("versions"), [2, 5, 7, 8]);
    let found = "SELECT rowid FROM posts_fts WHERE posts_fts MATCH 'secret' ORDER BY 1";
    assert_eq!(numbers(&database, found), without(6, &posts));
    database.execute_batch("INSERT INTO posts_fts (posts_fts) VALUES ('integrity-check')").unwrap();
    assert_sound(&database);
}
