//! What a statement sets off in the end: triggers, what these change, and what foreign keys do then.

use std::collections::HashSet;

use rusqlite::Connection;

use crate::source::sqlite::foreign_key::{Reference, all_references};
use crate::source::sqlite::schema::Table;
use crate::source::sqlite::trigger::Trigger;

/// What happens to rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Event {
    Delete,
    Insert,
    Update,
}

/// Something that is done to rows of a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Change {
    /// In small letters.
    table: String,
    event: Event,
    /// Whether a trigger set it off: what keys alone do is known before.
    is_set_off: bool,
}

impl Change {
    pub(super) fn new(table: &str, event: Event) -> Change {
        Change { table: table.to_ascii_lowercase(), event, is_set_off: false }
    }

    fn by_trigger(table: &str, event: Event) -> Change {
        Change { is_set_off: true, ..Change::new(table, event) }
    }

    /// Whether it makes a trigger run.
    fn runs(&self, trigger: &Trigger) -> bool {
        let on_event = match self.event {
            Event::Delete => trigger.on_delete,
            Event::Update => trigger.on_update,
            // A trigger that is read as one of both may be one of insertions.
            Event::Insert => trigger.on_delete == trigger.on_update,
        };
        on_event && trigger.table.eq_ignore_ascii_case(&self.table)
    }

    /// What a foreign key does then.
    fn through(&self, key: &Reference) -> Option<Change> {
        let event = match (self.event, key.on_delete.as_str()) {
            (Event::Insert, _) => return None,
            (Event::Delete, "CASCADE") => Event::Delete,
            (Event::Delete, "SET NULL" | "SET DEFAULT") | (Event::Update, _) => Event::Update,
            (Event::Delete, _) => return None,
        };
        let is_parent = key.parent.eq_ignore_ascii_case(&self.table);
        is_parent.then(|| Change { is_set_off: self.is_set_off, ..Change::new(&key.child, event) })
    }
}

/// What a trigger does. An insertion may replace or change rows, and so may a change.
fn done_by(trigger: &Trigger) -> Vec<Change> {
    use Event::{Delete, Insert, Update};
    let each = |tables: Vec<&String>, events: &[Event]| -> Vec<Change> {
        let of = |table: &String| events.iter().map(|event| Change::by_trigger(table, *event)).collect();
        tables.into_iter().flat_map(|table| -> Vec<Change> { of(table) }).collect()
    };
    let inserted = trigger.inserts.iter().map(|insert| &insert.into).collect();
    [
        each(inserted, &[Delete, Insert, Update]),
        each(trigger.deletes.iter().collect(), &[Delete]),
        each(trigger.updates.iter().collect(), &[Delete, Update]),
    ]
    .concat()
}

/// Whether a trigger that some changes set off may write to some tables, or to what their records' times are
/// told by.
pub(super) fn may_be_written_to(
    connection: &Connection,
    tables: &[&Table],
    changes: Vec<Change>,
) -> rusqlite::Result<bool> {
    let triggers = triggers(connection)?;
    if triggers.is_empty() {
        return Ok(false);
    }
    let keys = all_references(connection)?;
    let asks_others = tables.iter().any(|table| !table.joins.is_empty());
    let is_meant = |change: &Change| {
        let is_watched = tables.iter().any(|table| table.name.eq_ignore_ascii_case(&change.table));
        change.is_set_off && (asks_others || is_watched)
    };
    let (mut left, mut seen) = (changes, HashSet::new());
    while let Some(change) = left.pop() {
        if is_meant(&change) {
            return Ok(true);
        }
        if seen.insert(change.clone()) {
            left.extend(triggers.iter().filter(|trigger| change.runs(trigger)).flat_map(done_by));
            left.extend(keys.iter().filter_map(|key| change.through(key)));
        }
    }
    Ok(false)
}

/// All triggers of a database.
fn triggers(connection: &Connection) -> rusqlite::Result<Vec<Trigger>> {
    let sql = "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger'";
    let mut statement = connection.prepare(sql)?;
    let read = |row: &rusqlite::Row<'_>| {
        let text = |column| row.get::<_, String>(column);
        Ok(Trigger::read(&text(0)?, &text(1)?, &text(2)?))
    };
    statement.query_map([], read)?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::sqlite::schema::describe;

    /// Whether a deletion from `t` makes some trigger write to it.
    fn writes(sql: &str) -> bool {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(&format!(
                "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE log (x);
                 CREATE TABLE t (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id) ON DELETE CASCADE, n); {sql}"
            ))
            .unwrap();
        let table = describe(&connection, "t", "").unwrap();
        may_be_written_to(&connection, &[&table], vec![Change::new("T", Event::Delete)]).unwrap()
    }

    const LOGS: &str = "CREATE TRIGGER a AFTER DELETE ON t BEGIN INSERT INTO log VALUES (old.id); END;";

    #[test]
    fn a_trigger_that_nothing_sets_off_writes_nothing() {
        let stamps = "CREATE TRIGGER s AFTER UPDATE ON t BEGIN UPDATE t SET n = 1 WHERE id = new.id; END;";
        assert!(!writes(&format!("{LOGS} {stamps}")));
        assert!(!writes("CREATE TRIGGER s AFTER INSERT ON log BEGIN DELETE FROM t; END"));
    }

    #[test]
    fn a_trigger_writes_by_itself_by_another_one_and_by_a_key() {
        let by_itself = "CREATE TRIGGER s AFTER DELETE ON t BEGIN UPDATE t SET n = 1; END";
        let by_another = "CREATE TRIGGER s AFTER INSERT ON log BEGIN UPDATE T SET n = 1; END";
        let by_a_key = "CREATE TRIGGER s AFTER DELETE ON t BEGIN DELETE FROM p WHERE id = old.p; END";
        for sql in [by_itself, &format!("{LOGS} {by_another}"), by_a_key] {
            assert!(writes(sql), "{sql}");
        }
    }
}
