//! The newest of groups, against sorting them.

use proptest::prelude::*;

use super::*;
use crate::policy::tests::{rule, valid};

const NOW: i64 = 1_795_129_200;

fn book(lines: &str) -> Evaluator {
    let lines = format!("keep = \"1 day\"\nafter = \"at\"\n{lines}");
    let text = format!("[source.app.table.invoices]\nformats = {{ at = \"unix\" }}\n{}", rule(&lines));
    Evaluator::new(&valid(&text).rules, Timestamp::from_unix(NOW, 0))
}

/// The columns of a record under rules on `at`, `kind` and `owner`.
fn cell<'v>(book: &Evaluator, cells: &[(&str, Value<'v>)], cell: usize) -> Value<'v> {
    let name = book.columns().get(cell).map_or("binary", String::as_str);
    cells.iter().find(|(known, _)| *known == name).map_or(Value::Null, |(_, value)| *value)
}

fn state(book: &Evaluator, cells: &[(&str, Value<'_>)]) -> &'static str {
    book.judge(0, &|place| cell(book, cells, place)).map_or("not meant", |verdict| verdict.state.told())
}

#[test]
fn what_nobody_has_looked_for_is_kept_and_so_is_a_group_that_nobody_has_seen() {
    let book = book("keep-newest = 1\nper = \"owner\"");
    let of = |at: i64, owner: i64| [("at", Value::Integer(at)), ("owner", Value::Integer(owner))];
    assert_eq!(state(&book, &of(1, 1)), "newest");
    assert!(book.must_find_newest() && book.newest_counted(0).is_none());
    let mut search = Search::of(&book);
    for at in [1, 2] {
        search.show(&book, &|place| cell(&book, &of(at, 1), place), || (), false);
    }
    let other = book.carrying_out(|_| true);
    search.settle(&book);
    for book in [&book, &other] {
        let states = [of(1, 1), of(2, 1), of(1, 2), of(NOW + 1, 1)].map(|cells| state(book, &cells));
        assert_eq!(states, ["due", "newest", "newest", "in period"]);
        assert_eq!((book.must_find_newest(), book.newest_counted(0)), (false, Some(2)));
    }
    book.forget_newest();
    assert_eq!(state(&other, &of(1, 1)), "newest", "books of the same rules know the same");
}

#[test]
fn values_are_told_apart_as_sqlite_does() {
    let book = book("keep-newest = 1\nper = \"owner\"");
    let group = |value: Value<'static>, binary: Value<'static>| {
        let cells = [("at", Value::Integer(1)), ("owner", value), ("binary", binary)];
        book.counting(0, &|place| cell(&book, &cells, place)).map(|counting| counting.group)
    };
    let values = [
        group(Value::Null, Value::Null),
        group(Value::Integer(1), Value::Null),
        group(Value::Integer(-1), Value::Null),
        group(Value::Text(b"1"), Value::Null),
        group(Value::Text(b""), Value::Null),
        group(Value::Text(b"\xff"), Value::Null),
        group(Value::Real(1.5), Value::Null),
        group(Value::Real(9.3e18), Value::Null),
        group(Value::Real(f64::NEG_INFINITY), Value::Null),
        group(Value::Blob, Value::Text(b"31")),
        group(Value::Blob, Value::Text(b"")),
    ];
    for (place, value) in values.iter().enumerate() {
        assert!(value.is_some() && !values[..place].contains(value), "{place}");
    }
    assert_eq!(group(Value::Real(1.0), Value::Null), values[1]);
    assert_eq!(group(Value::Real(-0.0), Value::Null), group(Value::Integer(0), Value::Null));
    assert_eq!(
        group(Value::Real(-9_223_372_036_854_775_808.0), Value::Null),
        group(Value::Integer(i64::MIN), Value::Null)
    );
    assert_eq!(group(Value::Blob, Value::Blob), None, "what cannot be seen is in no group");
}

#[test]
fn the_largest_number_needs_no_memory_of_its_own() {
    let mut newest = Newest::new();
    newest.show(usize::MAX, Timestamp::from_unix(1, 0), || ());
    assert_eq!(newest.0.len(), 1);
}

proptest! {
    #[test]
    fn what_is_kept_is_what_sorting_keeps_however_it_is_shown(
        records in proptest::collection::vec((0..12_i64, 0..3_i64, 0..2_i64), 0..60),
        wanted in 1..5_usize,
        cut in 0..60_usize,
    ) {
        let book = book(&format!("keep-newest = {wanted}\nper = \"owner\"\nwhen = \"kind = 1\""));
        let cells = |(at, owner, kind): (i64, i64, i64)| {
            [("at", Value::Integer(at + 1)), ("owner", Value::Integer(owner)), ("kind", Value::Integer(kind))]
        };
        let (mut search, mut rest) = (Search::of(&book), Search::of(&book));
        for (number, record) in records.iter().enumerate() {
            let part = if number < cut { &mut search } else { &mut rest };
            part.show(&book, &|place| cell(&book, &cells(*record), place), || number, false);
        }
        search.absorb(rest);
        let guards = search.guards(usize::MAX).unwrap();
        prop_assert!(guards.is_empty() || search.guards(guards.len() - 1).is_none());
        for guard in &guards {
            let row = cells(records[guard.key]);
            prop_assert!(guard.is(&book.counting(0, &|place| cell(&book, &row, place)).unwrap()));
        }
        search.settle(&book);
        for record in records.iter().filter(|(_, _, kind)| *kind == 1) {
            let among = |only: bool| {
                let same = records.iter().filter(|other| other.1 == record.1 && (!only || other.2 == 1));
                let mut all: Vec<i64> = same.map(|(at, _, _)| *at).collect();
                all.sort_unstable_by(|one, other| other.cmp(one));
                all.truncate(wanted);
                all.contains(&record.0)
            };
            let expected = if among(false) || among(true) { "newest" } else { "due" };
            prop_assert_eq!(state(&book, &cells(*record)), expected);
        }
    }
}
