//! Findings as workflow commands, which GitHub Actions show as annotations of a pull request.

use std::io::{self, Write};

use super::{Examined, Finding, Lines, printable};

/// Writes `::error file=…,line=…::message`, a line for each finding.
pub fn write(out: &mut dyn Write, examined: &[Examined]) -> io::Result<()> {
    for file in examined {
        let lines = Lines::of(&file.text);
        file.findings.iter().try_for_each(|finding| writeln!(out, "{}", command(file, &lines, finding)))?;
    }
    Ok(())
}

fn command(file: &Examined, lines: &Lines<'_>, finding: &Finding) -> String {
    let mut properties = vec![("file", file.file.clone())];
    if let Some(span) = &finding.span {
        let (start, end) = (lines.position(span.start), lines.position(span.end));
        properties.push(("line", start.line.to_string()));
        properties.push(("endLine", end.line.to_string()));
        // Columns are shown within one line, and the last one is part of what is meant.
        if start.line == end.line {
            let last = end.column.saturating_sub(1).max(start.column);
            properties.extend([("col", start.column.to_string()), ("endColumn", last.to_string())]);
        }
    }
    properties.push(("title", format!("frist {}", finding.code.as_str())));
    let properties: Vec<String> =
        properties.into_iter().map(|(name, value)| format!("{name}={}", property(&value))).collect();
    let help = finding.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    let told = data(&format!("{}{help}", finding.message));
    format!("::{} {}::{}", finding.severity.word(), properties.join(","), printable(&told))
}

/// What would end a message is written as a code.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property ends with a comma or a colon as well.
fn property(text: &str) -> String {
    printable(&data(text).replace(':', "%3A").replace(',', "%2C"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    #[test]
    fn nothing_in_a_name_or_a_message_ends_it() {
        let finding = Finding::error(Code::UnknownKey, "100%\nof it", 2..4).help("a: b, c");
        let examined = Examined {
            file: "a,b:c%.toml".to_string(),
            text: "a\nbcd\n".to_string(),
            findings: vec![finding],
        };
        let mut out = Vec::new();
        write(&mut out, &[examined]).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "::error file=a%2Cb%3Ac%25.toml,line=2,endLine=2,col=1,endColumn=2,title=frist unknown-key::100%25%0Aof it%0A\
             help: a: b, c\n"
        );
    }
}
