//! G5 for every kind of rule: a purge is killed around a commit, other programs do what they like before the
//! next one, and the ledger's totals are the rows that the killed one took.

use std::thread::sleep;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;

use super::g05_kills::{kill, wait_for_batches};
use super::support::{COMING, OLD, PURGE, Place, Random, SOURCE, WITHOUT_LIMIT, open, recoveries, rule};

/// Records of which half are due, and what their rules do to them.
struct Kind {
    /// The columns and the table's end, and other tables.
    tables: &'static str,
    /// One row of `log` by its number `n`, behind its time.
    row: &'static str,
    /// Rows of other tables.
    others: &'static str,
    /// What the rule on `log` says beside its period, and other rules.
    rule: &'static str,
    /// The tables of which records are counted.
    counted: &'static [&'static str],
    /// Which of their rows still hold what the rules take away.
    whole: &'static str,
}

const PLAIN: Kind = Kind {
    tables: "CREATE TABLE log (at TEXT, id INTEGER PRIMARY KEY, note TEXT);",
    row: "n, hex(randomblob(16))",
    others: "",
    rule: "",
    counted: &["log"],
    whole: "1",
};

/// Whoever goes sets others free, within the range of its own batch.
const EMPTIED: Kind = Kind {
    tables: "CREATE TABLE log (at TEXT, id INTEGER PRIMARY KEY, note TEXT,
                               parent INTEGER REFERENCES log (id) ON DELETE SET NULL);
             CREATE INDEX log_parent ON log (parent);",
    row: "n, hex(randomblob(16)), CASE WHEN n % 4 = 2 THEN n - 2 END",
    rule: "when = \"parent is null\"\n",
    ..PLAIN
};

const ALONG: Kind = Kind {
    tables: "CREATE TABLE log (at TEXT, id INTEGER PRIMARY KEY, note TEXT);
             CREATE TABLE page (id INTEGER PRIMARY KEY, log_id INTEGER REFERENCES log (id), note TEXT);
             CREATE INDEX page_log ON page (log_id);",
    others: "INSERT INTO page SELECT NULL, id, note FROM log; INSERT INTO page SELECT NULL, id, note FROM log;",
    rule: "with = [{ table = \"page\", on = \"log_id = id\" }]\n",
    ..PLAIN
};

/// Due rows stand in chains of five, and every other chain is a circle.
const CHAINS: Kind = Kind {
    tables:
        "CREATE TABLE log (at TEXT, id INTEGER PRIMARY KEY, note TEXT, parent INTEGER REFERENCES log (id));
             CREATE INDEX log_parent ON log (parent);",
    row: "n, hex(randomblob(16)),
          CASE WHEN n % 2 THEN NULL WHEN n % 10 THEN n + 2 WHEN n % 20 THEN n - 8 END",
    ..PLAIN
};

/// Rows of two rules name each other, and go in one transaction.
const CIRCLES: Kind = Kind {
    tables:
        "CREATE TABLE log (at TEXT, id INTEGER PRIMARY KEY, note TEXT, main INTEGER REFERENCES other (id));
             CREATE TABLE other (at TEXT, id INTEGER PRIMARY KEY, note TEXT, log INTEGER REFERENCES log (id));
             CREATE INDEX log_main ON log (main); CREATE INDEX other_log ON other (log);",
    row: "n, hex(randomblob(16)), n",
    others: "INSERT INTO other SELECT at, id, note, id FROM log;",
    rule: "[[rule]]\nname = \"other\"\ndata = \"db.other\"\nkeep = \"1 year\"\nafter = \"at\"\n",
    counted: &["log", "other"],
    ..PLAIN
};

const NAMED: Kind = Kind {
    tables: "CREATE TABLE log (at TEXT, place TEXT COLLATE NOCASE, n INTEGER, note TEXT,
                               PRIMARY KEY (place DESC, n)) WITHOUT ROWID;",
    row: "printf('Æ%d', n % 7), n, hex(randomblob(16))",
    ..PLAIN
};

/// One row in five stays, and each that goes leaves another.
const TRIGGERS: Kind = Kind {
    tables: "CREATE TABLE log (at TEXT, id INTEGER PRIMARY KEY, note TEXT);
             CREATE TABLE trail (n INTEGER);
             CREATE TRIGGER stays BEFORE DELETE ON log WHEN OLD.id % 10 = 0 BEGIN SELECT RAISE(IGNORE); END;
             CREATE TRIGGER trail AFTER DELETE ON log BEGIN INSERT INTO trail VALUES (1); END;",
    ..PLAIN
};

const ANONYMISED: Kind = Kind {
    tables: "CREATE TABLE log (at TEXT, id INTEGER PRIMARY KEY, note TEXT, name TEXT NOT NULL);",
    row: "n, hex(randomblob(16)), 'name ' || n",
    rule: "then = \"anonymise\"\nset = { name = \"remove\", note = \"text:[gone]\" }\n",
    whole: "name > ''",
    ..PLAIN
};

/// Of what is due, a part was without a name before.
const PSEUDONYMS: Kind = Kind {
    tables: "CREATE TABLE log (at TEXT, mail TEXT PRIMARY KEY, note TEXT, name TEXT) WITHOUT ROWID;",
    row: "printf('%d-%06d@example.org', n % 5, n), hex(randomblob(16)), iif(n % 3, 'name ' || n, NULL)",
    rule: "then = \"anonymise\"\nset = { name = \"remove\", note = \"pseudonym\" }\n",
    whole: "note NOT LIKE 'frist:%'",
    ..PLAIN
};

const ROWS: u64 = 4_000;

/// What another program does before the next run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Others {
    /// Nothing.
    Idle,
    /// They make other rows due, between those that the batch took.
    Remind,
    /// Nothing is due any more.
    Hold,
    /// They import the same records again.
    Import,
    /// They delete some of those that are left.
    Delete,
}

const OTHERS: [Others; 5] = [Others::Idle, Others::Remind, Others::Hold, Others::Import, Others::Delete];

impl Kind {
    fn place(&self, journal: &str) -> (Place, Connection) {
        let place = Place::in_memory();
        place.write_policy(&format!("{WITHOUT_LIMIT}{SOURCE}{}{}", rule("log", "log"), self.rule));
        // Indexes of due rows alone: they make a deletion slow, and a batch small.
        let indexes: String = (1..=10)
            .map(|from| {
                format!("CREATE INDEX log_{from} ON log (substr(note, {from}, 3)) WHERE at = '{OLD}';")
            })
            .collect();
        let fill = format!(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {ROWS})
             INSERT INTO log SELECT iif(n % 2, '{COMING}', '{OLD}'), {} FROM n",
            self.row
        );
        let copies: String =
            self.counted.iter().map(|t| format!("CREATE TABLE {t}_copy AS SELECT * FROM {t};")).collect();
        let connection = place.database(&format!(
            "PRAGMA foreign_keys = OFF; PRAGMA journal_mode = {journal}; {} {indexes} {fill}; {} {copies}",
            self.tables, self.others
        ));
        (place, connection)
    }

    /// How many records are as they were.
    fn left(&self, connection: &Connection) -> u64 {
        let of = |table: &&str| super::support::count(connection, &format!("{table} WHERE {}", self.whole));
        self.counted.iter().map(of).sum()
    }

    fn meddle(&self, others: Others, connection: &Connection) {
        let each =
            |sql: &dyn Fn(&str) -> String| self.counted.iter().map(|table| sql(table)).collect::<String>();
        let sql = match others {
            Others::Idle => String::new(),
            Others::Remind => {
                each(&|table| format!("UPDATE {table} SET at = '{OLD}' WHERE at = '{COMING}';"))
            }
            Others::Hold => each(&|table| format!("UPDATE {table} SET at = NULL;")),
            Others::Import => each(&|table| format!("REPLACE INTO {table} SELECT * FROM {table}_copy;")),
            Others::Delete => each(&|table| format!("DELETE FROM {table} WHERE random() % 3 = 0;")),
        };
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {sql} COMMIT")).unwrap();
    }

    /// Kills a purge; how sure the answer of the next one is, if there was a batch in doubt.
    fn kill_one(&self, journal: &str, others: Others, random: &mut Random) -> Option<bool> {
        let (place, connection) = self.place(journal);
        let before = self.left(&connection);
        let mut purge = place.start(&PURGE);
        wait_for_batches(&place, &mut purge, 1 + random.below(3));
        sleep(Duration::from_micros(random.below(12) * random.below(800)));
        if purge.try_wait().unwrap().is_some() || !kill(purge) {
            return None;
        }
        let taken = before - self.left(&connection);
        // Between its last entry and its end, a purge has nothing left to be accounted for.
        if let Some(ended) = place.ledger().last().filter(|entry| entry["event"] == "run-finished") {
            assert_eq!(done(ended, ""), taken, "{journal}: {}", place.ledger_text());
            return None;
        }
        self.meddle(others, &connection);
        let left = self.left(&connection);
        let next = place.purge();
        let why = || format!("{others:?} {journal} {taken} taken, {next:?}: {}", place.ledger_text());
        let ledger = place.ledger();
        let last = ledger.last().unwrap();
        assert_eq!(last["event"], "run-finished", "{}", why());
        assert_eq!(done(last, ""), left - self.left(&connection), "{}", why());
        let recovered = recoveries(&ledger);
        let [.., found] = recovered.as_slice() else { panic!("{}", why()) };
        let exact = found["exact"].as_bool().unwrap();
        let is_known = exact || matches!(others, Others::Idle | Others::Remind | Others::Hold);
        assert!(!is_known || done(found, "_total") == taken, "{}", why());
        assert!(!place.state().join("pending.json").exists());
        place.assert_ledger_is_whole();
        (found["outcome"] != "no-batch").then_some(exact)
    }
}

/// How many records an entry tells of.
fn done(entry: &Value, end: &str) -> u64 {
    let of = |deed: &&str| match &entry[format!("{deed}{end}")] {
        Value::Object(rules) => rules.values().map(|records| records.as_u64().unwrap()).sum(),
        records => records.as_u64().unwrap_or_default(),
    };
    ["deleted", "anonymised", "pseudonymised"].iter().map(of).sum()
}

fn kill_again_and_again(kind: &Kind, seed: u64) {
    let mut random = Random(seed);
    let (mut doubts, mut exact, mut rounds) = (0, 0, 0);
    // Where a machine is busy, few kills come at the right moment.
    while rounds < crate::depth::cases(1) || ((doubts < 3 || exact == 0) && rounds < 20) {
        rounds += 1;
        for (number, others) in OTHERS.into_iter().enumerate() {
            let journal = if (seed + number as u64).is_multiple_of(2) { "WAL" } else { "DELETE" };
            for _ in 0..2 {
                let found = kind.kill_one(journal, others, &mut random);
                doubts += u64::from(found.is_some());
                exact += u64::from(found == Some(true));
            }
        }
    }
    assert!(doubts > 2, "{doubts} kills left a batch in doubt");
    assert!(exact > 0, "of {doubts} answers none is exact");
}

#[test]
fn kills_of_a_rule_on_rows_with_numbers() {
    kill_again_and_again(&PLAIN, 1);
}

#[test]
fn kills_of_a_rule_whose_rows_set_others_free() {
    kill_again_and_again(&EMPTIED, 2);
}

#[test]
fn kills_of_a_rule_that_takes_rows_along() {
    kill_again_and_again(&ALONG, 3);
}

#[test]
fn kills_of_a_rule_on_rows_that_refer_to_each_other() {
    kill_again_and_again(&CHAINS, 4);
}

#[test]
fn kills_of_two_rules_on_tables_in_a_circle() {
    kill_again_and_again(&CIRCLES, 5);
}

#[test]
fn kills_of_a_rule_on_rows_without_numbers() {
    kill_again_and_again(&NAMED, 6);
}

#[test]
fn kills_of_a_rule_on_a_table_with_triggers() {
    kill_again_and_again(&TRIGGERS, 7);
}

#[test]
fn kills_of_a_rule_that_anonymises() {
    kill_again_and_again(&ANONYMISED, 8);
}

#[test]
fn kills_of_a_rule_that_gives_pseudonyms_to_rows_without_numbers() {
    kill_again_and_again(&PSEUDONYMS, 9);
}

/// A batch of a circle takes records of several rules, of which only the first has had its turn.
#[test]
fn the_records_of_all_rules_of_a_batch_are_accounted_for() {
    let mut told = 0;
    for seed in 0..20 {
        let (place, connection) = CIRCLES.place("WAL");
        let mut random = Random(seed);
        let mut purge = place.start(&PURGE);
        wait_for_batches(&place, &mut purge, 2);
        sleep(Duration::from_micros(random.below(500)));
        let killed = kill(purge);
        let gone = |table| ROWS - super::support::count(&open(&place.path("data.db")), table);
        let (log, other) = (gone("log"), gone("other"));
        drop(connection);
        place.purge().expect(0);
        let ledger = place.ledger();
        if let (true, [found]) = (killed && log > 0, recoveries(&ledger).as_slice()) {
            assert_eq!([&found["deleted_total"]["log"], &found["deleted_total"]["other"]], [log, other]);
            told += 1;
        }
        if told == 2 {
            return;
        }
    }
    panic!("{told} kills met a batch of a circle");
}
