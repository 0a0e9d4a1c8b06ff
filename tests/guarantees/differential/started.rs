//! When a record's clock started and how long it runs, by its own cells and by related rows.

use chrono::{DateTime, Utc};

use super::calendar::Event;
use super::condition::{Condition, Truth};
use super::data::{Row, Said, Saying};
use super::model::Model;
use super::period::{self, Length};
use super::rule::{After, Keep, Part, Relation, Rule, Side};
use super::time::{Cell, Means};

/// How long a record is kept.
pub(super) enum Kept {
    /// The data does not say yet.
    Nothing,
    Unreadable,
    /// The longest of these, but no longer than the last one.
    For(Vec<Length>, Option<Length>),
}

/// What one of several times says.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Started {
    /// There is no row that could say.
    None,
    Unreadable,
    NotYet,
    At(Event),
}

impl Model {
    pub(super) fn due(&self, rule: &Rule, event: Event, kept: &Kept) -> DateTime<Utc> {
        let due = |length: &Length| self.calendar.due(event, rule.counted, *length);
        let Kept::For(lengths, cap) = kept else { return self.now };
        let longest = lengths.iter().map(due).max().unwrap();
        cap.as_ref().map_or(longest, |cap| longest.min(due(cap)))
    }

    pub(super) fn kept(&self, rule: &Rule, row: &Row) -> Kept {
        let (relation, unit, cap) = match &rule.keep {
            Keep::Fixed(period) => return Kept::For(vec![period.length], None),
            Keep::Data { relation, unit, cap } => (relation, *unit, cap.as_ref().map(|cap| cap.length)),
        };
        let Some(relation) = relation else {
            return match said(&row.period, unit) {
                Err(()) => Kept::Unreadable,
                Ok(None) => Kept::Nothing,
                Ok(Some(length)) => Kept::For(vec![length], cap),
            };
        };
        let said =
            self.related(relation, row).into_iter().filter_map(|theirs| match answer(relation, theirs) {
                Truth::Yes => Some(said(&theirs.period, unit)),
                Truth::No => None,
                Truth::Unknown | Truth::Unreadable => Some(Ok(None)),
            });
        match said.collect::<Result<Vec<_>, ()>>() {
            Err(()) => Kept::Unreadable,
            Ok(said) if said.is_empty() || said.contains(&None) => Kept::Nothing,
            Ok(said) => Kept::For(said.into_iter().flatten().collect(), cap),
        }
    }

    pub(super) fn started(&self, rule: &Rule, row: &Row, kept: &Kept) -> Started {
        let (parts, is_latest): (Vec<Part>, bool) = match &rule.after {
            After::One(part) => (vec![part.clone()], true),
            After::Latest(parts) => (parts.clone(), true),
            After::Earliest(columns) => {
                (columns.iter().map(|column| Part::Own { column: *column, optional: false }).collect(), false)
            }
        };
        let mut seen = Vec::new();
        for part in &parts {
            seen.push((self.part(rule, part, row, kept), matches!(part, Part::Own { optional: true, .. })));
        }
        let waits = |(started, optional): &(Started, bool)| *started == Started::NotYet && !optional;
        if seen.iter().any(|(started, _)| *started == Started::Unreadable) {
            return Started::Unreadable;
        }
        if is_latest && seen.iter().any(waits) {
            return Started::NotYet;
        }
        if parts.iter().all(|part| matches!(part, Part::Related { .. }))
            && seen.iter().all(|(started, _)| *started == Started::None)
        {
            return Started::None;
        }
        let events = seen.iter().filter_map(|(started, _)| started.event());
        let due = |event: &Event| self.due(rule, *event, kept);
        let chosen = if is_latest { events.max_by_key(due) } else { events.min_by_key(due) };
        chosen.map_or(Started::NotYet, Started::At)
    }

    fn part(&self, rule: &Rule, part: &Part, row: &Row, kept: &Kept) -> Started {
        let (relation, column) = match part {
            Part::Own { column, .. } => return Started::of(&row.times[*column]),
            Part::Related { relation, column } => (relation, *column),
        };
        let rows = self.related(relation, row).into_iter();
        let counted = rows.filter(|theirs| answer(relation, theirs) != Truth::No);
        let seen: Vec<Started> = counted.map(|theirs| Started::of(&theirs.times[column])).collect();
        if let Some(decided) = [Started::Unreadable, Started::NotYet].into_iter().find(|it| seen.contains(it))
        {
            return decided;
        }
        let events = seen.into_iter().filter_map(Started::event);
        events.max_by_key(|event| self.due(rule, *event, kept)).map_or(Started::None, Started::At)
    }

    /// Whether a related row answers in one of these ways.
    pub(super) fn has(&self, relation: &Relation, row: &Row, answers: &[Truth]) -> bool {
        self.related(relation, row).into_iter().any(|theirs| answers.contains(&answer(relation, theirs)))
    }

    fn related(&self, relation: &Relation, row: &Row) -> Vec<&Row> {
        let is_equal = |(side, own): &(Side, Side), theirs: &Row| {
            key(own, row).is_some_and(|ours| key(side, theirs) == Some(ours))
        };
        let rows = self.tables[relation.table].rows.iter();
        rows.filter(|theirs| relation.pairs.iter().all(|pair| is_equal(pair, theirs))).collect()
    }
}

fn answer(relation: &Relation, theirs: &Row) -> Truth {
    relation.filter.as_ref().map_or(Truth::Yes, |filter: &Condition| filter.answer(theirs))
}

fn key(side: &Side, row: &Row) -> Option<String> {
    let text = if side.is_reference { row.reference.clone() } else { row.id.clone() };
    text.map(|text| {
        side.folds.iter().fold(text, |text, fold| match *fold {
            "lower" => text.to_ascii_lowercase(),
            _ => text.trim_matches(' ').to_owned(),
        })
    })
}

fn said(said: &Said, unit: Option<&str>) -> Result<Option<Length>, ()> {
    match (said.means, unit) {
        (Saying::Nothing, _) => Ok(None),
        (Saying::Count(count), Some(unit)) => Ok(Some(period::counted(count, unit))),
        (Saying::Period(length), None) => Ok(Some(length)),
        _ => Err(()),
    }
}

impl Started {
    fn of(cell: &Cell) -> Started {
        match cell.means {
            Means::Event(event) => Started::At(event),
            Means::Empty => Started::NotYet,
            Means::Unreadable => Started::Unreadable,
        }
    }

    fn event(self) -> Option<Event> {
        if let Started::At(event) = self { Some(event) } else { None }
    }
}
