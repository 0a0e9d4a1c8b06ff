//! One file a command: glue between what was typed and what does the work.

mod check;
mod completions;
mod console;
mod demo;
mod explain;
mod forecast;
mod ledger;
mod listing;
mod man;
mod outputs;
mod policies;
mod progress;
mod purge;
mod report;

pub use console::{Console, Failure};

use crate::calendar::Timestamp;
use crate::cli::{Cli, Command};

/// Runs a command and returns its exit code. `clock` tells the time.
pub fn run(cli: &Cli, console: &mut Console<'_>, clock: &dyn Fn() -> Timestamp) -> u8 {
    let result = match &cli.command {
        Command::Demo(arguments) => demo::run(arguments, console, clock),
        Command::Check(arguments) => check::run(arguments, console, clock),
        Command::Report(arguments) => report::run(arguments, console, clock),
        Command::Purge(arguments) => purge::run(arguments, console, clock),
        Command::Explain(arguments) => explain::run(arguments, console),
        Command::Ledger(arguments) => ledger::run(arguments, console),
        Command::Completions(arguments) => completions::run(arguments, console),
        Command::Man(arguments) => man::run(arguments, console),
    };
    result.unwrap_or_else(|failure| {
        console.complain(&failure.message);
        failure.code
    })
}
