//! Notes of evidence: what is noted lasts, for as long as its record does, and what is lost or foreign is told.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::diagnostic::Code;
use crate::policy::{LoadContext, parse};
use crate::value::Value;

/// A policy whose people's clock bills start, and whose state folder is there.
fn policy_in(folder: &Path) -> Policy {
    let state = folder.join(".frist");
    let text = r#"version = 1
        policy = { name = "p", timezone = "UTC" }
        source.a = { sqlite = "a.db" }
        rule = [
          { name = "people", data = "a.people", keep = "1 year", after = { table = "bills", column = "at", on = "person = id" } },
          { name = "only", data = "a.people", keep = "1 year", after = "at", only-if = [{ table = "bills", on = "person = id" }] },
        ]"#;
    let surroundings =
        LoadContext { file: "p.toml", base: folder, default_state: &state, variable: &|_| None };
    let (policy, findings) = parse(text, &surroundings);
    StateFolder::create(&state).unwrap();
    policy.unwrap_or_else(|| panic!("{findings:?}"))
}

/// One row that went, by what joins it to its record.
fn gone(policy: &Policy, key: &[u8], at: &str) -> Gone {
    let mut gone = Gone::of(Asked::all(policy));
    for place in 0..gone.asked().len() {
        gone.see(place, key, |_| Value::Text(at.as_bytes()));
    }
    gone
}

fn lock(policy: &Policy) -> RunLock {
    RunLock::acquire(&StateFolder::create(&policy.state).unwrap()).unwrap()
}

fn question(policy: &Policy) -> Question {
    Asked::all(policy)[0].question.clone()
}

fn found(policy: &Policy, key: &[u8]) -> Option<String> {
    let notes = Notes::open(policy).unwrap();
    match notes.reader(&question(policy)).unwrap().find(key).unwrap()? {
        AnswerCell::Text(text) => text.map(String::from),
        AnswerCell::Number(number) => Some(number.to_string()),
    }
}

#[test]
fn a_note_says_what_all_rows_together_said_that_went() {
    let folder = tempfile::tempdir().unwrap();
    let policy = policy_in(folder.path());
    let (lock, notes) = (lock(&policy), Notes::open(&policy).unwrap());
    for at in ["2020-03-01", "2024-02-29", "2022-01-01"] {
        notes.add(&lock, &gone(&policy, b"1", at)).unwrap();
    }
    assert_eq!(found(&policy, b"1").as_deref(), Some("2024-02-29"));
    notes.add(&lock, &gone(&policy, b"1", "")).unwrap();
    assert_eq!(found(&policy, b"1").as_deref(), Some(""), "a clock that has not started");
    assert_eq!(found(&policy, b"2"), None);
    notes.rest(&lock, &Asked::all(&policy), false).unwrap();
    assert_eq!(found(&policy, b"1").as_deref(), Some(""), "few are put in order at the end");
    notes.rest(&lock, &Asked::all(&policy), true).unwrap();
    assert_eq!(found(&policy, b"1").as_deref(), Some(""));
    let counts = notes.counts();
    assert_eq!(counts.values().collect::<Vec<_>>(), [&1, &1]);
    assert_eq!(Notes::open(&policy).unwrap().counts(), counts);
}

#[test]
fn notes_are_private_and_name_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let policy = policy_in(folder.path());
    let (lock, notes) = (lock(&policy), Notes::open(&policy).unwrap());
    notes.add(&lock, &gone(&policy, b"kari@example.no", "2024-02-29")).unwrap();
    notes.close();
    let names = ["notes.db", "notes.key"].map(|name| policy.state.join(name));
    for path in &names {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
    }
    let bytes = fs::read(&names[0]).unwrap();
    assert!(bytes.windows(4).all(|piece| piece != b"kari"));
    let left: Vec<_> = fs::read_dir(&policy.state).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "no journal stays beside them: {left:?}");
}

#[test]
fn what_is_lost_or_from_elsewhere_is_told_and_not_guessed_around() {
    let folder = tempfile::tempdir().unwrap();
    let policy = policy_in(folder.path());
    {
        let (lock, notes) = (lock(&policy), Notes::open(&policy).unwrap());
        notes.add(&lock, &gone(&policy, b"1", "2024-02-29")).unwrap();
        notes.close();
    }
    let [database, key] = ["notes.db", "notes.key"].map(|name| policy.state.join(name));
    let [kept_database, kept_key] = [fs::read(&database).unwrap(), fs::read(&key).unwrap()];
    let code = || Notes::open(&policy).unwrap_err().code;
    fs::remove_file(&database).unwrap();
    assert_eq!(code(), Code::LostNotes);
    fs::write(&database, &kept_database).unwrap();
    fs::remove_file(&key).unwrap();
    assert_eq!(code(), Code::LostNotes);
    fs::write(&key, format!("{}\n", "0".repeat(64))).unwrap();
    assert_eq!(code(), Code::ForeignNotes);
    fs::write(&key, "x").unwrap();
    assert_eq!(code(), Code::BadKey);
    fs::write(&key, &kept_key).unwrap();
    for empty in ["", "SQLite"] {
        fs::write(&database, b"").unwrap();
        if empty == "SQLite" {
            let other = Connection::open(&database).unwrap();
            other.execute_batch("CREATE TABLE about (version, key_check); CREATE TABLE other (x)").unwrap();
        }
        assert_eq!(code(), Code::LostNotes, "{empty}");
    }
    fs::write(&database, b"no database, but long enough to be asked what it is by whoever opens it").unwrap();
    assert_eq!(code(), Code::UnreadableNotes);
    fs::write(&database, &kept_database).unwrap();
    assert_eq!(found(&policy, b"1").as_deref(), Some("2024-02-29"));
    // Whoever takes both away has decided.
    fs::remove_file(&database).unwrap();
    fs::remove_file(&key).unwrap();
    assert_eq!(found(&policy, b"1"), None);
}

/// A run that is killed while it makes the files has noted nothing.
#[test]
fn files_that_were_only_begun_are_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let policy = policy_in(folder.path());
    let database = policy.state.join("notes.db");
    fs::write(&database, b"").unwrap();
    assert!(Notes::open(&policy).unwrap().counts().is_empty());
    let lock = lock(&policy);
    let store = Store::open(lock.folder(), &database, "p").unwrap();
    drop(store);
    assert!(Notes::open(&policy).unwrap().counts().is_empty());
    let notes = Notes::open(&policy).unwrap();
    notes.add(&lock, &gone(&policy, b"1", "2024-02-29")).unwrap();
    assert_eq!(found(&policy, b"1").as_deref(), Some("2024-02-29"));
}

#[test]
fn notes_go_with_the_last_record_that_they_are_about() {
    let folder = tempfile::tempdir().unwrap();
    let policy = policy_in(folder.path());
    let (lock, notes) = (lock(&policy), Notes::open(&policy).unwrap());
    for key in 0..100_u8 {
        notes.add(&lock, &gone(&policy, &[key], "2024-02-29")).unwrap();
    }
    notes.rest(&lock, &Asked::all(&policy), true).unwrap();
    let mut each = |told: &mut dyn FnMut(&[u8])| {
        (0..=255_u8).step_by(3).for_each(|key| told(&[key]));
        Ok(())
    };
    notes.sweep(&lock, &question(&policy), &mut each).unwrap();
    assert_eq!(notes.counts().values().collect::<Vec<_>>(), [&100, &34], "the other question was not asked");
    for key in 0..100_u8 {
        assert_eq!(found(&policy, &[key]).is_some(), key % 3 == 0, "{key}");
    }
    let mut fails = |_: &mut dyn FnMut(&[u8])| Err(Problem::new(Code::MissingSource, "gone"));
    notes.sweep(&lock, &question(&policy), &mut fails).unwrap_err();
    assert_eq!(notes.counts().values().sum::<u64>(), 134, "what cannot be asked stays");
}

#[test]
fn another_name_or_period_of_the_rule_changes_no_notes_and_another_relation_does() {
    let folder = tempfile::tempdir().unwrap();
    let policy = policy_in(folder.path());
    let mut other = policy.clone();
    other.rules[0].name = "another".to_string();
    other.rules[0].when = Some(crate::condition::Condition::parse("id > 3").unwrap());
    assert_eq!(questions(&policy), questions(&other));
    assert_eq!(questions(&policy).len(), 2);
    let text =
        policy.text.replace("on = \"person = id\" } }", "on = \"person = id\", where = \"id > 1\" } }");
    let surroundings = LoadContext {
        file: "p.toml",
        base: folder.path(),
        default_state: &policy.state,
        variable: &|_| None,
    };
    assert_ne!(questions(&policy), questions(&parse(&text, &surroundings).0.unwrap()));
}
