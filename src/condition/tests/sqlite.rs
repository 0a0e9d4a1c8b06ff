//! Random conditions over random records, answered a second time by SQLite.
//!
//! Where a literal is text, SQLite is asked of `cast(… as text)`: there an
//! integer and a real are what we say they are, and text stays itself. Where
//! it is a number, the columns hold numbers only, for SQLite would sort text
//! above all of them and we call it unreadable. The text of a real of many
//! digits we call unreadable as well.

use proptest::collection::vec;
use proptest::prelude::*;
use rusqlite::types::{ToSqlOutput, Value as Stored};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::drawn;
use super::naive::{self, COLUMNS, Cell, Dialect, Ours, Term, Tree};
use crate::value::Value;

struct Sqlite;

impl Dialect for Sqlite {
    fn against(&self, term: &Term, text: bool) -> String {
        if text { format!("cast({} as text)", term.written()) } else { term.written() }
    }

    /// One comparison a literal, since each decides for itself how the term is seen.
    fn list(&self, term: &Term, list: &[Cell], negated: bool) -> String {
        let equal = |literal: &Cell| self.tree(&Tree::Compare(term.clone(), "=", literal.clone(), false));
        let any = list.iter().map(equal).collect::<Vec<_>>().join(" or ");
        format!("{}({any})", if negated { "not " } else { "" })
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match self {
            Cell::Null => Stored::Null,
            Cell::Integer(number) => Stored::Integer(*number),
            Cell::Real(number) => Stored::Real(*number),
            Cell::Text(text) => Stored::Text(text.clone()),
            Cell::Blob => unreachable!("SQLite is not asked of blobs"),
        }))
    }
}

thread_local! {
    static SQLITE: Connection = with_a_table();
}

/// Columns without a type keep values as they are, and compare them byte by byte.
fn with_a_table() -> Connection {
    let sqlite = Connection::open_in_memory().unwrap();
    let columns = COLUMNS.map(|name| format!("\"{name}\"")).join(", ");
    sqlite.execute(&format!("create table records ({columns})"), []).unwrap();
    sqlite
}

fn sqlites(condition: &str, row: &[Cell]) -> char {
    SQLITE.with(|sqlite| {
        sqlite.execute("delete from records", []).unwrap();
        sqlite.execute("insert into records values (?, ?, ?, ?)", params_from_iter(row)).unwrap();
        let query = format!("select {condition} from records");
        match sqlite.query_row(&query, [], |row| row.get::<_, Option<bool>>(0)).expect(&query) {
            None => 'U',
            Some(true) => 'T',
            Some(false) => 'F',
        }
    })
}

fn agrees(tree: &Tree, rows: &[Vec<Cell>]) -> Result<(), TestCaseError> {
    let (ours, theirs) = (Ours.tree(tree), Sqlite.tree(tree));
    let words = ours.split([' ', ',', '(', ')']);
    let is_in_literals = words.filter_map(|word| word.parse().ok()).any(is_long);
    for row in rows {
        let is_in_row = row.iter().any(|cell| matches!(cell, Cell::Real(number) if is_long(*number)));
        let answer = naive::ours(&ours, row);
        if answer != 'X' || !(is_in_literals || is_in_row) {
            prop_assert_eq!(answer, sqlites(&theirs, row), "{} of {:?}", ours, row);
        }
    }
    Ok(())
}

fn is_long(number: f64) -> bool {
    Value::Real(number).sure_text().is_none()
}

fn number() -> BoxedStrategy<Cell> {
    prop_oneof![drawn::number(), any::<i64>().prop_map(Cell::Integer), real().prop_map(Cell::Real)].boxed()
}

/// Any real that SQLite stores as one; of a whole literal it reads the digits as we do. Of those
/// that are neither long nor among [`drawn::number`], SQLite's text is not always the shortest.
fn real() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("a number with a text that reads back", |number| {
        let size = number.abs();
        is_long(*number) && size.is_finite() && !(9.0e15..=1.0e19).contains(&size) && size > 1.0e-300
    })
}

fn words() -> BoxedStrategy<Cell> {
    drawn::words().boxed()
}

/// Numbers or text, each column of either.
fn anything() -> BoxedStrategy<Cell> {
    prop_oneof![Just(Cell::Null), number(), words()].boxed()
}

fn numbers() -> BoxedStrategy<Cell> {
    prop_oneof![1 => Just(Cell::Null), 4 => number()].boxed()
}

/// Columns and what `coalesce` makes of them: never a text, if columns and literals are none.
fn columns(literals: BoxedStrategy<Cell>) -> BoxedStrategy<Term> {
    let column = (0..COLUMNS.len()).prop_map(Term::Column);
    let length = column.clone().prop_map(|term| Term::Call("length", Box::new(term)));
    let first = prop_oneof![3 => column.clone(), 1 => length];
    let rest = vec(prop_oneof![column, literals.prop_map(Term::Literal)], 1..3);
    let coalesced = (first.clone(), rest).prop_map(|(first, rest)| Term::Coalesce(Box::new(first), rest));
    prop_oneof![2 => first, 1 => coalesced].boxed()
}

/// Every function, and literals that are text.
fn textual() -> BoxedStrategy<Tree> {
    let either = prop_oneof![number(), words()].boxed();
    drawn::tree(drawn::test(drawn::term(either).boxed(), words()).boxed()).boxed()
}

/// Literals that are numbers; `like`, which sees text, is among the tests.
fn numeric() -> BoxedStrategy<Tree> {
    drawn::tree(drawn::test(columns(number()), number()).boxed()).boxed()
}

/// Both kinds of literal, over numbers.
fn mixed() -> BoxedStrategy<Tree> {
    let literal = prop_oneof![number(), words()].boxed();
    drawn::tree(drawn::test(columns(number()), literal).boxed()).boxed()
}

proptest! {
    #![proptest_config(crate::depth::config(200))]

    #[test]
    fn text_literals_answer_as_sqlite(tree in textual(), rows in vec(vec(anything(), 4), 6)) {
        agrees(&tree, &rows)?;
    }

    #[test]
    fn number_literals_answer_as_sqlite(tree in numeric(), rows in vec(vec(numbers(), 4), 6)) {
        agrees(&tree, &rows)?;
    }

    #[test]
    fn both_kinds_of_literals_answer_as_sqlite(tree in mixed(), rows in vec(vec(numbers(), 4), 6)) {
        agrees(&tree, &rows)?;
    }
}
