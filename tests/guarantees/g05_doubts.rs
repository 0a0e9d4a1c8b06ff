//! G5: a batch that was announced and perhaps committed is decided by the data, and the ledger
//! says where another program may have changed the answer.

use std::collections::BTreeMap;

use frist::evaluate::Counts;
use frist::ledger::{Batch, Event, Ledger, Pending, RuleStarted, RunLock, RunStarted, StateFolder};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::support::{OLD, PURGE, Place};

const KILLED_AT: &str = "2026-01-01T00:00:00Z";
const NEXT_NIGHT: &str = "2026-01-02T00:00:00Z";

/// A hundred due rows; the batch in doubt is about the first sixty.
const ROWS: u64 = 60;

fn place(columns: &str, key: &str) -> (Place, Connection) {
    let place = Place::in_memory();
    place.write_rule_on("log");
    let connection = place.database(&format!(
        "CREATE TABLE log ({columns};
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 100)
         INSERT INTO log SELECT {key}, '{OLD}' FROM n"
    ));
    (place, connection)
}

fn numbered() -> (Place, Connection) {
    place("id INTEGER PRIMARY KEY, at TEXT)", "n")
}

/// Writes what a run leaves that is killed as it commits its first batch, which took rows with these keys.
fn leave_in_doubt(place: &Place, keys: &[Value], stand: &Value) {
    let rows: Vec<Value> = keys.iter().map(|key| json!({ "key": [key] })).collect();
    let taken = json!({ "columns": [], "salt": "", "rows": rows, "stand": stand, "boot": null });
    leave_taken(place, keys.len() as u64, taken);
}

fn leave_taken(place: &Place, rows: u64, taken: Value) {
    leave_killed(place, &sources(place), rows, None, Some(taken));
}

fn sources(place: &Place) -> Value {
    json!({ "db": place.path("data.db").canonicalize().unwrap() })
}

/// Notes that the batch was committed, as a run does right behind its commit.
fn note_committed(place: &Place) {
    let folder = StateFolder::create(&place.state()).unwrap();
    let lock = RunLock::acquire(&folder).unwrap();
    let pending = Pending::read(&folder).unwrap().unwrap();
    pending.write_over(&lock, || Ok(())).unwrap();
    Pending::note_committed(&lock).unwrap();
}

/// The keys from one to another.
fn numbers(first: u64, last: u64) -> Vec<Value> {
    (first..=last).map(Value::from).collect()
}

/// How often the file was changed.
fn stand(place: &Place) -> Value {
    let header = std::fs::read(place.path("data.db")).unwrap();
    json!({ "changes": u32::from_be_bytes(header[24..28].try_into().unwrap()) })
}

/// The same for a policy on any sources, by their names and paths.
pub(crate) fn leave_killed(
    place: &Place,
    sources: &Value,
    rows: u64,
    range: Option<[i64; 2]>,
    keys: Option<Value>,
) {
    let folder = StateFolder::create(&place.state()).unwrap();
    let lock = RunLock::acquire(&folder).unwrap();
    let mut ledger = Ledger::open(&lock, "killed").unwrap();
    let batch = Batch { rule: "log".to_owned(), number: 1, rows, ahead: BTreeMap::new(), range };
    for event in [Event::RunStarted(run_started()), Event::RuleStarted(rule_started()), Event::Batch(batch)] {
        ledger.append(KILLED_AT, &event).unwrap();
    }
    ledger.seal().unwrap();
    Pending::prepare(&lock).unwrap();
    if let Some(range) = keys {
        let (run, rule) = ("killed".to_owned(), "log".to_owned());
        Pending { run, rule, batch: 1, range }.write(&lock).unwrap();
    }
    let text = std::fs::read_to_string(place.policy()).unwrap();
    let running = json!({ "run": "killed", "file": "policy.toml", "base": place.folder(), "text": text,
        "sources": sources });
    std::fs::write(place.state().join("running.json"), running.to_string()).unwrap();
}

fn run_started() -> RunStarted {
    RunStarted {
        command: "purge".to_owned(),
        version: "0".to_owned(),
        policy: "test".to_owned(),
        policy_sha256: "0".to_owned(),
        now: KILLED_AT.to_owned(),
        timezone: "UTC".to_owned(),
        operator: "nobody".to_owned(),
        host: "nowhere".to_owned(),
        trigger: "unattended".to_owned(),
        nights_missed: None,
        previous_run: None,
    }
}

fn rule_started() -> RuleStarted {
    RuleStarted {
        rule: "log".to_owned(),
        data: "db.log".to_owned(),
        then: "delete".to_owned(),
        pseudonyms: false,
        keep: "1 year".to_owned(),
        due_up_to: None,
        activity: None,
        law: None,
        counts: Counts::default(),
        oldest_event: None,
        longest_overdue_days: None,
    }
}

/// What the next run finds out: the outcome, whether that is exact, and the rows it accounts for.
pub(crate) fn found_out(place: &Place) -> (String, bool, u64) {
    let run = place.at(NEXT_NIGHT, &PURGE);
    let json = run.json();
    let account = &json["recovered"][0];
    assert_eq!(account["run"], "killed", "{run:?}");
    let doubt = &account["batch_in_doubt"];
    let deleted: BTreeMap<String, u64> = serde_json::from_value(account["deleted"].clone()).unwrap();
    let told = place.ledger().into_iter().find(|entry| entry["event"] == "recovered").unwrap();
    assert_eq!([&told["outcome"], &told["exact"]], [&doubt["outcome"], &doubt["exact"]]);
    assert!(!place.state().join("running.json").exists() && !place.state().join("pending.json").exists());
    place.assert_ledger_is_whole();
    let outcome = doubt["outcome"].as_str().unwrap().to_owned();
    (outcome, doubt["exact"].as_bool().unwrap(), deleted.values().sum())
}

fn committed(exact: bool) -> (String, bool, u64) {
    ("committed".to_owned(), exact, ROWS)
}

fn rolled_back(exact: bool) -> (String, bool, u64) {
    ("rolled-back".to_owned(), exact, 0)
}

fn undecided() -> (String, bool, u64) {
    ("undecided".to_owned(), false, 0)
}

/// What is found out of the first sixty rows after a batch took them, or not, and others did something.
fn after(sql: &str, is_noted: bool) -> (String, bool, u64) {
    let (place, connection) = numbered();
    leave_in_doubt(&place, &numbers(1, ROWS), &stand(&place));
    if is_noted {
        note_committed(&place);
    }
    connection.execute_batch(sql).unwrap();
    found_out(&place)
}

const TAKE: &str = "DELETE FROM log WHERE id <= 60;";

#[test]
fn a_batch_whose_rows_are_there_was_rolled_back() {
    assert_eq!(after("", false), rolled_back(true));
}

/// Another program can have deleted them, if the run was killed before its commit.
#[test]
fn a_batch_whose_rows_are_gone_was_committed_and_that_is_exact_where_it_was_noted() {
    assert_eq!(after(TAKE, false), committed(false));
    assert_eq!(after(TAKE, true), committed(true));
}

#[test]
fn a_batch_of_text_keys_is_decided_by_the_keys_that_the_killed_run_left() {
    for (is_committed, expected) in [(true, committed(false)), (false, rolled_back(true))] {
        let (place, connection) =
            place("name TEXT PRIMARY KEY, at TEXT) WITHOUT ROWID", "printf('k%03d', n)");
        let keys: Vec<Value> = (1..=ROWS).map(|n| json!({ "text": format!("k{n:03}") })).collect();
        leave_in_doubt(&place, &keys, &stand(&place));
        if is_committed {
            connection.execute_batch("DELETE FROM log WHERE name <= 'k060'").unwrap();
        }
        assert_eq!(found_out(&place), expected);
    }
}

#[test]
fn what_others_did_to_some_rows_makes_the_answer_inexact_and_not_wrong() {
    assert_eq!(after("DELETE FROM log WHERE id <= 20", false), rolled_back(false));
    assert_eq!(after(&format!("{TAKE} INSERT INTO log VALUES (30, '{OLD}')"), false), committed(false));
    assert_eq!(after("INSERT INTO log VALUES (101, NULL)", false), rolled_back(false));
}

/// Other rows between them can become due at any time, by the batch itself or by others.
#[test]
fn rows_that_the_batch_did_not_take_say_nothing() {
    let (place, connection) = numbered();
    connection.execute_batch("UPDATE log SET at = NULL WHERE id % 2").unwrap();
    let taken: Vec<Value> = (1..=50).map(|n| json!(2 * n)).collect();
    leave_in_doubt(&place, &taken, &stand(&place));
    connection
        .execute_batch(&format!("DELETE FROM log WHERE id % 2 = 0; UPDATE log SET at = '{OLD}'"))
        .unwrap();
    assert_eq!(found_out(&place), ("committed".to_owned(), false, 50));
}

#[test]
fn rows_that_are_held_by_now_are_there_and_not_gone() {
    assert_eq!(after("UPDATE log SET at = NULL", false), rolled_back(false));
}

#[test]
fn keys_that_were_used_again_do_not_undo_what_was_noted() {
    let again = format!(
        "{TAKE} WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 60)
         INSERT INTO log SELECT n, '{OLD}' FROM n"
    );
    assert_eq!(after(&again, true), committed(false));
    assert!(!after(&again, false).1);
    let last = format!("{TAKE} DELETE FROM log WHERE id > 60; INSERT INTO log VALUES (60, NULL)");
    assert_eq!(after(&last, false), committed(false));
}

#[test]
fn a_trigger_and_rows_that_refer_to_others_change_no_answer() {
    let trigger = "CREATE TRIGGER t AFTER DELETE ON log BEGIN SELECT 1; END;";
    assert_eq!(after(trigger, false), rolled_back(false));
    assert_eq!(after(&format!("{trigger}{TAKE}"), false), committed(false));
    let notes = "CREATE TABLE note (log_id INTEGER REFERENCES log (id)); CREATE INDEX n ON note (log_id);
                 INSERT INTO note SELECT id FROM log WHERE id <= 60;";
    assert_eq!(after(notes, false), rolled_back(false));
}

/// Of a log, a loss of power can take what it leaves of the note.
#[test]
fn a_note_from_before_the_system_was_started_anew_is_not_trusted() {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    for (boot, exact) in [(Some(boot.trim()), true), (Some("another"), false), (None, false)] {
        let (place, connection) = numbered();
        let rows: Vec<Value> = (1..=ROWS).map(|n| json!({ "key": [n] })).collect();
        let stand = json!({ "log": { "salts": [1, 2], "frames": 3, "commits": 4 } });
        let taken = json!({ "columns": [], "salt": "", "rows": rows, "stand": stand, "boot": boot });
        leave_taken(&place, ROWS, taken);
        note_committed(&place);
        connection.execute_batch(TAKE).unwrap();
        assert_eq!(found_out(&place), committed(exact));
    }
}

/// The mark is written behind the entry, and before the commit.
#[test]
fn a_batch_whose_mark_was_not_written_came_to_no_commit() {
    let (place, _connection) = numbered();
    leave_killed(&place, &sources(&place), ROWS, None, None);
    assert_eq!(found_out(&place), rolled_back(true));
}

#[test]
fn what_an_earlier_version_noted_decides_nothing() {
    let (place, connection) = numbered();
    connection.execute_batch(TAKE).unwrap();
    leave_killed(&place, &sources(&place), ROWS, Some([1, 60]), None);
    assert_eq!(found_out(&place), undecided());
}

#[test]
fn a_table_of_another_shape_decides_nothing() {
    let (place, connection) = numbered();
    leave_in_doubt(&place, &numbers(1, ROWS), &stand(&place));
    connection
        .execute_batch("DROP TABLE log; CREATE TABLE log (a, b, at TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID")
        .unwrap();
    assert_eq!(found_out(&place), undecided());
}

/// The batch was about the database that the policy meant then.
#[test]
fn a_path_that_leads_elsewhere_today_decides_nothing() {
    let (place, connection) = numbered();
    leave_in_doubt(&place, &numbers(1, ROWS), &stand(&place));
    drop(connection);
    std::fs::copy(place.path("data.db"), place.path("other.db")).unwrap();
    std::fs::remove_file(place.path("data.db")).unwrap();
    std::os::unix::fs::symlink(place.path("other.db"), place.path("data.db")).unwrap();
    assert_eq!(found_out(&place), undecided());
}

#[test]
fn what_nobody_can_tell_is_said_to_be_undecided() {
    let (place, connection) = numbered();
    leave_in_doubt(&place, &numbers(1, ROWS), &stand(&place));
    std::fs::remove_file(place.state().join("running.json")).unwrap();
    assert_eq!(found_out(&place), undecided());
    drop(connection);
    let (place, _connection) = numbered();
    leave_in_doubt(&place, &numbers(1, ROWS), &stand(&place));
    std::fs::remove_file(place.state().join("pending.json")).unwrap();
    assert_eq!(found_out(&place), undecided());
    let (place, connection) = numbered();
    leave_in_doubt(&place, &numbers(1, ROWS), &stand(&place));
    drop(connection);
    std::fs::remove_file(place.path("data.db")).unwrap();
    assert_eq!(found_out(&place), undecided());
}
