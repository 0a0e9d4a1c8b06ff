//! Tables whose rows name each other: replies, parts, managers, or a customer and its main contact. Their
//! due rows are read into memory, with who names whom.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::functions::Context;
use rusqlite::{Connection, OptionalExtension, Statement};

use super::along::row_number;
use super::key::{Code, keeper_from_cell};
use super::register_keeper;
use super::rows::{Kept, Named, OnDelete, Row, Rows};
use crate::dataset::sqlite::foreign_key::Reference;
use crate::dataset::sqlite::functions::{PURE, cells};
use crate::dataset::sqlite::schema::Table;
use crate::dataset::sqlite::value;
use crate::policy::Rule;
use crate::verdict::{Keeper, RuleBook};

/// Tables of which each names rows of the next; the smallest circle is a table that names itself.
#[derive(Clone, Debug)]
pub struct Circle {
    /// The tables; the first is the one in hand.
    pub members: Vec<Member>,
    /// The keys from one to another.
    pub keys: Vec<Inner>,
    /// Whether a trigger of the database may change rows while others are deleted.
    pub has_triggers: bool,
    /// Whether the engine empties keys that name rows of its tables, and so changes other rows.
    pub empties_keys: bool,
}

/// One table of a circle, and the rules on it.
#[derive(Clone, Debug)]
pub struct Member {
    /// The table.
    pub table: Table,
    /// The names of the rules on it.
    pub rules: Vec<String>,
    /// All of them.
    pub book: Arc<RuleBook>,
    /// Those that delete, by their places.
    pub acting: Vec<usize>,
    /// The keys of tables outside that name its rows.
    pub outer: Vec<Reference>,
}

/// A key from one member to another, by their numbers.
#[derive(Clone, Debug)]
pub struct Inner {
    /// The key.
    pub reference: Reference,
    /// Whose rows hold it.
    pub child: usize,
    /// Whose rows it names.
    pub parent: usize,
}

impl Inner {
    fn on_delete(&self, has_triggers: bool) -> OnDelete {
        match self.reference.on_delete.as_str() {
            // What a trigger has changed must be asked again first, and so goes by itself.
            "CASCADE" if has_triggers => OnDelete::Refuses,
            "CASCADE" => OnDelete::Cascades,
            // A key keeps its row and is to be emptied: that fails at once.
            "RESTRICT" | "SET NULL" | "SET DEFAULT" => OnDelete::Refuses,
            _ => OnDelete::Waits,
        }
    }

    /// The table that holds the key under a name of its own, and the condition that a row of it names
    /// one of the parent's.
    pub fn child_of(&self, circle: &Circle) -> (Table, String) {
        let parent = &circle.members[self.parent].table;
        let alias = self.reference.alias_beside(parent);
        let names = self.reference.names_sql(parent, &alias);
        (Table { alias: Some(alias), ..circle.members[self.child].table.clone() }, names)
    }
}

/// The rules that delete, of those on a table of a circle. What would go along with their records, nobody
/// could say while these wait for each other.
pub(super) fn acting(rules: &[&Rule], acts: impl Fn(&Rule) -> bool) -> Vec<usize> {
    let each = rules.iter().enumerate();
    each.filter(|(_, rule)| acts(rule) && rule.with.is_empty()).map(|(place, _)| place).collect()
}

impl Circle {
    /// Whether rows may change while others are deleted.
    pub fn is_watched(&self) -> bool {
        self.has_triggers || self.empties_keys
    }

    /// Reads the rows that rules delete, and who names them. What keeps rows from outside must be known
    /// to the members' books, or be part of the condition.
    pub fn read(
        &self,
        connection: &Connection,
        also: impl Fn(usize, &Member) -> String,
    ) -> rusqlite::Result<Rows> {
        let mut going = HashMap::new();
        for (place, member) in self.members.iter().enumerate() {
            member.read(connection, place, &also(place, member), &mut going)?;
        }
        let mut naming = Vec::new();
        for key in 0..self.keys.len() {
            self.read_key(connection, key, &going, &mut naming)?;
        }
        let on_delete = self.keys.iter().map(|key| key.on_delete(self.has_triggers));
        Ok(Rows::new(going, naming, on_delete.collect()))
    }

    /// Reads who names the rows that go by one key.
    fn read_key(
        &self,
        connection: &Connection,
        key: usize,
        going: &HashMap<Row, usize>,
        naming: &mut Vec<Named>,
    ) -> rusqlite::Result<()> {
        let Inner { parent: place, child: child_place, .. } = self.keys[key];
        let parent = &self.members[place];
        let (child, names) = self.keys[key].child_of(self);
        let sql = format!(
            "SELECT {}, {} FROM {} JOIN {} ON {names} WHERE ({})",
            row_number(&parent.table),
            row_number(&child),
            parent.table.sql(),
            child.sql(),
            parent.may_be_due()
        );
        let mut statement = connection.prepare(&sql)?;
        let mut pairs = statement.query([])?;
        while let Some(pair) = pairs.next()? {
            let parent = Row { table: place, number: pair.get(0)? };
            if going.contains_key(&parent) {
                naming.push(Named { child: Row { table: child_place, number: pair.get(1)? }, parent, key });
            }
        }
        Ok(())
    }
}

impl Member {
    fn read(
        &self,
        connection: &Connection,
        place: usize,
        also: &str,
        going: &mut HashMap<Row, usize>,
    ) -> rusqlite::Result<()> {
        let sql = format!(
            "SELECT {}, {} AS going FROM {} WHERE ({}) AND going > 0{also}",
            row_number(&self.table),
            self.register_going(connection)?,
            self.table.sql(),
            self.may_be_due(),
        );
        let mut statement = connection.prepare(&sql)?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            let rule = row.get::<_, i64>(1)?.unsigned_abs() as usize - 1;
            going.insert(Row { table: place, number: row.get(0)? }, rule);
        }
        Ok(())
    }

    /// What a record satisfies that one of them deletes.
    pub(super) fn may_be_due(&self) -> String {
        super::may_be_due(&self.table, &self.book, &self.acting)
    }

    /// Registers a function that says which rule deletes a row, by its place and one more; returns its
    /// call.
    pub fn register_going(&self, connection: &Connection) -> rusqlite::Result<String> {
        let name = format!("frist_going_{}", self.table.function_suffix());
        let (book, rules) = (Arc::clone(&self.book), self.acting.clone());
        connection.create_scalar_function(name.as_str(), -1, PURE, move |context: &Context<'_>| {
            Ok(match book.keeper(&rules, &|cell| value(context.get_raw(cell))) {
                Keeper::Goes(rule) => i64::try_from(rule + 1).unwrap_or_default(),
                _ => 0,
            })
        })?;
        Ok(format!("{name}({})", cells(connection, &self.table, &self.book)?.join(", ")))
    }
}

/// The rows of a circle's first table that stay although a rule deletes them.
#[derive(Clone, Debug)]
pub(super) struct Stuck {
    /// The keys of the circle, each with the names of the rules on the rows that hold it.
    pub(super) keys: Vec<(Reference, Vec<String>)>,
    /// What keeps each row, as the engine gets it.
    blocked: Arc<HashMap<i64, i64>>,
}

impl Stuck {
    /// Finds the rows of a circle that stay. Its keys are numbered from the first on.
    pub(super) fn read(connection: &Connection, circle: &Circle, first: usize) -> rusqlite::Result<Stuck> {
        let kept = circle.read(connection, |_, _| String::new())?.blocked();
        let keepers: Vec<String> = circle
            .members
            .iter()
            .map(|Member { table, book, acting, .. }| {
                let keeper = register_keeper(connection, table, book, acting)?;
                Ok(format!("SELECT {keeper} FROM {} WHERE {} = ?1", table.sql(), row_number(table)))
            })
            .collect::<rusqlite::Result<_>>()?;
        let mut keepers: Vec<Statement<'_>> =
            keepers.iter().map(|sql| connection.prepare(sql)).collect::<rusqlite::Result<_>>()?;
        let mut blocked = HashMap::new();
        for (row, Kept { key, by }) in kept.into_iter().filter(|(row, _)| row.table == 0) {
            let keeper = match by {
                Some(by) => {
                    let cell = keepers[by.table].query_row([by.number], |row| row.get(0)).optional()?;
                    keeper_from_cell(cell.unwrap_or_default())
                }
                None => Keeper::Referred,
            };
            blocked.insert(row.number, Code { number: first + key, keeper }.to_cell());
        }
        let rules = |key: &Inner| (key.reference.clone(), circle.members[key.child].rules.clone());
        Ok(Stuck { keys: circle.keys.iter().map(rules).collect(), blocked: Arc::new(blocked) })
    }

    /// Registers the function that knows which rows stay; returns its call, null where a row can go.
    pub(super) fn register(&self, connection: &Connection, table: &Table) -> rusqlite::Result<String> {
        let name = format!("frist_stuck_{}", table.function_suffix());
        let blocked = Arc::clone(&self.blocked);
        connection.create_scalar_function(name.as_str(), 1, PURE, move |context: &Context<'_>| {
            let row: i64 = context.get(0)?;
            Ok(blocked.get(&row).copied())
        })?;
        Ok(format!("{name}({})", row_number(table)))
    }
}
