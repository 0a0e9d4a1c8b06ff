//! What goes together: from records that are due to all that decides about them, and back to what becomes of each.
//!
//! Rows are looked for in bounded batches, a statement for an edge and a batch, and each row is judged by the rules
//! on its own table. Tables that decide about each other in a circle, or share rows that go along, are decided about
//! together; of others the answer is known before it is needed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::graph::{Fate, Graph, Hold, Judged, Node, Role, Row};
use super::model::{Edge, EdgeKind, Model, Step};
use super::order::{Before, OnDelete, Order};
use super::reason::Reason;
use crate::evaluate::Keeper;

/// A row that a record, or another row, leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The place of the row that it was looked for, among those that were asked for.
    pub(crate) place: usize,
    pub(crate) key: i64,
    pub(crate) judged: Judged,
}

/// What a database must answer.
pub(crate) trait Database {
    type Error;

    /// Which rows, by their places, something keeps by an edge from rows that are decided about, and why.
    fn held(&self, edge: u16, rule: Option<u16>, rows: &[i64]) -> Result<Vec<(usize, Reason)>, Self::Error>;

    /// The rows from which an edge leads to some rows.
    fn reach(&self, edge: u16, rule: Option<u16>, rows: &[i64]) -> Result<Vec<Found>, Self::Error>;

    /// The rows that a step takes along with some rows.
    fn taken(&self, step: u16, rows: &[i64]) -> Result<Vec<Found>, Self::Error>;

    /// What is known already of a row, for it was decided about with others: whether, and why, it stays.
    fn known(&self, row: Row) -> Option<Option<Reason>>;
}

/// Some records, and all that decides about them.
pub(crate) struct Closure<'a, D> {
    model: &'a Model,
    database: &'a D,
    pub(crate) graph: Graph,
    /// Rows and roles for which nothing was looked yet.
    rows: Vec<Node>,
    roles: Vec<Role>,
}

/// Rows that go at once or not at all, in an order that keys let them go in.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) rows: Vec<Node>,
    /// The parts that have to go before it, by their places, which are lower than its own.
    pub(crate) needs: Vec<usize>,
}

impl<'a, D: Database> Closure<'a, D> {
    /// Finds out what becomes of records that are due, and of all that goes along.
    pub(crate) fn of(
        model: &'a Model,
        database: &'a D,
        seeds: impl IntoIterator<Item = (Row, Judged)>,
    ) -> Result<Closure<'a, D>, D::Error> {
        let mut closure = Closure::begin(model, database, seeds);
        closure.expand(usize::MAX)?;
        closure.solve();
        Ok(closure)
    }

    /// The same, unless that leads to more rows than so many.
    pub(crate) fn within(
        most: usize,
        model: &'a Model,
        database: &'a D,
        seeds: impl IntoIterator<Item = (Row, Judged)>,
    ) -> Result<Option<Closure<'a, D>>, D::Error> {
        let mut closure = Closure::begin(model, database, seeds);
        if !closure.expand(most)? {
            return Ok(None);
        }
        closure.solve();
        Ok(Some(closure))
    }

    fn begin(
        model: &'a Model,
        database: &'a D,
        seeds: impl IntoIterator<Item = (Row, Judged)>,
    ) -> Closure<'a, D> {
        let (graph, rows, roles) = (Graph::default(), Vec::new(), Vec::new());
        let mut closure = Closure { model, database, graph, rows, roles };
        for (row, judged) in seeds {
            closure.meet(row, judged);
        }
        closure
    }

    /// Finds out what stays; rows that no order lets go stay, too.
    fn solve(&mut self) {
        let refuses = |edge: &Edge| edge.is_inner && edge.on_delete == OnDelete::Refuses;
        loop {
            self.graph.solve();
            if !self.model.edges.iter().any(refuses) {
                return;
            }
            let stuck = self.stuck();
            if stuck.is_empty() {
                return;
            }
            for (node, edge) in stuck {
                self.graph.keep(node, Reason::of(Keeper::Referred).by(edge, false));
            }
        }
    }

    fn stuck(&self) -> Vec<(Node, u16)> {
        let mut stuck = BTreeSet::new();
        for group in self.groups().0.into_iter().filter(|group| group.len() > 1) {
            let inner = self.inner(&group, &HashMap::new());
            let circles = inner.groups(group.iter().copied());
            stuck.extend(
                circles.into_iter().filter(|circle| inner.sequence(circle.clone()).is_none()).flatten(),
            );
        }
        let inside =
            self.graph.before().filter(|(first, then, ..)| stuck.contains(first) && stuck.contains(then));
        inside.map(|(_, then, _, edge)| (then, edge)).collect()
    }

    /// The rows that go, those first that refer to others.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let (groups, order) = self.groups();
        let place_of = places(&groups);
        let mut takers: HashMap<Node, Vec<Node>> = HashMap::new();
        self.graph.together().for_each(|(taker, row)| takers.entry(row).or_default().push(taker));
        let parts = groups.into_iter().enumerate().map(|(place, group)| {
            let needs =
                group.iter().flat_map(|row| order.before(*row)).filter_map(|one| place_of.get(&one.first));
            let needs: BTreeSet<usize> = needs.copied().filter(|need| *need != place).collect();
            let rows = match group.len() {
                1 => group,
                _ => {
                    let inner = self.inner(&group, &takers);
                    let circles = inner.groups(group.iter().copied());
                    circles.into_iter().filter_map(|circle| inner.sequence(circle)).flatten().collect()
                }
            };
            Part { rows, needs: needs.into_iter().collect() }
        });
        parts.collect()
    }

    /// Rows that go at once, and what has to go before what. A row goes along with the first of those to which it
    /// refers, or else with the last of those that take it.
    fn groups(&self) -> (Vec<Vec<Node>>, Order) {
        let mut before: Vec<Before> =
            self.graph.before().map(|(first, then, _, edge)| self.before(first, then, edge)).collect();
        let mut taking: BTreeMap<Node, BTreeSet<Node>> = BTreeMap::new();
        let together = self.graph.together().filter(|(taker, row)| taker != row && !self.is_leaf(*row));
        for (taker, row) in together {
            taking.entry(row).or_default().insert(taker);
        }
        let mut several = Vec::new();
        for (row, takers) in taking {
            if takers.len() > 1 && self.graph.is_taken_differently(row) {
                // What it takes along it takes with one of them only, and may go with neither alone.
                before.extend(takers.iter().flat_map(|taker| at_once(*taker, row)));
                continue;
            }
            let refers_to: BTreeSet<Node> = self
                .graph
                .before_of(row)
                .map(|(_, taker, ..)| taker)
                .filter(|to| takers.contains(to))
                .collect();
            let is_first = !refers_to.is_empty();
            let takers = if is_first { refers_to } else { takers };
            if !is_first {
                before.extend(takers.iter().map(|taker| Before::new(*taker, row, OnDelete::Waits)));
            }
            match takers.first().copied().filter(|_| takers.len() == 1) {
                Some(only) => before.extend(at_once(only, row)),
                None => several.push((row, takers, is_first)),
            }
        }
        let goes =
            || self.graph.nodes().filter(|node| self.graph.fate(*node) == Fate::Goes && !self.is_leaf(*node));
        let order = Order::of(before.iter().copied());
        let groups = order.groups(goes());
        if several.is_empty() {
            return (groups, order);
        }
        let place_of = places(&groups);
        let at = |taker: &Node| place_of.get(taker).copied();
        let chosen = several.into_iter().filter_map(|(row, takers, is_first)| {
            let takers = takers.into_iter();
            let taker = if is_first { takers.min_by_key(at) } else { takers.max_by_key(at) };
            Some(at_once(taker?, row))
        });
        let order = Order::of(before.into_iter().chain(chosen.flatten()));
        (order.groups(goes()), order)
    }

    /// Whether a row only waits until no other row leads to it: nothing is known of those here.
    pub(crate) fn is_leaf(&self, node: Node) -> bool {
        self.model.tables[usize::from(self.graph.row(node).table)].is_leaf
    }

    /// Which rows of some that go at once go before which: those that are taken along before what takes them, where
    /// keys say nothing.
    fn inner(&self, group: &[Node], takers: &HashMap<Node, Vec<Node>>) -> Order {
        let members: HashSet<Node> = group.iter().copied().collect();
        let inside = group.iter().flat_map(|node| self.graph.before_of(*node));
        let keys = inside.map(|(first, then, _, edge)| self.before(first, then, edge));
        let along = group.iter().flat_map(|row| {
            let takers = takers.get(row).into_iter().flatten();
            takers.map(|taker| Before::new(*row, *taker, OnDelete::Waits))
        });
        Order::of(keys.chain(along).filter(|one| members.contains(&one.then)))
    }

    fn before(&self, first: Node, then: Node, edge: u16) -> Before {
        Before::new(first, then, self.model.edges[usize::from(edge)].on_delete)
    }

    /// Takes up a row; none where it is known to go, so that it keeps nothing.
    fn meet(&mut self, row: Row, judged: Judged) -> Option<Node> {
        if let Some(node) = self.graph.find(row) {
            return Some(node);
        }
        let known = self.database.known(row);
        if known == Some(None) {
            return None;
        }
        let may_be_taken = self.model.tables[usize::from(row.table)].may_be_taken;
        let (node, _) = self.graph.add(row, judged, may_be_taken);
        if let Some(Some(reason)) = known {
            self.graph.keep(node, reason);
        }
        if self.graph.may_go(node) {
            self.rows.push(node);
            if judged.own.is_some() {
                self.role(node, None);
            }
        }
        Some(node)
    }

    fn role(&mut self, node: Node, step: Option<u16>) -> Role {
        let (role, is_new) = self.graph.role(node, step);
        if is_new {
            self.roles.push(role);
        }
        role
    }

    /// Follows all edges; whether that led to no more rows than so many.
    fn expand(&mut self, most: usize) -> Result<bool, D::Error> {
        while !self.rows.is_empty() || !self.roles.is_empty() {
            if self.graph.len() > most {
                return Ok(false);
            }
            let mut groups: BTreeMap<(u16, Option<u16>), Vec<Node>> = BTreeMap::new();
            for node in std::mem::take(&mut self.rows) {
                let (row, judged) = (self.graph.row(node), self.graph.judged(node));
                groups.entry((row.table, judged.own)).or_default().push(node);
            }
            for ((table, rule), nodes) in groups {
                self.expand_rows(table, rule, nodes)?;
            }
            let mut groups: BTreeMap<(u16, Option<u16>, Option<u16>), Vec<Role>> = BTreeMap::new();
            for role in std::mem::take(&mut self.roles) {
                let (node, step) = self.graph.role_of(role);
                let rule = if step.is_some() { None } else { self.graph.judged(node).own };
                groups.entry((self.graph.row(node).table, rule, step)).or_default().push(role);
            }
            for ((table, rule, step), roles) in groups {
                let rule = match step {
                    Some(step) => self.model.steps[usize::from(step)].rule,
                    None => (table, rule.unwrap_or_default()),
                };
                self.expand_roles(rule, step, roles)?;
            }
        }
        Ok(true)
    }

    /// Looks for what keeps rows of one table that go by one rule, or go along.
    fn expand_rows(&mut self, table: u16, rule: Option<u16>, mut nodes: Vec<Node>) -> Result<(), D::Error> {
        let model = self.model;
        if model.tables[usize::from(table)].is_leaf {
            return Ok(());
        }
        // What is decided already comes first: it may spare the rest.
        let mut edges: Vec<u16> = model.edges_to(table).map(|(place, _)| place).collect();
        edges.sort_by_key(|edge| model.edges[usize::from(*edge)].is_inner);
        for place in edges {
            let edge = &model.edges[usize::from(place)];
            let is_meant = match edge.kind {
                EdgeKind::Key | EdgeKind::Shares { .. } => true,
                EdgeKind::Spares { rule: sparing } => rule == Some(sparing),
                EdgeKind::Files { rule: naming, step } => step.is_none() && naming == rule,
                EdgeKind::Takes => false,
            };
            nodes.retain(|node| self.graph.may_go(*node));
            if !is_meant || nodes.is_empty() {
                continue;
            }
            match (edge.kind, edge.is_inner) {
                (EdgeKind::Shares { is_single: true }, true) => {
                    let led = self.not_led_by(place, &nodes);
                    self.reach(place, rule, led)?;
                }
                (_, true) => {
                    let unmet =
                        nodes.iter().copied().filter(|node| !self.takes_all_by(place, *node)).collect();
                    self.reach(place, rule, unmet)?;
                }
                (EdgeKind::Shares { .. }, false) => self.hold(place, rule, &nodes, false)?,
                (_, false) => self.hold(place, rule, &nodes, true)?,
            }
        }
        Ok(())
    }

    /// Whether a row takes along all that refers to it by a key, so that these are found anyway.
    fn takes_all_by(&self, key: u16, node: Node) -> bool {
        let own = self.graph.judged(node).own.map(|rule| ((self.graph.row(node).table, rule), None));
        let steps = self.graph.all_steps(node);
        let roles = steps.map(|step| (self.model.steps[usize::from(step)].rule, Some(step)));
        own.into_iter().chain(roles).any(|(rule, step)| {
            let mut further = self.model.steps_from(rule, step);
            further.any(|step| self.model.steps[usize::from(step)].key == Some(key))
        })
    }

    /// The rows to which no step leads by an edge by which only one can.
    fn not_led_by(&self, edge: u16, nodes: &[Node]) -> Vec<Node> {
        let is_led = |node: &Node| {
            self.graph.all_steps(*node).any(|step| self.model.steps[usize::from(step)].edge == edge)
        };
        nodes.iter().copied().filter(|node| !is_led(node)).collect()
    }

    fn hold(&mut self, edge: u16, rule: Option<u16>, nodes: &[Node], blocks: bool) -> Result<(), D::Error> {
        let (nodes, keys) = self.sorted(nodes.to_vec());
        let spares = matches!(self.model.edges[usize::from(edge)].kind, EdgeKind::Spares { .. });
        for (place, reason) in self.database.held(edge, rule, &keys)? {
            let reason = reason.by(edge, spares);
            if blocks {
                self.graph.keep(nodes[place], reason);
            } else {
                self.graph.leave(nodes[place], reason);
            }
        }
        Ok(())
    }

    fn reach(&mut self, edge: u16, rule: Option<u16>, nodes: Vec<Node>) -> Result<(), D::Error> {
        if nodes.is_empty() {
            return Ok(());
        }
        let (nodes, keys) = self.sorted(nodes);
        let found = self.database.reach(edge, rule, &keys)?;
        let hold = match self.model.edges[usize::from(edge)].kind {
            EdgeKind::Key | EdgeKind::Takes | EdgeKind::Files { .. } => Hold::Refers,
            EdgeKind::Spares { .. } => Hold::Spares,
            EdgeKind::Shares { .. } => Hold::Shares,
        };
        let table = self.model.edges[usize::from(edge)].from;
        for Found { place, key, judged } in found {
            if let Some(node) = self.meet(Row { table, key }, judged) {
                self.graph.link(node, nodes[place], edge, hold);
            }
        }
        Ok(())
    }

    /// Looks for what goes along with records, or with rows to which a step leads.
    fn expand_roles(
        &mut self,
        rule: (u16, u16),
        step: Option<u16>,
        mut roles: Vec<Role>,
    ) -> Result<(), D::Error> {
        let model = self.model;
        for (place, edge) in (0..).zip(&model.edges) {
            let is_meant = matches!(edge.kind, EdgeKind::Files { step: naming, .. } if naming.is_some() && naming == step);
            if is_meant {
                let nodes: Vec<Node> = roles.iter().map(|role| self.graph.role_of(*role).0).collect();
                self.hold(place, None, &nodes, true)?;
            }
        }
        let steps: Vec<u16> = model.steps_from(rule, step).collect();
        roles.retain(|role| self.graph.may_go(self.graph.role_of(*role).0));
        roles.sort_by_cached_key(|role| self.graph.row(self.graph.role_of(*role).0).key);
        let keys: Vec<i64> =
            roles.iter().map(|role| self.graph.row(self.graph.role_of(*role).0).key).collect();
        for step in steps.into_iter().filter(|_| !keys.is_empty()) {
            let Step { to: table, edge, takes, key: referring, .. } = model.steps[usize::from(step)];
            for Found { place, key, judged } in self.database.taken(step, &keys)? {
                let Some(node) = self.meet(Row { table, key }, judged) else { continue };
                let role = self.role(node, Some(step));
                self.graph.take(roles[place], role, takes);
                if let Some(key) = referring {
                    self.graph.link(node, self.graph.role_of(roles[place]).0, key, Hold::Refers);
                }
                if let EdgeKind::Shares { is_single: true } = model.edges[usize::from(edge)].kind {
                    // Nobody else leads to it by this edge, so that nobody looks for who does.
                    self.graph.link(self.graph.role_of(roles[place]).0, node, edge, Hold::Shares);
                }
            }
        }
        Ok(())
    }

    /// Rows in the order of their keys.
    fn sorted(&self, mut nodes: Vec<Node>) -> (Vec<Node>, Vec<i64>) {
        nodes.sort_by_cached_key(|node| self.graph.row(*node).key);
        let keys = nodes.iter().map(|node| self.graph.row(*node).key).collect();
        (nodes, keys)
    }

    /// The rule with whose records a row goes along: of several the first of the policy.
    pub(crate) fn taken_by(&self, node: Node) -> Option<(u16, u16)> {
        let rules = self.graph.steps(node).map(|step| self.model.steps[usize::from(step)].rule);
        rules.min_by_key(|(table, rule)| {
            self.model.tables[usize::from(*table)].rules[usize::from(*rule)].order
        })
    }

    /// All rows with what becomes of them.
    pub(crate) fn fates(&self) -> impl Iterator<Item = (Node, Fate)> {
        self.graph.nodes().map(|node| (node, self.graph.fate(node)))
    }
}

/// In which group each row stands.
fn places(groups: &[Vec<Node>]) -> HashMap<Node, usize> {
    let each = groups.iter().enumerate();
    each.flat_map(|(place, group)| group.iter().map(move |row| (*row, place))).collect()
}

/// Neither of two rows goes before the other.
fn at_once(one: Node, other: Node) -> [Before; 2] {
    [Before::new(one, other, OnDelete::Waits), Before::new(other, one, OnDelete::Waits)]
}
