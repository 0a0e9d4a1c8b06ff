//! All rules on one table: the longest wins.

use std::sync::Arc;

use super::anonymised::Set;
use super::compiled_rule::CompiledRule;
use super::elsewhere::{Answers, Elsewhere};
use super::length::{FromData, Length};
use super::newest::KeepNewest;
use super::started::{PartKind, StartPart, Starts};
use super::{Match, Question, Reason, State, Verdict};

use crate::calendar::{Cutoff, Shapes, Timestamp, Timestamps};
use crate::policy::{Keep, Part, Rule, Setting, Side};
use crate::value::Value;

/// What becomes of a record, and by which rule, by its place in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// This rule deletes it.
    Goes(usize),
    /// A row that stays refers to it.
    Referred,
    /// This rule keeps it.
    Rule(usize),
    /// No rule means it.
    NoRule,
}

/// All rules on one table, as of one instant.
#[derive(Clone, Debug)]
pub struct Evaluator {
    columns: Vec<String>,
    pub(super) questions: Vec<Question>,
    /// The columns that have a cell behind the answers which tells binary data apart.
    pub(super) binary: Vec<usize>,
    /// The questions about rows of other sources, by their number; none for those that the source
    /// itself answers.
    pub(super) elsewhere: Vec<Option<Elsewhere>>,
    pub(super) clauses: Vec<CompiledRule>,
    /// How many cells behind all others tell whether a row that stays refers to the record: none, one
    /// for all rules, or one for each.
    reference_cells: usize,
}

impl Evaluator {
    /// What the cell that tells what keeps a record says of one that goes, by a rule or along with another.
    pub(crate) const GOES: i64 = i64::MIN;

    /// The book of some rules, which must all be about the same table.
    pub fn new<'r>(rules: impl IntoIterator<Item = &'r Rule>, now: Timestamp) -> Evaluator {
        let rules: Vec<&Rule> = rules.into_iter().collect();
        let (columns, questions, elsewhere, clauses) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let binary = Vec::new();
        let mut book = Evaluator { columns, questions, binary, elsewhere, clauses, reference_cells: 0 };
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

    fn clause(&mut self, rule: &Rule, now: Timestamp) -> CompiledRule {
        let parts = rule.start.parts.iter().map(|part| self.part(rule, part)).collect();
        let when = rule.when.as_ref().map(|when| {
            let columns = when.columns().iter().map(|column| self.column(column)).collect();
            (when.clone(), columns)
        });
        CompiledRule {
            is_enforced: rule.enforce,
            is_carried_out: rule.enforce,
            starts: Starts { choice: rule.start.choice, parts },
            when,
            unless: rule.unless.iter().map(|relation| self.ask(Question::any(relation))).collect(),
            only_if: rule.only_if.iter().map(|only| self.ask(Question::only_if(rule, only))).collect(),
            length: self.length(rule, now),
            newest: self.newest(rule, now).map(Box::new),
            sets: rule.then.settings().iter().map(|setting| self.set(setting)).collect(),
        }
    }

    fn length(&mut self, rule: &Rule, now: Timestamp) -> Length {
        match &rule.keep {
            Keep::Fixed(schedule) => {
                Length::Fixed { schedule: schedule.clone(), cutoff: schedule.cutoff(now) }
            }
            Keep::FromData(asked) => {
                let (cell, own) = match &asked.relation {
                    None => (self.column(&asked.column), Some(asked.periods.clone())),
                    Some(relation) => (self.ask(Question::longest(rule, relation, asked)), None),
                };
                let (counted, cap) = (asked.counted.clone(), asked.cap());
                Length::FromData(Box::new(FromData { cell, own, counted, cap, now }))
            }
        }
    }

    fn part(&mut self, rule: &Rule, part: &Part) -> StartPart {
        match part {
            Part::Own(own) => {
                let kind = PartKind::Own { timestamps: own.timestamps.clone(), is_optional: own.is_optional };
                StartPart { cell: self.column(&own.column), kind }
            }
            Part::Related(dated) => {
                StartPart { cell: self.ask(Question::latest(rule, dated)), kind: PartKind::Related }
            }
        }
    }

    fn newest(&mut self, rule: &Rule, now: Timestamp) -> Option<KeepNewest> {
        let mut per = Vec::with_capacity(rule.per.len());
        for column in &rule.per {
            let cell = self.column(column);
            let known = self.binary.iter().position(|known| *known == cell);
            let number = known.unwrap_or_else(|| {
                self.binary.push(cell);
                self.binary.len() - 1
            });
            per.push((cell, number));
        }
        KeepNewest::new(rule, now, per)
    }

    fn set(&self, setting: &Setting) -> Set {
        Set { cell: self.column(&setting.column), form: setting.form.clone() }
    }

    /// The place of a column that is known.
    fn column(&self, name: &str) -> usize {
        self.columns.iter().position(|column| column == name).unwrap_or_default()
    }

    /// Takes up a question; the place of its answer.
    fn ask(&mut self, question: Question) -> usize {
        let sides: Vec<Side> = question.relation.keys().cloned().collect();
        let cells = sides.iter().map(|side| self.column(&side.column)).collect();
        let asked = (!sides.is_empty()).then_some(Elsewhere { cells, sides, answers: None });
        self.elsewhere.push(asked);
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

    /// Hands over what was found in another source for a question, by its number. Until then no
    /// record is deleted by a rule that asks it.
    pub fn answer(&mut self, question: usize, answers: Arc<Answers>) {
        if let Some(asked) = self.elsewhere.get_mut(question).and_then(Option::as_mut) {
            asked.answers = Some(answers);
        }
    }

    /// A cell of a record, or the answer that stands in its place.
    pub(super) fn cell<'a, 'v: 'a>(&'a self, cell: usize, row: &impl Fn(usize) -> Value<'v>) -> Value<'a> {
        let question = cell.checked_sub(self.columns.len()).and_then(|number| self.elsewhere.get(number));
        match question {
            Some(Some(asked)) => asked.answer(row),
            _ => row(cell),
        }
    }

    /// How many rules the book holds.
    pub fn len(&self) -> usize {
        self.clauses.len()
    }

    /// Whether the book holds no rule.
    pub fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }

    /// The cutoff of one rule; none where each record has a period of its own.
    pub fn cutoff(&self, rule: usize) -> Option<&Cutoff> {
        self.clauses[rule].cutoff()
    }

    /// When a record is due under the rule that gave this verdict; none where it has no event.
    pub fn due_from(&self, rule: usize, verdict: &Verdict) -> Option<Timestamp> {
        self.clauses[rule].due_from(verdict)
    }

    /// The places of columns whose times must all be due for a record to be due under a rule, and
    /// how they are written.
    pub fn necessary(&self, rule: usize) -> impl Iterator<Item = (usize, &Timestamps)> {
        self.clauses[rule].starts.necessary()
    }

    /// Which formats would read the event of a record that is unreadable for it.
    pub(crate) fn shapes<'v>(
        &self,
        rule: usize,
        verdict: &Verdict,
        row: &impl Fn(usize) -> Value<'v>,
    ) -> Option<Shapes> {
        let (cell, _) = self.clauses[rule].starts.only_column()?;
        matches!(verdict.reason, Reason::Event(_)).then(|| Shapes::of(row(cell)))
    }

    /// The same book for records that others may keep: whether they do is told by one cell behind all
    /// others, or by one for each rule, which is 0 where nothing keeps the record.
    pub fn with_references(&self, cells: usize) -> Evaluator {
        Evaluator { reference_cells: cells, ..self.clone() }
    }

    /// The same book for a run that carries out only some of the rules, by their places.
    pub fn carrying_out(&self, is_carried_out: impl Fn(usize) -> bool) -> Evaluator {
        let mut book = self.clone();
        for (place, clause) in book.clauses.iter_mut().enumerate() {
            clause.is_carried_out = is_carried_out(place);
        }
        book
    }

    /// The place of the cell that tells under a rule whether others keep the record.
    fn referred(&self, rule: usize) -> Option<usize> {
        let cell = rule.min(self.reference_cells.checked_sub(1)?);
        Some(self.first_binary() + self.binary.len() + cell)
    }

    /// The place of the first cell that tells binary data apart.
    pub(super) fn first_binary(&self) -> usize {
        self.columns.len() + self.questions.len()
    }

    /// A record's state under one rule; none where the rule does not match it.
    #[inline]
    pub fn judge<'v>(&self, rule: usize, row: &impl Fn(usize) -> Value<'v>) -> Option<Verdict> {
        if self.is_answered_here() {
            return self.judge_cells(rule, row);
        }
        self.judge_cells(rule, &|cell| self.cell(cell, row))
    }

    /// Whether no question is about rows of another source.
    #[inline]
    pub(super) fn is_answered_here(&self) -> bool {
        self.elsewhere.iter().all(Option::is_none)
    }

    #[inline]
    pub(super) fn judge_cells<'v>(&self, rule: usize, row: &impl Fn(usize) -> Value<'v>) -> Option<Verdict> {
        let own = self.clauses[rule].own(row)?;
        if own.state != State::Due {
            return Some(own);
        }
        if self.is_single() {
            return Some(self.unless_done(rule, own, row));
        }
        // Doubt keeps the record.
        let clause = &self.clauses[rule];
        if let Some(unclear) = clause.unclear(row).filter(|_| clause.speaker(row, Match::Yes).is_none()) {
            return Some(unclear);
        }
        if let Some(speaker) = clause.speaker(row, Match::Doubtful) {
            return Some(Verdict { state: State::Spared, reason: Reason::Spared(speaker), ..own });
        }
        if let Some(reason) = self.overruled(rule, &own, row) {
            return Some(Verdict { state: State::Overruled, reason, ..own });
        }
        // What keeps a record from being deleted does not keep it from being anonymised.
        if self.deletes(rule) {
            return Some(self.unless_blocked(rule, own, row));
        }
        if self.referred(rule).map(row) == Some(Value::Integer(Evaluator::GOES)) {
            return Some(Verdict { state: State::Overruled, reason: Reason::GoesAlong, ..own });
        }
        if let Some(speaker) = clause.speaker(row, Match::Leaving) {
            return Some(Verdict { state: State::Spared, reason: Reason::Spared(speaker), ..own });
        }
        // What is anonymised already stays so; the newest others stay as they are.
        let done = self.unless_done(rule, own, row);
        Some(match self.keeper_of_newest(row).filter(|_| done.state != State::Done) {
            Some(newest) => Verdict { state: State::Newest, reason: Reason::Newest(newest), ..own },
            None => done,
        })
    }

    /// Whether one rule alone decides.
    #[inline]
    fn is_single(&self) -> bool {
        matches!(&self.clauses[..], [CompiledRule { newest: None, unless, .. }] if unless.is_empty())
            && self.reference_cells == 0
    }

    fn unless_blocked<'v>(&self, rule: usize, own: Verdict, row: &impl Fn(usize) -> Value<'v>) -> Verdict {
        if let Some(newest) = self.keeper_of_newest(row) {
            return Verdict { state: State::Newest, reason: Reason::Newest(newest), ..own };
        }
        let spared = self.clauses[rule].speaker(row, Match::Leaving).map(|speaker| Verdict {
            state: State::Spared,
            reason: Reason::Spared(speaker),
            ..own
        });
        match self.referred(rule).map(row) {
            None => spared.unwrap_or(own),
            Some(Value::Integer(0 | Evaluator::GOES)) => own,
            // Below zero it is told that a row stays which spares the record.
            Some(Value::Integer(..0)) if spared.is_some() => spared.unwrap_or(own),
            Some(Value::Integer(key)) => {
                Verdict { state: State::Blocked, reason: Reason::Referred(key), ..own }
            }
            // Nobody answers so.
            Some(_) => Verdict { state: State::Blocked, reason: Reason::Referred(0), ..own },
        }
    }

    /// The first rule that keeps a record by itself: its period is not over, or nobody can say.
    pub fn keeps<'v>(&self, row: &impl Fn(usize) -> Value<'v>) -> Option<usize> {
        let keeps = |state| !matches!(state, State::Due | State::Done | State::Overruled | State::Unrelated);
        let keeper =
            (0..self.len()).find(|rule| self.judge(*rule, row).is_some_and(|verdict| keeps(verdict.state)));
        keeper.or_else(|| self.keeper_of_newest(&|cell| self.cell(cell, row)))
    }

    /// What keeps a record that some of the rules are to delete: nothing, or one of the rules, or
    /// that none of them means it.
    pub fn keeper<'v>(&self, acting: &[usize], row: &impl Fn(usize) -> Value<'v>) -> Keeper {
        if let Some(rule) = acting.iter().find(|rule| self.is_due(**rule, row)) {
            return Keeper::Goes(*rule);
        }
        let keeps = |rule: usize| match self.judge(rule, row)? {
            Verdict { reason: Reason::Referred(_), .. } => Some(Keeper::Referred),
            Verdict { reason: Reason::Rule(other) | Reason::Newest(other), .. } => Some(Keeper::Rule(other)),
            Verdict { state: State::Unrelated, .. } => None,
            _ => Some(Keeper::Rule(rule)),
        };
        let newest = || self.keeper_of_newest(&|cell| self.cell(cell, row)).map(Keeper::Rule);
        (0..self.len()).find_map(keeps).or_else(newest).unwrap_or(Keeper::NoRule)
    }

    /// Whether a rule of a run, other than this one, means a record.
    pub(super) fn is_meant_by_another<'v>(&self, rule: usize, row: &impl Fn(usize) -> Value<'v>) -> bool {
        let mut others = (0..self.len()).filter(|other| *other != rule && self.clauses[*other].is_enforced);
        others.any(|other| self.judge(other, row).is_some_and(|verdict| verdict.state != State::Unrelated))
    }

    /// Whether a record is due under one rule, all others considered.
    #[inline]
    pub fn is_due<'v>(&self, rule: usize, row: &impl Fn(usize) -> Value<'v>) -> bool {
        self.judge(rule, row).is_some_and(|verdict| verdict.state == State::Due)
    }

    /// Longest wins: whether rule `other` keeps what is due under `rule`.
    pub(super) fn overrules<'v>(
        &self,
        other: usize,
        rule: usize,
        own: &Verdict,
        row: &impl Fn(usize) -> Value<'v>,
    ) -> bool {
        let clause = &self.clauses[other];
        // A rule that may mean the record keeps it as if it did.
        let Some(opinion) = clause.opinion(row, Match::Doubtful) else { return false };
        // Only a rule that would act, and surely spares the record instead, overrules nothing.
        let spares = opinion.state == State::Due && clause.speaker(row, Match::Yes).is_some();
        if opinion.state == State::Unrelated || spares {
            return false;
        }
        let dates = (self.due_from(other, &opinion), self.due_from(rule, own));
        let (State::Due, (Some(theirs), Some(ours))) = (opinion.state, dates) else { return true };
        theirs > ours || (theirs == ours && other < rule)
    }
}
