//! A record's state, with its reason: pure, and decided in this one place.
//!
//! A [`Evaluator`] holds all rules on one table as of one instant. It judges a record from the
//! values of its columns, wherever they come from, so that report and purge cannot disagree.

mod anonymised;
mod common_case;
mod compiled_rule;
mod elsewhere;
mod evaluator;
mod length;
mod newest;
mod related;
mod started;
mod tally;

use crate::anonymise::Illegible;
use crate::calendar::{Event, Timestamp, Unreadable, UnreadablePeriod};

pub use common_case::{CommonCase, CommonTally};
pub use elsewhere::{Answers, KeyUnreadable};
pub use evaluator::{Evaluator, Keeper};
pub use newest::{Counting, Guard, Search};
pub use related::{Answer, AnswerCell, Asked, Found, Lasting, LatestOf, LongestOf, Match, Question};
pub use tally::{Counts, Extremes, Tally};

/// The state of a record under a rule that matches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Its event, condition or period, or what is to be set, cannot be read. It is kept.
    Unreadable,
    /// The rule does not apply: what would start its clock are related rows, and there are none.
    Unrelated,
    /// Its clock has not started, or nobody has said yet how long it is kept.
    Waiting,
    /// Its period is not over.
    Running,
    /// A related row speaks for it.
    Spared,
    /// Another rule on the same record keeps it longer.
    Overruled,
    /// It is anonymised already.
    Done,
    /// `keep-newest` keeps it, past its period, which is what that is for.
    Newest,
    /// Something other than a rule's period keeps it.
    Blocked,
    /// It is to go.
    Due,
}

impl State {
    /// How many states there are.
    pub(crate) const COUNT: usize = State::Due as usize + 1;

    /// The name in JSON, where `keep-newest` is one of the things that block a record.
    pub fn word(self) -> &'static str {
        match self {
            State::Unreadable => "unreadable",
            State::Unrelated => "unrelated",
            State::Waiting => "waiting",
            State::Running => "running",
            State::Spared => "spared",
            State::Overruled => "overruled",
            State::Done => "done",
            State::Newest | State::Blocked => "blocked",
            State::Due => "due",
        }
    }

    /// The name in tables, lists and sentences.
    pub fn told(self) -> &'static str {
        match self {
            State::Waiting => "not started",
            State::Running => "in period",
            State::Newest => "newest",
            other => other.word(),
        }
    }
}

/// Why a record is in its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The event's value cannot be read.
    Event(Unreadable),
    /// A time of a related row cannot be read; the place of the answer among the cells.
    Related(usize),
    /// The period in its own data cannot be read; the place of its column.
    Period {
        /// The column's place among the rule book's columns.
        cell: usize,
        /// What is wrong with it.
        why: UnreadablePeriod,
    },
    /// A period of a related row cannot be read; the place of the answer among the cells.
    RelatedPeriod(usize),
    /// No row is related that could start the clock.
    NoneRelated,
    /// A related row speaks for the record; the place of the answer among the cells.
    Spared(usize),
    /// A column of `when` cannot be read; its place among the rule book's columns.
    Condition(usize),
    /// Its line or entry is not a proper one, and so no value of it is read.
    Malformed(&'static str),
    /// The event is empty.
    NotStarted,
    /// Nothing says yet how long it is kept.
    NotInstructed,
    /// The event's due date decides.
    Date,
    /// This rule, by its place in the book, keeps the record longer.
    Rule(usize),
    /// This rule, by its place in the book, deletes the record.
    DeletedBy(usize),
    /// It goes along with another record.
    GoesAlong,
    /// A column to be set cannot be read; its place among the rule book's columns.
    Set(usize, Illegible),
    /// It already reads as the rule would leave it.
    Done,
    /// This rule, by its place in the book, keeps the newest records.
    Newest(usize),
    /// A row that stays refers to it; which key, as a number that its source can read.
    Referred(i64),
    /// The record cannot be seen whole.
    NotSeen,
}

/// A record's state under one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The state.
    pub state: State,
    /// The event, where it can be read.
    pub event: Option<Event>,
    /// From when it is due, where its own data says how long it is kept.
    pub due: Option<Timestamp>,
    /// Why.
    pub reason: Reason,
}

impl Verdict {
    /// That of a record which is not a proper one, under every rule.
    pub fn malformed(why: &'static str) -> Verdict {
        Verdict::unreadable(Reason::Malformed(why))
    }

    /// The state of what cannot be read.
    pub fn unreadable(reason: Reason) -> Verdict {
        Verdict { state: State::Unreadable, event: None, due: None, reason }
    }

    /// The state of what nothing deletes yet.
    fn waiting(reason: Reason) -> Verdict {
        Verdict { state: State::Waiting, event: None, due: None, reason }
    }

    /// What is alike in all verdicts by due date.
    const DATED: Verdict = Verdict { state: State::Running, event: None, due: None, reason: Reason::Date };
}
