//! A table of a model in a database.

use rusqlite::Connection;

use super::super::support::{Place, open};
use super::data::{Row, Table};
use super::layout::Held;
use super::personal::{COLUMNS, Made, PSEUDONYM};
use super::time::Written;

impl Table {
    /// The names of its columns.
    pub(super) fn names(&self) -> Vec<String> {
        let times = (0..self.times.len()).map(|column| format!("t{column}"));
        let own = ["no", "id", "ref", "kind", "n", "p"].map(str::to_owned);
        own.into_iter().chain(times).chain(COLUMNS.map(|(name, _)| name.to_owned())).collect()
    }

    fn types(&self) -> Vec<&'static str> {
        let name = if self.is_name_needed { "TEXT NOT NULL" } else { "TEXT" };
        let own =
            ["INTEGER PRIMARY KEY", self.key_type, self.key_type, "TEXT", self.number_type, self.period_type];
        let times = self.times.iter().map(|(_, of_time)| *of_time);
        own.into_iter().chain(times).chain([name, "", "TEXT", "TEXT", "TEXT"]).collect()
    }
}

impl Row {
    /// Its cells, in the order of the columns.
    pub(super) fn cells(&self, number: usize) -> Vec<Written> {
        let text = |text: &Option<String>| text.clone().map_or(Written::Null, Written::Text);
        let own = [
            Written::Number(number.to_string()),
            text(&self.id),
            text(&self.reference),
            text(&self.kind),
            self.number.written(),
            self.period.written.clone(),
        ];
        let times = self.times.iter().map(|cell| cell.written.clone());
        let persons = self.persons.iter().map(|person| person.written.clone());
        own.into_iter().chain(times).chain(persons).collect()
    }
}

pub(super) fn literal(cell: &Written) -> String {
    match cell {
        Written::Null => "NULL".to_owned(),
        Written::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Written::Number(digits) => digits.clone(),
    }
}

fn connection(number: usize, place: &Place) -> Connection {
    open(&place.path(&format!("db{number}.db")))
}

pub(super) fn sql(table: &Table, number: usize) -> String {
    let columns: Vec<String> =
        table.names().into_iter().zip(table.types()).map(|(name, of)| format!("\"{name}\" {of}")).collect();
    let end = if table.is_without_rowid { " WITHOUT ROWID" } else { "" };
    let mut sql = format!("CREATE TABLE t{number} ({}){end};\n", columns.join(", "));
    for column in &table.indexed {
        sql += &format!("CREATE INDEX t{number}_{column} ON t{number} (\"{column}\");\n");
    }
    for (place, row) in table.rows.iter().enumerate() {
        let cells: Vec<String> = row.cells(place).iter().map(literal).collect();
        sql += &format!("INSERT INTO t{number} VALUES ({});\n", cells.join(", "));
    }
    sql
}

pub(super) fn write(table: &Table, number: usize, database: usize, place: &Place) {
    let sql = format!("BEGIN; {} COMMIT;", sql(table, number));
    connection(database, place).execute_batch(&sql).unwrap();
}

pub(super) fn held(table: &Table, number: usize, database: usize, place: &Place) -> Held {
    let connection = connection(database, place);
    let cells: Vec<String> = table.names().iter().map(|name| format!("quote(\"{name}\")")).collect();
    let sql = format!("SELECT no, {} FROM t{number}", cells.join(", "));
    let mut statement = connection.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| {
        let cells: rusqlite::Result<Vec<String>> = (1..=cells.len()).map(|cell| row.get(cell)).collect();
        Ok((row.get::<_, i64>(0)? as usize, cells?.into_iter().map(without_key).collect()))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Every pseudonym that was made as the same word, for nobody here has the key.
fn without_key(cell: String) -> String {
    let is_made =
        cell.starts_with("'frist:") && cell.len() == PSEUDONYM.len() + 2 && !cell.contains(PSEUDONYM);
    if is_made { "PSEUDONYM".to_owned() } else { cell }
}

/// What a cell that was set holds.
pub(super) fn after(made: &Made, table: &Table, column: usize) -> Option<String> {
    Some(match made {
        Made::Already | Made::Unreadable => return None,
        Made::Nothing if column == 0 && table.is_name_needed => "''".to_owned(),
        Made::Nothing => "NULL".to_owned(),
        Made::Text(text) => literal(&Written::Text(text.clone())),
        Made::Number(digits) => digits.clone(),
        Made::Pseudonym => "PSEUDONYM".to_owned(),
    })
}
