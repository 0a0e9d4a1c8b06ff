//! G1 for rules whose periods stand in the data: random rules over random tables, state by state
//! against a slow and obvious reading of the language.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use chrono::{Days, Months, NaiveDate, NaiveDateTime, TimeDelta};
use proptest::prelude::*;

use super::support::{PURGE, Place, REPORT, WITHOUT_LIMIT};

const NOW: &str = "2025-12-31T00:00:00Z";

/// A cell that should hold a period.
#[derive(Clone, Debug)]
enum Said {
    Null,
    Blank,
    Wrong(&'static str),
    /// A number, as such or as text.
    Number(u32, bool),
    Period(usize),
}

/// Periods as texts: months, days, hours, and whether the last day is too late already.
const PERIODS: [(&str, u32, u64, i64, bool); 9] = [
    ("1 month", 1, 0, 0, false),
    ("30 days", 0, 30, 0, false),
    ("at most 1 month", 1, 0, 0, true),
    ("31 days", 0, 31, 0, false),
    ("5 months", 5, 0, 0, false),
    ("2 months 3 days", 2, 3, 0, false),
    ("100 hours", 0, 0, 100, false),
    ("720 hours", 0, 0, 720, false),
    ("immediately", 0, 0, 0, false),
];

const WRONG: [&str; 6] = ["'soon'", "0", "-3", "1.5", "x'31'", "'1  month'"];

#[derive(Clone, Debug)]
struct Row {
    customer: Option<u8>,
    said: Said,
    /// What `where = "kind = 1"` reads: null, 1 or 2.
    kind: Option<u8>,
}

#[derive(Clone, Debug)]
struct Customer {
    /// The day of 2025 from 0; empty, or nothing that can be read.
    at: Result<u64, &'static str>,
    said: Said,
}

#[derive(Clone, Debug)]
struct World {
    customers: Vec<Customer>,
    rows: Vec<Row>,
}

#[derive(Clone, Copy, Debug)]
enum From {
    Fixed(usize),
    Own,
    Related { filtered: bool },
}

#[derive(Clone, Debug)]
struct Rule {
    from: From,
    unit: Option<&'static str>,
    cap: Option<usize>,
}

/// What a rule knows of one record before it asks the time.
enum Known {
    NotYet,
    Unreadable,
    DueFrom(NaiveDateTime),
}

type Exactly = (u32, u64, i64, bool);

fn exactly(place: usize) -> Exactly {
    let (_, months, days, hours, at_most) = PERIODS[place];
    (months, days, hours, at_most)
}

fn due_from(date: NaiveDate, (months, days, hours, at_most): Exactly) -> NaiveDateTime {
    let last = date.checked_add_months(Months::new(months)).unwrap() + Days::new(days);
    let midnight = |date: NaiveDate| date.and_hms_opt(0, 0, 0).unwrap();
    match (months, days) {
        (0, 0) => midnight(date) + TimeDelta::hours(24 + hours),
        _ if at_most => midnight(last),
        _ => midnight(last + Days::new(1)),
    }
}

/// One period: none where nothing is said, and an error where it cannot be read.
fn read(said: &Said, unit: Option<&str>) -> Result<Option<Exactly>, ()> {
    match (said, unit) {
        (Said::Null | Said::Blank, _) => Ok(None),
        (Said::Number(count, _), Some("months")) => Ok(Some((*count, 0, 0, false))),
        (Said::Number(count, _), Some("days")) => Ok(Some((0, u64::from(*count), 0, false))),
        (Said::Number(count, _), Some("hours")) => Ok(Some((0, 0, i64::from(*count), false))),
        (Said::Period(place), None) => Ok(Some(exactly(*place))),
        _ => Err(()),
    }
}

impl World {
    /// The periods that count for a customer; none where it has no instruction.
    fn periods(&self, customer: usize, rule: &Rule) -> Result<Option<Vec<Exactly>>, ()> {
        let filtered = match rule.from {
            From::Fixed(place) => return Ok(Some(vec![exactly(place)])),
            From::Own => return Ok(read(&self.customers[customer].said, rule.unit)?.map(|one| vec![one])),
            From::Related { filtered } => filtered,
        };
        let of_customer = self.rows.iter().filter(|row| row.customer.map(usize::from) == Some(customer));
        let (mut periods, mut nothing) = (Vec::new(), false);
        for row in of_customer.filter(|row| !filtered || row.kind != Some(2)) {
            if filtered && row.kind.is_none() {
                nothing = true;
                continue;
            }
            match read(&row.said, rule.unit)? {
                Some(period) => periods.push(period),
                None => nothing = true,
            }
        }
        Ok((!nothing && !periods.is_empty()).then_some(periods))
    }

    fn known(&self, customer: usize, rule: &Rule) -> Known {
        let date = match self.customers[customer].at {
            Ok(day) => Ok(NaiveDate::from_ymd_opt(2025, 1, 1).unwrap() + Days::new(day)),
            Err("soon") => return Known::Unreadable,
            Err(_) => Err(()),
        };
        match (self.periods(customer, rule), date) {
            (Err(()), _) => Known::Unreadable,
            (_, Err(())) | (Ok(None), _) => Known::NotYet,
            (Ok(Some(periods)), Ok(date)) => {
                let longest = periods.iter().map(|period| due_from(date, *period)).max().unwrap();
                let cap = rule.cap.filter(|_| !matches!(rule.from, From::Fixed(_)));
                Known::DueFrom(cap.map_or(longest, |cap| longest.min(due_from(date, exactly(cap)))))
            }
        }
    }

    fn state(&self, customer: usize, rules: &[Rule], which: usize) -> &'static str {
        let now = NaiveDate::from_ymd_opt(2025, 12, 31).unwrap().and_hms_opt(0, 0, 0).unwrap();
        let ours = match self.known(customer, &rules[which]) {
            Known::NotYet => return "waiting",
            Known::Unreadable => return "unreadable",
            Known::DueFrom(at) if at > now => return "running",
            Known::DueFrom(at) => at,
        };
        let overrules = |(place, other): (usize, &Rule)| match self.known(customer, other) {
            _ if place == which => false,
            Known::NotYet | Known::Unreadable => true,
            Known::DueFrom(theirs) => theirs > ours || (theirs == ours && place < which),
        };
        if rules.iter().enumerate().any(overrules) { "overruled" } else { "due" }
    }
}

fn policy(rules: &[Rule]) -> String {
    let mut text = format!("{WITHOUT_LIMIT}[source.db]\nsqlite = \"data.db\"\n");
    for (place, rule) in rules.iter().enumerate() {
        let unit = rule.unit.map(|unit| format!(", unit = \"{unit}\"")).unwrap_or_default();
        let cap = rule.cap.map(|cap| format!(", at-most = \"{}\"", PERIODS[cap].0)).unwrap_or_default();
        let keep = match rule.from {
            From::Fixed(place) => format!("\"{}\"", PERIODS[place].0),
            From::Own => format!("{{ column = \"keep\"{unit}{cap} }}"),
            From::Related { filtered } => {
                let condition = if filtered { ", where = \"kind = 1\"" } else { "" };
                format!(
                    "{{ table = \"said\", column = \"keep\", on = \"customer = id\"{condition}{unit}{cap} }}"
                )
            }
        };
        let head = format!("[[rule]]\nname = \"r{place}\"\ndata = \"db.customers\"");
        writeln!(text, "{head}\nkeep = {keep}\nafter = \"at\"").unwrap();
    }
    text
}

impl Said {
    fn sql(&self) -> String {
        match self {
            Said::Null => "NULL".to_owned(),
            Said::Blank => "' '".to_owned(),
            Said::Wrong(literal) => (*literal).to_owned(),
            Said::Number(count, false) => count.to_string(),
            Said::Number(count, true) => format!("'{count}'"),
            Said::Period(place) => format!("'{}'", PERIODS[*place].0),
        }
    }
}

fn sql(world: &World) -> String {
    let mut sql = "CREATE TABLE customers (id INTEGER PRIMARY KEY, at, keep);
                   CREATE INDEX by_at ON customers (at);
                   CREATE TABLE said (customer, keep, kind);"
        .to_owned();
    for (id, customer) in world.customers.iter().enumerate() {
        let at = match customer.at {
            Ok(day) => (NaiveDate::from_ymd_opt(2025, 1, 1).unwrap() + Days::new(day)).to_string(),
            Err(text) => text.to_owned(),
        };
        write!(sql, "INSERT INTO customers VALUES ({id}, '{at}', {});", customer.said.sql()).unwrap();
    }
    for row in &world.rows {
        let number = |number: Option<u8>| number.map_or("NULL".to_owned(), |number| number.to_string());
        let (customer, kind) = (number(row.customer), number(row.kind));
        write!(sql, "INSERT INTO said VALUES ({customer}, {}, {kind});", row.said.sql()).unwrap();
    }
    sql
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        1 => Just(Said::Null),
        1 => Just(Said::Blank),
        1 => prop::sample::select(WRONG.to_vec()).prop_map(Said::Wrong),
        8 => (1..13_u32, any::<bool>()).prop_map(|(count, text)| Said::Number(count, text)),
        8 => (0..PERIODS.len()).prop_map(Said::Period),
    ]
}

fn world() -> impl Strategy<Value = World> {
    let at = prop_oneof![20 => (0..365_u64).prop_map(Ok), 1 => Just(Err("soon")), 1 => Just(Err(" "))];
    let customer = (at, said()).prop_map(|(at, said)| Customer { at, said });
    let kind = prop_oneof![6 => Just(Some(1)), 2 => Just(Some(2)), 1 => Just(None)];
    let row = (proptest::option::weighted(0.95, 0..14_u8), said(), kind)
        .prop_map(|(customer, said, kind)| Row { customer, said, kind });
    (proptest::collection::vec(customer, 12), proptest::collection::vec(row, 0..30))
        .prop_map(|(customers, rows)| World { customers, rows })
}

fn rule() -> impl Strategy<Value = Rule> {
    let from = prop_oneof![
        1 => (0..PERIODS.len()).prop_map(From::Fixed),
        2 => Just(From::Own),
        3 => any::<bool>().prop_map(|filtered| From::Related { filtered }),
    ];
    let unit = prop::sample::select(vec![None, None, Some("months"), Some("days"), Some("hours")]);
    // The last period is no time at all, which caps nothing.
    let cap = proptest::option::weighted(0.3, 0..PERIODS.len() - 1);
    (from, unit, cap).prop_map(|(from, unit, cap)| Rule { from, unit, cap })
}

proptest! {
    #![proptest_config(crate::depth::config(30))]

    #[test]
    fn every_state_is_what_the_language_says(world in world(), rules in proptest::collection::vec(rule(), 1..4)) {
        let place = Place::in_memory();
        place.write_policy(&policy(&rules));
        let connection = place.database(&sql(&world));
        let mut words = REPORT.to_vec();
        words.extend(["--list", "--all"]);
        let report = place.at(NOW, &words);
        let ids = || 0..world.customers.len();
        let mut due: BTreeSet<usize> = BTreeSet::new();
        for which in 0..rules.len() {
            let expected: BTreeMap<String, &str> =
                ids().map(|id| (id.to_string(), world.state(id, &rules, which))).collect();
            due.extend(ids().filter(|id| world.state(*id, &rules, which) == "due"));
            let told = report.rule(&format!("r{which}"));
            let records = told["records"].as_array().unwrap();
            let listed: BTreeMap<String, &str> = records
                .iter()
                .map(|record| (record["key"].as_str().unwrap().to_owned(), record["state"].as_str().unwrap()))
                .collect();
            prop_assert_eq!(&listed, &expected, "{}", policy(&rules));
            for state in ["due", "running", "waiting", "overruled", "unreadable"] {
                let count = expected.values().filter(|expected| **expected == state).count() as u64;
                prop_assert_eq!(told[state].as_u64(), Some(count), "{}", state);
            }
        }
        place.at(NOW, &PURGE);
        let left: BTreeSet<usize> = connection
            .prepare("SELECT id FROM customers")
            .unwrap()
            .query_map([], |row| row.get::<_, u32>(0).map(|id| id as usize))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let kept: BTreeSet<usize> = ids().filter(|id| !due.contains(id)).collect();
        prop_assert_eq!(left, kept, "{}", policy(&rules));
    }
}
