//! Finding the newest records, which `keep-newest` keeps from every rule.

use super::record::Record;
use super::root::Root;
use super::walk::walk;
use crate::calendar::Event;
use crate::dataset::Problem;
use crate::dataset::request::Flow;
use crate::policy::Folder;
use crate::verdict::{Newest, Protection, RuleBook};

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
}

/// One rule's search.
struct Search {
    rule: usize,
    all: Newest<Vec<u8>>,
    matching: Newest<Vec<u8>>,
}

/// Tells the book which records are the newest. Asks for a walk only where a rule wants to know.
pub fn protect(root: &Root, folder: &Folder, book: &mut RuleBook) -> Result<Found, Problem> {
    let wanted = |rule| Some((rule, book.keep_newest(rule)?));
    let searches = (0..book.len()).filter_map(wanted).map(|(rule, count)| Search {
        rule,
        all: Newest::new(count),
        matching: Newest::new(count),
    });
    let mut searches: Vec<Search> = searches.collect();
    if searches.is_empty() {
        return Ok(Found::default());
    }
    walk(root, folder, &mut |record| {
        searches.iter_mut().for_each(|search| search.show(record, book));
        Flow::On
    })?;
    let mut found = Found::default();
    for search in searches {
        let (all, matching) = (search.all.kept_from(), search.matching.kept_from());
        book.protect(search.rule, Protection::From { all, matching });
        found.counted.push((search.rule, search.matching.counted()));
        found.guards.extend(search.guards());
    }
    Ok(found)
}

impl Search {
    fn show(&mut self, record: &Record<'_>, book: &RuleBook) {
        let Some((event, matches)) = record.counted(book, self.rule) else { return };
        self.all.show(event, || record.path().to_vec());
        if matches {
            self.matching.show(event, || record.path().to_vec());
        }
    }

    fn guards(self) -> impl Iterator<Item = Guard> {
        let rule = self.rule;
        let records = self.all.into_records().chain(self.matching.into_records());
        records.map(move |(event, path)| Guard { rule, path, event })
    }
}
