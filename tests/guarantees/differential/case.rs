//! A model, written in one way: what frist says of it and does to it, against what is expected.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::super::support::{PURGE, Place, REPORT, Ran};
use super::layout::{Held, Home, Layout};
use super::model::Model;
use super::oracle::Judged;
use super::{Expected, STATES, files, policy, tables};

/// One layout of a model, with what is expected of it.
pub(super) struct Case<'m> {
    pub(super) model: &'m Model,
    pub(super) expected: &'m Expected,
    pub(super) layout: &'m Layout,
    pub(super) place: Place,
}

impl Case<'_> {
    pub(super) fn run(&self) {
        std::fs::write(self.place.policy(), policy::text(self.model, self.layout)).unwrap();
        self.layout.write(self.model, &self.place);
        let before = self.held();
        self.check_report();
        let first = self.frist(&PURGE);
        let left = self.held();
        for (table, before) in before.into_iter().enumerate() {
            assert_eq!(left[table], self.after(table, before), "what is left of table {table}");
        }
        let second = self.frist(&PURGE);
        assert_eq!(self.held(), left, "a second purge found something to do");
        self.check_deeds(&first, &second);
    }

    fn frist(&self, arguments: &[&str]) -> Ran {
        let now = self.model.now.format("%FT%TZ").to_string();
        let ran = self.place.at(&now, arguments);
        assert!(ran.code == 0 || ran.code == 3, "{arguments:?}: {ran:?}");
        ran
    }

    fn held(&self) -> Vec<Held> {
        let tables = 0..self.model.tables.len();
        tables.map(|table| self.layout.held(self.model, table, &self.place)).collect()
    }

    fn check_report(&self) {
        let words = [&REPORT[..], &["--list", "--all"]].concat();
        let report = self.frist(&words);
        for (place, expected) in self.expected.iter().enumerate() {
            let told = report.rule(&format!("r{place}"));
            let keys = self.layout.keys(self.model, self.model.rules[place].table);
            let known = keys.into_iter().zip(expected);
            let known: BTreeMap<String, Judged> =
                known.filter_map(|(key, one)| Some((key, (*one)?))).collect();
            let Some(records) = told["records"].as_array() else {
                panic!("no records of r{place}: {report:?}")
            };
            let listed: BTreeMap<String, (&str, Option<DateTime<Utc>>)> = records
                .iter()
                .map(|record| {
                    let due = record["due_from"].as_str();
                    let due = due.map(|due| DateTime::parse_from_rfc3339(due).unwrap().to_utc());
                    (record["key"].as_str().unwrap().to_owned(), (record["state"].as_str().unwrap(), due))
                })
                .collect();
            assert_same(place, &listed, &known);
            for state in STATES {
                let count = known.values().filter(|(known, _)| *known == state).count() as u64;
                assert_eq!(told[state].as_u64(), Some(count), "{state} under r{place}");
            }
        }
    }

    /// A table after a purge.
    fn after(&self, table: usize, mut held: Held) -> Held {
        let model = self.model;
        let first_person = 6 + model.tables[table].times.len();
        for (number, row) in model.tables[table].rows.iter().enumerate() {
            let acting = (0..model.rules.len())
                .filter(|rule| model.rules[*rule].table == table && model.rules[*rule].enforce);
            let acting = acting.filter_map(|rule| Some((rule, self.expected[rule][number]?)));
            for (rule, (state, due)) in acting {
                if state == "due" && model.rules[rule].deletes() {
                    held.remove(&number);
                } else if state == "due" {
                    for (column, made) in model.made(rule, row, due.unwrap()) {
                        let becomes = match &self.layout.homes[table] {
                            Home::Database(_) => tables::after(&made, &model.tables[table], column),
                            Home::Csv(_) => files::after(&made),
                        };
                        let cell = held.get_mut(&number).map(|cells| &mut cells[first_person + column]);
                        if let (Some(cell), Some(becomes)) = (cell, becomes) {
                            *cell = becomes;
                        }
                    }
                }
            }
        }
        held
    }

    fn check_deeds(&self, first: &Ran, second: &Ran) {
        for (place, _) in self.model.rules.iter().enumerate().filter(|(_, rule)| rule.enforce) {
            let is_due = |one: &&Option<Judged>| one.is_some_and(|(state, _)| state == "due");
            let due = self.expected[place].iter().filter(is_due).count() as u64;
            let done = |ran: &Ran| {
                let told = ran.rule(&format!("r{place}"));
                let deeds = ["deleted", "anonymised", "pseudonymised"];
                deeds.iter().filter_map(|deed| told[deed].as_u64()).sum::<u64>()
            };
            assert_eq!(done(first), due, "done under r{place}: {first:?}");
            assert_eq!(done(second), 0, "done again under r{place}: {second:?}");
        }
    }
}

fn assert_same(
    place: usize,
    listed: &BTreeMap<String, (&str, Option<DateTime<Utc>>)>,
    known: &BTreeMap<String, Judged>,
) {
    for key in listed.keys().chain(known.keys()) {
        let (found, wanted) = (listed.get(key), known.get(key));
        assert_eq!(found, wanted, "frist, and the oracle, of {key} under r{place}");
    }
}
