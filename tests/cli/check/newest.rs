//! `keep-newest` and `per`: every wrong use has a place and a way out.

use insta::assert_snapshot;

use super::{BASE, Place, found, warned, with};

/// The policy with some lines in its rule, and others behind it.
fn rule(lines: &str) -> String {
    format!("{BASE}{lines}\n")
}

/// That a policy has one error, with these words and a way out.
#[track_caller]
fn refused(text: &str, words: &str) {
    let findings = found(text);
    assert!(findings.contains(words), "no {words:?} in {findings}");
    assert_eq!(findings.matches("error[").count(), 1, "{findings}");
    assert!(findings.contains("= help: ") || words.contains("wrong-type"), "{findings}");
}

#[test]
fn tables_files_and_folders_have_groups() {
    for lines in
        ["keep-newest = 1", "keep-newest = 10_000\nper = \"owner\"", "keep-newest = 2\nper = [\"a\", \"b\"]"]
    {
        assert_eq!(warned(&rule(lines)), "", "{lines}");
        let csv =
            rule(lines).replace("sqlite = \"app.db\"", "csv = \"*.csv\"").replace("app.customers", "app");
        assert_eq!(warned(&csv), "", "{lines}");
    }
    for per in ["name", "path", "folder", "size"] {
        assert_eq!(warned(&folder(&format!("keep-newest = 1\nper = \"{per}\""))), "", "{per}");
    }
    assert_eq!(warned(&folder("when = \"folder = 'a/b'\"")), "");
}

fn folder(lines: &str) -> String {
    let text = BASE.replace("sqlite = \"app.db\"", "files = \"data\"").replace("app.customers", "app");
    text.replace("ended_at", "modified") + lines + "\n"
}

#[test]
fn groups_of_nothing_have_no_newest() {
    assert_snapshot!(found(&rule("per = \"owner\"")), @r#"
    error[missing-key]: rule `customers` has `per`, and no `keep-newest`
      --> policy.toml:19:1
       |
    19 | per = "owner"
       | ^^^
       |
       = help: write how many of the newest records of each group are kept, such as keep-newest = 20, or leave `per` out
    "#);
    assert_snapshot!(found(&folder("keep-newest = 1\nper = \"foldr\"")), @r#"
    error[unknown-column]: `foldr` is nothing that a folder's records have
      --> policy.toml:20:7
       |
    20 | per = "foldr"
       |       ^^^^^^^
       |
       = help: did you mean `folder`?
    "#);
    refused(&folder("keep-newest = 1\nper = \"modified\""), "error[unknown-column]: `modified` is nothing");
    refused(
        &rule("keep-newest = 1\nper = []"),
        "error[bad-value]: `per` of rule `customers` names no column",
    );
    refused(
        &rule("keep-newest = 1\nper = \"\""),
        "error[bad-value]: `per` of rule `customers` names a column without",
    );
    refused(
        &rule("keep-newest = 1\nper = [\"a\", \"a\"]"),
        "error[bad-value]: `per` of rule `customers` names `a` twice",
    );
    refused(&rule("keep-newest = 1\nper = 3"), "error[wrong-type]");
    refused(&rule("keep-newest = 0"), "error[bad-value]: `keep-newest` in rule `customers` cannot be 0");
    refused(&rule("keep-newest = 10_001\nper = \"a\""), "`keep-newest` in rule `customers` cannot be 10001");
    refused(&rule("keep-newest = \"1\""), "error[wrong-type]");
}

#[test]
fn a_column_that_tells_groups_apart_is_read() {
    let newest = "keep-newest = 1\nper = [\"id\", \"owner\"]\n";
    let text = rule(&format!("{newest}then = \"anonymise\"\nset = {{ owner = \"remove\" }}"));
    refused(
        &text,
        "error[set-column-read]: rule `customers` sets `owner`, which is read by `per` of rule `customers`",
    );
    let orders = "[[rule]]\nname = \"orders\"\ndata = \"app.orders\"\nkeep = \"1 year\"\nafter = \"at\"\n\
                  set-null = [{ table = \"customers\", column = \"owner\", on = \"owner = id\" }]";
    refused(&rule(&format!("{newest}{orders}")), "which is read by `per` of rule `customers`");
    assert_eq!(warned(&rule(&format!("keep-newest = 1\nper = \"id\"\n{orders}"))), "");
}

#[test]
fn a_column_that_is_not_there_is_named() {
    let place = Place::new();
    place.write("policy.toml", with("[[rule]]", "keep-newest = 1") + "per = \"owner\"\n");
    let connection = rusqlite::Connection::open(place.path("app.db")).unwrap();
    connection
        .execute_batch("CREATE TABLE customers (id INTEGER PRIMARY KEY, ended_at TEXT, owners TEXT)")
        .unwrap();
    let ran = place.frist(&["check", "--data", "policy.toml"]).code(1);
    ran.says("error[missing-column]: table `customers` has no column `owner`; did you mean `owners`?");
    place.write(
        "policy.toml",
        rule("keep-newest = 1\nper = \"owner\"")
            .replace("sqlite = \"app.db\"", "csv = \"*.csv\"")
            .replace("app.customers", "app"),
    );
    place.write("a.csv", "ended_at,owners\n");
    place.frist(&["check", "--data", "policy.toml"]).code(1).says("has no column `owner`");
}
