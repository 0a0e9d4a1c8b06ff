//! Databases, tables and columns that are not what the policy says.

use super::super::support::Ran;
use super::{Place, fs, rule};

fn place() -> Place {
    Place::with_rules(&rule("people", "people", "1 year", "ended_at"))
}

const PEOPLE: &str = "
    CREATE TABLE people (id INTEGER PRIMARY KEY, ended_at TEXT, name TEXT);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
    INSERT INTO people SELECT i, '2020-01-01', hex(randomblob(60)) FROM n";

/// Reports and purges; both must say the same, end with 3 and leave the database as it was.
#[track_caller]
fn refused(place: &Place, words: &str) {
    let before = fs::read(place.path("app.db")).ok();
    let complaint =
        |ran: Ran| ran.out.lines().find(|line| line.contains("PROBLEM")).unwrap_or_default().to_string();
    let reported = complaint(place.frist(&["report", "policy.toml"]).code(3).says(words));
    let purged = complaint(place.frist(&["purge", "--yes", "policy.toml"]).code(3).says(words));
    assert_eq!(reported, purged);
    assert!(reported.contains("(policy.toml:"), "no place in {reported}");
    assert_eq!(fs::read(place.path("app.db")).ok(), before);
    place.frist(&["ledger", "verify", "policy.toml"]).code(0);
}

#[test]
fn a_missing_database_is_never_nothing_due() {
    let place = place();
    refused(&place, "./app.db does not exist; relative paths start at the policy's folder, or at --root");
    assert!(!place.path("app.db").exists());
    let json = place.frist(&["report", "policy.toml", "--format", "json"]).code(3).json();
    assert_eq!(json["sources"][0]["status"], "missing");
    assert_eq!(json["sources"][0]["problem"]["code"], "missing-source");
    assert!(json["rules"][0]["due"].is_null());
}

#[test]
fn an_empty_file_is_no_database_with_nothing_due() {
    let place = place();
    place.write("app.db", "");
    refused(&place, "app.db is empty: a database without any table");
}

#[test]
fn a_folder_is_no_database() {
    let place = place();
    fs::create_dir(place.path("app.db")).unwrap();
    refused(&place, "app.db is not a file, so it is no SQLite database");
}

#[test]
fn what_is_not_a_database_may_be_an_encrypted_one() {
    let place = place();
    let noise: Vec<u8> = (0..50_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let words = "app.db is not an SQLite database, or it is encrypted";
    for bytes in [&noise[..], b"name;ended_at\n", b"SQLite format 3", &[0; 4_096]] {
        place.write("app.db", bytes);
        refused(&place, words);
    }
}

#[test]
fn a_damaged_database_is_told_and_left_alone() {
    let whole = place();
    whole.sql(PEOPLE);
    let bytes = whole.read("app.db");
    let cut = bytes[..20_000].to_vec();
    let mut scratched = bytes.clone();
    scratched[8_192..12_288].fill(0xa5);
    let only_a_header = bytes[..100].to_vec();
    for damaged in [cut, scratched, only_a_header] {
        let place = place();
        place.write("app.db", damaged);
        refused(&place, "app.db: the file is damaged; restore it, or see what `PRAGMA integrity_check` says");
    }
}

#[test]
fn a_table_or_column_that_is_missing_is_met_with_the_nearest() {
    for (sql, words) in [
        ("CREATE TABLE x (a)", "the database has no table `people`; it has: x"),
        ("CREATE TABLE peple (a)", "the database has no table `people`; did you mean `peple`?"),
        ("CREATE TABLE People (a)", "the database has no table `people`; did you mean `People`?"),
        ("CREATE VIEW x AS SELECT 1", "the database has no table `people`; it has no table at all"),
        ("CREATE TABLE people (a, b)", "table `people` has no column `ended_at`; it has: a, b"),
        (
            "CREATE TABLE people (Ended_At)",
            "table `people` has no column `ended_at`; did you mean `Ended_At`?",
        ),
    ] {
        let place = place();
        place.sql(sql);
        refused(&place, words);
    }
}

#[test]
fn a_column_of_a_condition_is_one_of_the_table() {
    let place =
        Place::with_rules(&(rule("people", "people", "1 year", "ended_at") + "when = \"kynd = 'x'\"\n"));
    place.sql("CREATE TABLE people (ended_at, kind)");
    refused(&place, "table `people` has no column `kynd`; did you mean `kind`? (policy.toml:17:");
}

#[test]
fn what_is_not_a_table_of_records_is_told_apart() {
    for (sql, words) in [
        (
            "CREATE TABLE t (ended_at); CREATE VIEW people AS SELECT * FROM t",
            "`people` is a view; write the rule for",
        ),
        (
            "CREATE VIRTUAL TABLE people USING fts5 (ended_at)",
            "`people` is a virtual table; its rows cannot be purged",
        ),
    ] {
        let place = place();
        place.sql(sql);
        refused(&place, words);
    }
    let shadow = Place::with_rules(&rule("a", "people_data", "1 year", "block"));
    shadow.sql("CREATE VIRTUAL TABLE people USING fts5 (ended_at)");
    refused(&shadow, "`people_data` belongs to a virtual table; write no rule for it");
    let engine = Place::with_rules(&rule("a", "sqlite_schema", "1 year", "name"));
    engine.sql("CREATE TABLE a (b)");
    refused(&engine, "`sqlite_schema` belongs to SQLite itself");
}

#[test]
fn values_that_cannot_be_read_keep_their_records() {
    let place = place();
    place.sql(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, ended_at);
         INSERT INTO people (ended_at) VALUES ('2020-01-01'), (NULL), (''), ('0000-00-00'), ('2023-02-29'),
             ('9999-12-31'), ('1577836800'), (1577836800), (2.5), (x'00'), ('2020-01-01' || char(0)), (0)",
    );
    let json = place.frist(&["purge", "--yes", "policy.toml", "--format", "json"]).code(3).json();
    let rule = &json["rules"][0];
    assert_eq!(
        (&rule["deleted"], &rule["unreadable"], &rule["outcome"]),
        (&1.into(), &9.into(), &"done".into())
    );
    assert_eq!(rule["problems"][0]["code"], "unreadable");
    assert_eq!(place.number("SELECT count(*) FROM people"), 11);
}

#[test]
fn one_bad_source_does_not_stop_the_other() {
    let other = "\n[source.crm]\nsqlite = \"crm.db\"\n\n[[rule]]\nname = \"calls\"\ndata = \"crm.calls\"\n\
                 keep = \"1 year\"\nafter = \"at\"\n";
    let place = Place::with_rules(&(rule("people", "people", "1 year", "ended_at") + other));
    place.sql(PEOPLE);
    let ran = place.frist(&["purge", "--yes", "policy.toml"]).code(3);
    ran.says("500 records deleted").says("calls: PROBLEM: ./crm.db does not exist");
}
