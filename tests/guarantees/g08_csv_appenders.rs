//! G8: a line that another program appends while a file is rewritten is not lost.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use super::csv_support::{csv_place, csv_place_on_disk, file, strays};
use super::support::{COMING, OLD, PURGE, Place, Ran, deleted, finish};

const LINES: u64 = 200_000;

/// Half the lines are due.
fn fill(path: &Path) {
    let line =
        |number: u64| format!("{},old {number}\n", if number.is_multiple_of(2) { OLD } else { COMING });
    let lines: String = (0..LINES).map(line).collect();
    fs::write(path, format!("at,what\n{lines}")).unwrap();
}

/// The line that a program appends, each different.
fn line(writer: u64, number: u64) -> String {
    format!("{COMING},new {writer} {number}\n")
}

static GOES_ON: [AtomicBool; 4] = [const { AtomicBool::new(true) }; 4];

/// Opens, appends and closes, again and again; how many lines it wrote.
fn append_until_stopped(path: PathBuf, writer: u64, stop: &'static AtomicBool, pause: Duration) -> u64 {
    let mut number = 0;
    while stop.load(Ordering::Relaxed) {
        let mut log = OpenOptions::new().append(true).open(&path).unwrap();
        log.write_all(line(writer, number).as_bytes()).unwrap();
        drop(log);
        number += 1;
        if !pause.is_zero() {
            sleep(pause);
        }
    }
    number
}

/// Waits for the end of a purge that must not take long.
fn end(mut purge: Child) -> Ran {
    let deadline = Instant::now() + Duration::from_secs(60);
    while purge.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            purge.kill().unwrap();
            panic!("the purge does not end: {:?}", finish(purge));
        }
        sleep(Duration::from_millis(5));
    }
    finish(purge)
}

/// Every kept line and every appended one is there once, each kind in its order.
fn assert_nothing_is_lost(place: &Place, appended: &[u64]) {
    let text = fs::read_to_string(file(place, "a.csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("at,what"));
    let of = |kind: &str| {
        let begin = format!("{COMING},{kind} ");
        text.lines().filter_map(|line| line.strip_prefix(&begin)?.parse().ok()).collect::<Vec<u64>>()
    };
    assert!(of("old") == (0..LINES / 2).map(|number| 2 * number + 1).collect::<Vec<_>>(), "old lines");
    for (writer, lines) in (0_u64..).zip(appended) {
        let mut found = of(&format!("new {writer}"));
        found.sort_unstable();
        let missing = (0..*lines).filter(|number| found.binary_search(number).is_err()).count();
        assert_eq!((missing, found.len() as u64), (0, *lines), "lines of writer {writer}");
    }
    let all = 1 + LINES / 2 + appended.iter().sum::<u64>();
    assert_eq!(text.lines().count() as u64, all, "no line is torn or written twice");
    assert_eq!(strays(place), [""; 0]);
}

fn check(pause: Duration, writers: u64, stop: &'static AtomicBool, new_place: fn() -> Place) {
    for _ in 0..3 {
        let place = new_place();
        let path = file(&place, "a.csv");
        fill(&path);
        stop.store(true, Ordering::Relaxed);
        let appenders: Vec<_> = (0..writers)
            .map(|writer| {
                let path = path.clone();
                spawn(move || append_until_stopped(path, writer, stop, pause))
            })
            .collect();
        sleep(Duration::from_millis(5));
        let ran = end(place.start(&PURGE)).expect(0);
        stop.store(false, Ordering::Relaxed);
        let appended: Vec<u64> = appenders.into_iter().map(|appender| appender.join().unwrap()).collect();
        assert_eq!(deleted(&ran), LINES / 2);
        assert_nothing_is_lost(&place, &appended);
    }
}

#[test]
fn lines_of_programs_that_append_all_the_time_are_not_lost() {
    check(Duration::ZERO, 2, &GOES_ON[0], csv_place);
}

/// Putting the new file on the disk takes longer than the next line does to come.
#[test]
fn lines_of_programs_that_append_all_the_time_on_a_disk_are_not_lost() {
    check(Duration::ZERO, 2, &GOES_ON[2], csv_place_on_disk);
}

#[test]
fn lines_of_a_program_that_appends_now_and_then_are_not_lost() {
    check(Duration::from_micros(700), 1, &GOES_ON[1], csv_place);
}

/// Half a line is no record that cannot be read.
#[test]
fn a_line_that_is_being_written_is_waited_for() {
    let place = csv_place();
    let path = file(&place, "a.csv");
    fill(&path);
    let stop: &'static AtomicBool = &GOES_ON[3];
    let appended = spawn({
        let path = path.clone();
        move || {
            let mut number = 0;
            while stop.load(Ordering::Relaxed) {
                let line = line(0, number);
                let mut log = OpenOptions::new().append(true).open(&path).unwrap();
                let (first, rest) = line.as_bytes().split_at(6);
                log.write_all(first).unwrap();
                sleep(Duration::from_millis(12));
                log.write_all(rest).unwrap();
                drop(log);
                number += 1;
                sleep(Duration::from_millis(5));
            }
            number
        }
    });
    // On a machine with much to do the writer may rest within a line for longer than anybody waits.
    let reports: Vec<Ran> =
        (0..10).map(|_| place.at(super::csv_support::NOW, &["report", "--format", "json"])).collect();
    let ran = end(place.start(&PURGE));
    stop.store(false, Ordering::Relaxed);
    assert_nothing_is_lost(&place, &[appended.join().unwrap()]);
    assert!(reports.iter().filter(|report| report.code == 0).count() >= 7, "{reports:?}");
    assert!(reports.iter().all(|report| report.rule("log")["due"] == LINES / 2));
    assert!(ran.code == 0 || ran.problems("log") == ["unreadable"], "{ran:?}");
    assert_eq!(deleted(&ran), LINES / 2);
}

fn inode(path: &Path) -> u64 {
    std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap())
}

/// A program that keeps the file open and only notices some milliseconds after the new file
/// took its place.
#[test]
fn lines_written_to_the_old_file_until_shortly_afterwards_are_not_lost() {
    for late in [0, 3, 10, 200] {
        let place = csv_place();
        let path = file(&place, "a.csv");
        fill(&path);
        let mut log = OpenOptions::new().append(true).open(&path).unwrap();
        let mut purge = place.start(&PURGE);
        let old = inode(&path);
        let mut number = 0;
        let mut say = |log: &mut File| {
            log.write_all(line(0, number).as_bytes()).unwrap();
            number += 1;
            number
        };
        while inode(&path) == old && purge.try_wait().unwrap().is_none() {
            say(&mut log);
            sleep(Duration::from_millis(1));
        }
        assert_ne!(inode(&path), old);
        sleep(Duration::from_millis(late));
        let appended = say(&mut log);
        drop(log);
        let ran = end(purge).expect(0);
        assert_eq!(deleted(&ran), LINES / 2);
        assert_nothing_is_lost(&place, &[appended]);
    }
}

/// What it may write later is lost, and so it is told before.
#[test]
fn a_program_that_keeps_the_old_file_open_and_is_silent_is_told() {
    let place = csv_place();
    let path = file(&place, "a.csv");
    fill(&path);
    let log = OpenOptions::new().append(true).open(&path).unwrap();
    let ran = end(place.start(&PURGE)).expect(0);
    assert!(ran.err.contains("a.csv: a program has the old file open"), "{}", ran.err);
    drop(log);
    fill(&path);
    let ran = end(place.start(&PURGE)).expect(0);
    assert!(!ran.err.contains("old file"), "{}", ran.err);
}

/// Nothing can be done for a program that never opens the file again, but it must be told.
#[test]
fn a_program_that_goes_on_writing_to_the_old_file_does_not_hold_up_a_run_for_ever() {
    let place = csv_place();
    let path = file(&place, "a.csv");
    fill(&path);
    let mut log = OpenOptions::new().append(true).open(&path).unwrap();
    let mut purge = place.start(&PURGE);
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut number = 0;
    while purge.try_wait().unwrap().is_none() && Instant::now() < deadline {
        log.write_all(line(0, number).as_bytes()).unwrap();
        number += 1;
        sleep(Duration::from_millis(2));
    }
    let ran = end(purge);
    // A machine with much to do may let the writer rest for long enough.
    assert!(ran.code == 0 || ran.problems("log") == ["still-written"], "{ran:?}");
    assert_eq!(deleted(&ran), LINES / 2);
    place.assert_ledger_is_whole();
}
