//! Byte by byte through one record: the meaning of quotes, wherever they stand.
//!
//! A field that begins with a quote ends at the next single one; two stand for one. Behind the
//! closing quote only a delimiter or a line end may follow. A quote inside a field that does not
//! begin with one is a byte like any other. A record ends at a line feed outside of quotes.

use memchr::{memchr, memchr2};

use super::{Dialect, Fault};

/// How a walk through one record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walked {
    /// At this byte, the first one behind the record.
    To(usize, Option<Fault>),
    /// The bytes end before the record does, and more may follow.
    Unfinished,
}

/// How one field ended.
enum Stop {
    Delimiter(usize),
    LineEnd(usize),
    EndOfBytes,
}

/// Walks through the record that begins at `from`, and notes where its fields end. `is_whole`
/// says that nothing follows the bytes.
pub(super) fn record(
    bytes: &[u8],
    from: usize,
    dialect: &Dialect,
    is_whole: bool,
    mut mark: impl FnMut(usize),
) -> Walked {
    let (mut at, mut fault) = (from, None);
    loop {
        let stop = match field(bytes, at, dialect, &mut fault) {
            Some(stop) => stop,
            None if is_whole => {
                fault = Some(Fault::Unclosed);
                Stop::EndOfBytes
            }
            None => return Walked::Unfinished,
        };
        match stop {
            Stop::Delimiter(end) => {
                mark(end);
                at = end + 1;
            }
            Stop::LineEnd(end) => {
                mark(end);
                return Walked::To(end + 1, fault);
            }
            Stop::EndOfBytes if is_whole => {
                mark(bytes.len());
                return Walked::To(bytes.len(), fault);
            }
            Stop::EndOfBytes => return Walked::Unfinished,
        }
    }
}

/// Where the field that begins at `at` ends; none where its quote is not closed.
fn field(bytes: &[u8], at: usize, dialect: &Dialect, fault: &mut Option<Fault>) -> Option<Stop> {
    let Some(quote) = dialect.quote.filter(|quote| bytes.get(at) == Some(quote)) else {
        return Some(plain(bytes, at, dialect));
    };
    let behind = closing(bytes, at + 1, quote)? + 1;
    let stop = plain(bytes, behind, dialect);
    let end = match stop {
        Stop::Delimiter(end) | Stop::LineEnd(end) => end,
        Stop::EndOfBytes => bytes.len(),
    };
    let is_clean = match stop {
        Stop::LineEnd(_) => end == behind || bytes[behind..end] == *b"\r",
        Stop::Delimiter(_) | Stop::EndOfBytes => end == behind,
    };
    if !is_clean {
        *fault = fault.or(Some(Fault::BehindQuote));
    }
    Some(stop)
}

/// The next byte that ends a field without quotes.
fn plain(bytes: &[u8], at: usize, dialect: &Dialect) -> Stop {
    match memchr2(dialect.delimiter, b'\n', &bytes[at..]) {
        None => Stop::EndOfBytes,
        Some(further) if bytes[at + further] == b'\n' => Stop::LineEnd(at + further),
        Some(further) => Stop::Delimiter(at + further),
    }
}

/// The closing quote. Where the bytes end behind a quote, that one closes: only where more
/// bytes may follow can it turn out to be the first of two.
fn closing(bytes: &[u8], mut at: usize, quote: u8) -> Option<usize> {
    loop {
        let found = at + memchr(quote, &bytes[at..])?;
        if bytes.get(found + 1) != Some(&quote) {
            return Some(found);
        }
        at = found + 2;
    }
}
