//! Foreign keys that keep a rule from deleting.

use super::Database;
use super::reading::{About, Facts, Pointing};
use crate::coverage::Coverage;
use crate::diagnostic::Finding;
use crate::policy::Rule;

pub(super) fn check(database: &Database<'_>, facts: &Facts<'_>, coverage: &mut Coverage) {
    for about in &facts.about {
        let Some(rule) = about.request.rules.first() else { continue };
        for pointing in &about.references {
            let in_the_way = in_the_way(database, about, rule, pointing);
            for finding in in_the_way.into_iter().chain(slow(rule, pointing)) {
                coverage.add(about.named.at, finding);
            }
        }
    }
}

/// A key of rows that no earlier rule deletes.
fn in_the_way(
    database: &Database<'_>,
    about: &About<'_>,
    rule: &Rule,
    pointing: &Pointing,
) -> Option<Finding> {
    let reference = &pointing.reference;
    let child = &reference.child;
    let before = database.rules().take_while(|(named, other)| {
        named.at != about.named.at || named.source.name != about.named.source.name || other.name != rule.name
    });
    let is_itself = child.eq_ignore_ascii_case(&pointing.parent);
    if !is_itself && before.into_iter().any(|(_, other)| other.table == *child) {
        return None;
    }
    let message = format!(
        "deleting rows of `{}` would {} rows of `{child}` (foreign key {}): rule `{}` is refused while they name \
         due rows",
        pointing.parent,
        reference.effect(),
        reference.name(&pointing.parent),
        rule.name
    );
    let help = match database.rule_on(child) {
        _ if is_itself => {
            "let the program that writes these rows take the reference away in time".to_string()
        }
        Some((_, later)) => format!("put rule `{}` before rule `{}`", later.name, rule.name),
        None => format!("write a rule for `{}.{child}` before rule `{}`", about.named.source.name, rule.name),
    };
    Some(Finding::warning("foreign-key", message, rule.places.data.clone()).help(help))
}

fn slow(rule: &Rule, pointing: &Pointing) -> Option<Finding> {
    if !pointing.is_slow {
        return None;
    }
    let reference = &pointing.reference;
    let message = format!(
        "the foreign key {} has no index: rule `{}` is refused, for every deletion would search all of `{}`",
        reference.name(&pointing.parent),
        rule.name,
        reference.child
    );
    let finding = Finding::warning("unindexed-foreign-key", message, rule.places.data.clone());
    Some(finding.help(format!("run: {}", reference.create_index())))
}
