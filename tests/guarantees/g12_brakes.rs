//! G12 and G16: a wrong clock, a broken limit, a missing or empty source stop the deletion, not
//! the data, and one bad rule does not stop the others.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::support::{
    COMING, OLD, PURGE, Place, REPORT, SOURCE, WITHOUT_LIMIT, assert_integrity, count, open, rule,
    source_and_rule,
};

const NOW: &str = "2026-01-01T12:00:00Z";

/// A table of some due rows among some more.
fn fill(connection: &Connection, table: &str, due: u64, others: u64) {
    connection
        .execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS \"{table}\" (id INTEGER PRIMARY KEY, at TEXT);
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {due})
             INSERT INTO \"{table}\" (at) SELECT '{OLD}' FROM n WHERE {due} > 0;
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {others})
             INSERT INTO \"{table}\" (at) SELECT '{COMING}' FROM n WHERE {others} > 0"
        ))
        .unwrap();
}

fn place_with(sections: &str, due: u64, others: u64) -> (Place, Connection) {
    let place = Place::in_memory();
    place.write_policy(sections);
    let connection = place.database("");
    fill(&connection, "log", due, others);
    (place, connection)
}

/// A place where a purge has run at noon on New Year's Day, with a due row since.
fn after_a_run() -> (Place, Connection) {
    let (place, connection) = place_with(&source_and_rule("log"), 1, 9);
    place.at(NOW, &PURGE).expect(0);
    fill(&connection, "log", 1, 0);
    (place, connection)
}

fn purge_accepting_clock() -> Vec<&'static str> {
    PURGE.iter().copied().chain(["--accept-clock"]).collect()
}

#[test]
fn a_clock_that_went_back_is_refused() {
    let (place, connection) = after_a_run();
    place.at("2026-01-01T11:54:59Z", &PURGE).expect_error(4, "backwards");
    place.at("2001-06-01T00:00:00Z", &PURGE).expect_error(4, "--accept-clock");
    assert_eq!(count(&connection, "log"), 10);
    place.at("2026-01-01T11:55:00Z", &PURGE).expect(0);
    assert_eq!(count(&connection, "log"), 9);
}

#[test]
fn a_clock_that_jumped_ahead_is_refused() {
    let (place, connection) = after_a_run();
    place.at("2026-02-01T12:00:01Z", &PURGE).expect_error(4, "31 days after the last run");
    // This would make everything due, for good.
    place.at("2299-01-01T00:00:00Z", &PURGE).expect_error(4, "--accept-clock");
    assert_eq!(count(&connection, "log"), 10);
    place.at("2026-02-01T12:00:00Z", &PURGE).expect(0);
    assert_eq!(count(&connection, "log"), 9);
}

#[test]
fn a_clock_may_be_further_ahead_where_runs_are_rare() {
    let (place, connection) = after_a_run();
    let policy = std::fs::read_to_string(place.policy()).unwrap();
    let monthly = policy.replacen("[policy]", "[policy]\nruns-every = \"1 month\"", 1);
    std::fs::write(place.policy(), monthly).unwrap();
    place.at("2026-11-20T00:00:00Z", &PURGE).expect_error(4, "322 days after the last run");
    place.at("2026-10-20T00:00:00Z", &PURGE).expect(0);
    assert_eq!(count(&connection, "log"), 9);
}

#[test]
fn a_clock_can_be_accepted() {
    for now in ["2025-06-01T00:00:00Z", "2029-01-01T00:00:00Z"] {
        let (place, connection) = after_a_run();
        place.at(now, &purge_accepting_clock()).expect(0);
        assert_eq!(count(&connection, "log"), 9);
        place.assert_ledger_is_whole();
    }
}

#[test]
fn a_refused_clock_leaves_no_entry_that_would_make_it_right() {
    let (place, connection) = after_a_run();
    let before = place.ledger().len();
    for _ in 0..2 {
        place.at("2028-01-01T00:00:00Z", &PURGE).expect(4);
    }
    assert_eq!(place.ledger().len(), before);
    assert_eq!(count(&connection, "log"), 10);
}

/// What report and purge make of a limit: both tell of a breach, and only purge refuses.
fn breach(limit: &str, due: u64, others: u64) -> Option<Value> {
    let (place, connection) = place_with(&format!("{SOURCE}{}{limit}", rule("log", "log")), due, others);
    let told = place.at(NOW, &REPORT).expect(0).rule("log")["limit"].clone();
    let purge = place.at(NOW, &PURGE);
    assert_eq!(purge.rule("log")["limit"], told);
    if told.is_null() {
        purge.expect(0);
        assert_eq!(count(&connection, "log"), others);
        return None;
    }
    assert_eq!(purge.rule("log")["outcome"], "refused");
    assert_eq!(purge.rule("log")["deleted"], 0);
    purge.expect(4);
    assert_eq!(count(&connection, "log"), due + others);
    let accepting: Vec<&str> = PURGE.iter().copied().chain(["--accept-limit", "log"]).collect();
    place.at(NOW, &accepting).expect(0);
    assert_eq!(count(&connection, "log"), others, "an accepted limit lets through once");
    place.at(NOW, &accepting).expect(0);
    Some(told)
}

fn kind(breach: Option<Value>) -> Option<String> {
    breach.map(|breach| breach["kind"].as_str().unwrap().to_owned())
}

#[test]
fn the_default_limit_is_a_quarter_of_a_hundred_and_never_the_whole() {
    assert_eq!(breach("", 26, 74), Some(json!({ "kind": "share", "value": 0.26, "allowed": 0.25 })));
    assert_eq!(breach("", 25, 75), None);
    assert_eq!(breach("", 90, 9), None);
    assert_eq!(kind(breach("", 99, 0)), Some("whole".to_owned()));
    assert_eq!(kind(breach("", 2, 0)), Some("whole".to_owned()));
    assert_eq!(breach("", 1, 0), None);
    assert_eq!(breach("", 0, 0), None);
}

#[test]
fn written_limits_replace_their_defaults() {
    assert_eq!(breach("limit = { share = '100%' }", 200, 0), None);
    assert_eq!(
        breach("limit = { share = '10%' }", 2, 17),
        Some(json!({ "kind": "share", "value": 2.0 / 19.0, "allowed": 0.1 }))
    );
    assert_eq!(breach("limit = { share = '10%' }", 2, 18), None);
    assert_eq!(
        breach("limit = { records = 3 }", 4, 96),
        Some(json!({ "kind": "records", "value": 4, "allowed": 3 }))
    );
    assert_eq!(breach("limit = { records = 3 }", 3, 97), None);
    assert_eq!(kind(breach("limit = { records = 1000 }", 26, 74)), Some("share".to_owned()));
}

/// The number of rows is looked up only as far as the limit needs where there is an index.
#[test]
fn limits_hold_for_a_table_with_an_index_too() {
    for (due, others, code) in [(26, 74, 4), (25, 75, 0), (2, 0, 4), (1, 0, 0)] {
        let (place, connection) = place_with(&source_and_rule("log"), due, others);
        connection.execute_batch("CREATE INDEX log_at ON log (at)").unwrap();
        place.at(NOW, &PURGE).expect(code);
        assert_eq!(count(&connection, "log"), if code == 0 { others } else { due + others });
    }
}

#[test]
fn a_limit_of_the_policy_holds_for_all_rules_and_a_rule_can_have_its_own() {
    let sections = format!(
        "limit = {{ records = 3 }}\n{SOURCE}{}{}limit = {{ records = 5 }}\n",
        rule("a", "a"),
        rule("b", "b")
    );
    let place = Place::in_memory();
    place.write_policy(&sections);
    let connection = place.database("");
    fill(&connection, "a", 4, 96);
    fill(&connection, "b", 4, 96);
    let purge = place.at(NOW, &PURGE).expect(4);
    assert_eq!([&purge.rule("a")["outcome"], &purge.rule("b")["outcome"]], ["refused", "done"]);
    assert_eq!([count(&connection, "a"), count(&connection, "b")], [100, 96]);
}

#[test]
fn a_refused_rule_goes_on_overruling() {
    // The long rule wins over the short one for every due row, and is refused.
    let long = rule("long", "log");
    let short = "[[rule]]\nname = \"short\"\ndata = \"db.log\"\nkeep = \"1 day\"\nafter = \"at\"\nlimit = { share = '100%' }\n";
    let (place, connection) = place_with(&format!("{SOURCE}{long}{short}"), 50, 50);
    let purge = place.at(NOW, &PURGE).expect(4);
    assert_eq!([&purge.rule("long")["due"], &purge.rule("short")["overruled"]], [&json!(50); 2]);
    assert_eq!(count(&connection, "log"), 100);
}

/// Two more sources beside `good.db`, which has due rows: whatever is wrong with the one, the
/// other is purged.
fn purge_beside(spoil: impl Fn(&Place)) -> (Place, Value) {
    let good = "[source.good]\nsqlite = \"good.db\"\n";
    let good_rule = "[[rule]]\nname = \"good\"\ndata = \"good.log\"\nkeep = \"1 year\"\nafter = \"at\"\n";
    let (place, connection) =
        place_with(&format!("{WITHOUT_LIMIT}{SOURCE}{good}{}{good_rule}", rule("bad", "log")), 2, 2);
    drop(connection);
    fill(&open(&place.path("good.db")), "log", 3, 3);
    spoil(&place);
    let report = place.at(NOW, &REPORT).expect(3);
    assert_eq!(report.rule("bad")["due"], json!(null), "what is missing is not nothing due");
    assert_eq!(report.rule("good")["due"], 3);
    let purge = place.at(NOW, &PURGE).expect(3);
    assert_eq!([&purge.rule("bad")["outcome"], &purge.rule("good")["outcome"]], ["failed", "done"]);
    assert_eq!(count(&open(&place.path("good.db")), "log"), 3);
    place.assert_ledger_is_whole();
    let json = purge.json();
    let (status, code) = (json["sources"][0]["status"].clone(), purge.problems("bad"));
    (place, json!([status, code]))
}

#[test]
fn a_missing_file_stops_only_its_own_rules() {
    let (place, told) = purge_beside(|place| std::fs::remove_file(place.path("data.db")).unwrap());
    assert_eq!(told, json!(["missing", ["missing-source"]]));
    assert!(!place.path("data.db").exists(), "it was not made anew");
}

#[test]
fn an_empty_file_stops_only_its_own_rules() {
    let (place, told) = purge_beside(|place| std::fs::write(place.path("data.db"), "").unwrap());
    assert_eq!(told, json!(["failed", ["empty-database"]]));
    assert_eq!(std::fs::metadata(place.path("data.db")).unwrap().len(), 0);
}

#[test]
fn a_missing_table_stops_only_its_own_rules() {
    let (_, told) =
        purge_beside(|place| open(&place.path("data.db")).execute_batch("DROP TABLE log").unwrap());
    assert_eq!(told, json!(["read", ["missing-table"]]));
}

#[test]
fn a_missing_column_stops_only_its_own_rules() {
    let (_, told) = purge_beside(|place| {
        open(&place.path("data.db")).execute_batch("ALTER TABLE log RENAME COLUMN at TO when_").unwrap();
    });
    assert_eq!(told, json!(["read", ["missing-column"]]));
}

#[test]
fn a_damaged_file_stops_only_its_own_rules() {
    let (_, told) = purge_beside(|place| {
        let mut bytes = std::fs::read(place.path("data.db")).unwrap();
        bytes[100..].fill(0xA5);
        std::fs::write(place.path("data.db"), bytes).unwrap();
    });
    assert_eq!(told[1], json!(["damaged"]));
}

#[test]
fn a_limit_and_a_missing_source_together_are_a_refusal() {
    let other = "[source.other]\nsqlite = \"missing.db\"\n";
    let missing = rule("missing", "log").replace("db.log", "other.log");
    let (place, connection) = place_with(&format!("{SOURCE}{other}{}{missing}", rule("log", "log")), 50, 50);
    let purge = place.at(NOW, &PURGE).expect(4);
    assert_eq!(purge.problems("missing"), ["missing-source"]);
    assert_eq!(count(&connection, "log"), 100);
    assert_integrity(&connection);
}

#[test]
fn without_consent_nothing_is_deleted_nor_written() {
    let (place, connection) = place_with(&source_and_rule("log"), 1, 9);
    place.at(NOW, &["purge"]).expect_error(4, "--yes");
    assert_eq!(count(&connection, "log"), 10);
    assert!(!place.state().exists());
}

/// Answers yes, and makes all rows due before it does.
struct LateAnswer<'a> {
    connection: &'a Connection,
    answer: &'static [u8],
}

impl std::io::Read for LateAnswer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.answer.read(buffer)
    }
}

impl std::io::BufRead for LateAnswer<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.connection.execute_batch(&format!("UPDATE log SET at = '{OLD}'")).unwrap();
        Ok(self.answer)
    }

    fn consume(&mut self, amount: usize) {
        self.answer = &self.answer[amount..];
    }
}

#[test]
fn what_falls_due_after_it_was_counted_does_not_pass_the_limit() {
    let (place, connection) = place_with(&source_and_rule("log"), 2, 998);
    let mut answers = LateAnswer { connection: &connection, answer: b"yes\n" };
    let purge = place.answering(NOW, &["purge", "--format", "json"], &mut answers).expect(3);
    assert_eq!(purge.problems("log"), ["limit"]);
    assert_eq!(purge.rule("log")["deleted"], 250);
    assert_eq!(count(&connection, "log"), 750);
}
