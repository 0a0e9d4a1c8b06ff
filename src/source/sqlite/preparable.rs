//! Whether the engine can carry out what a rule does to a table. Functions, collations and modules of the
//! application are not here, and a broken foreign key is found only when it is checked: a statement that is
//! prepared and not run says so, with every trigger, key and index that it would touch, and writes nothing.

use rusqlite::{Connection, Error};

use super::foreign_key::{self, Reference};
use super::quoted;
use super::schema::{Table, table_names};
use super::sql::tokens;
use crate::diagnostic::Code;
use crate::policy::Rule;
use crate::source::Problem;

/// Why the engine refuses what the rule does; none where it does not.
pub fn refusal(connection: &Connection, table: &Table, rule: &Rule) -> rusqlite::Result<Option<Problem>> {
    let before: bool = connection.query_row("PRAGMA foreign_keys", [], |row| row.get(0))?;
    connection.execute_batch("PRAGMA foreign_keys = ON")?;
    let found = first_refusal(connection, table, rule);
    if !before {
        connection.execute_batch("PRAGMA foreign_keys = OFF")?;
    }
    found
}

fn first_refusal(connection: &Connection, table: &Table, rule: &Rule) -> rusqlite::Result<Option<Problem>> {
    for (name, sql) in statements(table, rule) {
        match connection.prepare(&sql) {
            Ok(_) => {}
            Err(error) => match in_words(&error) {
                Some(said) => return explained(connection, &name, &said).map(Some),
                None => return Err(error),
            },
        }
    }
    Ok(None)
}

/// What a purge does to which tables.
fn statements(table: &Table, rule: &Rule) -> Vec<(String, String)> {
    let one = "WHERE 1 = ?1";
    if rule.deletes() {
        let delete = |name: &str| (name.to_string(), format!("DELETE FROM main.{} {one}", quoted(name)));
        let along = rule.with.relations().into_iter().map(|relation| delete(&relation.table));
        return std::iter::once(delete(&table.name)).chain(along).collect();
    }
    let set: Vec<String> =
        rule.then.settings().iter().map(|setting| format!("{} = ?1", quoted(&setting.column))).collect();
    let sql = format!("UPDATE OR ABORT main.{} SET {} {one}", quoted(&table.name), set.join(", "));
    vec![(table.name.clone(), sql)]
}

/// What the engine says of a statement that it does not understand. That a file is locked, or cannot be
/// read, is nothing about the statement.
fn in_words(error: &Error) -> Option<String> {
    match error {
        Error::SqlInputError { msg, .. } => Some(msg.clone()),
        Error::SqliteFailure(failure, Some(said))
            if failure.extended_code & 0xff == rusqlite::ffi::SQLITE_ERROR =>
        {
            Some(said.clone())
        }
        _ => None,
    }
}

fn explained(connection: &Connection, table: &str, said: &str) -> rusqlite::Result<Problem> {
    let behind = |beginning: &str| said.strip_prefix(beginning).map(str::trim);
    let unknown = || behind("unknown function:").map(|call| call.trim_end_matches("()"));
    if let Some(function) = behind("no such function:").or_else(unknown) {
        return application(connection, table, ("function", function), users(connection, function)?);
    }
    if let Some(collation) = behind("no such collation sequence:") {
        return application(connection, table, ("collation", collation), sorted_by(connection, collation)?);
    }
    if let Some(module) = behind("no such module:") {
        return application(connection, table, ("module", module), users(connection, module)?);
    }
    let keys = broken_keys(connection, said)?;
    if !keys.is_empty() {
        let message = format!(
            "no row of `{table}` can go, for SQLite cannot check the foreign key {}: {said}; name a table that is \
             there, and columns of it that are its primary key or unique together",
            keys.join(", ")
        );
        return Ok(Problem::new(Code::BrokenForeignKey, message));
    }
    let missing = behind("no such table:").map(|name| name.strip_prefix("main.").unwrap_or(name));
    let by = missing.map(|name| users(connection, name)).transpose()?.unwrap_or_default();
    let by = if by.is_empty() { String::new() } else { format!(", in {}", by.join(", ")) };
    let message =
        format!("SQLite cannot carry this out on `{table}`: {said}{by}; mend the schema, and run again");
    Ok(Problem::new(Code::CannotBeCarriedOut, message))
}

/// What only the application has, and where the schema asks for it.
fn application(
    connection: &Connection,
    table: &str,
    (kind, name): (&str, &str),
    mut by: Vec<String>,
) -> rusqlite::Result<Problem> {
    if by.is_empty() {
        by = users(connection, name)?;
    }
    let by = if by.is_empty() { format!("table `{table}`") } else { by.join(", ") };
    let message = format!(
        "{by} needs the {kind} `{name}`, which only the application has that made it: nobody else can change \
         `{table}`; let the application delete, or drop what needs it and run again"
    );
    Ok(Problem::new(Code::NeedsApplication, message))
}

/// The parts of the schema whose SQL has a word: triggers and indexes first.
fn users(connection: &Connection, word: &str) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT type, name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL \
               ORDER BY type = 'table', type = 'view', type DESC, name";
    let mut statement = connection.prepare(sql)?;
    let all = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    let mut found = Vec::new();
    for part in all {
        let (kind, name, sql) = part?;
        let has_it = || {
            tokens(&sql).iter().any(|token| token.name().is_some_and(|name| name.eq_ignore_ascii_case(word)))
        };
        if has_it() {
            found.push(format!("{kind} `{name}`"));
        }
    }
    Ok(found)
}

/// The indexes that are in an order of this name; the columns of a table hand it on to them.
fn sorted_by(connection: &Connection, collation: &str) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT DISTINCT list.name FROM main.sqlite_schema AS part, pragma_index_list(part.name, 'main') AS list, \
               pragma_index_xinfo(list.name, 'main') AS info \
               WHERE part.type = 'table' AND lower(info.coll) = lower(?1) AND list.origin = 'c' ORDER BY list.name";
    let mut statement = connection.prepare(sql)?;
    let names = statement.query_map([collation], |row| row.get::<_, String>(0))?;
    names.map(|name| Ok(format!("index `{}`", name?))).collect()
}

/// The foreign keys of which the engine speaks: `foreign key mismatch - "child" referencing "parent"`, or
/// `no such table: main.parent`.
fn broken_keys(connection: &Connection, said: &str) -> rusqlite::Result<Vec<String>> {
    let is_mismatch = said.starts_with("foreign key mismatch");
    let missing = said.strip_prefix("no such table: main.");
    if !is_mismatch && missing.is_none() {
        return Ok(Vec::new());
    }
    let mut keys = Vec::new();
    for child in table_names(connection)? {
        for key in foreign_key::references_from(connection, &child)? {
            let is_meant = match missing {
                Some(parent) => key.parent.eq_ignore_ascii_case(parent),
                None => {
                    said.contains(&format!("\"{}\" referencing \"{}\"", key.child, key.parent))
                        && !is_sound(connection, &key)?
                }
            };
            if is_meant {
                keys.push(written(&key));
            }
        }
    }
    Ok(keys)
}

/// Whether the columns that a key names are the primary key of their table, or unique together.
fn is_sound(connection: &Connection, key: &Reference) -> rusqlite::Result<bool> {
    let mut named: Vec<String> = key.parent_columns.iter().map(|column| column.to_lowercase()).collect();
    named.sort();
    let columns = |sql: &str, name: &str| -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.prepare(sql)?;
        let mut columns: Vec<String> =
            statement.query_map([name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        columns.sort();
        Ok(columns)
    };
    let primary = "SELECT lower(name) FROM pragma_table_xinfo(?1, 'main') WHERE pk > 0";
    if columns(primary, &key.parent)? == named {
        return Ok(!named.is_empty());
    }
    let unique = "SELECT name FROM pragma_index_list(?1, 'main') WHERE \"unique\" AND NOT partial";
    for index in columns(unique, &key.parent)? {
        if columns("SELECT lower(name) FROM pragma_index_info(?1, 'main')", &index)? == named {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A key whose columns may be nowhere.
fn written(key: &Reference) -> String {
    let theirs = if key.parent_columns.is_empty() {
        String::new()
    } else {
        format!(".{}", key.parent_columns.join(", "))
    };
    format!("{}.{} → {}{theirs}", key.child, key.child_columns.join(", "), key.parent)
}
