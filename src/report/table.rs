//! A table that fits: numbers, dates and names never break. What has no room leaves the table and
//! stands below its row.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::text::Style;
use super::wrap::{width, wrapped};

/// Columns where there is no terminal: what mail and logs show without breaking lines.
const UNKNOWN_WIDTH: usize = 100;
/// Between two columns.
const GAP: usize = 2;
/// Names are shortened to so much before a column has to leave the table.
const LONG_NAME: usize = 30;
/// Names are never shorter.
const SHORT_NAME: usize = 12;

/// On which side the texts of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// When a column leaves a table that is too wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stays {
    /// Before all others; what it says needs no name.
    Least,
    /// Before numbers; what it says needs no name.
    Less,
    /// Numbers that few look at.
    Some,
    /// Numbers that many look at.
    More,
    Always,
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) side: Side,
    pub(super) stays: Stays,
}

/// What a cell tells besides its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Plain,
    /// Something is to be done.
    Due,
    /// Something is wrong.
    Wrong,
}

#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) mood: Mood,
}

impl Cell {
    pub(super) fn plain(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), mood: Mood::Plain }
    }

    pub(super) fn mood(self, mood: Mood) -> Cell {
        Cell { mood, ..self }
    }

    fn is_empty(&self) -> bool {
        ["", "-", "0"].contains(&self.text.as_str())
    }
}

/// Rows of cells, the first of which is the name of what the row is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(super) fn write(mut self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let room = style.width.map_or(UNKNOWN_WIDTH, usize::from);
        let shown = self.fit(room);
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| self.width_of(column)).collect();
        let header: Vec<Cell> = self.columns.iter().map(|column| Cell::plain(column.name)).collect();
        self.write_row(out, &header, (&shown, &widths), style)?;
        for row in &self.rows {
            self.write_row(out, row, (&shown, &widths), style)?;
            let below = self.below(row, &shown);
            if !below.is_empty() {
                writeln!(out, "{}", wrapped(&below, Some(room), 3, 3))?;
            }
        }
        Ok(())
    }

    /// Which columns stay in so much room; shortens names where that is not enough.
    fn fit(&mut self, room: usize) -> Vec<bool> {
        let mut shown = vec![true; self.columns.len()];
        self.shorten_names(room, &shown, LONG_NAME);
        while self.total(&shown) > room {
            let still = (0..shown.len()).filter(|column| shown[*column]);
            let next = still.min_by_key(|column| (self.columns[*column].stays, usize::MAX - column));
            match next.filter(|column| self.columns[*column].stays < Stays::Always) {
                Some(column) => shown[column] = false,
                None => break,
            }
        }
        self.shorten_names(room, &shown, SHORT_NAME);
        shown
    }

    fn shorten_names(&mut self, room: usize, shown: &[bool], least: usize) {
        let (total, names) = (self.total(shown), self.width_of(0));
        let allowed = names.saturating_sub(total.saturating_sub(room)).max(least);
        for name in self.rows.iter_mut().filter_map(|row| row.first_mut()) {
            name.text = shortened(&name.text, allowed);
        }
    }

    fn total(&self, shown: &[bool]) -> usize {
        let widths =
            (0..shown.len()).filter(|column| shown[*column]).map(|column| self.width_of(column) + GAP);
        // One column stands free on the left, and no gap behind the last.
        widths.sum::<usize>() + 1 - GAP.min(shown.len())
    }

    fn width_of(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| width(&cell.text));
        cells.max().unwrap_or_default().max(self.columns[column].name.width())
    }

    fn write_row(
        &self,
        out: &mut dyn Write,
        row: &[Cell],
        (shown, widths): (&[bool], &[usize]),
        style: Style,
    ) -> io::Result<()> {
        let mut line = String::new();
        let mut pending = 1;
        for (at, cell) in row.iter().enumerate().filter(|(at, _)| shown[*at]) {
            let free = widths[at].saturating_sub(width(&cell.text));
            let (before, after) = if self.columns[at].side == Side::Right { (free, 0) } else { (0, free) };
            // Spaces are written before what follows them, so that no line ends with one.
            if !cell.text.is_empty() {
                line.push_str(&" ".repeat(pending + before));
                line.push_str(&style.paint(&cell.text, cell.mood));
                pending = 0;
                pending += after + GAP;
            } else {
                pending += widths[at] + GAP;
            }
        }
        writeln!(out, "{line}")
    }

    /// What has no room in the table, in its order.
    fn below(&self, row: &[Cell], shown: &[bool]) -> String {
        let hidden = row
            .iter()
            .zip(&self.columns)
            .zip(shown)
            .filter(|((cell, _), shown)| !**shown && !cell.is_empty());
        let told = hidden.map(|((cell, column), _)| match column.stays {
            Stays::Least | Stays::Less => cell.text.clone(),
            _ => format!("{} {}", column.name, cell.text),
        });
        told.collect::<Vec<_>>().join(", ")
    }
}

/// A name with its middle left out, where it is longer than that.
fn shortened(name: &str, allowed: usize) -> String {
    let total = width(name);
    if total <= allowed {
        return name.to_string();
    }
    let (mut head, mut tail) = (String::new(), Vec::new());
    for c in name.chars() {
        if width(&head) + width(c.encode_utf8(&mut [0; 4])) > allowed / 2 {
            break;
        }
        head.push(c);
    }
    let left = allowed.saturating_sub(width(&head) + 1);
    let mut taken = 0;
    for c in name.chars().rev() {
        taken += width(c.encode_utf8(&mut [0; 4]));
        if taken > left {
            break;
        }
        tail.push(c);
    }
    head + "…" + &tail.iter().rev().collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_loses_its_middle_and_no_more() {
        assert_eq!(shortened("customers", 12), "customers");
        assert_eq!(shortened("customer_interactions_archive_01", 13), "custom…ive_01");
        assert_eq!(shortened("日本語日本語日本語", 9), "日本…本語");
        for allowed in 1..40 {
            let short = shortened("customer_interactions_archive_01", allowed);
            assert!(width(&short) <= allowed, "{allowed} {short}");
        }
    }

    fn table() -> Table {
        let column = |name, side, stays| Column { name, side, stays };
        let columns = vec![
            column("rule", Side::Left, Stays::Always),
            column("data", Side::Left, Stays::Less),
            column("keep", Side::Left, Stays::Least),
            column("due", Side::Right, Stays::Always),
            column("in period", Side::Right, Stays::Some),
        ];
        let row = |cells: [&str; 5]| cells.map(Cell::plain).to_vec();
        let rows = vec![
            row(["short", "app.people", "1 year after ended_at", "1,234", "7"]),
            row(["customer_interactions_archive_01", "app.customer_interactions", "5 years", "0", "0"]),
        ];
        Table { columns, rows }
    }

    fn drawn(width: u16) -> String {
        let mut out = Vec::new();
        table().write(&mut out, Style { width: Some(width), color: false }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_line_fits_and_no_number_breaks() {
        for width in 24..140 {
            let text = drawn(width);
            for line in text.lines() {
                assert!(line.chars().count() <= width.into() && line.trim_end() == line, "{width}:\n{text}");
            }
            assert!(text.contains("1,234") && text.contains("app.people"), "{width}:\n{text}");
        }
    }

    #[test]
    fn what_has_no_room_stands_below_its_row() {
        insta::assert_snapshot!([140, 80, 40, 30].map(drawn).join("\n"), @r"
         rule                              data                       keep                     due  in period
         short                             app.people                 1 year after ended_at  1,234          7
         customer_interactions_archive_01  app.customer_interactions  5 years                    0          0

         rule                            data                         due  in period
         short                           app.people                 1,234          7
           1 year after ended_at
         customer_intera…ons_archive_01  app.customer_interactions      0          0
           5 years

         rule                              due
         short                           1,234
           app.people, 1 year after ended_at, in
           period 7
         customer_intera…ons_archive_01      0
           app.customer_interactions, 5 years

         rule                      due
         short                   1,234
           app.people, 1 year after
           ended_at, in period 7
         customer_in…archive_01      0
           app.customer_interactions,
           5 years
        ");
    }
}
