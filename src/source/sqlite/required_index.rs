//! Which index a relation needs, and what to say where it is missing: without one all of a large table would be read
//! for every record.

use rusqlite::Connection;

use super::foreign_key::is_large;
use super::join::{Checked, Join, Pair, Pairs, folded};
use super::narrow::{self, Narrow};
use super::quoted;
use super::schema::{Table, table_names};
use super::settable::affinity;
use crate::diagnostic::Code;
use crate::evaluate::Question;
use crate::policy::{Relation, Side};
use crate::source::Problem;

/// Refuses a relation that is followed both ways, from a record to its rows and back, where either way
/// would read all of a large table for every record.
pub(super) fn require_indexes(
    connection: &Connection,
    (parent, child): (&Table, &Table),
    question: &Question,
    pairs: &Pairs,
) -> Result<(), Problem> {
    let relation = &question.relation;
    let engine = |error: rusqlite::Error| Problem::new(Code::Sqlite, error.to_string()).at(&relation.at);
    let mut join = to_child((parent, child), pairs);
    join.on = narrowed_on(connection, parent, relation, &join).map_err(engine)?;
    require_index(connection, parent, question, (&join, pairs)).map_err(engine)??;
    let why = format!("whether other rows of `{}` share those of `{}`", parent.name, child.name);
    require_way_back(connection, (parent, child), question, (pairs, &why))
}

/// Refuses a relation where, from one of its rows back to the records, all of a large table would be read.
pub(super) fn require_way_back(
    connection: &Connection,
    (record, child): (&Table, &Table),
    question: &Question,
    (pairs, why): (&Pairs, &str),
) -> Result<(), Problem> {
    let relation = &question.relation;
    let engine = |error: rusqlite::Error| Problem::new(Code::Sqlite, error.to_string()).at(&relation.at);
    let child_alias = quoted(child.qualifier());
    let on: Vec<String> = pairs.iter().map(|pair| pair.sql(record, &child_alias)).collect();
    let from = format!("main.{}", quoted(&record.name));
    let back = Join {
        from,
        alias: quoted(record.qualifier()),
        on: on.join(" AND "),
        ours: Vec::new(),
        leaving: None,
    };
    if !searches_much(connection, (child, &back), unconverted(connection, (record, relation), pairs))
        .map_err(engine)?
        || !is_large(connection, &record.name).map_err(engine)?
    {
        return Ok(());
    }
    let ours = each_once(pairs.iter().map(|pair| folded(&pair.ours, quoted(&pair.ours.column))));
    let names = each_once(pairs.iter().map(|pair| pair.ours.column.clone()));
    let message = format!(
        "{why} is looked for by {columns} without an index; run: CREATE INDEX {name} ON {table} ({columns})",
        columns = ours.join(", "),
        name = quoted(&format!("{}_{}", record.name, names.join("_"))),
        table = quoted(&record.name),
    );
    Err(Problem::new(Code::UnindexedRelation, message).at(&relation.at))
}

/// Refuses a relation for which all of a large table would be read for every record. The index that
/// is asked for holds all that is read, so that the rows themselves need not be.
pub(super) fn require_index(
    connection: &Connection,
    table: &Table,
    question: &Question,
    (join, pairs): (&Join, &Pairs),
) -> Checked<()> {
    let relation = &question.relation;
    let compared = unconverted(connection, (table, relation), pairs);
    if !searches_much(connection, (table, join), compared)? || !is_any_large(connection, &relation.table)? {
        return Ok(Ok(()));
    }
    let theirs = each_once(pairs.iter().map(|pair| folded(&pair.theirs, quoted(&pair.theirs.column))));
    let unindexed = |advice: String| {
        let (without, read) = match pairs.len() {
            1 => ("an index", "all of them"),
            _ => ("an index on all of these", "most of them"),
        };
        let message = format!(
            "rows of `{}` are looked for by {} without {without}, so that {read} would be read for every record; \
             {advice}",
            relation.table,
            theirs.join(", ")
        );
        Ok(Err(Problem::new(Code::UnindexedRelation, message).at(&relation.at)))
    };
    if !table_names(connection)?.contains(&relation.table) {
        return unindexed(
            "it is a view: relate the table that it reads, with an index on that column".to_string(),
        );
    }
    if let Some(advice) = other_types(connection, (table, relation), pairs) {
        return unindexed(advice);
    }
    // No index goes on behind a column that the engine has to convert.
    let (converted, found): (Pairs, Pairs) =
        pairs.iter().cloned().partition(|pair| other_types_of(connection, (table, relation), pair).is_some());
    let first = found.iter().chain(&converted).map(|pair| folded(&pair.theirs, quoted(&pair.theirs.column)));
    let read = question.columns().map(|column| quoted(column));
    let indexed = each_once(first.chain(read));
    let names = each_once(pairs.iter().map(|pair| pair.theirs.column.clone()));
    unindexed(format!(
        "run: CREATE INDEX {} ON {} ({}); an index helps where both columns are declared with one type and one \
         collation",
        quoted(&format!("{}_{}", relation.table, names.join("_"))),
        quoted(&relation.table),
        indexed.join(", ")
    ))
}

/// A column may stand in several pairs.
fn each_once(columns: impl Iterator<Item = String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    columns.for_each(|column| {
        if !once.contains(&column) {
            once.push(column);
        }
    });
    once
}

/// Advice where no index on any of the columns helps, because the engine would have to convert what they hold.
fn other_types(
    connection: &Connection,
    (table, relation): (&Table, &Relation),
    pairs: &Pairs,
) -> Option<String> {
    let all: Option<Vec<String>> =
        pairs.iter().map(|pair| other_types_of(connection, (table, relation), pair)).collect();
    all?.into_iter().next()
}

fn other_types_of(
    connection: &Connection,
    (table, relation): (&Table, &Relation),
    pair: &Pair,
) -> Option<String> {
    let _ = pair.plain_columns()?;
    let kind = |table: &str, side: &Side| {
        let (declared, ..) = connection.column_metadata(Some("main"), table, side.column.as_str()).ok()?;
        Some(declared.map_or_else(Default::default, |declared| declared.to_string_lossy().into_owned()))
    };
    let is_number = |kind: &str| matches!(affinity(kind), "INTEGER" | "REAL" | "NUMERIC");
    let told = |kind: &str| if kind.is_empty() { "has no type".to_string() } else { format!("is {kind}") };
    let (theirs, ours) = (kind(&relation.table, &pair.theirs)?, kind(&table.name, &pair.ours)?);
    let (column, own) = (&pair.theirs.column, &pair.ours.column);
    (is_number(&ours) && !is_number(&theirs)).then(|| {
            format!(
                "`{column}` {} and `{own}` of `{}` {}, so that no index on it can be used; compare their texts, with \
                 on = \"lower({column}) = lower({own})\", and run: CREATE INDEX {} ON {} (lower({}))",
                told(&theirs),
                table.name,
                told(&ours),
                quoted(&format!("{}_{column}", relation.table)),
                quoted(&relation.table),
                quoted(column)
            )
    })
}

/// Whether the engine reads all related rows for one record, in the very comparison that it makes.
fn searches_all(connection: &Connection, table: &Table, join: &Join) -> rusqlite::Result<bool> {
    Ok(steps(connection, table, join)?.iter().any(|step| step.starts_with("SCAN")))
}

/// How the engine looks for the related rows of a record.
fn steps(connection: &Connection, table: &Table, join: &Join) -> rusqlite::Result<Vec<String>> {
    let Join { from, alias, on, .. } = join;
    let sql = format!(
        "EXPLAIN QUERY PLAN SELECT EXISTS (SELECT 1 FROM {from} AS {alias} WHERE {on}) FROM {}",
        table.sql()
    );
    let mut statement = connection.prepare(&sql)?;
    let steps = statement.query_map([], |row| Ok((row.get::<_, i64>(1)?, row.get::<_, String>(3)?)))?;
    let steps: Vec<(i64, String)> = steps.collect::<rusqlite::Result<_>>()?;
    // The records themselves are read at the top, and the related rows below it.
    Ok(steps.into_iter().filter(|(parent, _)| *parent != 0).map(|(_, step)| step).collect())
}

/// The same, or whether of several pairs an index serves only some, by which many rows are found: that of a tenant
/// finds all of its rows.
fn searches_much(
    connection: &Connection,
    (table, join): (&Table, &Join),
    compared: usize,
) -> rusqlite::Result<bool> {
    Ok(searches_all(connection, table, join)? || finds_many(connection, (table, join), compared)?)
}

/// How many columns an index can be searched by: no index goes on behind one that the engine has to convert.
fn unconverted(connection: &Connection, (table, relation): (&Table, &Relation), pairs: &Pairs) -> usize {
    let is_plain = |pair: &&Pair| other_types_of(connection, (table, relation), pair).is_none();
    pairs.iter().filter(is_plain).count()
}

/// So many rows of one key are too many to be read for a record.
const MANY: i64 = 1_000;

/// Whether an index that holds fewer columns than are compared finds many rows by them. Some rows are tried: the first
/// ones, and those at both ends of the index.
fn finds_many(
    connection: &Connection,
    (table, join): (&Table, &Join),
    compared: usize,
) -> rusqlite::Result<bool> {
    if compared < 2 {
        return Ok(false);
    }
    let columns = searched_by(&steps(connection, table, join)?);
    if columns.is_empty() || columns.len() >= compared {
        return Ok(false);
    }
    let (from, names) = (&join.from, columns.join(", "));
    let down: Vec<String> = columns.iter().map(|column| format!("{column} DESC")).collect();
    let same: Vec<String> = columns.iter().map(|column| format!("o.{column} IS t.{column}")).collect();
    let rows = format!(
        "SELECT * FROM (SELECT {names} FROM {from} LIMIT 10) UNION ALL
         SELECT * FROM (SELECT {names} FROM {from} ORDER BY {names} LIMIT 5) UNION ALL
         SELECT * FROM (SELECT {names} FROM {from} ORDER BY {} LIMIT 5)",
        down.join(", ")
    );
    let sql = format!(
        "SELECT coalesce(max((SELECT count(*) FROM (SELECT 1 FROM {from} AS o WHERE {} LIMIT {}))), 0) FROM ({rows}) AS t",
        same.join(" AND "),
        MANY + 1
    );
    connection.query_row(&sql, [], |row| Ok(row.get::<_, i64>(0)? > MANY))
}

/// The columns of an index, or of a primary key, by which the related rows are found; none where these are found by a
/// row number, by expressions, or not at all.
fn searched_by(steps: &[String]) -> Vec<String> {
    let found = steps.iter().find_map(|step| {
        let (how, terms) = step.strip_prefix("SEARCH ")?.rsplit_once(" (")?;
        (!how.ends_with("INTEGER PRIMARY KEY")).then(|| terms.trim_end_matches(')'))
    });
    let columns = found.into_iter().flat_map(|terms| terms.split(" AND ")).map(|term| {
        let column = term.strip_suffix("=?").filter(|column| *column != "<expr>");
        column.map(quoted)
    });
    columns.collect::<Option<_>>().unwrap_or_default()
}

/// Whether a table has many rows; of what a view reads, the largest table may be.
fn is_any_large(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let tables = table_names(connection)?;
    let read = if tables.iter().any(|table| table == name) { vec![name.to_string()] } else { tables };
    for table in read {
        if is_large(connection, &table)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the relation's condition adds to the comparison, where only that leads to an index.
fn narrowed(
    connection: &Connection,
    table: &Table,
    relation: &Relation,
    join: &Join,
) -> rusqlite::Result<Vec<Narrow>> {
    if relation.condition.is_none() || !searches_all(connection, table, join)? {
        return Ok(Vec::new());
    }
    let narrows = narrow::of(connection, relation)?;
    let on = on_with(join, &narrows);
    let is_found = !searches_all(connection, table, &Join { on, ..join.clone() })?;
    Ok(if is_found { narrows } else { Vec::new() })
}

fn on_with(join: &Join, narrows: &[Narrow]) -> String {
    let words = narrows.iter().map(|narrow| narrow.sql(&join.alias));
    std::iter::once(join.on.clone()).chain(words).collect::<Vec<_>>().join(" AND ")
}

/// The comparison of keys, with what its condition adds where only that leads to an index.
pub(super) fn narrowed_on(
    connection: &Connection,
    table: &Table,
    relation: &Relation,
    join: &Join,
) -> rusqlite::Result<String> {
    Ok(on_with(join, &narrowed(connection, table, relation, join)?))
}

/// The same, for the rows of a relation that is followed both ways.
pub(super) fn narrowed_pairs(
    connection: &Connection,
    (record, child): (&Table, &Table),
    relation: &Relation,
    pairs: &Pairs,
) -> rusqlite::Result<Vec<Narrow>> {
    narrowed(connection, record, relation, &to_child((record, child), pairs))
}

/// The way from a record to rows of another table.
fn to_child((record, child): (&Table, &Table), pairs: &Pairs) -> Join {
    let alias = quoted(child.qualifier());
    let on: Vec<String> = pairs.iter().map(|pair| pair.sql(record, &alias)).collect();
    let from = format!("main.{}", quoted(&child.name));
    Join { from, alias, on: on.join(" AND "), ours: Vec::new(), leaving: None }
}
