//! What is known of rows that were decided about, and the numbers of keys that are none.

use std::collections::HashMap;

use rusqlite::types::{Value, ValueRef};

use super::related::key_of;

/// What is known of rows that were decided about.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Why rows stay that a rule deletes, for each table.
    pub(crate) kept: Vec<HashMap<i64, i64>>,
    /// Rows that go: by their own rule where they may be met again, and along with others.
    pub(crate) going: Vec<Keys>,
    /// The numbers of keys that are none, and these.
    pub(crate) names: Vec<Names>,
}

impl Settled {
    /// Nothing is known yet of so many tables.
    pub(super) fn of(tables: usize) -> Settled {
        Settled {
            kept: vec![HashMap::new(); tables],
            going: (0..tables).map(|_| Keys::default()).collect(),
            names: (0..tables).map(|_| Names::default()).collect(),
        }
    }
}

/// Many numbers, most of which stand close together.
#[derive(Debug, Default)]
pub(crate) struct Keys(HashMap<i64, u64>);

impl Keys {
    pub(crate) fn insert(&mut self, key: i64) {
        *self.0.entry(key >> 6).or_default() |= 1 << (key & 63);
    }

    pub(crate) fn contains(&self, key: i64) -> bool {
        self.0.get(&(key >> 6)).is_some_and(|block| block & (1 << (key & 63)) != 0)
    }
}

/// Keys of a table without row numbers, each with a number of its own.
#[derive(Debug, Default)]
pub(crate) struct Names {
    numbers: HashMap<Vec<u8>, i64>,
    keys: Vec<Vec<Value>>,
}

impl Names {
    pub(super) fn number(&mut self, key: Vec<Value>) -> i64 {
        let next = self.keys.len() as i64;
        let number = *self.numbers.entry(encoded(key.iter().map(ValueRef::from))).or_insert(next);
        if number == next {
            self.keys.push(key);
        }
        number
    }

    pub(crate) fn find<'v>(&self, key: impl Iterator<Item = ValueRef<'v>>) -> Option<i64> {
        self.numbers.get(&encoded(key)).copied()
    }

    pub(crate) fn key(&self, number: i64) -> &[Value] {
        usize::try_from(number).ok().and_then(|place| self.keys.get(place)).map_or(&[], Vec::as_slice)
    }
}

/// No part of a primary key is null, but for those of old tables, which are told apart by nothing else.
fn encoded<'v>(key: impl Iterator<Item = ValueRef<'v>>) -> Vec<u8> {
    let cells: Vec<ValueRef<'v>> = key.collect();
    key_of(cells.iter().copied().filter(|cell| *cell != ValueRef::Null)).unwrap_or_default()
}
