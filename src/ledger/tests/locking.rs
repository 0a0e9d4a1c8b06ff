//! Two runs never write at once.

use std::io::{BufRead, BufReader};
use std::process::Child;

use super::*;

/// What a contender says once it has the lock, or has not.
fn answer(child: &mut Child) -> String {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines().map(|line| line.unwrap());
    lines.into_iter().find(|line| line.starts_with("held") || line.starts_with("refused")).unwrap()
}

fn release(mut child: Child) {
    drop(child.stdin.take());
    child.wait().unwrap();
}

#[test]
fn of_processes_that_race_one_gets_the_lock_and_the_others_learn_who() {
    let place = Place::new();
    for _ in 0..20 {
        let mut racing: Vec<Child> =
            (0..3).map(|_| child::command("hold", place.path(), "").spawn().unwrap()).collect();
        let answers: Vec<String> = racing.iter_mut().map(answer).collect();
        let holders: Vec<u32> = racing.iter().map(Child::id).collect();
        let held = answers.iter().position(|answer| answer.starts_with("held")).unwrap();
        assert_eq!(answers.iter().filter(|answer| answer.starts_with("held")).count(), 1, "{answers:?}");
        assert_eq!(answers[held], format!("held by {}.", holders[held]));
        racing.into_iter().for_each(release);
    }
}

#[test]
fn a_held_lock_names_its_holder_and_its_file() {
    let place = Place::new();
    let mut holder = child::command("hold", place.path(), "").spawn().unwrap();
    answer(&mut holder);
    let error = RunLock::acquire(&place.folder).unwrap_err();
    let expected = format!("another run (process {}) holds {}", holder.id(), place.folder.lock().display());
    assert!(error.to_string().starts_with(&expected), "{error}");
    release(holder);
    assert!(RunLock::acquire(&place.folder).is_ok());
}

#[test]
fn a_killed_holder_frees_the_lock() {
    let place = Place::new();
    let mut holder = child::command("hold", place.path(), "").spawn().unwrap();
    answer(&mut holder);
    assert!(RunLock::acquire(&place.folder).is_err());
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(RunLock::acquire(&place.folder).is_ok());
}

#[test]
fn what_stands_in_the_lock_file_is_shown_only_if_it_is_a_process_id() {
    let place = Place::new();
    let _lock = RunLock::acquire(&place.folder).unwrap();
    std::fs::write(place.folder.lock(), "\u{1b}[2J").unwrap();
    assert!(matches!(RunLock::acquire(&place.folder), Err(LedgerError::Busy { holder: None, .. })));
}
