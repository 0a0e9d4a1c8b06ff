//! This test binary, started again to play a part that needs a process of its own.

use std::env;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::*;

const PART: &str = "FRIST_LEDGER_PART";
const FOLDER: &str = "FRIST_LEDGER_FOLDER";

/// A command that plays this part, started by a shell that first does `prelude`.
pub(super) fn command(part: &str, folder: &Path, prelude: &str) -> Command {
    let test = module_path!().split_once("::").unwrap().1.to_owned() + "::part";
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{prelude}\nexec \"$@\"")).arg("sh").arg(env::current_exe().unwrap());
    command.args(["--exact", &test, "--nocapture", "--test-threads=1"]);
    command.env(PART, part).env(FOLDER, folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// Plays the part that the parent named; in an ordinary run of the tests, none.
#[test]
fn part() {
    let Ok(part) = env::var(PART) else {
        return;
    };
    let folder = PathBuf::from(env::var_os(FOLDER).unwrap());
    match part.as_str() {
        "hold" => hold(&folder),
        "write" => write_forever(&folder),
        "everything" => super::privacy::make_every_file(&folder),
        "limited" => super::full_disk::fill_up_to_the_limit(&folder),
        "tmpfs" => super::full_disk::fill_a_tmpfs(&folder),
        other => panic!("no such part: {other}"),
    }
}

/// Takes the lock or says why not, then waits until its input is closed.
fn hold(folder: &Path) {
    let folder = StateFolder::create(folder).unwrap();
    let lock = RunLock::acquire(&folder);
    match &lock {
        Ok(_) => println!("\nheld by {}.", std::process::id()),
        Err(error) => println!("\nrefused: {error}."),
    }
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// Purges nothing, batch after batch, until it is killed.
fn write_forever(folder: &Path) {
    let folder = StateFolder::create(folder).unwrap();
    let lock = RunLock::acquire(&folder).unwrap();
    let run = format!("run-{}", std::process::id());
    let mut ledger = Ledger::open(&lock, &run).unwrap();
    for unfinished in ledger.history().unfinished.clone() {
        let doubt = unfinished.doubts.first().map(|doubt| (doubt.rule.as_str(), doubt.number));
        ledger.append(AT, &recovered(&unfinished.run, doubt, RecoveryOutcome::Committed)).unwrap();
    }
    ledger.append(AT, &started(AT)).unwrap();
    ledger.seal().unwrap();
    println!("\nwriting");
    for number in 1.. {
        ledger.append(AT, &batch("orders", number, 1)).unwrap();
        ledger.sync().unwrap();
        let range = serde_json::json!([number, "key"]);
        let (rule, run) = ("orders".to_owned(), run.clone());
        Pending { run, rule, batch: number, range }.write(&lock).unwrap();
        if number % 3 == 0 {
            ledger.seal().unwrap();
        }
    }
}
