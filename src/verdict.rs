//! A record's state, with its reason: pure, and decided in this one place.
//!
//! A [`RuleBook`] holds all rules on one table as of one instant. It judges a record from the
//! values of its columns, wherever they come from, so that report and purge cannot disagree.

mod common_case;
mod newest;
mod tally;

use crate::calendar::{Cutoff, Event, Instant, Period, Reading, Schedule, Timestamps, Unreadable};
use crate::condition::{Condition, Truth};
use crate::policy::Rule;
use crate::value::Value;

pub use common_case::{CommonCase, CommonTally};
pub use newest::{Newest, Protection};
pub use tally::{Counts, Extremes, Tally};

/// The state of a record under a rule that matches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Its event or condition cannot be read. It is kept.
    Unreadable,
    /// Its clock has not started.
    Waiting,
    /// Its period is not over.
    Running,
    /// Another rule on the same record keeps it longer.
    Overruled,
    /// Something other than a rule's period keeps it.
    Blocked,
    /// It is to go.
    Due,
}

impl State {
    /// How many states there are.
    pub(crate) const COUNT: usize = State::Due as usize + 1;

    /// The name in JSON.
    pub fn word(self) -> &'static str {
        match self {
            State::Unreadable => "unreadable",
            State::Waiting => "waiting",
            State::Running => "running",
            State::Overruled => "overruled",
            State::Blocked => "blocked",
            State::Due => "due",
        }
    }
}

/// Why a record is in its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The event's value cannot be read.
    Event(Unreadable),
    /// A column of `when` cannot be read; its place among the rule book's columns.
    Condition(usize),
    /// Its line or entry is not a proper one, and so no value of it is read.
    Malformed(&'static str),
    /// The event is empty.
    NotStarted,
    /// The event's due date decides.
    Date,
    /// This rule, by its place in the book, keeps the record longer.
    Rule(usize),
    /// This rule, by its place in the book, keeps the newest records.
    Newest(usize),
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
        Verdict { state: State::Unreadable, event: None, reason }
    }
}

/// One rule, ready to judge.
#[derive(Clone, Debug)]
struct Clause {
    schedule: Schedule,
    cutoff: Cutoff,
    timestamps: Timestamps,
    event_column: usize,
    when: Option<(Condition, Vec<usize>)>,
    /// Which events are not in the future, where that matters.
    past: Option<Cutoff>,
    keep_newest: Option<u64>,
    protection: Protection,
}

/// All rules on one table, as of one instant.
#[derive(Clone, Debug)]
pub struct RuleBook {
    columns: Vec<String>,
    clauses: Vec<Clause>,
}

impl RuleBook {
    /// The book of some rules, which must all be about the same table.
    pub fn new<'r>(rules: impl IntoIterator<Item = &'r Rule>, now: Instant) -> RuleBook {
        let mut book = RuleBook { columns: Vec::new(), clauses: Vec::new() };
        for rule in rules {
            let clause = Clause {
                event_column: book.column(&rule.column),
                when: rule.when.as_ref().map(|when| {
                    let columns = when.columns().iter().map(|column| book.column(column)).collect();
                    (when.clone(), columns)
                }),
                cutoff: rule.schedule.cutoff(now),
                schedule: rule.schedule.clone(),
                timestamps: rule.timestamps.clone(),
                past: rule.keep_newest.and_then(|_| past(rule, now)),
                keep_newest: rule.keep_newest,
                protection: rule.keep_newest.map_or(Protection::None, |_| Protection::Unknown),
            };
            book.clauses.push(clause);
        }
        book
    }

    fn column(&mut self, name: &str) -> usize {
        let known = self.columns.iter().position(|column| column == name);
        known.unwrap_or_else(|| {
            self.columns.push(name.to_string());
            self.columns.len() - 1
        })
    }

    /// The columns that the rules read; `judge` asks for them by their place here.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How many rules the book holds.
    pub fn len(&self) -> usize {
        self.clauses.len()
    }

    /// Whether the book holds no rule.
    pub fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }

    /// The cutoff of one rule.
    pub fn cutoff(&self, rule: usize) -> &Cutoff {
        &self.clauses[rule].cutoff
    }

    /// When a record with this event is due under one rule.
    pub fn due_from(&self, rule: usize, event: Event) -> Instant {
        self.clauses[rule].schedule.due_from(event)
    }

    /// The place of the column whose time starts a rule's period, and how it is written.
    pub fn event_of(&self, rule: usize) -> (usize, &Timestamps) {
        (self.clauses[rule].event_column, &self.clauses[rule].timestamps)
    }

    /// How many of the newest records a rule keeps.
    pub fn keep_newest(&self, rule: usize) -> Option<u64> {
        self.clauses[rule].keep_newest
    }

    /// Says that no record is kept for being one of the newest: to see whether it would matter.
    pub fn keep_nothing(&mut self) {
        self.clauses.iter_mut().for_each(|clause| clause.protection = Protection::None);
    }

    /// Says which are the newest records that a rule keeps. Until then it keeps all.
    pub fn protect(&mut self, rule: usize, protection: Protection) {
        self.clauses[rule].protection = protection;
    }

    /// The event that makes a record one of those among which a rule keeps the newest, and
    /// whether the rule matches it.
    pub fn counted<'v>(&self, rule: usize, row: &impl Fn(usize) -> Value<'v>) -> Option<(Event, bool)> {
        let clause = &self.clauses[rule];
        let event = clause.past_event(row)?;
        Some((event, clause.matches(row)))
    }

    /// A record's state under one rule; none where the rule does not match it.
    #[inline]
    pub fn judge<'v>(&self, rule: usize, row: &impl Fn(usize) -> Value<'v>) -> Option<Verdict> {
        let own = self.clauses[rule].opinion(row)?;
        if self.is_single() || own.state != State::Due {
            return Some(own);
        }
        let others = (0..self.clauses.len()).filter(|other| *other != rule);
        let overruling = others.into_iter().find(|other| self.overrules(*other, rule, &own, row));
        Some(match overruling {
            Some(other) => Verdict { state: State::Overruled, reason: Reason::Rule(other), ..own },
            None => self.unless_newest(own, row),
        })
    }

    /// Whether one rule alone decides.
    #[inline]
    fn is_single(&self) -> bool {
        matches!(self.clauses[..], [Clause { keep_newest: None, .. }])
    }

    fn unless_newest<'v>(&self, own: Verdict, row: &impl Fn(usize) -> Value<'v>) -> Verdict {
        match self.clauses.iter().position(|clause| clause.protects(row)) {
            Some(rule) => Verdict { state: State::Blocked, reason: Reason::Newest(rule), ..own },
            None => own,
        }
    }

    /// Whether a record is due under one rule, all others considered.
    #[inline]
    pub fn is_due<'v>(&self, rule: usize, row: &impl Fn(usize) -> Value<'v>) -> bool {
        self.judge(rule, row).is_some_and(|verdict| verdict.state == State::Due)
    }

    /// Longest wins: whether rule `other` keeps a record that is due under `rule`.
    fn overrules<'v>(
        &self,
        other: usize,
        rule: usize,
        own: &Verdict,
        row: &impl Fn(usize) -> Value<'v>,
    ) -> bool {
        let Some(opinion) = self.clauses[other].opinion(row) else { return false };
        let (State::Due, Some(event), Some(own_event)) = (opinion.state, opinion.event, own.event) else {
            return true;
        };
        let (theirs, ours) = (self.due_from(other, event), self.due_from(rule, own_event));
        theirs > ours || (theirs == ours && other < rule)
    }
}

/// The cutoff between what has happened and what is still to come.
fn past(rule: &Rule, now: Instant) -> Option<Cutoff> {
    let at_once = Period::parse("immediately").ok()?;
    Some(Schedule::new(rule.schedule.zone(), None, at_once).cutoff(now))
}

impl Clause {
    fn matches<'v>(&self, row: &impl Fn(usize) -> Value<'v>) -> bool {
        let Some((when, columns)) = &self.when else { return true };
        when.eval(|column| row(columns[column])).matches()
    }

    /// The event, where it can be read and is not in the future.
    fn past_event<'v>(&self, row: &impl Fn(usize) -> Value<'v>) -> Option<Event> {
        match self.timestamps.read(row(self.event_column)) {
            Reading::Event(event) if self.past.is_none_or(|past| past.is_due(&event)) => Some(event),
            _ => None,
        }
    }

    /// Whether the record is one of the newest that the rule keeps.
    fn protects<'v>(&self, row: &impl Fn(usize) -> Value<'v>) -> bool {
        let (all, matching) = match self.protection {
            Protection::None => return false,
            Protection::Unknown => return true,
            Protection::From { all, matching } => (all, matching),
        };
        let Some(event) = self.past_event(row) else { return false };
        let is_kept = |from: Option<Event>| from.is_some_and(|from| event >= from);
        is_kept(all) || (is_kept(matching) && self.matches(row))
    }

    /// What the rule says of a record by itself; none where it does not match.
    #[inline]
    fn opinion<'v>(&self, row: &impl Fn(usize) -> Value<'v>) -> Option<Verdict> {
        if let Some((when, columns)) = &self.when {
            match when.eval(|column| row(columns[column])) {
                Truth::True => {}
                Truth::False | Truth::Unknown => return None,
                Truth::Unreadable { column } => {
                    return Some(Verdict::unreadable(Reason::Condition(columns[column])));
                }
            }
        }
        Some(match self.timestamps.read(row(self.event_column)) {
            Reading::Unreadable(why) => Verdict::unreadable(Reason::Event(why)),
            Reading::Empty => Verdict { state: State::Waiting, event: None, reason: Reason::NotStarted },
            Reading::Event(event) => {
                let state = if self.cutoff.is_due(&event) { State::Due } else { State::Running };
                Verdict { state, event: Some(event), reason: Reason::Date }
            }
        })
    }
}
