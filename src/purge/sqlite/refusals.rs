//! Records that a trigger or a constraint of the database does not let go: they stay, and are named.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::ErrorCode;

use crate::dataset::Problem;

/// How many records are named; all are counted.
const NAMED: usize = 5;

/// The longest key, and the longest words of the database, that are told whole, in characters.
const LONGEST: usize = 120;

/// One record that stays, and what the database said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) key: String,
    pub(super) why: String,
}

impl Refusal {
    pub(super) fn new(columns: &[String], key: &str, why: &str) -> Refusal {
        Refusal { key: format!("{} {}", columns.join(","), on_a_line(key)), why: on_a_line(why) }
    }
}

/// The records of one rule that stay.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// Some of those that were met in this pass over the table.
    named: Vec<Refusal>,
    count: u64,
    /// Those that stand in units, by their row numbers: not every pass asks for them again.
    units: HashMap<i64, Refusal>,
}

impl Refusals {
    /// A pass over the table begins, which meets those again that still stay.
    pub(super) fn begin_pass(&mut self) {
        self.named.clear();
        self.count = 0;
    }

    pub(super) fn add(&mut self, refusals: Vec<Refusal>) {
        self.count += refusals.len() as u64;
        self.named.extend(refusals.into_iter().take(NAMED.saturating_sub(self.named.len())));
    }

    /// Rows of units stay.
    pub(super) fn add_rows(&mut self, rows: Vec<(i64, Refusal)>) {
        self.units.extend(rows);
    }

    /// A row of a unit went after all.
    pub(super) fn forget_row(&mut self, row: i64) {
        self.units.remove(&row);
    }

    pub(super) fn count(&self) -> u64 {
        self.count + self.units.len() as u64
    }

    /// All of them in one sentence; none where nothing was refused.
    pub(super) fn problem(&self, database: &Path, deletes: bool) -> Option<Problem> {
        let mut rows: Vec<&i64> = self.units.keys().collect();
        rows.sort_unstable();
        let named = self.named.iter().chain(rows.iter().map(|row| &self.units[row])).take(NAMED);
        let words: Vec<String> = named.map(|Refusal { key, why }| format!("{key} ({why})")).collect();
        let left = self.count() - words.len() as u64;
        let more = if left > 0 { format!(" and {left} more") } else { String::new() };
        let deed = if deletes { "go" } else { "be changed" };
        let (records, refuses) = match self.count() {
            0 => return None,
            1 => ("1 due record stays".to_string(), "it"),
            count => (format!("{count} due records stay"), "them"),
        };
        let message = format!(
            "{}: {records}, for a trigger or a constraint of the database does not let {refuses} {deed}: {}{more}; \
             change what refuses {refuses}, and run again",
            database.display(),
            words.join(", ")
        );
        Some(Problem::new("constraint", message))
    }
}

/// Whether an error of a statement is about the row in hand, and others may go. What cannot even be
/// prepared is about all of them, and comes another way.
pub(super) fn is_refusal(error: &rusqlite::Error) -> bool {
    use ErrorCode::{ConstraintViolation, TooBig, TypeMismatch, Unknown};
    matches!(error.sqlite_error_code(), Some(ConstraintViolation | TypeMismatch | TooBig | Unknown))
}

/// Data may hold anything, and is to forge no line.
fn on_a_line(text: &str) -> String {
    let mut line: String = text
        .chars()
        .take(LONGEST)
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(number: u64) -> Refusal {
        Refusal { key: format!("id {number}"), why: "no".to_string() }
    }

    fn told(refusals: &Refusals) -> String {
        refusals.problem(Path::new("a.db"), true).unwrap().message
    }

    #[test]
    fn some_are_named_and_all_are_counted() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.problem(Path::new("a.db"), true), None);
        refusals.add(vec![refusal(7)]);
        assert!(told(&refusals).contains("1 due record stays") && told(&refusals).contains("id 7 (no);"));
        refusals.add((8..=1_000).map(refusal).collect());
        assert_eq!(refusals.count(), 994);
        assert!(told(&refusals).contains("id 11 (no) and 989 more"), "{}", told(&refusals));
    }

    #[test]
    fn each_pass_counts_anew_but_rows_of_units_stay_until_they_go() {
        let mut refusals = Refusals::default();
        refusals.add(vec![refusal(1)]);
        refusals.add_rows(vec![(2, refusal(2))]);
        refusals.begin_pass();
        refusals.add(vec![refusal(1)]);
        assert_eq!(refusals.count(), 2);
        refusals.forget_row(2);
        assert_eq!(refusals.count(), 1);
    }

    #[test]
    fn a_key_forges_no_line() {
        assert_eq!(on_a_line("a\nb\u{1b}[2J"), "a b [2J");
        assert_eq!(on_a_line(&"x".repeat(LONGEST + 1)), "x".repeat(LONGEST) + "…");
    }
}
