//! A record's state, with its reason: pure, and decided in this one place.
//!
//! A [`RuleBook`] holds all rules on one table as of one instant. It judges a record from the
//! values of its columns, wherever they come from, so that report and purge cannot disagree.

mod common_case;
mod newest;
mod related;
mod started;
mod tally;

use crate::calendar::{Cutoff, Event, Instant, Period, Schedule, Timestamps, Unreadable};
use crate::condition::{Condition, Truth};
use crate::policy::{Part, Rule};
use crate::value::Value;

pub use common_case::{CommonCase, CommonTally};
pub use newest::{Newest, Protection};
pub use related::{Asked, Found, LatestOf, Question, Speaks};
use started::{PartKind, StartPart, Started, Starts};
pub use tally::{Counts, Extremes, Tally};

/// The state of a record under a rule that matches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Its event or condition cannot be read. It is kept.
    Unreadable,
    /// The rule does not apply: what would start its clock are related rows, and there are none.
    Unrelated,
    /// Its clock has not started.
    Waiting,
    /// Its period is not over.
    Running,
    /// A related row speaks for it.
    Spared,
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
            State::Unrelated => "unrelated",
            State::Waiting => "waiting",
            State::Running => "running",
            State::Spared => "spared",
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
    /// A time of a related row cannot be read; the place of the answer among the cells.
    Related(usize),
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
    starts: Starts,
    when: Option<(Condition, Vec<usize>)>,
    /// The places of the answers that spare a record, and of those without which it is not meant.
    unless: Vec<usize>,
    only_if: Vec<usize>,
    /// Which events are not in the future, where that matters.
    past: Option<Cutoff>,
    keep_newest: Option<u64>,
    protection: Protection,
}

/// All rules on one table, as of one instant.
#[derive(Clone, Debug)]
pub struct RuleBook {
    columns: Vec<String>,
    questions: Vec<Question>,
    clauses: Vec<Clause>,
}

impl RuleBook {
    /// The book of some rules, which must all be about the same table.
    pub fn new<'r>(rules: impl IntoIterator<Item = &'r Rule>, now: Instant) -> RuleBook {
        let rules: Vec<&Rule> = rules.into_iter().collect();
        let mut book = RuleBook { columns: Vec::new(), questions: Vec::new(), clauses: Vec::new() };
        // The answers stand behind the columns, and so these must all be known first.
        for (column, _) in rules.iter().flat_map(|rule| rule.columns()) {
            if !book.columns.iter().any(|known| known == column) {
                book.columns.push(column.to_string());
            }
        }
        for rule in rules {
            let clause = book.clause(rule, now);
            book.clauses.push(clause);
        }
        book
    }

    fn clause(&mut self, rule: &Rule, now: Instant) -> Clause {
        let parts = rule.start.parts.iter().map(|part| self.part(part, &rule.schedule)).collect();
        let when = rule.when.as_ref().map(|when| {
            let columns = when.columns().iter().map(|column| self.column(column)).collect();
            (when.clone(), columns)
        });
        Clause {
            starts: Starts { choice: rule.start.choice, parts },
            when,
            unless: rule.unless.iter().map(|relation| self.ask(Question::any(relation))).collect(),
            only_if: rule.only_if.iter().map(|relation| self.ask(Question::any(relation))).collect(),
            cutoff: rule.schedule.cutoff(now),
            schedule: rule.schedule.clone(),
            past: rule.keep_newest.and_then(|_| past(rule, now)),
            keep_newest: rule.keep_newest,
            protection: rule.keep_newest.map_or(Protection::None, |_| Protection::Unknown),
        }
    }

    fn part(&mut self, part: &Part, schedule: &Schedule) -> StartPart {
        match part {
            Part::Own(own) => {
                let kind = PartKind::Own { timestamps: own.timestamps.clone(), is_optional: own.is_optional };
                StartPart { cell: self.column(&own.column), kind }
            }
            Part::Related(dated) => {
                StartPart { cell: self.ask(Question::latest(dated, schedule)), kind: PartKind::Related }
            }
        }
    }

    /// The place of a column that is known.
    fn column(&self, name: &str) -> usize {
        self.columns.iter().position(|column| column == name).unwrap_or_default()
    }

    /// Takes up a question; the place of its answer.
    fn ask(&mut self, question: Question) -> usize {
        self.questions.push(question);
        self.columns.len() + self.questions.len() - 1
    }

    /// The columns that the rules read; `judge` asks for them by their place here.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// What the rules ask about related rows; `judge` asks for the answers by their places behind
    /// the columns.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// The question whose answer has a place among the cells.
    pub fn question_at(&self, cell: usize) -> Option<&Question> {
        self.questions.get(cell.checked_sub(self.columns.len())?)
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

    /// The places of columns whose times must all be due for a record to be due under a rule, and
    /// how they are written.
    pub fn necessary(&self, rule: usize) -> impl Iterator<Item = (usize, &Timestamps)> {
        self.clauses[rule].starts.necessary()
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
        // Doubt keeps the record.
        if let Some(speaker) = self.clauses[rule].speaker(row, Speaks::Doubtful) {
            return Some(Verdict { state: State::Spared, reason: Reason::Spared(speaker), ..own });
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
        matches!(&self.clauses[..], [Clause { keep_newest: None, unless, .. }] if unless.is_empty())
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
        let other_clause = &self.clauses[other];
        let Some(opinion) = other_clause.opinion(row) else {
            // A rule of which nobody can say whether it means the record keeps it.
            return other_clause.may_mean(row);
        };
        // Only a rule that would act, and surely spares the record instead, overrules nothing.
        let spares = opinion.state == State::Due && other_clause.speaker(row, Speaks::Yes).is_some();
        if opinion.state == State::Unrelated || spares {
            return false;
        }
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
        let when = self.when.as_ref();
        when.is_none_or(|(when, columns)| when.eval(|column| row(columns[column])).matches())
            && self.is_related(row)
    }

    /// Whether there surely are the related rows without which no record is meant.
    fn is_related<'v>(&self, row: &impl Fn(usize) -> Value<'v>) -> bool {
        self.only_if.iter().all(|answer| Speaks::from_cell(row(*answer)) == Speaks::Yes)
    }

    /// Whether it is in doubt, and not sure, that the rule does not mean the record for want of
    /// related rows.
    fn may_mean<'v>(&self, row: &impl Fn(usize) -> Value<'v>) -> bool {
        let when = self.when.as_ref();
        let matches = when.is_none_or(|(when, columns)| when.eval(|column| row(columns[column])).matches());
        let all = || self.only_if.iter().all(|answer| Speaks::from_cell(row(*answer)) != Speaks::No);
        matches && !self.only_if.is_empty() && all()
    }

    /// The first answer that speaks for a record, at least so clearly.
    fn speaker<'v>(&self, row: &impl Fn(usize) -> Value<'v>, clearly: Speaks) -> Option<usize> {
        self.unless.iter().copied().find(|answer| Speaks::from_cell(row(*answer)) >= clearly)
    }

    /// The event, where it can be read and is not in the future.
    fn past_event<'v>(&self, row: &impl Fn(usize) -> Value<'v>) -> Option<Event> {
        match self.starts.read(&self.schedule, row) {
            Started::At(event) if self.past.is_none_or(|past| past.is_due(&event)) => Some(event),
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
        if !self.is_related(row) {
            return None;
        }
        Some(match self.starts.read(&self.schedule, row) {
            Started::Unreadable(reason) => Verdict::unreadable(reason),
            Started::NotYet => Verdict { state: State::Waiting, event: None, reason: Reason::NotStarted },
            Started::Unrelated => {
                Verdict { state: State::Unrelated, event: None, reason: Reason::NoneRelated }
            }
            Started::At(event) => {
                let state = if self.cutoff.is_due(&event) { State::Due } else { State::Running };
                Verdict { state, event: Some(event), reason: Reason::Date }
            }
        })
    }
}
