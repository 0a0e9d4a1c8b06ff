//! G5 and G6: every system call of a purge of CSV files fails once, or is the last one. Needs
//! `strace`, and takes minutes: `cargo test --test guarantees -- --ignored injected`.

use std::fs::{self, File};
use std::io::Write;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant, UNIX_EPOCH};

use super::csv_support::{csv_place, file, policy_of, strays, write};
use super::injected::{Subject, every_call, some_calls, trace};
use super::support::{COMING, OLD, Place, Ran, accounted, deleted, finish};

/// A file with a due line at both ends, one with none, and one with nothing else.
fn contents() -> [(&'static str, String, String); 3] {
    let [old, new] = [format!("{OLD},\"1\n\"\r\n"), format!("{COMING},2\n").repeat(50)];
    [
        ("a.csv", format!("at,n\n{old}{new}{OLD},3"), format!("at,n\n{new}")),
        ("b.csv", format!("at,n\n{new}"), format!("at,n\n{new}")),
        ("c.csv", format!("\u{feff}at,n\r\n{old}{old}"), "\u{feff}at,n\r\n".to_owned()),
    ]
}

/// CSV files in a folder.
struct Files;

impl Subject for Files {
    const DUE: u64 = 4;

    fn filled() -> Place {
        let place = csv_place();
        for (name, old, _) in contents() {
            let path = write(&place, name, old);
            // Nobody is writing the rest of its last line, and so it is not waited for.
            File::options().write(true).open(&path).and_then(|file| file.set_modified(UNIX_EPOCH)).unwrap();
            // Where the file system has them.
            let _ = rustix::fs::setxattr(&path, "user.a", b"b", rustix::fs::XattrFlags::empty());
        }
        place
    }

    /// Each file is the old one or the new one.
    fn assert_kept(place: &Place, why: &dyn Fn() -> String) {
        for (name, old, new) in contents() {
            let found = fs::read_to_string(file(place, name)).unwrap();
            assert!(found == old || found == new, "{name} is {found:?}; {}", why());
        }
    }

    fn gone(place: &Place) -> u64 {
        let is_new = |name, new: &str| fs::read_to_string(file(place, name)).unwrap() == new;
        let due = |old: &str| old.matches(OLD).count() as u64;
        contents().iter().filter(|(name, _, new)| is_new(name, new)).map(|(_, old, _)| due(old)).sum()
    }

    fn assert_clear(place: &Place, why: &dyn Fn() -> String) {
        assert_eq!(strays(place), [""; 0], "{}", why());
    }
}

#[test]
#[ignore = "takes minutes, and needs strace"]
fn injected_faults() {
    every_call::<Files>("error=EIO");
}

#[test]
#[ignore = "takes minutes, and needs strace"]
fn injected_faults_of_a_full_disk() {
    every_call::<Files>("error=ENOSPC");
}

#[test]
#[ignore = "takes minutes, and needs strace"]
fn injected_kills() {
    every_call::<Files>("signal=KILL");
}

/// Calls by which a file gets its new content in place.
const IN_PLACE: [&str; 9] = [
    "?write",
    "?pwrite64",
    "?copy_file_range",
    "?fsync",
    "?fdatasync",
    "?ftruncate",
    "?rename",
    "?unlink",
    "?flock",
];

/// A file that is overwritten in place, and beside it the note that a run left which was killed
/// when it had all but removed that. Lines were appended since.
struct InPlace;

impl InPlace {
    fn first() -> [String; 2] {
        ["at,n\n", &format!("at,n\n{OLD},1\n")].map(|start| format!("{start}{COMING},2\n"))
    }

    fn texts() -> [String; 2] {
        let [kept, _] = InPlace::first();
        let appended = |old: &str| format!("{old}{COMING},3\n{old}{COMING},4\n");
        [appended(&format!("{OLD},0\n")), appended("")].map(|lines| format!("{kept}{lines}"))
    }
}

impl Subject for InPlace {
    const DUE: u64 = 3;

    fn filled() -> Place {
        let place = Place::in_memory();
        policy_of(&place, "rewrite = \"lock\"\n");
        let [kept, all] = InPlace::first();
        let path = write(&place, "a.csv", all);
        finish(trace(&place, "?unlink:signal=KILL:when=2").spawn().expect("strace must be installed"));
        assert_eq!(fs::read_to_string(path).unwrap(), kept);
        assert_eq!(strays(&place), [".a.csv.frist-cut"]);
        write(&place, "a.csv", &InPlace::texts()[0]);
        place
    }

    /// The file is whole, or what is to stay is beside it and a report says so.
    fn assert_kept(place: &Place, why: &dyn Fn() -> String) {
        let found = fs::read_to_string(file(place, "a.csv")).unwrap();
        let is_unfinished = file(place, ".a.csv.frist-kept").exists();
        assert!(InPlace::texts().contains(&found) || is_unfinished, "{found:?}; {}", why());
    }

    fn gone(place: &Place) -> u64 {
        let is_new = fs::read_to_string(file(place, "a.csv")).unwrap() == InPlace::texts()[1];
        if is_new { Self::DUE } else { 1 }
    }

    fn assert_clear(place: &Place, why: &dyn Fn() -> String) {
        assert_eq!(strays(place), [""; 0], "{}", why());
    }
}

#[test]
#[ignore = "needs strace"]
fn injected_kills_in_place() {
    some_calls::<InPlace>(&IN_PLACE, "signal=KILL");
}

#[test]
#[ignore = "needs strace"]
fn injected_faults_in_place() {
    some_calls::<InPlace>(&IN_PLACE, "error=EIO");
}

/// A line that comes while a note about the cut is put on the disk comes before the cut.
#[test]
#[ignore = "needs strace"]
fn injected_delays_of_the_disk_while_lines_are_appended_before_the_cut() {
    let place = Place::in_memory();
    policy_of(&place, "rewrite = \"copytruncate\"\n");
    let path = write(&place, "a.csv", format!("at,n\n{OLD},1\n{COMING},2\n"));
    let mut purge = trace(&place, "fsync:delay_enter=200000").spawn().unwrap();
    let (note, mut seen, mut appended) = (file(&place, ".a.csv.frist-cut"), Vec::new(), String::new());
    while purge.try_wait().unwrap().is_none() {
        let said = fs::read(&note).unwrap_or_default();
        if !said.is_empty() && said != seen && appended.lines().count() < 4 {
            seen = said;
            let line = format!("{COMING},appended {}\n", appended.len());
            File::options().append(true).open(&path).unwrap().write_all(line.as_bytes()).unwrap();
            appended += &line;
        }
        sleep(Duration::from_millis(1));
    }
    let ran = finish(purge);
    assert!(!appended.is_empty(), "{ran:?}");
    let expected = format!("at,n\n{COMING},2\n{appended}");
    assert_eq!(fs::read_to_string(&path).unwrap(), expected, "{ran:?}");
    assert_eq!(strays(&place), [""; 0]);
}

fn wait_for_the_announcement(place: &Place, purge: &mut Child) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !place.ledger_text().contains("\"event\":\"batch\"") {
        assert!(purge.try_wait().unwrap().is_none() && Instant::now() < deadline);
        sleep(Duration::from_millis(2));
    }
}

/// Writing to the ledger takes its time: what becomes of the file meanwhile must be seen.
#[test]
#[ignore = "needs strace"]
fn injected_delays_of_the_ledger_while_the_file_is_rotated_away() {
    let place = csv_place();
    let path = write(&place, "a.csv", format!("at,n\n{OLD},1\n{COMING},2\n"));
    let mut purge = trace(&place, "fdatasync:delay_exit=400000").spawn().unwrap();
    wait_for_the_announcement(&place, &mut purge);
    let rotated = place.path("data").join("a.csv.1");
    fs::rename(&path, &rotated).unwrap();
    fs::write(&path, format!("at,n\n{COMING},3\n")).unwrap();
    let ran = finish(purge);
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("at,n\n{COMING},3\n"), "{ran:?}");
    assert_eq!(fs::read_to_string(&rotated).unwrap(), format!("at,n\n{OLD},1\n{COMING},2\n"));
    assert_eq!(deleted(&ran), 0, "{ran:?}");
    assert_eq!(accounted(&place.ledger()), 0);
    assert_eq!(strays(&place), [""; 0]);
}

#[test]
#[ignore = "needs strace"]
fn injected_delays_of_the_ledger_while_a_line_is_edited() {
    let place = csv_place();
    let path = write(&place, "a.csv", format!("at,n\n{OLD},1\n{COMING},2\n"));
    let mut purge = trace(&place, "fdatasync:delay_exit=400000").spawn().unwrap();
    wait_for_the_announcement(&place, &mut purge);
    let edited = format!("at,n\n{COMING},1\n{COMING},2\n");
    fs::write(&path, &edited).unwrap();
    let ran = finish(purge);
    assert_eq!(fs::read_to_string(&path).unwrap(), edited, "{ran:?}");
    assert_eq!(deleted(&ran), 0, "{ran:?}");
    assert_eq!(accounted(&place.ledger()), 0);
}

/// Two runs of their own policies meet where one finds what the other has just begun.
#[test]
#[ignore = "needs strace"]
fn injected_delays_of_locks_while_two_runs_begin_the_same_file() {
    for delay in ["delay_enter", "delay_exit"] {
        let (place, second) = (csv_place(), Place::in_memory());
        super::csv_support::policy_of(&second, "");
        let policy = fs::read_to_string(second.policy()).unwrap();
        let shared = format!("csv = \"{}/*.csv\"", place.path("data").display());
        fs::write(second.policy(), policy.replace("csv = \"data/*.csv\"", &shared)).unwrap();
        let (mut old, mut new) = (String::from("at,n\n"), String::from("at,n\n"));
        for number in 0..20_000 {
            old.push_str(&format!("{OLD},{number}\n{COMING},{number}\n"));
            new.push_str(&format!("{COMING},{number}\n"));
        }
        let path = write(&place, "a.csv", &old);
        let slow = trace(&place, &format!("flock:{delay}=300000")).spawn().unwrap();
        let others: Vec<Ran> = (0..12)
            .map(|_| {
                sleep(Duration::from_millis(30));
                second.purge()
            })
            .collect();
        let ran = finish(slow);
        let found = fs::read_to_string(&path).unwrap();
        assert!(found == old || found == new, "{} bytes; {ran:?} {others:?}", found.len());
        place.purge().expect(0);
        assert!(fs::read_to_string(&path).unwrap() == new);
        assert_eq!(accounted(&place.ledger()) + accounted(&second.ledger()), 20_000);
        assert_eq!(strays(&place), [""; 0]);
    }
}
