//! Where each table is: in a database or in CSV files; written there, and read again.

use std::collections::BTreeMap;

use super::super::support::Place;
use super::draw::Draw;
use super::model::Model;
use super::{files, tables};

#[derive(Clone, Debug)]
pub(super) enum Home {
    /// The database of this number.
    Database(usize),
    Csv(Style),
}

/// How files are written.
#[derive(Clone, Debug)]
pub(super) struct Style {
    pub(super) delimiter: char,
    pub(super) end: &'static str,
    /// How many fields of a hundred are quoted without need.
    pub(super) quoted: usize,
    /// Of each record the number of its file.
    pub(super) file: Vec<usize>,
    /// Of each file the order of its columns.
    pub(super) columns: Vec<Vec<usize>>,
}

#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) homes: Vec<Home>,
}

/// What the records hold, by their numbers: cells as SQL or as a file writes them.
pub(super) type Held = BTreeMap<usize, Vec<String>>;

impl Layout {
    /// All in one database, all in files, and each table anywhere.
    pub(super) fn draw_all(draw: &mut Draw, model: &Model) -> Vec<Layout> {
        let count = model.tables.len();
        let together = (0..count).map(|_| Home::Database(0)).collect();
        let in_files = (0..count).map(|table| Home::Csv(Style::draw(draw, model, table))).collect();
        let mut layouts = vec![Layout { homes: together }, Layout { homes: in_files }];
        if count > 1 {
            let anywhere = (0..count).map(|table| match draw.below(5) {
                0 | 1 => Home::Csv(Style::draw(draw, model, table)),
                _ => Home::Database(draw.below(count)),
            });
            layouts.push(Layout { homes: anywhere.collect() });
        }
        layouts
    }

    pub(super) fn data(&self, table: usize) -> String {
        match self.homes[table] {
            Home::Database(number) => format!("db{number}.t{table}"),
            Home::Csv(_) => format!("c{table}"),
        }
    }

    /// What a relation of one table calls another.
    pub(super) fn seen_from(&self, from: usize, table: usize) -> String {
        match (&self.homes[from], &self.homes[table]) {
            (Home::Database(own), Home::Database(theirs)) if own == theirs => format!("t{table}"),
            _ => self.data(table),
        }
    }

    pub(super) fn write(&self, model: &Model, place: &Place) {
        for (table, home) in self.homes.iter().enumerate() {
            match home {
                Home::Database(number) => tables::write(&model.tables[table], table, *number, place),
                Home::Csv(style) => files::write(&model.tables[table], table, style, place),
            }
        }
    }

    /// What names each record of a table in a listing.
    pub(super) fn keys(&self, model: &Model, table: usize) -> Vec<String> {
        match &self.homes[table] {
            Home::Database(_) => {
                (0..model.tables[table].rows.len()).map(|number| number.to_string()).collect()
            }
            Home::Csv(style) => files::keys(&model.tables[table], table, style),
        }
    }

    pub(super) fn held(&self, model: &Model, table: usize, place: &Place) -> Held {
        match &self.homes[table] {
            Home::Database(number) => tables::held(&model.tables[table], table, *number, place),
            Home::Csv(style) => files::held(table, style, place),
        }
    }
}
