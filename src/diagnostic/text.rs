//! Findings drawn with the faulty line and carets under it.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Examined, Finding, Severity};

/// All findings of some files, then one line that counts them.
pub fn render(examined: &[Examined], color: bool, width: usize) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(width);
    let mut out = String::new();
    for file in examined {
        for finding in &file.findings {
            out.push_str(&renderer.render(&[draw(file, finding)]));
            out.push_str("\n\n");
        }
    }
    out
}

fn draw<'a>(file: &'a Examined, finding: &'a Finding) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(finding.message.as_str()).id(finding.code);
    let group = match &finding.span {
        Some(span) => title.element(
            Snippet::source(file.text.as_str())
                .path(file.file.as_str())
                .annotation(AnnotationKind::Primary.span(inside(&file.text, span.start, span.end))),
        ),
        None => title.element(annotate_snippets::Origin::path(file.file.as_str())),
    };
    match &finding.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
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
