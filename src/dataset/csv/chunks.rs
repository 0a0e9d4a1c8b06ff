//! Reading a file in chunks of whole records, in memory that does not grow with the file.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;

use super::index::{Index, Record};
use super::{Dialect, Fault};

/// How much is read at once.
const BUFFER: usize = 256 * 1024;

/// The longest record that is judged. A longer one is most likely a quote that is not closed.
pub(super) const LONGEST: usize = 8 * 1024 * 1024;

/// Whole records, one behind the other from a place in the file.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    bytes: Vec<u8>,
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
        &self.bytes[..self.length]
    }

    /// Its records.
    #[inline]
    pub(crate) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.index.records(&self.bytes)
    }
}

/// A file's chunks.
#[derive(Debug)]
pub(crate) struct Chunks<R> {
    input: R,
    dialect: Dialect,
    size: usize,
    /// What has been read and belongs to no chunk yet.
    left: Vec<u8>,
    /// Where in the file that begins.
    offset: u64,
    is_whole: bool,
    gave_up: bool,
}

impl<R: Read> Chunks<R> {
    pub(crate) fn new(input: R, dialect: Dialect) -> Chunks<R> {
        Chunks::with_buffer(input, dialect, BUFFER)
    }

    pub(super) fn with_buffer(input: R, dialect: Dialect, size: usize) -> Chunks<R> {
        Chunks { input, dialect, size, left: Vec::new(), offset: 0, is_whole: false, gave_up: false }
    }

    /// How many fields a proper record has, known once the header has been read.
    pub(crate) fn expect(&mut self, width: u32) {
        self.dialect.width = Some(width);
    }

    pub(crate) fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// What the file begins with, before anything else is asked.
    pub(crate) fn beginning(&mut self, length: usize) -> io::Result<&[u8]> {
        while self.left.len() < length && !self.is_whole {
            let missing = length - self.left.len();
            self.is_whole = read_up_to(&mut self.input, &mut self.left, missing)?;
        }
        Ok(&self.left[..length.min(self.left.len())])
    }

    /// Passes over bytes that have been looked at.
    pub(crate) fn skip(&mut self, length: usize) {
        self.left.drain(..length);
        self.offset += length as u64;
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
        chunk.bytes.clear();
        chunk.bytes.append(&mut self.left);
        chunk.offset = self.offset;
        (chunk.part, chunk.length) = (None, 0);
        chunk.index.clear();
        self.read_on(&mut chunk.bytes)?;
        while !self.gave_up {
            chunk.index.build(&chunk.bytes, &self.dialect, self.is_whole, most);
            if !chunk.index.is_empty() || self.is_whole {
                return Ok(self.hand_out(chunk, None));
            }
            if chunk.bytes.len() >= LONGEST {
                self.gave_up = true;
                return Ok(self.hand_out(chunk, Some(Part::First)));
            }
            self.read_on(&mut chunk.bytes)?;
        }
        Ok(self.hand_out(chunk, Some(Part::Further)))
    }

    /// Keeps for later what belongs to no record of the chunk; whether it has any.
    fn hand_out(&mut self, chunk: &mut Chunk, part: Option<Part>) -> bool {
        chunk.part = part;
        chunk.length = if part.is_some() { chunk.bytes.len() } else { chunk.index.end() };
        self.left.extend_from_slice(&chunk.bytes[chunk.length..]);
        self.offset += chunk.length as u64;
        chunk.length > 0
    }

    /// Fills a buffer, or doubles a full one for a record that does not fit.
    fn read_on(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let more = if bytes.len() < self.size { self.size - bytes.len() } else { bytes.len() };
        if !self.is_whole {
            self.is_whole = read_up_to(&mut self.input, bytes, more)?;
        }
        Ok(())
    }
}

/// Reads so many bytes behind those that are there; whether the input has ended.
fn read_up_to(input: &mut impl Read, bytes: &mut Vec<u8>, more: usize) -> io::Result<bool> {
    let read = input.take(more as u64).read_to_end(bytes)?;
    Ok(read < more)
}

/// Chunks on their way between the thread that reads and the one that looks at them.
const UNDER_WAY: usize = 2;

/// Reads on one thread and works on another. `work` gets chunk after chunk, in order, and can end
/// it by an error.
pub(crate) fn each<R: Read + Send, E: From<io::Error> + Send>(
    chunks: &mut Chunks<R>,
    mut work: impl FnMut(&Chunk) -> Result<(), E>,
) -> Result<(), E> {
    let (full, ready) = sync_channel::<Chunk>(UNDER_WAY);
    let (used, empty) = channel::<Chunk>();
    thread::scope(|scope| {
        let reader = scope.spawn(move || read_all(chunks, &full, &empty));
        // When this ends early, the reader finds nobody to take its chunks.
        let worked = ready.into_iter().try_for_each(|chunk| {
            work(&chunk)?;
            // The reader has gone when it has read everything.
            let _ = used.send(chunk);
            Ok(())
        });
        let read = reader.join().unwrap_or_else(|_| Err(io::Error::other("the reading thread stopped")));
        worked.and(read.map_err(E::from))
    })
}

fn read_all<R: Read>(
    chunks: &mut Chunks<R>,
    full: &SyncSender<Chunk>,
    empty: &Receiver<Chunk>,
) -> io::Result<()> {
    loop {
        let mut chunk = empty.try_recv().unwrap_or_default();
        if !chunks.next(&mut chunk)? || full.send(chunk).is_err() {
            return Ok(());
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
