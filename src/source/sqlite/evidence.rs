//! Rows that other records' clocks depend on: how a deletion of them is seen, by whatever way they go.
//!
//! A trigger of the connection alone sees each row that goes, also one that goes along with another, or that
//! a key or a trigger of the database takes, and looks for the records that it is joined to as the rule
//! itself does.

use rusqlite::{Connection, OptionalExtension};

use super::join;
use super::name::quoted;
use super::schema::{Table, describe, table_names};
use crate::diagnostic::Code;
use crate::note::Asked;
use crate::policy::Rule;
use crate::source::Problem;
use crate::source::request::TableQuery;

/// How the rows of one question are seen when they go.
#[derive(Debug)]
pub(crate) struct Watched {
    /// The question's place among those of the source.
    pub(crate) place: usize,
    /// The table of the rows.
    pub(crate) table: String,
    /// The columns that it reads of a row.
    pub(crate) columns: Vec<String>,
    /// What joins a row that goes to its records.
    pub(crate) key: Key,
    /// Its columns by which it is joined to its records.
    joined: Vec<String>,
    /// Whether the records are in another source.
    pub(crate) is_elsewhere: bool,
}

/// What joins a row to its records.
#[derive(Debug)]
pub(crate) enum Key {
    /// These columns of the row hold the very values of the record's.
    Own(Vec<String>),
    /// These columns are found in the records, and these of the row, in SQL: in a statement in which `old` is the
    /// row, which must still be there. What `old` says is compared by no affinity of its column.
    OfRecords { key: Vec<String>, columns: Vec<String>, from: String },
}

impl Watched {
    /// What is told of a row, in SQL, where it has a name; none where its records must be looked for.
    pub(crate) fn cells(&self, row: &str) -> Option<Vec<String>> {
        let Key::Own(key) = &self.key else { return None };
        Some(key.iter().chain(&self.columns).map(|column| format!("{row}.{}", quoted(column))).collect())
    }

    /// How many of the cells are the key's.
    pub(crate) fn width(&self) -> usize {
        match &self.key {
            Key::Own(key) | Key::OfRecords { key, .. } => key.len(),
        }
    }

    /// The statement of a trigger that tells of a row.
    pub(crate) fn tells(&self, function: &str) -> String {
        let (cells, from) = match &self.key {
            Key::Own(_) => (self.cells("old").unwrap_or_default(), ""),
            Key::OfRecords { key, columns, from } => ([key.as_slice(), columns].concat(), from.as_str()),
        };
        format!("SELECT {function}({}){from}", cells.join(", "))
    }

    /// When a trigger can tell.
    pub(crate) fn when(&self) -> &'static str {
        match self.key {
            Key::Own(_) => "AFTER",
            Key::OfRecords { .. } => "BEFORE",
        }
    }

    /// The columns whose change changes what a row says, or to whom.
    pub(crate) fn read(&self) -> impl Iterator<Item = &String> {
        self.joined.iter().chain(&self.columns)
    }
}

/// The questions of a policy about rows of a source.
pub(crate) fn asked(request: &TableQuery<'_>) -> Vec<Asked> {
    let mut asked = Asked::all(request.policy);
    asked.retain(|asked| asked.evidence_source() == request.source());
    asked
}

/// How rows of a database are seen when a rule's records go, and the tables of whose rows nobody could tell: none of
/// them may go along.
pub(crate) fn watched(
    connection: &Connection,
    asked: &[Asked],
    rule: &Rule,
) -> Result<(Vec<Watched>, Vec<String>), Problem> {
    let (mut all, mut dumb) = (Vec::new(), Vec::new());
    for (place, asked) in asked.iter().enumerate() {
        let table = &asked.question.relation.table;
        match watched_for(connection, place, asked) {
            Ok(watched) => all.extend(watched),
            Err(problem) if tables_of(rule).any(|own| own.eq_ignore_ascii_case(table)) => {
                return Err(problem);
            }
            Err(_) => dumb.push(table.clone()),
        }
    }
    Ok((all, dumb))
}

/// The tables whose rows a rule deletes.
fn tables_of(rule: &Rule) -> impl Iterator<Item = &str> {
    let along = rule.with.relations().into_iter().map(|relation| relation.table.as_str());
    std::iter::once(rule.table.as_str()).chain(along)
}

/// None where what is asked about is no table: nothing is deleted from a view.
fn watched_for(connection: &Connection, place: usize, asked: &Asked) -> Result<Option<Watched>, Problem> {
    let (question, relation) = (&asked.question, &asked.question.relation);
    let engine = |error: rusqlite::Error| Problem::new(Code::Sqlite, error.to_string()).at(&relation.at);
    let names = table_names(connection).map_err(engine)?;
    let Some(table) = names.into_iter().find(|name| name.eq_ignore_ascii_case(&relation.table)) else {
        return Ok(None);
    };
    let columns = question.columns().cloned().collect();
    if let Some(on) = relation.on.as_ref().filter(|_| relation.elsewhere.is_some()) {
        let joined: Vec<String> = on.theirs().map(|side| side.column.clone()).collect();
        let key = Key::Own(joined.clone());
        return Ok(Some(Watched { place, table, columns, key, joined, is_elsewhere: true }));
    }
    let plain = describe(connection, &asked.table, &relation.at)?;
    let record = Table { alias: Some("frist_record".to_string()), ..plain.clone() };
    let pairs = join::pairs(connection, &plain, question)?;
    let joined: Vec<String> = pairs.iter().map(|pair| pair.theirs_column().to_string()).collect();
    let own = join::same_values(connection, (&plain.name, &table), &pairs).map_err(engine)?;
    if let Some(key) = own.map(Key::Own) {
        return Ok(Some(Watched { place, table, columns, key, joined, is_elsewhere: false }));
    }
    let key = pairs.iter().map(|pair| pair.key_sql(&record)).collect();
    let evidence =
        Table { alias: Some("frist_evidence".to_string()), ..describe(connection, &table, &relation.at)? };
    let why = format!("which records of `{}` rows of `{table}` belong to that go", record.name);
    super::required_index::require_way_back(connection, (&record, &evidence), question, (&pairs, &why))?;
    let alias = quoted(evidence.qualifier());
    let row = evidence
        .order()
        .into_iter()
        .map(|column| format!("{} = old.{}", evidence.column_sql(&column), quoted(&column)));
    let equal: Vec<String> = row.chain(pairs.iter().map(|pair| pair.sql(&record, &alias))).collect();
    let from = format!(" FROM {} CROSS JOIN {} WHERE {}", evidence.sql(), record.sql(), equal.join(" AND "));
    let read = question.columns().map(|column| evidence.column_sql(column)).collect();
    let key = Key::OfRecords { key, columns: read, from };
    Ok(Some(Watched { place, table, columns, key, joined, is_elsewhere: false }))
}

/// Why rows of a rule cannot go: nobody could note what others' clocks need of them.
pub(crate) fn refusal(
    connection: &Connection,
    request: &TableQuery<'_>,
    rule: &Rule,
) -> Result<Option<Problem>, Problem> {
    let tables: Vec<&str> = tables_of(rule).collect();
    for asked in asked(request) {
        let relation = &asked.question.relation;
        let is_it = |table: &&str| table.eq_ignore_ascii_case(&relation.table);
        if tables.iter().any(is_it) {
            watched_for(connection, 0, &asked)?;
        } else if let Some(problem) = behind_a_view(connection, &asked, &tables)? {
            return Ok(Some(problem));
        }
    }
    Ok(None)
}

/// Evidence that a view shows: what is deleted from its tables can be noted by nobody.
fn behind_a_view(
    connection: &Connection,
    asked: &Asked,
    tables: &[&str],
) -> Result<Option<Problem>, Problem> {
    let relation = &asked.question.relation;
    let engine = |error: rusqlite::Error| Problem::new(Code::Sqlite, error.to_string()).at(&relation.at);
    let sql = "SELECT type = 'view' FROM pragma_table_list WHERE schema = 'main' AND lower(name) = lower(?1)";
    let is_view =
        connection.query_row(sql, [&relation.table], |row| row.get(0)).optional().map_err(engine)?;
    if is_view != Some(true) {
        return Ok(None);
    }
    let read = pages_read(connection, &relation.table).map_err(engine)?;
    for table in tables {
        let sql = "SELECT rootpage FROM sqlite_schema WHERE lower(tbl_name) = lower(?1) AND rootpage > 0";
        let own = connection.prepare(sql).and_then(|mut statement| {
            statement.query_map([table], |row| row.get::<_, i64>(0))?.collect::<rusqlite::Result<Vec<i64>>>()
        });
        if own.map_err(engine)?.iter().any(|page| read.contains(page)) {
            let message = format!(
                "a rule reads related rows through the view `{}`, which shows rows of `{table}`: what is deleted there \
                 would change the clocks of other records, and cannot be noted; relate the table itself, with `where`",
                relation.table
            );
            return Ok(Some(Problem::new(Code::EvidenceThroughView, message).at(&relation.at)));
        }
    }
    Ok(None)
}

/// The tables and indexes that a statement about a view reads, by their first pages.
fn pages_read(connection: &Connection, view: &str) -> rusqlite::Result<Vec<i64>> {
    let mut program = connection.prepare(&format!("EXPLAIN SELECT * FROM main.{}", quoted(view)))?;
    let steps = program.query_map([], |row| Ok((row.get::<_, String>(1)?, row.get::<_, i64>(3)?)))?;
    let steps: Vec<(String, i64)> = steps.collect::<rusqlite::Result<_>>()?;
    Ok(steps.into_iter().filter(|(step, _)| step == "OpenRead").map(|(_, page)| page).collect())
}
