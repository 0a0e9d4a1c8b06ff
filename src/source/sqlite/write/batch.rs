//! One transaction, of one leg or more: each is bounded by keys, and asks the rule again. It is announced before it is
//! committed.

use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params_from_iter};

use super::careful::{Care, Failure, Limits, RowByRow, Went};
use super::keys::{Bound, Keys};
use super::parts::{Ended, Given, Parts};
use super::sample::Noted;
use super::search::LISTED;
use super::taken::Taken;
use super::together::Live;
use super::{Conditions, SqliteJob};
use crate::diagnostic::Code;
use crate::run::batch_sizer::{BatchSizer, LockTime};
use crate::run::job::{Journal, Mark, WriteError};
use crate::source::Problem;

/// How long a commit waits for readers to end.
const COMMIT_PATIENCE: Duration = Duration::from_millis(50);

/// The most files that rows of one transaction name: they are remembered until these are gone.
const MOST_FILES: usize = 10_000;

/// What a batch is about.
pub(super) enum Work<'a> {
    /// Records that nothing decides about but they themselves.
    Keys(Keys),
    /// Records that are decided about together with others.
    Records(Given, &'a Live<'a>),
}

pub(super) struct Batch<'a> {
    pub(super) task: &'a SqliteJob<'a>,
    pub(super) conditions: &'a Conditions,
    pub(super) number: u64,
    pub(super) work: Work<'a>,
    /// The most rows it may touch, whatever its pace.
    pub(super) most: u64,
    pub(super) care: Care,
    /// Whether readers kept the last try from its commit: this one begins only where there are none.
    pub(super) is_exclusive: bool,
}

/// How one leg of a transaction ended.
pub(super) struct Leg {
    pub(super) held: LockTime,
    /// The first due row for which time or rows were used up.
    pub(super) refused: Option<Bound>,
    /// What became of records that are decided about together with others.
    pub(super) ended: Ended,
}

/// What comes behind a leg.
pub(super) enum Next<'a> {
    /// Another one, in the same transaction.
    Leg(Work<'a>, BatchSizer, u64),
    /// The commit; with the leg, where nobody has learnt from it.
    Commit(Option<Leg>),
}

/// Asked behind each leg in which nothing was refused, with how many records went so far.
pub(super) trait Continuation<'a> {
    fn behind(&mut self, leg: Leg, records: u64) -> Result<Next<'a>, WriteError>;
}

/// How a batch ended.
pub(super) struct Committed {
    /// The last leg, unless somebody has learnt from it.
    pub(super) leg: Option<Leg>,
    /// How long the lock was held.
    pub(super) held: Duration,
    /// What went, and what went along.
    pub(super) taken: Taken,
    /// Set where the commit was refused, so that nothing happened.
    pub(super) unkept: Option<Unkept>,
}

/// A batch that the database would not commit.
#[derive(Debug)]
pub(super) struct Unkept {
    pub(super) records: u64,
    /// The records, where these cannot go in smaller parts.
    pub(super) keys: Vec<Bound>,
}

/// What was done inside of the transaction.
struct Acted {
    went: Went,
    /// The last leg, unless somebody has learnt from it.
    leg: Option<Leg>,
}

impl<'a> Batch<'a> {
    /// Deletes or anonymises, and commits. Where the database refuses a row, the same once more, row by row; nothing
    /// happened where it had gone further before, and it is to try again with less.
    pub(super) fn commit(
        mut self,
        pace: BatchSizer,
        further: &mut dyn Continuation<'a>,
        journal: &mut dyn Journal,
    ) -> Result<Option<Committed>, WriteError> {
        let mut legs = 0;
        let tried = match self.try_to_commit(pace, (further, &mut legs), journal) {
            // A long transaction needs more room beside the database than a short one, too.
            Err(Failure::Refused(_) | Failure::Ended(WriteError::Problem(_))) if legs > 1 => return Ok(None),
            Err(Failure::Refused(_)) if self.care != Care::Guarded => {
                self.care = Care::Guarded;
                self.try_to_commit(pace, (further, &mut legs), journal)
            }
            other => other,
        };
        match tried {
            Ok(Committed { unkept: Some(_), .. }) if legs > 1 => Ok(None),
            tried => tried.map(Some).map_err(|failure| self.halt(failure)),
        }
    }

    fn halt(&self, failure: Failure) -> WriteError {
        match failure {
            Failure::Ended(halt) => halt,
            Failure::Refused(why) => {
                let message = format!("{}: {why}", self.task.writer.path().display());
                WriteError::Problem(Problem::new(Code::Constraint, message))
            }
        }
    }

    fn try_to_commit(
        &mut self,
        pace: BatchSizer,
        (further, legs): (&mut dyn Continuation<'a>, &mut u64),
        journal: &mut dyn Journal,
    ) -> Result<Committed, Failure> {
        let evidence = self.task.evidence;
        let ready = evidence.get_ready(self.connection(), self.is_fused());
        ready.map_err(|error| Failure::from(self.task.halt(&error)))?;
        self.conditions.budget.begin();
        // What takes its time is done before the lock is held.
        self.look_after_the_newest()?;
        self.begin()?;
        let locked = Instant::now();
        let in_transaction = self.in_transaction(pace, (further, legs), journal);
        let (acted, noted, worked) = in_transaction.inspect_err(|_| self.roll_back())?;
        let Acted { went, mut leg } = acted;
        let Went { taken, keys, tried, .. } = went;
        let records = taken.records;
        let ended = match &noted {
            None => {
                self.roll_back();
                Ok(())
            }
            Some(noted) => self.end(noted, journal),
        };
        let unkept = match ended {
            Ok(_) => None,
            Err(WriteError::Problem(problem)) if problem.code == Code::Constraint => {
                let is_single = records == 1 || leg.as_ref().is_some_and(|leg| leg.ended.is_single);
                let keys = if is_single { keys } else { Vec::new() };
                Some(Unkept { records: records.max(tried), keys })
            }
            Err(halt) => return Err(halt.into()),
        };
        // A commit of many legs says nothing about one of few rows.
        if let Some(leg) = leg.as_mut().filter(|_| *legs == 1) {
            leg.held.commit = worked.elapsed();
        }
        Ok(Committed { leg, held: locked.elapsed(), taken, unkept })
    }

    /// Begins the transaction, in the schema that the conditions were made for.
    fn begin(&self) -> Result<(), WriteError> {
        if self.is_exclusive {
            // Before anything is announced, readers have to be gone.
            self.task.writer.be_patient_for(COMMIT_PATIENCE);
            let begun = self.connection().execute_batch("BEGIN EXCLUSIVE");
            self.task.writer.be_patient();
            begun.map_err(|error| self.task.halt_or_busy(&error))?;
        } else {
            self.execute("BEGIN IMMEDIATE")?;
        }
        let version = self.task.writer.schema_version().map_err(|error| self.task.halt(&error));
        let version = version.inspect_err(|_| self.roll_back())?;
        if version != self.conditions.schema_version {
            self.roll_back();
            let table = &self.task.table.name;
            let message = format!("table `{table}`: the schema changed during the run; run again");
            return Err(WriteError::Problem(Problem::new(Code::SchemaChanged, message)));
        }
        self.look_after_the_newest().inspect_err(|_| self.roll_back())
    }

    fn look_after_the_newest(&self) -> Result<(), WriteError> {
        let looked = self.task.newest.refresh(self.connection());
        looked.map_err(|error| self.task.halt(&error))
    }

    /// Only where rows come in rising order, all behind the first that did not fit are left.
    fn grant(&self, pace: &BatchSizer, locked: Instant) {
        let budget = &self.conditions.budget;
        if self.task.table.has_row_numbers() {
            budget.grant(pace.rows().min(self.most), Some(pace.deadline(locked)));
        } else {
            budget.grant(self.most, None);
        }
    }

    /// Returns what it has done, by what that is known, and when in the transaction it was done.
    fn in_transaction(
        &mut self,
        pace: BatchSizer,
        (further, legs): (&mut dyn Continuation<'a>, &mut u64),
        journal: &mut dyn Journal,
    ) -> Result<(Acted, Option<Noted>, Instant), Failure> {
        let mut acted = self.legs(pace, (further, legs))?;
        let worked = Instant::now();
        let mut noted = None;
        if acted.went.taken.records > 0 {
            let noted = self.note(&mut acted.went).map(|found| noted.insert(found));
            let noted = noted.map_err(|error| self.task.halt(&error))?;
            let taken = &acted.went.taken;
            let mark = Mark::Rows { taken: noted.fitted(), ahead: taken.ahead.clone() };
            self.announce(taken.records, mark, journal)?;
        }
        let taken = &acted.went.taken;
        if !taken.files.is_empty() {
            journal.promise(&taken.files).map_err(WriteError::from)?;
        }
        Ok((acted, noted, worked))
    }

    /// All that is done before the commit.
    fn legs(
        &mut self,
        mut pace: BatchSizer,
        (further, legs): (&mut dyn Continuation<'a>, &mut u64),
    ) -> Result<Acted, Failure> {
        let mut all: Option<Went> = None;
        *legs = 0;
        loop {
            *legs += 1;
            let (went, leg) = self.leg(&pace)?;
            // What is undone for the sake of one row takes earlier legs with it.
            let is_clean = self.care != Care::Guarded && leg.ended.is_clean();
            let all = match &mut all {
                None => all.insert(went),
                Some(all) => {
                    all.absorb(went);
                    all
                }
            };
            tracing::trace!("{:?}, {} rows were looked at", leg.held, leg.ended.reached);
            let then = match is_clean && all.taken.named_files() < MOST_FILES {
                true => further.behind(leg, all.taken.records)?,
                false => Next::Commit(Some(leg)),
            };
            match then {
                Next::Leg(work, next, most) => (self.work, pace, self.most) = (work, next, most),
                Next::Commit(leg) => return Ok(Acted { went: std::mem::take(all), leg }),
            }
        }
    }

    fn leg(&self, pace: &BatchSizer) -> Result<(Went, Leg), Failure> {
        let began = Instant::now();
        self.grant(pace, began);
        let (mut went, ended) = self.act(pace, began)?;
        if self.is_fused() {
            went.rest = self.conditions.budget.refused();
        }
        let rows = went.taken.records.max(went.tried);
        let refused = went.rest.take();
        let (looked, spent) = (ended.looked, refused.is_some());
        let held = LockTime { rows, work: began.elapsed(), looked, commit: Duration::ZERO, spent };
        Ok((went, Leg { held, refused, ended }))
    }

    /// Announces the batch, and notes beside that what others' clocks depend on: both wait for the disk.
    fn announce(&self, records: u64, mark: Mark, journal: &mut dyn Journal) -> Result<(), WriteError> {
        let (notes, gone) = (self.task.notes, &self.task.evidence.all_gone());
        if gone.is_empty() {
            return Ok(journal.announce(self.number, records, mark)?);
        }
        let stopped = || Err(Problem::new(Code::Internal, "a thread stopped unexpectedly"));
        let (announced, noted) = thread::scope(|scope| {
            let noting = scope.spawn(|| notes.note(gone));
            let announced = journal.announce(self.number, records, mark);
            (announced, noting.join().unwrap_or_else(|_| stopped()))
        });
        announced?;
        if noted.is_err() {
            journal.undo(self.number)?;
        }
        noted.map_err(WriteError::Problem)
    }

    /// What tells the next run whether this batch was committed.
    fn note(&self, went: &mut Went) -> rusqlite::Result<Noted> {
        let SqliteJob { table, policy, writer, .. } = *self.task;
        let rows = if self.is_fused() { self.conditions.budget.sample() } else { went.sampler.take() };
        let columns = policy.then.settings().iter().map(|setting| setting.column.clone()).collect();
        let is_trusted = matches!(self.work, Work::Keys(_)) && self.task.is_plain(self.conditions);
        Noted::note(self.connection(), table, rows, columns, (writer.stand(), is_trusted))
    }

    /// Whether one statement finds, asks and acts.
    fn is_fused(&self) -> bool {
        self.care == Care::Fused && matches!(self.work, Work::Keys(_))
    }

    fn act(&self, pace: &BatchSizer, locked: Instant) -> Result<(Went, Ended), Failure> {
        let (task, conditions, care) = (self.task, self.conditions, self.care);
        let limits =
            Limits { rows: pace.rows().min(LISTED), most: self.most, deadline: pace.deadline(locked) };
        let begin = || self.begin();
        match &self.work {
            Work::Records(given, live) => {
                let limits = Limits { rows: pace.rows(), ..limits };
                Parts { task, live, care, begin: &begin }.act(given, limits)
            }
            Work::Keys(keys) if care == Care::Fused => {
                let taken = Taken { records: self.act_alone(keys)?, ..Taken::default() };
                Ok((Went { taken, ..Went::default() }, Ended::default()))
            }
            Work::Keys(keys) => {
                let is_guarded = care == Care::Guarded;
                let went = RowByRow { task, conditions, is_guarded, begin: &begin }.act(keys, limits)?;
                Ok((went, Ended::default()))
            }
        }
    }

    fn act_alone(&self, keys: &Keys) -> Result<u64, Failure> {
        let of = |error: rusqlite::Error| Failure::of(self.task.writer.path(), &error);
        if self.conditions.is_indexed && self.task.is_plain(self.conditions) {
            return self.act_one_by_one(keys).map_err(of);
        }
        let (bounds, parameters) = keys.condition(self.task.table);
        let Conditions { act, take, unreferenced, .. } = self.conditions;
        let sql = format!("{act} WHERE {bounds} AND {take}{unreferenced}");
        let statement = self.connection().prepare(&sql);
        let mut statement = statement.map_err(|error| self.task.halt(&error))?;
        Ok(statement.execute(params_from_iter(parameters)).map_err(of)? as u64)
    }

    /// Asks for all rows first. A statement that asks a function while it acts could fail in the middle, and so the
    /// engine copies each page before it changes it: in an index in random order that is a page a row.
    fn act_one_by_one(&self, keys: &Keys) -> rusqlite::Result<u64> {
        let (bounds, parameters) = keys.condition(self.task.table);
        let (table, Conditions { act, take, .. }) = (self.task.table, self.conditions);
        let number = table.order().iter().map(|column| table.column_sql(column)).collect::<String>();
        // Rows have to come in the order of their numbers, and an index may look shorter than the table.
        let sql = format!("SELECT {number} FROM {} NOT INDEXED WHERE {bounds} AND {take}", table.sql());
        let mut found = self.connection().prepare(&sql)?;
        let numbers: Vec<i64> = found
            .query_map(params_from_iter(parameters), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut single = self.connection().prepare(&format!("{act} WHERE {number} = ?1"))?;
        numbers.iter().try_fold(0, |records, number| Ok(records + single.execute([number])? as u64))
    }

    fn end(&self, noted: &Noted, journal: &mut dyn Journal) -> Result<(), WriteError> {
        // A commit that waits keeps new readers out: it waits for a moment only, and comes again.
        self.task.writer.be_patient_for(COMMIT_PATIENCE);
        let committed = self.connection().execute_batch("COMMIT");
        self.task.writer.be_patient();
        match committed {
            Ok(()) => {
                journal.committed();
                Ok(())
            }
            Err(error) => self.not_committed(&error, noted, journal),
        }
    }

    /// A commit that failed while its transaction stays open has not happened; of others the data says.
    fn not_committed(
        &self,
        error: &rusqlite::Error,
        noted: &Noted,
        journal: &mut dyn Journal,
    ) -> Result<(), WriteError> {
        let is_open = !self.connection().is_autocommit();
        self.roll_back();
        let found = if is_open { Ok(None) } else { noted.find(self.connection(), self.task.table) };
        match found {
            Ok(Some(found)) if found.are_all_gone() => Ok(()),
            Ok(Some(found)) if !found.are_all_there() => {
                Err(WriteError::Doubt(self.task.writer.problem(error)))
            }
            Ok(_) => {
                journal.undo(self.number)?;
                Err(self.task.halt_or_busy(error))
            }
            Err(_) => Err(WriteError::Doubt(self.task.writer.problem(error))),
        }
    }

    fn execute(&self, sql: &str) -> Result<(), WriteError> {
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
