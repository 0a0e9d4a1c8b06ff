//! Surveying the tables that a policy's rules are about: states, limits' totals, obstacles.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::decide::{self, Decided, Kept};
use super::list::records;
use super::open::{Opener, read};
use super::schema::{Table, describe};
use super::web::Web;
use super::{
    count, evidence, foreign_key, functions, join, leaving, newest, prefilter, preparable, problem, release,
    settable,
};
use crate::diagnostic::Code;
use crate::evaluate::{Evaluator, State};
use crate::policy::{Rule, Source};
use crate::source::request::{Acting, Extent, RuleCounts, TableQuery, TableSurvey, Unread, Unusable};
use crate::source::unread::{FirstUnread, NAMED};
use crate::source::{Counted, Problem};

/// Surveys the tables of one source. What decides about each other is decided first, for all of them; one table's
/// problem does not stop the others.
pub fn survey(
    path: &Path,
    source: &Source,
    requests: &[TableQuery<'_>],
    extent: Extent,
) -> Result<Vec<TableSurvey>, Unusable> {
    read(path, |opener| {
        let connection = opener.connect()?;
        requests.iter().for_each(|request| request.book.forget_newest());
        let Some(first) = requests.first() else { return Ok(Vec::new()) };
        let mut acting = first.acting.clone();
        let obstacles = obstacles(&connection, source, requests)?;
        acting.retain(|rule| !obstacles.contains_key(rule));
        let decided = Decisions::about(&connection, opener.path(), (first, requests), &mut acting)?;
        let survey = Survey { opener, connection: &connection, source, extent, decided, acting, obstacles };
        Ok(requests.iter().map(|request| survey.table(request)).collect())
    })
}

/// What forbids rules that are to be carried out, whatever their records say.
fn obstacles(
    connection: &Connection,
    source: &Source,
    requests: &[TableQuery<'_>],
) -> Result<BTreeMap<String, Problem>, Problem> {
    let mut obstacles = BTreeMap::new();
    for request in requests {
        // What is wrong with the table is told when it is counted.
        let Ok(table) = table_for(connection, source, request) else { continue };
        for (place, rule) in request.rules.iter().enumerate() {
            let obstacle = obstacle(connection, &table, (request, place));
            let obstacle = obstacle.map_err(|error| Problem::new(Code::Sqlite, error.to_string()))?;
            obstacles.extend(obstacle.map(|problem| (rule.name.clone(), problem)));
        }
    }
    Ok(obstacles)
}

/// What becomes of all records that decide about each other. Rules with which something is wrong take nothing.
fn decided(
    connection: &Connection,
    path: &Path,
    requests: (&TableQuery<'_>, &[TableQuery<'_>]),
    acting: &mut Acting,
) -> Result<Decided, Problem> {
    let mut web = Web::build(connection, requests, acting)?;
    let problems = std::mem::take(&mut web.problems);
    if !problems.is_empty() {
        let rule_of =
            |(table, rule): (u16, u16)| &web.model.tables[usize::from(table)].rules[usize::from(rule)].name;
        acting.retain(|rule| problems.iter().all(|(known, _)| rule_of(*known) != rule));
        web = Web::build(connection, requests, acting)?;
        web.problems = problems;
    }
    decide::decide(connection, web).map_err(|error| problem(path, &error))
}

/// What becomes of all records of a source.
struct Decisions {
    of_run: Decided,
    /// What would if rules that are not enforced were.
    if_enforced: Option<Decided>,
}

impl Decisions {
    fn about(
        connection: &Connection,
        path: &Path,
        requests: (&TableQuery<'_>, &[TableQuery<'_>]),
        acting: &mut Acting,
    ) -> Result<Decisions, Problem> {
        let if_enforced = acting.if_enforced();
        let of_run = decided(connection, path, requests, acting)?;
        let if_enforced =
            if_enforced.map(|mut all| decided(connection, path, requests, &mut all)).transpose()?;
        Ok(Decisions { of_run, if_enforced })
    }

    /// What keeps the records of a table.
    fn kept(&self, request: &TableQuery<'_>) -> Result<Option<Kept>, Problem> {
        let (table, anonymises) = (request.table, request.rules.iter().any(|rule| !rule.deletes()));
        let mut each = std::iter::once(&self.of_run).chain(&self.if_enforced);
        if let Some(problem) = each.find_map(|decided| decided.problem(table)) {
            return Err(problem.clone());
        }
        // Only of records of those rules is it asked.
        let adds = |decided: &&Decided| decided.acting(table) > self.of_run.acting(table);
        let if_enforced = self.if_enforced.as_ref().filter(adds).and_then(|decided| decided.kept(table));
        Ok(match self.of_run.kept(table) {
            Some(of_run) => Some(of_run.telling_what_goes(anonymises).or_if_enforced(if_enforced)),
            None => if_enforced,
        })
    }

    /// What becomes of the records of a rule.
    fn for_rule(&self, rule: &Rule) -> &Decided {
        self.if_enforced.as_ref().filter(|_| !rule.enforce).unwrap_or(&self.of_run)
    }
}

/// How many rows a table has, counted up to a bound.
pub fn rows_up_to(path: &Path, table: &str, bound: u64) -> Result<u64, Unusable> {
    read(path, |opener| {
        let connection = opener.connect()?;
        let table = describe(&connection, table, "")?;
        count::rows_up_to(&connection, &table, bound).map_err(|error| problem(opener.path(), &error))
    })
}

/// A survey of one database under way.
struct Survey<'a> {
    opener: &'a Opener,
    connection: &'a Connection,
    source: &'a Source,
    extent: Extent,
    decided: Decisions,
    /// The rules that delete.
    acting: Acting,
    obstacles: BTreeMap<String, Problem>,
}

impl Survey<'_> {
    fn table(&self, request: &TableQuery<'_>) -> TableSurvey {
        let explain = |error| problem(self.opener.path(), &error);
        let mut table = table_for(self.connection, self.source, request)?;
        table.kept = self.decided.kept(request)?;
        let book = with_kept(&table, &request.book_while(&self.acting));
        let asked = Asked { table: &table, book: &book, request };
        if self.extent == Extent::Candidates && self.all_indexed(&asked).map_err(explain)? {
            let surveys = request.wanted.iter().map(|rule| self.through_index(&asked, *rule));
            return surveys.collect::<rusqlite::Result<_>>().map_err(explain);
        }
        let counted = count::all(self.opener, self.connection, &table, asked.book)?;
        let surveys = request.wanted.iter().map(|rule| {
            let total = counted.total.unwrap_or_default();
            self.complete(&asked, *rule, (counted.clone(), total, false))
        });
        surveys.collect::<rusqlite::Result<_>>().map_err(explain)
    }

    fn all_indexed(&self, asked: &Asked<'_>) -> rusqlite::Result<bool> {
        for rule in &asked.request.wanted {
            let condition = prefilter::sql(asked.table, asked.book, *rule);
            if !prefilter::is_indexed(self.connection, asked.table, &condition)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn through_index(&self, asked: &Asked<'_>, rule: usize) -> rusqlite::Result<RuleCounts> {
        let counted = count::candidates(self.connection, asked.table, asked.book, rule)?;
        let enough =
            asked.request.rules[rule].limit.enough_to_count(counted.tallies[rule].records(State::Due));
        let total = count::rows_up_to(self.connection, asked.table, enough)?;
        self.complete(asked, rule, (counted, total, true))
    }

    fn complete(
        &self,
        asked: &Asked<'_>,
        rule: usize,
        (counted, total, through_index): (Counted, u64, bool),
    ) -> rusqlite::Result<RuleCounts> {
        let tally = &counted.tallies[rule];
        let unread = if through_index { 0 } else { tally.records(State::Unreadable) };
        let (unreadable, looks) = self.first_unreadable(asked, rule, unread)?;
        let would_go = tally.records(State::Due) + tally.records(State::Blocked) > 0;
        let policy = asked.request.rules[rule];
        let obstacle = self.obstacles.get(&policy.name).filter(|_| would_go).cloned();
        let warning = if tally.records(State::Blocked) > 0 && obstacle.is_none() {
            blocked_words(self.connection, asked, rule)?
        } else {
            None
        };
        let warning = warning.or_else(|| asked.request.last_ones(rule, tally));
        let (table, name) = (asked.request.table, policy.name.as_str());
        let decided = self.decided.for_rule(policy);
        Ok(RuleCounts {
            along: decided.along(table, name),
            released: decided.released(table, name),
            counted,
            rule,
            through_index,
            total,
            unreadable,
            looks,
            acts: self.acting.contains(policy),
            turn: self.decided.of_run.turn(table),
            has_ties: self.decided.of_run.has_ties(table),
            kept: self.decided.of_run.kept_in_run(table),
            is_together: self.decided.of_run.is_together(table),
            obstacle,
            warning,
            ..RuleCounts::default()
        })
    }

    fn first_unreadable(
        &self,
        asked: &Asked<'_>,
        rule: usize,
        all: u64,
    ) -> rusqlite::Result<(Vec<Unread>, Option<String>)> {
        let mut first = FirstUnread::of(asked.request, rule, all);
        if all > 0 {
            let key = key_columns(self.source, asked.table);
            records(self.connection, asked.table, &key, asked.book, rule, |listed| first.look(listed))?;
        }
        Ok(first.into_told())
    }
}

/// A table, ready to be judged.
struct Asked<'a> {
    table: &'a Table,
    book: &'a Arc<Evaluator>,
    request: &'a TableQuery<'a>,
}

/// The book that asks what keeps the records of a table for the sake of others.
fn with_kept(table: &Table, book: &Arc<Evaluator>) -> Arc<Evaluator> {
    if table.kept.is_some() { Arc::new(book.with_references(1)) } else { Arc::clone(book) }
}

/// The table as a purge of one rule asks it, with its rule book. What refers to a record, or goes along, is looked
/// for in the transaction that takes it; what the rules cannot delete, one that anonymises does not wait for.
pub fn for_purge(
    connection: &Connection,
    source: &Source,
    request: &TableQuery<'_>,
    rule: usize,
) -> Result<(Table, Arc<Evaluator>), Problem> {
    let others_delete = request.rules.iter().any(|other| request.acting.contains(other));
    if !request.rules[rule].deletes() && others_delete {
        return listed(connection, source, request);
    }
    Ok((table_for(connection, source, request)?, Arc::clone(&request.book)))
}

/// The table as a listing asks it, with its rule book.
pub fn listed(
    connection: &Connection,
    source: &Source,
    request: &TableQuery<'_>,
) -> Result<(Table, Arc<Evaluator>), Problem> {
    let mut table = table_for(connection, source, request)?;
    let mut acting = request.acting.clone();
    let decided = Decisions::about(connection, Path::new(""), (request, &[]), &mut acting)?;
    table.kept = decided.kept(request)?;
    let book = with_kept(&table, &request.book);
    Ok((table, book))
}

/// The table, with every column that its rules name.
pub fn table_for(
    connection: &Connection,
    source: &Source,
    request: &TableQuery<'_>,
) -> Result<Table, Problem> {
    let place = request.rules.first().map_or("", |rule| rule.places.data_at.as_str());
    let mut table = describe(connection, request.table, place)?;
    for rule in &request.rules {
        rule.columns().try_for_each(|(column, place)| table.require(column, place))?;
    }
    source.settings(request.table).key.iter().try_for_each(|column| table.require(column, place))?;
    table.joins = join::resolve(connection, &table, &request.book)?;
    leaving::attach(connection, request, &request.acting, (&mut table, &request.book));
    table.notes = request.notes.clone();
    let found = newest::protect(connection, &mut table, &request.book);
    found.map_err(|error| Problem::new(Code::Sqlite, error.to_string()).at(place))?;
    let anonymises = request.rules.iter().any(|rule| !rule.deletes());
    if anonymises && table.carries_changes_on && !table.joins.is_empty() {
        return Err(changed_by_trigger(&table).at(place));
    }
    Ok(table)
}

/// What is anonymised must not change what a relation says of other records.
fn changed_by_trigger(table: &Table) -> Problem {
    let message = format!(
        "a trigger on changes of `{}` writes into other tables, and a rule on it asks about related rows: what is \
         anonymised could change what is said of the others; drop the trigger, or leave the relation out",
        table.name
    );
    Problem::new(Code::RelatedToItself, message)
}

fn obstacle(
    connection: &Connection,
    table: &Table,
    (request, rule): (&TableQuery<'_>, usize),
) -> rusqlite::Result<Option<Problem>> {
    let policy = request.rules[rule];
    if let Some(problem) = settable::refusal(connection, table, policy)? {
        return Ok(Some(problem));
    }
    if let Some(problem) = preparable::refusal(connection, table, policy)? {
        return Ok(Some(problem));
    }
    if let Some(problem) = evidence::refusal(connection, request, policy).unwrap_or_else(Some) {
        return Ok(Some(problem));
    }
    if !policy.deletes() {
        return Ok(None);
    }
    if let Err(problem) = release::of(connection, table, policy) {
        return Ok(Some(problem));
    }
    foreign_key::obstacle(connection, &foreign_key::references_to(connection, &table.name)?)
}

/// Which rows keep the records of a rule that are blocked, and how many.
fn blocked_words(
    connection: &Connection,
    asked: &Asked<'_>,
    rule: usize,
) -> rusqlite::Result<Option<Problem>> {
    let call = functions::register_blocker(connection, asked.table, asked.book, rule)?;
    let due = prefilter::sql(asked.table, asked.book, rule);
    let sql = format!(
        "SELECT blocker, count(*) FROM (SELECT {call} AS blocker FROM {} WHERE {due}) \
         WHERE blocker IS NOT NULL GROUP BY blocker ORDER BY 2 DESC, 1",
        asked.table.sql()
    );
    let mut statement = connection.prepare(&sql)?;
    let counted = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
    let counted: Vec<(i64, i64)> = counted.collect::<rusqlite::Result<_>>()?;
    let Some(all) = counted.iter().map(|(_, records)| records).copied().reduce(|one, other| one + other)
    else {
        return Ok(None);
    };
    let mut words: Vec<String> = Vec::new();
    for (code, records) in counted.iter().take(NAMED) {
        let Some(kept) = &asked.table.kept else { break };
        let (rows, why) = kept.words(*code);
        words.push(format!("{records} by {rows} ({why})"));
    }
    let left: i64 = counted.iter().skip(NAMED).map(|(_, records)| records).sum();
    words.extend((left > 0).then(|| format!("{left} by others")));
    let are = if all == 1 { "record is" } else { "records are" };
    let data = asked.request.rules[rule].data();
    Ok(Some(Problem::new(Code::Blocked, format!("{all} due {are} blocked in {data}: {}", words.join(", ")))))
}

/// The columns that name a record: the policy's choice, or the table's own key.
pub fn key_columns(source: &Source, table: &Table) -> Vec<String> {
    let chosen = &source.settings(&table.name).key;
    if chosen.is_empty() { table.key_columns() } else { chosen.clone() }
}
