//! Lists that cannot be finished: what could be listed stands there, and what could not is told, once and
//! truly; the JSON is whole, and so are other policies and other outputs.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::super::support::{Place, Ran};

const LIST: [&str; 4] = ["--list", "--all", "--format", "json"];

fn policy(name: &str, source: &str) -> String {
    format!(
        "version = 1\n[policy]\nname = \"{name}\"\ntimezone = \"UTC\"\nlimit = {{ share = \"100%\" }}\n\
         [source.s]\n{source}\n[[rule]]\nname = \"r\"\nkeep = \"30 days\"\n"
    )
}

/// The objects that were printed, one a line.
fn objects(ran: &Ran) -> Vec<Value> {
    let one = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
    ran.out.lines().map(one).collect()
}

fn keys(report: &Value) -> Vec<&str> {
    let records = report["rules"][0]["records"].as_array().unwrap();
    records.iter().map(|record| record["key"].as_str().unwrap()).collect()
}

fn csv(name: &str, folder: &str, settings: &str) -> String {
    policy(name, &format!("csv = \"{folder}/*\"\n{settings}")) + "data = \"s\"\nafter = \"at\"\n"
}

#[test]
fn one_csv_file_that_cannot_be_read_ends_no_list() {
    let due = "id,at\n1,2020-01-01\n";
    let with_mark = b"\xef\xbb\xbfid,at\n1,2020-01-01\n";
    let bad: [(&str, &[u8], &str, &str); 4] = [
        ("b.csv", b"id,other\n1,2020-01-01\n", "", "missing-column"),
        ("b.csv", b"\xff\xfei\0d\0", "", "utf-16"),
        ("b.csv.gz", b"\x1f\x8bnothing", "", "cannot-read"),
        ("b.csv", with_mark, "encoding = \"windows-1252\"", ""),
    ];
    for (name, content, settings, code) in bad {
        let place = Place::new();
        place.write("first.toml", csv("first", "data", settings));
        place.write("second.toml", csv("second", "others", ""));
        for file in ["data/a.csv", "data/c.csv", "others/d.csv"] {
            place.write(file, due);
        }
        place.write(&format!("data/{name}"), content);
        let files = ["--output", "json=o.json", "--output", "text=o.txt", "first.toml", "second.toml"];
        let ran = place.frist(&[&["report"], &LIST[..], &files].concat()).code(3);
        let all = objects(&ran);
        assert_eq!(all.len(), 2, "{ran:?}");
        assert_eq!((keys(&all[0]), keys(&all[1])), (vec!["a.csv:2", "c.csv:2"], vec!["d.csv:2"]));
        let problems = all[0]["rules"][0]["problems"].as_array().unwrap();
        assert_eq!(problems.len(), 1, "it is told once: {problems:?}");
        assert!(problems[0]["message"].as_str().unwrap().contains(name), "{problems:?}");
        assert!(code.is_empty() || problems[0]["code"] == code, "{problems:?}");
        assert_eq!(ran.err, "", "everything has been written");
        assert_eq!(String::from_utf8(place.read("o.json")).unwrap(), ran.out);
        let text = String::from_utf8(place.read("o.txt")).unwrap();
        assert!(text.contains("d.csv:2") && text.contains("a list could not be finished"), "{text}");
    }
}

/// What a killed purge was about to write stands half in the file, and half beside it.
#[test]
fn a_csv_file_that_is_being_rewritten_is_not_listed_as_it_is_not_counted() {
    let place = Place::new();
    place.write("policy.toml", csv("p", "data", ""));
    for file in ["data/a.csv", "data/b.csv", "data/.b.csv.frist-kept"] {
        place.write(file, "id,at\n1,2020-01-01\n");
    }
    let ran = place.frist(&[&["report", "policy.toml"], &LIST[..]].concat()).code(3);
    let rule = &objects(&ran)[0]["rules"][0];
    assert_eq!((&rule["due"], &rule["problems"][0]["code"]), (&json!(1), &json!("unfinished")));
    assert_eq!(keys(&objects(&ran)[0]), ["a.csv:2"]);
}

#[test]
fn a_sub_folder_that_cannot_be_read_ends_no_list() {
    let place = Place::new();
    let source = "files = \"data\"\nrecursive = true";
    place.write("policy.toml", policy("p", source) + "data = \"s\"\nafter = \"modified\"\n");
    place.write("data/closed/a", "");
    place.write("data/open/b", "");
    fs::set_permissions(place.path("data/closed"), Permissions::from_mode(0o700)).unwrap();
    if !rustix::process::geteuid().is_root() {
        fs::set_permissions(place.path("data/closed"), Permissions::from_mode(0o000)).unwrap();
    }
    let ran = place.frist_as_nobody(&[&["report", "policy.toml"], &LIST[..]].concat()).code(3);
    fs::set_permissions(place.path("data/closed"), Permissions::from_mode(0o700)).unwrap();
    let all = objects(&ran);
    assert_eq!(keys(&all[0]), ["open/b"]);
    assert_eq!(all[0]["rules"][0]["problems"].as_array().unwrap().len(), 1, "{ran:?}");
    assert_eq!(ran.err, "");
}

/// A report counts by what its rules read, and a list reads the keys as well: where the key of the last
/// record lies on a damaged page, the list alone meets it, behind records that it has named.
#[test]
fn what_only_the_list_meets_is_a_problem_of_the_rule() {
    let place = Place::new();
    place.write("policy.toml", policy("p", "sqlite = \"app.db\"") + "data = \"s.people\"\nafter = \"at\"\n");
    let connection = place.sql(
        "CREATE TABLE people (at TEXT, more TEXT, id TEXT PRIMARY KEY);
         INSERT INTO people VALUES ('2020-01-01', '', 'a'), ('2020-01-02', '', 'b'),
             ('2020-01-03', replace(hex(zeroblob(10000)), '0', 'x'), 'c')",
    );
    connection.close().unwrap();
    let mut bytes = place.read("app.db");
    // Each page of the long text begins with the number of the next one.
    let pages = bytes.chunks_mut(4_096).filter(|page| page[4..].iter().all(|byte| *byte == b'x'));
    pages.for_each(|page| page[..4].fill(0xff));
    place.write("app.db", bytes);
    place.frist(&["report", "policy.toml"]).code(0);
    let report = ["report", "policy.toml", "--output", "json=o.json"];
    let ran = place.frist(&[&report, &LIST[..]].concat()).code(3);
    let all = objects(&ran);
    assert_eq!(keys(&all[0]), ["a", "b"]);
    let problems = all[0]["rules"][0]["problems"].as_array().unwrap();
    assert_eq!((problems.len(), &problems[0]["code"]), (1, &json!("damaged")), "{problems:?}");
    assert_eq!((ran.err.as_str(), place.read("o.json")), ("", ran.out.clone().into_bytes()));
    let text = place.frist(&["report", "policy.toml", "--list"]).code(3);
    text.says("PROBLEM: ./app.db: the file is damaged").says("a list could not be finished");
}
