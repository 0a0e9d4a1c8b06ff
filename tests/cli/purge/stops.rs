//! Runs that end early: a signal, the time allowed, a full disk, a schema that changes.

use rustix::process::Signal;

use super::super::support::{signal, wait};
use super::{Place, Ran, fs, json, people, purge, rule, wait_until};

/// Enough due records for a run of many batches.
fn many() -> Place {
    let place = Place::with_rules(&rule("people", "people", "1 year", "ended_at"));
    place.sql(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, ended_at TEXT, name TEXT);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         INSERT INTO people SELECT i, '2020-01-01', hex(randomblob(40)) FROM n",
    );
    place
}

/// Starts a purge, and does something when its first batches are done.
fn interrupted(place: &Place, interrupt: impl FnOnce(&std::process::Child)) -> Ran {
    let run = place.spawn(&["purge", "--yes", "policy.toml", "--format", "json"]);
    let ledger = place.path("state/ledger.jsonl");
    wait_until("two batches", || {
        fs::read_to_string(&ledger).is_ok_and(|entries| entries.matches("\"event\":\"batch\"").count() >= 2)
    });
    interrupt(&run);
    wait(run)
}

/// That the ledger is whole, tells of the rows that are gone, and that the next run does the rest.
fn assert_accounted(place: &Place, deleted: &serde_json::Value) {
    assert_eq!(deleted.as_i64().unwrap() + people(place), 100_000);
    place.frist(&["ledger", "verify", "policy.toml"]).code(0).does_not_say("note:");
    purge(place, &[]).code(0);
    assert_eq!(people(place), 0);
}

#[test]
fn a_signal_ends_the_run_after_its_batch_and_the_next_one_goes_on() {
    for kind in [Signal::TERM, Signal::INT] {
        let place = many();
        let ran = interrupted(&place, |run| signal(run, kind)).code(3);
        let json = ran.json();
        assert_eq!((&json["stopped"], &json["exit_code"]), (&json!("signal"), &json!(3)));
        assert_eq!(json["rules"][0]["outcome"], "stopped");
        assert!(people(&place) > 0, "the run was to be interrupted");
        let last =
            place.frist(&["ledger", "show", "--all", "policy.toml"]).out.lines().last().unwrap().to_string();
        assert!(last.contains("run-finished") && last.contains("reason=[\"signal\"]"), "{last}");
        assert_accounted(&place, &json["totals"]["deleted"]);
    }
}

#[test]
fn no_time_at_all_ends_the_run_before_its_first_rule() {
    let place = super::shop();
    let words =
        "Ended with 3: the time that --max-runtime allows was over; the next purge goes on from there.";
    purge(&place, &["--max-runtime", "0s"])
        .code(3)
        .says(words)
        .says("0 records deleted; 2 due records are left.")
        .does_not_say(" rule ");
    purge(&place, &["--max-runtime", "0s", "-q"]).code(3).says(words).does_not_say("deleted");
    assert_eq!(people(&place), 3);
    place.frist(&["ledger", "show", "--all", "policy.toml"]).code(0).says("reason=[\"max-runtime\"]");
    purge(&place, &["--max-runtime", "10m"]).code(0).says("2 records deleted");
}

#[test]
fn a_time_without_a_unit_is_met_with_one() {
    super::purge(&super::shop(), &["--max-runtime", "5"]).code(2).says("time unit needed, for example 5sec");
    super::purge(&super::shop(), &["--wait", "soon"]).code(2).says("--wait");
}

#[test]
fn a_schema_that_changes_meanwhile_ends_the_rule_and_loses_nothing() {
    let place = many();
    let other = place.sql("");
    let ran =
        interrupted(&place, |_| other.execute_batch("ALTER TABLE people ADD COLUMN phone TEXT").unwrap());
    let ran = ran.code(3);
    let json = ran.json();
    let problem = &json["rules"][0]["problems"][0];
    assert_eq!(problem["code"], "schema-changed", "{json}");
    assert_eq!(problem["message"], "table `people`: the schema changed during the run; run again");
    assert_accounted(&place, &json["totals"]["deleted"]);
}

#[test]
fn a_table_that_is_renamed_meanwhile_ends_the_rule() {
    let place = many();
    let other = place.sql("");
    let ran =
        interrupted(&place, |_| other.execute_batch("ALTER TABLE people RENAME TO persons").unwrap()).code(3);
    let deleted = ran.json()["totals"]["deleted"].as_i64().unwrap();
    assert_eq!(deleted + place.number("SELECT count(*) FROM persons"), 100_000);
    purge(&place, &[]).code(3).says("the database has no table `people`; it has: persons");
}

#[test]
fn a_ledger_that_cannot_grow_keeps_the_data() {
    let place = super::shop();
    place.sql("PRAGMA journal_mode = MEMORY");
    // The database and every other file have to fit where the ledger does not.
    while fs::metadata(place.path("state/ledger.jsonl")).map_or(0, |ledger| ledger.len()) < 20_000 {
        purge(&place, &["--rule", "log"]).code(0);
    }
    let blocks = fs::metadata(place.path("state/ledger.jsonl")).unwrap().len() / 512;
    for more in 0..6 {
        let limit = format!("trap '' XFSZ; ulimit -f {};", blocks + more);
        let ran = place.frist_in_shell(&limit, &["purge", "--yes", "policy.toml"], "").code(3);
        ran.says("cannot write ").says("state/ledger.jsonl: File too large");
        assert_eq!(people(&place), 3, "{more}");
    }
    place.frist(&["ledger", "verify", "policy.toml"]).code(0);
    purge(&place, &[]).code(0).says("2 records deleted");
}

#[test]
fn a_log_that_cannot_be_emptied_is_told_and_waited_for_by_nobody() {
    let place = Place::with_rules(&rule("people", "people", "1 year", "ended_at"));
    place.sql(
        "PRAGMA journal_mode = WAL; CREATE TABLE people (id INTEGER PRIMARY KEY, ended_at TEXT, name TEXT);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         INSERT INTO people SELECT i, iif(i > 18000, '2020-01-01', NULL), hex(randomblob(100)) FROM n",
    );
    // What is written into the log fits, and what goes from there to the end of the database does not.
    let limit = "trap '' XFSZ; ulimit -f 4000;";
    let ran = place.frist_in_shell(limit, &["-v", "purge", "--yes", "policy.toml"], "");
    assert_eq!(ran.err.matches("not emptied").count(), 1, "{}", ran.err);
    ran.code(0).says("2,000 records deleted").says("app.db: the log was not emptied: disk I/O error");
    place.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    assert_eq!(people(&place), 18_000);
}
