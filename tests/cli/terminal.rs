//! What names from the policy, the data and the file system can do to a terminal: nothing.

use super::support::{Place, Ran, rule, toml_text};

/// Ends a line, pretends to be an entry of the ledger, clears a screen in both ways, turns the reading
/// around, and is not seen.
const NAME: &str =
    "t\n    9  2026-01-01T00:00:00Z  run-finished\u{1b}[2J\u{9b}2J\u{85}\u{202e}\u{2028}\u{200b}";

/// A table, a column, a title and a key of that name; one record is due, and one cannot be read.
fn place() -> Place {
    let (quoted, text) = (toml_text(NAME).replace('\'', "''"), toml_text(&format!("app.{NAME}")));
    let rule =
        rule("people", "people", "1 year", "at").replace("'app.people'", &text).replace("'at'", &quoted)
            + "then = \"delete\"\n";
    let place = Place::with_rules(&rule);
    let policy = String::from_utf8(place.read("policy.toml")).unwrap();
    place.write(
        "policy.toml",
        policy.replace("name = \"shop\"", &format!("name = \"shop\"\ntitle = {quoted}")),
    );
    place.sql(&format!(
        "CREATE TABLE \"{NAME}\" (key TEXT PRIMARY KEY, \"{NAME}\" TEXT) WITHOUT ROWID;
         INSERT INTO \"{NAME}\" VALUES ('{NAME}', '2001-01-01'), ('{NAME}2', 'soon'), ('3', '2099-01-01');
         CREATE TABLE \"{NAME} more\" (email TEXT)"
    ));
    place
}

#[track_caller]
fn assert_harmless(command: &[&str], ran: &Ran) {
    let acts = |c: &char| (c.is_control() && *c != '\n') || "\u{202e}\u{2028}\u{200b}".contains(*c);
    for stream in [&ran.out, &ran.err] {
        assert_eq!(stream.chars().find(acts), None, "{command:?} {stream}");
        assert!(!stream.lines().any(|line| line.starts_with("    9  2026-01-01")), "{command:?} {stream}");
    }
}

#[test]
fn no_name_acts_on_a_terminal() {
    let place = place();
    let commands: [&[&str]; 13] = [
        &["check", "policy.toml"],
        &["check", "--data", "policy.toml"],
        &["check", "--data", "policy.toml", "--format", "json"],
        &["report", "policy.toml", "-q"],
        &["report", "policy.toml", "--list", "--all"],
        &["report", "policy.toml", "--list", "--all", "--format", "json"],
        &["report", NAME],
        &["purge", "--yes", "policy.toml", "--count"],
        &["purge", "--yes", "policy.toml", "-q"],
        &["ledger", "show", "policy.toml"],
        &["ledger", "show", "--runs", "policy.toml"],
        &["ledger", "show", "policy.toml", "--format", "json"],
        &["ledger", "verify", "policy.toml", "--expect", NAME],
    ];
    for command in commands {
        let ran = place.frist(command);
        assert_harmless(command, &ran);
        assert!([0, 2, 3].contains(&ran.code), "{command:?} {ran:?}");
    }
    let shown =
        place.frist(&["ledger", "show", "--all", "policy.toml"]).code(0).says("run-finished\\u{1b}[2J");
    let entries = place.read("state/ledger.jsonl").iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(shown.out.lines().count(), entries);
}

#[test]
fn json_says_names_as_they_are() {
    let json = place().frist(&["report", "policy.toml", "--list", "--format", "json"]).code(3).json();
    assert_eq!(json["rules"][0]["data"], format!("app.{NAME}"));
    let keys = json["rules"][0]["records"].as_array().unwrap().iter().map(|record| &record["key"]);
    assert!(keys.into_iter().any(|key| key == NAME));
}
