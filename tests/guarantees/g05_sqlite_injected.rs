//! G5 for databases, call by call: each system call of a purge fails, or is the last one, once. Needs `strace`, and takes
//! minutes: `cargo test --test guarantees -- --ignored injected`.

use super::injected::{Subject, few_calls, some_calls};
use super::support::{COMING, OLD, Place, assert_integrity, count, open};

/// The calls by which data, log, ledger and mark reach the disk.
const CALLS: [&str; 9] =
    ["?write", "?pwrite64", "?fsync", "?fdatasync", "?ftruncate", "?rename", "?unlink", "?fcntl", "?openat"];

/// Five due rows of ten, in a database with a log or a journal.
struct Rows<const WAL: bool>;

impl<const WAL: bool> Subject for Rows<WAL> {
    const DUE: u64 = 5;

    fn filled() -> Place {
        let place = Place::in_memory();
        place.write_rule_on("log");
        let journal = if WAL { "WAL" } else { "DELETE" };
        place.database(&format!(
            "PRAGMA journal_mode = {journal}; CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT);
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 10)
             INSERT INTO log SELECT n, iif(n % 2, '{COMING}', '{OLD}') FROM n"
        ));
        place
    }

    fn assert_kept(place: &Place, why: &dyn Fn() -> String) {
        let connection = open(&place.path("data.db"));
        assert_integrity(&connection);
        assert_eq!(count(&connection, &format!("log WHERE at = '{COMING}'")), 5, "{}", why());
    }

    fn gone(place: &Place) -> u64 {
        5 - count(&open(&place.path("data.db")), &format!("log WHERE at = '{OLD}'"))
    }

    fn assert_clear(place: &Place, why: &dyn Fn() -> String) {
        assert!(!place.state().join("pending.json").exists(), "{}", why());
    }
}

/// Many due rows with an index, so that a purge that is alone goes on in one transaction.
struct Indexed;

impl Subject for Indexed {
    const DUE: u64 = 9_000;

    fn filled() -> Place {
        let place = Place::in_memory();
        place.write_rule_on("log");
        place.database(&format!(
            "PRAGMA journal_mode = WAL; CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT, note TEXT);
             CREATE INDEX notes ON log (note);
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 18000)
             INSERT INTO log SELECT n, iif(n % 2, '{COMING}', '{OLD}'), n * 7919 % 18000 FROM n"
        ));
        place
    }

    fn assert_kept(place: &Place, why: &dyn Fn() -> String) {
        let connection = open(&place.path("data.db"));
        assert_integrity(&connection);
        assert_eq!(count(&connection, &format!("log WHERE at = '{COMING}'")), Self::DUE, "{}", why());
    }

    fn gone(place: &Place) -> u64 {
        Self::DUE - count(&open(&place.path("data.db")), &format!("log WHERE at = '{OLD}'"))
    }

    fn assert_clear(place: &Place, why: &dyn Fn() -> String) {
        assert!(!place.state().join("pending.json").exists(), "{}", why());
    }
}

/// The calls that a disk can refuse.
const WRITES: [&str; 3] = ["?write", "?pwrite64", "?ftruncate"];

#[test]
#[ignore = "takes minutes, and needs strace"]
fn injected_faults_of_a_full_disk_in_a_long_transaction() {
    // Output and ledger are written otherwise, so that it can be told.
    let writes = ["?pwrite64", "?ftruncate"];
    few_calls::<Indexed>(&writes, "error=ENOSPC", ("+", 23));
    few_calls::<Indexed>(&writes, "error=ENOSPC", ("", 17));
}

#[test]
#[ignore = "takes minutes, and needs strace"]
fn injected_faults_of_a_purge_in_a_log() {
    some_calls::<Rows<true>>(&WRITES, "error=EIO");
}

#[test]
#[ignore = "takes minutes, and needs strace"]
fn injected_faults_of_a_purge_with_a_journal() {
    some_calls::<Rows<false>>(&WRITES, "error=EIO");
}

#[test]
#[ignore = "takes minutes, and needs strace"]
fn injected_kills_of_a_purge_in_a_log() {
    some_calls::<Rows<true>>(&CALLS, "signal=KILL");
}

#[test]
#[ignore = "takes minutes, and needs strace"]
fn injected_kills_of_a_purge_with_a_journal() {
    some_calls::<Rows<false>>(&CALLS, "signal=KILL");
}
