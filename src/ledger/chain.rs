//! Walking a ledger from its first byte: lines, their order, their hashes. One
//! line is in memory at a time.

use std::io::{self, BufRead, BufReader, Read};

use serde::de::IgnoredAny;

use crate::ledger::finding::{Fault, Finding};
use crate::ledger::line::{LONGEST, Line};
use crate::ledger::link::{Hash, Link};

const BUFFER: usize = 64 * 1024;

/// A piece of the file, as its line ends divide it.
#[derive(Debug)]
pub(crate) enum Piece {
    /// A line, its end taken off.
    Whole,
    /// What stands after the last line end.
    Torn,
    /// More than any entry needs.
    TooLong,
}

/// The lines of a ledger.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    piece: Vec<u8>,
    /// How many were read.
    pub(crate) count: u64,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(reader: R) -> Lines<R> {
        Lines { reader: BufReader::with_capacity(BUFFER, reader), piece: Vec::new(), count: 0 }
    }

    /// The bytes of the piece that was read last.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.piece
    }

    /// Reads the next piece.
    pub(crate) fn read(&mut self) -> io::Result<Option<Piece>> {
        self.piece.clear();
        if self.read_part()? == 0 {
            return Ok(None);
        }
        self.count += 1;
        if self.piece.pop_if(|byte| *byte == b'\n').is_some() {
            return Ok(Some(Piece::Whole));
        }
        if self.piece.len() < LONGEST {
            return Ok(Some(Piece::Torn));
        }
        self.skip_line().map(|()| Some(Piece::TooLong))
    }

    fn read_part(&mut self) -> io::Result<usize> {
        self.reader.by_ref().take(LONGEST as u64).read_until(b'\n', &mut self.piece)
    }

    fn skip_line(&mut self) -> io::Result<()> {
        while self.piece.last() != Some(&b'\n') {
            self.piece.clear();
            if self.read_part()? == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// What the next line has to be, given those before.
#[derive(Debug)]
struct Expected {
    seq: u64,
    /// Unknown after a line that broke the order.
    prev: Option<Hash>,
}

impl Expected {
    fn check<'a>(&mut self, bytes: &'a [u8]) -> Result<Line<'a>, Fault> {
        let Some(line) = Line::split(bytes) else {
            *self = Expected { seq: self.seq + 1, prev: None };
            return Err(Fault::NotAnEntry);
        };
        let fault = self.fault(&line);
        let in_order = line.link.seq >= self.seq;
        self.prev = in_order.then_some(line.link.hash);
        self.seq = self.seq.max(line.link.seq.saturating_add(1));
        fault.map_or(Ok(line), Err)
    }

    fn fault(&self, line: &Line<'_>) -> Option<Fault> {
        let seq = line.link.seq;
        if line.actual_hash() != line.link.hash {
            Some(Fault::Changed { seq })
        } else if seq < self.seq {
            Some(Fault::OutOfOrder { seq, expected: self.seq })
        } else if seq > self.seq {
            Some(Fault::Lost { first: self.seq, last: seq - 1 })
        } else if self.prev.is_some_and(|prev| prev != line.prev) {
            Some(Fault::Unchained { seq })
        } else {
            serde_json::from_str::<IgnoredAny>(line.text).is_err().then_some(Fault::NotAnEntry)
        }
    }
}

/// What the walk came to.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// An entry that stands where it belongs.
    Entry(Line<'a>),
    /// A last line without an end.
    Torn(&'a [u8]),
    /// Something is wrong with a line.
    Wrong(Finding),
}

/// A walk along the chain.
#[derive(Debug)]
pub(crate) struct Walk<R> {
    lines: Lines<R>,
    expected: Expected,
    /// The last entry that stood where it belongs.
    pub(crate) last: Link,
    /// The length of all whole lines so far.
    pub(crate) length: u64,
}

impl<R: Read> Walk<R> {
    pub(crate) fn new(reader: R) -> Walk<R> {
        let expected = Expected { seq: 1, prev: Some(Hash::ZERO) };
        Walk { lines: Lines::new(reader), expected, last: Link::START, length: 0 }
    }

    /// The highest number so far, whether or not its entry is as it should be.
    pub(crate) fn reached(&self) -> u64 {
        self.expected.seq - 1
    }

    /// Goes on by one line.
    pub(crate) fn step(&mut self) -> io::Result<Option<Step<'_>>> {
        let Some(piece) = self.lines.read()? else {
            return Ok(None);
        };
        let at_line = Some(self.lines.count);
        let bytes = self.lines.bytes();
        let checked = match piece {
            Piece::Torn => return Ok(Some(Step::Torn(bytes))),
            Piece::TooLong => Err(Fault::NotAnEntry),
            Piece::Whole => self.expected.check(bytes),
        };
        self.length += bytes.len() as u64 + 1;
        Ok(Some(match checked {
            Ok(line) => {
                self.last = line.link;
                Step::Entry(line)
            }
            Err(fault) => Step::Wrong(Finding { line: at_line, fault }),
        }))
    }
}
