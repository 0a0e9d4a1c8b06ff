//! G2: `check` and `report` leave CSV files and their folder as they were, read or not.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::csv_support::{csv_place, csv_place_on_disk, file, write};
use super::support::{COMING, OLD, Place};

const COMMANDS: [&[&str]; 5] = [
    &["check"],
    &["check", "--data"],
    &["report"],
    &["report", "--format", "json"],
    &["report", "--list", "--all", "--format", "json"],
];

/// Everything below a folder, the folders too: bytes, modes and times.
type Look = BTreeMap<PathBuf, (Vec<u8>, Vec<i64>)>;

fn look(folder: &Path, seen: &mut Look) {
    seen.insert(folder.to_path_buf(), (Vec::new(), stamps(folder)));
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look(&path, seen);
        } else {
            let bytes = fs::read(&path).unwrap_or_default();
            seen.insert(path.clone(), (bytes, stamps(&path)));
        }
    }
}

fn stamps(path: &Path) -> Vec<i64> {
    let seen = fs::symlink_metadata(path).unwrap();
    let times = [seen.mtime(), seen.mtime_nsec(), seen.ctime(), seen.ctime_nsec()];
    [seen.ino() as i64, seen.mode().into()].into_iter().chain(times).collect()
}

fn assert_no_trace(place: &Place, codes: &[i32]) {
    for arguments in COMMANDS {
        let (mut before, mut after) = (Look::new(), Look::new());
        look(place.folder(), &mut before);
        let ran = place.frist(arguments);
        assert!(codes.contains(&ran.code), "{arguments:?}: {ran:?}");
        look(place.folder(), &mut after);
        for path in before.keys().chain(after.keys()) {
            assert!(before.get(path) == after.get(path), "{arguments:?} left a trace in {}", path.display());
        }
    }
}

fn fill(place: &Place) {
    write(place, "a.csv", format!("at,n\n{OLD},1\n{COMING},2\n"));
    write(place, "b.csv", format!("\u{feff}at,n\r\n{OLD},\"1\n\"\r\nnonsense,1"));
    write(place, "empty.csv", "");
    write(place, ".c.csv.frist-new", "what a killed run left");
    fs::write(place.path("target.log"), format!("at\n{OLD}\n")).unwrap();
    symlink("../target.log", file(place, "link.csv")).unwrap();
}

#[test]
fn files_are_read_without_a_trace() {
    for place in [csv_place(), csv_place_on_disk()] {
        fill(&place);
        assert_no_trace(&place, &[0, 3]);
    }
}

#[test]
fn files_that_cannot_be_read_are_told_without_a_trace() {
    let place = csv_place_on_disk();
    fill(&place);
    write(&place, "utf-16.csv", b"\xff\xfea\0t\0\n\0");
    write(&place, "other.csv", "time\n2001-01-01\n");
    write(&place, "unclosed.csv", "\"at\n2001-01-01\n");
    symlink("nowhere", file(&place, "nowhere.csv")).unwrap();
    assert_no_trace(&place, &[0, 1, 3]);
}

#[test]
fn files_in_folders_that_nobody_may_write_are_read_without_a_trace() {
    let place = csv_place();
    fill(&place);
    for entry in fs::read_dir(place.path("data")).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_symlink() {
            fs::set_permissions(path, Permissions::from_mode(0o444)).unwrap();
        }
    }
    fs::set_permissions(place.path("data"), Permissions::from_mode(0o555)).unwrap();
    assert_no_trace(&place, &[0, 3]);
    fs::set_permissions(place.path("data"), Permissions::from_mode(0o755)).unwrap();
}
