//! `frist check`: every finding with its place and its way out.

mod anonymise;
mod copies;
mod csv;
mod data;
mod elsewhere;
mod folders;
mod formats;
mod gone_within;
mod header;
mod laws;
mod newest;
mod not_yet;
mod outputs;
mod periods;
mod periods_from_data;
mod related;
mod rules;
mod set_null;
mod sources;
mod taken_along;
mod together;

use std::fs;
use std::path::Path;

use frist::diagnostic::Code;
use insta::assert_snapshot;

use super::support::Place;

/// A valid policy that each test spoils in one place.
const BASE: &str = r#"version = 1

[policy]
name = "shop"
timezone = "Europe/Copenhagen"

[source.app]
sqlite = "app.db"

[activity.sales]
purpose = "Sales"

[[rule]]
name = "customers"
data = "app.customers"
activity = "sales"
keep = "1 year"
after = "ended_at"
"#;

/// The valid policy with a line of one section replaced or, where its key is new, added.
fn with(section: &str, line: &str) -> String {
    let (before, behind) = BASE.split_once(&format!("{section}\n")).unwrap();
    let (own, after) = behind.split_once("\n\n").unwrap_or((behind, ""));
    let key = |line: &str| line.split(' ').next().map(str::to_string);
    let mut lines: Vec<&str> = own.lines().collect();
    match lines.iter_mut().find(|old| key(old) == key(line)) {
        Some(old) => *old = line,
        None => lines.insert(0, line),
    }
    format!("{before}{section}\n{}\n\n{after}", lines.join("\n"))
}

/// The errors in a policy, as a user sees them.
#[track_caller]
fn found(text: &str) -> String {
    checked(text, 1)
}

/// The warnings about a policy that has no error.
#[track_caller]
fn warned(text: &str) -> String {
    checked(text, 0)
}

#[track_caller]
fn checked(text: &str, code: i32) -> String {
    let place = Place::new();
    place.write("policy.toml", text);
    let ran = place.frist(&["check", "policy.toml"]).code(code);
    let (findings, _summary) = ran.out.trim_end().rsplit_once('\n').unwrap_or_default();
    findings.trim_end().to_string()
}

#[test]
fn a_sound_policy_is_praised_in_one_line() {
    let place = Place::new();
    place.write("policy.toml", BASE);
    let ran = place.frist(&["check", "policy.toml"]).code(0);
    assert_eq!(ran.out, "1 policy with 1 rule: no problem found\n");
    assert_eq!(ran.err, "");
}

const FAULTY: &str = r#"version = 1
# Æblemost & Gråbrød
[policy]
name = "æblemost"
timezone = "Europe/Kopenhagen"
[source.app]
sqlite = "app.db"
[source.old]
sqlite = "old.db"
[[rule]]
name = "blåbær"
data = "app.kunder"
keep = "5 yers"
after = "slut"
when = "land = 'Ærø' og x = 1"
enforce = 'maybe'
"#;

#[test]
fn every_problem_is_told_at_once_in_the_order_of_its_place() {
    let place = Place::new();
    place.write("policy.toml", FAULTY);
    assert_snapshot!(place.frist(&["check", "policy.toml"]).code(1).out, @r#"
    error[bad-name]: `æblemost` is not a policy's name
     --> policy.toml:4:8
      |
    4 | name = "æblemost"
      |        ^^^^^^^^^^
      |
      = help: use small letters, digits and hyphens, such as "mobilize-me"

    error[unknown-timezone]: there is no timezone `Europe/Kopenhagen`
     --> policy.toml:5:12
      |
    5 | timezone = "Europe/Kopenhagen"
      |            ^^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean "Europe/Copenhagen"?

    error[bad-period]: `yers` is no unit of time
      --> policy.toml:13:8
       |
    13 | keep = "5 yers"
       |        ^^^^^^^^
       |
       = help: did you mean `5 years`?

    error[bad-condition]: expected `and`, `or` or the end, found `og`
      --> policy.toml:15:22
       |
    15 | when = "land = 'Ærø' og x = 1"
       |                      ^^
       |
       = help: did you mean `or`?

    error[wrong-type]: `enforce` in rule `blåbær` must be true or false, not text
      --> policy.toml:16:11
       |
    16 | enforce = 'maybe'
       |           ^^^^^^^

    1 policy: 5 errors
    "#);
}

/// Whether one of some source texts names a code, apart from their own tests.
pub(super) fn is_named(code: Code, sources: &[String]) -> bool {
    let name = format!("Code::{code:?}");
    let ends = |rest: &str| !rest.starts_with(char::is_alphanumeric);
    sources.iter().any(|source| {
        let source = source.split("\nmod tests {").next().unwrap_or_default();
        source.match_indices(&name).any(|(at, _)| ends(&source[at + name.len()..]))
    })
}

pub(super) fn rust_files(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(rust_files(&path));
        } else {
            texts.push(fs::read_to_string(&path).unwrap());
        }
    }
    texts
}

#[test]
fn every_code_of_a_finding_occurs_in_a_test() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = ["src/policy", "src/coverage"].map(|folder| rust_files(&project.join(folder))).concat();
    let codes: Vec<Code> = Code::ALL.iter().copied().filter(|code| is_named(*code, &sources)).collect();
    assert!(codes.len() > 25, "the search for codes finds too few: {codes:?}");
    let tests = rust_files(&project.join("tests/cli")).join("\n");
    let untested: Vec<&Code> = codes.iter().filter(|code| !tests.contains(&format!("[{code}]"))).collect();
    assert!(untested.is_empty(), "no test shows {untested:?}");
}

/// The beginning of a policy, and so many sections of a text in which `N` is a number.
fn many(count: usize, beginning: &str, section: &str) -> String {
    let sections: String = (0..count).map(|number| section.replace('N', &number.to_string())).collect();
    format!("version = 1\n[policy]\nname = \"many\"\ntimezone = \"UTC\"\n{beginning}{sections}")
}

/// How long that takes is measured in `benches/check.rs`.
#[test]
fn a_policy_of_thousands_of_rules_is_checked_and_each_place_is_right() {
    const RULE: &str = "[[rule]]\nname = \"rN\"\nkeep = \"1 day\"\nafter = \"at\"\n";
    let app = "[source.app]\nsqlite = \"app.db\"\n";
    let sources = format!("[source.sN]\nsqlite = \"N.db\"\n{RULE}data = \"sN.t\"\n");
    let place = Place::new();
    place.write("tables.toml", many(10_000, app, &format!("{RULE}data = \"app.tN\"\n")));
    place.write("sources.toml", many(4_000, "", &sources));
    place.write("faults.toml", many(3_000, app, "[[rule]]\n"));
    place.frist(&["check", "tables.toml"]).code(0).says("with 10000 rules: no problem found");
    place.frist(&["check", "sources.toml"]).code(0).says("with 4000 rules: no problem found");
    place.frist(&["check", "faults.toml"]).code(1).says("--> faults.toml:3006:1");
}
