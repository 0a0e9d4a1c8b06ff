//! G5: whether a killed run's last file took its place is decided by the file itself, and what it
//! left beside the files goes.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;

use serde_json::json;

use super::csv_support::{csv_place, file, strays, write};
use super::g05_doubts::{found_out, leave_killed};
use super::support::{COMING, OLD, PURGE, Place};

fn all() -> String {
    format!("at,n\n{OLD},1\n{COMING},2\n{OLD},3\n")
}

fn left() -> String {
    format!("at,n\n{COMING},2\n")
}

/// What a killed run left that was about to replace `data/a.csv`.
struct Killed {
    place: Place,
    stray: PathBuf,
}

fn killed() -> Killed {
    let place = csv_place();
    write(&place, "a.csv", all());
    let stray = write(&place, ".a.csv.frist-new", left());
    Killed { place, stray }
}

impl Killed {
    /// Killed behind the mark that says where the new file is and goes.
    fn leave_marked(&self) {
        let seen = fs::metadata(&self.stray).unwrap();
        let to = file(&self.place, "a.csv").canonicalize().unwrap();
        let from = to.with_file_name(".a.csv.frist-new");
        let mark = json!({ "from": from, "to": to, "device": seen.dev(), "inode": seen.ino() });
        self.leave(Some(mark));
    }

    fn leave(&self, mark: Option<serde_json::Value>) {
        let folder = self.place.folder().canonicalize().unwrap();
        leave_killed(&self.place, &json!({ "log": folder.join("data/*.csv") }), 2, None, mark);
    }

    fn take_its_place(&self) {
        fs::rename(&self.stray, file(&self.place, "a.csv")).unwrap();
    }

    fn assert_settled(&self) {
        assert_eq!(fs::read_to_string(file(&self.place, "a.csv")).unwrap(), left());
        assert_eq!(strays(&self.place), [""; 0]);
    }
}

#[test]
fn a_file_that_took_its_place_was_committed() {
    let killed = killed();
    killed.leave_marked();
    killed.take_its_place();
    assert_eq!(found_out(&killed.place), ("committed".to_owned(), true, 2));
    killed.assert_settled();
}

#[test]
fn a_file_that_did_not_take_its_place_was_rolled_back() {
    let killed = killed();
    killed.leave_marked();
    assert_eq!(found_out(&killed.place), ("rolled-back".to_owned(), true, 0));
    killed.assert_settled();
}

#[test]
fn a_file_that_another_program_replaced_since_decides_nothing() {
    for took_its_place in [false, true] {
        let killed = killed();
        killed.leave_marked();
        if took_its_place {
            killed.take_its_place();
        }
        // A file beside it, so that the inode is not given out anew.
        let other = write(&killed.place, "other", all());
        fs::rename(other, file(&killed.place, "a.csv")).unwrap();
        let _ = fs::remove_file(&killed.stray);
        let (outcome, exact, lines) = found_out(&killed.place);
        assert_eq!((outcome.as_str(), exact, lines), ("undecided", false, 0));
        let ledger = killed.place.ledger();
        let finished = ledger.iter().rfind(|entry| entry["event"] == "run-finished").unwrap();
        assert_eq!(finished["exit_code"], 3, "what cannot be decided is told");
        killed.assert_settled();
    }
}

/// Killed between the batch's entry in the ledger and the mark: nothing can have moved yet.
#[test]
fn a_batch_without_a_mark_was_rolled_back() {
    let killed = killed();
    killed.leave(None);
    let (outcome, _, lines) = found_out(&killed.place);
    assert_eq!((outcome.as_str(), lines), ("rolled-back", 0));
    killed.assert_settled();
}

/// Its new file holds what the old one held, and would stay for ever.
#[test]
fn what_a_killed_run_wrote_goes_although_its_file_is_gone() {
    for links in [false, true] {
        let killed = killed();
        write(&killed.place, "b.csv", left());
        if links {
            let elsewhere = killed.place.path("elsewhere");
            fs::create_dir(&elsewhere).unwrap();
            fs::write(elsewhere.join("c.log"), left()).unwrap();
            fs::write(elsewhere.join(".c.log.frist-new"), all()).unwrap();
            symlink("../elsewhere/c.log", file(&killed.place, "c.csv")).unwrap();
        }
        killed.leave(None);
        fs::remove_file(file(&killed.place, "a.csv")).unwrap();
        assert_eq!(found_out(&killed.place).0, "rolled-back");
        assert_eq!(strays(&killed.place), [""; 0]);
        assert!(!killed.place.path("elsewhere/.c.log.frist-new").exists());
        assert_eq!(fs::read_to_string(file(&killed.place, "b.csv")).unwrap(), left());
        killed.place.at("2026-01-03T00:00:00Z", &PURGE).expect(0);
    }
}

/// Of a run that was killed when it had all but removed it, there is a note about the cut.
#[test]
fn a_note_about_a_cut_goes_unless_what_is_to_stay_is_there() {
    for is_needed in [false, true] {
        let killed = killed();
        let note = write(&killed.place, ".a.csv.frist-cut", "{}");
        let of_another = write(&killed.place, ".gone.csv.frist-cut", "{}");
        let kept = file(&killed.place, ".a.csv.frist-kept");
        if is_needed {
            fs::write(&kept, left()).unwrap();
        }
        let ran = killed.place.at("2026-01-03T00:00:00Z", &PURGE).expect(if is_needed { 3 } else { 0 });
        assert_eq!((note.exists(), kept.exists()), (is_needed, is_needed), "{ran:?}");
        assert!(!of_another.exists());
    }
}

/// Another run may be writing it.
#[test]
fn what_another_run_is_writing_stays() {
    let killed = killed();
    let other = fs::File::open(&killed.stray).unwrap();
    rustix::fs::flock(&other, rustix::fs::FlockOperation::LockExclusive).unwrap();
    killed.leave(None);
    assert_eq!(found_out(&killed.place).0, "rolled-back");
    assert_eq!(fs::read_to_string(&killed.stray).unwrap(), left());
    assert_eq!(fs::read_to_string(file(&killed.place, "a.csv")).unwrap(), all());
    drop(other);
    killed.place.at("2026-01-03T00:00:00Z", &PURGE).expect(0);
    killed.assert_settled();
}
