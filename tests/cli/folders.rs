//! Folders of files: what is told about them, what goes, and what stops it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;
use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, mknodat, utimensat};
use serde_json::json;

use super::support::{Place, Ran};

const NOW: &str = "2026-11-20T12:00";

fn policy(source: &str, rules: &str) -> String {
    format!(
        "version = 1\n\n[policy]\nname = \"shop\"\ntimezone = \"Europe/Copenhagen\"\nlimit = {{ share = \"100%\" }}\n\
         state = \"state\"\n\n[source.backups]\nfiles = \"../backups\"\n{source}\n{rules}"
    )
}

fn rule(name: &str, lines: &str) -> String {
    format!("\n[[rule]]\nname = \"{name}\"\ndata = \"backups\"\nkeep = \"30 days\"\n{lines}\n")
}

fn place(source: &str, rules: &str) -> Place {
    let place = Place::new();
    place.write("policies/policy.toml", policy(source, rules));
    fs::create_dir(place.path("backups")).unwrap();
    place
}

const BY_NAME: &str = "after = { name = \"app-%Y-%m-%d.db.zst\" }";

fn modified(place: &Place, name: &str, seconds: i64) {
    let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, place.path(name), &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

fn report(place: &Place, more: &[&str]) -> Ran {
    place.frist(&[&["report", "policies/policy.toml", "--now", NOW][..], more].concat())
}

fn purge(place: &Place) -> Ran {
    place.frist(&["purge", "--yes", "policies/policy.toml"])
}

fn names(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.path("backups")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Backups of four months, and a file that is none.
fn backups(more: &str) -> Place {
    let place = place("match = \"app-*\"", &rule("backups", &format!("{BY_NAME}\n{more}")));
    for month in 1..=4 {
        place.write(&format!("backups/app-2026-0{month}-01.db.zst"), vec![b'x'; 1_000 * month]);
    }
    place.write("backups/README", "not a backup");
    place
}

#[test]
fn the_text_tells_what_is_due_and_how_much_space_it_takes() {
    let place = backups("");
    place.write("backups/app-2026-11-19.db.zst", "new");
    place.write("backups/app-latest.db.zst", "unreadable");
    assert_snapshot!(report(&place, &[]).code(3).out, @r#"
    shop, as of 2026-11-20T12:00:00+01:00 in Europe/Copenhagen

     rule     data     cutoff      due  in period  unreadable  note
     backups  backups  2026-10-20    4          1           1  problem
       30 days after the date in its name

    backups: oldest event 2026-01-01, overdue by up to 292 days; deleting them frees 10.0 kB; next due 2026-12-20

    backups: PROBLEM: 1 record of backups cannot be read, and so is kept; first: app-latest.db.zst (not in the declared pattern); correct them, or leave them out with `match` or `when` (policies/policy.toml:17:1)

    4 records are due. Ended with 3: 1 record of backups cannot be read.
    "#);
}

#[test]
fn the_last_backup_stays_and_somebody_is_told() {
    let place = backups("keep-newest = 1");
    let ran = report(&place, &["--list"]).code(0);
    ran.says("app-2026-04-01.db.zst  newest  2026-04-01").says("rule `backups` keeps the newest records");
    let json = report(&place, &["--format", "json"]).code(0).json();
    let told = &json["rules"][0];
    assert_eq!([&told["due"], &told["blocked"], &told["matched"]], [&json!(3), &json!(1), &json!(4)]);
    assert_eq!((&told["bytes_due"], &told["warning"]["code"]), (&json!(6_000), &json!("last-kept")));
    let ran =
        purge(&place).code(0).says("backups: WARNING: only `keep-newest` keeps the last record of backups");
    ran.says("backups: 6.0 kB freed").says("3 records deleted; 1 past its time is kept by `keep-newest`.");
    assert_eq!(names(&place), ["README", "app-2026-04-01.db.zst"]);
    purge(&place).code(0).says("0 records deleted; 1 past").says("WARNING");
}

#[test]
fn nobody_is_told_while_new_backups_come() {
    let place = backups("keep-newest = 2");
    place.write("backups/app-2026-11-19.db.zst", "new");
    report(&place, &[])
        .code(0)
        .does_not_say("WARNING")
        .says("3 records are due; 1 past its time is kept by `keep-newest`.");
}

#[test]
fn a_run_is_in_the_ledger_with_its_bytes_and_without_its_names() {
    let place = backups("");
    let ran = place.frist(&["purge", "--yes", "--format", "json", "policies/policy.toml"]).code(0);
    assert_eq!(ran.json()["rules"][0]["bytes_freed"], 10_000);
    assert_eq!(names(&place), ["README"]);
    let ledger = String::from_utf8(place.read("policies/state/ledger.jsonl")).unwrap();
    assert!(ledger.contains("\"bytes_freed\":10000") && !ledger.contains("app-"), "{ledger}");
    assert!(!place.path("policies/state/pending.json").exists());
    place.frist(&["ledger", "verify", "policies/policy.toml"]).code(0);
}

#[test]
fn sub_folders_are_records_as_old_as_what_is_newest_in_them() {
    let place = place("unit = \"folder\"", &rule("backups", "after = \"modified\""));
    for (folder, file, seconds) in
        [("old", "deep/a", 1_000), ("mixed", "a", 1_000), ("mixed", "deep/b", 4_000_000_000)]
    {
        let name = format!("backups/{folder}/{file}");
        place.write(&name, "12345");
        modified(&place, &name, seconds);
    }
    fs::create_dir(place.path("backups/empty")).unwrap();
    modified(&place, "backups/empty", 1_000);
    place.write("backups/file", "");
    modified(&place, "backups/file", 1_000);
    fs::create_dir(place.path("backups/strange")).unwrap();
    mknodat(CWD, place.path("backups/strange/pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let ran = report(&place, &["--format", "json", "--list", "--all"]).code(3);
    let states: Vec<String> = ran.json()["rules"][0]["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| format!("{} {}", record["key"].as_str().unwrap(), record["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, ["empty due", "mixed running", "old due", "strange unreadable"]);
    report(&place, &[]).code(3).says("strange (pipe: a socket, a device or a pipe)");
    purge(&place).code(3).says("2 records deleted.");
    assert_eq!(names(&place), ["file", "mixed", "strange"]);
}

/// A pipe in a sub-folder is nobody's business for as long as the name says that the record stays.
#[test]
fn what_stays_by_its_name_need_not_be_seen_whole() {
    let rule = rule("backups", "after = { name = \"db-%Y-%m-%d\" }");
    let place = place("unit = \"folder\"", &rule);
    let pipe = |name: &str| {
        let (path, mode) = (place.path(name), Mode::from_raw_mode(0o600));
        mknodat(CWD, path, FileType::Fifo, mode, 0).unwrap();
    };
    place.write("backups/db-2020-01-01/x", "");
    place.write("backups/db-2090-01-01/x", "");
    pipe("backups/db-2090-01-01/pipe");
    let told = report(&place, &["--format", "json"]).code(0).json()["rules"][0].clone();
    assert_eq!([&told["due"], &told["running"], &told["unreadable"]], [&json!(1), &json!(1), &json!(0)]);
    purge(&place).code(0).says("1 record deleted.").does_not_say("PROBLEM");
    assert_eq!(names(&place), ["db-2090-01-01"]);
    // What would go must be seen whole, and is told once, for what it is.
    place.write("backups/db-2020-01-02/x", "");
    place.write("backups/db-2020-01-03/x", "");
    pipe("backups/db-2020-01-03/pipe");
    report(&place, &[]).code(3).says("first: db-2020-01-03 (pipe: a socket, a device or a pipe)");
    let ran = purge(&place).code(3).says("1 record deleted.").says("done, 1 unreadable");
    let ran = ran.says("first: db-2020-01-03 (pipe: a socket, a device or a pipe)");
    assert_eq!(ran.out.matches("PROBLEM").count(), 1, "{ran:?}");
    assert_eq!(names(&place), ["db-2020-01-03", "db-2090-01-01"]);
}

/// The search for the newest meets them, too.
#[test]
fn what_cannot_be_seen_whole_is_told_once_where_the_newest_are_kept() {
    let rules = rule("backups", "after = \"modified\"\nkeep-newest = 1");
    let place = place("unit = \"folder\"", &rules);
    for name in ["a", "b", "strange"] {
        let name = format!("backups/{name}/x");
        place.write(&name, "");
        modified(&place, &name, 1_000 + i64::from(name.ends_with("b/x")));
    }
    let (path, mode) = (place.path("backups/strange/pipe"), Mode::from_raw_mode(0o600));
    mknodat(CWD, path, FileType::Fifo, mode, 0).unwrap();
    for ran in [report(&place, &[]), purge(&place)] {
        let ran = ran.code(3).says("first: strange (pipe: a socket, a device or a pipe)");
        assert_eq!(ran.out.matches("PROBLEM").count(), 1, "{ran:?}");
        ran.does_not_say("failed");
    }
}

#[test]
fn a_record_of_one_rule_that_cannot_be_seen_is_no_problem_of_another() {
    let one = rule("one", "after = \"modified\"\nwhen = \"name = 'strange'\"");
    let other = rule("other", "after = \"modified\"\nwhen = \"name = 'plain'\"");
    let place = place("unit = \"folder\"", &(one + &other));
    for name in ["backups/plain/x", "backups/strange/x"] {
        place.write(name, "");
        modified(&place, name, 1_000);
    }
    let (path, mode) = (place.path("backups/strange/pipe"), Mode::from_raw_mode(0o600));
    mknodat(CWD, path, FileType::Fifo, mode, 0).unwrap();
    let json = report(&place, &["--format", "json"]).code(3).json();
    let problems = |rule: usize| json["rules"][rule]["problems"].as_array().unwrap().len();
    assert_eq!((problems(0), problems(1)), (1, 0), "{json}");
    purge(&place).code(3).says("1 record deleted.").does_not_say("failed");
}

#[test]
fn what_is_no_file_is_no_record() {
    let place = place("recursive = true", &rule("backups", "after = \"modified\""));
    mknodat(CWD, place.path("backups/pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    mknodat(CWD, place.path("backups/socket"), FileType::Socket, Mode::from_raw_mode(0o600), 0).unwrap();
    fs::create_dir_all(place.path("backups/sub/sub")).unwrap();
    ["pipe", "socket", "sub/sub", "sub"]
        .iter()
        .for_each(|name| modified(&place, &format!("backups/{name}"), 1_000));
    report(&place, &[]).code(0).says("Nothing is due.");
    purge(&place).code(0);
    assert_eq!(names(&place), ["pipe", "socket", "sub"]);
}

#[test]
fn times_that_mean_nothing_and_times_to_come_keep_a_file() {
    let place = place("", &rule("backups", "after = \"modified\""));
    for (name, seconds) in
        [("zero", 0), ("one", 1), ("before", -1), ("far", 4_102_444_800), ("farther", 15_000_000_000)]
    {
        place.write(&format!("backups/{name}"), "");
        modified(&place, &format!("backups/{name}"), seconds);
    }
    let json = report(&place, &["--format", "json"]).code(3).json();
    let told = &json["rules"][0];
    assert_eq!([&told["due"], &told["unreadable"], &told["running"]], [&json!(2), &json!(1), &json!(2)]);
    purge(&place).code(3).says("zero (zero, which stands for no known time)");
    assert_eq!(names(&place), ["far", "farther", "zero"]);
}

#[test]
fn an_empty_folder_has_nothing_due_and_a_missing_one_is_an_error() {
    let place = place("", &rule("backups", "after = \"modified\""));
    report(&place, &[]).code(0).says("Nothing is due.");
    purge(&place).code(0);
    fs::remove_dir(place.path("backups")).unwrap();
    let json = report(&place, &["--format", "json"]).code(3).json();
    assert_eq!(json["sources"][0]["status"], "missing");
    assert_eq!(json["sources"][0]["problem"]["code"], "missing-source");
    assert!(json["rules"][0]["due"].is_null());
    purge(&place).code(3).says("does not exist; is the path right, and is the disk mounted?");
    place.write("backups", "a file");
    report(&place, &[]).code(3).says("is not a folder; `files` names the folder, `match` the files in it");
    purge(&place).code(3);
    assert_eq!(place.read("backups"), b"a file");
}

fn mode(place: &Place, name: &str, mode: u32) {
    fs::set_permissions(place.path(name), Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_folder_that_may_not_be_read_is_told_with_its_path() {
    let place = place("", &rule("backups", "after = \"modified\""));
    mode(&place, "backups", 0o700);
    let ran = place.frist_as_nobody(&["report", "policies/policy.toml"]);
    ran.code(3).says("backups: Permission denied").says("look at its owner and mode");
}

#[test]
fn a_sub_folder_that_may_not_be_read_keeps_its_files_and_not_the_others() {
    let place = place("recursive = true", &rule("backups", "after = \"modified\""));
    for name in ["backups/closed/a", "backups/open/b"] {
        place.write(name, "");
        modified(&place, name, 1_000);
    }
    mode(&place, "backups/closed", 0o700);
    let ran = place.frist_as_nobody(&["report", "policies/policy.toml"]).code(3);
    ran.says("1 sub-folder could not be read")
        .says("backups/closed (Permission denied")
        .says("1 record is due. Ended with 3: a problem with backups is told above.");
}

#[test]
fn what_may_not_be_deleted_fails_its_rule_and_no_other() {
    let rules = rule("backups", "after = \"modified\"\nwhen = \"path like 'closed/%'\"");
    let others = rule("others", "after = \"modified\"\nwhen = \"path like 'open/%'\"");
    let place = place("recursive = true", &(rules + &others));
    for name in ["backups/closed/a", "backups/closed/b", "backups/open/c"] {
        place.write(name, "");
        modified(&place, name, 1_000);
    }
    mode(&place, "backups/open", 0o777);
    fs::create_dir(place.path("policies/state")).unwrap();
    rustix::fs::chown(place.path("policies/state"), Some(rustix::fs::Uid::from_raw(65_534)), None).unwrap();
    let ran = place.frist_as_nobody(&["purge", "--yes", "policies/policy.toml"]).code(3);
    ran.says("2 records of backups could not be deleted; first: ")
        .says("Permission denied")
        .says("1 record deleted; 2 due records are left. Ended with 3: records are still due after backups.");
    assert!(place.path("backups/closed/a").exists() && !place.path("backups/open/c").exists());
    place.frist(&["ledger", "verify", "policies/policy.toml"]).code(0);
}

#[test]
fn a_folder_of_folders_is_not_begun_where_it_could_not_go() {
    let place = place("unit = \"folder\"", &rule("backups", "after = \"modified\""));
    place.write("backups/old/a", "");
    modified(&place, "backups/old/a", 1_000);
    mode(&place, "backups/old", 0o777);
    fs::create_dir(place.path("policies/state")).unwrap();
    rustix::fs::chown(place.path("policies/state"), Some(rustix::fs::Uid::from_raw(65_534)), None).unwrap();
    let ran = place.frist_as_nobody(&["purge", "--yes", "policies/policy.toml"]).code(3);
    ran.says("1 record of backups could not be deleted; first: ").says("old: Permission denied");
    assert!(place.path("backups/old/a").exists(), "it is whole");
}

#[test]
fn a_limit_holds_for_files() {
    let place = backups("limit = { records = 3 }");
    purge(&place).code(4).says("LIMIT: 4 records are due, more than the 3");
    assert_eq!(names(&place).len(), 5);
    place.frist(&["purge", "--yes", "--accept-limit", "backups", "policies/policy.toml"]).code(0);
    assert_eq!(names(&place), ["README"]);
}

#[test]
fn a_report_leaves_no_trace_in_a_folder() {
    use std::os::unix::fs::MetadataExt;

    let place = place("recursive = true", &rule("backups", "after = \"modified\"\nkeep-newest = 1"));
    for name in ["backups/a", "backups/sub/b"] {
        place.write(name, "x");
        modified(&place, name, 1_000);
    }
    let looks = || {
        ["backups", "backups/a", "backups/sub", "backups/sub/b"].map(|name| {
            let seen = fs::symlink_metadata(place.path(name)).unwrap();
            (
                seen.mtime(),
                seen.mtime_nsec(),
                seen.ctime(),
                seen.ctime_nsec(),
                seen.atime(),
                seen.atime_nsec(),
                seen.len(),
            )
        })
    };
    let files = place.snapshot();
    // So that a reader who did not ask for anything else would set the access times.
    ["backups", "backups/sub"].iter().for_each(|name| modified(&place, name, 2_000));
    ["backups/a", "backups/sub/b"].iter().for_each(|name| modified(&place, name, 1_000));
    let before = looks();
    report(&place, &["--list", "--all"]).code(0);
    place.frist(&["check", "policies/policy.toml"]).code(0);
    place.frist(&["check", "--data", "policies/policy.toml"]).code(0);
    assert_eq!(looks(), before);
    assert_eq!(place.snapshot(), files);
}
