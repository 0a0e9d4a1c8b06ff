//! G6 and G16: whatever fails, a CSV file is as it was or as it should be, the run says which
//! file it was, the other files are done, and no stray file stays.

use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::fs::{FileType, Mode};
use tempfile::TempDir;

use super::csv_support::{NOW, csv_place, file, policy_of, strays, write};
use super::support::{
    COMING, OLD, PURGE, Place, REPORT, Ran, WITHOUT_LIMIT, accounted, deleted, finish, ran, rule,
};

fn all() -> String {
    format!("at,n\n{OLD},1\n{COMING},2\n{OLD},3\n")
}

fn left() -> String {
    format!("at,n\n{COMING},2\n")
}

fn read(place: &Place, name: &str) -> String {
    fs::read_to_string(file(place, name)).unwrap()
}

/// One file has a problem, which is told with its name; those on both sides of it are done.
fn assert_others_are_done(place: &Place, code: &str) {
    write(place, "a.csv", all());
    write(place, "z.csv", all());
    let report = place.at(NOW, &REPORT).expect(3);
    assert_eq!(report.problems("log"), [code]);
    assert_eq!(report.rule("log")["due"], 4, "{report:?}");
    let ran = place.at(NOW, &PURGE).expect(3);
    assert!(ran.out.contains("m.csv"), "{ran:?}");
    assert_eq!(ran.problems("log"), [code], "told once: {ran:?}");
    assert_eq!(deleted(&ran), 4);
    assert_eq!([read(place, "a.csv"), read(place, "z.csv")], [left(), left()]);
    assert_eq!(strays(place), [""; 0]);
    place.assert_ledger_is_whole();
}

#[test]
fn a_file_without_the_column_does_not_stop_the_others() {
    let place = csv_place();
    write(&place, "m.csv", format!("time,n\n{OLD},1\n"));
    assert_others_are_done(&place, "missing-column");
    assert_eq!(read(&place, "m.csv"), format!("time,n\n{OLD},1\n"));
}

#[test]
fn a_file_in_utf_16_does_not_stop_the_others() {
    for mark in [b"\xff\xfe", b"\xfe\xff"] {
        let place = csv_place();
        let bytes = [mark.as_slice(), b"a\0t\0,\0n\0\n\0"].concat();
        write(&place, "m.csv", &bytes);
        assert_others_are_done(&place, "utf-16");
        assert_eq!(fs::read(file(&place, "m.csv")).unwrap(), bytes);
    }
}

#[test]
fn a_pipe_is_told_and_not_waited_for() {
    let place = csv_place();
    let pipe = file(&place, "m.csv");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    assert_others_are_done(&place, "not-a-file");
}

/// What a killed run leaves is a file; whatever else stands there must not be waited for either.
#[test]
fn a_pipe_in_the_new_file_s_place_is_not_waited_for() {
    let place = csv_place();
    write(&place, "m.csv", all());
    let pipe = file(&place, ".m.csv.frist-new");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let mut purge = place.start(&PURGE);
    for _ in 0..1_000 {
        if purge.try_wait().unwrap().is_some() {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    purge.kill().unwrap();
    finish(purge).expect(0);
    assert_eq!(read(&place, "m.csv"), left());
    assert_eq!(strays(&place), [""; 0]);
}

#[test]
fn a_link_to_nowhere_is_told() {
    let place = csv_place();
    symlink("nowhere", file(&place, "m.csv")).unwrap();
    assert_others_are_done(&place, "cannot-open");
}

/// Names are bytes, and need not be text.
#[test]
fn a_file_whose_name_is_no_text_is_told_and_does_not_stop_the_others() {
    let place = csv_place();
    let name = std::ffi::OsStr::from_bytes(b"m\xff.csv");
    fs::write(place.path("data").join(name), all()).unwrap();
    write(&place, "a.csv", all());
    let ran = place.purge().expect(3);
    assert_eq!(ran.problems("log"), ["not-utf-8"]);
    assert_eq!((deleted(&ran), read(&place, "a.csv")), (2, left()));
    assert_eq!(fs::read_to_string(place.path("data").join(name)).unwrap(), all());
}

/// Others may hide what they are writing, too.
#[test]
fn a_link_into_a_folder_whose_name_is_no_text_is_told() {
    let place = csv_place();
    let folder = place.path("").join(std::ffi::OsStr::from_bytes(b"m\xff"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("m.csv"), all()).unwrap();
    symlink(folder.join("m.csv"), file(&place, "m.csv")).unwrap();
    assert_others_are_done(&place, "not-utf-8");
    assert_eq!(fs::read_to_string(folder.join("m.csv")).unwrap(), all());
}

#[test]
fn every_file_that_is_left_is_told() {
    let place = csv_place();
    for name in ["b.csv", "m.csv"] {
        let path = write(&place, name, all());
        fs::hard_link(path, place.path(name)).unwrap();
    }
    write(&place, "n.csv", all());
    let ran = place.frist(&PURGE).expect(3);
    assert_eq!(ran.problems("log"), ["hard-link", "hard-link"]);
    assert_eq!(read(&place, "n.csv"), left());
    place.assert_ledger_is_whole();
}

#[test]
fn a_wildcard_means_no_hidden_file_or_folder() {
    let place = csv_place();
    for (pattern, is_meant) in
        [("data/**/*.csv", false), ("data/.h*/*.csv", true), ("data/.hidden/a.csv", true)]
    {
        let policy = format!("[source.log]\ncsv = \"{pattern}\"\n");
        place.write_policy(&format!("{WITHOUT_LIMIT}{policy}{}", rule("log", "x").replace("db.x", "log")));
        fs::create_dir_all(file(&place, ".hidden")).unwrap();
        for name in ["a.csv", ".b.csv", ".hidden/a.csv", ".hidden/.c.csv"] {
            write(&place, name, all());
        }
        place.at(NOW, &PURGE).expect(0);
        let found = ["a.csv", ".b.csv", ".hidden/a.csv", ".hidden/.c.csv"].map(|name| read(&place, name));
        let one = |is_due: bool| if is_due { left() } else { all() };
        assert_eq!(found, [one(!is_meant), all(), one(is_meant), all()], "{pattern}");
    }
}

#[test]
fn a_folder_that_matches_is_passed_over() {
    let place = csv_place();
    write(&place, "a.csv", all());
    fs::create_dir(file(&place, "b.csv")).unwrap();
    assert_eq!(deleted(&place.at(NOW, &PURGE).expect(0)), 2);
    assert_eq!(read(&place, "a.csv"), left());
}

#[test]
fn a_pattern_that_matches_nothing_is_a_missing_source() {
    let place = csv_place();
    fs::create_dir(file(&place, "folder.csv")).unwrap();
    for arguments in [&REPORT[..], &PURGE] {
        let ran = place.at(NOW, arguments).expect(3);
        assert_eq!(ran.json()["sources"][0]["status"], "missing");
        assert!(ran.out.contains("missing-source"), "{ran:?}");
    }
    fs::remove_dir_all(place.path("data")).unwrap();
    let ran = place.at(NOW, &PURGE).expect(3);
    assert_eq!(ran.json()["sources"][0]["status"], "missing");
}

/// A user without rights, with a copy of the binary, for its build folder may be closed.
struct User(TempDir);

const NOBODY: u32 = 65_534;

impl User {
    fn new(place: &Place) -> User {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_frist"), folder.path().join("frist")).unwrap();
        fs::set_permissions(place.folder(), Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(place.state()).unwrap();
        fs::set_permissions(place.state(), Permissions::from_mode(0o700)).unwrap();
        if rustix::process::geteuid().is_root() {
            for path in [place.folder().to_path_buf(), place.state(), place.path("data")] {
                chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        User(folder)
    }

    fn run(&self, command: &Command) -> Ran {
        let mut own = Command::new(self.0.path().join("frist"));
        own.args(command.get_args());
        if rustix::process::geteuid().is_root() {
            own.uid(NOBODY).gid(NOBODY);
        }
        ran(own)
    }
}

fn give_away(path: &Path) {
    if rustix::process::geteuid().is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

#[test]
fn a_file_that_may_not_be_read_does_not_stop_the_others() {
    let place = csv_place();
    let user = User::new(&place);
    for name in ["a.csv", "m.csv", "z.csv"] {
        give_away(&write(&place, name, all()));
    }
    fs::set_permissions(file(&place, "m.csv"), Permissions::from_mode(0o000)).unwrap();
    let ran = user.run(&place.command(&PURGE)).expect(3);
    assert!(ran.out.contains("m.csv"), "{ran:?}");
    assert_eq!(ran.problems("log"), ["cannot-open"], "told once: {ran:?}");
    assert_eq!(deleted(&ran), 4);
    fs::set_permissions(file(&place, "m.csv"), Permissions::from_mode(0o600)).unwrap();
    let found = ["a.csv", "m.csv", "z.csv"].map(|name| read(&place, name));
    assert_eq!(found, [left(), all(), left()]);
}

#[test]
fn a_folder_that_may_not_be_written_keeps_its_files() {
    let place = csv_place();
    let user = User::new(&place);
    give_away(&write(&place, "a.csv", all()));
    fs::set_permissions(place.path("data"), Permissions::from_mode(0o555)).unwrap();
    let ran = user.run(&place.command(&PURGE)).expect(3);
    fs::set_permissions(place.path("data"), Permissions::from_mode(0o755)).unwrap();
    assert_eq!(ran.problems("log"), ["cannot-write"]);
    assert!(ran.out.contains("a.csv"), "{ran:?}");
    assert_eq!((deleted(&ran), read(&place, "a.csv")), (0, all()));
    assert_eq!(strays(&place), [""; 0]);
}

/// A file of somebody else: its owner cannot be given to the new file.
#[test]
fn a_file_whose_owner_cannot_be_kept_stays() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can give a file to somebody else");
        return;
    }
    let place = csv_place();
    let user = User::new(&place);
    write(&place, "a.csv", all());
    let ran = user.run(&place.command(&PURGE)).expect(3);
    assert_eq!(ran.problems("log"), ["cannot-keep-attributes"]);
    assert_eq!((deleted(&ran), read(&place, "a.csv")), (0, all()));
    assert_eq!(strays(&place), [""; 0]);
}

/// An owner may take away the right to write from everybody: the new file has it no more either.
#[test]
fn a_file_that_may_only_be_read_is_rewritten_and_stays_so() {
    let place = csv_place();
    let user = User::new(&place);
    let path = write(&place, "a.csv", all());
    give_away(&path);
    fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
    user.run(&place.command(&PURGE)).expect(0);
    assert_eq!(read(&place, "a.csv"), left());
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o7777, 0o444);
}

/// A file system of one mebibyte, unmounted at the end.
struct Small(PathBuf);

impl Small {
    fn mount(folder: PathBuf) -> Option<Small> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(&folder);
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        is_mounted.then_some(Small(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk_keeps_the_file_and_leaves_nothing_beside_it() {
    let place = csv_place();
    let Some(_small) = Small::mount(place.path("data")) else {
        println!("skipped: no file system can be mounted here");
        return;
    };
    let line = format!("{COMING},{}\n", "x".repeat(100));
    // The first due line comes early or late: what is before it is copied in one go.
    for lines in [0, 5_000] {
        let large = format!("at,n\n{}{OLD},1\n{}", line.repeat(lines), line.repeat(5_500 - lines));
        write(&place, "a.csv", &large);
        write(&place, "z.csv", all());
        let ran = place.at(NOW, &PURGE).expect(3);
        assert_eq!(ran.problems("log"), ["cannot-write"]);
        assert!(ran.out.contains("a.csv") && ran.out.contains("make room"), "{ran:?}");
        assert!(read(&place, "a.csv") == large);
        assert_eq!((deleted(&ran), read(&place, "z.csv")), (2, left()), "what needs less room is done");
        assert_eq!(strays(&place), [""; 0]);
    }
}

/// What another program does to a file while frist reads it, again and again.
fn while_it(act: impl Fn(&Path, u64) + Sync, check: impl Fn(&Place, &Ran)) {
    for _ in 0..4 {
        let place = csv_place();
        let path = write(&place, "a.csv", many(0));
        let ends = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut turn = 0;
                while !ends.load(Ordering::Relaxed) {
                    turn += 1;
                    act(&path, turn);
                }
            });
            for arguments in [&REPORT[..], &PURGE] {
                let ran = finish(place.start(arguments));
                assert!(ran.code == 0 || ran.code == 3, "{ran:?}");
                check(&place, &ran);
            }
            ends.store(true, Ordering::Relaxed);
        });
        assert_eq!(strays(&place), [""; 0]);
        place.assert_ledger_is_whole();
    }
}

/// So many more lines than that, of which half are due.
fn many(more: u64) -> String {
    let lines: String =
        (0..20_000 + more).map(|number| format!("{OLD},{number}\n{COMING},{number}\n")).collect();
    format!("at,n\n{lines}")
}

#[test]
fn a_file_that_is_replaced_all_the_time_is_never_mixed_with_another() {
    let replace = |path: &Path, turn: u64| {
        let new = path.with_extension("new");
        fs::write(&new, many(turn % 3)).unwrap();
        fs::rename(&new, path).unwrap();
    };
    while_it(replace, |place, _| {
        let text = read(place, "a.csv");
        let due = text.matches(&format!("{OLD},")).count();
        let kept = text.matches(&format!("{COMING},")).count();
        assert!((20_000..20_003).contains(&kept) && (due == 0 || due == kept), "{due} {kept}");
    });
}

#[test]
fn a_file_that_vanishes_and_comes_back_is_told_or_read() {
    let vanish = |path: &Path, _| {
        let away = path.with_extension("away");
        if fs::rename(path, &away).is_ok() {
            thread::sleep(Duration::from_millis(3));
            fs::rename(&away, path).unwrap();
        }
        thread::sleep(Duration::from_millis(3));
    };
    while_it(vanish, |_, ran| {
        let is_told =
            ["missing", "cannot-open", "changing", "survivors"].iter().any(|code| ran.out.contains(code));
        assert!(ran.code == 0 || is_told, "{ran:?}");
    });
}

#[test]
fn a_file_that_shrinks_and_grows_is_told_or_read() {
    let shrink = |path: &Path, turn: u64| {
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(400_000 + 1_000 * (turn % 7)).unwrap();
    };
    while_it(shrink, |_, ran| {
        let is_told =
            ["changing", "unreadable", "cannot-read", "survivors"].iter().any(|code| ran.out.contains(code));
        assert!(ran.code == 0 || is_told, "{ran:?}");
    });
}

#[test]
fn a_second_run_waits_its_turn_or_says_that_another_is_there() {
    let place = csv_place();
    write(&place, "a.csv", many(0));
    let (one, other) = (place.start(&PURGE), place.start(&PURGE));
    let codes = [finish(one).code, finish(other).code];
    assert!(codes == [0, 0] || codes == [0, 5] || codes == [5, 0], "{codes:?}");
    assert!(!read(&place, "a.csv").contains(OLD));
    assert_eq!(accounted(&place.ledger()), 20_000);
}

/// Two policies with folders of their own know nothing of each other, but both write beside the
/// same file.
#[test]
fn runs_of_two_policies_on_one_file_never_mix() {
    for _ in 0..8 {
        let (place, second) = (csv_place(), Place::in_memory());
        policy_of(&second, "");
        let policy = fs::read_to_string(second.policy()).unwrap();
        let shared = format!("csv = \"{}/*.csv\"", place.path("data").display());
        fs::write(second.policy(), policy.replace("csv = \"data/*.csv\"", &shared)).unwrap();
        for name in ["a.csv", "b.csv", "c.csv", "d.csv"] {
            write(&place, name, many(0));
        }
        let (one, other) = (place.start(&PURGE), second.start(&PURGE));
        let both = [finish(one), finish(other)];
        assert!(both.iter().all(|ran| ran.code == 0 || ran.code == 3), "{both:?}");
        for ran in &both {
            assert!(
                ran.code == 0 || ["busy", "changing"].iter().any(|code| ran.out.contains(code)),
                "{ran:?}"
            );
        }
        place.purge().expect(0);
        for name in ["a.csv", "b.csv", "c.csv", "d.csv"] {
            let text = read(&place, name);
            assert_eq!((text.matches(OLD).count(), text.lines().count()), (0, 20_001), "{name}");
        }
        let total = accounted(&place.ledger()) + accounted(&second.ledger());
        assert_eq!(total, 80_000, "each line is deleted and counted once");
        assert_eq!(strays(&place), [""; 0]);
    }
}
