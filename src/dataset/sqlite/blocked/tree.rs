//! A table whose rows name rows of the same table: replies, parts, managers. Its due rows are read
//! into memory, with who names whom.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::functions::Context;

use super::along::row_number;
use super::key::Code;
use super::rows::Rows;
use crate::dataset::sqlite::foreign_key::Reference;
use crate::dataset::sqlite::functions::{PURE, cells};
use crate::dataset::sqlite::schema::Table;
use crate::dataset::sqlite::value;
use crate::verdict::{Keeper, RuleBook};

/// The rows of such a table that stay although a rule deletes them.
#[derive(Clone, Debug)]
pub struct Tree {
    references: Vec<Reference>,
    /// The number of its first key: keys of other tables stand before.
    first: usize,
    blocked: Arc<HashMap<i64, usize>>,
}

impl Tree {
    /// Reads the rows that some rules delete, and finds those that stay all the same. What keeps rows
    /// from outside of the table is known to it already.
    pub(super) fn read(
        connection: &Connection,
        table: &Table,
        book: &Arc<RuleBook>,
        acting: &[usize],
        references: &[Reference],
        first: usize,
    ) -> rusqlite::Result<Tree> {
        let book = table.blockers.book(book);
        let going = register_going(connection, table, &book, acting)?;
        let may_be_due = super::may_be_due(table, &book, acting);
        let rows = rows(connection, table, &going, &may_be_due, references)?;
        Ok(Tree { references: references.to_vec(), first, blocked: Arc::new(rows.blocked()) })
    }

    /// The keys of the table to itself.
    pub(super) fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Registers the function that knows which rows stay; returns its call, null where a row can go.
    pub(super) fn register(&self, connection: &Connection, table: &Table) -> rusqlite::Result<String> {
        let name = format!("frist_tree_{}", table.function_suffix());
        let (blocked, first) = (Arc::clone(&self.blocked), self.first);
        let code = move |key: &usize| Code { number: first + key, keeper: Keeper::NoRule }.to_cell();
        connection.create_scalar_function(name.as_str(), 1, PURE, move |context: &Context<'_>| {
            let row: i64 = context.get(0)?;
            Ok(blocked.get(&row).map(&code))
        })?;
        Ok(format!("{name}({})", row_number(table)))
    }
}

/// Registers a function that says which rule deletes a row, by its place and one more; returns its call.
fn register_going(
    connection: &Connection,
    table: &Table,
    book: &Arc<RuleBook>,
    acting: &[usize],
) -> rusqlite::Result<String> {
    let name = format!("frist_going_{}", table.function_suffix());
    let (owned, rules) = (Arc::clone(book), acting.to_vec());
    connection.create_scalar_function(name.as_str(), -1, PURE, move |context: &Context<'_>| {
        Ok(match owned.keeper(&rules, &|cell| value(context.get_raw(cell))) {
            Keeper::Goes(rule) => i64::try_from(rule + 1).unwrap_or_default(),
            _ => 0,
        })
    })?;
    Ok(format!("{name}({})", cells(connection, table, book)?.join(", ")))
}

/// Reads the rows for which `going` gives a rule, and who names them.
pub fn rows(
    connection: &Connection,
    table: &Table,
    going: &str,
    may_be_due: &str,
    references: &[Reference],
) -> rusqlite::Result<Rows> {
    // Of these the engine asks before the end of the statement that nobody refers to the row.
    let at_once = ["RESTRICT", "SET NULL", "SET DEFAULT"];
    let forbids_circles =
        references.iter().position(|reference| at_once.contains(&reference.on_delete.as_str()));
    let mut rows = Rows { forbids_circles, ..Rows::default() };
    let (number, from) = (row_number(table), table.sql());
    let sql = format!("SELECT {number}, {going} AS going FROM {from} WHERE ({may_be_due}) AND going > 0");
    let mut statement = connection.prepare(&sql)?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        rows.going.insert(row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs() as usize);
    }
    for (key, reference) in references.iter().enumerate() {
        let alias = reference.alias_beside(table);
        let child = Table { alias: Some(alias.clone()), ..table.clone() };
        let sql = format!(
            "SELECT {number}, {} FROM {from} JOIN {} ON {} WHERE ({may_be_due})",
            row_number(&child),
            child.sql(),
            reference.names_sql(table, &alias)
        );
        let mut statement = connection.prepare(&sql)?;
        let mut pairs = statement.query([])?;
        while let Some(pair) = pairs.next()? {
            rows.add(pair.get(0)?, pair.get(1)?, key);
        }
    }
    Ok(rows)
}

impl Rows {
    /// A row is named by another.
    fn add(&mut self, parent: i64, child: i64, key: usize) {
        let Some(rule) = self.going.get(&parent) else { return };
        if self.going.get(&child) == Some(rule) {
            self.named.push((child, parent, key));
        } else {
            self.kept.push((parent, key));
        }
    }
}
