//! Rows that a batch took: all of them, or the first, the last and an even sample. Whether they are there
//! tells a later run whether the batch was committed.

use rusqlite::types::{FromSql, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use rustix::rand::{GetRandomFlags, getrandom};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::keys::{Bound, cell_from_json, cell_to_json};
use super::stand::Stand;
use crate::dataset::sqlite::schema::Table;
use crate::hexadecimal;
use crate::ledger::Pending;

/// As many rows are remembered at most; where they are compared, each costs more.
const MOST: usize = 1_000;
const MOST_COMPARED: usize = 250;
/// As many bytes they may take in a file.
const MOST_BYTES: usize = Pending::LONGEST_OVER - 1_024;
/// How much of a hash tells two looks of a row apart.
const LOOK: usize = 8;

/// A row that was taken, and what it held before in the columns that are set.
#[derive(Clone, Debug)]
pub(super) struct Row {
    key: Bound,
    before: Vec<u8>,
}

impl Row {
    /// None where the key cannot be written down.
    pub(super) fn read<'v>(
        key: impl Iterator<Item = ValueRef<'v>>,
        held: impl Iterator<Item = ValueRef<'v>>,
    ) -> Option<Row> {
        let key = key.map(|cell| Value::column_result(cell).ok()).collect::<Option<Bound>>()?;
        Some(Row { key, before: encoded(held) })
    }

    /// A row that is known by its number.
    pub(super) fn numbered(number: i64) -> Row {
        Row { key: vec![Value::Integer(number)], before: Vec::new() }
    }
}

/// Takes an even sample of rows as they come: all of them at first, and ever fewer.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    rows: Vec<Row>,
    last: Option<Row>,
}

impl Sampler {
    /// Adds a row, of which one in so many is told; returns in how many the next is to be told.
    pub(super) fn add(&mut self, row: Option<Row>, stride: u64) -> u64 {
        self.last = None;
        let most = if row.as_ref().is_some_and(|row| row.before.is_empty()) { MOST } else { MOST_COMPARED };
        self.rows.extend(row);
        if self.rows.len() < most {
            return stride;
        }
        let mut is_odd = false;
        self.rows.retain(|_| {
            is_odd = !is_odd;
            is_odd
        });
        2 * stride
    }

    /// Remembers the last row for as long as none comes behind it.
    pub(super) fn end_with(&mut self, row: Option<Row>) {
        self.last = row;
    }

    /// What was taken.
    pub(super) fn take(&mut self) -> Vec<Row> {
        let mut rows = std::mem::take(&mut self.rows);
        rows.extend(self.last.take());
        rows
    }
}

/// An even sample of row numbers.
pub(super) fn of_numbers(numbers: &[i64]) -> Vec<Row> {
    let step = numbers.len().div_ceil(MOST).max(1);
    numbers.iter().step_by(step).map(|number| Row::numbered(*number)).collect()
}

/// What tells apart whether a batch was committed, in the file that is zeroed afterwards.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Noted {
    /// The columns by whose values rows are told apart; where there are none, rows are there or gone.
    columns: Vec<String>,
    /// Without it, a hash is no hint at a value.
    #[serde(with = "hexadecimal")]
    salt: Vec<u8>,
    rows: Vec<NotedRow>,
    /// Where the database stood before the commit.
    pub(super) stand: Option<Stand>,
    /// Which start of the system that was.
    boot: Option<String>,
}

/// The key of a row, and how it looked before and after.
#[derive(Debug, Serialize, Deserialize)]
struct NotedRow {
    key: Vec<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    looks: Option<[String; 2]>,
}

/// How the rows of a sample are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// As they were before the batch.
    pub(super) before: usize,
    /// As the batch left them.
    pub(super) after: usize,
    /// Neither.
    pub(super) changed: usize,
}

impl Found {
    /// Whether each is as the batch left it.
    pub(super) fn are_all_gone(self) -> bool {
        self.after > 0 && self.before == 0 && self.changed == 0
    }

    /// Whether each is as it was before the batch.
    pub(super) fn are_all_there(self) -> bool {
        self.before > 0 && self.after == 0 && self.changed == 0
    }
}

impl Noted {
    /// Notes what a transaction has done, inside of it. Rows of which nothing shows it, such as those that a
    /// trigger put back, are no witnesses and are left out, unless the engine is trusted to have taken all.
    pub(super) fn note(
        connection: &Connection,
        table: &Table,
        rows: Vec<Row>,
        columns: Vec<String>,
        (stand, is_trusted): (Option<Stand>, bool),
    ) -> rusqlite::Result<Noted> {
        let mut salt = vec![0; 16];
        // Whatever the system gives is no secret from who can read the keys beside it.
        let given = getrandom(&mut salt[..], GetRandomFlags::empty()).unwrap_or_default();
        salt.truncate(given);
        let mut noted = Noted { columns, salt, rows: Vec::new(), stand, boot: boot() };
        let mut lookup = lookup(connection, table, &noted.columns)?;
        for row in rows {
            let compares = !noted.columns.is_empty();
            let now = if is_trusted && !compares { None } else { lookup(&row.key)? };
            let looks = match now.map(|now| [noted.look(&row.before), noted.look(&now)]) {
                None if !compares => None,
                Some(looks) if compares && looks[0] != looks[1] => Some(looks),
                _ => continue,
            };
            noted.rows.push(NotedRow { key: row.key.iter().map(cell_to_json).collect(), looks });
        }
        Ok(noted)
    }

    /// As JSON, with as many of the rows as fit into its file.
    pub(super) fn shortened(&mut self) -> serde_json::Value {
        loop {
            let is_short = serde_json::to_string(self).is_ok_and(|text| text.len() <= MOST_BYTES);
            if is_short || self.rows.is_empty() {
                return serde_json::to_value(&*self).unwrap_or_default();
            }
            let mut place = 0;
            let is_last = self.rows.len() == 1;
            self.rows.retain(|_| {
                place += 1;
                place % 2 == 1 && !is_last
            });
        }
    }

    /// Whether a note that the batch is committed can be trusted: what a loss of power leaves of the log is
    /// not what it leaves of the note.
    pub(super) fn trusts_notes(&self) -> bool {
        matches!(self.stand, Some(Stand::Changes(_))) || (self.boot.is_some() && self.boot == boot())
    }

    /// Looks for the rows.
    pub(super) fn find(&self, connection: &Connection, table: &Table) -> rusqlite::Result<Option<Found>> {
        let is_known = |column: &String| table.columns.contains(column);
        if !self.columns.iter().all(is_known) {
            return Ok(None);
        }
        let mut lookup = lookup(connection, table, &self.columns)?;
        let mut found = Found::default();
        for NotedRow { key, looks } in &self.rows {
            let key: Option<Bound> = key.iter().map(cell_from_json).collect();
            let Some(key) = key.filter(|key| key.len() == table.order().len()) else { return Ok(None) };
            let now = lookup(&key)?.map(|now| self.look(&now));
            match (now, looks) {
                (None, None) => found.after += 1,
                (Some(_), None) => found.before += 1,
                (Some(now), Some([before, _])) if now == *before => found.before += 1,
                (Some(now), Some([_, after])) if now == *after => found.after += 1,
                (_, Some(_)) => found.changed += 1,
            }
        }
        Ok(Some(found))
    }

    fn look(&self, cells: &[u8]) -> String {
        let hash = Sha256::new().chain_update(&self.salt).chain_update(cells).finalize();
        hexadecimal::digits(&hash[..LOOK])
    }
}

/// Asks for what a row holds in some columns; none where there is no such row.
fn lookup<'c>(
    connection: &'c Connection,
    table: &Table,
    columns: &[String],
) -> rusqlite::Result<impl FnMut(&Bound) -> rusqlite::Result<Option<Vec<u8>>> + use<'c>> {
    let plain = Table { alias: None, ..table.clone() };
    let (width, order) = (columns.len(), plain.order());
    let held: Vec<String> = columns.iter().map(|column| plain.column_sql(column)).collect();
    let held = if held.is_empty() { "1".to_string() } else { held.join(", ") };
    let keys = order.iter().zip(1..).map(|(column, mark)| format!("{} = ?{mark}", plain.column_sql(column)));
    let keys = keys.collect::<Vec<String>>().join(" AND ");
    let mut statement = connection.prepare(&format!("SELECT {held} FROM {} WHERE {keys}", plain.sql()))?;
    Ok(move |key: &Bound| {
        let read = |row: &rusqlite::Row<'_>| {
            let cells: rusqlite::Result<Vec<ValueRef<'_>>> =
                (0..width).map(|place| row.get_ref(place)).collect();
            Ok(encoded(cells?.into_iter()))
        };
        statement.query_row(params_from_iter(key), read).optional()
    })
}

/// Values as bytes, of which no two lists share the same.
fn encoded<'v>(cells: impl Iterator<Item = ValueRef<'v>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for cell in cells {
        let (kind, content) = match cell {
            ValueRef::Null => (0, Vec::new()),
            ValueRef::Integer(number) => (1, number.to_be_bytes().to_vec()),
            ValueRef::Real(number) => (2, number.to_bits().to_be_bytes().to_vec()),
            ValueRef::Text(text) => (3, text.to_vec()),
            ValueRef::Blob(blob) => (4, blob.to_vec()),
        };
        bytes.push(kind);
        bytes.extend((content.len() as u64).to_be_bytes());
        bytes.extend(content);
    }
    bytes
}

/// Which start of the system this is; none where it does not say so.
fn boot() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_string())
}
