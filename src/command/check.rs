//! `frist check`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::calendar::Timestamp;
use crate::cli::{Check, CheckFormat};
use crate::coverage::{self, Coverage};
use crate::diagnostic::{Examined, concise, github, json, junit, sarif, text};
use crate::exit;
use crate::policy::load::Loaded;
use crate::report::text::Style;

use super::{Console, Failure, outputs, policies};

pub(super) fn run(
    arguments: &Check,
    console: &mut Console<'_>,
    clock: &dyn Fn() -> Timestamp,
) -> Result<u8, Failure> {
    let found = if arguments.policies.is_empty() { found_here()? } else { Vec::new() };
    let named = if found.is_empty() { &arguments.policies } else { &found };
    let mut loaded = policies::read(named, &arguments.places);
    let files: Vec<&str> = loaded.examined.iter().map(|examined| examined.file.as_str()).collect();
    outputs::require_writable(&arguments.output, &files, &loaded.policies)?;
    // What a policy with errors covers is not known yet.
    let opens = arguments.data && loaded.errors() == 0;
    let coverage = if opens { coverage::check(&loaded.policies, clock()) } else { Coverage::default() };
    let looked = match (arguments.data, opens) {
        (true, true) => Looked::AtData { incomplete: coverage.incomplete },
        (true, false) => Looked::NotAtData,
        (false, _) => Looked::AtPolicies,
    };
    add(coverage, &mut loaded);
    let code = exit_code(&loaded, looked, arguments.deny_warnings);
    let delivered = console.deliver(
        &arguments.output,
        &mut |out, format, style| draw(out, format, style, &loaded, looked),
        &mut |out, style| findings(out, style, &loaded),
    );
    delivered.map_err(|failure| failure.beside(code))?;
    Ok(code)
}

/// The folder `policies`, or the files here whose names say that they are policies.
fn found_here() -> Result<Vec<PathBuf>, Failure> {
    let folder = Path::new("policies");
    if folder.is_dir() {
        return Ok(vec![folder.to_path_buf()]);
    }
    let here =
        fs::read_dir(".").map_err(|error| Failure::usage(format!("cannot look around here: {error}")))?;
    let names = here.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut files: Vec<PathBuf> = names
        .filter(|name| name == "frist.toml" || name.ends_with(".frist.toml"))
        .map(PathBuf::from)
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::usage(
            "there is no folder `policies` here, and no file `*.frist.toml` or `frist.toml`; name a policy: \
             frist check POLICY",
        ));
    }
    Ok(files)
}

/// What was looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looked {
    /// The policies, as nothing else was asked for.
    AtPolicies,
    /// The sources as well; some may have refused.
    AtData { incomplete: bool },
    /// No source, although that was asked for: the policies have errors.
    NotAtData,
}

/// Puts the findings in sources among those of the policies that name them.
fn add(coverage: Coverage, loaded: &mut Loaded) {
    for (policy, finding) in coverage.findings {
        let file = &loaded.policies[policy].file;
        if let Some(examined) = loaded.examined.iter_mut().find(|examined| examined.file == *file) {
            examined.findings.push(finding);
        }
    }
    loaded.examined.iter_mut().for_each(Examined::sort);
}

/// A policy that cannot be opened is a wrong command line; one that can, and is wrong, a finding.
fn exit_code(loaded: &Loaded, looked: Looked, deny_warnings: bool) -> u8 {
    if loaded.unopened {
        exit::USAGE
    } else if looked == (Looked::AtData { incomplete: true }) {
        exit::INCOMPLETE
    } else if loaded.errors() > 0 || (deny_warnings && loaded.warnings() > 0) {
        exit::FINDINGS
    } else {
        exit::DONE
    }
}

fn draw(
    out: &mut dyn Write,
    format: CheckFormat,
    style: Style,
    loaded: &Loaded,
    looked: Looked,
) -> io::Result<()> {
    match format {
        CheckFormat::Json => json::write(out, &loaded.examined),
        CheckFormat::Concise => concise::write(out, &loaded.examined),
        CheckFormat::Sarif => sarif::write(out, &loaded.examined),
        CheckFormat::Junit => junit::write(out, &loaded.examined),
        CheckFormat::Github => github::write(out, &loaded.examined),
        CheckFormat::Text => {
            findings(out, style, loaded)?;
            writeln!(out, "{}", summary(loaded, looked))
        }
    }
}

fn findings(out: &mut dyn Write, style: Style, loaded: &Loaded) -> io::Result<()> {
    let width = style.width.map_or(120, usize::from);
    write!(out, "{}", text::render(&loaded.examined, style.color, width))
}

fn summary(loaded: &Loaded, looked: Looked) -> String {
    let count = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        number if word == "policy" => format!("{number} policies"),
        number => format!("{number} {word}s"),
    };
    let (errors, warnings) = (loaded.errors(), loaded.warnings());
    let read = count(loaded.examined.len(), "policy");
    let rules: usize = loaded.policies.iter().map(|policy| policy.rules.len()).sum();
    let data = if matches!(looked, Looked::AtData { .. }) { " and the data" } else { "" };
    let with = format!("{read} with {}{data}", count(rules, "rule"));
    let found = match (errors, warnings) {
        (0, 0) => return format!("{with}: no problem found"),
        (0, warnings) => return format!("{with}: {}", count(warnings, "warning")),
        (errors, 0) => count(errors, "error"),
        (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    match looked {
        Looked::NotAtData => format!("{read}: {found}; no source was opened"),
        Looked::AtData { .. } => format!("{with}: {found}"),
        Looked::AtPolicies => format!("{read}: {found}"),
    }
}
