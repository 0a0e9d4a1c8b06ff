//! The commonest question without a detour: one rule, no condition, a time in its commonest
//! spelling. It is asked of millions of records in a pass, and answered as the rule book does.

use super::compiled_rule::CompiledRule;
use super::{Evaluator, State, Tally};
use crate::calendar::{CommonTime, Event, Timestamp};

/// Judges records whose time is written in the commonest way.
#[derive(Clone, Copy, Debug)]
pub struct CommonCase {
    /// The place of the column among the book's.
    pub column: usize,
    spelling: CommonTime,
    /// The last second that is due.
    last_due: i64,
}

/// What was counted of them.
#[derive(Clone, Copy, Debug)]
pub struct CommonTally {
    case: CommonCase,
    running: Seen,
    due: Seen,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    records: u64,
    earliest: i64,
}

impl Evaluator {
    /// The common case of this book; none where its answers need more than one column.
    pub fn common_case(&self) -> Option<CommonCase> {
        let [clause @ CompiledRule { when: None, newest: None, .. }] = &self.clauses[..] else {
            return None;
        };
        let is_plain = self.questions.is_empty() && clause.deletes();
        let (column, timestamps) = clause.starts.only_column().filter(|_| is_plain)?;
        let cutoff = clause.cutoff()?;
        Some(CommonCase {
            column,
            spelling: timestamps.common()?,
            last_due: cutoff.last_due_instant().map_or(i64::MIN, Timestamp::seconds),
        })
    }
}

impl CommonCase {
    /// Whether a record is due; none where its time is written in another way, and the book is to
    /// be asked.
    #[inline(always)]
    pub fn is_due(&self, text: &[u8]) -> Option<bool> {
        Some(self.spelling.seconds(text)? <= self.last_due)
    }
}

impl CommonTally {
    /// Nothing counted yet.
    pub fn new(case: CommonCase) -> CommonTally {
        let nothing = Seen { records: 0, earliest: i64::MAX };
        CommonTally { case, running: nothing, due: nothing }
    }

    /// Counts a record; false where the book is to be asked.
    #[inline(always)]
    pub fn count(&mut self, text: &[u8]) -> bool {
        let Some(seconds) = self.case.spelling.seconds(text) else { return false };
        let is_due = seconds <= self.case.last_due;
        // Without a branch: which state comes next cannot be foretold.
        self.due.add(is_due, seconds);
        self.running.add(!is_due, seconds);
        true
    }

    /// Adds what was counted to the tally of the book's rule.
    pub fn add_to(&self, tally: &mut Tally) {
        for (state, seen) in [(State::Running, self.running), (State::Due, self.due)] {
            if seen.records > 0 {
                let earliest = Event::At(Timestamp::from_unix(seen.earliest, 0));
                tally.add_many(state, seen.records, earliest);
            }
        }
    }
}

impl Seen {
    #[inline(always)]
    fn add(&mut self, is_meant: bool, seconds: i64) {
        self.records += u64::from(is_meant);
        self.earliest = self.earliest.min(if is_meant { seconds } else { i64::MAX });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::tests::{rule, valid};
    use crate::value::Value;

    fn book(lines: &str, now: i64) -> Evaluator {
        let policy = valid(&rule(lines));
        Evaluator::new(&policy.rules, Timestamp::from_unix(now, 0))
    }

    /// Midnight in Copenhagen before 2026-11-20: what is dated 2025-11-19 there has just become due.
    const NOW: i64 = 1_795_129_200;

    #[test]
    fn only_one_rule_without_a_condition_is_the_common_case() {
        let after = "keep = \"1 year\"\nafter = \"at\"";
        assert_eq!(book(after, NOW).common_case().map(|case| case.column), Some(0));
        assert!(book(&format!("{after}\nwhen = \"kind = 'x'\""), NOW).common_case().is_none());
        let policy = valid(&[rule(after), rule(after).replace("billing", "other")].concat());
        assert!(Evaluator::new(&policy.rules, Timestamp::from_unix(NOW, 0)).common_case().is_none());
        for table in ["formats = { at = \"unix\" }", "empty = [\"2025-01-01T00:00:00Z\"]"] {
            let policy = valid(&format!("[source.app.table.invoices]\n{table}\n{}", rule(after)));
            assert!(
                Evaluator::new(&policy.rules, Timestamp::from_unix(NOW, 0)).common_case().is_none(),
                "{table}"
            );
        }
    }

    #[test]
    fn the_last_second_that_is_due_is_due() {
        let book = book("keep = \"1 year\"\nafter = \"at\"", NOW);
        let case = book.common_case().unwrap();
        let (last, next) = (b"2025-11-19T22:59:59Z", b"2025-11-19T23:00:00Z");
        assert_eq!([case.is_due(last), case.is_due(next)], [Some(true), Some(false)]);
        let mut common = CommonTally::new(case);
        assert!(common.count(last) && common.count(next));
        let mut tally = Tally::default();
        common.add_to(&mut tally);
        assert_eq!([tally.records(State::Due), tally.records(State::Running)], [1, 1]);
    }

    fn written() -> impl Strategy<Value = String> {
        let near = (-200_000..200_000_i64).prop_map(|apart| NOW - 31_536_000 + apart);
        let seconds = prop_oneof![near, -2_300_000_000..10_500_000_000_i64];
        let common = (seconds, 0..4_usize).prop_map(|(seconds, form)| {
            let at = chrono::DateTime::from_timestamp(seconds, 0).unwrap();
            let form =
                ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S+01:00"][form];
            at.format(form).to_string()
        });
        let wrong = prop::sample::select(vec!["", " ", "x", "2025-02-29T00:00:00Z", "2025-01-01T24:00:00Z"]);
        prop_oneof![8 => common, 1 => wrong.prop_map(str::to_owned)]
    }

    proptest! {
        #[test]
        fn it_answers_as_the_book_does(
            texts in proptest::collection::vec(written(), 0..30),
            keep in prop::sample::select(vec!["1 year", "at most 1 year", "immediately", "200 years", "36 hours"]),
        ) {
            let book = book(&format!("keep = \"{keep}\"\nafter = \"at\""), NOW);
            let case = book.common_case().unwrap();
            let mut common = CommonTally::new(case);
            let (mut quick, mut slow) = ([Tally::default()], [Tally::default()]);
            for text in &texts {
                let row = |_: usize| Value::Text(text.as_bytes());
                Tally::count(&mut slow, &book, &row);
                if !common.count(text.as_bytes()) {
                    Tally::count(&mut quick, &book, &row);
                }
                let is_due = case.is_due(text.as_bytes());
                prop_assert!(is_due.is_none_or(|is_due| is_due == book.is_due(0, &row)), "{}", text);
            }
            common.add_to(&mut quick[0]);
            prop_assert_eq!(quick, slow);
        }
    }
}
