//! What a source can do without being changed: describe itself, count states, list records.

pub mod csv;
pub mod folder;
pub(crate) mod joined;
pub mod lookup;
mod plausible;
pub(crate) mod relational;
pub mod request;
pub mod sqlite;
mod unread;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Code;
use crate::evaluate::Tally;
use crate::policy::{Kind, Source};
use request::{Extent, Flow, Listed, TableQuery, TableSurvey, Unusable};

/// Counts the states of what is asked, wherever the data is. One table's problem does not stop
/// the others.
pub fn survey(
    source: &Source,
    requests: &[TableQuery<'_>],
    extent: Extent,
) -> Result<Vec<TableSurvey>, Unusable> {
    let (answered, unanswered) = lookup::all_answered(requests);
    let mut surveys = match &source.kind {
        Kind::Sqlite(path) => sqlite::survey::survey(path, source, &answered, extent),
        Kind::Csv(files) => csv::survey::survey(files, &answered),
        Kind::Folder(folder) => folder::survey::survey(folder, &answered),
    }?;
    if !source.kind.has_tables() {
        // Nothing but its own limit keeps a rule of such a source from being carried out.
        let asked = answered.iter().zip(&mut surveys);
        asked.for_each(|(request, survey)| survey.iter_mut().flatten().for_each(|one| one.decide(request)));
    }
    for (request, counts) in answered.iter().zip(&mut surveys) {
        for one in counts.iter_mut().flatten() {
            one.warning = plausible::warning(source, request, one).or(one.warning.take());
        }
    }
    unanswered.into_iter().for_each(|(place, problem)| surveys.insert(place, Err(problem)));
    Ok(surveys)
}

/// Names the records that one rule of a request matches.
pub fn list(
    source: &Source,
    request: &TableQuery<'_>,
    rule: usize,
    found: &mut dyn FnMut(Listed) -> Flow,
) -> Result<(), Unusable> {
    let request = &lookup::answered(request).map_err(Unusable::failed)?;
    match &source.kind {
        Kind::Sqlite(path) => sqlite::list::list(path, source, request, rule, found),
        Kind::Csv(files) => csv::list::list(files, request, rule, found),
        Kind::Folder(folder) => folder::list::list(folder, request, rule, found),
    }
}

/// How many records a dataset has, counted up to a bound; none where that cannot be told.
pub fn records_up_to(source: &Source, table: &str, bound: u64) -> Option<u64> {
    match &source.kind {
        Kind::Sqlite(path) => sqlite::survey::rows_up_to(path, table, bound).ok(),
        // A survey of these has counted them all.
        Kind::Csv(_) | Kind::Folder(_) => None,
    }
}

/// Something that went wrong with a source or a rule, as data: what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What kind of problem it is.
    pub code: Code,
    /// What happened and what to do. It may name tables and columns, never their values.
    pub message: String,
    /// The place: in the policy, or in the data.
    #[serde(rename = "where")]
    pub place: Option<String>,
}

impl Problem {
    /// A problem without a place of its own.
    pub fn new(code: Code, message: impl Into<String>) -> Problem {
        Problem { code, message: message.into(), place: None }
    }

    /// The same problem at a place.
    pub fn at(mut self, place: impl Into<String>) -> Problem {
        self.place = Some(place.into());
        self
    }

    /// The same problem, at a place where it has none of its own.
    pub fn or_at(self, place: &str) -> Problem {
        if self.place.is_none() { self.at(place) } else { self }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{} ({place})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Whether a source could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It could.
    Read,
    /// It is not there. That is never "nothing due".
    Missing,
    /// It is there and could not be read.
    Failed,
}

/// What one pass over a dataset counted.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// All records of the dataset; none where the pass did not see all.
    pub total: Option<u64>,
    /// One tally a rule, in the order of the rule book.
    pub tallies: Vec<Tally>,
}

impl Counted {
    /// Adds another part of the same pass.
    pub fn merge(&mut self, other: &Counted) {
        self.total = self.total.zip(other.total).map(|(mine, theirs)| mine + theirs);
        for (mine, theirs) in self.tallies.iter_mut().zip(&other.tallies) {
            mine.merge(theirs);
        }
    }
}
