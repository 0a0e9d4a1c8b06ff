//! `keep-newest`: the newest records, which no rule deletes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::calendar::Event;

/// Gathers the newest of the records that it is shown, in memory for that many.
///
/// What is kept begins with the oldest event among them: ties are kept, so no order among equals
/// has to be found.
#[derive(Clone, Debug)]
pub struct Newest<K> {
    wanted: usize,
    newest: BinaryHeap<Reverse<(Event, K)>>,
    counted: u64,
}

impl<K: Ord> Newest<K> {
    /// Gathers so many.
    pub fn new(wanted: u64) -> Newest<K> {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        Newest { wanted, newest: BinaryHeap::new(), counted: 0 }
    }

    /// Shows it a record; its key is only asked for where it may be one of the newest.
    pub fn show(&mut self, event: Event, key: impl FnOnce() -> K) {
        self.counted += 1;
        if self.newest.len() < self.wanted {
            self.newest.push(Reverse((event, key())));
        } else if self.kept_from().is_some_and(|oldest| event > oldest) {
            self.newest.pop();
            self.newest.push(Reverse((event, key())));
        }
    }

    /// The oldest event that is kept; none where no record was shown.
    pub fn kept_from(&self) -> Option<Event> {
        self.newest.peek().map(|Reverse((event, _))| *event)
    }

    /// How many records it was shown.
    pub fn counted(&self) -> u64 {
        self.counted
    }

    /// The newest records, in no order.
    pub fn into_records(self) -> impl Iterator<Item = (Event, K)> {
        self.newest.into_iter().map(|Reverse(record)| record)
    }
}

/// What one rule's `keep-newest` keeps from every rule on the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Nothing: the rule does not ask for it.
    None,
    /// Every record: which are the newest is not known.
    Unknown,
    /// Records from these events on: of all, and of those that the rule itself is about. A rule
    /// about some of the records must not delete the last of them because others are newer.
    From {
        /// Of all records.
        all: Option<Event>,
        /// Of those that the rule matches.
        matching: Option<Event>,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::{Date, Timestamp};

    fn at(seconds: i64) -> Event {
        Event::At(Timestamp::from_unix(seconds, 0))
    }

    #[test]
    fn nothing_shown_keeps_nothing_and_few_are_all_kept() {
        let mut newest = Newest::new(3);
        assert_eq!(newest.kept_from(), None);
        newest.show(at(5), || "a");
        newest.show(at(3), || "b");
        assert_eq!(newest.kept_from(), Some(at(3)));
        assert_eq!(newest.counted(), 2);
    }

    #[test]
    fn the_largest_number_needs_no_memory_of_its_own() {
        let mut newest = Newest::new(u64::MAX);
        newest.show(Event::Date(Date::default()), || ());
        assert_eq!(newest.into_records().count(), 1);
    }

    proptest! {
        #[test]
        fn what_is_kept_is_what_sorting_would_keep(
            seconds in proptest::collection::vec(0..20_i64, 0..40),
            wanted in 1..6_u64,
        ) {
            let mut newest = Newest::new(wanted);
            seconds.iter().enumerate().for_each(|(key, second)| newest.show(at(*second), || key));
            let mut sorted = seconds.clone();
            sorted.sort_unstable_by(|one, other| other.cmp(one));
            let kept = sorted.iter().take(usize::try_from(wanted).unwrap());
            prop_assert_eq!(newest.kept_from(), kept.min().map(|second| at(*second)));
        }
    }
}
