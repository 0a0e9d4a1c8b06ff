//! Rows that spare records for as long as they are there, and are past their own time: they may go in the same run.

use std::sync::Arc;

use rusqlite::Connection;

use super::schema::{Table, describe};
use super::{join, newest};
use crate::evaluate::{Evaluator, Question};
use crate::policy::Rule;
use crate::source::lookup;
use crate::source::request::{Acting, TableQuery};

/// The rules by which related rows may go.
#[derive(Clone, Debug)]
pub(crate) struct Leaving {
    /// Their table, under the name that it has in the relation.
    pub(crate) table: Table,
    pub(crate) book: Arc<Evaluator>,
    /// Those that delete in this run, by their places.
    pub(crate) acting: Vec<usize>,
}

/// Says of each relation by which rows spare records of a table whether these rows may go in this run. Where that
/// cannot be found out they stay.
pub(crate) fn attach(
    connection: &Connection,
    request: &TableQuery<'_>,
    acting: &Acting,
    (table, book): (&mut Table, &Evaluator),
) {
    for (number, question) in
        book.questions().iter().enumerate().filter(|(_, question)| question.is_sparing())
    {
        let alias = format!("frist_spares_{}_{number}", table.function_suffix());
        let leaving = leaving(connection, request, acting, (question, &alias));
        let joined = leaving.and_then(|leaving| {
            let join = join::join_as(connection, table, question, &alias).ok()?;
            Some(join::Join { leaving: Some(Arc::new(leaving)), ..join })
        });
        if joined.is_some() {
            table.joins[number] = joined;
        }
    }
}

fn leaving(
    connection: &Connection,
    request: &TableQuery<'_>,
    acting: &Acting,
    (question, alias): (&Question, &str),
) -> Option<Leaving> {
    let relation = &question.relation;
    if relation.elsewhere.is_some() {
        return None;
    }
    let rules: Vec<&Rule> = request.policy.rules_on(request.source(), &relation.table).collect();
    let each = rules.iter().enumerate().filter(|(_, rule)| acting.contains(rule));
    let acting: Vec<usize> = each.map(|(place, _)| place).collect();
    if acting.is_empty() {
        return None;
    }
    let plain = describe(connection, &relation.table, "").ok()?;
    let book = Arc::new(Evaluator::new(rules.iter().copied(), request.now));
    let notes = lookup::notes_for(request, &book).ok()?;
    let book = lookup::answered_book(&book, &request.policy.sources, &notes).ok()?;
    if book.columns().iter().any(|column| plain.require(column, "").is_err()) {
        return None;
    }
    let mut table = Table { alias: Some(alias.to_string()), ..plain };
    table.joins = join::resolve(connection, &table, &book).ok()?;
    table.notes = notes;
    newest::protect(connection, &mut table, &book).ok()?;
    Some(Leaving { table, book, acting })
}
