//! Findings about folders: `files`, and the rules on them.

use std::fs;

use insta::assert_snapshot;

use super::{Place, found, with};

const FOLDER: &str = r#"version = 1

[policy]
name = "shop"
timezone = "Europe/Copenhagen"

[source.backups]
files = "data/backups"

[[rule]]
name = "backups"
data = "backups"
keep = "30 days"
after = "modified"
"#;

/// The policy on a folder with a line of its source, and one of its rule, exchanged or added.
fn folder(source: &str, rule: &str) -> String {
    let source_line = if source.starts_with("files") { "" } else { "files = \"data/backups\"\n" };
    let after = if rule.starts_with("after") { "" } else { "after = \"modified\"\n" };
    FOLDER
        .replace("files = \"data/backups\"\n", &format!("{source_line}{source}\n"))
        .replace("after = \"modified\"\n", &format!("{after}{rule}\n"))
}

/// That a policy on a folder has one error, with these words.
#[track_caller]
fn refused(source: &str, rule: &str, words: &str) {
    let findings = found(&folder(source, rule));
    assert!(findings.contains(words), "no {words:?} in {findings}");
    assert_eq!(findings.matches("error[").count(), 1, "{findings}");
    assert!(findings.contains("= help: ") || words.contains("wrong-type"), "{findings}");
}

#[track_caller]
fn sound(source: &str, rule: &str) {
    let place = Place::new();
    place.write("policy.toml", folder(source, rule));
    place.frist(&["check", "policy.toml"]).code(0).says("1 rule: no problem found");
}

#[test]
fn a_folder_needs_neither_tables_nor_columns() {
    sound("", "");
    sound("match = \"*.zst\"", "after = { name = \"app-%Y-%m-%d.db.zst\" }");
    sound("match = [\"a*\", \"**/b*\"]\nrecursive = true", "keep-newest = 1");
    sound("unit = \"folder\"\ntimes-in = \"Europe/Copenhagen\"", "when = \"size > 0 and name like 'a%'\"");
    sound("", "after = { name = \"%Y-%m.log\", counted-from = \"end-of-year\" }");
    sound("", "after = { column = \"modified\", counted-from = \"end-of-month\" }");
}

#[test]
fn a_pattern_that_is_none_is_told() {
    assert_snapshot!(found(&folder("match = \"app-[\"", "")), @r#"
    error[bad-glob]: not a pattern: unclosed character class; missing ']'
     --> policy.toml:9:9
      |
    9 | match = "app-["
      |         ^^^^^^^
      |
      = help: write a pattern such as "app-*.db.zst", or "**/*.log" for every level
    "#);
    refused("match = \"\"", "", "error[bad-glob]: `` matches no path below the folder");
    refused("match = [\"a\", \"/b\"]", "", "error[bad-glob]: `/b` matches no path");
    refused("match = []", "", "error[bad-glob]: `match` in source `backups` matches nothing");
}

#[test]
fn what_a_record_is_has_two_answers() {
    assert_snapshot!(found(&folder("unit = \"x\"", "")), @r#"
    error[bad-value]: `x` is no unit of records
     --> policy.toml:9:8
      |
    9 | unit = "x"
      |        ^^^
      |
      = help: write "file" or "folder"
    "#);
    refused(
        "unit = \"folder\"\nrecursive = true",
        "",
        "error[bad-value]: `recursive` in source `backups` has no meaning",
    );
    refused("recursive = 1", "", "error[wrong-type]: `recursive` in source `backups` must be true or false");
}

#[test]
fn a_source_is_of_one_kind() {
    let text = with("[source.app]", "files = \"data\"");
    let findings = found(&text);
    assert!(
        findings.contains("error[two-kinds]: source `app` has `sqlite` and `files`: a source has one kind"),
        "{findings}"
    );
    let findings = found(&folder("csv = \"*.csv\"", ""));
    assert!(findings.contains("error[two-kinds]: source `backups` has `csv` and `files`"), "{findings}");
    for key in ["match = \"*\"", "recursive = true", "unit = \"file\""] {
        let findings = found(&with("[source.app]", key));
        assert!(findings.contains("belongs to a folder, and `files` is not written"), "{findings}");
    }
    for key in ["reclaim = \"none\"", "key = \"id\"", "formats = { a = \"unix\" }", "empty = \"x\""] {
        refused(key, "", "has no meaning: a folder has no tables and no columns");
    }
}

#[test]
fn a_rule_on_a_folder_names_what_files_have() {
    assert_snapshot!(found(&folder("", "after = \"ended_at\"")), @r#"
    error[unknown-column]: `ended_at` is no time of a file
      --> policy.toml:15:9
       |
    15 | after = "ended_at"
       |         ^^^^^^^^^^
       |
       = help: write "modified", or a date in the name such as { name = "app-%Y-%m-%d.db.zst" }
    "#);
    assert_snapshot!(found(&folder("", "when = \"owner = 'root' and size > 1\"")), @r#"
    error[unknown-column]: `owner` is nothing that a folder's records have
      --> policy.toml:16:8
       |
    16 | when = "owner = 'root' and size > 1"
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: a folder's records have `name`, `path` (below the folder), `folder` (that in which it lies there) and `size` (in bytes)
    "#);
    refused("", "after = { name = \"app.db\" }", "error[bad-format]: `app.db` has no date in it");
    refused("", "after = { name = \"app-%d.db\" }", "error[bad-format]");
    refused("", "after = { counted-from = \"end-of-year\" }", "error[missing-key]");
    refused("", "after = { name = \"%Y\", column = \"modified\" }", "error[missing-key]");
    refused("", "keep-newest = 0", "error[bad-value]: `keep-newest` in rule `backups` cannot be 0");
    refused("", "keep-newest = 10_001", "error[bad-value]: `keep-newest` in rule `backups` cannot be 10001");
    refused("", "keep-newest = -1", "error[wrong-type]");
    let findings = found(&FOLDER.replace("data = \"backups\"", "data = \"backups.files\""));
    assert!(findings.contains("error[no-tables]: `backups` has no tables"), "{findings}");
}

/// A policy in `etc` on a folder of this path.
fn on(place: &Place, files: &str, state: &str) {
    let text =
        FOLDER.replace("data/backups", files).replace("timezone", &format!("state = \"{state}\"\ntimezone"));
    place.write("etc/policy.toml", text);
}

#[test]
fn folders_that_hold_more_than_data_are_refused() {
    let place = Place::new();
    let home = place.path("home/me").display().to_string();
    fs::create_dir_all(&home).unwrap();
    fs::create_dir_all(place.path("state/deep")).unwrap();
    std::os::unix::fs::symlink(place.path("etc"), place.path("link")).unwrap();
    for files in ["/", "../home/me", "../home", ".", "..", "../state", "../state/deep", "../link"] {
        on(&place, files, "../state");
        for command in [
            &["check", "etc/policy.toml"][..],
            &["report", "etc/policy.toml"],
            &["purge", "--yes", "etc/policy.toml"],
        ] {
            let ran = place.command(command).env("HOME", &home).output().unwrap();
            let said =
                format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
            let wanted = if command[0] == "check" { 1 } else { 2 };
            assert_eq!(ran.status.code(), Some(wanted), "{files}: {said}");
            assert!(said.contains("error[refused-folder]: source `backups` is refused"), "{files}: {said}");
        }
    }
    fs::create_dir(place.path("data")).unwrap();
    on(&place, "../data", "../state");
    place.frist(&["check", "etc/policy.toml"]).code(0);
    // Where the state is only told on the command line, the folder is refused when it is opened.
    place.frist(&["report", "--state", "data/.frist", "etc/policy.toml"]).code(3).says("refused as a source");
    place
        .frist(&["purge", "--yes", "--state", "data/.frist", "etc/policy.toml"])
        .code(3)
        .says("refused as a source");
}

#[test]
fn a_folder_does_not_hold_what_another_source_is_about() {
    let place = Place::new();
    fs::create_dir_all(place.path("data/sub")).unwrap();
    place.write("data/app.db", "");
    let both = |source: &str, other: &str| {
        let other = format!("[source.other]\n{other}\n\n[[rule]]");
        let text = FOLDER.replace("files = \"data/backups\"\n", &format!("files = \"../data\"\n{source}\n"));
        place.write("etc/policy.toml", text.replacen("[[rule]]", &other, 1));
        place.frist(&["check", "etc/policy.toml"])
    };
    let words = "error[same-data]: source `backups` holds what source `other` is about";
    both("", "sqlite = \"../data/app.db\"").code(1).says(words);
    both("match = \"*.zst\"", "sqlite = \"../data/app.db\"").code(0);
    both("", "csv = \"../data/*.csv\"").code(1).says(words);
    both("match = \"*.zst\"", "csv = \"../data/*.csv\"").code(0);
    both("recursive = true", "files = \"../data/sub\"").code(1).says(words);
    both("unit = \"folder\"", "files = \"../data/sub\"").code(1).says(words);
    both("", "files = \"../data/sub\"").code(0);
    both("", "files = \"../data/./sub/..\"").code(1).says("are the same folder");
}
