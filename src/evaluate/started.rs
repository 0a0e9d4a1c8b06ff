//! When a record's clock started: from its own columns and from what was found among related rows.

use super::Reason;
use super::related::Found;
use crate::calendar::{Event, Reading, Timestamp, Timestamps};
use crate::policy::Choice;
use crate::value::Value;

/// What starts a rule's period, by the places of its cells.
#[derive(Clone, Debug)]
pub(super) struct Starts {
    pub(super) choice: Choice,
    pub(super) parts: Vec<StartPart>,
}

#[derive(Clone, Debug)]
pub(super) struct StartPart {
    /// The place of its cell.
    pub(super) cell: usize,
    pub(super) kind: PartKind,
}

#[derive(Clone, Debug)]
pub(super) enum PartKind {
    Own { timestamps: Timestamps, is_optional: bool },
    Related,
}

/// What the parts say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Started {
    At(Event),
    NotYet,
    Unreadable(Reason),
    /// All parts are related rows, and there is none.
    Unrelated,
}

impl Starts {
    /// The single column of the record that starts the period, where no other part does.
    pub(super) fn only_column(&self) -> Option<(usize, &Timestamps)> {
        match &self.parts[..] {
            [StartPart { cell, kind: PartKind::Own { timestamps, .. } }] => Some((*cell, timestamps)),
            _ => None,
        }
    }

    /// Columns of which each must be due for the record to be due.
    pub(super) fn necessary(&self) -> impl Iterator<Item = (usize, &Timestamps)> {
        let decides = self.choice == Choice::Latest || self.parts.len() == 1;
        self.parts.iter().filter(move |_| decides).filter_map(|part| match &part.kind {
            PartKind::Own { timestamps, is_optional: false } => Some((part.cell, timestamps)),
            _ => None,
        })
    }

    /// Which event counts, where `due` says from when a record of one is due.
    #[inline]
    pub(super) fn read<'v>(
        &self,
        due: &impl Fn(Event) -> Timestamp,
        row: &impl Fn(usize) -> Value<'v>,
    ) -> Started {
        match self.only_column() {
            Some((cell, timestamps)) => Started::of(timestamps.read(row(cell))),
            None => self.read_parts(due, row),
        }
    }

    fn read_parts<'v>(
        &self,
        due: &impl Fn(Event) -> Timestamp,
        row: &impl Fn(usize) -> Value<'v>,
    ) -> Started {
        let (mut event, mut waits) = (None, false);
        for part in &self.parts {
            match part.read(due, row) {
                Started::At(seen) => {
                    event = Some(event.map_or(seen, |known| self.choice.of(due, known, seen)))
                }
                Started::NotYet => waits |= self.choice == Choice::Latest && !part.is_optional(),
                Started::Unrelated => {}
                unreadable @ Started::Unreadable(_) => return unreadable,
            }
        }
        match event {
            _ if waits => Started::NotYet,
            Some(event) => Started::At(event),
            None if self.parts.iter().all(StartPart::is_related) => Started::Unrelated,
            None => Started::NotYet,
        }
    }
}

impl Choice {
    fn of(self, due: &impl Fn(Event) -> Timestamp, known: Event, seen: Event) -> Event {
        let (of_known, of_seen) = (due(known), due(seen));
        let is_seen = match self {
            Choice::Latest => of_seen > of_known,
            Choice::Earliest => of_seen < of_known,
        };
        if is_seen { seen } else { known }
    }
}

impl StartPart {
    fn is_related(&self) -> bool {
        matches!(self.kind, PartKind::Related)
    }

    fn is_optional(&self) -> bool {
        matches!(self.kind, PartKind::Own { is_optional: true, .. })
    }

    fn read<'v>(&self, due: &impl Fn(Event) -> Timestamp, row: &impl Fn(usize) -> Value<'v>) -> Started {
        match &self.kind {
            PartKind::Own { timestamps, .. } => Started::of(timestamps.read(row(self.cell))),
            PartKind::Related => match Found::from_cell(row(self.cell)) {
                Found::Nothing => Started::Unrelated,
                Found::Events { date, at } => {
                    let events = date.map(Event::Date).into_iter().chain(at.map(Event::At));
                    let latest = events.reduce(|known, seen| Choice::Latest.of(due, known, seen));
                    latest.map_or(Started::Unrelated, Started::At)
                }
                Found::Empty => Started::NotYet,
                Found::Unreadable => Started::Unreadable(Reason::Related(self.cell)),
            },
        }
    }
}

impl Started {
    #[inline]
    fn of(reading: Reading) -> Started {
        match reading {
            Reading::Event(event) => Started::At(event),
            Reading::Empty => Started::NotYet,
            Reading::Unreadable(why) => Started::Unreadable(Reason::Event(why)),
        }
    }
}
