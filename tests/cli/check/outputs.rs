//! The formats in which findings are written, and the policies that `check` finds by itself.

use serde_json::Value;

use super::BASE;
use crate::support::{Place, rule};

/// A policy with an error on one line, and one that is sound.
fn place() -> Place {
    let place = Place::new();
    place.write("policies/bad.toml", BASE.replace("timezone =", "timezoen ="));
    place.write("policies/sound.toml", BASE.replace("shop", "sound"));
    place
}

#[test]
fn concise_is_a_line_for_each_finding() {
    let out = place().frist(&["check", "policies", "--format", "concise"]).code(1).out;
    assert!(
        out.starts_with("policies/bad.toml:5:1: error[unknown-key] unknown key `timezoen` in [policy]\n"),
        "{out}"
    );
    for line in out.lines() {
        assert!(line.contains("]") && line.starts_with("policies/"), "{line}");
    }
}

#[test]
fn annotations_name_file_and_place() {
    let out = place().frist(&["check", "policies", "--format", "github"]).code(1).out;
    let annotation = "::error file=policies/bad.toml,line=5,endLine=5,col=1,endColumn=8,title=frist unknown-key::\
                      unknown key `timezoen` in [policy]%0Ahelp: did you mean `timezone`?\n";
    assert!(out.starts_with(annotation), "{out}");
}

#[test]
fn sarif_has_a_rule_and_a_region_for_each_result() {
    let log = place().frist(&["check", "policies", "--format", "sarif"]).code(1).json();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    let found = results.iter().find(|result| result["ruleId"] == "unknown-key").unwrap();
    let place = &found["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "policies/bad.toml");
    let region =
        ["startLine", "startColumn", "endLine", "endColumn"].map(|key| place["region"][key].as_u64());
    assert_eq!(region, [5, 1, 5, 9].map(Some));
    assert_eq!(found["level"], "error");
}

#[test]
fn junit_has_a_case_for_each_error_and_for_each_policy_without() {
    let out = place().frist(&["check", "policies", "--format", "junit"]).code(1).out;
    let tests = out.matches("<testcase ").count();
    assert!(
        out.contains(&format!("<testsuites name=\"frist check\" tests=\"{tests}\" failures=\"1\"")),
        "{out}"
    );
    assert!(out.contains("<testcase classname=\"policies/sound.toml\" name=\"valid\"/>"), "{out}");
    assert!(
        out.contains("<failure type=\"unknown-key\" message=\"unknown key `timezoen` in [policy]\">"),
        "{out}"
    );
}

#[test]
fn several_formats_are_written_at_once_and_say_the_same() {
    let place = place();
    let files = ["--output", "sarif=a.sarif", "--output", "junit=a.xml", "--output", "json=a.json"];
    place.frist(&[&["check", "policies", "--format", "concise"], &files[..]].concat()).code(1);
    let json = |name: &str| serde_json::from_slice::<Value>(&place.read(name)).unwrap();
    let count = json("a.json")["findings"].as_array().unwrap().len();
    assert_eq!(json("a.sarif")["runs"][0]["results"].as_array().unwrap().len(), count);
    assert!(String::from_utf8(place.read("a.xml")).unwrap().ends_with("</testsuites>\n"));
    place
        .frist(&["check", "policies", "--output", "html=a"])
        .code(2)
        .says("not one of text, concise, json, sarif");
    place.frist(&["report", "policies", "--format", "sarif"]).code(2);
    place.frist(&["purge", "policies", "--format", "csv"]).code(2);
}

#[test]
fn what_stands_where_policies_do_is_found() {
    let place = place();
    place.frist(&["check", "--format", "concise"]).code(1).says("policies/bad.toml:5:1");
    let place = Place::new();
    place.frist(&["check"]).code(2).says("no folder `policies` here").says("frist check POLICY");
    place.write("b.frist.toml", BASE.replace("timezone =", "timezoen ="));
    place.write("Cargo.toml", "[package]\n");
    let out = place.frist(&["check", "--format", "concise"]).code(1).out;
    assert!(out.lines().all(|line| line.starts_with("b.frist.toml:")), "{out}");
    place.write("frist.toml", BASE);
    place.frist(&["check"]).code(1).says("2 policies: ");
    place.frist(&["report"]).code(2).says("POLICY");
    place.frist(&["purge", "--yes"]).code(2).says("POLICY");
}

#[test]
fn a_list_of_records_is_written_as_csv() {
    let place = Place::with_rules(&rule("people", "people", "1 year", "ended_at"));
    place.sql(
        "CREATE TABLE people (name TEXT PRIMARY KEY, ended_at TEXT);
         INSERT INTO people VALUES ('a,\"b\"', '2020-05-01'), ('c', 'never'), ('d', '2290-01-01')",
    );
    let csv = ["report", "policy.toml", "--format", "csv", "--now", "2026-11-20"];
    place.frist(&csv).code(2).says("say --list, too");
    let ran = place.frist(&[&csv[..], &["--list", "--all"]].concat()).code(3);
    assert_eq!(
        ran.out,
        "policy,rule,data,key,state,event,due_from,reason\r\n\
         shop,people,app.people,\"a,\"\"b\"\"\",due,2020-05-01,2021-05-02T00:00:00+02:00,\"1 year is over since 2021-05-02 (2,028 days)\"\r\n\
         shop,people,app.people,c,unreadable,,,not a date\r\n\
         shop,people,app.people,d,running,2290-01-01,2291-01-02T00:00:00+01:00,1 year is over on 2291-01-02\r\n"
    );
    assert!(ran.err.contains("1 record of app.people cannot be read"), "{}", ran.err);
    place.frist(&["report", "policy.toml", "--list", "--output", "csv=list.csv"]).code(3);
    assert_eq!(String::from_utf8(place.read("list.csv")).unwrap().lines().count(), 3);
}

#[test]
fn what_is_no_policy_in_a_folder_is_passed_over_and_told() {
    let place = Place::new();
    place.write("all/Cargo.toml", "[package]\nname = \"x\"\n");
    place.frist(&["check", "all"]).code(2).says("the folder holds no policy");
    place.write("all/sound.toml", BASE);
    let ran = place.frist(&["check", "all"]).code(0).says("1 policy with 1 rule");
    assert!(ran.err.contains("all/Cargo.toml: no policy; it was passed over"), "{}", ran.err);
    place.frist(&["check", "all/Cargo.toml"]).code(1).says("[policy]");
    // What may be meant as one is read, and so is what cannot be.
    let misspelt = "[polcy]\nname = \"x\"\n[sources.app]\n[[rulez]]\n";
    for spoilt in ["[polcy]\nname = \"x\"\n[[rule]]\n", misspelt, "[policy\n", "version = 1\n", ""] {
        place.write("all/other.toml", spoilt);
        place.frist(&["check", "all"]).code(1).says("all/other.toml");
    }
    // One section of five is called nearly so.
    place.write("all/other.toml", "[graph]\n[advisories]\n[licenses]\n[bans]\n[sources]\n");
    place.write("all/x.frist.toml", "[package]\n");
    place.frist(&["check", "all"]).code(1).says("all/x.frist.toml").does_not_say("error[cannot-open]");
}

#[test]
fn a_misspelt_section_or_kind_of_source_is_one_finding() {
    let place = Place::new();
    for (right, wrong) in [("[policy]", "[polcy]"), ("sqlite =", "sqlit ="), ("sqlite =", "cvs =")] {
        place.write("policy.toml", BASE.replace(right, wrong));
        let out = place.frist(&["check", "policy.toml", "--format", "concise"]).code(1).out;
        assert_eq!(out.matches("error[missing-key]").count(), 0, "{out}");
        assert_eq!(out.matches("error[unknown-key]").count(), 1, "{out}");
    }
}
