//! One rule by itself: what it says of a record, whatever the other rules say.

use super::anonymised::Set;
use super::length::{FromData, Length, Said};
use super::newest::KeepNewest;
use super::related::AnswerCell;
use super::started::{Started, Starts};
use super::{Match, Reason, State, Verdict};
use crate::calendar::{Cutoff, Event, Timestamp};
use crate::condition::{Condition, Truth};
use crate::value::Value;

/// One rule, ready to judge.
#[derive(Clone, Debug)]
pub(super) struct CompiledRule {
    /// Whether a run carries it out.
    pub(super) is_enforced: bool,
    /// Whether this run does, as far as limits and what was asked for let it.
    pub(super) is_carried_out: bool,
    pub(super) length: Length,
    pub(super) starts: Starts,
    pub(super) when: Option<(Condition, Vec<usize>)>,
    /// The places of the answers that spare a record, and of those without which it is not meant.
    pub(super) unless: Vec<usize>,
    pub(super) only_if: Vec<usize>,
    /// Of which records it keeps the newest.
    pub(super) newest: Option<Box<KeepNewest>>,
    /// The columns that it sets; none where it deletes.
    pub(super) sets: Vec<Set>,
}

impl CompiledRule {
    pub(super) fn matches<'v>(&self, row: &impl Fn(usize) -> Value<'v>) -> bool {
        let when = self.when.as_ref();
        when.is_none_or(|(when, columns)| when.eval(|column| row(columns[column])).matches())
            && self.is_related(row, Match::Yes)
    }

    /// Whether there are, at least so clearly, the related rows without which no record is meant.
    fn is_related<'v>(&self, row: &impl Fn(usize) -> Value<'v>, clearly: Match) -> bool {
        self.only_if.iter().all(|answer| Match::from_cell(row(*answer)) >= clearly)
    }

    /// The first answer that speaks for a record, at least so clearly.
    pub(super) fn speaker<'v>(&self, row: &impl Fn(usize) -> Value<'v>, clearly: Match) -> Option<usize> {
        self.unless.iter().copied().find(|answer| Match::from_cell(row(*answer)) >= clearly)
    }

    /// The first of some answers that nobody can give, for a key in an unknown encoding.
    fn in_doubt<'v>(answers: &[usize], row: &impl Fn(usize) -> Value<'v>) -> Option<Verdict> {
        let doubtful = answers.iter().find(|answer| row(**answer) == AnswerCell::IN_DOUBT)?;
        Some(Verdict::unreadable(Reason::Related(*doubtful)))
    }

    /// What is said of a record of which nobody can say whether a related row speaks for it.
    pub(super) fn unclear<'v>(&self, row: &impl Fn(usize) -> Value<'v>) -> Option<Verdict> {
        CompiledRule::in_doubt(&self.unless, row)
    }

    /// When the event is over, where it can be read and is not in the future, and that matters.
    pub(super) fn over<'v>(&self, row: &impl Fn(usize) -> Value<'v>) -> Option<Timestamp> {
        let newest = self.newest.as_ref()?;
        // Of several times that fall due together the one that counts is not yet said.
        match self.starts.read(&|event| newest.end_of(event), row) {
            Started::At(event) => newest.over(event),
            _ => None,
        }
    }

    /// Whether the record is one of the newest that the rule keeps; `extra` is the place of the first
    /// cell that tells binary data apart.
    #[inline]
    pub(super) fn keeps_newest<'v>(&self, extra: usize, row: &impl Fn(usize) -> Value<'v>) -> bool {
        let Some(newest) = &self.newest else { return false };
        if !newest.is_known() {
            return true;
        }
        let Some(at) = self.over(row) else { return false };
        newest.keeps((at, extra), row, || self.matches(row))
    }

    /// What the rule says of a record that it surely means.
    #[inline]
    pub(super) fn own<'v>(&self, row: &impl Fn(usize) -> Value<'v>) -> Option<Verdict> {
        self.opinion(row, Match::Yes)
    }

    /// What the rule says of a record by itself; none where it does not match. Related rows must
    /// speak for that at least so clearly.
    #[inline]
    pub(super) fn opinion<'v>(&self, row: &impl Fn(usize) -> Value<'v>, clearly: Match) -> Option<Verdict> {
        if let Some((when, columns)) = &self.when {
            match when.eval(|column| row(columns[column])) {
                Truth::True => {}
                Truth::False | Truth::Unknown => return None,
                Truth::Unreadable { column } => {
                    return Some(Verdict::unreadable(Reason::Condition(columns[column])));
                }
            }
        }
        if let Some(unclear) = CompiledRule::in_doubt(&self.only_if, row) {
            return Some(unclear);
        }
        if !self.is_related(row, clearly) {
            return None;
        }
        Some(match &self.length {
            Length::Fixed { schedule, cutoff } => {
                let started = self.starts.read(&|event| schedule.due_from(event), row);
                let state = |event| if cutoff.is_due(&event) { State::Due } else { State::Running };
                judged(started, |event| Verdict { state: state(event), event: Some(event), ..Verdict::DATED })
            }
            Length::FromData(asked) => self.opinion_from_data(asked, row),
        })
    }

    fn opinion_from_data<'v>(&self, asked: &FromData, row: &impl Fn(usize) -> Value<'v>) -> Verdict {
        match asked.read(row) {
            Said::For(term) => judged(self.starts.read(&|event| term.due_from(event), row), |event| {
                let due = term.due_from(event);
                let state = if due <= asked.now { State::Due } else { State::Running };
                Verdict { state, event: Some(event), due: Some(due), ..Verdict::DATED }
            }),
            said @ (Said::Nothing | Said::Unreadable(_)) => {
                let started = self.starts.read(&|event| asked.counted.due_from(event), row);
                match (said, judged(started, |_| Verdict::waiting(Reason::NotInstructed))) {
                    // Without related rows the rule is not about the record, whatever it says.
                    (Said::Unreadable(why), verdict) if verdict.state != State::Unrelated => {
                        Verdict::unreadable(why)
                    }
                    (_, verdict) => verdict,
                }
            }
        }
    }

    /// When a record is due that this rule has judged by its event.
    pub(super) fn due_from(&self, verdict: &Verdict) -> Option<Timestamp> {
        verdict.due.or_else(|| match &self.length {
            Length::Fixed { schedule, .. } => Some(schedule.due_from(verdict.event?)),
            Length::FromData(_) => None,
        })
    }

    /// The exact cutoff, where one period is that of all records.
    pub(super) fn cutoff(&self) -> Option<&Cutoff> {
        match &self.length {
            Length::Fixed { cutoff, .. } => Some(cutoff),
            Length::FromData(_) => None,
        }
    }
}

/// The verdict on a record whose clock has started, or has not.
#[inline]
fn judged(started: Started, at: impl FnOnce(Event) -> Verdict) -> Verdict {
    match started {
        Started::Unreadable(reason) => Verdict::unreadable(reason),
        Started::NotYet => Verdict::waiting(Reason::NotStarted),
        Started::Unrelated => {
            Verdict { state: State::Unrelated, event: None, due: None, reason: Reason::NoneRelated }
        }
        Started::At(event) => at(event),
    }
}
