//! Findings as `frist.check/1`.

use std::io::{self, Write};

use serde::Serialize;

use super::{Examined, Finding, Lines, write_json};

#[derive(Serialize)]
struct Check<'a> {
    format: &'static str,
    findings: Vec<Entry<'a>>,
    errors: usize,
    warnings: usize,
}

#[derive(Serialize)]
struct Entry<'a> {
    code: &'a str,
    severity: &'static str,
    message: &'a str,
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
    help: Option<&'a str>,
}

/// Writes all findings of some files as one JSON object and a line end.
pub fn write(out: &mut dyn Write, examined: &[Examined]) -> io::Result<()> {
    let findings = examined.iter().flat_map(|file| {
        let lines = Lines::of(&file.text);
        file.findings.iter().map(move |finding| entry(file, &lines, finding))
    });
    let check = Check {
        format: "frist.check/1",
        findings: findings.collect(),
        errors: examined.iter().map(Examined::errors).sum(),
        warnings: examined.iter().map(Examined::warnings).sum(),
    };
    write_json(out, &check)?;
    writeln!(out)
}

fn entry<'a>(file: &'a Examined, lines: &Lines<'_>, finding: &'a Finding) -> Entry<'a> {
    let start = finding.span.as_ref().map(|span| lines.position(span.start));
    let end = finding.span.as_ref().map(|span| lines.position(span.end));
    Entry {
        code: finding.code.as_str(),
        severity: finding.severity.word(),
        message: &finding.message,
        file: &file.file,
        line: start.map(|at| at.line),
        column: start.map(|at| at.column),
        end_line: end.map(|at| at.line),
        end_column: end.map(|at| at.column),
        help: finding.help.as_deref(),
    }
}
