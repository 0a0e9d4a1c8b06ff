//! `frist purge`: consent, limits, stops, locks, and what a run says of itself.

mod stops;

use std::fs;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::support::{HOSTILE_NAMES, Place, Ran, policy, quoted, rule, toml_text, wait_until};

/// Two due records of three, and two more tables.
fn shop() -> Place {
    let rules = rule("people", "people", "1 year", "ended_at") + &rule("log", "log", "30 days", "at");
    let place = Place::with_rules(&rules);
    place.sql(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, ended_at TEXT);
         CREATE TABLE log (at TEXT);
         INSERT INTO people VALUES (1, '2020-05-01'), (2, '2021-05-01'), (3, NULL)",
    );
    place
}

fn people(place: &Place) -> i64 {
    place.number("SELECT count(*) FROM people")
}

fn purge(place: &Place, more: &[&str]) -> Ran {
    place.frist(&[&["purge", "--yes", "policy.toml"][..], more].concat())
}

#[test]
fn without_yes_and_without_a_terminal_nothing_happens() {
    let place = shop();
    let before = place.snapshot();
    let words = "frist: shop: nobody can be asked here; look at `frist report` and then run again with --yes";
    place.frist(&["purge", "policy.toml"]).code(4).says(words);
    assert_eq!(place.snapshot(), before);
}

#[test]
fn on_a_terminal_the_plan_is_shown_and_only_yes_is_consent() {
    let place = shop();
    let policy = place.arg("policy.toml");
    for answer in ["no\n", "\n", "y\n", ""] {
        let ran = place.frist_at("2026-11-20", &["purge", &policy], Some(answer)).code(4);
        assert!(ran.err.contains("2 records are due."), "{}", ran.err);
        assert!(ran.err.contains("Delete 2 records for good? Type yes to go on: "), "{}", ran.err);
        assert!(ran.err.ends_with("frist: shop: not confirmed; nothing was changed\n"), "{}", ran.err);
        assert_eq!(people(&place), 3);
    }
    place.frist_at("2026-11-20", &["purge", &policy], Some("yes\n")).code(0).says("2 records deleted.");
    assert_eq!(people(&place), 1);
    place.frist(&["ledger", "show", "--all", "policy.toml"]).code(0).says("trigger=terminal");
}

#[test]
fn a_run_says_what_it_did_to_each_rule() {
    let out = purge(&shop(), &[]).code(0).steady();
    assert_snapshot!(out.split_once("\n\n").unwrap().1, @r#"
     rule    data        due  deleted  still due  seconds  outcome
     people  app.people    2        2          0     s.ss  done
     log     app.log       0        0          0     s.ss  done

    Receipt 8:<hash>; keep it elsewhere, for `frist ledger verify --expect`.
    2 records deleted.
    "#);
}

#[test]
fn json_has_every_field_of_the_format() {
    let mut json = purge(&shop(), &["--format", "json", "--rule", "people"]).code(0).json();
    for (pointer, steady) in [
        ("/policy_sha256", "<hash>"),
        ("/now", "<now>"),
        ("/run", "<run>"),
        ("/ledger/hash", "<hash>"),
        ("/rules/0/due_up_to", "<date>"),
        ("/rules/0/seconds", "<seconds>"),
    ] {
        *json.pointer_mut(pointer).unwrap() = json!(steady);
    }
    assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
    {
      "format": "frist.run/1",
      "policy": "shop",
      "policy_sha256": "<hash>",
      "now": "<now>",
      "timezone": "Europe/Copenhagen",
      "run": "<run>",
      "recovered": [],
      "rules": [
        {
          "rule": "people",
          "data": "app.people",
          "then": "delete",
          "keep": "1 year",
          "due_up_to": "<date>",
          "matched": 3,
          "due": 2,
          "held": 0,
          "blocked": 0,
          "overruled": 0,
          "spared": 0,
          "done": 0,
          "waiting": 1,
          "running": 0,
          "unreadable": 0,
          "unrelated": 0,
          "deleted": 2,
          "anonymised": 0,
          "pseudonymised": 0,
          "taken_along": 0,
          "survivors": 0,
          "residue": null,
          "seconds": "<seconds>",
          "outcome": "done",
          "limit": null,
          "problems": []
        }
      ],
      "sources": [
        {
          "source": "app",
          "status": "read"
        }
      ],
      "totals": {
        "due": 2,
        "blocked": 0,
        "held": 0,
        "unreadable": 0,
        "deleted": 2,
        "anonymised": 0,
        "pseudonymised": 0,
        "taken_along": 0
      },
      "stopped": null,
      "exit_code": 0,
      "ledger": {
        "entry": 6,
        "hash": "<hash>"
      }
    }
    "#);
}

#[test]
fn nothing_due_is_done_and_leaves_an_entry() {
    let place = shop();
    purge(&place, &[]).code(0).says("2 records deleted.\n");
    let again = purge(&place, &["--format", "json"]).code(0).json();
    assert_eq!((&again["totals"]["deleted"], &again["exit_code"]), (&json!(0), &json!(0)));
    let entry = again["ledger"]["entry"].as_u64().unwrap();
    let expect = format!("{entry}:{}", again["ledger"]["hash"].as_str().unwrap());
    place.frist(&["ledger", "verify", "policy.toml", "--expect", &expect]).code(0);
}

#[test]
fn now_is_never_a_matter_of_choice() {
    let place = shop();
    let before = place.snapshot();
    let words = "frist: a purge is always as of now; ask `frist report --now` what would be due";
    purge(&place, &["--now", "2027-01-01"]).code(2).says(words);
    assert_eq!(place.snapshot(), before);
}

#[test]
fn counts_that_an_index_makes_unnecessary_are_null_unless_asked_for() {
    let fresh = || {
        let place = shop();
        place.sql("CREATE INDEX people_ended_at ON people (ended_at)");
        place
    };
    let counted = |arguments: &[&str]| purge(&fresh(), arguments).code(0).json()["rules"][0].clone();
    let few = counted(&["--format", "json"]);
    assert_eq!((&few["due"], &few["waiting"], &few["matched"]), (&json!(2), &Value::Null, &Value::Null));
    let all = counted(&["--format", "json", "--count"]);
    assert_eq!((&all["due"], &all["waiting"], &all["matched"]), (&json!(2), &json!(1), &json!(3)));
}

#[test]
fn a_limit_refuses_its_rule_and_no_other_until_it_is_accepted() {
    let place = shop();
    let text = policy("shop", "").replace("{ share = \"100%\" }", "{ records = 1 }");
    let rules = rule("people", "people", "1 year", "ended_at") + &rule("log", "log", "30 days", "at");
    place.write("policy.toml", text + &rules);
    place.sql("INSERT INTO log VALUES ('2020-01-01')");
    let words = "people: LIMIT: 2 records are due, more than the 1 that one run may delete; if that is right, \
                 run purge once with --accept-limit people";
    purge(&place, &[]).code(4).says(words).says("1 record deleted");
    assert_eq!((people(&place), place.number("SELECT count(*) FROM log")), (3, 0));
    purge(&place, &["-q"]).code(4).says(words).does_not_say("deleted");
    purge(&place, &["--accept-limit", "poeple"]).code(2).says("did you mean `people`?");
    purge(&place, &["--accept-limit", "people"]).code(0).says("2 records deleted");
    purge(&place, &["--accept-limit", "people"]).code(0);
}

#[test]
fn a_rule_that_is_not_enforced_deletes_nothing_and_still_tells_of_its_source() {
    let place = Place::with_rules(&(rule("people", "people", "1 year", "ended_at") + "enforce = false\n"));
    place.sql("CREATE TABLE people (ended_at TEXT); INSERT INTO people VALUES ('2020-01-01')");
    purge(&place, &[]).code(0).says("0 records deleted");
    assert_eq!(people(&place), 1);
    fs::remove_file(place.path("app.db")).unwrap();
    purge(&place, &[]).code(3).says("app: PROBLEM: ./app.db does not exist");
}

#[test]
fn what_keeps_a_record_is_told_and_the_others_go() {
    let place = shop();
    place.sql("CREATE TABLE orders (person REFERENCES people); INSERT INTO orders VALUES (2)");
    purge(&place, &[]).code(0).says(
        "people: WARNING: 1 due record is blocked in app.people: 1 by rows of `orders` that no rule deletes \
         (foreign key orders.person → people.id)",
    );
    assert_eq!(people(&place), 2);
}

#[test]
fn names_of_tables_and_columns_are_only_names() {
    for name in HOSTILE_NAMES {
        let (data, column) = (toml_text(&format!("app.{name}")), toml_text(name));
        let rule = format!("[[rule]]\nname = \"r\"\ndata = {data}\nkeep = \"1 year\"\nafter = {column}\n");
        let place = Place::with_rules(&rule);
        let name = quoted(name);
        place.sql(&format!(
            "CREATE TABLE {name} ({name} TEXT); INSERT INTO {name} VALUES ('2020-01-01'), (NULL)"
        ));
        purge(&place, &[]).code(0).says("1 record deleted").does_not_say("\u{1b}");
        assert_eq!(place.number(&format!("SELECT count(*) FROM {name}")), 1);
        place.frist(&["ledger", "verify", "policy.toml"]).code(0);
    }
}

#[test]
fn every_kind_of_table_loses_what_is_due_and_nothing_else() {
    for table in [
        "CREATE TABLE a (k, at TEXT)",
        "CREATE TABLE a (k INTEGER PRIMARY KEY DESC, at TEXT)",
        "CREATE TABLE a (k TEXT PRIMARY KEY, at TEXT)",
        "CREATE TABLE a (k TEXT COLLATE NOCASE PRIMARY KEY, at TEXT) WITHOUT ROWID",
        "CREATE TABLE a (at TEXT, k BLOB, l REAL DEFAULT 0.5, PRIMARY KEY (l DESC, k)) WITHOUT ROWID",
        "CREATE TABLE a (k, at TEXT, rowid TEXT DEFAULT 'x', _rowid_ DEFAULT NULL)",
        "CREATE TABLE a (k, at TEXT, y TEXT AS (substr(at, 1, 4)) STORED, UNIQUE (k, y)) STRICT",
    ] {
        let place = Place::with_rules(&rule("a", "a", "1 year", "at"));
        place.sql(&table.replace("(k, at TEXT, y", "(k ANY, at TEXT, y"));
        place.sql("INSERT INTO a (k, at) VALUES ('old', '2020-01-01'), ('new', '2999'), ('none', NULL)");
        purge(&place, &[]).code(3).says("1 record deleted");
        assert_eq!(place.number("SELECT count(*) FROM a WHERE k IN ('new', 'none')"), 2, "{table}");
        assert_eq!(place.number("SELECT count(*) FROM a"), 2, "{table}");
    }
}

#[test]
fn a_locked_database_is_waited_for_and_then_told() {
    let place = shop();
    let other = place.sql("BEGIN IMMEDIATE");
    let words = "app.db: another program kept it locked; run again when it is done; a purge waits as long as \
                 --wait says";
    let ran = purge(&place, &["--wait", "100ms", "--format", "json"]).code(3);
    assert_eq!(ran.json()["rules"][0]["problems"][0]["code"], "busy");
    purge(&place, &["--wait", "0s"]).code(3).says(words);
    let waiting = place.spawn(&["purge", "--yes", "policy.toml", "--wait", "60s"]);
    let holder = || fs::read_to_string(place.path("state/lock")).unwrap_or_default();
    wait_until("the run has begun", || holder().trim() == waiting.id().to_string());
    other.execute_batch("ROLLBACK").unwrap();
    super::support::wait(waiting).code(0).says("2 records deleted");
}

#[test]
fn a_database_that_may_only_be_read_is_told_and_left_alone() {
    let place = shop();
    fs::create_dir(place.path("nobody")).unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(place.path("nobody"), Some(65_534), Some(65_534)).unwrap();
    } else {
        let mut read_only = fs::metadata(place.path("app.db")).unwrap().permissions();
        read_only.set_readonly(true);
        fs::set_permissions(place.path("app.db"), read_only).unwrap();
    }
    let before = place.read("app.db");
    let arguments = ["purge", "--yes", "policy.toml", "--state", "nobody/state"];
    place.frist_as_nobody(&arguments).code(3).says("/app.db may only be read; look at its owner and mode");
    assert_eq!(place.read("app.db"), before);
}

#[test]
fn a_state_folder_that_cannot_be_made_stops_the_run_before_it_begins() {
    let place = shop();
    let before = place.read("app.db");
    place.write("file", "");
    purge(&place, &["--state", "file/state"])
        .code(3)
        .says("cannot open file: not a directory")
        .says("or --state");
    purge(&place, &["--state", "file"])
        .code(3)
        .says("frist: shop: cannot open file: not a directory; the state folder must be");
    fs::create_dir(place.path("open")).unwrap();
    let everybody = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o777);
    fs::set_permissions(place.path("open"), everybody).unwrap();
    purge(&place, &["--state", "open"]).code(3).says("run: chmod go-w open");
    assert_eq!(place.read("app.db"), before);
}

#[test]
fn a_ledger_on_a_device_is_refused() {
    let place = shop();
    fs::create_dir(place.path("state")).unwrap();
    std::os::unix::fs::symlink("/dev/full", place.path("state/ledger.jsonl")).unwrap();
    purge(&place, &[]).code(3).says("is not a regular file; frist does not follow links in its state folder");
    assert_eq!(people(&place), 3);
}

#[test]
fn a_policy_that_fails_does_not_stop_the_next_one() {
    let place = shop();
    place.write("a.toml", policy("a", "").replace("\"state\"", "\"policy.toml/state\""));
    place
        .frist(&["purge", "--yes", "a.toml", "policy.toml"])
        .code(3)
        .says("frist: a: cannot ")
        .says("2 records deleted");
    assert_eq!(people(&place), 1);
}

#[test]
fn a_record_that_a_trigger_makes_wait_is_told() {
    let rules = rule("pages", "pages", "1 year", "last") + &rule("visits", "visits", "1 year", "at");
    let place = Place::with_rules(&rules);
    place.sql(
        "CREATE TABLE pages (id INTEGER PRIMARY KEY, last TEXT);
         CREATE TABLE visits (id INTEGER PRIMARY KEY, page INTEGER REFERENCES pages (id), at TEXT);
         CREATE INDEX by_page ON visits (page);
         CREATE TRIGGER latest AFTER DELETE ON visits BEGIN
             UPDATE pages SET last = (SELECT max(at) FROM visits WHERE page = OLD.page) WHERE id = OLD.page;
         END;
         INSERT INTO pages VALUES (1, '2020-01-01'); INSERT INTO visits VALUES (1, 1, '2020-01-01')",
    );
    purge(&place, &[]).code(0).says(
        "pages: 1 record that was due is so no longer: a trigger or another program changed or deleted it",
    );
    assert_eq!(place.number("SELECT count(*) FROM pages WHERE last IS NULL"), 1);
    purge(&place, &[]).code(0).does_not_say("no longer");
}
