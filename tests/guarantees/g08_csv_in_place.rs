//! G5 and G8 for files that keep their inode, and for compressed ones.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::csv_support::{csv_place, file, policy_of, strays, write};
use super::support::{COMING, OLD, PURGE, Place, Random, accounted, deleted, finish};

const LINES: u64 = 30_000;

fn place(rewrite: &str) -> Place {
    let place = Place::in_memory();
    policy_of(&place, &format!("rewrite = \"{rewrite}\"\n"));
    place
}

/// With it a file takes a while to be copied.
const PADDING: &str = concat!(
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et ",
    "dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ",
    "ex ea commodo consequat. Duis aute irure dolor in reprehenderit in voluptate velit esse cillum dolore eu ",
    "fugiat nulla pariatur."
);

/// One line in three stays.
fn lines(wanted: impl Fn(u64) -> bool) -> String {
    let line = |number: u64| {
        let date = if number.is_multiple_of(3) { COMING } else { OLD };
        format!("{date},\"line {number}\n{PADDING}\"\r\n")
    };
    (0..LINES).filter(|number| wanted(*number)).map(line).collect()
}

fn before() -> String {
    format!("at,what\r\n{}", lines(|_| true))
}

fn after() -> String {
    format!("at,what\r\n{}", lines(|number| number.is_multiple_of(3)))
}

/// Appends through one handle until told to stop; what it wrote.
fn append(path: &Path, stop: &AtomicBool, locks: bool) -> String {
    let mut log = OpenOptions::new().append(true).open(path).unwrap();
    let mut written = String::new();
    while !stop.load(Ordering::Relaxed) {
        let line = format!("{COMING},appended {}\n", written.len());
        if locks {
            flock(&log, FlockOperation::LockExclusive).unwrap();
        }
        log.write_all(line.as_bytes()).unwrap();
        if locks {
            flock(&log, FlockOperation::Unlock).unwrap();
        }
        written += &line;
        sleep(Duration::from_micros(200));
    }
    written
}

#[test]
fn a_writer_that_takes_the_lock_and_keeps_the_file_open_loses_nothing() {
    for _ in 0..4 {
        let place = place("lock");
        let path = write(&place, "a.csv", before());
        let inode = fs::metadata(&path).unwrap().ino();
        let stop = AtomicBool::new(false);
        scope(|scope| {
            let writer = scope.spawn(|| append(&path, &stop, true));
            sleep(Duration::from_millis(5));
            let ran = place.frist(&PURGE).expect(0);
            sleep(Duration::from_millis(5));
            stop.store(true, Ordering::Relaxed);
            let appended = writer.join().unwrap();
            assert!(!appended.is_empty());
            assert_eq!(deleted(&ran), LINES - LINES / 3);
            assert!(
                fs::read_to_string(&path).unwrap() == after() + &appended,
                "not one line is lost or torn"
            );
        });
        assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
        assert_eq!(strays(&place), [""; 0]);
    }
}

#[test]
fn a_writer_without_a_lock_goes_on_in_the_same_file() {
    let place = place("copytruncate");
    let path = write(&place, "a.csv", before());
    let mut log = OpenOptions::new().append(true).open(&path).unwrap();
    place.frist(&PURGE).expect(0);
    log.write_all(b"2026-01-01,later\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), after() + "2026-01-01,later\n");
}

#[test]
fn a_file_that_is_locked_is_busy_and_stays() {
    let place = place("lock");
    let path = write(&place, "a.csv", before());
    let other = File::open(&path).unwrap();
    flock(&other, FlockOperation::LockExclusive).unwrap();
    let mut words = PURGE.to_vec();
    words.extend(["--wait", "50ms"]);
    let ran = place.frist(&words).expect(3);
    assert_eq!(ran.problems("log"), ["busy"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), before());
    assert_eq!(strays(&place), [""; 0]);
}

/// A log is rotated while the purge waits for its lock: the lock that counts is that of the new file.
#[test]
fn a_file_that_is_rotated_while_its_lock_is_awaited_is_left_and_the_new_one_rewritten() {
    let place = place("lock");
    let path = write(&place, "a.csv", before());
    let other = File::open(&path).unwrap();
    flock(&other, FlockOperation::LockExclusive).unwrap();
    let mut purge = place.start(&PURGE);
    while !place.ledger_text().contains("\"event\":\"rule-started\"") {
        assert!(purge.try_wait().unwrap().is_none(), "{:?}", finish(purge));
    }
    sleep(Duration::from_millis(100));
    fs::rename(&path, place.path("rotated.txt")).unwrap();
    write(&place, "a.csv", format!("at,what\n{OLD},new\n{COMING},new\n"));
    let new = File::open(&path).unwrap();
    flock(&new, FlockOperation::LockExclusive).unwrap();
    drop(other);
    sleep(Duration::from_millis(300));
    assert!(purge.try_wait().unwrap().is_none(), "it waits for the lock of the new file");
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3, "and writes nothing before");
    drop(new);
    assert_eq!(deleted(&finish(purge).expect(0)), 1);
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("at,what\n{COMING},new\n"));
    assert!(
        fs::read_to_string(place.path("rotated.txt")).unwrap() == before(),
        "nobody rewrites what is rotated"
    );
    assert_eq!(strays(&place), [""; 0]);
}

#[test]
fn a_file_with_two_names_is_rewritten_under_both() {
    let place = place("copytruncate");
    let path = write(&place, "a.csv", before());
    fs::hard_link(&path, place.path("other name")).unwrap();
    place.frist(&PURGE).expect(0);
    assert_eq!(fs::read_to_string(place.path("other name")).unwrap(), after());
}

#[test]
fn kills_of_a_purge_in_place_leave_nothing_torn_and_every_line_accounted_for() {
    let kills = crate::depth::cases(6);
    let place = place("lock");
    let path = file(&place, "a.csv");
    let mut random = Random(7);
    let (mut filled, mut torn) = (0, 0);
    for _ in 0..kills {
        // A file that is not finished belongs to the purge.
        let is_finished = !file(&place, ".a.csv.frist-kept").exists();
        if !path.exists() || (is_finished && fs::read_to_string(&path).unwrap() == after()) {
            write(&place, "a.csv", before());
            filled += 1;
        }
        let mut purge = place.start(&PURGE);
        let kept = file(&place, ".a.csv.frist-kept");
        let waits = random.below(4) > 0;
        while waits && !kept.exists() && purge.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        sleep(Duration::from_micros(random.below(3) * random.below(1_500)));
        purge.kill().unwrap();
        purge.wait().unwrap();
        torn += u64::from(kept.exists());
        if kept.exists() {
            let report = place.frist(&["report", "--format", "json"]).expect(3);
            assert_eq!(report.problems("log"), ["unfinished"]);
        }
    }
    place.frist(&PURGE).expect(0);
    assert!(torn > 0, "no kill fell into the copying");
    assert_eq!(fs::read_to_string(&path).unwrap(), after());
    assert_eq!(strays(&place), [""; 0]);
    place.assert_ledger_is_whole();
    assert_eq!(accounted(&place.ledger()), filled * (LINES - LINES / 3));
}

/// Kills a purge when what is to stay is on the disk beside the file; whether it was not done yet.
fn kill_in_place(place: &Place) -> bool {
    let (mut purge, kept) = (place.start(&PURGE), file(place, ".a.csv.frist-kept"));
    while !kept.exists() && purge.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    purge.kill().unwrap();
    purge.wait().unwrap();
    kept.exists()
}

#[test]
fn a_writer_that_takes_the_lock_loses_nothing_to_a_purge_that_finishes_a_killed_one() {
    let mut torn = 0;
    for _ in 0..8 {
        let place = place("lock");
        let path = write(&place, "a.csv", before());
        torn += u64::from(kill_in_place(&place));
        let stop = AtomicBool::new(false);
        scope(|scope| {
            let writer = scope.spawn(|| append(&path, &stop, true));
            sleep(Duration::from_millis(5));
            place.frist(&PURGE).expect(0);
            sleep(Duration::from_millis(5));
            stop.store(true, Ordering::Relaxed);
            let appended = writer.join().unwrap();
            assert!(
                fs::read_to_string(&path).unwrap() == after() + &appended,
                "not one line is lost or torn"
            );
        });
        assert_eq!(strays(&place), [""; 0]);
        assert_eq!(accounted(&place.ledger()), LINES - LINES / 3);
    }
    assert!(torn > 0, "no kill fell into the copying");
}

fn compressed(name: &str, text: &str) -> Vec<u8> {
    if name.ends_with("gz") {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    } else {
        zstd::encode_all(text.as_bytes(), 1).unwrap()
    }
}

fn decompressed(path: &Path) -> String {
    let (mut text, file) = (String::new(), File::open(path).unwrap());
    if path.extension().unwrap() == "gz" {
        flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    } else {
        zstd::Decoder::new(file).unwrap().read_to_string(&mut text).unwrap();
    }
    text
}

fn of_compressed() -> Place {
    let place = csv_place();
    let policy = fs::read_to_string(place.policy()).unwrap();
    fs::write(place.policy(), policy.replace("data/*.csv", "data/*")).unwrap();
    place
}

#[test]
fn compressed_files_are_rewritten_compressed() {
    let place = of_compressed();
    let names = ["one.csv.gz", "two.csv.zst"];
    for name in names {
        write(&place, name, compressed(name, &before()));
    }
    // Several compressed parts, one behind the other, are one file.
    let text = before();
    let (first, second) = text.split_at(1_000);
    write(&place, "parts.csv.gz", [compressed("gz", first), compressed("gz", second)].concat());
    let ran = place.frist(&PURGE).expect(0);
    assert_eq!(deleted(&ran), 3 * (LINES - LINES / 3));
    let found: BTreeMap<&str, bool> = names
        .iter()
        .chain(&["parts.csv.gz"])
        .map(|name| (*name, decompressed(&file(&place, name)) == after()))
        .collect();
    assert!(found.values().all(|same| *same), "{found:?}");
    assert_eq!(strays(&place), [""; 0]);
}

#[test]
fn a_compressed_file_that_ends_too_early_stays_and_is_told() {
    for name in ["a.csv.gz", "a.csv.zst"] {
        let place = of_compressed();
        let mut bytes = compressed(name, &before());
        bytes.truncate(bytes.len() / 2);
        let path = write(&place, name, &bytes);
        place.frist(&PURGE).expect(3);
        assert_eq!(fs::read(&path).unwrap(), bytes);
        assert_eq!(strays(&place), [""; 0]);
    }
}

#[test]
fn a_compressed_file_cannot_be_rewritten_in_place() {
    let place = place("copytruncate");
    let policy = fs::read_to_string(place.policy()).unwrap();
    fs::write(place.policy(), policy.replace("data/*.csv", "data/*")).unwrap();
    let bytes = compressed("gz", &before());
    let path = write(&place, "a.csv.gz", &bytes);
    for words in [&["report", "--format", "json"], &PURGE[..]] {
        assert_eq!(place.frist(words).expect(3).problems("log"), ["compressed"]);
    }
    assert_eq!(fs::read(&path).unwrap(), bytes);
}
