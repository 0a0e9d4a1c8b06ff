//! SQLite's side of what decides about each other: for each table, edge and step of the model the SQL that asks
//! about its rows.

mod build;

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::functions::Context;

use super::foreign_key::Reference;
use super::functions::{PURE, cells};
use super::join::Pairs;
use super::name::quoted;
use super::narrow::Narrow;
use super::prefilter;
use super::release::Release;
use super::schema::Table;
use super::value;
use crate::evaluate::{Evaluator, Keeper, Match, Question};
use crate::policy::NamedFiles;
use crate::source::Problem;
use crate::source::folder::named::Below;
use crate::source::relational::graph::Judged;
use crate::source::relational::model::{Edge, EdgeKind, Model};
use crate::source::relational::reason::{Reason, keeper_from_cell, keeper_to_cell};
use crate::value::Value;

/// What the rows are called from which an edge or a step leads on.
pub(crate) const BASE: &str = "frist_base";

/// All tables of a database that decide about each other.
#[derive(Debug)]
pub(crate) struct Web {
    pub(crate) model: Model,
    pub(crate) tables: Vec<Member>,
    edges: Vec<Way>,
    steps: Vec<StepWay>,
    /// What lets go of the records of a rule, by its table and place.
    pub(crate) releases: BTreeMap<(u16, u16), Vec<Release>>,
    /// Whether a trigger of the database may change rows while others are deleted.
    pub(crate) has_triggers: bool,
    /// What is wrong with what goes along with the records of a rule.
    pub(crate) problems: Vec<((u16, u16), Problem)>,
}

/// One table, and the rules on it.
#[derive(Debug)]
pub(crate) struct Member {
    /// Under a name of its own.
    pub(crate) table: Table,
    /// All rules on it, as a closure asks them, and as those of a row that would go along.
    book: Arc<Evaluator>,
    kept: Arc<Evaluator>,
    /// Those that delete in this run, and those that a limit refuses, by their places.
    pub(crate) acting: Vec<usize>,
    refused: Vec<usize>,
    /// Why all of its rows stay, in words.
    idle: Option<String>,
}

/// How the rows of an edge are found.
#[derive(Debug)]
enum Way {
    /// By a foreign key; by rule, where one lets go of its records.
    Key {
        key: Reference,
        by_rule: BTreeMap<u16, Option<Reference>>,
    },
    /// By a relation, of which one side is the record's: that to which the edge leads, or that from which it comes.
    Related(Related),
    Files(NamedFiles),
}

/// A relation between a record's table and another.
#[derive(Debug)]
struct Related {
    pairs: Pairs,
    question: Arc<Question>,
    /// What its condition adds to the comparison of keys, where only that leads to an index.
    narrowed: Vec<Narrow>,
    /// The function that says whether a row counts.
    function: String,
}

/// How rows that go along are found.
#[derive(Debug)]
struct StepWay {
    from: u16,
    related: Related,
}

impl Related {
    fn register(&self, connection: &Connection) -> rusqlite::Result<()> {
        let question = Arc::clone(&self.question);
        connection.create_scalar_function(self.function.as_str(), -1, PURE, move |context: &Context<'_>| {
            Ok(question.counts(|column| value(context.get_raw(column))).to_cell())
        })
    }

    /// Whether the related rows are those that refer to the record by a foreign key.
    fn is_key(&self, key: &Reference) -> bool {
        self.joins(key, |(theirs, ours)| (theirs, ours))
    }

    /// Whether they are those to which the record refers by a foreign key.
    fn is_reference(&self, key: &Reference) -> bool {
        self.joins(key, |(theirs, ours)| (ours, theirs))
    }

    /// Whether two of them, of the same tables, lead to the same rows.
    fn is_same(&self, other: &Related) -> bool {
        let columns = |related: &Related| -> Option<Vec<(String, String)>> {
            let each = related.pairs.iter().map(|pair| pair.plain_columns());
            let small =
                |(theirs, ours): (&str, &str)| (theirs.to_ascii_lowercase(), ours.to_ascii_lowercase());
            let mut columns = each.map(|pair| pair.map(small)).collect::<Option<Vec<_>>>()?;
            columns.sort_unstable();
            Some(columns)
        };
        let is_plain = |related: &Related| related.question.relation.condition.is_none();
        let own = columns(self);
        is_plain(self) && is_plain(other) && own.is_some() && own == columns(other)
    }

    fn joins<'s>(
        &'s self,
        key: &Reference,
        turned: impl Fn((&'s str, &'s str)) -> (&'s str, &'s str),
    ) -> bool {
        let is_pair = |(child, parent): (&str, &str)| {
            let mut pairs = key.child_columns.iter().zip(&key.parent_columns);
            pairs.any(|(own, named)| own.eq_ignore_ascii_case(child) && named.eq_ignore_ascii_case(parent))
        };
        let is_plain = self.question.relation.condition.is_none() && key.except.is_empty();
        is_plain
            && key.child_columns.len() == self.pairs.len()
            && self.pairs.iter().all(|pair| pair.plain_columns().is_some_and(|pair| is_pair(turned(pair))))
    }

    /// The condition that a row of some alias belongs to a record, and counts at least so clearly.
    fn on(&self, record: &Table, alias: &str, clearly: Match) -> String {
        let alias = quoted(alias);
        let mut equal: Vec<String> = self.pairs.iter().map(|pair| pair.sql(record, &alias)).collect();
        equal.extend(self.narrowed.iter().map(|narrow| narrow.sql(&alias)));
        if let Some(condition) = &self.question.relation.condition {
            let read: Vec<String> =
                condition.columns().iter().map(|column| format!("{alias}.{}", quoted(column))).collect();
            equal.push(format!("{}({}) >= {}", self.function, read.join(", "), clearly.to_cell()));
        }
        equal.join(" AND ")
    }
}

/// Room for the numbers of rules, and for what keeps a row, in the answer of one function.
pub(crate) const PART: i64 = 1 << 20;

impl Member {
    /// Registers what says what becomes of a row by itself; returns its call.
    pub(crate) fn register(&self, connection: &Connection) -> rusqlite::Result<String> {
        if self.idle.is_some() {
            return Ok(
                judged_to_cell(Judged { own: None, keeper: Keeper::NoRule, is_kept: false }).to_string()
            );
        }
        let name = format!("frist_judged_{}", self.table.function_suffix());
        let (book, kept) = (Arc::clone(&self.book), Arc::clone(&self.kept));
        let (acting, refused) = (self.acting.clone(), self.refused.clone());
        connection.create_scalar_function(name.as_str(), -1, PURE, move |context: &Context<'_>| {
            let width = context.len();
            // Nothing keeps the row for the sake of others, as far as is known here.
            let free =
                |cell: usize| if cell < width { value(context.get_raw(cell)) } else { Value::Integer(0) };
            let keeper = book.keeper(&acting, &free);
            if let Keeper::Goes(rule) = keeper {
                let own = u16::try_from(rule).ok();
                return Ok(judged_to_cell(Judged { own, keeper, is_kept: false }));
            }
            let cell = |cell: usize| value(context.get_raw(cell));
            let keeps = refused.iter().copied().find(|rule| kept.is_due(*rule, &cell));
            let keeps = kept.keeps(&cell).or(keeps);
            let keeper = keeps.map_or(keeper, Keeper::Rule);
            Ok(judged_to_cell(Judged { own: None, keeper, is_kept: keeps.is_some() }))
        })?;
        Ok(format!("{name}({})", cells(connection, &self.table, &self.kept)?.join(", ")))
    }

    /// The columns that rules on it read.
    pub(crate) fn columns(&self) -> &[String] {
        self.kept.columns()
    }

    /// What a record satisfies that any of its rules deletes; a sign keeps the engine from an index on the event.
    pub(crate) fn may_be_due(&self, by_keys: bool) -> String {
        let sql = if by_keys { prefilter::beside_keys } else { prefilter::sql };
        let each: Vec<String> =
            self.acting.iter().map(|rule| format!("({})", sql(&self.table, &self.book, *rule))).collect();
        if each.is_empty() { "0".to_string() } else { format!("({})", each.join(" OR ")) }
    }
}

fn judged_to_cell(judged: Judged) -> i64 {
    let own = judged.own.map_or(0, |rule| i64::from(rule) + 1);
    own + PART * keeper_to_cell(judged.keeper) + PART * PART * i64::from(judged.is_kept)
}

pub(crate) fn judged_from_cell(cell: i64) -> Judged {
    let own = u16::try_from(cell % PART).ok().and_then(|rule| rule.checked_sub(1));
    Judged { own, keeper: keeper_from_cell(cell / PART % PART), is_kept: cell / PART / PART == 1 }
}

impl Web {
    /// Registers all functions that its statements call, but for those that judge.
    pub(crate) fn register(&self, connection: &Connection) -> rusqlite::Result<()> {
        for (place, way) in self.edges.iter().enumerate() {
            match way {
                Way::Key { .. } => {}
                Way::Related(related) => related.register(connection)?,
                Way::Files(files) => {
                    let (below, naming) = (Below::new(&files.folder), files.name.clone());
                    let name = format!("frist_strange_{place}");
                    connection.create_scalar_function(
                        name.as_str(),
                        -1,
                        PURE,
                        move |context: &Context<'_>| {
                            let said = naming.said(|cell| value(context.get_raw(cell)));
                            Ok(said.map_or(true, |said| below.is_strange(said.value())))
                        },
                    )?;
                }
            }
        }
        self.steps.iter().try_for_each(|step| step.related.register(connection))?;
        self.releases.values().flatten().try_for_each(|release| release.register(connection))
    }

    /// The condition that a row of an edge keeps one of [`BASE`]; none where it lets go.
    pub(crate) fn on(&self, edge: u16, rule: Option<u16>) -> Option<String> {
        let place = usize::from(edge);
        let model = &self.model.edges[place];
        let base = self.base(model.to);
        let from = self.tables[usize::from(model.from)].table.qualifier();
        match &self.edges[place] {
            Way::Key { key, by_rule } => {
                let key = match rule.and_then(|rule| by_rule.get(&rule)) {
                    Some(released) => released.as_ref()?,
                    None => key,
                };
                Some(key.names_sql(&base, from))
            }
            Way::Related(related) => Some(match model.kind {
                // The records are those to which the edge leads, or those from which it comes.
                EdgeKind::Spares { .. } => related.on(&base, from, Match::Doubtful),
                _ => related.on(&self.tables[usize::from(model.from)].table, BASE, Match::Doubtful),
            }),
            Way::Files(files) => {
                let cells: Vec<String> =
                    files.name.columns().iter().map(|column| base.column_sql(column)).collect();
                Some(format!("frist_strange_{place}({})", cells.join(", ")))
            }
        }
    }

    /// The condition that a row goes along with one of [`BASE`]: what is in doubt stays.
    pub(crate) fn along(&self, step: u16) -> String {
        let StepWay { from, related } = &self.steps[usize::from(step)];
        let to = self.model.steps[usize::from(step)].to;
        related.on(&self.base(*from), self.tables[usize::from(to)].table.qualifier(), Match::Yes)
    }

    /// The table from which a step leads on.
    pub(crate) fn step_from(&self, step: u16) -> u16 {
        self.steps[usize::from(step)].from
    }

    /// The files that go with rows: of a table, to which a step leads or which a rule deletes.
    pub(crate) fn all_files(&self) -> impl Iterator<Item = (u16, (Option<u16>, Option<u16>), &NamedFiles)> {
        self.model.edges.iter().zip(&self.edges).filter_map(|(edge, way)| match (edge.kind, way) {
            (EdgeKind::Files { step, rule }, Way::Files(files)) => Some((edge.to, (step, rule), files)),
            _ => None,
        })
    }

    /// A table as the rows from which something leads on.
    pub(crate) fn base(&self, table: u16) -> Table {
        Table { alias: Some(BASE.to_string()), ..self.tables[usize::from(table)].table.clone() }
    }

    /// Whether rows of a table refer to others of the same.
    pub(crate) fn refers_to_itself(&self, table: u16) -> bool {
        let is_it = |edge: &Edge| edge.kind == EdgeKind::Key && (edge.from, edge.to) == (table, table);
        self.model.edges.iter().any(is_it)
    }

    /// What keeps a record, in words: who, and why it does.
    pub(crate) fn words(&self, cell: i64) -> (String, String) {
        let Reason { edge, keeper, .. } = Reason::from_cell(cell);
        let Some(place) = edge.map(usize::from).filter(|place| *place < self.edges.len()) else {
            return ("rows that stay".to_string(), "they refer to it".to_string());
        };
        let edge = &self.model.edges[place];
        let member = &self.tables[usize::from(edge.from)];
        let table = &member.table.name;
        let who = match (&member.idle, keeper) {
            (_, Keeper::Rule(rule)) => match self.model.tables[usize::from(edge.from)].rules.get(rule) {
                Some(rule) if !rule.acts => format!("that rule `{}` does not delete in this run", rule.name),
                Some(rule) => format!("that rule `{}` keeps", rule.name),
                None => "that a rule keeps".to_string(),
            },
            (Some(idle), _) => idle.clone(),
            (None, Keeper::Referred) => "that others keep in turn".to_string(),
            (None, Keeper::NoRule | Keeper::Goes(_)) => "that no rule means".to_string(),
        };
        match (&self.edges[place], edge.kind) {
            (Way::Key { key, .. }, _) => {
                (format!("rows of `{table}` {who}"), format!("foreign key {}", key.name()))
            }
            (Way::Files(files), _) => (strange(files), "`with`".to_string()),
            (Way::Related(_), EdgeKind::Spares { .. }) => {
                (format!("rows of `{table}` {who}"), "`unless`".to_string())
            }
            (Way::Related(_), EdgeKind::Takes) => {
                (format!("rows of `{table}` that go along with it and {who}"), "`with`".to_string())
            }
            (Way::Related(_), _) => {
                let to = &self.tables[usize::from(edge.to)].table.name;
                (
                    format!("rows of `{table}` {who} and that share rows of `{to}` with it"),
                    "`with`".to_string(),
                )
            }
        }
    }
}

fn strange(files: &NamedFiles) -> String {
    format!(
        "values that name no file below {}, or one that only a link or a mount leads to",
        files.folder.display()
    )
}
