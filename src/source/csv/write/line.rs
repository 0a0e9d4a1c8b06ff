//! A line of which some fields are set: every other byte of it stays.

use super::evidence::Evidence;
use crate::anonymise::{Key, Made};
use crate::evaluate::Evaluator;
use crate::policy::CsvFiles;
use crate::source::csv::columns::Columns;
use crate::source::csv::index::Record;
use crate::value::Owned;

/// What becomes of the due lines of a file.
pub(super) struct Lines<'a> {
    pub(super) source: &'a CsvFiles,
    pub(super) columns: &'a Columns,
    pub(super) book: &'a Evaluator,
    pub(super) rule: usize,
    /// What pseudonyms are made with.
    pub(super) key: Option<&'a Key>,
    /// What other records' clocks depend on.
    pub(super) evidence: &'a Evidence,
}

impl Lines<'_> {
    /// Adds what becomes of a due record: nothing, where it is deleted.
    pub(super) fn write(&self, record: &Record<'_>, into: &mut Vec<u8>) {
        if self.book.deletes(self.rule) {
            return;
        }
        let mut fields = self.fields(record);
        fields.sort_unstable_by_key(|(place, _)| *place);
        let (bytes, mut from) = (record.bytes(), 0);
        for (place, made) in fields {
            let span = record.span(place);
            into.extend_from_slice(&bytes[from..span.start]);
            self.write_field(&bytes[span.clone()], &made, into);
            from = span.end;
        }
        into.extend_from_slice(&bytes[from..]);
    }

    /// The fields that change: their places in the file, and what they become.
    fn fields(&self, record: &Record<'_>) -> Vec<(usize, Vec<u8>)> {
        let row = self.columns.row(*record);
        let settings = 0..self.book.settings(self.rule);
        let changed = settings.filter_map(|setting| {
            let made = self.book.make(self.rule, setting, &|column| row.value(column));
            let place = self.columns.place(self.book.cell_of(self.rule, setting));
            Some((place, self.columns.encoded(self.text(made)?)?))
        });
        changed.collect()
    }

    /// As text; none where the field stays as it is.
    fn text(&self, made: Made<'_>) -> Option<Vec<u8>> {
        match made {
            Made::Nothing => Some(Vec::new()),
            Made::Value(Owned::Text(text)) => Some(text),
            Made::Value(Owned::Integer(number)) => Some(number.to_string().into_bytes()),
            Made::Value(Owned::Real(number)) => Some(format!("{number:?}").into_bytes()),
            Made::PseudonymOf(text) => Some(self.key?.pseudonym(&text).into_bytes()),
            Made::Already | Made::Illegible(_) => None,
        }
    }

    /// In quotes where the old field was, or where it must be.
    fn write_field(&self, old: &[u8], made: &[u8], into: &mut Vec<u8>) {
        let Some(quote) = self.source.quote else {
            // What cannot be written stays, and is told as due.
            let is_plain = !made.iter().any(|byte| self.ends_field(*byte));
            into.extend_from_slice(if is_plain { made } else { old });
            return;
        };
        let must = made.iter().any(|byte| *byte == quote || self.ends_field(*byte));
        let was = old.starts_with(&[quote]) && !made.is_empty();
        if !must && !was {
            into.extend_from_slice(made);
            return;
        }
        into.push(quote);
        for byte in made {
            into.extend(std::iter::repeat_n(*byte, if *byte == quote { 2 } else { 1 }));
        }
        into.push(quote);
    }

    fn ends_field(&self, byte: u8) -> bool {
        byte == self.columns.delimiter || matches!(byte, b'\n' | b'\r')
    }
}
