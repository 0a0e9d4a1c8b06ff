//! `frist check --data`: whether all that is there is covered.

mod anonymise;
mod bad_input;
mod copies;
mod files;
mod keys;
mod records;
mod tables;

use super::super::support::{Place, policy, rule};

/// The findings about a policy and its data, without the line that counts them.
#[track_caller]
fn found(place: &Place, code: i32) -> String {
    let ran = place.frist(&["check", "--data", "policy.toml"]).code(code);
    let (findings, _summary) = ran.out.trim_end().rsplit_once('\n').unwrap_or_default();
    findings.trim_end().to_string()
}

/// Codes and messages alone.
#[track_caller]
fn messages(place: &Place, code: i32) -> Vec<String> {
    let ran = place.frist(&["check", "--data", "--format", "json", "policy.toml"]).code(code);
    let findings = ran.json()["findings"].as_array().unwrap().clone();
    let text = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_string();
    findings
        .iter()
        .map(|finding| format!("[{}] {}", text(finding, "code"), text(finding, "message")))
        .collect()
}

/// A rule on `customers`, whose table is there.
fn customers() -> Place {
    let place = Place::with_rules(&rule("accounts", "customers", "1 year", "ended_at"));
    place.sql("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, ended_at TEXT)");
    place
}

#[test]
fn what_is_all_covered_is_praised_in_one_line() {
    let place = customers();
    let ran = place.frist(&["check", "--data", "policy.toml"]).code(0);
    assert_eq!(ran.out, "1 policy with 1 rule and the data: no problem found\n");
    assert_eq!(ran.err, "");
}

#[test]
fn without_the_word_no_source_is_opened() {
    let place = Place::with_rules(&rule("accounts", "customers", "1 year", "ended_at"));
    place.frist(&["check", "policy.toml"]).code(0).says("1 policy with 1 rule: no problem found");
    place.write("app.db", "no database at all");
    place.frist(&["check", "policy.toml"]).code(0).says("1 policy with 1 rule: no problem found");
    place.frist(&["check", "--data", "policy.toml"]).code(3).says("error[not-a-database]");
}

#[test]
fn a_source_that_cannot_be_opened_is_an_error_and_the_answer_incomplete() {
    let place = Place::with_rules(&rule("accounts", "customers", "1 year", "ended_at"));
    insta::assert_snapshot!(found(&place, 3), @r"
    error[missing-source]: ./app.db does not exist; relative paths start at the policy's folder, or at --root
     --> policy.toml:9:9
      |
    9 | [source.app]
      |         ^^^
    ");
    place.write("app.db", "");
    place.frist(&["check", "--data", "policy.toml"]).code(3).says("error[empty-database]");
}

#[test]
fn one_source_that_is_missing_does_not_hide_what_another_holds() {
    let place = customers();
    place.sql("CREATE TABLE forgotten (id); INSERT INTO forgotten VALUES (1)");
    let rules = format!(
        "\n[source.old]\nsqlite = \"old.db\"\n{}",
        rule("accounts", "customers", "1 year", "ended_at")
    );
    place.write("policy.toml", policy("shop", &rules));
    let ran = place.frist(&["check", "--data", "policy.toml"]).code(3);
    ran.says("error[missing-source]").says("table `forgotten`");
}

#[test]
fn warnings_end_with_0_unless_they_are_denied() {
    let place = customers();
    place.sql("CREATE TABLE forgotten (id); INSERT INTO forgotten VALUES (1)");
    place
        .frist(&["check", "--data", "policy.toml"])
        .code(0)
        .says("1 policy with 1 rule and the data: 1 warning");
    place.frist(&["check", "--data", "--deny-warnings", "policy.toml"]).code(1);
    let quiet = place.frist(&["check", "--data", "--quiet", "policy.toml"]).code(0);
    assert!(!quiet.out.contains("1 policy") && quiet.out.contains("warning[uncovered-table]"), "{quiet:?}");
}

#[test]
fn no_source_is_opened_for_policies_with_errors() {
    let place = customers();
    place.sql("CREATE TABLE forgotten (id); INSERT INTO forgotten VALUES (1)");
    place.write("policy.toml", policy("shop", &rule("accounts", "customers", "1 yer", "ended_at")));
    let ran = place.frist(&["check", "--data", "policy.toml"]).code(1);
    ran.says("1 policy: 1 error; no source was opened").does_not_say("forgotten");
    place.frist(&["check", "--data", "nowhere.toml"]).code(2);
}

#[test]
fn policies_that_are_read_together_cover_a_database_together() {
    let place = customers();
    place.sql(
        "CREATE TABLE log (at TEXT); CREATE TABLE forgotten (id); INSERT INTO forgotten VALUES (1);
         INSERT INTO log VALUES ('2290-01-01')",
    );
    place.write(
        "other.toml",
        policy("other", &rule("logs", "log", "1 year", "at")).replace("app.db", "./app.db"),
    );
    let ran = place.frist(&["check", "--data", "policy.toml", "other.toml"]).code(0);
    ran.says("2 policies with 2 rules and the data: 1 warning").says("table `forgotten`");
    place.frist(&["check", "--data", "policy.toml"]).code(0).says("2 tables of source `app`").says("log (1)");
}

#[test]
fn json_gives_the_same_findings() {
    let place = customers();
    place.sql("CREATE TABLE forgotten (id); INSERT INTO forgotten VALUES (1)");
    let ran = place.frist(&["check", "--data", "--format", "json", "policy.toml"]).code(0);
    let told = ran.json();
    assert_eq!(told["format"], "frist.check/1");
    assert_eq!((&told["errors"], &told["warnings"]), (&0.into(), &1.into()));
    let finding = &told["findings"][0];
    assert_eq!(finding["code"], "uncovered-table");
    assert_eq!(finding["severity"], "warning");
    assert_eq!(finding["line"], 9);
}

#[test]
fn paths_start_where_the_root_is() {
    let place = customers();
    place.sql("CREATE TABLE forgotten (id); INSERT INTO forgotten VALUES (1)");
    std::fs::create_dir(place.path("data")).unwrap();
    std::fs::rename(place.path("app.db"), place.path("data/app.db")).unwrap();
    place.frist(&["check", "--data", "policy.toml"]).code(3);
    place.frist(&["check", "--data", "--root", "data", "policy.toml"]).code(0).says("table `forgotten`");
}
