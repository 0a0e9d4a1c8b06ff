//! The words and signs of a condition, each with its place.

use std::ops::Range;

use super::SyntaxError;
use super::tree::Relation;

/// One word or sign.
#[derive(Clone, Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    pub(super) span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind<'t> {
    Name(&'t str),
    /// A name in double quotes, without them.
    Quoted(String),
    /// A text in single quotes, without them.
    Text(String),
    /// What begins like a number; whether it is one, the parser says.
    Number(&'t str),
    Keyword(Keyword),
    Relation(Relation),
    Open,
    Close,
    Comma,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
    Is,
    Null,
    In,
    Between,
    Like,
    Escape,
    True,
    False,
}

/// Every keyword as it is written; letters of either case are the same.
pub(super) const KEYWORDS: [(&str, Keyword); 11] = [
    ("and", Keyword::And),
    ("or", Keyword::Or),
    ("not", Keyword::Not),
    ("is", Keyword::Is),
    ("null", Keyword::Null),
    ("in", Keyword::In),
    ("between", Keyword::Between),
    ("like", Keyword::Like),
    ("escape", Keyword::Escape),
    ("true", Keyword::True),
    ("false", Keyword::False),
];

/// Longer signs stand first, since a shorter one may be their beginning.
const SIGNS: [(&str, Kind<'static>); 11] = [
    ("==", Kind::Relation(Relation::Equal)),
    ("<>", Kind::Relation(Relation::NotEqual)),
    ("!=", Kind::Relation(Relation::NotEqual)),
    ("<=", Kind::Relation(Relation::LessOrEqual)),
    (">=", Kind::Relation(Relation::GreaterOrEqual)),
    ("=", Kind::Relation(Relation::Equal)),
    ("<", Kind::Relation(Relation::Less)),
    (">", Kind::Relation(Relation::Greater)),
    ("(", Kind::Open),
    (")", Kind::Close),
    (",", Kind::Comma),
];

/// All tokens of a text, the last of them [`Kind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut tokens = Vec::new();
    let mut start = after_blanks(text, 0);
    while let Some(first) = text[start..].chars().next() {
        let (kind, length) = token(first, text, start)?;
        tokens.push(Token { kind, span: start..start + length });
        start = after_blanks(text, start + length);
    }
    tokens.push(Token { kind: Kind::End, span: text.len()..text.len() });
    Ok(tokens)
}

fn after_blanks(text: &str, start: usize) -> usize {
    text.len() - text[start..].trim_start_matches([' ', '\t', '\r', '\n']).len()
}

fn token(first: char, text: &str, start: usize) -> Result<(Kind<'_>, usize), SyntaxError> {
    let rest = &text[start..];
    match first {
        '\'' => in_quotes(rest, start, '\'').map(|(text, length)| (Kind::Text(text), length)),
        '"' => quoted_name(rest, start),
        '0'..='9' => Ok(number(rest, 0)),
        '-' if rest[1..].starts_with(|next: char| next.is_ascii_digit()) => Ok(number(rest, 1)),
        _ if begins_name(first) => Ok(word(rest)),
        _ => sign(rest).ok_or_else(|| unknown(first, start)),
    }
}

/// The content between two quotes, where a doubled quote is one, and the length with both.
fn in_quotes(rest: &str, start: usize, quote: char) -> Result<(String, usize), SyntaxError> {
    let mut content = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return Ok((content, at + 1));
        }
        content.push(character);
    }
    let message = format!("this {quote} has no closing one");
    Err(SyntaxError::new(start..start + 1, message)
        .help(format!("a {quote} inside is written twice: {quote}{quote}")))
}

fn quoted_name(rest: &str, start: usize) -> Result<(Kind<'_>, usize), SyntaxError> {
    match in_quotes(rest, start, '"')? {
        (name, length) if name.is_empty() => {
            Err(SyntaxError::new(start..start + length, "a column has no empty name")
                .help("an empty text is written with single quotes: ''"))
        }
        (name, length) => Ok((Kind::Quoted(name), length)),
    }
}

/// Everything that is joined to a number belongs to it, so that `12abc` and
/// `1.2.3` are seen whole by whoever reports them.
fn number(rest: &str, sign: usize) -> (Kind<'_>, usize) {
    let mut previous = '0';
    let end = rest[sign..].find(|next: char| {
        let joined = continues_name(next)
            || next == '.'
            || (matches!(next, '+' | '-') && matches!(previous, 'e' | 'E'));
        previous = next;
        !joined
    });
    let length = end.map_or(rest.len(), |end| sign + end);
    (Kind::Number(&rest[..length]), length)
}

fn word(rest: &str) -> (Kind<'_>, usize) {
    let length = rest.find(|next| !continues_name(next)).unwrap_or(rest.len());
    let word = &rest[..length];
    let keyword = KEYWORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name));
    (keyword.map_or(Kind::Name(word), |(_, keyword)| Kind::Keyword(*keyword)), length)
}

fn begins_name(character: char) -> bool {
    character == '_' || character.is_alphabetic()
}

fn continues_name(character: char) -> bool {
    begins_name(character) || character.is_ascii_digit()
}

fn sign(rest: &str) -> Option<(Kind<'_>, usize)> {
    let (written, kind) = SIGNS.iter().find(|(written, _)| rest.starts_with(written))?;
    Some((kind.clone(), written.len()))
}

fn unknown(character: char, start: usize) -> SyntaxError {
    let message = format!("`{}` has no meaning here", printable(character));
    SyntaxError::new(start..start + character.len_utf8(), message).help(match character {
        '`' | '[' | ']' => "a column's name is quoted with double quotes: \"name\"",
        '‘' | '’' | '‚' | '´' | '“' | '”' | '„' | '«' | '»' => {
            "text goes in straight single quotes, a column's name, where needed, in straight double ones"
        }
        '+' | '-' | '*' | '/' | '%' => "a condition compares columns with literals; it does not calculate",
        '&' => "write `and`",
        '|' => "write `or`",
        '!' => "write `not`, or `<>` to compare",
        '.' => "name the column alone; a decimal begins with a digit: 0.5",
        _ => "a column's name with such a character is written in double quotes, text in single ones",
    })
}

/// A character as a message may show it; quotes and backslashes are nothing to hide.
pub(super) fn printable(character: char) -> String {
    match character {
        '\'' | '"' | '\\' => character.to_string(),
        _ => character.escape_debug().to_string(),
    }
}
