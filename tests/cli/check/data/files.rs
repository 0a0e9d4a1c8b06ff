//! Files and entries of folders that nobody mentioned.

use std::fs;
use std::os::unix::ffi::OsStrExt;

use insta::assert_snapshot;

use super::super::super::support::Place;
use super::{found, messages};

const HEAD: &str = "version = 1\n[policy]\nname = \"shop\"\ntimezone = \"UTC\"\nstate = \"state\"\n";

/// A CSV source with these further lines, and its rule.
fn logs(source: &str) -> String {
    format!(
        "{HEAD}[source.logs]\ncsv = \"data/access-*.csv\"\n{source}\n\
         [[rule]]\nname = \"logs\"\ndata = \"logs\"\nkeep = \"1 year\"\nafter = \"at\"\n"
    )
}

/// A folder source with these further lines, and its rule.
fn backups(source: &str) -> String {
    format!(
        "{HEAD}[source.backups]\nfiles = \"backups\"\n{source}\n\
         [[rule]]\nname = \"backups\"\ndata = \"backups\"\nkeep = \"1 year\"\nafter = \"modified\"\n"
    )
}

fn with(policy: &str, files: &[&str]) -> Place {
    let place = Place::new();
    place.write("policy.toml", policy);
    files.iter().for_each(|file| place.write(file, "at\n2199-01-01\n"));
    place
}

#[test]
fn csv_files_beside_the_pattern_are_named() {
    let files =
        ["data/access-1.csv", "data/old.csv", "data/.access-2.csv", "data/readme.txt", "data/sub/a.csv"];
    let place = with(&logs(""), &files);
    assert_snapshot!(found(&place, 0), @r#"
    warning[uncovered-files]: 1 .csv file beside those of source `logs` is covered by no source: `old.csv`
     --> policy.toml:6:9
      |
    6 | [source.logs]
      |         ^^^^
      |
      = help: widen `csv`, write a source for them, or ignore them: ignore = [{ file = "old-*.csv", why = "…" }]
    "#);
    for more in ["data/access.csv.gz", "data/Access-3.CSV", "data/a.csv"] {
        place.write(more, "at\n");
    }
    assert_snapshot!(messages(&place, 0).join("\n"), @"[uncovered-files] 4 .csv files beside those of source `logs` are covered by no source: `Access-3.CSV`, `a.csv`, `access.csv.gz` and 1 more");
}

#[test]
fn csv_files_of_another_source_and_ignored_ones_are_covered() {
    let place = with(&logs(""), &["data/access-1.csv", "data/old.csv"]);
    let other = "\n[source.old]\ncsv = \"data/old.csv\"\n[[rule]]\nname = \"old\"\ndata = \"old\"\n\
                 keep = \"1 year\"\nafter = \"at\"\n";
    place.write("policy.toml", format!("{}{other}", logs("")));
    assert_eq!(messages(&place, 0), Vec::<String>::new());
    place.write("policy.toml", logs("ignore = [{ file = \"o*.csv\", why = \"no people\" }]"));
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}

#[test]
fn csv_files_that_are_records_of_a_folder_are_covered() {
    let place = with(&logs(""), &["data/access-1.csv", "data/old.csv"]);
    let folder = "\n[source.old]\nfiles = \"data\"\nmatch = \"old.csv\"\n[[rule]]\nname = \"old\"\ndata = \"old\"\n\
                  keep = \"1 year\"\nafter = \"modified\"\n";
    place.write("policy.toml", format!("{}{folder}", logs("")));
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}

#[test]
fn csv_files_below_a_pattern_of_many_folders_are_named_by_their_path() {
    let policy = logs("").replace("data/access-*.csv", "data/**/access-*.csv");
    let place = with(
        &policy,
        &["data/a/access-1.csv", "data/a/old.csv", "data/b/alone.csv", "data/top.csv", "data/.x/a.csv"],
    );
    assert_snapshot!(messages(&place, 0).join("\n"), @"[uncovered-files] 3 .csv files beside those of source `logs` are covered by no source: `a/old.csv`, `b/alone.csv`, `top.csv`");
}

#[test]
fn a_csv_file_without_a_column_is_an_error_once() {
    let place = with(&logs(""), &["data/access-1.csv"]);
    place.write("data/access-2.csv", "time\n2199-01-01\n");
    let second = "[[rule]]\nname = \"second\"\ndata = \"logs\"\nkeep = \"2 years\"\nafter = \"at\"\n";
    place.write("policy.toml", format!("{}{second}", logs("")));
    let told = messages(&place, 1);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].starts_with("[missing-column] ") && told[0].contains("access-2.csv"), "{told:#?}");
}

#[test]
fn no_csv_file_and_no_folder_at_all_are_errors() {
    let place = with(&logs(""), &["data/old.csv"]);
    assert!(messages(&place, 3)[1].starts_with("[missing-source] no file matches"));
    let place = with(&backups(""), &[]);
    assert!(messages(&place, 3)[0].starts_with("[missing-source] "));
}

#[test]
fn entries_that_a_folder_s_match_leaves_out_are_named() {
    let files = [
        "backups/app-1.db",
        "backups/README",
        "backups/app-2.db.old",
        "backups/.hidden",
        "backups/sub/app-3.db",
    ];
    let place = with(&backups("match = \"app-*.db\""), &files);
    assert_snapshot!(found(&place, 0), @r#"
    warning[uncovered-files]: 4 entries in the folder of source `backups` are covered by no source: `.hidden`, `README`, `app-2.db.old` and 1 more
     --> policy.toml:6:9
      |
    6 | [source.backups]
      |         ^^^^^^^
      |
      = help: widen `match`, write a source for them, or ignore them: ignore = [{ file = "README*", why = "…" }]
    "#);
    let ignore = "ignore = [{ file = \"{README,.hidden,*.old}\", why = \"no people\" }]";
    place.write("policy.toml", backups(&format!("match = \"app-*.db\"\n{ignore}")));
    assert_snapshot!(messages(&place, 0).join("\n"), @"[uncovered-files] 1 entry in the folder of source `backups` is covered by no source: `sub/`");
    place.write("policy.toml", backups(&format!("match = \"**/app-*.db\"\nrecursive = true\n{ignore}")));
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}

#[test]
fn files_beside_sub_folders_that_are_records_are_named() {
    let place = with(&backups("unit = \"folder\""), &["backups/a/1", "backups/b/2", "backups/stray"]);
    assert_snapshot!(messages(&place, 0).join("\n"), @"[uncovered-files] 1 entry in the folder of source `backups` is covered by no source: `stray`");
}

#[test]
fn what_another_source_is_about_is_covered() {
    let place = with(&backups("match = \"app-*.db\""), &["backups/app-1.db", "backups/logs/access-1.csv"]);
    assert_eq!(messages(&place, 0).len(), 1);
    let other = "\n[source.logs]\ncsv = \"backups/logs/access-*.csv\"\n[[rule]]\nname = \"logs\"\ndata = \"logs\"\n\
                 keep = \"1 year\"\nafter = \"at\"\n";
    place.write("policy.toml", format!("{}{other}", backups("match = \"app-*.db\"")));
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}

#[test]
fn names_that_are_no_text_are_told_too() {
    let place = with(&backups("match = \"app-*.db\""), &["backups/app-1.db"]);
    fs::write(place.path("backups").join(std::ffi::OsStr::from_bytes(b"\xff\x1b[31m")), "").unwrap();
    let text = found(&place, 0);
    assert!(text.contains("\\xff") && !text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn an_ignored_file_is_a_pattern_with_a_reason() {
    let place = with(&logs("ignore = [{ table = \"old\", why = \"x\" }]"), &["data/access-1.csv"]);
    assert_snapshot!(messages(&place, 1).join("\n"), @r"
    [missing-key] `ignore` of source `logs` has no `file`
    [unknown-key] unknown key `table` in `ignore` of source `logs`
    ");
    place.write("policy.toml", logs("ignore = [{ file = \"[\" }]"));
    assert_snapshot!(messages(&place, 1).join("\n"), @r"
    [missing-key] `ignore` of source `logs` has no `why`
    [bad-glob] not a pattern: unclosed character class; missing ']'
    ");
}
