//! One foreign key that points at a table, and the rows that hold it.

use std::sync::Arc;

use rusqlite::Connection;

use super::along::{Along, first_of};
use super::key::{Code, keeping_rows};
use super::register_keeper;
use crate::dataset::sqlite::foreign_key::Reference;
use crate::dataset::sqlite::quoted;
use crate::dataset::sqlite::schema::Table;
use crate::verdict::{Keeper, RuleBook};

/// A foreign key that points at the table in hand.
#[derive(Clone, Debug)]
pub(super) struct Tie {
    pub(super) reference: Reference,
    /// The rows that hold it.
    pub(super) child: Children,
}

/// The rows that hold a key.
#[derive(Clone, Debug)]
pub(super) enum Children {
    /// Rules delete some of them, before what they name.
    Judged(Box<Child>),
    /// All of them stay; why, in words.
    Stay(String),
}

/// The rows that hold a key, and the rules on them.
#[derive(Clone, Debug)]
pub(super) struct Child {
    pub(super) table: Table,
    pub(super) book: Arc<RuleBook>,
    /// The names of the rules on the table.
    pub(super) rules: Vec<String>,
    /// Those that delete, by their places.
    pub(super) acting: Vec<usize>,
}

impl Tie {
    /// Who keeps a row of the table, as SQL; null where nobody does. Rows that go along with the record
    /// keep nothing.
    pub(super) fn register(
        &self,
        connection: &Connection,
        table: &Table,
        number: usize,
        along: (&Along, &Table),
    ) -> rusqlite::Result<String> {
        let alias = match &self.child {
            Children::Judged(child) => child.table.qualifier().to_string(),
            Children::Stay(_) => self.reference.alias_beside(table),
        };
        let from = format!("main.{} AS {}", quoted(&self.reference.child), quoted(&alias));
        let (along, record) = along;
        let mut names = self.reference.names_sql(table, &alias);
        if let Some(goes_along) = along.any_member(&self.reference.child, &alias, record) {
            // Where a column is empty, whether the row goes along is null: it does not.
            names = format!("{names} AND ({goes_along}) IS NOT TRUE");
        }
        let code = Code { number, keeper: Keeper::NoRule };
        Ok(match &self.child {
            Children::Stay(_) => format!("(SELECT {} FROM {from} WHERE {names} LIMIT 1)", code.to_cell()),
            Children::Judged(child) => {
                let keeper = register_keeper(connection, &child.table, &child.book, &child.acting)?;
                let base = code.base();
                first_of(&format!("{base} + nullif({keeper}, 0)"), &from, &names)
            }
        })
    }

    /// The rows that keep the record, in words.
    pub(super) fn words(&self, keeper: Keeper) -> String {
        match &self.child {
            Children::Judged(child) => keeping_rows(&self.reference.child, keeper, &child.rules),
            Children::Stay(why) => format!("rows of `{}` {why}", self.reference.child),
        }
    }
}
