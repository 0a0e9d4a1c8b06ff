//! What the rules make of the records that are there: those that cannot be read, and rules that
//! match none.

use std::ops::Range;

use super::{Coverage, Named};
use crate::calendar::Timestamp;
use crate::diagnostic::{Code, Finding};
use crate::plan::{unreadable_at, unreadable_words};
use crate::policy::Rule;
use crate::report::records;
use crate::source::request::{RuleCounts, TableQuery, requests};
use crate::source::{Problem, survey};

/// Surveys a source by all its rules, apart from those on tables that cannot be asked.
pub(super) fn check(named: &Named<'_>, now: Timestamp, without: &[&str], coverage: &mut Coverage) {
    let mut requests = requests(named.policy, named.source, now, |_| true);
    requests.retain(|request| !without.contains(&request.table));
    if requests.is_empty() {
        return;
    }
    match survey(named.source, &requests, crate::source::request::Extent::Every) {
        Ok(tables) => {
            for (request, table) in requests.iter().zip(tables) {
                match table {
                    Ok(surveys) => {
                        surveys.iter().for_each(|survey| of_rule(named, request, survey, coverage))
                    }
                    Err(problem) => {
                        coverage.add_problem(named.at, &problem, place_of(request, &problem));
                    }
                }
            }
        }
        Err(unusable) => coverage.add_problem(named.at, &unusable.problem, named.source.span.clone()),
    }
}

/// Where a problem with all rules on a table stands: at the relation that it is about, or at the data.
fn place_of(request: &TableQuery<'_>, problem: &Problem) -> Range<usize> {
    let mut relations = request.rules.iter().flat_map(|rule| rule.relations());
    let about = relations.find(|relation| Some(&relation.at) == problem.place.as_ref());
    let data = request.rules.first().map(|rule| &rule.places.data);
    about.map(|relation| &relation.span).or(data).cloned().unwrap_or_default()
}

fn of_rule(named: &Named<'_>, request: &TableQuery<'_>, survey: &RuleCounts, coverage: &mut Coverage) {
    // The files of a source are the same for all its rules.
    for problem in &survey.problems {
        coverage.add_problem(named.at, problem, named.source.span.clone());
    }
    let rule = request.rules[survey.rule];
    let findings = unreadable(rule, survey)
        .into_iter()
        .chain(nothing_matched(rule, survey))
        .chain(implausible(rule, survey));
    findings.for_each(|finding| coverage.add(named.at, finding));
}

fn unreadable(rule: &Rule, survey: &RuleCounts) -> Option<Finding> {
    let (what, advice) = unreadable_words(rule, &survey.counted.tallies[survey.rule], survey)?;
    Some(Finding::warning(Code::Unreadable, what, unreadable_at(rule, survey)).help(advice))
}

fn implausible(rule: &Rule, survey: &RuleCounts) -> Option<Finding> {
    let warning = survey.warning.as_ref().filter(|warning| warning.code == Code::ImplausibleTimes)?;
    let (what, advice) = warning.message.split_once("; ").unwrap_or((&warning.message, ""));
    Some(Finding::warning(warning.code, what, rule.places.after.clone()).help(advice))
}

/// A rule that matches nothing although there are records is seldom meant.
fn nothing_matched(rule: &Rule, survey: &RuleCounts) -> Option<Finding> {
    let is_about_some = rule.when.is_some() || !rule.only_if.is_empty();
    if !is_about_some || survey.total == 0 || survey.counted.tallies[survey.rule].matched() > 0 {
        return None;
    }
    let message = format!(
        "rule `{}` matches no record of {}, which has {}",
        rule.name,
        rule.data(),
        records(survey.total)
    );
    let (help, place) = match rule.when {
        Some(_) => (
            "compare `when` with what the columns hold; texts are compared letter by letter",
            &rule.places.when,
        ),
        None => ("compare `only-if` with what the related tables hold", &rule.places.data),
    };
    Some(Finding::warning(Code::MatchesNothing, message, place.clone()).help(help))
}
