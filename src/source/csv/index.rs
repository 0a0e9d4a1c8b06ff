//! Where records and their fields are in a stretch of bytes.
//!
//! While every quote stands where quotes belong, at the beginning or the end of a field or
//! doubled inside of one, the parity of quotes tells inside from outside, sixty-four bytes at a
//! time. Where one stands elsewhere, its record is walked byte by byte. (The parity of quotes as
//! a prefix of exclusive-ors: Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019.)

use std::ops::Range;

use super::blocks::{BLOCK, Masks, Needles, prefix_xor};
use super::walk::{self, Walked};
use super::{Dialect, Fault};

/// Records in one index at most, so that it stays small whatever the bytes.
const MOST_RECORDS: usize = 262_144;

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    /// The first byte behind it.
    end: u32,
    fault: Option<Fault>,
}

/// The records of a stretch of bytes, one behind the other from its beginning.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// One bit a byte: set where a field ends, at a delimiter or line end outside of quotes.
    separators: Vec<u64>,
    rows: Vec<Row>,
    /// How many records are wanted.
    most: usize,
}

/// One record in its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    bytes: &'a [u8],
    separators: &'a [u64],
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) fault: Option<Fault>,
}

/// What must be remembered from one block to the next.
struct Carry {
    /// All ones inside of quotes.
    inside: u64,
    /// A one in the lowest place where a field may begin there.
    separator: u64,
    /// A one in the lowest place where the byte before closes quotes.
    closing: u64,
    /// How many fields the record has that is not yet ended.
    width: u32,
}

impl Index {
    /// Finds up to so many records from the beginning of the bytes. `is_whole` says that nothing
    /// follows: then the last record needs no line end.
    pub(crate) fn build(&mut self, bytes: &[u8], dialect: &Dialect, is_whole: bool, most: usize) {
        self.clear();
        self.most = most.min(MOST_RECORDS);
        // One place more than there are bytes, for a last record without a line end.
        self.separators.resize(bytes.len() / BLOCK + 1, 0);
        let needles = Needles::new(dialect.quote, dialect.delimiter);
        loop {
            let irregular = self.regular_part(bytes, &needles, dialect);
            if self.is_full() || !self.walk_past(irregular, bytes, dialect, is_whole) {
                return;
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.separators.clear();
        self.rows.clear();
    }

    /// How many bytes its records cover.
    pub(crate) fn end(&self) -> usize {
        self.rows.last().map_or(0, |row| row.end as usize)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The records, in the bytes that the index was built from.
    #[inline]
    pub(crate) fn records<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Record<'a>> {
        let mut start = 0;
        self.rows.iter().map(move |row| {
            let end = row.end as usize;
            let record = Record { bytes, separators: &self.separators, start, end, fault: row.fault };
            start = end;
            record
        })
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= self.most
    }

    /// Goes on from the last record's end while quotes are regular; returns the first place where
    /// they are not, or the end of the bytes.
    fn regular_part(&mut self, bytes: &[u8], needles: &Needles, dialect: &Dialect) -> usize {
        let from = self.end();
        let mut first = from % BLOCK;
        let mut at = from - first;
        let mut carry = Carry { inside: 0, separator: 1 << first, closing: 0, width: 0 };
        while at < bytes.len() && !self.is_full() {
            let masks = masks_at(bytes, at, needles).from(first);
            let inside = prefix_xor(masks.quotes) ^ carry.inside;
            let separators = (masks.delimiters | masks.line_ends) & !inside;
            let irregular = irregular(bytes, at, &masks, inside, separators, &carry);
            if irregular != 0 {
                return at + irregular.trailing_zeros() as usize;
            }
            self.separators[at / BLOCK] |= separators;
            let width = self.note(at, separators, masks.line_ends & !inside, carry.width, dialect);
            carry = Carry {
                inside: ((inside as i64) >> 63) as u64,
                separator: separators >> 63,
                closing: (masks.quotes & !inside) >> 63,
                width,
            };
            at += BLOCK;
            first = 0;
        }
        self.rows.truncate(self.most);
        bytes.len()
    }

    /// Notes the ends of records in one block; how many fields the last record has so far.
    #[inline]
    fn note(
        &mut self,
        at: usize,
        separators: u64,
        mut line_ends: u64,
        before: u32,
        dialect: &Dialect,
    ) -> u32 {
        let mut ended = 0;
        while line_ends != 0 {
            let bit = line_ends.trailing_zeros();
            let width = (separators & (u64::MAX >> (63 - bit))).count_ones();
            self.rows.push(Row { end: (at as u32) + bit + 1, fault: dialect.ragged(before + width - ended) });
            ended = before + width;
            line_ends &= line_ends - 1;
        }
        before + separators.count_ones() - ended
    }

    /// Walks through the records up to and with the one that holds a place; whether there may be
    /// more of them.
    fn walk_past(&mut self, place: usize, bytes: &[u8], dialect: &Dialect, is_whole: bool) -> bool {
        // What lies behind the last record was noted under another reading of its quotes.
        self.forget(self.end(), place);
        while self.end() < bytes.len() && self.end() <= place && !self.is_full() {
            let (from, mut width) = (self.end(), 0);
            let separators = &mut self.separators;
            let walked = walk::record(bytes, from, dialect, is_whole, |mark| {
                separators[mark / BLOCK] |= 1 << (mark % BLOCK);
                width += 1;
            });
            let Walked::To(end, fault) = walked else { return false };
            let fault = fault.or_else(|| dialect.ragged(width));
            self.rows.push(Row { end: end as u32, fault });
        }
        self.end() < bytes.len() && !self.is_full()
    }

    fn forget(&mut self, from: usize, to: usize) {
        self.separators[from / BLOCK] &= !(u64::MAX << (from % BLOCK));
        self.separators[from / BLOCK..=to / BLOCK][1..].fill(0);
    }
}

impl Masks {
    /// Without the bytes before this one.
    #[inline]
    fn from(self, first: usize) -> Masks {
        let there = u64::MAX << first;
        Masks {
            quotes: self.quotes & there,
            delimiters: self.delimiters & there,
            line_ends: self.line_ends & there,
        }
    }
}

#[inline]
fn masks_at(bytes: &[u8], at: usize, needles: &Needles) -> Masks {
    match bytes[at..].first_chunk::<BLOCK>() {
        Some(block) => needles.find(block),
        None => {
            // No quote, delimiter or line end can be zero, and so none is found behind the bytes.
            let mut block = [0; BLOCK];
            block[..bytes.len() - at].copy_from_slice(&bytes[at..]);
            needles.find(&block)
        }
    }
}

/// The quotes that stand where none belongs, or close what goes on.
#[inline]
fn irregular(bytes: &[u8], at: usize, masks: &Masks, inside: u64, separators: u64, carry: &Carry) -> u64 {
    if masks.quotes == 0 && carry.closing == 0 {
        return 0;
    }
    let (opening, closing) = (masks.quotes & inside, masks.quotes & !inside);
    let may_open = (separators << 1) | carry.separator | (closing << 1) | carry.closing;
    let behind_closing = (closing << 1) | carry.closing;
    let goes_on = behind_closing & !(separators | opening);
    (opening & !may_open) | if goes_on == 0 { 0 } else { not_line_ends(bytes, at, goes_on) }
}

/// Those of the places at which no carriage return with its line feed begins.
#[cold]
fn not_line_ends(bytes: &[u8], at: usize, mut places: u64) -> u64 {
    let mut others = 0;
    while places != 0 {
        let bit = places & places.wrapping_neg();
        let place = at + places.trailing_zeros() as usize;
        if bytes.get(place..place + 2) != Some(b"\r\n") {
            others |= bit;
        }
        places ^= bit;
    }
    others
}

impl<'a> Record<'a> {
    /// Its bytes, the line end included.
    #[inline]
    pub(crate) fn bytes(&self) -> &'a [u8] {
        &self.bytes[self.start..self.end]
    }

    /// One field as it is written, quotes included, the line end not.
    #[inline(always)]
    pub(crate) fn field(&self, place: usize) -> &'a [u8] {
        let (from, to) = self.near_field(place).unwrap_or_else(|| self.far_field(place));
        let field = &self.bytes[from..to];
        let ends_line = to + 1 == self.end && self.bytes[to] == b'\n';
        if ends_line && let Some(shorter) = field.strip_suffix(b"\r") { shorter } else { field }
    }

    /// Where one field stands among its bytes.
    pub(crate) fn span(&self, place: usize) -> Range<usize> {
        let (from, _) = self.near_field(place).unwrap_or_else(|| self.far_field(place));
        let from = from - self.start;
        from..from + self.field(place).len()
    }

    /// Where a field begins and ends, if that is within as many bytes as a word has bits: without a
    /// loop over words, whose turns nobody could foretell.
    #[inline(always)]
    fn near_field(&self, place: usize) -> Option<(usize, usize)> {
        let (word, bit) = (self.start / BLOCK, self.start % BLOCK);
        let here = self.separators.get(word)? >> bit;
        // In two steps: a word cannot be moved by all its bits.
        let next = self.separators.get(word + 1)? << 1 << (BLOCK - 1 - bit);
        let mut ends = here | next;
        let mut from = 0;
        for _ in 0..place {
            from = ends.trailing_zeros() as usize + 1;
            ends &= ends.wrapping_sub(1);
        }
        (ends != 0).then(|| (self.start + from, self.start + ends.trailing_zeros() as usize))
    }

    #[cold]
    fn far_field(&self, place: usize) -> (usize, usize) {
        let mut ends = Ends::from(self.separators, self.start);
        let from = match place {
            0 => self.start,
            _ => ends.nth(place - 1) + 1,
        };
        (from, ends.nth(0))
    }

    /// How many fields it has.
    pub(crate) fn width(&self) -> usize {
        let mut ends = Ends::from(self.separators, self.start);
        let is_own = |end: &usize| *end < self.end || (*end == self.end && self.bytes[self.end - 1] != b'\n');
        std::iter::from_fn(|| ends.next()).take_while(is_own).count()
    }

    /// Whether there is nothing on its line.
    #[inline]
    pub(crate) fn is_blank(&self) -> bool {
        self.end - self.start <= 2 && matches!(self.bytes(), b"\n" | b"\r\n")
    }
}

/// The places of set bits, in rising order.
struct Ends<'a> {
    separators: &'a [u64],
    word: usize,
    bits: u64,
}

impl<'a> Ends<'a> {
    #[inline]
    fn from(separators: &'a [u64], place: usize) -> Ends<'a> {
        let word = place / BLOCK;
        Ends { separators, word, bits: separators[word] & (u64::MAX << (place % BLOCK)) }
    }

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.word += 1;
            self.bits = *self.separators.get(self.word)?;
        }
        let place = self.word * BLOCK + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(place)
    }

    /// The one behind so many others. A proper record has as many fields as are asked for.
    #[inline]
    fn nth(&mut self, others: usize) -> usize {
        for _ in 0..others {
            self.next();
        }
        self.next().unwrap_or_default()
    }
}
