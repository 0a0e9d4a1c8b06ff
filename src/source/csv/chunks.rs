//! Reading a file in chunks of whole records, in memory that does not grow with the file.

use std::io::{self, Read};

use memchr::memchr;

use super::index::{Index, Record};
use super::{Dialect, Fault};

/// How much is read at once.
const BUFFER: usize = 256 * 1024;

/// How much of a line before the header is read at first.
const LINE: usize = 1024;

/// The longest record that is judged. A longer one is most likely a quote that is not closed.
pub(super) const LONGEST: usize = 8 * 1024 * 1024;

/// Whole records, one behind the other from a place in the file.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// Room, then what the chunk before left over, then what was read.
    buffer: Vec<u8>,
    /// Where in the buffer the chunk begins.
    from: usize,
    /// Where in the buffer what was read ends.
    to: usize,
    /// How many of the bytes its records cover.
    length: usize,
    index: Index,
    /// Where in the file its first byte stands.
    pub(crate) offset: u64,
    /// Set where the bytes are part of a record that is too long, and of all behind it.
    pub(crate) part: Option<Part>,
}

/// Which part of what cannot be judged a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    First,
    Further,
}

impl Chunk {
    /// All its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.from..][..self.length]
    }

    /// Its records.
    #[inline]
    pub(crate) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.index.records(self.content())
    }

    /// All that was read, records or not.
    fn content(&self) -> &[u8] {
        &self.buffer[self.from..self.to]
    }

    /// Puts what the chunk before left over in front of what was read.
    fn put_in_front(&mut self, left: &mut Vec<u8>) {
        if left.len() <= self.from {
            self.from -= left.len();
            self.buffer[self.from..][..left.len()].copy_from_slice(left);
        } else {
            // What an earlier block left behind the end must not grow with every further one.
            self.buffer.truncate(self.to);
            self.buffer.splice(..self.from, left.iter().copied());
            self.to = self.to - self.from + left.len();
            self.from = 0;
        }
        left.clear();
    }
}

/// What is read of a file, block by block, whatever it means.
#[derive(Debug)]
pub(super) struct Blocks<R> {
    input: R,
    pub(super) size: usize,
    /// Whether the input has ended.
    is_over: bool,
}

impl<R: Read> Blocks<R> {
    /// Reads so many bytes; whether they are the last.
    pub(super) fn read(&mut self, chunk: &mut Chunk, length: usize) -> io::Result<bool> {
        // A record that goes over the end of a block is seldom longer than this.
        let room = self.size / 4;
        if chunk.buffer.len() < room + length {
            // Zeroed by the system where it is used, which for a small file is little of it.
            chunk.buffer = vec![0; room + length];
        }
        (chunk.from, chunk.to) = (room, room);
        while !self.is_over && chunk.to < room + length {
            match self.input.read(&mut chunk.buffer[chunk.to..room + length]) {
                Ok(0) => self.is_over = true,
                Ok(read) => chunk.to += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.is_over)
    }
}

/// Where records begin and end, one block after the other.
#[derive(Debug)]
pub(super) struct Structure {
    dialect: Dialect,
    /// What has been read and belongs to no chunk yet.
    left: Vec<u8>,
    /// Where in the file that begins.
    offset: u64,
    /// How much must be there before it is looked for the end of a record again.
    wanted: usize,
    gave_up: bool,
}

impl Structure {
    /// Finds up to so many whole records in the next block and in what is left of those before.
    /// There may be none, if the block is not the last.
    pub(super) fn find(&mut self, chunk: &mut Chunk, is_last: bool, most: usize) {
        chunk.put_in_front(&mut self.left);
        (chunk.offset, chunk.part, chunk.length) = (self.offset, None, 0);
        chunk.index.clear();
        if self.gave_up {
            return self.hand_out(chunk, chunk.content().len(), Some(Part::Further));
        }
        let there = chunk.to - chunk.from;
        if there < self.wanted && !is_last {
            return self.hand_out(chunk, 0, None);
        }
        chunk.index.build(&chunk.buffer[chunk.from..chunk.to], &self.dialect, is_last, most);
        self.wanted = 0;
        // A record that began in an earlier block is the first.
        let is_too_long = chunk.records().next().is_some_and(|first| first.end > LONGEST);
        if !is_too_long && (!chunk.index.is_empty() || is_last) {
            self.hand_out(chunk, chunk.index.end(), None);
        } else if is_too_long || there >= LONGEST {
            chunk.index.clear();
            self.gave_up = true;
            self.hand_out(chunk, there, Some(Part::First));
        } else {
            // Twice as much each time, so that it is not looked for too often.
            self.wanted = (2 * there).min(LONGEST);
            self.hand_out(chunk, 0, None);
        }
    }

    /// Keeps for later what belongs to no record of the chunk.
    fn hand_out(&mut self, chunk: &mut Chunk, length: usize, part: Option<Part>) {
        (chunk.length, chunk.part) = (length, part);
        self.left.extend_from_slice(&chunk.content()[length..]);
        self.offset += length as u64;
    }
}

/// A file's chunks.
#[derive(Debug)]
pub(crate) struct Chunks<R> {
    pub(super) blocks: Blocks<R>,
    pub(super) structure: Structure,
}

impl<R: Read> Chunks<R> {
    pub(crate) fn new(input: R, dialect: Dialect) -> Chunks<R> {
        Chunks::with_buffer(input, dialect, BUFFER)
    }

    pub(super) fn with_buffer(input: R, dialect: Dialect, size: usize) -> Chunks<R> {
        let structure = Structure { dialect, left: Vec::new(), offset: 0, wanted: 0, gave_up: false };
        Chunks { blocks: Blocks { input, size, is_over: false }, structure }
    }

    /// How many fields a proper record has, known once the header has been read.
    pub(crate) fn expect(&mut self, width: u32) {
        self.structure.dialect.width = Some(width);
    }

    pub(crate) fn dialect(&self) -> &Dialect {
        &self.structure.dialect
    }

    /// What the file begins with, before anything else is asked.
    pub(crate) fn beginning(&mut self, length: usize) -> io::Result<&[u8]> {
        let left = &mut self.structure.left;
        let mut chunk = Chunk::default();
        self.blocks.read(&mut chunk, length.saturating_sub(left.len()))?;
        left.extend_from_slice(chunk.content());
        Ok(&left[..length.min(left.len())])
    }

    /// Fields are separated otherwise than was thought.
    pub(crate) fn separate_by(&mut self, delimiter: u8) {
        self.structure.dialect.delimiter = delimiter;
    }

    /// Passes over a line, whatever stands in it; none at the end of the file.
    pub(crate) fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let (mut wanted, mut seen) = (LINE, 0);
        loop {
            let there = self.beginning(wanted)?;
            let end = memchr(b'\n', &there[seen..]).map(|at| seen + at + 1);
            let is_over = there.len() < wanted || wanted > LONGEST;
            if let Some(length) = end.or(is_over.then_some(there.len())) {
                let line = there[..length].to_vec();
                self.skip(length);
                return Ok(Some(line).filter(|line| !line.is_empty()));
            }
            (seen, wanted) = (there.len(), 2 * wanted);
        }
    }

    /// Passes over bytes that have been looked at.
    pub(crate) fn skip(&mut self, length: usize) {
        self.structure.left.drain(..length);
        self.structure.offset += length as u64;
    }

    /// The first record alone, such as a header.
    pub(crate) fn first(&mut self, chunk: &mut Chunk) -> io::Result<bool> {
        self.next_of(chunk, 1)
    }

    /// The next whole records; false at the end of the file.
    pub(crate) fn next(&mut self, chunk: &mut Chunk) -> io::Result<bool> {
        self.next_of(chunk, usize::MAX)
    }

    fn next_of(&mut self, chunk: &mut Chunk, most: usize) -> io::Result<bool> {
        loop {
            let (there, wanted) = (self.structure.left.len(), self.structure.wanted);
            let more = wanted.max(self.blocks.size).saturating_sub(there);
            let is_last = self.blocks.read(chunk, if more == 0 { there } else { more })?;
            self.structure.find(chunk, is_last, most);
            if chunk.length > 0 || is_last {
                return Ok(chunk.length > 0);
            }
        }
    }
}

impl Fault {
    /// What is wrong, for people.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Fault::Ragged => "it has more or fewer fields than the header",
            Fault::BehindQuote => "something stands behind a closing quote",
            Fault::Unclosed => "its quote is not closed",
            Fault::TooLong => "it is longer than 8 MiB, most likely for a quote that is not closed",
        }
    }
}
