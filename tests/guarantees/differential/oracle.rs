//! What the language says of a record, read as slowly and plainly as it is written.

use chrono::{DateTime, Utc};

use super::condition::Truth;
use super::data::Row;
use super::model::Model;
use super::personal::Made;
use super::rule::Rule;
use super::started::{Kept, Started};

/// The state of a record under a rule, and from when it is due where that is known.
pub(super) type Judged = (&'static str, Option<DateTime<Utc>>);

/// What a rule says of a record by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Opinion {
    Unrelated,
    Unreadable,
    Waiting,
    DueFrom(DateTime<Utc>),
}

impl Model {
    /// The state of a record; none where the rule does not match.
    pub(super) fn judge(&self, rule: usize, row: &Row) -> Option<Judged> {
        let due = match self.opinion(&self.rules[rule], row, Truth::Yes)? {
            Opinion::Unrelated => return Some(("unrelated", None)),
            Opinion::Unreadable => return Some(("unreadable", None)),
            Opinion::Waiting => return Some(("waiting", None)),
            Opinion::DueFrom(due) => due,
        };
        let state = self.state_of_dated(rule, row, due);
        Some((state, (state != "unreadable").then_some(due)))
    }

    fn state_of_dated(&self, place: usize, row: &Row, due: DateTime<Utc>) -> &'static str {
        let rule = &self.rules[place];
        if due > self.now {
            return "running";
        }
        let doubt = [Truth::Yes, Truth::Unknown, Truth::Unreadable];
        if rule.unless.iter().any(|relation| self.has(relation, row, &doubt)) {
            return "spared";
        }
        if rule.deletes() {
            let keeps = |other: &Rule| other.deletes();
            return match () {
                () if self.is_overruled(place, row, due, &keeps) => "overruled",
                () if self.is_newest(place, row) => "blocked",
                () => "due",
            };
        }
        let others = 0..self.rules.len();
        // Only what goes in the run is left to the deletion.
        let is_deleting = |rule: &Rule| rule.deletes() && rule.enforce;
        let is_deleted =
            others.filter(|other| self.is_rival(place, *other) && is_deleting(&self.rules[*other]));
        if is_deleted.into_iter().any(|other| self.judge(other, row).is_some_and(|(state, _)| state == "due"))
        {
            return "overruled";
        }
        let made = self.made(place, row, due);
        match () {
            () if made.is_empty() => "overruled",
            () if made.iter().all(|(_, made)| *made == Made::Already) => "done",
            () if self.is_newest(place, row) => "blocked",
            () if made.iter().any(|(_, made)| *made == Made::Unreadable) => "unreadable",
            () => "due",
        }
    }

    fn is_rival(&self, place: usize, other: usize) -> bool {
        place != other && self.rules[place].table == self.rules[other].table
    }

    /// What a rule that anonymises makes of the columns that no longer one keeps.
    pub(super) fn made(&self, place: usize, row: &Row, due: DateTime<Utc>) -> Vec<(usize, Made)> {
        let sets = self.rules[place].sets.iter();
        let left = sets.filter(|(column, _)| {
            let keeps = |other: &Rule| other.sets.iter().any(|(theirs, _)| theirs == column);
            !self.is_overruled(place, row, due, &keeps)
        });
        left.map(|(column, form)| (*column, row.persons[*column].made(form, &self.calendar))).collect()
    }

    /// Longest wins, among the rules that `could` keep.
    fn is_overruled(
        &self,
        place: usize,
        row: &Row,
        due: DateTime<Utc>,
        could: &dyn Fn(&Rule) -> bool,
    ) -> bool {
        let others = (0..self.rules.len()).filter(|other| self.is_rival(place, *other));
        others.filter(|other| could(&self.rules[*other])).any(|other| {
            let rule = &self.rules[other];
            match self.opinion(rule, row, Truth::Unknown) {
                None | Some(Opinion::Unrelated) => false,
                Some(Opinion::Unreadable | Opinion::Waiting) => true,
                Some(Opinion::DueFrom(theirs)) if theirs > self.now => true,
                Some(Opinion::DueFrom(theirs)) => {
                    let spares = rule.unless.iter().any(|relation| self.has(relation, row, &[Truth::Yes]));
                    !spares && (theirs > due || (theirs == due && other < place))
                }
            }
        })
    }

    /// What a rule says by itself, where related rows speak for it so surely at least.
    fn opinion(&self, rule: &Rule, row: &Row, surely: Truth) -> Option<Opinion> {
        match rule.when.as_ref().map_or(Truth::Yes, |when| when.answer(row)) {
            Truth::Yes => {}
            Truth::No | Truth::Unknown => return None,
            Truth::Unreadable => return Some(Opinion::Unreadable),
        }
        let sure = [Truth::Yes];
        let doubt = [Truth::Yes, Truth::Unknown, Truth::Unreadable];
        let enough = if surely == Truth::Yes { &sure[..] } else { &doubt[..] };
        if !rule.only_if.iter().all(|relation| self.has(relation, row, enough)) {
            return None;
        }
        let kept = self.kept(rule, row);
        let started = self.started(rule, row, &kept);
        Some(match (started, kept) {
            (Started::None, _) => Opinion::Unrelated,
            (Started::Unreadable, _) | (_, Kept::Unreadable) => Opinion::Unreadable,
            (Started::NotYet, _) | (_, Kept::Nothing) => Opinion::Waiting,
            (Started::At(event), kept) => Opinion::DueFrom(self.due(rule, event, &kept)),
        })
    }
}
