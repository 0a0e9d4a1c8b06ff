//! Findings one a line, for editors and for `grep`.

use std::io::{self, Write};

use super::{Examined, Finding, Lines, printable};

/// Writes `FILE:LINE:COLUMN: severity[code] message`, a line for each finding.
pub fn write(out: &mut dyn Write, examined: &[Examined]) -> io::Result<()> {
    for file in examined {
        let lines = Lines::of(&file.text);
        let mut all = file.findings.iter();
        all.try_for_each(|finding| writeln!(out, "{}", printable(&line(file, &lines, finding))))?;
    }
    Ok(())
}

/// `FILE:LINE:COLUMN: severity[code] message`, as the names and the text have it.
pub(super) fn line(file: &Examined, lines: &Lines<'_>, finding: &Finding) -> String {
    let (severity, code) = (finding.severity.word(), finding.code.as_str());
    format!("{}{}: {severity}[{code}] {}", file.file, place(lines, finding), finding.message)
}

/// `:LINE:COLUMN`, or nothing for what is about the whole file.
pub(super) fn place(lines: &Lines<'_>, finding: &Finding) -> String {
    let at = finding.span.as_ref().map(|span| lines.position(span.start));
    at.map(|at| format!(":{}:{}", at.line, at.column)).unwrap_or_default()
}
