//! Findings: what is wrong with a policy, where, and what to do about it.
//!
//! A [`Finding`] is plain data. The renderers below it are late readers: [`text`] draws it with
//! carets as compilers do, [`json`] writes `frist.check/1`.

pub mod json;
mod printable;
pub mod text;

use std::ops::Range;

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
    /// A stable kebab-case name of the kind of finding.
    pub code: &'static str,
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
    pub fn error(code: &'static str, message: impl Into<String>, span: Range<usize>) -> Finding {
        let (severity, span) = (Severity::Error, Some(span));
        Finding { code, severity, message: message.into(), span, help: None }
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, message: impl Into<String>, span: Range<usize>) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::error(code, message, span) }
    }

    /// An error about a file as a whole.
    pub fn unreadable(code: &'static str, message: impl Into<String>) -> Finding {
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
    /// The position of a byte of a text; past the end means the end.
    pub fn of(text: &str, byte: usize) -> Position {
        let byte = (0..=byte.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let before = &text[..byte];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        Position { line, column: before[line_start..].chars().count() + 1 }
    }
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
        let at = |start: usize| Finding::error("x", start.to_string(), start..start + 1);
        let findings = vec![at(9), Finding::warning("x", "3", 3..4), Finding::unreadable("x", "none"), at(5)];
        let mut examined = Examined { findings, ..Examined::default() };
        examined.sort();
        let messages: Vec<&str> = examined.findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, ["none", "3", "5", "9"]);
        assert_eq!((examined.errors(), examined.warnings()), (3, 1));
    }
}
