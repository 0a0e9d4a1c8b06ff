//! Seeing what goes of the rows that other records' clocks depend on, so that it can be noted.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::functions::Context;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error};

use crate::diagnostic::Code;
use crate::evaluate::Answers;
use crate::note::Gone;
use crate::policy::Rule;
use crate::source::Problem;
use crate::source::request::TableQuery;
use crate::source::sqlite::evidence::{Watched, asked, watched};
use crate::source::sqlite::functions::FRESH;
use crate::source::sqlite::related::key_of;
use crate::source::sqlite::schema::Table;
use crate::source::sqlite::{quoted, value};

/// What went since it was last noted.
///
/// A statement that deletes rows of the rule's own table tells of each as it takes it. What goes in any other way, by
/// a statement about one row, along with others, or by a cascade, a trigger of this connection alone sees.
pub(super) struct Evidence {
    /// What goes of the row in hand, where rows are taken one by one.
    gone: Arc<Mutex<Gone>>,
    /// What went of the rows before it.
    before: RefCell<Gone>,
    /// Of the rule's own table, and of others.
    own: Vec<Arc<Watched>>,
    deletes: bool,
    /// Whether triggers watch the own table.
    is_watched: Cell<bool>,
    /// Whether only they do.
    is_left: Cell<bool>,
}

impl Evidence {
    /// Sees all that goes over a connection of what rules of the policy ask about.
    pub(super) fn watch(
        connection: &Connection,
        (request, rule): (&TableQuery<'_>, &Rule),
    ) -> Result<Evidence, Problem> {
        let asked = asked(request);
        let (watched, dumb) = watched(connection, &asked, rule)?;
        let watched = watched.into_iter().map(Arc::new);
        let is_own = |watched: &Arc<Watched>| watched.table.eq_ignore_ascii_case(&rule.table);
        let (own, others): (Vec<Arc<Watched>>, Vec<Arc<Watched>>) = watched.partition(is_own);
        let before = RefCell::new(Gone::of(asked.clone()));
        let gone = Arc::new(Mutex::new(Gone::of(asked)));
        let (is_watched, is_left) = (Cell::new(false), Cell::new(false));
        let evidence = Evidence { gone, before, own, deletes: rule.deletes(), is_watched, is_left };
        let registered = evidence.own.iter().chain(&others).try_for_each(|watched| {
            let seen = Seen { gone: Arc::clone(&evidence.gone), watched: vec![Arc::clone(watched)] };
            seen.register(connection)
        });
        let created = registered
            .and_then(|()| others.iter().try_for_each(|watched| trigger(connection, watched)))
            .and_then(|()| evidence.own.iter().chain(&others).try_for_each(|one| changes(connection, one)))
            .and_then(|()| keep(connection, &dumb));
        created.map_err(|error| Problem::new(Code::Sqlite, error.to_string()))?;
        Ok(evidence)
    }

    /// Gets ready for a transaction in which rows of the own table go by one statement, or in other ways.
    pub(super) fn get_ready(&self, connection: &Connection, is_fused: bool) -> rusqlite::Result<()> {
        self.gone().clear();
        self.before.borrow_mut().clear();
        let must_watch = !is_fused || !self.deletes || self.needs_triggers();
        if must_watch == self.is_watched.get() {
            return Ok(());
        }
        self.is_watched.set(must_watch);
        self.own.iter().try_for_each(|watched| match must_watch {
            true => trigger(connection, watched),
            false => connection.execute_batch(&format!("DROP TRIGGER temp.{}", name(watched))),
        })
    }

    /// Whether anything is asked that goes by this connection.
    pub(super) fn is_watching(&self) -> bool {
        !self.gone().asked().is_empty()
    }

    /// Whether triggers alone can tell of rows of the own table: where the records must be looked for to which
    /// they belong, and where not each row that a statement takes goes.
    pub(super) fn needs_triggers(&self) -> bool {
        let is_asked = !self.own.is_empty();
        is_asked && (self.is_left.get() || self.own.iter().any(|watched| watched.cells("").is_none()))
    }

    /// A row that a statement takes may stay, for others refer to it.
    pub(super) fn leave_to_triggers(&self) {
        self.is_left.set(true);
    }

    /// What a statement about the own table tells of each row that it takes, in SQL.
    pub(super) fn cells(&self, table: &Table) -> Vec<String> {
        if self.needs_triggers() {
            return Vec::new();
        }
        let row = quoted(table.qualifier());
        self.own.iter().filter_map(|watched| watched.cells(&row)).flatten().collect()
    }

    /// Who is told of these; none where nobody asks, or a trigger tells.
    pub(super) fn of_own_table(&self) -> Option<Seen> {
        let is_asked = self.deletes && !self.own.is_empty() && !self.needs_triggers();
        is_asked.then(|| Seen { gone: Arc::clone(&self.gone), watched: self.own.clone() })
    }

    /// The row in hand has gone, or stays and is as it was.
    pub(super) fn row_ended(&self, has_gone: bool) {
        let mut gone = self.gone();
        if has_gone {
            self.before.borrow_mut().absorb(&mut gone);
        }
        gone.clear();
    }

    /// What was seen of all rows that went.
    pub(super) fn all_gone(&self) -> Gone {
        let mut gone = self.gone();
        let mut all = self.before.borrow_mut();
        all.absorb(&mut gone);
        let nothing = Gone::of(all.asked().to_vec());
        std::mem::replace(&mut *all, nothing)
    }

    fn gone(&self) -> MutexGuard<'_, Gone> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Is told of rows that go, by the cells of all that is asked of them.
pub(super) struct Seen {
    gone: Arc<Mutex<Gone>>,
    watched: Vec<Arc<Watched>>,
}

impl Seen {
    pub(super) fn see<'v>(&self, cell: impl Fn(usize) -> ValueRef<'v>) -> rusqlite::Result<()> {
        let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        let mut first = 0;
        for watched in &self.watched {
            let width = watched.width();
            let key = if watched.is_elsewhere {
                elsewhere(&gone, watched.place, |part| cell(first + part))?
            } else {
                key_of((0..width).map(|place| cell(first + place)))
            };
            let doubt =
                key.as_ref().filter(|_| watched.is_elsewhere).and_then(|key| Answers::doubt_about(key));
            for key in key.as_deref().into_iter().chain(doubt) {
                gone.see(watched.place, key, |column| value(cell(first + width + column)));
            }
            first += width + watched.columns.len();
        }
        Ok(())
    }

    fn register(self, connection: &Connection) -> rusqlite::Result<()> {
        let name = self.watched.first().map(|watched| name(watched)).unwrap_or_default();
        connection.create_scalar_function(name.as_str(), -1, FRESH, move |context: &Context<'_>| {
            self.see(|cell| context.get_raw(cell)).map(|()| true)
        })
    }
}

/// The key by which records of another source are found.
fn elsewhere<'v>(
    gone: &Gone,
    place: usize,
    cell: impl Fn(usize) -> ValueRef<'v>,
) -> rusqlite::Result<Option<Vec<u8>>> {
    let Some(on) = &gone.asked()[place].question.relation.on else { return Ok(None) };
    Answers::key_of(on.theirs(), |part| value(cell(part))).map_err(|_| {
        let why = "a row starts the clock of records elsewhere, and nobody can say of which";
        Error::UserFunctionError(why.into())
    })
}

/// The name of a trigger, and of the function that it calls.
fn name(watched: &Watched) -> String {
    format!("frist_went_{}", watched.place)
}

fn trigger(connection: &Connection, watched: &Watched) -> rusqlite::Result<()> {
    let name = name(watched);
    connection.execute_batch(&format!(
        "CREATE TEMP TRIGGER {name} {} DELETE ON main.{} BEGIN {}; END",
        watched.when(),
        quoted(&watched.table),
        watched.tells(&name)
    ))
}

/// What a key that is emptied, or a trigger of the database, changes, says nothing more, either.
fn changes(connection: &Connection, watched: &Watched) -> rusqlite::Result<()> {
    let (name, columns) = (name(watched), watched.read().map(|column| quoted(column)).collect::<Vec<_>>());
    let changed: Vec<String> =
        columns.iter().map(|column| format!("old.{column} IS NOT new.{column}")).collect();
    connection.execute_batch(&format!(
        "CREATE TEMP TRIGGER {name}_changed {} UPDATE OF {} ON main.{} WHEN {} BEGIN {}; END",
        watched.when(),
        columns.join(", "),
        quoted(&watched.table),
        changed.join(" OR "),
        watched.tells(&name)
    ))
}

/// Rows of which nobody could tell stay: what would take them along is refused.
fn keep(connection: &Connection, tables: &[String]) -> rusqlite::Result<()> {
    if tables.is_empty() {
        return Ok(());
    }
    connection.create_scalar_function(
        "frist_cannot_tell",
        0,
        FRESH,
        |_: &Context<'_>| -> rusqlite::Result<bool> {
            let why = "it would take along rows that start the clocks of others, and these cannot be found";
            Err(Error::UserFunctionError(why.into()))
        },
    )?;
    for (place, table) in tables.iter().enumerate() {
        let is_table =
            "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name = ?1";
        if connection.query_row(is_table, [table], |row| row.get::<_, i64>(0))? > 0 {
            connection.execute_batch(&format!(
                "CREATE TEMP TRIGGER frist_cannot_tell_{place} BEFORE DELETE ON main.{} BEGIN \
                 SELECT frist_cannot_tell(); END",
                quoted(table)
            ))?;
        }
    }
    Ok(())
}
