//! Finding out when the records that are in period fall due.

use std::cell::Cell;

use super::listing::Records;
use crate::evaluate::State;
use crate::plan::Plan;
use crate::policy::Policy;
use crate::report::forecast::{Forecast, Horizon};
use crate::source::request::Flow;

/// Judges every record of a plan's rules; `failed` is set where not all could be seen.
pub(super) fn make(policy: &Policy, plan: &Plan, horizon: Horizon, failed: &Cell<bool>) -> Forecast {
    let mut forecast = Forecast::new(horizon, plan.now, policy.zone, plan.rules.len());
    let records = Records { policy, plan, all: true, failed };
    for rule in 0..plan.rules.len() {
        let listed = records.each_listed(rule, &mut |request, place, listed| {
            let due = request.book.due_from(place, &listed.verdict);
            match (listed.verdict.state, due) {
                (State::Due, _) => forecast.add_due(rule),
                (State::Running, Some(due)) => forecast.add(rule, policy.zone.date_of(due)),
                _ => {}
            }
            Flow::On
        });
        if let Err(problem) = listed {
            tracing::warn!("{}: the forecast is not whole: {}", policy.name, problem.message);
        }
    }
    forecast
}
