//! Counting the states of a folder's records, and the bytes of those that are due.

use super::newest::{Found, Search};
use super::record::Record;
use super::root::Root;
use super::walk::walk;
use crate::evaluate::{Evaluator, Reason, State, Tally, Verdict};
use crate::policy::Folder;
use crate::source::request::{Flow, RuleCounts, TableQuery, TableSurvey, Unread, Unusable};
use crate::source::{Counted, Problem};

/// How many unreadable records are named.
const NAMED: usize = 3;

/// Surveys a folder. All rules on it stand in one request.
pub fn survey(folder: &Folder, requests: &[TableQuery<'_>]) -> Result<Vec<TableSurvey>, Unusable> {
    let root = Root::open(folder)?;
    Ok(requests.iter().map(|request| one_request(&root, folder, request)).collect())
}

/// What one pass over the folder gathers.
struct Pass<'b> {
    book: &'b Evaluator,
    records: u64,
    rules: Vec<OneRule>,
}

#[derive(Default)]
struct OneRule {
    tally: Tally,
    bytes_due: u64,
    unreadable: Vec<(String, String)>,
}

fn one_request(root: &Root, folder: &Folder, request: &TableQuery<'_>) -> TableSurvey {
    let (book, nothing_kept) = (&*request.book, request.book.keeping_no_newest());
    let mut search = Search::of(book);
    let (pass, unseen) = Pass::through(root, folder, (&nothing_kept, book), &mut search)?;
    // Only where one of the newest is due does it make a difference that it is kept.
    if !search.keeps_what_is_due() {
        let found = search.settle(book);
        return Ok(pass.surveys(request, &found, unseen));
    }
    drop(pass);
    let found = search.settle(book);
    let (pass, unseen_again) = Pass::through(root, folder, (book, book), &mut Search::none())?;
    let unseen = unseen_again.or(unseen);
    Ok(pass.surveys(request, &found, unseen))
}

impl<'b> Pass<'b> {
    fn through(
        root: &Root,
        folder: &Folder,
        (book, whole): (&'b Evaluator, &Evaluator),
        search: &mut Search,
    ) -> Result<(Pass<'b>, Option<Problem>), Problem> {
        let rules = (0..book.len()).map(|_| OneRule::default()).collect();
        let mut pass = Pass { book, records: 0, rules };
        let unseen = walk(root, folder, &mut |record| {
            let is_due = pass.count(record);
            search.show(record, whole, is_due);
            Flow::On
        })?;
        Ok((pass, unseen.problem()))
    }

    /// Counts a record under every rule. Returns whether it is due under any.
    fn count(&mut self, record: &Record<'_>) -> bool {
        let mut is_due = false;
        for (place, rule) in self.rules.iter_mut().enumerate() {
            if let Some(verdict) = record.judge(self.book, place) {
                rule.count(record, &verdict);
                is_due |= verdict.state == State::Due;
            }
        }
        self.records += u64::from(!record.is_gone());
        is_due
    }

    fn surveys(&self, request: &TableQuery<'_>, found: &Found, unseen: Option<Problem>) -> Vec<RuleCounts> {
        request.wanted.iter().map(|rule| self.survey(*rule, request, found, unseen.clone())).collect()
    }

    fn survey(
        &self,
        rule: usize,
        request: &TableQuery<'_>,
        found: &Found,
        unseen: Option<Problem>,
    ) -> RuleCounts {
        let own = &self.rules[rule];
        // What can never be seen is named among the unreadable records.
        let unseen = unseen.or_else(|| found.unseen.clone().filter(|_| own.unreadable.is_empty()));
        let tallies = self.rules.iter().map(|rule| rule.tally).collect();
        let asked_at = &request.rules[rule].places.after;
        let unread = |(key, why)| Unread { key, why, asked_at: asked_at.clone() };
        RuleCounts {
            counted: Counted { total: Some(self.records), tallies },
            rule,
            total: self.records,
            unreadable: own.unreadable.iter().cloned().map(unread).collect(),
            bytes_due: Some(own.bytes_due),
            warning: request.last_ones(rule, &own.tally),
            problems: unseen.into_iter().collect(),
            ..RuleCounts::default()
        }
    }
}

impl OneRule {
    fn count(&mut self, record: &Record<'_>, verdict: &Verdict) {
        self.tally.add(verdict);
        match verdict.state {
            State::Due => {
                let frees = record.look().as_ref().map_or(0, |look| look.frees);
                self.bytes_due = self.bytes_due.saturating_add(frees);
            }
            State::Unreadable if self.unreadable.len() < NAMED => {
                self.unreadable.push((super::shown(record.path()), why(record, verdict.reason)));
            }
            _ => {}
        }
    }
}

fn why(record: &Record<'_>, reason: Reason) -> String {
    match (reason, record.opaque()) {
        (_, Some(why)) => why.to_string(),
        (Reason::Event(why), None) => why.to_string(),
        _ => "not what `when` compares it with".to_string(),
    }
}
