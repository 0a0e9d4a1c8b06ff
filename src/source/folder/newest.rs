//! Finding the newest records, which `keep-newest` keeps from every rule.

use super::record::Record;
use super::root::Root;
use super::walk::walk;
use crate::diagnostic::Code;
use crate::evaluate::{self, Evaluator};
use crate::policy::Folder;
use crate::source::Problem;
use crate::source::request::Flow;

/// A record that what is kept rests on, by its path below the folder.
pub type Guard = evaluate::Guard<Vec<u8>>;

/// What was found about the newest records.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The records on which that rests, where not all of their group are kept.
    pub guards: Vec<Guard>,
    /// What the search could not see. Others are kept in its place, so that too much may be kept
    /// and never too little.
    pub unseen: Option<Problem>,
}

/// The search for the newest records of every rule that keeps some.
pub(super) struct Search {
    newest: evaluate::Search<Vec<u8>>,
    /// Records whose time could not be seen.
    opaque: u64,
}

/// Tells the book which records are the newest.
pub fn protect(root: &Root, folder: &Folder, book: &Evaluator) -> Result<Found, Problem> {
    let mut search = Search::of(book);
    if !search.newest.is_needed() {
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
        Search { newest: evaluate::Search::of(book), opaque: 0 }
    }

    /// A search that nobody asks for.
    pub(super) fn none() -> Search {
        Search { newest: evaluate::Search::none(), opaque: 0 }
    }

    /// Shows it a record, and whether that is due where nothing is kept.
    pub(super) fn show(&mut self, record: &Record<'_>, book: &Evaluator, is_due: bool) {
        let key = || record.path().to_vec();
        let counts = self.newest.show(book, &|cell| record.cell(book, cell), key, is_due);
        // One whose name tells its time is not missed, whatever is in it.
        self.opaque += u64::from(!counts && record.opaque().is_some());
    }

    /// Whether one of the newest is due, and so must be kept.
    pub(super) fn keeps_what_is_due(&self) -> bool {
        self.newest.keeps_what_is_due()
    }

    /// Tells the book what was found.
    pub(super) fn settle(self, book: &Evaluator) -> Found {
        let found =
            Found { guards: self.newest.guards(usize::MAX).unwrap_or_default(), unseen: unseen(self.opaque) };
        self.newest.settle(book);
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
