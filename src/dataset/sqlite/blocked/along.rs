//! Rows and files that go along with a record: where they are, and which of them cannot go.

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::functions::Context;

use super::key::{Code, keeper_to_cell};
use super::tie::Tie;
use crate::dataset::folder::named;
use crate::dataset::sqlite::foreign_key::Reference;
use crate::dataset::sqlite::functions::{self, PURE, cells};
use crate::dataset::sqlite::join::Pairs;
use crate::dataset::sqlite::name::alias_beside;
use crate::dataset::sqlite::schema::{Key, Table};
use crate::dataset::sqlite::{quoted, value};
use crate::policy::{NamedFiles, NamingColumn};
use crate::verdict::{Keeper, Question, RuleBook, Speaks};

/// All that goes along with a record.
#[derive(Clone, Debug, Default)]
pub struct Along {
    /// What its functions are called by.
    pub(super) name: String,
    /// The tables of the rows, each behind the one that leads to it.
    pub nodes: Vec<Node>,
    /// Files that the record itself names.
    pub files: Vec<NamedFiles>,
    /// All columns of the policy that name files, if any go along.
    pub naming: Vec<NamingColumn>,
    /// Other records, which may share rows with it.
    pub(super) others: Option<Others>,
}

/// Other records of the same table.
#[derive(Clone, Debug)]
pub(super) struct Others {
    /// The table, under a name of its own.
    pub(super) table: Table,
    /// The rules on it, without what keeps records for the sake of others.
    pub(super) book: Arc<RuleBook>,
    /// The rule in hand.
    pub(super) rule: usize,
}

/// Rows of one table that go along.
#[derive(Clone, Debug)]
pub struct Node {
    /// The rows to which they belong; the record itself where there are none.
    pub parent: Option<usize>,
    /// Their table, under a name of its own.
    pub table: Table,
    pub(super) pairs: Pairs,
    /// Which of them count.
    pub(super) question: Arc<Question>,
    /// Files that they name.
    pub files: Vec<NamedFiles>,
    /// The rules on them, which may keep them.
    pub(super) rules: Vec<String>,
    pub(super) book: Arc<RuleBook>,
    pub(super) ties: Vec<Tie>,
}

impl Node {
    /// The condition that a row of some alias belongs to one of the parent's.
    pub fn on(&self, parent: &Table, alias: &str) -> String {
        let alias = quoted(alias);
        let equal: Vec<String> = self.pairs.iter().map(|pair| pair.sql(parent, &alias)).collect();
        format!("{}{}", equal.join(" AND "), self.counts(&alias))
    }

    /// The condition that a row surely counts: what is in doubt stays.
    fn counts(&self, alias: &str) -> String {
        let read = self.question.relation.condition.iter().flat_map(|read| read.columns());
        let read: Vec<String> = read.map(|column| format!("{alias}.{}", quoted(column))).collect();
        let yes = Speaks::Yes.to_cell();
        match &self.question.relation.condition {
            Some(_) => format!(" AND {}({}) = {yes}", self.function("goes"), read.join(", ")),
            None => String::new(),
        }
    }

    fn function(&self, what: &str) -> String {
        format!("frist_{what}_{}", self.table.function_suffix())
    }

    /// Registers what its conditions ask.
    fn register(&self, connection: &Connection) -> rusqlite::Result<()> {
        let (question, book) = (Arc::clone(&self.question), Arc::clone(&self.book));
        connection.create_scalar_function(
            self.function("goes").as_str(),
            -1,
            PURE,
            move |context: &Context<'_>| {
                Ok(question.counts(|column| value(context.get_raw(column))).to_cell())
            },
        )?;
        connection.create_scalar_function(
            self.function("kept").as_str(),
            -1,
            PURE,
            move |context: &Context<'_>| {
                let keeper = book.keeps(&|cell| value(context.get_raw(cell))).map(Keeper::Rule);
                Ok(keeper.map_or(0, keeper_to_cell))
            },
        )?;
        register_files(connection, self.table.function_suffix(), &self.files)
    }

    /// Another row of the parent's table to which a row belongs as well.
    pub fn shared(&self, parent: &Table, alias: &str) -> String {
        let name = alias_beside(parent.qualifier(), "frist_other");
        self.shared_with(&Table { alias: Some(name), ..parent.clone() }, parent, alias, "")
    }

    fn shared_with(&self, other: &Table, parent: &Table, alias: &str, also: &str) -> String {
        format!(
            "EXISTS (SELECT 1 FROM {} WHERE {} AND {} <> {}{also})",
            other.sql(),
            self.on(other, alias),
            row_number(other),
            row_number(parent)
        )
    }
}

/// The row number of a table that has one.
pub fn row_number(table: &Table) -> String {
    match table.key {
        Key::Rowid(rowid) => table.column_sql(rowid),
        Key::Columns(_) => "NULL".to_string(),
    }
}

/// The name of the function that says whether a value names something that is not below a folder.
fn file_function(owner: &str, place: usize) -> String {
    format!("frist_strange_file_{owner}_{place}")
}

fn register_files(connection: &Connection, owner: &str, files: &[NamedFiles]) -> rusqlite::Result<()> {
    for (place, files) in files.iter().enumerate() {
        let name = file_function(owner, place);
        let below = named::Below::new(&files.folder);
        connection.create_scalar_function(name.as_str(), 1, PURE, move |context: &Context<'_>| {
            Ok(below.is_strange(value(context.get_raw(0))))
        })?;
    }
    Ok(())
}

impl Along {
    /// Whether a record goes alone.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.files.is_empty()
    }

    /// The table of a node's parent rows.
    pub fn parent<'a>(&'a self, node: &Node, record: &'a Table) -> &'a Table {
        node.parent.map_or(record, |parent| &self.nodes[parent].table)
    }

    /// The condition that a row of a table goes along with the record; none where none of it does.
    pub(super) fn any_member(&self, table: &str, alias: &str, record: &Table) -> Option<String> {
        let nodes = self.nodes.iter().filter(|node| node.table.name.eq_ignore_ascii_case(table));
        let mut each: Vec<String> =
            nodes.map(|node| format!("({})", self.member(node, alias, record))).collect();
        if !self.is_empty() && table.eq_ignore_ascii_case(&record.name) {
            // The record itself may refer to what goes along with it.
            let itself = Table { alias: Some(alias.to_string()), ..record.clone() };
            each.push(format!("{} = {}", row_number(&itself), row_number(record)));
        }
        (!each.is_empty()).then(|| each.join(" OR "))
    }

    fn member(&self, node: &Node, alias: &str, record: &Table) -> String {
        let Some(parent) = node.parent else {
            return format!("{} AND NOT {}", node.on(record, alias), node.shared(record, alias));
        };
        let parent = &self.nodes[parent];
        let via = format!("{}_via", parent.table.qualifier());
        let between = Table { alias: Some(via.clone()), ..parent.table.clone() };
        format!(
            "EXISTS (SELECT 1 FROM {} WHERE {} AND {} AND NOT {})",
            between.sql(),
            self.member(parent, &via, record),
            node.on(&between, alias),
            node.shared(&between, alias)
        )
    }

    /// Registers all functions that its statements call.
    pub fn register(&self, connection: &Connection) -> rusqlite::Result<()> {
        register_files(connection, &self.name, &self.files)?;
        self.nodes.iter().try_for_each(|node| node.register(connection))
    }

    /// What keeps the record for the sake of what goes along with it: a list of SQL, each null where
    /// nothing does.
    pub(super) fn register_blockers(
        &self,
        connection: &Connection,
        record: &Table,
        first: usize,
    ) -> rusqlite::Result<Vec<String>> {
        self.register(connection)?;
        let mut each = Vec::new();
        for (number, node) in self.nodes.iter().enumerate() {
            let stuck = self.stuck(connection, node, record, first + number)?;
            if !stuck.is_empty() {
                let stuck = format!("coalesce({}, NULL)", stuck.join(", "));
                let (from, on) = self.way_to(node, record);
                each.push(first_of(&stuck, &from, &on));
            }
        }
        each.extend(strange_files(&self.files, &self.name, record, first + self.nodes.len()));
        Ok(each)
    }

    /// Why a row of a node cannot go: a list of SQL, each null where it can.
    fn stuck(
        &self,
        connection: &Connection,
        node: &Node,
        record: &Table,
        number: usize,
    ) -> rusqlite::Result<Vec<String>> {
        let mut stuck = strange_files(&node.files, node.table.function_suffix(), &node.table, number);
        if !node.rules.is_empty() {
            let base = Code { number, keeper: Keeper::NoRule }.base();
            let kept = format!(
                "{}({})",
                node.function("kept"),
                cells(connection, &node.table, &node.book)?.join(", ")
            );
            stuck.push(format!("{base} + nullif({kept}, 0)"));
        }
        let stays = self.stays(connection, node, record)?;
        for tie in &node.ties {
            let code = Code { number, keeper: Keeper::Referred }.to_cell();
            let referred = tie.register(connection, &node.table, number, (self, record))?;
            stuck.push(format!("CASE WHEN {referred} IS NOT NULL AND NOT {stays} THEN {code} END"));
        }
        Ok(stuck)
    }

    /// The condition that a row of a node stays for the sake of another record, and so may be referred
    /// to. What only records share that go goes with the last of them.
    fn stays(&self, connection: &Connection, node: &Node, record: &Table) -> rusqlite::Result<String> {
        let alias = node.table.qualifier();
        match (&self.others, node.parent) {
            (Some(Others { table, book, rule }), None) => {
                let is_due = functions::register_due(connection, table, book, *rule)?;
                Ok(node.shared_with(table, record, alias, &format!(" AND NOT {is_due}")))
            }
            _ => Ok(node.shared(self.parent(node, record), alias)),
        }
    }

    /// Each table, and the statement that counts its rows for the records of a condition: a row that stands
    /// at several places goes once.
    pub fn counts(&self, record: &Table, condition: &str) -> Vec<(String, String)> {
        let mut rows: Vec<(String, Vec<String>)> = Vec::new();
        for node in &self.nodes {
            let (from, on) = self.way_to(node, record);
            let (row, records) = (row_number(&node.table), record.sql());
            // Each record is judged once, and then its rows are looked for.
            let sql =
                format!("SELECT DISTINCT {row} FROM {records} CROSS JOIN {from} WHERE {condition} AND {on}");
            match rows.iter_mut().find(|(table, _)| *table == node.table.name) {
                Some((_, places)) => places.push(sql),
                None => rows.push((node.table.name.clone(), vec![sql])),
            }
        }
        let count = |places: Vec<String>| format!("SELECT count(*) FROM ({})", places.join(" UNION "));
        rows.into_iter().map(|(table, places)| (table, count(places))).collect()
    }

    /// The keys that keep rows of a node, each with a condition that a row of another table holds it.
    pub fn referring(&self, node: &Node) -> Vec<(Reference, String)> {
        let named = |tie: &Tie| {
            let alias = tie.reference.alias_beside(&node.table);
            (tie.reference.clone(), tie.reference.names_sql(&node.table, &alias))
        };
        node.ties.iter().map(named).collect()
    }

    /// The tables from the record to a node, and how their rows belong together.
    fn way_to(&self, node: &Node, record: &Table) -> (String, String) {
        let parent = self.parent(node, record);
        let on = node.on(parent, node.table.qualifier());
        match node.parent {
            None => (node.table.sql(), on),
            Some(parent) => {
                let (from, before) = self.way_to(&self.nodes[parent], record);
                (format!("{from} CROSS JOIN {}", node.table.sql()), format!("{before} AND {on}"))
            }
        }
    }

    /// What keeps a record, by the number of the node, in words.
    pub(super) fn words(&self, number: usize, keeper: Keeper) -> String {
        let Some(node) = self.nodes.get(number) else { return strange(&self.files) };
        let table = &node.table.name;
        match keeper {
            Keeper::Rule(rule) => {
                let rule = node.rules.get(rule).map_or("", String::as_str);
                format!("rows of `{table}` that go along with it and that rule `{rule}` keeps")
            }
            Keeper::Referred => {
                format!("rows that stay and refer to rows of `{table}` that go along with it")
            }
            Keeper::NoRule | Keeper::Goes(_) => strange(&node.files),
        }
    }
}

/// The first answer among some rows that is not null. A limit keeps the engine from writing the answer
/// out twice, which would double with every step down.
pub(super) fn first_of(answer: &str, from: &str, on: &str) -> String {
    format!(
        "(SELECT answer FROM (SELECT {answer} AS answer FROM {from} WHERE {on} LIMIT -1) \
         WHERE answer IS NOT NULL LIMIT 1)"
    )
}

fn strange_files(files: &[NamedFiles], owner: &str, table: &Table, number: usize) -> Vec<String> {
    let code = Code { number, keeper: Keeper::NoRule }.to_cell();
    let each = files.iter().enumerate().map(|(place, files)| {
        let (function, column) = (file_function(owner, place), table.column_sql(&files.column));
        format!("CASE WHEN {function}({column}) THEN {code} END")
    });
    each.collect()
}

fn strange(files: &[NamedFiles]) -> String {
    let folders: Vec<String> = files.iter().map(|files| files.folder.display().to_string()).collect();
    let folders = folders.join(" or ");
    format!("values that name no file below {folders}, or one that only a link or a mount leads to")
}
