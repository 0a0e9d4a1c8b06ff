//! The runs that a ledger tells of, a line each.

use std::io::{self, Write};

use super::table::{Cell, Column, Mood, Side, Stays, Table};
use super::text::Style;
use super::{deeds, grouped};
use crate::diagnostic::printable;
use crate::ledger::{Entry, Event, Recovered, RunFinished, RunStarted, Seconds};
use crate::policy::DEEDS;

/// Gathers entries into runs, in memory that grows with these and not with what they did.
#[derive(Debug, Default)]
pub struct Runs {
    runs: Vec<Run>,
}

#[derive(Debug)]
struct Run {
    name: String,
    first: u64,
    last: u64,
    began: String,
    policy: String,
    done: [u64; 3],
    along: u64,
    seconds: Option<Seconds>,
    ended: Ended,
}

#[derive(Debug)]
enum Ended {
    /// It goes on, or was killed and no later run has found that out.
    NotYet,
    Killed,
    With(i32, String),
}

impl Runs {
    /// Takes the next entry.
    pub fn take(&mut self, entry: &Entry) {
        if self.runs.last().is_none_or(|run| run.name != entry.run) {
            self.runs.push(Run::of(entry));
        }
        let Some(run) = self.runs.last_mut() else { return };
        run.last = entry.link.seq;
        match &entry.event {
            Some(Event::RunStarted(started)) => run.start(started),
            Some(Event::RuleFinished(rule)) => run.along += rule.taken_along,
            Some(Event::RunFinished(finished)) => run.finish(finished),
            Some(Event::Recovered(recovered)) => self.recover(recovered),
            _ => {}
        }
    }

    /// What a later run found out about one that was killed.
    fn recover(&mut self, recovered: &Recovered) {
        let killed = self.runs.iter_mut().rev().find(|run| run.name == recovered.killed_run);
        let Some(run) = killed else { return };
        let totals = [&recovered.deleted_total, &recovered.anonymised_total, &recovered.pseudonymised_total];
        run.done = totals.map(|by_rule| by_rule.values().sum());
        run.ended = Ended::Killed;
    }

    /// Writes a table of them, the last one last, and what they come to.
    pub fn write(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let total = |deed: usize| self.runs.iter().map(|run| run.done[deed]).sum::<u64>();
        let used: Vec<usize> = (0..DEEDS.len()).filter(|deed| *deed == 0 || total(*deed) > 0).collect();
        let left = |name, stays| Column { name, side: Side::Left, stays };
        let right = |name, stays| Column { name, side: Side::Right, stays };
        let mut columns = vec![left("policy", Stays::Always), left("began", Stays::Always)];
        columns.push(right("entries", Stays::More));
        columns.extend(used.iter().map(|deed| right(DEEDS[*deed].word(), Stays::Always)));
        columns.extend([right("along", Stays::Some), right("seconds", Stays::Some)]);
        columns.extend([left("ended", Stays::Always), left("why", Stays::Less)]);
        let rows = self.runs.iter().map(|run| run.cells(&used)).collect();
        Table { columns, rows }.write(out, style)?;
        let runs = if self.runs.len() == 1 { "run" } else { "runs" };
        let count = grouped(u64::try_from(self.runs.len()).unwrap_or(u64::MAX));
        let done = deeds(DEEDS.into_iter().zip((0..3).map(total)));
        writeln!(out, "\n{count} {runs}: {done}. Every entry: --all")
    }
}

impl Run {
    fn of(entry: &Entry) -> Run {
        Run {
            name: entry.run.clone(),
            first: entry.link.seq,
            last: entry.link.seq,
            began: entry.at.clone(),
            policy: "-".to_string(),
            done: [0; 3],
            along: 0,
            seconds: None,
            ended: Ended::NotYet,
        }
    }

    fn start(&mut self, started: &RunStarted) {
        self.policy = started.policy.clone();
    }

    fn finish(&mut self, finished: &RunFinished) {
        self.done = [finished.deleted, finished.anonymised, finished.pseudonymised];
        self.seconds = Some(finished.seconds);
        let why: Vec<String> = finished.reason.iter().map(ToString::to_string).collect();
        self.ended = Ended::With(finished.exit_code, why.join(", "));
    }

    fn cells(&self, used: &[usize]) -> Vec<Cell> {
        let plain = |text: &str| Cell::plain(printable(text));
        let mut cells = vec![plain(&self.policy), plain(&self.began)];
        cells.push(Cell::plain(format!("{}-{}", self.first, self.last)));
        let is_known = !matches!(self.ended, Ended::NotYet);
        let count = |number: u64| if is_known { grouped(number) } else { "-".to_string() };
        cells.extend(used.iter().map(|deed| Cell::plain(count(self.done[*deed]))));
        cells.push(Cell::plain(count(self.along)));
        cells.push(Cell::plain(
            self.seconds.map_or_else(|| "-".to_string(), |took| format!("{:.2}", took.as_secs_f64())),
        ));
        cells.extend(self.how_it_ended());
        cells
    }

    fn how_it_ended(&self) -> [Cell; 2] {
        let (ended, why, mood) = match &self.ended {
            Ended::With(0, _) => ("done".to_string(), "", Mood::Plain),
            Ended::With(code, why) => (format!("exit {code}"), why.as_str(), Mood::Wrong),
            Ended::Killed => ("killed".to_string(), "", Mood::Wrong),
            Ended::NotYet => ("not ended".to_string(), "", Mood::Due),
        };
        [Cell::plain(ended).mood(mood), Cell::plain(printable(why))]
    }
}
