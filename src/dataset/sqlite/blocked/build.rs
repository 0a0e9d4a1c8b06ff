//! Finding out what may keep the records of a table: the foreign keys that point at it, the rules on
//! the rows that hold them, and what goes along.

use std::sync::Arc;

use rusqlite::Connection;

use super::along::{Along, Node};
use super::tie::{Child, Children, Tie};
use super::tree::Tree;
use super::{Blockers, Blocking, may_be_due, order};
use crate::dataset::request::{Acting, Request};
use crate::dataset::sqlite::foreign_key::{Reference, references_to};
use crate::dataset::sqlite::name::alias_beside;
use crate::dataset::sqlite::schema::{Table, describe};
use crate::dataset::sqlite::{foreign_key, join, prefilter, quoted};
use crate::dataset::{Problem, elsewhere};
use crate::policy::{NamedFiles, Relation, Rule, With};
use crate::verdict::{Question, RuleBook};

/// Each table below another costs a statement within a statement; of so many nobody can say when
/// they end.
const MOST_TABLES: usize = 200;

/// Finds out what may keep the records of a request's table, while some rules delete.
pub fn of(
    connection: &Connection,
    request: &Request<'_>,
    acting: &Acting,
    table: &Table,
) -> Result<Blockers, Problem> {
    let mut build = Build { connection, request, acting, tables: 0, above: vec![table.name.clone()] };
    build.blockers(table, &request.rules, &request.book)
}

struct Build<'a> {
    connection: &'a Connection,
    request: &'a Request<'a>,
    acting: &'a Acting,
    /// How many tables were taken up.
    tables: usize,
    /// The tables in whose statements the one in hand will stand.
    above: Vec<String>,
}

impl Build<'_> {
    fn blockers(
        &mut self,
        table: &Table,
        rules: &[&Rule],
        book: &Arc<RuleBook>,
    ) -> Result<Blockers, Problem> {
        let all: Vec<usize> = (0..rules.len()).collect();
        if rules.iter().all(|rule| rule.with.is_empty()) {
            let blocking = self.blocking(table, rules, book, &all, Along::default())?;
            return Ok(Blockers { each: if blocking.is_empty() { Vec::new() } else { vec![blocking] } });
        }
        let mut each = Vec::new();
        for place in all {
            let along = self.along(table, rules[place])?;
            each.push(self.blocking(table, rules, book, &[place], along)?);
        }
        Ok(Blockers { each })
    }

    /// What may keep the records that some of the rules delete.
    fn blocking(
        &mut self,
        table: &Table,
        rules: &[&Rule],
        book: &Arc<RuleBook>,
        meant: &[usize],
        along: Along,
    ) -> Result<Blocking, Problem> {
        let references = references_to(self.connection, &table.name).map_err(engine)?;
        let (own, others): (Vec<Reference>, Vec<Reference>) =
            references.into_iter().filter(|reference| reference.keeps).partition(Reference::is_to_itself);
        let ties = self.ties(table, others)?;
        let mut blocking = Blocking { ties, tree: None, along, may_be_due: may_be_due(table, book, meant) };
        let acting: Vec<usize> = self.acting(rules).into_iter().filter(|rule| meant.contains(rule)).collect();
        let stay = |reference| Tie { reference, child: Children::Stay("that stay".to_string()) };
        if own.is_empty() {
        } else if acting.is_empty() || !table.has_row_numbers() {
            blocking.ties.extend(own.into_iter().map(stay));
        } else {
            alone(&blocking.along, table)?;
            let outer = Blockers { each: vec![blocking.clone()] };
            let outer = Table { blockers: outer, ..table.clone() };
            let tree = Tree::read(self.connection, &outer, book, &acting, &own, blocking.ties.len());
            blocking.tree = Some(Arc::new(tree.map_err(engine)?));
        }
        Ok(blocking)
    }

    fn acting(&self, rules: &[&Rule]) -> Vec<usize> {
        let acts = |rule: &&Rule| self.acting.contains(rule);
        rules.iter().enumerate().filter(|(_, rule)| acts(rule)).map(|(place, _)| place).collect()
    }

    fn ties(&mut self, table: &Table, references: Vec<Reference>) -> Result<Vec<Tie>, Problem> {
        let mut ties = Vec::new();
        for reference in references {
            let child = self.child(table, &reference)?;
            ties.push(Tie { reference, child });
        }
        Ok(ties)
    }

    /// The rows that hold a key, where some of them go before what they name.
    fn child(&mut self, parent: &Table, reference: &Reference) -> Result<Children, Problem> {
        let request = self.request;
        let rules: Vec<&Rule> = request.policy.rules_on(request.source(), &reference.child).collect();
        let acting = self.acting(&rules);
        if acting.is_empty() {
            return Ok(Children::Stay(idle(&rules)));
        }
        let is_above = self.above.contains(&reference.child);
        if is_above || order::is_circular(self.connection, reference).map_err(engine)? {
            return Ok(Children::Stay("that may be referred to in turn".to_string()));
        }
        let names = rules.iter().map(|rule| rule.name.clone()).collect();
        let book = Arc::new(RuleBook::new(rules.iter().copied(), request.now));
        self.take_up(parent)?;
        // A table that cannot be judged is one whose rows stay.
        let cannot = || Ok(Children::Stay("that cannot be judged".to_string()));
        let Ok(book) = elsewhere::answered_book(&book, &request.policy.sources) else { return cannot() };
        let Some(mut table) = self.described(parent, &reference.child, "child", &book) else {
            return cannot();
        };
        self.above.push(table.name.clone());
        table.blockers = self.blockers(&table, &rules, &book)?;
        self.above.pop();
        let book = table.blockers.book(&book);
        Ok(Children::Judged(Box::new(Child { table, book, rules: names, acting })))
    }

    fn take_up(&mut self, parent: &Table) -> Result<(), Problem> {
        self.tables += 1;
        if self.tables <= MOST_TABLES {
            return Ok(());
        }
        let message = format!("too many tables refer to `{}`, by way of others", parent.name);
        Err(Problem::new("too-many-foreign-keys", message))
    }

    fn described(&self, parent: &Table, name: &str, role: &str, book: &RuleBook) -> Option<Table> {
        let mut table = describe(self.connection, name, "").ok()?;
        if book.columns().iter().any(|column| table.require(column, "").is_err()) {
            return None;
        }
        table.alias = Some(alias_beside(parent.qualifier(), &format!("frist_{role}_{}", self.tables)));
        table.joins = join::resolve(self.connection, &table, book).ok()?;
        Some(table)
    }

    /// What goes along with the records of a rule.
    fn along(&mut self, table: &Table, rule: &Rule) -> Result<Along, Problem> {
        self.take_up(table)?;
        let mut along = Along {
            name: format!("record_{}", self.tables),
            nodes: Vec::new(),
            files: rule.with.files.clone(),
        };
        if !rule.with.is_empty() {
            require_row_numbers(table, &rule.places.data_at)?;
            require_files(self.connection, table, &rule.with)?;
        }
        self.nodes(&mut along, None, table, &rule.with)?;
        for node in 0..along.nodes.len() {
            let table = along.nodes[node].table.clone();
            let references = references_to(self.connection, &table.name).map_err(engine)?;
            if let Some(problem) = foreign_key::obstacle(self.connection, &references).map_err(engine)? {
                return Err(problem);
            }
            let keeping = references.into_iter().filter(|reference| reference.keeps).collect();
            along.nodes[node].ties = self.ties(&table, keeping)?;
        }
        Ok(along)
    }

    fn nodes(
        &mut self,
        along: &mut Along,
        parent: Option<usize>,
        parent_table: &Table,
        with: &With,
    ) -> Result<(), Problem> {
        for (relation, further) in &with.rows {
            let node = self.node(parent, parent_table, relation, further)?;
            let table = node.table.clone();
            along.nodes.push(node);
            let own = along.nodes.len() - 1;
            self.nodes(along, Some(own), &table, further)?;
        }
        Ok(())
    }

    fn node(
        &mut self,
        parent: Option<usize>,
        parent_table: &Table,
        relation: &Relation,
        further: &With,
    ) -> Result<Node, Problem> {
        self.take_up(parent_table)?;
        let request = self.request;
        let rules: Vec<&Rule> = request.policy.rules_on(request.source(), &relation.table).collect();
        let book = Arc::new(RuleBook::new(rules.iter().copied(), request.now));
        let book = elsewhere::answered_book(&book, &request.policy.sources)?;
        // Says what is wrong with the table, should it not be one.
        let plain = describe(self.connection, &relation.table, &relation.at)?;
        require_row_numbers(&plain, &relation.at)?;
        require_files(self.connection, &plain, further)?;
        let table = self.described(parent_table, &relation.table, "with", &book).ok_or_else(|| {
            let message =
                format!("a rule on `{}` cannot be judged, and so its rows cannot go along", plain.name);
            Problem::new("bad-relation", message).at(&relation.at)
        })?;
        let question = Question::any(relation);
        let pairs = join::pairs(self.connection, parent_table, &question)?;
        join::require_indexes(self.connection, (parent_table, &table), &question, &pairs)?;
        let rules = rules.iter().map(|rule| rule.name.clone()).collect();
        let (question, files) = (Arc::new(question), further.files.clone());
        Ok(Node { parent, table, pairs, question, files, rules, book, ties: Vec::new() })
    }
}

/// Rows that refer to each other go from the leaves on; what would go along with each is not known then.
fn alone(along: &Along, table: &Table) -> Result<(), Problem> {
    if along.is_empty() {
        return Ok(());
    }
    let message = format!(
        "rows of `{}` refer to rows of the same table, and so nothing can go along with them yet; write rules of \
         their own for the other tables",
        table.name
    );
    Err(Problem::new("not-yet-supported", message))
}

fn require_row_numbers(table: &Table, place: &str) -> Result<(), Problem> {
    if table.has_row_numbers() {
        return Ok(());
    }
    let message = format!("table `{}` has no row numbers, which `with` needs", table.name);
    Err(Problem::new("no-row-number", message).at(place))
}

fn require_files(connection: &Connection, table: &Table, with: &With) -> Result<(), Problem> {
    with.files.iter().try_for_each(|files| {
        table.require(&files.column, &files.at)?;
        require_index(connection, table, files)
    })
}

/// Whether another row names the same file is asked for each file.
fn require_index(connection: &Connection, table: &Table, files: &NamedFiles) -> Result<(), Problem> {
    let plain = Table { alias: None, ..table.clone() };
    let condition = format!("{} = ''", plain.column_sql(&files.column));
    let is_indexed = prefilter::is_indexed(connection, &plain, &condition).map_err(engine)?;
    if is_indexed || !foreign_key::is_large(connection, &plain.name).map_err(engine)? {
        return Ok(());
    }
    let (name, column) = (quoted(&format!("{}_{}", plain.name, files.column)), quoted(&files.column));
    let message = format!(
        "whether other rows of `{}` name the same file is looked for by `{}` without an index; run: CREATE INDEX \
         {name} ON {} ({column})",
        plain.name,
        files.column,
        quoted(&plain.name)
    );
    Err(Problem::new("unindexed-relation", message).at(&files.at))
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
