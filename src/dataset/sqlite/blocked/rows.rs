//! Rows that name each other, of one table or of several: which of them stay, and in which order the
//! others can go.

mod sequence;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use sequence::Sequence;
use walk::Walk;

/// A row, by the number of its table and its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row {
    /// The table.
    pub table: usize,
    /// Its row number.
    pub number: i64,
}

/// A row that names another, by the number of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) child: Row,
    pub(super) parent: Row,
    pub(super) key: usize,
}

/// Why a row stays although a rule deletes it: by this key it is named by a row that stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The number of the key.
    pub key: usize,
    /// The row that stays, where no rule deletes that; otherwise it is kept in turn.
    pub by: Option<Row>,
}

/// What the engine does with a row that names one which is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnDelete {
    /// Nothing before the transaction ends.
    Waits,
    /// It refuses at once, even where the transaction would delete the row as well.
    Refuses,
    /// It deletes the row at once.
    Cascades,
}

/// The rows that rules delete, and who names whom.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Each row that a rule deletes, with the rule.
    pub going: HashMap<Row, usize>,
    /// Rows that go and are named by one that goes, in the order of the parents.
    named: Vec<Named>,
    /// Rows that go and are named by one that stays.
    kept: Vec<(Row, Kept)>,
    /// What the engine does, for each key.
    pub(super) on_delete: Vec<OnDelete>,
}

impl Rows {
    /// Rows that go, and those that name them, in any order.
    pub(super) fn new(
        going: HashMap<Row, usize>,
        naming: impl IntoIterator<Item = Named>,
        on_delete: Vec<OnDelete>,
    ) -> Rows {
        let mut rows = Rows { going, on_delete, ..Rows::default() };
        for named in naming {
            rows.add(named);
        }
        rows.named.sort_unstable_by_key(|named| (named.parent, named.child));
        rows
    }

    fn add(&mut self, named: Named) {
        if !self.going.contains_key(&named.parent) {
            return;
        }
        match self.going.contains_key(&named.child) {
            true => self.named.push(named),
            false => self.kept.push((named.parent, Kept { key: named.key, by: Some(named.child) })),
        }
    }

    /// The same, as if no rule deleted some of the rows.
    pub fn without(self, stays: impl Fn(&Row) -> bool) -> Rows {
        let Rows { mut going, named, mut kept, on_delete } = self;
        going.retain(|row, _| !stays(row));
        kept.retain(|(row, _)| going.contains_key(row));
        let mut rows = Rows::new(going, named, on_delete);
        rows.kept.extend(kept);
        rows
    }

    /// The rows that name a row and go.
    pub fn children(&self, parent: Row) -> impl Iterator<Item = Row> {
        self.naming(parent).iter().map(|named| named.child)
    }

    fn naming(&self, parent: Row) -> &[Named] {
        let first = self.named.partition_point(|named| named.parent < parent);
        let more = self.named[first..].partition_point(|named| named.parent == parent);
        &self.named[first..first + more]
    }

    /// The rows that stay although a rule deletes them, and why each does: what is named by a row that
    /// stays does itself stay, and so does a circle that no order resolves.
    pub fn blocked(&self) -> HashMap<Row, Kept> {
        let blocked = self.named_by(self.kept.clone());
        let stuck: Vec<(Row, Kept)> = self.stuck_circles(&blocked);
        if stuck.is_empty() { blocked } else { self.named_by([self.kept.clone(), stuck].concat()) }
    }

    /// Rows that stay, and all that they name, directly or not.
    fn named_by(&self, stay: Vec<(Row, Kept)>) -> HashMap<Row, Kept> {
        let mut parents: HashMap<Row, Vec<(Row, Kept)>> = HashMap::new();
        for named in self.named.iter().filter(|_| !stay.is_empty()) {
            parents.entry(named.child).or_default().push((named.parent, Kept { key: named.key, by: None }));
        }
        let mut blocked = HashMap::new();
        let mut next = stay;
        while let Some((row, kept)) = next.pop() {
            if let Entry::Vacant(vacant) = blocked.entry(row) {
                vacant.insert(kept);
                next.extend(parents.get(&row).into_iter().flatten());
            }
        }
        blocked
    }

    /// The rows that can go, those that name others first. Rows that name each other in a circle stand
    /// together, in the order in which they can go: they go at once, or not at all.
    pub fn groups(&self) -> Vec<Vec<Row>> {
        let sequence = Sequence::among(self);
        let groups = self.groups_beside(&self.blocked()).into_iter();
        groups.filter_map(|group| sequence.of(group)).collect()
    }

    fn groups_beside(&self, blocked: &HashMap<Row, Kept>) -> Vec<Vec<Row>> {
        let mut rows: Vec<Row> =
            self.going.keys().filter(|row| !blocked.contains_key(row)).copied().collect();
        rows.sort_unstable();
        let mut walk = Walk::below(self);
        rows.iter().for_each(|row| walk.visit(*row));
        walk.groups
    }

    /// The rows of circles in which a row would have to go both before and after another.
    fn stuck_circles(&self, blocked: &HashMap<Row, Kept>) -> Vec<(Row, Kept)> {
        let sequence = Sequence::among(self);
        if !sequence.is_needed {
            return Vec::new();
        }
        let groups = self.groups_beside(blocked).into_iter();
        let stuck: HashSet<Row> =
            groups.filter(|group| sequence.of(group.clone()).is_none()).flatten().collect();
        let inside = self.named.iter().filter(|named| stuck.contains(&named.parent));
        let inside = inside.filter(|named| stuck.contains(&named.child));
        inside.map(|named| (named.parent, Kept { key: named.key, by: None })).collect()
    }
}
