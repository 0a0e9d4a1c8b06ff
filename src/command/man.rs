//! `frist man`: manual pages, from the command line itself.

use clap::CommandFactory;
use clap_mangen::Man;

use super::{Console, Failure};
use crate::cli;
use crate::exit;

pub(super) fn run(arguments: &cli::Man, console: &mut Console<'_>) -> Result<u8, Failure> {
    let mut whole = cli::Cli::command();
    whole.build();
    let command = match &arguments.command {
        None => whole,
        Some(name) => named(&whole, name).ok_or_else(|| unknown(&whole, name))?,
    };
    let mut page = Vec::new();
    let source = concat!("frist ", env!("CARGO_PKG_VERSION"));
    Man::new(command).source(source).render(&mut page)?;
    console.out.write_all(&page)?;
    console.out.flush()?;
    Ok(exit::DONE)
}

/// The command of a name such as `ledger-show`.
fn named(whole: &clap::Command, name: &str) -> Option<clap::Command> {
    let name = name.strip_prefix("frist-").unwrap_or(name);
    commands(whole).into_iter().find(|(known, _)| known == name).map(|(_, command)| command)
}

/// All commands and those below them, by the names of their pages.
fn commands(whole: &clap::Command) -> Vec<(String, clap::Command)> {
    let visible = |command: &&clap::Command| command.get_name() != "help";
    let mut all = Vec::new();
    for command in whole.get_subcommands().filter(visible) {
        all.push((command.get_name().to_string(), command.clone()));
        for below in command.get_subcommands().filter(visible) {
            all.push((format!("{}-{}", command.get_name(), below.get_name()), below.clone()));
        }
    }
    all.into_iter()
        .map(|(name, command)| (name.clone(), command.display_name(format!("frist-{name}"))))
        .collect()
}

fn unknown(whole: &clap::Command, name: &str) -> Failure {
    let known: Vec<String> = commands(whole).into_iter().map(|(name, _)| name).collect();
    Failure::usage(format!("there is no command `{name}`; there are {}", known.join(", ")))
}
