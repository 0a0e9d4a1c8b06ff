//! `frist completions`: what a shell needs to complete commands, from the command line itself.

use clap::CommandFactory;

use super::{Console, Failure};
use crate::cli::{Cli, Completions};
use crate::exit;

pub(super) fn run(arguments: &Completions, console: &mut Console<'_>) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "frist", &mut script);
    console.out.write_all(&script)?;
    console.out.flush()?;
    Ok(exit::DONE)
}
