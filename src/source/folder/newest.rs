//! Finding the newest records, which `keep-newest` keeps from every rule.

use super::record::Record;
use super::root::Root;
use super::walk::walk;
use crate::calendar::Event;
use crate::diagnostic::Code;
use crate::evaluate::{Evaluator, Newest, Protection};
use crate::policy::Folder;
use crate::source::Problem;
use crate::source::request::Flow;

/// A record that a protection rests on: were it gone, others would be the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The rule, by its place in the book.
    pub rule: usize,
    /// Its path below the folder.
    pub path: Vec<u8>,
    /// Its event.
    pub event: Event,
}

/// What was found about the newest records.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The records that the protections rest on.
    pub guards: Vec<Guard>,
    /// For each rule that keeps the newest of its own records, how many it counted.
    pub counted: Vec<(usize, u64)>,
    /// What the search could not see. Others are kept in its place, so that too much may be kept
    /// and never too little.
    pub unseen: Option<Problem>,
}

/// The search for the newest records of every rule that keeps some.
pub(super) struct Search {
    rules: Vec<OneRule>,
    /// Records whose time could not be seen.
    opaque: u64,
}

/// One rule's search.
struct OneRule {
    rule: usize,
    all: Newest<Vec<u8>>,
    matching: Newest<Vec<u8>>,
    /// The newest of the records that were due although they count.
    newest_due: Option<Event>,
}

/// Tells the book which records are the newest.
pub fn protect(root: &Root, folder: &Folder, book: &mut Evaluator) -> Result<Found, Problem> {
    let mut search = Search::of(book);
    if !search.is_needed() {
        return Ok(Found::default());
    }
    let unseen = walk(root, folder, &mut |record| {
        search.show(record, book, false);
        Flow::On
    })?;
    let found = search.settle(book);
    Ok(Found { unseen: unseen.problem().or(found.unseen), ..found })
}

impl Search {
    pub(super) fn of(book: &Evaluator) -> Search {
        let wanted = |rule| Some((rule, book.keep_newest(rule)?));
        let rules = (0..book.len()).filter_map(wanted).map(|(rule, count)| OneRule {
            rule,
            all: Newest::new(count),
            matching: Newest::new(count),
            newest_due: None,
        });
        Search { rules: rules.collect(), opaque: 0 }
    }

    /// A search that nobody asks for.
    pub(super) fn none() -> Search {
        Search { rules: Vec::new(), opaque: 0 }
    }

    fn is_needed(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Shows it a record, and whether that is due where nothing is kept.
    pub(super) fn show(&mut self, record: &Record<'_>, book: &Evaluator, is_due: bool) {
        let mut is_missed = false;
        for rule in &mut self.rules {
            is_missed |= !rule.show(record, book, is_due);
        }
        // One whose name tells its time is not missed, whatever is in it.
        self.opaque += u64::from(is_missed && record.opaque().is_some());
    }

    /// Whether one of the newest is due, and so must be kept.
    pub(super) fn keeps_what_is_due(&self) -> bool {
        self.rules.iter().any(OneRule::keeps_what_is_due)
    }

    /// Tells the book what was found.
    pub(super) fn settle(self, book: &mut Evaluator) -> Found {
        let mut found = Found { unseen: unseen(self.opaque), ..Found::default() };
        for search in self.rules {
            let (all, matching) = (search.all.kept_from(), search.matching.kept_from());
            book.protect(search.rule, Protection::From { all, matching });
            found.counted.push((search.rule, search.matching.counted()));
            found.guards.extend(search.guards());
        }
        found
    }
}

fn unseen(records: u64) -> Option<Problem> {
    let records = match records {
        0 => return None,
        1 => "1 record".to_string(),
        many => format!("{many} records"),
    };
    let message = format!(
        "{records} could not be seen while the newest were looked for, and others are kept in place of them; \
         look at their owners and modes, and run again"
    );
    Some(Problem::new(Code::Unreadable, message))
}

impl OneRule {
    /// Returns whether the record has a time that can be seen.
    fn show(&mut self, record: &Record<'_>, book: &Evaluator, is_due: bool) -> bool {
        let Some((event, matches)) = record.counted(book, self.rule) else { return false };
        self.all.show(event, || record.path().to_vec());
        if matches {
            self.matching.show(event, || record.path().to_vec());
        }
        if is_due {
            self.newest_due = self.newest_due.max(Some(event));
        }
        true
    }

    fn keeps_what_is_due(&self) -> bool {
        let from = [self.all.kept_from(), self.matching.kept_from()].into_iter().flatten().min();
        self.newest_due.zip(from).is_some_and(|(due, from)| due >= from)
    }

    fn guards(self) -> impl Iterator<Item = Guard> {
        let rule = self.rule;
        let records = self.all.into_records().chain(self.matching.into_records());
        records.map(move |(event, path)| Guard { rule, path, event })
    }
}
