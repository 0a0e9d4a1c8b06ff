//! One run at a time: the second of two purges ends at once and deletes nothing.

use std::time::{Duration, Instant};

use frist::ledger::{RunLock, StateFolder};

use super::support::{OLD, PURGE, Place, count, finish};

#[test]
fn a_purge_beside_another_one_ends_at_once() {
    let place = Place::with_rule_on("log");
    let connection = place.database(&format!(
        "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO log (at) VALUES ('{OLD}'), ('{OLD}');
         BEGIN IMMEDIATE"
    ));
    // The first one waits for the database, with the lock in its hand.
    let first = place.start(&PURGE);
    let deadline = Instant::now() + Duration::from_secs(30);
    while !place.ledger_text().contains("\"event\":\"rule-started\"") {
        assert!(Instant::now() < deadline, "the first purge did not begin");
    }
    let second = place.purge().expect_error(5, &format!("process {}", first.id()));
    assert_eq!(second.out, "");
    assert_eq!(count(&connection, "log"), 2);
    connection.execute_batch("ROLLBACK").unwrap();
    assert_eq!(finish(first).expect(0).rule("log")["deleted"], 2);
    place.assert_ledger_is_whole();
}

#[test]
fn a_report_does_not_wait_for_a_purge() {
    let place = Place::with_rule_on("log");
    let _connection = place.database(&format!(
        "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO log (at) VALUES ('{OLD}')"
    ));
    let folder = StateFolder::create(&place.state()).unwrap();
    let lock = RunLock::acquire(&folder).unwrap();
    place.frist(&["report"]).expect(0);
    place.purge().expect(5);
    drop(lock);
    place.purge().expect(0);
}
