//! Following the edges between rows of a database: what the closure asks, in statements that are bounded by keys.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::functions::Context;
use rusqlite::types::Value;
use rusqlite::{Connection, Row as SqlRow, params_from_iter, vtab};

use super::decide::Kept;
use super::functions::FRESH;
use super::release::Release;
use super::schema::{Key, Table};
use super::settled::Settled;
use super::web::{PART, Web, judged_from_cell};
use crate::evaluate::Keeper;
use crate::source::relational::closure::{Database, Found};
use crate::source::relational::graph::Row;
use crate::source::relational::model::EdgeKind;
use crate::source::relational::reason::Reason;

/// Row numbers as a statement takes them.
pub(super) fn array(rows: &[i64]) -> Rc<Vec<Value>> {
    Rc::new(rows.iter().copied().map(Value::Integer).collect())
}

/// As many statements are kept ready: a few for each edge.
const STATEMENTS: usize = 500;

/// Which records are read first.
#[derive(Clone, Debug)]
pub(crate) enum Reading<'k> {
    /// As it is fastest.
    Any,
    /// Those with the last keys, from one on that was read already.
    Downwards(Option<&'k [Value]>),
}

/// Follows edges over one connection.
pub(crate) struct Follower<'c> {
    pub(super) connection: &'c Connection,
    pub(super) web: &'c Web,
    settled: Arc<Mutex<Settled>>,
    /// What says of a row of each table what becomes of it by itself.
    judged: Vec<String>,
    /// Whether all rows stay that are there, but for those that are decided about: rules on others have acted.
    is_live: bool,
    /// Why rows stay that a plan found kept, by their numbers, for each table.
    planned: Vec<Arc<HashMap<i64, i64>>>,
}

impl<'c> Follower<'c> {
    pub(crate) fn new(
        connection: &'c Connection,
        web: &'c Web,
        is_live: bool,
    ) -> rusqlite::Result<Follower<'c>> {
        vtab::array::load_module(connection)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        web.register(connection)?;
        let tables = web.tables.len();
        let settled = Settled::of(tables);
        let settled = Arc::new(Mutex::new(settled));
        let judged = web.tables.iter().map(|member| member.register(connection));
        let judged = judged.collect::<rusqlite::Result<_>>()?;
        let planned = vec![Arc::default(); tables];
        let follower = Follower { connection, web, settled, judged, is_live, planned };
        if !is_live {
            follower.register_settled()?;
        }
        Ok(follower)
    }

    /// The same over another connection, with all that is known to stay.
    pub(crate) fn beside<'o>(&self, connection: &'o Connection) -> rusqlite::Result<Follower<'o>>
    where
        'c: 'o,
    {
        let mut other = Follower::new(connection, self.web, self.is_live)?;
        other.planned.clone_from(&self.planned);
        let kept = self.settled().kept.clone();
        for (table, rows) in (0..).zip(kept) {
            for (number, reason) in rows {
                let key = other.number_of(table, self.key(table, number));
                other.keep(Row { table, key }, Reason::from_cell(reason));
            }
        }
        Ok(other)
    }

    pub(crate) fn settled(&self) -> MutexGuard<'_, Settled> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found out.
    pub(crate) fn into_settled(self) -> Settled {
        std::mem::take(&mut *self.settled())
    }

    /// Registers what says of a row of each table why it stays, once it is decided about; null where it goes.
    fn register_settled(&self) -> rusqlite::Result<()> {
        for (place, model) in self.web.model.tables.iter().enumerate() {
            let (settled, width) = (Arc::clone(&self.settled), self.key_of(place).len());
            let may_be_taken = model.may_be_taken;
            let by_number = self.web.tables[place].table.has_row_numbers();
            let name = format!("frist_stays_{place}");
            self.connection.create_scalar_function(
                name.as_str(),
                -1,
                FRESH,
                move |context: &Context<'_>| {
                    let settled = settled.lock().unwrap_or_else(PoisonError::into_inner);
                    let judged = judged_from_cell(context.get(width)?);
                    let key = match by_number {
                        true => Some(context.get(0)?),
                        false => settled.names[place].find((0..width).map(|cell| context.get_raw(cell))),
                    };
                    let reason = Reason::of(judged.keeper).to_cell();
                    Ok(match (judged.own, key) {
                        (Some(_), key) => key.and_then(|key| settled.kept[place].get(&key)).copied(),
                        (None, Some(key)) if may_be_taken && settled.going[place].contains(key) => None,
                        (None, _) => Some(reason),
                    })
                },
            )?;
        }
        Ok(())
    }

    /// What says why a row of a table stays, in SQL.
    pub(crate) fn stays(&self, table: u16) -> String {
        let place = usize::from(table);
        if !self.web.model.tables[place].may_lose() {
            // Nothing but a keeper stands in a reason of a row that stays on its own account.
            return format!("({}) / {PART} % {PART}", self.judged[place]);
        }
        let key = self.key_of(place).join(", ");
        format!("frist_stays_{place}({key}, {})", self.judged[place])
    }

    /// Whether a row stays, once it is decided about.
    pub(crate) fn stays_in(&self, table: u16, found: Found) -> bool {
        let (settled, place) = (self.settled(), usize::from(table));
        match found.judged.own {
            Some(_) => settled.kept[place].contains_key(&found.key),
            None => !settled.going[place].contains(found.key),
        }
    }

    /// The key of a row by its number.
    pub(crate) fn key(&self, table: u16, number: i64) -> Vec<Value> {
        let place = usize::from(table);
        match self.web.tables[place].table.has_row_numbers() {
            true => vec![Value::Integer(number)],
            false => self.settled().names[place].key(number).to_vec(),
        }
    }

    /// The number of a row by its key.
    pub(crate) fn number_of(&self, table: u16, key: Vec<Value>) -> i64 {
        match key.as_slice() {
            [Value::Integer(number)] if self.web.tables[usize::from(table)].table.has_row_numbers() => {
                *number
            }
            _ => self.settled().names[usize::from(table)].number(key),
        }
    }

    /// What a plan found kept stays, whatever is found out from now on.
    pub(crate) fn keep_planned(&mut self, table: u16, kept: &Kept) {
        if self.web.tables[usize::from(table)].table.has_row_numbers() {
            self.planned[usize::from(table)] = kept.by_number();
            return;
        }
        for (key, reason) in kept.rows() {
            let key = self.number_of(table, key);
            self.keep(Row { table, key }, reason);
        }
    }

    /// A row stays that a rule deletes, whatever is found out from now on.
    pub(crate) fn keep(&self, row: Row, reason: Reason) {
        self.settled().kept[usize::from(row.table)].insert(row.key, reason.to_cell());
    }

    /// The columns of a row's key.
    fn key_of(&self, table: usize) -> Vec<String> {
        let table = &self.web.tables[table].table;
        table.order().iter().map(|column| table.column_sql(column)).collect()
    }

    /// The number of a key that stands in a row from a column on.
    fn number(&self, table: u16, row: &SqlRow<'_>, first: usize) -> rusqlite::Result<i64> {
        let place = usize::from(table);
        match &self.web.tables[place].table.key {
            Key::Rowid(_) => row.get(first),
            Key::Columns(columns) => {
                let key = (first..first + columns.len()).map(|column| row.get(column));
                let key: Vec<Value> = key.collect::<rusqlite::Result<_>>()?;
                Ok(self.settled().names[place].number(key))
            }
        }
    }

    /// Runs a statement about rows of a table that something leads on from: what it gives, and what follows the
    /// rows. It tells the place of a row among those that were asked for.
    fn ask(
        &self,
        table: u16,
        (given, rest): (&str, &str),
        rows: &[i64],
        told: impl FnMut(usize, &SqlRow<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        self.ask_of((table, &self.web.base(table)), (given, rest), rows, told)
    }

    /// The same, whatever the table is called in the statement.
    fn ask_of(
        &self,
        (table, base): (u16, &Table),
        (given, rest): (&str, &str),
        rows: &[i64],
        mut told: impl FnMut(usize, &SqlRow<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        if let Key::Rowid(rowid) = base.key {
            let sql = format!(
                "SELECT {given}, frist_row.value FROM rarray(?1) AS frist_row CROSS JOIN {} {rest} AND {} = frist_row.value",
                base.sql(),
                base.column_sql(rowid)
            );
            let mut statement = self.connection.prepare_cached(&sql)?;
            let width = statement.column_count() - 1;
            let mut found = statement.query([array(rows)])?;
            while let Some(row) = found.next()? {
                let key: i64 = row.get(width)?;
                if let Ok(place) = rows.binary_search(&key) {
                    told(place, row)?;
                }
            }
            return Ok(());
        }
        let columns = base.order();
        let equal =
            columns.iter().zip(1..).map(|(column, mark)| format!("{} = ?{mark}", base.column_sql(column)));
        let equal: Vec<String> = equal.collect();
        let sql = format!("SELECT {given} FROM {} {rest} AND {}", base.sql(), equal.join(" AND "));
        let mut statement = self.connection.prepare_cached(&sql)?;
        for (place, number) in rows.iter().enumerate() {
            let key = self.settled().names[usize::from(table)].key(*number).to_vec();
            let mut found = statement.query(params_from_iter(key))?;
            while let Some(row) = found.next()? {
                told(place, row)?;
            }
        }
        Ok(())
    }

    /// The rows of a table that follow others by a condition.
    fn found(&self, (from, to): (u16, u16), on: &str, rows: &[i64]) -> rusqlite::Result<Vec<Found>> {
        let place = usize::from(to);
        let key = self.key_of(place);
        let given = format!("{}, {}", key.join(", "), self.judged[place]);
        let rest = format!("CROSS JOIN {} WHERE {on}", self.web.tables[place].table.sql());
        let mut found = Vec::new();
        self.ask(from, (&given, &rest), rows, |row_place, row| {
            let judged = judged_from_cell(row.get(key.len())?);
            found.push(Found { place: row_place, key: self.number(to, row, 0)?, judged });
            Ok(())
        })?;
        Ok(found)
    }

    /// The records that rows spare which go along with others.
    pub(crate) fn freed(&self, edge: u16) -> rusqlite::Result<Vec<i64>> {
        let model = &self.web.model.edges[usize::from(edge)];
        let Some(on) = self.web.on(edge, None) else { return Ok(Vec::new()) };
        let (base, from) = (self.web.base(model.to), &self.web.tables[usize::from(model.from)].table);
        let key: Vec<String> = base.order().iter().map(|column| base.column_sql(column)).collect();
        let sql = format!(
            "SELECT {} FROM {} CROSS JOIN {} WHERE {on} AND ({}) % {PART} = 0 AND {} IS NULL",
            key.join(", "),
            base.sql(),
            from.sql(),
            self.judged[usize::from(model.from)],
            self.stays(model.from)
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut freed = Vec::new();
        while let Some(row) = rows.next()? {
            freed.push(self.number(model.to, row, 0)?);
        }
        Ok(freed)
    }

    /// The rows that let go of some records.
    pub(crate) fn released(
        &self,
        (table, child): (u16, u16),
        release: &Release,
        rows: &[i64],
    ) -> rusqlite::Result<Vec<Found>> {
        let alias = self.web.tables[usize::from(child)].table.qualifier();
        self.found((table, child), &release.on(&self.web.base(table), alias), rows)
    }

    /// What rows say of themselves that are there.
    pub(crate) fn judged(&self, table: u16, rows: &[i64]) -> rusqlite::Result<Vec<Found>> {
        let member = &self.web.tables[usize::from(table)];
        let mut found = Vec::new();
        self.ask_of(
            (table, &member.table),
            (&self.judged[usize::from(table)], "WHERE 1"),
            rows,
            |place, row| {
                found.push(Found { place, key: rows[place], judged: judged_from_cell(row.get(0)?) });
                Ok(())
            },
        )?;
        Ok(found)
    }

    /// What rows that are there hold in some columns; told one by one.
    pub(crate) fn cells(
        &self,
        table: u16,
        columns: &[String],
        rows: &[i64],
        mut told: impl FnMut(i64, Vec<Value>),
    ) -> rusqlite::Result<()> {
        let member = &self.web.tables[usize::from(table)].table;
        let given: Vec<String> = columns.iter().map(|column| member.column_sql(column)).collect();
        let given = if given.is_empty() { "1".to_string() } else { given.join(", ") };
        self.ask_of((table, member), (&given, "WHERE 1"), rows, |place, row| {
            let cells = (0..columns.len()).map(|column| row.get(column));
            told(rows[place], cells.collect::<rusqlite::Result<_>>()?);
            Ok(())
        })
    }

    /// The records of a table that a rule deletes, as far as they say themselves; told one by one.
    pub(crate) fn due(
        &self,
        table: u16,
        reading: &Reading<'_>,
        told: &mut dyn FnMut(Found) -> rusqlite::Result<bool>,
    ) -> rusqlite::Result<()> {
        let place = usize::from(table);
        let (member, key) = (&self.web.tables[place], self.key_of(place));
        let is_downwards = matches!(reading, Reading::Downwards(_));
        let from: &[Value] = if let Reading::Downwards(Some(from)) = reading { from } else { &[] };
        let marks: Vec<String> = (1..=from.len()).map(|mark| format!("?{mark}")).collect();
        let behind = match from.is_empty() {
            true => String::new(),
            false => format!(" AND ({}) < ({})", key.join(", "), marks.join(", ")),
        };
        let order = key.iter().map(|column| format!("{column} DESC")).collect::<Vec<_>>().join(", ");
        let order = if is_downwards { format!(" ORDER BY {order}") } else { String::new() };
        let sql = format!(
            "SELECT {}, {} FROM {} WHERE {}{behind}{order}",
            key.join(", "),
            self.judged[place],
            member.table.sql(),
            member.may_be_due(is_downwards)
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query(params_from_iter(from))?;
        while let Some(row) = rows.next()? {
            let judged = judged_from_cell(row.get(key.len())?);
            if judged.own.is_some() {
                let key = self.number(table, row, 0)?;
                if !told(Found { place: 0, key, judged })? {
                    break;
                }
            }
        }
        Ok(())
    }
}

impl Database for Follower<'_> {
    type Error = rusqlite::Error;

    fn held(&self, edge: u16, rule: Option<u16>, rows: &[i64]) -> rusqlite::Result<Vec<(usize, Reason)>> {
        let Some(on) = self.web.on(edge, rule) else { return Ok(Vec::new()) };
        let model = &self.web.model.edges[usize::from(edge)];
        let mut held = Vec::new();
        if let EdgeKind::Files { .. } = model.kind {
            self.ask(model.to, ("1", &format!("WHERE {on}")), rows, |place, _| {
                held.push((place, Reason::of(Keeper::NoRule)));
                Ok(())
            })?;
            return Ok(held);
        }
        let from = self.web.tables[usize::from(model.from)].table.sql();
        let is_decided = !self.is_live;
        let keeper = match is_decided {
            // A limit keeps the engine from asking twice.
            true => {
                let mut stays = self.stays(model.from);
                if let EdgeKind::Spares { .. } = model.kind {
                    // What merely goes along spares until it has gone.
                    let (judged, reason) =
                        (&self.judged[usize::from(model.from)], Reason::of(Keeper::NoRule));
                    stays = format!("iif(({judged}) % {PART} = 0, {}, {stays})", reason.to_cell());
                }
                format!(
                    "(SELECT answer FROM (SELECT {stays} AS answer FROM {from} WHERE {on} LIMIT -1) \
                     WHERE answer IS NOT NULL LIMIT 1)"
                )
            }
            false => {
                format!("(SELECT {} FROM {from} WHERE {on} LIMIT 1)", Reason::of(Keeper::NoRule).to_cell())
            }
        };
        self.ask(model.to, (&keeper, "WHERE 1"), rows, |place, row| {
            if let Some(cell) = row.get::<_, Option<i64>>(0)? {
                held.push((place, Reason::from_cell(cell)));
            }
            Ok(())
        })?;
        Ok(held)
    }

    fn reach(&self, edge: u16, rule: Option<u16>, rows: &[i64]) -> rusqlite::Result<Vec<Found>> {
        let Some(on) = self.web.on(edge, rule) else { return Ok(Vec::new()) };
        let model = &self.web.model.edges[usize::from(edge)];
        self.found((model.to, model.from), &on, rows)
    }

    fn taken(&self, step: u16, rows: &[i64]) -> rusqlite::Result<Vec<Found>> {
        let (from, to) = (self.web.step_from(step), self.web.model.steps[usize::from(step)].to);
        self.found((from, to), &self.web.along(step), rows)
    }

    fn known(&self, row: Row) -> Option<Option<Reason>> {
        let (settled, place) = (self.settled(), usize::from(row.table));
        if let Some(kept) = settled.kept[place].get(&row.key).or_else(|| self.planned[place].get(&row.key)) {
            return Some(Some(Reason::from_cell(*kept)));
        }
        settled.going[place].contains(row.key).then_some(None)
    }
}
