//! Random cells, conditions and records. The few values make equality and order common.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::naive::{COLUMNS, Cell, Term, Tree, compared, is_text};

pub(super) fn number() -> impl Strategy<Value = Cell> {
    prop_oneof![
        (-3_i64..12).prop_map(Cell::Integer),
        (-6_i64..24).prop_map(|halves| Cell::Real(halves as f64 / 2.0)),
        select(vec![i64::MAX, i64::MIN, i64::MAX - 1, 1 << 53, (1 << 53) + 1]).prop_map(Cell::Integer),
        select(vec![9_007_199_254_740_992.0, 1234.125, -0.375, 100.0]).prop_map(Cell::Real),
    ]
}

pub(super) fn words() -> impl Strategy<Value = Cell> {
    prop_oneof!["[aAbB%_ ]{0,4}", "[aÅåé😀'\"\\\\]{0,3}", "-?[0-9]{1,2}(\\.[05])?"].prop_map(Cell::Text)
}

fn numeric_words() -> impl Strategy<Value = Cell> {
    let exponents = "[-+]?[0-9]{1,3}(\\.[0-9]{1,2})?([eE][-+]?[0-1])?";
    let broken = select(vec!["", " 1", "1 ", ".5", "5.", "1e", "--1", "0x1", "inf", "1,5", "1e+", "+", "e1"]);
    prop_oneof![exponents.prop_map(Cell::Text), broken.prop_map(|text| Cell::Text(text.into()))]
}

pub(super) fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        2 => Just(Cell::Null),
        3 => number(),
        3 => words(),
        2 => numeric_words(),
        1 => Just(Cell::Blob),
    ]
}

pub(super) fn term(literals: BoxedStrategy<Cell>) -> impl Strategy<Value = Term> {
    (0..COLUMNS.len()).prop_map(Term::Column).boxed().prop_recursive(3, 8, 3, move |inner| {
        let argument = prop_oneof![inner.clone(), literals.clone().prop_map(Term::Literal)];
        let rest = vec(argument, 1..3);
        prop_oneof![
            (select(vec!["lower", "UPPER", "trim", "length"]), inner.clone())
                .prop_map(|(name, term)| Term::Call(name, Box::new(term))),
            (inner, rest).prop_map(|(first, rest)| Term::Coalesce(Box::new(first), rest)),
        ]
    })
}

fn sign() -> impl Strategy<Value = &'static str> {
    select(vec!["=", "==", "<>", "!=", "<", "<=", ">", ">="])
}

/// A pattern whose escape, where it has one, is followed by something.
fn pattern() -> impl Strategy<Value = (String, Option<char>)> {
    prop_oneof![
        "[aAbB%_å😀0-9.]{0,5}".prop_map(|pattern| (pattern, None)),
        "([aAb%_å]|![%_!aé]){0,4}".prop_map(|pattern| (pattern, Some('!'))),
        "([aAb_]|%[%_a]){0,4}".prop_map(|pattern| (pattern, Some('%'))),
        "([aAb%]|_[%_a]){0,4}".prop_map(|pattern| (pattern, Some('_'))),
    ]
}

pub(super) fn test(term: BoxedStrategy<Term>, literal: BoxedStrategy<Cell>) -> impl Strategy<Value = Tree> {
    let (of_null, of_list, of_range, of_like) = (term.clone(), term.clone(), term.clone(), term.clone());
    let ordered =
        (literal.clone(), literal.clone()).prop_filter_map("ends of one type, in order", |(left, right)| {
            let one_type = is_text(&left) == is_text(&right);
            (one_type && rising(&left, &right)).then_some((left, right))
        });
    prop_oneof![
        1 => (of_null, any::<bool>()).prop_map(|(term, negated)| Tree::Null(term, negated)),
        4 => (term, sign(), literal.clone(), any::<bool>()).prop_map(|(t, s, l, first)| Tree::Compare(t, s, l, first)),
        2 => (of_list, vec(literal, 1..4), any::<bool>()).prop_map(|(t, list, negated)| Tree::In(t, list, negated)),
        2 => (of_range, ordered, any::<bool>()).prop_map(|(t, (low, high), n)| Tree::Between(t, low, high, n)),
        2 => (of_like, pattern(), any::<bool>()).prop_map(|(t, (pattern, escape), n)| Tree::Like(t, pattern, escape, n)),
    ]
}

/// Reals tell small numbers apart, and thousandths large ones.
fn rising(low: &Cell, high: &Cell) -> bool {
    match (as_real(low), as_real(high)) {
        (Some(low), Some(high)) if low != high => low < high,
        _ => compared(Some(low.clone()), "<=", high) == 'T',
    }
}

fn as_real(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Integer(number) => Some(*number as f64),
        Cell::Real(number) => Some(*number),
        _ => None,
    }
}

pub(super) fn tree(test: BoxedStrategy<Tree>) -> impl Strategy<Value = Tree> {
    test.prop_recursive(4, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone())
                .prop_map(|(left, right)| Tree::And(Box::new(left), Box::new(right))),
            (inner.clone(), inner.clone())
                .prop_map(|(left, right)| Tree::Or(Box::new(left), Box::new(right))),
            inner.prop_map(|inner| Tree::Not(Box::new(inner))),
        ]
    })
}
