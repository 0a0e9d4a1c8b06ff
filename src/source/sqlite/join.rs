//! How the rows of a relation are found in a database: their table, and the columns that are equal.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::Connection;

use super::foreign_key::{Reference, references_between};
use super::leaving::Leaving;
use super::name::alias_beside;
use super::quoted;
use super::required_index::{narrowed_on, require_index};
use super::schema::{Table, columns, no_such_table, require_column};
use super::settable::affinity;
use crate::diagnostic::Code;
use crate::evaluate::{Evaluator, Question};
use crate::policy::{ColumnPair, Relation, Side};
use crate::source::Problem;

/// How the rows of a relation are found in this database.
#[derive(Clone, Debug)]
pub struct Join {
    /// Their table.
    pub(super) from: String,
    /// A name for it that is not the record's own.
    pub(super) alias: String,
    /// Which columns are equal, as SQL.
    pub(super) on: String,
    /// What of the record is compared, as SQL: by that, notes find it.
    pub(super) ours: Vec<String>,
    /// The rules by which these rows may go themselves, where they only spare records until then.
    pub(super) leaving: Option<Arc<Leaving>>,
}

/// Finds out how each relation of a book joins its tables, or why it cannot; none where the related
/// rows are in another source, and the book itself knows the answer.
pub fn resolve(
    connection: &Connection,
    table: &Table,
    book: &Evaluator,
) -> Result<Vec<Option<Join>>, Problem> {
    let join = |question: &Question| match question.relation.elsewhere {
        Some(_) => Ok(None),
        None => join(connection, table, question).map(Some),
    };
    book.questions().iter().map(join).collect()
}

/// Finds out how one relation joins its tables, or why it cannot.
pub fn join(connection: &Connection, table: &Table, question: &Question) -> Result<Join, Problem> {
    join_as(connection, table, question, &alias_beside(table.qualifier(), "related"))
}

/// The same, where the related rows have a name of their own in the statement.
pub(super) fn join_as(
    connection: &Connection,
    table: &Table,
    question: &Question,
    alias: &str,
) -> Result<Join, Problem> {
    let relation = &question.relation;
    let engine = |error: rusqlite::Error| {
        Problem::new(Code::Sqlite, format!("table `{}`: {error}", relation.table)).at(&relation.at)
    };
    let pairs = pairs(connection, table, question)?;
    let alias = quoted(alias);
    let equal: Vec<String> = pairs.iter().map(|pair| pair.sql(table, &alias)).collect();
    let ours = pairs.iter().map(|pair| pair.key_sql(table)).collect();
    let (from, on) = (format!("main.{}", quoted(&relation.table)), equal.join(" AND "));
    let mut join = Join { from, alias, on, ours, leaving: None };
    require_another_table(connection, table, relation, &join).map_err(engine)??;
    join.on = narrowed_on(connection, table, relation, &join).map_err(engine)?;
    require_index(connection, table, question, (&join, &pairs)).map_err(engine)??;
    Ok(join)
}

/// The columns that are equal; all that are read of the related rows must be there.
pub(super) fn pairs(connection: &Connection, table: &Table, question: &Question) -> Result<Pairs, Problem> {
    let relation = &question.relation;
    let engine = |error: rusqlite::Error| {
        Problem::new(Code::Sqlite, format!("table `{}`: {error}", relation.table)).at(&relation.at)
    };
    let theirs = columns_of(connection, relation).map_err(engine)??;
    for column in question.columns() {
        require(relation, &theirs, column)?;
    }
    match &relation.on {
        Some(on) => {
            let pair = |ColumnPair { theirs: side, ours }: &ColumnPair| {
                require(relation, &theirs, &side.column)?;
                table.require(&ours.column, &relation.at)?;
                let pair =
                    Pair { theirs: side.clone(), ours: ours.clone(), is_ours_first: false, fold: None };
                Ok(pair.folded_as_compared(connection, &table.name, &relation.table))
            };
            on.pairs().iter().map(pair).collect()
        }
        None => {
            let pairs = inferred(connection, table, relation).map_err(engine)??;
            let folded = |pair: Pair| pair.folded_as_compared(connection, &table.name, &relation.table);
            Ok(pairs.into_iter().map(folded).collect())
        }
    }
}

pub(super) fn folded(side: &Side, column: String) -> String {
    side.folds.iter().rev().fold(column, |inner, fold| format!("{}({inner})", fold.word()))
}

pub(super) type Checked<T> = rusqlite::Result<Result<T, Problem>>;

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

/// Two columns that are equal.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) theirs: Side,
    pub(super) ours: Side,
    /// Whether the record's column stands on the left, where its collation decides.
    is_ours_first: bool,
    /// What makes one of values that the comparison takes for equal, where it does not compare byte by byte.
    fold: Option<&'static str>,
}

impl Pair {
    /// The columns of the related rows and of the record, where they are compared byte by byte as they are.
    pub(super) fn plain_columns(&self) -> Option<(&str, &str)> {
        let is_plain = self.theirs.folds.is_empty() && self.ours.folds.is_empty() && self.fold.is_none();
        is_plain.then_some((self.theirs.column.as_str(), self.ours.column.as_str()))
    }

    /// The related rows' column.
    pub(super) fn theirs_column(&self) -> &str {
        &self.theirs.column
    }

    /// What of the record notes find it by: the same for all that is equal.
    pub(super) fn key_sql(&self, table: &Table) -> String {
        let ours = self.ours_sql(table);
        match self.fold {
            Some(fold) => format!("CASE typeof({ours}) WHEN 'text' THEN {fold}({ours}) ELSE {ours} END"),
            None => ours,
        }
    }

    /// Finds out by which collation the columns of two tables are compared.
    fn folded_as_compared(mut self, connection: &Connection, record: &str, related: &str) -> Pair {
        let column = match (self.is_ours_first, self.theirs.folds.is_empty()) {
            (true, _) => Some((record, &self.ours)),
            (false, true) => Some((related, &self.theirs)),
            // What is made of a column has no collation, and so has what it is compared with.
            (false, false) => None,
        };
        let collation = column.and_then(|(table, side)| {
            let metadata = connection.column_metadata(Some("main"), table, side.column.as_str()).ok()?;
            Some(metadata.1?.to_string_lossy().to_ascii_lowercase())
        });
        self.fold = match collation.as_deref() {
            Some("nocase") => Some("lower"),
            Some("rtrim") => Some("rtrim"),
            _ => None,
        };
        self
    }

    /// What of the record is compared.
    pub(super) fn ours_sql(&self, table: &Table) -> String {
        folded(&self.ours, table.column_sql(&self.ours.column))
    }

    /// The comparison of a record's column with that of a row of some (quoted) alias.
    pub(super) fn sql(&self, table: &Table, alias: &str) -> String {
        let theirs = folded(&self.theirs, format!("{alias}.{}", quoted(&self.theirs.column)));
        let mut ours = self.ours_sql(table);
        if !self.theirs.folds.is_empty() && self.ours.folds.is_empty() {
            // A column's affinity would keep the engine from an index on the function.
            ours = format!("({ours} || '')");
        }
        if self.is_ours_first { format!("{ours} = {theirs}") } else { format!("{theirs} = {ours}") }
    }
}

/// All that must be equal.
pub(super) type Pairs = Vec<Pair>;

/// The columns of the related rows, where they hold the very values of the record's that they equal: both are of
/// one kind, and compared byte by byte.
pub(super) fn same_values(
    connection: &Connection,
    (record, related): (&str, &str),
    pairs: &Pairs,
) -> rusqlite::Result<Option<Vec<String>>> {
    let kind = |table: &str, column: &str| -> rusqlite::Result<Option<&'static str>> {
        let (declared, collation, ..) = connection.column_metadata(Some("main"), table, column)?;
        let is_binary = collation.is_some_and(|name| name.to_bytes().eq_ignore_ascii_case(b"binary"));
        let declared = declared.map_or_else(Default::default, |declared| declared.to_string_lossy());
        Ok(Some(affinity(&declared)).filter(|_| is_binary))
    };
    for pair in pairs {
        let (theirs, ours) = (&pair.theirs, &pair.ours);
        let is_plain = theirs.folds.is_empty() && ours.folds.is_empty();
        let kinds = [kind(record, &ours.column)?, kind(related, &theirs.column)?];
        if !is_plain || kinds[0] != kinds[1] || !matches!(kinds[0], Some("INTEGER" | "TEXT")) {
            return Ok(None);
        }
    }
    Ok(Some(pairs.iter().map(|pair| pair.theirs.column.clone()).collect()))
}

/// Whether at most one record belongs to each related row: the columns of the record are unique, and compared byte by
/// byte.
pub(super) fn is_single(connection: &Connection, record: &Table, pairs: &Pairs) -> rusqlite::Result<bool> {
    let is_plain = |pair: &Pair| pair.theirs.folds.is_empty() && pair.ours.folds.is_empty();
    let is_binary = |column: &str| -> rusqlite::Result<bool> {
        let (_, collation, ..) = connection.column_metadata(Some("main"), record.name.as_str(), column)?;
        Ok(collation.is_some_and(|name| name.to_bytes().eq_ignore_ascii_case(b"binary")))
    };
    for pair in pairs {
        if !is_plain(pair) || pair.fold.is_some() || !is_binary(&pair.ours.column)? {
            return Ok(false);
        }
    }
    let ours: Vec<&str> = pairs.iter().map(|pair| pair.ours.column.as_str()).collect();
    let is_known = |column: &String| ours.iter().any(|own| own.eq_ignore_ascii_case(column));
    if !record.primary_key.is_empty() && record.primary_key.iter().all(is_known) {
        return Ok(true);
    }
    let sql = "SELECT list.name, info.name FROM pragma_index_list(?1, 'main') AS list, \
               pragma_index_info(list.name, 'main') AS info WHERE list.\"unique\" AND NOT list.partial";
    let mut statement = connection.prepare(sql)?;
    let mut indexes: BTreeMap<String, bool> = BTreeMap::new();
    let columns = statement.query_map([&record.name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for column in columns {
        let (index, column): (String, Option<String>) = column?;
        *indexes.entry(index).or_insert(true) &= column.as_ref().is_some_and(is_known);
    }
    Ok(indexes.values().any(|are_known| *are_known))
}

/// The columns of a foreign key that names the record.
pub(super) fn of_key(key: &Reference) -> Pairs {
    // The parent's column stands on the left: its collation decides, as in the key itself.
    let of_parent = |(child, parent)| Pair { theirs: child, ours: parent, is_ours_first: true, fold: None };
    sides(key).map(of_parent).collect()
}

/// The columns of the one foreign key between two tables, whichever of them holds it.
fn inferred(connection: &Connection, table: &Table, relation: &Relation) -> Checked<Pairs> {
    let of_child = |(child, parent)| Pair { theirs: parent, ours: child, is_ours_first: false, fold: None };
    let theirs = references_between(connection, &relation.table, &table.name)?;
    let ours = references_between(connection, &table.name, &relation.table)?;
    let mut keys: Vec<Pairs> = Vec::new();
    keys.extend(theirs.iter().map(of_key));
    keys.extend(ours.iter().map(|key| sides(key).map(of_child).collect()));
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
    Ok(Err(Problem::new(Code::AmbiguousRelation, message).at(&relation.at)))
}

/// The columns of a key, those of the child first.
fn sides(key: &Reference) -> impl Iterator<Item = (Side, Side)> {
    let side = |column: &String| Side { column: column.clone(), folds: Vec::new() };
    key.child_columns.iter().zip(&key.parent_columns).map(move |(child, parent)| (side(child), side(parent)))
}

/// Deleting records must not change what is said of others: neither directly, through a view or a
/// virtual table, nor by a trigger.
fn require_another_table(
    connection: &Connection,
    table: &Table,
    relation: &Relation,
    join: &Join,
) -> Checked<()> {
    let sql = "SELECT rootpage FROM sqlite_schema WHERE lower(tbl_name) = lower(?1) AND rootpage > 0";
    let mut statement = connection.prepare(sql)?;
    let own: Vec<i64> =
        statement.query_map([&table.name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut program = connection.prepare(&format!("EXPLAIN SELECT * FROM {}", join.from))?;
    let steps = program.query_map([], |row| Ok((row.get::<_, String>(1)?, row.get::<_, i64>(3)?)))?;
    let steps: Vec<(String, i64)> = steps.collect::<rusqlite::Result<_>>()?;
    let reads_own = steps.iter().any(|(step, page)| step == "OpenRead" && own.contains(page));
    let is_virtual = steps.iter().any(|(step, _)| step == "VOpen");
    let (what, help) = match () {
        () if reads_own => {
            ("reads the records' own table", "what is deleted would change what is said of the others")
        }
        () if is_virtual => ("is, or reads, a virtual table", "nobody can say what it reads"),
        () if table.has_delete_trigger => (
            "may be changed by a trigger of the records' table",
            "what is deleted would change what is said of the others",
        ),
        () => return Ok(Ok(())),
    };
    let message = format!("`{}` {what}, and so cannot be a related table: {help}", relation.table);
    Ok(Err(Problem::new(Code::RelatedToItself, message).at(&relation.at)))
}
