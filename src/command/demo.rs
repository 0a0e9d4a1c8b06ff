//! `frist demo`: a small company, checked, reported, purged and verified before one's eyes.

mod belongings;
mod company;
mod files;

use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::Resettable;
use clap::{CommandFactory, FromArgMatches};

use crate::calendar::Timestamp;
use crate::cli::{Cli, Demo};
use crate::exit;
use crate::report::shell_word;
use crate::report::text::{self, Style};

use super::{Console, Failure};

const POLICY: &str = include_str!("../../policies/mobilize-me.toml");

pub(super) fn run(
    arguments: &Demo,
    console: &mut Console<'_>,
    clock: &dyn Fn() -> Timestamp,
) -> Result<u8, Failure> {
    let folder = folder(arguments.folder.as_deref())?;
    let policy = folder.join("policies").join("mobilize-me.toml");
    build(&folder, &policy, clock()).map_err(|error| {
        Failure::incomplete(format!("cannot build the demo in {}: {error:#}", folder.display()))
    })?;
    let style = Style { width: console.style.width.or(Some(100)), ..console.style };
    let tale = format!("A small company lives in {} now: {TALE}", folder.display());
    text::prose(console.out, &tale, style)?;
    let policy = policy.display().to_string();
    let steps: [(&str, &[&str]); 5] = [
        ("Is the policy sound, and does it cover all that is there?", &["check", "--data", &policy]),
        ("What is due? This changes nothing.", &["report", &policy]),
        ("Delete it. On a terminal frist would ask; --yes answers.", &["purge", "--yes", &policy]),
        ("Is anything left that is due?", &["report", "--fail-on-due", &policy]),
        ("Has anybody changed the ledger?", &["ledger", "verify", &policy]),
    ];
    for (why, words) in steps {
        let code = step(why, words, console, clock)?;
        if code != exit::DONE {
            return Ok(code);
        }
    }
    let policy = shell_word(&policy);
    writeln!(console.out)?;
    text::prose(
        console.out,
        "Look around: the policy is short, and what the run wrote down is shown by",
        style,
    )?;
    writeln!(console.out, "$ frist ledger show {policy}")?;
    console.out.flush()?;
    Ok(exit::DONE)
}

const TALE: &str = "\
    a policy made from its privacy notice, a database with customers and what belongs to them, invoices, \
    contacts and page views, pictures on the disk, access logs in CSV files, and folders of server logs \
    and backups.";

fn step(
    why: &str,
    words: &[&str],
    console: &mut Console<'_>,
    clock: &dyn Fn() -> Timestamp,
) -> Result<u8, Failure> {
    let shown: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
    writeln!(console.out, "\n# {why}\n$ frist {}\n", shown.join(" "))?;
    let typed = std::iter::once("frist").chain(words.iter().copied());
    let matches = without_environment(Cli::command()).try_get_matches_from(typed).map_err(Failure::usage)?;
    let cli = Cli::from_arg_matches(&matches).map_err(Failure::usage)?;
    Ok(super::run(&cli, console, clock))
}

/// The demo keeps to its folder: what the environment says about other policies must not lead it into theirs.
fn without_environment(command: clap::Command) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|inner| inner.get_name().to_string()).collect();
    let command = command.mut_args(|argument| argument.env(Resettable::Reset));
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, without_environment))
}

fn folder(chosen: Option<&Path>) -> Result<PathBuf, Failure> {
    let Some(chosen) = chosen else {
        let fresh = tempfile::Builder::new().prefix("frist-demo-").tempdir();
        let kept = fresh.map(tempfile::TempDir::keep);
        return kept.map_err(|error| Failure::incomplete(format!("cannot make a temporary folder: {error}")));
    };
    let cannot = |error| Failure::usage(format!("cannot use {}: {error}", chosen.display()));
    fs::create_dir_all(chosen).map_err(cannot)?;
    if fs::read_dir(chosen).map_err(cannot)?.next().is_some() {
        return Err(Failure::usage(format!("{} is not empty; name a new folder", chosen.display())));
    }
    Ok(chosen.to_path_buf())
}

fn build(folder: &Path, policy: &Path, now: Timestamp) -> anyhow::Result<()> {
    let data = folder.join("data");
    fs::create_dir_all(folder.join("policies"))?;
    fs::create_dir_all(&data)?;
    fs::write(policy, POLICY)?;
    files::access_logs(&data, now)?;
    files::server_logs(&folder.join("logs"), now)?;
    files::backups(&folder.join("backups"), now)?;
    files::pictures(&folder.join("uploads"))?;
    company::database(&data.join("app.db"), now)
}
