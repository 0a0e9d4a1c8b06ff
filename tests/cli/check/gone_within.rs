//! Findings about `gone-within`.

use insta::assert_snapshot;

use super::{BASE, Place, found, warned, with};

/// Data that is kept so long, backups of it that are kept 30 days, and a promise about both.
fn promised(promise: &str, keep: &str) -> String {
    let rule = format!("keep = \"{keep}\"\ngone-within = \"{promise}\"");
    BASE.replace("keep = \"1 year\"", &rule).replace("[activity.sales]", &format!("{SOURCE}[activity.sales]"))
        + RULE
}

const SOURCE: &str = "[source.backups]\nsqlite = \"backups.db\"\ncopies-of = [\"app\"]\n\n";
const RULE: &str = r#"
[[rule]]
name = "backups"
data = "backups.copies"
keep = "30 days"
after = "taken_at"
"#;

#[test]
fn three_months_of_data_and_thirty_days_of_backups_are_gone_within_five_months() {
    assert_eq!(warned(&promised("5 months", "3 months")), "");
}

#[test]
fn three_months_of_data_and_thirty_days_of_backups_are_not_gone_within_four() {
    assert_snapshot!(found(&promised("4 months", "3 months")), @r#"
    error[gone-too-late]: rule `customers` promises that data of 2024-01-01 is gone after 2024-05-01, but it may exist until 2024-05-03
      --> policy.toml:22:15
       |
    22 | gone-within = "4 months"
       |               ^^^^^^^^^^
       |
       = help: at the worst: 3 months after ended_at (rule `customers`), 1 day until the next run, 30 days after taken_at (rule `backups`), 1 day until the next run; promise a longer time, or keep for a shorter one
    "#);
}

#[test]
fn twelve_months_of_logs_and_thirty_days_of_backups_are_not_gone_within_thirteen() {
    assert_snapshot!(found(&promised("13 months", "12 months")), @r#"
    error[gone-too-late]: rule `customers` promises that data of 2024-01-01 is gone after 2025-02-01, but it may exist until 2025-02-02
      --> policy.toml:22:15
       |
    22 | gone-within = "13 months"
       |               ^^^^^^^^^^^
       |
       = help: at the worst: 12 months after ended_at (rule `customers`), 1 day until the next run, 30 days after taken_at (rule `backups`), 1 day until the next run; promise a longer time, or keep for a shorter one
    "#);
    assert_eq!(warned(&promised("14 months", "12 months")), "");
}

#[test]
fn json_names_the_place_of_the_promise() {
    let place = Place::new();
    place.write("policy.toml", promised("4 months", "3 months"));
    let out = place.frist(&["check", "--format", "json", "policy.toml"]).code(1).out;
    assert_snapshot!(out.trim_end(), @r#"{"format":"frist.check/1","findings":[{"code":"gone-too-late","severity":"error","message":"rule `customers` promises that data of 2024-01-01 is gone after 2024-05-01, but it may exist until 2024-05-03","file":"policy.toml","line":22,"column":15,"end_line":22,"end_column":25,"help":"at the worst: 3 months after ended_at (rule `customers`), 1 day until the next run, 30 days after taken_at (rule `backups`), 1 day until the next run; promise a longer time, or keep for a shorter one"}],"errors":1,"warnings":0}"#);
}

#[test]
fn a_broken_promise_stops_every_command() {
    let place = Place::new();
    place.write("policy.toml", promised("4 months", "3 months"));
    for command in [&["report", "policy.toml"][..], &["purge", "--yes", "policy.toml"]] {
        place.frist(command).code(2).says("error[gone-too-late]");
    }
    assert!(!place.path(".frist").exists());
}

#[test]
fn runs_that_come_seldom_break_a_promise() {
    let text = promised("5 months", "3 months").replace("[policy]", "[policy]\nruns-every = \"1 month\"");
    assert_snapshot!(found(&text), @r#"
    error[gone-too-late]: rule `customers` promises that data of 2024-01-01 is gone after 2024-06-01, but it may exist until 2024-06-30
      --> policy.toml:23:15
       |
    23 | gone-within = "5 months"
       |               ^^^^^^^^^^
       |
       = help: at the worst: 3 months after ended_at (rule `customers`), 1 month until the next run, 30 days after taken_at (rule `backups`), 1 month until the next run; promise a longer time, or keep for a shorter one
    "#);
}

#[test]
fn copies_that_no_rule_deletes_are_never_gone() {
    let text = promised("5 months", "3 months");
    assert_snapshot!(found(text.trim_end_matches(RULE)), @r#"
    warning[unused-source]: no rule uses source `backups`
      --> policy.toml:10:9
       |
    10 | [source.backups]
       |         ^^^^^^^
       |
       = help: write a rule for it, or take the source away

    error[never-gone]: rule `customers` promises that its data is gone, but no rule deletes the copies of `app` in source `backups`
      --> policy.toml:22:15
       |
    22 | gone-within = "5 months"
       |               ^^^^^^^^^^
       |
       = help: write a rule for `backups` that is carried out
    "#);
}

#[test]
fn copies_whose_rule_is_not_carried_out_are_never_gone() {
    let findings = found(&format!("{}enforce = false\n", promised("5 months", "3 months")));
    assert!(findings.contains("error[never-gone]"), "{findings}");
    assert!(findings.contains("warning[not-enforced]"), "{findings}");
}

#[test]
fn data_whose_own_rule_is_not_carried_out_is_never_gone() {
    let text = with("[[rule]]", "gone-within = \"2 years\"").replace("[[rule]]", "[[rule]]\nenforce = false");
    assert_snapshot!(found(&text), @r#"
    warning[not-enforced]: rule `customers` is reported and never carried out
      --> policy.toml:14:1
       |
    14 | enforce = false
       | ^^^^^^^
       |
       = help: take `enforce = false` away once the report shows what you expect

    error[never-gone]: rule `customers` promises that its data is gone, but is never carried out
      --> policy.toml:15:15
       |
    15 | gone-within = "2 years"
       |               ^^^^^^^^^
       |
       = help: take `enforce = false` away, or the promise
    "#);
}

#[test]
fn a_promise_is_a_period() {
    assert_snapshot!(found(&with("[[rule]]", r#"gone-within = "5 moons""#)), @r#"
    error[bad-period]: `moons` is no unit of time
      --> policy.toml:14:15
       |
    14 | gone-within = "5 moons"
       |               ^^^^^^^^^
       |
       = help: write a number and its unit, such as `5 years`, `1 year 6 months`, `72 hours`, `at most 3 months`, or `immediately`
    "#);
}

#[test]
fn a_promise_is_an_upper_bound_without_saying_so() {
    assert_snapshot!(found(&with("[[rule]]", r#"gone-within = "at most 5 months""#)), @r#"
    error[bad-period]: `gone-within` is an upper bound already
      --> policy.toml:14:15
       |
    14 | gone-within = "at most 5 months"
       |               ^^^^^^^^^^^^^^^^^^
       |
       = help: leave `at most` out
    "#);
}

#[test]
fn a_promise_ends_with_a_day() {
    assert_snapshot!(found(&with("[[rule]]", r#"gone-within = "72 hours""#)), @r#"
    error[bad-period]: `gone-within` promises whole days, not `72 hours`
      --> policy.toml:14:15
       |
    14 | gone-within = "72 hours"
       |               ^^^^^^^^^^
       |
       = help: write years, months, weeks or days, such as "5 months"
    "#);
    let immediately = found(&with("[[rule]]", r#"gone-within = "immediately""#));
    assert!(immediately.contains("promises whole days, not `immediately`"), "{immediately}");
}
