//! What is left of a chunk, one piece behind the other.

use super::line::Lines;
use crate::note::Gone;
use crate::source::csv::chunks::Chunk;
use crate::source::csv::index::Record;

/// The bytes of the records that stay, and what becomes of the others.
#[derive(Debug, Default)]
pub(super) struct Kept {
    bytes: Vec<u8>,
    /// How many records go, or change.
    pub(super) deleted: u64,
    /// What the others' clocks depend on of these.
    pub(super) gone: Gone,
}

impl Kept {
    /// Gathers what is left when no more than so many of the due records go, or change.
    pub(super) fn gather(
        &mut self,
        chunk: &Chunk,
        is_due: impl Fn(&Record<'_>) -> bool,
        lines: &Lines<'_>,
        most: u64,
    ) {
        self.bytes.clear();
        self.deleted = 0;
        lines.evidence.begin(&mut self.gone);
        let (bytes, mut from) = (chunk.bytes(), 0);
        for record in chunk.records() {
            if self.deleted < most && is_due(&record) {
                self.bytes.extend_from_slice(&bytes[from..record.start]);
                lines.write(&record, &mut self.bytes);
                lines.evidence.see(&lines.columns.row(record), &mut self.gone);
                from = record.end;
                self.deleted += 1;
            }
        }
        if self.deleted > 0 {
            self.bytes.extend_from_slice(&bytes[from..]);
        }
    }

    /// What stays of the chunk that it was gathered from.
    pub(super) fn bytes<'b>(&'b self, chunk: &'b Chunk) -> &'b [u8] {
        if self.deleted == 0 { chunk.bytes() } else { &self.bytes }
    }
}
