//! G1 for rules that look at other rows: random rules over random tables and files, state by state
//! against a slow and obvious reading of the language.

mod joined;
mod layout;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use proptest::prelude::*;

use super::support::{PURGE, Place, REPORT, WITHOUT_LIMIT};
use joined::{On, Tenant, any_on, any_tenant};
use layout::{Layout, any_layout};

/// Days of 2025, which has no leap day; the run is on the last of them, at its beginning.
const TODAY: i64 = 365;
const NOW: &str = "2025-12-31T00:00:00Z";

/// A time as a table holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cell {
    Null,
    Blank,
    Wrong,
    /// The day of the year, from 1.
    Day(i64),
}

impl Cell {
    fn sql(self) -> String {
        match self {
            Cell::Null => "NULL".to_owned(),
            Cell::Blank => "' '".to_owned(),
            Cell::Wrong => "'soon'".to_owned(),
            Cell::Day(day) => {
                let date = chrono::NaiveDate::from_yo_opt(2025, u32::try_from(day).unwrap()).unwrap();
                format!("'{date}'")
            }
        }
    }
}

/// What `where = "kind = 1"` reads.
#[derive(Clone, Copy, Debug, PartialEq)]
enum KindOfRow {
    One,
    Two,
    Null,
    Text,
}

impl KindOfRow {
    fn sql(self) -> &'static str {
        match self {
            KindOfRow::One => "1",
            KindOfRow::Two => "2",
            KindOfRow::Null => "NULL",
            KindOfRow::Text => "'one'",
        }
    }
}

#[derive(Clone, Debug)]
struct Other {
    tenant: Tenant,
    customer: Option<u8>,
    at: Cell,
    kind: KindOfRow,
}

#[derive(Clone, Debug)]
struct World {
    /// `a` and `b` of each customer; the place is the id.
    customers: Vec<[Cell; 2]>,
    /// Whose they are.
    tenants: Vec<Tenant>,
    calls: Vec<Other>,
    /// What joins calls to customers, and where both are.
    on: On,
    layout: Layout,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    A,
    B,
    Calls { filtered: bool },
}

#[derive(Clone, Debug)]
enum After {
    One(Side),
    Latest(Vec<(Side, bool)>),
    Earliest(Vec<Side>),
}

#[derive(Clone, Debug)]
struct Rule {
    after: After,
    keep: i64,
    /// Whether it has `unless` or `only-if`, and whether that has a `where`.
    unless: Option<bool>,
    only_if: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Started {
    Unrelated,
    Unreadable,
    NotYet,
    On(i64),
}

impl World {
    fn rows(&self, customer: usize) -> impl Iterator<Item = &Other> {
        let of_customer = move |row: &&Other| row.customer.map(usize::from) == Some(customer);
        let tenant = self.tenants[customer];
        self.calls
            .iter()
            .filter(of_customer)
            .filter(move |row| self.on.is_equal(row.tenant, tenant, self.layout))
    }

    /// Whether a row speaks for a customer; doubt counts or does not.
    fn has_row(&self, customer: usize, filtered: bool, doubt: bool) -> bool {
        self.rows(customer).any(|row| match row.kind {
            _ if !filtered => true,
            KindOfRow::One => true,
            KindOfRow::Two => false,
            KindOfRow::Null | KindOfRow::Text => doubt,
        })
    }

    fn side(&self, customer: usize, side: Side) -> Started {
        let read = |cell: Cell| match cell {
            Cell::Null | Cell::Blank => Started::NotYet,
            Cell::Wrong => Started::Unreadable,
            Cell::Day(day) => Started::On(day),
        };
        let filtered = match side {
            Side::A => return read(self.customers[customer][0]),
            Side::B => return read(self.customers[customer][1]),
            Side::Calls { filtered } => filtered,
        };
        let rows = self.rows(customer).filter(|row| !filtered || row.kind != KindOfRow::Two);
        let seen: Vec<Started> = rows.map(|row| read(row.at)).collect();
        let days = seen.iter().filter_map(|seen| if let Started::On(day) = seen { Some(*day) } else { None });
        if seen.contains(&Started::Unreadable) {
            Started::Unreadable
        } else if seen.contains(&Started::NotYet) {
            Started::NotYet
        } else {
            days.max().map_or(Started::Unrelated, Started::On)
        }
    }

    fn started(&self, customer: usize, after: &After) -> Started {
        let (parts, is_latest): (Vec<(Side, bool)>, bool) = match after {
            After::One(side) => (vec![(*side, false)], true),
            After::Latest(parts) => (parts.clone(), true),
            After::Earliest(sides) => (sides.iter().map(|side| (*side, false)).collect(), false),
        };
        let seen: Vec<(Started, bool)> = parts
            .iter()
            .map(|(side, optional)| (self.side(customer, *side), *optional && side.is_own()))
            .collect();
        if seen.iter().any(|(seen, _)| *seen == Started::Unreadable) {
            return Started::Unreadable;
        }
        if is_latest && seen.iter().any(|(seen, optional)| *seen == Started::NotYet && !optional) {
            return Started::NotYet;
        }
        let days: Vec<i64> = seen
            .iter()
            .filter_map(|(seen, _)| if let Started::On(day) = seen { Some(*day) } else { None })
            .collect();
        let all_related = parts.iter().all(|(side, _)| matches!(side, Side::Calls { .. }));
        match if is_latest { days.iter().max() } else { days.iter().min() } {
            Some(day) => Started::On(*day),
            None if all_related => Started::Unrelated,
            None => Started::NotYet,
        }
    }

    fn spares(&self, customer: usize, rule: &Rule) -> bool {
        rule.unless.is_some_and(|filtered| self.has_row(customer, filtered, true))
    }

    fn matches(&self, customer: usize, rule: &Rule) -> bool {
        rule.only_if.is_none_or(|filtered| self.has_row(customer, filtered, false))
    }

    fn state(&self, customer: usize, rules: &[Rule], which: usize) -> Option<&'static str> {
        let rule = &rules[which];
        if !self.matches(customer, rule) {
            return None;
        }
        let due_on = match self.started(customer, &rule.after) {
            Started::Unrelated => return Some("unrelated"),
            Started::Unreadable => return Some("unreadable"),
            Started::NotYet => return Some("waiting"),
            Started::On(day) => day + rule.keep + 1,
        };
        if due_on > TODAY {
            return Some("running");
        }
        if self.spares(customer, rule) {
            return Some("spared");
        }
        let overrules = |(place, other): (usize, &Rule)| {
            // Where it is in doubt whether it means the record, it counts as if it did.
            let may_match = other.only_if.is_none_or(|filtered| self.has_row(customer, filtered, true));
            if place == which || !may_match {
                return false;
            }
            match self.started(customer, &other.after) {
                Started::Unrelated => false,
                Started::Unreadable | Started::NotYet => true,
                Started::On(day) => {
                    let theirs = day + other.keep + 1;
                    let surely_spares =
                        other.unless.is_some_and(|filtered| self.has_row(customer, filtered, false));
                    let is_later = theirs > due_on || (theirs == due_on && place < which);
                    theirs > TODAY || (is_later && !surely_spares)
                }
            }
        };
        Some(if rules.iter().enumerate().any(overrules) { "overruled" } else { "due" })
    }
}

impl Side {
    fn is_own(self) -> bool {
        !matches!(self, Side::Calls { .. })
    }

    fn toml(self, optional: bool, (layout, on): (Layout, On)) -> String {
        let name = match self {
            Side::A => "a",
            Side::B => "b",
            Side::Calls { filtered } => {
                let condition = if filtered { ", where = \"kind = 1\"" } else { "" };
                let calls = layout.calls();
                let on = on.toml();
                return format!("{{ table = \"{calls}\", column = \"at\", on = {on}{condition} }}");
            }
        };
        if optional { format!("{{ column = \"{name}\", optional = true }}") } else { format!("\"{name}\"") }
    }
}

fn policy(rules: &[Rule], layout: Layout, on: On) -> String {
    let mut text = format!("{WITHOUT_LIMIT}{}", layout.sources());
    let (data, calls) = (layout.customers(), layout.calls());
    for (place, rule) in rules.iter().enumerate() {
        let after = match &rule.after {
            After::One(side) => side.toml(false, (layout, on)),
            After::Latest(parts) => {
                let parts: Vec<String> =
                    parts.iter().map(|(side, optional)| side.toml(*optional, (layout, on))).collect();
                format!("{{ latest = [{}] }}", parts.join(", "))
            }
            After::Earliest(sides) => {
                let sides: Vec<String> = sides.iter().map(|side| side.toml(false, (layout, on))).collect();
                format!("{{ earliest = [{}] }}", sides.join(", "))
            }
        };
        let keep = rule.keep;
        writeln!(
            text,
            "[[rule]]\nname = \"r{place}\"\ndata = \"{data}\"\nkeep = \"{keep} days\"\nafter = {after}"
        )
        .unwrap();
        for (key, filtered) in [("unless", rule.unless), ("only-if", rule.only_if)] {
            if let Some(filtered) = filtered {
                let condition = if filtered { ", where = \"kind = 1\"" } else { "" };
                let on = on.toml();
                writeln!(text, "{key} = [{{ table = \"{calls}\", on = {on}{condition} }}]").unwrap();
            }
        }
    }
    text
}

fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        1 => Just(Cell::Null), 1 => Just(Cell::Blank), 1 => Just(Cell::Wrong), 9 => (1_i64..=365).prop_map(Cell::Day)
    ]
}

fn other() -> impl Strategy<Value = Other> {
    let kind = prop_oneof![
        5 => Just(KindOfRow::One), 3 => Just(KindOfRow::Two), 1 => Just(KindOfRow::Null), 1 => Just(KindOfRow::Text)
    ];
    let at = prop_oneof![1 => cell(), 6 => (1_i64..=365).prop_map(Cell::Day)];
    (any_tenant(), proptest::option::weighted(0.95, 0..14_u8), at, kind)
        .prop_map(|(tenant, customer, at, kind)| Other { tenant, customer, at, kind })
}

fn world() -> impl Strategy<Value = World> {
    let customers = proptest::collection::vec([cell(), cell()], 12);
    let tenants = proptest::collection::vec(any_tenant(), 12);
    let calls = proptest::collection::vec(other(), 0..25);
    (customers, tenants, calls, any_on(), any_layout())
        .prop_map(|(customers, tenants, calls, on, layout)| World { customers, tenants, calls, on, layout })
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::A), Just(Side::B), any::<bool>().prop_map(|filtered| Side::Calls { filtered })]
}

fn rule() -> impl Strategy<Value = Rule> {
    let own = prop_oneof![Just(Side::A), Just(Side::B)];
    let after = prop_oneof![
        side().prop_map(After::One),
        proptest::collection::vec((side(), any::<bool>()), 1..4).prop_map(After::Latest),
        proptest::collection::vec(own, 1..3).prop_map(After::Earliest),
    ];
    let question = || proptest::option::weighted(0.4, any::<bool>());
    (after, 1_i64..300, question(), question()).prop_map(|(after, keep, unless, only_if)| Rule {
        after,
        keep,
        unless,
        only_if,
    })
}

proptest! {
    #![proptest_config(crate::depth::config(60))]

    #[test]
    fn every_state_is_what_the_language_says(
        world in world(), rules in proptest::collection::vec(rule(), 1..4)
    ) {
        let place = Place::in_memory();
        let layout = world.layout;
        let policy = policy(&rules, layout, world.on);
        place.write_policy(&policy);
        layout.write(&world, &place);
        let mut words = REPORT.to_vec();
        words.extend(["--list", "--all"]);
        let report = place.at(NOW, &words);
        let mut due: BTreeSet<usize> = BTreeSet::new();
        for which in 0..rules.len() {
            let expected: BTreeMap<String, &str> = (0..world.customers.len())
                .filter_map(|id| Some((layout.key(id), world.state(id, &rules, which)?)))
                .collect();
            due.extend((0..world.customers.len()).filter(|id| world.state(*id, &rules, which) == Some("due")));
            let told = report.rule(&format!("r{which}"));
            let records = told["records"].as_array().unwrap();
            let listed: BTreeMap<String, &str> = records
                .iter()
                .map(|record| (record["key"].as_str().unwrap().to_owned(), record["state"].as_str().unwrap()))
                .collect();
            prop_assert_eq!(&listed, &expected, "{}", policy);
            for state in ["due", "running", "waiting", "spared", "overruled", "unreadable", "unrelated"] {
                let count = expected.values().filter(|expected| **expected == state).count() as u64;
                prop_assert_eq!(told[state].as_u64(), Some(count), "{}", state);
            }
            let matched = expected.values().filter(|state| **state != "unrelated").count() as u64;
            prop_assert_eq!(told["matched"].as_u64(), Some(matched));
        }
        place.at(NOW, &PURGE);
        let kept: BTreeSet<usize> = (0..world.customers.len()).filter(|id| !due.contains(id)).collect();
        prop_assert_eq!(layout.left(&place), kept, "{}", policy);
    }
}
