//! In which order rows can go: those first that refer to others, and those at once that no order can part.

use std::collections::{HashMap, HashSet, VecDeque};

use super::graph::Node;

/// What an engine does with a row that refers to one which is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnDelete {
    /// Nothing before the transaction ends.
    Waits,
    /// It refuses at once, even where the transaction would delete the row as well.
    Refuses,
    /// It deletes the row at once.
    Cascades,
}

/// A row that refers to another, or has to go before it for another reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Before {
    /// The one that goes later.
    pub(crate) then: Node,
    pub(crate) first: Node,
    /// What the engine does with the first one when the other goes.
    pub(crate) on_delete: u8,
}

impl Before {
    pub(crate) fn new(first: Node, then: Node, on_delete: OnDelete) -> Before {
        let on_delete = match on_delete {
            OnDelete::Waits => 0,
            OnDelete::Refuses => 1,
            OnDelete::Cascades => 2,
        };
        Before { then, first, on_delete }
    }

    fn refuses(&self) -> bool {
        self.on_delete == 1
    }

    fn cascades(&self) -> bool {
        self.on_delete == 2
    }
}

/// Rows, and which of them have to go before which.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// In the order of the rows that go later.
    before: Vec<Before>,
}

impl Order {
    pub(crate) fn of(before: impl IntoIterator<Item = Before>) -> Order {
        let mut before: Vec<Before> = before.into_iter().collect();
        before.sort_unstable();
        before.dedup();
        Order { before }
    }

    /// What has to go before a row.
    pub(crate) fn before(&self, row: Node) -> &[Before] {
        let first = self.before.partition_point(|one| one.then < row);
        let more = self.before[first..].partition_point(|one| one.then == row);
        &self.before[first..first + more]
    }

    /// Rows that go at once, those before others that have to; each with those that have to go before it, directly or
    /// not, unless these are left out.
    pub(crate) fn groups(&self, rows: impl IntoIterator<Item = Node>) -> Vec<Vec<Node>> {
        let mut walk = Walk {
            order: self,
            met: HashMap::new(),
            open: Vec::new(),
            is_open: HashSet::new(),
            groups: Vec::new(),
        };
        rows.into_iter().for_each(|row| walk.visit(row));
        walk.groups
    }

    /// The rows of a circle in an order that every key lets them go in; none where there is no such order, and where in
    /// a very large circle none was found.
    pub(crate) fn sequence(&self, group: Vec<Node>) -> Option<Vec<Node>> {
        if group.len() == 1 || !group.iter().any(|row| self.before(*row).iter().any(Before::refuses)) {
            return Some(group);
        }
        let places: HashMap<Node, usize> =
            group.iter().enumerate().map(|(place, row)| (*row, place)).collect();
        let mut above: HashMap<Node, Vec<Node>> = HashMap::new();
        for one in group.iter().flat_map(|row| self.before(*row)).filter(|one| one.cascades()) {
            above.entry(one.first).or_default().push(one.then);
        }
        let circle = Circle { order: self, group: &group, places, above };
        let order = match sorted(2 * group.len(), &circle.along_cascades()) {
            None if group.len() <= EXACT => sorted(group.len(), &circle.pair_by_pair()),
            other => other,
        };
        Some(order?.into_iter().filter_map(|place| group.get(place).copied()).collect())
    }
}

/// Strongly connected components, children first (Tarjan 1972), without recursion: a chain of rows can
/// be as long as the table.
struct Walk<'a> {
    order: &'a Order,
    /// When each row was met, and the earliest row that it leads back to.
    met: HashMap<Node, (u32, u32)>,
    open: Vec<Node>,
    is_open: HashSet<Node>,
    groups: Vec<Vec<Node>>,
}

impl Walk<'_> {
    fn visit(&mut self, first: Node) {
        if self.met.contains_key(&first) {
            return;
        }
        self.meet(first);
        let mut path = vec![(first, 0)];
        while let Some((row, child)) = path.last_mut() {
            let (row, below) = (*row, self.order.before(*row).get(*child).map(|one| one.first));
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

    fn meet(&mut self, row: Node) {
        let when = u32::try_from(self.met.len()).unwrap_or(u32::MAX);
        self.met.insert(row, (when, when));
        self.open.push(row);
        self.is_open.insert(row);
    }

    fn leads_back(&mut self, row: Node, when: u32) {
        if let Some((_, earliest)) = self.met.get_mut(&row) {
            *earliest = (*earliest).min(when);
        }
    }

    /// A row that leads back to none before it ends its group.
    fn close(&mut self, row: Node) {
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

/// Rows that refer to each other in a circle, where some keys refuse at once, and some cascade.
struct Circle<'a> {
    order: &'a Order,
    group: &'a [Node],
    places: HashMap<Node, usize>,
    /// The rows with which the engine deletes a row.
    above: HashMap<Node, Vec<Node>>,
}

impl Circle<'_> {
    /// The rows that refer to a row by a key that refuses.
    fn refusing(&self, row: Node) -> impl Iterator<Item = Node> {
        let refusing = self.order.before(row).iter().filter(|one| one.refuses());
        refusing.map(|one| one.first).filter(|first| self.places.contains_key(first))
    }

    /// The rows of the circle with which the engine deletes a row.
    fn above(&self, row: Node) -> impl Iterator<Item = Node> {
        self.above.get(&row).into_iter().flatten().copied().filter(|above| self.places.contains_key(above))
    }

    /// What comes before what. Behind the rows stand as many points in time: that from which on a row may be
    /// gone, which is also what a cascade from above has to wait for.
    fn along_cascades(&self) -> Vec<(usize, usize)> {
        let (place, may_go) =
            (|row: Node| self.places[&row], |row: Node| self.group.len() + self.places[&row]);
        let mut before = Vec::new();
        for row in self.group {
            before.push((may_go(*row), place(*row)));
            before.extend(self.above(*row).map(|above| (may_go(*row), may_go(above))));
            for first in self.refusing(*row) {
                if self.above(*row).all(|above| above != first) {
                    before.push((place(first), may_go(*row)));
                    continue;
                }
                // The first one takes the row with it, and does not refuse that.
                before.push((place(first), place(*row)));
                let others = self.above(*row).filter(|above| *above != first);
                before.extend(others.map(|above| (place(first), may_go(above))));
            }
        }
        before
    }

    /// The same for each pair of rows: exact, and too much for a large circle.
    fn pair_by_pair(&self) -> Vec<(usize, usize)> {
        let mut before = HashSet::new();
        for row in self.group {
            for first in self.refusing(*row) {
                let taking = self.taking(*row, first);
                before.extend(taking.into_iter().map(|row| (self.places[&first], self.places[&row])));
            }
        }
        before.into_iter().collect()
    }

    /// The rows whose deletion deletes a row: itself, and those from which a cascade comes down to it
    /// without passing the row for which it has to wait.
    fn taking(&self, row: Node, first: Node) -> HashSet<Node> {
        let (mut taking, mut next) = (HashSet::from([row]), vec![row]);
        while let Some(row) = next.pop() {
            for above in self.above(row) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use OnDelete::{Cascades, Refuses, Waits};

    /// Pairs of a row that refers to another, and that one.
    fn order(pairs: &[(Node, Node, OnDelete)]) -> Order {
        let others = pairs.iter().filter(|(child, parent, _)| child != parent);
        Order::of(others.map(|(child, parent, on_delete)| Before::new(*child, *parent, *on_delete)))
    }

    /// All rows in the order in which they can go; none where there is no such order.
    fn sequence(rows: impl IntoIterator<Item = Node>, pairs: &[(Node, Node, OnDelete)]) -> Option<Vec<Node>> {
        let order = order(pairs);
        let circles = order.groups(rows).into_iter().map(|circle| order.sequence(circle));
        Some(circles.collect::<Option<Vec<_>>>()?.concat())
    }

    fn place(order: &[Node], row: Node) -> usize {
        order.iter().position(|other| *other == row).unwrap()
    }

    #[test]
    fn rows_in_a_circle_stand_together_behind_those_that_refer_to_them() {
        let mut groups =
            order(&[(1, 0, Waits), (0, 1, Waits), (2, 1, Waits), (5, 5, Waits)]).groups([0, 1, 2, 5]);
        groups.iter_mut().for_each(|group| group.sort_unstable());
        assert_eq!(groups, [vec![2], vec![0, 1], vec![5]]);
    }

    #[test]
    fn in_a_circle_those_come_first_that_a_key_lets_not_go_last() {
        let all = [(1, 0), (2, 1), (7, 2), (0, 7)];
        let pairs = |waiting: usize| {
            let each = all.iter().enumerate();
            let on_delete = move |place| if place == waiting { Waits } else { Refuses };
            each.map(|(place, (child, parent))| (*child, *parent, on_delete(place))).collect::<Vec<_>>()
        };
        for waiting in 0..4 {
            let order = sequence([0, 1, 2, 7], &pairs(waiting)).unwrap();
            for (child, parent, _) in
                pairs(waiting).into_iter().filter(|(.., on_delete)| *on_delete == Refuses)
            {
                assert!(place(&order, child) < place(&order, parent), "{order:?} {child} {parent}");
            }
        }
        assert_eq!(sequence([0, 1, 2, 7], &pairs(9)), None);
    }

    #[test]
    fn what_a_cascade_would_delete_waits_for_the_same_rows() {
        // The first refers to the second, which refuses; the second goes with the third.
        let circle = [(0, 1, Refuses), (1, 2, Cascades), (2, 0, Waits)];
        assert_eq!(sequence([0, 1, 2], &circle).unwrap()[0], 0);
        // The third must not go after the first as well: it would have to go before itself.
        let more = [&circle[..], &[(2, 0, Refuses)]].concat();
        assert_eq!(sequence([0, 1, 2], &more), None);
    }

    #[test]
    fn what_a_row_takes_with_it_does_not_refuse() {
        // A customer names its main contact, by a key that refuses, and takes its contacts with it.
        assert_eq!(sequence([0, 1], &[(0, 1, Refuses), (1, 0, Cascades)]), Some(vec![0, 1]));
        // The same by way of a row between them.
        let between = [(0, 2, Refuses), (1, 0, Cascades), (2, 1, Cascades)];
        assert_eq!(sequence([0, 1, 2], &between).unwrap()[0], 0);
    }

    #[test]
    fn an_order_is_found_without_looking_at_each_pair() {
        // Each row takes the next with it, and for each a row of its own has to go before.
        let rungs: Node = 40_000;
        let mut pairs = vec![(0, rungs - 1, Waits)];
        for rung in 0..rungs {
            pairs.push((rungs + rung, rung, Refuses));
            pairs.push((rung, rungs + (rung + 1) % rungs, Waits));
            pairs.extend((rung > 0).then(|| (rung, rung - 1, Cascades)));
        }
        let order = sequence(0..2 * rungs, &pairs).unwrap();
        assert!(place(&order, 0) >= 40_000, "the last of them waits for all");
    }

    #[test]
    fn a_chain_as_long_as_a_table_is_no_deep_recursion() {
        let pairs: Vec<(Node, Node, OnDelete)> = (1..200_000).map(|row| (row, row - 1, Refuses)).collect();
        assert_eq!(sequence(0..200_000, &pairs), Some((0..200_000).rev().collect()));
    }

    proptest! {
        /// No row goes before one that refers to it, unless they go at once.
        #[test]
        fn what_refers_to_a_row_goes_before_it_or_with_it(
            pairs in proptest::collection::vec((0..10_u32, 0..10_u32), 0..15),
        ) {
            let pairs: Vec<(Node, Node, OnDelete)> =
                pairs.into_iter().map(|(child, parent)| (child, parent, Waits)).collect();
            let groups = order(&pairs).groups(0..10);
            prop_assert_eq!(groups.iter().flatten().collect::<HashSet<_>>().len(), 10);
            let group_of = |row: Node| groups.iter().position(|group| group.contains(&row));
            for (child, parent, _) in &pairs {
                prop_assert!(group_of(*child) <= group_of(*parent), "{:?}", groups);
            }
        }
    }
}
