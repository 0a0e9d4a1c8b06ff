//! The place of an entry in the chain: its number and its hash.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// A SHA-256, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What stands as the previous hash in the first entry.
    pub const ZERO: Hash = Hash([0; 32]);

    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Hash {
        Hash(Sha256::digest(bytes).into())
    }

    /// Reads exactly 64 lower-case digits; an upper-case one is a changed byte.
    pub(crate) fn read(text: &[u8]) -> Option<Hash> {
        let pairs = text.as_chunks::<2>();
        let mut hash = [0; 32];
        if pairs.0.len() != hash.len() || !pairs.1.is_empty() {
            return None;
        }
        for (byte, [high, low]) in hash.iter_mut().zip(pairs.0) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Hash(hash))
    }
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| {
            let high = DIGITS[usize::from(byte >> 4)];
            let low = DIGITS[usize::from(byte & 15)];
            write!(f, "{}{}", char::from(high), char::from(low))
        })
    }
}

/// An entry's number and hash, written as `SEQ:HASH`: what a run prints for a
/// copy elsewhere, and what `ledger verify --expect` compares with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// The entry's number; the first is 1.
    pub seq: u64,
    /// The entry's hash.
    pub hash: Hash,
}

impl Link {
    /// What the first entry is chained to.
    pub(crate) const START: Link = Link { seq: 0, hash: Hash::ZERO };
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

/// An entry of which a copy is kept elsewhere: its number, and at least the first digits of its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    seq: u64,
    digits: String,
}

impl Receipt {
    /// The fewest digits that a receipt has.
    pub const DIGITS: usize = 12;

    /// The short form of a link, as a run prints it for people.
    pub fn of(link: &Link) -> Receipt {
        let digits = link.hash.to_string().chars().take(Receipt::DIGITS).collect();
        Receipt { seq: link.seq, digits }
    }

    /// Whether this is the entry.
    pub fn is_of(&self, link: &Link) -> bool {
        self.seq == link.seq && link.hash.to_string().starts_with(&self.digits)
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.digits)
    }
}

impl FromStr for Receipt {
    type Err = NotALink;

    fn from_str(text: &str) -> Result<Receipt, NotALink> {
        let (seq, digits) = text.split_once(':').ok_or(NotALink)?;
        let seq = number(seq.as_bytes()).filter(|seq| *seq > 0).ok_or(NotALink)?;
        let is_hash = (Receipt::DIGITS..=64).contains(&digits.len())
            && digits.bytes().all(|byte| digit(byte).is_some());
        if is_hash { Ok(Receipt { seq, digits: digits.to_string() }) } else { Err(NotALink) }
    }
}

/// A text that is not `SEQ:HASH`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an entry's number and hash as SEQ:HASH, with lower-case hexadecimal digits")]
pub struct NotALink;

impl FromStr for Link {
    type Err = NotALink;

    fn from_str(text: &str) -> Result<Link, NotALink> {
        let (seq, hash) = text.split_once(':').ok_or(NotALink)?;
        let seq = number(seq.as_bytes()).filter(|seq| *seq > 0).ok_or(NotALink)?;
        let hash = Hash::read(hash.as_bytes()).ok_or(NotALink)?;
        Ok(Link { seq, hash })
    }
}

/// Reads a number in the only form that the ledger writes: no sign, no leading zero.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    let canonical = digits == b"0" || digits.first().is_some_and(|first| *first != b'0');
    if !canonical || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}
