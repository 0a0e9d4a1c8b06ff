//! WordPress on SQLite: dates as text with a zero date for none, revisions and comments that name their parents,
//! and no key that says so.

use crate::support::{Counts, Program, assert_sound, numbers};

const POLICY: &str = r#"
[source.wp]
sqlite  = "database/.ht.sqlite"
empty   = "0000-00-00 00:00:00"
ignore  = [
  { table = "wp_term*", why = "no personal data" },
  { table = "wp_options", why = "no personal data" },
  { table = "wp_users", why = "kept while they work here" },
  { table = "wp_*meta", why = "goes with what it is about" },
  { table = "_mysql_data_types_cache", why = "no personal data" },
]

[[rule]]
name  = "revisions"
data  = "wp.wp_posts"
keep  = "6 months"
after = "post_modified_gmt"
when  = "post_type = 'revision'"
with  = [{ table = "wp_postmeta", on = "post_id = ID" }]

[[rule]]
name  = "trash"
data  = "wp.wp_posts"
keep  = "at most 30 days"
after = "post_modified_gmt"
when  = "post_status = 'trash' and post_type <> 'revision'"
with  = [
  { table = "wp_postmeta", on = "post_id = ID" },
  { table = "wp_comments", on = "comment_post_ID = ID", with = [{ table = "wp_commentmeta", on = "comment_id = comment_ID" }] },
  { table = "wp_term_relationships", on = "object_id = ID" },
]

[[rule]]
name  = "spam"
data  = "wp.wp_comments"
keep  = "at most 15 days"
after = "comment_date_gmt"
when  = "comment_approved in ('spam', 'trash')"
with  = [{ table = "wp_commentmeta", on = "comment_id = comment_ID" }]

[[rule]]
name  = "addresses-of-comments"
data  = "wp.wp_comments"
keep  = "1 year"
after = "comment_date_gmt"
when  = "comment_approved = '1'"
then  = "anonymise"
set   = { comment_author_IP = "remove", comment_author_email = "remove", comment_agent = "remove" }
"#;

const SCHEMA: &str = "
    CREATE TABLE wp_posts (ID integer NOT NULL PRIMARY KEY AUTOINCREMENT, post_author integer NOT NULL DEFAULT 0,
        post_date text NOT NULL DEFAULT '0000-00-00 00:00:00', post_date_gmt text NOT NULL DEFAULT '0000-00-00 00:00:00',
        post_content text NOT NULL COLLATE NOCASE, post_title text NOT NULL COLLATE NOCASE,
        post_status text NOT NULL DEFAULT 'publish' COLLATE NOCASE, post_name text NOT NULL DEFAULT '' COLLATE NOCASE,
        post_modified text NOT NULL DEFAULT '0000-00-00 00:00:00', post_modified_gmt text NOT NULL DEFAULT '0000-00-00 00:00:00',
        post_parent integer NOT NULL DEFAULT 0, post_type text NOT NULL DEFAULT 'post' COLLATE NOCASE,
        comment_count integer NOT NULL DEFAULT 0);
    CREATE INDEX wp_posts__post_name ON wp_posts (post_name);
    CREATE INDEX wp_posts__type_status_date ON wp_posts (post_type, post_status, post_date, ID);
    CREATE INDEX wp_posts__post_parent ON wp_posts (post_parent);
    CREATE TABLE wp_postmeta (meta_id integer NOT NULL PRIMARY KEY AUTOINCREMENT, post_id integer NOT NULL DEFAULT 0,
        meta_key text DEFAULT NULL COLLATE NOCASE, meta_value text COLLATE NOCASE);
    CREATE INDEX wp_postmeta__post_id ON wp_postmeta (post_id);
    CREATE TABLE wp_comments (comment_ID integer NOT NULL PRIMARY KEY AUTOINCREMENT, comment_post_ID integer NOT NULL DEFAULT 0,
        comment_author text NOT NULL COLLATE NOCASE, comment_author_email text NOT NULL DEFAULT '' COLLATE NOCASE,
        comment_author_IP text NOT NULL DEFAULT '' COLLATE NOCASE, comment_date text NOT NULL DEFAULT '0000-00-00 00:00:00',
        comment_date_gmt text NOT NULL DEFAULT '0000-00-00 00:00:00', comment_content text NOT NULL COLLATE NOCASE,
        comment_approved text NOT NULL DEFAULT '1' COLLATE NOCASE, comment_agent text NOT NULL DEFAULT '' COLLATE NOCASE,
        comment_parent integer NOT NULL DEFAULT 0, user_id integer NOT NULL DEFAULT 0);
    CREATE INDEX wp_comments__comment_post_ID ON wp_comments (comment_post_ID);
    CREATE INDEX wp_comments__comment_parent ON wp_comments (comment_parent);
    CREATE TABLE wp_commentmeta (meta_id integer NOT NULL PRIMARY KEY AUTOINCREMENT, comment_id integer NOT NULL DEFAULT 0,
        meta_key text DEFAULT NULL COLLATE NOCASE, meta_value text COLLATE NOCASE);
    CREATE INDEX wp_commentmeta__comment_id ON wp_commentmeta (comment_id);
    CREATE TABLE wp_term_relationships (object_id integer NOT NULL DEFAULT 0, term_taxonomy_id integer NOT NULL DEFAULT 0,
        term_order integer NOT NULL DEFAULT 0, PRIMARY KEY (object_id, term_taxonomy_id));
    CREATE TABLE wp_terms (term_id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name text NOT NULL DEFAULT '' COLLATE NOCASE);
    CREATE TABLE wp_options (option_id integer NOT NULL PRIMARY KEY AUTOINCREMENT, option_name text NOT NULL DEFAULT '' COLLATE NOCASE);
    CREATE TABLE wp_users (ID integer NOT NULL PRIMARY KEY AUTOINCREMENT, user_login text NOT NULL DEFAULT '' COLLATE NOCASE);
    CREATE TABLE wp_usermeta (umeta_id integer NOT NULL PRIMARY KEY AUTOINCREMENT, user_id integer NOT NULL DEFAULT 0);
    CREATE TABLE _mysql_data_types_cache (`table` TEXT NOT NULL, `column_or_index` TEXT NOT NULL, `mysql_type` TEXT NOT NULL,
        PRIMARY KEY (`table`, `column_or_index`));
    INSERT INTO wp_users VALUES (1, 'ida'); INSERT INTO wp_usermeta VALUES (1, 1);
    INSERT INTO wp_options VALUES (1, 'siteurl'); INSERT INTO wp_terms VALUES (1, 'News');
";

/// Number, kind, status, parent, modified.
const POSTS: [(i64, &str, &str, i64, &str); 11] = [
    (1, "post", "publish", 0, "2020-01-01 10:00:00"),
    // Six months of 20 May in Copenhagen end with 20 November.
    (2, "revision", "inherit", 1, "2026-05-20 21:59:59"),
    (3, "revision", "inherit", 1, "2026-05-20 22:00:00"),
    (4, "revision", "inherit", 1, "0000-00-00 00:00:00"),
    // What is moved to the bin goes on the 30th day.
    (5, "post", "trash", 0, "2026-10-22 21:59:59"),
    (6, "page", "trash", 0, "2026-10-22 22:00:00"),
    (7, "revision", "inherit", 5, "2026-11-01 10:00:00"),
    (8, "post", "draft", 0, "0000-00-00 00:00:00"),
    (9, "post", "trash", 0, "yesterday"),
    (10, "post", "trash", 0, "2020-01-01 10:00:00"),
    (11, "revision", "inherit", 10, "2090-01-01 10:00:00"),
];

/// Number, post, what became of it, its parent, when.
const COMMENTS: [(i64, i64, &str, i64, &str); 11] = [
    (1, 1, "1", 0, "2025-11-20 22:59:59"),
    (2, 1, "1", 1, "2025-11-20 23:00:00"),
    (3, 1, "spam", 0, "2026-11-06 22:59:59"),
    (4, 1, "spam", 0, "2026-11-06 23:00:00"),
    (5, 1, "trash", 3, "2020-01-01 10:00:00"),
    (6, 1, "0", 0, "2020-01-01 10:00:00"),
    (7, 1, "1", 3, "2020-01-01 10:00:00"),
    (8, 5, "post-trashed", 0, "2020-01-01 10:00:00"),
    (9, 10, "spam", 0, "2026-11-20 10:00:00"),
    (10, 1, "spam", 0, "0000-00-00 00:00:00"),
    (11, 5, "post-trashed", 8, "2020-01-01 10:00:00"),
];

fn fill(database: &rusqlite::Connection) {
    for (id, kind, status, parent, modified) in POSTS {
        let sql = "INSERT INTO wp_posts (ID, post_content, post_title, post_type, post_status, post_parent, post_modified_gmt)
                   VALUES (?1, 'text', 'title', ?2, ?3, ?4, ?5)";
        database.execute(sql, (id, kind, status, parent, modified)).unwrap();
        database
            .execute("INSERT INTO wp_postmeta (post_id, meta_key) VALUES (?1, 'a'), (?1, 'b')", [id])
            .unwrap();
        database.execute("INSERT INTO wp_term_relationships VALUES (?1, 1, 0)", [id]).unwrap();
    }
    for (id, post, approved, parent, at) in COMMENTS {
        let sql = "INSERT INTO wp_comments (comment_ID, comment_post_ID, comment_author, comment_author_email,
                       comment_author_IP, comment_date_gmt, comment_content, comment_approved, comment_agent, comment_parent)
                   VALUES (?1, ?2, 'Ida', 'ida@example.org', '192.0.2.1', ?5, 'hello', ?3, 'Mozilla', ?4)";
        database.execute(sql, (id, post, approved, parent, at)).unwrap();
        database
            .execute("INSERT INTO wp_commentmeta (comment_id, meta_key) VALUES (?1, 'rating')", [id])
            .unwrap();
    }
}

#[test]
fn revisions_bin_and_spam_go_and_comments_lose_where_they_came_from() {
    let program = Program::new(POLICY);
    std::fs::create_dir(program.path("database")).unwrap();
    let database = program.database("database/.ht.sqlite", SCHEMA);
    fill(&database);
    let revisions = Counts { due: 1, along: 2, ..Counts::default() };
    // Post 5 is past its time, and so are 8 and 11 under it, which no rule keeps; post 10 waits for a comment that is
    // younger spam; nobody knows when post 9 was thrown away.
    let trash = Counts { due: 1, blocked: 1, unreadable: 1, along: 2 + 2 + 2 + 1, ..Counts::default() };
    let spam = Counts { due: 2, along: 2, ..Counts::default() };
    // Comments 1 and 7.
    let addresses = Counts { due: 2, ..Counts::default() };
    program.hold_to(
        &["unreadable"],
        &[("revisions", revisions), ("trash", trash), ("spam", spam), ("addresses-of-comments", addresses)],
    );
    assert_eq!(numbers(&database, "SELECT ID FROM wp_posts ORDER BY 1"), [1, 3, 4, 6, 7, 8, 9, 10, 11]);
    assert_eq!(numbers(&database, "SELECT comment_ID FROM wp_comments ORDER BY 1"), [1, 2, 4, 6, 7, 9, 10]);
    let nameless = "SELECT comment_ID FROM wp_comments
                    WHERE comment_author_IP = '' AND comment_author_email = '' AND comment_agent = '' ORDER BY 1";
    assert_eq!(numbers(&database, nameless), [1, 7]);
    let whole =
        "SELECT count(*) FROM wp_comments WHERE comment_author_IP <> '' AND comment_author_email <> ''";
    assert_eq!(numbers(&database, whole), [5], "the other five");
    assert_eq!(
        numbers(&database, "SELECT DISTINCT post_id FROM wp_postmeta ORDER BY 1"),
        [1, 3, 4, 6, 7, 8, 9, 10, 11]
    );
    assert_eq!(
        numbers(&database, "SELECT comment_id FROM wp_commentmeta ORDER BY 1"),
        [1, 2, 4, 6, 7, 9, 10]
    );
    assert_eq!(
        numbers(&database, "SELECT object_id FROM wp_term_relationships ORDER BY 1"),
        [1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
    );
    assert_sound(&database);
}
