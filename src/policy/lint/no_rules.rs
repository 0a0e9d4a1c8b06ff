//! A policy without rules promises nothing and deletes nothing, and looks as one that is kept.

use crate::diagnostic::{Code, Finding};
use crate::policy::Policy;

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    if !policy.rules.is_empty() {
        return Vec::new();
    }
    let finding = Finding::warning(
        Code::NoRules,
        "the policy has no rule, so nothing is ever due",
        policy.name_span.clone(),
    );
    vec![finding.help("write a [[rule]] with `name`, `data`, `keep` and `after` for each promise")]
}
