//! A source or an activity that no rule uses protects nothing.

use crate::diagnostic::Finding;
use crate::policy::Policy;

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let sources = policy
        .sources
        .iter()
        .filter(|source| !policy.rules.iter().any(|rule| rule.source == source.name))
        .map(|source| finding("unused-source", "source", &source.name, source.span.clone()));
    // An activity with a time limit in words is carried out by somebody else.
    let activities = policy
        .activities
        .iter()
        .filter(|activity| activity.time_limit.is_none())
        .filter(|activity| !policy.rules.iter().any(|rule| rule.activity.as_ref() == Some(&activity.name)))
        .map(|activity| finding("unused-activity", "activity", &activity.name, activity.span.clone()));
    sources.chain(activities).collect()
}

fn finding(code: &'static str, kind: &str, name: &str, span: std::ops::Range<usize>) -> Finding {
    Finding::warning(code, format!("no rule uses {kind} `{name}`"), span)
        .help(format!("write a rule for it, or take the {kind} away"))
}
