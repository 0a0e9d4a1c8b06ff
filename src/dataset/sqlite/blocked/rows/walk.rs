//! Rows that name each other in a circle, found in one walk.

use std::collections::{HashMap, HashSet};

use super::{Row, Rows};

/// Strongly connected components, children first (Tarjan 1972), without recursion: a chain of rows can
/// be as long as the table.
pub(super) struct Walk<'a> {
    rows: &'a Rows,
    /// When each row was met, and the earliest row that it leads back to.
    met: HashMap<Row, (u32, u32)>,
    open: Vec<Row>,
    is_open: HashSet<Row>,
    pub(super) groups: Vec<Vec<Row>>,
}

impl<'a> Walk<'a> {
    pub(super) fn below(rows: &'a Rows) -> Walk<'a> {
        let (met, open, is_open, groups) = (HashMap::new(), Vec::new(), HashSet::new(), Vec::new());
        Walk { rows, met, open, is_open, groups }
    }

    pub(super) fn visit(&mut self, first: Row) {
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
