//! Which rows stay, and what stays because of them: some rows that are to go, and all that decides about them.
//!
//! Only *stays* spreads, from the rows that stay on their own account, so that the answer is the one in which
//! least is kept, and the same in whatever order it is found. A row that would go along with a record, and is kept by
//! anything but rows that share it, blocks the record.

use std::collections::{HashMap, HashSet, VecDeque};

use super::reason::Reason;
use crate::evaluate::Keeper;

/// A row, by the number of its table, and its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Row {
    pub(crate) table: u16,
    pub(crate) key: i64,
}

/// What was found out about a row by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    /// The rule that deletes it, by its place among those on its table.
    pub(crate) own: Option<u16>,
    /// What keeps it where no rule deletes it.
    pub(crate) keeper: Keeper,
    /// Whether that keeps it from going along with another, too.
    pub(crate) is_kept: bool,
}

/// How a row keeps another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It refers to it.
    Refers,
    /// It leads to it, so that it does not go along with others.
    Shares,
    /// Both: it goes along with all that lead to it, or stays.
    SharesAndRefers,
    /// It speaks for it, until it has gone by a rule of its own.
    Spares,
}

/// The number of a row in a graph.
pub(crate) type Node = u32;
/// The number of a row's part in what goes along with a record.
pub(crate) type Role = u32;

const NONE: u32 = u32::MAX;

#[derive(Debug)]
struct RowState {
    row: Row,
    judged: Judged,
    /// Whether rows of its table may go along with others.
    may_be_taken: bool,
    /// The last of what it keeps, and of its roles.
    links: u32,
    roles: Role,
    /// Why it stays, once that is known.
    stays: Option<Reason>,
    /// A row that stays leads to it; which one, where it is the only one and in the graph.
    shared: Option<(Reason, Option<Node>)>,
    /// Why it blocks what takes it along.
    blocks: Option<Reason>,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    to: Node,
    edge: u16,
    hold: Hold,
    next: u32,
}

/// A row as a record that goes by a rule, or as one that goes along with such a one.
#[derive(Debug)]
struct RoleState {
    node: Node,
    /// The step that leads to it; none for a record.
    step: Option<u16>,
    next_of_node: Role,
    /// How many of those that take it along may still go.
    supports: u32,
    takes: u32,
    taken_by: u32,
    is_active: bool,
}

#[derive(Clone, Copy, Debug)]
struct Taking {
    from: Role,
    to: Role,
    /// By which edge the row that goes along blocks the one that takes it.
    edge: u16,
    next_of_from: u32,
    next_of_to: u32,
}

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Stays(Reason),
    /// By its own rule, or along with others.
    Goes,
}

/// Some rows, with all that decides whether they go.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    numbers: HashMap<Row, Node>,
    rows: Vec<RowState>,
    links: Vec<Link>,
    roles: Vec<RoleState>,
    takings: Vec<Taking>,
}

impl Graph {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        0..number(self.rows.len())
    }

    pub(crate) fn find(&self, row: Row) -> Option<Node> {
        self.numbers.get(&row).copied()
    }

    pub(crate) fn row(&self, node: Node) -> Row {
        self.rows[node as usize].row
    }

    pub(crate) fn judged(&self, node: Node) -> Judged {
        self.rows[node as usize].judged
    }

    /// Takes up a row; whether it is new.
    pub(crate) fn add(&mut self, row: Row, judged: Judged, may_be_taken: bool) -> (Node, bool) {
        let next = number(self.rows.len());
        let node = *self.numbers.entry(row).or_insert(next);
        if node == next {
            let (links, roles, stays, shared, blocks) = (NONE, NONE, None, None, None);
            self.rows.push(RowState { row, judged, may_be_taken, links, roles, stays, shared, blocks });
        }
        (node, node == next)
    }

    /// Whether a row may go, as far as is known.
    pub(crate) fn may_go(&self, node: Node) -> bool {
        let RowState { judged, may_be_taken, stays, .. } = &self.rows[node as usize];
        stays.is_none() && (judged.own.is_some() || (*may_be_taken && !judged.is_kept))
    }

    /// A row that is not in the graph keeps one.
    pub(crate) fn keep(&mut self, node: Node, reason: Reason) {
        let row = &mut self.rows[node as usize];
        row.stays.get_or_insert(reason);
        if !reason.is_shared {
            row.blocks.get_or_insert(reason);
        }
    }

    /// A row that is not in the graph leads to one, so that it does not go along with others.
    pub(crate) fn leave(&mut self, node: Node, reason: Reason) {
        self.note_sharer(node, reason, None);
    }

    fn note_sharer(&mut self, node: Node, reason: Reason, sharer: Option<Node>) {
        let shared = &mut self.rows[node as usize].shared;
        *shared = Some(match shared.take() {
            None => (reason, sharer),
            Some((first, known)) => (first, known.filter(|known| Some(*known) == sharer)),
        });
    }

    /// A row keeps another for as long as it stays.
    pub(crate) fn link(&mut self, from: Node, to: Node, edge: u16, hold: Hold) {
        let next = std::mem::replace(&mut self.rows[from as usize].links, number(self.links.len()));
        self.links.push(Link { to, edge, hold, next });
    }

    /// The role of a record, or of a row to which a step leads; whether it is new.
    pub(crate) fn role(&mut self, node: Node, step: Option<u16>) -> (Role, bool) {
        if let Some(role) = self.roles_of(node).find(|role| self.roles[*role as usize].step == step) {
            return (role, false);
        }
        let role = number(self.roles.len());
        let next_of_node = std::mem::replace(&mut self.rows[node as usize].roles, role);
        let (supports, takes, taken_by, is_active) = (0, NONE, NONE, true);
        self.roles.push(RoleState { node, step, next_of_node, supports, takes, taken_by, is_active });
        (role, true)
    }

    /// The row of a role, and the step that leads to it.
    pub(crate) fn role_of(&self, role: Role) -> (Node, Option<u16>) {
        let RoleState { node, step, .. } = self.roles[role as usize];
        (node, step)
    }

    /// One takes another along.
    pub(crate) fn take(&mut self, from: Role, to: Role, edge: u16) {
        let taking = number(self.takings.len());
        let next_of_from = std::mem::replace(&mut self.roles[from as usize].takes, taking);
        let next_of_to = std::mem::replace(&mut self.roles[to as usize].taken_by, taking);
        self.roles[to as usize].supports += 1;
        self.takings.push(Taking { from, to, edge, next_of_from, next_of_to });
    }

    fn roles_of(&self, node: Node) -> impl Iterator<Item = Role> {
        let next = |role: &Role| Some(self.roles[*role as usize].next_of_node).filter(|next| *next != NONE);
        std::iter::successors(Some(self.rows[node as usize].roles).filter(|role| *role != NONE), next)
    }

    fn takes(&self, role: Role) -> impl Iterator<Item = Taking> {
        let taking = |place: u32| self.takings.get(place as usize).copied();
        let next = move |known: &Taking| taking(known.next_of_from);
        std::iter::successors(taking(self.roles[role as usize].takes), next)
    }

    fn taken_by(&self, role: Role) -> impl Iterator<Item = Taking> {
        let taking = |place: u32| self.takings.get(place as usize).copied();
        let next = move |known: &Taking| taking(known.next_of_to);
        std::iter::successors(taking(self.roles[role as usize].taken_by), next)
    }

    fn links(&self, node: Node) -> impl Iterator<Item = Link> {
        let link = |place: u32| self.links.get(place as usize).copied();
        std::iter::successors(link(self.rows[node as usize].links), move |known: &Link| link(known.next))
    }

    /// What refers to, or spares, rows that go, and goes as well: these go first.
    pub(crate) fn before(&self) -> impl Iterator<Item = (Node, Node, Hold, u16)> {
        self.nodes().flat_map(|node| self.before_of(node))
    }

    /// What a row goes before.
    pub(crate) fn before_of(&self, node: Node) -> impl Iterator<Item = (Node, Node, Hold, u16)> {
        let goes = |node: Node| self.rows[node as usize].stays.is_none();
        let links = self.links(node).filter(move |link| goes(node) && link.to != node && goes(link.to));
        links.filter(|link| link.hold != Hold::Shares).map(move |link| (node, link.to, link.hold, link.edge))
    }

    /// The rows that go along with each other: those of a role that is active.
    pub(crate) fn together(&self) -> impl Iterator<Item = (Node, Node)> {
        let active = |role: Role| self.roles[role as usize].is_active;
        let pairs = self.takings.iter().filter(move |taking| active(taking.from) && active(taking.to));
        pairs.map(|taking| (self.roles[taking.from as usize].node, self.roles[taking.to as usize].node))
    }

    /// Whether a row goes along by several steps, and takes others along by one of them.
    pub(crate) fn is_taken_differently(&self, node: Node) -> bool {
        let active = || self.roles_of(node).filter(|role| self.roles[*role as usize].is_active);
        active().nth(1).is_some() && active().any(|role| self.takes(role).next().is_some())
    }

    /// The steps by which a row that goes is taken along.
    pub(crate) fn steps(&self, node: Node) -> impl Iterator<Item = u16> {
        self.roles_of(node)
            .filter(|role| self.roles[*role as usize].is_active)
            .filter_map(|role| self.roles[role as usize].step)
    }

    /// The steps that lead to a row, whether it is taken along or not.
    pub(crate) fn all_steps(&self, node: Node) -> impl Iterator<Item = u16> {
        self.roles_of(node).filter_map(|role| self.roles[role as usize].step)
    }

    pub(crate) fn fate(&self, node: Node) -> Fate {
        let row = &self.rows[node as usize];
        row.stays
            .map_or(Fate::Goes, |reason| Fate::Stays(Reason { is_shared: row.blocks.is_none(), ..reason }))
    }

    /// Finds out what stays.
    pub(crate) fn solve(&mut self) {
        let mut spread = Spread::default();
        self.join_links();
        for node in self.nodes() {
            self.begin(node, &mut spread);
        }
        while let Some(became) = spread.pop_front() {
            match became {
                Became::Staying(node) => self.stays(node, &mut spread),
                Became::Blocking(node) => self.blocks(node, &mut spread),
            }
        }
    }

    /// What refers to a row that it leads to as well is one of those with which that goes along.
    fn join_links(&mut self) {
        for node in self.nodes() {
            let mut place = self.rows[node as usize].links;
            while place != NONE {
                let Link { to, hold, next, .. } = self.links[place as usize];
                let shares = |link: Link| link.to == to && link.hold == Hold::Shares;
                if hold == Hold::Refers && self.links(node).any(shares) {
                    self.links[place as usize].hold = Hold::SharesAndRefers;
                }
                place = next;
            }
        }
    }

    /// Whether a row stays on its own account.
    fn begin(&mut self, node: Node, spread: &mut Spread) {
        let RowState { judged, may_be_taken, roles, stays, blocks, .. } = self.rows[node as usize];
        if stays.is_some() {
            spread.push_back(Became::Staying(node));
            spread.extend(blocks.map(|_| Became::Blocking(node)));
            return;
        }
        if judged.own.is_some() {
            return;
        }
        // What goes along only spares others until it has gone.
        if !may_be_taken || judged.is_kept || roles == NONE {
            let reason = Reason::of(judged.keeper);
            self.raise(node, reason, judged.is_kept, spread);
            return;
        }
        self.leave_shared(node, spread);
        let spared: Vec<Link> = self.links(node).filter(|link| link.hold == Hold::Spares).collect();
        for link in spared {
            let reason = Reason::of(judged.keeper).by(link.edge, true);
            self.raise(link.to, reason, true, spread);
        }
    }

    /// A row stays for the sake of one that stays and leads to it. One that refers to what takes it along cannot be
    /// left.
    fn leave_shared(&mut self, node: Node, spread: &mut Spread) {
        let row = &self.rows[node as usize];
        if let (Some((reason, _)), None) = (row.shared, row.judged.own)
            && !self.refers_to_taker(node)
        {
            self.raise(node, reason, false, spread);
        }
    }

    /// Whether a row refers to one that takes it along.
    fn refers_to_taker(&self, node: Node) -> bool {
        let active = |role: Role| self.roles[role as usize].is_active;
        let roles = self.roles_of(node).filter(|role| active(*role));
        let takers = roles.flat_map(|role| self.taken_by(role)).filter(|taking| active(taking.from));
        let refers = |link: &Link| matches!(link.hold, Hold::Refers | Hold::SharesAndRefers);
        takers.into_iter().any(|taking| {
            let taker = self.roles[taking.from as usize].node;
            self.links(node).any(|link| link.to == taker && refers(&link))
        })
    }

    /// A row stays, for a reason that may be another's; whether it blocks what takes it along.
    fn raise(&mut self, node: Node, reason: Reason, blocks: bool, spread: &mut Spread) {
        let row = &mut self.rows[node as usize];
        if row.stays.is_none() {
            row.stays = Some(reason);
            spread.push_back(Became::Staying(node));
        }
        if blocks && row.blocks.is_none() {
            row.blocks = Some(reason);
            spread.push_back(Became::Blocking(node));
        }
    }

    /// A row stays, and with it what it keeps.
    fn stays(&mut self, node: Node, spread: &mut Spread) {
        let Some(reason) = self.rows[node as usize].stays else { return };
        let links: Vec<Link> = self.links(node).collect();
        for Link { to, edge, hold, .. } in links {
            let kept = reason.by(edge, hold == Hold::Spares);
            match hold {
                Hold::Refers => {}
                Hold::Spares => self.raise(to, kept, true, spread),
                Hold::SharesAndRefers => self.raise(to, kept, false, spread),
                Hold::Shares => {
                    self.note_sharer(to, kept, Some(node));
                    self.leave_shared(to, spread);
                    if self.rows[to as usize].stays.is_some() {
                        self.keep_what_it_refers_to(to, spread);
                    }
                }
            }
        }
        self.keep_what_it_refers_to(node, spread);
        let roles: Vec<Role> = self.roles_of(node).collect();
        for role in roles {
            self.end(role, reason, spread);
        }
    }

    /// What a row that stays refers to stays as well, and blocks what would take it along.
    fn keep_what_it_refers_to(&mut self, node: Node, spread: &mut Spread) {
        let Some(reason) = self.rows[node as usize].stays else { return };
        let refers: Vec<Link> = self.links(node).filter(|link| link.hold == Hold::Refers).collect();
        for Link { to, edge, .. } in refers {
            // What a shared row leaves behind, as it is left itself, is no reason of its own to keep it.
            if !self.is_left_with(node, to) {
                self.raise(to, reason.by(edge, false), true, spread);
            }
        }
    }

    /// Whether a row stays for no other reason than that one stays which would take it along, however that went. It
    /// does not depend on the order in which rows are found to stay: this can become false and never true again.
    fn is_left_with(&self, node: Node, taker: Node) -> bool {
        let (row, taker_row) = (&self.rows[node as usize], &self.rows[taker as usize]);
        let takes = |role: Role| self.takes(role).any(|taking| self.roles[taking.to as usize].node == node);
        let is_led_to_by_others = row.shared.is_some_and(|(_, sharer)| sharer != Some(taker));
        let has_no_reason = row.blocks.is_none() && row.judged.own.is_none() && !row.judged.is_kept;
        has_no_reason
            && row.may_be_taken
            && !is_led_to_by_others
            && taker_row.judged.own.is_none()
            && taker_row.roles != NONE
            && self.roles_of(taker).all(|role| !self.roles[role as usize].is_active && takes(role))
    }

    /// A row takes nothing along any more.
    fn end(&mut self, role: Role, reason: Reason, spread: &mut Spread) {
        let mut ended = vec![role];
        while let Some(role) = ended.pop() {
            if !std::mem::replace(&mut self.roles[role as usize].is_active, false) {
                continue;
            }
            let takes: Vec<Taking> = self.takes(role).collect();
            for Taking { to, .. } in takes {
                let taken = &mut self.roles[to as usize];
                taken.supports -= 1;
                let node = taken.node;
                if taken.supports > 0 || !taken.is_active {
                    self.leave_shared(node, spread);
                    continue;
                }
                ended.push(to);
                let goes_otherwise = self.rows[node as usize].judged.own.is_some()
                    || self.roles_of(node).any(|other| other != to && self.roles[other as usize].is_active);
                match goes_otherwise {
                    true => self.leave_shared(node, spread),
                    false => self.raise(node, reason, false, spread),
                }
            }
        }
    }

    /// A row is kept that would go along, and with it the records that would take it, by whatever way.
    fn blocks(&mut self, node: Node, spread: &mut Spread) {
        let Some(reason) = self.rows[node as usize].blocks else { return };
        let mut next: Vec<(Role, Reason)> = self.roles_of(node).map(|role| (role, reason)).collect();
        let mut met: HashSet<Role> = HashSet::new();
        while let Some((role, reason)) = next.pop() {
            for Taking { from, edge, .. } in self.taken_by(role).filter(|taking| met.insert(taking.from)) {
                next.push((from, reason.by(edge, false)));
            }
            if self.roles[role as usize].step.is_none() && self.roles[role as usize].node != node {
                self.raise(self.roles[role as usize].node, reason, true, spread);
            }
        }
    }
}

/// What is still to spread.
type Spread = VecDeque<Became>;

/// What was found out about a row.
#[derive(Clone, Copy, Debug)]
enum Became {
    Staying(Node),
    Blocking(Node),
}

/// A graph holds what fits into memory, which is far less.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(own: bool, is_kept: bool) -> Judged {
        Judged { own: own.then_some(0), keeper: Keeper::NoRule, is_kept }
    }

    #[test]
    fn a_shared_row_that_refers_to_the_record_goes_with_it() {
        let mut graph = Graph::default();
        let (record, _) = graph.add(Row { table: 0, key: 1 }, judged(true, false), false);
        let (message, _) = graph.add(Row { table: 1, key: 1 }, judged(false, false), true);
        let (other, _) = graph.add(Row { table: 2, key: 1 }, judged(false, false), false);
        let (from, _) = graph.role(record, None);
        let (to, _) = graph.role(message, Some(0));
        graph.take(from, to, 0);
        graph.link(message, record, 1, Hold::Refers);
        graph.link(other, message, 2, Hold::Shares);
        graph.solve();
        assert_eq!([graph.fate(record), graph.fate(message)], [Fate::Goes, Fate::Goes]);
    }

    /// What goes along with a shared row is left with it, and by referring to it blocks nobody.
    #[test]
    fn what_a_shared_row_would_take_along_blocks_nobody() {
        for other_refers in [false, true] {
            let mut graph = Graph::default();
            let mut row = |table, own, may_be_taken| {
                graph.add(Row { table, key: 1 }, judged(own, false), may_be_taken).0
            };
            let (record, blob, variant) = (row(0, true, false), row(1, false, true), row(2, false, true));
            let (sharer, other) = (row(3, false, false), row(4, false, false));
            let ((from, _), (of_blob, _)) = (graph.role(record, None), graph.role(blob, Some(0)));
            let (of_variant, _) = graph.role(variant, Some(1));
            graph.take(from, of_blob, 0);
            graph.take(of_blob, of_variant, 1);
            graph.link(variant, blob, 2, Hold::Refers);
            graph.link(sharer, blob, 3, Hold::Shares);
            if other_refers {
                graph.link(other, variant, 4, Hold::Refers);
            }
            graph.solve();
            assert_eq!(graph.fate(record) == Fate::Goes, !other_refers);
            assert!([blob, variant].iter().all(|node| graph.fate(*node) != Fate::Goes));
        }
    }
}
