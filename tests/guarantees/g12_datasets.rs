//! G12: what leaves a dataset in one run, by all rules together, has a limit of its own.

use serde_json::json;

use super::support::{COMING, OLD, PURGE, Place, REPORT, SOURCE, WITHOUT_LIMIT, count};

const NOW: &str = "2026-01-01T12:00:00Z";

/// A rule on the rows of one kind.
fn rule_of(kind: u64, more: &str) -> String {
    format!(
        "[[rule]]\nname = \"r{kind}\"\ndata = \"db.log\"\nkeep = \"1 year\"\nafter = \"at\"\nwhen = \"kind = {kind}\"\n{more}\n"
    )
}

/// As many due rows of each kind, and others that are in period.
fn place_with(sections: &str, due: &[u64], others: u64) -> Place {
    let place = Place::in_memory();
    place.write_policy(sections);
    let connection = place
        .database("CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT, kind INTEGER, note TEXT DEFAULT 'x')");
    let insert = |rows: u64, at: &str, kind: usize| {
        let sql = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {rows}) \
             INSERT INTO log (at, kind) SELECT '{at}', {kind} FROM n"
        );
        if rows > 0 {
            connection.execute_batch(&sql).unwrap();
        }
    };
    due.iter().enumerate().for_each(|(kind, rows)| insert(*rows, OLD, kind));
    insert(others, COMING, 0);
    place
}

fn rows(place: &Place) -> u64 {
    count(&place.database(""), "log")
}

fn purge_with(place: &Place, more: &[&str], code: i32) {
    let arguments: Vec<&str> = PURGE.iter().chain(more).copied().collect();
    place.at(NOW, &arguments).expect(code);
}

fn three_rules() -> String {
    format!("{SOURCE}{}{}{}", rule_of(0, ""), rule_of(1, ""), rule_of(2, ""))
}

#[test]
fn rules_that_are_each_within_their_limit_may_be_too_much_together() {
    for index in ["", "CREATE INDEX log_at ON log (at)"] {
        let place = place_with(&three_rules(), &[20, 20, 11], 49);
        place.database(index);
        let told = json!({ "kind": "share", "value": 0.51, "allowed": 0.5, "dataset": "db.log" });
        let report = place.at(NOW, &REPORT).expect(0);
        let purge = place.at(NOW, &PURGE).expect(4);
        for name in ["r0", "r1", "r2"] {
            assert_eq!([&report.rule(name)["limit"], &purge.rule(name)["limit"]], [&told; 2], "{index}");
            assert_eq!(purge.rule(name)["outcome"], "refused");
            assert_eq!(purge.rule(name)["deleted"], 0);
        }
        assert_eq!(rows(&place), 100);
        purge_with(&place, &["--accept-limit", "db.log"], 0);
        assert_eq!(rows(&place), 49);
    }
    let place = place_with(&three_rules(), &[20, 20, 10], 50);
    place.at(NOW, &PURGE).expect(0);
    assert_eq!(rows(&place), 50, "half may go");
    let place = place_with(&three_rules(), &[2, 2, 1], 0);
    assert_eq!(place.at(NOW, &PURGE).expect(4).rule("r1")["limit"]["kind"], "whole");
    assert_eq!(rows(&place), 5);
}

#[test]
fn what_somebody_has_said_of_a_rule_is_not_counted() {
    let own =
        format!("{SOURCE}{}{}{}", rule_of(0, "limit = { share = '40%' }"), rule_of(1, ""), rule_of(2, ""));
    let place = place_with(&own, &[20, 20, 11], 49);
    place.at(NOW, &PURGE).expect(0);
    assert_eq!(rows(&place), 49);
    let place = place_with(&three_rules(), &[20, 20, 11], 49);
    purge_with(&place, &["--accept-limit", "r2"], 0);
    assert_eq!(rows(&place), 49);
    // A rule that is not carried out takes nothing, and what is anonymised does not leave.
    let anonymise = "then = \"anonymise\"\nset = { note = \"remove\" }";
    for more in ["enforce = false", anonymise] {
        let place = place_with(
            &format!("{SOURCE}{}{}{}", rule_of(0, more), rule_of(1, ""), rule_of(2, "")),
            &[20, 20, 11],
            49,
        );
        place.at(NOW, &PURGE).expect(0);
        assert!(rows(&place) == 69, "{more}");
    }
}

#[test]
fn a_dataset_has_a_limit_of_its_own() {
    let table = |limit: &str| format!("{}[source.db.table.log]\nlimit = {limit}\n", three_rules());
    for (limit, code) in [
        ("{ records = 50 }", 4),
        ("{ records = 51, share = '60%' }", 0),
        ("{ share = '50%' }", 4),
        ("{ share = '51%' }", 0),
    ] {
        let place = place_with(&table(limit), &[20, 20, 11], 49);
        place.at(NOW, &PURGE).expect(code);
        assert_eq!(rows(&place), if code == 0 { 49 } else { 100 }, "{limit}");
    }
    // That of the policy replaces both defaults.
    let place = place_with(&format!("{WITHOUT_LIMIT}{}", three_rules()), &[40, 40, 20], 0);
    place.at(NOW, &PURGE).expect(0);
    assert_eq!(rows(&place), 0);
}

const WITH: &str = "with = [{ table = \"lines\", on = \"log_id = id\" }]";
const LINES: &str = "CREATE TABLE lines (id INTEGER PRIMARY KEY, log_id INTEGER); \
    CREATE INDEX lines_log ON lines (log_id); INSERT INTO lines (log_id) SELECT id FROM log WHERE kind = 1";

#[test]
fn rows_that_go_along_leave_their_table_too() {
    let policy = |more: &str| format!("{SOURCE}{}{}{more}", rule_of(0, ""), rule_of(1, WITH));
    let place = place_with(&policy(""), &[3, 2], 95);
    place.database(LINES);
    let purge = place.at(NOW, &PURGE).expect(4);
    assert_eq!(purge.rule("r1")["limit"]["dataset"], "db.lines");
    assert_eq!([&purge.rule("r0")["outcome"], &purge.rule("r1")["outcome"]], ["done", "refused"]);
    assert_eq!(rows(&place), 97, "the other rule takes nothing from that table");
    purge_with(&place, &["--accept-limit", "db.lines"], 0);
    assert_eq!(rows(&place), 95);
    let place = place_with(&policy("[source.db.table.lines]\nlimit = { share = '100%' }\n"), &[3, 2], 95);
    place.database(LINES);
    place.at(NOW, &PURGE).expect(0);
    assert_eq!(count(&place.database(""), "lines"), 0);
}

#[test]
fn files_have_the_limit_too() {
    let rule = |kind: u64| {
        format!(
            "[[rule]]\nname = \"r{kind}\"\ndata = \"f\"\nkeep = \"1 year\"\nafter = \"at\"\nwhen = \"kind = '{kind}'\"\n"
        )
    };
    let policy =
        |limit: &str| format!("[source.f]\ncsv = \"f.csv\"\n{limit}\n{}{}{}", rule(0), rule(1), rule(2));
    let lines = |kind: u64, rows: usize| format!("{OLD},{kind}\n").repeat(rows);
    let text = format!(
        "at,kind\n{}{}{}{}",
        lines(0, 20),
        lines(1, 20),
        lines(2, 20),
        format!("{COMING},0\n").repeat(40)
    );
    let place = Place::in_memory();
    let purged = |limit: &str, more: &[&str], code: i32| {
        place.write_policy(&policy(limit));
        std::fs::write(place.path("f.csv"), &text).unwrap();
        purge_with(&place, more, code);
        std::fs::read_to_string(place.path("f.csv")).unwrap().lines().count() - 1
    };
    assert_eq!(purged("", &[], 4), 100);
    assert_eq!(purged("", &["--accept-limit", "f"], 0), 40);
    assert_eq!(purged("limit = { share = '60%' }", &[], 0), 40);
}

#[test]
fn a_name_that_could_mean_two_rules_chooses_none() {
    let place = place_with(&three_rules(), &[20, 0, 0], 80);
    let other = std::fs::read_to_string(place.policy()).unwrap();
    let other = other.replace("\"test\"", "\"other\"").replace("data.db", "other.db");
    std::fs::write(place.path("other.toml"), other).unwrap();
    std::fs::copy(place.path("data.db"), place.path("other.db")).unwrap();
    let second = place.path("other.toml").display().to_string();
    let run = |more: &[&str]| {
        let arguments: Vec<&str> =
            PURGE.iter().copied().chain([second.as_str()]).chain(more.iter().copied()).collect();
        place.at(NOW, &arguments)
    };
    for flag in ["--rule", "--accept-limit"] {
        run(&[flag, "r0"]).expect_error(2, "`r0` is in several policies: write other/r0 or test/r0");
        run(&[flag, "third/r0"]).expect_error(2, "no policy has a rule");
    }
    assert_eq!(rows(&place), 100);
    run(&["--rule", "test/r0"]).expect(0);
    assert_eq!(rows(&place), 80);
    assert_eq!(count(&super::support::open(&place.path("other.db")), "log"), 100);
    run(&["--rule", "other/r0"]).expect(0);
    assert_eq!(count(&super::support::open(&place.path("other.db")), "log"), 80);
}
