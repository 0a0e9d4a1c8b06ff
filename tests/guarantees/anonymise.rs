//! Anonymising keeps the promises that deleting does: killed at any point the next run accounts for
//! every record (G5), what another program saves stays as it is (G3), what is put back is found
//! (G13).

use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::Duration;

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::g05_kills::{kill, kills, wait_for_batches};
use super::support::{
    COMING, OLD, PURGE, Place, REPORT, Random, SOURCE, WITHOUT_LIMIT, assert_integrity, count, finish,
    recoveries,
};

const SET: &str = "then = \"anonymise\"\nset = { name = \"remove\", note = \"text:[gone]\" }\n";

/// A policy that anonymises old rows of `log`.
fn place() -> Place {
    let place = Place::in_memory();
    place.write_policy(&format!("{WITHOUT_LIMIT}{SOURCE}{}{SET}", super::support::rule("log", "log")));
    place
}

/// The records that the ledger says were anonymised.
fn accounted(ledger: &[Value]) -> u64 {
    let of_run = |run: &Value| {
        let is_end = |entry: &&Value| entry["event"] == "run-finished" && entry["run"] == *run;
        let finished = ledger.iter().find(is_end);
        let recovered = recoveries(ledger).into_iter().rfind(|entry| entry["killed_run"] == *run);
        match (finished, recovered) {
            (Some(finished), None) => finished["anonymised"].as_u64().unwrap_or_default(),
            (None, Some(recovered)) => {
                assert_ne!(recovered["outcome"], "undecided", "{recovered}");
                assert_eq!(recovered["deleted_total"], json!({}));
                recovered["anonymised_total"]["log"].as_u64().unwrap_or_default()
            }
            other => panic!("run {run} is accounted for as {other:?}"),
        }
    };
    ledger.iter().filter(|entry| entry["event"] == "run-started").map(|entry| of_run(&entry["run"])).sum()
}

const ROWS: u64 = 24_000;

fn fill(connection: &Connection, key: &str) {
    connection
        .execute_batch(&format!(
            "DELETE FROM log;
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {ROWS})
             INSERT INTO log SELECT {key}, iif(n % 2, '{COMING}', '{OLD}'), 'name ' || n, hex(randomblob(20)) FROM n"
        ))
        .unwrap();
}

fn settle(place: &Place, connection: &Connection, fillings: u64) {
    place.assert_ledger_is_whole();
    assert_integrity(connection);
    let due = ROWS / 2;
    assert_eq!(count(connection, "log WHERE name = '' AND note = '[gone]'"), due);
    assert_eq!(
        count(connection, &format!("log WHERE at = '{COMING}' AND name > '' AND length(note) = 40")),
        due
    );
    assert_eq!(accounted(&place.ledger()), due * fillings, "{:#?}", recoveries(&place.ledger()));
}

fn kill_again_and_again(journal: &str, table: &str, key: &str, seed: u64) {
    let place = place();
    // Indexes make a change slow, and a batch small.
    let indexes: String =
        (1..=10).map(|from| format!("CREATE INDEX log_{from} ON log (substr(note, {from}, 3));")).collect();
    let connection = place.database(&format!("PRAGMA journal_mode = {journal}; {table}; {indexes}"));
    let (mut random, mut fillings, mut killed) = (Random(seed), 1, 0);
    fill(&connection, key);
    for _ in 0..kills() * 3 {
        let mut purge = place.start(&PURGE);
        if random.below(3) == 0 {
            sleep(Duration::from_micros(random.below(60_000)));
        } else {
            wait_for_batches(&place, &mut purge, 1 + random.below(6));
            sleep(Duration::from_micros(random.below(12) * random.below(1_000)));
        }
        if kill(purge) {
            killed += 1;
        } else {
            settle(&place, &connection, fillings);
            fill(&connection, key);
            fillings += 1;
        }
        if killed == kills() {
            break;
        }
    }
    assert!(killed > kills() / 2, "only {killed} were killed");
    place.purge().expect(0);
    settle(&place, &connection, fillings);
    let ledger = place.ledger();
    let outcomes = |wanted: &str| ledger.iter().filter(|entry| entry["outcome"] == wanted).count();
    assert!(outcomes("committed") + outcomes("rolled-back") > 0, "no kill left a batch in doubt");
}

const NUMBERED: &str = "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT, name TEXT NOT NULL, note TEXT)";
const NAMED: &str =
    "CREATE TABLE log (key TEXT PRIMARY KEY, at TEXT, name TEXT NOT NULL, note TEXT) WITHOUT ROWID";

#[test]
fn kills_of_a_purge_that_anonymises_by_row_numbers() {
    kill_again_and_again("WAL", NUMBERED, "n", 1);
}

#[test]
fn kills_of_a_purge_that_anonymises_by_names() {
    kill_again_and_again("DELETE", NAMED, "printf('k%08d', n)", 2);
}

#[test]
fn rows_saved_from_a_purge_keep_every_value() {
    let place = place();
    let connection = place.database(&format!("PRAGMA journal_mode = WAL; {NUMBERED}"));
    fill(&connection, "n");
    connection.execute_batch(&format!("PRAGMA synchronous = OFF; UPDATE log SET at = '{OLD}'")).unwrap();
    let mut purge = place.start(&PURGE);
    let (mut random, mut saved, mut front) = (Random(7), BTreeMap::new(), 1);
    while purge.try_wait().unwrap().is_none() {
        let sql = "SELECT id FROM log WHERE id >= ?1 AND name > '' AND at = ?2 ORDER BY id LIMIT 1";
        front = connection.query_row(sql, params![front, OLD], |row| row.get(0)).unwrap_or(front);
        let id = front + random.below(3_000) as i64;
        let at = [None, Some(COMING), Some("2001-02-30")][random.below(3) as usize];
        let sql = "UPDATE log SET at = ?1, note = 'saved' WHERE id = ?2 AND at = ?3 AND name > ''";
        if connection.execute(sql, params![at, id, OLD]).unwrap() == 1 {
            saved.insert(id, at);
        }
    }
    assert_eq!(finish(purge).rule("log")["outcome"], "done");
    assert!(saved.len() > 20, "only {} rows were saved, which proves little", saved.len());
    assert_eq!(count(&connection, "log WHERE note = 'saved' AND name > ''"), saved.len() as u64);
    assert_eq!(count(&connection, "log WHERE name = '' AND note = '[gone]'"), ROWS - saved.len() as u64);
}

#[test]
fn values_that_a_trigger_puts_back_are_found() {
    let place = place();
    let connection = place.database(&format!(
        "{NUMBERED}; INSERT INTO log VALUES (1, '{OLD}', 'Ida', 'a'), (2, '{OLD}', 'Bo', 'b');
         CREATE TRIGGER put_back AFTER UPDATE ON log WHEN OLD.name = 'Ida' AND NEW.name = ''
         BEGIN UPDATE log SET name = OLD.name WHERE id = OLD.id; END;"
    ));
    let purge = place.frist(&PURGE).expect(3);
    assert_eq!(purge.rule("log")["survivors"], 1, "{purge:?}");
    assert_eq!(purge.problems("log"), ["survivors"]);
    assert_eq!(count(&connection, "log WHERE name = 'Ida'"), 1);
}

#[test]
fn kills_of_a_purge_that_anonymises_files() {
    for (way, seed) in [("rename", 3), ("copytruncate", 4)] {
        kill_while_files_change(way, seed);
    }
}

fn kill_while_files_change(way: &str, seed: u64) {
    let place = Place::in_memory();
    let set = "then = \"anonymise\"\nset = { name = \"remove\", born = \"year\" }\n";
    place.write_policy(&format!(
        "{WITHOUT_LIMIT}[source.log]\ncsv = \"data/*.csv\"\nrewrite = \"{way}\"\n\
         [[rule]]\nname = \"log\"\ndata = \"log\"\nkeep = \"1 year\"\nafter = \"at\"\n{set}"
    ));
    fs::create_dir_all(place.path("data")).unwrap();
    let line = |at: &str, n: u64, done: bool| match done {
        false => format!("{at},\"name {n}\",1978-11-{:02}\r\n", 1 + n % 28),
        true => format!("{at},,1978-01-01\r\n"),
    };
    let content = |done: bool| -> String {
        let lines =
            (0..3_000_u64).map(|n| if n % 2 == 0 { line(OLD, n, done) } else { line(COMING, n, false) });
        "at,name,born\r\n".to_owned() + &lines.collect::<String>()
    };
    let (old, new) = (content(false), content(true));
    let files: Vec<_> = (0..6).map(|file| place.path(&format!("data/{file}.csv"))).collect();
    let (mut random, mut killed, mut fillings) = (Random(seed), 0, 0);
    while killed < kills() {
        files.iter().for_each(|file| fs::write(file, &old).unwrap());
        fillings += 1;
        for _ in 0..20 {
            let mut purge = place.start(&PURGE);
            wait_for_batches(&place, &mut purge, random.below(6));
            sleep(Duration::from_micros(random.below(12) * random.below(400)));
            if !kill(purge) {
                break;
            }
            killed += 1;
            if way == "rename" {
                let whole = |file| [&old, &new].contains(&&fs::read_to_string(file).unwrap());
                assert!(files.iter().all(whole), "a file is neither the old nor the new one");
            }
        }
        place.purge().expect(0);
        assert!(files.iter().all(|file| fs::read_to_string(file).unwrap() == new), "{way}");
    }
    place.assert_ledger_is_whole();
    assert_eq!(accounted(&place.ledger()), fillings * 6 * 1_500, "{way}");
    let left = fs::read_dir(place.path("data")).unwrap().count();
    assert_eq!(left, 6, "{way}: something was left beside the files");
}

/// What is blocked, refused by a limit, only reported or not asked for names nobody for as long as it stays.
#[test]
fn what_does_not_go_is_anonymised() {
    let sql = format!(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, at TEXT, name TEXT);
         CREATE TABLE log (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people (id));
         CREATE INDEX log_person ON log (person);
         INSERT INTO people VALUES (1, '{OLD}', 'a'), (2, '{OLD}', 'b'), (3, '{COMING}', 'c'); INSERT INTO log VALUES (1, 1);"
    );
    let bare = "[[rule]]\nname = \"bare\"\ndata = \"db.people\"\nkeep = \"1 month\"\nafter = \"at\"\n\
                then = \"anonymise\"\nset = { name = \"remove\" }\n";
    let gone = "[[rule]]\nname = \"gone\"\ndata = \"db.people\"\nkeep = \"1 year\"\nafter = \"at\"\n";
    let refused = format!("{gone}limit = {{ records = 0 }}\n");
    let drafted = format!("{gone}enforce = false\n");
    for (rules, more, code, expected) in [
        (format!("{gone}{bare}"), vec![], 0, vec![(1, None), (3, Some("c"))]),
        (format!("{bare}{gone}"), vec![], 0, vec![(1, None), (3, Some("c"))]),
        (format!("{refused}{bare}"), vec![], 4, vec![(1, None), (2, None), (3, Some("c"))]),
        (format!("{drafted}{bare}"), vec![], 0, vec![(1, None), (2, None), (3, Some("c"))]),
        (format!("{gone}{bare}"), vec!["--rule", "bare"], 0, vec![(1, None), (2, None), (3, Some("c"))]),
    ] {
        let place = Place::in_memory();
        place.write_policy(&format!("{WITHOUT_LIMIT}{SOURCE}{rules}"));
        let connection = place.database(&sql);
        let with = |first: &[&str]| place.frist(&first.iter().chain(&more).copied().collect::<Vec<&str>>());
        let report = with(&REPORT).rule("bare");
        let purge = with(&PURGE).expect(code).rule("bare");
        assert_eq!(
            [&purge["outcome"], &purge["anonymised"]],
            [&"done".into(), &report["due"]],
            "{rules} {more:?}"
        );
        let mut statement = connection.prepare("SELECT id, name FROM people ORDER BY id").unwrap();
        let left = statement
            .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?)))
            .unwrap();
        let left: Vec<(i64, Option<String>)> = left.collect::<rusqlite::Result<_>>().unwrap();
        let expected: Vec<(i64, Option<String>)> =
            expected.into_iter().map(|(id, name)| (id, name.map(str::to_owned))).collect();
        assert_eq!(left, expected, "{rules} {more:?}");
    }
}
