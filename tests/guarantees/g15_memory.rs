//! G15: memory does not grow with the data.

use std::fs;
use std::io::{BufWriter, Write};
use std::thread::sleep;
use std::time::Duration;

use super::csv_support::{csv_place, file};
use super::support::{COMING, OLD, PURGE, Place, WITHOUT_LIMIT, finish};

/// What is promised for data of any size.
const MOST: u64 = 64 * 1024;

/// How much more a tenfold of the data may take: what allocators do not give back.
const NOISE: u64 = 6 * 1024;

/// The cache of a purge from a database, which small data does not fill.
const CACHE: u64 = 24 * 1024;

/// Runs a command to its end, which must be that exit code; its largest memory, in KiB.
fn peak(place: &Place, words: &[&str], code: i32) -> u64 {
    let mut child = place.start(words);
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let high = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let high = high.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(high.unwrap_or(0));
        sleep(Duration::from_millis(1));
    }
    finish(child).expect(code);
    assert!(peak > 0, "the memory of the process was seen");
    peak
}

fn csv_of(lines: u64) -> Place {
    let place = csv_place();
    let mut out = BufWriter::new(fs::File::create(file(&place, "a.csv")).unwrap());
    writeln!(out, "id,at,note").unwrap();
    for number in 0..lines {
        let date = if number.is_multiple_of(2) { OLD } else { COMING };
        writeln!(out, "{number},{date},\"a note, of \"\"some\"\" length\"").unwrap();
    }
    place
}

fn database_of(rows: u64) -> Place {
    let place = Place::in_memory();
    place.write_rule_on("log");
    place.database(&format!(
        "PRAGMA journal_mode = WAL; CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT, note TEXT);
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {rows})
         INSERT INTO log SELECT n, iif(n % 2, '{OLD}', '{COMING}'), 'a note of some length' FROM n"
    ));
    place
}

fn assert_flat(of: fn(u64) -> Place, small: u64, more: u64) {
    let [few, many] = [of(small), of(small * 10)];
    for words in [&["report", "--format", "json"][..], &PURGE] {
        let (little, much) = (peak(&few, words, 0), peak(&many, words, 0));
        assert!(much < MOST, "{words:?} took {much} KiB");
        assert!(much < little + more, "{words:?} took {little} KiB, and {much} KiB of ten times the data");
    }
}

#[test]
fn memory_does_not_grow_with_a_csv_file() {
    assert_flat(csv_of, 60_000, NOISE);
}

#[test]
fn memory_does_not_grow_with_a_table() {
    assert_flat(database_of, 60_000, NOISE + CACHE);
}

/// A record, and lines that belong to so many others.
fn related(lines: u64, keys: u64) -> Place {
    let place = Place::in_memory();
    place.write_policy(&format!(
        "{WITHOUT_LIMIT}{}[source.calls]\ncsv = \"calls.csv\"\n{}unless = [{{ table = \"calls\", on = \"customer = id\" }}]\n",
        super::support::SOURCE,
        super::support::rule("log", "log")
    ));
    place.database(&format!(
        "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO log VALUES (1, '{OLD}')"
    ));
    let mut out = BufWriter::new(fs::File::create(place.path("calls.csv")).unwrap());
    writeln!(out, "customer").unwrap();
    (0..lines).for_each(|line| writeln!(out, "{}", 10_000_000 + line % keys).unwrap());
    place
}

#[test]
fn related_rows_of_another_source_take_memory_for_each_key_and_not_for_each_row() {
    let words = ["report", "--format", "json"];
    let [few, many] = [1_000, 300_000].map(|keys| peak(&related(300_000, keys), &words, 0));
    assert!(few < MOST, "{few} KiB");
    assert!((many - few) * 1024 < 300_000 * 200, "{many} KiB, where one key takes {few} KiB");
}

#[test]
fn a_record_that_never_ends_is_not_read_into_memory() {
    let place = csv_place();
    let mut bytes = format!("id,at\n1,{COMING}\n2,\"").into_bytes();
    bytes.resize(120_000_000, b'x');
    fs::write(file(&place, "a.csv"), bytes).unwrap();
    let taken = peak(&place, &["report"], 3);
    assert!(taken < MOST, "{taken} KiB");
}
