//! Finding out what falls due later: a plan as of the end of each month.

use std::cell::Cell;
use std::collections::BTreeSet;

use crate::calendar::Timestamp;
use crate::plan::{Accepted, Plan, PlannedRule, Scope};
use crate::policy::Policy;
use crate::report::forecast::{Forecast, Horizon};
use crate::source::request::Extent;

/// Plans as of each month's end; `failed` is set where one could not see all that the first one saw.
pub(super) fn make(
    policy: &Policy,
    rules: Option<&BTreeSet<String>>,
    plan: &Plan,
    horizon: Horizon,
    failed: &Cell<bool>,
) -> Forecast {
    let due = |plan: &Plan| plan.rules.iter().map(PlannedRule::due).map(Option::unwrap_or_default).collect();
    Forecast::make(horizon, plan.now, policy.zone, due(plan), |now: Timestamp| {
        let accepted = Accepted::default();
        let later = Plan::make(policy, &Scope { now, rules, accepted: &accepted, extent: Extent::Every });
        failed.set(failed.get() || (later.is_incomplete() && !plan.is_incomplete()));
        due(&later)
    })
}
