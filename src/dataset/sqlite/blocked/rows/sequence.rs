//! In which order the rows of a circle can be deleted: some keys refuse at once, and some cascade.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{Named, OnDelete, Row, Rows};

/// Which rows of a circle have to go before which.
pub(super) struct Sequence<'a> {
    rows: &'a Rows,
    /// Whether a key refuses at all.
    pub(super) is_needed: bool,
    /// The rows with which the engine deletes a row.
    cascading: HashMap<Row, Vec<Row>>,
}

impl<'a> Sequence<'a> {
    pub(super) fn among(rows: &'a Rows) -> Sequence<'a> {
        let mut cascading: HashMap<Row, Vec<Row>> = HashMap::new();
        let is_needed = rows.on_delete.contains(&OnDelete::Refuses);
        for named in rows.named.iter().filter(|_| is_needed) {
            if rows.on_delete[named.key] == OnDelete::Cascades {
                cascading.entry(named.child).or_default().push(named.parent);
            }
        }
        Sequence { rows, is_needed, cascading }
    }

    /// The rows of a circle in an order that every key lets them go in; none where there is no such order,
    /// and where in a very large circle none was found.
    pub(super) fn of(&self, group: Vec<Row>) -> Option<Vec<Row>> {
        if group.len() == 1 || !self.is_needed {
            return Some(group);
        }
        let members: HashMap<Row, usize> =
            group.iter().enumerate().map(|(place, row)| (*row, place)).collect();
        let order = sorted(2 * group.len(), &self.along_cascades(&group, &members));
        let order = match order {
            None if group.len() <= EXACT => sorted(group.len(), &self.pair_by_pair(&group, &members)),
            other => other,
        };
        Some(order?.into_iter().filter_map(|place| group.get(place).copied()).collect())
    }

    /// The rows that name a row by a key that refuses.
    fn refusing<'b>(
        &'b self,
        parent: Row,
        members: &'b HashMap<Row, usize>,
    ) -> impl Iterator<Item = Row> + 'b {
        let refuses = |named: &&Named| self.rows.on_delete[named.key] == OnDelete::Refuses;
        let children = self.rows.naming(parent).iter().filter(refuses).map(|named| named.child);
        children.filter(|child| members.contains_key(child))
    }

    /// The rows of the circle with which the engine deletes a row.
    fn above<'b>(&'b self, row: Row, members: &'b HashMap<Row, usize>) -> impl Iterator<Item = Row> + 'b {
        self.cascading.get(&row).into_iter().flatten().copied().filter(|above| members.contains_key(above))
    }

    /// What comes before what. Behind the rows stand as many points in time: that from which on a row may be
    /// gone, which is also what a cascade from above has to wait for.
    fn along_cascades(&self, group: &[Row], members: &HashMap<Row, usize>) -> Vec<(usize, usize)> {
        let (place, may_go) = (|row: Row| members[&row], |row: Row| group.len() + members[&row]);
        let mut before = Vec::new();
        for row in group {
            before.push((may_go(*row), place(*row)));
            before.extend(self.above(*row, members).map(|above| (may_go(*row), may_go(above))));
            for first in self.refusing(*row, members) {
                if self.above(*row, members).all(|above| above != first) {
                    before.push((place(first), may_go(*row)));
                    continue;
                }
                // The first one takes the row with it, and does not refuse that.
                before.push((place(first), place(*row)));
                let others = self.above(*row, members).filter(|above| *above != first);
                before.extend(others.map(|above| (place(first), may_go(above))));
            }
        }
        before
    }

    /// The same for each pair of rows: exact, and too much for a large circle.
    fn pair_by_pair(&self, group: &[Row], members: &HashMap<Row, usize>) -> Vec<(usize, usize)> {
        let mut before = HashSet::new();
        for row in group {
            for first in self.refusing(*row, members) {
                let taking = self.taking(*row, first, members);
                before.extend(taking.into_iter().map(|row| (members[&first], members[&row])));
            }
        }
        before.into_iter().collect()
    }

    /// The rows whose deletion deletes a row: itself, and those from which a cascade comes down to it
    /// without passing the row for which it has to wait.
    fn taking(&self, row: Row, first: Row, members: &HashMap<Row, usize>) -> HashSet<Row> {
        let (mut taking, mut next) = (HashSet::from([row]), vec![row]);
        while let Some(row) = next.pop() {
            for above in self.above(row, members) {
                if above != first && taking.insert(above) {
                    next.push(above);
                }
            }
        }
        taking
    }
}

/// In a circle of so many rows every pair of them can be looked at.
const EXACT: usize = 500;

/// Numbers in an order in which each first comes before its second; none where there is no such order
/// (Kahn 1962).
fn sorted(numbers: usize, before: &[(usize, usize)]) -> Option<Vec<usize>> {
    let mut waits_for = vec![0_usize; numbers];
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); numbers];
    for (first, second) in before {
        waits_for[*second] += 1;
        waiting[*first].push(*second);
    }
    let mut next: VecDeque<usize> = (0..numbers).filter(|number| waits_for[*number] == 0).collect();
    let mut order = Vec::new();
    while let Some(number) = next.pop_front() {
        order.push(number);
        for second in &waiting[number] {
            waits_for[*second] -= 1;
            next.extend((waits_for[*second] == 0).then_some(*second));
        }
    }
    (order.len() == numbers).then_some(order)
}
