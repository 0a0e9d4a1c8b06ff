//! Whether the columns that a rule sets can be set: asked of the schema, before anything is
//! written.

use rusqlite::Connection;
use rusqlite::types::Value as Cell;

use super::foreign_key::{self, Reference};
use super::schema::Table;
use super::sql::{Token, tokens};
use super::value;
use crate::anonymise::{Form, Made, SAMPLE_PSEUDONYM};
use crate::diagnostic::Code;
use crate::policy::{Rule, Setting};
use crate::source::Problem;

/// What the schema says of a column.
struct Column {
    kind: String,
    may_be_null: bool,
    is_key: bool,
    is_generated: bool,
}

/// Why a rule cannot set one of its columns; none where it can, or sets none.
pub fn refusal(connection: &Connection, table: &Table, rule: &Rule) -> rusqlite::Result<Option<Problem>> {
    for setting in rule.then.settings() {
        let Some(column) = column(connection, table, &setting.column)? else { continue };
        if let Some((code, why)) = why_not(connection, table, setting, &column)? {
            let message = format!("`{}` of table `{}` cannot be set: {why}", setting.column, table.name);
            return Ok(Some(Problem::new(code, message).at(&setting.at)));
        }
    }
    Ok(None)
}

/// Why a column cannot be emptied; none where it can.
pub(super) fn cannot_be_empty(
    connection: &Connection,
    table: &Table,
    name: &str,
) -> rusqlite::Result<Option<Problem>> {
    let Some(column) = column(connection, table, name)? else { return Ok(None) };
    let (code, why) = match column {
        Column { is_key: true, .. } => (Code::KeyColumn, "it is part of the primary key"),
        Column { is_generated: true, .. } => (Code::GeneratedColumn, "it is generated"),
        Column { may_be_null: false, .. } => (Code::NotNullColumn, "it may not be null"),
        Column { .. } => return Ok(None),
    };
    let message = format!(
        "`{name}` of table `{}` cannot be emptied: {why}; leave it out of `set-null`, and write a rule for these rows, or \
         let them go along by `with`",
        table.name
    );
    Ok(Some(Problem::new(code, message)))
}

/// Whether a column may be null.
pub fn may_be_null(connection: &Connection, table: &Table, name: &str) -> rusqlite::Result<bool> {
    Ok(column(connection, table, name)?.is_some_and(|column| column.may_be_null))
}

fn column(connection: &Connection, table: &Table, name: &str) -> rusqlite::Result<Option<Column>> {
    let sql = "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?1, 'main')";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([&table.name])?;
    while let Some(row) = rows.next()? {
        if row.get_ref(0)?.as_str().is_ok_and(|known| known == name) {
            return Ok(Some(Column {
                kind: row.get::<_, String>(1)?,
                may_be_null: row.get::<_, i64>(2)? == 0,
                is_key: row.get::<_, i64>(3)? > 0,
                is_generated: row.get::<_, i64>(4)? > 1,
            }));
        }
    }
    Ok(None)
}

type Why = (Code, String);

fn why_not(
    connection: &Connection,
    table: &Table,
    setting: &Setting,
    column: &Column,
) -> rusqlite::Result<Option<Why>> {
    if column.is_key {
        let why = "it is part of the primary key, which names the record; leave it out of `set`";
        return Ok(Some((Code::KeyColumn, why.to_string())));
    }
    if column.is_generated {
        let why = "it is generated; set the columns that it is made of, and it follows";
        return Ok(Some((Code::GeneratedColumn, why.to_string())));
    }
    if let Some(key) = foreign_key(connection, table, &setting.column)? {
        let why = format!("it is part of the foreign key {key}; leave it out of `set`");
        return Ok(Some((Code::ForeignKeyColumn, why)));
    }
    if may_collide(&setting.form, column)
        && let Some(index) = unique_index(connection, table, &setting.column)?
    {
        let why = format!(
            "the unique index `{index}` covers it, and {} could give two records the same value; {}",
            words(&setting.form),
            if column.may_be_null { "use \"remove\" or \"pseudonym\"" } else { "use \"pseudonym\"" }
        );
        return Ok(Some((Code::UniqueColumn, why)));
    }
    if matches!(setting.form, Form::Remove) && !column.may_be_null {
        return Ok(must_hold_text(column));
    }
    holds(connection, table, setting, column)
}

fn words(form: &Form) -> String {
    match form {
        Form::Text(_) => "a constant".to_string(),
        other => format!("\"{}\"", other.word()),
    }
}

/// Nulls differ from one another, and so do pseudonyms.
fn may_collide(form: &Form, column: &Column) -> bool {
    match form {
        Form::Remove => !column.may_be_null,
        Form::Pseudonym => false,
        Form::Begin(_) | Form::Truncate | Form::Text(_) => true,
    }
}

fn must_hold_text(column: &Column) -> Option<Why> {
    let holds_text = matches!(affinity(&column.kind), "TEXT" | "ANY" | "");
    (!holds_text).then(|| {
        let why = format!(
            "it may not be null, and nothing of type {} is empty; use another form, such as \"text:0\"",
            column.kind
        );
        (Code::NotNullColumn, why)
    })
}

/// Whether the column keeps what is written as it is: a number column makes `7` of `007`.
fn holds(
    connection: &Connection,
    table: &Table,
    setting: &Setting,
    column: &Column,
) -> rusqlite::Result<Option<Why>> {
    let samples: Vec<&str> = match &setting.form {
        Form::Text(text) => vec![text],
        Form::Pseudonym => vec![SAMPLE_PSEUDONYM],
        Form::Truncate => vec!["10.1.2.0", "2001:db8:1::"],
        Form::Remove | Form::Begin(_) => Vec::new(),
    };
    let strict = is_strict(connection, table)?;
    for sample in samples {
        let kept = kept(strict, &column.kind, sample)?;
        let is_kept = kept.is_some_and(|kept| setting.form.make(value((&kept).into())) == Made::Already);
        if !is_kept {
            let why = format!("a column of type {} does not hold `{sample}` as it is", column.kind);
            return Ok(Some((Code::ColumnType, why)));
        }
    }
    Ok(None)
}

fn is_strict(connection: &Connection, table: &Table) -> rusqlite::Result<bool> {
    let sql = "SELECT strict FROM pragma_table_list WHERE schema = 'main' AND name = ?1";
    connection.query_row(sql, [&table.name], |row| row.get(0))
}

/// What a column of some type makes of a text, asked of the engine in a database of its own; none
/// where it refuses it.
fn kept(strict: bool, kind: &str, text: &str) -> rusqlite::Result<Option<Cell>> {
    let beside = Connection::open_in_memory()?;
    let kind = match affinity(kind) {
        "NUMERIC" if strict => return Ok(None),
        kind => kind,
    };
    let strict = if strict { " STRICT" } else { "" };
    beside.execute_batch(&format!("CREATE TABLE t (c {kind}){strict}"))?;
    if beside.execute("INSERT INTO t VALUES (?1)", [text]).is_err() {
        return Ok(None);
    }
    beside.query_row("SELECT c FROM t", [], |row| row.get(0)).map(Some)
}

/// The type that a declared one stands for, by SQLite's own rules.
pub(super) fn affinity(kind: &str) -> &'static str {
    let kind = kind.to_ascii_uppercase();
    let has = |part: &str| kind.contains(part);
    if has("INT") {
        "INTEGER"
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        "TEXT"
    } else if kind.is_empty() {
        ""
    } else if kind == "ANY" {
        "ANY"
    } else if has("BLOB") {
        "BLOB"
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        "REAL"
    } else {
        "NUMERIC"
    }
}

/// The foreign key that a column is part of, on either side.
fn foreign_key(connection: &Connection, table: &Table, name: &str) -> rusqlite::Result<Option<String>> {
    let is_it = |column: &String| column.eq_ignore_ascii_case(name);
    for reference in foreign_key::references_to(connection, &table.name)? {
        if reference.parent_columns.iter().any(is_it) {
            return Ok(Some(reference.name()));
        }
    }
    let own = foreign_key::references_from(connection, &table.name)?;
    let holds = own.iter().find(|reference| reference.child_columns.iter().any(is_it));
    Ok(holds.map(Reference::name))
}

/// The unique index that covers a column: among its columns, in an expression, or in its condition.
fn unique_index(connection: &Connection, table: &Table, name: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT list.name, schema.sql, group_concat(quote(info.name)) \
               FROM pragma_index_list(?1, 'main') AS list, pragma_index_xinfo(list.name, 'main') AS info \
               LEFT JOIN main.sqlite_schema AS schema ON schema.name = list.name AND schema.type = 'index' \
               WHERE list.\"unique\" AND info.key GROUP BY list.name ORDER BY list.seq";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([&table.name])?;
    while let Some(row) = rows.next()? {
        let (index, sql, columns): (String, Option<String>, Option<String>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        // An index that a constraint made has no SQL of its own.
        let sql = sql.unwrap_or_else(|| format!("({})", columns.unwrap_or_default()));
        let is_it = |token: &Token| token.name().is_some_and(|word| word.eq_ignore_ascii_case(name));
        if tokens(&sql).iter().skip_while(|token| **token != Token::Symbol('(')).any(is_it) {
            return Ok(Some(index));
        }
    }
    Ok(None)
}
