//! The records of a listing, one a line: for people, and as CSV.

use std::io::{self, Write};

use super::text::Style;
use super::wrap::{width, wrapped};
use super::{Listing, Record};
use crate::diagnostic::printable;
use crate::plan::{Plan, PlannedRule};
use crate::policy::Policy;
use crate::source::Problem;

/// How many records are looked at before the first is written, to see how wide their columns are.
const SAMPLE: usize = 200;

/// A longer key or time does not move what stands behind it in other lines.
const WIDEST: usize = 40;

/// Below so many columns the reason stands on a line of its own.
const NARROW: usize = 30;

/// Writes the records of all rules of a plan.
pub(super) fn write(
    out: &mut dyn Write,
    policy: &Policy,
    plan: &Plan,
    listing: &dyn Listing,
    style: Style,
) -> io::Result<()> {
    for (place, planned) in plan.rules.iter().enumerate() {
        let rule = &policy.rules[planned.index];
        writeln!(out, "{} ({}):", printable(&rule.name), printable(&rule.data()))?;
        let mut lines = Lines { out, style, sample: Some(Vec::new()), widths: [0; 3] };
        let (read, written) = each(listing, place, |record| lines.take(record));
        written.and_then(|()| lines.end())?;
        if let Err(problem) = read {
            writeln!(out, "  PROBLEM: {}", printable(&problem.to_string()))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Hands over the records of a rule until one cannot be written.
fn each(
    listing: &dyn Listing,
    place: usize,
    mut take: impl FnMut(Record) -> io::Result<()>,
) -> (Result<(), Problem>, io::Result<()>) {
    let mut written = Ok(());
    let read = listing.each(place, &mut |record| {
        written = take(record);
        written.is_ok()
    });
    (read, written)
}

/// Lines under each other, in columns that the first of them are wide.
struct Lines<'a> {
    out: &'a mut dyn Write,
    style: Style,
    /// Records that are not written yet; none once the widths are known.
    sample: Option<Vec<[String; 4]>>,
    widths: [usize; 3],
}

impl Lines<'_> {
    fn take(&mut self, record: Record) -> io::Result<()> {
        let cells = cells(&record);
        match &mut self.sample {
            None => self.line(&cells),
            Some(sample) => {
                sample.push(cells);
                if sample.len() < SAMPLE { Ok(()) } else { self.end() }
            }
        }
    }

    /// Writes what was looked at.
    fn end(&mut self) -> io::Result<()> {
        let Some(mut sample) = self.sample.take() else { return Ok(()) };
        if sample.is_empty() {
            return writeln!(self.out, "  none");
        }
        sample.insert(0, ["key", "state", "event", "reason"].map(str::to_string));
        for (at, widest) in self.widths.iter_mut().enumerate() {
            *widest = sample.iter().map(|cells| width(&cells[at])).max().unwrap_or(0).min(WIDEST);
        }
        sample.iter().try_for_each(|cells| self.line(cells))
    }

    fn line(&mut self, cells: &[String; 4]) -> io::Result<()> {
        let mut line = " ".repeat(2);
        for (cell, widest) in cells.iter().zip(self.widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(widest.saturating_sub(width(cell)) + 2));
        }
        let room = self.style.width.map(usize::from);
        let (begin, reason) = (width(&line), &cells[3]);
        match room {
            Some(room) if begin + NARROW.min(width(reason)) > room => {
                writeln!(self.out, "{}", line.trim_end())?;
                writeln!(self.out, "{}", wrapped(reason, Some(room), 6, 6))
            }
            _ => writeln!(self.out, "{}", wrapped(&format!("{line}{reason}"), room, 0, begin).trim_end()),
        }
    }
}

fn cells(record: &Record) -> [String; 4] {
    let event = record.event.as_deref().unwrap_or("-");
    let period = record.period.as_ref().map(|period| format!(" ({period})")).unwrap_or_default();
    let reason = format!("{}{period}", record.reason);
    [&record.key, record.state.told(), event, &reason].map(printable)
}

/// An instant at which a day begins, as that day.
pub(crate) fn day(instant: &str) -> &str {
    instant.split_once("T00:00:00").filter(|(_, rest)| !rest.starts_with('.')).map_or(instant, |(day, _)| day)
}

/// The columns of a list as CSV.
const COLUMNS: [&str; 8] = ["policy", "rule", "data", "key", "state", "event", "due_from", "reason"];

/// Writes the first line of a list as CSV (RFC 4180).
pub fn write_csv_header(out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{}\r\n", COLUMNS.join(","))
}

/// Writes the records of a plan as CSV (RFC 4180). What could not be listed is told elsewhere.
pub fn write_csv(out: &mut dyn Write, policy: &Policy, plan: &Plan, listing: &dyn Listing) -> io::Result<()> {
    for (place, planned) in plan.rules.iter().enumerate() {
        let (_, written) = each(listing, place, |record| csv_line(out, policy, planned, &record));
        written?;
    }
    Ok(())
}

fn csv_line(out: &mut dyn Write, policy: &Policy, planned: &PlannedRule, record: &Record) -> io::Result<()> {
    let rule = &policy.rules[planned.index];
    let empty = String::new();
    let (event, due) = (record.event.as_ref().unwrap_or(&empty), record.due_from.as_ref().unwrap_or(&empty));
    let data = rule.data();
    let fields: [&str; 8] =
        [&policy.name, &rule.name, &data, &record.key, record.state.word(), event, due, &record.reason];
    write!(out, "{}\r\n", fields.map(csv_field).join(","))
}

fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) || text != text.trim() {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_instant_of_a_day_is_that_day() {
        assert_eq!(day("2026-10-25T00:00:00+02:00"), "2026-10-25");
        assert_eq!(day("2026-10-25T00:00:00.5+02:00"), "2026-10-25T00:00:00.5+02:00");
        assert_eq!(day("2026-10-25T12:00:00Z"), "2026-10-25T12:00:00Z");
    }

    #[test]
    fn what_would_end_a_field_is_quoted() {
        assert_eq!(
            ["a", "a,b", "say \"x\"", " a", "a\nb"].map(csv_field).join("|"),
            "a|\"a,b\"|\"say \"\"x\"\"\"|\" a\"|\"a\nb\""
        );
    }
}
