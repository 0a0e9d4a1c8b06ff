//! G1: what is not due is never touched, and every state is what the language says.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::g01_cases::{Case, SHAPES, Shape, case};
use super::g01_oracle::{State, Verdict};
use super::support::{Place, Ran};

const STATES: [(&str, State); 5] = [
    ("unreadable", State::Unreadable),
    ("waiting", State::Waiting),
    ("running", State::Running),
    ("overruled", State::Overruled),
    ("due", State::Due),
];

proptest! {
    #![proptest_config(crate::depth::config(20))]

    #[test]
    fn report_and_purge_agree_with_the_oracle(case in case(0..60, prop::sample::select(SHAPES.to_vec()))) {
        check(&case);
    }
}

/// So many rows need several batches.
#[test]
fn large_tables_with_much_that_is_due_agree_with_the_oracle() {
    for shape in SHAPES {
        check(&large(shape, 5_000, |due| due > 0.45));
    }
}

/// So few due rows in so many are looked up in an index, or searched for stretch by stretch.
#[test]
fn large_tables_with_little_that_is_due_agree_with_the_oracle() {
    for shape in [Shape::IntegerKey, Shape::CompositeWithoutRowid] {
        check(&large(shape, 22_000, |due| due > 0.0 && due < 0.04));
    }
}

/// The first drawn case with as large a share of due rows as is wanted, its rows repeated.
fn large(shape: Shape, rows: usize, wanted: impl Fn(f64) -> bool) -> Case {
    let mut runner = TestRunner::deterministic();
    let strategy = case(100..101, Just(shape));
    loop {
        let case = strategy.new_tree(&mut runner).unwrap().current();
        let due = case.rows.len() - left(&case, &case.verdicts()).count();
        if wanted(due as f64 / case.rows.len() as f64) {
            return case.repeated(rows);
        }
    }
}

fn check(case: &Case) {
    let place = case.build();
    let before = case.snapshot(&place);
    let verdicts = case.verdicts();
    check_report(case, &place, &verdicts);
    assert_eq!(case.snapshot(&place), before, "a report changes nothing");
    check_purge(case, &place, &verdicts);
    let mut kept = before;
    let left: BTreeSet<i64> = left(case, &verdicts).collect();
    kept.retain(|tag, _| left.contains(tag));
    assert_eq!(case.snapshot(&place), kept, "exactly what is due is gone");
    check_that_nothing_is_left_to_do(case, &place);
}

/// The rows that no enforced and selected rule makes due, by their tags.
fn left(case: &Case, verdicts: &[Vec<Option<Verdict>>]) -> impl Iterator<Item = i64> {
    let is_due = |verdicts: &[Option<Verdict>]| {
        let mut acting = case.rules.iter().zip(verdicts).filter(|(rule, _)| rule.enforced && rule.selected);
        acting.any(|(_, verdict)| verdict.is_some_and(|verdict| verdict.state == State::Due))
    };
    (0..).zip(verdicts).filter(move |(_, verdicts)| !is_due(verdicts)).map(|(tag, _)| tag)
}

fn run(case: &Case, place: &Place, arguments: &[&str]) -> Ran {
    let selection = case.selection();
    let all: Vec<&str> = arguments.iter().copied().chain(selection.iter().map(String::as_str)).collect();
    place.at_instant(case.now(), &all)
}

/// The rules that a command was asked for, by their place.
fn selected(case: &Case) -> impl Iterator<Item = usize> {
    case.rules.iter().enumerate().filter(|(_, rule)| rule.selected).map(|(place, _)| place)
}

fn of_rule(verdicts: &[Vec<Option<Verdict>>], rule: usize) -> Vec<Verdict> {
    verdicts.iter().filter_map(|verdicts| verdicts[rule]).collect()
}

fn in_state(verdicts: &[Verdict], state: State) -> Vec<Verdict> {
    verdicts.iter().filter(|verdict| verdict.state == state).copied().collect()
}

fn check_report(case: &Case, place: &Place, verdicts: &[Vec<Option<Verdict>>]) {
    let report = run(case, place, &["report", "--format", "json", "--list", "--all"]);
    let json = report.json();
    assert_eq!(json["rules"].as_array().unwrap().len(), selected(case).count());
    let (mut due, mut unreadable) = (0, 0);
    for rule in selected(case) {
        let (told, verdicts) = (report.rule(&format!("rule {rule}")), of_rule(verdicts, rule));
        for (name, state) in STATES {
            assert_eq!(
                told[name],
                json!(in_state(&verdicts, state).len()),
                "{name} of rule {rule}: {case:?}"
            );
        }
        assert_eq!(told["matched"], json!(verdicts.len()), "rule {rule}: {case:?}");
        assert_eq!(listed_states(&told), counted_states(&verdicts), "rule {rule}: {case:?}");
        check_dates(case, &told, &verdicts);
        due += in_state(&verdicts, State::Due).len();
        unreadable += in_state(&verdicts, State::Unreadable).len();
    }
    assert_eq!(json["totals"]["due"], json!(due));
    assert_eq!(report.code, if unreadable > 0 { 3 } else { 0 }, "{report:?}");
}

fn listed_states(told: &Value) -> BTreeMap<String, usize> {
    let mut states = BTreeMap::new();
    for record in told["records"].as_array().unwrap() {
        *states.entry(record["state"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    states
}

fn counted_states(verdicts: &[Verdict]) -> BTreeMap<String, usize> {
    let states = STATES.map(|(name, state)| (name.to_owned(), in_state(verdicts, state).len()));
    states.into_iter().filter(|(_, count)| *count > 0).collect()
}

fn check_dates(case: &Case, told: &Value, verdicts: &[Verdict]) {
    let dates = |state| in_state(verdicts, state).into_iter().filter_map(|verdict| verdict.dates);
    let oldest = dates(State::Due).map(|(date, _)| date).min();
    assert_eq!(told["oldest_event"], json!(oldest.map(|date| date.to_string())), "{case:?}");
    let overdue = dates(State::Due).map(|(_, due)| (case.today() - case.date_of(due)).num_days()).max();
    assert_eq!(told["longest_overdue_days"], json!(overdue), "{case:?}");
    let next = dates(State::Running).map(|(_, due)| case.date_of(due)).min();
    assert_eq!(told["next_due"], json!(next.map(|date| date.to_string())), "{case:?}");
}

fn check_purge(case: &Case, place: &Place, verdicts: &[Vec<Option<Verdict>>]) {
    let arguments = ["purge", "--yes", "--format", "json", "--count"];
    let arguments = if case.counts_all { &arguments[..] } else { &arguments[..4] };
    let purge = run(case, place, arguments);
    assert!(purge.code == 0 || purge.code == 3, "{purge:?} {case:?}");
    for rule in selected(case).filter(|rule| case.rules[*rule].enforced) {
        let (told, verdicts) = (purge.rule(&format!("rule {rule}")), of_rule(verdicts, rule));
        let due = in_state(&verdicts, State::Due).len();
        assert_eq!((&told["due"], &told["deleted"]), (&json!(due), &json!(due)), "rule {rule}: {case:?}");
        assert_eq!((&told["survivors"], &told["outcome"]), (&json!(0), &json!("done")), "{told} {case:?}");
        if case.counts_all {
            let unreadable = in_state(&verdicts, State::Unreadable).len();
            assert_eq!(told["unreadable"], json!(unreadable), "rule {rule}: {case:?}");
            assert!(unreadable == 0 || purge.code == 3, "{purge:?}");
        }
    }
}

fn check_that_nothing_is_left_to_do(case: &Case, place: &Place) {
    let before = case.snapshot(place);
    let again = run(case, place, &["purge", "--yes", "--format", "json"]);
    assert_eq!(again.json()["totals"]["deleted"], json!(0), "{case:?}");
    assert_eq!(case.snapshot(place), before);
    let verified = place.at_instant(case.now(), &["ledger", "verify"]);
    assert_eq!(verified.code, 0, "{verified:?}");
}
