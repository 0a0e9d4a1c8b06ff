//! `frist report`: the dry run.

use std::cell::Cell;

use crate::calendar::Timestamp;
use crate::cli::{Format, Output, Report, ReportFormat};
use crate::exit;
use crate::note::{self, Notes};
use crate::plan::{Accepted, Plan, Scope};
use crate::policy::Policy;
use crate::report::forecast::Forecast;
use crate::report::prometheus::{self, Told};
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
    let mut plans = Vec::new();
    for (policy, rules) in policies.iter().zip(&chosen) {
        let now = as_of(arguments, policy, clock)?;
        tell_notes(policy);
        plans.push(Plan::make(
            policy,
            &Scope { now, rules: rules.as_ref(), accepted: &Accepted::default(), extent: Extent::Every },
        ));
    }
    let failed = Cell::new(false);
    let both = || policies.iter().zip(&plans);
    let forecasts: Vec<Forecast> = arguments
        .forecast
        .iter()
        .flat_map(|horizon| {
            let all = both().zip(&chosen);
            all.map(|((policy, plan), rules)| forecast::make(policy, rules.as_ref(), plan, *horizon, &failed))
        })
        .collect();
    let total = || {
        let mut total = Total::default();
        both().for_each(|(policy, plan)| total.add(Total::of_plan(policy, plan)));
        if failed.get() {
            total.add_unfinished_list();
        }
        total
    };
    let code = || if failed.get() { exit::INCOMPLETE } else { exit_code(&plans, arguments.fail_on_due) };
    let delivered = console.deliver(
        &arguments.output,
        &mut |out, format, style| {
            let format = match format {
                ReportFormat::Text => Format::Text,
                ReportFormat::Json => Format::Json,
                ReportFormat::Prometheus => {
                    let told: Vec<Told<'_>> =
                        both().map(|(policy, plan)| Told::Report(policy, plan)).collect();
                    return prometheus::write(out, &told);
                }
                ReportFormat::Csv => {
                    list::write_csv_header(out)?;
                    return both().try_for_each(|(policy, plan)| {
                        let records = Records { policy, plan, all: arguments.all, failed: &failed };
                        list::write_csv(out, policy, plan, &records)
                    });
                }
            };
            both().enumerate().try_for_each(|(place, (policy, plan))| {
                let records = Records { policy, plan, all: arguments.all, failed: &failed };
                let listing = arguments.list.then_some(&records as &dyn Listing);
                let more = More { listing, forecast: forecasts.get(place) };
                draw(out, format, style, policy, Subject::Plan(plan), more)?;
                let of_one = Total::of_plan(policy, plan);
                close_one(out, format, style, &of_one, policies.len())
            })?;
            close(out, format, style, &total().closing(code(), arguments.fail_on_due))
        },
        &mut |out, style| {
            both().try_for_each(|(policy, plan)| text::write_plan_complaints(out, policy, plan, style))?;
            // Who asked for silence wants to know what the exit code means, and no more.
            let line = total().closing(code(), arguments.fail_on_due);
            if code() == exit::DONE { Ok(()) } else { text::last_line(out, &line, style) }
        },
    );
    delivered.map_err(|failure| failure.beside(code()))?;
    // Among records and metrics there is no room for what is wrong.
    if matches!(arguments.output.format, ReportFormat::Csv | ReportFormat::Prometheus) {
        both().try_for_each(|(policy, plan)| {
            text::write_plan_complaints(console.err, policy, plan, console.style)
        })?;
        total().ended(code(), arguments.fail_on_due).iter().for_each(|ended| console.complain(ended));
    }
    Ok(code())
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

fn exit_code(plans: &[Plan], fail_on_due: bool) -> u8 {
    let incomplete = plans.iter().any(Plan::is_incomplete);
    let due = fail_on_due && plans.iter().any(|plan| plan.due() + plan.blocked() > 0);
    match (incomplete, due) {
        (true, _) => exit::INCOMPLETE,
        (false, true) => exit::FINDINGS,
        (false, false) => exit::DONE,
    }
}
