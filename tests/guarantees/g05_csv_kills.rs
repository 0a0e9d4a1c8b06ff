//! G5: killed at any point, every CSV file is the old one or the new one, and the next run
//! accounts for every line.

use std::collections::BTreeMap;
use std::fs;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::csv_support::{csv_place, csv_place_on_disk, file, strays};
use super::support::{COMING, OLD, PURGE, Place, Random, accounted};

/// Kills of each kind.
fn kills() -> u64 {
    crate::depth::cases(6).into()
}

const FILES: u64 = 8;
const LINES: u64 = 2_000;

/// Files that are filled, purged and filled again.
struct Scene {
    place: Place,
    /// What each file holds before its due lines go, and after.
    contents: BTreeMap<String, [String; 2]>,
    fillings: u64,
    random: Random,
}

impl Scene {
    fn new(place: Place, seed: u64) -> Scene {
        let mut scene = Scene { place, contents: BTreeMap::new(), fillings: 0, random: Random(seed) };
        scene.fill();
        scene
    }

    fn fill(&mut self) {
        self.fillings += 1;
        for place in 0..FILES {
            let name = format!("{place}.csv");
            let number = self.fillings;
            let line = |date: &str, line: u64| format!("{date},\"{number} {line}\"\r\n");
            let due = |line: u64| line.is_multiple_of(2);
            let all: String = (0..LINES).map(|at| line(if due(at) { OLD } else { COMING }, at)).collect();
            let left: String = (0..LINES).filter(|at| !due(*at)).map(|at| line(COMING, at)).collect();
            let contents = [all, left].map(|lines| format!("at,what\r\n{lines}"));
            fs::write(file(&self.place, &name), &contents[0]).unwrap();
            self.contents.insert(name, contents);
        }
    }

    /// Each file is whole: the old one or the new one.
    fn assert_files_are_whole(&self) {
        for (name, contents) in &self.contents {
            let found = fs::read_to_string(file(&self.place, name)).unwrap();
            assert!(contents.contains(&found), "{name} is neither the old nor the new file");
        }
    }

    /// Kills a purge at some point; whether it was still running.
    fn kill_one(&mut self) -> bool {
        let mut purge = self.place.start(&PURGE);
        match self.random.below(4) {
            0 => sleep(Duration::from_micros(self.random.below(150_000))),
            // As the ledger or the folder changes: just before a file takes its place, or just after.
            1 => {
                let announced = self.random.below(FILES);
                wait_until(&mut purge, || batches(&self.place) > announced);
            }
            _ => {
                let stray = file(&self.place, &format!(".{}.csv.frist-new", self.random.below(FILES)));
                wait_until(&mut purge, || stray.exists());
            }
        }
        sleep(Duration::from_micros(self.random.below(12) * self.random.below(400)));
        kill(purge)
    }

    /// What the ledger says was deleted, which must be what is gone.
    fn settle(&self) {
        self.place.assert_ledger_is_whole();
        for (name, [_, left]) in &self.contents {
            assert!(fs::read_to_string(file(&self.place, name)).unwrap() == *left, "{name}");
        }
        assert_eq!(strays(&self.place), [""; 0]);
        assert_eq!(accounted(&self.place.ledger()), FILES * LINES / 2 * self.fillings);
    }
}

fn batches(place: &Place) -> u64 {
    let text = place.ledger_text();
    let last = text.rfind("\"event\":\"run-started\"").unwrap_or_default();
    text[last..].matches("\"event\":\"batch\"").count() as u64
}

fn wait_until(purge: &mut Child, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while purge.try_wait().unwrap().is_none() && Instant::now() < deadline && !holds() {
        sleep(Duration::from_micros(20));
    }
}

fn kill(mut purge: Child) -> bool {
    purge.kill().unwrap();
    let status = purge.wait().unwrap();
    assert!(status.code().is_none_or(|code| code == 0), "{status}");
    status.code().is_none()
}

fn kill_again_and_again(mut scene: Scene) {
    let (mut killed, mut tries) = (0, 0);
    while killed < kills() && tries < kills() * 4 {
        tries += 1;
        if scene.kill_one() {
            killed += 1;
            scene.assert_files_are_whole();
        } else {
            scene.settle();
            scene.fill();
        }
    }
    assert!(killed > kills() / 2, "{killed} of {tries} purges were killed");
    scene.place.purge().expect(0);
    scene.settle();
    let ledger = scene.place.ledger();
    let outcomes = |wanted: &str| ledger.iter().filter(|entry| entry["outcome"] == wanted).count();
    assert!(outcomes("committed") + outcomes("rolled-back") > 0, "no kill left a file in doubt");
}

#[test]
fn kills_of_a_purge_of_files_in_memory() {
    kill_again_and_again(Scene::new(csv_place(), 1));
}

#[test]
fn kills_of_a_purge_of_files_on_a_disk() {
    kill_again_and_again(Scene::new(csv_place_on_disk(), 2));
}
