//! Finding out what falls due later: a plan as of the end of each month.

use std::collections::BTreeSet;

use crate::plan::{Accepted, Plan, PlannedRule, Scope};
use crate::policy::Policy;
use crate::report::forecast::{Forecast, Horizon};
use crate::source::request::Extent;

/// Plans as of each month's end. The forecast is not whole where one could not see all that the first one saw.
pub(super) fn make(
    policy: &Policy,
    rules: Option<&BTreeSet<String>>,
    plan: &Plan,
    horizon: Horizon,
) -> Forecast {
    let due = |plan: &Plan| plan.rules.iter().map(PlannedRule::due).map(Option::unwrap_or_default).collect();
    let mut is_whole = true;
    let mut forecast = Forecast::make(horizon, plan.now, policy.zone, due(plan), |now| {
        let accepted = Accepted::default();
        let later = Plan::make(policy, &Scope { now, rules, accepted: &accepted, extent: Extent::Every });
        is_whole &= plan.is_incomplete() || !later.is_incomplete();
        due(&later)
    });
    forecast.is_whole = is_whole;
    forecast
}
