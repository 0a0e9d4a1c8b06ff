//! Records that foreign keys keep: deleting one would orphan, or cascade into, a row that stays.
//!
//! *Stays* spreads from the rows that refer to those that they name. A statement about a table asks
//! that of the tables below it, one within the other; a table that names itself is read once, and
//! its rows are followed in memory (see [`tree`]).

mod key;
pub mod order;
mod rows;
pub mod tree;

pub use rows::Rows;

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};

use super::foreign_key::{Reference, references_to};
use super::functions::cells;
use super::name::alias_beside;
use super::prefilter;
use super::schema::{Table, describe};
use super::{join, quoted, value};
use crate::dataset::Problem;
use crate::dataset::request::{Acting, Request};
use crate::policy::Rule;
use crate::verdict::{Keeper, RuleBook};
use key::Code;
use tree::Tree;

/// Each table below another costs a statement within a statement; of so many nobody can say when
/// they end.
const MOST_TABLES: usize = 200;

/// What may keep the records of a table.
#[derive(Clone, Debug, Default)]
pub struct Blockers {
    ties: Vec<Tie>,
    tree: Option<Arc<Tree>>,
    /// What a record satisfies that any rule deletes.
    may_be_due: String,
}

/// One foreign key that points at the table.
#[derive(Clone, Debug)]
struct Tie {
    reference: Reference,
    /// The rows that hold it.
    child: Children,
}

/// The rows that hold a key.
#[derive(Clone, Debug)]
enum Children {
    /// Rules delete some of them, before what they name.
    Judged(Box<Child>),
    /// All of them stay; why, in words.
    Stay(String),
}

/// The rows that hold a key, and the rules on them.
#[derive(Clone, Debug)]
struct Child {
    table: Table,
    book: Arc<RuleBook>,
    /// The names of the rules on the table.
    rules: Vec<String>,
    /// Those that delete, by their places.
    acting: Vec<usize>,
}

/// Finds out what may keep the records of a request's table.
pub fn of(
    connection: &Connection,
    request: &Request<'_>,
    acting: &Acting,
    table: &Table,
) -> Result<Blockers, Problem> {
    let mut build = Build { connection, request, acting, tables: 0 };
    build.blockers(table, &request.rules, &request.book)
}

struct Build<'a> {
    connection: &'a Connection,
    request: &'a Request<'a>,
    acting: &'a Acting,
    /// How many tables were taken up.
    tables: usize,
}

impl Build<'_> {
    fn blockers(
        &mut self,
        table: &Table,
        rules: &[&Rule],
        book: &Arc<RuleBook>,
    ) -> Result<Blockers, Problem> {
        let references = references_to(self.connection, &table.name).map_err(engine)?;
        let keeping: Vec<Reference> = references.into_iter().filter(|reference| reference.keeps).collect();
        if keeping.is_empty() {
            return Ok(Blockers::default());
        }
        let (own, others): (Vec<Reference>, Vec<Reference>) =
            keeping.into_iter().partition(Reference::is_to_itself);
        let mut ties = Vec::new();
        for reference in others {
            let child = self.child(table, &reference)?;
            ties.push(Tie { reference, child });
        }
        let may_be_due = may_be_due(table, book);
        let mut blockers = Blockers { ties, tree: None, may_be_due };
        let acting = self.acting(rules);
        if acting.is_empty() || !table.has_row_numbers() {
            let stay = |reference| Tie { reference, child: Children::Stay("that stay".to_string()) };
            blockers.ties.extend(own.into_iter().map(stay));
        } else if !own.is_empty() {
            let outer = Table { blockers: blockers.clone(), ..table.clone() };
            let tree = Tree::read(self.connection, &outer, book, &acting, &own).map_err(engine)?;
            blockers.tree = Some(Arc::new(tree));
        }
        Ok(blockers)
    }

    fn acting(&self, rules: &[&Rule]) -> Vec<usize> {
        let acts = |rule: &&Rule| self.acting.contains(rule);
        rules.iter().enumerate().filter(|(_, rule)| acts(rule)).map(|(place, _)| place).collect()
    }

    /// The rows that hold a key, where some of them go before what they name.
    fn child(&mut self, parent: &Table, reference: &Reference) -> Result<Children, Problem> {
        let request = self.request;
        let rules: Vec<&Rule> = request.policy.rules_on(request.source(), &reference.child).collect();
        let acting = self.acting(&rules);
        if acting.is_empty() {
            return Ok(Children::Stay(idle(&rules)));
        }
        if order::is_circular(self.connection, reference).map_err(engine)? {
            return Ok(Children::Stay("that may be referred to in turn".to_string()));
        }
        self.tables += 1;
        if self.tables > MOST_TABLES {
            let message = format!("too many tables refer to `{}`, by way of others", parent.name);
            return Err(Problem::new("too-many-foreign-keys", message));
        }
        let names = rules.iter().map(|rule| rule.name.clone()).collect();
        let book = Arc::new(RuleBook::new(rules.iter().copied(), request.now));
        // A table that cannot be judged is one whose rows stay.
        let Some(mut table) = self.described(parent, reference, &book) else {
            return Ok(Children::Stay("that cannot be judged".to_string()));
        };
        table.blockers = self.blockers(&table, &rules, &book)?;
        let book = if table.blockers.is_empty() { book } else { Arc::new(book.with_references()) };
        Ok(Children::Judged(Box::new(Child { table, book, rules: names, acting })))
    }

    fn described(&self, parent: &Table, reference: &Reference, book: &RuleBook) -> Option<Table> {
        let mut table = describe(self.connection, &reference.child, "").ok()?;
        if book.columns().iter().any(|column| table.require(column, "").is_err()) {
            return None;
        }
        table.alias = Some(alias_beside(parent.qualifier(), &format!("frist_child_{}", self.tables)));
        table.joins = join::resolve(self.connection, &table, book).ok()?;
        Some(table)
    }
}

/// Why all rows of a table stay.
fn idle(rules: &[&Rule]) -> String {
    match rules {
        [] => "that no rule deletes".to_string(),
        [rule] => format!("that rule `{}` does not delete in this run", rule.name),
        _ => "that their rules do not delete in this run".to_string(),
    }
}

fn engine(error: rusqlite::Error) -> Problem {
    Problem::new("sqlite", error.to_string())
}

/// What a record satisfies that any rule of a book deletes.
fn may_be_due(table: &Table, book: &RuleBook) -> String {
    let each: Vec<String> =
        (0..book.len()).map(|rule| format!("({})", prefilter::sql(table, book, rule))).collect();
    if each.is_empty() { "1".to_string() } else { each.join(" OR ") }
}

impl Blockers {
    /// Whether nothing can keep a record.
    pub fn is_empty(&self) -> bool {
        self.ties.is_empty() && self.tree.is_none()
    }

    /// Registers what is needed to ask, and returns the question about one record as SQL: 0 where
    /// nothing keeps it.
    pub fn register(&self, connection: &Connection, table: &Table) -> rusqlite::Result<String> {
        let mut each = Vec::new();
        for (number, tie) in self.ties.iter().enumerate() {
            each.push(tie.register(connection, table, number)?);
        }
        if let Some(tree) = &self.tree {
            each.push(tree.register(connection, table)?);
        }
        Ok(format!("CASE WHEN {} THEN coalesce({}, 0) ELSE 0 END", self.may_be_due, each.join(", ")))
    }

    /// The rows that keep a record, in words, and the foreign key that they hold.
    pub fn words(&self, code: i64) -> (String, String) {
        let code = Code::from_cell(code);
        let tie = self.ties.get(code.number);
        let own = self.tree.as_ref().and_then(|tree| tree.reference(code.number));
        let Some(reference) = tie.map(|tie| &tie.reference).or(own) else {
            return ("rows that stay".to_string(), "foreign key".to_string());
        };
        let who = match (code.keeper, tie.map(|tie| &tie.child)) {
            (Keeper::Rule(rule), Some(Children::Judged(child))) => {
                format!("that rule `{}` keeps", child.rules.get(rule).map_or("", String::as_str))
            }
            (Keeper::NoRule, Some(Children::Judged(_))) => "that no rule means".to_string(),
            (Keeper::Referred, _) => "that others keep in turn".to_string(),
            (_, Some(Children::Stay(why))) => why.clone(),
            _ => "that stay".to_string(),
        };
        (format!("rows of `{}` {who}", reference.child), format!("foreign key {}", reference.name()))
    }
}

impl Tie {
    /// Who keeps a record, as SQL; null where nobody does.
    fn register(&self, connection: &Connection, table: &Table, number: usize) -> rusqlite::Result<String> {
        let Children::Judged(child) = &self.child else {
            let code = Code { number, keeper: Keeper::NoRule }.to_cell();
            return Ok(format!("CASE WHEN {} THEN {code} END", self.reference.exists_sql(table)));
        };
        let keeper = child.register_keeper(connection)?;
        let alias = child.table.alias.as_deref().unwrap_or(&child.table.name);
        let names = self.reference.names_sql(table, alias);
        let code = Code { number, keeper: Keeper::NoRule }.base();
        let from = format!("main.{} AS {}", quoted(&self.reference.child), quoted(alias));
        Ok(format!("(SELECT {code} + {keeper} FROM {from} WHERE {names} AND {keeper} > 0 LIMIT 1)"))
    }
}

impl Child {
    fn register_keeper(&self, connection: &Connection) -> rusqlite::Result<String> {
        register_keeper(connection, &self.table, &self.book, &self.acting)
    }
}

/// Registers a function that says what becomes of a row; returns its call.
fn register_keeper(
    connection: &Connection,
    table: &Table,
    book: &Arc<RuleBook>,
    acting: &[usize],
) -> rusqlite::Result<String> {
    let name = format!("frist_keeper_{}", table.function_suffix());
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    let (owned, rules) = (Arc::clone(book), acting.to_vec());
    connection.create_scalar_function(name.as_str(), -1, flags, move |context: &Context<'_>| {
        Ok(key::keeper_to_cell(owned.keeper(&rules, &|cell| value(context.get_raw(cell)))))
    })?;
    Ok(format!("{name}({})", cells(connection, table, book)?.join(", ")))
}
