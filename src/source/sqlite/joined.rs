//! The records of a table, by what joins them to rows of the same database.

use std::path::Path;

use super::open::read;
use super::related::key_of;
use super::schema::describe;
use super::{join, problem};
use crate::note::Asked;
use crate::source::request::Unusable;

/// Tells the key of every record that a question is about.
pub(crate) fn each(path: &Path, asked: &Asked, told: &mut dyn FnMut(&[u8])) -> Result<(), Unusable> {
    read(path, |opener| {
        let connection = opener.connect()?;
        let table = describe(&connection, &asked.table, &asked.question.relation.at)?;
        let pairs = join::pairs(&connection, &table, &asked.question)?;
        let key: Vec<String> = pairs.iter().map(|pair| pair.key_sql(&table)).collect();
        let explain = |error| problem(opener.path(), &error);
        let sql = format!("SELECT {} FROM {}", key.join(", "), table.sql());
        let mut statement = connection.prepare(&sql).map_err(explain)?;
        let mut rows = statement.query([]).map_err(explain)?;
        while let Some(row) = rows.next().map_err(explain)? {
            let cells = (0..key.len()).map(|cell| row.get_ref(cell));
            let cells: Vec<_> = cells.collect::<rusqlite::Result<_>>().map_err(explain)?;
            if let Some(key) = key_of(cells.into_iter()) {
                told(&key);
            }
        }
        Ok(())
    })
}
