//! Gathering facts from an open database.

use std::ops::Range;

use rusqlite::{Connection, Row};

use super::module::Module;
use super::{Database, requests};
use crate::calendar::Timestamp;
use crate::coverage::Named;
use crate::policy::Rule;
use crate::source::Problem;
use crate::source::request::TableQuery;
use crate::source::sqlite::foreign_key::{self, Reference};
use crate::source::sqlite::schema::{Table, describe};
use crate::source::sqlite::trigger::Trigger;
use crate::source::sqlite::{count, evidence, join, prefilter, preparable, quoted, release, settable};

/// What stands in a database, as far as coverage asks.
pub(super) struct Facts<'p> {
    /// Everything that can be selected from, apart from SQLite's own tables.
    pub(super) relations: Vec<Relation>,
    /// The triggers.
    pub(super) triggers: Vec<Trigger>,
    /// What was found for the rules on each table.
    pub(super) about: Vec<About<'p>>,
}

/// A table, a view or a virtual table.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    /// Its name.
    pub(super) name: String,
    /// What it is: `table`, `view`, `virtual` or `shadow`.
    pub(super) kind: String,
    /// The module of a virtual table.
    pub(super) module: Option<Module>,
    /// Its rows, where they were counted.
    pub(super) rows: Option<u64>,
    /// Whether a full-text table forgets the words of deleted rows at once.
    pub(super) forgets: bool,
}

/// What was found for the rules on one table.
pub(super) struct About<'p> {
    /// The source.
    pub(super) named: Named<'p>,
    /// The table and its rules.
    pub(super) request: TableQuery<'p>,
    /// What the rules name and the database does not have, with the place that names it.
    pub(super) wrong: Vec<(Range<usize>, Problem)>,
    /// Columns that a rule sets and cannot, with the place that names them.
    pub(super) unsettable: Vec<(Range<usize>, Problem)>,
    /// What the engine cannot carry out, with the rule's data.
    pub(super) refused: Vec<(Range<usize>, Problem)>,
    /// The table's columns.
    pub(super) columns: Vec<String>,
    /// Foreign keys that point at the table.
    pub(super) references: Vec<Pointing>,
    /// Rules whose event is found by reading all of a large table: its place among the rules.
    pub(super) unindexed: Vec<usize>,
}

/// A foreign key that points at a table.
pub(super) struct Pointing {
    /// The key.
    pub(super) reference: Reference,
    /// The table that it points at.
    pub(super) parent: String,
    /// Whether every deletion would search all of a large table.
    pub(super) is_slow: bool,
}

/// From this size on an index on the event spares a nightly purge a long reading.
const LARGE: u64 = 1_000_000;

/// Reads all facts.
pub(super) fn read<'p>(
    connection: &Connection,
    database: &Database<'p>,
    now: Timestamp,
) -> rusqlite::Result<Facts<'p>> {
    let mut relations = relations(connection)?;
    for relation in &mut relations {
        let holds_rows = matches!(relation.kind.as_str(), "table" | "virtual");
        if holds_rows && !database.is_covered(&relation.name) {
            relation.rows = rows(connection, &relation.name);
        }
        relation.forgets = forgets(connection, relation);
    }
    let about = requests(database, now).into_iter().map(|(named, request)| about(connection, named, request));
    Ok(Facts { relations, triggers: triggers(connection)?, about: about.collect::<Result<_, _>>()? })
}

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    let bytes = row.get_ref(column)?.as_bytes_or_null().ok().flatten().unwrap_or_default();
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

fn relations(connection: &Connection) -> rusqlite::Result<Vec<Relation>> {
    let sql = "SELECT list.name, list.type, schema.sql FROM pragma_table_list AS list \
               LEFT JOIN main.sqlite_schema AS schema ON schema.name = list.name \
               AND schema.type IN ('table', 'view') \
               WHERE list.schema = 'main' AND list.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY list.name";
    let mut statement = connection.prepare(sql)?;
    let relations = statement.query_map([], |row| {
        let (name, kind, sql) = (text(row, 0)?, text(row, 1)?, text(row, 2)?);
        let module = if kind == "virtual" { Module::read(&sql) } else { None };
        Ok(Relation { name, kind, module, rows: None, forgets: false })
    })?;
    relations.collect()
}

/// The rows of a table; none where its module is not there to tell.
fn rows(connection: &Connection, table: &str) -> Option<u64> {
    let sql = format!("SELECT count(*) FROM main.{}", quoted(table));
    connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).ok().map(i64::unsigned_abs)
}

/// Whether a full-text table is set to `secure-delete`, which only the newest kind can be.
fn forgets(connection: &Connection, relation: &Relation) -> bool {
    if !relation.module.as_ref().is_some_and(Module::is_full_text) {
        return false;
    }
    let config = quoted(&format!("{}_config", relation.name));
    let sql = format!("SELECT v FROM main.{config} WHERE k = 'secure-delete'");
    connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).is_ok_and(|set| set != 0)
}

fn triggers(connection: &Connection) -> rusqlite::Result<Vec<Trigger>> {
    let sql = "SELECT name, tbl_name, sql FROM main.sqlite_schema WHERE type = 'trigger' ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let triggers =
        statement.query_map([], |row| Ok(Trigger::read(&text(row, 0)?, &text(row, 1)?, &text(row, 2)?)))?;
    triggers.collect()
}

fn about<'p>(
    connection: &Connection,
    named: Named<'p>,
    request: TableQuery<'p>,
) -> rusqlite::Result<About<'p>> {
    let mut about = About {
        named,
        request,
        wrong: Vec::new(),
        unsettable: Vec::new(),
        refused: Vec::new(),
        columns: Vec::new(),
        references: Vec::new(),
        unindexed: Vec::new(),
    };
    match describe(connection, about.request.table, "") {
        Err(problem) => {
            let places = about.request.rules.iter().map(|rule| rule.places.data.clone());
            about.wrong = places.map(|place| (place, problem.clone())).collect();
        }
        Ok(table) => {
            about.wrong = missing_columns(&about, &table);
            about.wrong.extend(wrong_relations(connection, &about, &table));
            if about.wrong.is_empty() {
                about.unsettable = unsettable(connection, &about.request, &table)?;
                about.refused = refused(connection, &about.request, &table)?;
                about.columns = table.columns.clone();
                about.references = references(connection, &table, &about.request.rules)?;
                about.unindexed = unindexed(connection, &about.request, &table)?;
            }
        }
    }
    Ok(about)
}

/// Every column that a rule, or the source, names and the table does not have.
fn missing_columns(about: &About<'_>, table: &Table) -> Vec<(Range<usize>, Problem)> {
    let mut named: Vec<(Range<usize>, &str)> = Vec::new();
    for rule in &about.request.rules {
        let own = rule.start.own_parts();
        named.extend(own.map(|own| (rule.places.after.clone(), own.column.as_str())));
        let columns = rule.when.iter().flat_map(|when| when.columns());
        named.extend(columns.map(|column| (rule.places.when.clone(), column.as_ref())));
        let keep = rule.keep.instructions().and_then(|asked| asked.own_column());
        named.extend(keep.map(|column| (rule.places.keep.clone(), column)));
        let set = rule.then.settings().iter();
        named.extend(set.map(|setting| (setting.span.clone(), setting.column.as_str())));
    }
    let source = about.named.source;
    let settings = source.settings(&table.name);
    let place = if source.tables.contains_key(&table.name) { &settings.span } else { &source.span };
    let subject = settings.subject.iter().map(|(_, column)| column);
    named.extend(settings.key.iter().chain(subject).map(|column| (place.clone(), column.as_str())));
    let missing = |(place, column): (Range<usize>, &str)| Some((place, table.require(column, "").err()?));
    named.into_iter().filter_map(missing).collect()
}

/// The first column of each rule that it cannot set.
fn unsettable(
    connection: &Connection,
    request: &TableQuery<'_>,
    table: &Table,
) -> rusqlite::Result<Vec<(Range<usize>, Problem)>> {
    let mut unsettable = Vec::new();
    for rule in &request.rules {
        let refusal = settable::refusal(connection, table, rule)?;
        let first = rule.then.settings().first().map(|setting| setting.span.clone()).unwrap_or_default();
        unsettable.extend(refusal.map(|problem| (first, problem)));
    }
    Ok(unsettable)
}

/// What stands in the way of each rule in the schema.
fn refused(
    connection: &Connection,
    request: &TableQuery<'_>,
    table: &Table,
) -> rusqlite::Result<Vec<(Range<usize>, Problem)>> {
    let mut refused: Vec<(Range<usize>, Problem)> = Vec::new();
    for rule in &request.rules {
        // A column that cannot be set has been told of.
        let refusal = match settable::refusal(connection, table, rule)? {
            None => preparable::refusal(connection, table, rule)?,
            Some(_) => None,
        };
        let refusal = refusal.or_else(|| evidence::refusal(connection, request, rule).unwrap_or_else(Some));
        // Rules that do the same are refused for the same.
        let refusal = refusal.filter(|problem| refused.iter().all(|(_, known)| known != problem));
        refused.extend(refusal.map(|problem| (rule.places.data.clone(), problem)));
    }
    Ok(refused)
}

/// Every relation whose rows cannot be found.
fn wrong_relations(
    connection: &Connection,
    about: &About<'_>,
    table: &Table,
) -> Vec<(Range<usize>, Problem)> {
    // What is wrong with rows of another source comes to light when these are read.
    let questions = about.request.book.questions().iter();
    let questions = questions.filter(|question| question.relation.elsewhere.is_none());
    let wrong = questions
        .filter_map(|question| Some((&question.relation, join::join(connection, table, question).err()?)));
    let emptied = about.request.rules.iter().filter_map(|rule| {
        let first = rule.set_null.first()?;
        Some((&first.relation, release::of(connection, table, rule).err()?))
    });
    wrong.chain(emptied).map(|(relation, problem)| (relation.span.clone(), problem)).collect()
}

fn references(connection: &Connection, table: &Table, rules: &[&Rule]) -> rusqlite::Result<Vec<Pointing>> {
    let mut references = foreign_key::references_to(connection, &table.name)?;
    for rule in rules {
        // What is wrong with it is told of the rule.
        if let Ok(releases) = release::of(connection, table, rule) {
            references = release::beside(&releases, references);
        }
    }
    let references = references.into_iter().map(|reference| {
        let is_slow = !foreign_key::is_indexed(connection, &reference)?
            && foreign_key::is_large(connection, &reference.child)?;
        Ok(Pointing { reference, parent: table.name.clone(), is_slow })
    });
    references.collect()
}

fn unindexed(
    connection: &Connection,
    request: &TableQuery<'_>,
    table: &Table,
) -> rusqlite::Result<Vec<usize>> {
    if count::rows_up_to(connection, table, LARGE)? < LARGE {
        return Ok(Vec::new());
    }
    let mut unindexed = Vec::new();
    for rule in 0..request.rules.len() {
        let condition = prefilter::sql(table, &request.book, rule);
        // Formats without an order are not helped by an index.
        if condition != "1" && !prefilter::is_indexed(connection, table, &condition)? {
            unindexed.push(rule);
        }
    }
    Ok(unindexed)
}
