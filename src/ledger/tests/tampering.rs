//! G14: whatever is changed, lost or moved is found, offline and at opening.

use std::fs;

use super::super::chain::{Step, Walk};
use super::super::verify::Inquiry;
use super::*;

/// A ledger in memory with the head that seals it.
struct Copy {
    bytes: Vec<u8>,
    head: Link,
}

impl Copy {
    fn of(place: &Place) -> Copy {
        let head = place.verify().unwrap().last.unwrap();
        let copy = Copy { bytes: fs::read(place.folder.ledger()).unwrap(), head };
        assert!(copy.examine(&copy.bytes).is_empty());
        copy
    }

    /// What is found in these bytes, if they are the ledger that the head seals.
    fn examine(&self, bytes: &[u8]) -> Vec<Finding> {
        let mut inquiry = Inquiry::default();
        inquiry.ledger(bytes, "ledger.jsonl".into(), Some(self.head), None);
        inquiry.findings
    }

    fn assert_found(&self, bytes: &[u8], what: &str) {
        let mut walk = Walk::new(bytes);
        while let Some(step) = walk.step().unwrap() {
            if !matches!(step, Step::Entry(_)) {
                return;
            }
        }
        assert_ne!(walk.last, self.head, "{what}");
    }
}

/// Writes this as the ledger, and asserts that it is found broken.
fn assert_found(place: &Place, ledger: &[u8], what: &str) -> Vec<Finding> {
    fs::write(place.folder.ledger(), ledger).unwrap();
    place.verify().expect_err(what)
}

/// Asserts that a run refuses the ledger and writes nothing.
fn assert_refused(place: &Place, what: &str) {
    let before = place.files();
    let refusal = place.with("z", |_| ()).expect_err(what);
    assert!(matches!(refusal, LedgerError::Broken { .. }), "{what}: {refusal}");
    assert!(refusal.to_string().contains("ledger.jsonl"), "{refusal}");
    assert_eq!(place.files(), before, "{what}");
}

fn lines(ledger: &[u8]) -> Vec<Vec<u8>> {
    ledger.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn an_untouched_ledger_is_whole() {
    let place = whole();
    let last = place.with("z", |ledger| ledger.last()).unwrap();
    let verified = place.verify().unwrap();
    assert_eq!(verified, Verified { entries: 25, last, notes: vec![] });
}

#[test]
fn every_changed_byte_is_found() {
    let copy = Copy::of(&whole());
    for index in 0..copy.bytes.len() {
        let mut changed = copy.bytes.clone();
        let original = changed[index];
        for other in [original ^ 1, original ^ 0x20, original ^ 0x80, b' ', b'\n'] {
            if other != original {
                changed[index] = other;
                copy.assert_found(&changed, &format!("byte {index} changed to {other}"));
            }
        }
    }
}

#[test]
fn every_changed_byte_is_found_in_the_file_and_refused_by_a_run() {
    let place = whole();
    let ledger = fs::read(place.folder.ledger()).unwrap();
    for index in 0..ledger.len() {
        let mut changed = ledger.clone();
        changed[index] ^= 1;
        assert_found(&place, &changed, &format!("byte {index} changed"));
        assert_refused(&place, &format!("byte {index} changed"));
    }
}

#[test]
fn a_changed_byte_is_reported_at_its_line() {
    let copy = Copy::of(&whole());
    let ledger = &copy.bytes;
    for index in 0..ledger.len() - 1 {
        let line = 1 + ledger[..index].iter().filter(|byte| **byte == b'\n').count() as u64;
        let mut changed = ledger.clone();
        changed[index] ^= 1;
        let findings = copy.examine(&changed);
        assert_eq!(findings[0].line, Some(line), "byte {index}: {findings:?}");
    }
}

#[test]
fn every_lost_or_added_byte_is_found() {
    let copy = Copy::of(&whole());
    let ledger = &copy.bytes;
    for index in 0..=ledger.len() {
        for added in [b'\n', b' ', b'0'] {
            let changed = [&ledger[..index], &[added], &ledger[index..]].concat();
            copy.assert_found(&changed, &format!("{added} before byte {index}"));
        }
        if index < ledger.len() {
            copy.assert_found(
                &[&ledger[..index], &ledger[index + 1..]].concat(),
                &format!("byte {index} lost"),
            );
            copy.assert_found(
                &[&ledger[..=index], &ledger[index..]].concat(),
                &format!("byte {index} twice"),
            );
        }
    }
}

#[test]
fn every_lost_repeated_or_moved_line_is_found_and_refused() {
    let place = whole();
    let original = lines(&fs::read(place.folder.ledger()).unwrap());
    for index in 0..original.len() {
        let mut lost = original.clone();
        lost.remove(index);
        assert_found(&place, &lost.concat(), "lost");
        assert_refused(&place, "lost");
        for to in (0..original.len()).filter(|to| *to != index) {
            let mut swapped = original.clone();
            swapped.swap(index, to);
            assert_found(&place, &swapped.concat(), "swapped");
            assert_refused(&place, "swapped");
            let mut repeated = original.clone();
            repeated.insert(to, original[index].clone());
            assert_found(&place, &repeated.concat(), "repeated");
            assert_refused(&place, "repeated");
        }
    }
}

#[test]
fn findings_say_which_line_and_what() {
    let place = whole();
    let original = lines(&fs::read(place.folder.ledger()).unwrap());
    let mut lost = original.clone();
    lost.drain(4..6);
    let at = |line, fault| Finding { line: Some(line), fault };
    assert_eq!(assert_found(&place, &lost.concat(), "lost"), [at(5, Fault::Lost { first: 5, last: 6 })]);
    let mut swapped = original.clone();
    swapped.swap(4, 5);
    let expected =
        [at(5, Fault::Lost { first: 5, last: 5 }), at(6, Fault::OutOfOrder { seq: 5, expected: 7 })];
    assert_eq!(assert_found(&place, &swapped.concat(), "swapped"), expected);
    let text = String::from_utf8(original.concat()).unwrap().replacen("\"due\":7", "\"due\":8", 1);
    let changed = assert_found(&place, text.as_bytes(), "changed");
    assert_eq!(changed, [at(3, Fault::Changed { seq: 3 })]);
    assert_eq!(changed[0].to_string(), "line 3: entry 3 was changed: its bytes do not fit its hash");
}

#[test]
fn an_entry_replaced_together_with_its_hash_is_found_at_the_next() {
    let place = whole();
    let mut replaced = lines(&fs::read(place.folder.ledger()).unwrap());
    let prev = entries(place.path()).unwrap().nth(4).unwrap().unwrap().prev;
    let after = Link { seq: 4, hash: prev };
    replaced[4] = super::super::line::compose(after, AT, "a", &source("forged")).unwrap().0.into_bytes();
    let findings = assert_found(&place, &replaced.concat(), "replaced");
    assert_eq!(findings, [Finding { line: Some(6), fault: Fault::Unchained { seq: 6 } }]);
}

#[test]
fn a_tail_cut_at_any_byte_is_found_and_refused() {
    let place = whole();
    let ledger = fs::read(place.folder.ledger()).unwrap();
    for length in 0..ledger.len() {
        let findings = assert_found(&place, &ledger[..length], &format!("cut to {length}"));
        assert!(findings.iter().any(|finding| matches!(finding.fault, Fault::CutOff { .. })), "{findings:?}");
        if length % 5 == 0 || ledger[..length].ends_with(b"\n") {
            assert_refused(&place, &format!("cut to {length}"));
        }
    }
}

#[test]
fn a_lost_file_is_found_and_refused() {
    for lose in [StateFolder::ledger, StateFolder::head] {
        let place = whole();
        fs::remove_file(lose(&place.folder)).unwrap();
        assert_eq!(place.verify().unwrap_err().len(), 1);
        assert_refused(&place, "a lost file");
    }
}

#[test]
fn no_ledger_is_not_a_whole_one() {
    let place = Place::new();
    assert_eq!(place.verify().unwrap_err(), [Finding { line: None, fault: Fault::NoLedger }]);
    assert_eq!(verify(&place.path().join("nowhere"), None).unwrap_err()[0].fault, Fault::NoLedger);
    assert!(place.files().is_empty(), "verify must not write");
}

#[test]
fn every_changed_byte_of_the_head_is_found_and_refused() {
    let place = whole();
    let head = fs::read(place.folder.head()).unwrap();
    for index in 0..head.len() {
        let original = head[index];
        for other in [original ^ 1, original ^ 8, original ^ 0x20, original ^ 0x80, b' ', b'\n'] {
            if other == original {
                continue;
            }
            let mut changed = head.clone();
            changed[index] = other;
            fs::write(place.folder.head(), &changed).unwrap();
            place.verify().expect_err(&format!("byte {index} of the head changed to {other}"));
            assert_refused(&place, &format!("byte {index} of the head changed to {other}"));
        }
        let lost = [&head[..index], &head[index + 1..]].concat();
        fs::write(place.folder.head(), lost).unwrap();
        place.verify().expect_err("a byte of the head lost");
    }
    fs::write(place.folder.head(), [&head[..], b"\n"].concat()).unwrap();
    place.verify().expect_err("a byte added to the head");
}

#[test]
fn a_copy_kept_elsewhere_finds_a_forged_chain() {
    let (place, forged) = (whole(), Place::new());
    let kept = place.verify().unwrap().last.unwrap();
    assert!(verify(place.path(), Some(Receipt::of(&kept))).is_ok());
    write_runs(&forged, &three_runs()[..24]);
    assert!(forged.verify().is_ok(), "an unkeyed chain can be forged");
    let findings = verify(forged.path(), Some(Receipt::of(&kept))).unwrap_err();
    assert_eq!(
        findings,
        [Finding { line: None, fault: Fault::NotAsExpected { expected: Receipt::of(&kept) } }]
    );
    let early = Link { seq: 7, hash: kept.hash };
    assert!(verify(place.path(), Some(Receipt::of(&early))).is_err());
    let seventh = entries(place.path()).unwrap().nth(6).unwrap().unwrap().link;
    assert!(verify(place.path(), Some(Receipt::of(&seventh))).is_ok(), "the ledger may have grown since");
}

#[test]
fn a_file_that_is_no_ledger_is_given_up_on() {
    let place = whole();
    let findings = assert_found(&place, &b"x\n".repeat(5000), "no ledger");
    assert_eq!(findings.len(), 101);
    assert_eq!(findings[100].fault, Fault::GaveUp);
    let endless = assert_found(&place, &vec![b'x'; 5 << 20], "a line without an end");
    assert_eq!(endless[0], Finding { line: Some(1), fault: Fault::NotAnEntry });
}

#[test]
fn links_in_the_state_folder_are_not_followed() {
    let place = whole();
    let elsewhere = place.path().join("elsewhere");
    fs::rename(place.folder.ledger(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, place.folder.ledger()).unwrap();
    assert!(matches!(place.verify().unwrap_err()[0].fault, Fault::Unreadable { .. }));
    assert!(matches!(place.with("z", |_| ()), Err(LedgerError::NotAFile { .. })));
}

#[test]
fn another_writer_is_noticed_before_the_next_entry() {
    let place = whole();
    let refused = place.with("z", |ledger| {
        let original = fs::read(place.folder.ledger()).unwrap();
        fs::write(place.folder.ledger(), [&original[..], b"x"].concat()).unwrap();
        let refusal = ledger.append(AT, &source("crm")).unwrap_err();
        assert!(matches!(refusal, LedgerError::ChangedMeanwhile { .. }));
        assert!(matches!(ledger.append(AT, &source("crm")), Err(LedgerError::Poisoned { .. })));
        assert_eq!(fs::read(place.folder.ledger()).unwrap().len(), original.len() + 1);
    });
    refused.unwrap();
}
