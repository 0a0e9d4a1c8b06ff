//! Finding out which tables of a database decide about each other: by its foreign keys, and by the relations of a
//! policy.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::Connection;

use super::{Member, Related, StepWay, Way, Web};
use crate::diagnostic::Code;
use crate::evaluate::{Evaluator, Question};
use crate::policy::{NamedFiles, Relation, Rule, With};
use crate::source::relational::model::{Edge, EdgeKind, Model, RuleModel, Step, TableModel};
use crate::source::relational::order::OnDelete;
use crate::source::request::{Acting, TableQuery};
use crate::source::sqlite::foreign_key::{self, Reference, all_references, pointing_at};
use crate::source::sqlite::narrow::Narrow;
use crate::source::sqlite::schema::{Table, describe};
use crate::source::sqlite::{join, leaving, newest, prefilter, quoted, release, required_index};
use crate::source::{Problem, lookup};

impl Web {
    /// The web of a source while some rules delete. What was answered already for tables is not asked again.
    pub(crate) fn build(
        connection: &Connection,
        (request, others): (&TableQuery<'_>, &[TableQuery<'_>]),
        acting: &Acting,
    ) -> Result<Web, Problem> {
        let any = "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'";
        let triggers: i64 = connection.query_row(any, [], |row| row.get(0)).map_err(engine)?;
        let mut references = all_references(connection).map_err(engine)?;
        references.iter_mut().for_each(|key| key.keeps |= empties_groups(request, key));
        let mut build = Build {
            connection,
            references,
            request,
            others,
            acting,
            web: Web {
                has_triggers: triggers > 0,
                model: Model::default(),
                tables: Vec::new(),
                edges: Vec::new(),
                steps: Vec::new(),
                releases: BTreeMap::new(),
                problems: Vec::new(),
            },
        };
        build.tables()?;
        build.along();
        build.keys().map_err(engine)?;
        build.spared();
        build.shared();
        build.match_keys();
        build.find_leaves();
        build.web.model.connect();
        Ok(build.web)
    }
}

/// Whether a key empties a column by which `keep-newest` tells groups apart: a row that stays would be in another group
/// than it was counted in.
fn empties_groups(request: &TableQuery<'_>, key: &Reference) -> bool {
    let is_emptied = |column: &String| key.child_columns.iter().any(|own| own.eq_ignore_ascii_case(column));
    let mut rules = request.policy.rules.iter().filter(|rule| rule.source == request.source());
    rules.any(|rule| rule.table.eq_ignore_ascii_case(&key.child) && rule.per.iter().any(is_emptied))
}

struct Build<'a> {
    connection: &'a Connection,
    request: &'a TableQuery<'a>,
    others: &'a [TableQuery<'a>],
    acting: &'a Acting,
    /// All foreign keys of the database.
    references: Vec<Reference>,
    web: Web,
}

impl<'a> Build<'a> {
    /// The rules of the policy on tables of the source.
    fn rules(&self) -> impl Iterator<Item = &'a Rule> + use<'a> {
        let source = self.request.source();
        self.request.policy.rules.iter().filter(move |rule| rule.source == source)
    }

    /// Takes up the tables from which rows may go.
    fn tables(&mut self) -> Result<(), Problem> {
        let acting: Vec<&Rule> = self.rules().filter(|rule| self.acting.contains(rule)).collect();
        for rule in &acting {
            self.table(&rule.table);
            for relation in rule.with.relations() {
                if let Some(table) = self.table(&relation.table) {
                    self.web.model.tables[usize::from(table)].may_be_taken = true;
                }
            }
        }
        Ok(())
    }

    /// The number of a table; none where there is no such table.
    fn table(&mut self, name: &str) -> Option<u16> {
        if let Some(known) = self.web.model.table(name) {
            return Some(known);
        }
        let plain = describe(self.connection, name, "").ok()?;
        let number = u16::try_from(self.web.tables.len()).ok()?;
        let rules: Vec<&Rule> = self.request.policy.rules_on(self.request.source(), &plain.name).collect();
        let member = self.member(&plain, number, &rules);
        let order = |rule: &&Rule| {
            let mut all = self.request.policy.rules.iter();
            all.position(|other| other.name == rule.name).unwrap_or_default()
        };
        let acts = |place: usize| member.acting.contains(&place);
        let each = rules.iter().enumerate();
        let rules = each.map(|(place, rule)| RuleModel {
            name: rule.name.clone(),
            order: order(rule),
            acts: acts(place),
        });
        let model = TableModel {
            name: member.table.name.clone(),
            rules: rules.collect(),
            may_be_taken: false,
            is_leaf: false,
        };
        self.web.model.tables.push(model);
        self.web.tables.push(member);
        Some(number)
    }

    /// A table with the rules on it. Rows that cannot be judged stay.
    fn member(&self, plain: &Table, number: u16, rules: &[&Rule]) -> Member {
        let table = Table { alias: Some(format!("frist_t{number}")), ..plain.clone() };
        let judged = self.judged(&table, rules);
        let deletes = |acts: &dyn Fn(&Rule) -> bool| -> Vec<usize> {
            let each = rules.iter().enumerate().filter(|(_, rule)| acts(rule));
            each.map(|(place, _)| place).collect()
        };
        let acting = deletes(&|rule| self.acting.contains(rule));
        let refused = deletes(&|rule| self.acting.refuses(rule));
        match judged {
            Some((table, book)) => {
                let kept = Arc::clone(&book);
                let book = Arc::new(book.with_references(1));
                let idle = rules.is_empty().then(|| "that no rule deletes".to_string());
                Member { table, book, kept, acting, refused, idle }
            }
            None => {
                let book = Arc::new(Evaluator::new([], self.request.now));
                let (kept, idle) = (Arc::clone(&book), Some("that cannot be judged".to_string()));
                Member { table, book, kept, acting: Vec::new(), refused: Vec::new(), idle }
            }
        }
    }

    fn judged(&self, table: &Table, rules: &[&Rule]) -> Option<(Table, Arc<Evaluator>)> {
        let request = self.request;
        let mut asked = std::iter::once(request).chain(self.others);
        let (book, notes) = match asked.find(|asked| asked.table.eq_ignore_ascii_case(&table.name)) {
            Some(asked) => (Arc::clone(&asked.book), lookup::notes_for(asked, &asked.book).ok()?),
            None => {
                let book = Arc::new(Evaluator::new(rules.iter().copied(), request.now));
                let notes = lookup::notes_for(request, &book).ok()?;
                (lookup::answered_book(&book, &request.policy.sources, &notes).ok()?, notes)
            }
        };
        if book.columns().iter().any(|column| table.require(column, "").is_err()) {
            return None;
        }
        let mut table = table.clone();
        table.joins = join::resolve(self.connection, &table, &book).ok()?;
        leaving::attach(self.connection, request, self.acting, (&mut table, &book));
        table.notes = notes;
        newest::protect(self.connection, &mut table, &book).ok()?;
        Some((table, book))
    }

    fn edge(&mut self, (from, to): (u16, u16), kind: EdgeKind, way: Way) -> u16 {
        let number = u16::try_from(self.web.edges.len()).unwrap_or(u16::MAX);
        let on_delete = match &way {
            Way::Key { key, .. } => self.on_delete(key),
            _ => OnDelete::Waits,
        };
        self.web.model.edges.push(Edge { from, to, kind, is_inner: false, on_delete, is_led_by: false });
        self.web.edges.push(way);
        number
    }

    fn on_delete(&self, key: &Reference) -> OnDelete {
        match key.on_delete.as_str() {
            // What a trigger has changed must be asked again first, and so goes by itself.
            "CASCADE" if self.web.has_triggers => OnDelete::Refuses,
            "CASCADE" => OnDelete::Cascades,
            // A key keeps its row and is to be emptied: that fails at once.
            "RESTRICT" | "SET NULL" | "SET DEFAULT" => OnDelete::Refuses,
            _ => OnDelete::Waits,
        }
    }

    /// What goes along with records.
    fn along(&mut self) {
        let acting: Vec<&Rule> = self.rules().filter(|rule| self.acting.contains(rule)).collect();
        for rule in acting.into_iter().filter(|rule| !rule.with.is_empty()) {
            let Some(table) = self.table(&rule.table) else { continue };
            let model = &self.web.model.tables[usize::from(table)];
            let Some(place) = model.rules.iter().position(|known| known.name == rule.name) else { continue };
            let number = (table, u16::try_from(place).unwrap_or(u16::MAX));
            let taken = require_row_numbers(&self.web.tables[usize::from(table)].table, &rule.places.data_at)
                .and_then(|()| self.files((table, None, Some(number.1)), &rule.with.files))
                .and_then(|()| self.steps_of(number, (None, table), &rule.with));
            if let Err(problem) = taken {
                self.web.problems.push((number, problem));
            }
        }
    }

    fn files(
        &mut self,
        (table, step, rule): (u16, Option<u16>, Option<u16>),
        files: &[NamedFiles],
    ) -> Result<(), Problem> {
        for files in files {
            let plain = Table { alias: None, ..self.web.tables[usize::from(table)].table.clone() };
            files.name.columns().iter().try_for_each(|column| plain.require(column, &files.at))?;
            require_index(self.connection, &plain, files)?;
            let way = Way::Files(files.clone());
            self.edge((table, table), EdgeKind::Files { step, rule }, way);
        }
        Ok(())
    }

    fn steps_of(
        &mut self,
        rule: (u16, u16),
        (parent, from): (Option<u16>, u16),
        with: &With,
    ) -> Result<(), Problem> {
        for (relation, further) in &with.rows {
            // Says what is wrong with the table, should it not be one.
            let plain = describe(self.connection, &relation.table, &relation.at)?;
            require_row_numbers(&plain, &relation.at)?;
            let Some(to) = self.table(&relation.table) else { continue };
            let member = &self.web.tables[usize::from(to)];
            if member.idle.as_deref() == Some("that cannot be judged") {
                let message =
                    format!("a rule on `{}` cannot be judged, and so its rows cannot go along", plain.name);
                return Err(Problem::new(Code::BadRelation, message).at(&relation.at));
            }
            let (record, question) = (self.web.base(from), Question::any(relation));
            let pairs = join::pairs(self.connection, &record, &question)?;
            required_index::require_indexes(self.connection, (&record, &member.table), &question, &pairs)?;
            let naming = pointing_at(&self.references, &plain.name);
            if let Some(problem) = foreign_key::obstacle(self.connection, &naming).map_err(engine)? {
                return Err(problem);
            }
            let is_single = join::is_single(self.connection, &record, &pairs).map_err(engine)?;
            let number = u16::try_from(self.web.steps.len()).unwrap_or(u16::MAX);
            let narrowed = self.narrowed((&record, to), relation, &pairs);
            let related = |what: &str| Related {
                narrowed: narrowed.clone(),
                ..self.related(relation, (pairs.clone(), format!("{what}_{number}")))
            };
            let (shares, takes, along) = (related("shares"), related("takes"), related("along"));
            let edge = self.edge((from, to), EdgeKind::Shares { is_single }, Way::Related(shares));
            let takes = self.edge((to, from), EdgeKind::Takes, Way::Related(takes));
            self.web.model.steps.push(Step { rule, parent, to, edge, takes, key: None });
            self.web.steps.push(StepWay { from, related: along });
            self.files((to, Some(number), None), &further.files)?;
            self.steps_of(rule, (Some(number), to), further)?;
        }
        Ok(())
    }

    fn related(&self, relation: &Relation, (pairs, name): (join::Pairs, String)) -> Related {
        let (question, function) = (Arc::new(Question::any(relation)), format!("frist_{name}"));
        Related { pairs, question, narrowed: Vec::new(), function }
    }

    /// Where it cannot be said, the comparison of keys alone finds the rows.
    fn narrowed(
        &self,
        (record, child): (&Table, u16),
        relation: &Relation,
        pairs: &join::Pairs,
    ) -> Vec<Narrow> {
        let child = &self.web.tables[usize::from(child)].table;
        required_index::narrowed_pairs(self.connection, (record, child), relation, pairs).unwrap_or_default()
    }

    /// The foreign keys that name rows that may go.
    fn keys(&mut self) -> rusqlite::Result<()> {
        let losing: Vec<u16> = (0..).take(self.web.tables.len()).collect();
        for to in losing {
            if !self.web.model.tables[usize::from(to)].may_lose() {
                continue;
            }
            let parent = self.web.tables[usize::from(to)].table.clone();
            let parent = Table { alias: None, ..parent };
            let rules: Vec<&Rule> =
                self.request.policy.rules_on(self.request.source(), &parent.name).collect();
            let references = pointing_at(&self.references, &parent.name);
            let mut released = BTreeMap::new();
            for place in self.web.tables[usize::from(to)].acting.clone() {
                let number = u16::try_from(place).unwrap_or(u16::MAX);
                let Ok(releases) = release::of(self.connection, &parent, rules[place]) else { continue };
                for release in &releases {
                    self.table(&release.table.name);
                }
                if !releases.is_empty() {
                    released.insert(number, release::beside(&releases, references.clone()));
                    self.web.releases.insert((to, number), releases);
                }
            }
            for (place, key) in references.iter().enumerate().filter(|(_, key)| key.keeps) {
                let Some(from) = self.table(&key.child) else { continue };
                let of_rule = |keys: &Vec<Reference>| Some(keys[place].clone()).filter(|key| key.keeps);
                let by_rule = released.iter().map(|(rule, keys)| (*rule, of_rule(keys))).collect();
                let way = Way::Key { key: key.clone(), by_rule };
                self.edge((from, to), EdgeKind::Key, way);
            }
        }
        Ok(())
    }

    /// Says of each step which key finds the same rows.
    fn match_keys(&mut self) {
        for (step, StepWay { from, related }) in self.web.model.steps.iter_mut().zip(&self.web.steps) {
            let mut edges = (0..).zip(self.web.model.edges.iter().zip(&self.web.edges));
            let same = edges.find(|(_, (edge, way))| {
                (edge.from, edge.to) == (step.to, *from)
                    && matches!(way, Way::Key { key, by_rule } if by_rule.is_empty() && related.is_key(key))
            });
            step.key = same.map(|(number, _)| number);
        }
    }

    /// Finds out of which tables rows only wait until no other row leads to them.
    fn find_leaves(&mut self) {
        let led_by = |number: usize| {
            let (edge, way) = (&self.web.model.edges[number], &self.web.edges[number]);
            let Way::Key { key, by_rule } = way else { return false };
            let leads = |(other, way): (&Edge, &Way)| match (other.kind, way) {
                (EdgeKind::Shares { .. }, Way::Related(related)) => {
                    (other.from, other.to) == (edge.from, edge.to) && related.is_reference(key)
                }
                _ => false,
            };
            by_rule.is_empty()
                && key.on_delete != "CASCADE"
                && self.web.model.edges.iter().zip(&self.web.edges).any(leads)
        };
        let led_by: Vec<bool> = (0..self.web.edges.len()).map(led_by).collect();
        self.web.model.edges.iter_mut().zip(led_by).for_each(|(edge, led_by)| edge.is_led_by = led_by);
        let mut is_emptied = Vec::new();
        for member in &self.web.tables {
            let keys = pointing_at(&self.references, &member.table.name);
            is_emptied.push(keys.iter().any(|key| !key.keeps));
        }
        let has_triggers = self.web.has_triggers;
        let ways = &self.web.edges;
        let is_same = |one: u16, other: u16| match (&ways[usize::from(one)], &ways[usize::from(other)]) {
            (Way::Related(one), Way::Related(other)) => one.is_same(other),
            _ => false,
        };
        self.web.model.find_leaves(|table| !has_triggers && !is_emptied[usize::from(table)], is_same);
    }

    /// Rows that spare others until they have gone by a rule of their own.
    fn spared(&mut self) {
        let acting: Vec<&Rule> = self.rules().filter(|rule| self.acting.contains(rule)).collect();
        for rule in acting {
            let Some(to) = self.web.model.table(&rule.table) else { continue };
            let rules = &self.web.model.tables[usize::from(to)].rules;
            let Some(place) = rules.iter().position(|known| known.name == rule.name) else { continue };
            for (number, relation) in rule.unless.iter().enumerate() {
                let may_lose = |table: &u16| self.web.model.tables[usize::from(*table)].may_lose();
                let from = self.web.model.table(&relation.table).filter(may_lose);
                let (Some(from), None) = (from, &relation.elsewhere) else { continue };
                let record = self.web.base(to);
                let Ok(pairs) = join::pairs(self.connection, &record, &Question::any(relation)) else {
                    continue;
                };
                let narrowed = self.narrowed((&record, from), relation, &pairs);
                let related = self.related(relation, (pairs, format!("spares_{to}_{place}_{number}")));
                let related = Related { narrowed, ..related };
                let kind = EdgeKind::Spares { rule: u16::try_from(place).unwrap_or(u16::MAX) };
                self.edge((from, to), kind, Way::Related(related));
            }
        }
    }

    /// Relations of whatever rule that lead to rows that may go along, besides those by which they do. Evidence that
    /// goes is noted, and so it needs nobody to keep it.
    fn shared(&mut self) {
        let rules: Vec<&Rule> = self.rules().collect();
        for (place, rule) in rules.into_iter().enumerate() {
            let mut leading: Vec<(&str, &Relation)> =
                rule.unless.iter().map(|relation| (rule.table.as_str(), relation)).collect();
            if !self.acting.contains(rule) {
                with_relations(&rule.table, &rule.with, &mut leading);
            }
            for (number, (table, relation)) in leading.into_iter().enumerate() {
                let may_be_taken = |table: &u16| self.web.model.tables[usize::from(*table)].may_be_taken;
                let to = self.web.model.table(&relation.table).filter(may_be_taken);
                let (Some(to), None) = (to, &relation.elsewhere) else { continue };
                let Some(from) = self.table(table) else { continue };
                let record = self.web.base(from);
                let Ok(pairs) = join::pairs(self.connection, &record, &Question::any(relation)) else {
                    continue;
                };
                let is_single = join::is_single(self.connection, &record, &pairs).unwrap_or(false);
                let narrowed = self.narrowed((&record, to), relation, &pairs);
                let related = self.related(relation, (pairs, format!("leads_{place}_{number}")));
                let related = Related { narrowed, ..related };
                let kind = EdgeKind::Shares { is_single };
                self.edge((from, to), kind, Way::Related(related));
            }
        }
    }
}

fn with_relations<'p>(table: &'p str, with: &'p With, found: &mut Vec<(&'p str, &'p Relation)>) {
    for (relation, further) in &with.rows {
        found.push((table, relation));
        with_relations(&relation.table, further, found);
    }
}

fn require_row_numbers(table: &Table, place: &str) -> Result<(), Problem> {
    if table.has_row_numbers() {
        return Ok(());
    }
    let message = format!("table `{}` has no row numbers, which `with` needs", table.name);
    Err(Problem::new(Code::NoRowNumber, message).at(place))
}

/// Whether another row names the same file is asked for each file.
fn require_index(connection: &Connection, plain: &Table, files: &NamedFiles) -> Result<(), Problem> {
    let columns = files.name.columns();
    for column in columns {
        let condition = format!("{} = ''", plain.column_sql(column));
        if prefilter::is_indexed(connection, plain, &condition).map_err(engine)? {
            return Ok(());
        }
    }
    if !foreign_key::is_large(connection, &plain.name).map_err(engine)? {
        return Ok(());
    }
    let quoted_columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    let message = format!(
        "whether other rows of `{}` name the same file is looked for by `{}` without an index; run: CREATE INDEX \
         {} ON {} ({})",
        plain.name,
        files.name,
        quoted(&format!("{}_{}", plain.name, columns.join("_"))),
        quoted(&plain.name),
        quoted_columns.join(", ")
    );
    Err(Problem::new(Code::UnindexedRelation, message).at(&files.at))
}

fn engine(error: rusqlite::Error) -> Problem {
    Problem::new(Code::Sqlite, error.to_string())
}
