//! Deleting from an SQLite database, and anonymising in it: short transactions, each bounded by
//! keys, each of which asks the rule again.

mod act;
mod along;
mod batch;
mod careful;
mod checkpoints;
mod doubt;
mod evidence;
mod groups;
mod keys;
mod neighbours;
mod quota;
mod refusals;
mod release;
mod sample;
mod search;
mod stand;
mod survivors;
mod touched;
mod units;
mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::types::Value;

pub(super) use doubt::decide;
pub(super) use stand::Stand;
pub(super) use writer::recover;

use super::job::{Amount, Deletion, Halt, Job, Journal, Noting};
use super::named_files;
use super::pace::{GAP, Pace, gap_after};
use super::stop::Stop;
use crate::anonymise::Key;
use crate::dataset::Problem;
use crate::dataset::sqlite::blocked::circle::Circle;
use crate::dataset::sqlite::release::Release;
use crate::dataset::sqlite::schema::Table;
use crate::dataset::sqlite::survey::{for_purge, key_columns};
use crate::dataset::sqlite::{
    blocked, effects, evidence as watching, foreign_key, functions, prefilter, preparable,
    release as releasing, settable,
};
use crate::ledger::Removal;
use crate::policy::Rule;
use crate::verdict::RuleBook;
use along::Taken;
use batch::{Batch, Committed, Unkept};
use careful::Care;
use evidence::Evidence;
use groups::{Passes, Unit};
use quota::Quota;
use refusals::{Refusal, Refusals};
use search::Search;
use touched::Touched;
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
    let names = key_columns(job.source, &table);
    let refusal = watching::refusal(writer.connection(), job.request, policy).map_err(Halt::Refused)?;
    refusal.map_or(Ok(()), |problem| Err(Halt::Refused(problem)))?;
    let evidence = Evidence::watch(writer.connection(), (job.request, policy));
    let evidence = &evidence.map_err(Halt::Refused)?;
    let releases = releasing::of(writer.connection(), &table, policy).map_err(Halt::Refused)?;
    let releases = &releases;
    let watched = release::watch(writer.connection(), &table, releases);
    watched.map_err(|error| Halt::Problem(writer.problem(&error)))?;
    let (held, table, book) = (&writer, &table, &book);
    let task = Task {
        writer: held,
        table,
        names,
        circle,
        policy,
        releases,
        key,
        book,
        rule,
        amount,
        nice,
        evidence,
        notes: job.notes,
    };
    let result = task.carry_out(job.stop, journal, (job.told, job.room), done);
    done.stayed.tell();
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
    /// The columns that name a record to a person.
    names: Vec<String>,
    /// The tables whose rows refer to each other, this one among them.
    circle: Option<&'a Circle>,
    policy: &'a Rule,
    /// What lets go of the records.
    releases: &'a [Release],
    /// What pseudonyms are made with.
    key: Option<&'a Key>,
    book: &'a Arc<RuleBook>,
    rule: usize,
    /// How many records are expected, and how many may go.
    amount: Amount,
    /// The share of time that is left to other writers.
    nice: f64,
    /// Sees what goes of the rows that others' clocks depend on.
    evidence: &'a Evidence,
    notes: &'a dyn Noting,
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
    /// Whether what is done to one record may change another.
    reaches_others: bool,
    /// Sees what a trigger does to the row that goes.
    touched: Option<Touched>,
    schema_version: i64,
}

impl Task<'_> {
    fn connection(&self) -> &Connection {
        &self.writer.connection
    }

    fn conditions(&self) -> rusqlite::Result<Conditions> {
        let call = functions::register_due(self.connection(), self.table, self.book, self.rule)?;
        let overdue = functions::register_overdue(self.connection(), self.table, self.book, self.rule)?;
        let references = self.references()?;
        let unreferenced = unreferenced(self.table, &references);
        if !unreferenced.is_empty() {
            self.evidence.leave_to_triggers();
        }
        let (quota, take) =
            Quota::register(self.connection(), self.table, self.book, (self.rule, self.evidence))?;
        let by_keys = prefilter::beside_keys(self.table, self.book, self.rule);
        let asked = (self.rule, references.as_slice());
        let reaches_others = effects::reach_other_records(self.connection(), self.table, self.book, asked)?
            || self.releases.iter().any(|release| release.table.has_update_trigger);
        Ok(Conditions {
            act: act::register(self)?,
            by_keys: format!("{by_keys} AND {call}"),
            take: format!("{by_keys} AND {take}"),
            quota,
            by_event: format!("{} AND {call}", prefilter::sql(self.table, self.book, self.rule)),
            overdue: format!("{} AND {overdue}", prefilter::sql(self.table, self.book, self.rule)),
            unreferenced,
            references,
            reaches_others,
            touched: self.touched()?,
            schema_version: self.writer.schema_version()?,
        })
    }

    fn touched(&self) -> rusqlite::Result<Option<Touched>> {
        if !self.book.deletes(self.rule) || !self.table.has_delete_trigger || self.circle.is_some() {
            return Ok(None);
        }
        Touched::watch(self.connection(), self.table, self.book.columns()).map(Some)
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
        let mut refusals = Refusals::default();
        let result = self.go_through(stop, journal, (told, room), &mut refusals, done);
        // What another record's trigger has made another rule's business meanwhile is no refusal.
        let may_stay = self.amount.blocked > 0 || self.circle.is_some();
        if done.survivors != Some(0) || may_stay {
            done.refused = refusals.count();
            done.problems.extend(refusals.problem(self.writer.path(), self.book.deletes(self.rule)));
        }
        result
    }

    fn go_through(
        &self,
        stop: &Stop,
        journal: &mut dyn Journal,
        (told, room): (&dyn Fn(u64), &BTreeMap<String, u64>),
        refusals: &mut Refusals,
        done: &mut Deletion,
    ) -> Result<(), Halt> {
        let conditions = self.conditions().map_err(|error| self.halt(&error))?;
        let version = survivors::data_version(self.connection()).map_err(|error| self.halt(&error))?;
        self.require_indexes(&conditions)?;
        self.refuse_what_cannot_be_done()?;
        let mut passes = Passes::new(self, room).map_err(|error| self.halt(&error))?;
        for _ in 0..self.passes(&conditions) {
            let before = (done.deleted, passes.stuck());
            refusals.begin_pass();
            self.delete_all(&conditions, (stop, journal, told), (&mut passes, refusals), done)?;
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
            settable::refusal(connection, self.table, self.policy).and_then(|refusal| match refusal {
                None => preparable::refusal(connection, self.table, self.policy),
                found => Ok(found),
            });
        refusal.map_err(|error| self.halt(&error))?.map_or(Ok(()), |problem| Err(Halt::Refused(problem)))
    }

    /// What may name rows that are deleted; a row that is anonymised keeps what names it.
    fn references(&self) -> rusqlite::Result<Vec<foreign_key::Reference>> {
        if !self.book.deletes(self.rule) {
            return Ok(Vec::new());
        }
        let references = foreign_key::references_to(self.connection(), &self.table.name)?;
        Ok(releasing::beside(self.releases, references))
    }

    fn delete_all(
        &self,
        conditions: &Conditions,
        (stop, journal, told): (&Stop, &mut dyn Journal, &dyn Fn(u64)),
        (passes, refusals): (&mut Passes, &mut Refusals),
        done: &mut Deletion,
    ) -> Result<(), Halt> {
        let mut pace = if self.is_plain(conditions) { Pace::new() } else { Pace::cautious() };
        let mut care = if conditions.reaches_others { Care::EachRow } else { Care::Fused };
        let search = Search::start(self, conditions, passes).map_err(Halt::Problem)?;
        let Some(mut search) = search else { return Ok(()) };
        let mut gap = Gap::none();
        let mut waiting: Option<Waiting> = None;
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
            let (number, is_exclusive) = (done.batches + 1, waiting.is_some());
            let batch = Batch { task: self, conditions, number, keys, most, care, is_exclusive };
            let tried = batch.commit(&pace, journal);
            let tried = self.or_again(tried, (&mut search, passes, refusals), &mut waiting)?;
            let Some(mut committed) = tried else {
                gap = self.gap_after(waiting.as_ref().map_or(GAP, Waiting::pause), false);
                continue;
            };
            refusals.add_rows(std::mem::take(&mut committed.stuck));
            if let Some(unkept) = committed.unkept.take() {
                care = Care::EachRow;
                self.not_kept((unkept, committed), (&mut search, refusals), &mut pace);
                continue;
            }
            let Committed { held, refused, mut taken, units, untried, .. } = committed;
            let is_alone = !self.writer.has_neighbours();
            gap = self.gap_after(held.total(), is_alone);
            pace.learn(held);
            search.ended(refused, held.rows, &pace);
            self.units_ended((&units, untried), &mut search, passes, refusals);
            refusals.add(std::mem::take(&mut taken.refusals));
            let has_taken = taken.records > 0;
            let files = account(taken, told, done);
            if has_taken {
                self.writer.settle(is_alone, stop).map_err(Halt::Problem)?;
                self.notes.rest().map_err(Halt::Problem)?;
            }
            let own = (self.writer.path(), self.connection());
            remove_files(&files, own, journal, done)?;
            tracing::debug!("{held:?}, then {:?}", gap.since.elapsed());
        }
    }

    /// Units went, and for some there was no time.
    fn units_ended(
        &self,
        (units, untried): (&[Unit], usize),
        search: &mut Search,
        passes: &mut Passes,
        refusals: &mut Refusals,
    ) {
        if let (Search::Groups(groups), Some(circle)) = (search, self.circle) {
            groups.untried(untried);
            groups.ended(units, passes, circle);
            units.iter().flat_map(Unit::own).for_each(|row| refusals.forget_row(row));
        }
    }

    /// What a batch did; none where it did not happen, and the search goes on another way.
    fn or_again(
        &self,
        tried: Result<Committed, Halt>,
        (search, passes, refusals): (&mut Search, &mut Passes, &mut Refusals),
        waiting: &mut Option<Waiting>,
    ) -> Result<Option<Committed>, Halt> {
        match tried {
            Err(Halt::Busy(problem)) => {
                let waiting = waiting.get_or_insert_with(Waiting::begin);
                if waiting.since.elapsed() > self.writer.wait() {
                    return Err(Halt::Problem(problem));
                }
                waiting.tries += 1;
                search.again();
                Ok(None)
            }
            Err(Halt::Problem(problem)) if problem.code == "constraint" => match search.refused(passes) {
                Some(units) => {
                    units.iter().for_each(|unit| refusals.add_rows(self.refused_rows(unit, COMMIT_REFUSED)));
                    Ok(None)
                }
                None => Err(Halt::Problem(problem)),
            },
            other => {
                *waiting = None;
                other.map(Some)
            }
        }
    }

    /// The database would not commit a batch: half of its rows may go, or one row stays.
    fn not_kept(
        &self,
        (unkept, committed): (Unkept, Committed),
        (search, refusals): (&mut Search, &mut Refusals),
        pace: &mut Pace,
    ) {
        match unkept.key {
            Some(key) => {
                let mut refused = committed.taken.refusals;
                refused.push(self.refusal(&key, COMMIT_REFUSED));
                refusals.add(refused);
                search.skip(&key);
            }
            None => {
                pace.shrink_to(unkept.records / 2);
                search.again();
            }
        }
    }

    /// The records of a unit that stays.
    fn refused_rows(&self, unit: &Unit, why: &str) -> Vec<(i64, Refusal)> {
        unit.own().map(|row| (row, self.refusal(&vec![Value::Integer(row)], why))).collect()
    }

    /// Nobody waits where nobody else has the database open.
    fn gap_after(&self, held: Duration, is_alone: bool) -> Gap {
        let shortest = if is_alone { Duration::ZERO } else { gap_after(held) };
        Gap::after(held, self.nice, shortest)
    }

    /// Whether the engine acts row by row while it searches, so that a batch can stop on the
    /// clock: with foreign keys or triggers it collects the rows first.
    fn is_plain(&self, conditions: &Conditions) -> bool {
        let is_watched = self.table.has_trigger_for(self.book.deletes(self.rule))
            || !conditions.references.is_empty()
            || !self.releases.is_empty()
            || self.table.joins.iter().any(Option::is_some)
            || self.evidence.needs_triggers();
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

/// Removes the files that deleted rows named. What cannot be removed is remembered, and fails the rule.
fn remove_files(
    files: &[Removal],
    own: (&Path, &Connection),
    journal: &mut dyn Journal,
    done: &mut Deletion,
) -> Result<(), Halt> {
    if files.is_empty() {
        return Ok(());
    }
    let removed = named_files::remove(files, Some(own));
    done.taken_along += removed.files;
    done.stayed.add(removed.stayed);
    journal.leave(removed.left)?;
    // One is told for all of them: the others are remembered.
    let is_told = done.problems.iter().any(|known| removed.problems.iter().any(|new| new.code == known.code));
    done.problems.extend(removed.problems.into_iter().next().filter(|_| !is_told));
    Ok(())
}

/// What a refused commit means: other constraints speak earlier.
const COMMIT_REFUSED: &str = "without it a reference leads nowhere, so that the commit fails";

/// Readers keep a batch from its commit.
struct Waiting {
    since: Instant,
    tries: u32,
}

impl Waiting {
    fn begin() -> Waiting {
        Waiting { since: Instant::now(), tries: 0 }
    }

    /// The longer it takes, the rarer it is asked: each time keeps new readers out for a moment.
    fn pause(&self) -> Duration {
        GAP * 2_u32.pow(self.tries.min(3))
    }
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
