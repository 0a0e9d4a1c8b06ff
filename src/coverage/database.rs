//! What stands in a database and nobody mentioned.
//!
//! [`reading`] gathers facts while the file is open, and leaves no trace. The checks below it are
//! about these facts alone: [`tables`], [`triggers`], [`full_text`], [`keys`] and [`rules`].

mod full_text;
mod keys;
mod module;
mod reading;
mod rules;
mod tables;
mod triggers;

use std::path::{Path, PathBuf};

use super::{Coverage, Named, records};
use crate::calendar::Timestamp;
use crate::policy::{Kind, Rule};
use crate::source::request::TableQuery;
use crate::source::sqlite::open::{read, real};
use reading::Facts;

/// A database, and every source that is about it, whichever policy it stands in.
pub(super) struct Database<'p> {
    path: PathBuf,
    sources: Vec<Named<'p>>,
}

impl<'p> Database<'p> {
    /// The databases among some sources.
    pub(super) fn all(sources: &[Named<'p>]) -> Vec<Database<'p>> {
        let mut databases: Vec<Database<'p>> = Vec::new();
        for named in sources {
            let Kind::Sqlite(path) = &named.source.kind else { continue };
            let path = real(path);
            match databases.iter_mut().find(|database| database.path == path) {
                Some(database) => database.sources.push(*named),
                None => databases.push(Database { path, sources: vec![*named] }),
            }
        }
        databases
    }

    /// Looks at the database as a whole, then at the records of its rules.
    pub(super) fn check(&self, now: Timestamp, coverage: &mut Coverage) {
        let path: &Path = &self.path;
        match read(path, |opener| Ok(reading::read(&opener.connect()?, self, now))) {
            Ok(Ok(facts)) => self.judge(&facts, now, coverage),
            Ok(Err(error)) => self.unusable(&crate::source::sqlite::problem(path, &error), coverage),
            Err(unusable) => self.unusable(&unusable.problem, coverage),
        }
    }

    fn unusable(&self, problem: &crate::source::Problem, coverage: &mut Coverage) {
        for named in &self.sources {
            coverage.add_problem(named.at, problem, named.source.span.clone());
        }
    }

    fn judge(&self, facts: &Facts<'p>, now: Timestamp, coverage: &mut Coverage) {
        for check in [tables::check, full_text::check, triggers::check, keys::check] {
            check(self, facts, coverage);
        }
        rules::check(facts, coverage);
        for named in &self.sources {
            let of_source = |about: &&reading::About<'p>| about.named.source.name == named.source.name;
            let broken = facts.about.iter().filter(of_source).filter(|about| !about.wrong.is_empty());
            let without: Vec<&str> =
                broken.filter(|about| about.named.at == named.at).map(|about| about.request.table).collect();
            records::check(named, now, &without, coverage);
        }
    }

    /// Every rule on the database, in the order in which a purge carries them out.
    fn rules(&self) -> impl Iterator<Item = (Named<'p>, &'p Rule)> {
        self.sources.iter().flat_map(|named| {
            let own = |rule: &&Rule| rule.source == named.source.name;
            named.policy.rules.iter().filter(own).map(|rule| (*named, rule))
        })
    }

    /// The first rule on a table.
    fn rule_on(&self, table: &str) -> Option<(Named<'p>, &'p Rule)> {
        self.rules().find(|(_, rule)| rule.table == table)
    }

    /// The first rule on a table that changes its rows instead of deleting them.
    fn anonymising_rule_on(&self, table: &str) -> Option<(Named<'p>, &'p Rule)> {
        self.rules().find(|(_, rule)| rule.table.eq_ignore_ascii_case(table) && !rule.deletes())
    }

    fn is_ignored(&self, table: &str) -> bool {
        self.sources.iter().flat_map(|named| &named.source.ignore).any(|ignored| ignored.matches(table))
    }

    /// A rule that takes rows of a table along.
    fn rule_along(&self, table: &str) -> Option<&'p Rule> {
        let takes = |rule: &Rule| rule.with.relations().iter().any(|relation| relation.table == table);
        self.rules().map(|(_, rule)| rule).find(|rule| takes(rule))
    }

    fn is_covered(&self, table: &str) -> bool {
        self.is_ignored(table) || self.rule_on(table).is_some() || self.rule_along(table).is_some()
    }
}

/// The tables that the rules of a database are about.
fn requests<'p>(database: &Database<'p>, now: Timestamp) -> Vec<(Named<'p>, TableQuery<'p>)> {
    let of = |named: &Named<'p>| {
        let named = *named;
        let requests = crate::source::request::requests(named.policy, named.source, now, |_| true);
        requests.into_iter().map(move |request| (named, request))
    };
    database.sources.iter().flat_map(of).collect()
}
