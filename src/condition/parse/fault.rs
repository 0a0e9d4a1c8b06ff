//! What can be wrong with a condition, in words that say what to write instead.

use std::ops::Range;

use super::super::SyntaxError;
use super::super::lex::{self, KEYWORDS, Kind, Token};
use super::super::number::NumberError;
use super::term::{self, Spanned, Term};
use super::{DEEPEST, LONGEST};
use crate::spelling::nearest;

type Span = Range<usize>;

pub(super) fn too_long(length: usize) -> SyntaxError {
    SyntaxError::new(0..length, format!("a condition has at most {LONGEST} bytes, and this one {length}"))
        .help("keep long lists in a table of their own, and name it in `unless` or `only-if`")
}

pub(super) fn too_deep(span: Span) -> SyntaxError {
    SyntaxError::new(span, format!("this is nested more than {DEEPEST} deep"))
        .help("parentheses around a chain of `and` alone, or of `or` alone, can be left out")
}

pub(super) fn empty(text: &str) -> SyntaxError {
    SyntaxError::new(0..text.len(), "the condition is empty")
        .help("leave it out where every record is meant, or write one, such as: status = 'closed'")
}

/// After a whole condition comes something that does not continue it.
pub(super) fn no_end(text: &str, token: &Token<'_>) -> SyntaxError {
    match &token.kind {
        Kind::Close => SyntaxError::new(token.span.clone(), "this `)` closes nothing"),
        _ => no_continuation(text, token, "the end"),
    }
}

/// The same within parentheses.
pub(super) fn no_group_end(text: &str, token: &Token<'_>) -> SyntaxError {
    no_continuation(text, token, "`)`")
}

fn no_continuation(text: &str, token: &Token<'_>, end: &str) -> SyntaxError {
    let message = format!("expected `and`, `or` or {end}, found {}", found(text, token));
    let error = SyntaxError::new(token.span.clone(), message);
    match &token.kind {
        Kind::Comma => error.help("a decimal is written with a point: 1.5"),
        Kind::Relation(_) => {
            error.help("a comparison has two sides; for a range write: column between 1 and 5")
        }
        Kind::Name(name) => match nearest(name, ["and", "or", "escape"]) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error,
        },
        _ => error,
    }
}

pub(super) fn not_closed(open: Span) -> SyntaxError {
    SyntaxError::new(open, "this `(` is not closed")
}

pub(super) fn no_comparison(text: &str, left: &Spanned<Term>, token: &Token<'_>) -> SyntaxError {
    let left = shown(text, left.span.clone());
    let message = format!("expected a comparison after {left}, found {}", found(text, token));
    let error = SyntaxError::new(token.span.clone(), message);
    match &token.kind {
        Kind::Name(name) => match nearest(name, ["like", "in", "is", "between", "not"]) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(COMPARISONS),
        },
        _ => error.help(COMPARISONS),
    }
}

const COMPARISONS: &str = "compare it: with = <> < <= > >=, in (…), between, like, is null or is not null";

pub(super) fn only_literals(span: Span) -> SyntaxError {
    SyntaxError::new(span, "this compares two literals, and reads no column")
        .help("text in single quotes is never a column's name; compare a column with a literal")
}

/// A double-quoted text and a text without quotes both look like a column.
pub(super) fn only_columns(text: &str, left: Span, right: Span) -> SyntaxError {
    let quoted = |span: &Span| text[span.clone()].starts_with('"');
    let meant = if quoted(&left) && !quoted(&right) { left } else { right };
    SyntaxError::new(meant.clone(), "this compares a column with a column; compare a column with a literal")
        .help(text_help(text, meant))
}

pub(super) fn column_for_literal(text: &str, span: Span) -> SyntaxError {
    let message = format!("expected a literal, found the column {}", shown(text, span.clone()));
    SyntaxError::new(span.clone(), message).help(text_help(text, span))
}

/// How to write a text that was taken for a column.
fn text_help(text: &str, span: Span) -> String {
    let written = &text[span];
    let unquoted = match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\""),
        None if written.ends_with(')') => {
            return "a literal is a number, or text in single quotes: 'text'".into();
        }
        None => written.into(),
    };
    format!("text goes in single quotes: '{}'", shortened(&unquoted).replace('\'', "''"))
}

pub(super) fn literal_for_column(text: &str, span: Span) -> SyntaxError {
    SyntaxError::new(span.clone(), format!("expected a column, found the literal {}", shown(text, span)))
        .help("a column's name stands without quotes, or in double ones")
}

pub(super) fn null(span: Span) -> SyntaxError {
    SyntaxError::new(span, "nothing compares with `null`: the answer is always unknown, and never matches")
        .help("write `is null` or `is not null`")
}

pub(super) fn boolean(text: &str, span: Span, number: u8) -> SyntaxError {
    SyntaxError::new(
        span.clone(),
        format!("{} is no literal: sources write it differently", shown(text, span)),
    )
    .help(format!("write {number}, or the text in single quotes where it is stored as text"))
}

pub(super) fn is_without_null(span: Span) -> SyntaxError {
    SyntaxError::new(span, "`is` only asks for null")
        .help("write `is null` or `is not null`, and = or <> for anything else")
}

pub(super) fn not_without_predicate(text: &str, token: &Token<'_>) -> SyntaxError {
    let message = format!("expected `in`, `between` or `like` after `not`, found {}", found(text, token));
    let help = match token.kind {
        Kind::Keyword(_) => "write `is not null`, or put `not` before the whole comparison",
        _ => "write <> for *not equal*, or put `not` before the whole comparison",
    };
    SyntaxError::new(token.span.clone(), message).help(help)
}

pub(super) fn no_list(text: &str, token: &Token<'_>) -> SyntaxError {
    let message = format!("expected a list after `in`, found {}", found(text, token));
    SyntaxError::new(token.span.clone(), message).help("write the literals in parentheses: in ('a', 'b')")
}

pub(super) fn empty_list(span: Span) -> SyntaxError {
    SyntaxError::new(span, "this list is empty, and nothing is in it")
        .help("write the literals in parentheses: in ('a', 'b')")
}

pub(super) fn between_without_and(text: &str, token: &Token<'_>) -> SyntaxError {
    let message = format!("expected the `and` of `between`, found {}", found(text, token));
    SyntaxError::new(token.span.clone(), message).help("write: between 1 and 5")
}

pub(super) fn reversed(span: Span) -> SyntaxError {
    SyntaxError::new(span, "nothing lies in this range: its first end is above its second")
        .help("write the lower end first; text compares byte by byte, so '10' is below '9'")
}

pub(super) fn mixed_range(span: Span) -> SyntaxError {
    SyntaxError::new(span, "one end of this range is a number, and the other is text")
        .help("write both without quotes to compare numbers, or both with them to compare text")
}

pub(super) fn no_pattern(text: &str, token: &Token<'_>) -> SyntaxError {
    let message = format!("expected a pattern after `like`, found {}", found(text, token));
    SyntaxError::new(token.span.clone(), message)
        .help("a pattern is text in single quotes, where % stands for anything and _ for one character: 'a%'")
}

pub(super) fn no_escape(text: &str, token: &Token<'_>) -> SyntaxError {
    let message = format!("expected one character after `escape`, found {}", found(text, token));
    SyntaxError::new(token.span.clone(), message).help("write it in single quotes: escape '\\'")
}

pub(super) fn dangling_escape(span: Span) -> SyntaxError {
    SyntaxError::new(span, "this pattern ends in its escape, which then escapes nothing")
        .help("write the escape twice where it stands for itself")
}

pub(super) fn no_function(name: &str, span: Span) -> SyntaxError {
    let known = term::functions().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let keyword = KEYWORDS.iter().map(|(keyword, _)| *keyword);
    let help = match nearest(name, term::functions().chain(keyword)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {known}"),
    };
    SyntaxError::new(span, format!("there is no function `{}`", shortened(name))).help(help)
}

/// In a list, or in the arguments of a function.
pub(super) fn no_item_end(text: &str, token: &Token<'_>) -> SyntaxError {
    let message = format!("expected `,` or `)`, found {}", found(text, token));
    let error = SyntaxError::new(token.span.clone(), message);
    match token.kind {
        Kind::Relation(_) => error.help("compare what a function gives: lower(column) = 'text'"),
        _ => error,
    }
}

pub(super) fn one_argument(text: &str, span: Span) -> SyntaxError {
    let name = function_name(text, &span);
    SyntaxError::new(span.clone(), format!("`{name}` takes one column"))
        .help(format!("write: {name}(column)"))
}

pub(super) fn two_arguments(text: &str, span: Span) -> SyntaxError {
    let name = function_name(text, &span);
    SyntaxError::new(span.clone(), format!("`{name}` takes a column and what stands in where it is null"))
        .help(format!("write: {name}(column, 'none')"))
}

fn function_name(text: &str, span: &Span) -> String {
    text[span.clone()].chars().take_while(|character| character.is_alphabetic()).collect()
}

const RANGE: &str = "the largest whole number is 9223372036854775807; \
    longer digits are compared as text, in single quotes";

const NUMBERS: &str = "a number is written like 12, -1.5 or 1e3, text in single quotes, \
    and a column whose name begins with a digit in double ones";

pub(super) fn number(error: NumberError, written: &str, span: Span) -> SyntaxError {
    let shown = shortened(written);
    match error {
        NumberError::OutOfRange => {
            SyntaxError::new(span, format!("`{shown}` is outside the range of numbers")).help(RANGE)
        }
        NumberError::Malformed => SyntaxError::new(span, format!("`{shown}` is not a number")).help(NUMBERS),
    }
}

pub(super) fn no_term(text: &str, token: &Token<'_>) -> SyntaxError {
    let message = format!("expected a column or a literal, found {}", found(text, token));
    let error = SyntaxError::new(token.span.clone(), message);
    match token.kind {
        Kind::Keyword(_) => {
            error.help(format!("a column of that name is written \"{}\"", &text[token.span.clone()]))
        }
        _ => error,
    }
}

fn found(text: &str, token: &Token<'_>) -> String {
    match token.kind {
        Kind::End => "the end".into(),
        _ => shown(text, token.span.clone()),
    }
}

fn shown(text: &str, span: Span) -> String {
    format!("`{}`", shortened(&text[span]))
}

/// Safe to print on one line, whatever was written.
fn shortened(written: &str) -> String {
    const ENOUGH: usize = 40;
    let mut shown: String = written.chars().take(ENOUGH).map(lex::printable).collect();
    if written.chars().nth(ENOUGH).is_some() {
        shown.push('…');
    }
    shown
}
