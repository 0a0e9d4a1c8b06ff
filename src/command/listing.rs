//! Reading single records while they are written.

use std::cell::Cell;
use std::sync::Arc;

use crate::evaluate::{Evaluator, Reason, State};
use crate::plan::Plan;
use crate::policy::{Policy, Rule, Source};
use crate::report::{Listing, Record, period_beside, period_text, reason_text};
use crate::source::request::{Flow, Listed, TableQuery, requests};
use crate::source::{self, Problem};

/// The records of a plan's rules.
pub(super) struct Records<'a> {
    pub(super) policy: &'a Policy,
    pub(super) plan: &'a Plan,
    /// Records in period or not started too.
    pub(super) all: bool,
    /// Set where a listing could not be finished.
    pub(super) failed: &'a Cell<bool>,
}

impl Listing for Records<'_> {
    fn each(&self, rule: usize, take: &mut dyn FnMut(Record) -> bool) -> Result<(), Problem> {
        let planned = &self.plan.rules[rule];
        let rule = &self.policy.rules[planned.index];
        if !planned.problems.is_empty() && planned.counts.matched.is_none() {
            return Ok(());
        }
        let Some(source) = self.policy.source(&rule.source) else { return Ok(()) };
        let mut requests = requests(self.policy, source, self.plan.now, |other| other.name == rule.name);
        requests.iter_mut().for_each(|request| request.set_acting(self.plan.acting(self.policy)));
        let listed = requests.first().map_or(Ok(()), |request| self.list(source, request, take));
        self.failed.set(self.failed.get() || listed.is_err());
        listed
    }
}

impl Records<'_> {
    fn list(
        &self,
        source: &Source,
        request: &TableQuery<'_>,
        take: &mut dyn FnMut(Record) -> bool,
    ) -> Result<(), Problem> {
        let Some(place) = request.wanted.first().copied() else { return Ok(()) };
        let mut found = |listed: Listed| {
            let shown = self.all || !matches!(listed.verdict.state, State::Waiting | State::Running);
            let wanted = !shown || take(self.record(request, place, listed));
            if wanted { Flow::On } else { Flow::Stop }
        };
        source::list(source, request, place, &mut found).map_err(|unusable| unusable.problem)
    }

    fn record(&self, request: &TableQuery<'_>, place: usize, listed: Listed) -> Record {
        let (book, zone): (&Arc<Evaluator>, _) = (&request.book, self.policy.zone);
        let verdict = listed.verdict;
        let due = book.due_from(place, &verdict);
        let names: Vec<&str> = request.rules.iter().map(|rule: &&Rule| rule.name.as_str()).collect();
        let by_period = due.filter(|_| verdict.reason == Reason::Date && listed.referred.is_none());
        let rule = request.rules[place];
        let reason = listed.referred.unwrap_or_else(|| match by_period {
            Some(due) => period_text(self.policy, rule, due, self.plan.now),
            None => reason_text(&names, book, verdict.reason),
        });
        Record {
            key: listed.key,
            state: verdict.state,
            event: verdict.event.map(|event| event.in_zone(zone)),
            due_from: due.map(|due| zone.rfc3339(due)),
            period: due
                .filter(|_| by_period.is_none())
                .map(|due| period_beside(self.policy, due, self.plan.now)),
            reason,
        }
    }
}
