//! `with`: what belongs to a record goes with it, or the record stays. Files go only after the rows that
//! named them, and are never forgotten in between.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use rusqlite::Connection;
use serde_json::json;

use super::g05_kills::{kill, kills, wait_for_batches};
use super::support::{
    COMING, OLD, PURGE, Place, REPORT, Random, SOURCE, WITHOUT_LIMIT, accounted, assert_integrity, count,
    open, rule,
};

const NOW: &str = "2026-11-21T12:00:00Z";

/// Customers, their users, and what these wrote and sent.
const TABLES: &str = "CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT);
    CREATE TABLE users (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers (id), avatar TEXT);
    CREATE TABLE messages (id INTEGER PRIMARY KEY, sender INTEGER REFERENCES users (id), kind TEXT, at TEXT);
    CREATE TABLE pictures (id INTEGER PRIMARY KEY, message INTEGER REFERENCES messages (id), path TEXT);
    CREATE INDEX by_customer ON users (customer); CREATE INDEX by_sender ON messages (sender);
    CREATE INDEX by_message ON pictures (message); CREATE INDEX by_path ON pictures (path);
    CREATE INDEX by_avatar ON users (avatar);";

const AVATAR: &str = "{ files = \"uploads\", column = \"avatar\" }";
const WITH: &str = "with = [{ table = \"users\", on = \"customer = id\", with = [
    { files = \"uploads\", column = \"avatar\" },
    { table = \"messages\", with = [{ table = \"pictures\", with = [{ files = \"uploads\", column = \"path\" }] }] },
] }]\n";

fn place(with: &str, more: &str, sql: &str) -> (Place, Connection) {
    let place = Place::in_memory();
    let customers = rule("customers", "customers");
    place.write_policy(&format!("{WITHOUT_LIMIT}{SOURCE}{customers}{with}{more}"));
    let connection = place.database(&format!("PRAGMA journal_mode = WAL; {TABLES}{sql}"));
    fs::create_dir(place.path("uploads")).unwrap();
    (place, connection)
}

fn files(place: &Place) -> Vec<String> {
    let names = fs::read_dir(place.path("uploads")).unwrap();
    let mut names: Vec<String> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn write_files(place: &Place, names: &[&str]) {
    names.iter().for_each(|name| fs::write(place.path("uploads").join(name), name).unwrap());
}

fn ids(connection: &Connection, table: &str) -> Vec<i64> {
    let mut statement = connection.prepare(&format!("SELECT id FROM {table} ORDER BY id")).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn all_that_belongs_to_a_record_goes_with_it_and_nothing_else() {
    let sql = format!(
        "INSERT INTO customers VALUES (1, '{OLD}'), (2, '{COMING}');
         INSERT INTO users VALUES (1, 1, 'a.png'), (2, 1, 'shared.png'), (3, 2, 'shared.png'), (4, 2, 'd.png');
         INSERT INTO messages VALUES (1, 1, 'x', NULL), (2, 2, 'x', NULL), (3, 3, 'x', NULL);
         INSERT INTO pictures VALUES (1, 1, 'p1'), (2, 1, 'p2'), (3, 3, 'p3'), (4, 2, NULL), (5, 2, 'missing');"
    );
    let (place, connection) = place(WITH, "", &sql);
    write_files(&place, &["a.png", "shared.png", "d.png", "p1", "p2", "p3", "beside"]);
    let purge = place.purge().expect(0);
    assert_eq!([&purge.rule("customers")["deleted"], &purge.rule("customers")["survivors"]], [1, 0]);
    // Two users, two messages, four pictures, and the files a.png, p1 and p2.
    assert_eq!(purge.rule("customers")["taken_along"], 11);
    assert_eq!(ids(&connection, "customers"), [2]);
    assert_eq!(ids(&connection, "users"), [3, 4]);
    assert_eq!(ids(&connection, "messages"), [3]);
    assert_eq!(ids(&connection, "pictures"), [3]);
    assert_eq!(files(&place), ["beside", "d.png", "p3", "shared.png"]);
    assert!(!place.state().join("removals.json").exists());
    assert_integrity(&connection);
    place.assert_ledger_is_whole();
}

#[test]
fn what_a_rule_of_its_own_keeps_blocks_the_record() {
    let own = rule("messages", "messages");
    let sql = format!(
        "INSERT INTO customers VALUES (1, '{OLD}'), (2, '{OLD}'), (3, '{OLD}');
         INSERT INTO users VALUES (1, 1, NULL), (2, 2, NULL), (3, 3, NULL);
         INSERT INTO messages VALUES (1, 1, 'x', '{COMING}'), (2, 2, 'x', '{OLD}'), (3, 3, 'x', 'nonsense');"
    );
    let (place, connection) = place(WITH, &own, &sql);
    let report = place.frist(&REPORT).expect(3);
    assert_eq!([&report.rule("customers")["due"], &report.rule("customers")["blocked"]], [1, 2]);
    let words = "2 by rows of `messages` that go along with it and that rule `messages` keeps";
    assert!(report.out.contains(words), "{report:?}");
    assert_eq!(place.purge().expect(3).rule("customers")["deleted"], 1);
    assert_eq!(ids(&connection, "customers"), [1, 3]);
    assert_eq!(ids(&connection, "users"), [1, 3]);
    assert_eq!(ids(&connection, "messages"), [1, 3]);
}

/// A row that stays refers to one that would go along: not by `with`, but by a foreign key.
#[test]
fn what_others_refer_to_blocks_the_record() {
    let sql = format!(
        "CREATE TABLE likes (id INTEGER PRIMARY KEY, message REFERENCES messages (id) ON DELETE CASCADE);
         INSERT INTO customers VALUES (1, '{OLD}'), (2, '{OLD}'); INSERT INTO users VALUES (1, 1, NULL), (2, 2, NULL);
         INSERT INTO messages VALUES (1, 1, 'x', NULL), (2, 2, 'x', NULL); INSERT INTO likes VALUES (7, 2);"
    );
    let (place, connection) = place(WITH, "", &sql);
    let report = place.frist(&REPORT).expect(0);
    assert_eq!([&report.rule("customers")["due"], &report.rule("customers")["blocked"]], [1, 1]);
    let words = "1 by rows of `likes` that no rule deletes (foreign key likes.message → messages.id)";
    assert!(report.out.contains(words), "{report:?}");
    assert_eq!(place.purge().expect(0).rule("customers")["deleted"], 1);
    assert_eq!(
        [ids(&connection, "customers"), ids(&connection, "messages"), ids(&connection, "likes")],
        [[2], [2], [7]]
    );
}

/// Only what surely is meant goes along.
#[test]
fn a_condition_leaves_rows_where_they_are() {
    let with = "with = [{ table = \"users\", on = \"customer = id\", where = \"avatar like 'a%'\" }]\n";
    let sql = format!(
        "DROP TABLE users; CREATE TABLE users (id INTEGER PRIMARY KEY, customer INTEGER, avatar TEXT);
         INSERT INTO customers VALUES (1, '{OLD}');
         INSERT INTO users VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 1, NULL), (4, 9, 'a');"
    );
    let (place, connection) = place(with, "", &sql);
    assert_eq!(place.purge().expect(0).rule("customers")["taken_along"], 1);
    assert_eq!(ids(&connection, "users"), [2, 3, 4]);
}

#[test]
fn a_row_that_a_kept_record_names_too_stays_until_the_last_one_goes() {
    let tables = "DROP TABLE customers; CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT, address INTEGER);
        CREATE INDEX by_address ON customers (address); CREATE TABLE addresses (id INTEGER PRIMARY KEY, street);
        INSERT INTO addresses VALUES (1, 'a'), (2, 'b'), (3, 'c');";
    let sql = format!(
        "{tables} INSERT INTO customers VALUES (1, '{OLD}', 1), (2, '{COMING}', 1), (3, '{OLD}', 2), (4, '{OLD}', 2),
         (5, '{COMING}', 3);"
    );
    let with = "with = [{ table = \"addresses\", on = \"id = address\" }]\n";
    let (place, connection) = place(with, "", &sql);
    let purge = place.purge().expect(0);
    assert_eq!([&purge.rule("customers")["deleted"], &purge.rule("customers")["taken_along"]], [3, 1]);
    assert_eq!(ids(&connection, "addresses"), [1, 3]);
    connection.execute(&format!("UPDATE customers SET at = '{OLD}' WHERE id = 2"), []).unwrap();
    assert_eq!(place.purge().expect(0).rule("customers")["taken_along"], 1);
    assert_eq!(ids(&connection, "addresses"), [3]);
}

/// More records than one transaction takes, with few rows among them.
#[test]
fn rows_that_many_records_share_go_with_the_last_of_them() {
    let tables = "DROP TABLE customers; CREATE TABLE addresses (id INTEGER PRIMARY KEY, street);
        CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT, address INTEGER REFERENCES addresses (id));
        CREATE INDEX by_address ON customers (address); INSERT INTO addresses VALUES (0, 'a'), (1, 'b'), (2, 'c'), (3, 'd');";
    let sql = format!(
        "{tables} WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO customers SELECT i, iif(i = 2999, '{COMING}', '{OLD}'), i % 3 FROM n;"
    );
    let (place, connection) = place("with = [{ table = \"addresses\", on = \"id = address\" }]\n", "", &sql);
    let report = place.frist(&REPORT).expect(0);
    assert_eq!(report.rule("customers")["along"], json!([{ "table": "addresses", "rows": 2 }]));
    let purge = place.purge().expect(0);
    assert_eq!([&purge.rule("customers")["deleted"], &purge.rule("customers")["taken_along"]], [2999, 2]);
    assert_eq!(ids(&connection, "addresses"), [2, 3], "nobody led to the last one");
    assert!(place.ledger().iter().filter(|entry| entry["event"] == "batch").count() > 3);
    assert_integrity(&connection);
}

/// What a purge did, and in how many transactions.
fn purged(place: &Place) -> (serde_json::Value, usize) {
    let purge = place.purge().expect(0);
    let batches = place.ledger().iter().filter(|entry| entry["event"] == "batch").count();
    (purge.rule("customers"), batches)
}

/// Everybody wrote to somebody: all of it is looked at for each of them, and must not be for each again.
#[test]
fn records_that_all_lead_to_each_other_go_in_a_few_portions() {
    let tables = "DROP TABLE messages; CREATE TABLE messages (id INTEGER PRIMARY KEY,
         sender INTEGER REFERENCES customers (id), recipient INTEGER REFERENCES customers (id));
        CREATE INDEX senders ON messages (sender); CREATE INDEX recipients ON messages (recipient);";
    let numbers = |rows: u32| {
        format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})")
    };
    let sql = format!(
        "{tables} {} INSERT INTO customers SELECT i, iif(i = 7, '{COMING}', '{OLD}') FROM n;
         {} INSERT INTO messages SELECT i, i * 7919 % 800 + 1, i * 104729 % 800 + 1 FROM n;",
        numbers(800),
        numbers(6000)
    );
    let with = "with = [{ table = \"messages\", on = \"sender = id\" }, { table = \"messages\", on = \"recipient = id\" }]\n";
    let (place, connection) = place(with, "", &sql);
    assert_eq!(place.frist(&REPORT).expect(0).rule("customers")["due"], 799);
    let (customers, batches) = purged(&place);
    assert_eq!([&customers["deleted"], &customers["survivors"]], [799, 0]);
    assert!(batches < 60, "{batches} batches");
    assert_eq!(ids(&connection, "customers"), [7]);
    let others = "messages WHERE sender <> 7 OR recipient <> 7";
    assert_eq!(count(&connection, others), 0);
    assert_integrity(&connection);
}

/// An album of many photos belongs to somebody: none of the three only waits for the others.
#[test]
fn rows_that_many_share_and_that_take_others_along_go_in_a_few_portions() {
    let tables = "DROP TABLE customers; DROP TABLE users; CREATE TABLE owners (id INTEGER PRIMARY KEY);
        CREATE TABLE albums (id INTEGER PRIMARY KEY, owner INTEGER); CREATE INDEX by_owner ON albums (owner);
        CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT, album INTEGER); CREATE INDEX by_album ON customers (album);
        INSERT INTO owners VALUES (1), (2); INSERT INTO albums VALUES (1, 1), (2, 1), (3, 2);";
    let sql = format!(
        "{tables} WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
         INSERT INTO customers SELECT i, iif(i = 4000, '{COMING}', '{OLD}'), i % 3 + 1 FROM n;"
    );
    let with = "with = [{ table = \"albums\", on = \"id = album\", with = [{ table = \"owners\", on = \"id = owner\" }] }]\n";
    let (place, connection) = place(with, "", &sql);
    let (customers, batches) = purged(&place);
    assert_eq!([&customers["deleted"], &customers["taken_along"]], [8999, 3]);
    assert!(batches < 60, "{batches} batches");
    assert_eq!([ids(&connection, "albums"), ids(&connection, "owners")], [[2], [1]]);
}

/// Files are remembered until the rows are gone that named them: that is not to take ever more memory.
#[test]
fn a_purge_that_is_alone_removes_files_before_it_remembers_very_many() {
    let users = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)";
    let sql = format!(
        "{users} INSERT INTO customers SELECT i, '{OLD}' FROM n; {users} INSERT INTO users SELECT i, i, i || '.png' FROM n;"
    );
    let (place, connection) = place(
        &format!("with = [{{ table = \"users\", on = \"customer = id\", with = [{AVATAR}] }}]\n"),
        "",
        &sql,
    );
    drop(connection);
    (1..=12_000).for_each(|user| fs::write(place.path("uploads").join(format!("{user}.png")), "").unwrap());
    let (customers, batches) = purged(&place);
    assert_eq!([&customers["deleted"], &customers["taken_along"]], [12_000, 24_000]);
    assert!((2..10).contains(&batches), "{batches} batches");
    assert!(files(&place).is_empty());
}

/// So many rows in one transaction would keep another program waiting.
#[test]
fn what_belongs_together_and_is_very_much_waits_until_nobody_else_is_there() {
    let sql = format!(
        "PRAGMA journal_mode = WAL; INSERT INTO customers VALUES (1, '{OLD}'), (2, '{OLD}');
         INSERT INTO users VALUES (1, 1, NULL), (2, 2, NULL);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 11000)
         INSERT INTO messages SELECT i, 1, 'x', NULL FROM n;"
    );
    let (place, connection) = place(WITH, "", &sql);
    connection.query_row("SELECT count(*) FROM customers", [], |_| Ok(())).unwrap();
    let purge = place.purge().expect(3);
    assert_eq!(purge.problems("customers"), ["constraint"], "{purge:?}");
    assert!(purge.out.contains("id 1 (11002 rows go with it in one transaction"), "{purge:?}");
    assert_eq!([&purge.rule("customers")["deleted"], &purge.rule("customers")["survivors"]], [1, 1]);
    drop(connection);
    assert_eq!(place.purge().expect(0).rule("customers")["deleted"], 1);
}

/// The refusal of one takes with it what went before it in the same transaction; that goes all the same.
#[test]
fn a_refusal_that_undoes_the_whole_transaction_keeps_no_other_from_going() {
    let sql = format!(
        "CREATE TRIGGER kept BEFORE DELETE ON customers WHEN old.id % 7 = 3
         BEGIN SELECT RAISE(ROLLBACK, 'it must stay'); END;
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30)
         INSERT INTO customers SELECT i, '{OLD}' FROM n; INSERT INTO users SELECT id, id, NULL FROM customers;"
    );
    let (place, connection) = place(WITH, "", &sql);
    let purge = place.purge().expect(3);
    assert_eq!([&purge.rule("customers")["deleted"], &purge.rule("customers")["survivors"]], [26, 4]);
    assert!(purge.out.contains("id 3 (it must stay)"), "{purge:?}");
    assert_eq!(
        [ids(&connection, "customers"), ids(&connection, "users")],
        [[3, 10, 17, 24], [3, 10, 17, 24]]
    );
    place.assert_ledger_is_whole();
}

/// Each of the records sees that the other one keeps the address; together they keep nothing.
#[test]
fn what_a_row_that_stays_refers_to_does_not_go_with_the_last_of_those_that_share_it() {
    for action in ["", "ON DELETE CASCADE"] {
        let sql = format!(
            "DROP TABLE customers; CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT, address INTEGER);
             CREATE TABLE addresses (id INTEGER PRIMARY KEY, street);
             CREATE TABLE visits (address REFERENCES addresses (id) {action}); INSERT INTO addresses VALUES (1, 'a');
             INSERT INTO customers VALUES (1, '{OLD}', 1), (2, '{OLD}', 1); INSERT INTO visits VALUES (1);"
        );
        let (place, connection) =
            place("with = [{ table = \"addresses\", on = \"id = address\" }]\n", "", &sql);
        let report = place.frist(&REPORT).expect(0);
        assert_eq!([&report.rule("customers")["due"], &report.rule("customers")["blocked"]], [0, 2]);
        let warning = report.rule("customers")["warning"]["message"].as_str().unwrap().to_string();
        let words = "2 by rows of `visits` that no rule deletes (foreign key visits.address → addresses.id)";
        assert!(warning.contains(words), "{warning}");
        assert_eq!(place.purge().expect(0).rule("customers")["deleted"], 0);
        assert_eq!(
            [count(&connection, "customers"), count(&connection, "addresses"), count(&connection, "visits")],
            [2, 1, 1]
        );
        // That the address stays for the sake of a customer that stays as well changes nothing.
        connection.execute(&format!("INSERT INTO customers VALUES (3, '{COMING}', 1)"), []).unwrap();
        assert_eq!(place.purge().expect(0).rule("customers")["deleted"], 0);
        connection.execute("DELETE FROM visits", []).unwrap();
        assert_eq!(place.purge().expect(0).rule("customers")["deleted"], 2);
        assert_eq!([count(&connection, "customers"), count(&connection, "addresses")], [1, 1]);
    }
}

/// The same further down.
#[test]
fn what_a_row_that_stays_refers_to_does_not_go_with_the_last_of_the_rows_that_share_it() {
    let sql = format!(
        "DROP TABLE users; CREATE TABLE users (id INTEGER PRIMARY KEY, customer_id INTEGER, address INTEGER);
         CREATE TABLE addresses (id INTEGER PRIMARY KEY, street);
         CREATE TABLE visits (address REFERENCES addresses (id)); INSERT INTO addresses VALUES (1, 'a');
         INSERT INTO customers VALUES (1, '{OLD}'); INSERT INTO users VALUES (1, 1, 1), (2, 1, 1);
         INSERT INTO visits VALUES (1);"
    );
    let with = "with = [{ table = \"users\", on = \"customer_id = id\", \
                with = [{ table = \"addresses\", on = \"id = address\" }] }]\n";
    let (place, connection) = place(with, "", &sql);
    let report = place.frist(&REPORT).expect(0);
    assert_eq!([&report.rule("customers")["due"], &report.rule("customers")["blocked"]], [0, 1]);
    assert!(report.out.contains("1 by rows of `visits` that no rule deletes"), "{report:?}");
    assert_eq!(place.purge().expect(0).rule("customers")["deleted"], 0);
    assert_eq!(
        [count(&connection, "customers"), count(&connection, "users"), count(&connection, "addresses")],
        [1, 2, 1]
    );
}

/// A message between two users of one customer stands at two places, and is one row.
#[test]
fn a_report_says_how_many_rows_of_which_tables_would_go_along() {
    let sql = format!(
        "CREATE TABLE talks (id INTEGER PRIMARY KEY, caller INTEGER, called INTEGER);
         INSERT INTO customers VALUES (1, '{OLD}'), (2, '{OLD}'), (3, '{COMING}');
         INSERT INTO users VALUES (1, 1, NULL), (2, 1, NULL), (3, 2, NULL), (4, 3, NULL);
         INSERT INTO talks VALUES (1, 1, 2), (2, 2, 1), (3, 3, 1), (4, 4, 4);"
    );
    let talks = |column: &str| format!("{{ table = \"talks\", on = \"{column} = id\" }}");
    let with = format!(
        "with = [{{ table = \"users\", on = \"customer = id\", with = [{}, {}] }}]\n",
        talks("caller"),
        talks("called")
    );
    let (place, connection) = place(&with, "", &sql);
    let report = place.frist(&REPORT).expect(0);
    let along = serde_json::json!([{ "table": "users", "rows": 3 }, { "table": "talks", "rows": 3 }]);
    assert_eq!(report.rule("customers")["along"], along);
    assert_eq!(place.purge().expect(0).rule("customers")["taken_along"], 6);
    assert_eq!((ids(&connection, "users"), ids(&connection, "talks")), (vec![4], vec![4]));
}

#[test]
fn a_name_that_leaves_the_folder_blocks_the_record_and_no_link_is_followed() {
    for name in ["../outside", "/etc/hostname", "a/../../outside", ".", ""] {
        let sql =
            format!("INSERT INTO customers VALUES (1, '{OLD}'); INSERT INTO users VALUES (1, 1, '{name}');");
        let (place, connection) = place(WITH, "", &sql);
        fs::write(place.path("outside"), "x").unwrap();
        let purge = place.purge().expect(0);
        let goes = name.is_empty();
        assert_eq!(purge.rule("customers")["deleted"], u64::from(goes), "{name:?}");
        assert_eq!(count(&connection, "users"), u64::from(!goes));
        assert!(place.path("outside").exists());
    }
    let sql = format!(
        "INSERT INTO customers VALUES (1, '{OLD}'); INSERT INTO users VALUES (1, 1, 'link/f'), (2, 1, 'to-file');"
    );
    let (place, connection) = place(WITH, "", &sql);
    fs::create_dir(place.path("elsewhere")).unwrap();
    fs::write(place.path("elsewhere/f"), "x").unwrap();
    symlink(place.path("elsewhere"), place.path("uploads/link")).unwrap();
    symlink(place.path("elsewhere/f"), place.path("uploads/to-file")).unwrap();
    let blocked = place.purge().expect(0);
    assert_eq!(blocked.rule("customers")["deleted"], 0);
    assert_eq!(count(&connection, "users"), 2, "a file behind a link blocks its record");
    connection.execute("DELETE FROM users WHERE id = 1", []).unwrap();
    place.purge().expect(0);
    assert_eq!(count(&connection, "customers"), 0);
    assert!(place.path("elsewhere/f").exists());
    assert_eq!(files(&place), ["link"], "a link itself is a file that can go");
}

#[test]
fn a_file_that_cannot_be_removed_is_told_remembered_and_removed_by_the_next_run() {
    let sql = format!(
        "INSERT INTO customers VALUES (1, '{OLD}'), (2, '{OLD}'); INSERT INTO users VALUES (1, 1, 'a'), (2, 2, 'b');"
    );
    let (place, connection) = place(WITH, "", &sql);
    write_files(&place, &["a", "b"]);
    remember(&place, &["a"]);
    // A folder in the way is what nobody can remove, not even root.
    fs::remove_file(place.path("uploads/a")).unwrap();
    fs::create_dir(place.path("uploads/a")).unwrap();
    let purge = place.purge().expect(3);
    assert_eq!(purge.json()["problems"][0]["code"], "named-files", "{purge:?}");
    assert_eq!(count(&connection, "customers"), 1, "what names a folder is blocked");
    assert_eq!(files(&place), ["a"]);
    let mode = fs::metadata(place.state().join("removals.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::remove_dir(place.path("uploads/a")).unwrap();
    write_files(&place, &["a"]);
    place.purge().expect(0);
    assert_eq!((files(&place), count(&connection, "customers")), (Vec::<String>::new(), 0));
    assert!(!place.state().join("removals.json").exists());
}

/// The list of a killed run: files as they are now.
fn remember(place: &Place, names: &[&str]) {
    use std::os::unix::fs::MetadataExt;
    let seen = |name: &str| {
        let file = fs::symlink_metadata(place.path("uploads").join(name)).unwrap();
        let modified = serde_json::json!({ "seconds": file.mtime(), "nanos": file.mtime_nsec() });
        serde_json::json!({ "device": file.dev(), "inode": file.ino(), "size": file.size(), "modified": modified })
    };
    let files: Vec<serde_json::Value> =
        names.iter().map(|name| serde_json::json!({ "path": name, "seen": seen(name) })).collect();
    let database = place.path("data.db").canonicalize().unwrap();
    let list = serde_json::json!([{ "database": database, "table": "users", "column": "avatar",
        "folder": place.path("uploads"), "files": files }]);
    fs::create_dir_all(place.state()).unwrap();
    fs::write(place.state().join("removals.json"), list.to_string()).unwrap();
}

/// Whatever a row that stays writes, in whatever column: as long as it leads to the file, the file stays.
#[test]
fn a_file_stays_that_a_row_names_in_another_spelling_or_column() {
    let spellings =
        ["2020//a.jpg", "2020/./a.jpg", "./2020/a.jpg", "b/../2020/a.jpg", "way/a.jpg", "FOLDER//2020/a.jpg"];
    for (column, spelling) in ["avatar", "other"].iter().flat_map(|column| spellings.map(|s| (*column, s))) {
        let sql = format!(
            "ALTER TABLE users ADD COLUMN other TEXT; CREATE INDEX by_other ON users (other);
             INSERT INTO customers VALUES (1, '{OLD}'), (2, '{COMING}');
             INSERT INTO users (id, customer, avatar) VALUES (1, 1, '2020//a.jpg'), (2, 2, NULL);"
        );
        let with = WITH.replace(AVATAR, &format!("{AVATAR}, {}", AVATAR.replace("avatar", "other")));
        let (place, connection) = place(&with, "", &sql);
        fs::create_dir(place.path("uploads/2020")).unwrap();
        symlink("2020", place.path("uploads/way")).unwrap();
        write_files(&place, &["2020/a.jpg"]);
        let spelling = spelling.replace("FOLDER", place.path("uploads").to_str().unwrap());
        connection.execute(&format!("UPDATE users SET {column} = ?1 WHERE id = 2"), [&spelling]).unwrap();
        let purge = place.purge().expect(0);
        assert!(purge.err.contains("1 file that deleted rows named stay"), "{purge:?}");
        assert_eq!(count(&connection, "customers"), 1);
        assert!(place.path("uploads/2020/a.jpg").exists(), "{column}: {spelling}");
    }
}

#[test]
fn a_database_with_two_names_is_refused() {
    let sql = format!("INSERT INTO customers VALUES (1, '{OLD}');");
    let (place, connection) = place(WITH, "", &sql);
    fs::hard_link(place.path("data.db"), place.path("second.db")).unwrap();
    let report = place.frist(&REPORT).expect(3);
    assert!(report.out.contains("has 2 names (hard links)"), "{report:?}");
    place.frist(&["check", "--data"]).expect(3);
    place.purge().expect(3);
    assert_eq!(count(&connection, "customers"), 1);
    fs::remove_file(place.path("second.db")).unwrap();
    place.purge().expect(0);
    assert_eq!(count(&connection, "customers"), 0);
}

/// Between the commit and the removal a run can die: files go by the next one, unless a row names them.
#[test]
fn a_list_that_a_killed_run_left_is_worked_off_against_the_rows() {
    let sql = format!(
        "INSERT INTO customers VALUES (1, '{COMING}'); INSERT INTO users VALUES (1, 1, 'kept'), (2, 1, NULL);"
    );
    let (place, _connection) = place(WITH, "", &sql);
    write_files(&place, &["kept", "gone", "beside"]);
    place.purge().expect(0);
    remember(&place, &["kept", "gone", "../data.db", "beside"]);
    fs::write(place.path("uploads/beside"), "written since").unwrap();
    place.purge().expect(0);
    assert_eq!(files(&place), ["beside", "kept"]);
    assert!(place.path("data.db").exists());
    assert!(!place.state().join("removals.json").exists());
}

#[test]
fn killed_at_any_point_no_file_is_lost_and_none_forgotten() {
    let (place, connection) = place(WITH, "", "");
    let mut random = Random(5);
    let (mut fillings, mut killed) = (0, 0);
    while killed < kills() {
        fillings += 1;
        assert!(fillings < 4 * kills(), "only {killed} kills met a running purge");
        fill(&place, &connection);
        let mut purge = place.start(&PURGE);
        wait_for_batches(&place, &mut purge, 1 + random.below(3));
        std::thread::sleep(std::time::Duration::from_micros(random.below(40) * random.below(400)));
        killed += u64::from(kill(purge));
        // What a row names is there, whatever point the kill came at.
        let named = names(&open(&place.path("data.db")));
        assert!(named.is_subset(&files(&place).into_iter().collect()), "a file went before its row");
        place.purge().expect(0);
        assert_eq!(count(&connection, "customers WHERE id <= 300"), 0);
        assert_eq!(files(&place).into_iter().collect::<BTreeSet<String>>(), names(&connection));
        assert!(!connection.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap());
        place.assert_ledger_is_whole();
    }
    assert_eq!(accounted(&place.ledger()), 300 * fillings);
}

const CUSTOMERS: i64 = 320;

fn fill(place: &Place, connection: &Connection) {
    connection
        .execute_batch(&format!(
            "DELETE FROM pictures; DELETE FROM messages; DELETE FROM users; DELETE FROM customers;
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {CUSTOMERS})
             INSERT INTO customers SELECT n, iif(n <= 300, '{OLD}', '{COMING}') FROM n;
             INSERT INTO users SELECT id, id, 'avatar' || id FROM customers;
             INSERT INTO messages SELECT id, id, 'x', NULL FROM users;
             INSERT INTO pictures SELECT id, id, 'picture' || id FROM messages;"
        ))
        .unwrap();
    names(connection).iter().for_each(|name| fs::write(place.path("uploads").join(name), "").unwrap());
}

fn names(connection: &Connection) -> BTreeSet<String> {
    let sql = "SELECT avatar FROM users UNION SELECT path FROM pictures";
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

/// A plain picture of what goes: records to groups, groups to things, things to files.
#[test]
fn what_goes_along_is_what_a_plain_loop_says() {
    for seed in 0..crate::depth::cases(30).into() {
        random_case(seed);
    }
}

/// Its record, whether it counts, whether it is old itself, its file.
type Thing = (Option<usize>, bool, Option<bool>, Option<usize>);

struct Case {
    /// Whether each record is old, and its group.
    records: Vec<(bool, Option<usize>)>,
    things: Vec<Thing>,
    groups: usize,
    /// Each note: the thing it refers to by a foreign key.
    notes: Vec<usize>,
    own_rule: bool,
}

fn case(random: &mut Random) -> Case {
    let some = |random: &mut Random, bound: usize| {
        (bound > 0 && random.below(4) > 0).then(|| random.below(bound as u64) as usize)
    };
    let groups = random.below(4) as usize;
    let records: Vec<(bool, Option<usize>)> =
        (0..random.below(6)).map(|_| (random.below(3) > 0, some(random, groups))).collect();
    let things: Vec<_> = (0..random.below(8))
        .map(|_| {
            let own = [None, Some(true), Some(true), Some(false)][random.below(4) as usize];
            (some(random, records.len()), random.below(4) > 0, own, some(random, 5))
        })
        .collect();
    let notes = (0..random.below(3)).filter_map(|_| some(random, things.len())).collect();
    Case { records, things, groups, notes, own_rule: random.below(2) == 0 }
}

impl Case {
    fn sql(&self) -> String {
        let number = |value: Option<usize>| value.map_or("NULL".to_string(), |value| value.to_string());
        let mut sql = "CREATE TABLE groups (id INTEGER PRIMARY KEY);
            CREATE TABLE records (id INTEGER PRIMARY KEY, at TEXT, grp INTEGER);
            CREATE TABLE things (id INTEGER PRIMARY KEY, record INTEGER, counts INTEGER, at TEXT, file TEXT);
            CREATE TABLE notes (id INTEGER PRIMARY KEY, thing INTEGER REFERENCES things (id));"
            .to_string();
        (0..self.groups).for_each(|id| sql += &format!("INSERT INTO groups VALUES ({id});"));
        for (id, (old, group)) in self.records.iter().enumerate() {
            let at = if *old { OLD } else { COMING };
            sql += &format!("INSERT INTO records VALUES ({id}, '{at}', {});", number(*group));
        }
        for (id, (record, counts, own, file)) in self.things.iter().enumerate() {
            let at = own.map_or("NULL".to_string(), |old| format!("'{}'", if old { OLD } else { COMING }));
            let file = file.map_or("NULL".to_string(), |file| format!("'f{file}'"));
            let counts = u8::from(*counts);
            sql += &format!("INSERT INTO things VALUES ({id}, {}, {counts}, {at}, {file});", number(*record));
        }
        for (id, thing) in self.notes.iter().enumerate() {
            sql += &format!("INSERT INTO notes VALUES ({id}, {thing});");
        }
        sql
    }

    /// Things that go along with a record.
    fn of(&self, record: usize) -> Vec<usize> {
        let belongs = |thing: &usize| self.things[*thing].0 == Some(record) && self.things[*thing].1;
        (0..self.things.len()).filter(belongs).collect()
    }

    fn goes(&self, record: usize) -> bool {
        let kept = |thing: &usize| {
            // Under its own rule a thing is kept that is not old, or whose clock has not started.
            (self.own_rule && self.things[*thing].2 != Some(true)) || self.notes.contains(thing)
        };
        self.records[record].0 && !self.of(record).iter().any(kept)
    }
}

fn random_case(seed: u64) {
    let case = case(&mut Random(seed));
    let place = Place::in_memory();
    let own = if case.own_rule { rule("things", "things") } else { String::new() };
    let with = "with = [{ table = \"groups\", on = \"id = grp\" },
        { table = \"things\", on = \"record = id\", where = \"counts = 1\", with = [{ files = \"uploads\", column = \"file\" }] }]\n";
    place.write_policy(&format!("{WITHOUT_LIMIT}{SOURCE}{}{with}{own}", rule("records", "records")));
    let connection = place.database(&case.sql());
    fs::create_dir(place.path("uploads")).unwrap();
    (0..5).for_each(|file| write_files(&place, &[&format!("f{file}")]));

    let going: Vec<usize> = (0..case.records.len()).filter(|record| case.goes(*record)).collect();
    let along: BTreeSet<usize> = going.iter().flat_map(|record| case.of(*record)).collect();
    let beside: BTreeSet<usize> = (0..case.things.len()).filter(|thing| !along.contains(thing)).collect();
    // The rule on things comes behind, and removes no file.
    let mut things = beside.clone();
    if case.own_rule {
        things.retain(|thing| case.things[*thing].2 != Some(true) || case.notes.contains(thing));
    }
    let groups: Vec<i64> = (0..case.groups)
        .filter(|group| {
            let members = || (0..case.records.len()).filter(|record| case.records[*record].1 == Some(*group));
            members().next().is_none() || members().any(|record| !going.contains(&record))
        })
        .map(|group| group as i64)
        .collect();
    let left: BTreeMap<&str, Vec<i64>> = BTreeMap::from([
        ("records", (0..case.records.len()).filter(|id| !going.contains(id)).map(|id| id as i64).collect()),
        ("things", things.iter().map(|id| *id as i64).collect()),
        ("groups", groups),
        ("notes", (0..case.notes.len() as i64).collect()),
    ]);
    let told = format!("seed {seed}: {}", case.sql());
    let report = place.at(NOW, &REPORT).expect(0);
    assert_eq!(report.rule("records")["due"], going.len(), "{told}");
    let old = case.records.iter().filter(|record| record.0).count();
    assert_eq!(report.rule("records")["blocked"], old - going.len(), "{told}");
    place.at(NOW, &PURGE).expect(0);
    for (table, left) in left {
        assert_eq!(ids(&connection, table), left, "{table}, {told}");
    }
    let names =
        |things: &BTreeSet<usize>, file| things.iter().any(|thing| case.things[*thing].3 == Some(file));
    let file_stays = |file: &usize| !names(&along, *file) || names(&beside, *file);
    let expected: Vec<String> = (0..5).filter(file_stays).map(|file| format!("f{file}")).collect();
    assert_eq!(files(&place), expected, "{told}");
}

/// A row that is shared is left with what would go along with it; that these refer to it blocks nobody. Something
/// else that refers to one of them does.
#[test]
fn a_shared_row_is_left_with_what_would_go_along_with_it() {
    let rules = rule("people", "people")
        + "with = [{ table = \"pictures\", on = \"owner = id\", with = [{ table = \"blobs\", on = \"id = blob\", \
           with = [{ table = \"sizes\", on = \"blob = id\" }] }] }]\n";
    let sql = format!(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, at TEXT);
         CREATE TABLE blobs (id INTEGER PRIMARY KEY);
         CREATE TABLE pictures (id INTEGER PRIMARY KEY, owner INTEGER, blob INTEGER REFERENCES blobs (id));
         CREATE TABLE sizes (id INTEGER PRIMARY KEY, blob INTEGER REFERENCES blobs (id));
         CREATE TABLE uses (size INTEGER REFERENCES sizes (id));
         INSERT INTO people VALUES (1, '{OLD}'), (2, '{COMING}'), (3, '{OLD}'), (4, '{OLD}');
         INSERT INTO blobs VALUES (1), (2), (3);
         INSERT INTO pictures VALUES (1, 1, 1), (2, 2, 1), (3, 3, 2), (4, 4, 3), (5, 2, 3);
         INSERT INTO sizes VALUES (1, 1), (2, 2), (3, 3); INSERT INTO uses VALUES (3);"
    );
    let place = Place::in_memory();
    place.write_policy(&format!("{WITHOUT_LIMIT}{SOURCE}{rules}"));
    let connection = place.database(&sql);
    let report = place.frist(&REPORT).expect(0).rule("people");
    assert_eq!([&report["due"], &report["blocked"]], [2, 1], "{report}");
    let purge = place.purge().expect(0).rule("people");
    assert_eq!([&purge["deleted"], &purge["taken_along"]], [2, 4], "{purge}");
    assert_eq!(ids(&connection, "people"), [2, 4]);
    assert_eq!(ids(&connection, "pictures"), [2, 4, 5]);
    assert_eq!([ids(&connection, "blobs"), ids(&connection, "sizes")], [[1, 3], [1, 3]]);
    assert_eq!(count(&connection, "pragma_foreign_key_check"), 0);
}
