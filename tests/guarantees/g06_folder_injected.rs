//! G5 and G6 in folders: every system call of a purge fails once, or is the last one. Needs
//! `strace`, and takes minutes: `cargo test --test guarantees -- --ignored injected`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::injected::{Subject, every_call, some_calls, some_calls_from_then_on, trace};
use super::support::{HEAD, Place, WITHOUT_LIMIT, finish, set_modified};

/// Files of several folders, of which the newest are kept whatever their age, and sub-folders.
struct Folders;

const POLICY: &str = r#"
[source.files]
files = "files"
recursive = true

[source.folders]
files = "folders"
unit = "folder"

[[rule]]
name = "files"
data = "files"
keep = "1 year"
after = "modified"
keep-newest = 3

[[rule]]
name = "folders"
data = "folders"
keep = "1 year"
after = "modified"
"#;

/// Records that are due, and what each of them consists of.
const DUE: [&[&str]; 6] = [
    &["files/a"],
    &["files/sub/b"],
    &["files/sub/deep/c"],
    &["folders/one/a", "folders/one/deep/b", "folders/one/deep/er/c", "folders/one/last"],
    &["folders/two/a"],
    &["folders/three/hollow/er/"],
];

/// Those that are kept: by their time, as the newest, or by their newest content.
const KEPT: [&str; 6] = [
    "files/sub/young",
    "files/sub/deep/newest",
    "files/second",
    "folders/young/old",
    "folders/young/deep/new",
    "outside/old",
];

const YOUNG: [&str; 2] = ["files/sub/young", "folders/young/deep/new"];

/// 2001-02-03.
const OLD: i64 = 981_158_400;

/// Sets the time of what is there, and of all folders above it.
fn age(place: &Place, path: &Path, seconds: i64) {
    let above = path.ancestors().take_while(|above| *above != place.folder());
    above.for_each(|path| set_modified(path, seconds, 0));
}

fn put(place: &Place, name: &str) {
    let path = place.path(name);
    if name.ends_with('/') {
        fs::create_dir_all(&path).unwrap();
    } else {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, name).unwrap();
    }
}

impl Subject for Folders {
    const DUE: u64 = DUE.len() as u64;

    fn filled() -> Place {
        let place = Place::in_memory();
        fs::write(place.policy(), format!("{HEAD}{WITHOUT_LIMIT}{POLICY}")).unwrap();
        let names = DUE.into_iter().flatten().chain(&KEPT);
        names.clone().for_each(|name| put(&place, name));
        names.for_each(|name| age(&place, &place.path(name), OLD));
        for (name, seconds) in [("files/sub/deep/newest", OLD + 2), ("files/second", OLD + 1)] {
            set_modified(&place.path(name), seconds, 0);
        }
        // Of a time to come, a file would not count among the newest.
        let now = fs::metadata(place.policy()).unwrap().mtime();
        for name in YOUNG {
            set_modified(&place.path(name), now - 86_400, 0);
        }
        place
    }

    fn assert_kept(place: &Place, why: &dyn Fn() -> String) {
        for name in KEPT {
            let found = fs::read_to_string(place.path(name)).ok();
            assert_eq!(found.as_deref(), Some(name), "{}", why());
        }
    }

    /// A sub-folder is gone when nothing is left of it.
    fn gone(place: &Place) -> u64 {
        let record = |names: &[&str]| match names[0].split('/').collect::<Vec<_>>()[..] {
            ["folders", folder, ..] => place.path("folders").join(folder),
            _ => place.path(names[0]),
        };
        DUE.iter().filter(|names| !record(names).exists()).count() as u64
    }

    fn assert_clear(place: &Place, why: &dyn Fn() -> String) {
        for name in ["pending.json", "running.json"] {
            assert!(!place.state().join(name).exists(), "{name}: {}", why());
        }
    }
}

/// The same data, of which a purge that was killed has deleted some: the faults meet what the next
/// one finds out.
struct Begun;

impl Subject for Begun {
    const DUE: u64 = Folders::DUE;

    fn filled() -> Place {
        let place = Folders::filled();
        // In the middle of the largest sub-folder.
        finish(trace(&place, "?unlinkat:signal=KILL:when=11").spawn().unwrap());
        assert!(Folders::gone(&place) < DUE.len() as u64, "it was not killed");
        place
    }

    fn assert_kept(place: &Place, why: &dyn Fn() -> String) {
        Folders::assert_kept(place, why);
    }

    fn gone(place: &Place) -> u64 {
        Folders::gone(place)
    }

    fn assert_clear(place: &Place, why: &dyn Fn() -> String) {
        Folders::assert_clear(place, why);
    }
}

/// Calls that look at folders and at what runs left, or change them.
const OF_FOLDERS: [&str; 8] =
    ["?read", "?openat", "?getdents64", "?newfstatat", "?statx", "?fstat", "?unlinkat", "?fsync"];

/// Those of them that go on to fail in some way of their own.
const THAT_GO_ON: [&str; 5] = ["?openat", "?getdents64", "?newfstatat", "?unlinkat", "?fsync"];

/// Calls that owners and modes refuse.
const THAT_ARE_REFUSED: [&str; 3] = ["?openat", "?unlinkat", "?faccessat2"];

/// Calls that can need room.
const THAT_WRITE: [&str; 7] = ["?write", "?openat", "?mkdir", "?rename", "?renameat", "?fsync", "?fdatasync"];

/// Calls that a signal can interrupt, as the system describes them.
const THAT_WAIT: [&str; 7] = ["?read", "?write", "?openat", "?flock", "?fcntl", "?fsync", "?fdatasync"];

#[test]
#[ignore = "takes a minute, and needs strace"]
fn injected_faults_in_folders() {
    every_call::<Folders>("error=EIO");
}

#[test]
#[ignore = "takes a minute, and needs strace"]
fn injected_kills_in_folders() {
    every_call::<Folders>("signal=KILL");
}

#[test]
#[ignore = "takes a minute, and needs strace"]
fn injected_faults_in_folders_that_last() {
    some_calls_from_then_on::<Folders>(&THAT_GO_ON, "error=EIO");
}

#[test]
#[ignore = "takes a minute, and needs strace"]
fn injected_refusals_in_folders() {
    some_calls::<Folders>(&THAT_ARE_REFUSED, "error=EACCES");
}

#[test]
#[ignore = "needs strace"]
fn injected_faults_in_folders_of_a_full_disk() {
    some_calls::<Folders>(&THAT_WRITE, "error=ENOSPC");
}

#[test]
#[ignore = "needs strace"]
fn injected_interruptions_in_folders() {
    some_calls::<Folders>(&THAT_WAIT, "error=EINTR");
}

#[test]
#[ignore = "takes a minute, and needs strace"]
fn injected_faults_after_a_kill_in_folders() {
    some_calls::<Begun>(&OF_FOLDERS, "error=EIO");
}
