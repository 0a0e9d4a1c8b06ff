//! G5: killed at any byte of any write, the ledger opens and tells what happened.

use std::fs;
use std::io::{BufRead, BufReader};
use std::thread::sleep;

use super::super::history::Chronicle;
use super::*;

/// What the chronicle of the first `count` entries tells.
fn told(story: &[(&str, Event)], count: usize) -> History {
    let mut chronicle = Chronicle::default();
    story[..count].iter().for_each(|(run, event)| chronicle.take(AT, run, Some(event)));
    chronicle.finish_reading()
}

/// The state folder as a kill leaves it: the ledger up to here, and the last head before.
fn killed_at(ledger: &[u8], length: usize, heads: &[(usize, Vec<u8>)]) -> Place {
    let place = Place::new();
    fs::write(place.folder.ledger(), &ledger[..length]).unwrap();
    let (_, head) = heads.iter().rfind(|(sealed, _)| *sealed <= length).unwrap();
    fs::write(place.folder.head(), head).unwrap();
    place
}

#[test]
fn a_kill_at_any_byte_leaves_a_ledger_that_opens() {
    let (place, story) = (Place::new(), three_runs());
    place.with("x", |_| ()).unwrap();
    let mut heads = vec![(0, fs::read(place.folder.head()).unwrap())];
    for run in story.chunk_by(|one, next| one.0 == next.0) {
        write_runs(&place, run);
        let length = fs::read(place.folder.ledger()).unwrap().len();
        heads.push((length, fs::read(place.folder.head()).unwrap()));
    }
    let ledger = fs::read(place.folder.ledger()).unwrap();
    let last_runs = heads[2].0 - 1;
    for length in last_runs..=ledger.len() {
        let place = killed_at(&ledger, length, &heads);
        assert_recovers(&place, &ledger[..length], &story);
    }
}

fn assert_recovers(place: &Place, ledger: &[u8], story: &[(&str, Event)]) {
    let keep = ledger.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let count = ledger.iter().filter(|byte| **byte == b'\n').count();
    let torn = &ledger[keep..];
    assert_eq!(place.verify().is_ok(), torn.is_empty(), "a torn line is a finding until it is set aside");
    let opened = place.with("z", |ledger| {
        let notice = ledger.torn().map(|torn| (torn.line, torn.bytes));
        assert_eq!(notice, (!torn.is_empty()).then_some((count as u64 + 1, torn.len() as u64)));
        assert_eq!(ledger.history(), &told(story, count));
        ledger.append(AT, &started(AT)).unwrap();
        ledger.seal().unwrap();
    });
    opened.unwrap();
    let verified = place.verify().unwrap();
    assert_eq!(verified.entries, count as u64 + 1);
    assert!(fs::read(place.folder.ledger()).unwrap().starts_with(&ledger[..keep]));
    let aside = (!torn.is_empty()).then(|| [torn, b"\n"].concat());
    assert_eq!(place.files().remove("ledger.torn"), aside);
}

#[test]
fn a_kill_while_a_torn_line_is_set_aside_loses_nothing() {
    let place = whole();
    let whole = fs::read(place.folder.ledger()).unwrap();
    fs::write(place.folder.ledger(), [&whole[..], b"{\"seq\""].concat()).unwrap();
    // The kill came between the copy and the cut.
    fs::write(place.folder.torn(), b"{\"seq\"\n").unwrap();
    place.with("z", |_| ()).unwrap();
    assert_eq!(fs::read(place.folder.ledger()).unwrap(), whole);
    assert_eq!(fs::read(place.folder.torn()).unwrap(), b"{\"seq\"\n{\"seq\"\n");
    assert_eq!(place.verify().unwrap().notes, [Note::SetAside { bytes: 14 }]);
}

#[test]
fn a_kill_while_the_first_run_makes_its_files_is_no_loss() {
    let made = Place::new();
    made.with("a", |_| ()).unwrap();
    let head = fs::read(made.folder.head()).unwrap();
    let place = Place::new();
    fs::write(place.path().join("ledger.head.new"), &head[..9]).unwrap();
    place.with("a", |_| ()).unwrap();
    assert_eq!(place.files(), made.files());
    let place = Place::new();
    fs::write(place.folder.head(), &head).unwrap();
    assert_eq!(place.verify().unwrap().entries, 0);
    place.with("a", |_| ()).unwrap();
    assert_eq!(place.files(), made.files());
}

#[test]
fn what_a_kill_left_half_written_is_erased_at_opening() {
    let place = whole();
    let before = place.files();
    for stray in ["ledger.head.new", "pending.json.new"] {
        fs::write(place.path().join(stray), "half").unwrap();
    }
    place.with("z", |_| ()).unwrap();
    assert_eq!(place.files(), before);
}

#[test]
fn a_head_may_be_behind() {
    let place = whole();
    let head = fs::read(place.folder.head()).unwrap();
    place.with("z", |ledger| ledger.append(AT, &source("crm")).map(drop)).unwrap().unwrap();
    assert_eq!(fs::read(place.folder.head()).unwrap(), head);
    assert_eq!(place.verify().unwrap().notes, [Note::Unsealed { entries: 1 }]);
}

#[test]
fn a_process_killed_again_and_again_leaves_a_whole_ledger() {
    let place = Place::new();
    let mut batches = 0;
    for round in 0..u64::from(crate::depth::cases(30)) {
        let mut child = child::command("write", place.path(), "").spawn().unwrap();
        // Most are killed as they write, some on their way to it.
        if round % 5 > 0 {
            let mut said = BufReader::new(child.stdout.as_mut().unwrap()).lines();
            said.find(|line| line.as_ref().unwrap() == "writing").unwrap().unwrap();
        }
        sleep(Duration::from_micros(round * 397 % 3_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let looked = place.with("looker", |ledger| {
            assert!(ledger.history().unfinished.len() <= 2);
            ledger.history().unfinished.iter().flat_map(|run| run.doubts.clone()).count()
        });
        batches += looked.unwrap();
        let verified = place.verify();
        assert!(verified.is_ok(), "round {round}: {verified:?}");
        assert!(Pending::read(&place.folder).is_ok(), "round {round}");
        assert!(!place.files().keys().any(|name| name.ends_with(".new")));
    }
    assert!(batches > 20, "the kills came too early to say anything: {batches}");
}
