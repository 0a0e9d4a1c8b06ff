//! Deletions during which something happens: between the announcement of a batch and its deletion.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use tempfile::TempDir;

use crate::policy::Policy;
use crate::run::meanwhile::{NOW, Purged, policy_in, purge};

struct Place {
    folder: TempDir,
    policy: Policy,
}

/// 2001-02-03.
const OLD: i64 = 981_158_400;

impl Place {
    fn new(source: &str, rule: &str) -> Place {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        let policy = policy_in(
            folder.path(),
            &format!(
                "files = \"data\"\n{source}\n[[rule]]\nname = \"r\"\ndata = \"s\"\nkeep = \"1 year\"\n\
                 after = \"modified\"\n{rule}"
            ),
        );
        Place { folder, policy }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    fn file(&self, name: &str, modified: i64) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "four").unwrap();
        touch(&path, modified);
    }

    fn left(&self) -> Vec<String> {
        let names = fs::read_dir(self.path("")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Purges; while the batch of each number is announced, something happens.
    fn purge(&self, happens: &mut dyn FnMut(u64)) -> Purged {
        self.purge_most(u64::MAX, &Arc::default(), happens)
    }

    fn purge_most(&self, most: u64, signal: &Arc<AtomicBool>, happens: &mut dyn FnMut(u64)) -> Purged {
        let purged = purge(&self.policy, most, signal, happens);
        assert_eq!(purged.undone, [0; 0], "a deletion cannot be undone");
        purged
    }
}

fn touch(path: &Path, modified: i64) {
    let time = Timespec { tv_sec: modified, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

#[test]
fn what_is_due_goes_and_is_counted() {
    let place = Place::new("", "");
    (0..9_000).for_each(|number| place.file(&format!("{number}"), OLD));
    place.file("young", NOW - 5);
    let purged = place.purge(&mut |_| {});
    assert_eq!(place.left(), ["young"]);
    assert_eq!((purged.done.deleted, purged.done.freed), (9_000, Some(36_000)));
    assert_eq!(purged.announced, [4_000, 4_000, 1_000]);
    assert_eq!((purged.settled, purged.done.survivors, purged.halt.is_none()), (vec![], Some(0), true));
}

#[test]
fn a_file_that_was_touched_since_the_scan_survives() {
    let place = Place::new("", "");
    ["a", "b", "c"].iter().for_each(|name| place.file(name, OLD));
    let purged = place.purge(&mut |_| touch(&place.path("b"), NOW - 5));
    assert_eq!(place.left(), ["b"]);
    assert_eq!((purged.done.deleted, purged.done.survivors), (2, Some(0)));
    assert_eq!(purged.settled, [(1, 2)], "the ledger hears that one was left");
}

#[test]
fn a_file_that_somebody_else_deleted_is_not_ours() {
    let place = Place::new("", "");
    ["a", "b"].iter().for_each(|name| place.file(name, OLD));
    let purged = place.purge(&mut |_| fs::remove_file(place.path("a")).unwrap());
    assert_eq!((purged.done.deleted, purged.done.freed, purged.halt.is_none()), (1, Some(4), true));
    assert_eq!(purged.settled, [(1, 1)]);
}

#[test]
fn another_file_of_the_same_name_is_announced_before_it_goes() {
    let place = Place::new("", "");
    place.file("a", OLD);
    place.file("b", OLD);
    let mut announced = 0;
    let purged = place.purge(&mut |_| {
        announced += 1;
        if announced == 1 {
            // It has another inode, for the old one is still there.
            fs::rename(place.path("a"), place.folder.path().join("elsewhere")).unwrap();
            place.file("a", OLD);
        }
    });
    assert_eq!((purged.announced, purged.settled), (vec![2, 1], vec![(1, 1)]));
    assert_eq!(purged.done.deleted, 2);
}

#[test]
fn a_name_that_became_a_folder_or_a_link_to_one_stays() {
    let place = Place::new("", "");
    place.file("a", OLD);
    place.file("b", OLD);
    place.file("../outside/x", OLD);
    let mut happened = false;
    place.purge(&mut |_| {
        if !std::mem::replace(&mut happened, true) {
            fs::remove_file(place.path("a")).unwrap();
            fs::create_dir(place.path("a")).unwrap();
            touch(&place.path("a"), OLD);
            fs::remove_file(place.path("b")).unwrap();
            symlink(place.folder.path().join("outside"), place.path("b")).unwrap();
            touch(&place.path("b"), NOW - 5);
        }
    });
    assert_eq!(place.left(), ["a", "b"]);
    assert!(place.path("../outside/x").exists());
}

#[test]
fn a_sub_folder_that_became_a_link_is_not_entered() {
    let place = Place::new("recursive = true", "");
    place.file("sub/x", OLD);
    place.file("../outside/x", OLD);
    place.purge(&mut |_| {
        fs::rename(place.path("sub"), place.folder.path().join("moved")).unwrap();
        symlink(place.folder.path().join("outside"), place.path("sub")).unwrap();
        touch(&place.path("sub"), NOW);
    });
    assert!(place.path("../outside/x").exists() && place.path("../moved/x").exists());
}

#[test]
fn a_sub_folder_in_which_something_was_written_stays_whole() {
    let place = Place::new("unit = \"folder\"", "");
    place.file("old/deep/x", OLD);
    place.file("old/y", OLD);
    let purged = place.purge(&mut |_| place.file("old/deep/new", NOW - 5));
    assert_eq!((purged.done.deleted, purged.done.survivors, purged.halt.is_none()), (0, Some(0), true));
    assert!(place.path("old/deep/x").exists() && place.path("old/y").exists());
}

/// The plan saw both whole; what it did not know is told, with its name and its reason.
#[test]
fn a_sub_folder_that_cannot_be_seen_any_more_is_told() {
    use rustix::fs::{FileType, Mode, mknodat};

    let place = Place::new("unit = \"folder\"", "");
    ["old/x", "other/x"].iter().for_each(|name| place.file(name, OLD));
    let purged = place.purge(&mut |_| {
        let (path, mode) = (place.path("old/pipe"), Mode::from_raw_mode(0o600));
        mknodat(CWD, path, FileType::Fifo, mode, 0).unwrap();
    });
    assert_eq!((place.left(), purged.done.deleted), (vec!["old".to_string()], 1));
    let halt = format!("{:?}", purged.halt);
    let words = "1 record of s could not be seen whole when the rule was asked again, and may be due; first: old \
                 (pipe: a socket, a device or a pipe)";
    assert!(halt.contains(words), "{halt}");
}

#[test]
fn a_sub_folder_that_grows_while_it_goes_is_left_in_the_middle_and_told() {
    let place = Place::new("unit = \"folder\"", "");
    place.file("old/a", OLD);
    place.file("old/deep/x", OLD + 1);
    let outcome = {
        // What is newer than all that was seen stops it wherever it is met.
        let terms = super::remove::Terms {
            volume: volume(&place),
            identity: identity(&place.path("old")),
            newest: crate::source::folder::look::Modified::new(OLD, 0),
            is_begun: false,
        };
        let root = fs::File::open(place.path("")).unwrap();
        super::remove::folder(std::os::fd::AsFd::as_fd(&root), c"old", &terms)
    };
    let why = format!("{outcome:?}");
    assert!(why.contains("deep: x: something was written while the folder was deleted"), "{why}");
    assert!(place.path("old/deep/x").exists());
}

#[test]
fn a_sub_folder_in_the_place_of_the_one_that_was_judged_is_not_begun() {
    let place = Place::new("unit = \"folder\"", "");
    place.file("judged/a", OLD);
    place.file("other/a", OLD);
    let newest = crate::source::folder::look::Modified::new(NOW, 0);
    let (volume, identity) = (volume(&place), identity(&place.path("judged")));
    let terms = super::remove::Terms { volume, identity, newest, is_begun: false };
    let root = fs::File::open(place.path("")).unwrap();
    let removed = super::remove::folder(std::os::fd::AsFd::as_fd(&root), c"other", &terms);
    assert_eq!(removed, Err(super::remove::Stuck::Gone));
    assert!(place.path("other/a").exists());
}

fn volume(place: &Place) -> crate::source::folder::volume::Volume {
    crate::source::folder::root::Root::reopen(&place.path("")).unwrap().volume()
}

fn identity(path: &Path) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).unwrap();
    (metadata.dev(), metadata.ino())
}

#[test]
fn a_new_empty_folder_is_something_that_was_written() {
    let place = Place::new("unit = \"folder\"", "");
    place.file("old/a", OLD);
    fs::create_dir(place.path("old/new")).unwrap();
    let root = fs::File::open(place.path("")).unwrap();
    let newest = crate::source::folder::look::Modified::new(OLD, 0);
    let remove = |is_begun| {
        let (volume, identity) = (volume(&place), identity(&place.path("old")));
        let terms = super::remove::Terms { volume, identity, newest, is_begun };
        super::remove::folder(std::os::fd::AsFd::as_fd(&root), c"old", &terms)
    };
    assert!(remove(false).is_err() && place.path("old/new").exists());
    assert_eq!(remove(true), Ok(()), "a killed run leaves such folders");
}

#[test]
fn hard_links_give_nothing_back_until_the_last() {
    let place = Place::new("", "");
    place.file("a", OLD);
    fs::hard_link(place.path("a"), place.path("b")).unwrap();
    place.file("c", OLD);
    fs::hard_link(place.path("c"), place.folder.path().join("kept")).unwrap();
    let purged = place.purge(&mut |_| {});
    assert_eq!((purged.done.deleted, purged.done.freed), (3, Some(4)));
    assert_eq!(fs::read(place.folder.path().join("kept")).unwrap(), b"four");
}

#[test]
fn a_newest_record_that_goes_away_makes_others_the_newest() {
    let place = Place::new("", "keep-newest = 2");
    for (name, age) in [("a", 0), ("b", 1), ("c", 2), ("d", 3)] {
        place.file(name, OLD + age);
    }
    fs::write(place.path("e"), "").unwrap();
    touch(&place.path("e"), NOW - 5);
    let purged = place.purge(&mut |_| {
        let _ = fs::remove_file(place.path("e"));
    });
    assert_eq!(place.left(), ["c", "d"]);
    assert_eq!(purged.done.deleted, 2);
}

#[test]
fn the_limit_holds_to_the_record() {
    let place = Place::new("", "");
    (0..10).for_each(|number| place.file(&format!("{number}"), OLD));
    let purged = place.purge_most(4, &Arc::default(), &mut |_| {});
    assert_eq!((purged.done.deleted, place.left().len()), (4, 6));
    assert!(purged.done.is_capped);
    assert_eq!(purged.done.survivors, Some(6));
}

#[test]
fn a_signal_ends_it_within_the_batch_and_the_ledger_hears_how_far_it_came() {
    let place = Place::new("", "");
    (0..10).for_each(|number| place.file(&format!("{number}"), OLD));
    let signal = Arc::new(AtomicBool::new(false));
    let purged = place.purge_most(u64::MAX, &Arc::clone(&signal), &mut |_| {
        signal.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(purged.done.stopped.is_some());
    assert_eq!((purged.done.deleted, purged.settled), (0, vec![(1, 0)]));
    assert_eq!(place.left().len(), 10);
}

#[test]
fn the_newest_of_each_folder_stay_whatever_goes_away_meanwhile() {
    let place = Place::new("recursive = true", "keep-newest = 1\nper = \"folder\"");
    for name in ["x", "y"] {
        fs::create_dir(place.path(name)).unwrap();
    }
    for (name, age) in [("a", 0), ("b", 1), ("x/a", 5), ("x/b", 6), ("x/c", 7), ("y/a", 0)] {
        place.file(name, OLD + age);
    }
    let purged = place.purge(&mut |_| {
        let _ = fs::remove_file(place.path("x/c"));
    });
    let left = ["b", "x/b", "y/a"].map(|name| place.path(name).exists());
    assert_eq!((left, purged.done.deleted), ([true; 3], 2));
}

#[test]
fn a_record_that_the_rule_is_no_longer_about_is_not_the_newest_of_those() {
    let place = Place::new("", "keep-newest = 1\nwhen = \"size > 3\"");
    place.file("a", OLD);
    place.file("b", OLD + 1);
    place.file("c", OLD + 2);
    fs::write(place.path("d"), "").unwrap();
    touch(&place.path("d"), NOW - 5);
    let purged = place.purge(&mut |_| {
        // As old as before, and too small.
        let _ = fs::write(place.path("c"), "");
        touch(&place.path("c"), OLD + 2);
    });
    assert_eq!((place.left(), purged.done.deleted), (["b", "c", "d"].map(String::from).to_vec(), 1));
}
