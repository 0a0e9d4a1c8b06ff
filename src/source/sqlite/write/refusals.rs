//! Records that a trigger or a constraint of the database does not let go: they stay, and are named.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::diagnostic::Code;
use crate::source::Problem;

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
    named: Vec<Refusal>,
    count: u64,
}

impl Refusals {
    pub(super) fn add(&mut self, refusals: Vec<Refusal>) {
        self.count += refusals.len() as u64;
        self.named.extend(refusals.into_iter().take(NAMED.saturating_sub(self.named.len())));
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// All of them in one sentence; none where nothing was refused.
    pub(super) fn problem(&self, database: &Path, deletes: bool) -> Option<Problem> {
        let words: Vec<String> =
            self.named.iter().map(|Refusal { key, why }| format!("{key} ({why})")).collect();
        let left = self.count - words.len() as u64;
        let more = if left > 0 { format!(" and {left} more") } else { String::new() };
        let deed = if deletes { "go" } else { "be changed" };
        let (records, refuses) = match self.count {
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
        Some(Problem::new(Code::Constraint, message))
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
    fn a_key_forges_no_line() {
        assert_eq!(on_a_line("a\nb\u{1b}[2J"), "a b [2J");
        assert_eq!(on_a_line(&"x".repeat(LONGEST + 1)), "x".repeat(LONGEST) + "…");
    }
}
