//! Findings one a line, for editors and for `grep`.

use std::io::{self, Write};

use super::{Examined, Lines, printable};

/// Writes `FILE:LINE:COLUMN: severity[code] message`, a line for each finding.
pub fn write(out: &mut dyn Write, examined: &[Examined]) -> io::Result<()> {
    for file in examined {
        let lines = Lines::of(&file.text);
        for finding in &file.findings {
            let place = finding.span.as_ref().map(|span| lines.position(span.start));
            let place = place.map(|at| format!(":{}:{}", at.line, at.column)).unwrap_or_default();
            let (severity, code) = (finding.severity.word(), finding.code.as_str());
            let line = format!("{}{place}: {severity}[{code}] {}", file.file, finding.message);
            writeln!(out, "{}", printable(&line))?;
        }
    }
    Ok(())
}
