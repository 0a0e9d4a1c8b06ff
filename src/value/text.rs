//! The text of a value: what a comparison with text sees.

use std::borrow::Cow;

use super::Value;

/// A decimal number of so many digits is what somebody wrote: no other one of that length is this number.
const SURE_DIGITS: usize = 15;

impl<'a> Value<'a> {
    /// The value as text. Null, a blob and a real number that is not a number have none.
    pub fn text(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Value::Text(text) => Some(Cow::Borrowed(text)),
            Value::Integer(number) => Some(Cow::Owned(number.to_string().into_bytes())),
            Value::Real(number) => text_of_real(number).map(|text| Cow::Owned(text.into_bytes())),
            Value::Null | Value::Blob => None,
        }
    }

    /// The value as text where all programs write the same.
    pub fn sure_text(self) -> Option<Cow<'a, [u8]>> {
        let digits = |number: f64| {
            let scientific = format!("{number:e}");
            let mantissa = scientific.split('e').next().unwrap_or_default();
            mantissa.bytes().filter(u8::is_ascii_digit).count()
        };
        match self {
            Value::Real(number) if digits(number) > SURE_DIGITS => None,
            value => value.text(),
        }
    }
}

/// The shortest decimal number that reads back as this one, with a point and an exponent as SQLite
/// writes them.
fn text_of_real(number: f64) -> Option<String> {
    let sign = if number < 0.0 { "-" } else { "" };
    let (plain, scientific) = (number.abs().to_string(), format!("{:e}", number.abs()));
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return number.is_infinite().then(|| format!("{sign}Inf"));
    };
    let point = |text: &str| if text.contains('.') { "" } else { ".0" };
    Some(match exponent.parse().ok()? {
        -4..=16 => format!("{sign}{plain}{}", point(&plain)),
        exponent => format!("{sign}{digits}{}e{exponent:+03}", point(digits)),
    })
}

/// With small letters from A to Z; others stay, as in SQLite.
pub(crate) fn lower(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if text.iter().any(u8::is_ascii_uppercase) { Cow::Owned(text.to_ascii_lowercase()) } else { text }
}

/// Without blanks at both ends; tabs and line ends stay, as in SQLite.
pub(crate) fn trimmed(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(without_blanks(text)),
        Cow::Owned(text) => Cow::Owned(without_blanks(&text).to_vec()),
    }
}

fn without_blanks(mut text: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests;
