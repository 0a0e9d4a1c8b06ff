//! Deleting from an SQLite database, and anonymising in it: short transactions, each bounded by
//! keys, each of which asks the rule again.

mod act;
mod batch;
mod batch_budget;
mod bulk;
mod careful;
mod checkpoints;
mod doubt;
mod evidence;
mod keys;
mod long_transaction;
mod named;
mod newest;
mod other_connections;
mod parts;
mod refusals;
mod release;
mod sample;
mod search;
mod set_off;
mod single;
mod stand;
mod survivors;
mod taken;
mod together;
mod touched;
mod way;
mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

pub(crate) use doubt::decide;
pub(crate) use stand::Stand;
pub(crate) use writer::recover;

use crate::anonymise::Key;
use crate::diagnostic::Code;
use crate::evaluate::Evaluator;
use crate::policy::Rule;
use crate::run::batch_sizer::{BatchSizer, GAP, gap_after};
use crate::run::job::{Amount, Deletion, Journal, Noting, RuleJob, WriteError};
use crate::run::stop::Stop;
use crate::source::request::TableQuery;
use crate::source::sqlite::release::Release;
use crate::source::sqlite::schema::Table;
use crate::source::sqlite::survey::{for_purge, key_columns};
use crate::source::sqlite::web::Web;
use crate::source::sqlite::{
    effects, evidence as watching, foreign_key, functions, prefilter, preparable, release as releasing,
    settable,
};
use batch::{Batch, Committed, Unkept};
use batch_budget::BatchBudget;
use careful::Care;
use evidence::Evidence;
use long_transaction::LongTransaction;
use newest::Newest;
use refusals::Refusals;
use search::Search;
use taken::{Taken, remove_files};
use together::{Live, Together};
use touched::Touched;
use way::Way;
use writer::Writer;

/// Carries out a job on a database.
pub(crate) fn carry_out(
    path: &Path,
    job: &RuleJob<'_>,
    journal: &mut dyn Journal,
    done: &mut Deletion,
) -> Result<(), WriteError> {
    let writer = Writer::open(path, job.wait).map_err(WriteError::Problem)?;
    // Before the newest records are looked for.
    let version = survivors::data_version(writer.connection());
    let version = version.map_err(|error| WriteError::Problem(writer.problem(&error)))?;
    let RuleJob { amount, nice, rule, key, .. } = *job;
    let (table, book) =
        for_purge(writer.connection(), job.source, job.request, rule).map_err(WriteError::Problem)?;
    let policy = job.request.rules[rule];
    let web = together::web_of(writer.connection(), job.request, policy).map_err(WriteError::Problem)?;
    let web = web.as_ref();
    let names = key_columns(job.source, &table);
    let refusal = watching::refusal(writer.connection(), job.request, policy).map_err(WriteError::Refused)?;
    refusal.map_or(Ok(()), |problem| Err(WriteError::Refused(problem)))?;
    let evidence = Evidence::watch(writer.connection(), (job.request, policy));
    let evidence = &evidence.map_err(WriteError::Refused)?;
    let releases = releasing::of(writer.connection(), &table, policy).map_err(WriteError::Refused)?;
    let releases = &releases;
    let watched = release::watch(writer.connection(), &table, (releases, ""));
    watched.map_err(|error| WriteError::Problem(writer.problem(&error)))?;
    let newest = Newest::of(writer.connection(), &table, web, (job.request.policy, version));
    let newest = newest.map_err(|error| WriteError::Problem(writer.problem(&error)))?;
    let (held, table, book) = (&writer, &table, &book);
    let task = SqliteJob {
        writer: held,
        table,
        names,
        web,
        request: job.request,
        policy,
        releases,
        key,
        book,
        rule,
        amount,
        nice,
        evidence,
        notes: job.notes,
        newest,
    };
    let result = task.carry_out(job.stop, journal, (job.told, job.room), done);
    done.stayed.tell();
    writer.finish();
    result
}

/// One rule's turn, ready to go.
struct SqliteJob<'a> {
    writer: &'a Writer,
    table: &'a Table,
    /// The columns that name a record to a person.
    names: Vec<String>,
    /// What decides about the records, where these do not do so alone.
    web: Option<&'a Web>,
    request: &'a TableQuery<'a>,
    policy: &'a Rule,
    /// What lets go of the records.
    releases: &'a [Release],
    /// What pseudonyms are made with.
    key: Option<&'a Key>,
    book: &'a Arc<Evaluator>,
    rule: usize,
    /// How many records are expected, and how many may go.
    amount: Amount,
    /// The share of time that is left to other writers.
    nice: f64,
    /// Sees what goes of the rows that others' clocks depend on.
    evidence: &'a Evidence,
    notes: &'a dyn Noting,
    newest: Newest,
}

/// The pages that a purge with indexes keeps in memory, in KiB; fewer where what goes together is there as well.
const CACHE: u32 = 40_000;
const CACHE_BESIDE_OTHERS: u32 = 32_000;

/// Why a record stays that is not what it was judged to be when its turn comes.
fn changes(table: &str) -> String {
    format!("a trigger keeps, takes or changes rows of `{table}` that were to go")
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
    budget: BatchBudget,
    /// Nothing refers to the row: deleting it orphans nobody and cascades nowhere.
    unreferenced: String,
    references: Vec<foreign_key::Reference>,
    /// Whether what is done to one record may change another.
    reaches_others: bool,
    /// Sees what a trigger does to the row that goes.
    touched: Option<Touched>,
    /// Whether the table has indexes, whose pages lie elsewhere than the rows.
    is_indexed: bool,
    schema_version: i64,
}

impl SqliteJob<'_> {
    fn connection(&self) -> &Connection {
        &self.writer.connection
    }

    fn conditions(&self) -> rusqlite::Result<Conditions> {
        let call = functions::register_due(self.connection(), self.table, self.book, self.rule)?;
        let overdue = functions::register_overdue(self.connection(), self.table, self.book, self.rule)?;
        let references = self.references()?;
        let unreferenced = foreign_key::unreferenced(self.table, &references);
        if !unreferenced.is_empty() {
            self.evidence.leave_to_triggers();
        }
        let (budget, take) =
            BatchBudget::register(self.connection(), self.table, self.book, (self.rule, self.evidence))?;
        let kept = self.kept(self.connection())?;
        let [is_free, is_not_spared] = ["= 0", ">= 0"].map(|free| match &kept {
            Some(kept) => format!(" AND {kept} {free}"),
            None => String::new(),
        });
        let by_keys = format!("{}{is_free}", prefilter::beside_keys(self.table, self.book, self.rule));
        let by_event = prefilter::sql(self.table, self.book, self.rule);
        let asked = (self.rule, references.as_slice());
        let reaches_others = effects::reach_other_records(self.connection(), self.table, self.book, asked)?
            || self.releases.iter().any(|release| release.table.has_update_trigger);
        Ok(Conditions {
            act: act::register(self)?,
            by_keys: format!("{by_keys} AND {call}"),
            take: format!("{by_keys} AND {take}"),
            budget,
            by_event: format!("{by_event}{is_free} AND {call}"),
            overdue: format!("{by_event}{is_not_spared} AND {overdue}"),
            unreferenced,
            references,
            reaches_others,
            touched: self.touched()?,
            is_indexed: self.is_indexed()?,
            schema_version: self.writer.schema_version()?,
        })
    }

    fn is_indexed(&self) -> rusqlite::Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM pragma_index_list(?1, 'main'))";
        self.connection().query_row(sql, [&self.table.name], |row| row.get(0))
    }

    /// What says whether a record is kept in this run, whatever goes meanwhile; none where nothing is.
    fn kept(&self, connection: &Connection) -> rusqlite::Result<Option<String>> {
        let kept = self.request.kept.get(&self.table.name.to_ascii_lowercase());
        // What is not deleted is anonymised.
        let kept = kept.filter(|_| self.book.deletes(self.rule));
        kept.map(|kept| kept.register(connection, self.table)).transpose()
    }

    fn touched(&self) -> rusqlite::Result<Option<Touched>> {
        if !self.book.deletes(self.rule) || !self.table.has_delete_trigger || self.web.is_some() {
            return Ok(None);
        }
        Touched::watch(self.connection(), &[(self.table, self.book.columns())]).map(Some)
    }

    fn carry_out(
        &self,
        stop: &Stop,
        journal: &mut dyn Journal,
        (told, room): (&dyn Fn(u64), &BTreeMap<String, u64>),
        done: &mut Deletion,
    ) -> Result<(), WriteError> {
        let mut refusals = Refusals::default();
        let result = self.go_through(stop, journal, (told, room), &mut refusals, done);
        // What another record's trigger has made another rule's business meanwhile is no refusal.
        let may_stay = self.amount.blocked > 0 || self.web.is_some();
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
    ) -> Result<(), WriteError> {
        let conditions = self.conditions().map_err(|error| self.halt(&error))?;
        let version = survivors::data_version(self.connection()).map_err(|error| self.halt(&error))?;
        self.require_indexes(&conditions)?;
        self.refuse_what_cannot_be_done()?;
        let live =
            self.web.map(|web| Live::new(self.connection(), web, (self.request, self.policy))).transpose();
        let live = live.map_err(|error| self.halt(&error))?;
        match &live {
            Some(live) => {
                live.watch_releases(self.connection()).map_err(|error| self.halt(&error))?;
                let way = Way::Together(Together::new(room), live);
                self.delete_all(&conditions, (stop, journal, told), (way, refusals), done)?;
            }
            None => {
                if let Some(search) = Search::start(self, &conditions).map_err(WriteError::Problem)? {
                    let way = Way::Alone(search);
                    self.delete_all(&conditions, (stop, journal, told), (way, refusals), done)?;
                }
            }
        }
        if done.stopped.is_none() {
            let survivors =
                search::survivors(self, live.as_ref(), &conditions).map_err(WriteError::Problem)?;
            done.survivors = Some(survivors.free + survivors.referred);
            if done.survivors > Some(0) {
                let reasons = survivors::reasons(self, (&survivors, refusals.count() > 0), version);
                done.survived_for = reasons.map_err(|error| self.halt(&error))?;
            }
        }
        Ok(())
    }

    /// Every deletion looks for the rows that refer to the record.
    fn require_indexes(&self, conditions: &Conditions) -> Result<(), WriteError> {
        let obstacle = foreign_key::obstacle(self.connection(), &conditions.references);
        match obstacle.map_err(|error| self.halt(&error))? {
            Some(problem) => Err(WriteError::Refused(problem)),
            None => Ok(()),
        }
    }

    fn refuse_what_cannot_be_done(&self) -> Result<(), WriteError> {
        let connection = self.connection();
        let refusal =
            settable::refusal(connection, self.table, self.policy).and_then(|refusal| match refusal {
                None => preparable::refusal(connection, self.table, self.policy),
                found => Ok(found),
            });
        refusal
            .map_err(|error| self.halt(&error))?
            .map_or(Ok(()), |problem| Err(WriteError::Refused(problem)))
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
        (mut way, refusals): (Way<'_>, &mut Refusals),
        done: &mut Deletion,
    ) -> Result<(), WriteError> {
        let is_alone_decided = matches!(way, Way::Alone(_));
        let Manner { mut pace, mut care, mut goes_on } = self.manner(conditions, is_alone_decided)?;
        let mut gap = Gap::none();
        let mut waiting: Option<Waiting> = None;
        loop {
            done.stopped = stop.reason();
            let most = self.amount.most.saturating_sub(done.deleted);
            if done.stopped.is_some() || most == 0 {
                done.is_capped = self.amount.most > self.amount.expected;
                return Ok(());
            }
            way.begin();
            let Some(work) = way.next(self, conditions, &pace, most)? else { return Ok(()) };
            gap.wait();
            let (number, is_exclusive) = (done.batches + 1, waiting.is_some());
            let batch = Batch { task: self, conditions, number, work, most, care, is_exclusive };
            let begun = pace;
            let learns = (&mut way, &mut pace, &mut *refusals, &mut *done);
            let mut further = LongTransaction::new((self, conditions, stop), learns, (most, goes_on));
            let tried = batch.commit(begun, &mut further, journal);
            if matches!(tried, Ok(None)) {
                (goes_on, pace) = (false, begun);
                self.settle(stop)?;
            }
            let Some(mut committed) = self.or_again(tried, &mut way, &mut waiting)? else {
                gap = self.gap_after(waiting.as_ref().map_or(GAP, Waiting::pause), false);
                continue;
            };
            if let Some(unkept) = committed.unkept.take() {
                care = if is_alone_decided { Care::EachRow } else { care };
                self.not_kept((unkept, committed), (&mut way, refusals), &mut pace);
                continue;
            }
            gap = self.gap_after(committed.held, !self.writer.has_neighbours());
            tracing::debug!("held {:?}, then {:?}", committed.held, gap.length);
            let taken = self.learn(committed, (&mut way, &mut pace), refusals, done)?;
            self.account(taken, (stop, journal, told), done)?;
        }
    }

    /// How a way is begun.
    fn manner(&self, conditions: &Conditions, is_alone_decided: bool) -> Result<Manner, WriteError> {
        let is_plain = is_alone_decided && self.is_plain(conditions);
        let pace = if is_plain { BatchSizer::new() } else { BatchSizer::cautious() };
        let care = if is_alone_decided && conditions.reaches_others { Care::EachRow } else { Care::Fused };
        let goes_on = self.nice == 0.0 && (conditions.is_indexed || self.web.is_some());
        let cache = match (goes_on, is_alone_decided) {
            (true, true) => Some(CACHE).filter(|_| is_plain),
            (true, false) => Some(CACHE_BESIDE_OTHERS),
            (false, _) => None,
        };
        let widened = cache.map_or(Ok(()), |cache| self.writer.widen_cache(cache));
        widened.map_err(|error| self.halt(&error))?;
        Ok(Manner { pace, care, goes_on })
    }

    /// Learns from a batch that was committed; what it took.
    fn learn(
        &self,
        committed: Committed,
        (way, pace): (&mut Way<'_>, &mut BatchSizer),
        refusals: &mut Refusals,
        done: &mut Deletion,
    ) -> Result<Taken, WriteError> {
        let Committed { leg, mut taken, .. } = committed;
        refusals.add(std::mem::take(&mut taken.refusals));
        if let Some(leg) = leg {
            let allowed = pace.rows();
            pace.learn(leg.held);
            way.ended(self, (leg, allowed, pace), refusals, done)?;
        }
        Ok(taken)
    }

    /// Adds what a batch took to what is done, makes it durable, and removes the files that its rows named.
    fn account(
        &self,
        taken: Taken,
        (stop, journal, told): (&Stop, &mut dyn Journal, &dyn Fn(u64)),
        done: &mut Deletion,
    ) -> Result<(), WriteError> {
        let has_taken = taken.records > 0;
        let files = taken.account(told, done);
        if has_taken {
            self.settle(stop)?;
            self.notes.rest().map_err(WriteError::Problem)?;
        }
        remove_files(&files, (self.writer.path(), self.connection()), journal, done)
    }

    fn settle(&self, stop: &Stop) -> Result<(), WriteError> {
        self.writer.settle(!self.writer.has_neighbours(), stop).map_err(WriteError::Problem)
    }

    /// What a batch did; none where it did not happen, and the same comes again.
    fn or_again(
        &self,
        tried: Result<Option<Committed>, WriteError>,
        way: &mut Way<'_>,
        waiting: &mut Option<Waiting>,
    ) -> Result<Option<Committed>, WriteError> {
        match tried {
            Err(WriteError::Busy(problem)) => {
                let waiting = waiting.get_or_insert_with(Waiting::begin);
                if waiting.since.elapsed() > self.writer.wait() {
                    return Err(WriteError::Problem(problem));
                }
                waiting.tries += 1;
                way.again();
                Ok(None)
            }
            Ok(None) => {
                way.again();
                Ok(None)
            }
            other => {
                *waiting = None;
                other
            }
        }
    }

    /// The database would not commit a batch: half of its rows may go, or records stay.
    fn not_kept(
        &self,
        (unkept, committed): (Unkept, Committed),
        (way, refusals): (&mut Way<'_>, &mut Refusals),
        pace: &mut BatchSizer,
    ) {
        if unkept.keys.is_empty() {
            if matches!(way, Way::Together(..)) {
                // These are known to stay, and do not come again.
                refusals.add(committed.taken.refusals);
            }
            pace.shrink_to(unkept.records / 2);
            way.again();
            return;
        }
        refusals.add(committed.taken.refusals);
        refusals.add(unkept.keys.iter().map(|key| self.refusal(key, COMMIT_REFUSED)).collect());
        way.skip(&unkept.keys, committed.leg.map(|leg| leg.ended).unwrap_or_default());
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

    fn halt_or_busy(&self, error: &rusqlite::Error) -> WriteError {
        let problem = self.writer.problem(error);
        if problem.code == Code::Busy { WriteError::Busy(problem) } else { WriteError::Problem(problem) }
    }

    fn halt(&self, error: &rusqlite::Error) -> WriteError {
        WriteError::Problem(self.writer.problem(error))
    }
}

/// How the records of a task go.
struct Manner {
    pace: BatchSizer,
    care: Care,
    /// Whether a transaction may go on where nobody waits: until the database refuses something in one.
    goes_on: bool,
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
