//! What happens to a file between the announcement of its rewriting and its first new byte.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::run::meanwhile::{Purged, policy_in, purge};

const WAYS: [&str; 3] = ["rename", "lock", "copytruncate"];

const OLD: &str = "at,n\n2001-02-03,1\n2026-11-19,2\n";
const NEW: &str = "at,n\n2026-11-19,2\n";

/// Of the same length as the old one, and all of it is to stay.
const OTHER: &str = "at,n\n2026-11-19,8\n2026-11-19,9\n";

struct Place {
    folder: TempDir,
    way: &'static str,
}

impl Place {
    fn new(way: &'static str) -> Place {
        let place = Place { folder: tempfile::tempdir().unwrap(), way };
        fs::write(place.file(), OLD).unwrap();
        // Two changes within one tick of the system's clock look the same.
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        File::options().append(true).open(place.file()).unwrap().set_modified(long_ago).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("a.csv")
    }

    /// Purges; something happens as the first batch is announced.
    fn purge(&self, happens: impl FnOnce(&Path)) -> Purged {
        let mut happens = Some(happens);
        let policy = policy_in(
            self.folder.path(),
            &format!(
                "csv = \"*.csv\"\nrewrite = \"{}\"\n[[rule]]\nname = \"r\"\ndata = \"s\"\nkeep = \"1 year\"\n\
                 after = \"at\"\n",
                self.way
            ),
        );
        purge(&policy, u64::MAX, &Arc::default(), &mut |_| {
            if let Some(happens) = happens.take() {
                happens(&self.file());
            }
        })
    }

    #[track_caller]
    fn assert_holds(&self, name: &str, expected: &str) {
        assert_eq!(fs::read_to_string(self.path(name)).unwrap(), expected, "{}: {name}", self.way);
    }

    #[track_caller]
    fn assert_has_no_strays(&self) {
        let hidden = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let hidden: Vec<_> = hidden.filter(|name| name.to_string_lossy().starts_with('.')).collect();
        assert!(hidden.is_empty(), "{}: {hidden:?}", self.way);
    }
}

fn append(path: &Path, bytes: &str) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(bytes.as_bytes()).unwrap();
}

#[test]
fn a_file_that_rests_loses_its_due_lines() {
    for way in WAYS {
        let place = Place::new(way);
        let purged = place.purge(|_| {});
        place.assert_holds("a.csv", NEW);
        place.assert_has_no_strays();
        assert_eq!((purged.announced, purged.undone), (vec![1], vec![]));
        assert_eq!((purged.done.deleted, purged.done.survivors), (1, Some(0)));
    }
}

/// Whatever happened to the file, it stays, and what was announced is taken back.
#[track_caller]
fn assert_judged_anew(expected: &str, happens: impl Fn(&Path)) {
    for way in WAYS {
        let place = Place::new(way);
        let purged = place.purge(&happens);
        place.assert_holds("a.csv", expected);
        place.assert_has_no_strays();
        assert_eq!((purged.undone, purged.done.deleted), (vec![1], 0), "{way}");
    }
}

#[test]
fn another_file_that_took_its_place_is_not_overwritten() {
    assert_judged_anew(OTHER, |file| {
        fs::rename(file, file.with_file_name("rotated.log")).unwrap();
        fs::write(file, OTHER).unwrap();
    });
}

#[test]
fn a_file_that_was_edited_is_judged_anew() {
    assert_judged_anew(OTHER, |file| fs::write(file, OTHER).unwrap());
}

#[test]
fn a_file_that_was_shortened_is_judged_anew() {
    assert_judged_anew("at,n\n", |file| fs::write(file, "at,n\n").unwrap());
}

#[test]
fn a_line_that_was_appended_is_taken_along() {
    for way in WAYS {
        let place = Place::new(way);
        let purged = place.purge(|file| append(file, "2026-11-19,3\n"));
        place.assert_holds("a.csv", &format!("{NEW}2026-11-19,3\n"));
        place.assert_has_no_strays();
        assert_eq!((purged.undone, purged.done.deleted), (vec![], 1), "{way}");
    }
}

#[test]
fn a_name_that_is_taken_ends_it_before_anything_is_overwritten() {
    let names = [".a.csv.frist-kept", ".a.csv.frist-cut"];
    for (way, name) in ["lock", "copytruncate"].into_iter().flat_map(|way| names.map(|name| (way, name))) {
        let place = Place::new(way);
        // A folder cannot be replaced by a file.
        let purged = place.purge(|_| fs::create_dir(place.path(name)).unwrap());
        place.assert_holds("a.csv", OLD);
        assert_eq!((purged.undone, purged.done.deleted), (vec![1], 0), "{way}");
        assert_eq!(purged.done.problems.len(), 1);
        fs::remove_dir(place.path(name)).unwrap();
        place.assert_has_no_strays();
    }
}

#[test]
fn every_file_that_is_left_is_told() {
    let place = Place::new("rename");
    for name in ["b.csv", "c.csv"] {
        fs::write(place.path(name), OLD).unwrap();
        fs::hard_link(place.path(name), place.path(&format!("{name}.link"))).unwrap();
    }
    let purged = place.purge(|_| {});
    place.assert_holds("a.csv", NEW);
    let told: Vec<_> = purged.done.problems.iter().map(|problem| &problem.message[..]).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("b.csv") && told[1].contains("c.csv"), "{told:?}");
    assert_eq!((purged.done.deleted, purged.done.survivors), (1, None));
}

/// A policy that keeps the newest line of all files.
fn newest_in(folder: &Path, way: &str) -> crate::policy::Policy {
    let rule = "[[rule]]\nname = \"r\"\ndata = \"s\"\nkeep = \"1 year\"\nafter = \"at\"\nkeep-newest = 1\n";
    policy_in(folder, &format!("csv = \"*.csv\"\nrewrite = \"{way}\"\n{rule}"))
}

#[test]
fn where_the_file_with_the_newest_line_goes_away_the_next_one_is_kept() {
    for way in WAYS {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a.csv"), "at,n\n2001-02-03,1\n2002-02-03,2\n").unwrap();
        fs::write(path("b.csv"), "at,n\n2003-02-03,3\n").unwrap();
        let policy = newest_in(folder.path(), way);
        let purged = purge(&policy, u64::MAX, &Arc::default(), &mut |_| {
            let _ = fs::remove_file(path("b.csv"));
        });
        assert_eq!(fs::read_to_string(path("a.csv")).unwrap(), "at,n\n2002-02-03,2\n", "{way}");
        assert_eq!((purged.done.deleted, purged.undone), (1, vec![1]), "{way}");
    }
}

#[test]
fn where_newer_lines_come_the_newest_are_still_there() {
    for way in WAYS {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a.csv"), "at,n\n2001-02-03,1\n2002-02-03,2\n").unwrap();
        fs::write(path("b.csv"), "at,n\n2000-02-03,3\n2003-02-03,4\n").unwrap();
        let policy = newest_in(folder.path(), way);
        let purged = purge(&policy, u64::MAX, &Arc::default(), &mut |_| {
            let mut file = OpenOptions::new().append(true).open(path("b.csv")).unwrap();
            file.write_all(b"2004-02-03,5\n").unwrap();
        });
        assert_eq!(fs::read_to_string(path("a.csv")).unwrap(), "at,n\n", "{way}");
        let left = fs::read_to_string(path("b.csv")).unwrap();
        assert!(left.contains("2004-02-03") && !left.contains("2000-02-03"), "{way}: {left}");
        assert!(purged.done.deleted >= 3, "{way}");
    }
}
