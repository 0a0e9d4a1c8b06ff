//! Findings as JUnit's XML, which most systems that build and test can show.

use std::io::{self, Write};

use super::{Examined, Finding, Lines, concise};

/// Writes a suite for each policy: a failed case for each error, one that passed where there is none.
/// Warnings stand in the suite's output.
pub fn write(out: &mut dyn Write, examined: &[Examined]) -> io::Result<()> {
    let errors: usize = examined.iter().map(Examined::errors).sum();
    let cases: usize = examined.iter().map(|file| file.errors().max(1)).sum();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"frist check\" tests=\"{cases}\" failures=\"{errors}\" errors=\"0\">")?;
    examined.iter().try_for_each(|file| suite(out, file))?;
    writeln!(out, "</testsuites>")
}

fn suite(out: &mut dyn Write, file: &Examined) -> io::Result<()> {
    let (name, errors) = (escaped(&file.file), file.errors());
    let cases = errors.max(1);
    writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{cases}\" failures=\"{errors}\" errors=\"0\" skipped=\"0\">"
    )?;
    if errors == 0 {
        writeln!(out, "    <testcase classname=\"{name}\" name=\"valid\"/>")?;
    }
    let lines = Lines::of(&file.text);
    for finding in file.findings.iter().filter(|finding| finding.is_error()) {
        let (place, code) = (concise::place(&lines, finding), finding.code.as_str());
        let (message, told) = (escaped(&finding.message), escaped(&told(file, &lines, finding)));
        writeln!(out, "    <testcase classname=\"{name}\" name=\"{code}{place}\">")?;
        writeln!(out, "      <failure type=\"{code}\" message=\"{message}\">{told}</failure>")?;
        writeln!(out, "    </testcase>")?;
    }
    let warnings = file.findings.iter().filter(|finding| !finding.is_error());
    let warnings: Vec<String> = warnings.map(|finding| told(file, &lines, finding)).collect();
    if !warnings.is_empty() {
        writeln!(out, "    <system-out>{}</system-out>", escaped(&warnings.join("\n")))?;
    }
    writeln!(out, "  </testsuite>")
}

fn told(file: &Examined, lines: &Lines<'_>, finding: &Finding) -> String {
    let help = finding.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    concise::line(file, lines, finding) + &help
}

/// A text in XML 1.0, which has no way to write most of the first 32 characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c < ' ' || matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}') => {
                out.extend(c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_say_is_spelt_out() {
        assert_eq!(escaped("a<b>&\"c\"\n\t"), "a&lt;b&gt;&amp;&quot;c&quot;&#10;&#9;");
        assert_eq!(escaped("\u{1b}[31m\u{ffff}å"), "\\u{1b}[31m\\u{ffff}å");
    }
}
