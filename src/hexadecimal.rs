//! Bytes as hexadecimal digits, two for each.

use serde::{Deserialize, Deserializer, Serializer, de};

/// The digits of some bytes, in small letters.
pub(crate) fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes bytes as digits, for `#[serde(with)]`.
pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&digits(bytes))
}

/// Reads them back.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let digits = String::deserialize(deserializer)?;
    let pairs = digits.as_bytes().chunks(2).map(std::str::from_utf8);
    let byte = |pair: &str| u8::from_str_radix(pair, 16).map_err(de::Error::custom);
    pairs.map(|pair| pair.map_err(de::Error::custom).and_then(byte)).collect()
}
