//! Rules that anonymise: which of their columns they still have a say in, and whether anything is
//! left for them to do.

use super::compiled_rule::CompiledRule;
use super::evaluator::Evaluator;
use super::{Reason, State, Verdict};
use crate::anonymise::{Form, Made};
use crate::value::Value;

/// A column that a rule sets: the place of its cell, and what becomes of it.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) cell: usize,
    pub(super) form: Form,
}

impl Evaluator {
    /// Whether a rule deletes records, rather than anonymises them.
    pub fn deletes(&self, rule: usize) -> bool {
        self.clauses[rule].deletes()
    }

    /// How many columns a rule sets.
    pub fn settings(&self, rule: usize) -> usize {
        self.clauses[rule].sets.len()
    }

    /// The place of the cell that a setting of a rule is about.
    pub fn cell_of(&self, rule: usize, setting: usize) -> usize {
        self.clauses[rule].sets[setting].cell
    }

    /// What becomes of one of the columns that a rule sets, in a record that is due under it.
    pub fn make<'a, 'v: 'a>(
        &'a self,
        rule: usize,
        setting: usize,
        row: &impl Fn(usize) -> Value<'v>,
    ) -> Made<'a> {
        if self.is_answered_here() {
            return self.make_cells(rule, setting, row);
        }
        self.make_cells(rule, setting, &|cell| self.cell(cell, row))
    }

    fn make_cells<'v>(&self, rule: usize, setting: usize, row: &impl Fn(usize) -> Value<'v>) -> Made<'v> {
        let set = &self.clauses[rule].sets[setting];
        if self.shares(rule, set.cell)
            && let Some(own) = self.clauses[rule].own(row)
            && self.keeper_of(rule, set.cell, &own, row).is_some()
        {
            return Made::Already;
        }
        set.form.make(row(set.cell))
    }

    /// Whether another rule sets the same column.
    fn shares(&self, rule: usize, cell: usize) -> bool {
        self.others(rule).any(|other| self.clauses[other].sets_cell(cell))
    }

    fn others(&self, rule: usize) -> impl Iterator<Item = usize> + use<> {
        (0..self.clauses.len()).filter(move |other| *other != rule)
    }

    /// Longest wins, column by column: the rule that keeps one as it is for now.
    fn keeper_of<'v>(
        &self,
        rule: usize,
        cell: usize,
        own: &Verdict,
        row: &impl Fn(usize) -> Value<'v>,
    ) -> Option<usize> {
        let mut others = self.others(rule).filter(|other| self.clauses[*other].sets_cell(cell));
        others.find(|other| self.overrules(*other, rule, own, row))
    }

    /// Why a rule that would act leaves a record to another one.
    pub(super) fn overruled<'v>(
        &self,
        rule: usize,
        own: &Verdict,
        row: &impl Fn(usize) -> Value<'v>,
    ) -> Option<Reason> {
        if self.deletes(rule) {
            let mut others = self.others(rule).filter(|other| self.deletes(*other));
            return others.find(|other| self.overrules(*other, rule, own, row)).map(Reason::Rule);
        }
        let mut others = self.others(rule).filter(|other| self.deletes(*other));
        // What does not go in this run names nobody for as long.
        let would_delete = |other: &usize| {
            let state = self.judge_cells(*other, row).map(|verdict| verdict.state);
            self.clauses[*other].is_carried_out && state == Some(State::Due)
        };
        if let Some(deleting) = others.find(would_delete) {
            return Some(Reason::DeletedBy(deleting));
        }
        let keepers = self.clauses[rule].sets.iter().map(|set| self.keeper_of(rule, set.cell, own, row));
        let keepers: Option<Vec<usize>> = keepers.collect();
        keepers.and_then(|keepers| keepers.first().copied()).map(Reason::Rule)
    }

    /// The verdict on a record that a rule would act on: there may be nothing left to do, or nobody
    /// can say what it would become.
    #[inline]
    pub(super) fn unless_done<'v>(
        &self,
        rule: usize,
        own: Verdict,
        row: &impl Fn(usize) -> Value<'v>,
    ) -> Verdict {
        if self.deletes(rule) {
            return own;
        }
        let mut is_done = true;
        for (setting, set) in self.clauses[rule].sets.iter().enumerate() {
            match self.make_cells(rule, setting, row) {
                Made::Already => {}
                Made::Illegible(why) => return Verdict::unreadable(Reason::Set(set.cell, why)),
                Made::Nothing | Made::Value(_) | Made::PseudonymOf(_) => is_done = false,
            }
        }
        if is_done { Verdict { state: State::Done, reason: Reason::Done, ..own } } else { own }
    }
}

impl CompiledRule {
    pub(super) fn deletes(&self) -> bool {
        self.sets.is_empty()
    }

    fn sets_cell(&self, cell: usize) -> bool {
        self.sets.iter().any(|set| set.cell == cell)
    }
}
