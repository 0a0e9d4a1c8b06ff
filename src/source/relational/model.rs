//! Which tables of a database decide about each other: what of a schema and a policy the closure is about.

use std::collections::BTreeSet;

use super::order::OnDelete;

/// A table of which rows may go, or keep others.
#[derive(Clone, Debug)]
pub(crate) struct TableModel {
    pub(crate) name: String,
    /// The rules on it.
    pub(crate) rules: Vec<RuleModel>,
    /// Whether rows of it may go along with others.
    pub(crate) may_be_taken: bool,
    /// Whether a row of it only waits until no other row leads to it: it keeps nothing, and nothing else keeps it, so
    /// that nobody needs to know it before.
    pub(crate) is_leaf: bool,
}

impl TableModel {
    /// Whether a rule deletes rows of it in this run.
    pub(crate) fn acts(&self) -> bool {
        self.rules.iter().any(|rule| rule.acts)
    }

    /// Whether rows of it may go at all.
    pub(crate) fn may_lose(&self) -> bool {
        self.acts() || self.may_be_taken
    }
}

/// A rule on a table.
#[derive(Clone, Debug)]
pub(crate) struct RuleModel {
    pub(crate) name: String,
    /// Its place in the policy.
    pub(crate) order: usize,
    /// Whether it deletes in this run.
    pub(crate) acts: bool,
}

/// How rows of one table keep rows of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EdgeKind {
    /// A foreign key.
    Key,
    /// `unless` of a rule, by its place among those on the table.
    Spares { rule: u16 },
    /// A relation that leads to rows that may go along; whether at most one row leads to each.
    Shares { is_single: bool },
    /// A row that goes along with others, and is kept, keeps these.
    Takes,
    /// Files named by rows to which a step leads, or by the records of a rule, which cannot be where they are said
    /// to be.
    Files { step: Option<u16>, rule: Option<u16> },
}

/// Rows of one table keep rows of another.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) from: u16,
    pub(crate) to: u16,
    pub(crate) kind: EdgeKind,
    /// Whether the two are decided about together.
    pub(crate) is_inner: bool,
    /// What the engine does with a row that refers to one which goes.
    pub(crate) on_delete: OnDelete,
    /// Whether it is a key by which rows refer to what they lead to anyway.
    pub(crate) is_led_by: bool,
}

/// Rows that go along with a record of a rule, or with rows that do.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The rule, by its table and its place there.
    pub(crate) rule: (u16, u16),
    /// The step before it; none where it leads from the record.
    pub(crate) parent: Option<u16>,
    pub(crate) to: u16,
    /// The edge by which rows lead to those that go along, and that by which these keep them.
    pub(crate) edge: u16,
    pub(crate) takes: u16,
    /// The foreign key by which the same rows, and no others, refer to those from which it leads.
    pub(crate) key: Option<u16>,
}

/// All tables that decide about each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) tables: Vec<TableModel>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) steps: Vec<Step>,
    /// Tables that are decided about together, those first on which others depend.
    pub(crate) components: Vec<Vec<u16>>,
}

impl Model {
    /// The number of a table; it may be written in other letters.
    pub(crate) fn table(&self, name: &str) -> Option<u16> {
        let place = self.tables.iter().position(|table| table.name.eq_ignore_ascii_case(name))?;
        u16::try_from(place).ok()
    }

    /// The edges by which rows of a table may be kept.
    pub(crate) fn edges_to(&self, table: u16) -> impl Iterator<Item = (u16, &Edge)> {
        (0..).zip(&self.edges).filter(move |(_, edge)| edge.to == table)
    }

    /// The steps that lead on from records of a rule, or from rows of a step.
    pub(crate) fn steps_from(&self, rule: (u16, u16), parent: Option<u16>) -> impl Iterator<Item = u16> {
        let each = (0..).zip(&self.steps);
        each.filter(move |(_, step)| step.rule == rule && step.parent == parent).map(|(place, _)| place)
    }

    /// Whether anything decides about rows of a table but these themselves.
    pub(crate) fn is_plain(&self, table: u16) -> bool {
        !self.edges.iter().any(|edge| edge.to == table) && !self.steps.iter().any(|step| step.rule.0 == table)
    }

    /// The component in which a table is.
    pub(crate) fn component_of(&self, table: u16) -> usize {
        self.components.iter().position(|tables| tables.contains(&table)).unwrap_or_default()
    }

    /// Whether rows of a table are decided about together with others, or take such along.
    pub(crate) fn is_together(&self, table: u16) -> bool {
        let takes = self.steps.iter().any(|step| step.rule.0 == table);
        let names_files = |edge: &Edge| edge.to == table && matches!(edge.kind, EdgeKind::Files { .. });
        takes || self.edges.iter().any(names_files) || self.is_inner(table)
    }

    fn is_inner(&self, table: u16) -> bool {
        self.edges.iter().any(|edge| edge.is_inner && (edge.to == table || edge.from == table))
    }

    /// All tables, those first that refer to others where that is possible; whether rows can go table by table in
    /// that order, with no key that refuses.
    pub(crate) fn children_first(&self) -> (Vec<u16>, bool) {
        let keys = || self.edges.iter().filter(|edge| edge.is_inner && edge.kind == EdgeKind::Key);
        let mut left: Vec<u16> = (0..).take(self.tables.len()).collect();
        let mut order: Vec<u16> = Vec::new();
        while !left.is_empty() {
            let waits = |table: u16| {
                keys().any(|edge| edge.to == table && edge.from != table && left.contains(&edge.from))
            };
            let next = left.iter().position(|table| !waits(*table)).unwrap_or_default();
            order.push(left.remove(next));
        }
        let place = |table: u16| order.iter().position(|other| *other == table);
        let refused = keys().filter(|edge| edge.on_delete == OnDelete::Refuses);
        let is_possible = refused.into_iter().all(|edge| place(edge.from) < place(edge.to));
        (order, is_possible)
    }

    /// Finds out of which tables rows only wait until no other row leads to them. Whatever leads to them must take them
    /// along when it goes, or the last one would leave them behind; `is_same` says whether two edges are one relation.
    pub(crate) fn find_leaves(&mut self, may_be: impl Fn(u16) -> bool, is_same: impl Fn(u16, u16) -> bool) {
        for table in (0..).take(self.tables.len()) {
            let keeps = |edge: &Edge| {
                edge.from == table && matches!(edge.kind, EdgeKind::Key | EdgeKind::Spares { .. })
            };
            let is_kept = |edge: &Edge| {
                edge.to == table
                    && match edge.kind {
                        EdgeKind::Key => !edge.is_led_by,
                        EdgeKind::Spares { .. } | EdgeKind::Files { .. } => true,
                        EdgeKind::Shares { .. } | EdgeKind::Takes => false,
                    }
            };
            let takes = |step: &Step| {
                step.parent.is_some_and(|parent| self.steps[usize::from(parent)].to == table)
                    || step.rule.0 == table
            };
            let leaves_behind = |(number, edge): (u16, &Edge)| {
                let rules =
                    (0..).zip(&self.tables[usize::from(edge.from)].rules).filter(|(_, rule)| rule.acts);
                let records = rules.map(|(place, _)| ((edge.from, place), None));
                let steps = (0..).zip(&self.steps).filter(|(_, step)| step.to == edge.from);
                let along = steps.map(|(place, step)| (step.rule, Some(place)));
                let mut ways = records.chain(along);
                !ways.all(|(rule, parent)| {
                    let mut further =
                        self.steps_from(rule, parent).map(|step| &self.steps[usize::from(step)]);
                    further.any(|step| step.to == table && is_same(step.edge, number))
                })
            };
            let shares = |(_, edge): &(u16, &Edge)| matches!(edge.kind, EdgeKind::Shares { .. });
            let leaves_behind = self.edges_to(table).filter(shares).any(leaves_behind);
            let model = &self.tables[usize::from(table)];
            let is_leaf = model.may_be_taken
                && model.rules.is_empty()
                && may_be(table)
                && !leaves_behind
                && !self.edges.iter().any(|edge| keeps(edge) || is_kept(edge))
                && !self.steps.iter().any(takes);
            self.tables[usize::from(table)].is_leaf = is_leaf;
        }
    }

    /// Finds out which tables are decided about together.
    pub(crate) fn connect(&mut self) {
        let tables = self.tables.len();
        let mut leads = vec![BTreeSet::new(); tables];
        for edge in self.edges.iter().filter(|edge| self.is_decided(edge)) {
            leads[usize::from(edge.from)].insert(usize::from(edge.to));
            if self.refers_and_shares(edge) {
                leads[usize::from(edge.to)].insert(usize::from(edge.from));
            }
        }
        let reach: Vec<BTreeSet<usize>> = (0..tables).map(|table| reached(table, &leads)).collect();
        let mut left: Vec<usize> = (0..tables).collect();
        self.components.clear();
        while let Some(first) = left.iter().copied().find(|table| {
            left.iter().all(|other| !reach[*other].contains(table) || reach[*table].contains(other))
        }) {
            let is_beside = |table: &usize| {
                *table == first || (reach[first].contains(table) && reach[*table].contains(&first))
            };
            let (together, others) = left.into_iter().partition(is_beside);
            left = others;
            let together: Vec<usize> = together;
            self.components.push(together.into_iter().map(|table| table as u16).collect());
        }
        for place in 0..self.edges.len() {
            let edge = &self.edges[place];
            let is_beside = self.component_of(edge.from) == self.component_of(edge.to);
            self.edges[place].is_inner = is_beside && self.is_decided(edge);
        }
    }

    /// Whether it must be found out which rows keep others by an edge: what can never go always does, but for the
    /// rows with which one goes along.
    fn is_decided(&self, edge: &Edge) -> bool {
        let may_lose = self.tables[usize::from(edge.from)].may_lose();
        !matches!(edge.kind, EdgeKind::Files { .. }) && (may_lose || self.refers_and_shares(edge))
    }

    /// Whether rows of a table refer to rows of another to which they lead as well.
    fn refers_and_shares(&self, edge: &Edge) -> bool {
        let beside = || self.edges.iter().filter(|other| (other.from, other.to) == (edge.from, edge.to));
        beside().any(|other| other.kind == EdgeKind::Key)
            && beside().any(|other| matches!(other.kind, EdgeKind::Shares { .. }))
    }
}

fn reached(from: usize, leads: &[BTreeSet<usize>]) -> BTreeSet<usize> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(table) = next.pop() {
        next.extend(leads[table].iter().copied().filter(|other| reached.insert(*other)));
    }
    reached
}
