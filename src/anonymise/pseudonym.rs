//! Pseudonyms: keyed hashes that are recognised as such without the key.
//!
//! Without the key nobody can try all telephone numbers there are; with it, one value has one
//! pseudonym, so that records of one person can still be told to be so. The data stays personal.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Illegible, Made};
use crate::hexadecimal;
use crate::value::Value;

/// What every pseudonym begins with.
const BEGINNING: &str = "frist:";
/// How much of the hash stays: enough that no two values of a dataset share one.
const BYTES: usize = 16;

/// What a pseudonym looks like.
pub const SAMPLE: &str = "frist:0123456789abcdef0123456789abcdef";

/// What pseudonyms are made with. It is never shown.
#[derive(Clone)]
pub struct Key(pub(crate) [u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

impl Key {
    /// The pseudonym of a text.
    pub fn pseudonym(&self, text: &[u8]) -> String {
        // A key of any length is taken.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(text);
        let hash = mac.finalize().into_bytes();
        format!("{BEGINNING}{}", hexadecimal::digits(&hash[..BYTES]))
    }
}

pub(super) fn make(value: Value<'_>) -> Made<'_> {
    let Some(text) = value.text() else { return Made::Illegible(Illegible::Binary) };
    if is_pseudonym(&text) { Made::Already } else { Made::PseudonymOf(text) }
}

fn is_pseudonym(text: &[u8]) -> bool {
    let digits = text.strip_prefix(BEGINNING.as_bytes());
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    digits.is_some_and(|digits| digits.len() == 2 * BYTES && digits.iter().all(is_digit))
}
