//! How a row names a file: by a column that holds its path, or by a path that is put together from columns, such as
//! `{key[0..2]}/{key[2..4]}/{key}`.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::relation;
use crate::value::Value;

/// How a row names a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileName {
    /// This column holds its path.
    Column(String),
    /// Its path is made of columns.
    Path(PathPattern),
}

/// A path with columns in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    /// As it is written.
    text: String,
    parts: Vec<Part>,
    /// The columns, each once.
    columns: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// A column by its place, and which of its characters.
    Column(usize, Slice),
}

/// Characters of a value: from one on, up to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slice {
    from: usize,
    to: Option<usize>,
}

/// What is wrong with a pattern, where, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternFault {
    pub message: String,
    pub help: &'static str,
    /// In bytes of the pattern.
    pub span: Range<usize>,
}

/// A row that should name a file, and does not say which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsaid;

impl FileName {
    /// The columns that name it.
    pub fn columns(&self) -> &[String] {
        match self {
            FileName::Column(column) => std::slice::from_ref(column),
            FileName::Path(pattern) => &pattern.columns,
        }
    }

    /// What a row says, by its cells: null, or the path, which may lead anywhere yet.
    pub fn said<'v>(&self, cell: impl Fn(usize) -> Value<'v>) -> Result<Said<'v>, Unsaid> {
        match self {
            FileName::Column(_) => Ok(Said::Cell(cell(0))),
            FileName::Path(pattern) => Ok(pattern.path(cell)?.map_or(Said::Cell(Value::Null), Said::Path)),
        }
    }
}

/// What a row says of a file's path.
#[derive(Debug)]
pub enum Said<'v> {
    Cell(Value<'v>),
    Path(String),
}

impl Said<'_> {
    /// The path as a value.
    pub fn value(&self) -> Value<'_> {
        match self {
            Said::Cell(value) => *value,
            Said::Path(path) => Value::Text(path.as_bytes()),
        }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileName::Column(column) => f.write_str(column),
            FileName::Path(pattern) => f.write_str(&pattern.text),
        }
    }
}

const WAY_OUT: &str = "write a column in braces, such as \"{id}/{file_name}\", or some of its characters, such as \
                       \"{key[0..2]}/{key}\"; a brace itself is written twice";

impl PathPattern {
    pub fn parse(text: &str) -> Result<PathPattern, PatternFault> {
        let mut pattern = PathPattern { text: text.to_string(), parts: Vec::new(), columns: Vec::new() };
        let mut literal = String::new();
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let at = text.len() - rest.len();
            let after = &rest[character.len_utf8()..];
            rest = match character {
                '{' | '}' if after.starts_with(character) => {
                    literal.push(character);
                    &after[1..]
                }
                '{' => {
                    if !literal.is_empty() {
                        pattern.parts.push(Part::Literal(std::mem::take(&mut literal)));
                    }
                    pattern.column(after, at)?
                }
                '}' => return Err(fault("a brace closes that none opens", WAY_OUT, at..at + 1)),
                '\0' => return Err(fault("a path holds no zero byte", WAY_OUT, at..at + 1)),
                other => {
                    literal.push(other);
                    after
                }
            };
        }
        if !literal.is_empty() {
            pattern.parts.push(Part::Literal(literal));
        }
        pattern.checked()
    }

    /// Reads what stands in braces; what follows.
    fn column<'t>(&mut self, after: &'t str, at: usize) -> Result<&'t str, PatternFault> {
        let whole = |rest: &str| at..at + 1 + after.len() - rest.len();
        let Some(end) = after.find('}') else {
            return Err(fault("a brace opens that none closes", WAY_OUT, whole("")));
        };
        let inside = at..at + end + 2;
        let Some((name, rest)) = relation::name(after) else {
            return Err(fault("no column stands between the braces", WAY_OUT, inside));
        };
        let (slice, rest) = match rest.strip_prefix('[') {
            None => (Slice { from: 0, to: None }, rest),
            Some(bounds) => {
                let Some((bounds, rest)) = bounds.split_once(']') else {
                    return Err(fault("a bracket opens that none closes", SLICES, inside));
                };
                let slice = slice(bounds).ok_or_else(|| {
                    fault(&format!("`[{bounds}]` takes no characters of `{name}`"), SLICES, inside.clone())
                })?;
                (slice, rest)
            }
        };
        let Some(rest) = rest.strip_prefix('}') else {
            return Err(fault(&format!("after `{name}`, this means nothing"), WAY_OUT, inside));
        };
        let place = self.columns.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.columns.push(name);
            self.columns.len() - 1
        });
        self.parts.push(Part::Column(place, slice));
        Ok(rest)
    }

    /// What can name no file, whatever the columns hold.
    fn checked(self) -> Result<PathPattern, PatternFault> {
        let all = 0..self.text.len();
        if self.columns.is_empty() {
            return Err(fault("no column is in it, and so all rows would name one file", WAY_OUT, all));
        }
        let shown: String =
            self.parts.iter().map(|part| if let Part::Literal(text) = part { text } else { "x" }).collect();
        if shown.starts_with('/') || shown.split('/').any(|step| step == "..") {
            return Err(fault(
                "it leads out of the folder of `files`",
                "write a path below that folder",
                all,
            ));
        }
        if shown.ends_with('/') {
            return Err(fault("it names a folder, and no file", "write the file's name as well", all));
        }
        Ok(self)
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The path that the cells of a row make; none where one of them is null or blank.
    fn path<'v>(&self, cell: impl Fn(usize) -> Value<'v>) -> Result<Option<String>, Unsaid> {
        let mut texts: Vec<Cow<'v, str>> = Vec::with_capacity(self.columns.len());
        let mut is_readable = true;
        for place in 0..self.columns.len() {
            match cell(place) {
                Value::Null => return Ok(None),
                Value::Integer(number) => texts.push(Cow::Owned(number.to_string())),
                Value::Text(text) => match std::str::from_utf8(text) {
                    Ok(text) if text.trim().is_empty() => return Ok(None),
                    Ok(text) => texts.push(Cow::Borrowed(text)),
                    Err(_) => is_readable = false,
                },
                Value::Real(_) | Value::Blob => is_readable = false,
            }
        }
        if !is_readable {
            return Err(Unsaid);
        }
        let mut path = String::new();
        for part in &self.parts {
            path.push_str(match part {
                Part::Literal(text) => text,
                Part::Column(place, slice) => slice.of(&texts[*place]).ok_or(Unsaid)?,
            });
        }
        Ok(Some(path))
    }
}

impl Slice {
    /// These characters of a text; none where it has not so many.
    fn of(self, text: &str) -> Option<&str> {
        let mut places = text.char_indices().map(|(place, _)| place).chain([text.len()]);
        let from = places.nth(self.from)?;
        let part = match self.to {
            Some(to) => &text[from..places.nth(to - self.from - 1)?],
            None => &text[from..],
        };
        (!part.is_empty()).then_some(part)
    }
}

const SLICES: &str = "write the first character, from 0, and the one behind the last: \"{key[0..2]}\", \"{key[..2]}\" or \
                      \"{key[2..]}\"";

/// `a..b`, of which one may be left out.
fn slice(text: &str) -> Option<Slice> {
    let (from, to) = text.split_once("..")?;
    let number = |digits: &str| {
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<usize>().ok().filter(|_| is_plain)
    };
    match (from, to) {
        ("", "") => None,
        (from, "") => Some(Slice { from: number(from)?, to: None }),
        (from, to) => {
            let (from, to) = (if from.is_empty() { 0 } else { number(from)? }, number(to)?);
            (from < to).then_some(Slice { from, to: Some(to) })
        }
    }
}

fn fault(message: &str, help: &'static str, span: Range<usize>) -> PatternFault {
    PatternFault { message: message.to_string(), help, span }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(pattern: &str, cells: &[Value<'static>]) -> Result<Option<String>, Unsaid> {
        PathPattern::parse(pattern).unwrap().path(|place| cells[place])
    }

    fn of_text(pattern: &str, text: &'static str) -> String {
        match path(pattern, &[Value::Text(text.as_bytes())]) {
            Ok(Some(path)) => path,
            Ok(None) => "no file".to_string(),
            Err(Unsaid) => "unsaid".to_string(),
        }
    }

    #[test]
    fn a_path_is_put_together_from_what_the_columns_hold() {
        assert_eq!(of_text("{key[0..2]}/{key[2..4]}/{key}", "abcdef"), "ab/cd/abcdef");
        assert_eq!(of_text("{key[..1]}-{key[1..]}.x", "abc"), "a-bc.x");
        assert_eq!(of_text("{{{key}}}", "a"), "{a}");
        assert_eq!(of_text("{\"the key\"[1..3]}", "sø\u{1f600}en"), "ø\u{1f600}");
        assert_eq!(of_text("{key}", "../a//b"), "../a//b", "where it leads is asked elsewhere");
        let cells = [Value::Integer(-17), Value::Text(b"a.pdf")];
        assert_eq!(path("{id}/{file_name}", &cells), Ok(Some("-17/a.pdf".to_string())));
    }

    #[test]
    fn too_few_characters_say_nothing_and_null_names_no_file() {
        for (text, expected) in
            [("abcd", "ab/cd"), ("abc", "unsaid"), ("a", "unsaid"), ("", "no file"), (" ", "no file")]
        {
            assert_eq!(of_text("{key[0..2]}/{key[2..4]}", text), expected, "{text:?}");
        }
        assert_eq!(of_text("{key[2..]}", "ab"), "unsaid");
        let null_and = |other| path("{a[3..]}{b}", &[other, Value::Null]);
        for other in [Value::Blob, Value::Real(1.0), Value::Text(b"\xff"), Value::Text(b"a")] {
            assert_eq!(null_and(other), Ok(None));
            assert_eq!(path("{a[3..]}", &[other]), Err(Unsaid), "{other:?}");
        }
    }

    #[test]
    fn a_pattern_that_means_nothing_is_refused_where_it_goes_wrong() {
        for (text, span) in [
            ("", 0..0),
            ("a/b", 0..3),
            ("{{key}}", 0..7),
            ("a/{key", 2..6),
            ("a}/{key}", 1..2),
            ("{}", 0..2),
            ("a/{1}", 2..5),
            ("{key }", 0..6),
            ("{key[]}", 0..7),
            ("{key[..]}", 0..9),
            ("{key[2..2]}", 0..11),
            ("{key[3..2]}", 0..11),
            ("{key[0..+2]}", 0..12),
            ("{key[0..99999999999999999999]}", 0..30),
            ("{key[0..2}", 0..10),
            ("{key[0..2]x}", 0..12),
            ("../{key}", 0..8),
            ("{key}/../a", 0..10),
            ("/{key}", 0..6),
            ("{key}/", 0..6),
        ] {
            let fault = PathPattern::parse(text).unwrap_err();
            assert_eq!(fault.span, span, "{text}: {}", fault.message);
        }
    }
}
