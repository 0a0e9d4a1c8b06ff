//! Tables and their rows, as the model knows them.

use super::draw::Draw;
use super::format::Format;
use super::period::{self, Length, Period};
use super::personal::{self, BornFormat, Personal};
use super::time::{Cell, Clock, Written};

#[derive(Clone, Debug)]
pub(super) struct Table {
    /// The columns `t0`, `t1` and so on: how they write time, and their types.
    pub(super) times: Vec<(Format, &'static str)>,
    pub(super) born: BornFormat,
    /// The types of `id` and `ref`, of `n`, and of `p`.
    pub(super) key_type: &'static str,
    pub(super) number_type: &'static str,
    pub(super) period_type: &'static str,
    pub(super) is_name_needed: bool,
    pub(super) is_without_rowid: bool,
    /// Indexed columns, by which an engine may look for what is due.
    pub(super) indexed: Vec<&'static str>,
    pub(super) rows: Vec<Row>,
}

/// The columns beside those of times and persons.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) times: Vec<Cell>,
    pub(super) kind: Option<String>,
    pub(super) number: Number,
    pub(super) period: Said,
    pub(super) persons: Vec<Personal>,
}

#[derive(Clone, Debug)]
pub(super) enum Number {
    Null,
    Halves(i64),
    Word(&'static str),
}

/// A cell that should hold a period.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) written: Written,
    pub(super) means: Saying,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Saying {
    Nothing,
    Count(u32),
    Period(Length),
    Wrong,
}

impl Number {
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Number::Null => None,
            Number::Halves(halves) if halves % 2 == 0 => Some((halves / 2).to_string()),
            Number::Halves(halves) => Some(format!("{}.5", halves / 2)),
            Number::Word(word) => Some((*word).to_owned()),
        }
    }

    pub(super) fn written(&self) -> Written {
        match (self, self.text()) {
            (Number::Halves(_), Some(text)) => Written::Number(text),
            (_, Some(text)) => Written::Text(text),
            (_, None) => Written::Null,
        }
    }
}

/// Whether keys are whole numbers in all tables, or texts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Keys {
    Numbers,
    Texts,
}

const KEYS: [&str; 9] = ["a1", "A1", " a1", "b2", "B2 ", "c3", "C3", "d 4", "Æ5"];
const KINDS: [&str; 10] = ["a", "a", "A", "b", "B", "a,b", "x \"y\"", "line\nend", " a ", "æ"];

impl Keys {
    fn draw(self, draw: &mut Draw) -> Option<String> {
        match self {
            _ if draw.chance(6) => None,
            Keys::Numbers => Some((1 + draw.below(10)).to_string()),
            Keys::Texts => Some(draw.pick(&KEYS).to_owned()),
        }
    }

    fn types(self) -> &'static [&'static str] {
        match self {
            Keys::Numbers => &["INTEGER", "TEXT"],
            Keys::Texts => &["TEXT"],
        }
    }
}

impl Table {
    /// A table without rows.
    pub(super) fn draw(draw: &mut Draw, keys: Keys) -> Table {
        let times = (0..1 + draw.below(3)).map(|_| {
            let format = Format::draw(draw);
            (format, draw.pick(format.types()))
        });
        let times: Vec<_> = times.collect();
        let indexed = ["t0", "ref", "id"].into_iter().filter(|_| draw.chance(30)).collect();
        Table {
            times,
            born: draw.pick(&BornFormat::ALL),
            key_type: draw.pick(keys.types()),
            number_type: draw.pick(&["", "NUMERIC", "TEXT"]),
            period_type: draw.pick(&["", "NUMERIC", "TEXT"]),
            is_name_needed: draw.chance(25),
            is_without_rowid: draw.chance(15),
            indexed,
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&self, draw: &mut Draw, keys: Keys, clock: &Clock<'_>, periods: &[Period]) -> Row {
        let number = match draw.below(12) {
            0 | 1 => Number::Null,
            2 => Number::Word("five"),
            _ => Number::Halves(draw.within(0..=20)),
        };
        let calendar = clock.focus.calendar;
        let persons = (0..personal::COLUMNS.len()).map(|at| {
            loop {
                let person = personal::draw(draw, at, self.born, calendar);
                if !(at == 0 && self.is_name_needed && person.written == Written::Null) {
                    break person;
                }
            }
        });
        let persons = persons.collect();
        Row {
            id: keys.draw(draw),
            reference: keys.draw(draw),
            times: self.times.iter().map(|(format, _)| clock.cell(draw, *format)).collect(),
            kind: (!draw.chance(10)).then(|| draw.pick(&KINDS).to_owned()),
            number,
            period: said(draw, clock.empty, periods),
            persons,
        }
    }
}

fn said(draw: &mut Draw, empty: &[String], periods: &[Period]) -> Said {
    let (written, means) = match draw.below(20) {
        0 => (Written::Null, Saying::Nothing),
        1 => (Written::Text(" ".to_owned()), Saying::Nothing),
        2 => {
            let wrong = ["soon", "0", "-3", "1.5", "1  month", "3 Months", "at most 5 hours", "n/a"];
            let text = draw.pick(&wrong).to_owned();
            let is_listed = empty.contains(&text);
            (Written::Text(text), if is_listed { Saying::Nothing } else { Saying::Wrong })
        }
        3..=10 => {
            let count = draw.pick(&[1, 1, 2, 3, 12, 24, 30, 36]);
            let text = count.to_string();
            let is_number = draw.chance(60);
            (if is_number { Written::Number(text) } else { Written::Text(text) }, Saying::Count(count))
        }
        _ => {
            let period = if draw.chance(50) { draw.pick(periods) } else { period::any(draw) };
            (Written::Text(period.text), Saying::Period(period.length))
        }
    };
    Said { written, means }
}
