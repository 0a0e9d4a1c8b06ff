//! Surveying the tables that a policy's rules are about: states, limits' totals, obstacles.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::blocked::{self, order::Web};
use super::list::records;
use super::open::{Opener, read};
use super::schema::{Table, describe};
use super::{
    count, evidence, foreign_key, functions, join, prefilter, preparable, problem, release, settable,
};
use crate::dataset::request::{
    Acting, Extent, Flow, NAMED, Request, RuleSurvey, TableSurvey, Unread, Unusable,
};
use crate::dataset::{Counted, Problem};
use crate::policy::Source;
use crate::verdict::{RuleBook, State};

/// Surveys the tables of one source: those first whose rows refer to others, for what they lose
/// keeps nothing. One table's problem does not stop the others.
pub fn survey(
    path: &Path,
    source: &Source,
    requests: &[Request<'_>],
    extent: Extent,
) -> Result<Vec<TableSurvey>, Unusable> {
    read(path, |opener| {
        let connection = opener.connect()?;
        let tables: Vec<(&str, Vec<&str>)> =
            requests.iter().map(|request| (request.table, along_with(request))).collect();
        let web = match requests.first() {
            Some(request) => blocked::web(&connection, request)?,
            None => return Ok(Vec::new()),
        };
        let turns = web.turns(&tables);
        let out = BTreeMap::new();
        let mut survey = Survey { opener, connection: &connection, source, extent, web, out };
        let mut places: Vec<usize> = (0..requests.len()).collect();
        places.sort_by_key(|place| turns[*place]);
        let mut surveys: Vec<(usize, TableSurvey)> = Vec::new();
        for together in places.chunk_by(|one, other| turns[*one] == turns[*other]) {
            surveys.extend(survey.tables(requests, together, turns[together[0]]));
        }
        surveys.sort_by_key(|(place, _)| *place);
        Ok(surveys.into_iter().map(|(_, survey)| survey).collect())
    })
}

/// How many rows a table has, counted up to a bound.
pub fn rows_up_to(path: &Path, table: &str, bound: u64) -> Result<u64, Unusable> {
    read(path, |opener| {
        let connection = opener.connect()?;
        let table = describe(&connection, table, "")?;
        count::rows_up_to(&connection, &table, bound).map_err(|error| problem(opener.path(), &error))
    })
}

/// The tables of rows that go along with a request's records.
fn along_with<'p>(request: &Request<'p>) -> Vec<&'p str> {
    let rules = request.rules.iter();
    rules.flat_map(|rule| rule.with.relations()).map(|relation| relation.table.as_str()).collect()
}

/// A survey of one database under way.
struct Survey<'a> {
    opener: &'a Opener,
    connection: &'a Connection,
    source: &'a Source,
    extent: Extent,
    web: Web,
    /// Rules that were to be carried out and cannot be, with what forbids that, if it could be found out:
    /// their records stay.
    out: BTreeMap<String, Option<RuleSurvey>>,
}

impl Survey<'_> {
    /// Surveys tables of one turn, and again where that shows that a rule cannot delete: rows of a table
    /// that stands in a circle with its own may have counted on it.
    fn tables(
        &mut self,
        requests: &[Request<'_>],
        places: &[usize],
        turn: usize,
    ) -> Vec<(usize, TableSurvey)> {
        loop {
            let known = self.out.len();
            let surveys: Vec<(usize, TableSurvey)> =
                places.iter().map(|place| (*place, self.table(&requests[*place], turn))).collect();
            let is_final = |place: &usize| !self.web.is_in_circle(requests[*place].table);
            if known == self.out.len() || places.iter().all(is_final) {
                return surveys;
            }
        }
    }

    fn table(&mut self, request: &Request<'_>, turn: usize) -> TableSurvey {
        let mut surveys = self.once(request);
        for (place, rule) in
            request.rules.iter().enumerate().filter(|(_, rule)| request.acting.contains(rule))
        {
            let survey = surveys.as_ref().ok().and_then(|all| all.iter().find(|one| one.rule == place));
            if !survey.is_some_and(|survey| survey.is_free(request)) {
                self.out.entry(rule.name.clone()).or_insert_with(|| survey.cloned());
            }
        }
        for survey in surveys.iter_mut().flatten() {
            let rule = request.rules[survey.rule];
            survey.turn = turn;
            survey.acts = request.acting.contains(rule) && !self.out.contains_key(&rule.name);
            // What a limit forbids is not allowed by that fewer records go without it.
            if let Some(Some(forbidden)) = self.out.get(&rule.name) {
                *survey = RuleSurvey { turn, ..forbidden.clone() };
            }
        }
        surveys
    }

    fn once(&self, request: &Request<'_>) -> TableSurvey {
        let explain = |error| problem(self.opener.path(), &error);
        let mut acting = request.acting.clone();
        acting.retain(|rule| !self.out.contains_key(rule));
        let table = with_blockers(self.connection, self.source, request, &acting)?;
        let asked =
            Asked { table: &table, book: &table.blockers.book(&request.book_while(&acting)), request };
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

    fn through_index(&self, asked: &Asked<'_>, rule: usize) -> rusqlite::Result<RuleSurvey> {
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
    ) -> rusqlite::Result<RuleSurvey> {
        let tally = &counted.tallies[rule];
        let unreadable = if tally.records(State::Unreadable) > 0 && !through_index {
            self.first_unreadable(asked, rule)?
        } else {
            Vec::new()
        };
        let would_go = tally.records(State::Due) + tally.records(State::Blocked) > 0;
        let obstacle = if would_go { obstacle(self.connection, asked, rule)? } else { None };
        let warning = if tally.records(State::Blocked) > 0 && obstacle.is_none() {
            blocked_words(self.connection, asked, rule)?
        } else {
            None
        };
        let has_due = tally.records(State::Due) > 0;
        let along = if has_due { self.along(asked, rule)? } else { Vec::new() };
        let released = if has_due && obstacle.is_none() { self.released(asked, rule)? } else { Vec::new() };
        Ok(RuleSurvey {
            along,
            released,
            counted,
            rule,
            through_index,
            total,
            unreadable,
            obstacle,
            warning,
            ..RuleSurvey::default()
        })
    }

    /// Counts what goes along with the due records. Rows that a kept record shares are counted, too.
    fn along(&self, asked: &Asked<'_>, rule: usize) -> rusqlite::Result<Vec<(String, u64)>> {
        let Some(along) = asked.table.blockers.along(rule) else { return Ok(Vec::new()) };
        let call = functions::register_due(self.connection, asked.table, asked.book, rule)?;
        let due = format!("{} AND {call}", prefilter::sql(asked.table, asked.book, rule));
        let count = |(table, sql): (String, String)| {
            let rows: i64 = self.connection.query_row(&sql, [], |row| row.get(0))?;
            Ok((table, rows.unsigned_abs()))
        };
        along.counts(asked.table, &due).into_iter().map(count).collect()
    }

    /// Counts what lets go of the due records, and stays.
    fn released(&self, asked: &Asked<'_>, rule: usize) -> rusqlite::Result<Vec<(String, u64)>> {
        let policy = asked.request.rules[rule];
        // What is wrong with it is told as an obstacle.
        let Ok(releases) = release::of(self.connection, asked.table, policy) else { return Ok(Vec::new()) };
        let mut acting = asked.request.acting.clone();
        acting.retain(|rule| !self.out.contains_key(rule));
        let mut counted: Vec<(String, u64)> = Vec::new();
        for release in releases {
            let name = release.table.name.as_str();
            let beside = (asked.table, name);
            let Ok((child, stays)) = blocked::that_stay(self.connection, asked.request, &acting, beside)
            else {
                continue;
            };
            release.register(self.connection)?;
            let call = functions::register_due(self.connection, asked.table, asked.book, rule)?;
            let key: Vec<String> = child.order().iter().map(|column| child.column_sql(column)).collect();
            let sql = format!(
                "SELECT count(*) FROM (SELECT DISTINCT {} FROM {} CROSS JOIN {} WHERE {} AND {call} AND {} AND {stays})",
                key.join(", "),
                asked.table.sql(),
                child.sql(),
                prefilter::sql(asked.table, asked.book, rule),
                release.on(asked.table, child.qualifier()),
            );
            let rows: i64 = self.connection.query_row(&sql, [], |row| row.get(0))?;
            counted.push((format!("{name}.{}", release.column), rows.unsigned_abs()));
        }
        Ok(counted)
    }

    fn first_unreadable(&self, asked: &Asked<'_>, rule: usize) -> rusqlite::Result<Vec<Unread>> {
        let mut named = Vec::new();
        let key = key_columns(self.source, asked.table);
        records(self.connection, asked.table, &key, asked.book, rule, |listed| {
            if listed.verdict.state == State::Unreadable {
                named.push(asked.request.unread(rule, listed.key, listed.verdict.reason));
            }
            if named.len() < NAMED { Flow::On } else { Flow::Stop }
        })?;
        Ok(named)
    }
}

/// A table, ready to be judged.
struct Asked<'a> {
    table: &'a Table,
    book: &'a Arc<RuleBook>,
    request: &'a Request<'a>,
}

/// The table, and what keeps its records while these rules delete.
fn with_blockers(
    connection: &Connection,
    source: &Source,
    request: &Request<'_>,
    acting: &Acting,
) -> Result<Table, Problem> {
    let mut table = table_for(connection, source, request)?;
    table.blockers = blocked::of(connection, request, acting, &table)?;
    Ok(table)
}

/// The table as a purge of one rule asks it, with its rule book. Rows that refer to a record are looked
/// for in each statement, unless something goes along: then the book knows them.
pub fn for_purge(
    connection: &Connection,
    source: &Source,
    request: &Request<'_>,
    rule: usize,
) -> Result<(Table, Arc<RuleBook>), Problem> {
    let others_delete = request.rules.iter().any(|other| request.acting.contains(other));
    if !request.rules[rule].deletes() && others_delete {
        // What they cannot delete is this rule's.
        let table = with_blockers(connection, source, request, &request.acting)?;
        let book = table.blockers.book(&request.book);
        return Ok((table, book));
    }
    if request.rules[rule].with.is_empty() {
        return Ok((table_for(connection, source, request)?, Arc::clone(&request.book)));
    }
    // What other rules delete is gone by now.
    let table = with_blockers(connection, source, request, &Acting::default())?;
    let book = table.blockers.book(&request.book);
    Ok((table, book))
}

/// The table as a listing asks it, with its rule book.
pub fn listed(
    connection: &Connection,
    source: &Source,
    request: &Request<'_>,
) -> Result<(Table, Arc<RuleBook>), Problem> {
    let table = with_blockers(connection, source, request, &request.acting)?;
    let book = table.blockers.book(&request.book);
    Ok((table, book))
}

/// The table, with every column that its rules name.
pub fn table_for(connection: &Connection, source: &Source, request: &Request<'_>) -> Result<Table, Problem> {
    let place = request.rules.first().map_or("", |rule| rule.places.data_at.as_str());
    let mut table = describe(connection, request.table, place)?;
    for rule in &request.rules {
        rule.columns().try_for_each(|(column, place)| table.require(column, place))?;
    }
    source.settings(request.table).key.iter().try_for_each(|column| table.require(column, place))?;
    table.joins = join::resolve(connection, &table, &request.book)?;
    table.notes = request.notes.clone();
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
    Problem::new("related-to-itself", message)
}

fn obstacle(connection: &Connection, asked: &Asked<'_>, rule: usize) -> rusqlite::Result<Option<Problem>> {
    let policy = asked.request.rules[rule];
    if let Some(problem) = settable::refusal(connection, asked.table, policy)? {
        return Ok(Some(problem));
    }
    if let Some(problem) = preparable::refusal(connection, asked.table, policy)? {
        return Ok(Some(problem));
    }
    if let Some(problem) = evidence::refusal(connection, asked.request, policy).unwrap_or_else(Some) {
        return Ok(Some(problem));
    }
    if !asked.book.deletes(rule) {
        return Ok(None);
    }
    if let Err(problem) = release::of(connection, asked.table, policy) {
        return Ok(Some(problem));
    }
    foreign_key::obstacle(connection, &foreign_key::references_to(connection, &asked.table.name)?)
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
        let (rows, key) = asked.table.blockers.words(rule, *code);
        words.push(format!("{records} by {rows} ({key})"));
    }
    let left: i64 = counted.iter().skip(NAMED).map(|(_, records)| records).sum();
    words.extend((left > 0).then(|| format!("{left} by others")));
    let are = if all == 1 { "record is" } else { "records are" };
    let data = asked.request.rules[rule].data();
    Ok(Some(Problem::new("blocked", format!("{all} due {are} blocked in {data}: {}", words.join(", ")))))
}

/// The columns that name a record: the policy's choice, or the table's own key.
pub fn key_columns(source: &Source, table: &Table) -> Vec<String> {
    let chosen = &source.settings(&table.name).key;
    if chosen.is_empty() { table.key_columns() } else { chosen.clone() }
}
