//! G5 in folders: killed at any point, the ledger's totals equal what is gone, and no sub-folder
//! stays half deleted.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use super::g05_kills::{kill, kills, wait_for_batches};
use super::support::{HEAD, PURGE, Place, Random, WITHOUT_LIMIT, accounted, recoveries, set_modified};

const OLD: i64 = 981_158_400;

/// A folder that is filled, purged and filled again.
struct Scene {
    place: Place,
    unit: &'static str,
    records: u64,
    fillings: u64,
    random: Random,
}

impl Scene {
    fn new(unit: &'static str, records: u64, seed: u64) -> Scene {
        let place = Place::in_memory();
        let source = format!("[source.files]\nfiles = \"data\"\nunit = \"{unit}\"\n");
        let rule = "[[rule]]\nname = \"files\"\ndata = \"files\"\nkeep = \"1 year\"\nafter = \"modified\"\n";
        fs::write(place.policy(), format!("{HEAD}{WITHOUT_LIMIT}{source}{rule}")).unwrap();
        Scene { place, unit, records, fillings: 0, random: Random(seed) }
    }

    fn due(&self) -> u64 {
        self.records / 2
    }

    fn record(&self, number: u64) -> PathBuf {
        self.place.path("data").join(format!("{number:05}"))
    }

    fn fill(&mut self) {
        let _ = fs::remove_dir_all(self.place.path("data"));
        fs::create_dir(self.place.path("data")).unwrap();
        for number in 0..self.records {
            let (path, is_due) = (self.record(number), number % 2 == 0);
            if self.unit == "file" {
                fs::write(&path, "x").unwrap();
                is_due.then(|| set_modified(&path, OLD, 0));
            } else {
                fs::create_dir_all(path.join("deep/er")).unwrap();
                for name in ["a", "deep/b", "deep/c", "deep/er/d"] {
                    fs::write(path.join(name), "x").unwrap();
                    is_due.then(|| set_modified(&path.join(name), OLD, 0));
                }
            }
        }
        self.fillings += 1;
    }

    fn kill_one(&mut self) -> bool {
        let mut purge = self.place.start(&PURGE);
        if self.random.below(4) == 0 {
            sleep(Duration::from_micros(self.random.below(120_000)));
        } else {
            let batches = 1 + self.random.below(4);
            wait_for_batches(&self.place, &mut purge, batches);
            sleep(Duration::from_micros(self.random.below(60_000)));
        }
        kill(purge)
    }

    /// What is kept is whole, whatever happened.
    fn assert_kept_is_whole(&self) {
        for number in (1..self.records).step_by(2) {
            let path = self.record(number);
            let last = if self.unit == "file" { path } else { path.join("deep/er/d") };
            assert!(last.exists(), "{}", last.display());
        }
    }

    fn settle(&self) {
        self.place.assert_ledger_is_whole();
        self.assert_kept_is_whole();
        let left = fs::read_dir(self.place.path("data")).unwrap().count() as u64;
        assert_eq!(left, self.records - self.due());
        let ledger = self.place.ledger();
        assert_eq!(accounted(&ledger), self.due() * self.fillings, "{:#?}", recoveries(&ledger));
        assert!(!self.place.state().join("pending.json").exists(), "names stay nowhere");
    }
}

/// How many batches were found to have deleted some of their records and not all.
fn partly(scene: &Scene) -> usize {
    let ledger = scene.place.ledger();
    let is_partly = |entry: &&Value| {
        let announced = ledger.iter().find(|batch| {
            batch["event"] == "batch"
                && batch["run"] == entry["killed_run"]
                && batch["number"] == entry["batch"]
        });
        announced.is_some_and(|batch| entry["outcome"] == "committed" && batch["rows"] != entry["rows"])
    };
    recoveries(&ledger).into_iter().filter(is_partly).count()
}

fn kill_again_and_again(mut scene: Scene) {
    let (mut killed, mut tries) = (0, 0);
    scene.fill();
    while (killed < kills() || partly(&scene) == 0) && tries < kills() * 6 {
        tries += 1;
        if scene.kill_one() {
            killed += 1;
            scene.assert_kept_is_whole();
        } else {
            scene.settle();
            scene.fill();
        }
    }
    assert!(killed > kills() / 2, "{killed} of {tries} purges were killed");
    scene.place.purge().expect(0);
    scene.settle();
    assert!(partly(&scene) > 0, "no kill fell into a batch");
    let ledger = scene.place.ledger();
    let outcomes = recoveries(&ledger);
    let exact = outcomes.iter().filter(|entry| entry["exact"] == true).count();
    assert!(exact * 2 > outcomes.len(), "nobody else was there: {outcomes:#?}");
}

#[test]
fn kills_of_a_purge_of_files() {
    kill_again_and_again(Scene::new("file", 32_000, 11));
}

#[test]
fn kills_of_a_purge_of_sub_folders() {
    kill_again_and_again(Scene::new("folder", 3_000, 12));
}
