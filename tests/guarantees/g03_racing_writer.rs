//! G3: a record that another program makes not due survives, whenever it does so.

use std::collections::BTreeMap;
use std::process::Child;

use rusqlite::{Connection, params};

use super::support::{COMING, OLD, PURGE, Place, Random, count, finish, open};

const DUE: u32 = 60_000;

/// It looks like a date that is due to whoever only compares.
const UNREADABLE: &str = "2001-02-30";

/// A table of `DUE` due rows, and as many more that are not as are asked for.
fn place(table: &str, key: &str, others: u32, index: &str) -> Place {
    let place = Place::with_rule_on("log");
    place.database(&format!(
        "PRAGMA journal_mode = WAL; {table}
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {due})
         INSERT INTO log SELECT {key}, '{OLD}', n FROM n;
         WITH RECURSIVE n(n) AS (SELECT {due} + 1 UNION ALL SELECT n + 1 FROM n LIMIT {others})
         INSERT INTO log SELECT {key}, '{COMING}', n FROM n WHERE {others} > 0;
         CREATE UNIQUE INDEX log_number ON log (number); {index}",
        due = DUE / (1 + others / DUE)
    ));
    place
}

/// Saves rows from a purge while it runs: those that it will come to next, where it goes along
/// the keys, and any otherwise. Returns what each saved row's event became.
fn save_rows(place: &Place, mut purge: Child, along: bool, due: u32) -> BTreeMap<u32, Option<String>> {
    let connection = open(&place.path("data.db"));
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    let mut random = Random(7);
    let mut saved = BTreeMap::new();
    let mut front = 1;
    while purge.try_wait().unwrap().is_none() {
        front = if along { first_left(&connection, front) } else { 1 };
        let number = front + random.below(if along { 3_000 } else { due.into() }) as u32;
        let event = [None, Some(COMING), Some(UNREADABLE)][random.below(3) as usize].map(str::to_owned);
        let sql = "UPDATE log SET at = ?1 WHERE number = ?2 AND at = ?3";
        if connection.execute(sql, params![event, number, OLD]).unwrap() == 1 {
            saved.insert(number, event);
        }
    }
    // It may have met an unreadable row before it began, and then it says so.
    assert_eq!(finish(purge).rule("log")["outcome"], "done");
    saved
}

/// The first due row from a number on.
fn first_left(connection: &Connection, from: u32) -> u32 {
    let sql = format!("SELECT number FROM log WHERE number >= ?1 AND at = '{OLD}' ORDER BY number LIMIT 1");
    connection.query_row(&sql, [from], |row| row.get(0)).unwrap_or(from)
}

fn assert_saved_rows_survive(place: &Place, along: bool, due: u32, others: u32) {
    let saved = save_rows(place, place.start(&PURGE), along, due);
    assert!(saved.len() > 20, "only {} rows were saved, which proves little", saved.len());
    let connection = open(&place.path("data.db"));
    let mut statement = connection.prepare("SELECT number, at FROM log WHERE number <= ?1").unwrap();
    let left = statement.query_map([due], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let left: BTreeMap<u32, Option<String>> = left.collect::<rusqlite::Result<_>>().unwrap();
    assert!(left == saved, "{} were saved and {} are left", saved.len(), left.len());
    assert_eq!(count(&connection, &format!("log WHERE number > {due}")), u64::from(others));
    let deleted: u64 = place.ledger().iter().filter(|entry| entry["event"] == "batch").map(rows).sum();
    assert_eq!(deleted, u64::from(due) - saved.len() as u64);
}

fn rows(entry: &serde_json::Value) -> u64 {
    entry["rows"].as_u64().unwrap()
}

#[test]
fn rows_saved_from_a_purge_along_row_numbers_survive() {
    let table = "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT, number INTEGER);";
    assert_saved_rows_survive(&place(table, "n", 0, ""), true, DUE, 0);
}

#[test]
fn rows_saved_from_a_purge_along_text_keys_survive() {
    let table = "CREATE TABLE log (name TEXT PRIMARY KEY, at TEXT, number INTEGER) WITHOUT ROWID;";
    assert_saved_rows_survive(&place(table, "printf('k%08d', n)", 0, ""), true, DUE, 0);
}

#[test]
fn rows_saved_from_a_purge_through_an_index_survive() {
    let table = "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT, number INTEGER);";
    let others = DUE * 4;
    let place = place(table, "n * 7919 % 1000003", others, "CREATE INDEX log_at ON log (at);");
    assert_saved_rows_survive(&place, false, DUE / 5, others);
}
