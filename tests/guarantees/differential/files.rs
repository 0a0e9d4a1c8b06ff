//! A table of a model in CSV files.

use std::fs;

use super::super::support::Place;
use super::data::Table;
use super::draw::Draw;
use super::layout::{Held, Style};
use super::model::Model;
use super::personal::{Made, PSEUDONYM};
use super::time::Written;

impl Style {
    pub(super) fn draw(draw: &mut Draw, model: &Model, table: usize) -> Style {
        let table = &model.tables[table];
        let files = 1 + draw.below(3);
        let columns = (0..files).map(|_| {
            let mut order: Vec<usize> = (0..table.names().len()).collect();
            (1..order.len()).for_each(|place| order.swap(place, draw.below(place + 1)));
            order
        });
        Style {
            columns: columns.collect(),
            delimiter: draw.pick(&[',', ';', '\t', '|']),
            end: draw.pick(&["\n", "\r\n"]),
            quoted: draw.pick(&[0, 20]),
            file: table.rows.iter().map(|_| draw.below(files)).collect(),
        }
    }
}

fn name(table: usize, file: usize) -> String {
    format!("c{table}-{file}.csv")
}

fn field(text: &str, style: &Style, draw: &mut Draw) -> String {
    if text.contains([style.delimiter, '"', '\n', '\r']) || draw.chance(style.quoted) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Each file's records, its header first, with the number of the record behind it.
fn lines(table: &Table, style: &Style) -> Vec<Vec<(Option<usize>, String)>> {
    let mut draw = Draw::of(table.rows.len() as u64);
    let mut line = |file: usize, texts: Vec<String>| {
        let texts = style.columns[file].iter().map(|column| field(&texts[*column], style, &mut draw));
        texts.collect::<Vec<_>>().join(&style.delimiter.to_string()) + style.end
    };
    let mut files: Vec<Vec<(Option<usize>, String)>> =
        (0..style.columns.len()).map(|file| vec![(None, line(file, table.names()))]).collect();
    for (number, row) in table.rows.iter().enumerate() {
        let texts = row.cells(number).into_iter().map(|cell| match cell {
            Written::Null => String::new(),
            Written::Text(text) | Written::Number(text) => text,
        });
        let file = style.file[number];
        files[file].push((Some(number), line(file, texts.collect())));
    }
    files
}

pub(super) fn write(table: &Table, number: usize, style: &Style, place: &Place) {
    for (file, lines) in lines(table, style).into_iter().enumerate() {
        let text: String = lines.into_iter().map(|(_, line)| line).collect();
        fs::write(place.path(&name(number, file)), text).unwrap();
    }
}

/// Records are named by the line on which they begin.
pub(super) fn keys(table: &Table, number: usize, style: &Style) -> Vec<String> {
    let mut keys = vec![String::new(); table.rows.len()];
    for (file, lines) in lines(table, style).into_iter().enumerate() {
        let mut at = 1;
        for (record, line) in lines {
            if let Some(record) = record {
                keys[record] = format!("{}:{at}", name(number, file));
            }
            at += line.matches('\n').count();
        }
    }
    keys
}

pub(super) fn held(number: usize, style: &Style, place: &Place) -> Held {
    let mut held = Held::new();
    for (file, order) in style.columns.iter().enumerate() {
        let text = fs::read_to_string(place.path(&name(number, file))).unwrap();
        for record in records(&text, style.delimiter).into_iter().skip(1) {
            let mut cells = vec![String::new(); order.len()];
            order.iter().zip(record).for_each(|(column, field)| cells[*column] = without_key(field));
            held.insert(cells[0].parse().unwrap(), cells);
        }
    }
    held
}

fn without_key(field: String) -> String {
    let is_made = field.starts_with("frist:") && field.len() == PSEUDONYM.len() && field != PSEUDONYM;
    if is_made { "PSEUDONYM".to_owned() } else { field }
}

/// The fields of each record.
fn records(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut is_quoted, mut characters) = (false, text.chars().peekable());
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => is_quoted = !is_quoted,
            other if is_quoted => field.push(other),
            '\r' => {}
            '\n' => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            other if other == delimiter => record.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    records
}

/// What a field that was set holds.
pub(super) fn after(made: &Made) -> Option<String> {
    match made {
        Made::Already | Made::Unreadable => None,
        Made::Nothing => Some(String::new()),
        Made::Text(text) | Made::Number(text) => Some(text.clone()),
        Made::Pseudonym => Some("PSEUDONYM".to_owned()),
    }
}
