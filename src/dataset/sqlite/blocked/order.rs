//! Which tables refer to which, and which of them come first: those whose rows name rows of others.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use crate::dataset::sqlite::foreign_key::{Reference, references_from};
use crate::dataset::sqlite::schema::table_names;

/// All foreign keys of a database that keep what they name.
#[derive(Debug)]
pub struct Web {
    keys: Vec<Reference>,
    /// Every table that holds or is named by a key, in small letters, with its number.
    tables: HashMap<String, usize>,
    /// For each table, those that its keys name.
    parents: Vec<Vec<usize>>,
}

impl Web {
    /// Reads the keys.
    pub fn read(connection: &Connection) -> rusqlite::Result<Web> {
        let mut keys = Vec::new();
        for table in table_names(connection)? {
            keys.extend(references_from(connection, &table)?.into_iter().filter(|key| key.keeps));
        }
        Ok(Web::of(keys))
    }

    fn of(keys: Vec<Reference>) -> Web {
        let mut web = Web { keys: Vec::new(), tables: HashMap::new(), parents: Vec::new() };
        for key in &keys {
            let (child, parent) = (web.number(&key.child), web.number(&key.parent));
            web.parents[child].push(parent);
        }
        Web { keys, ..web }
    }

    /// Leaves in only some keys.
    pub(super) fn retain(&mut self, stays: impl Fn(&Reference) -> bool) {
        let keys = std::mem::take(&mut self.keys);
        *self = Web::of(keys.into_iter().filter(stays).collect());
    }

    fn number(&mut self, table: &str) -> usize {
        let number = *self.tables.entry(table.to_ascii_lowercase()).or_insert(self.parents.len());
        self.parents.resize(self.parents.len().max(number + 1), Vec::new());
        number
    }

    /// The tables to which a table's keys lead, by way of tables that are let through.
    fn above(&self, table: &str, through: &dyn Fn(usize) -> bool) -> HashSet<usize> {
        let mut above = HashSet::new();
        let mut next: Vec<usize> =
            self.tables.get(&table.to_ascii_lowercase()).copied().into_iter().collect();
        while let Some(table) = next.pop() {
            let parents = self.parents[table].iter().copied();
            next.extend(parents.filter(|parent| above.insert(*parent) && through(*parent)));
        }
        above
    }

    fn leads(&self, from: &str, to: &str) -> bool {
        let to = self.tables.get(&to.to_ascii_lowercase());
        to.is_some_and(|to| self.above(from, &|_| true).contains(to))
    }

    /// Whether the table that a key names refers in turn, by way of others, to the one that holds it.
    pub(super) fn is_circular(&self, key: &Reference) -> bool {
        key.is_to_itself() || self.leads(&key.parent, &key.child)
    }

    /// Whether a table names itself, by way of others or directly.
    pub fn is_in_circle(&self, table: &str) -> bool {
        self.leads(table, table)
    }

    /// The tables whose rows name rows of each other, by way of nothing but such tables: this one, where
    /// it names itself or a circle leads through it, and the others of the circles.
    pub(super) fn circle(&self, table: &str, is_member: &dyn Fn(&str) -> bool) -> Vec<String> {
        let Some(own) = self.tables.get(&table.to_ascii_lowercase()) else { return Vec::new() };
        let mut names: Vec<&String> = self.keys.iter().map(|key| &key.child).collect();
        names.sort();
        names.dedup();
        let (mut numbers, mut members): (HashSet<usize>, Vec<&String>) = Default::default();
        for name in names.into_iter().filter(|name| is_member(name)) {
            numbers.extend(self.tables.get(&name.to_ascii_lowercase()));
            members.push(name);
        }
        if !numbers.contains(own) {
            return Vec::new();
        }
        let through = |table: usize| numbers.contains(&table);
        let above = self.above(table, &through);
        members.retain(|other| {
            let number = self.tables.get(&other.to_ascii_lowercase());
            number.is_some_and(|number| above.contains(number)) && self.above(other, &through).contains(own)
        });
        members.into_iter().cloned().collect()
    }

    /// The turn of each table: a table comes behind all tables that refer to it, or to rows that go along
    /// with its own. Tables that refer to each other in a circle have the same turn.
    pub fn turns(&self, tables: &[(&str, Vec<&str>)]) -> Vec<usize> {
        let circles = self.circles(tables);
        let below: Vec<Vec<usize>> = circles
            .iter()
            .map(|circle| {
                let children = circle.iter().flat_map(|table| self.children(tables, *table));
                children.filter(|child| !circle.contains(child)).collect()
            })
            .collect();
        let mut turns = vec![0; tables.len()];
        // Without circles, no table is more steps above another than there are tables.
        for _ in tables {
            for table in 0..tables.len() {
                turns[table] = below[table].iter().map(|child| turns[*child] + 1).max().unwrap_or(0);
            }
        }
        turns
    }

    /// For each table, those that stand in a circle with it, and itself.
    fn circles(&self, tables: &[(&str, Vec<&str>)]) -> Vec<Vec<usize>> {
        let number = |table: usize| self.tables.get(&tables[table].0.to_ascii_lowercase());
        let above: Vec<HashSet<usize>> =
            tables.iter().map(|(table, _)| self.above(table, &|_| true)).collect();
        let leads = |from: usize, to: usize| number(to).is_some_and(|to| above[from].contains(to));
        let is_beside = |one: usize, other: usize| one == other || (leads(one, other) && leads(other, one));
        let all = 0..tables.len();
        all.clone().map(|table| all.clone().filter(|other| is_beside(table, *other)).collect()).collect()
    }

    /// The tables that refer to rows of a table or to what goes along with them, but not in a circle.
    fn children(&self, tables: &[(&str, Vec<&str>)], table: usize) -> Vec<usize> {
        let (own, along) = &tables[table];
        let named: Vec<&str> = std::iter::once(own).chain(along).copied().collect();
        let is_named = |key: &&Reference| named.iter().any(|parent| key.parent.eq_ignore_ascii_case(parent));
        let outer = self.keys.iter().filter(is_named).filter(|key| !self.is_circular(key));
        let place =
            |key: &Reference| tables.iter().position(|(other, _)| other.eq_ignore_ascii_case(&key.child));
        outer.filter_map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web(schema: &str) -> Web {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(schema).unwrap();
        Web::read(&connection).unwrap()
    }

    const SCHEMA: &str = "
        CREATE TABLE a (id INTEGER PRIMARY KEY, b REFERENCES B);
        CREATE TABLE b (id INTEGER PRIMARY KEY, c REFERENCES c (id), self REFERENCES b);
        CREATE TABLE c (id INTEGER PRIMARY KEY, a REFERENCES a);
        CREATE TABLE below (id INTEGER PRIMARY KEY, c REFERENCES c);
        CREATE TABLE above (id INTEGER PRIMARY KEY);
        CREATE TABLE d (id INTEGER PRIMARY KEY, above REFERENCES above, a REFERENCES a ON DELETE SET NULL);
        ALTER TABLE a ADD COLUMN above REFERENCES above;";

    #[test]
    fn a_circle_is_what_leads_there_and_back_through_its_own_members() {
        let web = web(SCHEMA);
        assert_eq!(web.circle("a", &|_| true), ["a", "b", "c"]);
        assert_eq!(web.circle("b", &|table| table != "c"), ["b"]);
        assert_eq!(web.circle("a", &|table| table != "c"), Vec::<String>::new());
        assert_eq!(web.circle("c", &|table| table != "c"), Vec::<String>::new());
        assert_eq!(web.circle("below", &|_| true), Vec::<String>::new());
    }

    #[test]
    fn tables_of_a_circle_have_one_turn_behind_all_that_refer_to_any_of_them() {
        let tables = ["above", "a", "b", "c", "below", "d"].map(|table| (table, Vec::new()));
        assert_eq!(web(SCHEMA).turns(&tables), [2, 1, 1, 1, 0, 0]);
    }

    #[test]
    fn what_refers_to_rows_that_go_along_comes_first() {
        let tables = [("d", vec!["c"]), ("below", vec![]), ("above", vec![])];
        assert_eq!(web(SCHEMA).turns(&tables), [1, 0, 2]);
    }
}
