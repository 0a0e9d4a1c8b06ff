//! Plans and runs as a table that fits the terminal, and sentences below it.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, TableStyle};

use super::{Listing, Subject, breach_text, bytes, deeds, due_up_to, grouped, records};
use crate::dataset::Problem;
use crate::diagnostic;
use crate::ledger::{RecoveryOutcome, RuleOutcome};
use crate::plan::{Plan, PlannedRule, SourceState};
use crate::policy::{DEEDS, Deed, Policy};
use crate::purge::{Account, Outcome, RuleRun};
use crate::verdict::Counts;

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Columns of the terminal; none elsewhere.
    pub width: Option<u16>,
    /// Whether to draw in colour.
    pub color: bool,
}

/// Writes a plan or a run.
pub fn write(
    out: &mut dyn Write,
    policy: &Policy,
    subject: Subject<'_>,
    listing: Option<&dyn Listing>,
    style: Style,
) -> io::Result<()> {
    match subject {
        Subject::Plan(plan) => {
            plan_table(out, policy, plan, style)?;
            if let Some(listing) = listing {
                list(out, policy, plan, listing)?;
            }
            plan_summary(out, policy, plan)
        }
        Subject::Run(plan, outcome) => run(out, policy, plan, outcome, style),
    }
}

fn heading(out: &mut dyn Write, policy: &Policy, plan: &Plan) -> io::Result<()> {
    let name = match &policy.title {
        Some(title) => format!("{} ({})", printable(title), policy.name),
        None => policy.name.clone(),
    };
    writeln!(out, "{name}, as of {} in {}\n", policy.zone.rfc3339(plan.now), policy.zone.name())
}

fn table(header: &[&str], style: Style) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Dynamic);
    match style.width {
        Some(width) => table.set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(header.iter().map(|name| number_or_text(name, name)));
    table
}

/// Columns of numbers are aligned to the right, their headers too.
fn number_or_text(column: &str, text: &str) -> Cell {
    let texts = ["rule", "data", "keep", "then", "due up to", "outcome"];
    let alignment = if texts.contains(&column) { CellAlignment::Left } else { CellAlignment::Right };
    Cell::new(text).set_alignment(alignment)
}

fn put(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out)
}

fn row(header: &[&str], cells: Vec<String>) -> Vec<Cell> {
    header.iter().zip(cells).map(|(column, text)| number_or_text(column, &text)).collect()
}

fn count(number: Option<u64>) -> String {
    number.map_or_else(|| "-".to_string(), grouped)
}

/// A state's name, and how to read its count.
type Column = (&'static str, fn(&Counts) -> Option<u64>);

/// States that are rare get a column only where there is something in it.
fn rare_states(counts: &[Counts]) -> Vec<Column> {
    let states: [Column; 7] = [
        ("held", |counts| counts.held),
        ("blocked", |counts| counts.blocked),
        ("overruled", |counts| counts.overruled),
        ("spared", |counts| counts.spared),
        ("unrelated", |counts| counts.unrelated),
        ("done", |counts| counts.done),
        ("unreadable", |counts| counts.unreadable),
    ];
    let used =
        |state: &fn(&Counts) -> Option<u64>| counts.iter().any(|counts| state(counts).is_some_and(|n| n > 0));
    states.into_iter().filter(|(_, state)| used(state)).collect()
}

fn plan_table(out: &mut dyn Write, policy: &Policy, plan: &Plan, style: Style) -> io::Result<()> {
    heading(out, policy, plan)?;
    let counts: Vec<Counts> = plan.rules.iter().map(|planned| planned.counts).collect();
    let rare = rare_states(&counts);
    // A word that is the same in every line tells nothing.
    let says_then = plan.rules.iter().any(|planned| !policy.rules[planned.index].deletes());
    let mut header = vec!["rule", "data", "keep"];
    header.extend(says_then.then_some("then"));
    header.extend(["due up to", "due", "in period", "not started"]);
    header.extend(rare.iter().map(|(name, _)| *name));
    let mut table = table(&header, style);
    for planned in &plan.rules {
        let rule = &policy.rules[planned.index];
        let told = due_up_to(planned.due_up_to, policy.zone).unwrap_or_else(|| "-".to_string());
        let counts = &planned.counts;
        let mut cells = vec![rule.name.clone(), printable(&rule.data()), printable(&rule.phrase())];
        cells.extend(says_then.then(|| rule.then.deed().verb().to_string()));
        cells.push(told);
        cells.extend([count(counts.due), count(counts.running), count(counts.waiting)]);
        cells.extend(rare.iter().map(|(_, state)| count(state(counts))));
        table.add_row(row(&header, cells));
    }
    put(out, &table)
}

fn plan_summary(out: &mut dyn Write, policy: &Policy, plan: &Plan) -> io::Result<()> {
    for planned in &plan.rules {
        rule_summary(out, policy, planned)?;
        rule_complaints(out, policy, planned)?;
    }
    due_line(out, plan)
}

/// Writes only what keeps a plan from being whole, or its rules from being carried out; and
/// what is due, where that is a complaint itself.
pub fn plan_complaints(
    out: &mut dyn Write,
    policy: &Policy,
    plan: &Plan,
    due_is_one: bool,
) -> io::Result<()> {
    plan.rules.iter().try_for_each(|planned| rule_complaints(out, policy, planned))?;
    if due_is_one { due_line(out, plan) } else { Ok(()) }
}

fn due_line(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    let doubt = if plan.is_incomplete() { "At least " } else { "" };
    match plan.due() {
        0 if plan.is_incomplete() => writeln!(out, "Not everything could be read."),
        0 => writeln!(out, "Nothing is due."),
        1 => writeln!(out, "{doubt}1 record is due."),
        due => writeln!(out, "{doubt}{} are due.", records(due)),
    }
}

fn rule_summary(out: &mut dyn Write, policy: &Policy, planned: &PlannedRule) -> io::Result<()> {
    let rule = &policy.rules[planned.index];
    let mut said = Vec::new();
    if let (Some(oldest), Some(days)) = (planned.oldest_event, planned.longest_overdue_days) {
        let overdue = match days {
            0 => "due since today".to_string(),
            1 => "overdue by up to 1 day".to_string(),
            days => format!("overdue by up to {days} days"),
        };
        said.push(format!("oldest event {oldest}, {overdue}"));
    }
    let gives_back = planned.bytes_due.filter(|_| planned.due() > Some(0));
    said.extend(gives_back.map(|number| format!("deleting them frees {}", bytes(number))));
    said.extend(planned.next_due.map(|next| format!("next due {next}")));
    if !said.is_empty() {
        writeln!(out, "{}: {}", rule.name, said.join("; "))?;
    }
    along(out, policy, planned)?;
    if !rule.enforce {
        writeln!(out, "{}: reported only, for the policy says `enforce = false`", rule.name)?;
    }
    Ok(())
}

fn rule_complaints(out: &mut dyn Write, policy: &Policy, planned: &PlannedRule) -> io::Result<()> {
    let rule = &policy.rules[planned.index];
    if let Some(breach) = &planned.breach {
        writeln!(out, "{}: LIMIT: {}", rule.name, breach_text(rule, breach))?;
    }
    let refused = |problem: &Problem| writeln!(out, "{}: REFUSED: {}", rule.name, printable(problem));
    planned.refused.iter().try_for_each(refused)?;
    warning(out, policy, planned)?;
    problems(out, &rule.name, &planned.problems)
}

/// What goes along with the due records.
fn along(out: &mut dyn Write, policy: &Policy, planned: &PlannedRule) -> io::Result<()> {
    let rule = &policy.rules[planned.index];
    let rows = |(table, rows): &(String, u64)| format!("{} of {}", grouped(*rows), printable(table));
    let mut each: Vec<String> = planned.along.iter().filter(|(_, rows)| *rows > 0).map(rows).collect();
    if !rule.with.all_files().is_empty() && planned.due() > Some(0) {
        each.push("the files that they name".to_string());
    }
    if each.is_empty() {
        Ok(())
    } else {
        writeln!(out, "{}: along with them go {}", rule.name, each.join(", "))
    }
}

fn warning(out: &mut dyn Write, policy: &Policy, planned: &PlannedRule) -> io::Result<()> {
    let name = &policy.rules[planned.index].name;
    planned.warning.iter().try_for_each(|warning| writeln!(out, "{name}: WARNING: {}", printable(warning)))
}

fn problems(out: &mut dyn Write, about: &str, problems: &[Problem]) -> io::Result<()> {
    problems.iter().try_for_each(|problem| writeln!(out, "{about}: PROBLEM: {}", printable(problem)))
}

/// What comes from the data or the file system cannot act on the terminal.
fn printable(text: &impl ToString) -> String {
    diagnostic::printable(&text.to_string())
}

fn list(out: &mut dyn Write, policy: &Policy, plan: &Plan, listing: &dyn Listing) -> io::Result<()> {
    for (place, planned) in plan.rules.iter().enumerate() {
        let rule = &policy.rules[planned.index];
        writeln!(out, "{} ({}):", rule.name, printable(&rule.data()))?;
        let mut failed = None;
        let read = listing.each(place, &mut |record| {
            let event = record.event.as_deref().unwrap_or("-");
            let due = record.due_from.as_deref().map(|due| format!(", due from {due}")).unwrap_or_default();
            let state = record.state.word();
            let key = printable(&record.key);
            failed = writeln!(out, "  {key}  {state}  {event}{due}  {}", printable(&record.reason)).err();
            failed.is_none()
        });
        failed.map_or(Ok(()), Err)?;
        if let Err(problem) = read {
            writeln!(out, "  PROBLEM: {}", printable(&problem))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn run(out: &mut dyn Write, policy: &Policy, plan: &Plan, outcome: &Outcome, style: Style) -> io::Result<()> {
    heading(out, policy, plan)?;
    outcome.accounts.iter().try_for_each(|account| account_line(out, account))?;
    // What no rule does has no column.
    let is_used = |deed: &Deed| outcome.rules.iter().any(|run| run.deed == *deed);
    let used = if outcome.rules.is_empty() {
        vec![Deed::Deleted]
    } else {
        DEEDS.into_iter().filter(is_used).collect()
    };
    let mut header = vec!["rule", "data", "due"];
    header.extend(used.iter().map(|deed| deed.word()));
    header.extend(["survivors", "seconds", "outcome"]);
    let mut table = table(&header, style);
    for run in &outcome.rules {
        let rule = &policy.rules[run.index];
        let data = printable(&rule.data());
        let mut cells = vec![rule.name.clone(), data, count(run.counts.due)];
        cells.extend(
            used.iter().map(|deed| if run.deed == *deed { grouped(run.records) } else { String::new() }),
        );
        cells.extend([count(run.survivors), format!("{:.2}", run.took.as_secs_f64()), word(run).to_string()]);
        table.add_row(row(&header, cells));
    }
    put(out, &table)?;
    for run in outcome.rules.iter().filter(|run| run.records > 0) {
        if let Some(freed) = run.freed {
            writeln!(out, "{}: {} freed", policy.rules[run.index].name, bytes(freed))?;
        }
    }
    for run in outcome.rules.iter().filter(|run| run.taken_along > 0) {
        let (name, along) = (&policy.rules[run.index].name, grouped(run.taken_along));
        let are = if run.taken_along == 1 { "row or file" } else { "rows and files" };
        writeln!(out, "{name}: {along} {are} went along")?;
    }
    plan.rules.iter().try_for_each(|planned| warning(out, policy, planned))?;
    run_complaints(out, policy, outcome)?;
    let done = deeds(used.iter().map(|deed| (*deed, outcome.records(*deed))));
    writeln!(out, "{done}. Ledger entry {}.", outcome.ledger)
}

/// Writes only what kept a run from being whole.
pub fn run_complaints(out: &mut dyn Write, policy: &Policy, outcome: &Outcome) -> io::Result<()> {
    for run in &outcome.rules {
        let rule = &policy.rules[run.index];
        let name = &rule.name;
        if let Some(breach) = &run.breach {
            writeln!(out, "{name}: LIMIT: {}", breach_text(rule, breach))?;
        }
        problems(out, name, &run.problems)?;
    }
    let untold = |state: &&SourceState| {
        !outcome.rules.iter().any(|run| policy.rules[run.index].source == state.source)
    };
    for state in outcome.sources.iter().filter(untold) {
        problems(out, &state.source, state.problem.as_slice())?;
    }
    problems(out, "files", &outcome.problems)?;
    if let Some(reason) = outcome.stopped {
        writeln!(out, "Stopped early: {reason}. The next run goes on.")?;
    }
    Ok(())
}

fn word(run: &RuleRun) -> &'static str {
    match run.outcome {
        RuleOutcome::Done => "done",
        RuleOutcome::Refused => "refused",
        RuleOutcome::Failed => "failed",
        RuleOutcome::Stopped => "stopped",
    }
}

fn account_line(out: &mut dyn Write, account: &Account) -> io::Result<()> {
    let totals = [&account.deleted, &account.anonymised, &account.pseudonymised];
    let totals = DEEDS.into_iter().zip(totals.map(|total| total.values().sum::<u64>()));
    let said = totals.filter(|(deed, total)| *total > 0 || *deed == Deed::Deleted);
    let done: Vec<String> = said.map(|(deed, total)| format!("{} {}", deed.word(), records(total))).collect();
    let done = done.join(" and ");
    let doubt = match account.outcome {
        RecoveryOutcome::NoBatch => String::new(),
        RecoveryOutcome::Committed => {
            format!("; its last batch, of {}, was committed", records(account.rows))
        }
        RecoveryOutcome::RolledBack => {
            format!("; its last batch, of {}, was not committed", records(account.rows))
        }
        RecoveryOutcome::Undecided => {
            format!("; whether its last batch, of {}, was committed cannot be told", records(account.rows))
        }
    };
    let care = match account.outcome {
        RecoveryOutcome::Committed | RecoveryOutcome::RolledBack if !account.exact => {
            ", unless another program changed these records since"
        }
        _ => "",
    };
    writeln!(out, "Run {} was killed. It had {done}{doubt}{care}.\n", account.run)
}
