//! Deleting rows that refer to each other, inside of one transaction: a unit goes as a whole or not at all.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rusqlite::functions::Context;
use rusqlite::{Connection, OptionalExtension, Statement};

use super::groups::{Doomed, Unit};
use super::refusals::is_refusal;
use crate::dataset::sqlite::blocked::along::row_number;
use crate::dataset::sqlite::blocked::circle::Circle;
use crate::dataset::sqlite::foreign_key::unreferenced;
use crate::dataset::sqlite::functions::FRESH;
use crate::dataset::sqlite::schema::Table;

/// How units are asked for and deleted.
pub(super) struct Deletion<'a> {
    connection: &'a Connection,
    circle: &'a Circle,
    /// Rows that keep nothing, for they go as well.
    among: Arc<Mutex<HashSet<(u16, i64)>>>,
    /// What says which rule deletes a row, for each table.
    going: Vec<String>,
}

/// What became of some units.
pub(super) struct Ended {
    /// Those that went.
    pub(super) gone: Vec<Unit>,
    /// Those that the database refused, and what it said.
    pub(super) refused: Vec<(Unit, String)>,
    /// How many of the last there was no time for.
    pub(super) untried: usize,
}

impl<'a> Deletion<'a> {
    pub(super) fn new(connection: &'a Connection, circle: &'a Circle) -> rusqlite::Result<Deletion<'a>> {
        let among: Arc<Mutex<HashSet<(u16, i64)>>> = Arc::default();
        let asked = Arc::clone(&among);
        connection.create_scalar_function("frist_among", 2, FRESH, move |context: &Context<'_>| {
            let row = (context.get(0)?, context.get(1)?);
            Ok(asked.lock().unwrap_or_else(PoisonError::into_inner).contains(&row))
        })?;
        let going = circle.members.iter().map(|member| member.register_going(connection));
        let going = going.collect::<rusqlite::Result<_>>()?;
        Ok(Deletion { connection, circle, among, going })
    }

    /// Deletes each unit of which every row is still due and referred to by none that stays.
    pub(super) fn delete(&self, units: &[Unit], deadline: Instant) -> rusqlite::Result<Ended> {
        // Within a circle one row goes before the other; until the commit that is no violation.
        self.connection.execute_batch("PRAGMA defer_foreign_keys = ON")?;
        let mut statements = self.statements()?;
        let mut ended = Ended { gone: Vec::new(), refused: Vec::new(), untried: 0 };
        // Inside of a savepoint each statement costs the more, the more has been done; a unit that is alone is
        // undone with the transaction.
        let is_alone = units.len() == 1;
        let execute = |sql: &str| if is_alone { Ok(()) } else { self.connection.execute_batch(sql) };
        for (place, unit) in units.iter().enumerate() {
            if place > 0 && Instant::now() >= deadline {
                ended.untried = units.len() - place;
                break;
            }
            execute("SAVEPOINT frist_unit")?;
            match self.go(unit, &mut statements) {
                Ok(true) => ended.gone.push(unit.clone()),
                Ok(false) => execute("ROLLBACK TO frist_unit")?,
                Err(error) if is_refusal(&error) && (is_alone || !self.connection.is_autocommit()) => {
                    execute("ROLLBACK TO frist_unit")?;
                    ended.refused.push((unit.clone(), error.to_string()));
                }
                Err(error) => return Err(error),
            }
            execute("RELEASE frist_unit")?;
        }
        Ok(ended)
    }

    /// What is asked about and done to single rows of each table.
    fn statements(&self) -> rusqlite::Result<Vec<Single<'a>>> {
        let each = self.circle.members.iter().enumerate().map(|(place, member)| {
            let plain = Table { alias: None, ..member.table.clone() };
            let by_number = format!("FROM {} WHERE {} = ?1", plain.sql(), row_number(&plain));
            Ok(Single {
                going: self.connection.prepare(&self.going_sql(place))?,
                delete: self.connection.prepare(&format!("DELETE {by_number}"))?,
                is_there: self.connection.prepare(&format!("SELECT 1 {by_number}"))?,
            })
        });
        each.collect()
    }

    /// Deletes a unit; whether nothing of it is left. All of it is asked for before anything goes; where a
    /// trigger may change rows meanwhile, each row once more before it goes.
    fn go(&self, unit: &Unit, statements: &mut [Single<'_>]) -> rusqlite::Result<bool> {
        self.set_among(&unit.0);
        for row in &unit.0 {
            if !statements[usize::from(row.table)].goes(row)? {
                return Ok(false);
            }
        }
        for group in unit.0.chunk_by(|_, next| !next.is_first) {
            if self.circle.is_watched() {
                self.set_among(group);
            }
            for row in group {
                let single = &mut statements[usize::from(row.table)];
                let is_watched = self.circle.is_watched() && single.is_there.exists([row.number])?;
                if is_watched && !single.goes(row)? {
                    return Ok(false);
                }
                single.delete.execute([row.number])?;
            }
        }
        for row in unit.0.iter().filter(|_| self.circle.is_watched()) {
            // One of them may have kept it, or put it back.
            if statements[usize::from(row.table)].is_there.exists([row.number])? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn set_among(&self, rows: &[Doomed]) {
        let mut among = self.among.lock().unwrap_or_else(PoisonError::into_inner);
        among.clear();
        among.extend(rows.iter().map(|row| (row.table, row.number)));
    }

    /// Which rule deletes a row, if no row refers to it but those that go as well.
    fn going_sql(&self, place: usize) -> String {
        let member = &self.circle.members[place];
        let inner = self.circle.keys.iter().filter(|key| key.parent == place).map(|key| {
            let (child, names) = key.child_of(self.circle);
            let (from, table, number) = (child.sql(), key.child, row_number(&child));
            format!(
                " AND NOT EXISTS (SELECT 1 FROM {from} WHERE {names} AND NOT frist_among({table}, {number}))"
            )
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

impl Single<'_> {
    /// Whether its rule still deletes a row, and nothing keeps it.
    fn goes(&mut self, row: &Doomed) -> rusqlite::Result<bool> {
        let going: Option<i64> = self.going.query_row([row.number], |row| row.get(0)).optional()?;
        Ok(going == Some(i64::from(row.rule) + 1))
    }
}
