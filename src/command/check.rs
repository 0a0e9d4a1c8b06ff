//! `frist check`.

use std::io::{self, Write};

use crate::cli::{Check, Format};
use crate::diagnostic::{json, text};
use crate::exit;
use crate::policy::load::Loaded;
use crate::report::text::Style;

use super::{Console, Failure, policies};

pub(super) fn run(arguments: &Check, console: &mut Console<'_>) -> Result<u8, Failure> {
    let loaded = policies::read(&arguments.policies);
    console.deliver(
        &arguments.output,
        &mut |out, format, style| draw(out, format, style, &loaded),
        &mut |out, style| findings(out, style, &loaded),
    )?;
    Ok(exit_code(&loaded, arguments.deny_warnings))
}

/// A policy that cannot be opened is a wrong command line; one that can, and is wrong, a finding.
fn exit_code(loaded: &Loaded, deny_warnings: bool) -> u8 {
    if loaded.unopened {
        exit::USAGE
    } else if loaded.errors() > 0 || (deny_warnings && loaded.warnings() > 0) {
        exit::FINDINGS
    } else {
        exit::DONE
    }
}

fn draw(out: &mut dyn Write, format: Format, style: Style, loaded: &Loaded) -> io::Result<()> {
    match format {
        Format::Json => writeln!(out, "{}", json::render(&loaded.examined)?),
        Format::Text => {
            findings(out, style, loaded)?;
            writeln!(out, "{}", summary(loaded))
        }
    }
}

fn findings(out: &mut dyn Write, style: Style, loaded: &Loaded) -> io::Result<()> {
    let width = style.width.map_or(120, usize::from);
    write!(out, "{}", text::render(&loaded.examined, style.color, width))
}

fn summary(loaded: &Loaded) -> String {
    let count = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        number if word == "policy" => format!("{number} policies"),
        number => format!("{number} {word}s"),
    };
    let (errors, warnings) = (loaded.errors(), loaded.warnings());
    let read = count(loaded.examined.len(), "policy");
    let rules: usize = loaded.policies.iter().map(|policy| policy.rules.len()).sum();
    match (errors, warnings) {
        (0, 0) => format!("{read} with {}: no problem found", count(rules, "rule")),
        (0, warnings) => format!("{read} with {}: {}", count(rules, "rule"), count(warnings, "warning")),
        (errors, 0) => format!("{read}: {}", count(errors, "error")),
        (errors, warnings) => format!("{read}: {}, {}", count(errors, "error"), count(warnings, "warning")),
    }
}
