//! `frist report`: the dry run.

use std::cell::Cell;
use std::io::{self, Write};

use crate::calendar::Timestamp;
use crate::cli::{Format, Output, Report, ReportFormat};
use crate::exit;
use crate::note::{self, Notes};
use crate::plan::{Accepted, Plan, Scope};
use crate::policy::Policy;
use crate::report::forecast::Forecast;
use crate::report::prometheus::{self, Exported};
use crate::report::text::Style;
use crate::report::{Listing, More, Subject, Total, list, text};
use crate::source::request::Extent;

use super::console::{close, close_one, draw};
use super::listing::Records;
use super::{Console, Failure, forecast, outputs, policies};

pub(super) fn run(
    arguments: &Report,
    console: &mut Console<'_>,
    clock: &dyn Fn() -> Timestamp,
) -> Result<u8, Failure> {
    require_list(arguments)?;
    let policies = policies::valid(&arguments.policies, console)?;
    let chosen = policies::chosen(&policies, &arguments.rules)?;
    outputs::require_writable(&arguments.output, &policies::files(&policies), &policies)?;
    let mut reported = Vec::new();
    for (policy, rules) in policies.iter().zip(&chosen) {
        let now = as_of(arguments, policy, clock)?;
        tell_notes(policy);
        let scope =
            Scope { now, rules: rules.as_ref(), accepted: &Accepted::default(), extent: Extent::Every };
        let plan = Plan::make(policy, &scope);
        let forecast =
            arguments.forecast.map(|horizon| forecast::make(policy, rules.as_ref(), &plan, horizon));
        reported.push(Reported { policy, plan, forecast });
    }
    let unfinished =
        reported.iter().filter_map(|one| one.forecast.as_ref()).any(|forecast| !forecast.is_whole);
    Reports { arguments, reported, failed: Cell::new(unfinished) }.deliver(console)
}

/// What there is to say of one policy.
struct Reported<'a> {
    policy: &'a Policy,
    plan: Plan,
    forecast: Option<Forecast>,
}

/// What there is to say of all policies.
struct Reports<'a> {
    arguments: &'a Report,
    reported: Vec<Reported<'a>>,
    /// Set where a list or a forecast could not be finished.
    failed: Cell<bool>,
}

impl Reports<'_> {
    fn deliver(&self, console: &mut Console<'_>) -> Result<u8, Failure> {
        let output = &self.arguments.output;
        let delivered = console.deliver(
            output,
            &mut |out, format, style| self.draw(out, format, style),
            &mut |out, style| self.complain(out, style),
        );
        delivered.map_err(|failure| failure.beside(self.code()))?;
        // Among records and metrics there is no room for what is wrong.
        if matches!(output.format, ReportFormat::Csv | ReportFormat::Prometheus) {
            self.complain(console.err, console.style)?;
        }
        Ok(self.code())
    }

    fn draw(&self, out: &mut dyn Write, format: ReportFormat, style: Style) -> io::Result<()> {
        let format = match format {
            ReportFormat::Text => Format::Text,
            ReportFormat::Json => Format::Json,
            ReportFormat::Csv => return self.records_as_csv(out),
            ReportFormat::Prometheus => {
                let all = self.reported.iter().map(|one| Exported::Report(one.policy, &one.plan));
                return prometheus::write(out, &all.collect::<Vec<_>>());
            }
        };
        for Reported { policy, plan, forecast } in &self.reported {
            let records = self.records(policy, plan);
            let listing = self.arguments.list.then_some(&records as &dyn Listing);
            draw(
                out,
                format,
                style,
                policy,
                Subject::Plan(plan),
                More { listing, forecast: forecast.as_ref() },
            )?;
            close_one(out, format, style, &Total::of_plan(policy, plan), self.reported.len())?;
        }
        close(out, format, style, &self.total().closing(self.code(), self.arguments.fail_on_due))
    }

    fn records<'r>(&'r self, policy: &'r Policy, plan: &'r Plan) -> Records<'r> {
        Records { policy, plan, all: self.arguments.all, failed: &self.failed }
    }

    fn records_as_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        list::write_csv_header(out)?;
        let mut all = self.reported.iter();
        all.try_for_each(|one| {
            list::write_csv(out, one.policy, &one.plan, &self.records(one.policy, &one.plan))
        })
    }

    /// Only what is wrong, and what the exit code means.
    fn complain(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let mut all = self.reported.iter();
        all.try_for_each(|one| text::write_plan_complaints(out, one.policy, &one.plan, style))?;
        let line = self.total().closing(self.code(), self.arguments.fail_on_due);
        if self.code() == exit::DONE { Ok(()) } else { text::last_line(out, &line, style) }
    }

    fn total(&self) -> Total {
        let mut total = Total::default();
        self.reported.iter().for_each(|one| total.add(Total::of_plan(one.policy, &one.plan)));
        if self.failed.get() {
            total.add_unfinished_list();
        }
        total
    }

    fn code(&self) -> u8 {
        let plans = || self.reported.iter().map(|one| &one.plan);
        let incomplete = self.failed.get() || plans().any(Plan::is_incomplete);
        let due = self.arguments.fail_on_due && plans().any(|plan| plan.due() + plan.blocked() > 0);
        match (incomplete, due) {
            (true, _) => exit::INCOMPLETE,
            (false, true) => exit::FINDINGS,
            (false, false) => exit::DONE,
        }
    }
}

fn require_list(arguments: &Report) -> Result<(), Failure> {
    let Output { format, output } = &arguments.output;
    let is_csv =
        *format == ReportFormat::Csv || output.iter().any(|(format, _)| *format == ReportFormat::Csv);
    if is_csv && !arguments.list {
        return Err(Failure::usage("`csv` is the list of records: say --list, too"));
    }
    Ok(())
}

/// What was noted of evidence that frist deleted: with `-v`, and always where it has lost its relation.
fn tell_notes(policy: &Policy) {
    // What is wrong with them the plan says, where it matters.
    let Ok(notes) = Notes::open(policy) else { return };
    let asked = note::questions(policy);
    for (question, count) in notes.counts() {
        if asked.contains(&question) {
            tracing::debug!("{}: {count} notes of deleted rows: {question}", policy.name);
        } else {
            tracing::warn!(
                "{}: of deleted rows {count} notes count no more, for no rule asks this any more: {question}; if the \
                 relation was only written anew, write it as it was",
                policy.name
            );
        }
    }
}

fn as_of(arguments: &Report, policy: &Policy, clock: &dyn Fn() -> Timestamp) -> Result<Timestamp, Failure> {
    match &arguments.now {
        None => Ok(clock()),
        Some(text) => Timestamp::parse_now(text, &policy.zone)
            .map_err(|error| Failure::usage(format!("--now: {error}"))),
    }
}
