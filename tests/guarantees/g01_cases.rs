//! Random tables of every kind with random rules on them, written into a real database and a
//! real policy.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use frist::calendar::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::g01_cells::{Cell, Column, Draft, FORMATS, Format, Meaning, TYPES, draft};
use super::g01_oracle::{Answer, Asked, CountedFrom, KEEPS, Keep, Verdict, judge, start_of_day};
use super::support::{Place, SOURCE, WITHOUT_LIMIT, open};

pub(crate) const ZONES: [Tz; 7] = [
    Tz::UTC,
    Tz::Europe__Copenhagen,
    Tz::America__New_York,
    Tz::Asia__Kolkata,
    Tz::America__Sao_Paulo,
    Tz::Pacific__Apia,
    Tz::Pacific__Auckland,
];

/// What orders and bounds the rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    NoKey,
    /// Columns hide the usual names of the row number.
    HiddenNumber,
    IntegerKey,
    TextKey,
    TextWithoutRowid,
    CompositeWithoutRowid,
    FallingWithoutRowid,
    /// The key has another collation than its column.
    OtherCollation,
}

pub(crate) const SHAPES: [Shape; 8] = [
    Shape::NoKey,
    Shape::HiddenNumber,
    Shape::IntegerKey,
    Shape::TextKey,
    Shape::TextWithoutRowid,
    Shape::CompositeWithoutRowid,
    Shape::FallingWithoutRowid,
    Shape::OtherCollation,
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stored {
    Plainly,
    Generated(&'static str),
}

/// How an event column is kept by the database.
#[derive(Clone, Debug)]
struct Kept {
    column: Column,
    stored: Stored,
    indexed: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    event: usize,
    keep: Keep,
    counted_from: CountedFrom,
    when: Option<usize>,
    pub(crate) enforced: bool,
    pub(crate) selected: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    events: [Draft; 2],
    /// The rule under which it is about to be due, or has just become so.
    near: usize,
    kind: Option<&'static str>,
    number: Option<Number>,
}

#[derive(Clone, Copy, Debug)]
enum Number {
    Whole(i64),
    NoNumber,
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    shape: Shape,
    encoding: &'static str,
    events: [Kept; 2],
    zone: Tz,
    now: DateTime<Utc>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) rows: Vec<Row>,
    pub(crate) counts_all: bool,
}

type Condition = (&'static str, fn(&Row) -> Answer);

const CONDITIONS: [Condition; 11] = [
    ("kind = 'a'", |row| row.is_a()),
    ("kind <> 'a'", |row| not(row.is_a())),
    ("kind is null", |row| yes(row.kind.is_none())),
    ("kind is not null", |row| yes(row.kind.is_some())),
    ("kind in ('a', 'B')", |row| row.kind(|kind| kind == "a" || kind == "B")),
    ("kind like 'A_%'", |row| row.kind(|kind| kind.len() > 1 && kind.to_lowercase().starts_with('a'))),
    ("lower(kind) = 'b'", |row| row.kind(|kind| kind == "B")),
    ("n > 5", |row| row.number(|number| number > 5)),
    ("n between 2 and 7", |row| row.number(|number| (2..=7).contains(&number))),
    ("kind = 'a' and n > 5", |row| and(row.is_a(), row.number(|number| number > 5))),
    ("kind = 'a' or not (n > 5)", |row| or(row.is_a(), not(row.number(|number| number > 5)))),
];

const KINDS: [Option<&str>; 5] = [None, Some("a"), Some("B"), Some("another"), Some("")];

fn yes(holds: bool) -> Answer {
    if holds { Answer::Yes } else { Answer::No }
}

fn not(answer: Answer) -> Answer {
    match answer {
        Answer::Yes => Answer::No,
        Answer::No => Answer::Yes,
        neither => neither,
    }
}

/// What decides alone goes first.
fn and(one: Answer, other: Answer) -> Answer {
    let order = [Answer::No, Answer::Unreadable, Answer::Unknown];
    order.into_iter().find(|answer| one == *answer || other == *answer).unwrap_or(Answer::Yes)
}

fn or(one: Answer, other: Answer) -> Answer {
    not(and(not(one), not(other)))
}

impl Row {
    fn is_a(&self) -> Answer {
        self.kind(|kind| kind == "a")
    }

    fn kind(&self, holds: impl Fn(&str) -> bool) -> Answer {
        self.kind.map_or(Answer::Unknown, |kind| yes(holds(kind)))
    }

    fn number(&self, holds: impl Fn(i64) -> bool) -> Answer {
        match self.number {
            None => Answer::Unknown,
            Some(Number::Whole(number)) => yes(holds(number)),
            Some(Number::NoNumber) => Answer::Unreadable,
        }
    }

    fn later(self, by: TimeDelta) -> Row {
        Row { events: self.events.map(|event| event.later(by)), ..self }
    }
}

/// Times around the beginning of time; the table of a `sparse` case has few that are due.
fn times(sparse: bool) -> impl Strategy<Value = DateTime<Utc>> {
    let seconds = prop_oneof![Just(0), Just(1), Just(-1), -86_400..86_400_i64];
    let nanoseconds = select(vec![0, 500_000_000, 999_999_999]);
    let years_later =
        if sparse { prop_oneof![1 => 0..2_i64, 12 => 5..9_i64].boxed() } else { Just(0).boxed() };
    (-3..=3_i64, seconds, nanoseconds, years_later).prop_map(|(days, seconds, nanoseconds, years)| {
        let days = years * 366 + days;
        DateTime::from_timestamp(days * 86_400 + seconds, nanoseconds).unwrap()
    })
}

fn row(sparse: bool) -> impl Strategy<Value = Row> {
    let number = prop_oneof![
        1 => Just(None),
        1 => Just(Some(Number::NoNumber)),
        10 => (0..10_i64).prop_map(|number| Some(Number::Whole(number))),
    ];
    let events = [draft(times(sparse)), draft(times(sparse))];
    (events, 0..6_usize, select(KINDS.to_vec()), number).prop_map(|(events, near, kind, number)| Row {
        events,
        near,
        kind,
        number,
    })
}

fn kept() -> impl Strategy<Value = Kept> {
    let format = prop_oneof![1 => Just(Format::Iso), 2 => select(FORMATS.to_vec())];
    let stored = prop_oneof![
        4 => Just(Stored::Plainly),
        1 => Just(Stored::Generated("VIRTUAL")),
        1 => Just(Stored::Generated("STORED")),
    ];
    let column = (format, select(TYPES.to_vec()), select(ZONES.to_vec()), any::<bool>()).prop_map(
        |(format, affinity, times_in, has_empty_values)| Column {
            format,
            affinity,
            times_in,
            has_empty_values,
        },
    );
    (column, stored, any::<bool>()).prop_map(|(column, stored, indexed)| Kept { column, stored, indexed })
}

fn rule() -> impl Strategy<Value = Rule> {
    let counted_from = prop_oneof![
        3 => Just(CountedFrom::Event),
        1 => select(vec![CountedFrom::Month, CountedFrom::Quarter, CountedFrom::Year, CountedFrom::FinancialYear]),
    ];
    let when = proptest::option::of(0..CONDITIONS.len());
    let mostly = || proptest::bool::weighted(0.8);
    (0..2_usize, select(KEEPS.to_vec()), counted_from, when, mostly(), mostly()).prop_map(
        |(event, keep, counted_from, when, enforced, selected)| Rule {
            event,
            keep,
            counted_from,
            when,
            enforced,
            selected,
        },
    )
}

fn now() -> impl Strategy<Value = (Tz, DateTime<Utc>)> {
    let seconds = prop_oneof![Just(-1_i64), Just(0), Just(1), 0..86_400_i64];
    (select(ZONES.to_vec()), 0..5_500_u64, seconds).prop_map(|(zone, days, seconds)| {
        let date = NaiveDate::from_ymd_opt(2016, 1, 1).unwrap() + chrono::Days::new(days);
        (zone, start_of_day(zone, date) + TimeDelta::seconds(seconds))
    })
}

/// A table of some rows.
pub(crate) fn case(
    rows: std::ops::Range<usize>,
    shape: impl Strategy<Value = Shape>,
) -> impl Strategy<Value = Case> {
    let rows =
        any::<bool>().prop_flat_map(move |sparse| proptest::collection::vec(row(sparse), rows.clone()));
    let encoding = select(vec!["UTF-8", "UTF-8", "UTF-16le", "UTF-16be"]);
    let rules = (proptest::collection::vec(rule(), 1..4), proptest::bool::weighted(0.2));
    let table = (shape, encoding, [kept(), kept()]);
    (table, now(), rules, rows, any::<bool>()).prop_map(
        |(table, (zone, now), (mut rules, are_twins), rows, counts_all)| {
            let (shape, encoding, mut events) = table;
            if let (true, [first, second, ..]) = (are_twins, &mut rules[..]) {
                // Two rules of one due date for every record.
                let Rule { event, keep, counted_from, .. } = first.clone();
                *second = Rule { event, keep, counted_from, ..second.clone() };
            }
            // A table has one zone for its times and one list of empty values.
            events[1].column.times_in = events[0].column.times_in;
            events[1].column.has_empty_values = events[0].column.has_empty_values;
            // A run of no rule at all cannot be asked for.
            if !rules.iter().any(|rule| rule.selected) {
                rules[0].selected = true;
            }
            let moved = |row: Row| {
                let kept = TimeDelta::days(rules[row.near % rules.len()].keep.about_days);
                row.later(now - kept - DateTime::UNIX_EPOCH)
            };
            let rows = rows.into_iter().map(moved).collect();
            Case { shape, encoding, events, zone, now, rules, rows, counts_all }
        },
    )
}

/// Names that only a quoted identifier can have.
const TABLE: &str = r#"ærø "x]`; DROP TABLE"#;
const EVENTS: [&str; 2] = ["order", r#"e "2"."#];

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Every column of a row with its type and its bytes, by the row's tag.
pub(crate) type Snapshot = BTreeMap<i64, Vec<Vec<u8>>>;

impl Case {
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.now.timestamp(), self.now.timestamp_subsec_nanos())
    }

    /// The same with its rows again and again, up to so many.
    pub(crate) fn repeated(mut self, rows: usize) -> Case {
        self.rows = self.rows.iter().cycle().take(rows).cloned().collect();
        self
    }

    /// Writes the policy and the database.
    pub(crate) fn build(&self) -> Place {
        let place = Place::in_memory();
        std::fs::write(place.policy(), self.policy()).unwrap();
        let mut connection = open(&place.path("data.db"));
        connection.execute_batch(&format!("PRAGMA encoding = '{}'", self.encoding)).unwrap();
        connection.execute_batch(&self.schema()).unwrap();
        let transaction = connection.transaction().unwrap();
        self.rows.iter().enumerate().for_each(|(tag, row)| self.insert(&transaction, tag, row));
        transaction.commit().unwrap();
        place
    }

    fn policy(&self) -> String {
        let first = &self.events[0].column;
        let formats: Vec<String> = (0..2)
            .map(|event| format!("'{}' = {}", EVENTS[event], self.events[event].column.format.declared()))
            .collect();
        let empty = if first.has_empty_values { "empty = ['9999-12-31', '-1']\n" } else { "" };
        let head = format!(
            "version = 1\n[policy]\nname = 'random'\ntimezone = '{}'\nfinancial-year-ends = '06-30'\n{WITHOUT_LIMIT}\
             {SOURCE}times-in = '{}'\n{empty}[source.db.table.'{TABLE}']\nformats = {{ {} }}\n",
            self.zone.name(),
            first.times_in.name(),
            formats.join(", ")
        );
        let rules = self.rules.iter().enumerate().map(|(place, rule)| rule.policy(place));
        head + &rules.collect::<String>()
    }

    fn schema(&self) -> String {
        let (key, options) = match self.shape {
            Shape::NoKey => ("", ""),
            Shape::HiddenNumber => ("rowid TEXT, _rowid_ INTEGER, ", ""),
            Shape::IntegerKey => ("id INTEGER PRIMARY KEY, ", ""),
            Shape::TextKey => ("name TEXT PRIMARY KEY, ", ""),
            Shape::TextWithoutRowid => ("name TEXT, ", ", PRIMARY KEY (name)) WITHOUT ROWID"),
            Shape::FallingWithoutRowid => ("name TEXT, ", ", PRIMARY KEY (name DESC)) WITHOUT ROWID"),
            Shape::OtherCollation => ("name TEXT, ", ", PRIMARY KEY (name COLLATE NOCASE)) WITHOUT ROWID"),
            Shape::CompositeWithoutRowid => (
                "part TEXT COLLATE NOCASE, piece INTEGER, ",
                ", PRIMARY KEY (part, piece DESC)) WITHOUT ROWID",
            ),
        };
        let events: String = (0..2).map(|event| self.events[event].declaration(event)).collect();
        let end = if options.is_empty() { ")" } else { "" };
        let table = quoted(TABLE);
        let create = format!(
            "CREATE TABLE {table} ({key}tag INTEGER, kind TEXT, n, raw0, raw1{events}{end}{options};"
        );
        let indexes = (0..2)
            .filter(|event| self.events[*event].indexed)
            .map(|event| format!("CREATE INDEX i{event} ON {table} ({});", quoted(EVENTS[event])));
        create + &indexes.collect::<String>()
    }

    fn insert(&self, connection: &Connection, tag: usize, row: &Row) {
        let mut columns = vec!["tag".to_owned(), "kind".to_owned(), "n".to_owned()];
        let mut marks = vec!["?".to_owned(); 3];
        let tag = i64::try_from(tag).unwrap();
        let mut values = vec![
            Value::Integer(tag),
            row.kind.map_or(Value::Null, |kind| Value::Text(kind.to_owned())),
            match row.number {
                None => Value::Null,
                Some(Number::Whole(number)) => Value::Integer(number),
                Some(Number::NoNumber) => Value::Text("many".to_owned()),
            },
        ];
        for (name, value) in self.shape.key_of(tag) {
            columns.push(name.to_owned());
            marks.push("?".to_owned());
            values.push(value);
        }
        for (event, kept) in self.events.iter().enumerate() {
            let (cell, _) = kept.column.write(&row.events[event]);
            columns.push(if kept.stored == Stored::Plainly {
                quoted(EVENTS[event])
            } else {
                format!("raw{event}")
            });
            match cell {
                Cell::Value(value) => (marks.push("?".to_owned()), values.push(value)),
                Cell::TextOfBytes(bytes) => {
                    (marks.push("CAST(? AS TEXT)".to_owned()), values.push(Value::Blob(bytes)))
                }
            };
        }
        let sql =
            format!("INSERT INTO {} ({}) VALUES ({})", quoted(TABLE), columns.join(", "), marks.join(", "));
        connection.prepare(&sql).unwrap().execute(params_from_iter(values)).unwrap();
    }

    /// Every row as it stands in the database.
    pub(crate) fn snapshot(&self, place: &Place) -> Snapshot {
        let connection = open(&place.path("data.db"));
        let mut names: Vec<String> = ["kind", "n", "raw0", "raw1"].map(str::to_owned).to_vec();
        names.extend(EVENTS.map(quoted));
        names.extend(self.shape.key_of(0).into_iter().map(|(name, _)| name.to_owned()));
        let cells: Vec<String> =
            names.iter().map(|name| format!("typeof({name}) || quote({name}) || hex({name})")).collect();
        let sql = format!("SELECT tag, {} FROM {}", cells.join(", "), quoted(TABLE));
        let mut statement = connection.prepare(&sql).unwrap();
        let row = |row: &rusqlite::Row<'_>| {
            let bytes = |column: usize| row.get_ref(column).unwrap().as_bytes().unwrap().to_vec();
            Ok((row.get(0)?, (1..=cells.len()).map(bytes).collect()))
        };
        statement.query_map([], row).unwrap().collect::<rusqlite::Result<_>>().unwrap()
    }

    /// The oracle's verdict for each row under each rule.
    pub(crate) fn verdicts(&self) -> Vec<Vec<Option<Verdict>>> {
        self.rows.iter().map(|row| judge(&self.asked(row), self.zone, self.now)).collect()
    }

    fn asked(&self, row: &Row) -> Vec<Asked> {
        let meanings: Vec<Meaning> =
            (0..2).map(|event| self.events[event].column.write(&row.events[event]).1).collect();
        let ask = |rule: &Rule| Asked {
            keep: rule.keep,
            counted_from: rule.counted_from,
            when: rule.when.map_or(Answer::Yes, |condition| CONDITIONS[condition].1(row)),
            event: meanings[rule.event],
        };
        self.rules.iter().map(ask).collect()
    }

    /// The date of an instant in the policy's zone.
    pub(crate) fn date_of(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    pub(crate) fn today(&self) -> NaiveDate {
        self.date_of(self.now)
    }

    /// The arguments that select the selected rules.
    pub(crate) fn selection(&self) -> Vec<String> {
        let all = self.rules.iter().all(|rule| rule.selected);
        let selected = self.rules.iter().enumerate().filter(|(_, rule)| !all && rule.selected);
        selected.map(|(place, _)| format!("--rule=rule {place}")).collect()
    }
}

impl Shape {
    /// The key of a row: scattered, so that rows do not stand in the order of their tags.
    fn key_of(self, tag: i64) -> Vec<(&'static str, Value)> {
        let scattered = (tag * 2_654_435_761).rem_euclid(1 << 32);
        match self {
            Shape::NoKey => vec![],
            Shape::HiddenNumber => {
                vec![("rowid", Value::Text("same".to_owned())), ("_rowid_", Value::Integer(7))]
            }
            Shape::IntegerKey => {
                let id = match tag {
                    0 => i64::MIN,
                    1 => i64::MAX,
                    _ => scattered - (1 << 31),
                };
                vec![("id", Value::Integer(id))]
            }
            Shape::CompositeWithoutRowid => {
                let part = ["Anna", "anna", "BO", "bo", "", "Åse"][usize::try_from(scattered % 6).unwrap()];
                vec![("part", Value::Text(part.to_owned())), ("piece", Value::Integer(scattered))]
            }
            _ => vec![("name", Value::Text(format!("{scattered:x}'\"; é🙂")))],
        }
    }
}

impl Kept {
    fn declaration(&self, event: usize) -> String {
        let (name, affinity) = (quoted(EVENTS[event]), self.column.affinity);
        match self.stored {
            Stored::Plainly => format!(", {name} {affinity}"),
            Stored::Generated(how) => format!(", {name} {affinity} AS (raw{event}) {how}"),
        }
    }
}

impl Rule {
    fn policy(&self, place: usize) -> String {
        let counted_from = match self.counted_from {
            CountedFrom::Event => "",
            CountedFrom::Month => ", counted-from = 'end-of-month'",
            CountedFrom::Quarter => ", counted-from = 'end-of-quarter'",
            CountedFrom::Year => ", counted-from = 'end-of-year'",
            CountedFrom::FinancialYear => ", counted-from = 'end-of-financial-year'",
        };
        let when =
            self.when.map_or(String::new(), |condition| format!("when = \"{}\"\n", CONDITIONS[condition].0));
        format!(
            "[[rule]]\nname = 'rule {place}'\ndata = 'db.{TABLE}'\nkeep = '{}'\n\
             after = {{ column = '{}'{counted_from} }}\n{when}enforce = {}\n",
            self.keep.text, EVENTS[self.event], self.enforced
        )
    }
}
