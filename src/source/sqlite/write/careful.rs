//! One row a statement: where what happens to one record may change another, and where the database refuses
//! one of many.

use std::collections::HashSet;
use std::time::Instant;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Statement, params_from_iter};

use super::keys::{Bound, Keys};
use super::refusals::{Refusal, is_refusal};
use super::sample::Sampler;
use super::taken::Taken;
use super::touched::Touched;
use super::{Conditions, SqliteJob};
use crate::run::job::WriteError;
use crate::source::relational::graph::Node;
use crate::source::sqlite::list::key_text;
use crate::source::sqlite::problem;
use crate::source::sqlite::schema::Table;

/// How careful a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Care {
    /// One statement finds, asks and acts.
    Fused,
    /// Each row is asked and goes by a statement of its own.
    EachRow,
    /// And what the database refuses is undone by itself.
    Guarded,
}

/// Why a statement was not carried out.
#[derive(Debug)]
pub(super) enum Failure {
    /// The database refuses a row: others may go.
    Refused(String),
    Ended(WriteError),
}

impl Failure {
    pub(super) fn of(database: &std::path::Path, error: &rusqlite::Error) -> Failure {
        if is_refusal(error) {
            Failure::Refused(error.to_string())
        } else {
            Failure::Ended(WriteError::Problem(problem(database, error)))
        }
    }
}

impl From<WriteError> for Failure {
    fn from(halt: WriteError) -> Failure {
        Failure::Ended(halt)
    }
}

/// How far a batch may go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The rows that it may try.
    pub(super) rows: u64,
    /// The records that may go.
    pub(super) most: u64,
    pub(super) deadline: Instant,
}

/// What a batch did, row by row.
#[derive(Debug, Default)]
pub(super) struct Went {
    pub(super) taken: Taken,
    /// The keys of the records that went.
    pub(super) keys: Vec<Bound>,
    /// The first due row for which time or rows were used up.
    pub(super) rest: Option<Bound>,
    /// The rows that were asked.
    pub(super) tried: u64,
    /// Some of the records that went, with what they held before.
    pub(super) sampler: Sampler,
    /// All rows that went, by their numbers in what was found out about them together.
    pub(super) gone: HashSet<Node>,
    /// Of how many records that went one is remembered: a power of two; none has gone where it is 0.
    pub(super) stride: u64,
}

impl Went {
    pub(super) fn remember(&mut self, key: &Bound, held: &[Value]) {
        let cells = (key.iter().map(ValueRef::from), held.iter().map(ValueRef::from));
        let stride = self.stride.max(1);
        if self.keys.len() as u64 & (stride - 1) == 0 {
            self.stride = self.sampler.add(cells.0, cells.1, stride);
        } else {
            self.sampler.end_with(cells.0, cells.1);
        }
    }
}

impl Went {
    /// Adds what a later leg of the same transaction did. Keys are only asked for where there is one.
    pub(super) fn absorb(&mut self, later: Went) {
        let Went { taken, tried, sampler, .. } = later;
        self.taken.absorb(taken);
        self.tried += tried;
        self.sampler.absorb(sampler);
        (self.keys, self.gone) = (Vec::new(), HashSet::new());
    }
}

/// What became of one row.
enum Became {
    Gone,
    /// It is no longer due, or a trigger passed over it.
    Stays,
    Refused(Refusal),
    /// The refusal took the whole transaction with it.
    AllUndone(Refusal),
}

/// A batch, row by row.
pub(super) struct RowByRow<'a> {
    pub(super) task: &'a SqliteJob<'a>,
    pub(super) conditions: &'a Conditions,
    pub(super) is_guarded: bool,
    /// Begins the transaction again.
    pub(super) begin: &'a dyn Fn() -> Result<(), WriteError>,
}

impl RowByRow<'_> {
    /// Asks each due row within the keys once more, right before it goes.
    pub(super) fn act(&self, keys: &Keys, mut limits: Limits) -> Result<Went, Failure> {
        let mut alone = self.alone()?;
        loop {
            let found = self.find(keys, limits.rows)?;
            match self.act_on(&found, limits, &mut alone)? {
                Ok(went) => return Ok(went),
                // What went before it is undone as well: it goes again, and the next batch begins here.
                Err(place) => limits.rows = place,
            }
        }
    }

    /// The place of a row that undid those before it, where there is one.
    fn act_on(
        &self,
        found: &[Bound],
        limits: Limits,
        alone: &mut Statement<'_>,
    ) -> Result<Result<Went, u64>, Failure> {
        let mut went = Went::default();
        for key in found {
            let is_late = went.tried > 0 && Instant::now() >= limits.deadline;
            if is_late || went.tried >= limits.rows || went.taken.records >= limits.most {
                went.rest = Some(key.clone());
                break;
            }
            if self.conditions.reaches_others {
                let looked = self.task.newest.look_between_rows(self.connection());
                looked.map_err(|error| Failure::Ended(self.task.halt(&error)))?;
            }
            let held = self.held(key)?;
            let became = self.row(key, alone)?;
            self.task.evidence.row_ended(matches!(became, Became::Gone));
            match became {
                Became::Gone => {
                    went.remember(key, &held);
                    went.taken.records += 1;
                    went.keys.push(key.clone());
                }
                Became::Stays => {}
                Became::Refused(refusal) => went.taken.refusals.push(refusal),
                Became::AllUndone(_) if !went.keys.is_empty() => {
                    (self.begin)()?;
                    return Ok(Err(went.tried));
                }
                Became::AllUndone(refusal) => {
                    (self.begin)()?;
                    went.taken.refusals.push(refusal);
                }
            }
            went.tried += 1;
        }
        Ok(Ok(went))
    }

    /// The keys of due rows, and of one more than may be tried.
    fn find(&self, keys: &Keys, rows: u64) -> Result<Vec<Bound>, Failure> {
        let (table, Conditions { by_keys, unreferenced, .. }) = (self.task.table, self.conditions);
        let columns: Vec<String> = table.order().iter().map(|column| table.column_sql(column)).collect();
        let (bounds, parameters) = keys.condition(table);
        let sql = format!(
            "SELECT {columns} FROM {} WHERE {bounds} AND {by_keys}{unreferenced} ORDER BY {columns} LIMIT {}",
            table.sql(),
            rows.saturating_add(1),
            columns = columns.join(", ")
        );
        let bound = |row: &Row<'_>| (0..columns.len()).map(|column| row.get(column)).collect();
        let found = self.connection().prepare(&sql).and_then(|mut statement| {
            statement.query_map(params_from_iter(parameters), bound)?.collect::<rusqlite::Result<_>>()
        });
        found.map_err(|error| Failure::Ended(self.task.halt(&error)))
    }

    fn row(&self, key: &Bound, alone: &mut Statement<'_>) -> Result<Became, Failure> {
        self.savepoint("SAVEPOINT frist_row")?;
        let failure = match self.try_row(key, alone) {
            Ok(has_gone) => {
                self.savepoint("RELEASE frist_row")?;
                return Ok(if has_gone { Became::Gone } else { Became::Stays });
            }
            Err(failure) => failure,
        };
        match failure {
            Failure::Refused(why) if self.is_guarded && self.connection().is_autocommit() => {
                Ok(Became::AllUndone(self.task.refusal(key, &why)))
            }
            Failure::Refused(why) if self.is_guarded => {
                self.savepoint("ROLLBACK TO frist_row")?;
                self.savepoint("RELEASE frist_row")?;
                Ok(Became::Refused(self.task.refusal(key, &why)))
            }
            other => Err(other),
        }
    }

    /// What the row holds in the columns that the rule sets.
    fn held(&self, key: &Bound) -> Result<Vec<Value>, Failure> {
        let SqliteJob { table, policy, .. } = *self.task;
        let settings = policy.then.settings();
        if settings.is_empty() {
            return Ok(Vec::new());
        }
        let columns: Vec<String> = settings.iter().map(|setting| table.column_sql(&setting.column)).collect();
        let sql = format!("SELECT {} FROM {} WHERE {}", columns.join(", "), table.sql(), is_key(table));
        let cells = |row: &Row<'_>| (0..columns.len()).map(|column| row.get(column)).collect();
        let held = self
            .connection()
            .prepare(&sql)
            .and_then(|mut statement| statement.query_row(params_from_iter(key), cells).optional());
        Ok(held.map_err(|error| Failure::Ended(self.task.halt(&error)))?.unwrap_or_default())
    }

    fn savepoint(&self, sql: &str) -> Result<(), Failure> {
        let done = if self.is_guarded { self.connection().execute_batch(sql) } else { Ok(()) };
        done.map_err(|error| Failure::Ended(self.task.halt(&error)))
    }

    /// The statement about a row that goes alone.
    fn alone(&self) -> Result<Statement<'_>, Failure> {
        let Conditions { act, by_keys, unreferenced, .. } = self.conditions;
        let sql = format!("{act} WHERE {} AND {by_keys}{unreferenced}", is_key(self.task.table));
        self.connection().prepare(&sql).map_err(|error| Failure::Ended(self.task.halt(&error)))
    }

    /// Whether the row went.
    fn try_row(&self, key: &Bound, alone: &mut Statement<'_>) -> Result<bool, Failure> {
        let SqliteJob { table, writer, .. } = *self.task;
        if let Some(touched) = &self.conditions.touched {
            touched.begin(&table.name, key);
        }
        let records = alone.execute(params_from_iter(key));
        let has_gone = records.map_err(|error| Failure::of(writer.path(), &error))? > 0;
        if has_gone && self.conditions.touched.as_ref().is_some_and(Touched::is_touched) {
            return Err(Failure::Refused("a trigger changes it right before it goes".to_string()));
        }
        Ok(has_gone)
    }

    fn connection(&self) -> &Connection {
        self.task.connection()
    }
}

impl SqliteJob<'_> {
    /// A record that stays, by the name that people know it by.
    pub(super) fn refusal(&self, key: &Bound, why: &str) -> Refusal {
        let columns: Vec<String> = self.names.iter().map(|column| self.table.column_sql(column)).collect();
        let sql =
            format!("SELECT {} FROM {} WHERE {}", columns.join(", "), self.table.sql(), is_key(self.table));
        let named = self.connection().prepare(&sql).and_then(|mut statement| {
            statement.query_row(params_from_iter(key), |row| key_text(row, columns.len()))
        });
        match named {
            Ok(name) => Refusal::new(&self.names, &name, why),
            Err(_) => Refusal::new(&self.table.order(), &format!("{key:?}"), why),
        }
    }
}

/// The condition that a row has one key.
fn is_key(table: &Table) -> String {
    let columns = table.order();
    let equal =
        columns.iter().zip(1..).map(|(column, number)| format!("{} = ?{number}", table.column_sql(column)));
    equal.collect::<Vec<String>>().join(" AND ")
}
