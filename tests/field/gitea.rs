//! Gitea: times as whole seconds in which 0 is none, and not one foreign key.

use std::collections::BTreeSet;

use crate::support::{Counts, Program, assert_sound, numbers, texts, unix};

const POLICY: &str = r#"
[source.gitea]
sqlite  = "gitea.db"
formats = { created_unix = "unix", updated_unix = "unix", deleted_unix = "unix", expires_unix = "unix", last_login_unix = "unix" }
empty   = "0"
ignore  = [
  { table = "repository", why = "kept as long as its owner wants" },
  { table = "issue*", why = "kept with its repository" },
  { table = "version", why = "no personal data" },
  { table = "email_address", why = "goes with its user" },
  { table = "public_key", why = "goes with its user" },
]

[[rule]]
name  = "actions"
data  = "gitea.action"
keep  = "1 year"
after = "created_unix"

[[rule]]
name  = "notifications"
data  = "gitea.notification"
keep  = "3 months"
after = "updated_unix"
when  = "status = 2"            # read; 1 is unread and 3 is pinned

[[rule]]
name  = "tokens"
data  = "gitea.access_token"
keep  = "6 months"
after = { latest = ["created_unix", { column = "updated_unix", optional = true }] }

[[rule]]
name  = "sessions"
data  = "gitea.session"
keep  = "72 hours"
after = "expiry"

[[rule]]
name   = "accounts"
data   = "gitea.user"
keep   = "at most 2 years"
after  = { latest = ["created_unix", { column = "last_login_unix", optional = true }] }
when   = "type = 0 and is_admin = 0"
unless = [
  { table = "repository", on = "owner_id = id" },
  { table = "issue", on = "poster_id = id", where = "is_closed = 0" },
]
set-null = [
  { table = "comment", column = "poster_id", on = "poster_id = id" },
  { table = "follow", column = "follow_id", on = "follow_id = id" },
]
with   = [
  { table = "email_address", on = "uid = id" },
  { table = "public_key", on = "owner_id = id" },
  { table = "notification", on = "user_id = id" },
  { table = "access_token", on = "uid = id" },
  { table = "action", on = "user_id = id" },
  { table = "follow", on = "user_id = id" },
  { table = "star", on = "uid = id" },
]

[source.gitea.table.session]
formats = { expiry = "unix" }
key     = "key"
"#;

const SCHEMA: &str = "
    CREATE TABLE `user` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `lower_name` TEXT NOT NULL, `name` TEXT NOT NULL,
        `type` INTEGER NULL, `is_admin` INTEGER NULL, `created_unix` INTEGER NULL, `updated_unix` INTEGER NULL,
        `last_login_unix` INTEGER NULL, `num_followers` INTEGER NULL, `num_stars` INTEGER NULL);
    CREATE UNIQUE INDEX `UQE_user_lower_name` ON `user` (`lower_name`);
    CREATE INDEX `IDX_user_created_unix` ON `user` (`created_unix`);
    CREATE INDEX `IDX_user_last_login_unix` ON `user` (`last_login_unix`);
    CREATE TABLE `email_address` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `uid` INTEGER NOT NULL, `email` TEXT NOT NULL);
    CREATE INDEX `IDX_email_address_uid` ON `email_address` (`uid`);
    CREATE TABLE `public_key` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `owner_id` INTEGER NOT NULL, `content` TEXT,
        `created_unix` INTEGER NULL);
    CREATE INDEX `IDX_public_key_owner_id` ON `public_key` (`owner_id`);
    CREATE TABLE `access_token` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `uid` INTEGER NULL, `name` TEXT NULL,
        `token_hash` TEXT NULL, `created_unix` INTEGER NULL, `updated_unix` INTEGER NULL);
    CREATE INDEX `IDX_access_token_uid` ON `access_token` (`uid`);
    CREATE UNIQUE INDEX `UQE_access_token_token_hash` ON `access_token` (`token_hash`);
    CREATE INDEX `IDX_access_token_created_unix` ON `access_token` (`created_unix`);
    CREATE TABLE `action` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `user_id` INTEGER NULL, `op_type` INTEGER NULL,
        `act_user_id` INTEGER NULL, `repo_id` INTEGER NULL, `comment_id` INTEGER NULL, `is_deleted` INTEGER DEFAULT 0 NOT NULL,
        `content` TEXT NULL, `created_unix` INTEGER NULL);
    CREATE INDEX `IDX_action_c_u` ON `action` (`user_id`, `is_deleted`);
    CREATE INDEX `IDX_action_r_u_d` ON `action` (`repo_id`, `user_id`, `is_deleted`);
    CREATE TABLE `notification` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `user_id` INTEGER NOT NULL, `repo_id` INTEGER NOT NULL,
        `status` INTEGER NOT NULL, `source` INTEGER NOT NULL, `created_unix` INTEGER NOT NULL, `updated_unix` INTEGER NOT NULL);
    CREATE INDEX `IDX_notification_u_s_uu` ON `notification` (`user_id`, `status`, `updated_unix`);
    CREATE TABLE `session` (`key` TEXT PRIMARY KEY NOT NULL, `data` BLOB NULL, `expiry` INTEGER NULL);
    CREATE TABLE `repository` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `owner_id` INTEGER NULL, `name` TEXT NOT NULL);
    CREATE INDEX `IDX_repository_owner_id` ON `repository` (`owner_id`);
    CREATE TABLE `issue` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `repo_id` INTEGER NULL, `poster_id` INTEGER NULL,
        `is_closed` INTEGER NULL);
    CREATE INDEX `IDX_issue_poster_id` ON `issue` (`poster_id`);
    CREATE TABLE `comment` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `issue_id` INTEGER NULL, `poster_id` INTEGER NULL,
        `content` TEXT NULL);
    CREATE INDEX `IDX_comment_poster_id` ON `comment` (`poster_id`);
    CREATE TABLE `follow` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `user_id` INTEGER NULL, `follow_id` INTEGER NULL);
    CREATE UNIQUE INDEX `UQE_follow_follow` ON `follow` (`user_id`, `follow_id`);
    CREATE TABLE `star` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `uid` INTEGER NULL, `repo_id` INTEGER NULL);
    CREATE UNIQUE INDEX `UQE_star_s` ON `star` (`uid`, `repo_id`);
    CREATE TABLE `version` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `version` INTEGER NULL);
    INSERT INTO `version` VALUES (1, 299);
    INSERT INTO `repository` VALUES (1, 3, 'website');
    INSERT INTO `issue` VALUES (1, 1, 4, 0), (2, 1, 5, 1), (3, 1, 1, 1);
    INSERT INTO `comment` VALUES (1, 1, 1, 'a'), (2, 1, 6, 'b'), (3, 2, 4, 'c'), (4, 3, 2, 'd');
    INSERT INTO `follow` VALUES (1, 1, 2), (2, 2, 1), (3, 3, 4), (4, 5, 6), (5, 6, 3);
    INSERT INTO `star` VALUES (1, 1, 1), (2, 6, 1), (3, 4, 1);
    INSERT INTO `email_address` VALUES (1, 1, 'a@example.org'), (2, 2, 'b@example.org'), (3, 5, 'c@example.org'), (4, 5, 'd@example.org');
    INSERT INTO `public_key` VALUES (1, 5, 'ssh-ed25519 AAAA', 1), (2, 6, 'ssh-ed25519 BBBB', 1);
";

/// The tables that need no rule are found by a pattern: all but one of them go with an account.
const MORE_IGNORED: &str = "  { table = \"comment\", why = \"kept with its repository\" },
  { table = \"follow\", why = \"goes with its user\" },
  { table = \"star\", why = \"goes with its user\" },
]
";

/// Number, created, last login, kind, whether an administrator.
type User = (i64, &'static str, Option<&'static str>, i64, i64);

/// At most two years end with the start of 21 November 2026 for what was on the 21st of 2024, in Copenhagen.
const USERS: [User; 9] = [
    (1, "2020-01-01 10:00:00", Some("2024-11-21 22:59:59"), 0, 0),
    (2, "2020-01-01 10:00:00", Some("2024-11-21 23:00:00"), 0, 0),
    // Owns a repository; has an open issue; has a closed one.
    (3, "2020-01-01 10:00:00", None, 0, 0),
    (4, "2020-01-01 10:00:00", None, 0, 0),
    (5, "2020-01-01 10:00:00", None, 0, 0),
    // Never logged in, and a month too young for that to count.
    (6, "2024-12-01 10:00:00", None, 0, 0),
    // An administrator, an organisation, and somebody whom an import gave no time.
    (7, "2020-01-01 10:00:00", None, 0, 1),
    (8, "2020-01-01 10:00:00", None, 1, 0),
    (9, "1970-01-01 00:00:00", None, 0, 0),
];

/// By the list above: the first one's period is over, and the fifth's.
const GONE: [i64; 2] = [1, 5];

/// Number, user, time, status.
const NOTIFICATIONS: [(i64, i64, &str, i64); 8] = [
    (1, 2, "2026-08-20 21:59:59", 2),
    (2, 2, "2026-08-20 22:00:00", 2),
    (3, 2, "2020-01-01 00:00:00", 1),
    (4, 2, "2020-01-01 00:00:00", 3),
    (5, 1, "2020-01-01 00:00:00", 2),
    (6, 1, "2020-01-01 00:00:00", 1),
    (7, 3, "1970-01-01 00:00:00", 2),
    (8, 3, "2090-01-01 00:00:00", 2),
];

/// Number, user, created, last used.
const TOKENS: [(i64, i64, &str, &str); 6] = [
    (1, 2, "2020-01-01 00:00:00", "2026-05-20 21:59:59"),
    (2, 2, "2020-01-01 00:00:00", "2026-05-20 22:00:00"),
    (3, 2, "2020-01-01 00:00:00", "1970-01-01 00:00:00"),
    (4, 2, "2026-11-01 00:00:00", "1970-01-01 00:00:00"),
    (5, 5, "2020-01-01 00:00:00", "2020-01-01 00:00:00"),
    (6, 3, "1970-01-01 00:00:00", "2020-01-01 00:00:00"),
];

/// Number, whose feed, time.
const ACTIONS: [(i64, i64, &str); 6] = [
    (1, 2, "2025-11-20 22:59:59"),
    (2, 2, "2025-11-20 23:00:00"),
    (3, 5, "2020-01-01 00:00:00"),
    (4, 7, "1970-01-01 00:00:00"),
    (5, 7, "1970-01-01 00:00:01"),
    (6, 8, "2090-01-01 00:00:00"),
];

const SESSIONS: [(&str, &str); 4] = [
    ("s1", "2026-11-18 12:00:00"),
    ("s2", "2026-11-18 12:00:01"),
    ("s3", "1970-01-01 00:00:00"),
    ("it's \"4\"", "2020-01-01 00:00:00"),
];

fn fill(database: &rusqlite::Connection) {
    for (id, created, login, kind, admin) in USERS {
        let sql = "INSERT INTO `user` (`id`, `lower_name`, `name`, `type`, `is_admin`, `created_unix`, `last_login_unix`)
                   VALUES (?1, 'u' || ?1, 'U' || ?1, ?4, ?5, ?2, ?3)";
        database.execute(sql, (id, unix(created), login.map_or(0, unix), kind, admin)).unwrap();
    }
    for (id, user, at, status) in NOTIFICATIONS {
        let sql = "INSERT INTO `notification` VALUES (?1, ?2, 1, ?4, 1, 1, ?3)";
        database.execute(sql, (id, user, unix(at), status)).unwrap();
    }
    for (id, user, created, used) in TOKENS {
        let sql = "INSERT INTO `access_token` VALUES (?1, ?2, 'ci', 'hash' || ?1, ?3, ?4)";
        database.execute(sql, (id, user, unix(created), unix(used))).unwrap();
    }
    for (id, user, at) in ACTIONS {
        let sql = "INSERT INTO `action` (`id`, `user_id`, `op_type`, `created_unix`) VALUES (?1, ?2, 1, ?3)";
        database.execute(sql, (id, user, unix(at))).unwrap();
    }
    for (key, at) in SESSIONS {
        database.execute("INSERT INTO `session` VALUES (?1, x'00', ?2)", (key, unix(at))).unwrap();
    }
}

#[test]
fn accounts_go_with_what_only_columns_say_is_theirs() {
    let program = Program::new(&POLICY.replacen("]\n\n[[rule]]", &format!("{MORE_IGNORED}\n[[rule]]"), 1));
    let database = program.database("gitea.db", SCHEMA);
    fill(&database);
    // The first account has a notification that nobody read. It is no record of any rule, and goes along.
    let rows = |due| Counts { due, ..Counts::default() };
    let accounts = Counts {
        due: 2,
        // A comment of the first one, and who follows it.
        released: 2,
        // Whom the first one follows, its star, mail and unread notification; whom the fifth one follows, its two
        // mails and key.
        along: 4 + 4,
        ..Counts::default()
    };
    program.hold_to(
        &[],
        &[
            ("actions", rows(3)),
            ("notifications", rows(2)),
            ("tokens", rows(3)),
            ("sessions", rows(2)),
            ("accounts", accounts),
        ],
    );
    let left: Vec<i64> = USERS.iter().map(|user| user.0).filter(|id| !GONE.contains(id)).collect();
    assert_eq!(numbers(&database, "SELECT id FROM user ORDER BY 1"), left);
    assert_eq!(numbers(&database, "SELECT id FROM action ORDER BY 1"), [2, 4, 6]);
    assert_eq!(numbers(&database, "SELECT id FROM notification ORDER BY 1"), [2, 3, 4, 7, 8]);
    assert_eq!(numbers(&database, "SELECT id FROM access_token ORDER BY 1"), [2, 4, 6]);
    assert_eq!(texts(&database, "SELECT key FROM session ORDER BY 1"), ["s2", "s3"]);
    assert_eq!(numbers(&database, "SELECT id FROM email_address ORDER BY 1"), [2]);
    assert_eq!(numbers(&database, "SELECT id FROM public_key ORDER BY 1"), [2]);
    assert_eq!(numbers(&database, "SELECT id FROM follow ORDER BY 1"), [2, 3, 5]);
    assert_eq!(numbers(&database, "SELECT ifnull(follow_id, 0) FROM follow ORDER BY id"), [0, 4, 3]);
    assert_eq!(numbers(&database, "SELECT id FROM star ORDER BY 1"), [2, 3]);
    assert_eq!(numbers(&database, "SELECT ifnull(poster_id, 0) FROM comment ORDER BY id"), [0, 6, 4, 2]);
    // Nothing that the program joins leads nowhere, but the closed issues that it shows as a ghost's.
    let users: BTreeSet<i64> = left.into_iter().collect();
    for (table, column) in
        [("follow", "user_id"), ("star", "uid"), ("access_token", "uid"), ("email_address", "uid")]
    {
        let sql = format!("SELECT {column} FROM {table}");
        assert!(numbers(&database, &sql).iter().all(|id| users.contains(id)), "{table}.{column}");
    }
    assert_sound(&database);
}
