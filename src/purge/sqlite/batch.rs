//! One transaction: bounded by keys, asking the rule again, announced before it is committed.

use std::time::{Duration, Instant};

use rusqlite::{Connection, params_from_iter};

use super::along::{Taken, Together};
use super::groups::{self, Unit};
use super::keys::{Bound, Keys};
use super::sample::{self, Noted};
use super::units::{self, Ended};
use super::{Conditions, Task};
use crate::dataset::Problem;
use crate::purge::job::{Halt, Journal, Mark};
use crate::purge::pace::{Held, Pace};

/// How long a commit waits for readers to end.
const COMMIT_PATIENCE: Duration = Duration::from_millis(50);

pub(super) struct Batch<'a> {
    pub(super) task: &'a Task<'a>,
    pub(super) conditions: &'a Conditions,
    pub(super) number: u64,
    pub(super) keys: Keys,
    /// The most rows it may touch, whatever its pace.
    pub(super) most: u64,
}

/// How a batch ended.
pub(super) struct Committed {
    pub(super) held: Held,
    /// The first due row for which time or rows were used up.
    pub(super) refused: Option<Bound>,
    /// What went, and what went along.
    pub(super) taken: Taken,
    /// The units that went.
    pub(super) units: Vec<Unit>,
}

impl Batch<'_> {
    /// Deletes or anonymises, and commits.
    pub(super) fn commit(mut self, pace: &Pace, journal: &mut dyn Journal) -> Result<Committed, Halt> {
        self.execute("BEGIN IMMEDIATE")?;
        let locked = Instant::now();
        self.grant(pace, locked);
        let (taken, noted, work) = self.in_transaction(locked, journal).inspect_err(|_| self.roll_back())?;
        let records = match noted {
            None => self.nothing_to_do(),
            Some(noted) => self.end(taken.records, &noted, journal)?,
        };
        let refused = self.conditions.quota.refused();
        let rows = records + taken.ahead.values().sum::<u64>();
        let held = Held { rows, work, commit: locked.elapsed() - work, spent: refused.is_some() };
        let units = if let Keys::Units(units) = self.keys { units } else { Vec::new() };
        Ok(Committed { held, refused, taken, units })
    }

    /// Only where rows come in rising order, all behind the first that did not fit are left.
    fn grant(&self, pace: &Pace, locked: Instant) {
        let quota = &self.conditions.quota;
        if self.task.table.has_row_numbers() {
            quota.grant(pace.rows().min(self.most), Some(pace.deadline(locked)));
        } else {
            quota.grant(self.most, None);
        }
    }

    /// Returns what it has done, by what that is known, and when in the transaction it was done.
    fn in_transaction(
        &mut self,
        locked: Instant,
        journal: &mut dyn Journal,
    ) -> Result<(Taken, Option<Noted>, Duration), Halt> {
        let version = self.task.writer.schema_version().map_err(|error| self.task.halt(&error))?;
        if version != self.conditions.schema_version {
            let table = &self.task.table.name;
            let message = format!("table `{table}`: the schema changed during the run; run again");
            return Err(Halt::Problem(Problem::new("schema-changed", message)));
        }
        let taken = self.act()?;
        let work = locked.elapsed();
        let mut noted = None;
        if taken.records > 0 {
            let noted = noted.insert(self.note().map_err(|error| self.task.halt(&error))?);
            let mark = Mark::Rows { taken: noted.fitted(), ahead: taken.ahead.clone() };
            journal.announce(self.number, taken.records, mark)?;
        }
        if !taken.files.is_empty() {
            journal.promise(&taken.files)?;
        }
        Ok((taken, noted, work))
    }

    /// What tells the next run whether this batch was committed.
    fn note(&self) -> rusqlite::Result<Noted> {
        let Task { table, policy, writer, .. } = *self.task;
        let rows = match &self.keys {
            Keys::Units(units) => sample::of_numbers(&units.iter().flat_map(Unit::own).collect::<Vec<i64>>()),
            Keys::Range(..) | Keys::Rowids(_) => self.conditions.quota.sample(),
        };
        let columns = policy.then.settings().iter().map(|setting| setting.column.clone()).collect();
        let is_trusted = self.task.is_plain(self.conditions);
        Noted::note(self.connection(), table, rows, columns, (writer.stand(), is_trusted))
    }

    fn act(&mut self) -> Result<Taken, Halt> {
        let Task { table, rule, writer, .. } = *self.task;
        if let Some(along) = table.blockers.along(rule) {
            let (bounds, parameters) = self.keys.condition(table);
            let condition = format!("{bounds} AND {}", self.conditions.take);
            let together = Together { connection: self.connection(), database: writer.path(), table, along };
            return together.delete(&condition, &parameters).map_err(Halt::Problem);
        }
        if let (Keys::Units(units), Some(circle)) = (&mut self.keys, self.task.circle) {
            let deletion = units::Deletion::new(self.task.connection(), circle);
            let ended = deletion.and_then(|deletion| deletion.delete(units));
            let Ended { gone, refusal } = ended.map_err(|error| self.task.halt(&error))?;
            *units = gone;
            return Ok(Taken {
                records: units.iter().map(|unit| unit.own().count() as u64).sum(),
                ahead: groups::others(units, circle),
                refusal: refusal.map(|error| self.task.writer.problem(&error)),
                ..Taken::default()
            });
        }
        let records = self.act_alone().map_err(|error| self.task.halt(&error))?;
        Ok(Taken { records, ..Taken::default() })
    }

    fn act_alone(&self) -> rusqlite::Result<u64> {
        let (bounds, parameters) = self.keys.condition(self.task.table);
        let Conditions { act, take, unreferenced, .. } = self.conditions;
        let sql = format!("{act} WHERE {bounds} AND {take}{unreferenced}");
        Ok(self.connection().prepare(&sql)?.execute(params_from_iter(parameters))? as u64)
    }

    fn nothing_to_do(&self) -> u64 {
        self.roll_back();
        0
    }

    fn end(&self, rows: u64, noted: &Noted, journal: &mut dyn Journal) -> Result<u64, Halt> {
        // A commit that waits keeps new readers out: it waits for a moment only, and comes again.
        self.task.writer.be_patient_for(COMMIT_PATIENCE);
        let committed = self.connection().execute_batch("COMMIT");
        self.task.writer.be_patient();
        match committed {
            Ok(()) => journal.committed(),
            Err(error) => self.not_committed(&error, noted, journal)?,
        }
        Ok(rows)
    }

    /// A commit that failed while its transaction stays open has not happened; of others the data says.
    fn not_committed(
        &self,
        error: &rusqlite::Error,
        noted: &Noted,
        journal: &mut dyn Journal,
    ) -> Result<(), Halt> {
        let is_open = !self.connection().is_autocommit();
        self.roll_back();
        let found = if is_open { Ok(None) } else { noted.find(self.connection(), self.task.table) };
        match found {
            Ok(Some(found)) if found.are_all_gone() => Ok(()),
            Ok(Some(found)) if !found.are_all_there() => Err(Halt::Doubt(self.task.writer.problem(error))),
            Ok(_) => {
                journal.undo(self.number)?;
                Err(self.task.halt_or_busy(error))
            }
            Err(_) => Err(Halt::Doubt(self.task.writer.problem(error))),
        }
    }

    fn execute(&self, sql: &str) -> Result<(), Halt> {
        self.connection().execute_batch(sql).map_err(|error| self.task.halt(&error))
    }

    /// Some errors have rolled the transaction back already.
    fn roll_back(&self) {
        if !self.connection().is_autocommit()
            && let Err(error) = self.connection().execute_batch("ROLLBACK")
        {
            tracing::error!("{}", self.task.writer.problem(&error));
        }
    }

    fn connection(&self) -> &Connection {
        self.task.connection()
    }
}
