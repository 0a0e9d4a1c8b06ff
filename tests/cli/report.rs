//! `frist report`: what is due and why, in text and in JSON, on every kind of table.

mod elsewhere;
mod forecast;
mod keys;
mod periods_from_data;
mod promises;
mod refused;
mod related;
mod times;
mod unfinished_lists;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::support::{HOSTILE_NAMES, Place, Ran, policy, quoted, rule, toml_text};

const CUSTOMERS: &str = "
    CREATE TABLE customers (id INTEGER PRIMARY KEY, kind TEXT, ended_at TEXT);
    INSERT INTO customers VALUES
        (1, 'private', '2020-05-01'), (2, 'private', '2025-11-19'), (3, 'private', '2025-11-20'),
        (4, 'private', '2026-10-01'), (5, 'private', NULL), (6, 'private', '2023-02-29'),
        (7, 'business', '2020-05-01'), (8, 'business', '2010-01-01T08:00:00Z'), (9, 'private', ' ')";

/// Customers under a short rule, and a long one for businesses.
fn customers() -> Place {
    let businesses =
        rule("businesses", "customers", "10 years", "ended_at") + "when = \"kind = 'business'\"\n";
    let place = Place::with_rules(&(rule("customers", "customers", "1 year", "ended_at") + &businesses));
    place.sql(CUSTOMERS);
    place
}

fn report(place: &Place, more: &[&str]) -> Ran {
    place.frist(&[&["report", "policy.toml", "--now", "2026-11-20T12:00"][..], more].concat())
}

/// The only rule of a report in JSON.
fn only_rule(place: &Place) -> Value {
    report(place, &["--format", "json"]).json()["rules"][0].clone()
}

#[test]
fn the_text_is_a_table_and_a_sentence_for_each_rule() {
    assert_snapshot!(report(&customers(), &[]).code(3).out, @r#"
    shop, as of 2026-11-20T12:00:00+01:00 in Europe/Copenhagen

     rule        data           cutoff      due  in period  not started  overruled  unreadable  note
     customers   app.customers  2025-11-19    2          2            2          2           1  problem
       1 year after ended_at
     businesses  app.customers  2016-11-19    1          1            0          0           0
       10 years after ended_at

    customers: oldest event 2020-05-01, overdue by up to 2,028 days; next due 2026-11-21
    businesses: oldest event 2010-01-01, overdue by up to 2,514 days; next due 2030-05-02

    customers: PROBLEM: 1 record of app.customers cannot be read, and so is kept; first: 6 (ended_at: no such day); correct the values, or say in the policy how the column is written (`formats`) and what means empty (`empty`) (policy.toml:16:1)

    3 records are due. Ended with 3: 1 record of app.customers cannot be read.
    "#);
}

#[test]
fn the_list_names_each_record_with_its_reason() {
    let out = report(&customers(), &["--list", "--all"]).code(3).out;
    let list = out
        .lines()
        .skip_while(|line| !line.starts_with("customers ("))
        .take_while(|line| !line.starts_with("customers: "));
    let list: Vec<&str> = list.collect();
    assert_snapshot!(list.join("\n").trim(), @r#"
    customers (app.customers):
      key  state        event                      reason
      1    due          2020-05-01                 1 year is over since 2021-05-02 (2,028 days)
      2    due          2025-11-19                 1 year is over since 2026-11-20
      3    in period    2025-11-20                 1 year is over on 2026-11-21
      4    in period    2026-10-01                 1 year is over on 2027-10-02
      5    not started  -                          the clock has not started
      6    unreadable   -                          no such day
      7    overruled    2020-05-01                 rule `businesses` keeps it, at least as long (its period ended 2021-05-02)
      8    overruled    2010-01-01T09:00:00+01:00  rule `businesses` keeps it, at least as long (its period ended 2011-01-02)
      9    not started  -                          the clock has not started

    businesses (app.customers):
      key  state      event                      reason
      7    in period  2020-05-01                 10 years are over on 2030-05-02
      8    due        2010-01-01T09:00:00+01:00  10 years are over since 2020-01-02 (2,514 days)
    "#);
}

#[test]
fn without_all_the_list_leaves_out_what_is_not_yet_due() {
    let ran = report(&customers(), &["--list"]).code(3).says("  1    due         2020-05-01");
    ran.does_not_say("  4    in period").does_not_say("  5    not started").says("  7    overruled");
    report(&customers(), &["--all"]).code(2).says("--list");
}

#[test]
fn json_has_every_field_of_the_format() {
    let mut json = report(&customers(), &["--format", "json", "--rule", "customers"]).code(3).json();
    assert_eq!(json["policy_sha256"].as_str().unwrap().len(), 64);
    json["policy_sha256"] = json!("<hash>");
    assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
    {
      "format": "frist.report/1",
      "policy": "shop",
      "policy_sha256": "<hash>",
      "now": "2026-11-20T12:00:00+01:00",
      "timezone": "Europe/Copenhagen",
      "rules": [
        {
          "rule": "customers",
          "data": "app.customers",
          "then": "delete",
          "keep": "1 year",
          "due_up_to": "2025-11-19",
          "matched": 9,
          "due": 2,
          "held": 0,
          "blocked": 0,
          "overruled": 2,
          "spared": 0,
          "done": 0,
          "waiting": 2,
          "running": 2,
          "unreadable": 1,
          "unrelated": 0,
          "oldest_event": "2020-05-01",
          "longest_overdue_days": 2028,
          "next_due": "2026-11-21",
          "enforced": true,
          "limit": null,
          "problems": [
            {
              "code": "unreadable",
              "message": "1 record of app.customers cannot be read, and so is kept; first: 6 (ended_at: no such day); correct the values, or say in the policy how the column is written (`formats`) and what means empty (`empty`)",
              "where": "policy.toml:16:1"
            }
          ]
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
        "unreadable": 1
      }
    }
    "#);
}

#[test]
fn json_lists_the_same_records_as_the_text() {
    let json = report(&customers(), &["--list", "--all", "--format", "json"]).code(3).json();
    let records = json["rules"][0]["records"].as_array().unwrap();
    assert_eq!(records.len(), 9);
    assert_eq!(
        records[0],
        json!({ "key": "1", "state": "due", "event": "2020-05-01", "due_from": "2021-05-02T00:00:00+02:00",
            "reason": "1 year is over since 2021-05-02 (2,028 days)" })
    );
    assert_eq!(records[4]["state"], "waiting");
    assert_eq!(records[4]["event"], Value::Null);
}

#[test]
fn text_and_json_say_the_same_numbers() {
    let text = report(&customers(), &[]).out;
    let json = report(&customers(), &["--format", "json"]).json();
    for rule in json["rules"].as_array().unwrap() {
        let states = ["due", "running", "waiting", "overruled", "unreadable"].map(|state| &rule[state]);
        let name = format!(" {} ", rule["rule"].as_str().unwrap());
        let row = text.lines().find(|line| line.starts_with(&name)).unwrap();
        let numbers: Vec<Value> =
            row.split_whitespace().skip(3).take(5).map(|word| word.parse::<u64>().unwrap().into()).collect();
        assert!(states.into_iter().eq(&numbers), "{row}\n{rule}");
        let sum: u64 = states.iter().map(|state| state.as_u64().unwrap()).sum();
        assert_eq!(rule["matched"], sum);
    }
    assert_eq!(json["totals"]["due"], 3);
}

#[test]
fn a_rule_can_be_asked_for_and_is_still_overruled_by_the_others() {
    let json = report(&customers(), &["--rule", "customers", "--format", "json"]).json();
    assert_eq!(json["rules"].as_array().unwrap().len(), 1);
    assert_eq!(json["rules"][0]["overruled"], 2);
    report(&customers(), &["--rule", "costumers"])
        .code(2)
        .says("frist: no policy has a rule `costumers`; did you mean `customers`?");
    report(&customers(), &["--rule", "zzz"]).code(2).says("no policy has a rule `zzz`");
}

#[test]
fn due_records_fail_on_request() {
    let place = Place::with_rules(&rule("customers", "customers", "1 year", "ended_at"));
    place.sql("CREATE TABLE customers (ended_at TEXT); INSERT INTO customers VALUES ('2025-11-19'), (NULL)");
    report(&place, &["--fail-on-due"]).code(1).says("1 record is due.");
    report(&place, &["--fail-on-due", "-q"]).code(1).says("1 record is due.");
    place.frist(&["report", "policy.toml", "--fail-on-due", "--now", "2025-12-01"]).code(0);
    // What could not be read weighs more: the answer is not the whole answer.
    place.sql("INSERT INTO customers VALUES ('soon')");
    report(&place, &["--fail-on-due"])
        .code(3)
        .says("\n1 record is due. Ended with 3: 1 record of app.customers cannot be read.\n");
}

#[test]
fn a_quiet_report_says_only_what_is_wrong() {
    let place = customers();
    let ran = report(&place, &["-q"]).code(3);
    assert_eq!(ran.out.lines().count(), 2, "{}", ran.out);
    assert!(
        ran.out.ends_with("\n3 records are due. Ended with 3: 1 record of app.customers cannot be read.\n")
    );
    assert!(
        ran.out.starts_with("shop/customers: PROBLEM: 1 record of app.customers cannot be read"),
        "{}",
        ran.out
    );
    place.sql("DELETE FROM customers WHERE id = 6");
    assert_eq!(report(&place, &["-q"]).code(0).out, "");
}

#[test]
fn several_policies_are_one_json_object_a_line() {
    let place = customers();
    place.write("other.toml", policy("other", "").replace("app.db", "other.db"));
    let ran = place.frist(&["report", "policy.toml", "other.toml", "--format", "json"]).code(3);
    let names: Vec<Value> =
        ran.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["policy"].clone()).collect();
    assert_eq!(names, ["shop", "other"]);
    let text = place.frist(&["report", "policy.toml", "other.toml"]).out;
    assert!(text.contains("shop, as of") && text.contains("other, as of"), "{text}");
    assert_eq!(text.matches(" rule ").count(), 1, "no table without a row: {text}");
}

#[test]
fn limits_are_shown_and_change_no_exit_code() {
    for (limit, kind, words) in [
        ("{ records = 2 }", "records", "3 records are due, more than the 2 that one run may delete"),
        ("{ share = \"12.5%\" }", "share", "30.00% of its data is due, more than the 12.5% that one run"),
    ] {
        let place = limited(limit, 3, 10);
        report(&place, &[]).code(0).says(words).says("run purge once with --accept-limit customers");
        assert_eq!(only_rule(&place)["limit"]["kind"], kind);
    }
    let place = limited("{}", 2, 2);
    report(&place, &[]).code(0).says("all 2 records of its data are due");
    assert_eq!(only_rule(&place)["limit"], json!({ "kind": "whole", "value": 1.0, "allowed": null }));
    assert_eq!(
        only_rule(&limited("{}", 26, 100))["limit"],
        json!({ "kind": "share", "value": 0.26, "allowed": 0.25 })
    );
    assert_eq!(only_rule(&limited("{}", 25, 100))["limit"], Value::Null);
}

/// So many due records of so many, under a limit.
fn limited(limit: &str, due: u32, all: u32) -> Place {
    let place = Place::new();
    let rules = rule("customers", "customers", "1 year", "ended_at");
    place.write("policy.toml", policy("shop", &rules).replace("{ share = \"100%\" }", limit));
    place.sql(&format!(
        "CREATE TABLE customers (ended_at TEXT);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {all})
         INSERT INTO customers SELECT iif(i <= {due}, '2020-01-01', NULL) FROM n"
    ));
    place
}

#[test]
fn a_rule_that_is_not_enforced_is_reported_as_such() {
    let place = Place::with_rules(&(rule("a", "a", "1 year", "at") + "enforce = false\n"));
    place.sql("CREATE TABLE a (at TEXT); INSERT INTO a VALUES ('2020-01-01')");
    report(&place, &[]).code(0).says("a: reported only, for the policy says `enforce = false`");
    assert_eq!(only_rule(&place)["enforced"], false);
}

#[test]
fn rows_that_keep_a_record_are_named_with_their_key_and_their_rule() {
    let rules = rule("a", "a", "1 year", "at") + &rule("b", "b", "1 year", "at");
    let place = Place::with_rules(&rules);
    place.sql(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, at TEXT);
         CREATE TABLE b (id INTEGER PRIMARY KEY, at TEXT, a_id REFERENCES a ON DELETE CASCADE);
         CREATE TABLE c (b_id REFERENCES b);
         INSERT INTO a SELECT value, '2020-01-01' FROM json_each('[1,2,3,4,5]');
         INSERT INTO b VALUES (1, '2026-01-01', 1), (2, '2020-01-01', 2), (3, '2020-01-01', 3), (4, 'x', 5);
         INSERT INTO c VALUES (2)",
    );
    let key = "(foreign key b.a_id → a.id)";
    report(&place, &["--rule", "a"]).code(0).says(&format!(
        "a: WARNING: 4 due records are blocked in app.a: 4 by rows of `b` that rule `b` does not delete in this \
         run {key}"
    ));
    let told = || report(&place, &["--list"]).code(3);
    told().says(&format!("3 due records are blocked in app.a: 2 by rows of `b` that rule `b` keeps {key}, 1 by rows of `c` that no rule deletes (foreign key c.b_id → b.id)"));
    told().says("2    blocked  2020-01-01  blocked by rows of `c` that no rule deletes (foreign key c.b_id → b.id) (its period ended 2021-01-02)");
    told().says(
        "1 due record is blocked in app.b: 1 by rows of `c` that no rule deletes (foreign key c.b_id → b.id)",
    );
}

#[test]
fn paths_start_at_the_policy_or_at_the_root_that_is_given() {
    let place = customers();
    let text = String::from_utf8(place.read("policy.toml")).unwrap();
    place.write("policies/policy.toml", text.replace("app.db", "${DATA}"));
    place.frist(&["report", "policies/policy.toml"]).code(3).says("policies/app.db does not exist");
    place.frist(&["report", "policies/policy.toml", "--root", "."]).code(3).says("1 record of app.customers");
    place
        .frist(&["report", "policies/policy.toml", "--root", "nowhere"])
        .code(3)
        .says("nowhere/app.db does not");
}

#[test]
fn names_of_tables_and_columns_are_only_names() {
    for name in HOSTILE_NAMES {
        let rule = format!(
            "[[rule]]\nname = \"r\"\ndata = {}\nkeep = \"1 year\"\nafter = {}\nwhen = {}\n",
            toml_text(&format!("app.{name}")),
            toml_text(name),
            toml_text(&format!("{} < '2025'", quoted(name)))
        );
        let place = Place::with_rules(&rule);
        let name = quoted(name);
        place.sql(&format!(
            "CREATE TABLE {name} ({name} TEXT); INSERT INTO {name} VALUES ('2020-01-01'), (NULL)"
        ));
        let ran = report(&place, &["--list", "--format", "json"]).code(0);
        assert_eq!(ran.json()["rules"][0]["due"], 1, "{name}: {ran:?}");
        report(&place, &["--list"]).code(0).does_not_say("\u{1b}");
    }
}

#[test]
fn reporting_leaves_everything_as_it_was() {
    let place = customers();
    let before = place.snapshot();
    report(&place, &["--list", "--all"]).code(3);
    report(&place, &["--state", "elsewhere"]).code(3);
    assert_eq!(place.snapshot(), before);
}

#[test]
fn a_database_that_may_only_be_read_is_enough() {
    let place = customers();
    let before = place.snapshot();
    place
        .frist_as_nobody(&["report", "policy.toml", "--now", "2026-11-20T12:00"])
        .code(3)
        .says("1 record of");
    let mut after = place.snapshot();
    after.retain(|(path, _)| !path.ends_with(".frist-binary"));
    assert_eq!(after, before);
}

#[test]
fn a_missing_database_is_said_once() {
    let rules: String = (0..5).map(|number| rule(&format!("r{number}"), "t", "1 year", "at")).collect();
    let place = Place::with_rules(&rules);
    for arguments in [
        &["report", "policy.toml"][..],
        &["purge", "--yes", "policy.toml"],
        &["check", "--data", "policy.toml"],
    ] {
        let ran = place.frist(arguments).code(3);
        assert_eq!(ran.out.matches("does not exist").count(), 1, "{ran:?}");
    }
}
