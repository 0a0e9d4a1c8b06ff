//! What a run learns of those before, against the definition in plain words.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;

use super::super::history::Chronicle;
use super::*;
use crate::policy::Action;

const TIMES: [&str; 5] = [
    "2026-11-20T01:00:00Z",
    "2026-11-20T01:00:00.5Z",
    "2026-11-20T01:30:00+02:00",
    "2026-11-19T23:59:59-03:00",
    "2024-02-29T12:00:00Z",
];

type Told = (String, String, Event);

fn events() -> impl Strategy<Value = Event> {
    let (rule, run, number) = (select(vec!["r1", "r2"]), select(vec!["a", "b", "c"]), 1..4u64);
    let outcome =
        select(vec![RecoveryOutcome::Committed, RecoveryOutcome::RolledBack, RecoveryOutcome::NoBatch]);
    prop_oneof![
        2 => select(TIMES.to_vec()).prop_map(started),
        1 => rule.clone().prop_map(rule_started),
        6 => (rule.clone(), number.clone(), 0..50u64).prop_map(|(rule, number, rows)| batch(rule, number, rows)),
        2 => (rule.clone(), number.clone()).prop_map(|(rule, number)| undone(rule, number)),
        2 => rule.clone().prop_map(rule_finished),
        1 => Just(source("crm")),
        1 => Just(finished()),
        2 => (run, proptest::option::of((rule, number)), outcome)
            .prop_map(|(run, batch, outcome)| recovered(run, batch, outcome)),
    ]
}

fn stories() -> impl Strategy<Value = Vec<Told>> {
    let told = (select(TIMES.to_vec()), select(vec!["a", "b", "c"]), events());
    proptest::collection::vec(told.prop_map(|(at, run, event)| (at.to_owned(), run.to_owned(), event)), 0..40)
}

fn learnt(story: &[Told]) -> History {
    let mut chronicle = Chronicle::default();
    story.iter().for_each(|(at, run, event)| chronicle.take(at, run, Some(event)));
    chronicle.finish_reading()
}

/// Whether the run is settled after these entries: it ended, or a later entry
/// told of its last batch in doubt.
fn settles(story: &[Told], index: usize, run: &str) -> bool {
    match &story[index] {
        (_, by, Event::RunFinished(_)) => by == run,
        (_, _, Event::Recovered(told)) if told.killed_run == run => doubts(&story[..=index], run).is_empty(),
        _ => false,
    }
}

/// Where the run's unsettled part begins.
fn begin(story: &[Told], run: &str) -> usize {
    (0..story.len()).rev().find(|index| settles(story, *index, run)).map_or(0, |index| index + 1)
}

#[derive(PartialEq)]
enum Fate {
    Committed,
    Undone,
    InDoubt,
}

fn fate(story: &[Told], index: usize, run: &str, rule: &str, number: u64) -> Fate {
    for (_, by, event) in &story[index + 1..] {
        match event {
            Event::BatchUndone(undone) if by == run && undone.rule == rule && undone.number == number => {
                return Fate::Undone;
            }
            Event::Recovered(told)
                if told.killed_run == run
                    && told.rule.as_deref() == Some(rule)
                    && told.batch == Some(number) =>
            {
                let committed = told.outcome == RecoveryOutcome::Committed;
                return if committed { Fate::Committed } else { Fate::Undone };
            }
            Event::Batch(Batch { rule: other, .. })
            | Event::RuleStarted(RuleStarted { rule: other, .. })
            | Event::RuleFinished(RuleFinished { rule: other, .. })
                if by == run && other == rule =>
            {
                return Fate::Committed;
            }
            _ => {}
        }
    }
    Fate::InDoubt
}

fn batches<'a>(story: &'a [Told], run: &'a str, wanted: Fate) -> Vec<&'a Batch> {
    // A run that is not settled has no settling entry after its begin, so the
    // definition may look at its whole story from there.
    let begin = begin(&story[..story.len().saturating_sub(1)], run);
    let mut found = Vec::new();
    for (index, (_, by, event)) in story.iter().enumerate().skip(begin) {
        if let Event::Batch(batch) = event
            && by == run
            && fate(story, index, run, &batch.rule, batch.number) == wanted
        {
            found.push(batch);
        }
    }
    found
}

fn doubts(story: &[Told], run: &str) -> Vec<Doubt> {
    let in_doubt = batches(story, run, Fate::InDoubt).into_iter().cloned();
    in_doubt
        .map(|Batch { rule, number, rows, ahead, range }| Doubt { rule, number, rows, ahead, range })
        .collect()
}

/// When a run of each policy ended last: a run's policy is what it said when it began.
fn last_ends(story: &[Told]) -> BTreeMap<String, String> {
    let ends = story.iter().enumerate().filter(|(_, told)| matches!(told.2, Event::RunFinished(_)));
    let told = ends.filter_map(|(index, (at, by, _))| {
        let open = expected(&story[..index]).into_iter().find(|unfinished| unfinished.run == *by)?;
        Some((open.policy?, at.clone()))
    });
    told.collect()
}

fn expected(story: &[Told]) -> Vec<Unfinished> {
    let mut unfinished = Vec::new();
    for run in ["a", "b", "c"] {
        let begin = begin(story, run);
        let own: Vec<&Told> = story[begin..].iter().filter(|told| told.1 == run).collect();
        let Some(first) = (begin..story.len()).find(|index| story[*index].1 == run) else {
            continue;
        };
        let start = own.iter().rev().find_map(|told| match &told.2 {
            Event::RunStarted(started) => Some(started),
            _ => None,
        });
        let rules_finished: BTreeSet<String> = own
            .iter()
            .filter_map(|told| match &told.2 {
                Event::RuleFinished(finished) => Some(finished.rule.clone()),
                _ => None,
            })
            .collect();
        let mut done = BTreeMap::new();
        for batch in batches(story, run, Fate::Committed) {
            *done.entry(batch.rule.clone()).or_default() += batch.rows;
        }
        let deeds = own.iter().filter_map(|told| match &told.2 {
            Event::RuleStarted(started) => Some((started.rule.clone(), Action::Deleted)),
            _ => None,
        });
        let deeds = deeds.collect();
        unfinished.push((
            first,
            Unfinished {
                run: run.to_owned(),
                policy: start.map(|start| start.policy.clone()),
                now: start.map(|start| start.now.clone()),
                policy_sha256: start.map(|start| start.policy_sha256.clone()),
                done,
                deeds,
                doubts: doubts(story, run),
                rules_finished,
            },
        ));
    }
    unfinished.sort_by_key(|(first, _)| *first);
    unfinished.into_iter().map(|(_, unfinished)| unfinished).collect()
}

proptest! {
    #![proptest_config(crate::depth::config(300))]

    #[test]
    fn history_is_what_the_definition_says(story in stories()) {
        let history = learnt(&story);
        prop_assert_eq!(&history.unfinished, &expected(&story));
        prop_assert_eq!(history.last_run.as_ref(), story.last().map(|told| &told.1));
        prop_assert_eq!(&history.last_finished_at, &last_ends(&story));
        prop_assert_eq!(history.not_understood, 0);
    }
}

proptest! {
    #![proptest_config(crate::depth::config(10))]

    #[test]
    fn whatever_is_written_is_read_again(story in stories()) {
        let place = Place::new();
        for (index, (at, _, event)) in story.iter().enumerate() {
            let link = place.with(&format!("r{index}"), |ledger| ledger.append(at, event).unwrap()).unwrap();
            prop_assert_eq!(link.seq, index as u64 + 1);
        }
        let read: Vec<Entry> = entries(place.path()).into_iter().flatten().map(|entry| entry.unwrap()).collect();
        prop_assert_eq!(read.len(), story.len());
        for (entry, (at, _, event)) in read.iter().zip(&story) {
            prop_assert_eq!(entry.event.as_ref(), Some(event));
            prop_assert_eq!(&entry.at, at);
        }
        prop_assert_eq!(place.verify().is_ok(), !story.is_empty());
    }
}

#[test]
fn the_latest_time_is_the_latest_moment_and_not_the_greatest_text() {
    let story = |at: &str, now: &str| vec![(at.to_owned(), "a".to_owned(), started(now))];
    let late = "2026-11-19T23:59:59-03:00";
    assert_eq!(learnt(&story(AT, late)).last_now.as_deref(), Some(late));
    assert_eq!(learnt(&story(late, AT)).last_now.as_deref(), Some(late));
    let fraction = "2026-11-20T01:00:00.5Z";
    assert_eq!(learnt(&story(AT, fraction)).last_now.as_deref(), Some(fraction));
    assert_eq!(learnt(&story(fraction, AT)).last_now.as_deref(), Some(fraction));
}

#[test]
fn a_killed_run_stays_known_until_somebody_says_how_it_ended() {
    let place = Place::new();
    write_runs(&place, &[("a", started(AT)), ("a", batch("orders", 1, 4)), ("a", batch("orders", 2, 3))]);
    // The next run is killed before it has spoken of the first.
    write_runs(&place, &[("b", started(AT))]);
    let runs = |history: &History| history.unfinished.iter().map(|run| run.run.clone()).collect::<Vec<_>>();
    let history = place.with("c", |ledger| ledger.history().clone()).unwrap();
    assert_eq!(runs(&history), ["a", "b"]);
    let killed = &history.unfinished[0];
    assert_eq!(killed.done, BTreeMap::from([("orders".to_owned(), 4)]));
    let range = Some([i64::MIN, 2]);
    assert_eq!(
        killed.doubts,
        [Doubt { rule: "orders".to_owned(), number: 2, rows: 3, ahead: BTreeMap::new(), range }]
    );
    let told = recovered("a", Some(("orders", 2)), RecoveryOutcome::Committed);
    write_runs(
        &place,
        &[("c", told), ("c", recovered("b", None, RecoveryOutcome::NoBatch)), ("c", finished())],
    );
    assert!(place.with("d", |ledger| runs(ledger.history())).unwrap().is_empty());
}

#[test]
fn a_batch_counts_what_it_did_where_that_was_less_than_announced() {
    let done = |number, rows| Event::BatchDone(BatchDone { rule: "orders".to_owned(), number, rows });
    let told = |events: Vec<Event>| {
        let story: Vec<Told> =
            events.into_iter().map(|event| (AT.to_owned(), "a".to_owned(), event)).collect();
        learnt(&story).unfinished[0].clone()
    };
    let killed = told(vec![started(AT), batch("orders", 1, 4), done(1, 3), batch("orders", 2, 9)]);
    assert_eq!(killed.done, BTreeMap::from([("orders".to_owned(), 3)]));
    assert_eq!(killed.doubts.len(), 1);
    let other = told(vec![started(AT), batch("orders", 2, 4), done(1, 3)]);
    assert_eq!(other.doubts[0].rows, 4, "it is about another batch");
}

#[test]
fn a_killed_run_is_not_settled_by_an_entry_that_ignores_its_doubt() {
    let story = [("a", batch("orders", 1, 4)), ("b", recovered("a", None, RecoveryOutcome::NoBatch))];
    let story = story.map(|(run, event)| (AT.to_owned(), run.to_owned(), event));
    assert_eq!(learnt(&story).unfinished[0].doubts.len(), 1);
}

#[test]
fn the_id_of_a_killed_run_is_not_taken_again() {
    let place = whole();
    assert!(matches!(place.with("d", |_| ()), Err(LedgerError::Unfit { field: "run id", .. })));
    assert!(place.with("a", |_| ()).is_ok());
}
