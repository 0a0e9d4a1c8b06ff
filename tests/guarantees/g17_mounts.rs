//! G17 with mounts: what is mounted in a folder is not entered, not emptied, and no part of a record, also
//! where it shows a folder of the same file system. Without a namespace to mount in, nothing is tried.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::support::{HEAD, Place, WITHOUT_LIMIT, set_modified};

fn place(source: &str, files: &[&str]) -> Place {
    let place = Place::new();
    let rule = "[[rule]]\nname = \"files\"\ndata = \"files\"\nkeep = \"1 year\"\nafter = \"modified\"\n";
    let source = format!("[source.files]\nfiles = \"data\"\n{source}\n");
    fs::write(place.policy(), format!("{HEAD}{WITHOUT_LIMIT}{source}{rule}")).unwrap();
    files.iter().for_each(|name| old_file(&place.path(name)));
    place
}

fn old_file(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "x").unwrap();
    set_modified(path, 1, 0);
}

/// Runs the binary where one path is mounted on another; none where no namespace can be made.
fn mounted(place: &Place, (from, to): (&str, &str), arguments: &[&str]) -> Option<(i32, Value)> {
    let in_namespace = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script, "sh"]).current_dir(place.folder());
        command
    };
    let mount = format!("mount --bind {from} {to}");
    if !in_namespace(&mount).output().is_ok_and(|tried| tried.status.success()) {
        let _ = writeln!(std::io::stderr(), "skipped: no namespace to mount in can be made here");
        return None;
    }
    let mut command = in_namespace(&format!("{mount} && exec \"$@\""));
    command.arg(env!("CARGO_BIN_EXE_frist")).args(arguments).args(["--format", "json"]).arg(place.policy());
    let ran = command.output().unwrap();
    let said = serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    Some((ran.status.code().unwrap(), said))
}

fn purge(place: &Place, mount: (&str, &str)) -> Option<i32> {
    mounted(place, mount, &["purge", "--yes"]).map(|(code, _)| code)
}

#[test]
fn a_folder_of_the_same_file_system_that_is_mounted_below_is_not_emptied() {
    let place =
        place("recursive = true", &["other/precious", "data/shared/hidden", "data/sub/old", "data/old"]);
    let same = |name: &str| fs::metadata(place.path(name)).unwrap().dev();
    assert_eq!(same("other"), same("data/shared"), "no device tells them apart");
    let Some(code) = purge(&place, ("other", "data/shared")) else { return };
    assert_eq!(code, 0);
    assert!(place.path("other/precious").exists());
    assert!(place.path("data/shared/hidden").exists(), "what the mount hides is not seen");
    assert!(!place.path("data/old").exists() && !place.path("data/sub/old").exists());
}

#[test]
fn a_sub_folder_that_holds_a_mount_is_unreadable_and_stays_whole() {
    let files = ["other/precious", "data/one/inner/hidden", "data/one/file", "data/two/file"];
    let place = place("unit = \"folder\"", &files);
    let Some((code, said)) = mounted(&place, ("other", "data/one/inner"), &["report"]) else { return };
    assert_eq!((code, &said["rules"][0]["unreadable"]), (3, &1.into()), "{said}");
    let purged = mounted(&place, ("other", "data/one/inner"), &["purge", "--yes"]);
    let left = files.map(|name| place.path(name).exists());
    assert_eq!(left, [true, true, true, false]);
    let (code, said) = purged.unwrap();
    let problems = said["rules"][0]["problems"].as_array().unwrap();
    assert_eq!((code, problems.len()), (3, 1), "it is told once, for what it is: {said}");
    assert!(problems[0]["message"].as_str().unwrap().contains("inner: something is mounted there"), "{said}");
}

#[test]
fn a_sub_folder_that_is_a_mount_or_holds_a_mounted_file_stays() {
    let files = ["other/precious", "data/one/file", "data/two/file"];
    let place = place("unit = \"folder\"", &files);
    if purge(&place, ("other", "data/one")).is_none() {
        return;
    }
    assert_eq!(files.map(|name| place.path(name).exists()), [true, true, false]);
    old_file(&place.path("data/two/file"));
    purge(&place, ("other/precious", "data/two/file"));
    assert_eq!(files.map(|name| place.path(name).exists()), [true, false, true]);
}

#[test]
fn a_single_file_that_is_mounted_is_no_record() {
    let place = place("", &["other", "data/mounted", "data/old"]);
    let Some(code) = purge(&place, ("other", "data/mounted")) else { return };
    assert_eq!(code, 0);
    assert_eq!(
        ["other", "data/mounted", "data/old"].map(|name| place.path(name).exists()),
        [true, true, false]
    );
}

#[test]
fn the_folder_of_a_source_may_be_a_mount() {
    let place = place("recursive = true", &["volume/old", "volume/sub/old", "data/hidden"]);
    let Some(code) = purge(&place, ("volume", "data")) else { return };
    assert_eq!(code, 0);
    let left = ["volume/old", "volume/sub/old", "data/hidden"].map(|name| place.path(name).exists());
    assert_eq!(left, [false, false, true]);
}

fn database_place(rest: &str) -> Place {
    let place = Place::new();
    let source = "[source.db]\nsqlite = \"data.db\"\n";
    let rule = "[[rule]]\nname = \"u\"\ndata = \"db.u\"\nkeep = \"1 year\"\nafter = \"at\"\n";
    fs::write(place.policy(), format!("{HEAD}{WITHOUT_LIMIT}{source}{rule}{rest}")).unwrap();
    let sql = "CREATE TABLE u (at TEXT, f TEXT);
               INSERT INTO u VALUES ('2001-02-03', 'sub/x'), ('2001-02-03', 'y')";
    place.database(sql).close().unwrap();
    place
}

#[test]
fn a_file_behind_a_mount_keeps_the_record_that_names_it() {
    let place = database_place("with = [{ files = \"up\", column = \"f\" }]\n");
    ["other/x", "up/sub/hidden", "up/y"].iter().for_each(|name| old_file(&place.path(name)));
    let Some((code, said)) = mounted(&place, ("other", "up/sub"), &["report"]) else { return };
    let rule = &said["rules"][0];
    assert_eq!((code, &rule["due"], &rule["blocked"]), (0, &1.into(), &1.into()), "{said}");
    purge(&place, ("other", "up/sub"));
    assert!(place.path("other/x").exists() && !place.path("up/y").exists());
    assert_eq!(
        place.database("").query_row("SELECT f FROM u", [], |row| row.get::<_, String>(0)).unwrap(),
        "sub/x"
    );
}

#[test]
fn a_database_that_is_mounted_as_a_single_file_is_refused() {
    let place = database_place("");
    fs::rename(place.path("data.db"), place.path("real.db")).unwrap();
    fs::write(place.path("data.db"), "").unwrap();
    let before = fs::read(place.path("real.db")).unwrap();
    for command in [&["report"][..], &["purge", "--yes"]] {
        let Some((code, said)) = mounted(&place, ("real.db", "data.db"), command) else { return };
        assert_eq!(code, 3, "{said}");
        assert!(said.to_string().contains("is mounted as a single file"), "{said}");
    }
    assert_eq!(fs::read(place.path("real.db")).unwrap(), before);
}

/// A rename cannot replace a mount.
#[test]
fn a_csv_file_that_is_mounted_alone_stays_as_it_is() {
    let place = Place::new();
    let source = "[source.log]\ncsv = \"data.csv\"\n";
    let rule = "[[rule]]\nname = \"log\"\ndata = \"log\"\nkeep = \"1 year\"\nafter = \"at\"\n";
    fs::write(place.policy(), format!("{HEAD}{WITHOUT_LIMIT}{source}{rule}")).unwrap();
    fs::write(place.path("real.csv"), "at\n2001-02-03\n").unwrap();
    fs::write(place.path("data.csv"), "").unwrap();
    let Some((code, said)) = mounted(&place, ("real.csv", "data.csv"), &["purge", "--yes"]) else { return };
    assert_eq!((code, &said["rules"][0]["deleted"]), (3, &0.into()), "{said}");
    assert!(said.to_string().contains("data.csv"), "{said}");
    assert_eq!(fs::read(place.path("real.csv")).unwrap(), b"at\n2001-02-03\n");
    assert!(!place.path(".data.csv.frist-new").exists());
}
