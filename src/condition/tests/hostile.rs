//! Whatever is written, the answer is a condition or an error that points into the text.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{Condition, Truth};
use crate::value::Value;

/// Parses, looks at all that came out, and asks it of every kind of value.
fn survives(text: &str) {
    match Condition::parse(text) {
        Ok(condition) => answers(&condition),
        Err(error) => {
            assert!(text.get(error.span.clone()).is_some(), "{text:?}: {error:?}");
            let words = error.message.clone() + error.help.as_deref().unwrap_or_default();
            assert!(!words.contains(char::is_control), "{text:?}: {error:?}");
            assert!(error.message.len() < 400, "{text:?}: {error:?}");
        }
    }
}

fn answers(condition: &Condition) {
    let values = [
        Value::Null,
        Value::Integer(i64::MIN),
        Value::Real(f64::NAN),
        Value::Real(f64::NEG_INFINITY),
        Value::Real(5e-324),
        Value::Text(b"-1e-99999999999999999999"),
        Value::Text(b"\xf0\x9f\x98"),
        Value::Text(b""),
        Value::Blob,
    ];
    for value in values {
        let _ = condition.eval(|index| if index % 2 == 0 { value } else { Value::Integer(1) });
    }
}

/// Pieces of conditions, so that random texts get past the first word.
const PIECES: [&str; 60] = [
    "a",
    "b",
    "\"c d\"",
    "'x'",
    "''",
    "'it''s'",
    "1",
    "-1",
    "1.5",
    "1e3",
    "1e400",
    "9223372036854775808",
    "0.0",
    "=",
    "==",
    "<>",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "(",
    ")",
    "(",
    ")",
    ",",
    "and",
    "or",
    "not",
    "is",
    "null",
    "in",
    "between",
    "like",
    "escape",
    "'%'",
    "'_\\'",
    "'\\'",
    "true",
    "FALSE",
    "lower",
    "upper(",
    "trim(",
    "length(",
    "coalesce(",
    "coalesce",
    "'",
    "\"",
    "`",
    "-",
    ".",
    "å",
    "\u{301}",
    "\0",
    "\n",
    "“x”",
    "\u{202e}",
    "1x",
    "\u{1F600}",
    "%",
];

proptest! {
    #![proptest_config(crate::depth::config(800))]

    #[test]
    fn any_text(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..60)) {
        survives(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_ascii(text in "[ -~]{0,40}") {
        survives(&text);
    }

    #[test]
    fn any_words(words in vec(select(&PIECES[..]), 0..24), blank in select(&[" ", "", "\t"][..])) {
        survives(&words.join(blank));
    }

    #[test]
    fn any_text_of_a_value(bytes in vec(any::<u8>(), 0..20), pattern in "[ab%_é\\\\]{0,6}") {
        for condition in [format!("a like '{pattern}' escape 'b'"), "a < 5".into(), "length(trim(a)) < 0.5".into()] {
            if let Ok(condition) = Condition::parse(&condition) {
                let _ = condition.eval(|_| Value::Text(&bytes));
            }
        }
    }

    #[test]
    fn any_number(text in "[-+]?[0-9]{1,25}(\\.[0-9]{1,25})?([eE][-+]?[0-9]{1,25})?") {
        survives(&format!("a < {text}"));
        for condition in ["a < 5", "a < 0.5", "a < 1e300"] {
            let truth = super::ask(condition, Value::Text(text.as_bytes()));
            prop_assert!(matches!(truth, Truth::True | Truth::False), "{} of {}", condition, text);
        }
    }
}

#[test]
fn the_longest_conditions_end_in_time_and_within_the_stack() {
    let repeated = |piece: &str| piece.repeat(65_536 / piece.len());
    for piece in [
        "(",
        "not ",
        "lower(",
        "a = 1 and ",
        "a = 1 or ",
        "'",
        "''",
        "\"",
        "a,",
        "-",
        "1e",
        "é",
        "coalesce(a,",
    ] {
        survives(&repeated(piece));
    }
    survives(&format!("{}a = 1", repeated("a = 1 and ").split_at(65_000).0));
    survives(&format!("a in (1{})", ",1".repeat(32_000)));
}

#[test]
fn a_pattern_of_many_wildcards_ends_in_time() {
    let pattern = "%a".repeat(500);
    let condition = Condition::parse(&format!("n like '{pattern}b'")).unwrap();
    let text = "a".repeat(4_000);
    assert!(!condition.eval(|_| Value::Text(text.as_bytes())).matches());
}
