//! Surveying the tables that a policy's rules are about: states, limits' totals, obstacles.

use std::path::Path;

use rusqlite::Connection;

use super::list::records;
use super::open::{Opener, read};
use super::schema::{Table, describe};
use super::{count, foreign_key, functions, join, prefilter, problem};
use crate::dataset::request::{Extent, Flow, NAMED, Request, RuleSurvey, TableSurvey, Unusable};
use crate::dataset::{Counted, Problem};
use crate::policy::Source;
use crate::verdict::State;

/// Surveys the tables of one source. One table's problem does not stop the others.
pub fn survey(
    path: &Path,
    source: &Source,
    requests: &[Request<'_>],
    extent: Extent,
) -> Result<Vec<TableSurvey>, Unusable> {
    read(path, |opener| {
        let connection = opener.connect()?;
        Ok(requests.iter().map(|request| one_table(opener, &connection, source, request, extent)).collect())
    })
}

fn one_table(
    opener: &Opener,
    connection: &Connection,
    source: &Source,
    request: &Request<'_>,
    extent: Extent,
) -> TableSurvey {
    let table = table_for(connection, source, request)?;
    let explain = |error| problem(opener.path(), &error);
    if extent == Extent::Candidates && all_indexed(connection, &table, request).map_err(explain)? {
        let surveys =
            request.wanted.iter().map(|rule| through_index(connection, source, &table, request, *rule));
        return surveys.collect::<rusqlite::Result<_>>().map_err(explain);
    }
    let counted = count::all(opener, connection, &table, &request.book)?;
    let surveys = request.wanted.iter().map(|rule| {
        let total = counted.total.unwrap_or_default();
        complete(connection, source, &table, request, *rule, (counted.clone(), total, false))
    });
    surveys.collect::<rusqlite::Result<_>>().map_err(explain)
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
    Ok(table)
}

fn all_indexed(connection: &Connection, table: &Table, request: &Request<'_>) -> rusqlite::Result<bool> {
    for rule in &request.wanted {
        let condition = prefilter::sql(table, &request.book, *rule);
        if !prefilter::is_indexed(connection, table, &condition)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn through_index(
    connection: &Connection,
    source: &Source,
    table: &Table,
    request: &Request<'_>,
    rule: usize,
) -> rusqlite::Result<RuleSurvey> {
    let counted = count::candidates(connection, table, &request.book, rule)?;
    let limit = request.rules[rule].limit;
    let total = count::rows_up_to(
        connection,
        table,
        limit.enough_to_count(counted.tallies[rule].records(State::Due)),
    )?;
    complete(connection, source, table, request, rule, (counted, total, true))
}

fn complete(
    connection: &Connection,
    source: &Source,
    table: &Table,
    request: &Request<'_>,
    rule: usize,
    (counted, total, through_index): (Counted, u64, bool),
) -> rusqlite::Result<RuleSurvey> {
    let tally = &counted.tallies[rule];
    let unreadable = if tally.records(State::Unreadable) > 0 && !through_index {
        first_unreadable(connection, source, table, request, rule)?
    } else {
        Vec::new()
    };
    let obstacle =
        if tally.records(State::Due) > 0 { obstacle(connection, table, request, rule)? } else { None };
    Ok(RuleSurvey { counted, rule, through_index, total, unreadable, obstacle, ..RuleSurvey::default() })
}

fn obstacle(
    connection: &Connection,
    table: &Table,
    request: &Request<'_>,
    rule: usize,
) -> rusqlite::Result<Option<Problem>> {
    let references = foreign_key::references_to(connection, table)?;
    if references.is_empty() {
        return Ok(None);
    }
    let call = functions::register_due(connection, table, &request.book, rule)?;
    let due = format!("{} AND {call}", prefilter::sql(table, &request.book, rule));
    foreign_key::obstacle(connection, table, &references, &due)
}

/// The columns that name a record: the policy's choice, or the table's own key.
pub fn key_columns(source: &Source, table: &Table) -> Vec<String> {
    let chosen = &source.settings(&table.name).key;
    if chosen.is_empty() { table.key_columns() } else { chosen.clone() }
}

fn first_unreadable(
    connection: &Connection,
    source: &Source,
    table: &Table,
    request: &Request<'_>,
    rule: usize,
) -> rusqlite::Result<Vec<(String, String)>> {
    let mut named = Vec::new();
    let key = key_columns(source, table);
    records(connection, table, &key, &request.book, rule, |listed| {
        if listed.verdict.state == State::Unreadable {
            named.push((listed.key, request.why(rule, listed.verdict.reason)));
        }
        if named.len() < NAMED { Flow::On } else { Flow::Stop }
    })?;
    Ok(named)
}
