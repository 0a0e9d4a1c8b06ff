//! G5: killed at any point, the data is whole, and the next run accounts for every row.

use std::io::Read;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::{
    COMING, OLD, PURGE, Place, Random, accounted, assert_integrity, count, open, recoveries,
};

/// Kills of each kind of table and journal.
pub(super) fn kills() -> u64 {
    crate::depth::cases(4).into()
}

/// A table that is filled, purged and filled again.
struct Scene {
    place: Place,
    table: Table,
    /// How often it was filled.
    fillings: u64,
    random: Random,
}

struct Table {
    sql: &'static str,
    key: &'static str,
    /// The columns behind the note.
    more: &'static str,
    /// Rows that are added at once, of which one in so many is due.
    rows: u64,
    one_in: u64,
}

impl Scene {
    fn new(journal: &str, table: Table, seed: u64) -> Scene {
        // A kill leaves to the system what was written: a disk would add nothing but time.
        let place = Place::in_memory();
        place.write_rule_on("log");
        // Indexes of due rows alone: they make a deletion slow, and a batch small.
        let indexes: String = (1..=14)
            .map(|from| {
                format!("CREATE INDEX log_{from} ON log (substr(note, {from}, 3)) WHERE at = '{OLD}';")
            })
            .collect();
        place.database(&format!("PRAGMA journal_mode = {journal}; {}; {indexes}", table.sql));
        Scene { place, table, fillings: 0, random: Random(seed) }
    }

    fn due(&self) -> u64 {
        self.table.rows / self.table.one_in
    }

    fn fill(&mut self) {
        let Table { key, more, rows, one_in, .. } = self.table;
        let connection = open(&self.place.path("data.db"));
        connection
            .execute_batch(&format!(
                "DELETE FROM log;
                 WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {rows})
                 INSERT INTO log
                 SELECT {key}, iif(n % {one_in}, '{COMING}', '{OLD}'), hex(randomblob(16)){more} FROM n"
            ))
            .unwrap();
        self.fillings += 1;
    }

    /// Whoever opens what a kill left writes to it, so that only a copy is looked at.
    fn assert_a_copy_is_whole(&self) {
        let copy = Place::in_memory();
        for file in ["data.db", "data.db-wal", "data.db-journal"] {
            if self.place.path(file).exists() {
                std::fs::copy(self.place.path(file), copy.path(file)).unwrap();
            }
        }
        let connection = open(&copy.path("data.db"));
        assert_integrity(&connection);
        assert_eq!(count(&connection, &format!("log WHERE at = '{COMING}'")), self.table.rows - self.due());
    }

    /// Kills a purge at some point. Returns whether it was still running.
    fn kill_one(&mut self) -> bool {
        // Where a purge is alone with a log it may take one transaction; asked to be nice it takes many.
        let nice: &[&str] = if self.random.below(4) > 0 { &["--nice", "0.01"] } else { &[] };
        let mut purge = self.place.start(&[&PURGE[..], nice].concat());
        match self.random.below(4) {
            0 => sleep(Duration::from_micros(self.random.below(60_000))),
            1 => sleep(Duration::from_millis(self.random.below(900))),
            // As a batch is announced: just before its commit, or just after.
            _ => {
                let batches = 1 + self.random.below(6);
                wait_for_batches(&self.place, &mut purge, batches);
                sleep(Duration::from_micros(self.random.below(12) * self.random.below(1_000)));
            }
        }
        kill(purge)
    }

    /// Whether a later run decided what became of a batch in doubt.
    fn has_decided(&self) -> bool {
        let is_decided =
            |entry: &&Value| ["committed", "rolled-back"].iter().any(|how| entry["outcome"] == *how);
        recoveries(&self.place.ledger()).iter().any(is_decided)
    }

    /// What the ledger says was deleted, which must be what is gone.
    fn settle(&self) {
        self.place.assert_ledger_is_whole();
        let connection = open(&self.place.path("data.db"));
        assert_integrity(&connection);
        assert_eq!(count(&connection, &format!("log WHERE at = '{OLD}'")), 0);
        assert_eq!(count(&connection, "log"), self.table.rows - self.due(), "not one kept row is lost");
        let ledger = self.place.ledger();
        assert_eq!(accounted(&ledger), self.due() * self.fillings, "{:#?}", recoveries(&ledger));
    }
}

/// Waits until a running purge has announced so many batches, or has ended.
pub(super) fn wait_for_batches(place: &Place, purge: &mut Child, batches: u64) {
    let path = place.state().join("ledger.jsonl");
    let begin = std::fs::metadata(&path).map_or(0, |ledger| ledger.len());
    let wanted = usize::try_from(batches).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while purge.try_wait().unwrap().is_none() && Instant::now() < deadline {
        let new = std::fs::read(&path).unwrap_or_default();
        let new = new.get(usize::try_from(begin).unwrap()..).unwrap_or_default();
        if new.windows(15).filter(|window| window == b"\"event\":\"batch\"").count() >= wanted {
            return;
        }
        sleep(Duration::from_micros(50));
    }
}

/// Kills a purge with SIGKILL, and says whether that was what ended it.
pub(super) fn kill(mut purge: Child) -> bool {
    purge.kill().unwrap();
    let status = purge.wait().unwrap();
    if let Some(code) = status.code() {
        let mut said = String::new();
        purge.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(code, 0, "{said}");
    }
    status.code().is_none()
}

fn kill_again_and_again(mut scene: Scene) {
    let (mut killed, mut tries) = (0, 0);
    scene.fill();
    // On a busy machine it can take more of them until one comes right behind an announcement.
    while (killed < kills() && tries < kills() * 4) || (!scene.has_decided() && tries < kills() * 16) {
        tries += 1;
        if scene.kill_one() {
            killed += 1;
            scene.assert_a_copy_is_whole();
        } else {
            // What ended by itself is settled before more is added.
            scene.settle();
            scene.fill();
        }
    }
    assert!(killed > kills() / 2, "{killed} of {tries} purges were killed");
    scene.place.purge().expect(0);
    scene.settle();
    let ledger = scene.place.ledger();
    let outcomes = recoveries(&ledger);
    assert!(scene.has_decided(), "no kill left a batch in doubt");
    let exact = outcomes.iter().filter(|entry| entry["exact"] == true).count();
    assert!(exact * 2 > outcomes.len(), "nobody else was there: {outcomes:#?}");
}

/// Half the rows are due: a purge walks along the keys.
const BY_ROWID: Table = Table {
    sql: "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT, note TEXT)",
    key: "n",
    more: "",
    rows: 24_000,
    one_in: 2,
};

const BY_NAME: Table = Table {
    sql: "CREATE TABLE log (name TEXT PRIMARY KEY, at TEXT, note TEXT) WITHOUT ROWID",
    key: "printf('%d-%08d', n % 7, n)",
    ..BY_ROWID
};

/// The engine meets its rows in the opposite order.
const BY_FALLING_NAME: Table = Table {
    sql: "CREATE TABLE log (name TEXT, at TEXT, note TEXT, PRIMARY KEY (name DESC)) WITHOUT ROWID",
    ..BY_NAME
};

/// Due rows name each other in chains of five, and every other chain is a circle.
const CHAINS: Table = Table {
    sql: "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT, note TEXT, parent INTEGER REFERENCES log (id));
          CREATE INDEX log_parent ON log (parent)",
    more: ", CASE WHEN n % 2 THEN NULL WHEN n % 10 THEN n + 2 WHEN n % 20 THEN n - 8 END",
    ..BY_ROWID
};

/// So few rows are due that a purge names each of them.
const FEW: Table = Table { rows: 60_000, one_in: 25, ..BY_ROWID };

#[test]
fn kills_of_a_purge_by_row_numbers_in_a_log() {
    kill_again_and_again(Scene::new("WAL", BY_ROWID, 1));
}

#[test]
fn kills_of_a_purge_by_row_numbers_with_a_journal() {
    kill_again_and_again(Scene::new("DELETE", BY_ROWID, 2));
}

#[test]
fn kills_of_a_purge_by_names_in_a_log() {
    kill_again_and_again(Scene::new("WAL", BY_NAME, 3));
}

#[test]
fn kills_of_a_purge_by_falling_names_with_a_journal() {
    kill_again_and_again(Scene::new("DELETE", BY_FALLING_NAME, 4));
}

#[test]
fn kills_of_a_purge_of_rows_that_refer_to_each_other() {
    kill_again_and_again(Scene::new("WAL", CHAINS, 6));
}

#[test]
fn kills_of_a_purge_of_few_rows_among_many() {
    kill_again_and_again(Scene::new("DELETE", FEW, 5));
}
