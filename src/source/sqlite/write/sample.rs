//! Rows that a batch took: all of them, or the first, the last and an even sample. Whether they are there
//! tells a later run whether the batch was committed.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use rustix::rand::{GetRandomFlags, getrandom};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::keys::{Bound, cell_from_json, cell_to_json};
use super::stand::Stand;
use crate::hexadecimal;
use crate::ledger::Pending;
use crate::source::sqlite::schema::Table;

/// As many rows are remembered at most; where they are compared, each costs more.
const MOST: usize = 1_000;
const MOST_COMPARED: usize = 250;
/// As many bytes they may take in a file.
const MOST_BYTES: usize = Pending::LONGEST_OVER - 1_024;
/// How much of a hash tells two looks of a row apart.
const LOOK: usize = 8;

/// A row that was taken, by its key, and what it held before in the columns that are set: as bytes, which cost
/// less than values.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    key: Vec<u8>,
    before: Vec<u8>,
}

impl Row {
    /// Takes the place of another, and its room in memory.
    fn read<'v>(
        &mut self,
        key: impl Iterator<Item = ValueRef<'v>>,
        held: impl Iterator<Item = ValueRef<'v>>,
    ) {
        self.key.clear();
        self.before.clear();
        key.for_each(|cell| encode(cell, &mut self.key));
        held.for_each(|cell| encode(cell, &mut self.before));
    }

    /// A row that is known by its number.
    pub(super) fn numbered(number: i64) -> Row {
        let mut row = Row::default();
        row.read(std::iter::once(ValueRef::Integer(number)), std::iter::empty());
        row
    }
}

/// Takes an even sample of rows as they come: all of them at first, and ever fewer.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    rows: Vec<Row>,
    last: Row,
    has_last: bool,
}

impl Sampler {
    /// Adds a row, of which one in so many is told; returns in how many the next is to be told.
    pub(super) fn add<'v>(
        &mut self,
        key: impl Iterator<Item = ValueRef<'v>>,
        held: impl Iterator<Item = ValueRef<'v>>,
        stride: u64,
    ) -> u64 {
        self.has_last = false;
        let mut row = Row::default();
        row.read(key, held);
        // Both are even, so that this row is one of the sample also where that becomes half as dense.
        let most = if row.before.is_empty() { MOST } else { MOST_COMPARED };
        let is_full = self.rows.len() == most;
        if is_full {
            let mut is_odd = false;
            self.rows.retain(|_| {
                is_odd = !is_odd;
                is_odd
            });
        }
        self.rows.push(row);
        if is_full { 2 * stride } else { stride }
    }

    /// Remembers the last row for as long as none comes behind it.
    pub(super) fn end_with<'v>(
        &mut self,
        key: impl Iterator<Item = ValueRef<'v>>,
        held: impl Iterator<Item = ValueRef<'v>>,
    ) {
        self.has_last = true;
        self.last.read(key, held);
    }

    /// Takes over the sample of rows that came behind its own.
    pub(super) fn absorb(&mut self, mut later: Sampler) {
        let rows = later.take();
        if rows.is_empty() {
            return;
        }
        self.rows.extend(std::mem::take(&mut self.has_last).then(|| std::mem::take(&mut self.last)));
        self.rows.extend(rows);
        while self.rows.len() > self.most() {
            let (mut place, last) = (0, self.rows.len() - 1);
            self.rows.retain(|_| {
                place += 1;
                place % 2 == 1 || place == last + 1
            });
        }
    }

    fn most(&self) -> usize {
        let compares = self.rows.first().is_some_and(|row| !row.before.is_empty());
        if compares { MOST_COMPARED } else { MOST }
    }

    /// What was taken.
    pub(super) fn take(&mut self) -> Vec<Row> {
        let mut rows = std::mem::take(&mut self.rows);
        rows.extend(std::mem::take(&mut self.has_last).then(|| self.last.clone()));
        rows
    }
}

/// What tells apart whether a batch was committed, in the file that is zeroed afterwards.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Noted {
    /// The columns by whose values rows are told apart; where there are none, rows are there or gone.
    columns: Vec<String>,
    /// Without it, a hash is no hint at a value.
    #[serde(with = "hexadecimal")]
    salt: Vec<u8>,
    /// Rows with numbers that are there or gone: the most frequent ones, and the shortest.
    #[serde(default)]
    numbers: Vec<i64>,
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
        let (numbers, rows_noted) = (Vec::new(), Vec::new());
        let mut noted = Noted { columns, salt, numbers, rows: rows_noted, stand, boot: boot() };
        let mut lookup = lookup(connection, table, &noted.columns)?;
        for row in rows {
            // A text that is none cannot be written down.
            let Some(key) = decoded(&row.key) else { continue };
            let compares = !noted.columns.is_empty();
            let now = if is_trusted && !compares { None } else { lookup(&key)? };
            let looks = match now.map(|now| [noted.look(&row.before), noted.look(&now)]) {
                None if !compares => None,
                Some(looks) if compares && looks[0] != looks[1] => Some(looks),
                _ => continue,
            };
            if let ([Value::Integer(number)], None) = (key.as_slice(), &looks) {
                noted.numbers.push(*number);
                continue;
            }
            noted.rows.push(NotedRow { key: key.iter().map(cell_to_json).collect(), looks });
        }
        Ok(noted)
    }

    /// As JSON that fits into its file.
    pub(super) fn fitted(&mut self) -> serde_json::Value {
        loop {
            let is_short = || serde_json::to_string(&self.rows).is_ok_and(|text| text.len() <= MOST_BYTES);
            if self.rows.is_empty() || is_short() {
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
        let numbers = self.numbers.iter().map(|number| (Some(vec![Value::Integer(*number)]), &None));
        let rows = self.rows.iter().map(|NotedRow { key, looks }| {
            let key: Option<Bound> = key.iter().map(cell_from_json).collect();
            (key, looks)
        });
        for (key, looks) in numbers.chain(rows) {
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
            let mut cells = Vec::new();
            (0..width).try_for_each(|place| row.get_ref(place).map(|cell| encode(cell, &mut cells)))?;
            Ok(cells)
        };
        statement.query_row(params_from_iter(key), read).optional()
    })
}

/// Adds a value as bytes, of which no two lists of values share the same.
fn encode(cell: ValueRef<'_>, bytes: &mut Vec<u8>) {
    let mut add = |kind: u8, content: &[u8]| {
        bytes.push(kind);
        bytes.extend_from_slice(&(content.len() as u64).to_be_bytes());
        bytes.extend_from_slice(content);
    };
    match cell {
        ValueRef::Null => add(0, &[]),
        ValueRef::Integer(number) => add(1, &number.to_be_bytes()),
        ValueRef::Real(number) => add(2, &number.to_bits().to_be_bytes()),
        ValueRef::Text(text) => add(3, text),
        ValueRef::Blob(blob) => add(4, blob),
    }
}

/// The values again; none where a text is not UTF-8.
fn decoded(mut bytes: &[u8]) -> Option<Bound> {
    let mut cells = Bound::new();
    while let Some((kind, rest)) = bytes.split_first() {
        let (length, rest) = rest.split_first_chunk()?;
        let (content, rest) = rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
        cells.push(match kind {
            0 => Value::Null,
            1 => Value::Integer(i64::from_be_bytes(content.try_into().ok()?)),
            2 => Value::Real(f64::from_bits(u64::from_be_bytes(content.try_into().ok()?))),
            3 => Value::Text(String::from_utf8(content.to_vec()).ok()?),
            _ => Value::Blob(content.to_vec()),
        });
        bytes = rest;
    }
    Some(cells)
}

/// Which start of the system this is; none where it does not say so.
fn boot() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(rows: &[Row]) -> Vec<i64> {
        let number = |row: &Row| match decoded(&row.key).unwrap().as_slice() {
            [Value::Integer(number)] => *number,
            other => panic!("{other:?}"),
        };
        rows.iter().map(number).collect()
    }

    /// What is sampled of so many rows.
    fn sampled(rows: i64) -> Vec<i64> {
        numbers(&sampler(0..rows).take())
    }

    fn sampler(range: std::ops::Range<i64>) -> Sampler {
        let (mut sampler, mut stride, first) = (Sampler::default(), 1_u64, range.start);
        for row in range {
            let key = std::iter::once(ValueRef::Integer(row));
            if (row - first).unsigned_abs() & (stride - 1) == 0 {
                stride = sampler.add(key, std::iter::empty(), stride);
            } else {
                sampler.end_with(key, std::iter::empty());
            }
        }
        sampler
    }

    #[test]
    fn samples_that_follow_each_other_are_a_sample_of_all_with_both_ends() {
        let mut all = Sampler::default();
        let mut end = 0;
        for leg in [3, 0, 5_000, 1, 70_000, 1_000, 2] {
            all.absorb(sampler(end..end + leg));
            end += leg;
        }
        let sample = numbers(&all.take());
        assert!((400..=1_000).contains(&sample.len()), "{}", sample.len());
        assert_eq!((sample[0], sample[sample.len() - 1]), (0, end - 1));
        assert!(sample.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn few_rows_are_all_remembered_and_of_many_an_even_sample_with_both_ends() {
        for rows in [0, 1, 2, 1_000] {
            assert_eq!(sampled(rows), (0..rows).collect::<Vec<i64>>());
        }
        for rows in [1_001, 1_002, 4_242, 100_000, 131_073] {
            let sample = sampled(rows);
            assert!((500..=1_001).contains(&sample.len()), "{} of {rows}", sample.len());
            assert_eq!((sample[0], sample[sample.len() - 1]), (0, rows - 1));
            let step = sample[1];
            let gaps: Vec<i64> = sample.windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert!(gaps[..gaps.len() - 1].iter().all(|gap| *gap == step), "{rows}");
            assert!(gaps[gaps.len() - 1] <= step);
        }
    }

    #[test]
    fn keys_of_every_type_are_the_same_again_and_lists_are_told_apart() {
        let cells = [
            ValueRef::Null,
            ValueRef::Integer(i64::MIN),
            ValueRef::Real(-0.5),
            ValueRef::Text("Ærø".as_bytes()),
            ValueRef::Blob(&[0, 255]),
        ];
        let mut bytes = Vec::new();
        cells.iter().for_each(|cell| encode(*cell, &mut bytes));
        let values: Bound = cells.iter().map(|cell| Value::try_from(*cell).unwrap()).collect();
        assert_eq!(decoded(&bytes), Some(values));
        let of = |cells: &[&[u8]]| {
            let mut bytes = Vec::new();
            cells.iter().for_each(|cell| encode(ValueRef::Text(cell), &mut bytes));
            bytes
        };
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        assert_eq!(decoded(&of(&[b"\xff"])), None);
    }

    #[test]
    fn a_mark_fits_whatever_the_keys_are() {
        for length in [1, 100, 5_000, 100_000] {
            let key = || vec![cell_to_json(&Value::Text("k".repeat(length)))];
            let rows = (0..400).map(|_| NotedRow { key: key(), looks: None }).collect();
            let numbers = vec![i64::MIN; MOST];
            let mut noted =
                Noted { columns: Vec::new(), salt: vec![1], numbers, rows, stand: None, boot: None };
            let json = noted.fitted();
            assert!(json.to_string().len() <= MOST_BYTES + MOST * 21 + 200);
            assert_eq!(noted.rows.is_empty(), length == 100_000);
        }
    }
}
