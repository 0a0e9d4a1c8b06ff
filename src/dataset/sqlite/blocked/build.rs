//! Finding out what may keep the records of a table: the foreign keys that point at it, the rules on
//! the rows that hold them, and what goes along.

mod along;
mod circle;

use std::sync::Arc;

use rusqlite::Connection;

use super::along::Along;
use super::circle::Circle;
use super::order::Web;
use super::tie::{Child, Children, Tie};
use super::{Blockers, Blocking, may_be_due, register_keeper};
use crate::dataset::request::{Acting, Request};
use crate::dataset::sqlite::foreign_key::{Reference, references_to};
use crate::dataset::sqlite::join;
use crate::dataset::sqlite::name::alias_beside;
use crate::dataset::sqlite::release;
use crate::dataset::sqlite::schema::{Table, describe};
use crate::dataset::{Problem, elsewhere};
use crate::policy::Rule;
use crate::verdict::RuleBook;

/// Each table below another costs a statement within a statement; of so many nobody can say when
/// they end.
const MOST_TABLES: usize = 200;

/// Finds out what may keep the records of a request's table, while some rules delete.
pub fn of(
    connection: &Connection,
    request: &Request<'_>,
    acting: &Acting,
    table: &Table,
) -> Result<Blockers, Problem> {
    Build::new(connection, request, acting, table)?.blockers(table, &request.rules, &request.book)
}

/// The circle of tables in which a request's table stands, while some rules delete.
pub fn circle_of(
    connection: &Connection,
    request: &Request<'_>,
    acting: &Acting,
    (table, book): (&Table, &Arc<RuleBook>),
) -> Result<Option<Circle>, Problem> {
    Build::new(connection, request, acting, table)?.circle(table, &request.rules, book)
}

/// A table beside a request's own, and the condition that a row of it stays while some rules delete.
pub(in crate::dataset::sqlite) fn that_stay(
    connection: &Connection,
    request: &Request<'_>,
    acting: &Acting,
    (beside, name): (&Table, &str),
) -> Result<(Table, String), Problem> {
    let mut build = Build::new(connection, request, acting, beside)?;
    let rules: Vec<&Rule> = request.policy.rules_on(request.source(), name).collect();
    let acting = build.acting(&rules);
    let plain = Table {
        alias: Some(alias_beside(beside.qualifier(), "frist_stays")),
        ..describe(connection, name, "")?
    };
    if acting.is_empty() {
        return Ok((plain, "1".to_string()));
    }
    let book = Arc::new(RuleBook::new(rules.iter().copied(), request.now));
    let book = elsewhere::answered_book(&book, &request.policy.sources, &request.notes)?;
    // Rows that cannot be judged stay.
    let Some(mut table) = build.described(beside, name, "stays", &book) else {
        return Ok((plain, "1".to_string()));
    };
    table.blockers = build.blockers(&table, &rules, &book)?;
    let book = table.blockers.book(&book);
    let keeper = register_keeper(connection, &table, &book, &acting).map_err(engine)?;
    Ok((table, format!("{keeper} <> 0")))
}

struct Build<'a> {
    connection: &'a Connection,
    request: &'a Request<'a>,
    acting: &'a Acting,
    web: Web,
    /// How many tables were taken up.
    tables: usize,
    /// The tables in whose statements the one in hand will stand.
    above: Vec<String>,
}

impl<'a> Build<'a> {
    fn new(
        connection: &'a Connection,
        request: &'a Request<'a>,
        acting: &'a Acting,
        table: &Table,
    ) -> Result<Build<'a>, Problem> {
        let web = web(connection, request)?;
        Ok(Build { connection, request, acting, web, tables: 0, above: vec![table.name.clone()] })
    }

    fn blockers(
        &mut self,
        table: &Table,
        rules: &[&Rule],
        book: &Arc<RuleBook>,
    ) -> Result<Blockers, Problem> {
        let all: Vec<usize> = (0..rules.len()).collect();
        if self.are_alike(table, rules) {
            let blocking = self.blocking(table, rules, book, &all, Along::default())?;
            return Ok(Blockers { each: if blocking.is_empty() { Vec::new() } else { vec![blocking] } });
        }
        let mut each = Vec::new();
        for place in all {
            let along = self.along(table, (rules, place), book)?;
            each.push(self.blocking(table, rules, book, &[place], along)?);
        }
        Ok(Blockers { each })
    }

    /// Whether the same rows keep the records of each rule.
    fn are_alike(&self, table: &Table, rules: &[&Rule]) -> bool {
        let acting = rules.iter().filter(|rule| self.acting.contains(rule)).count();
        let is_circular = || self.web.is_in_circle(&table.name);
        rules.iter().all(|rule| rule.with.is_empty() && rule.set_null.is_empty())
            && (acting == 0 || acting == rules.len() || !is_circular())
    }

    /// What may keep the records that some of the rules delete.
    fn blocking(
        &mut self,
        table: &Table,
        rules: &[&Rule],
        book: &Arc<RuleBook>,
        meant: &[usize],
        along: Along,
    ) -> Result<Blocking, Problem> {
        let goes = |place: &usize| self.acting.contains(rules[*place]);
        let circle = match meant.iter().any(goes) {
            true => self.circle_beside(&along, table, rules, book)?,
            false => None,
        };
        let mut references = self.references_to(table, rules, meant)?;
        let is_inner = |key: &Reference| {
            circle.as_ref().is_some_and(|circle| circle.keys.iter().any(|inner| inner.reference == *key))
        };
        references.retain(|key| key.keeps && !is_inner(key));
        let ties = self.ties(table, references)?;
        let stuck = match circle {
            Some(circle) => Some(Arc::new(self.stuck(circle, &ties)?)),
            None => None,
        };
        Ok(Blocking { ties, stuck, along, may_be_due: may_be_due(table, book, meant) })
    }

    /// The keys that name rows of a table, without what lets go of the records of all of some rules.
    fn references_to(
        &self,
        table: &Table,
        rules: &[&Rule],
        meant: &[usize],
    ) -> Result<Vec<Reference>, Problem> {
        let mut references = references_to(self.connection, &table.name).map_err(engine)?;
        if let [only] = meant {
            let releases = release::of(self.connection, table, rules[*only])?;
            releases.iter().try_for_each(|release| release.register(self.connection)).map_err(engine)?;
            references = release::beside(&releases, references);
        }
        Ok(references)
    }

    fn acting(&self, rules: &[&Rule]) -> Vec<usize> {
        let acts = |rule: &&Rule| self.acting.contains(rule);
        rules.iter().enumerate().filter(|(_, rule)| acts(rule)).map(|(place, _)| place).collect()
    }

    fn ties(&mut self, table: &Table, references: Vec<Reference>) -> Result<Vec<Tie>, Problem> {
        let mut ties = Vec::new();
        for reference in references {
            let child = self.child(table, &reference)?;
            ties.push(Tie { reference, child });
        }
        Ok(ties)
    }

    /// The rows that hold a key, where some of them go before what they name.
    fn child(&mut self, parent: &Table, reference: &Reference) -> Result<Children, Problem> {
        let request = self.request;
        let rules: Vec<&Rule> = request.policy.rules_on(request.source(), &reference.child).collect();
        let acting = self.acting(&rules);
        if acting.is_empty() {
            return Ok(Children::Stay(idle(&rules)));
        }
        if reference.is_to_itself() {
            return Ok(Children::Stay("that stay".to_string()));
        }
        let is_above = self.above.contains(&reference.child);
        if is_above || self.web.is_circular(reference) {
            return Ok(Children::Stay("that may be referred to in turn".to_string()));
        }
        let names = rules.iter().map(|rule| rule.name.clone()).collect();
        let book = Arc::new(RuleBook::new(rules.iter().copied(), request.now));
        self.take_up(parent)?;
        // A table that cannot be judged is one whose rows stay.
        let cannot = || Ok(Children::Stay("that cannot be judged".to_string()));
        let Ok(book) = elsewhere::answered_book(&book, &request.policy.sources, &request.notes) else {
            return cannot();
        };
        let Some(mut table) = self.described(parent, &reference.child, "child", &book) else {
            return cannot();
        };
        self.above.push(table.name.clone());
        table.blockers = self.blockers(&table, &rules, &book)?;
        self.above.pop();
        let book = table.blockers.book(&book);
        Ok(Children::Judged(Box::new(Child { table, book, rules: names, acting })))
    }

    fn take_up(&mut self, parent: &Table) -> Result<(), Problem> {
        self.tables += 1;
        if self.tables <= MOST_TABLES {
            return Ok(());
        }
        let message = format!("too many tables refer to `{}`, by way of others", parent.name);
        Err(Problem::new("too-many-foreign-keys", message))
    }

    fn described(&self, parent: &Table, name: &str, role: &str, book: &RuleBook) -> Option<Table> {
        let mut table = describe(self.connection, name, "").ok()?;
        if book.columns().iter().any(|column| table.require(column, "").is_err()) {
            return None;
        }
        table.alias = Some(alias_beside(parent.qualifier(), &format!("frist_{role}_{}", self.tables)));
        table.joins = join::resolve(self.connection, &table, book).ok()?;
        table.notes = self.request.notes.clone();
        Some(table)
    }
}

/// Why all rows of a table stay.
fn idle(rules: &[&Rule]) -> String {
    match rules {
        [] => "that no rule deletes".to_string(),
        [rule] => format!("that rule `{}` does not delete in this run", rule.name),
        _ => "that their rules do not delete in this run".to_string(),
    }
}

/// The keys that keep what they name, but for those of which all rows let go.
pub(in crate::dataset::sqlite) fn web(
    connection: &Connection,
    request: &Request<'_>,
) -> Result<Web, Problem> {
    let mut web = Web::read(connection).map_err(engine)?;
    let rules = request.policy.rules.iter().filter(|rule| rule.source == request.source());
    let releasing = rules.filter(|rule| !rule.set_null.is_empty());
    for rule in releasing {
        let mut others = request.policy.rules_on(&rule.source, &rule.table);
        // Where two rules delete, what one lets go of may keep the records of the other.
        if others.all(|other| other.name == rule.name || !other.deletes())
            && let Ok(table) = describe(connection, &rule.table, "")
            && let Ok(releases) = release::of(connection, &table, rule)
        {
            web.retain(|key| release::beside(&releases, vec![key.clone()]).iter().all(|key| key.keeps));
        }
    }
    Ok(web)
}

fn engine(error: rusqlite::Error) -> Problem {
    Problem::new("sqlite", error.to_string())
}
