//! Random conditions over random records, answered a second time by an
//! evaluator that is as slow and as plain as possible.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::super::{Condition, Truth};
use super::drawn::{cell, number, term, test, tree, words};
use crate::value::Value;

/// The columns of every record here.
pub(super) const COLUMNS: [&str; 4] = ["a", "B c", "and", "æ"];

/// A value that owns its text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob,
}

impl Cell {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Cell::Null => Value::Null,
            Cell::Integer(number) => Value::Integer(*number),
            Cell::Real(number) => Value::Real(*number),
            Cell::Text(text) => Value::Text(text.as_bytes()),
            Cell::Blob => Value::Blob,
        }
    }

    fn written(&self) -> String {
        match self {
            Cell::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Cell::Integer(number) => number.to_string(),
            Cell::Real(number) => format!("{number:?}"),
            Cell::Null | Cell::Blob => unreachable!("no literal"),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Term {
    Column(usize),
    Call(&'static str, Box<Term>),
    Coalesce(Box<Term>, Vec<Term>),
    Literal(Cell),
}

#[derive(Clone, Debug)]
pub(super) enum Tree {
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
    Not(Box<Tree>),
    Null(Term, bool),
    Compare(Term, &'static str, Cell, bool),
    In(Term, Vec<Cell>, bool),
    Between(Term, Cell, Cell, bool),
    Like(Term, String, Option<char>, bool),
}

/// How a condition is written: the same tree for us and, with casts, for SQLite.
pub(super) trait Dialect {
    /// A term that is compared with literals of one type.
    fn against(&self, term: &Term, text: bool) -> String;

    fn tree(&self, tree: &Tree) -> String {
        let not = |negated: &bool| if *negated { "not " } else { "" };
        match tree {
            Tree::And(left, right) => format!("({} and {})", self.tree(left), self.tree(right)),
            Tree::Or(left, right) => format!("({} OR {})", self.tree(left), self.tree(right)),
            Tree::Not(inner) => format!("not ({})", self.tree(inner)),
            Tree::Null(term, negated) => format!("{} is {}null", term.written(), not(negated)),
            Tree::Compare(term, sign, literal, false) => {
                format!("{} {sign} {}", self.against(term, is_text(literal)), literal.written())
            }
            Tree::Compare(term, sign, literal, true) => {
                format!("{} {} {}", literal.written(), mirrored(sign), self.against(term, is_text(literal)))
            }
            Tree::In(term, list, negated) => self.list(term, list, *negated),
            Tree::Between(term, low, high, negated) => {
                let term = self.against(term, is_text(low));
                format!("{term} {}between {} and {}", not(negated), low.written(), high.written())
            }
            Tree::Like(term, pattern, escape, negated) => {
                let escape = escape.map(|escape| format!(" escape '{escape}'")).unwrap_or_default();
                format!("{} {}like '{pattern}'{escape}", self.against(term, true), not(negated))
            }
        }
    }

    fn list(&self, term: &Term, list: &[Cell], negated: bool) -> String;
}

/// Our own way to write it.
pub(super) struct Ours;

impl Dialect for Ours {
    fn against(&self, term: &Term, _text: bool) -> String {
        term.written()
    }

    fn list(&self, term: &Term, list: &[Cell], negated: bool) -> String {
        let list: Vec<String> = list.iter().map(Cell::written).collect();
        format!("{} {}IN ({})", term.written(), if negated { "NOT " } else { "" }, list.join(", "))
    }
}

impl Term {
    pub(super) fn written(&self) -> String {
        match self {
            Term::Column(0) => "a".into(),
            Term::Column(index) => format!("\"{}\"", COLUMNS[*index]),
            Term::Call(name, term) => format!("{name}({})", term.written()),
            Term::Coalesce(first, rest) => {
                let rest: Vec<String> = rest.iter().map(Term::written).collect();
                format!("coalesce({}, {})", first.written(), rest.join(", "))
            }
            Term::Literal(literal) => literal.written(),
        }
    }

    /// The value, or nothing where a function met a blob.
    pub(super) fn naive(&self, row: &[Cell]) -> Option<Cell> {
        match self {
            Term::Column(index) => Some(row[*index].clone()),
            Term::Literal(literal) => Some(literal.clone()),
            Term::Call(name, term) => called(name, term.naive(row)?),
            Term::Coalesce(first, rest) => {
                for term in std::iter::once(&**first).chain(rest) {
                    let cell = term.naive(row)?;
                    if cell != Cell::Null {
                        return Some(cell);
                    }
                }
                Some(Cell::Null)
            }
        }
    }
}

fn called(name: &str, cell: Cell) -> Option<Cell> {
    if cell == Cell::Null {
        return Some(Cell::Null);
    }
    let text = plain_text(&cell)?;
    Some(match name {
        "lower" => Cell::Text(text.to_ascii_lowercase()),
        "UPPER" => Cell::Text(text.to_ascii_uppercase()),
        "trim" => Cell::Text(text.trim_matches(' ').to_owned()),
        "length" => Cell::Integer(text.chars().count() as i64),
        _ => unreachable!("{name}"),
    })
}

/// The reals that occur here are halves and such, whose text is short and known, and one that is long.
fn plain_text(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(text.clone()),
        Cell::Integer(number) => Some(number.to_string()),
        Cell::Real(number) => Some(format!("{number:?}")).filter(|text| text.len() < 16),
        Cell::Null | Cell::Blob => None,
    }
}

pub(super) fn is_text(literal: &Cell) -> bool {
    matches!(literal, Cell::Text(_))
}

fn mirrored(sign: &str) -> &str {
    match sign {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        same => same,
    }
}

/// T, F, U for unknown and X for unreadable.
type Answer = char;

impl Tree {
    pub(super) fn naive(&self, row: &[Cell]) -> Answer {
        match self {
            Tree::And(left, right) => both(left.naive(row), right.naive(row), 'F'),
            Tree::Or(left, right) => both(left.naive(row), right.naive(row), 'T'),
            Tree::Not(inner) => opposite(inner.naive(row)),
            Tree::Null(term, negated) => match term.naive(row) {
                None => 'X',
                Some(cell) => answer((cell == Cell::Null) != *negated),
            },
            Tree::Compare(term, sign, literal, _) => compared(term.naive(row), sign, literal),
            Tree::In(term, list, negated) => {
                let any = list
                    .iter()
                    .fold('F', |sum, literal| both(sum, compared(term.naive(row), "=", literal), 'T'));
                if *negated { opposite(any) } else { any }
            }
            Tree::Between(term, low, high, negated) => {
                let low = compared(term.naive(row), ">=", low);
                let inside = both(low, compared(term.naive(row), "<=", high), 'F');
                if *negated { opposite(inside) } else { inside }
            }
            Tree::Like(term, pattern, escape, negated) => liked(term.naive(row), pattern, *escape, *negated),
        }
    }
}

/// `and` where `deciding` is F, `or` where it is T.
fn both(left: Answer, right: Answer, deciding: Answer) -> Answer {
    [deciding, 'X', 'U'].into_iter().find(|first| left == *first || right == *first).unwrap_or(left)
}

fn opposite(answer: Answer) -> Answer {
    match answer {
        'T' => 'F',
        'F' => 'T',
        same => same,
    }
}

fn answer(holds: bool) -> Answer {
    if holds { 'T' } else { 'F' }
}

pub(super) fn compared(cell: Option<Cell>, sign: &str, literal: &Cell) -> Answer {
    let ordering = match (cell, literal) {
        (None | Some(Cell::Blob), _) => return 'X',
        (Some(Cell::Null), _) => return 'U',
        (Some(cell), Cell::Text(literal)) => match plain_text(&cell) {
            Some(text) => text.as_bytes().cmp(literal.as_bytes()),
            None => return 'X',
        },
        (Some(cell), literal) => match thousandths(&cell) {
            Some(number) => number.cmp(&thousandths(literal).unwrap()),
            None => return 'X',
        },
    };
    answer(match sign {
        "=" | "==" => ordering.is_eq(),
        "<>" | "!=" => ordering.is_ne(),
        "<" => ordering.is_lt(),
        "<=" => ordering.is_le(),
        ">" => ordering.is_gt(),
        ">=" => ordering.is_ge(),
        _ => unreachable!("{sign}"),
    })
}

/// Every number that occurs here is a whole number of thousandths.
fn thousandths(cell: &Cell) -> Option<i128> {
    match cell {
        Cell::Integer(number) => Some(i128::from(*number) * 1000),
        Cell::Real(number) => Some((number * 1000.0) as i128),
        Cell::Text(text) => thousandths_in(text),
        Cell::Null | Cell::Blob => None,
    }
}

fn thousandths_in(text: &str) -> Option<i128> {
    let (unsigned, sign) = match text.strip_prefix('-') {
        Some(rest) => (rest, -1),
        None => (text.strip_prefix('+').unwrap_or(text), 1),
    };
    let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, power)) if power.trim_start_matches(['+', '-']).parse::<u8>().is_ok() => {
            (mantissa, power.parse::<i32>().ok()?)
        }
        Some(_) => return None,
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let number: i128 = format!("{whole}{fraction}").parse().ok()?;
    let shift = 3 + power - fraction.len() as i32;
    let ten = 10_i128.pow(shift.unsigned_abs());
    Some(sign * if shift < 0 { number / ten } else { number * ten })
}

fn liked(cell: Option<Cell>, pattern: &str, escape: Option<char>, negated: bool) -> Answer {
    match cell {
        None | Some(Cell::Blob) => 'X',
        Some(Cell::Null) => 'U',
        Some(cell) => {
            let Some(text) = plain_text(&cell) else { return 'X' };
            let text: Vec<char> = text.chars().collect();
            let pattern: Vec<char> = pattern.chars().collect();
            answer(fits(&pattern, &text, escape) != negated)
        }
    }
}

/// By trying everything.
fn fits(pattern: &[char], text: &[char], escape: Option<char>) -> bool {
    match pattern {
        [] => text.is_empty(),
        [first, wanted, rest @ ..] if Some(*first) == escape => {
            one(text, |c| c.eq_ignore_ascii_case(wanted), rest, escape)
        }
        ['%', rest @ ..] => (0..=text.len()).any(|skipped| fits(rest, &text[skipped..], escape)),
        ['_', rest @ ..] => one(text, |_| true, rest, escape),
        [wanted, rest @ ..] => one(text, |c| c.eq_ignore_ascii_case(wanted), rest, escape),
    }
}

fn one(text: &[char], fit: impl Fn(&char) -> bool, rest: &[char], escape: Option<char>) -> bool {
    text.first().is_some_and(fit) && fits(rest, &text[1..], escape)
}

/// Our answer, in the letters of the plain evaluator.
pub(super) fn ours(text: &str, row: &[Cell]) -> Answer {
    let condition = Condition::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let columns: Vec<usize> = condition.columns().iter().map(|name| index(name)).collect();
    match condition.eval(|column| row[columns[column]].value()) {
        Truth::True => 'T',
        Truth::False => 'F',
        Truth::Unknown => 'U',
        Truth::Unreadable { column } => {
            assert!(column < columns.len());
            'X'
        }
    }
}

fn index(name: &str) -> usize {
    COLUMNS.iter().position(|column| *column == name).unwrap()
}

fn anything() -> impl Strategy<Value = Tree> {
    let literal = prop_oneof![number(), words()].boxed();
    tree(test(term(literal.clone()).boxed(), literal).boxed())
}

proptest! {
    #![proptest_config(crate::depth::config(400))]

    #[test]
    fn random_conditions_answer_as_the_plain_evaluator(tree in anything(), rows in vec(vec(cell(), 4), 8)) {
        let text = Ours.tree(&tree);
        for row in rows {
            prop_assert_eq!(ours(&text, &row), tree.naive(&row), "{} of {:?}", text, row);
        }
    }
}

/// A property over conditions that all answer alike would prove nothing.
#[test]
fn every_answer_is_common() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let drawn = (anything(), vec(cell(), 4));
    let answers: String = (0..2_000)
        .map(|_| drawn.new_tree(&mut runner).unwrap().current())
        .map(|(tree, row)| tree.naive(&row))
        .collect();
    for answer in ['T', 'F', 'U', 'X'] {
        let count = answers.matches(answer).count();
        assert!(count > 100, "{answer}: {count}");
    }
}
