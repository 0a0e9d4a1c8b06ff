//! `frist purge`: a plan, consent, and a run for each policy.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant as Stopwatch};

use crate::calendar::{Timestamp, Zone};
use crate::cli::{Format, Output, Purge, PurgeFormat, Report};
use crate::exit;
use crate::ledger::{self, History, Ledger, LedgerError, RunLock, StateFolder};
use crate::plan::{Accepted, Plan, Scope};
use crate::policy::{Action, DEEDS, Policy};
use crate::report::prometheus::{self, Exported};
use crate::report::text::Style;
use crate::report::{More, Subject, Total, grouped, records, text};
use crate::run::{self, Confirmed, Outcome, Run, RunOptions, Stop, WriteDetector};
use crate::source::request::Extent;

use super::console::{close, close_one, draw};
use super::progress::Progress;
use super::{Console, Failure, outputs, policies, report};

pub(super) fn run(
    arguments: &Purge,
    console: &mut Console<'_>,
    clock: &dyn Fn() -> Timestamp,
) -> Result<u8, Failure> {
    refuse_what_is_no_purge(arguments)?;
    if arguments.dry_run {
        return report::run(&as_report(arguments), console, clock);
    }
    let policies = policies::valid(&arguments.policies, console)?;
    let chosen = policies::chosen(&policies, &arguments.rules)?;
    let accepted = policies::accepted(&policies, &arguments.accept_limits)?;
    outputs::require_writable(&arguments.output, &policies::files(&policies), &policies)?;
    let stop = Stop::new(signals()?, Stopwatch::now(), arguments.max_runtime);
    let mut purges = Purges { arguments, done: Vec::new(), not_run: Vec::new() };
    for (policy, (rules, accepted)) in policies.iter().zip(chosen.iter().zip(&accepted)) {
        let wanted = Wanted { arguments, policy, rules: rules.as_ref(), accepted };
        let since = Stopwatch::now();
        match one_policy(&wanted, &stop, console, clock) {
            Ok((plan, outcome)) => purges.done.push(Purged { policy, plan, outcome, took: since.elapsed() }),
            Err(failure) => {
                console.complain(&format!("{}: {}", policy.name, failure.message));
                purges.not_run.push(NotRun { policy, code: failure.code, now: clock() });
            }
        }
    }
    purges.deliver(console)
}

/// A policy that was carried out.
struct Purged<'a> {
    policy: &'a Policy,
    plan: Plan,
    outcome: Outcome,
    took: Duration,
}

/// A policy of which no run could begin; why has been said.
struct NotRun<'a> {
    policy: &'a Policy,
    code: u8,
    now: Timestamp,
}

/// What came of all policies.
struct Purges<'a> {
    arguments: &'a Purge,
    done: Vec<Purged<'a>>,
    not_run: Vec<NotRun<'a>>,
}

impl Purges<'_> {
    fn deliver(&self, console: &mut Console<'_>) -> Result<u8, Failure> {
        let output = &self.arguments.output;
        let delivered = console.deliver(
            output,
            &mut |out, format, style| self.draw(out, format, style),
            &mut |out, style| self.complain(out, style),
        );
        delivered.map_err(|failure| failure.beside(self.code()))?;
        // Among metrics there is no room for what is wrong.
        if output.format == PurgeFormat::Prometheus {
            self.complain(console.err, console.style)?;
        }
        Ok(self.code())
    }

    fn draw(&self, out: &mut dyn Write, format: PurgeFormat, style: Style) -> io::Result<()> {
        let format = match format {
            PurgeFormat::Text => Format::Text,
            PurgeFormat::Json => Format::Json,
            PurgeFormat::Prometheus => return prometheus::write(out, &self.exported()),
        };
        let policies = self.done.len() + self.not_run.len();
        for Purged { policy, plan, outcome, .. } in &self.done {
            draw(out, format, style, policy, Subject::Run(plan, outcome), More::default())?;
            close_one(out, format, style, &Total::of_run(policy, plan, outcome), policies)?;
        }
        if self.done.is_empty() {
            return Ok(());
        }
        close(out, format, style, &self.total().closing(self.code(), false))
    }

    fn exported(&self) -> Vec<Exported<'_>> {
        let last_success = |policy: &Policy| ledger::last_success(&policy.state, &policy.name);
        let done = self.done.iter().map(|one| Exported::Run {
            policy: one.policy,
            plan: &one.plan,
            outcome: &one.outcome,
            took: one.took,
            last_success: last_success(one.policy),
        });
        let not_run = self.not_run.iter().map(|one| Exported::NotRun {
            policy: one.policy,
            code: one.code,
            now: one.now,
            last_success: last_success(one.policy),
        });
        done.chain(not_run).collect()
    }

    /// Only what went wrong, and what the exit code means.
    fn complain(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let mut all = self.done.iter();
        all.try_for_each(|one| text::write_run_complaints(out, one.policy, &one.outcome, style))?;
        // Why no run could begin has been said.
        let ended = self.total().ended(self.code(), false).filter(|_| !self.done.is_empty());
        ended.map_or(Ok(()), |ended| text::last_line(out, &ended, style))
    }

    fn total(&self) -> Total {
        let mut total = Total::default();
        self.done.iter().for_each(|one| total.add(Total::of_run(one.policy, &one.plan, &one.outcome)));
        self.not_run.iter().for_each(|one| total.add_not_run(&one.policy.name));
        total
    }

    fn code(&self) -> u8 {
        let done = self.done.iter().map(|one| one.outcome.exit_code());
        done.chain(self.not_run.iter().map(|one| one.code)).max().unwrap_or(exit::DONE)
    }
}

/// Words of neighbouring tools, and of `report`, that are answered by what to type instead.
fn refuse_what_is_no_purge(arguments: &Purge) -> Result<(), Failure> {
    if arguments.force {
        return Err(Failure::usage(
            "there is no `--force`; what a limit refuses is accepted by name: see --accept-limit",
        ));
    }
    if arguments.now.is_some() && !arguments.dry_run {
        return Err(Failure::usage(
            "a purge is always as of now; ask `frist report --now` what would be due",
        ));
    }
    Ok(())
}

/// What was typed, as far as it is about one policy.
struct Wanted<'a> {
    arguments: &'a Purge,
    policy: &'a Policy,
    rules: Option<&'a BTreeSet<String>>,
    accepted: &'a Accepted,
}

/// A purge that only looks is a report.
fn as_report(arguments: &Purge) -> Report {
    Report {
        policies: arguments.policies.clone(),
        output: Output {
            format: arguments.output.format.into(),
            output: arguments
                .output
                .output
                .iter()
                .map(|(format, path)| ((*format).into(), path.clone()))
                .collect(),
        },
        now: arguments.now.clone(),
        rules: arguments.rules.clone(),
        list: false,
        all: false,
        forecast: None,
        fail_on_due: false,
    }
}

fn one_policy(
    wanted: &Wanted<'_>,
    stop: &Stop,
    console: &mut Console<'_>,
    clock: &dyn Fn() -> Timestamp,
) -> Result<(Plan, Outcome), Failure> {
    let Wanted { arguments, policy, accepted, .. } = *wanted;
    let consent = if arguments.yes { Some(Confirmed::by_flag(true).map_err(refused)?) } else { None };
    if consent.is_none() && console.answers.is_none() {
        return Err(Confirmed::by_flag(false).map_err(refused).err().unwrap_or_else(|| refused("")));
    }
    let folder = StateFolder::create(&policy.state).map_err(ledger_failure)?;
    let lock = RunLock::acquire(&folder).map_err(ledger_failure)?;
    let now = clock();
    let witness = WriteDetector::look(&lock).map_err(ledger_failure)?;
    let ledger = Ledger::open(&lock, &run_name(now)).map_err(ledger_failure)?;
    if let Some(torn) = ledger.torn() {
        console.complain(&torn.to_string());
    }
    check_clock(arguments, policy, now, ledger.history())?;
    let plan = make_plan(wanted, &lock, now);
    let consent = match consent {
        Some(consent) => consent,
        None => ask(wanted, &plan, console)?,
    };
    let progress = Progress::new(console.progress);
    let circumstances = RunOptions {
        clock,
        stop: stop.clone(),
        wait: arguments.wait,
        accepted,
        operator: operator(),
        host: host(),
        trigger: if console.answers.is_some() { "terminal" } else { "unattended" },
        nice: arguments.nice,
        progress: &|rule, deleted, expected| progress.tell(rule, deleted, expected),
        runs_missed: runs_missed(policy, ledger.history(), now),
    };
    let run =
        Run::begin(consent, &lock, ledger, policy, &plan, &circumstances, witness).map_err(ledger_failure)?;
    let outcome = run.carry_out().map_err(ledger_failure)?;
    Ok((plan, outcome))
}

fn make_plan(wanted: &Wanted<'_>, lock: &RunLock, now: Timestamp) -> Plan {
    let Wanted { arguments, policy, rules, accepted } = *wanted;
    // What a killed writer left must be put right before it can be read. Where that fails, the plan
    // says so.
    for problem in run::recover(policy, lock, arguments.wait) {
        tracing::warn!("{problem}");
    }
    let extent = if arguments.count { Extent::Every } else { Extent::Candidates };
    Plan::make(policy, &Scope { now, rules, accepted, extent })
}

fn ask(wanted: &Wanted<'_>, plan: &Plan, console: &mut Console<'_>) -> Result<Confirmed, Failure> {
    let Wanted { policy, accepted, .. } = *wanted;
    text::write(console.err, policy, Subject::Plan(plan), More::default(), console.style)?;
    text::last_line(console.err, &Total::of_plan(policy, plan).sentence(), console.style)?;
    let to_be_done = DEEDS.map(|deed| (deed, plan.to_be_done(policy, accepted, deed)));
    if let Some(consent) = Confirmed::for_nothing(to_be_done.iter().map(|(_, count)| count).sum()) {
        return Ok(consent);
    }
    let question = question(&to_be_done);
    match &mut console.answers {
        Some(answers) => Confirmed::by_asking(&question, answers, &mut *console.err).map_err(refused),
        None => Confirmed::by_flag(false).map_err(refused),
    }
}

/// `Delete 3 records and anonymise 2 for good?`
fn question(to_be_done: &[(Action, u64)]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (deed, count) in to_be_done.iter().filter(|(_, count)| *count > 0) {
        let what = if parts.is_empty() { records(*count) } else { grouped(*count) };
        parts.push(format!("{} {what}", deed.verb()));
    }
    let whole = parts.join(" and ");
    let (first, rest) = whole.split_at(whole.len().min(1));
    format!("\n{}{rest} for good?", first.to_uppercase())
}

fn check_clock(arguments: &Purge, policy: &Policy, now: Timestamp, history: &History) -> Result<(), Failure> {
    let last = history.last_now.as_deref().and_then(|last| Timestamp::parse_now(last, &Zone::UTC).ok());
    match run::check_clock(now, last, seconds_between_runs(policy)) {
        Err(fault) if !arguments.accept_clock => {
            Err(refused(format!("{fault}; set the clock, or say --accept-clock if it is right")))
        }
        _ => Ok(()),
    }
}

fn refused(message: impl ToString) -> Failure {
    Failure { code: exit::REFUSED, message: message.to_string() }
}

fn ledger_failure(error: LedgerError) -> Failure {
    let code = if matches!(error, LedgerError::Busy { .. }) { exit::LOCKED } else { exit::INCOMPLETE };
    let advice = match &error {
        LedgerError::Io { source, .. } if is_wrong_folder(source.kind()) => {
            "; the state folder must be one that this account may write to: see `state` in the policy, or --state"
        }
        _ => "",
    };
    Failure { code, message: format!("{error}{advice}") }
}

fn is_wrong_folder(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{NotADirectory, PermissionDenied, ReadOnlyFilesystem};
    matches!(kind, NotADirectory | PermissionDenied | ReadOnlyFilesystem)
}

/// SIGINT, SIGTERM and SIGHUP set a flag; a second one of them ends the program at once.
fn signals() -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        let again = signal_hook::flag::register_conditional_default(signal, Arc::clone(&flag));
        again
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
            .map_err(|error| Failure::incomplete(format!("cannot watch for signals: {error}")))?;
    }
    Ok(flag)
}

/// A name that sorts by time and that two runs cannot share.
fn run_name(now: Timestamp) -> String {
    format!("{now}-{}-{}", now.nanos(), std::process::id())
}

fn operator() -> String {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let user = variable("SUDO_USER").or_else(|| variable("USER")).or_else(|| variable("LOGNAME"));
    user.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// What the policy says about how often it is carried out; a day where it says nothing.
fn seconds_between_runs(policy: &Policy) -> i64 {
    const DAY: i64 = 86_400;
    match &policy.runs_every {
        Some(every) if every.is_calendar() => {
            i64::from(every.months()) * 2_629_746 + i64::from(every.days()) * DAY
        }
        Some(every) => every.elapsed_seconds().unwrap_or(DAY),
        None => DAY,
    }
}

/// How many promised runs did not happen since the last one ended.
fn runs_missed(policy: &Policy, history: &History, now: Timestamp) -> Option<u64> {
    let last = Timestamp::parse_now(history.last_finished_at.get(&policy.name)?, &Zone::UTC).ok()?;
    let between = seconds_between_runs(policy);
    // Cron is not exact: half an interval of delay is no missed run.
    let passed = (now.seconds() - last.seconds()) - between / 2;
    u64::try_from(passed.max(0) / between.max(1)).ok()
}
