//! Rows of one table that name each other: which of them stay, and in which order the others can go.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// The rows that rules delete, by their row numbers, and who names whom.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Each row that a rule deletes, with its rule.
    pub(super) going: HashMap<i64, usize>,
    /// Rows that go and are named by one that goes under the same rule: the child, its parent, and the
    /// number of the key.
    pub(super) named: Vec<(i64, i64, usize)>,
    /// Rows that go and are named by one that stays, or goes under another rule; with the key.
    pub(super) kept: Vec<(i64, usize)>,
    /// The key that forbids rows to go which name each other in a circle.
    pub(super) forbids_circles: Option<usize>,
}

impl Rows {
    /// The rows that stay although a rule deletes them, with the key that keeps each: what is named by
    /// a row that stays does itself stay.
    pub fn blocked(&self) -> HashMap<i64, usize> {
        let blocked = self.named_by(self.kept.clone());
        let Some(key) = self.forbids_circles else { return blocked };
        let circles = self.groups_beside(&blocked).into_iter().filter(|group| group.len() > 1);
        let stay = circles.flatten().map(|row| (row, key));
        self.named_by(self.kept.iter().copied().chain(stay).collect())
    }

    /// Rows that stay, and all that they name, directly or not.
    fn named_by(&self, stay: Vec<(i64, usize)>) -> HashMap<i64, usize> {
        let mut parents: HashMap<i64, Vec<(i64, usize)>> = HashMap::new();
        for (child, parent, key) in &self.named {
            parents.entry(*child).or_default().push((*parent, *key));
        }
        let mut blocked = HashMap::new();
        let mut next = stay;
        while let Some((row, key)) = next.pop() {
            if let Entry::Vacant(vacant) = blocked.entry(row) {
                vacant.insert(key);
                next.extend(parents.get(&row).into_iter().flatten());
            }
        }
        blocked
    }

    /// The rows that can go, those that name others first. Rows that name each other in a circle stand
    /// together: they go at once, or not at all.
    pub fn groups(&self) -> Vec<Vec<i64>> {
        self.groups_beside(&self.blocked())
    }

    fn groups_beside(&self, blocked: &HashMap<i64, usize>) -> Vec<Vec<i64>> {
        let mut children: HashMap<i64, Vec<i64>> = HashMap::new();
        for (child, parent, _) in &self.named {
            children.entry(*parent).or_default().push(*child);
        }
        let mut rows: Vec<i64> =
            self.going.keys().filter(|row| !blocked.contains_key(row)).copied().collect();
        rows.sort_unstable();
        let mut walk = Walk::below(&children);
        rows.iter().for_each(|row| walk.visit(*row));
        walk.groups
    }
}

/// Strongly connected components, children first (Tarjan 1972), without recursion: a chain of rows can
/// be as long as the table.
struct Walk<'a> {
    children: &'a HashMap<i64, Vec<i64>>,
    /// When each row was met, and the earliest row that it leads back to.
    met: HashMap<i64, (usize, usize)>,
    open: Vec<i64>,
    is_open: HashSet<i64>,
    groups: Vec<Vec<i64>>,
}

impl<'a> Walk<'a> {
    fn below(children: &'a HashMap<i64, Vec<i64>>) -> Walk<'a> {
        let (met, open, is_open, groups) = (HashMap::new(), Vec::new(), HashSet::new(), Vec::new());
        Walk { children, met, open, is_open, groups }
    }

    fn visit(&mut self, first: i64) {
        if self.met.contains_key(&first) {
            return;
        }
        self.meet(first);
        let mut path = vec![(first, 0)];
        while let Some((row, child)) = path.last_mut() {
            let (row, below) =
                (*row, self.children.get(row).and_then(|children| children.get(*child)).copied());
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

    fn meet(&mut self, row: i64) {
        let when = self.met.len();
        self.met.insert(row, (when, when));
        self.open.push(row);
        self.is_open.insert(row);
    }

    fn leads_back(&mut self, row: i64, when: usize) {
        if let Some((_, earliest)) = self.met.get_mut(&row) {
            *earliest = (*earliest).min(when);
        }
    }

    /// A row that leads back to none before it ends its group.
    fn close(&mut self, row: i64) {
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

    /// Rows 0 to 9, of which some go; each pair is a child and its parent.
    fn rows(going: &[i64], pairs: &[(i64, i64)]) -> Rows {
        let mut rows = Rows { going: going.iter().map(|row| (*row, 0)).collect(), ..Rows::default() };
        for (child, parent) in
            pairs.iter().filter(|(child, parent)| child != parent && going.contains(parent))
        {
            match going.contains(child) {
                true => rows.named.push((*child, *parent, 0)),
                false => rows.kept.push((*parent, 0)),
            }
        }
        rows
    }

    #[test]
    fn a_row_that_stays_keeps_all_that_it_names_in_turn() {
        let chain = [(1, 0), (2, 1), (3, 2)];
        assert_eq!(rows(&[0, 1, 2, 3], &chain).groups(), [[3], [2], [1], [0]]);
        assert_eq!(rows(&[0, 1, 2], &chain).groups(), Vec::<Vec<i64>>::new());
        assert_eq!(rows(&[0, 2, 3], &chain).groups(), [[3], [2]]);
    }

    #[test]
    fn rows_in_a_circle_stand_together() {
        let circle = [(1, 0), (0, 1), (2, 1), (5, 5)];
        let mut groups = rows(&[0, 1, 2, 5], &circle).groups();
        groups.iter_mut().for_each(|group| group.sort_unstable());
        assert_eq!(groups, [vec![2], vec![0, 1], vec![5]]);
        assert_eq!(rows(&[0, 1, 5], &circle).groups(), [[5]]);
        let forbidden = Rows { forbids_circles: Some(0), ..rows(&[0, 1, 2, 5], &circle) };
        assert_eq!(forbidden.groups(), [[2], [5]]);
    }

    #[test]
    fn a_chain_as_long_as_a_table_is_no_deep_recursion() {
        let long: Vec<i64> = (0..200_000).collect();
        let pairs: Vec<(i64, i64)> = long.windows(2).map(|pair| (pair[1], pair[0])).collect();
        let groups = Rows {
            going: long.iter().map(|row| (*row, 0)).collect(),
            named: pairs.iter().map(|(child, parent)| (*child, *parent, 0)).collect(),
            ..Rows::default()
        }
        .groups();
        assert_eq!(groups.len(), long.len());
        assert_eq!([&groups[0][..], &groups[199_999][..]], [[199_999], [0]]);
    }

    proptest! {
        /// A row can go where every row that names it, directly or not, goes as well.
        #[test]
        fn what_goes_leaves_no_orphan(going in proptest::collection::hash_set(0i64..10, 0..10),
                                      pairs in proptest::collection::vec((0i64..10, 0i64..10), 0..15)) {
            let going: Vec<i64> = going.into_iter().collect();
            let groups = rows(&going, &pairs).groups();
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
