//! Which records are the newest: all of the table, put in order.

use chrono::{DateTime, Utc};

use super::condition::Truth;
use super::data::Row;
use super::model::Model;
use super::period::Length;
use super::rule::Rule;
use super::started::{Kept, Started};

impl Model {
    /// Whether any rule on the table of this one keeps a record as one of the newest.
    pub(super) fn is_newest(&self, place: usize, row: &Row) -> bool {
        let table = self.rules[place].table;
        self.rules.iter().filter(|rule| rule.table == table).any(|rule| self.keeps_newest(rule, row))
    }

    fn keeps_newest(&self, rule: &Rule, row: &Row) -> bool {
        let Some((count, per)) = &rule.newest else { return false };
        let Some(own) = self.over(rule, row) else { return false };
        let group =
            |row: &Row| -> Vec<Option<String>> { per.iter().map(|column| held(row, column)).collect() };
        let rows: Vec<&Row> =
            self.tables[rule.table].rows.iter().filter(|other| group(other) == group(row)).collect();
        let is_kept = |rows: Vec<&Row>| {
            let mut all: Vec<DateTime<Utc>> = rows.iter().filter_map(|row| self.over(rule, row)).collect();
            all.sort_unstable();
            all.reverse();
            all.truncate(*count);
            all.contains(&own)
        };
        let about: Vec<&Row> = rows.iter().copied().filter(|row| self.is_about(rule, row)).collect();
        is_kept(rows) || (self.is_about(rule, row) && is_kept(about))
    }

    fn is_about(&self, rule: &Rule, row: &Row) -> bool {
        rule.when.as_ref().is_none_or(|when| when.answer(row) == Truth::Yes)
            && rule.only_if.iter().all(|relation| self.has(relation, row, &[Truth::Yes]))
    }

    /// When what starts the clock is over; none where that cannot be read, or is in the future.
    fn over(&self, rule: &Rule, row: &Row) -> Option<DateTime<Utc>> {
        let at_once = Kept::For(vec![Length::Elapsed { minutes: 0 }], None);
        let uncounted = Rule { counted: None, ..rule.clone() };
        let Started::At(event) = self.started(&uncounted, row, &at_once) else { return None };
        Some(self.due(&uncounted, event, &at_once)).filter(|over| *over <= self.now)
    }
}

fn held(row: &Row, column: &str) -> Option<String> {
    match column {
        "kind" => row.kind.clone(),
        "n" => row.number.text(),
        _ => row.reference.clone(),
    }
}
