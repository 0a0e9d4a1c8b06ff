//! The rows that belong to a record, found by the engine: each question of the rule book becomes a
//! subquery beside the record's own columns.

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};

use super::schema::Table;
use super::{quoted, value};
use crate::dataset::Problem;
use crate::diagnostic::nearest;
use crate::policy::{On, Relation, Side};
use crate::verdict::{Asked, Found, LatestOf, Question, RuleBook};

/// Without an index, related rows are searched for once for every record; up to this many of them
/// that is not worth a word.
const SMALL: i64 = 1_000;

/// How the rows of a relation are found in this database.
#[derive(Clone, Debug)]
pub struct Join {
    /// Their table, and a name for it that is not the record's own.
    from: String,
    alias: String,
    /// Which columns are equal, as SQL.
    on: String,
}

/// Finds out how each relation of a book joins its tables, or why it cannot.
pub fn resolve(connection: &Connection, table: &Table, book: &RuleBook) -> Result<Vec<Join>, Problem> {
    book.questions().iter().map(|question| join(connection, table, question)).collect()
}

/// Finds out how one relation joins its tables, or why it cannot.
pub fn join(connection: &Connection, table: &Table, question: &Question) -> Result<Join, Problem> {
    let relation = &question.relation;
    let engine = |error: rusqlite::Error| {
        Problem::new("sqlite", format!("table `{}`: {error}", relation.table)).at(&relation.at)
    };
    let theirs = columns(connection, relation).map_err(engine)??;
    let asked = match &question.asked {
        Asked::Latest(latest) => Some(&latest.column),
        Asked::Any { .. } => None,
    };
    for column in asked.into_iter().chain(relation.condition.iter().flat_map(|read| read.columns())) {
        require(relation, &theirs, column)?;
    }
    let pairs = match &relation.on {
        Some(On { theirs: side, ours }) => {
            require(relation, &theirs, &side.column)?;
            table.require(&ours.column, &relation.at)?;
            vec![(side.clone(), ours.clone())]
        }
        None => inferred(connection, table, relation).map_err(engine)??,
    };
    let alias = quoted(&alias_beside(&table.name));
    let equal: Vec<String> = pairs
        .iter()
        .map(|(theirs, ours)| {
            let theirs = folded(theirs, format!("{alias}.{}", quoted(&theirs.column)));
            format!("{theirs} = {}", folded(ours, table.column_sql(&ours.column)))
        })
        .collect();
    let read = asked.into_iter().chain(relation.condition.iter().flat_map(|read| read.columns()));
    require_index(connection, relation, &pairs, read).map_err(engine)??;
    Ok(Join { from: format!("main.{}", quoted(&relation.table)), alias, on: equal.join(" AND ") })
}

/// A name for the related rows in a query about a table, so that neither hides the other.
fn alias_beside(table: &str) -> String {
    let mut alias = "related".to_string();
    while alias.eq_ignore_ascii_case(table) {
        alias.push('_');
    }
    alias
}

fn folded(side: &Side, column: String) -> String {
    side.folds.iter().rev().fold(column, |inner, fold| format!("{}({inner})", fold.word()))
}

type Checked<T> = rusqlite::Result<Result<T, Problem>>;

/// The columns of the related table, which may be a view.
fn columns(connection: &Connection, relation: &Relation) -> Checked<Vec<String>> {
    let sql =
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let names: Vec<String> =
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    if !names.contains(&relation.table) {
        let advice = match nearest(&relation.table, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has: {}", names.join(", ")),
        };
        let message = format!("the database has no table `{}`; {advice}", relation.table);
        return Ok(Err(Problem::new("missing-table", message).at(&relation.at)));
    }
    let sql = "SELECT name FROM pragma_table_xinfo(?1, 'main') WHERE hidden <> 1 ORDER BY cid";
    let mut statement = connection.prepare(sql)?;
    let columns: rusqlite::Result<Vec<String>> =
        statement.query_map([&relation.table], |row| row.get(0))?.collect();
    columns.map(Ok)
}

fn require(relation: &Relation, columns: &[String], column: &str) -> Result<(), Problem> {
    if columns.iter().any(|known| known == column) {
        return Ok(());
    }
    let advice = match nearest(column, columns.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has: {}", columns.join(", ")),
    };
    let message = format!("table `{}` has no column `{column}`; {advice}", relation.table);
    Err(Problem::new("missing-column", message).at(&relation.at))
}

type Pairs = Vec<(Side, Side)>;

/// The columns of the one foreign key between two tables, whichever of them holds it.
fn inferred(connection: &Connection, table: &Table, relation: &Relation) -> Checked<Pairs> {
    let mut keys = foreign_keys(connection, &relation.table, &table.name)?;
    if !relation.table.eq_ignore_ascii_case(&table.name) {
        let ours = foreign_keys(connection, &table.name, &relation.table)?;
        keys.extend(ours.into_iter().map(|pairs| pairs.into_iter().map(|(a, b)| (b, a)).collect()));
    }
    if keys.len() == 1 {
        return Ok(Ok(keys.remove(0)));
    }
    let message = format!(
        "{} foreign keys join `{}` and `{}`; say which columns are equal, such as on = \"{}_id = id\"",
        if keys.is_empty() { "no".to_string() } else { keys.len().to_string() },
        relation.table,
        table.name,
        table.name.trim_end_matches('s')
    );
    Ok(Err(Problem::new("ambiguous-relation", message).at(&relation.at)))
}

/// The foreign keys of one table that name another, each with its pairs of columns.
fn foreign_keys(connection: &Connection, from: &str, to: &str) -> rusqlite::Result<Vec<Pairs>> {
    let sql = "SELECT id, \"from\", coalesce(\"to\", (SELECT name FROM pragma_table_xinfo(?2, 'main') WHERE pk = seq + 1)) \
               FROM pragma_foreign_key_list(?1, 'main') WHERE lower(\"table\") = lower(?2) ORDER BY id, seq";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([from, to])?;
    let mut keys: Vec<(i64, Pairs)> = Vec::new();
    let side = |column: String| Side { column, folds: Vec::new() };
    while let Some(row) = rows.next()? {
        let (id, pair): (i64, _) = (row.get(0)?, (side(row.get(1)?), side(row.get(2)?)));
        match keys.last_mut() {
            Some((last, pairs)) if *last == id => pairs.push(pair),
            _ => keys.push((id, vec![pair])),
        }
    }
    Ok(keys.into_iter().map(|(_, pairs)| pairs).collect())
}

/// The index that is asked for holds all that is read, so that the rows themselves need not be.
fn require_index<'r>(
    connection: &Connection,
    relation: &Relation,
    pairs: &Pairs,
    read: impl Iterator<Item = &'r String>,
) -> Checked<()> {
    let table = quoted(&relation.table);
    let theirs: Vec<String> = pairs.iter().map(|(side, _)| folded(side, quoted(&side.column))).collect();
    let equal: Vec<String> = theirs.iter().map(|column| format!("{column} = ?1")).collect();
    let sql = format!("EXPLAIN QUERY PLAN SELECT 1 FROM main.{table} WHERE {}", equal.join(" AND "));
    let mut statement = connection.prepare(&sql)?;
    let steps: Vec<String> = statement.query_map([1], |row| row.get(3))?.collect::<rusqlite::Result<_>>()?;
    if steps.iter().all(|step| !step.starts_with("SCAN")) {
        return Ok(Ok(()));
    }
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM main.{table} LIMIT ?1)");
    if connection.query_row(&sql, [SMALL + 1], |row| row.get::<_, i64>(0))? <= SMALL {
        return Ok(Ok(()));
    }
    let mut indexed = theirs.clone();
    for column in read.map(|column| quoted(column)) {
        if !indexed.contains(&column) {
            indexed.push(column);
        }
    }
    let names: Vec<&str> = pairs.iter().map(|(side, _)| side.column.as_str()).collect();
    let message = format!(
        "rows of `{}` are looked for by {}, which has no index, so that all of them would be read for every record; \
         run: CREATE INDEX {} ON {table} ({})",
        relation.table,
        theirs.join(", "),
        quoted(&format!("{}_{}", relation.table, names.join("_"))),
        indexed.join(", ")
    );
    Ok(Err(Problem::new("unindexed-relation", message).at(&relation.at)))
}

/// Registers what the questions need, and returns each as SQL that gives its answer.
pub fn register(connection: &Connection, table: &Table, book: &RuleBook) -> rusqlite::Result<Vec<String>> {
    let questions = book.questions().iter().zip(&table.joins).enumerate();
    questions.map(|(number, (question, join))| register_one(connection, number, question, join)).collect()
}

fn register_one(
    connection: &Connection,
    number: usize,
    question: &Question,
    join: &Join,
) -> rusqlite::Result<String> {
    let Join { from, alias, on } = join;
    let column = |name: &String| format!("{alias}.{}", quoted(name));
    let read: Vec<String> =
        question.relation.condition.iter().flat_map(|read| read.columns()).map(column).collect();
    let owned = Arc::new(question.clone());
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    if let Asked::Latest(latest) = &question.asked {
        let name = format!("frist_latest_{number}");
        let arguments: Vec<String> = std::iter::once(column(&latest.column)).chain(read).collect();
        connection.create_aggregate_function(name.as_str(), -1, flags, Latest(owned))?;
        return Ok(format!("(SELECT {name}({}) FROM {from} AS {alias} WHERE {on})", arguments.join(", ")));
    }
    let counts = if read.is_empty() {
        String::new()
    } else {
        let name = format!("frist_counts_{number}");
        connection.create_scalar_function(name.as_str(), -1, flags, move |context: &Context<'_>| {
            Ok(owned.counts(|column| value(context.get_raw(column))))
        })?;
        format!(" AND {name}({})", read.join(", "))
    };
    Ok(format!("EXISTS (SELECT 1 FROM {from} AS {alias} WHERE {on}{counts})"))
}

/// The latest time of the related rows that count. Its first argument is the time, and what the
/// relation's `where` reads stands behind it.
struct Latest(Arc<Question>);

impl Latest {
    fn of(&self) -> Option<&LatestOf> {
        match &self.0.asked {
            Asked::Latest(latest) => Some(latest),
            Asked::Any { .. } => None,
        }
    }
}

impl Aggregate<Found, Option<String>> for Latest {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Found> {
        Ok(Found::Nothing)
    }

    fn step(&self, context: &mut Context<'_>, found: &mut Found) -> rusqlite::Result<()> {
        if let Some(latest) = self.of()
            && self.0.counts(|column| value(context.get_raw(column + 1)))
        {
            latest.show(found, value(context.get_raw(0)));
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, found: Option<Found>) -> rusqlite::Result<Option<String>> {
        Ok(found.unwrap_or_default().to_cell())
    }
}
