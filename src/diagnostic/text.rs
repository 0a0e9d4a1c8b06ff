//! Findings drawn with the faulty line and carets under it.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::printable::visible;
use super::{Examined, Finding, Lines, Severity, printable};

/// All findings of some files, then one line that counts them.
pub fn render(examined: &[Examined], color: bool, width: usize) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(width);
    let mut out = String::new();
    for file in examined {
        let text = visible(&file.text);
        let lines = Lines::of(&text);
        for finding in &file.findings {
            out.push_str(&renderer.render(&[draw(file, &lines, finding)]));
            out.push_str("\n\n");
        }
    }
    out
}

/// Draws a finding from the one line that it is about: the rest of the file is not read for each of them.
fn draw<'a>(file: &'a Examined, lines: &Lines<'a>, finding: &'a Finding) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(printable(&finding.message)).id(finding.code.as_str());
    let path = printable(&file.file);
    let group = match &finding.span {
        Some(span) => {
            let span = inside(&file.text, span.start, span.end);
            let (number, line, start) = lines.line_of(span.start);
            let within = |byte: usize| byte.saturating_sub(start).min(line.len());
            let span = within(span.start)..within(span.end);
            let snippet = Snippet::source(line).line_start(number).path(path);
            title.element(snippet.annotation(AnnotationKind::Primary.span(span)))
        }
        None => title.element(annotate_snippets::Origin::path(path)),
    };
    match &finding.help {
        Some(help) => group.element(Level::HELP.message(printable(help))),
        None => group,
    }
}

/// The span cut to its first line: a whole `[[rule]]` underlined for a missing key only confuses.
fn inside(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let start = start.min(text.len());
    let end = end.clamp(start, text.len());
    let line_end = text[start..end].find(['\n', '\r']).map_or(end, |newline| start + newline);
    start..line_end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    fn drawn(text: &str, span: std::ops::Range<usize>) -> String {
        let findings = vec![Finding::error(Code::UnknownKey, "message", span)];
        render(&[Examined { file: "p.toml".into(), text: text.into(), findings }], false, 80)
    }

    #[test]
    fn a_span_over_several_lines_is_underlined_on_its_first() {
        assert_eq!(inside("ab\ncd\n", 0, 5), 0..2);
        assert_eq!(inside("ab\r\ncd", 1, 6), 1..2);
        assert!(drawn("[[rule]]\nname = 1\n", 0..17).ends_with("1 | [[rule]]\n  | ^^^^^^^^\n\n"));
    }

    #[test]
    fn a_span_beyond_the_text_is_drawn_at_its_end() {
        for (text, span) in [("", 0..0), ("", 5..9), ("a", 1..1), ("a\n", 2..2)] {
            assert!(drawn(text, span.clone()).contains('^'), "{text:?} {span:?}");
        }
    }

    #[test]
    fn nothing_in_a_policy_can_write_on_the_terminal() {
        let findings = vec![
            Finding::error(Code::UnknownKey, "unknown key `\u{1b}[31m`", 0..4)
                .help("did you mean `\u{1b}]0;x\u{7}`?"),
        ];
        let text = "\u{1b}[31m\u{202e} = \u{7}\u{0}1".to_string();
        let drawn = render(&[Examined { file: "\u{1b}.toml".into(), text, findings }], false, 80);
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!drawn.contains(control) && !drawn.contains('\u{202e}'), "{drawn:?}");
    }
}
