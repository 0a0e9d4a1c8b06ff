//! Questions about rows of another source: a record waits for their answers and then takes them for its own.

use super::*;
use crate::calendar::Timestamp;
use crate::evaluate::Evaluator;
use crate::policy::tests::valid;

/// The questions of a rule with this line, whose related rows are those of the source `crm`.
fn book(line: &str) -> Evaluator {
    let policy = valid(&format!(
        "[source.crm]\nsqlite = \"crm.db\"\n[[rule]]\nname = \"a\"\ndata = \"app.customers\"\nkeep = \"1 day\"\nafter = \"at\"\n{line}\n"
    ));
    Evaluator::new(&policy.rules, Timestamp::from_unix(1_795_129_200, 0))
}

const UNLESS: &str =
    "unless = [{ table = \"crm.calls\", on = \"trim(lower(customer)) = lower(id)\", where = \"kind = 1\" }]";

fn side(folds: &[crate::policy::Fold]) -> Side {
    Side { column: "id".to_string(), folds: folds.to_vec() }
}

fn key(value: Value<'_>, folds: &[crate::policy::Fold]) -> String {
    match Key::of(value, &side(folds)) {
        Key::Nothing => "nothing".to_string(),
        Key::Known(text) => format!("<{}>", String::from_utf8_lossy(&text)),
        Key::Unreadable => "unreadable".to_string(),
    }
}

#[test]
fn keys_are_texts_and_numbers_are_their_decimal_texts() {
    use crate::policy::Fold::{Lower, Trim};
    for (value, folds, expected) in [
        (Value::Integer(7), &[][..], "<7>"),
        (Value::Text(b"7"), &[], "<7>"),
        (Value::Real(7.0), &[], "<7>"),
        (Value::Real(-0.0), &[], "<0>"),
        (Value::Integer(-12), &[], "<-12>"),
        (Value::Text(b"07"), &[], "<07>"),
        (Value::Text(b" 7"), &[], "< 7>"),
        (Value::Text(b"7.0"), &[], "<7.0>"),
        (Value::Real(7.5), &[], "unreadable"),
        (Value::Real(1e300), &[], "unreadable"),
        (Value::Real(f64::NAN), &[], "unreadable"),
        (Value::Blob, &[], "unreadable"),
        (Value::Null, &[], "nothing"),
        (Value::Text(b""), &[], "nothing"),
        (Value::Text(b"  "), &[], "<  >"),
        (Value::Text(b"  "), &[Trim], "nothing"),
        (Value::Text(b" A\tb "), &[Trim], "<A\tb>"),
        (Value::Text(b" A b"), &[Lower], "< a b>"),
        (Value::Text("\u{c6}A".as_bytes()), &[Lower], "<\u{c6}a>"),
        (Value::Text(b" Ab "), &[Lower, Trim], "<ab>"),
        (Value::Text(b" Ab "), &[Trim, Lower], "<ab>"),
    ] {
        assert_eq!(key(value, folds), expected, "{value:?} {folds:?}");
    }
}

/// The state of a record, before and after these rows were looked at.
fn states(book: &mut Evaluator, rows: &[(Value<'_>, Value<'_>)], id: Value<'_>) -> [&'static str; 2] {
    let cells = |book: &Evaluator, column: usize| match book.columns()[column].as_str() {
        "id" => id,
        _ => Value::Text(b"2020-01-01"),
    };
    let state = |book: &Evaluator| {
        book.judge(0, &|column| cells(book, column)).map_or("unmatched", |verdict| verdict.state.word())
    };
    let before = state(book);
    let mut answers = Answers::default();
    let question = book.questions()[0].clone();
    for (key, kind) in rows {
        answers.add(&question, |_| *key, |_| *kind).unwrap();
    }
    book.answer(0, Arc::new(answers));
    [before, state(book)]
}

#[test]
fn until_somebody_has_looked_every_record_is_kept() {
    assert_eq!(states(&mut book(UNLESS), &[], Value::Integer(7)), ["spared", "due"]);
    let only_if = UNLESS.replace("unless", "only-if");
    assert_eq!(states(&mut book(&only_if), &[], Value::Integer(7)), ["unmatched", "unmatched"]);
    let after = UNLESS.replace("unless = [{", "gone-within = \"1 year\"\nunless = [{");
    assert_eq!(states(&mut book(&after), &[], Value::Integer(7))[0], "spared");
}

#[test]
fn rows_are_found_by_their_folded_keys() {
    let one = Value::Integer(1);
    let of = |rows: &[(Value<'_>, Value<'_>)], id| states(&mut book(UNLESS), rows, id)[1];
    assert_eq!(of(&[(Value::Text(b" Ab "), one)], Value::Text(b"aB")), "spared");
    assert_eq!(of(&[(Value::Text(b" Ab "), one)], Value::Text(b" ab ")), "due", "ours is not trimmed");
    assert_eq!(of(&[(Value::Text(b"7 "), one)], Value::Integer(7)), "spared");
    assert_eq!(of(&[(Value::Integer(7), Value::Integer(2))], Value::Integer(7)), "due");
    assert_eq!(of(&[(Value::Integer(7), Value::Null)], Value::Integer(7)), "spared", "it may count");
    assert_eq!(of(&[(Value::Null, one), (Value::Text(b" "), one)], Value::Null), "due");
    assert_eq!(of(&[(Value::Integer(7), one)], Value::Blob), "spared", "nobody can say");
    let question = book(UNLESS).questions()[0].clone();
    assert_eq!(Answers::default().add(&question, |_| Value::Blob, |_| one), Err(KeyUnreadable));
}

#[test]
fn keys_of_several_columns_are_told_apart_wherever_their_parts_begin() {
    let both = [side(&[]), side(&[crate::policy::Fold::Trim])];
    let key = |parts: [Value<'static>; 2]| match Key::of_all(both.iter(), |part| parts[part]) {
        Key::Nothing => "nothing".to_string(),
        Key::Known(text) => String::from_utf8_lossy(&text).into_owned(),
        Key::Unreadable => "unreadable".to_string(),
    };
    let text = |text: &'static str| Value::Text(text.as_bytes());
    assert_eq!(key([text("1"), text("23")]), "1:12:23");
    assert_eq!(key([text("12"), text(" 3 ")]), "2:121:3");
    assert_eq!(key([Value::Integer(1), text("23")]), key([Value::Real(1.0), Value::Integer(23)]));
    assert_ne!(key([text("1:1"), text("1")]), key([text("1"), text("1:1")]));
    for nothing in [Value::Null, text(""), text(" ")] {
        assert_eq!(key([text("1"), nothing]), "nothing");
        assert_eq!(key([Value::Blob, nothing]), "nothing", "whatever the other is");
    }
    assert_eq!(key([Value::Null, Value::Blob]), "nothing");
    assert_eq!(key([Value::Blob, text("1")]), "unreadable");
    assert_eq!(key([text("1"), Value::Real(0.5)]), "unreadable");
}
