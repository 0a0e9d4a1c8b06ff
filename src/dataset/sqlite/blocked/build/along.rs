//! What goes along with the records of a rule: the tables, and what is needed of them.

use std::sync::Arc;

use rusqlite::Connection;

use super::{Build, engine};
use crate::dataset::sqlite::blocked::along::{Along, Node, Others};
use crate::dataset::sqlite::foreign_key::{self, references_to};
use crate::dataset::sqlite::schema::{Table, describe};
use crate::dataset::sqlite::{join, prefilter, quoted};
use crate::dataset::{Problem, elsewhere};
use crate::policy::{NamedFiles, NamingColumn, Relation, Rule, With};
use crate::verdict::{Question, RuleBook};

impl Build<'_> {
    /// What goes along with the records of a rule.
    pub(super) fn along(
        &mut self,
        table: &Table,
        (rules, place): (&[&Rule], usize),
        book: &Arc<RuleBook>,
    ) -> Result<Along, Problem> {
        self.take_up(table)?;
        let rule = rules[place];
        let mut along = Along {
            name: format!("record_{}", self.tables),
            nodes: Vec::new(),
            files: rule.with.files.clone(),
            naming: Vec::new(),
            others: None,
        };
        if !rule.with.rows.is_empty() {
            let others = self.described(table, &table.name, "sharer", book);
            along.others = others.map(|table| Others { table, book: Arc::clone(book), rule: place });
        }
        if !rule.with.all_files().is_empty() {
            along.naming = NamingColumn::all(self.request.policy);
        }
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
        let book = elsewhere::answered_book(&book, &request.policy.sources, &request.notes)?;
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
pub(super) fn alone<T>(table: &Table) -> Result<T, Problem> {
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
