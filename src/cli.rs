//! What can be typed.

mod format;
mod help;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use format::output_file;
pub use format::{CheckFormat, Format, OutputFormat, PurgeFormat, ReportFormat};
use help::{
    CHECK_HELP, EXIT_CODES, GLOBAL, LEDGER_HELP, LONG_VERSION, OUTPUT, PURGE_HELP, REPORT_HELP, SAFETY, WHERE,
};

use crate::report::forecast::Horizon;

/// Keep what you must, delete what you promised.
///
/// Policies are TOML files; see `frist demo` for one at work.
#[derive(Debug, Parser)]
#[command(name = "frist", version, long_version = LONG_VERSION.as_str(), max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Colour on terminals, always, or never.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", env = "FRIST_COLOR")]
    #[arg(help_heading = GLOBAL)]
    pub color: Color,
    /// Say only what went wrong.
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    pub quiet: bool,
    /// Say more on standard error; twice for still more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
    pub verbose: u8,
    /// How log lines on standard error are written.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    #[arg(env = "FRIST_LOG_FORMAT", help_heading = GLOBAL)]
    pub log_format: LogFormat,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show frist at work on a small company's data, made up for the purpose.
    Demo(Demo),
    /// Check policies: every problem at once, with its place and a way out.
    #[command(after_long_help = CHECK_HELP)]
    Check(Check),
    /// Show what is due and why. Never writes to a source.
    #[command(after_long_help = REPORT_HELP)]
    Report(Report),
    /// Delete what is due.
    #[command(after_long_help = PURGE_HELP)]
    Purge(Purge),
    /// Explain a code, such as bad-period: what it means, and what to do.
    Explain(Explain),
    /// Show or verify the audit ledger.
    #[command(subcommand, after_long_help = LEDGER_HELP)]
    Ledger(Ledger),
    /// Print what completes commands in a shell.
    Completions(Completions),
    /// Print the manual page of frist, or of one of its commands.
    Man(Man),
}

/// `frist completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `frist man`.
#[derive(Debug, Args)]
pub struct Man {
    /// A command, such as purge, or ledger-show.
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

/// `frist demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// A new or empty folder for the data; a temporary one where it is left out.
    pub folder: Option<PathBuf>,
}

/// Where things are that policies name, or leave out.
#[derive(Clone, Debug, Default, Args)]
pub struct Places {
    /// Where relative paths in policies start; beside each policy where it is left out.
    #[arg(long, value_name = "DIR", env = "FRIST_ROOT", help_heading = WHERE)]
    pub root: Option<PathBuf>,
    /// The folder of the ledger and the lock; the policy's own where it is left out.
    #[arg(long, value_name = "DIR", env = "FRIST_STATE", help_heading = WHERE)]
    pub state: Option<PathBuf>,
}

/// What every command that reads policies takes.
#[derive(Clone, Debug, Args)]
pub struct Policies {
    /// Policy files, or folders whose *.toml files are policies.
    #[arg(required = true, value_name = "POLICY")]
    pub policies: Vec<PathBuf>,
    /// Where things are.
    #[command(flatten)]
    pub places: Places,
}

/// Where output goes, and how it is written.
#[derive(Clone, Debug, Args)]
pub struct Output<F: OutputFormat> {
    /// How standard output is written.
    #[arg(long, value_enum, default_value_t = F::TEXT, env = "FRIST_FORMAT", help_heading = OUTPUT)]
    pub format: F,
    /// Writes the same into a file as well; may be repeated.
    #[arg(long, value_name = "FORMAT=PATH", value_parser = output_file::<F>, help_heading = OUTPUT)]
    pub output: Vec<(F, PathBuf)>,
}

/// `frist check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Policy files, or folders whose *.toml files are policies; ./policies, or ./*.frist.toml, where it is left out.
    #[arg(value_name = "POLICY")]
    pub policies: Vec<PathBuf>,
    /// Where things are.
    #[command(flatten)]
    pub places: Places,
    /// The output.
    #[command(flatten)]
    pub output: Output<CheckFormat>,
    /// Open the sources as well, read only: is all covered that is there?
    #[arg(long)]
    pub data: bool,
    /// Warnings count as errors.
    #[arg(long)]
    pub deny_warnings: bool,
}

/// `frist report`.
#[derive(Debug, Args)]
pub struct Report {
    /// The policies.
    #[command(flatten)]
    pub policies: Policies,
    /// The output.
    #[command(flatten)]
    pub output: Output<ReportFormat>,
    /// As of when: 2027-01-01, or 2027-01-01T02:00:00+01:00.
    #[arg(long, value_name = "INSTANT")]
    pub now: Option<String>,
    /// Only these rules; may be repeated.
    #[arg(long = "rule", value_name = "NAME")]
    pub rules: Vec<String>,
    /// Name each record, apart from those in period or not started.
    #[arg(long)]
    pub list: bool,
    /// With --list: name those too.
    #[arg(long, requires = "list")]
    pub all: bool,
    /// Also what falls due later, month by month: 90d, 12mo, 2y.
    #[arg(long, value_name = "TIME", value_parser = Horizon::parse)]
    pub forecast: Option<Horizon>,
    /// Exit with 1 where records are due.
    #[arg(long)]
    pub fail_on_due: bool,
}

/// `frist purge`.
#[derive(Debug, Args)]
pub struct Purge {
    /// The policies.
    #[command(flatten)]
    pub policies: Policies,
    /// The output.
    #[command(flatten)]
    pub output: Output<PurgeFormat>,
    /// Refused: a purge is always as of now. Use `report --now` to ask what would be due.
    #[arg(long, value_name = "INSTANT", hide = true)]
    pub now: Option<String>,
    /// Only these rules; may be repeated.
    #[arg(long = "rule", value_name = "NAME")]
    pub rules: Vec<String>,
    /// Do not ask.
    #[arg(long, help_heading = SAFETY)]
    pub yes: bool,
    /// Only show what is due, as `report` does.
    #[arg(long, conflicts_with = "accept_limits", help_heading = SAFETY)]
    pub dry_run: bool,
    /// Refused: what a limit forbids is accepted by name.
    #[arg(long, hide = true)]
    pub force: bool,
    /// Stop after the batch that runs when this time is over: 30m.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub max_runtime: Option<Duration>,
    /// Accept a broken limit of this rule, or of this dataset (SOURCE.TABLE), this once; may be repeated.
    #[arg(long = "accept-limit", value_name = "NAME", help_heading = SAFETY)]
    pub accept_limits: Vec<String>,
    /// Believe the clock although it went backwards, or jumped, since the last run.
    #[arg(long, help_heading = SAFETY)]
    pub accept_clock: bool,
    /// How long to wait for a database that another program keeps locked.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub wait: Duration,
    /// Leave this share of the time to other writers, from 0 up to 0.95.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub nice: f64,
    /// Count every state, also where an index makes that unnecessary.
    #[arg(long)]
    pub count: bool,
}

/// `frist explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The code, as `check` prints it in brackets and JSON has it as `code`.
    #[arg(value_name = "CODE")]
    pub code: String,
}

/// `frist ledger`.
#[derive(Debug, Subcommand)]
pub enum Ledger {
    /// Print the runs, or every entry.
    Show(LedgerShow),
    /// Check the chain of entries, offline.
    Verify(LedgerVerify),
}

/// Which ledger.
#[derive(Debug, Args)]
pub struct WhichLedger {
    /// A policy whose ledger is meant.
    #[arg(value_name = "POLICY")]
    pub policy: Option<PathBuf>,
    /// Where things are.
    #[command(flatten)]
    pub places: Places,
}

/// `frist ledger show`.
#[derive(Debug, Args)]
pub struct LedgerShow {
    /// Which ledger.
    #[command(flatten)]
    pub which: WhichLedger,
    /// A line for each run, as on a terminal.
    #[arg(long, conflicts_with = "all")]
    pub runs: bool,
    /// Every entry, as where there is no terminal. JSON has them always.
    #[arg(long)]
    pub all: bool,
    /// How entries are written.
    #[arg(long, value_enum, default_value_t = Format::Text, env = "FRIST_FORMAT", help_heading = OUTPUT)]
    pub format: Format,
}

/// `frist ledger verify`.
#[derive(Debug, Args)]
pub struct LedgerVerify {
    /// Which ledger.
    #[command(flatten)]
    pub which: WhichLedger,
    /// An entry's number and hash, as a purge printed them, kept elsewhere.
    #[arg(long, value_name = "NUMBER:HASH")]
    pub expect: Option<String>,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t = Format::Text, env = "FRIST_FORMAT", help_heading = OUTPUT)]
    pub format: Format,
}

/// When to draw in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=0.95).contains(share));
    share.ok_or_else(|| "write a number from 0 to 0.95, such as 0.5".to_string())
}
