//! Texts of somebody else's, such as the name of a table or of a file: on a terminal they must not
//! act, forge a line or turn the reading around.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

/// A text, safe to print on one line of a terminal: what would act on the terminal, end the line,
/// turn the reading around or not be seen is written out.
pub fn printable(text: &str) -> String {
    let one = |c: char| if acts(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(one).collect()
}

/// Control characters, the two separators of Unicode, and the characters that only format others.
fn acts(c: char) -> bool {
    let formats = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}');
    c.is_control() || formats
}

/// A text whose places are counted in bytes, with something to be seen where a character only formats
/// others. Control characters are left to who draws it.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    let hides = |c: char| acts(c) && !c.is_control();
    if !text.contains(hides) {
        return Cow::Borrowed(text);
    }
    let one = |c: char| match (hides(c), c.len_utf8()) {
        (false, _) => c.to_string(),
        (true, 2) => "¿".to_string(),
        (true, bytes) => format!("{:<1$}", '\u{fffd}', bytes - 2),
    };
    Cow::Owned(text.chars().map(one).collect())
}

/// Writes a value as JSON in which the same characters are written out, as JSON does it: whoever
/// reads it gets the text as it is, and a terminal gets nothing to act upon.
pub fn write_json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    Ok(value.serialize(&mut serde_json::Serializer::with_formatter(out, WrittenOut))?)
}

struct WrittenOut;

impl Formatter for WrittenOut {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, found)) = rest.char_indices().find(|(_, c)| acts(*c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            for unit in found.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + found.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "a\n\u{1b}[2J\u{9b}\u{85}\u{7f}\u{202e}\u{2028}\u{200b}\u{feff}\u{e0041}b æ😀 \\ \"";

    #[test]
    fn what_acts_on_a_terminal_is_written_out_and_the_rest_stays() {
        let shown = printable(NAME);
        assert_eq!(
            shown,
            "a\\n\\u{1b}[2J\\u{9b}\\u{85}\\u{7f}\\u{202e}\\u{2028}\\u{200b}\\u{feff}\\u{e0041}b æ😀 \\ \""
        );
        assert_eq!(printable(&shown), shown);
    }

    #[test]
    fn what_hides_in_a_text_is_seen_and_every_byte_stays_in_its_place() {
        let text = format!("{NAME}\u{ad}=\u{1d173}=");
        let seen = visible(&text);
        assert!(!seen.contains(|c: char| acts(c) && !c.is_control()), "{seen:?}");
        assert_eq!(seen.len(), text.len());
        assert_eq!(seen.match_indices('=').collect::<Vec<_>>(), text.match_indices('=').collect::<Vec<_>>());
        assert!(matches!(visible("a\n\u{1b}æ"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_says_the_same_text_without_a_character_that_acts() {
        let mut written = Vec::new();
        write_json(&mut written, &[NAME]).unwrap();
        let written = String::from_utf8(written).unwrap();
        assert!(!written.contains(acts), "{written}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&written).unwrap(), [NAME]);
    }
}
