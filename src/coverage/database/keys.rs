//! Foreign keys that keep records from being deleted.

use super::Database;
use super::reading::{About, Facts, Pointing};
use crate::coverage::Coverage;
use crate::diagnostic::{Code, Finding};
use crate::policy::Rule;

pub(super) fn check(database: &Database<'_>, facts: &Facts<'_>, coverage: &mut Coverage) {
    for about in &facts.about {
        let Some(rule) = about.request.rules.first() else { continue };
        for pointing in &about.references {
            let in_the_way = in_the_way((database, facts), about, rule, pointing);
            for finding in in_the_way.into_iter().chain(slow(rule, pointing)) {
                coverage.add(about.named.at, finding);
            }
        }
    }
}

/// A key of rows that no rule deletes: what they name stays with them.
fn in_the_way(
    (database, facts): (&Database<'_>, &Facts<'_>),
    about: &About<'_>,
    rule: &Rule,
    pointing: &Pointing,
) -> Option<Finding> {
    let reference = &pointing.reference;
    let child = &reference.child;
    let is_empty = facts.relations.iter().any(|relation| relation.name == *child && relation.rows == Some(0));
    if is_empty
        || !reference.keeps
        || reference.is_to_itself()
        || database.rule_on(child).is_some()
        || database.rule_along(child).is_some()
        || database.is_ignored(child)
    {
        return None;
    }
    let message = format!(
        "no rule deletes rows of `{child}`, and so rule `{}` keeps the rows of `{}` that they name: deleting one would \
         {} them (foreign key {})",
        rule.name,
        pointing.parent,
        reference.effect(),
        reference.name(),
    );
    let help = format!("write a rule for `{}.{child}`", about.named.source.name);
    Some(Finding::warning(Code::ForeignKey, message, rule.places.data.clone()).help(help))
}

fn slow(rule: &Rule, pointing: &Pointing) -> Option<Finding> {
    if !pointing.is_slow {
        return None;
    }
    let reference = &pointing.reference;
    let message = format!(
        "the foreign key {} has no index: rule `{}` is refused, for every deletion would search all of `{}`",
        reference.name(),
        rule.name,
        reference.child
    );
    let finding = Finding::warning(Code::UnindexedForeignKey, message, rule.places.data.clone());
    Some(finding.help(format!("run: {}", reference.create_index())))
}
