//! Anki: times that are primary keys, in milliseconds; cards and notes whose times are in seconds; and a collation that
//! only the program has.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::support::{Counts, Program, assert_sound, numbers, unix};

const POLICY: &str = r#"
[source.anki]
sqlite  = "collection.anki2"
formats = { id = "unix-ms" }
ignore  = [
  { table = "col", why = "no personal data" },
  { table = "note*", why = "what is learnt" },
  { table = "cards", why = "what is learnt" },
  { table = "graves", why = "keys alone" },
  { table = "config", why = "no personal data" },
]

[[rule]]
name  = "reviews"
data  = "anki.revlog"
keep  = "at most 2 years"
after = "id"

[source.anki.table.revlog]
key = "id"
"#;

const SCHEMA: &str = "
    CREATE TABLE col (id integer PRIMARY KEY, crt integer NOT NULL, mod integer NOT NULL, scm integer NOT NULL, ver integer NOT NULL);
    CREATE TABLE notes (id integer PRIMARY KEY, guid text NOT NULL, mid integer NOT NULL, mod integer NOT NULL, usn integer NOT NULL,
        tags text NOT NULL, flds text NOT NULL, sfld integer NOT NULL, csum integer NOT NULL, flags integer NOT NULL, data text NOT NULL);
    CREATE INDEX ix_notes_csum ON notes (csum);
    CREATE TABLE cards (id integer PRIMARY KEY, nid integer NOT NULL, did integer NOT NULL, ord integer NOT NULL, mod integer NOT NULL,
        usn integer NOT NULL, type integer NOT NULL, queue integer NOT NULL, due integer NOT NULL, ivl integer NOT NULL, reps integer NOT NULL);
    CREATE INDEX ix_cards_nid ON cards (nid);
    CREATE TABLE revlog (id integer PRIMARY KEY, cid integer NOT NULL, usn integer NOT NULL, ease integer NOT NULL, ivl integer NOT NULL,
        lastIvl integer NOT NULL, factor integer NOT NULL, time integer NOT NULL, type integer NOT NULL);
    CREATE INDEX ix_revlog_usn ON revlog (usn);
    CREATE INDEX ix_revlog_cid ON revlog (cid);
    CREATE TABLE graves (oid integer NOT NULL, type integer NOT NULL, usn integer NOT NULL, PRIMARY KEY (oid, type)) WITHOUT ROWID;
    CREATE TABLE config (KEY text NOT NULL PRIMARY KEY, usn integer NOT NULL, mtime_secs integer NOT NULL, val blob NOT NULL) WITHOUT ROWID;
";

/// At most two years of 21 November 2024 in Copenhagen end today.
fn boundary() -> i64 {
    unix("2024-11-21 23:00:00") * 1_000
}

fn reviews() -> BTreeSet<i64> {
    let around = (-40..40).map(|step| boundary() + step * step * step * 997);
    let strange = [boundary() - 1, 4_000_000_000_000, -1_000, 1, 0, i64::MIN, i64::MAX, 1_600_000_000];
    around.chain(strange).collect()
}

/// What a time is that is no later than the start of the day, and one at all: not zero, and not out of all years.
fn is_past(id: i64) -> bool {
    id != 0 && id > unix("1900-01-01 00:00:00") * 1_000 && id < boundary()
}

fn is_unreadable(id: i64) -> bool {
    id == 0 || id == i64::MIN || id == i64::MAX
}

fn fill(database: &Connection) {
    database.execute("INSERT INTO cards VALUES (1, 1, 1, 0, 0, 0, 2, 2, 100, 30, 7)", []).unwrap();
    for id in reviews() {
        database.execute("INSERT INTO revlog VALUES (?1, 1, -1, 3, 30, 10, 2500, 4000, 1)", [id]).unwrap();
    }
}

/// Deleting by row numbers that are times: from the lowest number there is to the highest.
#[test]
fn reviews_go_whose_keys_are_their_times() {
    let program = Program::new(POLICY);
    let database = program.database("collection.anki2", SCHEMA);
    fill(&database);
    let count = |what: fn(i64) -> bool| reviews().into_iter().filter(|id| what(*id)).count() as u64;
    let counted = Counts { due: count(is_past), unreadable: count(is_unreadable), ..Counts::default() };
    assert_eq!(counted.unreadable, 3);
    program.hold_to(&["unreadable"], &[("reviews", counted)]);
    let left: Vec<i64> = reviews().into_iter().filter(|id| !is_past(*id)).collect();
    assert_eq!(numbers(&database, "SELECT id FROM revlog ORDER BY id"), left);
    assert_eq!(numbers(&database, "SELECT reps FROM cards"), [7]);
    assert_sound(&database);
}

/// Newer collections compare names by a collation of their own, which the policy has nothing to do with.
#[test]
fn a_collation_of_the_program_stands_in_nobody_s_way() {
    let program = Program::new(POLICY);
    let database = program.database("collection.anki2", SCHEMA);
    let notetypes =
        "CREATE TABLE notetypes (id integer NOT NULL PRIMARY KEY, name text NOT NULL COLLATE NOCASE,
            mtime_secs integer NOT NULL, config blob NOT NULL);
        CREATE UNIQUE INDEX idx_notetypes_name ON notetypes (name);
        INSERT INTO notetypes VALUES (1, 'Basic', 0, x'');
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, 'NOCASE', 'unicase') WHERE name = 'notetypes';
        PRAGMA writable_schema = RESET;";
    database.execute_batch(notetypes).unwrap();
    fill(&database);
    let count = |what: fn(i64) -> bool| reviews().into_iter().filter(|id| what(*id)).count() as u64;
    let counted = Counts { due: count(is_past), unreadable: count(is_unreadable), ..Counts::default() };
    program.hold_to(&["unreadable"], &[("reviews", counted)]);
    let left: Vec<i64> = reviews().into_iter().filter(|id| !is_past(*id)).collect();
    assert_eq!(numbers(&database, "SELECT id FROM revlog ORDER BY id"), left);
}
