//! Rows that refer to each other, within a table or in a circle of tables: deleted those first that refer
//! to others, and those at once that no order can part.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::Task;
use super::keys::Keys;
use super::search::beside_writers;
use crate::dataset::Problem;
use crate::dataset::sqlite::blocked::along::row_number;
use crate::dataset::sqlite::blocked::circle::{Circle, Member};
use crate::dataset::sqlite::blocked::rows::{Row, Rows};
use crate::dataset::sqlite::foreign_key::unreferenced;
use crate::dataset::sqlite::schema::Table;

/// A row that is to go. So many are remembered that they are packed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Doomed {
    pub(super) number: i64,
    pub(super) rule: u32,
    pub(super) table: u16,
    /// Whether the rule is the one in hand.
    is_own: bool,
    /// Whether a group begins with it: rows that no order can part.
    pub(super) is_first: bool,
}

/// Rows that go in one transaction or not at all: some of the rule in hand, and those of other rules
/// that have to go before them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Unit(pub(super) Vec<Doomed>);

impl Unit {
    /// The row numbers of the rule in hand.
    pub(super) fn own(&self) -> impl Iterator<Item = i64> {
        self.0.iter().filter(|row| row.is_own).map(|row| row.number)
    }

    /// Adds rows that stand together.
    fn add(&mut self, group: &[Row], rule_of: &HashMap<Row, usize>, own: usize) {
        for (place, row) in group.iter().enumerate() {
            let rule = rule_of[row];
            self.0.push(Doomed {
                number: row.number,
                // Of neither there are as many as that.
                rule: u32::try_from(rule).unwrap_or(u32::MAX),
                table: u16::try_from(row.table).unwrap_or(u16::MAX),
                is_own: row.table == 0 && rule == own,
                is_first: place == 0,
            });
        }
    }
}

/// How many rows of other rules there are in some units, by the names of these.
pub(super) fn others(units: &[Unit], circle: &Circle) -> BTreeMap<String, u64> {
    let mut others: BTreeMap<(u16, u32), u64> = BTreeMap::new();
    for row in units.iter().flat_map(|unit| &unit.0).filter(|row| !row.is_own) {
        *others.entry((row.table, row.rule)).or_default() += 1;
    }
    let name = |(table, rule): (u16, u32)| circle.members[usize::from(table)].rules[rule as usize].clone();
    others.into_iter().map(|(rule, records)| (name(rule), records)).collect()
}

/// What is remembered from one pass over a circle to the next.
#[derive(Debug, Default)]
pub(super) struct Passes {
    /// The last row number of each table before the first pass: what comes later waits for the next run, so
    /// that a trigger which inserts for every deletion cannot keep a run going for ever.
    last: Vec<i64>,
    /// Rows of the rule whose unit could not go, and must not hold what other units need.
    stuck: HashSet<i64>,
    /// How many records of other rules may still go, by the names of these.
    room: BTreeMap<String, u64>,
}

impl Passes {
    pub(super) fn new(task: &Task<'_>, room: &BTreeMap<String, u64>) -> rusqlite::Result<Passes> {
        let members = task.circle.iter().flat_map(|circle| &circle.members);
        let last = members.map(|member| {
            let plain = Table { alias: None, ..member.table.clone() };
            let sql = format!("SELECT max({}) FROM {}", row_number(&plain), plain.sql());
            Ok(task.connection().query_row(&sql, [], |row| row.get::<_, Option<i64>>(0))?.unwrap_or_default())
        });
        let last = last.collect::<rusqlite::Result<_>>()?;
        Ok(Passes { last, stuck: HashSet::new(), room: room.clone() })
    }

    /// Learns which of the units went that were given out.
    fn learn(&mut self, given: &[Unit], gone: &[Unit], circle: &Circle) {
        let went: HashSet<i64> = gone.iter().flat_map(Unit::own).collect();
        // A unit that holds nothing of other rules may have waited for one that does.
        let holding = given.iter().filter(|unit| unit.0.iter().any(|row| !row.is_own));
        self.stuck.extend(holding.flat_map(Unit::own).filter(|row| !went.contains(row)));
        for (rule, records) in others(gone, circle) {
            let left = self.room.entry(rule).or_default();
            *left = left.saturating_sub(records);
        }
    }

    /// How many rows of the rule belong to units that could not go.
    pub(super) fn stuck(&self) -> usize {
        self.stuck.len()
    }

    /// Whether the rules of a unit's other rows have room for these behind those of the units before it,
    /// which are counted.
    fn has_room_for(&self, unit: &Unit, counted: &mut BTreeMap<String, u64>, circle: &Circle) -> bool {
        let others = others(std::slice::from_ref(unit), circle);
        let sum = |rule: &String, records: u64| records + counted.get(rule).copied().unwrap_or_default();
        let has_room = others
            .iter()
            .all(|(rule, records)| self.room.get(rule).is_some_and(|room| sum(rule, *records) <= *room));
        if has_room {
            others.into_iter().for_each(|(rule, records)| *counted.entry(rule).or_default() += records);
        }
        has_room
    }
}

/// The units of a rule, those first that refer to others.
#[derive(Debug)]
pub(super) struct Groups {
    left: VecDeque<Unit>,
    given: Vec<Unit>,
    /// Whether a limit of another rule left no room for a unit.
    is_capped: bool,
    /// Whether units are given out one by one, for one of them makes commits fail.
    is_single: bool,
}

impl Groups {
    /// Reads the due rows of a circle of tables; none where the rule's table stands in none.
    pub(super) fn read(task: &Task<'_>, passes: &Passes) -> Result<Option<Groups>, Problem> {
        let Some(circle) = task.circle else { return Ok(None) };
        let mut rows = beside_writers(task, |connection| {
            circle.read(connection, |place, Member { table, outer, .. }| {
                let known = format!(" AND {} <= {}", row_number(table), passes.last[place]);
                known + &unreferenced(table, outer)
            })
        })?;
        if !passes.stuck.is_empty() {
            rows = rows.without(|row| row.table == 0 && passes.stuck.contains(&row.number));
        }
        Ok(Some(Groups {
            left: units(&rows, task.rule).into(),
            given: Vec::new(),
            is_capped: false,
            is_single: false,
        }))
    }

    /// Whole units of about so many rows, but never more of the rule's own than the most, and of others no
    /// more than these have room for. Units that no limit leaves room for are passed over.
    pub(super) fn next(
        &mut self,
        rows: u64,
        most: u64,
        passes: &mut Passes,
        circle: &Circle,
    ) -> Option<Keys> {
        self.given.clear();
        let (mut own, mut all, mut others) = (0, 0, BTreeMap::new());
        while let Some(unit) = self.left.pop_front() {
            own += unit.own().count() as u64;
            all += unit.0.len() as u64;
            let is_enough = all > rows || self.is_single;
            if own > most || (is_enough && !self.given.is_empty()) {
                self.left.push_front(unit);
                break;
            }
            if passes.has_room_for(&unit, &mut others, circle) {
                self.given.push(unit);
            } else if self.given.is_empty() {
                passes.stuck.extend(unit.own());
                self.is_capped = true;
                (own, all) = (0, 0);
            } else {
                // The next batch finds out how much went of this one.
                self.left.push_front(unit);
                break;
            }
        }
        (!self.given.is_empty()).then(|| Keys::Units(self.given.clone()))
    }

    /// The same units come again: their batch did not happen.
    pub(super) fn give_back(&mut self) {
        for unit in self.given.drain(..).rev() {
            self.left.push_front(unit);
        }
    }

    /// The database refused to commit what was given out: from now on it gets one unit at a time, and the
    /// one that it refuses stays, and is returned.
    pub(super) fn refused(&mut self, passes: &mut Passes) -> Vec<Unit> {
        self.is_single = true;
        if let [unit] = self.given.as_slice() {
            passes.stuck.extend(unit.own());
            return std::mem::take(&mut self.given);
        }
        self.give_back();
        Vec::new()
    }

    /// For so many of the last units there was no time.
    pub(super) fn untried(&mut self, units: usize) {
        let tried = self.given.len().saturating_sub(units);
        for unit in self.given.drain(tried..).rev() {
            self.left.push_front(unit);
        }
    }

    /// Learns which of the units went that were given out.
    pub(super) fn ended(&mut self, gone: &[Unit], passes: &mut Passes, circle: &Circle) {
        passes.learn(&self.given, gone, circle);
    }

    pub(super) fn is_capped(&self) -> bool {
        self.is_capped
    }
}

/// Each group with rows of the rule, behind the groups of others that it needs gone.
fn units(rows: &Rows, rule: usize) -> Vec<Unit> {
    let mut groups = rows.groups();
    let is_own = |row: &Row| row.table == 0 && rows.going[row] == rule;
    let has_own: Vec<bool> = groups.iter().map(|group| group.iter().any(is_own)).collect();
    let mut place_of: HashMap<Row, usize> = HashMap::new();
    for place in (0..groups.len()).filter(|place| !has_own[*place]) {
        place_of.extend(groups[place].iter().map(|row| (*row, place)));
    }
    let mut units = Vec::new();
    for place in (0..groups.len()).filter(|place| has_own[*place]) {
        // Groups with rows of the rule have had their turn.
        let (mut needed, mut next) = (BTreeSet::from([place]), vec![place]);
        while let Some(place) = next.pop() {
            let below = groups[place].iter().flat_map(|row| rows.children(*row));
            let below = below.filter_map(|row| place_of.get(&row).copied());
            next.extend(below.filter(|place| needed.insert(*place)));
        }
        let mut unit = Unit::default();
        for place in needed {
            // What one unit holds, the others find gone.
            let group = std::mem::take(&mut groups[place]);
            unit.add(&group, &rows.going, rule);
        }
        units.push(unit);
    }
    units
}
