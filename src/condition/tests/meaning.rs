//! What each construct means.

use super::super::{Condition, Truth};
use super::{UNREADABLE, ask, text};
use crate::value::Value::{self, Blob, Integer, Null, Real, Text};
use Truth::{False, True, Unknown};

#[track_caller]
fn holds(condition: &str, value: Value<'_>) {
    assert_eq!(ask(condition, value), True, "{condition} of {value:?}");
}

#[track_caller]
fn fails(condition: &str, value: Value<'_>) {
    assert_eq!(ask(condition, value), False, "{condition} of {value:?}");
}

#[track_caller]
fn unreadable(condition: &str, value: Value<'_>) {
    assert_eq!(ask(condition, value), UNREADABLE, "{condition} of {value:?}");
}

/// The answer for a record with these columns.
fn row(condition: &str, values: &[(&str, Value<'static>)]) -> Truth {
    let condition = Condition::parse(condition).unwrap();
    let columns = condition.columns().to_vec();
    condition.eval(|index| values.iter().find(|(name, _)| *name == columns[index]).unwrap().1)
}

#[test]
fn columns_are_named_once_in_the_order_of_use() {
    let condition =
        Condition::parse("b = 1 and lower(A) = 'x' or \"b\" = 2 and a is null and \"d \"\"e\" = 1").unwrap();
    assert_eq!(condition.columns(), ["b", "A", "a", "d \"e"]);
}

#[test]
fn names_may_hold_letters_of_any_language() {
    let condition = Condition::parse("ændret_år2 = 1 and _x > 1 and length > 1 and Lower > 1").unwrap();
    assert_eq!(condition.columns(), ["ændret_år2", "_x", "length", "Lower"]);
}

#[test]
fn relations_between_numbers() {
    for (relation, of_4, of_5, of_6) in [
        ("=", False, True, False),
        ("==", False, True, False),
        ("<>", True, False, True),
        ("!=", True, False, True),
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
    ] {
        for (value, truth) in [(4, of_4), (5, of_5), (6, of_6)] {
            assert_eq!(ask(&format!("n {relation} 5"), Integer(value)), truth, "{value} {relation} 5");
            assert_eq!(
                ask(&format!("5.0{relation}n"), Real(10.0 - value as f64)),
                truth,
                "5 {relation} {value}"
            );
        }
    }
}

#[test]
fn a_literal_may_stand_first() {
    holds("10 < n", Integer(11));
    fails("10 < n", Integer(10));
    holds("10 <= n", Integer(10));
    holds("'b' > n", text("a"));
    holds("-5 >= n", Integer(-5));
    holds("'x' = lower(n)", text("X"));
}

#[test]
fn text_compares_byte_by_byte() {
    holds("n = 'a'", text("a"));
    fails("n = 'a'", text("A"));
    fails("n = 'a'", text("a "));
    holds("n > 'Z'", text("a"));
    holds("n > 'zz'", text("å"));
    holds("n = 'it''s'", text("it's"));
    holds("n = ''", text(""));
    holds("n > 'z'", Text(b"\xff"));
    fails("n = 'a'", Text(b"a\0"));
}

#[test]
fn against_text_a_number_is_its_text() {
    holds("n = '5'", Integer(5));
    fails("n = '05'", Integer(5));
    fails("n = '5'", Real(5.0));
    holds("n = '5.0'", Real(5.0));
    holds("n = '1.0e+20'", Real(1e20));
    holds("n < '9'", Integer(10));
    holds("n = 'Inf'", Real(f64::INFINITY));
    holds("n = '478407069301.26'", Real(478_407_069_301.26));
    unreadable("n <> 'x'", Real(0.1 + 0.2));
    unreadable("n like '%'", Real(1.0 / 3.0));
    unreadable("length(n) > 5", Real(1.0 / 3.0));
    holds("n < 0.5", Real(1.0 / 3.0));
}

#[test]
fn a_blob_has_neither_text_nor_number() {
    for condition in
        ["n = 1", "n = 'x'", "n like '%'", "n in (1, 'x')", "n between 1 and 2", "lower(n) is null"]
    {
        unreadable(condition, Blob);
    }
    for condition in ["length(n) > 0", "coalesce(n, 'x') = 'x'", "upper(n) is not null", "not trim(n) = 'x'"]
    {
        unreadable(condition, Blob);
    }
    fails("n is null", Blob);
    holds("n is not null", Blob);
}

#[test]
fn what_is_not_a_number_is_unreadable() {
    unreadable("n = 1", Real(f64::NAN));
    unreadable("n <> 1.5", Real(f64::NAN));
    unreadable("n <> 'x'", Real(f64::NAN));
    unreadable("length(n) > 1", Real(f64::NAN));
}

#[test]
fn null_is_unknown_to_all_but_is_null() {
    for condition in
        ["n = 1", "n <> 'x'", "n in (1, 2)", "n not in (1, 2)", "n between 1 and 2", "n like '%'"]
    {
        assert_eq!(ask(condition, Null), Unknown, "{condition}");
    }
    for condition in
        ["lower(n) = 'x'", "length(trim(n)) > 0", "not n = 1", "coalesce(n, n) = 1", "n not like 'x'"]
    {
        assert_eq!(ask(condition, Null), Unknown, "{condition}");
    }
    holds("n is null", Null);
    fails("n is not null", Null);
    holds("upper(n) is null", Null);
    fails("n is null", text(""));
    holds("n Is NOT Null", Integer(0));
}

#[test]
fn lists() {
    holds("n in (1, 2)", Integer(2));
    fails("n in (1, 2)", Integer(3));
    holds("n not in (1, 2)", Integer(3));
    fails("n NOT IN ('a')", text("a"));
    holds("n in (1, 'a')", text("a"));
    unreadable("n in (1, 'a')", text("b"));
    unreadable("n not in (1, 'a')", text("b"));
    fails("n in (1, 'a')", Integer(2));
}

#[test]
fn ranges() {
    for (value, truth) in [(0, False), (1, True), (2, True), (5, True), (6, False)] {
        assert_eq!(ask("n between 1 and 5", Integer(value)), truth, "{value}");
        assert_eq!(ask("n not between 1 and 5", Integer(value)), truth.not(), "{value}");
    }
    holds("n between 'a' and 'b' and n > 'a'", text("ab"));
    holds("n between 3 and 3", text("3.0"));
    unreadable("n not between 1 and 5", text("x"));
}

#[test]
fn patterns() {
    for (pattern, matching, other) in [
        ("a%", "ABC", "bac"),
        ("%c", "abC", "abcd"),
        ("%b%", "abc", "ac"),
        ("a_c", "aBc", "ac"),
        ("_", "å", "ab"),
        ("_", "€", "å€"),
        ("_%€", "😀€", "€"),
        ("å%", "åben", "Åben"),
        ("%ab%ab%", "xabyabz", "xabyb"),
        ("a%_", "ab", "a"),
        ("", "", "a"),
        ("%", "", "%"),
        ("k", "K", "\u{212a}"),
    ] {
        holds(&format!("n like '{pattern}'"), text(matching));
        if pattern != "%" {
            fails(&format!("n like '{pattern}'"), text(other));
        }
    }
}

#[test]
fn patterns_with_an_escape() {
    holds("n like '50\\%' escape '\\'", text("50%"));
    fails("n like '50\\%' escape '\\'", text("500"));
    holds("n like 'a!_b!!' escape '!'", text("A_b!"));
    fails("n like 'a!_b' escape '!'", text("axb"));
    holds("n not like 'xåx%' escape 'å'", text("xyx"));
    holds("n like 'a%%' escape '%'", text("a%"));
}

#[test]
fn patterns_see_numbers_and_broken_text() {
    holds("n like '20%'", Integer(2024));
    holds("n like '%.5'", Real(1.5));
    holds("n like '_'", Text(b"\xff"));
    holds("n like 'b_r'", Text(b"b\xf8r"));
    fails("n like '_'", Text(b"\xc3\x28"));
    fails("n like '_'", Text(b"\xed\xa0\x80"));
    holds("n like '___'", Text(b"\xed\xa0\x80"));
    holds("n like '__'", Text(b"\xe2\x82"));
    holds("n like 'a_b'", Text(b"a\0b"));
}

#[test]
fn functions_of_text() {
    holds("lower(n) = 'abcÅ'", text("aBCÅ"));
    holds("Upper(n) = 'ABCå'", text("aBcå"));
    holds("trim(n) = 'a b'", text("  a b "));
    holds("trim(n) = '\ta'", text(" \ta"));
    holds("trim(n) = ''", text("   "));
    holds("lower(trim(n)) = 'x'", text(" X "));
    holds("trim(lower(n)) = 'x'", text(" X "));
    holds("upper(n) = '1.0E+20'", Real(1e20));
    holds("lower(n) = 5", text("5"));
    holds("trim(n) = 5", text(" 5 "));
    unreadable("n = 5", text(" 5 "));
    holds("lower(n) in (5, 6)", Integer(6));
    unreadable("lower(n) > 5", text("x"));
}

#[test]
fn lengths() {
    holds("length(n) = 3", text("abc"));
    holds("length(n) = 4", text("åø€😀"));
    holds("length(n) = 2", Text(b"\xff\xfe"));
    holds("length(n) = 0", text(""));
    holds("length(n) = 3", Integer(-10));
    holds("length(n) = 3", Real(1.5));
    holds("length(n) < '3'", text("0123456789"));
    holds("length(trim(n)) = '1'", text(" a "));
    holds("length(n) between 1 and 2", text("a"));
}

#[test]
fn coalesce_takes_the_first_that_is_not_null() {
    let values = [("a", Null), ("b", Null), ("c", Integer(3)), ("d", Text(b"x"))];
    assert_eq!(row("coalesce(a, b, c, d) = 3", &values), True);
    assert_eq!(row("coalesce(a, 7) = 7", &values), True);
    assert_eq!(row("coalesce(c, 7) = 7", &values), False);
    assert_eq!(row("lower(coalesce(a, 'NONE')) = 'none'", &values), True);
    assert_eq!(row("coalesce(lower(a), coalesce(b, 1.5)) = '1.5'", &values), True);
    assert_eq!(row("coalesce(a, b) is null", &values), True);
    assert_eq!(row("coalesce(a, b) = 1", &values), Unknown);
    assert_eq!(row("coalesce(a, 1) is null", &values), False);
    assert_eq!(row("coalesce(a, 1.0) = '1.0'", &values), True);
    assert_eq!(row("coalesce(a, 9007199254740993.0) = 9007199254740993", &values), True);
}

#[test]
fn the_column_that_cannot_be_read_is_named() {
    let values = [("a", Null), ("b", Integer(1)), ("c", Blob), ("d", Text(b"x"))];
    assert_eq!(row("b = 1 and c = 1", &values), Truth::Unreadable { column: 1 });
    assert_eq!(row("coalesce(a, d) = 1", &values), Truth::Unreadable { column: 1 });
    assert_eq!(row("coalesce(a, 'none') = 1", &values), Truth::Unreadable { column: 0 });
    assert_eq!(row("b = 1 and coalesce(a, a, 'none') = 1", &values), Truth::Unreadable { column: 1 });
    assert_eq!(row("b = 2 or d = 1 or c = 1", &values), Truth::Unreadable { column: 1 });
    assert_eq!(row("coalesce(a, lower(c), 'x') = 'x'", &values), Truth::Unreadable { column: 1 });
}

/// Columns that answer `= 1` with each truth.
const EACH: [(&str, Value<'static>); 4] = [("t", Integer(1)), ("f", Integer(0)), ("u", Null), ("x", Blob)];

#[test]
fn connectives_know_four_truths() {
    // Rows and columns in the order of `EACH`; x is unreadable.
    let and = ["tfux", "ffff", "ufux", "xfxx"];
    let or = ["tttt", "tfux", "tuux", "txxx"];
    for (left, name) in EACH.iter().map(|(name, _)| *name).enumerate() {
        for (right, other) in EACH.iter().map(|(name, _)| *name).enumerate() {
            let both = |word: &str| letter(row(&format!("{name} = 1 {word} {other} = 1"), &EACH));
            assert_eq!(both("and"), and[left].as_bytes()[right], "{name} and {other}");
            assert_eq!(both("or"), or[left].as_bytes()[right], "{name} or {other}");
        }
    }
    for (name, negated) in [("t", b'f'), ("f", b't'), ("u", b'u'), ("x", b'x')] {
        assert_eq!(letter(row(&format!("not {name} = 1"), &EACH)), negated, "not {name}");
    }
}

fn letter(truth: Truth) -> u8 {
    match truth {
        True => b't',
        False => b'f',
        Unknown => b'u',
        Truth::Unreadable { .. } => b'x',
    }
}

#[test]
fn connectives_bind_as_in_sql() {
    let is = |condition: &str, truth: Truth| assert_eq!(row(condition, &EACH), truth, "{condition}");
    is("t = 1 or t = 1 and f = 1", True);
    is("(t = 1 or t = 1) and f = 1", False);
    is("not f = 1 and f = 1", False);
    is("not (f = 1 and f = 1)", True);
    is("not f = 1 or t = 1", True);
    is("not not t = 1", True);
    is("NOT t between 0 and 2 Or f = 0", True);
    is("f = 1 and f = 1 or t = 1 and t = 1", True);
}

#[test]
fn only_true_matches() {
    assert!(True.matches());
    assert!(!False.matches() && !Unknown.matches() && !UNREADABLE.matches());
}

#[test]
fn signs_need_no_blanks() {
    holds("n>1 and n<5", Integer(2));
    holds("n>-1", Integer(0));
    holds("n<>-1", Integer(0));
    holds("(n='a')or(n in('b'))", text("b"));
    holds("lower (n)\n=\t'a'\r\n", text("A"));
    holds("not(n=1)", Integer(2));
}
