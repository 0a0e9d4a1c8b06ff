//! Plans and runs as a table that fits the terminal, and sentences below it.

use std::io::{self, Write};

use anstyle::AnsiColor;

use super::table::{Cell, Column, Mood, Side, Stays, Table};
use super::wrap::wrapped;
use super::{More, Subject, breach_text, bytes, due_up_to, grouped, records};
use super::{forecast, list};
use crate::diagnostic;
use crate::ledger::{Receipt, RecoveryOutcome, RuleOutcome};
use crate::plan::{Plan, PlannedRule, SourceState};
use crate::policy::{Action, DEEDS, Policy};
use crate::run::{Account, Outcome, RuleRun};
use crate::source::Problem;

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Columns of the terminal; none elsewhere.
    pub width: Option<u16>,
    /// Whether to draw in colour.
    pub color: bool,
}

impl Style {
    /// A text in the colour of what it tells.
    pub(super) fn paint(self, text: &str, mood: Mood) -> String {
        let color = match mood {
            Mood::Plain => None,
            Mood::Due => Some(AnsiColor::Yellow),
            Mood::Wrong => Some(AnsiColor::Red),
        };
        match color.filter(|_| self.color) {
            Some(color) => {
                let style = anstyle::Style::new().fg_color(Some(color.into())).bold();
                format!("{style}{text}{style:#}")
            }
            None => text.to_string(),
        }
    }

    /// Writes a sentence in lines that fit, with one of its words in colour.
    fn say(self, out: &mut dyn Write, sentence: &str, (word, mood): (&str, Mood)) -> io::Result<()> {
        let lines = wrapped(sentence, self.width.map(usize::from), 0, 2);
        match lines.split_once(word) {
            Some((before, after)) if !word.is_empty() => {
                writeln!(out, "{before}{}{after}", self.paint(word, mood))
            }
            _ => writeln!(out, "{lines}"),
        }
    }
}

/// Writes a plan or a run, but for its last line.
pub fn write(
    out: &mut dyn Write,
    policy: &Policy,
    subject: Subject<'_>,
    more: More<'_>,
    style: Style,
) -> io::Result<()> {
    match subject {
        Subject::Plan(plan) => {
            plan_table(out, policy, plan, style)?;
            if let Some(listing) = more.listing {
                list::write(out, policy, plan, listing, style)?;
            }
            let said = plan.rules.iter().try_fold(false, |said, planned| {
                Ok::<bool, io::Error>(rule_summary(out, policy, planned, style)? || said)
            })?;
            if let Some(forecast) = more.forecast {
                writeln!(out)?;
                forecast::write(out, policy, plan, forecast, style)?;
            }
            complaints(out, &plan_complaints(policy, plan), said && more.forecast.is_none(), style)
        }
        Subject::Run(plan, outcome) => run(out, policy, plan, outcome, style),
    }
}

/// Writes the last line, in which the exit code is explained.
pub fn last_line(out: &mut dyn Write, line: &str, style: Style) -> io::Result<()> {
    style.say(out, line, ("Ended with", Mood::Wrong))
}

/// Writes a sentence in lines that fit.
pub fn prose(out: &mut dyn Write, sentence: &str, style: Style) -> io::Result<()> {
    style.say(out, sentence, ("", Mood::Plain))
}

fn heading(out: &mut dyn Write, policy: &Policy, plan: &Plan, style: Style) -> io::Result<()> {
    let name = match &policy.title {
        Some(title) => format!("{} ({})", printable(title), printable(&policy.name)),
        None => printable(&policy.name),
    };
    let told = format!("{name}, as of {} in {}", policy.zone.rfc3339(plan.now), policy.zone.name());
    prose(out, &told, style)?;
    writeln!(out)
}

fn column(name: &'static str) -> Column {
    let (side, stays) = match name {
        "rule" => (Side::Left, Stays::Always),
        "keep" => (Side::Left, Stays::Least),
        "data" => (Side::Left, Stays::Less),
        "in period" | "not started" | "seconds" => (Side::Right, Stays::Some),
        "cutoff" => (Side::Left, Stays::More),
        "then" | "outcome" | "note" => (Side::Left, Stays::Always),
        "due" | "still due" | "deleted" | "anonymised" | "pseudonymised" => (Side::Right, Stays::Always),
        _ => (Side::Right, Stays::More),
    };
    Column { name, side, stays }
}

fn count(number: Option<u64>) -> Cell {
    Cell::plain(number.map_or_else(|| "-".to_string(), grouped))
}

/// A count that is worth a colour where it is not 0.
fn telling(number: Option<u64>, mood: Mood) -> Cell {
    count(number).mood(if number > Some(0) { mood } else { Mood::Plain })
}

/// A state's name, how to read its count, and what it tells.
type State = (&'static str, fn(&PlannedRule) -> Option<u64>, Mood);

/// States get a column only where there is something in it.
fn used_states(plan: &Plan) -> Vec<State> {
    let states: [State; 10] = [
        ("in period", |planned| planned.counts.running, Mood::Plain),
        ("not started", |planned| planned.counts.waiting, Mood::Plain),
        ("held", |planned| planned.counts.held, Mood::Plain),
        ("blocked", PlannedRule::blocked, Mood::Wrong),
        ("newest", |planned| Some(planned.newest), Mood::Plain),
        ("overruled", |planned| planned.counts.overruled, Mood::Plain),
        ("spared", |planned| planned.counts.spared, Mood::Plain),
        ("unrelated", |planned| planned.counts.unrelated, Mood::Plain),
        ("done", |planned| planned.counts.done, Mood::Plain),
        ("unreadable", |planned| planned.counts.unreadable, Mood::Wrong),
    ];
    let used = |(_, state, _): &State| plan.rules.iter().any(|planned| state(planned) > Some(0));
    states.into_iter().filter(used).collect()
}

fn plan_table(out: &mut dyn Write, policy: &Policy, plan: &Plan, style: Style) -> io::Result<()> {
    heading(out, policy, plan, style)?;
    let states = used_states(plan);
    // A word that is the same in every line tells nothing.
    let says_then = plan.rules.iter().any(|planned| !policy.rules[planned.index].deletes());
    let has_notes = plan.rules.iter().any(|planned| !note(policy, planned).text.is_empty());
    let mut names = vec!["rule", "data", "keep"];
    names.extend(says_then.then_some("then"));
    names.extend(["cutoff", "due"]);
    names.extend(states.iter().map(|(name, ..)| *name));
    names.extend(has_notes.then_some("note"));
    let mut table = Table { columns: names.into_iter().map(column).collect(), rows: Vec::new() };
    for planned in &plan.rules {
        let rule = &policy.rules[planned.index];
        let told = due_up_to(planned.due_up_to, policy.zone).unwrap_or_else(|| "-".to_string());
        let mut cells = [printable(&rule.name), printable(&rule.data()), printable(&rule.phrase())]
            .map(Cell::plain)
            .to_vec();
        cells.extend(says_then.then(|| Cell::plain(rule.then.deed().verb())));
        cells.extend([Cell::plain(told), telling(planned.due(), Mood::Due)]);
        cells.extend(states.iter().map(|(_, state, mood)| telling(state(planned), *mood)));
        cells.extend(has_notes.then(|| note(policy, planned)));
        table.rows.push(cells);
    }
    table_of_all(out, table, style)
}

/// A table without a row is none.
fn table_of_all(out: &mut dyn Write, table: Table, style: Style) -> io::Result<()> {
    if table.rows.is_empty() {
        return Ok(());
    }
    table.write(out, style)?;
    writeln!(out)
}

/// What the sentences below the table say more of.
fn note(policy: &Policy, planned: &PlannedRule) -> Cell {
    let marks = [
        (planned.breach.is_some(), "limit"),
        (planned.refused.is_some(), "refused"),
        (!planned.problems.is_empty(), "problem"),
        (planned.warning.is_some(), "warning"),
        (!policy.rules[planned.index].enforce, "only reported"),
    ];
    let marks: Vec<&str> = marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| mark).collect();
    let is_wrong = marks.first().is_some_and(|mark| !["warning", "only reported"].contains(mark));
    Cell::plain(marks.join(", ")).mood(if is_wrong { Mood::Wrong } else { Mood::Due })
}

/// Something that keeps a plan or a run from being whole, or that somebody should look at.
struct Complaint {
    about: String,
    tag: &'static str,
    text: String,
    place: Option<String>,
}

impl Complaint {
    fn new(about: &str, tag: &'static str, problem: &Problem) -> Complaint {
        let (text, place) = (problem.message.clone(), problem.place.clone());
        Complaint { about: about.to_string(), tag, text, place }
    }

    fn limit(about: &str, text: String) -> Complaint {
        Complaint { about: about.to_string(), tag: "LIMIT", text, place: None }
    }
}

/// Writes complaints together and last, and what is the same about several rules once.
fn complaints(out: &mut dyn Write, all: &[Complaint], is_below: bool, style: Style) -> io::Result<()> {
    if is_below && !all.is_empty() {
        writeln!(out)?;
    }
    let is_same = |one: &Complaint, other: &Complaint| one.tag == other.tag && one.text == other.text;
    for (at, complaint) in all.iter().enumerate() {
        if all[..at].iter().any(|earlier| is_same(earlier, complaint)) {
            continue;
        }
        let same: Vec<&Complaint> = all[at..].iter().filter(|later| is_same(later, complaint)).collect();
        let about: Vec<String> = same.iter().map(|one| printable(&one.about)).collect();
        // Where each rule has a place of its own, its name finds it as well.
        let place = complaint.place.as_ref().filter(|_| same.iter().all(|one| one.place == complaint.place));
        let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
        let tag = format!("{}:", complaint.tag);
        let sentence =
            format!("{}: {tag} {}", about.join(", "), printable(&(complaint.text.clone() + &place)));
        let mood = if complaint.tag == "WARNING" { Mood::Due } else { Mood::Wrong };
        style.say(out, &sentence, (&tag, mood))?;
    }
    if all.is_empty() { Ok(()) } else { writeln!(out) }
}

fn plan_complaints(policy: &Policy, plan: &Plan) -> Vec<Complaint> {
    let mut all = Vec::new();
    for planned in &plan.rules {
        let rule = &policy.rules[planned.index];
        all.extend(
            planned.breach.as_ref().map(|breach| Complaint::limit(&rule.name, breach_text(rule, breach))),
        );
        all.extend(planned.refused.iter().map(|problem| Complaint::new(&rule.name, "REFUSED", problem)));
        all.extend(planned.warning.iter().map(|problem| Complaint::new(&rule.name, "WARNING", problem)));
        all.extend(planned.problems.iter().map(|problem| Complaint::new(&rule.name, "PROBLEM", problem)));
    }
    all
}

/// Writes only what keeps a plan from being whole, or its rules from being carried out.
pub fn write_plan_complaints(
    out: &mut dyn Write,
    policy: &Policy,
    plan: &Plan,
    style: Style,
) -> io::Result<()> {
    quiet(out, policy, plan_complaints(policy, plan), style)
}

/// Writes only what kept a run from being whole.
pub fn write_run_complaints(
    out: &mut dyn Write,
    policy: &Policy,
    outcome: &Outcome,
    style: Style,
) -> io::Result<()> {
    quiet(out, policy, run_complaints(policy, outcome), style)
}

/// Without the rest of the text, nothing but the line itself says which policy it is about.
fn quiet(out: &mut dyn Write, policy: &Policy, mut all: Vec<Complaint>, style: Style) -> io::Result<()> {
    all.iter_mut().for_each(|complaint| complaint.about = format!("{}/{}", policy.name, complaint.about));
    let mut text = Vec::new();
    complaints(&mut text, &all, false, style)?;
    out.write_all(text.trim_ascii_end())?;
    if text.is_empty() { Ok(()) } else { writeln!(out) }
}

/// What else there is to say about a rule; whether that is anything.
fn rule_summary(
    out: &mut dyn Write,
    policy: &Policy,
    planned: &PlannedRule,
    style: Style,
) -> io::Result<bool> {
    let rule = &policy.rules[planned.index];
    let mut said = Vec::new();
    if let (Some(oldest), Some(days)) = (planned.oldest_event, planned.longest_overdue_days) {
        let overdue = match u64::try_from(days) {
            Ok(0) | Err(_) => "due since today".to_string(),
            Ok(1) => "overdue by up to 1 day".to_string(),
            Ok(days) => format!("overdue by up to {} days", grouped(days)),
        };
        said.push(format!("oldest event {oldest}, {overdue}"));
    }
    let gives_back = planned.bytes_due.filter(|_| planned.due() > Some(0));
    said.extend(gives_back.map(|number| format!("deleting them frees {}", bytes(number))));
    said.extend(planned.next_due.map(|next| format!("next due {next}")));
    let mut sentences: Vec<String> = (!said.is_empty()).then(|| said.join("; ")).into_iter().collect();
    sentences.extend(along(policy, planned));
    sentences.extend(released(planned));
    if !rule.enforce {
        sentences.push("reported only, for the policy says `enforce = false`".to_string());
    }
    for sentence in &sentences {
        prose(out, &format!("{}: {sentence}", printable(&rule.name)), style)?;
    }
    Ok(!sentences.is_empty())
}

/// What lets go of the due records, and stays.
fn released(planned: &PlannedRule) -> Option<String> {
    let each = planned.released.iter().filter(|(_, rows)| *rows > 0);
    let each: Vec<String> =
        each.map(|(column, rows)| format!("{} in {}", grouped(*rows), printable(column))).collect();
    (!each.is_empty()).then(|| format!("references that are emptied in rows that stay: {}", each.join(", ")))
}

/// What goes along with the due records.
fn along(policy: &Policy, planned: &PlannedRule) -> Option<String> {
    let rule = &policy.rules[planned.index];
    let rows = |(table, rows): &(String, u64)| format!("{} of {}", grouped(*rows), printable(table));
    let mut each: Vec<String> = planned.along.iter().filter(|(_, rows)| *rows > 0).map(rows).collect();
    if !rule.with.all_files().is_empty() && planned.due() > Some(0) {
        each.push("the files that they name".to_string());
    }
    (!each.is_empty()).then(|| format!("along with them go {}", each.join(", ")))
}

/// What comes from the data or the file system cannot act on the terminal.
fn printable(text: &impl ToString) -> String {
    diagnostic::printable(&text.to_string())
}

fn run(out: &mut dyn Write, policy: &Policy, plan: &Plan, outcome: &Outcome, style: Style) -> io::Result<()> {
    heading(out, policy, plan, style)?;
    outcome.accounts.iter().try_for_each(|account| account_line(out, account, style))?;
    table_of_all(out, run_table(policy, plan, outcome), style)?;
    let mut said = Vec::new();
    for run in &outcome.rules {
        let name = printable(&policy.rules[run.index].name);
        let freed = run.freed.filter(|_| run.records > 0);
        said.extend(freed.map(|freed| format!("{name}: {} freed", bytes(freed))));
        let are = if run.taken_along == 1 { "row or file" } else { "rows and files" };
        let along =
            (run.taken_along > 0).then(|| format!("{name}: {} {are} went along", grouped(run.taken_along)));
        said.extend(along);
        said.extend(lost(run).map(|lost| format!("{name}: {lost}")));
    }
    said.iter().try_for_each(|sentence| prose(out, sentence, style))?;
    let warnings = plan.rules.iter().flat_map(|planned| {
        let name = &policy.rules[planned.index].name;
        planned.warning.iter().map(|warning| Complaint::new(name, "WARNING", warning))
    });
    let all: Vec<Complaint> = warnings.chain(run_complaints(policy, outcome)).collect();
    complaints(out, &all, !said.is_empty(), style)?;
    // As many digits as tell two entries apart; the whole hash is in the JSON and in the ledger.
    let short = Receipt::of(&outcome.ledger);
    let receipt = format!("Receipt {short}; keep it elsewhere, for `frist ledger verify --expect`.");
    prose(out, &receipt, style)
}

/// What is said of records that were due, and are so no longer.
fn lost(run: &RuleRun) -> Option<String> {
    let because = "a trigger or another program changed or deleted";
    match run.lost() {
        0 => None,
        1 => Some(format!("1 record that was due is so no longer: {because} it")),
        many => Some(format!("{} records that were due are so no longer: {because} them", grouped(many))),
    }
}

fn run_table(policy: &Policy, plan: &Plan, outcome: &Outcome) -> Table {
    // What no rule does has no column.
    let is_used = |deed: &Action| outcome.rules.iter().any(|run| run.deed == *deed);
    let used: Vec<Action> = if outcome.rules.is_empty() {
        vec![Action::Deleted]
    } else {
        DEEDS.into_iter().filter(is_used).collect()
    };
    let planned = |run: &RuleRun| plan.rules.iter().find(|planned| planned.index == run.index);
    let blocked = |run: &RuleRun| planned(run).and_then(PlannedRule::blocked);
    let says_blocked = outcome.rules.iter().any(|run| blocked(run) > Some(0));
    let mut names = vec!["rule", "data", "due"];
    names.extend(says_blocked.then_some("blocked"));
    names.extend(used.iter().map(|deed| deed.word()));
    names.extend(["still due", "seconds", "outcome"]);
    let mut table = Table { columns: names.into_iter().map(column).collect(), rows: Vec::new() };
    for run in &outcome.rules {
        let rule = &policy.rules[run.index];
        let mut cells = vec![Cell::plain(printable(&rule.name)), Cell::plain(printable(&rule.data()))];
        cells.push(count(run.counts.due));
        cells.extend(says_blocked.then(|| telling(blocked(run), Mood::Wrong)));
        let done = |deed: &Action| if run.deed == *deed { grouped(run.records) } else { String::new() };
        cells.extend(used.iter().map(|deed| Cell::plain(done(deed))));
        cells.push(telling(run.survivors, Mood::Wrong));
        cells.push(Cell::plain(format!("{:.2}", run.took.as_secs_f64())));
        cells.push(how_it_ended(run, planned(run)));
        table.rows.push(cells);
    }
    table
}

fn how_it_ended(run: &RuleRun, planned: Option<&PlannedRule>) -> Cell {
    let word = match run.outcome {
        RuleOutcome::Done => "done",
        RuleOutcome::Refused => "refused",
        RuleOutcome::Failed => "failed",
        RuleOutcome::Stopped => "stopped",
    };
    let unreadable = planned.map_or(0, |planned| planned.unreadable);
    let more = if unreadable > 0 { format!(", {} unreadable", grouped(unreadable)) } else { String::new() };
    let is_whole = run.outcome == RuleOutcome::Done && run.problems.is_empty();
    Cell::plain(format!("{word}{more}")).mood(if is_whole { Mood::Plain } else { Mood::Wrong })
}

fn run_complaints(policy: &Policy, outcome: &Outcome) -> Vec<Complaint> {
    let mut all = Vec::new();
    for run in &outcome.rules {
        let rule = &policy.rules[run.index];
        all.extend(run.breach.as_ref().map(|breach| Complaint::limit(&rule.name, breach_text(rule, breach))));
        all.extend(run.problems.iter().map(|problem| Complaint::new(&rule.name, "PROBLEM", problem)));
    }
    let untold = |state: &&SourceState| {
        !outcome.rules.iter().any(|run| policy.rules[run.index].source == state.source)
    };
    for state in outcome.sources.iter().filter(untold) {
        all.extend(state.problem.iter().map(|problem| Complaint::new(&state.source, "PROBLEM", problem)));
    }
    all.extend(outcome.problems.iter().map(|problem| Complaint::new("files", "PROBLEM", problem)));
    all
}

fn account_line(out: &mut dyn Write, account: &Account, style: Style) -> io::Result<()> {
    let totals = [&account.deleted, &account.anonymised, &account.pseudonymised];
    let totals = DEEDS.into_iter().zip(totals.map(|total| total.values().sum::<u64>()));
    let said = totals.filter(|(deed, total)| *total > 0 || *deed == Action::Deleted);
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
    let told = format!("Run {} was killed. It had {done}{doubt}{care}.", printable(&account.run));
    prose(out, &told, style)?;
    writeln!(out)
}
