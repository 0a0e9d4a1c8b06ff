//! G5: a batch that was announced and perhaps committed is decided by the data, and the ledger
//! says where another program may have changed the answer.

use std::collections::BTreeMap;

use frist::ledger::{Batch, Event, Ledger, Pending, RuleStarted, RunLock, RunStarted, StateFolder};
use frist::verdict::Counts;
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

/// Writes what a run leaves that is killed as it commits its first batch.
fn leave_in_doubt(place: &Place, rows: u64, range: Option<[i64; 2]>, keys: Option<Value>) {
    let sources = json!({ "db": place.path("data.db").canonicalize().unwrap() });
    leave_killed(place, &sources, rows, range, keys);
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
    let batch = Batch { rule: "log".to_owned(), number: 1, rows, range };
    for event in [Event::RunStarted(run_started()), Event::RuleStarted(rule_started()), Event::Batch(batch)] {
        ledger.append(KILLED_AT, &event).unwrap();
    }
    ledger.seal().unwrap();
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

fn committed() -> (String, bool, u64) {
    ("committed".to_owned(), true, ROWS)
}

fn rolled_back() -> (String, bool, u64) {
    ("rolled-back".to_owned(), true, 0)
}

#[test]
fn a_batch_whose_rows_are_there_was_rolled_back() {
    let (place, _connection) = numbered();
    leave_in_doubt(&place, ROWS, Some([1, 60]), None);
    assert_eq!(found_out(&place), rolled_back());
}

#[test]
fn a_batch_whose_rows_are_gone_was_committed() {
    let (place, connection) = numbered();
    connection.execute_batch("DELETE FROM log WHERE id <= 60").unwrap();
    leave_in_doubt(&place, ROWS, Some([1, 60]), None);
    assert_eq!(found_out(&place), committed());
}

#[test]
fn a_batch_of_text_keys_is_decided_by_the_keys_that_the_killed_run_left() {
    let end = |key: &str| json!({ "key": [{ "text": key }], "included": true });
    for (is_committed, expected) in [(true, committed()), (false, rolled_back())] {
        let (place, connection) =
            place("name TEXT PRIMARY KEY, at TEXT) WITHOUT ROWID", "printf('k%03d', n)");
        if is_committed {
            connection.execute_batch("DELETE FROM log WHERE name <= 'k060'").unwrap();
        }
        leave_in_doubt(&place, ROWS, None, Some(json!([end("k001"), end("k060")])));
        assert_eq!(found_out(&place), expected);
    }
}

#[test]
fn rows_that_another_program_deleted_meanwhile_make_the_answer_inexact() {
    let (place, connection) = numbered();
    connection.execute_batch("DELETE FROM log WHERE id <= 20").unwrap();
    leave_in_doubt(&place, ROWS, Some([1, 60]), None);
    assert!(!found_out(&place).1);
}

#[test]
fn rows_that_another_program_inserted_meanwhile_make_the_answer_inexact() {
    let (place, connection) = numbered();
    connection
        .execute_batch(&format!("DELETE FROM log WHERE id <= 60; INSERT INTO log VALUES (30, '{OLD}')"))
        .unwrap();
    leave_in_doubt(&place, ROWS, Some([1, 60]), None);
    assert!(!found_out(&place).1);
}

#[test]
fn rows_that_are_no_longer_due_do_not_count() {
    let (place, connection) = numbered();
    connection.execute_batch("DELETE FROM log WHERE id <= 60; INSERT INTO log VALUES (30, NULL)").unwrap();
    leave_in_doubt(&place, ROWS, Some([1, 60]), None);
    assert_eq!(found_out(&place), committed());
}

#[test]
fn a_trigger_makes_the_answer_inexact() {
    for delete in ["", "DELETE FROM log WHERE id <= 60;"] {
        let (place, connection) = numbered();
        let trigger = "CREATE TRIGGER t AFTER DELETE ON log BEGIN SELECT 1; END;";
        connection.execute_batch(&format!("{delete}{trigger}")).unwrap();
        leave_in_doubt(&place, ROWS, Some([1, 60]), None);
        assert!(!found_out(&place).1);
    }
}

/// A batch passes over rows that others refer to; but others may also refer to them only since.
#[test]
fn due_rows_that_others_refer_to_leave_the_answer_open() {
    let (place, connection) = numbered();
    connection
        .execute_batch(
            "CREATE TABLE note (log_id INTEGER REFERENCES log (id));
             INSERT INTO note SELECT id FROM log WHERE id <= 30; DELETE FROM log WHERE id BETWEEN 31 AND 60",
        )
        .unwrap();
    leave_in_doubt(&place, 30, Some([1, 60]), None);
    let (outcome, exact, deleted) = found_out(&place);
    assert!(outcome == "undecided" && !exact && deleted == 0, "{outcome} {exact} {deleted}");
}

/// A second after the announcement at the latest, the commit was written.
#[test]
fn a_database_that_was_written_later_makes_the_answer_inexact() {
    let (place, connection) = numbered();
    connection.execute_batch("DELETE FROM log WHERE id <= 60").unwrap();
    leave_in_doubt(&place, ROWS, Some([1, 60]), None);
    drop(connection);
    let later = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000);
    std::fs::File::options().write(true).open(place.path("data.db")).unwrap().set_modified(later).unwrap();
    assert_eq!(found_out(&place), ("committed".to_owned(), false, ROWS));
}

/// The batch was about the database that the policy meant then.
#[test]
fn a_path_that_leads_elsewhere_today_decides_nothing() {
    let (place, connection) = numbered();
    leave_in_doubt(&place, ROWS, Some([1, 60]), None);
    drop(connection);
    std::fs::copy(place.path("data.db"), place.path("other.db")).unwrap();
    std::fs::remove_file(place.path("data.db")).unwrap();
    std::os::unix::fs::symlink(place.path("other.db"), place.path("data.db")).unwrap();
    assert_eq!(found_out(&place), ("undecided".to_owned(), false, 0));
}

#[test]
fn what_nobody_can_tell_is_said_to_be_undecided() {
    let (place, connection) = numbered();
    leave_in_doubt(&place, ROWS, Some([1, 60]), None);
    std::fs::remove_file(place.state().join("running.json")).unwrap();
    assert_eq!(found_out(&place), ("undecided".to_owned(), false, 0));
    drop(connection);
    let (place, connection) = numbered();
    leave_in_doubt(&place, ROWS, Some([1, 60]), None);
    drop(connection);
    std::fs::remove_file(place.path("data.db")).unwrap();
    assert_eq!(found_out(&place), ("undecided".to_owned(), false, 0));
}
