//! The keys that bound one batch.

use rusqlite::types::Value;
use serde_json::json;

use super::groups::Unit;
use crate::dataset::sqlite::schema::{Key, Table};
use crate::purge::job::Mark;

/// One key: the values of its columns.
pub(super) type Bound = Vec<Value>;

/// One end of a range.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct End {
    pub(super) key: Bound,
    /// Whether the key itself belongs to the range.
    pub(super) included: bool,
}

impl End {
    pub(super) fn with(key: Bound) -> End {
        End { key, included: true }
    }

    pub(super) fn without(key: Bound) -> End {
        End { key, included: false }
    }
}

/// Which records a batch may touch.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Keys {
    /// All from one key to another.
    Range(End, End),
    /// Exactly these row numbers, in rising order.
    Rowids(Vec<i64>),
    /// Rows that refer to each other.
    Units(Vec<Unit>),
}

impl Keys {
    /// All row numbers from one to another, both included.
    pub(super) fn between(first: i64, last: i64) -> Keys {
        Keys::Range(End::with(vec![Value::Integer(first)]), End::with(vec![Value::Integer(last)]))
    }

    /// The range of row numbers; in a table without them, that of a key which is one whole number.
    pub(super) fn rowids(&self) -> Option<[i64; 2]> {
        match self {
            Keys::Rowids(rowids) => Some([*rowids.first()?, *rowids.last()?]),
            // Between them there are others.
            Keys::Units(_) => None,
            Keys::Range(from, to) => match (from.key.as_slice(), to.key.as_slice()) {
                ([Value::Integer(first)], [Value::Integer(last)]) => Some([
                    first.saturating_add(i64::from(!from.included)),
                    last.saturating_sub(i64::from(!to.included)),
                ]),
                _ => None,
            },
        }
    }

    /// What the next run can decide by, should this one be killed.
    pub(super) fn mark(&self, table: &Table) -> Mark {
        // A whole number that is no row number can be a telephone's.
        match self.rowids().filter(|_| table.has_row_numbers()) {
            Some(range) => Mark::RowNumbers(range),
            None => Mark::Private(self.to_json()),
        }
    }

    /// The bounds as JSON, for the file that a killed run leaves.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match self {
            Keys::Range(from, to) => json!([end_to_json(from), end_to_json(to)]),
            Keys::Rowids(_) => serde_json::Value::Null,
            Keys::Units(units) => json!({ "rows": own(units) }),
        }
    }

    /// Bounds that were read back.
    pub(super) fn from_json(json: &serde_json::Value) -> Option<Keys> {
        if let Some(rows) = json.get("rows").and_then(serde_json::Value::as_array) {
            let rows = rows.iter().map(serde_json::Value::as_i64).collect::<Option<_>>()?;
            return Some(Keys::Units(vec![Unit::announced(rows)]));
        }
        let ends = json.as_array().filter(|ends| ends.len() == 2)?;
        Some(Keys::Range(end_from_json(&ends[0])?, end_from_json(&ends[1])?))
    }

    /// The condition on a record's key in SQL, and its parameters.
    pub(super) fn condition(&self, table: &Table) -> (String, Vec<Value>) {
        match self {
            Keys::Range(from, to) => {
                let lower = compared(table, if from.included { ">=" } else { ">" }, 1);
                let upper = compared(table, if to.included { "<=" } else { "<" }, from.key.len() + 1);
                (format!("{lower} AND {upper}"), from.key.iter().chain(&to.key).cloned().collect())
            }
            Keys::Rowids(rowids) => (listed(table, rowids), Vec::new()),
            Keys::Units(units) => (listed(table, &own(units)), Vec::new()),
        }
    }
}

/// The row numbers of the rule in hand.
fn own(units: &[Unit]) -> Vec<i64> {
    units.iter().flat_map(Unit::own).collect()
}

fn listed(table: &Table, rowids: &[i64]) -> String {
    let listed: Vec<String> = rowids.iter().map(i64::to_string).collect();
    let key = table.order().iter().map(|column| table.column_sql(column)).collect::<String>();
    format!("{key} IN ({})", listed.join(","))
}

fn end_to_json(end: &End) -> serde_json::Value {
    let cells: Vec<serde_json::Value> = end.key.iter().map(cell_to_json).collect();
    json!({ "key": cells, "included": end.included })
}

fn end_from_json(json: &serde_json::Value) -> Option<End> {
    let key = json.get("key")?.as_array()?.iter().map(cell_from_json).collect::<Option<_>>()?;
    Some(End { key, included: json.get("included")?.as_bool()? })
}

fn cell_to_json(cell: &Value) -> serde_json::Value {
    match cell {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) => json!({ "integer": number.to_string() }),
        Value::Real(number) => json!({ "real": number.to_bits().to_string() }),
        Value::Text(text) => json!({ "text": text }),
        Value::Blob(bytes) => json!({ "blob": bytes }),
    }
}

fn cell_from_json(json: &serde_json::Value) -> Option<Value> {
    let (kind, value) = json.as_object()?.iter().next()?;
    match kind.as_str() {
        "integer" => Some(Value::Integer(value.as_str()?.parse().ok()?)),
        "real" => Some(Value::Real(f64::from_bits(value.as_str()?.parse().ok()?))),
        "text" => Some(Value::Text(value.as_str()?.to_string())),
        "blob" => {
            let byte = |byte: &serde_json::Value| byte.as_u64().and_then(|byte| u8::try_from(byte).ok());
            Some(Value::Blob(value.as_array()?.iter().map(byte).collect::<Option<_>>()?))
        }
        _ => None,
    }
}

/// A comparison of a record's key with one key's worth of parameters, from number `first` on.
fn compared(table: &Table, operator: &str, first: usize) -> String {
    let columns: Vec<String> = table.order().iter().map(|column| table.column_sql(column)).collect();
    let marks: Vec<String> = (first..first + columns.len()).map(|number| format!("?{number}")).collect();
    match table.key {
        Key::Rowid(_) => format!("{} {operator} {}", columns[0], marks[0]),
        Key::Columns(_) => format!("({}) {operator} ({})", columns.join(", "), marks.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_every_type_survive_json() {
        let first = vec![Value::Integer(i64::MIN), Value::Text("Ærø".into()), Value::Blob(vec![0, 255])];
        let last = vec![Value::Real(-0.0), Value::Real(1e300), Value::Integer(i64::MAX)];
        let keys = Keys::Range(End::with(first), End::without(last));
        assert_eq!(Keys::from_json(&keys.to_json()), Some(keys));
        assert_eq!(Keys::from_json(&json!([[], [{ "what": 1 }]])), None);
        assert_eq!(Keys::from_json(&json!("x")), None);
        let units =
            |units: &[&[i64]]| Keys::Units(units.iter().map(|own| Unit::announced(own.to_vec())).collect());
        let read = Keys::from_json(&units(&[&[3], &[i64::MAX, i64::MIN]]).to_json());
        assert_eq!(read, Some(units(&[&[3, i64::MAX, i64::MIN]])));
        assert_eq!(Keys::from_json(&json!({ "rows": [1, "x"] })), None);
    }

    #[test]
    fn only_row_numbers_go_into_the_ledger() {
        assert_eq!(Keys::between(3, 9).rowids(), Some([3, 9]));
        let open = Keys::Range(End::without(vec![Value::Integer(3)]), End::without(vec![Value::Integer(9)]));
        assert_eq!(open.rowids(), Some([4, 8]));
        assert_eq!(Keys::Rowids(vec![3, 4, 9]).rowids(), Some([3, 9]));
        let text = |text: &str| End::with(vec![Value::Text(text.into())]);
        assert_eq!(Keys::Range(text("a"), text("b")).rowids(), None);
    }
}
