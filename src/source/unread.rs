//! The records that cannot be read: the first of them by name, and which formats would read them.

use std::ops::Range;

use super::request::{Flow, Listed, TableQuery};
use crate::calendar::Shapes;
use crate::evaluate::State;

/// How many unreadable records are named.
pub(super) const NAMED: usize = 3;

/// How many of them are looked at for what they have in common.
const SAMPLE: u64 = 50;

/// The first unreadable records of a rule.
pub(super) struct FirstUnread<'a> {
    request: &'a TableQuery<'a>,
    rule: usize,
    /// How many there are.
    all: u64,
    seen: u64,
    named: Vec<Unread>,
    shapes: Option<Shapes>,
    samples: u64,
}

impl<'a> FirstUnread<'a> {
    pub(super) fn of(request: &'a TableQuery<'a>, rule: usize, all: u64) -> FirstUnread<'a> {
        FirstUnread { request, rule, all, seen: 0, named: Vec::new(), shapes: None, samples: 0 }
    }

    /// Looks at a record; stops where enough of them were unreadable.
    pub(super) fn look(&mut self, listed: Listed) -> Flow {
        if listed.verdict.state == State::Unreadable {
            self.seen += 1;
            if let Some(shapes) = listed.shapes {
                self.samples += 1;
                self.shapes = Some(self.shapes.map_or(shapes, |known| known.and(shapes)));
            }
            if self.named.len() < NAMED {
                self.named.push(self.request.unread(self.rule, listed.key, listed.verdict.reason));
            }
        }
        if self.seen < self.all.min(SAMPLE) { Flow::On } else { Flow::Stop }
    }

    /// The records that are named, and what would read all that were looked at.
    pub(super) fn into_told(self) -> (Vec<Unread>, Option<String>) {
        let words = self.shapes.and_then(Shapes::words);
        let looks = words.map(|words| match self.samples {
            1 if self.all == 1 => format!("it looks like {words}"),
            1 => format!("the first looks like {words}"),
            samples if samples == self.all => format!("all {samples} look like {words}"),
            samples => format!("the first {samples} look like {words}"),
        });
        (self.named, looks)
    }
}

/// A record that cannot be read under a rule.
#[derive(Clone, Debug)]
pub struct Unread {
    /// What names it.
    pub key: String,
    /// Why, without any value of it.
    pub why: String,
    /// What of the rule asks for the value, in bytes of the policy.
    pub asked_at: Range<usize>,
}
