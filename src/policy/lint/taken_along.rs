//! Rows that go along with a record must spare no record that stays, and files must not be taken from a folder
//! that holds more than data.

use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

use crate::diagnostic::{Code, Finding};
use crate::policy::{NamedFiles, Policy, Relation, Rule, Source};
use crate::source::folder::refusal;

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let taking = policy.rules.iter().filter(|rule| !rule.with.is_empty());
    let readers = Readers::of(policy);
    let rows = taking.clone().flat_map(|rule| {
        rule.with.relations().into_iter().filter_map(|along| evidence(&readers, rule, along))
    });
    let files = taking.flat_map(|rule| rule.with.all_files()).filter_map(|files| refused(policy, files));
    rows.chain(files).collect()
}

/// The rules by the tables whose rows spare their records, in small letters. Few rules ask about one table.
struct Readers<'p>(HashMap<String, Vec<&'p Rule>>);

impl<'p> Readers<'p> {
    fn of(policy: &'p Policy) -> Readers<'p> {
        let mut readers: HashMap<String, Vec<&Rule>> = HashMap::new();
        for rule in &policy.rules {
            let tables: BTreeSet<String> =
                rule.unless.iter().map(|relation| relation.table.to_ascii_lowercase()).collect();
            tables.into_iter().for_each(|table| readers.entry(table).or_default().push(rule));
        }
        Readers(readers)
    }

    fn of_table(&self, table: &str) -> &[&'p Rule] {
        self.0.get(&table.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }
}

/// A rule whose records the rows that go along spare.
fn evidence(readers: &Readers<'_>, rule: &Rule, along: &Relation) -> Option<Finding> {
    let mut readers = readers.of_table(&along.table).iter().copied();
    let other = readers.find(|other| spares(rule, along, other))?;
    let message = format!(
        "rows of `{}` go along with records of {}, and speak for records of rule `{}`",
        along.table,
        rule.data(),
        other.name
    );
    let help = "write the same `on` in both places, so that only rows of the record itself go along";
    Some(Finding::error(Code::EvidenceGoesFirst, message, along.span.clone()).help(help))
}

/// Whether the rows spare records of another rule, which their deletion could make due.
fn spares(rule: &Rule, along: &Relation, other: &Rule) -> bool {
    let is_read = |read: &Relation| read.is_about(&other.source, &rule.source, &along.table);
    // What belongs to a record alone says nothing of others.
    let is_direct = rule.with.rows.iter().any(|(direct, _)| direct.span == along.span);
    let is_own = |read: &Relation| is_same_data(rule, other) && is_direct && read.on == along.on;
    let harms = |read: &Relation| is_read(read) && !is_own(read);
    is_same_data(rule, other) && other.unless.iter().any(harms)
}

fn is_same_data(rule: &Rule, other: &Rule) -> bool {
    other.source == rule.source && other.table == rule.table
}

fn refused(policy: &Policy, files: &NamedFiles) -> Option<Finding> {
    let known = !policy.folder.as_os_str().is_empty();
    let own: Vec<PathBuf> =
        known.then(|| policy.folder.clone()).into_iter().chain([policy.state.clone()]).collect();
    let why = refusal(&files.folder, &own).or_else(|| shared(policy, files))?;
    let message = format!("files of `{}` are refused: {why}", files.name);
    let finding = Finding::error(Code::RefusedFolder, message, files.span.clone());
    Some(finding.help("name a folder that holds nothing but the data"))
}

/// A source of which something lies in the folder: only its own rules may delete that.
fn shared(policy: &Policy, files: &NamedFiles) -> Option<String> {
    let folder = real(&files.folder);
    let holds = |source: &&Source| {
        let path = real(source.kind.path());
        path.starts_with(&folder) || (source.kind.folder().is_some() && folder.starts_with(&path))
    };
    let source = policy.sources.iter().find(holds)?;
    Some(format!("source `{}` lies in the same folder", source.name))
}

/// A path without what only looks like a step, as far as it is there.
fn real(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.canonicalize().unwrap_or_else(|_| path.to_path_buf()).components() {
        match component {
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}
