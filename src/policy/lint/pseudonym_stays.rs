//! What has a pseudonym stays personal: a rule must still delete the record some day.

use crate::anonymise::Form;
use crate::diagnostic::{Code, Finding};
use crate::policy::{Action, Policy, Rule, Setting};

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let pseudonymising = policy.rules.iter().filter(|rule| rule.then.deed() == Action::Pseudonymised);
    pseudonymising.filter(|rule| !is_deleted_later(policy, rule)).map(finding).collect()
}

fn is_deleted_later(policy: &Policy, rule: &Rule) -> bool {
    policy.rules_on(&rule.source, &rule.table).any(|other| other.deletes() && other.enforce)
}

fn finding(rule: &Rule) -> Finding {
    let message = format!(
        "rule `{}` writes pseudonyms, and no rule deletes the records of {} afterwards",
        rule.name,
        rule.data()
    );
    let is_pseudonym = |setting: &&Setting| matches!(setting.form, Form::Pseudonym);
    let first = rule.then.settings().iter().find(is_pseudonym);
    let span = first.map(|setting| setting.span.clone()).unwrap_or_default();
    let help =
        "data under a pseudonym stays personal: write a rule that deletes these records, or use \"remove\"";
    Finding::warning(Code::PseudonymStays, message, span).help(help)
}
