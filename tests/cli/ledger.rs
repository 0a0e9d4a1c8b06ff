//! `frist ledger show` and `frist ledger verify`.

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use super::support::{Place, rule};

/// A place in which one record was purged.
fn purged() -> Place {
    let place = Place::with_rules(&rule("people", "people", "1 year", "ended_at"));
    place.sql("CREATE TABLE people (ended_at TEXT); INSERT INTO people VALUES ('2020-05-01')");
    let policy = place.arg("policy.toml");
    place.frist_at("2026-11-20T01:00:00Z", &["purge", "--yes", &policy], None).code(0);
    place
}

/// The last entry, as a purge prints it.
fn last_link(place: &Place) -> String {
    let json = place.frist(&["ledger", "verify", "policy.toml", "--format", "json"]).json();
    format!("{}:{}", json["last"]["entry"], json["last"]["hash"].as_str().unwrap())
}

#[test]
fn the_text_has_a_line_for_each_entry() {
    let ran = purged().frist(&["ledger", "show", "--all", "policy.toml"]).code(0);
    let steady = ran.out.lines().filter(|line| !line.contains("run-started")).map(without_seconds);
    assert_snapshot!(steady.collect::<Vec<_>>().join("\n"), @r#"
    2  2026-11-20T01:00:00Z  source         source=app status=read
    3  2026-11-20T01:00:00Z  rule-started   rule=people data=app.people then=delete keep=1 year due_up_to=2025-11-19 counts(matched=1 due=1 held=0 blocked=0 overruled=0 spared=0 done=0 waiting=0 running=0 unreadable=0 unrelated=0) oldest_event=2020-05-01 longest_overdue_days=2028
    4  2026-11-20T01:00:00Z  batch          rule=people number=1 rows=1
    5  2026-11-20T01:00:00Z  rule-finished  rule=people deleted=1 taken_along=0 anonymised=0 pseudonymised=0 survivors=0 batches=1 outcome=done
    6  2026-11-20T01:00:00Z  run-finished   exit_code=0 deleted=1
    "#);
    let first = ran.out.lines().next().unwrap();
    for part in
        ["command=purge", "policy=shop", "now=2026-11-20T01:00:00Z", "trigger=unattended", "operator="]
    {
        assert!(first.contains(part), "{part} in {first}");
    }
}

#[test]
fn the_text_has_a_line_for_each_run() {
    let place = purged();
    let policy = place.path("policy.toml").display().to_string();
    let later = &["purge", "--yes", "--max-runtime", "0s", &policy];
    place.frist_at("2026-11-21T01:00:00Z", later, None).code(3);
    let ran = place.frist(&["ledger", "show", "--runs", "policy.toml"]).code(0);
    // How long they took, and so how wide that is, is different each time.
    let steady = |line: &str| {
        let took = |word: &str| word.contains('.') && word.parse::<f64>().is_ok();
        let words = line.split_whitespace().map(|word| if took(word) { "SECONDS" } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    assert_snapshot!(ran.out.lines().map(steady).collect::<Vec<_>>().join("\n"), @"
    policy began entries deleted along seconds ended why
    shop 2026-11-20T01:00:00Z 1-6 1 0 SECONDS done
    shop 2026-11-21T01:00:00Z 7-9 0 0 SECONDS exit 3 max-runtime

    2 runs: 1 record deleted. Every entry: --all
    ");
    // What stands before a line that is no entry is shown.
    let text = place.read("state/ledger.jsonl");
    place.write("state/ledger.jsonl", [&text[..], b"no entry\n"].concat());
    place.frist(&["ledger", "show", "--runs", "policy.toml"]).code(3).says("1 record deleted");
    place.frist(&["ledger", "show", "--runs", "--all", "policy.toml"]).code(2);
}

#[test]
fn a_killed_run_is_told_as_such_and_one_that_goes_on_as_not_ended() {
    let place = purged();
    let text = String::from_utf8(place.read("state/ledger.jsonl")).unwrap();
    let unfinished: String = text.lines().take(5).map(|line| format!("{line}\n")).collect();
    place.write("state/ledger.jsonl", &unfinished);
    place.frist(&["ledger", "show", "--runs", "policy.toml"]).code(0).says("not ended");
    let run = serde_json::from_str::<Value>(text.lines().next().unwrap()).unwrap()["run"].clone();
    let recovered = format!(
        "{{\"seq\":6,\"at\":\"2026-11-21T01:00:00Z\",\"run\":\"later\",\"event\":\"recovered\",\"killed_run\":{run},\
         \"rows\":0,\"outcome\":\"no-batch\",\"exact\":true,\"deleted_total\":{{\"people\":1}},\"prev\":\"{zero}\",\
         \"hash\":\"{zero}\"}}\n",
        zero = "0".repeat(64)
    );
    place.write("state/ledger.jsonl", unfinished + &recovered);
    let told = place
        .frist(&["ledger", "show", "--runs", "policy.toml"])
        .code(0)
        .says("killed")
        .says("1 record deleted");
    assert_eq!(told.out.lines().filter(|line| line.contains("not ended")).count(), 1, "{}", told.out);
}

fn without_seconds(line: &str) -> String {
    line.split(' ').filter(|word| !word.starts_with("seconds=")).collect::<Vec<_>>().join(" ")
}

#[test]
fn json_is_each_entry_whole_and_chained() {
    let ran = purged().frist(&["ledger", "show", "policy.toml", "--format", "json"]).code(0);
    let entries: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = entries.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["run-started", "source", "rule-started", "batch", "rule-finished", "run-finished"]);
    for (at, entry) in entries.iter().enumerate() {
        assert_eq!(entry["seq"], at + 1);
        assert!(at == 0 || entry["prev"] == entries[at - 1]["hash"]);
    }
    assert_eq!(entries[4]["deleted"], 1);
}

#[test]
fn the_ledger_is_found_by_its_policy_or_its_folder() {
    let place = purged();
    let by_policy = place.frist(&["ledger", "show", "policy.toml"]).code(0).says("run-finished").out;
    assert_eq!(place.frist(&["ledger", "show", "--state", "state"]).code(0).out, by_policy);
    place.frist(&["ledger", "verify", "--state", "state"]).code(0).says("The ledger is whole: 6 entries");
    place.write("policies/policy.toml", place.read("policy.toml"));
    place.frist(&["ledger", "show", "policies/policy.toml"]).code(3).says("holds no ledger");
    assert_eq!(
        place.frist(&["ledger", "show", "policies/policy.toml", "--root", "."]).code(0).out,
        by_policy
    );
}

#[test]
fn an_entry_that_was_kept_elsewhere_is_expected() {
    let place = purged();
    let link = last_link(&place);
    place.frist(&["ledger", "verify", "policy.toml", "--expect", &link]).code(0).says(&link);
    let (number, hash) = link.split_once(':').unwrap();
    for digits in [12, 13, 63] {
        let short = format!("{number}:{}", &hash[..digits]);
        place.frist(&["ledger", "verify", "policy.toml", "--expect", &short]).code(0).says(&link);
    }
    let short = format!("5:{}", &hash[..12]);
    place.frist(&["ledger", "verify", "policy.toml", "--expect", &short]).code(1).says("does not hold");
    let other = format!("{number}:{}", hash.chars().rev().collect::<String>());
    let ran = place.frist(&["ledger", "verify", "policy.toml", "--expect", &other]).code(1);
    ran.says("the ledger does not hold the expected entry").says("The ledger is NOT whole.");
    for wrong in [
        "",
        "6",
        "6:",
        "x:y",
        "6:00",
        &format!("6:{}", &hash[..11]),
        &format!("6:{}", hash.to_uppercase()),
        ":",
        &format!("-1:{hash}"),
        &format!("6:{hash}0"),
    ] {
        let ran = place.frist(&["ledger", "verify", "policy.toml", &format!("--expect={wrong}")]).code(2);
        ran.says("write NUMBER:HASH, as a purge printed it");
    }
}

#[test]
fn a_changed_byte_is_found_and_stops_the_next_purge() {
    let place = purged();
    let changed = String::from_utf8(place.read("state/ledger.jsonl"))
        .unwrap()
        .replace("\"deleted\":1", "\"deleted\":0");
    place.write("state/ledger.jsonl", changed);
    let text = place.frist(&["ledger", "verify", "policy.toml"]).code(1);
    text.says("line 5: entry 5 was changed").says("The ledger is NOT whole. Keep the files as they are.");
    let json = place.frist(&["ledger", "verify", "policy.toml", "--format", "json"]).code(1).json();
    assert_eq!(json["whole"], false);
    assert!(json["findings"].as_array().is_some_and(|findings| !findings.is_empty()));
    place.sql("INSERT INTO people VALUES ('2020-05-01')");
    place.frist(&["purge", "--yes", "policy.toml"]).code(3).says("run: frist ledger verify");
    assert_eq!(place.number("SELECT count(*) FROM people"), 1);
}

#[test]
fn json_of_a_whole_ledger_names_its_last_entry() {
    let json = purged().frist(&["ledger", "verify", "policy.toml", "--format", "json"]).code(0).json();
    assert_eq!((&json["format"], &json["whole"]), (&"frist.ledger/1".into(), &true.into()));
    assert_eq!((&json["entries"], &json["last"]["entry"]), (&6.into(), &6.into()));
}

#[test]
fn no_ledger_is_not_a_whole_ledger() {
    let place = purged();
    fs::remove_dir_all(place.path("state")).unwrap();
    for command in ["show", "verify"] {
        let words = "frist: ./state holds no ledger: no purge has run yet";
        place.frist(&["ledger", command, "policy.toml"]).code(3).says(words);
        place.frist(&["ledger", command, "--state", "nowhere"]).code(3).says("nowhere does not exist");
        place.frist(&["ledger", command, "--state", "policy.toml"]).code(3).says("holds no ledger");
    }
}

#[test]
fn one_ledger_has_to_be_named() {
    let place = purged();
    place.write("policies/a.toml", super::support::policy("a", ""));
    place.write("policies/b.toml", super::support::policy("b", ""));
    place.write("broken.toml", "version = 1");
    for command in ["show", "verify"] {
        place.frist(&["ledger", command]).code(2).says("name a policy, or the state folder with --state");
        // The folder is the ledger, whatever the policy says.
        place.frist(&["ledger", command, "broken.toml", "--state", "state"]).code(0);
        place.frist(&["ledger", command, "policies"]).code(2).says("frist: name one policy file");
        place.frist(&["ledger", command, "nowhere.toml"]).code(2).says("nowhere.toml does not exist");
        place.frist(&["ledger", command, "broken.toml"]).code(2).says("has no `[policy]`");
    }
    place.frist(&["ledger"]).code(2).says("Usage:");
}
