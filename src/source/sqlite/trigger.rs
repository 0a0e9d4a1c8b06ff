//! Triggers that copy: what a rule deletes, or has deleted, goes on living in another table.

use super::sql::{Token, tokens};

/// A trigger, as far as its SQL tells what it does to other tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trigger {
    /// Its name.
    pub(crate) name: String,
    /// The table that it is on.
    pub(crate) table: String,
    /// Whether it runs when a row is deleted.
    pub(crate) on_delete: bool,
    /// Whether it runs when a row is changed.
    pub(crate) on_update: bool,
    /// What it inserts.
    pub(crate) inserts: Vec<Insert>,
    /// The tables from which it deletes.
    pub(crate) deletes: Vec<String>,
    /// The tables that it changes.
    pub(crate) updates: Vec<String>,
}

/// One `INSERT` of a trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Insert {
    /// The table.
    pub(crate) into: String,
    /// Whether anything but constants is inserted.
    pub(crate) copies: bool,
    /// Whether it holds the text by which a full-text table is told of a deletion.
    pub(crate) tells_of_deletion: bool,
}

impl Trigger {
    /// Reads a trigger's SQL.
    pub(crate) fn read(name: &str, table: &str, sql: &str) -> Trigger {
        let tokens = tokens(sql);
        let event =
            tokens.iter().find(|token| ["DELETE", "INSERT", "UPDATE"].iter().any(|word| token.is(word)));
        let statements: Vec<&[Token]> = tokens.split(|token| *token == Token::Symbol(';')).collect();
        Trigger {
            name: name.to_string(),
            table: table.to_string(),
            // What cannot be told apart is taken for the worse.
            on_delete: event.is_none_or(|event| event.is("DELETE")),
            on_update: event.is_none_or(|event| event.is("UPDATE")),
            inserts: statements.iter().filter_map(|statement| insert(statement)).collect(),
            deletes: statements.iter().filter_map(|statement| delete(statement)).collect(),
            updates: statements.iter().filter_map(|statement| update(statement)).collect(),
        }
    }

    /// Whether a deletion from its table removes rows of another one, or tells a full-text table.
    pub(crate) fn clears(&self, other: &str) -> bool {
        self.on_delete && self.takes_from(other)
    }

    /// Whether a change in its table takes the old values out of another one, or tells a full-text
    /// table.
    pub(crate) fn follows(&self, other: &str) -> bool {
        let changes = self.updates.iter().any(|name| name.eq_ignore_ascii_case(other));
        self.on_update && (changes || self.takes_from(other))
    }

    /// Whether a change in its table may change another one.
    pub(crate) fn carries_changes_on(&self) -> bool {
        let inserted = self.inserts.iter().map(|insert| &insert.into);
        let mut changed = inserted.chain(&self.deletes).chain(&self.updates);
        self.on_update && changed.any(|name| !name.eq_ignore_ascii_case(&self.table))
    }

    fn takes_from(&self, other: &str) -> bool {
        let is_other = |name: &String| name.eq_ignore_ascii_case(other);
        let told = self.inserts.iter().any(|insert| is_other(&insert.into) && insert.tells_of_deletion);
        told || self.deletes.iter().any(is_other)
    }
}

/// The `INSERT` in a statement, which may have the trigger's head before it.
fn insert(statement: &[Token]) -> Option<Insert> {
    let into =
        statement.iter().enumerate().position(|(at, token)| token.is("INTO") && begins(statement, at))?;
    let (name, rest) = table_name(&statement[into + 1..])?;
    Some(Insert {
        into: name.to_string(),
        copies: rest.iter().any(|token| token.is("SELECT")) || names_the_row(rest),
        tells_of_deletion: rest.contains(&Token::Text("delete".to_string())),
    })
}

/// Whether what stands before `INTO` makes it an insertion: `INSERT`, `INSERT OR …`, `REPLACE`.
fn begins(statement: &[Token], into: usize) -> bool {
    let before = |steps: usize| into.checked_sub(steps).map(|at| &statement[at]);
    let is = |steps: usize, word: &str| before(steps).is_some_and(|token| token.is(word));
    is(1, "INSERT") || is(1, "REPLACE") || (is(2, "OR") && is(3, "INSERT"))
}

/// Whether a column of the row in hand is read: `OLD.email`, `"new".email`.
fn names_the_row(tokens: &[Token]) -> bool {
    tokens.windows(2).any(|pair| {
        let name = pair[0].name().unwrap_or_default();
        pair[1] == Token::Symbol('.') && ["old", "new"].iter().any(|row| name.eq_ignore_ascii_case(row))
    })
}

fn delete(statement: &[Token]) -> Option<String> {
    let from = statement.windows(2).position(|pair| pair[0].is("DELETE") && pair[1].is("FROM"))?;
    table_name(&statement[from + 2..]).map(|(name, _)| name.to_string())
}

/// `UPDATE t SET`, and not the head's `UPDATE ON` or `UPDATE OF`.
fn update(statement: &[Token]) -> Option<String> {
    let is_change = |pair: &[Token]| pair[0].is("UPDATE") && !pair[1].is("ON") && !pair[1].is("OF");
    let update = statement.windows(2).position(is_change)?;
    let rest = &statement[update + 1..];
    let rest = if rest[0].is("OR") { rest.get(2..)? } else { rest };
    table_name(rest).map(|(name, _)| name.to_string())
}

/// A table's name, with or without that of its schema, and what follows it.
fn table_name(tokens: &[Token]) -> Option<(&str, &[Token])> {
    match tokens {
        [_, Token::Symbol('.'), table, rest @ ..] => table.name().map(|name| (name, rest)),
        [table, rest @ ..] => table.name().map(|name| (name, rest)),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sql: &str) -> Trigger {
        Trigger::read("t", "customers", sql)
    }

    /// Where a trigger copies to.
    fn copies(sql: &str) -> Vec<String> {
        read(sql).inserts.into_iter().filter(|insert| insert.copies).map(|insert| insert.into).collect()
    }

    #[test]
    fn every_way_to_insert_is_seen() {
        let body = |statement: &str| {
            copies(&format!("CREATE TRIGGER t AFTER DELETE ON customers BEGIN {statement}; END"))
        };
        assert_eq!(body("INSERT INTO log VALUES (OLD.id)"), ["log"]);
        assert_eq!(body("insert or ignore into \"a log\" (x) values (\"old\".\"id\")"), ["a log"]);
        assert_eq!(body("REPLACE INTO [log] SELECT * FROM customers"), ["log"]);
        assert_eq!(body("INSERT INTO main.log VALUES (new.id)"), ["log"]);
        assert_eq!(body("INSERT INTO 'log' VALUES (OLD . id)"), ["log"]);
        assert_eq!(body("INSERT INTO/**/log VALUES (OLD.id)"), ["log"]);
        assert_eq!(
            body("DELETE FROM x; INSERT INTO log VALUES (OLD.id); INSERT INTO b SELECT 1"),
            ["log", "b"]
        );
    }

    #[test]
    fn what_only_looks_like_an_insertion_is_none() {
        let sql = "CREATE TRIGGER \"INSERT INTO a VALUES (OLD.id)\" BEFORE INSERT ON customers
                   WHEN NEW.name <> 'INSERT INTO b VALUES (OLD.id);' BEGIN
                   -- INSERT INTO c VALUES (OLD.id);
                   SELECT replace(NEW.name, 'INSERT INTO d', 'x'); /* INSERT INTO e SELECT 1; */ END";
        assert_eq!(read(sql).inserts, []);
    }

    #[test]
    fn constants_are_no_copy() {
        let sql = "CREATE TRIGGER t AFTER DELETE ON customers WHEN OLD.id > 1 BEGIN
                   INSERT INTO deletions VALUES (datetime('now'), 'old.'); END";
        assert_eq!(copies(sql), Vec::<String>::new());
        assert_eq!(read(sql).inserts.len(), 1);
    }

    #[test]
    fn the_event_is_that_of_the_head() {
        let delete =
            "CREATE TRIGGER \"update\" AFTER DELETE ON customers BEGIN INSERT INTO log SELECT 1; END";
        assert!(read(delete).on_delete);
        let insert = "CREATE TRIGGER t AFTER INSERT ON customers BEGIN DELETE FROM log; END";
        assert!(!read(insert).on_delete);
    }

    #[test]
    fn a_deletion_clears_another_table_by_a_statement_or_a_full_text_command() {
        let body = |event: &str, statement: &str| {
            read(&format!("CREATE TRIGGER t AFTER {event} ON c BEGIN {statement}; END"))
        };
        assert!(body("DELETE", "DELETE FROM Copy WHERE id = OLD.id").clears("copy"));
        assert!(body("DELETE", "INSERT INTO copy (copy, rowid) VALUES ('delete', OLD.id)").clears("copy"));
        assert!(!body("DELETE", "INSERT INTO copy VALUES (OLD.id)").clears("copy"));
        assert!(!body("INSERT", "DELETE FROM copy WHERE id = NEW.id").clears("copy"));
        assert!(!body("DELETE", "DELETE FROM other").clears("copy"));
    }

    #[test]
    fn a_change_is_followed_by_a_statement_on_the_other_table() {
        let body = |event: &str, statement: &str| {
            read(&format!("CREATE TRIGGER t AFTER {event} ON c BEGIN {statement}; END"))
        };
        for statement in
            ["UPDATE Copy SET x = NEW.x", "UPDATE OR ABORT main.copy SET x = 1", "DELETE FROM copy"]
        {
            assert!(body("UPDATE", statement).follows("copy"), "{statement}");
            assert!(body("UPDATE OF x", statement).follows("copy"), "{statement}");
            assert!(!body("DELETE", statement).follows("copy"), "{statement}");
        }
        assert!(!body("UPDATE", "INSERT INTO copy VALUES (OLD.x)").follows("copy"));
        assert!(!body("UPDATE", "SELECT 1").follows("c"), "the head changes nothing");
    }

    #[test]
    fn nonsense_is_no_trigger_that_copies() {
        for sql in
            ["", "INTO", "INSERT INTO", "INSERT INTO ;", "INSERT INTO (", "OR INTO x", "INSERT INTO x."]
        {
            assert_eq!(copies(sql), Vec::<String>::new(), "{sql}");
        }
    }
}
