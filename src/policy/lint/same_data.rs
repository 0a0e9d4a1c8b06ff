//! Two names for the same data hide rules from each other: the longest could no longer win.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::diagnostic::{Code, Finding};
use crate::policy::{Kind, Policy, Relation, Rule, Source};

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut known: HashMap<Identity, usize> = HashMap::new();
    for (at, source) in policy.sources.iter().enumerate() {
        let own = identities(&source.kind);
        // Of several that are met, the one that stands first.
        let met = own.iter().filter_map(|identity| known.get(identity)).min();
        findings.extend(met.and_then(|met| policy.sources.get(*met)).map(|other| {
            let message =
                format!("sources `{}` and `{}` are the same {}", other.name, source.name, what(source));
            Finding::error(Code::SameData, message, source.span.clone()).help("keep one of them")
        }));
        own.into_iter().for_each(|identity| {
            known.entry(identity).or_insert(at);
        });
    }
    findings
}

/// Compares a policy with those read before it: the names, and the data that rules reach.
pub fn together(policy: &Policy, earlier: &[&Policy]) -> Vec<Finding> {
    let names = earlier.iter().filter(|other| other.name == policy.name).map(|other| {
        let message = format!("{} is called `{}` too", other.file, policy.name);
        Finding::error(Code::DuplicateName, message, policy.name_span.clone())
            .help("give each policy a name of its own")
    });
    let own = reached(policy);
    let pairs: Vec<Pair<'_>> = earlier.iter().filter_map(|other| Pair::of(policy, &own, other)).collect();
    let data = policy.rules.iter().filter_map(|rule| {
        let (other, twin) = pairs.iter().find_map(|pair| Some((pair.other, pair.twin(rule)?)))?;
        let message = format!(
            "rule `{}` and rule `{}` of {} are about the same {}",
            rule.name,
            twin.name,
            other.file,
            noun(rule)
        );
        let finding = Finding::error(Code::SameData, message, rule.places.data.clone());
        Some(
            finding
                .help(format!("rules on one {} belong into one policy, where the longest wins", noun(rule))),
        )
    });
    let along = pairs.iter().flat_map(|pair| pair.along().into_iter().chain(pair.evidence()));
    names.chain(data).chain(along).collect()
}

/// What the sources of a policy reach, by their names.
fn reached(policy: &Policy) -> Vec<(&str, HashSet<Identity>)> {
    let of = |source| -> HashSet<Identity> { identities(source).into_iter().collect() };
    policy.sources.iter().map(|source| (source.name.as_str(), of(&source.kind))).collect()
}

/// Two policies that reach the same files, and by which of their sources.
struct Pair<'p> {
    policy: &'p Policy,
    other: &'p Policy,
    met: HashSet<(&'p str, &'p str)>,
    /// The rules of the other one by their tables.
    on: HashMap<&'p str, Vec<&'p Rule>>,
}

impl<'p> Pair<'p> {
    /// None where the two have no file in common, which is usual.
    fn of(policy: &'p Policy, own: &[(&'p str, HashSet<Identity>)], other: &'p Policy) -> Option<Pair<'p>> {
        let mut met = HashSet::new();
        for source in &other.sources {
            let theirs = identities(&source.kind);
            let meeting = own.iter().filter(|(_, own)| theirs.iter().any(|identity| own.contains(identity)));
            met.extend(meeting.map(|(name, _)| (*name, source.name.as_str())));
        }
        let mut on: HashMap<&str, Vec<&Rule>> = HashMap::new();
        if met.is_empty() {
            return None;
        }
        other.rules.iter().for_each(|rule| on.entry(&rule.table).or_default().push(rule));
        Some(Pair { policy, other, met, on })
    }

    fn twin(&self, rule: &Rule) -> Option<&'p Rule> {
        let mut on = self.on.get(rule.table.as_str())?.iter();
        let is_twin = |twin: &&&Rule| self.met.contains(&(rule.source.as_str(), twin.source.as_str()));
        on.find(is_twin).copied()
    }

    /// Rows that start clocks of records of one policy, and that a rule of the other one deletes: nobody would
    /// note them. Told in the policy that is read later.
    fn evidence(&self) -> Vec<Finding> {
        let meets = |source: &str, other: &Rule| self.met.contains(&(source, other.source.as_str()));
        let own = self.policy.rules.iter().flat_map(|rule| {
            let read = evidence_of(rule).filter_map(|(source, relation)| {
                let is_it = |other: &&Rule| {
                    other.deletes()
                        && other.table.eq_ignore_ascii_case(&relation.table)
                        && meets(source, other)
                };
                Some((relation, self.other.rules.iter().find(is_it)?))
            });
            read.map(|(relation, other)| unnoted(rule, (self.other, other), relation.span.clone()))
        });
        let theirs = self.other.rules.iter().flat_map(|rule| {
            let read = evidence_of(rule).filter_map(|(source, relation)| {
                let is_it = |own: &&Rule| {
                    own.deletes()
                        && own.table.eq_ignore_ascii_case(&relation.table)
                        && self.met.contains(&(own.source.as_str(), source))
                };
                self.policy.rules.iter().find(is_it)
            });
            read.map(|own| unnoted(rule, (self.policy, own), own.places.data.clone()))
        });
        own.chain(theirs).collect()
    }

    /// Rows that go along with records of one policy, and that rules of the other one are about: these
    /// could not keep them. Told in the policy that is read later.
    fn along(&self) -> Vec<Finding> {
        let meets = |rule: &Rule, about: &Rule| self.met.contains(&(rule.source.as_str(), &about.source));
        let own = taken(self.policy, self.other, &meets)
            .map(|(rule, about)| along((self.policy, rule), (self.other, about), rule));
        let theirs = taken(self.other, self.policy, &|rule, about| meets(about, rule))
            .map(|(rule, about)| along((self.other, rule), (self.policy, about), about));
        own.into_iter().chain(theirs).collect()
    }
}

/// The relations of a rule that lead to evidence, each with the source of its rows.
fn evidence_of(rule: &Rule) -> impl Iterator<Item = (&str, &Relation)> {
    let dated = rule.start.related_parts().map(|dated| &dated.relation);
    let instructing = rule.keep.instructions().and_then(|asked| asked.relation.as_ref());
    let all = dated.chain(&rule.only_if).chain(instructing);
    all.map(|relation| (relation.elsewhere.as_deref().unwrap_or(&rule.source), relation))
}

fn unnoted(reading: &Rule, (policy, deleting): (&Policy, &Rule), place: Range<usize>) -> Finding {
    let message = format!(
        "rule `{}` reads the clock of its records from rows of `{}`, which rule `{}` of {} deletes",
        reading.name, deleting.table, deleting.name, policy.file
    );
    let help = "what one policy deletes, another does not note: write both rules into one policy";
    Finding::error(Code::SameData, message, place).help(help)
}

/// The first rule that takes rows along, and the rule of the other policy that is about them.
fn taken<'p>(
    taking: &'p Policy,
    other: &'p Policy,
    meets: &dyn Fn(&Rule, &Rule) -> bool,
) -> Option<(&'p Rule, &'p Rule)> {
    taking.rules.iter().find_map(|rule| {
        let relations = rule.with.relations();
        let is_taken = |about: &&Rule| {
            let takes = relations.iter().any(|relation| relation.table.eq_ignore_ascii_case(&about.table));
            takes && meets(rule, about)
        };
        let about = (!relations.is_empty()).then(|| other.rules.iter().find(is_taken)).flatten()?;
        Some((rule, about))
    })
}

fn along((taking, rule): (&Policy, &Rule), (other, about): (&Policy, &Rule), read: &Rule) -> Finding {
    let message = format!(
        "rule `{}` of {} takes rows of `{}` along, and rule `{}` of {} is about them",
        rule.name, taking.file, about.table, about.name, other.file
    );
    let finding = Finding::error(Code::SameData, message, read.places.data.clone());
    finding.help("rules on one table belong into one policy, where each can keep what it is about")
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

/// A source's file, or its pattern and the files that match it now.
fn identities(kind: &Kind) -> Vec<Identity> {
    let own = identity(kind.path());
    let Kind::Csv(files) = kind else { return vec![own] };
    let paths = glob::glob(&files.pattern.to_string_lossy()).into_iter().flatten().flatten();
    std::iter::once(own).chain(paths.map(|path| identity(&path))).collect()
}

/// What tells two files apart: device and inode where the file exists, for a link is no other
/// file, and the tidied path where it does not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
