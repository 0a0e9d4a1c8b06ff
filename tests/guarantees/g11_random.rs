//! G11 against an oracle: random tables that refer to each other by keys of every kind, and rules on
//! some of them. What goes, what is blocked and what is left is what a plain fixed point says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use rusqlite::Connection;

use super::support::{COMING, OLD, PURGE, Place, REPORT, Random, WITHOUT_LIMIT, assert_integrity};

const NOW: &str = "2026-11-21T12:00:00Z";

/// A foreign key of a table, in the columns `rN` and, where it is composite, `pN`.
#[derive(Clone, Debug)]
struct Key {
    parent: usize,
    action: &'static str,
    deferred: bool,
    composite: bool,
    needed: bool,
}

#[derive(Clone, Debug)]
struct Table {
    keys: Vec<Key>,
    /// A rule on it; none, or one that is not carried out.
    rule: Option<bool>,
    without_rowid: bool,
    /// Whether something happens when a row of it is deleted.
    watched: bool,
    rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    at: Option<&'static str>,
    refers_to: Vec<Option<usize>>,
}

const ACTIONS: [&str; 7] = [
    "",
    "ON DELETE NO ACTION",
    "ON DELETE RESTRICT",
    "ON DELETE CASCADE",
    "ON DELETE SET NULL",
    "ON DELETE SET DEFAULT",
    "ON DELETE CASCADE ON UPDATE CASCADE",
];

impl Key {
    fn keeps(&self) -> bool {
        self.needed || !["ON DELETE SET NULL", "ON DELETE SET DEFAULT"].contains(&self.action)
    }
}

fn schema(random: &mut Random) -> Vec<Table> {
    let is_knotted = random.below(3) == 0;
    let tables = 2 + random.below(if is_knotted { 2 } else { 4 }) as usize;
    let mut schema: Vec<Table> = Vec::new();
    for table in 0..tables {
        let keys = if is_knotted { 1 + random.below(2) } else { random.below(3) };
        let keys = (0..keys).map(|_| key(random, table, tables, is_knotted)).collect();
        let rule = [None, Some(true), Some(true), Some(true), Some(false)][random.below(5) as usize];
        let rule = if is_knotted && random.below(5) > 0 { Some(true) } else { rule };
        let without_rowid = random.below(if is_knotted { 20 } else { 5 }) == 0;
        let watched = random.below(8) == 0;
        schema.push(Table { keys, rule, without_rowid, watched, rows: Vec::new() });
    }
    let size = |random: &mut Random| if is_knotted { 1 + random.below(2) } else { random.below(7) };
    let sizes: Vec<usize> = (0..tables).map(|_| size(random) as usize).collect();
    for table in 0..tables {
        for _ in 0..sizes[table] {
            let row = row(random, &schema[table].keys, &sizes, is_knotted);
            schema[table].rows.push(row);
        }
    }
    schema
}

fn key(random: &mut Random, table: usize, tables: usize, is_knotted: bool) -> Key {
    // Mostly downwards, so that there are chains as well as circles.
    let parent = match random.below(8) {
        0 => random.below(tables as u64) as usize,
        1 | 2 => table,
        _ if is_knotted => (table + 1 + random.below(tables as u64 - 1) as usize) % tables,
        _ => random.below(table as u64 + 1) as usize,
    };
    Key {
        parent,
        action: ACTIONS[random.below(7) as usize],
        deferred: random.below(3) == 0,
        composite: random.below(4) == 0,
        needed: random.below(6) == 0,
    }
}

fn row(random: &mut Random, keys: &[Key], sizes: &[usize], is_knotted: bool) -> Row {
    let at = [None, Some(COMING), Some(OLD), Some(OLD), Some(OLD), Some(OLD)][random.below(6) as usize];
    let at = if is_knotted && random.below(3) > 0 { Some(OLD) } else { at };
    let refers_to = keys.iter().map(|key| match sizes[key.parent] {
        size if size > 0 && (key.needed || is_knotted || random.below(3) > 0) => {
            Some(random.below(size as u64) as usize)
        }
        _ => None,
    });
    let refers_to: Vec<Option<usize>> = refers_to.collect();
    Row { at, refers_to }
}

fn sql(schema: &[Table]) -> String {
    let mut sql = "PRAGMA foreign_keys = OFF;\n".to_string();
    for (number, table) in schema.iter().enumerate() {
        let mut columns = "id INTEGER PRIMARY KEY, part INTEGER, at TEXT".to_string();
        let mut constraints = ", UNIQUE (id, part)".to_string();
        for (at, key) in table.keys.iter().enumerate() {
            let needed = if key.needed { " NOT NULL" } else { "" };
            let (parent, action) = (key.parent, key.action);
            let deferred = if key.deferred { " DEFERRABLE INITIALLY DEFERRED" } else { "" };
            write!(columns, ", r{at} INTEGER{needed}").unwrap();
            if key.composite {
                write!(columns, ", p{at} INTEGER{needed}").unwrap();
                write!(
                    constraints,
                    ", FOREIGN KEY (r{at}, p{at}) REFERENCES t{parent} (id, part) {action}{deferred}"
                )
                .unwrap();
            } else {
                write!(constraints, ", FOREIGN KEY (r{at}) REFERENCES t{parent} {action}{deferred}").unwrap();
            }
        }
        let end = if table.without_rowid { " WITHOUT ROWID" } else { "" };
        writeln!(sql, "CREATE TABLE t{number} ({columns}{constraints}){end};").unwrap();
        if table.watched {
            writeln!(sql, "CREATE TRIGGER seen{number} AFTER DELETE ON t{number} BEGIN SELECT 1; END;")
                .unwrap();
        }
        for (id, row) in table.rows.iter().enumerate() {
            let at = row.at.map_or("NULL".to_string(), |at| format!("'{at}'"));
            let mut values = format!("{id}, {}, {at}", id % 2);
            for (key, parent) in table.keys.iter().zip(&row.refers_to) {
                let number =
                    |value: Option<usize>| value.map_or("NULL".to_string(), |value| value.to_string());
                write!(values, ", {}", number(*parent)).unwrap();
                if key.composite {
                    write!(values, ", {}", number(parent.map(|parent| parent % 2))).unwrap();
                }
            }
            writeln!(sql, "INSERT INTO t{number} VALUES ({values});").unwrap();
        }
    }
    sql
}

fn policy(schema: &[Table]) -> String {
    let mut policy = format!("{WITHOUT_LIMIT}[source.db]\nsqlite = \"data.db\"\n");
    for (number, table) in schema.iter().enumerate() {
        if let Some(enforce) = table.rule {
            writeln!(
                policy,
                "[[rule]]\nname = \"t{number}\"\ndata = \"db.t{number}\"\nkeep = \"1 year\"\nafter = \"at\"\nenforce = {enforce}"
            )
            .unwrap();
        }
    }
    policy
}

type Id = (usize, usize);

/// Who refers to a row by a key that keeps it, itself left out.
fn referring(schema: &[Table], parent: Id) -> Vec<(Id, &Key)> {
    let mut found = Vec::new();
    for (number, table) in schema.iter().enumerate() {
        for (id, row) in table.rows.iter().enumerate() {
            for (key, named) in table.keys.iter().zip(&row.refers_to) {
                if key.keeps() && key.parent == parent.0 && *named == Some(parent.1) && (number, id) != parent
                {
                    found.push(((number, id), key));
                }
            }
        }
    }
    found
}

fn is_due(schema: &[Table], row: Id) -> bool {
    schema[row.0].rows[row.1].at == Some(OLD)
}

/// What goes: of the due rows, those to which no row that stays refers.
fn going(schema: &[Table]) -> BTreeSet<Id> {
    let all = (0..schema.len()).flat_map(|table| (0..schema[table].rows.len()).map(move |row| (table, row)));
    let mut going: BTreeSet<Id> =
        all.filter(|row| schema[row.0].rule == Some(true) && is_due(schema, *row)).collect();
    loop {
        let before = going.len();
        let current = going.clone();
        going.retain(|row| referring(schema, *row).iter().all(|(child, _)| current.contains(child)));
        going.retain(|row| !waits_for_itself(schema, *row, &current));
        if going.len() == before {
            return going;
        }
    }
}

/// Whether a row would have to go before itself: the engine lets some keys refuse row by row, and carries
/// a cascade down at once.
fn waits_for_itself(schema: &[Table], row: Id, going: &BTreeSet<Id>) -> bool {
    // Where a trigger may change rows, frist lets no cascade take them unasked.
    let is_watched = schema.iter().any(|table| table.watched);
    let takes = |key: &Key| key.action.contains("DELETE CASCADE");
    let refuses = |key: &Key| {
        key.needed && key.action.contains("SET")
            || key.action.contains("RESTRICT")
            || (is_watched && takes(key))
    };
    let cascades = |key: &Key| !is_watched && takes(key);
    let mut before: BTreeSet<(Id, Id)> = BTreeSet::new();
    for parent in going {
        let refused = referring(schema, *parent).into_iter().filter(|(_, key)| refuses(key));
        before.extend(refused.filter(|(child, _)| going.contains(child)).map(|(child, _)| (child, *parent)));
    }
    for _ in going {
        for (child, parent) in before.clone() {
            let taking = going.iter().filter(|above| {
                let below = referring(schema, **above);
                below.iter().any(|(taken, key)| *taken == parent && cascades(key))
            });
            before.extend(taking.filter(|above| **above != child).map(|above| (child, *above)));
        }
    }
    let (mut later, mut next) = (BTreeSet::new(), vec![row]);
    while let Some(row) = next.pop() {
        let behind = before.iter().filter(|(first, _)| *first == row).map(|(_, second)| *second);
        next.extend(behind.filter(|row| later.insert(*row)).collect::<Vec<Id>>());
    }
    later.contains(&row)
}

/// Whether a row names itself, by way of rows of other tables.
fn is_in_circle_of_tables(schema: &[Table], row: Id, going: &BTreeSet<Id>) -> bool {
    let under = |row: Id| below(schema, row, going);
    under(row).into_iter().any(|other| other.0 != row.0 && under(other).contains(&row))
}

/// The rows of a set that name a row, directly or not.
fn below(schema: &[Table], row: Id, set: &BTreeSet<Id>) -> BTreeSet<Id> {
    let (mut below, mut next) = (BTreeSet::new(), vec![row]);
    while let Some(parent) = next.pop() {
        let children = referring(schema, parent).into_iter().map(|(child, _)| child);
        next.extend(
            children.filter(|child| set.contains(child) && below.insert(*child)).collect::<Vec<Id>>(),
        );
    }
    below
}

/// Every row that is left, with what its keys name.
fn left(connection: &Connection, schema: &[Table]) -> BTreeMap<Id, Vec<Option<usize>>> {
    let mut left = BTreeMap::new();
    for (number, table) in schema.iter().enumerate() {
        let columns: String = (0..table.keys.len()).map(|key| format!(", r{key}")).collect();
        let mut statement = connection.prepare(&format!("SELECT id{columns} FROM t{number}")).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cell = |at: usize| row.get::<_, Option<i64>>(at).unwrap().map(|number| number as usize);
            let named = (1..=table.keys.len()).map(cell).collect();
            left.insert((number, row.get::<_, i64>(0).unwrap() as usize), named);
        }
    }
    left
}

/// What is left when some rows are gone, with the keys that the engine empties.
fn expected(schema: &[Table], gone: &BTreeSet<Id>) -> BTreeMap<Id, Vec<Option<usize>>> {
    let mut expected = BTreeMap::new();
    for (number, table) in schema.iter().enumerate() {
        for (id, row) in table.rows.iter().enumerate().filter(|(id, _)| !gone.contains(&(number, *id))) {
            let keys = table.keys.iter().zip(&row.refers_to);
            let named =
                keys.map(|(key, parent)| parent.filter(|parent| !gone.contains(&(key.parent, *parent))));
            expected.insert((number, id), named.collect());
        }
    }
    expected
}

/// How many rows went, and how many of them in circles of tables.
fn check(seed: u64) -> (usize, usize) {
    let schema = schema(&mut Random(seed));
    let sizes_allow = schema.iter().all(|table| {
        table.rows.iter().all(|row| {
            table.keys.iter().zip(&row.refers_to).all(|(key, named)| !key.needed || named.is_some())
        })
    });
    if !sizes_allow || schema.iter().all(|table| table.rule.is_none()) {
        return (0, 0);
    }
    let place = Place::in_memory();
    place.write_policy(&policy(&schema));
    let journal = ["DELETE", "WAL"][usize::from(seed % 2 == 1)];
    let connection = place.database(&format!("PRAGMA journal_mode = {journal}; {}", sql(&schema)));
    let going = going(&schema);
    let told = format!("seed {seed}: {}\n{going:?}", sql(&schema));

    let report = place.at(NOW, &REPORT).expect(0);
    for (number, table) in schema.iter().enumerate().filter(|(_, table)| table.rule == Some(true)) {
        let rule = report.rule(&format!("t{number}"));
        let due = (0..table.rows.len()).filter(|row| is_due(&schema, (number, *row))).count();
        let goes = going.iter().filter(|row| row.0 == number).count();
        assert_eq!(rule["due"], goes, "t{number}: {told}");
        assert_eq!(rule["blocked"], due - goes, "t{number}: {told}");
    }

    let purge = place.at(NOW, &PURGE);
    assert_eq!(purge.code, 0, "{purge:?} {told}");
    assert_integrity(&connection);
    assert!(!connection.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap(), "{told}");
    let left = left(&connection, &schema);
    let gone = gone(&schema, &left);
    for (number, _) in schema.iter().enumerate().filter(|(_, table)| table.rule == Some(true)) {
        let deleted = gone.iter().filter(|row| row.0 == number).count();
        assert_eq!(purge.rule(&format!("t{number}"))["deleted"], deleted, "t{number}: {told}");
    }
    assert_eq!(gone, going, "{told}");
    assert_eq!(left, expected(&schema, &gone), "{told}");
    let in_circles = gone.iter().filter(|row| is_in_circle_of_tables(&schema, **row, &gone)).count();
    (gone.len(), in_circles)
}

fn gone(schema: &[Table], left: &BTreeMap<Id, Vec<Option<usize>>>) -> BTreeSet<Id> {
    let all = (0..schema.len()).flat_map(|table| (0..schema[table].rows.len()).map(move |row| (table, row)));
    all.filter(|row| !left.contains_key(row)).collect()
}

#[test]
fn what_goes_is_what_a_plain_fixed_point_says() {
    let cases: u64 = crate::depth::cases(40).into();
    let gone: Vec<(usize, usize)> = (0..cases).map(check).collect();
    let some =
        |counts: &dyn Fn(&(usize, usize)) -> bool| gone.iter().filter(|gone| counts(gone)).count() as u64;
    assert!(some(&|(gone, _)| *gone > 0) > cases / 3, "{gone:?}");
    assert!(some(&|(_, in_circles)| *in_circles > 0) > cases / 50, "{gone:?}");
}
