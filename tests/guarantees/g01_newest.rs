//! G1 for `keep-newest`: random records of random groups, in tables of both kinds and in CSV files, against an oracle
//! that puts all of them in order.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use super::support::{HEAD, PURGE, Place, REPORT, Random, SOURCE, WITHOUT_LIMIT, count, rule};

const NOW: &str = "2026-11-21T12:00:00Z";

/// Times as they are written, in the order in which they are over; those over together have the same number.
const PAST: [(&str, usize); 8] = [
    ("2018-05-05", 1),
    ("2019-03-01", 2),
    ("2020-01-05 23:59:59", 3),
    ("2020-01-05", 4),
    ("2020-01-06 00:00:00", 4),
    ("2020-01-06", 5),
    ("2026-11-20", 6),
    ("2026-11-21 11:59:59", 7),
];

/// The last of them that is past its time.
const LAST_OLD: usize = 5;

/// What else stands where a time should, and what that makes of a record. Today is not over.
const OTHERS: [(&str, &str); 4] =
    [("", "waiting"), ("soon", "unreadable"), ("2026-11-21", "running"), ("2027-01-01", "running")];

/// What tells groups apart, as SQL writes it; each is a group of its own but for the last.
const GROUPS: [&str; 8] = ["NULL", "1", "'1'", "'a'", "'A'", "x'01'", "x'02'", "1.0"];

/// The same in a file.
const TEXTS: [&str; 5] = ["", "1", "a", "A", "01"];

#[derive(Clone, Debug)]
struct Row {
    at: &'static str,
    over: Option<usize>,
    /// Its state where nothing is kept.
    own: &'static str,
    groups: [usize; 2],
    kind: u64,
    has_name: bool,
}

#[derive(Clone, Debug)]
struct Asked {
    newest: usize,
    /// By how many of the columns groups are told apart.
    per: usize,
    has_when: bool,
    anonymises: bool,
}

fn rows(random: &mut Random, groups: usize) -> Vec<Row> {
    let some = 1 + random.below(groups as u64);
    let rows = (0..random.below(40)).map(|_| {
        let (at, over, own) = match random.below(6) {
            0 => {
                let (at, own) = OTHERS[random.below(4) as usize];
                (at, None, own)
            }
            _ => {
                let (at, over) = PAST[random.below(8) as usize];
                (at, Some(over), if over <= LAST_OLD { "due" } else { "running" })
            }
        };
        // The last are more than the number of those that differ, so that all are drawn.
        let groups = [0, 1].map(|_| ((groups as u64 - some) + random.below(some)) as usize);
        Row { at, over, own, groups, kind: random.below(3), has_name: random.below(3) > 0 }
    });
    rows.collect()
}

/// A whole number and the floating-point number that equals it are the same.
fn group(row: &Row, per: usize) -> Vec<usize> {
    row.groups[..per].iter().map(|group| if *group == 7 { 1 } else { *group }).collect()
}

/// Whether the rule keeps a record as one of the newest.
fn is_newest(asked: &Asked, rows: &[Row], row: &Row) -> bool {
    let Some(over) = row.over else { return false };
    let same = rows.iter().filter(|other| group(other, asked.per) == group(row, asked.per));
    let is_among = |kind: Option<u64>| {
        let counted = same.clone().filter(|other| kind.is_none_or(|kind| other.kind == kind));
        let mut all: Vec<usize> = counted.filter_map(|other| other.over).collect();
        all.sort_unstable_by(|one, other| other.cmp(one));
        all.iter().take(asked.newest).any(|kept| *kept == over)
    };
    is_among(None) || (asked.has_when && row.kind == 0 && is_among(Some(0)))
}

/// The state of a record under a rule; none where that does not match. The second one is about other records than
/// the first.
fn state(asked: &Asked, rows: &[Row], row: &Row, rule: usize) -> Option<&'static str> {
    let is_about = match (asked.has_when, rule) {
        (false, _) => true,
        (true, 0) => row.kind == 0,
        (true, _) => row.kind == 1,
    };
    let anonymises = asked.anonymises && rule == 0;
    is_about.then_some(match row.own {
        "due" if anonymises && !row.has_name => "done",
        "due" if is_newest(asked, rows, row) => "blocked",
        own => own,
    })
}

fn policy(asked: &Asked, source: &str, data: &str) -> String {
    let mut text = format!("{HEAD}{WITHOUT_LIMIT}{source}");
    for rule in 0..if asked.has_when { 2 } else { 1 } {
        write!(text, "[[rule]]\nname = \"r{rule}\"\ndata = \"{data}\"\nkeep = \"1 year\"\nafter = \"at\"\n")
            .unwrap();
        if asked.has_when {
            writeln!(text, "when = \"kind = {rule}\"").unwrap();
        }
        if rule > 0 {
            continue;
        }
        writeln!(text, "keep-newest = {}", asked.newest).unwrap();
        match asked.per {
            0 => {}
            1 => text += "per = \"g\"\n",
            _ => text += "per = [\"g\", \"h\"]\n",
        }
        if asked.anonymises {
            text += "then = \"anonymise\"\nset = { name = \"remove\" }\n";
        }
    }
    text
}

fn asked(random: &mut Random) -> Asked {
    let (newest, per) = (1 + random.below(3) as usize, random.below(3) as usize);
    Asked { newest, per, has_when: random.below(2) == 0, anonymises: random.below(4) == 0 }
}

/// That reports, lists and a purge agree with the oracle; `key` names a record, and `left` says whether each is
/// there, and whether it has a name.
fn check(
    place: &Place,
    (asked, rows): (&Asked, &[Row]),
    key: &dyn Fn(usize) -> String,
    left: &dyn Fn(&Place) -> BTreeMap<usize, bool>,
) {
    let rules = if asked.has_when { 2 } else { 1 };
    let report = place.at(NOW, &["report", "--list", "--all", "--format", "json"]);
    let mut wanted: BTreeMap<usize, bool> =
        rows.iter().enumerate().map(|(id, row)| (id, row.has_name)).collect();
    for rule in 0..rules {
        let told = report.rule(&format!("r{rule}"));
        let states =
            rows.iter().enumerate().filter_map(|(id, row)| Some((id, state(asked, rows, row, rule)?)));
        let states: Vec<(usize, &str)> = states.collect();
        let listed: BTreeMap<&str, &str> = told["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| (record["key"].as_str().unwrap(), record["state"].as_str().unwrap()))
            .collect();
        for (id, state) in &states {
            assert_eq!(listed.get(key(*id).as_str()), Some(state), "{id} under r{rule}: {asked:?} {rows:#?}");
            match *state {
                "due" if asked.anonymises && rule == 0 => drop(wanted.insert(*id, false)),
                "due" => drop(wanted.remove(id)),
                _ => {}
            }
        }
        for name in ["due", "blocked", "running", "waiting", "unreadable", "done"] {
            let count = states.iter().filter(|(_, state)| *state == name).count();
            assert_eq!(told[name], count, "{name} of r{rule}: {asked:?} {rows:#?}");
        }
    }
    let purge = place.at(NOW, &PURGE);
    for rule in 0..rules {
        let (told, due) = (purge.rule(&format!("r{rule}")), report.rule(&format!("r{rule}"))["due"].clone());
        let done = if asked.anonymises && rule == 0 { &told["anonymised"] } else { &told["deleted"] };
        assert_eq!((done, &told["survivors"]), (&due, &0.into()), "{told} {asked:?} {rows:#?}");
    }
    assert_eq!(left(place), wanted, "{asked:?} {rows:#?}");
    place.assert_ledger_is_whole();
}

fn in_a_table(seed: u64) {
    let random = &mut Random(seed);
    let (asked, rows) = (asked(random), rows(random, GROUPS.len()));
    let place = Place::in_memory();
    fs::write(place.policy(), policy(&asked, "[source.db]\nsqlite = \"data.db\"\n", "db.t")).unwrap();
    let end = ["", "WITHOUT ROWID"][random.below(2) as usize];
    let journal = ["DELETE", "WAL"][random.below(2) as usize];
    let index = ["", "CREATE INDEX i ON t (at);", "CREATE INDEX i ON t (g, at);"][random.below(3) as usize];
    let mut sql = format!(
        "PRAGMA journal_mode = {journal};
         CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT, g, h, kind INTEGER, name TEXT) {end}; {index}"
    );
    for (id, row) in rows.iter().enumerate() {
        let at = if row.at.is_empty() { "NULL".to_string() } else { format!("'{}'", row.at) };
        let [g, h] = row.groups.map(|group| GROUPS[group]);
        let name = if row.has_name { "'x'" } else { "NULL" };
        writeln!(sql, "INSERT INTO t VALUES ({id}, {at}, {g}, {h}, {}, {name});", row.kind).unwrap();
    }
    let connection = place.database(&sql);
    let left = |_: &Place| {
        let mut statement = connection.prepare("SELECT id, name IS NOT NULL FROM t").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)? as usize, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    check(&place, (&asked, &rows), &|id| id.to_string(), &left);
}

const FILES: [&str; 2] = ["a.csv", "b.csv"];

fn in_files(seed: u64) {
    let random = &mut Random(seed);
    let (asked, rows) = (asked(random), rows(random, TEXTS.len()));
    let place = Place::in_memory();
    fs::write(place.policy(), policy(&asked, "[source.c]\ncsv = \"*.csv\"\n", "c")).unwrap();
    let mut files = [0, 1].map(|_| "id,at,g,h,kind,name\n".to_string());
    let mut keys = Vec::new();
    for (id, row) in rows.iter().enumerate() {
        let file = random.below(2) as usize;
        let [g, h] = row.groups.map(|group| TEXTS[group]);
        let name = if row.has_name { "x" } else { "" };
        keys.push(format!("{}:{}", FILES[file], files[file].lines().count() + 1));
        writeln!(files[file], "{id},{},\"{g}\",{h},{},{name}", row.at, row.kind).unwrap();
    }
    FILES.iter().zip(&files).for_each(|(name, text)| fs::write(place.path(name), text).unwrap());
    let left = |place: &Place| {
        let lines =
            FILES.iter().map(|name| fs::read_to_string(place.path(name)).unwrap()).collect::<String>();
        let record = |line: &str| Some((line.split(',').next()?.parse().ok()?, line.ends_with('x')));
        lines.lines().filter_map(record).collect()
    };
    check(&place, (&asked, &rows), &|id| keys[id].clone(), &left);
}

#[test]
fn in_tables_the_newest_of_each_group_are_those_that_sorting_finds() {
    (0..crate::depth::cases(60).into()).for_each(in_a_table);
}

#[test]
fn in_files_the_newest_of_each_group_are_those_that_sorting_finds() {
    (0..crate::depth::cases(60).into()).for_each(in_files);
}

const REVISIONS: &str = "[[rule]]\nname = \"revisions\"\ndata = \"db.revisions\"\nkeep = \"30 days\"\nafter = \"at\"\n\
                         keep-newest = 1\nper = \"post\"\n";

/// Two posts with two revisions each, of which a rule on posts takes all along.
#[test]
fn what_would_go_along_stays_where_it_is_one_of_the_newest_and_keeps_its_record() {
    let posts = "[[rule]]\nname = \"posts\"\ndata = \"db.posts\"\nkeep = \"30 days\"\nafter = \"at\"\nwhen = \"id < 3\"\n";
    let with = "with = [{ table = \"revisions\", on = \"post = id\" }]\n";
    for (with, key) in
        [(with, ""), (with, "REFERENCES posts (id)"), ("", "REFERENCES posts (id) ON DELETE CASCADE")]
    {
        let place = Place::in_memory();
        place.write_policy(&format!(
            "{WITHOUT_LIMIT}[source.db]\nsqlite = \"data.db\"\n{posts}{with}{REVISIONS}"
        ));
        let connection = place.database(&format!(
            "CREATE TABLE posts (id INTEGER PRIMARY KEY, at TEXT);
             CREATE TABLE revisions (id INTEGER PRIMARY KEY, post INTEGER {key}, at TEXT);
             CREATE INDEX i ON revisions (post);
             INSERT INTO posts VALUES (1, '2020-01-01'), (2, '2020-01-01'), (3, '2020-01-01');
             INSERT INTO revisions VALUES (1, 1, '2019-01-01'), (2, 1, '2019-01-02'),
                 (3, 3, '2019-01-01'), (4, 3, '2019-01-02'), (5, 3, '2019-01-02')"
        ));
        let report = place.at(NOW, &["report", "--format", "json"]);
        let counts = |rule: &str, name: &str| report.rule(rule)[name].as_u64().unwrap();
        assert_eq!([counts("posts", "due"), counts("posts", "blocked")], [1, 1], "{key}: {report:?}");
        assert_eq!([counts("revisions", "due"), counts("revisions", "blocked")], [2, 3], "{key}: {report:?}");
        place.at(NOW, &PURGE).expect(0);
        let ids = |table: &str| -> Vec<i64> {
            let mut statement = connection.prepare(&format!("SELECT id FROM {table} ORDER BY id")).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        assert_eq!((ids("posts"), ids("revisions")), (vec![1, 3], vec![2, 4, 5]), "{key}");
    }
}

/// The newest of all are kept from every rule, also one that no rule on their table is about.
#[test]
fn what_no_rule_means_stays_as_one_of_the_newest_and_keeps_its_record() {
    let posts = "[[rule]]\nname = \"posts\"\ndata = \"db.posts\"\nkeep = \"30 days\"\nafter = \"at\"\n\
                 with = [{ table = \"revisions\", on = \"post = id\" }]\n";
    let place = Place::in_memory();
    place.write_policy(&format!(
        "{WITHOUT_LIMIT}[source.db]\nsqlite = \"data.db\"\n{posts}{REVISIONS}when = \"kind = 1\"\n"
    ));
    let connection = place.database(
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, at TEXT);
         CREATE TABLE revisions (id INTEGER PRIMARY KEY, post INTEGER, at TEXT, kind INTEGER);
         CREATE INDEX i ON revisions (post);
         INSERT INTO posts VALUES (1, '2020-01-01'), (2, '2020-01-01');
         INSERT INTO revisions VALUES (1, 1, '2019-01-01', 0), (2, 1, NULL, 0), (3, 2, NULL, 0)",
    );
    let report = place.at(NOW, &["report", "--format", "json"]).rule("posts");
    assert_eq!([&report["due"], &report["blocked"]], [1, 1], "{report}");
    place.at(NOW, &PURGE).expect(0);
    let left = |table: &str| count(&connection, &format!("{table} WHERE id = 1"));
    assert_eq!([left("posts"), left("revisions")], [1, 1]);
    assert_eq!(count(&connection, "posts"), 1, "nothing that counts keeps the other one");
}

/// With each revision that goes a trigger takes the time of the newest one that is left of another post.
#[test]
fn where_a_trigger_changes_the_newest_the_next_ones_are_kept() {
    for (end, with) in [("", false), ("WITHOUT ROWID", false), ("", true)] {
        let along = if with { "with = [{ table = \"notes\", on = \"revision = id\" }]\n" } else { "" };
        let place = Place::in_memory();
        place.write_policy(&format!("{WITHOUT_LIMIT}[source.db]\nsqlite = \"data.db\"\n{REVISIONS}{along}"));
        let connection = place.database(&format!(
            "CREATE TABLE revisions (id INTEGER PRIMARY KEY, post INTEGER, at TEXT) {end};
             CREATE TABLE notes (id INTEGER PRIMARY KEY, revision INTEGER); CREATE INDEX i ON notes (revision);
             INSERT INTO revisions VALUES (1, 1, '2019-01-01'), (2, 1, '2019-01-02'), (3, 2, '2019-01-01'),
                 (4, 2, '2019-01-02'), (5, 2, '2019-01-03');
             INSERT INTO notes SELECT id, id FROM revisions;
             CREATE TRIGGER w AFTER DELETE ON revisions WHEN old.id = 1
             BEGIN UPDATE revisions SET at = NULL WHERE id = 5; END"
        ));
        place.at(NOW, &PURGE);
        let mut statement = connection.prepare("SELECT id FROM revisions ORDER BY id").unwrap();
        let left: Vec<i64> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        // The first of the other post may have gone before it was changed; the second is the newest then.
        assert!(left.ends_with(&[4, 5]) && left.contains(&2), "{end} {with}: {left:?}");
    }
}

/// Calls of two customers, who are told apart by binary data: the last call with each stays, and spares.
#[test]
fn what_stays_as_one_of_the_newest_spares_others() {
    let place = Place::in_memory();
    place.write_policy(&format!(
        "{WITHOUT_LIMIT}[source.db]\nsqlite = \"data.db\"\n\
         [[rule]]\nname = \"calls\"\ndata = \"db.calls\"\nkeep = \"30 days\"\nafter = \"at\"\nkeep-newest = 1\nper = \"who\"\n\
         [[rule]]\nname = \"customers\"\ndata = \"db.customers\"\nkeep = \"30 days\"\nafter = \"at\"\n\
         unless = [{{ table = \"calls\", on = \"customer = id\" }}]\n"
    ));
    let connection = place.database(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT);
         CREATE TABLE calls (id INTEGER PRIMARY KEY, customer INTEGER, who BLOB, at TEXT);
         CREATE INDEX i ON calls (customer);
         INSERT INTO customers VALUES (1, '2020-01-01'), (2, '2020-01-01'), (3, '2020-01-01');
         INSERT INTO calls VALUES (1, 1, x'01', '2019-01-01'), (2, 2, x'01', '2019-01-02'), (3, 3, x'02', '2019-01-01')",
    );
    let report = place.at(NOW, &["report", "--format", "json"]);
    let (calls, customers) = (report.rule("calls"), report.rule("customers"));
    assert_eq!([&calls["due"], &calls["blocked"]], [1, 2], "{calls}");
    assert_eq!([&customers["due"], &customers["spared"]], [1, 2], "{customers}");
    place.at(NOW, &PURGE).expect(0);
    let gone = |table: &str| count(&connection, &format!("{table} WHERE id = 1")) == 0;
    assert!(gone("calls") && gone("customers"));
    assert_eq!(count(&connection, "customers") + count(&connection, "calls"), 4);
}

/// A trigger deletes the file of a revision, and with it, by the key, the newest revision that shares it.
#[test]
fn where_a_key_takes_the_newest_after_a_trigger_the_next_one_is_kept() {
    let place = Place::in_memory();
    place.write_policy(&format!("{WITHOUT_LIMIT}[source.db]\nsqlite = \"data.db\"\n{REVISIONS}"));
    let connection = place.database(
        "CREATE TABLE files (id INTEGER PRIMARY KEY);
         CREATE TABLE revisions (id INTEGER PRIMARY KEY, post INTEGER, at TEXT,
             file INTEGER REFERENCES files (id) ON DELETE CASCADE);
         CREATE INDEX i ON revisions (file);
         CREATE TRIGGER w AFTER DELETE ON revisions BEGIN DELETE FROM files WHERE id = old.file; END;
         INSERT INTO files VALUES (1);
         INSERT INTO revisions VALUES (1, 1, '2019-01-01', 1), (2, 1, '2019-01-02', NULL),
             (3, 1, '2019-01-03', NULL), (4, 1, '2019-01-04', 1)",
    );
    place.at(NOW, &PURGE);
    let left: i64 =
        connection.query_row("SELECT count(*) FROM revisions WHERE id = 3", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 1);
}

/// A key of the schema that empties the column would move rows that stay to another group.
#[test]
fn a_row_whose_group_the_schema_would_change_keeps_what_it_names() {
    let place = Place::in_memory();
    let newest = "keep-newest = 1\nper = \"g\"\n";
    place.write_policy(&format!("{WITHOUT_LIMIT}{SOURCE}{}{newest}", rule("r", "t")));
    let connection = place.database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT, g INTEGER REFERENCES t (id) ON DELETE SET NULL);
         CREATE INDEX by_g ON t (g);
         INSERT INTO t VALUES (1, '2001-01-01', NULL), (2, '2001-01-02', 1), (3, '2001-01-03', 1),
             (4, '2001-01-04', 1), (5, '2001-01-05', NULL)",
    );
    let report = place.at(NOW, &REPORT);
    assert_eq!(report.rule("r")["due"], 2, "{report:?}");
    let purge = place.at(NOW, &PURGE).expect(0);
    assert_eq!(
        (&purge.rule("r")["deleted"], &purge.rule("r")["survivors"]),
        (&serde_json::json!(2), &serde_json::json!(0)),
        "{purge:?}"
    );
    assert_eq!(count(&connection, "t WHERE id IN (1, 4, 5)"), 3, "4 is the newest of 1, and keeps it");
}
