//! Lines that other records' clocks depend on: what they say is noted before they go.

use crate::evaluate::Answers;
use crate::note::{Asked, Gone};
use crate::policy::On;
use crate::source::csv::columns::Row;
use crate::source::request::TableQuery;

/// The questions of a policy about the lines of a source.
#[derive(Debug)]
pub(super) struct Evidence {
    asked: Vec<Asked>,
    /// For each, the key and the columns that it reads, one behind the other.
    columns: Vec<String>,
    /// How many columns stand before these.
    before: usize,
}

impl Evidence {
    pub(super) fn of(request: &TableQuery<'_>, deletes: bool) -> Evidence {
        let mut asked = Asked::all(request.policy);
        // What is anonymised says what it said before: no rule may set what others read.
        if !deletes {
            asked.clear();
        }
        asked.retain(|asked| {
            asked.evidence_source() == request.source() && asked.question.relation.on.is_some()
        });
        let columns = asked.iter().flat_map(|asked| {
            let key = asked.question.relation.on.iter().flat_map(On::theirs).map(|side| &side.column);
            key.chain(asked.question.columns())
        });
        Evidence { columns: columns.cloned().collect(), before: request.book.columns().len(), asked }
    }

    /// What is read of a line besides what the rules read.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Begins with nothing seen.
    pub(super) fn begin(&self, gone: &mut Gone) {
        if gone.asked().len() == self.asked.len() {
            gone.clear();
        } else {
            *gone = self.nothing_gone();
        }
    }

    pub(super) fn nothing_gone(&self) -> Gone {
        Gone::of(self.asked.clone())
    }

    /// Looks at a line that goes, or changes.
    pub(super) fn see(&self, row: &Row<'_>, gone: &mut Gone) {
        let mut first = self.before;
        for (place, asked) in self.asked.iter().enumerate() {
            let Some(on) = &asked.question.relation.on else { continue };
            // No field is binary data, and so every key can be read.
            let width = on.pairs().len();
            if let Ok(Some(key)) = Answers::key_of(on.theirs(), |part| row.value(first + part)) {
                for key in Answers::doubt_about(&key).into_iter().chain([key.as_slice()]) {
                    gone.see(place, key, |column| row.value(first + width + column));
                }
            }
            first += width + asked.question.columns().count();
        }
    }
}
