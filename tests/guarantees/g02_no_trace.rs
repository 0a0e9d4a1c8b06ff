//! G2: `check` and `report` never write to a source and leave nothing beside it.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use super::support::{COMING, OLD, Place, REPORT, Ran, assert_integrity, count, finish, open, ran};

/// Three rows, of which one is due.
fn rows() -> String {
    format!(
        "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT);
         INSERT INTO log (at) VALUES ('{OLD}'), ('{COMING}'), (NULL);"
    )
}

const COMMANDS: [&[&str]; 5] = [
    &["check"],
    &["check", "--data"],
    &["report"],
    &REPORT,
    &["report", "--list", "--all", "--format", "json"],
];

/// What a folder looks like: names, bytes, times and modes, and the folder's own times, which
/// tell of files that came and went.
type Look = BTreeMap<String, (Vec<u8>, Vec<i64>)>;

fn look(folder: &Path) -> Look {
    let mut look = Look::new();
    look.insert(".".to_owned(), (Vec::new(), stamps(folder, true)));
    for entry in fs::read_dir(folder).unwrap() {
        let (name, path) =
            entry.map(|entry| (entry.file_name().into_string().unwrap(), entry.path())).unwrap();
        let seen = match name.rsplit_once('-') {
            // The engine keeps its readers' marks in the shared memory of a live log.
            Some((_, "shm")) => (Vec::new(), Vec::new()),
            // For root it sets a log's owner to the owner it has, which counts as a change of status.
            Some((_, "wal" | "journal")) => (fs::read(&path).unwrap(), stamps(&path, false)),
            _ => (fs::read(&path).unwrap(), stamps(&path, true)),
        };
        look.insert(name, seen);
    }
    look
}

fn stamps(path: &Path, with_status: bool) -> Vec<i64> {
    let metadata = fs::metadata(path).unwrap();
    let status = if with_status { (metadata.ctime(), metadata.ctime_nsec()) } else { (0, 0) };
    vec![
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.mode().into(),
        metadata.uid().into(),
        status.0,
        status.1,
    ]
}

fn assert_no_trace(place: &Place, how: impl Fn(Command) -> Ran, check: impl Fn(&[&str], Ran)) {
    let before = look(place.folder());
    for arguments in COMMANDS {
        check(arguments, how(place.command(arguments)));
        assert!(
            look(place.folder()) == before,
            "{arguments:?} left a trace in {:?}",
            look(place.folder()).keys()
        );
    }
}

/// `report` reads the three rows.
fn is_read(arguments: &[&str], ran: Ran) {
    let ran = ran.expect(0);
    if arguments.contains(&"json") {
        let log = ran.rule("log");
        assert_eq!([&log["due"], &log["running"], &log["waiting"]], [&json!(1); 3], "{ran:?}");
        assert_eq!(ran.json()["sources"][0]["status"], "read");
    }
}

/// `report` says why the database cannot be read.
fn is_not_read(code: &'static str) -> impl Fn(&[&str], Ran) {
    move |arguments, ran| {
        let ran = ran.expect(if arguments == ["check"] { 0 } else { 3 });
        if arguments.contains(&"json") {
            assert_eq!(ran.problems("log"), [code]);
            assert_eq!(ran.json()["sources"][0]["status"], "failed");
            assert_eq!(ran.rule("log")["due"], json!(null), "what was not read is not counted");
        } else if arguments == ["check", "--data"] {
            assert!(ran.out.contains(&format!("error[{code}]")), "{ran:?}");
        } else if arguments[0] == "report" {
            assert!(format!("{}{}", ran.out, ran.err).contains("data.db"), "{ran:?}");
        }
    }
}

fn rollback() -> Place {
    let place = Place::with_rule_on("log");
    drop(place.database(&rows()));
    place
}

fn closed_wal() -> Place {
    let place = Place::with_rule_on("log");
    let connection = place.database("PRAGMA journal_mode = WAL");
    connection.execute_batch(&rows()).unwrap();
    drop(connection);
    assert!(!place.path("data.db-wal").exists());
    place
}

/// A journal file that is there and holds nothing to play back.
fn persistent_journal() -> Place {
    let place = Place::with_rule_on("log");
    drop(place.database(&format!("PRAGMA journal_mode = PERSIST; {}", rows())));
    assert!(place.path("data.db-journal").exists());
    place
}

/// A database whose rows stand in the log alone, which a connection keeps alive.
fn live_wal() -> (Place, Connection) {
    let place = Place::with_rule_on("log");
    let connection = place.database("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
    connection.execute_batch(&rows()).unwrap();
    assert!(place.path("data.db-wal").metadata().unwrap().len() > 0);
    (place, connection)
}

/// A copy of some files of a database at work: what a crash of its program would leave.
fn crashed(place: &Place, files: &[&str]) -> Place {
    let copy = Place::with_rule_on("log");
    for file in files {
        fs::copy(place.path(file), copy.path(file)).unwrap();
    }
    copy
}

fn crashed_wal() -> Place {
    let (place, _connection) = live_wal();
    crashed(&place, &["data.db", "data.db-wal"])
}

/// What is left of a writer that died after it wrote pages of a transaction into the file.
fn hot_journal() -> Place {
    let place = Place::with_rule_on("log");
    let connection = place.database(&rows());
    connection
        .execute_batch(
            "WITH RECURSIVE n(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM n LIMIT 5000)
             INSERT INTO log SELECT n, NULL FROM n;
             PRAGMA cache_size = 5; BEGIN; UPDATE log SET at = '2001-02-03 the half-done';",
        )
        .unwrap();
    let copy = crashed(&place, &["data.db", "data.db-journal"]);
    let bytes = fs::read(copy.path("data.db")).unwrap();
    assert!(bytes.windows(9).any(|window| window == b"half-done"), "the file was written to");
    copy
}

#[test]
fn a_closed_database_is_read_without_a_trace() {
    assert_no_trace(&rollback(), ran, is_read);
    assert_no_trace(&closed_wal(), ran, is_read);
    assert_no_trace(&persistent_journal(), ran, is_read);
}

/// Tables that are looked at only to see that nobody covers them.
const FORGOTTEN: &str = "
    CREATE TABLE forgotten (id INTEGER PRIMARY KEY, log INTEGER REFERENCES log, body TEXT);
    CREATE VIRTUAL TABLE words USING fts5(body); INSERT INTO words VALUES ('a word');
    CREATE VIRTUAL TABLE older USING fts4(body); INSERT INTO older VALUES ('a word');
    CREATE VIRTUAL TABLE places USING rtree(id, x0, x1); INSERT INTO places VALUES (1, 2, 3);
    CREATE TRIGGER copy AFTER DELETE ON log BEGIN INSERT INTO forgotten (body) VALUES (OLD.at); END;";

fn live() -> (Place, Option<Connection>) {
    let (place, connection) = live_wal();
    (place, Some(connection))
}

/// Makes these tables, by the connection that keeps a log alive where there is one.
fn forget(place: &Place, connection: Option<&Connection>) {
    match connection {
        Some(connection) => connection.execute_batch(FORGOTTEN).unwrap(),
        None => drop(place.database(FORGOTTEN)),
    }
}

#[test]
fn what_nobody_covers_is_found_without_a_trace() {
    for (place, connection) in [(rollback(), None), live(), (closed_wal(), None)] {
        forget(&place, connection.as_ref());
        let before = look(place.folder());
        for format in ["text", "json"] {
            let ran = place.frist(&["check", "--data", "--format", format]).expect(0);
            assert!(ran.out.contains("forgotten") && ran.out.contains("places"), "{ran:?}");
            assert!(look(place.folder()) == before, "a trace in {:?}", look(place.folder()).keys());
        }
    }
}

#[test]
fn a_database_with_a_live_log_is_read_with_what_stands_in_the_log() {
    let (place, _connection) = live_wal();
    assert_no_trace(&place, ran, is_read);
}

#[test]
fn a_log_that_was_left_with_its_shared_memory_is_read_and_left() {
    let (place, _connection) = live_wal();
    assert_no_trace(&crashed(&place, &["data.db", "data.db-wal", "data.db-shm"]), ran, is_read);
}

#[test]
fn a_log_that_only_a_writer_can_recover_is_left_alone_until_a_purge() {
    let place = crashed_wal();
    assert_no_trace(&place, ran, is_not_read("unrecovered-wal"));
    assert_eq!(place.purge().expect(0).rule("log")["deleted"], json!(1));
}

#[test]
fn a_transaction_left_half_done_is_left_alone_until_a_purge() {
    let place = hot_journal();
    assert_no_trace(&place, ran, is_not_read("unrecovered-journal"));
    assert_eq!(place.purge().expect(0).rule("log")["deleted"], json!(1), "the half-done counts for nothing");
    let connection = open(&place.path("data.db"));
    assert_integrity(&connection);
    assert_eq!(count(&connection, "log WHERE at IS NULL"), 5_001);
}

#[test]
fn an_unreadable_file_leaves_no_trace_either() {
    let place = rollback();
    fs::write(place.path("data.db"), b"this is no database, however long it may be").unwrap();
    assert_no_trace(&place, ran, is_not_read("not-a-database"));
    fs::write(place.path("data.db"), b"").unwrap();
    assert_no_trace(&place, ran, is_not_read("empty-database"));
}

const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    // The owner of a new file is who runs this.
    tempfile::tempfile().unwrap().metadata().unwrap().uid() == 0
}

/// A user who may only read, with a copy of the binary, for its build folder may be closed.
struct Reader(TempDir);

impl Reader {
    fn new() -> Reader {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_frist"), folder.path().join("frist")).unwrap();
        Reader(folder)
    }

    fn run(&self, command: &Command) -> Ran {
        let mut own = Command::new(self.0.path().join("frist"));
        own.args(command.get_args());
        if is_root() {
            own.uid(NOBODY).gid(NOBODY);
        }
        ran(own)
    }
}

/// A folder in which nobody but root can write, until it is dropped.
struct ReadOnly<'a>(&'a Place);

impl<'a> ReadOnly<'a> {
    fn new(place: &'a Place) -> ReadOnly<'a> {
        let this = ReadOnly(place);
        this.set_modes(0o444, 0o555);
        this
    }

    fn set_modes(&self, files: u32, folder: u32) {
        for entry in fs::read_dir(self.0.folder()).unwrap() {
            fs::set_permissions(entry.unwrap().path(), Permissions::from_mode(files)).unwrap();
        }
        fs::set_permissions(self.0.folder(), Permissions::from_mode(folder)).unwrap();
    }
}

impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        self.set_modes(0o644, 0o755);
    }
}

#[test]
fn who_may_only_read_reads_the_same() {
    let reader = Reader::new();
    for place in [rollback(), closed_wal()] {
        let _read_only = ReadOnly::new(&place);
        assert_no_trace(&place, |command| reader.run(&command), is_read);
    }
}

#[test]
fn who_may_only_read_reads_a_live_log() {
    let reader = Reader::new();
    let (place, connection) = live_wal();
    let read_only = ReadOnly::new(&place);
    assert_no_trace(&place, |command| reader.run(&command), is_read);
    drop((read_only, connection));
}

#[test]
fn who_may_only_read_is_told_what_only_a_writer_can_do() {
    let reader = Reader::new();
    for (place, code) in [(crashed_wal(), "unrecovered-wal"), (hot_journal(), "unrecovered-journal")] {
        let _read_only = ReadOnly::new(&place);
        assert_no_trace(&place, |command| reader.run(&command), is_not_read(code));
    }
}

#[test]
fn who_may_not_even_read_is_told_so() {
    let place = rollback();
    let _read_only = ReadOnly::new(&place);
    fs::set_permissions(place.path("data.db"), Permissions::from_mode(0o000)).unwrap();
    let report = Reader::new().run(&place.command(&REPORT)).expect(3);
    assert_eq!(report.problems("log"), ["cannot-open"]);
}

const MANY: u64 = 20_000;

/// A writer that makes one due record running and one running record due in each transaction:
/// whoever sees a whole state of the database counts the same, always.
fn swap_for_ever(place: &Place, ends: &AtomicBool) -> u64 {
    let connection = open(&place.path("data.db"));
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    let mut swaps = 0;
    while !ends.load(Ordering::Relaxed) {
        // Far apart, so that the two stand on different pages.
        let (one, other) = (swaps % (MANY / 2) + 1, swaps % (MANY / 2) + 1 + MANY / 2);
        connection
            .execute_batch(&format!(
                "BEGIN IMMEDIATE;
                 UPDATE log SET at = CASE at WHEN '{OLD}' THEN '{COMING}' ELSE '{OLD}' END WHERE id IN ({one}, {other});
                 COMMIT"
            ))
            .unwrap();
        swaps += 1;
    }
    swaps
}

/// Ends the writer, also where the test fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn report_while_it_changes(journal: &str) {
    let place = Place::with_rule_on("log");
    let half = MANY / 2;
    let keeper = place.database(&format!(
        "PRAGMA journal_mode = {journal}; CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT);
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {MANY})
         INSERT INTO log SELECT n, iif(n > {half}, '{OLD}', '{COMING}') FROM n"
    ));
    let ends = AtomicBool::new(false);
    let swaps = thread::scope(|scope| {
        let writer = scope.spawn(|| swap_for_ever(&place, &ends));
        let reporting = Ends(&ends);
        for _ in 0..8 {
            let log = finish(place.start(&REPORT)).expect(0).rule("log");
            let counts = [&log["due"], &log["running"], &log["matched"]];
            assert_eq!(counts, [&json!(half), &json!(half), &json!(MANY)]);
        }
        drop(reporting);
        writer.join().unwrap()
    });
    assert!(swaps > 50, "the writer was stopped");
    drop(keeper);
}

#[test]
fn a_database_that_changes_without_rest_is_counted_in_one_whole_state() {
    report_while_it_changes("DELETE");
}

#[test]
fn a_database_that_changes_without_rest_is_counted_in_one_whole_state_of_its_log() {
    report_while_it_changes("WAL");
}
