//! The keys that bound one batch.

use rusqlite::types::Value;
use serde_json::json;

use crate::source::sqlite::schema::{Key, Table};

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
}

impl Keys {
    /// The condition on a record's key in SQL, and its parameters.
    pub(super) fn condition(&self, table: &Table) -> (String, Vec<Value>) {
        match self {
            Keys::Range(from, to) => {
                let lower = compared(table, if from.included { ">=" } else { ">" }, 1);
                let upper = compared(table, if to.included { "<=" } else { "<" }, from.key.len() + 1);
                (format!("{lower} AND {upper}"), from.key.iter().chain(&to.key).cloned().collect())
            }
            Keys::Rowids(rowids) => (listed(table, rowids), Vec::new()),
        }
    }
}

fn listed(table: &Table, rowids: &[i64]) -> String {
    let listed: Vec<String> = rowids.iter().map(i64::to_string).collect();
    let key = table.order().iter().map(|column| table.column_sql(column)).collect::<String>();
    format!("{key} IN ({})", listed.join(","))
}

/// A value of a key as JSON, for the file that a killed run leaves.
pub(super) fn cell_to_json(cell: &Value) -> serde_json::Value {
    match cell {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) => json!(number),
        Value::Real(number) => json!({ "real": number.to_bits().to_string() }),
        Value::Text(text) => json!({ "text": text }),
        Value::Blob(bytes) => json!({ "blob": bytes }),
    }
}

/// One that was read back.
pub(super) fn cell_from_json(json: &serde_json::Value) -> Option<Value> {
    if let Some(number) = json.as_i64() {
        return Some(Value::Integer(number));
    }
    let (kind, value) = json.as_object()?.iter().next()?;
    match kind.as_str() {
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
    fn values_of_every_type_survive_json() {
        let integers = [i64::MIN, -1, 0, i64::MAX].map(Value::Integer);
        let reals = [-0.0, 1e300, f64::INFINITY, 1.0].map(Value::Real);
        let others = [Value::Text("Ærø".into()), Value::Text(String::new()), Value::Blob(vec![0, 255])];
        for cell in integers.into_iter().chain(reals).chain(others) {
            let text = cell_to_json(&cell).to_string();
            assert_eq!(cell_from_json(&serde_json::from_str(&text).unwrap()), Some(cell));
        }
        for wrong in [json!({ "what": 1 }), json!("x"), json!([]), json!({ "blob": [256] }), json!(1.5)] {
            assert_eq!(cell_from_json(&wrong), None);
        }
    }
}
