//! Rows that name each other, of one table or of several: which of them stay, and in which order the
//! others can go.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

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
        let order = self.order();
        let groups = self.groups_beside(&self.blocked()).into_iter();
        groups.filter_map(|group| order.of(group)).collect()
    }

    fn order(&self) -> Order<'_> {
        let mut cascading: HashMap<Row, Vec<Row>> = HashMap::new();
        let is_needed = self.on_delete.contains(&OnDelete::Refuses);
        for named in self.named.iter().filter(|_| is_needed) {
            if self.on_delete[named.key] == OnDelete::Cascades {
                cascading.entry(named.child).or_default().push(named.parent);
            }
        }
        Order { rows: self, is_needed, cascading }
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
        let order = self.order();
        if !order.is_needed {
            return Vec::new();
        }
        let groups = self.groups_beside(blocked).into_iter();
        let stuck: HashSet<Row> =
            groups.filter(|group| order.of(group.clone()).is_none()).flatten().collect();
        let inside = self.named.iter().filter(|named| stuck.contains(&named.parent));
        let inside = inside.filter(|named| stuck.contains(&named.child));
        inside.map(|named| (named.parent, Kept { key: named.key, by: None })).collect()
    }
}

/// Which rows of a circle have to go before which.
struct Order<'a> {
    rows: &'a Rows,
    /// Whether a key refuses at all.
    is_needed: bool,
    /// The rows with which the engine deletes a row.
    cascading: HashMap<Row, Vec<Row>>,
}

impl Order<'_> {
    /// The rows of a circle in an order that every key lets them go in; none where there is no such order,
    /// and where in a very large circle none was found.
    fn of(&self, group: Vec<Row>) -> Option<Vec<Row>> {
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

/// Strongly connected components, children first (Tarjan 1972), without recursion: a chain of rows can
/// be as long as the table.
struct Walk<'a> {
    rows: &'a Rows,
    /// When each row was met, and the earliest row that it leads back to.
    met: HashMap<Row, (u32, u32)>,
    open: Vec<Row>,
    is_open: HashSet<Row>,
    groups: Vec<Vec<Row>>,
}

impl<'a> Walk<'a> {
    fn below(rows: &'a Rows) -> Walk<'a> {
        let (met, open, is_open, groups) = (HashMap::new(), Vec::new(), HashSet::new(), Vec::new());
        Walk { rows, met, open, is_open, groups }
    }

    fn visit(&mut self, first: Row) {
        if self.met.contains_key(&first) {
            return;
        }
        self.meet(first);
        let mut path = vec![(first, 0)];
        while let Some((row, child)) = path.last_mut() {
            let (row, below) = (*row, self.rows.naming(*row).get(*child).map(|named| named.child));
            *child += 1;
            match below {
                Some(below) if !self.met.contains_key(&below) => {
                    self.meet(below);
                    path.push((below, 0));
                }
                Some(below) if self.is_open.contains(&below) => {
                    let when = self.met[&below].0;
                    self.leads_back(row, when);
                }
                Some(_) => {}
                None => {
                    path.pop();
                    self.close(row);
                    if let Some((above, _)) = path.last() {
                        let earliest = self.met[&row].1;
                        self.leads_back(*above, earliest);
                    }
                }
            }
        }
    }

    fn meet(&mut self, row: Row) {
        let when = u32::try_from(self.met.len()).unwrap_or(u32::MAX);
        self.met.insert(row, (when, when));
        self.open.push(row);
        self.is_open.insert(row);
    }

    fn leads_back(&mut self, row: Row, when: u32) {
        if let Some((_, earliest)) = self.met.get_mut(&row) {
            *earliest = (*earliest).min(when);
        }
    }

    /// A row that leads back to none before it ends its group.
    fn close(&mut self, row: Row) {
        let (when, earliest) = self.met[&row];
        if when != earliest {
            return;
        }
        let start = self.open.iter().rposition(|open| *open == row).unwrap_or_default();
        let group = self.open.split_off(start);
        group.iter().for_each(|row| {
            self.is_open.remove(row);
        });
        self.groups.push(group);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(number: i64) -> Row {
        Row { table: usize::from(number >= 5), number }
    }

    /// Rows 0 to 9 of two tables, of which some go; each pair is a child and its parent.
    fn rows(going: &[i64], pairs: &[(i64, i64)]) -> Rows {
        rows_by(going, &pairs.iter().map(|(child, parent)| (*child, *parent, 0)).collect::<Vec<_>>())
    }

    /// The same, with the number of the key.
    fn rows_by(going: &[i64], pairs: &[(i64, i64, usize)]) -> Rows {
        let going = going.iter().map(|number| (row(*number), 0)).collect();
        let naming = pairs.iter().filter(|(child, parent, _)| child != parent);
        let naming =
            naming.map(|(child, parent, key)| Named { child: row(*child), parent: row(*parent), key: *key });
        Rows::new(going, naming, vec![OnDelete::Waits, OnDelete::Refuses, OnDelete::Cascades])
    }

    fn groups(rows: &Rows) -> Vec<Vec<i64>> {
        rows.groups().iter().map(|group| group.iter().map(|row| row.number).collect()).collect()
    }

    #[test]
    fn a_row_that_stays_keeps_all_that_it_names_in_turn() {
        let chain = [(1, 0), (2, 1), (3, 2)];
        assert_eq!(groups(&rows(&[0, 1, 2, 3], &chain)), [[3], [2], [1], [0]]);
        assert_eq!(groups(&rows(&[0, 1, 2], &chain)), Vec::<Vec<i64>>::new());
        assert_eq!(groups(&rows(&[0, 2, 3], &chain)), [[3], [2]]);
        let kept = |by: Option<i64>| Kept { key: 0, by: by.map(row) };
        let blocked = rows(&[0, 1, 2], &chain).blocked();
        assert_eq!([0, 1, 2].map(|number| blocked[&row(number)]), [kept(None), kept(None), kept(Some(3))]);
    }

    #[test]
    fn rows_in_a_circle_stand_together() {
        let circle = [(1, 0), (0, 1), (2, 1), (5, 5)];
        let mut together = groups(&rows(&[0, 1, 2, 5], &circle));
        together.iter_mut().for_each(|group| group.sort_unstable());
        assert_eq!(together, [vec![2], vec![0, 1], vec![5]]);
        assert_eq!(groups(&rows(&[0, 1, 5], &circle)), [[5]]);
    }

    #[test]
    fn in_a_circle_those_come_first_that_a_key_lets_not_go_last() {
        let all = [(1, 0), (2, 1), (7, 2), (0, 7), (3, 9)];
        let refusing = |but: usize| {
            let pairs = all
                .iter()
                .enumerate()
                .map(|(place, (child, parent))| (*child, *parent, usize::from(place != but)));
            rows_by(&[0, 1, 2, 7], &pairs.collect::<Vec<_>>())
        };
        for but in 0..4 {
            let order = groups(&refusing(but)).concat();
            for (child, parent) in
                all[..4].iter().enumerate().filter(|(place, _)| *place != but).map(|(_, pair)| pair)
            {
                let place = |row: i64| order.iter().position(|number| *number == row);
                assert!(place(*child) < place(*parent), "{order:?} {child} {parent}");
            }
        }
        assert_eq!(groups(&refusing(9)), Vec::<Vec<i64>>::new());
        let blocked = refusing(9).blocked();
        assert_eq!((blocked.len(), blocked[&row(7)]), (4, Kept { key: 1, by: None }));
    }

    #[test]
    fn what_a_cascade_would_delete_waits_for_the_same_rows() {
        // The first names the second, which refuses; the second goes with the third.
        let circle = [(0, 1, 1), (1, 2, 2), (2, 0, 0)];
        let order = groups(&rows_by(&[0, 1, 2], &circle)).concat();
        assert_eq!(order[0], 0, "{order:?}");
        // The third must not go after the first as well: it would have to go before itself.
        let more = [&circle[..], &[(2, 0, 1)]].concat();
        assert_eq!(groups(&rows_by(&[0, 1, 2], &more)), Vec::<Vec<i64>>::new());
    }

    #[test]
    fn what_a_row_takes_with_it_does_not_refuse() {
        // A customer names its main contact, by a key that refuses, and takes its contacts with it.
        assert_eq!(groups(&rows_by(&[0, 1], &[(0, 1, 1), (1, 0, 2)])), [[0, 1]]);
        // The same by way of a row between them.
        let between = [(0, 2, 1), (1, 0, 2), (2, 1, 2)];
        assert_eq!(groups(&rows_by(&[0, 1, 2], &between)).concat()[0], 0);
    }

    #[test]
    fn an_order_is_found_without_looking_at_each_pair() {
        // Each row takes the next with it, and for each a row of its own has to go before.
        let rungs = 40_000_i64;
        let row = |number: i64| Row { table: usize::from(number >= rungs), number };
        let named =
            |child: i64, parent: i64, key: usize| Named { child: row(child), parent: row(parent), key };
        let mut naming = vec![named(0, rungs - 1, 0)];
        for rung in 0..rungs {
            naming.push(named(rungs + rung, rung, 1));
            naming.push(named(rung, rungs + (rung + 1) % rungs, 0));
            naming.extend((rung > 0).then(|| named(rung, rung - 1, 2)));
        }
        let going = (0..2 * rungs).map(|number| (row(number), 0)).collect();
        let on_delete = vec![OnDelete::Waits, OnDelete::Refuses, OnDelete::Cascades];
        let groups = Rows::new(going, naming, on_delete).groups();
        assert_eq!((groups.len(), groups[0].len()), (1, 80_000));
        let first = groups[0].iter().position(|other| *other == row(0)).unwrap();
        let refusing = groups[0].iter().filter(|row| row.table == 1);
        assert!(refusing.count() == 40_000 && first >= 40_000, "the last of them waits for all");
    }

    #[test]
    fn a_chain_as_long_as_a_table_is_no_deep_recursion() {
        let long: Vec<Row> = (0..200_000).map(|number| Row { table: 0, number }).collect();
        let named = |pair: &[Row]| Named { child: pair[1], parent: pair[0], key: 0 };
        let going = long.iter().map(|row| (*row, 0)).collect();
        let groups = Rows::new(going, long.windows(2).map(named), vec![OnDelete::Refuses]).groups();
        assert_eq!(groups.len(), long.len());
        assert_eq!([&groups[0][..], &groups[199_999][..]], [[long[199_999]], [long[0]]]);
    }

    proptest! {
        /// A row can go where every row that names it, directly or not, goes as well.
        #[test]
        fn what_goes_leaves_no_orphan(going in proptest::collection::hash_set(0i64..10, 0..10),
                                      pairs in proptest::collection::vec((0i64..10, 0i64..10), 0..15)) {
            let going: Vec<i64> = going.into_iter().collect();
            let groups = groups(&rows(&going, &pairs));
            let gone: Vec<i64> = groups.iter().flatten().copied().collect();
            let mut naive: HashSet<i64> = going.iter().copied().collect();
            for _ in 0..10 {
                let stays = |row: &i64| pairs.iter().any(|(child, parent)| parent == row && child != row && !naive.contains(child));
                naive = naive.iter().filter(|row| !stays(row)).copied().collect();
            }
            prop_assert_eq!(gone.iter().copied().collect::<HashSet<i64>>(), naive);
            for (place, group) in groups.iter().enumerate() {
                let before: HashSet<i64> = groups[..=place].iter().flatten().copied().collect();
                let named_from = |row: &i64| pairs.iter().all(|(child, parent)| parent != row || child == row || before.contains(child));
                prop_assert!(group.iter().all(named_from), "{:?} before its children", group);
            }
        }
    }
}
