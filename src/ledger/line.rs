//! The one form in which an entry is written, byte for byte.

use crate::ledger::error::LedgerError;
use crate::ledger::event::Event;
use crate::ledger::link::{Hash, Link, number};

/// A longer line is not ours, so a damaged file cannot fill the memory.
pub(crate) const LONGEST: usize = 1 << 20;

const PREV: &[u8] = b",\"prev\":\"";
const HASH: &[u8] = b"\",\"hash\":\"";
const END: &[u8] = b"\"}";
const HEX: usize = 64;
const TAIL: usize = PREV.len() + HEX + HASH.len() + HEX + END.len();

/// The parts of a line that the chain is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// All of it, without the line end.
    pub(crate) text: &'a str,
    pub(crate) at: &'a str,
    pub(crate) run: &'a str,
    pub(crate) event: &'a str,
    /// The hash that it gives for the entry before.
    pub(crate) prev: Hash,
    /// Its number, and the hash that it gives for itself.
    pub(crate) link: Link,
}

impl<'a> Line<'a> {
    /// Takes a line apart, if it has exactly the form that frist writes.
    pub(crate) fn split(bytes: &'a [u8]) -> Option<Line<'a>> {
        let text = str::from_utf8(bytes).ok().filter(|text| !text.bytes().any(|byte| byte < b' '))?;
        let (body, tail) = bytes.split_at_checked(bytes.len().checked_sub(TAIL)?)?;
        let (prev, hash) = split_tail(tail)?;
        let (seq, rest) = until(body.strip_prefix(b"{\"seq\":")?, b',')?;
        let (at, rest) = word(rest, b"\"at\":\"")?;
        let (run, rest) = word(rest.strip_prefix(b",")?, b"\"run\":\"")?;
        let (event, rest) = word(rest.strip_prefix(b",")?, b"\"event\":\"")?;
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
        Some(Line { text, at, run, event, prev, link: Link { seq: number(seq)?, hash } })
    }

    /// The hash that its bytes have.
    pub(crate) fn actual_hash(&self) -> Hash {
        let covered = self.text.len() - (HASH.len() - 1) - HEX - END.len();
        Hash::of(&self.text.as_bytes()[..covered])
    }
}

fn split_tail(tail: &[u8]) -> Option<(Hash, Hash)> {
    let (prev, tail) = tail.strip_prefix(PREV)?.split_at_checked(HEX)?;
    let (hash, end) = tail.strip_prefix(HASH)?.split_at_checked(HEX)?;
    (end == END).then_some((Hash::read(prev)?, Hash::read(hash)?))
}

fn until(bytes: &[u8], stop: u8) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == stop)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

fn word<'a>(bytes: &'a [u8], name: &[u8]) -> Option<(&'a str, &'a [u8])> {
    let (value, rest) = until(bytes.strip_prefix(name)?, b'"')?;
    let value = str::from_utf8(value).ok().filter(|value| is_plain(value))?;
    Some((value, rest))
}

/// Times, run ids and event names need no JSON escapes, so each of them can be
/// written in one way only.
pub(crate) fn is_plain(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-+:._".contains(&byte);
    !word.is_empty() && word.bytes().all(plain)
}

/// Writes the line of an event that follows the entry `after`, with its line end.
pub(crate) fn compose(
    after: Link,
    at: &str,
    run: &str,
    event: &Event,
) -> Result<(String, Link), LedgerError> {
    let seq = after.seq + 1;
    let json = serde_json::to_string(event).map_err(LedgerError::Encoding)?;
    let fields = &json[1..json.len() - 1];
    let prev = after.hash;
    let covered = format!(r#"{{"seq":{seq},"at":"{at}","run":"{run}",{fields},"prev":"{prev}""#);
    let hash = Hash::of(covered.as_bytes());
    let line = format!("{covered},\"hash\":\"{hash}\"}}\n");
    Ok((line, Link { seq, hash }))
}
