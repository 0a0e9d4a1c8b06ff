//! A rule with `enforce = false` promises and does not act.

use crate::diagnostic::{Code, Finding};
use crate::policy::{Policy, Rule};

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    policy.rules.iter().filter(|rule| !rule.enforce).map(finding).collect()
}

fn finding(rule: &Rule) -> Finding {
    let message = format!("rule `{}` is reported and never carried out", rule.name);
    let finding = Finding::warning(Code::NotEnforced, message, rule.places.enforce.clone());
    finding.help("take `enforce = false` away once the report shows what you expect")
}
