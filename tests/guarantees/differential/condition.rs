//! Conditions: tests with an answer of their own each, and what joins them.

use super::data::{Number, Row};
use super::draw::Draw;
use super::time::Written;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Truth {
    Yes,
    No,
    Unknown,
    Unreadable,
}

#[derive(Clone, Debug)]
pub(super) enum Condition {
    Test(Test),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

/// How the language writes it, and what a record answers.
#[derive(Clone, Copy)]
pub(super) struct Test(&'static str, fn(&Row) -> Truth);

impl std::fmt::Debug for Test {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl From<bool> for Truth {
    fn from(is_so: bool) -> Truth {
        if is_so { Truth::Yes } else { Truth::No }
    }
}

impl Truth {
    fn not(self) -> Truth {
        match self {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            other => other,
        }
    }
}

fn kind(row: &Row, is_so: impl Fn(&str) -> bool) -> Truth {
    row.kind.as_deref().map_or(Truth::Unknown, |kind| is_so(kind).into())
}

/// A comparison with a number, in halves.
fn halves(row: &Row, is_so: impl Fn(i64) -> bool) -> Truth {
    match row.number {
        Number::Null => Truth::Unknown,
        Number::Halves(halves) => is_so(halves).into(),
        Number::Word(_) => Truth::Unreadable,
    }
}

/// A comparison with a text.
fn digits(row: &Row, is_so: impl Fn(&str) -> bool) -> Truth {
    row.number.text().map_or(Truth::Unknown, |text| is_so(&text).into())
}

const TESTS: [Test; 26] = [
    Test("kind = 'a'", |row| kind(row, |kind| kind == "a")),
    Test("kind <> 'a'", |row| kind(row, |kind| kind != "a")),
    Test("'a' < kind", |row| kind(row, |kind| kind > "a")),
    Test("kind is null", |row| row.kind.is_none().into()),
    Test("kind is not null", |row| row.kind.is_some().into()),
    Test("kind in ('a', 'B', 'a,b')", |row| kind(row, |kind| ["a", "B", "a,b"].contains(&kind))),
    Test("kind not in ('a', 'B')", |row| kind(row, |kind| !["a", "B"].contains(&kind))),
    Test("kind in ('a', 3)", |row| match row.kind.as_deref() {
        None => Truth::Unknown,
        Some("a") => Truth::Yes,
        Some(_) => Truth::Unreadable,
    }),
    Test("kind between 'a' and 'b'", |row| kind(row, |kind| ("a"..="b").contains(&kind))),
    Test("kind like 'a%'", |row| kind(row, |kind| kind.starts_with(['a', 'A']))),
    Test("kind not like '_'", |row| kind(row, |kind| kind.chars().count() != 1)),
    Test("upper(kind) like '%b%'", |row| kind(row, |kind| kind.contains(['b', 'B']))),
    Test("lower(kind) = 'b'", |row| kind(row, |kind| ["b", "B"].contains(&kind))),
    Test("upper(kind) = 'Æ'", |row| kind(row, |kind| kind == "Æ")),
    Test("trim(kind) = 'a'", |row| kind(row, |kind| ["a", " a "].contains(&kind))),
    Test("length(kind) > 1", |row| kind(row, |kind| kind.chars().count() > 1)),
    Test("coalesce(kind, 'z') >= 'b'", |row| (row.kind.as_deref().unwrap_or("z") >= "b").into()),
    Test("n > 5", |row| halves(row, |halves| halves > 10)),
    Test("n <= 2.5", |row| halves(row, |halves| halves <= 5)),
    Test("n between 2 and 7", |row| halves(row, |halves| (4..=14).contains(&halves))),
    Test("n not between 3 and 4", |row| halves(row, |halves| !(6..=8).contains(&halves))),
    Test("n <> 3", |row| halves(row, |halves| halves != 6)),
    Test("n in (1, 2.5, 1e1)", |row| halves(row, |halves| [2, 5, 20].contains(&halves))),
    Test("n < '3'", |row| digits(row, |text| text < "3")),
    Test("t0 is null", |row| (row.times[0].written == Written::Null).into()),
    Test("t0 is not null", |row| (row.times[0].written != Written::Null).into()),
];

impl Condition {
    pub(super) fn draw(draw: &mut Draw, depth: usize) -> Condition {
        match draw.below(if depth == 0 { 6 } else { 10 }) {
            6 => Condition::Not(Box::new(Condition::draw(draw, depth - 1))),
            7 | 8 => Condition::All((0..2).map(|_| Condition::draw(draw, depth - 1)).collect()),
            9 => Condition::Any((0..2 + draw.below(2)).map(|_| Condition::draw(draw, depth - 1)).collect()),
            _ => Condition::Test(draw.pick(&TESTS)),
        }
    }

    pub(super) fn text(&self) -> String {
        let joined = |parts: &[Condition], word: &str| {
            let parts: Vec<String> = parts.iter().map(|part| format!("({})", part.text())).collect();
            parts.join(word)
        };
        match self {
            Condition::Test(test) => test.0.to_owned(),
            Condition::Not(part) => format!("not ({})", part.text()),
            Condition::All(parts) => joined(parts, " and "),
            Condition::Any(parts) => joined(parts, " OR "),
        }
    }

    pub(super) fn answer(&self, row: &Row) -> Truth {
        match self {
            Condition::Test(test) => test.1(row),
            Condition::Not(part) => part.answer(row).not(),
            Condition::All(parts) => {
                let answers: Vec<Truth> = parts.iter().map(|part| part.answer(row)).collect();
                let order = [Truth::No, Truth::Unreadable, Truth::Unknown, Truth::Yes];
                order.into_iter().find(|truth| answers.contains(truth)).unwrap()
            }
            Condition::Any(parts) => {
                let answers: Vec<Truth> = parts.iter().map(|part| part.answer(row)).collect();
                let order = [Truth::Yes, Truth::Unreadable, Truth::Unknown, Truth::No];
                order.into_iter().find(|truth| answers.contains(truth)).unwrap()
            }
        }
    }
}
