//! `copies-of`: which sources hold copies of which, and that none copies itself.

use std::collections::HashMap;
use std::ops::Range;

use crate::diagnostic::{Code, Finding, nearest};

use super::section::Section;
use super::source::{Source, Sources};

/// The sources that a section's `copies-of` names, with their places in bytes.
pub(super) fn read(section: &mut Section<'_>) -> Vec<(String, Range<usize>)> {
    section.texts("copies-of", true).into_iter().map(|name| (name.value, name.span)).collect()
}

/// Notes the names that are no source's, and the sources that copy themselves.
pub(super) fn check(sources: &Sources, whole: &Section<'_>) {
    for source in &sources.valid {
        let unknown = source.copies_of.iter().filter(|(name, _)| !sources.are_called(name));
        unknown.for_each(|(name, span)| whole.note(unknown_source(source, name, span, sources)));
    }
    for circle in Walk::through(&sources.valid).circles {
        whole.note(circular(&circle));
    }
}

impl Sources {
    fn are_called(&self, name: &str) -> bool {
        self.valid.iter().any(|source| source.name == name) || self.broken.iter().any(|broken| broken == name)
    }
}

fn unknown_source(source: &Source, name: &str, span: &Range<usize>, sources: &Sources) -> Finding {
    let message =
        format!("source `{}` holds copies of `{name}`, but there is no source `{name}`", source.name);
    let others = sources.valid.iter().map(|other| other.name.as_str()).filter(|other| *other != source.name);
    let help = match nearest(name, others) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("add a section [source.{name}]"),
    };
    Finding::error(Code::UnknownSource, message, span.clone()).help(help)
}

fn circular(circle: &Circle<'_>) -> Finding {
    let message = match circle.names.as_slice() {
        [itself] => format!("source `{itself}` cannot be a copy of itself"),
        names => {
            let first = names.first().copied().unwrap_or_default();
            format!("copies go in a circle: `{}` of `{first}`", names.join("` of `"))
        }
    };
    let finding = Finding::error(Code::CircularCopies, message, circle.span.clone());
    finding.help("name only the sources that the data comes from")
}

/// The sources, each behind those that it copies.
pub(super) fn originals_first(sources: &[Source]) -> Vec<&Source> {
    Walk::through(sources).left.into_iter().map(|at| &sources[at]).collect()
}

/// A walk from copies to their originals, in which no source is entered twice.
struct Walk<'s> {
    sources: &'s [Source],
    numbers: HashMap<&'s str, usize>,
    /// From where it began to where it is: sources, and how many of their originals it has tried.
    path: Vec<(usize, usize)>,
    has_left: Vec<bool>,
    left: Vec<usize>,
    circles: Vec<Circle<'s>>,
}

/// Sources of which each copies the next, and the last the first.
struct Circle<'s> {
    names: Vec<&'s str>,
    /// Where the first names the second, in bytes.
    span: Range<usize>,
}

impl<'s> Walk<'s> {
    fn through(sources: &'s [Source]) -> Walk<'s> {
        let mut walk = Walk {
            sources,
            numbers: sources.iter().enumerate().map(|(at, source)| (source.name.as_str(), at)).collect(),
            path: Vec::new(),
            has_left: vec![false; sources.len()],
            left: Vec::new(),
            circles: Vec::new(),
        };
        for start in 0..sources.len() {
            walk.enter(start);
            while walk.step() {}
        }
        walk
    }

    fn enter(&mut self, at: usize) {
        if let Some(begin) = self.path.iter().position(|(on_path, _)| *on_path == at) {
            self.circles.extend(self.circle(begin));
        } else if !self.has_left[at] {
            self.path.push((at, 0));
        }
    }

    fn step(&mut self) -> bool {
        let Some((at, tried)) = self.path.last_mut() else { return false };
        match self.sources[*at].copies_of.get(*tried) {
            Some((original, _)) => {
                *tried += 1;
                let known = self.numbers.get(original.as_str()).copied();
                known.into_iter().for_each(|original| self.enter(original));
            }
            None => {
                self.has_left[*at] = true;
                self.left.push(*at);
                self.path.pop();
            }
        }
        true
    }

    /// The rest of the path, which has just come back to where that begins.
    fn circle(&self, begin: usize) -> Option<Circle<'s>> {
        let (first, tried) = self.path.get(begin)?;
        let (_, span) = self.sources[*first].copies_of.get(tried.checked_sub(1)?)?;
        let names = self.path[begin..].iter().map(|(at, _)| self.sources[*at].name.as_str()).collect();
        Some(Circle { names, span: span.clone() })
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::Code;
    use crate::policy::tests::{BEGINNING, read};

    fn source(name: &str, copies_of: &[&str]) -> String {
        format!("[source.{name}]\nsqlite = \"{name}.db\"\ncopies-of = {copies_of:?}\n")
    }

    /// The messages of the errors in sources that stand beside `app`.
    fn errors(sources: &[(&str, &[&str])]) -> Vec<String> {
        let sections: Vec<String> = sources.iter().map(|(name, copies_of)| source(name, copies_of)).collect();
        let (_, findings) = read(&format!("{BEGINNING}{}", sections.concat()));
        findings.into_iter().filter(|finding| finding.is_error()).map(|finding| finding.message).collect()
    }

    fn in_order(sources: &[(&str, &[&str])]) -> Vec<String> {
        let sections: Vec<String> = sources.iter().map(|(name, copies_of)| source(name, copies_of)).collect();
        let policy = crate::policy::tests::valid(&sections.concat());
        super::originals_first(&policy.sources).into_iter().map(|source| source.name.clone()).collect()
    }

    #[test]
    fn a_copy_stands_behind_everything_that_it_copies() {
        let sources: [(&str, &[&str]); 4] =
            [("c", &["b", "a"]), ("b", &["a"]), ("a", &["app"]), ("d", &["app", "c"])];
        assert_eq!(in_order(&sources), ["app", "a", "b", "c", "d"]);
        assert_eq!(errors(&sources), [""; 0]);
    }

    #[test]
    fn a_circle_is_told_once_and_every_one_is() {
        assert_eq!(errors(&[("a", &["a"])]), ["source `a` cannot be a copy of itself"]);
        assert_eq!(
            errors(&[("x", &["a"]), ("a", &["b"]), ("b", &["c"]), ("c", &["app", "a"]), ("d", &["d", "b"])]),
            ["copies go in a circle: `a` of `b` of `c` of `a`", "source `d` cannot be a copy of itself"]
        );
        assert_eq!(
            errors(&[("a", &["b", "c"]), ("b", &["a"]), ("c", &["a"])]),
            ["copies go in a circle: `a` of `b` of `a`", "copies go in a circle: `a` of `c` of `a`"]
        );
    }

    #[test]
    fn a_long_chain_takes_no_stack() {
        let names: Vec<String> = (0..3_000).map(|number| format!("s{number}")).collect();
        let sections: Vec<String> =
            names.windows(2).map(|pair| source(&pair[0], &[pair[1].as_str()])).collect();
        let last = source("s2999", &["s0"]);
        let (_, findings) = read(&format!("{BEGINNING}{}{last}", sections.concat()));
        let circles = findings.iter().filter(|finding| finding.code == Code::CircularCopies);
        assert_eq!(circles.count(), 1);
    }

    #[test]
    fn a_copy_of_a_source_with_a_fault_of_its_own_is_no_second_fault() {
        let broken = "[source.old]\nsqlite = \"\"\n";
        let (_, findings) = read(&format!("{BEGINNING}{broken}{}", source("a", &["old"])));
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, ["bad-path"]);
    }
}
