//! Deleting from an SQLite database, and anonymising in it: short transactions, each bounded by
//! keys, each of which asks the rule again.

mod act;
mod along;
mod batch;
mod checkpoints;
mod doubt;
mod groups;
mod keys;
mod neighbours;
mod quota;
mod sample;
mod search;
mod stand;
mod survivors;
mod units;
mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

pub(super) use doubt::decide;
pub(super) use stand::Stand;
pub(super) use writer::recover;

use super::job::{Amount, Deletion, Halt, Job, Journal};
use super::named_files;
use super::pace::{GAP, Pace};
use super::stop::Stop;
use crate::anonymise::Key;
use crate::dataset::Problem;
use crate::dataset::sqlite::blocked::circle::Circle;
use crate::dataset::sqlite::schema::Table;
use crate::dataset::sqlite::survey::for_purge;
use crate::dataset::sqlite::{blocked, foreign_key, functions, prefilter, preparable, settable};
use crate::ledger::Removal;
use crate::policy::Rule;
use crate::verdict::RuleBook;
use along::Taken;
use batch::{Batch, Committed};
use groups::Passes;
use quota::Quota;
use search::Search;
use writer::Writer;

/// Carries out a job on a database.
pub(super) fn carry_out(
    path: &Path,
    job: &Job<'_>,
    journal: &mut dyn Journal,
    done: &mut Deletion,
) -> Result<(), Halt> {
    let writer = Writer::open(path, job.wait).map_err(Halt::Problem)?;
    let Job { amount, nice, rule, key, .. } = *job;
    let (table, book) =
        for_purge(writer.connection(), job.source, job.request, rule).map_err(Halt::Problem)?;
    let policy = job.request.rules[rule];
    let circle = circle(&writer, job, &table, &book).map_err(Halt::Problem)?;
    let circle = circle.as_ref();
    let task = Task { writer: &writer, table: &table, circle, policy, key, book: &book, rule, amount, nice };
    let result = task.carry_out(job.stop, journal, (job.told, job.room), done);
    writer.finish();
    result
}

/// The circle of tables in which the rule's stands: rows of others may have to go before its own.
fn circle(
    writer: &Writer,
    job: &Job<'_>,
    table: &Table,
    book: &Arc<RuleBook>,
) -> Result<Option<Circle>, Problem> {
    if !book.deletes(job.rule) || !job.request.rules[job.rule].with.is_empty() {
        return Ok(None);
    }
    blocked::circle_of(writer.connection(), job.request, &job.request.acting, (table, book))
}

/// One rule's turn, ready to go.
struct Task<'a> {
    writer: &'a Writer,
    table: &'a Table,
    /// The tables whose rows refer to each other, this one among them.
    circle: Option<&'a Circle>,
    policy: &'a Rule,
    /// What pseudonyms are made with.
    key: Option<&'a Key>,
    book: &'a Arc<RuleBook>,
    rule: usize,
    /// How many records are expected, and how many may go.
    amount: Amount,
    /// The share of time that is left to other writers.
    nice: f64,
}

/// The conditions of a rule in SQL, for the statements of one task.
struct Conditions {
    /// What is done to the rows of a batch, up to its `WHERE`.
    act: String,
    /// Due, in a statement that is bounded by keys.
    by_keys: String,
    /// Due, in a statement that may use an index on the event.
    by_event: String,
    /// The same, whether others keep the record or not.
    overdue: String,
    /// Due, and there is time and room for it in the batch.
    take: String,
    quota: Quota,
    /// Nothing refers to the row: deleting it orphans nobody and cascades nowhere.
    unreferenced: String,
    references: Vec<foreign_key::Reference>,
    schema_version: i64,
}

impl Task<'_> {
    fn connection(&self) -> &Connection {
        &self.writer.connection
    }

    fn conditions(&self) -> rusqlite::Result<Conditions> {
        let call = functions::register_due(self.connection(), self.table, self.book, self.rule)?;
        let overdue = functions::register_overdue(self.connection(), self.table, self.book, self.rule)?;
        let (quota, take) = Quota::register(self.connection(), self.table, self.book, self.rule)?;
        let by_keys = prefilter::beside_keys(self.table, self.book, self.rule);
        let references = self.references()?;
        Ok(Conditions {
            act: act::register(self)?,
            by_keys: format!("{by_keys} AND {call}"),
            take: format!("{by_keys} AND {take}"),
            quota,
            by_event: format!("{} AND {call}", prefilter::sql(self.table, self.book, self.rule)),
            overdue: format!("{} AND {overdue}", prefilter::sql(self.table, self.book, self.rule)),
            unreferenced: unreferenced(self.table, &references),
            references,
            schema_version: self.writer.schema_version()?,
        })
    }

    /// How often a table is gone through: what was deleted may have kept other rows of it. A unit that could
    /// not go leaves what it held to others; without row numbers a pass takes the leaves.
    fn passes(&self, conditions: &Conditions) -> u32 {
        let names_itself = conditions.references.iter().any(|key| key.keeps && key.is_to_itself());
        match self.circle {
            Some(_) => 3,
            None if names_itself => 10_000,
            None => 1,
        }
    }

    fn carry_out(
        &self,
        stop: &Stop,
        journal: &mut dyn Journal,
        (told, room): (&dyn Fn(u64), &BTreeMap<String, u64>),
        done: &mut Deletion,
    ) -> Result<(), Halt> {
        let conditions = self.conditions().map_err(|error| self.halt(&error))?;
        let version = survivors::data_version(self.connection()).map_err(|error| self.halt(&error))?;
        self.require_indexes(&conditions)?;
        self.refuse_what_cannot_be_done()?;
        let mut passes = Passes::new(self, room).map_err(|error| self.halt(&error))?;
        for _ in 0..self.passes(&conditions) {
            let before = (done.deleted, passes.stuck());
            self.delete_all(&conditions, (stop, journal, told), &mut passes, done)?;
            if done.stopped.is_some() || before == (done.deleted, passes.stuck()) {
                break;
            }
        }
        if done.stopped.is_none() {
            let survivors = search::survivors(self, &conditions).map_err(Halt::Problem)?;
            done.survivors = Some(survivors.free + survivors.referred);
            if done.survivors > Some(0) {
                let reasons = survivors::reasons(self, &survivors, version);
                done.survived_for = reasons.map_err(|error| self.halt(&error))?;
            }
        }
        Ok(())
    }

    /// Every deletion looks for the rows that refer to the record.
    fn require_indexes(&self, conditions: &Conditions) -> Result<(), Halt> {
        let obstacle = foreign_key::obstacle(self.connection(), &conditions.references);
        match obstacle.map_err(|error| self.halt(&error))? {
            Some(problem) => Err(Halt::Refused(problem)),
            None => Ok(()),
        }
    }

    fn refuse_what_cannot_be_done(&self) -> Result<(), Halt> {
        let connection = self.connection();
        let refusal =
            preparable::refusal(connection, self.table, self.policy).and_then(|refusal| match refusal {
                None => settable::refusal(connection, self.table, self.policy),
                found => Ok(found),
            });
        refusal.map_err(|error| self.halt(&error))?.map_or(Ok(()), |problem| Err(Halt::Refused(problem)))
    }

    /// What may name rows that are deleted; a row that is anonymised keeps what names it.
    fn references(&self) -> rusqlite::Result<Vec<foreign_key::Reference>> {
        if self.book.deletes(self.rule) {
            foreign_key::references_to(self.connection(), &self.table.name)
        } else {
            Ok(Vec::new())
        }
    }

    fn delete_all(
        &self,
        conditions: &Conditions,
        (stop, journal, told): (&Stop, &mut dyn Journal, &dyn Fn(u64)),
        passes: &mut Passes,
        done: &mut Deletion,
    ) -> Result<(), Halt> {
        let mut pace = if self.is_plain(conditions) { Pace::new() } else { Pace::cautious() };
        let search = Search::start(self, conditions, passes).map_err(Halt::Problem)?;
        let Some(mut search) = search else { return Ok(()) };
        let mut gap = Gap::none();
        let mut busy_since: Option<Instant> = None;
        loop {
            done.stopped = stop.reason();
            let most = self.amount.most.saturating_sub(done.deleted);
            if done.stopped.is_some() || most == 0 {
                done.is_capped = self.amount.most > self.amount.expected;
                return Ok(());
            }
            let found = search.next(self, conditions, &pace, most, passes);
            let Some(keys) = found.map_err(|error| self.halt(&error))? else {
                done.is_capped |= search.is_capped();
                return Ok(());
            };
            gap.wait();
            let batch = Batch { task: self, conditions, number: done.batches + 1, keys, most };
            let tried = batch.commit(&pace, journal);
            let tried = self.or_again(tried, (&mut search, passes), &mut busy_since, done)?;
            let Some(Committed { held, refused, taken, units }) = tried else {
                gap = self.gap_after(GAP, false);
                continue;
            };
            let is_alone = !self.writer.has_neighbours();
            gap = self.gap_after(held.total(), is_alone);
            pace.learn(held);
            search.ended(refused, held.rows, &pace);
            if let (Search::Groups(groups), Some(circle)) = (&mut search, self.circle) {
                groups.ended(&units, passes, circle);
            }
            let files = account(taken, told, done);
            if held.rows > 0 {
                self.writer.settle(is_alone).map_err(Halt::Problem)?;
            }
            remove_files(&files, journal, done)?;
            tracing::debug!("{held:?}, then {:?}", gap.since.elapsed());
        }
    }

    /// What a batch did; none where it did not happen, and the search goes on another way.
    fn or_again(
        &self,
        tried: Result<Committed, Halt>,
        (search, passes): (&mut Search, &mut Passes),
        busy_since: &mut Option<Instant>,
        done: &mut Deletion,
    ) -> Result<Option<Committed>, Halt> {
        match tried {
            Err(Halt::Busy(problem)) => {
                if busy_since.get_or_insert_with(Instant::now).elapsed() > self.writer.wait() {
                    return Err(Halt::Problem(problem));
                }
                search.again();
                Ok(None)
            }
            Err(Halt::Problem(problem)) if problem.code == "constraint" && search.refused(passes) => {
                done.tell_once(problem);
                Ok(None)
            }
            other => {
                *busy_since = None;
                other.map(Some)
            }
        }
    }

    /// Nobody waits where nobody else has the database open.
    fn gap_after(&self, held: Duration, is_alone: bool) -> Gap {
        let shortest = if is_alone { Duration::ZERO } else { GAP };
        Gap::after(held, self.nice, shortest)
    }

    /// Whether the engine acts row by row while it searches, so that a batch can stop on the
    /// clock: with foreign keys or triggers it collects the rows first.
    fn is_plain(&self, conditions: &Conditions) -> bool {
        let is_watched = self.table.has_trigger_for(self.book.deletes(self.rule))
            || !conditions.references.is_empty()
            || self.table.joins.iter().any(Option::is_some);
        self.table.has_row_numbers() && !is_watched
    }

    fn halt_or_busy(&self, error: &rusqlite::Error) -> Halt {
        let problem = self.writer.problem(error);
        if problem.code == "busy" { Halt::Busy(problem) } else { Halt::Problem(problem) }
    }

    fn halt(&self, error: &rusqlite::Error) -> Halt {
        Halt::Problem(self.writer.problem(error))
    }
}

/// The guard of a deletion against rows that refer to its records; none where the rule book knows them.
fn unreferenced(table: &Table, references: &[foreign_key::Reference]) -> String {
    if table.blockers.is_empty() { foreign_key::unreferenced(table, references) } else { String::new() }
}

/// Adds what a batch took to what is done; the files that go now.
fn account(taken: Taken, told: &dyn Fn(u64), done: &mut Deletion) -> Vec<Removal> {
    taken.refusal.into_iter().for_each(|problem| done.tell_once(problem));
    if taken.records > 0 {
        done.deleted += taken.records;
        done.batches += 1;
        done.taken_along += taken.rows;
        for (rule, records) in taken.ahead {
            *done.ahead.entry(rule).or_default() += records;
        }
        told(done.deleted);
    }
    taken.files
}

/// Removes the files that deleted rows named. What cannot be removed is remembered, and ends the rule.
fn remove_files(files: &[Removal], journal: &mut dyn Journal, done: &mut Deletion) -> Result<(), Halt> {
    if files.is_empty() {
        return Ok(());
    }
    let removed = named_files::remove(files);
    done.taken_along += removed.files;
    journal.leave(removed.left)?;
    removed.problems.into_iter().next().map_or(Ok(()), |problem| Err(Halt::Problem(problem)))
}

/// The time in which the write lock is left to others.
struct Gap {
    since: Instant,
    length: Duration,
}

impl Gap {
    fn none() -> Gap {
        Gap { since: Instant::now(), length: Duration::ZERO }
    }

    /// Begins now: long enough for every waiting writer, and for the share that was asked for.
    fn after(held: Duration, nice: f64, shortest: Duration) -> Gap {
        let share = held.mul_f64(nice / (1.0 - nice));
        Gap { since: Instant::now(), length: share.max(shortest) }
    }

    fn wait(&self) {
        std::thread::sleep(self.length.saturating_sub(self.since.elapsed()));
    }
}
