//! A folder with a policy and databases, and the commands run on it: the real binary,
//! or in this process where a test sets the clock.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clap::Parser;
use frist::calendar::{Timestamp, Zone};
use frist::cli::Cli;
use frist::command::{self, Console};
use frist::report::text::Style;
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

/// A folder of its own, removed at the end.
pub(crate) struct Place {
    folder: TempDir,
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    /// A folder in memory, where there is such a place: for small data that is synced often.
    pub(crate) fn in_memory() -> Place {
        let memory = tempfile::tempdir_in("/dev/shm");
        memory.map_or_else(|_| Place::new(), |folder| Place { folder })
    }

    /// A folder with one table's policy: rows whose `at` is over a year old are due.
    pub(crate) fn with_rule_on(table: &str) -> Place {
        let place = Place::new();
        place.write_rule_on(table);
        place
    }

    /// One table's policy, without a limit.
    pub(crate) fn write_rule_on(&self, table: &str) {
        self.write_policy(&format!("{WITHOUT_LIMIT}{}", source_and_rule(table)));
    }

    /// The head is [`HEAD`]; a section that belongs to it can go first.
    pub(crate) fn write_policy(&self, sections: &str) {
        std::fs::write(self.policy(), format!("{HEAD}{sections}")).unwrap();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn policy(&self) -> PathBuf {
        self.path("policy.toml")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.path(".frist")
    }

    /// The database `data.db`, set up by some SQL the first time.
    pub(crate) fn database(&self, sql: &str) -> Connection {
        let connection = open(&self.path("data.db"));
        connection.execute_batch(sql).unwrap();
        connection
    }

    /// Runs a command in this process, at a time of the test's choice. The policy is appended.
    pub(crate) fn at(&self, now: &str, arguments: &[&str]) -> Ran {
        self.at_instant(Timestamp::parse_now(now, &Zone::UTC).unwrap(), arguments)
    }

    pub(crate) fn at_instant(&self, now: Timestamp, arguments: &[&str]) -> Ran {
        self.run_here(now, arguments, None)
    }

    /// Runs a command in this process as on a terminal, where somebody answers.
    pub(crate) fn answering(&self, now: &str, arguments: &[&str], answers: &mut dyn BufRead) -> Ran {
        self.run_here(Timestamp::parse_now(now, &Zone::UTC).unwrap(), arguments, Some(answers))
    }

    fn run_here(&self, now: Timestamp, arguments: &[&str], answers: Option<&mut dyn BufRead>) -> Ran {
        let policy = self.policy();
        let words = ["frist"].iter().chain(arguments).map(Path::new).chain([policy.as_path()]);
        let cli = Cli::try_parse_from(words).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut console = Console {
            out: &mut out,
            err: &mut err,
            answers: answers.map(|answers| answers as &mut dyn BufRead),
            style: Style { width: None, color: false },
            quiet: false,
            progress: false,
        };
        let code = command::run(&cli, &mut console, &|| now);
        Ran { code: code.into(), out: text(out), err: text(err) }
    }

    /// Runs the binary with the policy appended.
    pub(crate) fn frist(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments))
    }

    /// Starts the binary with the policy appended, and does not wait.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_frist"));
        command.args(arguments).arg(self.policy());
        command
    }

    /// `purge --yes --format json` by the binary.
    pub(crate) fn purge(&self) -> Ran {
        self.frist(&PURGE)
    }

    /// `ledger verify`, which must find the ledger whole.
    pub(crate) fn assert_ledger_is_whole(&self) {
        let verified = self.frist(&["ledger", "verify"]);
        assert_eq!(verified.code, 0, "{verified:?}");
    }

    /// The entries of the ledger, as they stand in its file.
    pub(crate) fn ledger(&self) -> Vec<Value> {
        self.ledger_text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn ledger_text(&self) -> String {
        std::fs::read_to_string(self.state().join("ledger.jsonl")).unwrap_or_default()
    }
}

pub(crate) const PURGE: [&str; 4] = ["purge", "--yes", "--format", "json"];
pub(crate) const REPORT: [&str; 3] = ["report", "--format", "json"];

/// The beginning of every policy here. Keys of `[policy]` may follow it.
pub(crate) const HEAD: &str = "version = 1\n[policy]\nname = \"test\"\ntimezone = \"UTC\"\n";
pub(crate) const WITHOUT_LIMIT: &str = "limit = { share = \"100%\" }\n";

pub(crate) const SOURCE: &str = "[source.db]\nsqlite = \"data.db\"\n";

pub(crate) fn source_and_rule(table: &str) -> String {
    format!("{SOURCE}{}", rule(table, table))
}

/// A rule of one year on a table's column `at`.
pub(crate) fn rule(name: &str, table: &str) -> String {
    format!("[[rule]]\nname = \"{name}\"\ndata = \"db.{table}\"\nkeep = \"1 year\"\nafter = \"at\"\n")
}

/// An event that is over a year old whenever the tests run, and one that is to come.
pub(crate) const OLD: &str = "2001-02-03";
pub(crate) const COMING: &str = "2290-01-01";

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    pub(crate) fn expect_error(self, code: i32, words: &str) -> Ran {
        assert!(self.err.contains(words), "no {words:?} in {self:?}");
        self.expect(code)
    }

    /// What the run or the report says of one rule.
    pub(crate) fn rule(&self, name: &str) -> Value {
        let json = self.json();
        let rules = json["rules"].as_array().unwrap();
        rules.iter().find(|rule| rule["rule"] == name).unwrap_or_else(|| panic!("{name}: {json}")).clone()
    }

    /// The codes of the problems of one rule.
    pub(crate) fn problems(&self, rule: &str) -> Vec<String> {
        let rule = self.rule(rule);
        let problems = rule["problems"].as_array().unwrap();
        problems.iter().map(|problem| problem["code"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) fn ran(mut command: Command) -> Ran {
    finish(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

pub(crate) fn finish(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    // What a signal ended has no code.
    let code = output.status.code().unwrap_or(-1);
    Ran { code, out: text(output.stdout), err: text(output.stderr) }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// Sets when a file, a folder or a link itself was modified.
pub(crate) fn set_modified(path: &Path, seconds: i64, nanos: i64) {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
    let time = Timespec { tv_sec: seconds, tv_nsec: nanos };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

/// A connection like that of the application that owns the data.
pub(crate) fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    connection
}

pub(crate) fn count(connection: &Connection, table_and_condition: &str) -> u64 {
    let sql = format!("SELECT count(*) FROM {table_and_condition}");
    connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs()
}

pub(crate) fn assert_integrity(connection: &Connection) {
    let answer: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(answer, "ok");
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// SplitMix64.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// How many records a run says it deleted.
pub(crate) fn deleted(ran: &Ran) -> u64 {
    ran.json()["totals"]["deleted"].as_u64().unwrap()
}

/// The records that the ledger accounts for: of runs that ended, what they say; of killed ones,
/// what the next run found out.
pub(crate) fn accounted(ledger: &[Value]) -> u64 {
    let started = ledger.iter().filter(|entry| entry["event"] == "run-started");
    started.map(|entry| accounted_of(ledger, &entry["run"])).sum()
}

fn accounted_of(ledger: &[Value], run: &Value) -> u64 {
    let finished = ledger.iter().find(|entry| entry["event"] == "run-finished" && entry["run"] == *run);
    let recovered = recoveries(ledger).into_iter().rfind(|entry| entry["killed_run"] == *run);
    match (finished, recovered) {
        (Some(finished), None) => finished["deleted"].as_u64().unwrap(),
        (None, Some(recovered)) => {
            assert_ne!(recovered["outcome"], "undecided", "{recovered}");
            let deleted = recovered["deleted_total"].as_object().unwrap();
            deleted.values().map(|records| records.as_u64().unwrap()).sum()
        }
        other => panic!("run {run} is accounted for as {other:?}"),
    }
}

/// What later runs found out about killed ones.
pub(crate) fn recoveries(ledger: &[Value]) -> Vec<&Value> {
    ledger.iter().filter(|entry| entry["event"] == "recovered").collect()
}
