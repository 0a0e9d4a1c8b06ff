//! The promises G5, G6 and G14, as far as the ledger keeps them.

mod child;
mod forms;
mod full_disk;
mod history;
mod kills;
mod locking;
mod privacy;
mod tampering;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::diagnostic::Code;
use crate::evaluate::Counts;
use crate::ledger::*;

const AT: &str = "2026-11-20T01:00:00Z";

/// A state folder in a folder of its own.
struct Place {
    _dir: TempDir,
    folder: StateFolder,
}

impl Place {
    fn new() -> Place {
        // Where syncs cost nothing, if there is such a place: tests make thousands.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let folder = StateFolder::create(&dir.path().join("state")).unwrap();
        Place { _dir: dir, folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Everything in the folder but the lock, by name.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let files = fs::read_dir(self.path()).unwrap().map(|file| file.unwrap());
        let named =
            files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()));
        named.filter(|(name, _)| name != "lock").collect()
    }

    fn verify(&self) -> Result<Verified, Vec<Finding>> {
        verify(self.path(), None)
    }

    /// Opens the ledger under a fresh run id and hands it over.
    fn with<T>(&self, run: &str, work: impl FnOnce(&mut Ledger<'_>) -> T) -> Result<T, LedgerError> {
        let lock = RunLock::acquire(&self.folder).unwrap();
        let mut ledger = Ledger::open(&lock, run)?;
        Ok(work(&mut ledger))
    }
}

fn started(now: &str) -> Event {
    let text = |text: &str| text.to_owned();
    Event::RunStarted(RunStarted {
        command: text("purge"),
        version: text("0.1.0"),
        policy: text("frist \"é\".toml"),
        policy_sha256: Hash::of(b"policy").to_string(),
        now: text(now),
        timezone: text("Europe/Copenhagen"),
        operator: text("retention"),
        host: text("db1"),
        trigger: text("unattended"),
        nights_missed: Some(2),
        previous_run: None,
    })
}

fn rule_started(rule: &str) -> Event {
    Event::RuleStarted(RuleStarted {
        rule: rule.to_owned(),
        data: "shop.orders".to_owned(),
        then: "delete".to_owned(),
        pseudonyms: false,
        keep: "5 years after ordered".to_owned(),
        due_up_to: Some("2021-11-20".to_owned()),
        activity: None,
        law: Some("bogføringsloven § 12".to_owned()),
        counts: Counts { matched: Some(10), due: Some(7), waiting: Some(3), ..Counts::default() },
        oldest_event: None,
        longest_overdue_days: Some(-1),
    })
}

fn batch(rule: &str, number: u64, rows: u64) -> Event {
    Event::Batch(Batch {
        rule: rule.to_owned(),
        number,
        rows,
        ahead: BTreeMap::new(),
        range: Some([i64::MIN, number as i64]),
    })
}

fn undone(rule: &str, number: u64) -> Event {
    Event::BatchUndone(BatchUndone { rule: rule.to_owned(), number })
}

fn rule_finished(rule: &str) -> Event {
    Event::RuleFinished(RuleFinished {
        rule: rule.to_owned(),
        deleted: 7,
        taken_along: 0,
        anonymised: 0,
        pseudonymised: 0,
        bytes_freed: None,
        survivors: Some(0),
        residue: None,
        batches: 2,
        seconds: Duration::from_millis(1234).into(),
        outcome: RuleOutcome::Done,
        problems: vec![Code::Survivors.into()],
    })
}

fn source(name: &str) -> Event {
    let problem = Some(Code::MissingSource.into());
    Event::Source(SourceRead { source: name.to_owned(), status: SourceStatus::Missing, problem })
}

fn recovered(killed: &str, batch: Option<(&str, u64)>, outcome: RecoveryOutcome) -> Event {
    Event::Recovered(Recovered {
        killed_run: killed.to_owned(),
        rule: batch.map(|(rule, _)| rule.to_owned()),
        batch: batch.map(|(_, number)| number),
        rows: 3,
        outcome,
        exact: true,
        deleted_total: BTreeMap::from([("orders".to_owned(), 7)]),
        anonymised_total: BTreeMap::new(),
        pseudonymised_total: BTreeMap::new(),
    })
}

fn finished() -> Event {
    let (reason, seconds) = (vec![Code::MissingSource.into()], Duration::from_secs(3).into());
    Event::RunFinished(RunFinished {
        exit_code: 3,
        deleted: 7,
        anonymised: 0,
        pseudonymised: 0,
        reason,
        seconds,
    })
}

/// Two whole runs and a killed one between them: 25 entries.
fn three_runs() -> Vec<(&'static str, Event)> {
    let mut story = Vec::new();
    for run in ["a", "b", "c"] {
        story.push((run, started(AT)));
        if run == "c" {
            story.push((run, recovered("b", Some(("orders", 2)), RecoveryOutcome::Committed)));
        }
        story.extend([(run, source("crm")), (run, rule_started("orders"))]);
        story.extend([(run, batch("orders", 1, 4)), (run, batch("orders", 2, 3))]);
        if run != "b" {
            story.extend([(run, undone("orders", 2)), (run, batch("orders", 3, 3))]);
            story.extend([(run, rule_finished("orders")), (run, finished())]);
        }
    }
    story.push(("d", started(AT)));
    story
}

/// Writes these entries, each run sealed at its end, as one process after the other would.
fn write_runs(place: &Place, story: &[(&str, Event)]) {
    for entries in story.chunk_by(|one, next| one.0 == next.0) {
        let written = place.with(entries[0].0, |ledger| {
            for (_, event) in entries {
                ledger.append(AT, event).unwrap();
            }
            ledger.seal().unwrap();
        });
        written.unwrap();
    }
}

fn whole() -> Place {
    let place = Place::new();
    write_runs(&place, &three_runs());
    place
}
