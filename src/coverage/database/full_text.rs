//! Full-text tables: the words of a deleted row may stay in the index.

use super::module::{Content, Module};
use super::reading::{Facts, Relation};
use super::{Database, tables};
use crate::coverage::Coverage;
use crate::diagnostic::{Code, Finding};
use crate::policy::Rule;
use crate::source::sqlite::quoted;

pub(super) fn check(database: &Database<'_>, facts: &Facts<'_>, coverage: &mut Coverage) {
    let Some(first) = database.sources.first() else { return };
    for relation in &facts.relations {
        let Some(module) = relation.module.as_ref().filter(|module| module.is_full_text()) else { continue };
        if database.is_covered(&relation.name) {
            continue;
        }
        let bases = bases(relation, module, facts);
        let mut covered = bases.iter().filter_map(|base| Some((*base, database.rule_on(base)?))).peekable();
        if covered.peek().is_none()
            && relation.rows != Some(0)
            && !bases.iter().any(|base| database.is_ignored(base))
        {
            coverage.add(first.at, tables::uncovered(first, relation));
        }
        for (base, (named, rule)) in covered {
            let finding = index_of(relation, module, base, rule, facts);
            finding.into_iter().for_each(|finding| coverage.add(named.at, finding));
            let anonymising = database.anonymising_rule_on(base);
            let unfollowed = anonymising.filter(|_| !is_followed(relation, base, facts));
            unfollowed
                .into_iter()
                .for_each(|(named, rule)| coverage.add(named.at, not_followed(relation, rule)));
        }
    }
}

/// Whether a table is what a full-text table is an index of.
pub(super) fn is_content(module: &Module, table: &str) -> bool {
    module.is_full_text() && matches!(&module.content, Content::Of(name) if name.eq_ignore_ascii_case(table))
}

/// The tables whose rows a full-text table indexes: the one that it names, and those whose
/// triggers write into it.
fn bases<'f>(relation: &Relation, module: &Module, facts: &'f Facts<'_>) -> Vec<&'f str> {
    let writes = |table: &str| {
        let mut own = facts.triggers.iter().filter(|trigger| trigger.table.eq_ignore_ascii_case(table));
        own.any(|trigger| {
            trigger
                .inserts
                .iter()
                .any(|insert| insert.copies && insert.into.eq_ignore_ascii_case(&relation.name))
        })
    };
    let tables = facts.relations.iter().map(|relation| relation.name.as_str());
    tables.filter(|table| is_content(module, table) || writes(table)).collect()
}

/// Whether the index is told when a row changes.
fn is_followed(relation: &Relation, base: &str, facts: &Facts<'_>) -> bool {
    let mut on_base = facts.triggers.iter().filter(|trigger| trigger.table.eq_ignore_ascii_case(base));
    on_base.any(|trigger| trigger.follows(&relation.name))
}

fn not_followed(relation: &Relation, rule: &Rule) -> Finding {
    let (index, base) = (&relation.name, &rule.table);
    let message = format!(
        "full-text table `{index}` is not told when rule `{}` anonymises rows of `{base}`: their words stay in it",
        rule.name
    );
    let help = format!("let a trigger AFTER UPDATE ON `{base}` change `{index}` too");
    Finding::warning(Code::FullTextCopy, message, rule.places.data.clone()).help(help)
}

fn index_of(
    relation: &Relation,
    module: &Module,
    base: &str,
    rule: &Rule,
    facts: &Facts<'_>,
) -> Option<Finding> {
    let on_base = facts.triggers.iter().filter(|trigger| trigger.table.eq_ignore_ascii_case(base));
    let is_told = on_base.into_iter().any(|trigger| trigger.clears(&relation.name));
    let index = &relation.name;
    let (message, help) = match (is_told, relation.forgets) {
        (true, true) => return None,
        (false, _) => (
            format!(
                "full-text table `{index}` is not told when rows of `{base}` are deleted: their words stay in it"
            ),
            format!(
                "let a trigger AFTER DELETE ON `{base}` delete from `{index}` too{}",
                or_rebuild(module, index)
            ),
        ),
        (true, false) => (
            format!(
                "full-text table `{index}` may hold words of deleted rows of `{base}` until it is merged"
            ),
            merge(module, index),
        ),
    };
    Some(Finding::warning(Code::FullTextCopy, message, rule.places.data.clone()).help(help))
}

/// What is written nowhere else cannot be built again.
fn or_rebuild(module: &Module, index: &str) -> String {
    let name = quoted(index);
    match module.content {
        Content::Of(_) => format!(
            ", or build it again after each purge and ignore it: INSERT INTO {name} ({name}) VALUES ('rebuild')"
        ),
        Content::Own | Content::Nowhere => String::new(),
    }
}

fn merge(module: &Module, index: &str) -> String {
    let name = quoted(index);
    let optimize =
        format!("merge it after each purge and ignore it: INSERT INTO {name} ({name}) VALUES ('optimize')");
    if module.name != "fts5" {
        return optimize;
    }
    format!("run once: INSERT INTO {name} ({name}, rank) VALUES ('secure-delete', 1); or {optimize}")
}
