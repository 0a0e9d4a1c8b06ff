//! Rows that refer to each other, within a table or in a circle of tables: deleted those first that refer
//! to others, and those at once that no order can part.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use rusqlite::{Connection, OptionalExtension, Statement};

use super::Task;
use super::keys::Keys;
use super::search::beside_writers;
use crate::dataset::Problem;
use crate::dataset::sqlite::blocked::along::row_number;
use crate::dataset::sqlite::blocked::circle::Circle;
use crate::dataset::sqlite::blocked::rows::{Row, Rows};
use crate::dataset::sqlite::foreign_key::unreferenced;
use crate::dataset::sqlite::schema::Table;

/// A row that is to go. So many are remembered that they are packed.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Doomed {
    number: i64,
    rule: u32,
    table: u16,
    /// Whether the rule is the one in hand.
    is_own: bool,
    /// Whether a group begins with it: rows that no order can part.
    is_first: bool,
}

/// Rows that go in one transaction or not at all: some of the rule in hand, and those of other rules
/// that have to go before them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Unit(Vec<Doomed>);

impl Unit {
    /// Rows of a batch that an earlier run announced.
    pub(super) fn announced(own: Vec<i64>) -> Unit {
        let doomed = |number| Doomed { number, rule: 0, table: 0, is_own: true, is_first: true };
        Unit(own.into_iter().map(doomed).collect())
    }

    /// The row numbers of the rule in hand.
    pub(super) fn own(&self) -> impl Iterator<Item = i64> {
        self.0.iter().filter(|row| row.is_own).map(|row| row.number)
    }

    /// Counts the rows of other rules, by the names of these.
    pub(super) fn count_others(&self, circle: &Circle, others: &mut BTreeMap<String, u64>) {
        for row in self.0.iter().filter(|row| !row.is_own) {
            let name = &circle.members[usize::from(row.table)].rules[row.rule as usize];
            *others.entry(name.clone()).or_default() += 1;
        }
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

/// The units of a rule, those first that refer to others.
#[derive(Debug)]
pub(super) struct Groups {
    left: VecDeque<Unit>,
    given: Vec<Unit>,
}

impl Groups {
    /// Reads the due rows of a circle of tables; none where the rule's table stands in none.
    pub(super) fn read(task: &Task<'_>) -> Result<Option<Groups>, Problem> {
        let Some(circle) = task.circle else { return Ok(None) };
        let rows = beside_writers(task, |connection| {
            circle.read(connection, |member| unreferenced(&member.table, &member.outer))
        })?;
        Ok(Some(Groups { left: units(&rows, task.rule).into(), given: Vec::new() }))
    }

    /// Whole units of about so many rows, but never more of the rule's own than the most.
    pub(super) fn next(&mut self, rows: u64, most: u64) -> Option<Keys> {
        self.given.clear();
        let (mut own, mut all) = (0, 0);
        while let Some(unit) = self.left.front() {
            own += unit.own().count() as u64;
            all += unit.0.len() as u64;
            if own > most || (all > rows && !self.given.is_empty()) {
                break;
            }
            self.given.extend(self.left.pop_front());
        }
        (!self.given.is_empty()).then(|| Keys::Units(self.given.clone()))
    }

    /// The same units come again: their batch did not happen.
    pub(super) fn give_back(&mut self) {
        for unit in self.given.drain(..).rev() {
            self.left.push_front(unit);
        }
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
            next.extend(
                below.filter_map(|row| place_of.get(&row).copied()).filter(|place| needed.insert(*place)),
            );
        }
        let mut unit = Unit::default();
        for place in needed {
            // What a unit holds is needed by no other.
            let group = std::mem::take(&mut groups[place]);
            unit.add(&group, &rows.going, rule);
        }
        units.push(unit);
    }
    units
}

/// How units are asked for and deleted, inside of one transaction.
pub(super) struct Deletion<'a> {
    connection: &'a Connection,
    circle: &'a Circle,
    /// What says which rule deletes a row, for each table.
    going: Vec<String>,
}

impl<'a> Deletion<'a> {
    pub(super) fn new(connection: &'a Connection, circle: &'a Circle) -> rusqlite::Result<Deletion<'a>> {
        let going = circle.members.iter().map(|member| member.register_going(connection));
        Ok(Deletion { connection, circle, going: going.collect::<rusqlite::Result<_>>()? })
    }

    /// Deletes each unit of which every row is still due and referred to by none that stays; returns the
    /// units that went.
    pub(super) fn delete(&self, units: &[Unit]) -> rusqlite::Result<Vec<Unit>> {
        // Within a circle one row goes before the other; until the commit that is no violation.
        self.connection.execute_batch("PRAGMA defer_foreign_keys = ON")?;
        let mut statements = self.statements()?;
        let mut gone = Vec::new();
        for unit in units {
            self.connection.execute_batch("SAVEPOINT frist_unit")?;
            if self.is_gone(unit, &mut statements)? {
                gone.push(unit.clone());
            } else {
                self.connection.execute_batch("ROLLBACK TO frist_unit")?;
            }
            self.connection.execute_batch("RELEASE frist_unit")?;
        }
        Ok(gone)
    }

    /// What is asked about and done to single rows of each table.
    fn statements(&self) -> rusqlite::Result<Vec<Single<'a>>> {
        let each = self.circle.members.iter().enumerate().map(|(place, member)| {
            let plain = Table { alias: None, ..member.table.clone() };
            let by_number = format!("FROM {} WHERE {} = ?1", plain.sql(), row_number(&plain));
            Ok(Single {
                going: self.connection.prepare(&self.going_sql(place, &[]))?,
                delete: self.connection.prepare(&format!("DELETE {by_number}"))?,
                is_there: self.connection.prepare(&format!("SELECT 1 {by_number}"))?,
            })
        });
        each.collect()
    }

    /// Deletes a unit; whether nothing of it is left.
    fn is_gone(&self, unit: &Unit, statements: &mut [Single<'_>]) -> rusqlite::Result<bool> {
        for group in unit.0.chunk_by(|_, next| !next.is_first) {
            for row in group {
                if self.going(row, group, statements)? != Some(i64::from(row.rule) + 1) {
                    return Ok(false);
                }
            }
            for row in group {
                statements[usize::from(row.table)].delete.execute([row.number])?;
            }
            for row in group {
                // A trigger may have kept it.
                if statements[usize::from(row.table)].is_there.exists([row.number])? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Which rule deletes a row, if no row outside of its group refers to it.
    fn going(
        &self,
        row: &Doomed,
        group: &[Doomed],
        statements: &mut [Single<'_>],
    ) -> rusqlite::Result<Option<i64>> {
        let table = usize::from(row.table);
        if group.len() == 1 {
            return statements[table].going.query_row([row.number], |row| row.get(0)).optional();
        }
        self.connection.query_row(&self.going_sql(table, group), [row.number], |row| row.get(0)).optional()
    }

    fn going_sql(&self, place: usize, group: &[Doomed]) -> String {
        let member = &self.circle.members[place];
        let inner = self.circle.keys.iter().filter(|key| key.parent == place).map(|key| {
            let (child, names) = key.child_of(self.circle);
            let inside = group.iter().filter(|row| usize::from(row.table) == key.child);
            let inside: Vec<String> = inside.map(|row| row.number.to_string()).collect();
            let (from, number, inside) = (child.sql(), row_number(&child), inside.join(","));
            format!(" AND NOT EXISTS (SELECT 1 FROM {from} WHERE {names} AND {number} NOT IN ({inside}))")
        });
        format!(
            "SELECT {} FROM {} WHERE {} = ?1{}{}",
            self.going[place],
            member.table.sql(),
            row_number(&member.table),
            unreferenced(&member.table, &member.outer),
            inner.collect::<String>()
        )
    }
}

/// The statements about single rows of a table.
struct Single<'c> {
    /// Which rule deletes it, if no row refers to it.
    going: Statement<'c>,
    delete: Statement<'c>,
    is_there: Statement<'c>,
}
