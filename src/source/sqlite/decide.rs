//! What becomes of all records of a database that decide about each other, for the whole run at once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::functions::Context;
use rusqlite::types::Value;

use super::follow::{Follower, Reading};
use super::functions::PURE;
use super::schema::Table;
use super::settled::{Keys, Names};
use super::web::Web;
use crate::evaluate::{Evaluator, Keeper};
use crate::source::Problem;
use crate::source::relational::closure::{Closure, Database};
use crate::source::relational::graph::{Fate, Judged, Row};
use crate::source::relational::model::{Edge, EdgeKind};
use crate::source::relational::reason::Reason;

/// So many records are decided about at once, as long as they lead to no more rows than that.
const SEEDS: usize = 5_000;
const REACHED: usize = 40_000;

/// What was decided about a database.
pub(crate) struct Decided {
    pub(crate) web: Arc<Web>,
    /// What keeps the records of each table.
    kept: Vec<Kept>,
    /// How many rows of which tables go along with the records of each rule.
    along: BTreeMap<(u16, u16), BTreeMap<u16, u64>>,
    released: Released,
}

/// How many rows let go of the records of each rule, by the columns.
type Released = BTreeMap<(u16, u16), Vec<(String, u64)>>;

/// What keeps the records of a table that a rule deletes.
#[derive(Clone, Debug)]
pub struct Kept {
    web: Arc<Web>,
    reasons: Arc<HashMap<i64, i64>>,
    going: Arc<Keys>,
    names: Arc<Names>,
    /// What would keep records of rules that are not enforced, if they were.
    if_enforced: Option<Box<Kept>>,
    /// Whether it is asked of a record that nothing keeps whether it goes.
    tells_going: bool,
}

/// Marks what keeps a record of a rule that is not enforced.
const IF_ENFORCED: i64 = 1 << 48;

impl Kept {
    /// The same, with what would keep records of rules that are not enforced, if they were.
    pub(crate) fn or_if_enforced(self, if_enforced: Option<Kept>) -> Kept {
        Kept { if_enforced: if_enforced.map(Box::new), ..self }
    }

    /// The same, which also tells what goes: what is anonymised must not be counted where it is deleted.
    pub(crate) fn telling_what_goes(self, tells_going: bool) -> Kept {
        Kept { tells_going, ..self }
    }

    /// Registers what says of a record what keeps it; returns its call, 0 where nothing does.
    pub(crate) fn register(&self, connection: &Connection, table: &Table) -> rusqlite::Result<String> {
        let name = format!("frist_kept_{}", table.function_suffix());
        let (kept, by_number) = (self.clone(), table.has_row_numbers());
        connection.create_scalar_function(name.as_str(), -1, PURE, move |context: &Context<'_>| {
            let key = |names: &Names| match by_number {
                true => context.get(0).map(Some),
                false => Ok(names.find((0..context.len()).map(|cell| context.get_raw(cell)))),
            };
            let own = key(&kept.names)?;
            let reason = own.and_then(|key: i64| kept.reasons.get(&key)).copied();
            if let Some(reason) = reason {
                return Ok(reason);
            }
            if kept.tells_going && own.is_some_and(|key| kept.going.contains(key)) {
                return Ok(Evaluator::GOES);
            }
            let Some(second) = &kept.if_enforced else { return Ok(0) };
            if own.is_some_and(|key| kept.going.contains(key)) {
                return Ok(0);
            }
            let reason = key(&second.names)?.and_then(|key| second.reasons.get(&key)).copied();
            Ok(reason.map_or(0, |reason| reason + reason.signum() * IF_ENFORCED))
        })?;
        let key: Vec<String> = table.order().iter().map(|column| table.column_sql(column)).collect();
        Ok(format!("{name}({})", key.join(", ")))
    }

    /// Why records are kept, by their numbers; or by those of their keys.
    pub(crate) fn by_number(&self) -> Arc<HashMap<i64, i64>> {
        Arc::clone(&self.reasons)
    }

    /// The keys of all records that are kept, and why they are, where these have no row numbers.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Vec<Value>, Reason)> {
        let each = self.reasons.iter();
        each.map(|(key, reason)| (self.names.key(*key).to_vec(), Reason::from_cell(*reason)))
    }

    /// What keeps a record: who, and why it does.
    pub(crate) fn words(&self, cell: i64) -> (String, String) {
        match &self.if_enforced {
            Some(second) if cell.abs() >= IF_ENFORCED => second.web.words(cell - cell.signum() * IF_ENFORCED),
            _ => self.web.words(cell),
        }
    }
}

/// Decides about all records of a web.
pub(crate) fn decide(connection: &Connection, web: Web) -> rusqlite::Result<Decided> {
    let mut along = Along::default();
    let follower = Follower::new(connection, &web, false)?;
    for table in web.model.components.iter().flatten().copied() {
        if web.model.tables[usize::from(table)].acts() && is_decided(&web, table) {
            decide_table(&web, &follower, table, &mut along)?;
        }
    }
    decide_leaves(&web, &follower, &mut along)?;
    spare_what_is_freed(&web, &follower)?;
    let released = released(&web, &follower)?;
    let settled = follower.into_settled();
    let web = Arc::new(web);
    let each = settled.kept.into_iter().zip(settled.going).zip(settled.names);
    let kept = each.map(|((reasons, going), names)| Kept {
        web: Arc::clone(&web),
        reasons: Arc::new(reasons),
        going: Arc::new(going),
        names: Arc::new(names),
        if_enforced: None,
        tells_going: false,
    });
    Ok(Decided { kept: kept.collect(), web, along: along.counted, released })
}

/// Rows that go along.
#[derive(Default)]
struct Along {
    counted: BTreeMap<(u16, u16), BTreeMap<u16, u64>>,
    /// Those that go if no other row leads to them in the end, with the rule that takes them, by their tables.
    waiting: BTreeMap<u16, HashMap<i64, (u16, u16)>>,
}

impl Along {
    fn add(&mut self, rule: (u16, u16), table: u16) {
        *self.counted.entry(rule).or_default().entry(table).or_default() += 1;
    }

    /// The first rule of the policy counts.
    fn wait(&mut self, web: &Web, row: Row, rule: Option<(u16, u16)>) {
        let Some(rule) = rule else { return };
        let order =
            |(table, place): (u16, u16)| web.model.tables[usize::from(table)].rules[usize::from(place)].order;
        let known = self.waiting.entry(row.table).or_default().entry(row.key).or_insert(rule);
        if order(rule) < order(*known) {
            *known = rule;
        }
    }
}

/// Finds out which rows go that only wait until no other row leads to them.
fn decide_leaves(web: &Web, follower: &Follower<'_>, along: &mut Along) -> rusqlite::Result<()> {
    for (table, waiting) in std::mem::take(&mut along.waiting) {
        let mut keys: Vec<i64> = waiting.keys().copied().collect();
        keys.sort_unstable();
        for keys in keys.chunks(SEEDS) {
            let mut is_left = vec![false; keys.len()];
            for (number, edge) in web.model.edges_to(table) {
                if let EdgeKind::Shares { .. } = edge.kind {
                    follower
                        .held(number, None, keys)?
                        .into_iter()
                        .for_each(|(place, _)| is_left[place] = true);
                }
            }
            for key in keys.iter().zip(is_left).filter(|(_, is_left)| !is_left).map(|(key, _)| key) {
                follower.settled().going[usize::from(table)].insert(*key);
                along.add(waiting[key], table);
            }
        }
    }
    Ok(())
}

/// Whether it must be found out which records of a table go: where others decide about them, or where not all rules
/// delete, for what would become of the others is asked as well.
fn is_decided(web: &Web, table: u16) -> bool {
    !web.model.is_plain(table) || web.model.tables[usize::from(table)].rules.iter().any(|rule| !rule.acts)
}

fn decide_table(web: &Web, follower: &Follower<'_>, table: u16, along: &mut Along) -> rusqlite::Result<()> {
    // Rows that refer to others of their table mostly come behind these.
    let reading = if web.refers_to_itself(table) { Reading::Downwards(None) } else { Reading::Any };
    let (mut seeds, mut size): (Vec<(Row, Judged)>, usize) = (Vec::new(), SEEDS / 10);
    follower.due(table, &reading, &mut |found| {
        let row = Row { table, key: found.key };
        seeds.push((row, found.judged));
        if seeds.len() >= size {
            let reached = settle(web, follower, &mut seeds, along)?;
            size = if reached > REACHED { size / 2 } else { (size * 2).min(SEEDS) }.max(1);
        }
        Ok(true)
    })?;
    settle(web, follower, &mut seeds, along).map(drop)
}

/// Decides about some records, and remembers what became of all rows; how many these were.
fn settle(
    web: &Web,
    follower: &Follower<'_>,
    seeds: &mut Vec<(Row, Judged)>,
    along: &mut Along,
) -> rusqlite::Result<usize> {
    let closure = Closure::of(&web.model, follower, std::mem::take(seeds))?;
    let mut decided = Vec::with_capacity(closure.graph.len());
    for (node, fate) in closure.fates() {
        let (row, own) = (closure.graph.row(node), closure.graph.judged(node).own);
        let taken_by = if own.is_none() && fate == Fate::Goes { closure.taken_by(node) } else { None };
        if closure.is_leaf(node) {
            along.wait(web, row, taken_by);
            continue;
        }
        if let Some(rule) = taken_by {
            along.add(rule, row.table);
        }
        decided.push((row, own.is_some(), fate));
    }
    let reached = decided.len();
    let mut settled = follower.settled();
    for (row, is_own, fate) in decided {
        let place = usize::from(row.table);
        match fate {
            Fate::Stays(reason) if is_own => {
                settled.kept[place].insert(row.key, reason.to_cell());
            }
            Fate::Goes => settled.going[place].insert(row.key),
            Fate::Stays(_) => {}
        }
    }
    Ok(reached)
}

/// What merely goes along with others spares until it has gone: records that it spares stay in this run.
fn spare_what_is_freed(web: &Web, follower: &Follower<'_>) -> rusqlite::Result<()> {
    for (number, edge) in (0..).zip(&web.model.edges) {
        let may_go_along = web.model.tables[usize::from(edge.from)].may_be_taken;
        if !may_go_along || !matches!(edge.kind, EdgeKind::Spares { .. }) {
            continue;
        }
        let (mut freed, place) = (follower.freed(number)?, usize::from(edge.to));
        freed.sort_unstable();
        freed.dedup();
        // Others are no records of a rule, and keep nothing.
        let meant = follower.judged(edge.to, &freed)?.into_iter();
        let meant = meant.filter(|found| found.judged.own.is_some() || found.judged.is_kept);
        let freed: Vec<i64> = meant.map(|found| found.key).collect();
        let mut settled = follower.settled();
        let reason = Reason::of(Keeper::NoRule).by(number, true).to_cell();
        for key in freed {
            if !settled.going[place].contains(key) {
                settled.kept[place].entry(key).or_insert(reason);
            }
        }
    }
    Ok(())
}

/// Counts the rows that let go of records that go, and stay.
fn released(web: &Web, follower: &Follower<'_>) -> rusqlite::Result<Released> {
    let mut released = BTreeMap::new();
    for ((table, rule), releases) in &web.releases {
        let counted: &mut Vec<(String, u64)> = released.entry((*table, *rule)).or_default();
        for release in releases {
            let Some(child) = web.model.table(&release.table.name) else { continue };
            let (mut seen, mut rows, mut keys) = (Keys::default(), 0, Vec::new());
            let mut look = |keys: &mut Vec<i64>| -> rusqlite::Result<()> {
                keys.sort_unstable();
                for found in follower.released((*table, child), release, &std::mem::take(keys))? {
                    if follower.stays_in(child, found) && !seen.contains(found.key) {
                        seen.insert(found.key);
                        rows += 1;
                    }
                }
                Ok(())
            };
            follower.due(*table, &Reading::Any, &mut |found| {
                if found.judged.own == Some(*rule) && !follower.stays_in(*table, found) {
                    keys.push(found.key);
                }
                if keys.len() >= SEEDS {
                    look(&mut keys)?;
                }
                Ok(true)
            })?;
            look(&mut keys)?;
            counted.push((format!("{}.{}", release.table.name, release.column), rows));
        }
    }
    Ok(released)
}

impl Decided {
    /// What keeps the records of a table; none where nothing decides about them but they themselves.
    pub(crate) fn kept(&self, table: &str) -> Option<Kept> {
        let table = self.web.model.table(table).filter(|table| is_decided(&self.web, *table))?;
        self.kept.get(usize::from(table)).cloned()
    }

    /// How many rules delete records of a table.
    pub(crate) fn acting(&self, table: &str) -> usize {
        let table = self.web.model.table(table).map(|table| &self.web.model.tables[usize::from(table)]);
        table.map_or(0, |table| table.rules.iter().filter(|rule| rule.acts).count())
    }

    /// What keeps the records of a table in this run, whatever goes meanwhile: the next one judges them anew.
    pub(crate) fn kept_in_run(&self, table: &str) -> Option<Kept> {
        let kept = self.kept(table).filter(|kept| !kept.reasons.is_empty())?;
        Some(Kept { going: Arc::default(), ..kept })
    }

    /// How many rows of which tables go along with the records of a rule.
    pub(crate) fn along(&self, table: &str, rule: &str) -> Vec<(String, u64)> {
        let counted = self.number(table, rule).and_then(|rule| self.along.get(&rule));
        let name = |table: u16| self.web.model.tables[usize::from(table)].name.clone();
        counted.into_iter().flatten().map(|(table, rows)| (name(*table), *rows)).collect()
    }

    /// How many rows let go of the records of a rule, by their columns.
    pub(crate) fn released(&self, table: &str, rule: &str) -> Vec<(String, u64)> {
        self.number(table, rule).and_then(|rule| self.released.get(&rule)).cloned().unwrap_or_default()
    }

    /// What is wrong with what goes along with records of a table.
    pub(crate) fn problem(&self, table: &str) -> Option<&Problem> {
        let table = self.web.model.table(table)?;
        self.web.problems.iter().find(|((known, _), _)| *known == table).map(|(_, problem)| problem)
    }

    /// When a table has its turn: behind those on which its records depend.
    pub(crate) fn turn(&self, table: &str) -> usize {
        let model = &self.web.model;
        model.table(table).map_or(model.components.len(), |table| model.component_of(table))
    }

    /// Whether rows of a table are decided about together with others, or with each other.
    pub(crate) fn is_together(&self, table: &str) -> bool {
        let table = self.web.model.table(table);
        table.is_some_and(|table| self.web.model.is_together(table))
    }

    /// Whether rows of a table decide about others, or these about them.
    pub(crate) fn has_ties(&self, table: &str) -> bool {
        let is_it = |edge: &Edge, table: u16| edge.from == table || edge.to == table;
        let table = self.web.model.table(table);
        table.is_some_and(|table| self.web.model.edges.iter().any(|edge| is_it(edge, table)))
    }

    fn number(&self, table: &str, rule: &str) -> Option<(u16, u16)> {
        let table = self.web.model.table(table)?;
        let rules = &self.web.model.tables[usize::from(table)].rules;
        let place = rules.iter().position(|known| known.name == rule)?;
        Some((table, u16::try_from(place).ok()?))
    }
}
