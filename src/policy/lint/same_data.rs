//! Two names for the same data hide rules from each other: the longest could no longer win.

use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::diagnostic::Finding;
use crate::policy::{Kind, Policy, Rule, Source};

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, source) in policy.sources.iter().enumerate() {
        let earlier = policy.sources[..at].iter().find(|other| meet(&other.kind, &source.kind));
        findings.extend(earlier.map(|other| {
            let message =
                format!("sources `{}` and `{}` are the same {}", other.name, source.name, what(source));
            Finding::error("same-data", message, source.span.clone()).help("keep one of them")
        }));
    }
    findings
}

/// Compares a policy with those read before it: the names, and the data that rules reach.
pub fn together(policy: &Policy, earlier: &[&Policy]) -> Vec<Finding> {
    let names = earlier.iter().filter(|other| other.name == policy.name).map(|other| {
        let message = format!("{} is called `{}` too", other.file, policy.name);
        Finding::error("duplicate-name", message, policy.name_span.clone())
            .help("give each policy a name of its own")
    });
    let data = policy.rules.iter().filter_map(|rule| {
        let (other, twin) = earlier.iter().find_map(|other| Some((other, twin(policy, rule, other)?)))?;
        let message = format!(
            "rule `{}` and rule `{}` of {} are about the same {}",
            rule.name,
            twin.name,
            other.file,
            noun(rule)
        );
        let finding = Finding::error("same-data", message, rule.places.data.clone());
        Some(
            finding
                .help(format!("rules on one {} belong into one policy, where the longest wins", noun(rule))),
        )
    });
    let along = earlier.iter().flat_map(|other| [along(policy, policy, other), along(policy, other, policy)]);
    names.chain(data).chain(along.flatten()).collect()
}

/// Rows that go along with records of one policy, and that rules of another one are about: these could
/// not keep them. Told in the policy that is read later.
fn along(read: &Policy, taking: &Policy, other: &Policy) -> Option<Finding> {
    let both = taking.rules.iter().flat_map(|rule| other.rules.iter().map(move |about| (rule, about)));
    let (rule, about) = both.into_iter().find(|(rule, about)| {
        let takes =
            rule.with.relations().iter().any(|relation| relation.table.eq_ignore_ascii_case(&about.table));
        let kinds = taking.source(&rule.source).zip(other.source(&about.source));
        takes && kinds.is_some_and(|(one, two)| meet(&one.kind, &two.kind))
    })?;
    let own = if std::ptr::eq(read, taking) { rule } else { about };
    let message = format!(
        "rule `{}` of {} takes rows of `{}` along, and rule `{}` of {} is about them",
        rule.name, taking.file, about.table, about.name, other.file
    );
    let finding = Finding::error("same-data", message, own.places.data.clone());
    Some(finding.help("rules on one table belong into one policy, where each can keep what it is about"))
}

fn noun(rule: &Rule) -> &'static str {
    if rule.table.is_empty() { "source" } else { "table" }
}

fn what(source: &Source) -> &'static str {
    if source.kind.folder().is_some() {
        "folder; write one source, and a rule with `when` for each part"
    } else {
        "file"
    }
}

fn twin<'p>(policy: &Policy, rule: &Rule, other: &'p Policy) -> Option<&'p Rule> {
    let kind = &policy.source(&rule.source)?.kind;
    other.rules.iter().find(|candidate| {
        candidate.table == rule.table
            && other.source(&candidate.source).is_some_and(|source| meet(&source.kind, kind))
    })
}

/// Whether two sources reach the same file, as far as files are there to tell.
fn meet(one: &Kind, other: &Kind) -> bool {
    let others = identities(other);
    identities(one).iter().any(|identity| others.contains(identity))
}

/// A source's file, or its pattern and the files that match it now.
fn identities(kind: &Kind) -> Vec<Identity> {
    let own = identity(kind.path());
    let Kind::Csv(files) = kind else { return vec![own] };
    let paths = glob::glob(&files.pattern.to_string_lossy()).into_iter().flatten().flatten();
    std::iter::once(own).chain(paths.map(|path| identity(&path))).collect()
}

/// What tells two files apart: device and inode where the file exists, for a link is no other
/// file, and the tidied path where it does not.
#[derive(Debug, PartialEq, Eq)]
enum Identity {
    File(u64, u64),
    Path(PathBuf),
}

fn identity(path: &Path) -> Identity {
    match path.metadata() {
        Ok(metadata) => Identity::File(metadata.dev(), metadata.ino()),
        Err(_) => Identity::Path(tidy(path)),
    }
}

fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if tidy.file_name().is_some() => {
                tidy.pop();
            }
            other => tidy.push(other),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_do_not_exist_are_compared_without_their_detours() {
        let tidied = |path: &str| tidy(Path::new(path)).display().to_string();
        assert_eq!(tidied("/a/./b/../c.db"), "/a/c.db");
        assert_eq!(tidied("a/b/../../c.db"), "c.db");
        assert_eq!(tidied("../../c.db"), "../../c.db", "what lies above is not known");
        assert_eq!(tidied("./c.db"), "c.db");
    }

    #[test]
    fn a_link_to_a_file_is_that_file() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("app.db"), folder.path().join("link.db"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(identity(&file), identity(&link));
        assert_ne!(identity(&file), identity(&folder.path().join("other.db")));
    }
}
