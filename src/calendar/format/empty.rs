//! Cells that say nothing: null, blank text, and what a policy lists under `empty`.

use crate::calendar::Value;

/// Whether a cell is empty. Blank text can be a text like any other.
#[inline(always)]
pub(crate) fn is_empty(value: Value<'_>, listed: &[String], blank_is_text: bool) -> bool {
    let means_nothing = |text: &[u8]| listed.iter().any(|empty| empty.as_bytes() == text);
    match value {
        Value::Null => true,
        // What begins with a digit is not blank, and this is asked of every record.
        Value::Text([b'0'..=b'9', ..]) if listed.is_empty() => false,
        Value::Text(text) => (!blank_is_text && is_blank(text)) || means_nothing(text),
        Value::Integer(_) | Value::Real(_) if listed.is_empty() => false,
        Value::Integer(count) => means_nothing(count.to_string().as_bytes()),
        Value::Real(count) => {
            // A whole number is written `1` here and `1.0` by databases.
            means_nothing(format!("{count}").as_bytes()) || means_nothing(format!("{count:?}").as_bytes())
        }
        Value::Blob => false,
    }
}

#[inline]
fn is_blank(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_whitespace)
}
