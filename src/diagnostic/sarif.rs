//! Findings as SARIF 2.1.0 (OASIS Standard, *Static Analysis Results Interchange Format*), for code scanning.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::{Code, Examined, Finding, Lines, Severity, write_json};

/// Writes one log with one run.
pub fn write(out: &mut dyn Write, examined: &[Examined]) -> io::Result<()> {
    let mut codes: Vec<Code> =
        examined.iter().flat_map(|file| &file.findings).map(|finding| finding.code).collect();
    codes.sort_by_key(|code| code.as_str());
    codes.dedup();
    let results: Vec<Value> = examined.iter().flat_map(|file| results(file, &codes)).collect();
    let driver = json!({
        "name": "frist",
        "version": env!("CARGO_PKG_VERSION"),
        "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<Value>>(),
    });
    let run = json!({ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": results });
    let schema = "https://json.schemastore.org/sarif-2.1.0.json";
    write_json(out, &json!({ "$schema": schema, "version": "2.1.0", "runs": [run] }))?;
    writeln!(out)
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.meaning() },
        "help": { "text": code.page(), "markdown": code.page() },
        "defaultConfiguration": { "level": code.severity().map_or("warning", Severity::word) },
    })
}

fn results(file: &Examined, codes: &[Code]) -> Vec<Value> {
    let lines = Lines::of(&file.text);
    file.findings.iter().map(|finding| result(file, &lines, finding, codes)).collect()
}

fn result(file: &Examined, lines: &Lines<'_>, finding: &Finding, codes: &[Code]) -> Value {
    let help = finding.help.as_ref().map(|help| format!("\nHelp: {help}")).unwrap_or_default();
    let mut location = json!({ "artifactLocation": { "uri": uri(&file.file) } });
    if let Some(span) = &finding.span {
        let (start, end) = (lines.position(span.start), lines.position(span.end));
        location["region"] = json!({ "startLine": start.line, "startColumn": start.column,
            "endLine": end.line, "endColumn": end.column });
    }
    json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": codes.iter().position(|code| *code == finding.code),
        "level": finding.severity.word(),
        "message": { "text": format!("{}{help}", finding.message) },
        "locations": [{ "physicalLocation": location }],
    })
}

/// A path as a reference: relative ones start at the root of the repository.
fn uri(path: &str) -> String {
    let begin = if Path::new(path).is_absolute() { "file://" } else { "" };
    // A colon in the first part would end the scheme of an address.
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut uri = begin.to_string();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte.into())
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_reference() {
        assert_eq!(uri("./policies/a b.toml"), "policies/a%20b.toml");
        assert_eq!(uri("/etc/frist/æ:x.toml"), "file:///etc/frist/%C3%A6%3Ax.toml");
    }
}
