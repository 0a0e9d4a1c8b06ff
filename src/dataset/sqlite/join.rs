//! How the rows of a relation are found in a database: their table, the columns that are equal, and
//! the index that this needs.

use rusqlite::Connection;

use super::quoted;
use super::schema::{Table, columns, no_such_table, require_column};
use crate::dataset::Problem;
use crate::policy::{On, Relation, Side};
use crate::verdict::{Asked, Question, RuleBook};

/// Without an index, related rows are searched for once for every record; up to this many of them
/// that is not worth a word.
const SMALL: i64 = 1_000;

/// How the rows of a relation are found in this database.
#[derive(Clone, Debug)]
pub struct Join {
    /// Their table.
    pub(super) from: String,
    /// A name for it that is not the record's own.
    pub(super) alias: String,
    /// Which columns are equal, as SQL.
    pub(super) on: String,
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
    let theirs = columns_of(connection, relation).map_err(engine)??;
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
fn columns_of(connection: &Connection, relation: &Relation) -> Checked<Vec<String>> {
    let sql =
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let names: Vec<String> =
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    if !names.contains(&relation.table) {
        return Ok(Err(no_such_table(&relation.table, &names).at(&relation.at)));
    }
    Ok(Ok(columns(connection, &relation.table)?.0))
}

fn require(relation: &Relation, columns: &[String], column: &str) -> Result<(), Problem> {
    require_column(&relation.table, columns, column, &relation.at)
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
