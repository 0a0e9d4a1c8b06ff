//! What is due, frozen at one instant: counts, limits, and everything that stands in the way.
//!
//! A plan is what `report` shows and what `purge` carries out. Making one writes nothing.

mod datasets;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

pub(crate) use datasets::dataset_name;

use crate::calendar::{Cutoff, Date, DueUpTo, Timestamp, Zone};
use crate::diagnostic::Code;
use crate::evaluate::{Counts, Evaluator, State, Tally};
use crate::policy::{Action, Breach, Policy, Rule, Source};
use crate::source::request::{Acting, Extent, Kept, RuleCounts, TableQuery, Unread, Unusable, requests};
use crate::source::{Problem, Status, survey};

/// What to plan.
pub struct Scope<'a> {
    /// As of when.
    pub now: Timestamp,
    /// Only the rules of these names; all where none are chosen.
    pub rules: Option<&'a BTreeSet<String>>,
    /// The limits that may be broken this once.
    pub accepted: &'a Accepted,
    /// How much to count.
    pub extent: Extent,
}

impl Scope<'_> {
    /// Whether a rule was asked for.
    pub fn selects(&self, rule: &Rule) -> bool {
        self.rules.is_none_or(|rules| rules.contains(&rule.name))
    }
}

/// The limits of one policy that somebody lets a run break once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Those of rules, by their names.
    pub rules: BTreeSet<String>,
    /// Those of datasets, as rules name them in `data`.
    pub datasets: BTreeSet<String>,
}

/// A limit that is broken.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitBreach {
    /// Whose it is.
    pub of: Limited,
    /// How it is broken.
    pub breach: Breach,
}

/// What a limit is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limited {
    /// The records of one rule.
    Rule,
    /// All that leaves a dataset in a run, by whatever rules.
    Dataset(String),
}

/// A policy's plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// As of when.
    pub now: Timestamp,
    /// The sources that the planned rules need.
    pub sources: Vec<SourceState>,
    /// The planned rules, in the order of the policy.
    pub rules: Vec<PlannedRule>,
}

/// Whether a source could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// The source.
    pub source: String,
    /// Read, missing or failed.
    pub status: Status,
    /// Why not.
    pub problem: Option<Problem>,
}

/// What is planned for one rule.
#[derive(Clone, Debug)]
pub struct PlannedRule {
    /// The rule's place in the policy.
    pub index: usize,
    /// The states; none where they were not needed or could not be counted.
    pub counts: Counts,
    /// Of the blocked records, those that `keep-newest` keeps.
    pub newest: u64,
    /// Records that nothing is related to which could start their clock, and that no other rule of a run means.
    pub without_clock: u64,
    /// Records that cannot be read; through an index, of those that were met.
    pub unreadable: u64,
    /// Whether only what may be due was read, through an index.
    pub through_index: bool,
    /// The latest event that is due; none where each record has a period of its own.
    pub due_up_to: Option<DueUpTo>,
    /// The date of the oldest due record's event.
    pub oldest_event: Option<Date>,
    /// For how many days the longest overdue record has been due.
    pub longest_overdue_days: Option<i64>,
    /// The day on which the next record falls due.
    pub next_due: Option<Date>,
    /// Which of the rules that are carried out together comes first: those of rows that refer to
    /// others.
    pub turn: usize,
    /// Whether its records go, so that they keep nothing that they refer to.
    pub acts: bool,
    /// Whether its records decide about others, or others about them.
    pub has_ties: bool,
    /// What keeps records of its table.
    pub kept: Option<Kept>,
    /// Whether records of its table are decided about together with others.
    pub is_together: bool,
    /// The limit that the due records break: the rule's own, or that of a dataset from which it takes.
    pub breach: Option<LimitBreach>,
    /// All records of the dataset, counted as far as the rule's limit needs.
    pub total: u64,
    /// The most records that the limit lets one run delete or anonymise.
    pub most: u64,
    /// What forbids the rule as a whole.
    pub refused: Option<Problem>,
    /// How many rows of which tables go along with the due records, at most.
    pub along: Vec<(String, u64)>,
    /// How many rows of which tables let go of the due records, and stay.
    pub released: Vec<(String, u64)>,
    /// Bytes that the deletion of the due records gives back, where records are files.
    pub bytes_due: Option<u64>,
    /// What somebody should look at although nothing is wrong.
    pub warning: Option<Problem>,
    /// What could not be read, and what could not be carried out.
    pub problems: Vec<Problem>,
    /// Whether part of its data could not be read, so that nobody knows what is due there.
    pub is_partial: bool,
}

impl PlannedRule {
    /// How many records are due; none where that is not known.
    pub fn due(&self) -> Option<u64> {
        self.counts.due
    }

    /// The broken limit that refuses the rule, if nobody accepts it.
    pub fn refusing(&self, rule: &Rule, accepted: &Accepted) -> Option<&LimitBreach> {
        let accepts =
            |breach: &&LimitBreach| breach.of == Limited::Rule && accepted.rules.contains(&rule.name);
        self.breach.as_ref().filter(|breach| !accepts(breach))
    }

    /// How many records are past their time and kept by something that nobody may have meant; none
    /// where that is not known.
    pub fn blocked(&self) -> Option<u64> {
        self.counts.blocked.map(|blocked| blocked.saturating_sub(self.newest))
    }
}

impl Plan {
    /// Plans the rules that the scope selects. All limits are asked of the run in which nothing is
    /// refused; what they refuse takes nothing, and the others are planned again without it.
    pub fn make(policy: &Policy, scope: &Scope<'_>) -> Plan {
        let asked = Plan::without(policy, scope, &BTreeSet::new());
        let broken = datasets::broken(policy, &asked, scope.accepted);
        if broken.is_empty() {
            return asked;
        }
        let refused = broken.keys().map(|rule| policy.rules[*rule].name.clone()).collect();
        let is_tied = |rule: &PlannedRule| rule.has_ties && broken.contains_key(&rule.index);
        let mut plan = match asked.rules.iter().any(is_tied) {
            true => Plan::without(policy, scope, &refused),
            false => asked.clone(),
        };
        for rule in &mut plan.rules {
            let Some(breach) = broken.get(&rule.index) else { continue };
            let Some(first) = asked.rules.iter().find(|first| first.index == rule.index) else { continue };
            let own = first.refusing(&policy.rules[rule.index], scope.accepted).cloned();
            let breach = own.unwrap_or_else(|| breach.clone());
            *rule = PlannedRule { acts: false, breach: Some(breach), turn: rule.turn, ..first.clone() };
        }
        plan
    }

    fn without(policy: &Policy, scope: &Scope<'_>, refused: &BTreeSet<String>) -> Plan {
        let mut plan = Plan { now: scope.now, sources: Vec::new(), rules: Vec::new() };
        for source in &policy.sources {
            let mut requests = requests(policy, source, scope.now, |rule| scope.selects(rule));
            let selected = policy.rules.iter().filter(|rule| scope.selects(rule));
            let mut acting = Acting::of(selected, &scope.accepted.rules);
            acting.refuse(refused);
            requests.iter_mut().for_each(|request| request.set_acting(acting.clone()));
            if !requests.is_empty() {
                plan.add_source(policy, source, &requests, scope.extent);
            }
        }
        plan.rules.sort_by_key(|rule| rule.index);
        plan
    }

    /// Whether something could not be read: the answer is then not the whole answer.
    pub fn is_incomplete(&self) -> bool {
        self.sources.iter().any(|source| source.status != Status::Read)
            || self.rules.iter().any(|rule| !rule.problems.is_empty())
    }

    /// The rules whose records go.
    pub fn acting(&self, policy: &Policy) -> Acting {
        let is_idle = |planned: &PlannedRule| {
            !policy.rules[planned.index].enforce && planned.refused.is_none() && !planned.is_partial
        };
        let acting = self.rules.iter().filter(|planned| planned.acts || is_idle(planned));
        let mut acting = Acting::of(acting.map(|planned| &policy.rules[planned.index]), &BTreeSet::new());
        let refused = self.rules.iter().filter(|planned| planned.breach.is_some() && !planned.acts);
        acting.refuse(&refused.map(|planned| policy.rules[planned.index].name.clone()).collect());
        acting
    }

    /// What keeps records of tables of a source.
    pub fn kept(&self, policy: &Policy, source: &str) -> BTreeMap<String, Kept> {
        let of_source = self.rules.iter().map(|planned| (&policy.rules[planned.index], planned));
        let of_source = of_source.filter(|(rule, _)| rule.source == source);
        of_source
            .filter_map(|(rule, planned)| Some((rule.table.to_ascii_lowercase(), planned.kept.clone()?)))
            .collect()
    }

    /// All due records.
    pub fn due(&self) -> u64 {
        self.rules.iter().filter_map(PlannedRule::due).sum()
    }

    /// All blocked records, but for those that `keep-newest` keeps.
    pub fn blocked(&self) -> u64 {
        self.rules.iter().filter_map(PlannedRule::blocked).sum()
    }

    /// To how many due records a purge would do this, by the rules that it would carry out.
    pub fn to_be_done(&self, policy: &Policy, accepted: &Accepted, deed: Action) -> u64 {
        let goes = |planned: &&PlannedRule| {
            let rule = &policy.rules[planned.index];
            let within = planned.refusing(rule, accepted).is_none();
            rule.enforce && within && planned.refused.is_none() && rule.then.deed() == deed
        };
        self.rules.iter().filter(goes).filter_map(PlannedRule::due).sum()
    }

    fn add_source(&mut self, policy: &Policy, source: &Source, requests: &[TableQuery<'_>], extent: Extent) {
        let name = source.name.clone();
        match survey(source, requests, extent) {
            Ok(tables) => {
                self.sources.push(SourceState { source: name, status: Status::Read, problem: None });
                for (request, table) in requests.iter().zip(tables) {
                    self.add_table(policy, request, table);
                }
            }
            Err(Unusable { status, problem }) => {
                let problem = problem.at(policy.place(source.span.start));
                self.sources.push(SourceState { source: name, status, problem: Some(problem.clone()) });
                for request in requests {
                    self.add_table(policy, request, Err(problem.clone()));
                }
            }
        }
    }

    fn add_table(
        &mut self,
        policy: &Policy,
        request: &TableQuery<'_>,
        surveys: Result<Vec<RuleCounts>, Problem>,
    ) {
        let book = &request.book;
        match surveys {
            Ok(surveys) => {
                for survey in &surveys {
                    let rule = request.rules[survey.rule];
                    self.rules.push(planned(policy, rule, book, survey, self.now));
                }
            }
            Err(problem) => {
                for wanted in &request.wanted {
                    let rule = request.rules[*wanted];
                    let (index, told) = (index_of(policy, rule), book.cutoff(*wanted).map(Cutoff::due_up_to));
                    let problem = problem.clone().or_at(&rule.places.data_at);
                    self.rules.push(unplanned(index, told, problem));
                }
            }
        }
    }
}

fn index_of(policy: &Policy, rule: &Rule) -> usize {
    policy.rules.iter().position(|candidate| candidate.name == rule.name).unwrap_or_default()
}

fn unplanned(index: usize, due_up_to: Option<DueUpTo>, problem: Problem) -> PlannedRule {
    PlannedRule {
        index,
        counts: Counts::default(),
        newest: 0,
        without_clock: 0,
        unreadable: 0,
        through_index: false,
        due_up_to,
        oldest_event: None,
        longest_overdue_days: None,
        next_due: None,
        turn: 0,
        acts: false,
        has_ties: false,
        kept: None,
        is_together: false,
        breach: None,
        total: 0,
        most: 0,
        refused: None,
        along: Vec::new(),
        released: Vec::new(),
        bytes_due: None,
        warning: None,
        problems: vec![problem],
        is_partial: true,
    }
}

fn planned(
    policy: &Policy,
    rule: &Rule,
    book: &Evaluator,
    survey: &RuleCounts,
    now: Timestamp,
) -> PlannedRule {
    let tally = &survey.counted.tallies[survey.rule];
    let (zone, due) = (rule.keep.zone(), tally.records(State::Due));
    let overdue_since = first_due(tally.earliest(State::Due), rule).map(|due| zone.date_of(due));
    PlannedRule {
        index: index_of(policy, rule),
        counts: if survey.through_index { tally.counts_of_met() } else { tally.counts() },
        newest: tally.records(State::Newest),
        without_clock: if rule.enforce { tally.without_clock() } else { 0 },
        unreadable: tally.records(State::Unreadable),
        through_index: survey.through_index,
        due_up_to: book.cutoff(survey.rule).map(Cutoff::due_up_to),
        oldest_event: oldest_date(tally, zone),
        longest_overdue_days: overdue_since.map(|since| (zone.date_of(now) - since).num_days()),
        next_due: first_due(tally.earliest(State::Running), rule)
            .filter(|_| !survey.through_index)
            .map(|due| zone.date_of(due)),
        turn: survey.turn,
        acts: survey.acts,
        kept: survey.kept.clone(),
        is_together: survey.is_together,
        has_ties: survey.has_ties || policy.rules_on(&rule.source, &rule.table).any(|other| !other.deletes()),
        breach: rule.limit.breach(due, survey.total).map(|breach| LimitBreach { of: Limited::Rule, breach }),
        total: survey.total,
        // A dataset is counted only as far as the answer needs: what is due has been answered.
        most: rule.limit.most(survey.total).max(due),
        refused: survey.obstacle.clone().map(|problem| problem.at(&rule.places.data_at)),
        along: survey.along.clone(),
        released: survey.released.clone(),
        bytes_due: survey.bytes_due,
        warning: survey.warning.clone(),
        problems: survey.problems.iter().cloned().chain(unreadable(policy, rule, tally, survey)).collect(),
        is_partial: !survey.problems.is_empty(),
    }
}

fn first_due(events: crate::evaluate::Extremes, rule: &Rule) -> Option<Timestamp> {
    match rule.keep.fixed() {
        Some(schedule) => events.events().map(|event| schedule.due_from(event)).min(),
        None => events.due,
    }
}

fn oldest_date(tally: &Tally, zone: Zone) -> Option<Date> {
    let instant = tally.earliest(State::Due).at.map(|at| zone.date_of(at));
    tally.earliest(State::Due).date.into_iter().chain(instant).min()
}

fn unreadable(policy: &Policy, rule: &Rule, tally: &Tally, survey: &RuleCounts) -> Option<Problem> {
    let (what, advice) = unreadable_words(rule, tally, survey)?;
    let place = policy.place(unreadable_at(rule, survey).start);
    Some(Problem::new(Code::Unreadable, format!("{what}; {advice}")).at(place))
}

/// What of a rule asked for the first value that cannot be read.
pub(crate) fn unreadable_at(rule: &Rule, survey: &RuleCounts) -> Range<usize> {
    survey.unreadable.first().map_or(&rule.places.after, |first| &first.asked_at).clone()
}

/// How many records of a rule cannot be read, with the first of them; and what to do.
pub(crate) fn unreadable_words(
    rule: &Rule,
    tally: &Tally,
    survey: &RuleCounts,
) -> Option<(String, &'static str)> {
    let unreadable = tally.records(State::Unreadable);
    if unreadable == 0 {
        return None;
    }
    let (records, are) = match unreadable {
        1 => ("1 record".to_string(), "is"),
        many => (format!("{many} records"), "are"),
    };
    // Through an index, only what may be due was met.
    let records = if survey.through_index { format!("at least {records}") } else { records };
    let places: Vec<String> =
        survey.unreadable.iter().map(|Unread { key, why, .. }| format!("{key} ({why})")).collect();
    let first = if places.is_empty() { String::new() } else { format!("; first: {}", places.join(", ")) };
    let looks = survey.looks.as_ref().map(|looks| format!("; {looks}")).unwrap_or_default();
    let advice = if survey.bytes_due.is_some() {
        "correct them, or leave them out with `match` or `when`"
    } else if rule.keep.instructions().is_some() {
        "correct the values, or say in the policy how times and periods are written (`formats`, `unit`) and what \
         means empty (`empty`)"
    } else {
        "correct the values, or say in the policy how the column is written (`formats`) and what means empty \
         (`empty`)"
    };
    Some((format!("{records} of {} cannot be read, and so {are} kept{first}{looks}", rule.data()), advice))
}
