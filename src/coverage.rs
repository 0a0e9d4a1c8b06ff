//! Whether policies cover what their sources hold: the part of `check` that opens sources.
//!
//! Everything here reads. `records` asks what the rules make of the records that are there,
//! `database` what else stands in a database, `csv` and `folder` which files nobody
//! mentioned, `personal` which columns an anonymise rule leaves as they are. Each answer is a [`Finding`] at a place in the policy.

mod claims;
mod csv;
mod database;
mod folder;
mod names;
mod personal;
mod records;

use std::ops::Range;

use crate::calendar::Timestamp;
use crate::diagnostic::{Code, Finding};
use crate::policy::{Kind, Policy, Source};
use crate::source::Problem;
use claims::Claims;

/// What was found in the sources of some policies.
#[derive(Debug, Default)]
pub struct Coverage {
    /// The findings, each with its policy's place among the policies.
    pub findings: Vec<(usize, Finding)>,
    /// Whether something could not be read, so that there may be more to find.
    pub incomplete: bool,
}

/// Problems that the policy, or the form of the data, has to answer for; all others kept the
/// data from being read.
const ANSWERED_FOR: [Code; 19] = [
    Code::KeyColumn,
    Code::GeneratedColumn,
    Code::ForeignKeyColumn,
    Code::UniqueColumn,
    Code::NotNullColumn,
    Code::ColumnType,
    Code::MissingTable,
    Code::MissingColumn,
    Code::NotATable,
    Code::NoRowNumber,
    Code::BadHeader,
    Code::AmbiguousColumn,
    Code::Utf16,
    Code::NotUtf8,
    Code::AmbiguousRelation,
    Code::UnindexedRelation,
    Code::NeedsApplication,
    Code::BrokenForeignKey,
    Code::CannotBeCarriedOut,
];

impl Coverage {
    fn add(&mut self, policy: usize, finding: Finding) {
        self.findings.push((policy, finding));
    }

    /// Adds a problem of a source at a place in the policy, once.
    fn add_problem(&mut self, policy: usize, problem: &Problem, span: Range<usize>) {
        self.incomplete |= !ANSWERED_FOR.contains(&problem.code);
        let told = (policy, Finding::error(problem.code, problem.message.clone(), span));
        if !self.findings.contains(&told) {
            self.findings.push(told);
        }
    }
}

/// A source, and the policy that names it.
#[derive(Clone, Copy)]
struct Named<'p> {
    /// The policy's place among the policies.
    at: usize,
    policy: &'p Policy,
    source: &'p Source,
}

/// Opens the sources of valid policies, read only. Policies that are read together cover the same
/// sources together.
pub fn check(policies: &[Policy], now: Timestamp) -> Coverage {
    let mut coverage = Coverage::default();
    let sources: Vec<Named<'_>> = policies.iter().enumerate().flat_map(sources_of).collect();
    let mut claims = Claims::of(&sources);
    for database in database::Database::all(&sources) {
        database.check(now, &mut coverage);
    }
    for named in &sources {
        match &named.source.kind {
            Kind::Sqlite(_) => continue,
            Kind::Csv(files) => {
                csv::check(named, files, &mut claims, &mut coverage);
                personal::of_files(named, files, now, &mut coverage);
            }
            Kind::Folder(folder) => folder::check(named, folder, &claims, &mut coverage),
        }
        records::check(named, now, &[], &mut coverage);
    }
    coverage
}

fn sources_of((at, policy): (usize, &Policy)) -> impl Iterator<Item = Named<'_>> {
    policy.sources.iter().map(move |source| Named { at, policy, source })
}
