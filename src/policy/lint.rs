//! What a valid policy may still have wrong with it: one file per check.

mod column_read;
mod contradictory_law;
mod horizon;
mod no_rules;
mod not_enforced;
mod pseudonym_stays;
mod refused_folder;
mod same_data;
mod shared_folder;
mod statutory_period;
mod taken_along;
mod unused;

use crate::diagnostic::Finding;

use super::Policy;

pub use same_data::together;

/// Runs every check on one policy.
pub fn policy(policy: &Policy) -> Vec<Finding> {
    let checks = [
        column_read::check,
        contradictory_law::check,
        horizon::check,
        no_rules::check,
        not_enforced::check,
        pseudonym_stays::check,
        refused_folder::check,
        same_data::check,
        shared_folder::check,
        statutory_period::check,
        taken_along::check,
        unused::check,
    ];
    checks.iter().flat_map(|check| check(policy)).collect()
}
