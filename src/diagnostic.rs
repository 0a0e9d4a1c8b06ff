//! Findings: what is wrong with a policy, where, and what to do about it.
//!
//! A [`Finding`] is plain data. The renderers below it are late readers: [`text`] draws it with
//! carets as compilers do, [`json`] writes `frist.check/1`.

mod code;
pub mod concise;
pub mod github;
pub mod json;
pub mod junit;
mod printable;
pub mod sarif;
pub mod text;

use std::ops::Range;

pub use code::Code;
pub use printable::{printable, write_json};

/// How much a finding weighs: an error stops every command, a warning stops none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The policy is valid, but probably not what was meant.
    Warning,
    /// The policy is not valid.
    Error,
}

impl Severity {
    /// The lower-case word for it.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// One thing that is wrong, as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of finding it is.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Bytes of the file that the finding is about; none for a file that could not be read.
    pub span: Option<Range<usize>>,
    /// What to do.
    pub help: Option<String>,
}

impl Finding {
    /// An error at a place.
    pub fn error(code: Code, message: impl Into<String>, span: Range<usize>) -> Finding {
        let (severity, span) = (Severity::Error, Some(span));
        Finding { code, severity, message: message.into(), span, help: None }
    }

    /// A warning at a place.
    pub fn warning(code: Code, message: impl Into<String>, span: Range<usize>) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::error(code, message, span) }
    }

    /// An error about a file as a whole.
    pub fn unreadable(code: Code, message: impl Into<String>) -> Finding {
        Finding { span: None, ..Finding::error(code, message, 0..0) }
    }

    /// The same finding with advice.
    pub fn help(mut self, help: impl Into<String>) -> Finding {
        self.help = Some(help.into());
        self
    }

    /// The same finding, with advice where there is some.
    pub fn maybe_help(mut self, help: Option<String>) -> Finding {
        self.help = help;
        self
    }

    /// Whether the finding makes the policy invalid.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// A file and what was found in it.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    /// The file's path, as the user wrote it.
    pub file: String,
    /// Its text; empty where it could not be read.
    pub text: String,
    /// The findings, in the order of their places.
    pub findings: Vec<Finding>,
}

impl Examined {
    /// How many of the findings are errors.
    pub fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.is_error()).count()
    }

    /// How many of the findings are warnings.
    pub fn warnings(&self) -> usize {
        self.findings.len() - self.errors()
    }

    /// Puts the findings into the order in which a reader meets them.
    pub fn sort(&mut self) {
        self.findings.sort_by_key(|finding| finding.span.as_ref().map_or(0, |span| span.start));
    }
}

/// A line and a column, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// The position of a byte of a text; past the end means the end. Who asks for many keeps [`Lines`].
    pub fn of(text: &str, byte: usize) -> Position {
        let byte = boundary(text, byte);
        let before = &text[..byte];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        Position { line, column: before[line_start..].chars().count() + 1 }
    }
}

/// The last place up to a byte at which a character begins, or the text ends.
fn boundary(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A text that knows where its lines begin, so that a thousand positions cost no thousand readings of it.
#[derive(Clone, Debug)]
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    /// How many characters begin before each multiple of `STRIDE`.
    characters: Vec<usize>,
}

impl<'t> Lines<'t> {
    const STRIDE: usize = 1024;

    /// The lines of a text.
    pub fn of(text: &'t str) -> Lines<'t> {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1));
        let counts = text.as_bytes().chunks(Lines::STRIDE).scan(0, |sum, part| {
            *sum += beginnings(part);
            Some(*sum)
        });
        Lines { text, starts: starts.collect(), characters: std::iter::once(0).chain(counts).collect() }
    }

    /// The position of a byte; past the end means the end.
    pub fn position(&self, byte: usize) -> Position {
        let byte = boundary(self.text, byte);
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = self.start(line);
        Position { line, column: self.characters_before(byte) - self.characters_before(start) + 1 }
    }

    /// The number of the line that holds a byte, that line without its end, and where it begins.
    pub(crate) fn line_of(&self, byte: usize) -> (usize, &'t str, usize) {
        let line = self.starts.partition_point(|start| *start <= byte.min(self.text.len()));
        let start = self.start(line);
        let end = self.starts.get(line).map_or(self.text.len(), |next| next - 1);
        let text = &self.text[start..end];
        (line, text.strip_suffix('\r').unwrap_or(text), start)
    }

    fn start(&self, line: usize) -> usize {
        line.checked_sub(1).and_then(|before| self.starts.get(before)).copied().unwrap_or_default()
    }

    fn characters_before(&self, byte: usize) -> usize {
        let stride = byte / Lines::STRIDE;
        let rest = &self.text.as_bytes()[stride * Lines::STRIDE..byte];
        self.characters.get(stride).copied().unwrap_or_default() + beginnings(rest)
    }
}

/// How many characters begin in some bytes of UTF-8.
fn beginnings(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !matches!(byte, 0x80..=0xbf)).count()
}

/// What is longer was not misspelt, and comparing it would take quadratic time and memory.
const LONGEST_WORD: usize = 100;

/// The nearest of some known words, when one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    known
        .into_iter()
        .filter(|candidate| word.len().max(candidate.len()) <= LONGEST_WORD)
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(word.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_lines_and_characters_from_one() {
        let text = "a\nbøc\n";
        assert_eq!(Position::of(text, 0), Position { line: 1, column: 1 });
        assert_eq!(Position::of(text, 5), Position { line: 2, column: 3 });
        assert_eq!(Position::of(text, 4), Position { line: 2, column: 2 }, "inside a character");
        assert_eq!(Position::of(text, 99), Position { line: 3, column: 1 });
    }

    #[test]
    fn lines_know_every_position_that_the_text_does() {
        let long = "å".repeat(1_500) + "a\n\nøb\r\n" + &"x€".repeat(1_000);
        for text in ["", "\n", "a", "a\nbøc\n", long.as_str()] {
            let lines = Lines::of(text);
            for byte in 0..text.len() + 3 {
                assert_eq!(lines.position(byte), Position::of(text, byte), "{byte} of {text:?}");
            }
        }
    }

    #[test]
    fn a_misspelt_word_finds_its_neighbour_and_a_strange_one_does_not() {
        let known = ["keep", "after", "counted-from", "when"];
        assert_eq!(nearest("kep", known), Some("keep"));
        assert_eq!(nearest("Keep", known), Some("keep"));
        assert_eq!(nearest("counted_from", known), Some("counted-from"));
        assert_eq!(nearest("retention", known), None);
    }

    #[test]
    fn endless_words_are_not_compared() {
        // The table of their distances would take more memory than there is.
        let (word, other) = ("a".repeat(900_000), "b".repeat(900_000));
        assert_eq!(nearest(&word, [other.as_str()]), None);
        assert_eq!(nearest(&word, ["keep"]), None);
    }

    #[test]
    fn findings_stand_in_the_order_of_their_places_and_those_without_one_first() {
        let at = |start: usize| Finding::error(Code::BadValue, start.to_string(), start..start + 1);
        let findings = vec![
            at(9),
            Finding::warning(Code::UnusedTable, "3", 3..4),
            Finding::unreadable(Code::CannotOpen, "none"),
            at(5),
        ];
        let mut examined = Examined { findings, ..Examined::default() };
        examined.sort();
        let messages: Vec<&str> = examined.findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, ["none", "3", "5", "9"]);
        assert_eq!((examined.errors(), examined.warnings()), (3, 1));
    }
}
