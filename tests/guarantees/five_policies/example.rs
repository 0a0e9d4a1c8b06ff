//! An example, built as of a day, and what its policy does to records at an exact time.

use std::path::{Path, PathBuf};

use clap::Parser;
use frist::calendar::{Timestamp, Zone};
use frist::cli::Cli;
use frist::command::{self, Console};
use frist::report::text::Style;
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use super::dataset;
use crate::support::{Ran, count, open};

/// One of the examples in a folder of its own.
pub(crate) struct Example {
    folder: TempDir,
    name: &'static str,
    database: &'static str,
}

impl Example {
    /// The example as of a day. `database` is the one that conditions and SQL are about.
    pub(crate) fn new(name: &'static str, database: &'static str, today: &str) -> Example {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        dataset::build(project, name, folder.path(), instant(today)).unwrap();
        Example { folder, name, database }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn connection(&self) -> Connection {
        open(&self.path(self.database))
    }

    /// Runs SQL on the database.
    pub(crate) fn sql(&self, sql: &str) {
        self.connection().execute_batch(sql).unwrap();
    }

    /// How many rows there are: `"customers WHERE id = 7"`.
    pub(crate) fn count(&self, table_and_condition: &str) -> u64 {
        count(&self.connection(), table_and_condition)
    }

    /// Runs a command on the policy in this process, at a time of the test's choice.
    pub(crate) fn at(&self, now: &str, arguments: &[&str]) -> Ran {
        let policy = self.path("policies").join(format!("{}.toml", self.name));
        let words = ["frist"].iter().chain(arguments).map(Path::new).chain([policy.as_path()]);
        let cli = Cli::try_parse_from(words).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut console = Console {
            out: &mut out,
            err: &mut err,
            answers: None,
            style: Style { width: None, color: false },
            quiet: false,
            progress: false,
        };
        let code = command::run(&cli, &mut console, &|| instant(now));
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: code.into(), out: text(out), err: text(err) }
    }

    pub(crate) fn purge(&self, now: &str) -> Ran {
        self.at(now, &["purge", "--yes", "--format", "json"]).expect(0)
    }

    /// The one record that the condition means is there a second before `due`, and gone at `due`.
    #[track_caller]
    pub(crate) fn goes_at(&self, due: &str, record: &str) {
        self.stays_at(&second_before(due), record);
        self.gone_at(due, record);
    }

    /// No such record survives a purge at this time.
    #[track_caller]
    pub(crate) fn gone_at(&self, now: &str, record: &str) {
        self.purge(now);
        assert_eq!(self.count(record), 0, "{record} is there at {now}");
    }

    /// The one record that the condition means survives a purge at this time.
    #[track_caller]
    pub(crate) fn stays_at(&self, now: &str, record: &str) {
        assert_eq!(self.count(record), 1, "{record} is not there before {now}");
        self.purge(now);
        assert_eq!(self.count(record), 1, "{record} is gone at {now}");
    }

    /// The state of a record under a rule.
    pub(crate) fn state(&self, now: &str, rule: &str, key: &str) -> String {
        let report = self.at(now, &["report", "--format", "json", "--list", "--all", "--rule", rule]);
        let records = report.rule(rule)["records"].as_array().unwrap().clone();
        let found = records.iter().find(|record| record["key"] == key);
        found.unwrap_or_else(|| panic!("no {key} in {records:?}"))["state"].as_str().unwrap().to_owned()
    }

    /// The whole way of the committed data: a clean check, the counts of each rule as due and deleted,
    /// nothing due afterwards, and a ledger that is whole.
    #[track_caller]
    pub(crate) fn end_to_end(&self, now: &str, due: &[(&str, u64)]) {
        let check = self.at(now, &["check", "--data", "--deny-warnings"]).expect(0);
        assert!(check.out.contains("no problem found"), "{check:?}");
        let report = self.at(now, &["report", "--format", "json"]).expect(0);
        assert_eq!(counts(&report, &["due"]), expected(due), "{report:?}");
        assert_eq!(counts(&self.purge(now), &["deleted", "anonymised"]), expected(due));
        let totals = self.at(now, &["report", "--format", "json"]).expect(0).json()["totals"].clone();
        assert_eq!(totals["due"], 0, "{totals}");
        // What a duty keeps is past its time all the same, and is told.
        let code = i32::from(totals["blocked"] != 0);
        self.at(now, &["report", "--fail-on-due"]).expect(code);
        let again = self.purge(now);
        assert!(
            counts(&again, &["deleted", "anonymised"]).iter().all(|(_, records)| *records == 0),
            "{again:?}"
        );
        self.at(now, &["ledger", "verify"]).expect(0);
    }
}

/// What a run or a report says of each rule, added up.
fn counts(ran: &Ran, what: &[&str]) -> Vec<(String, u64)> {
    let rules = ran.json()["rules"].as_array().unwrap().clone();
    let number = |rule: &Value| what.iter().filter_map(|what| rule[*what].as_u64()).sum();
    rules.iter().map(|rule| (rule["rule"].as_str().unwrap().to_owned(), number(rule))).collect()
}

fn expected(counts: &[(&str, u64)]) -> Vec<(String, u64)> {
    counts.iter().map(|(rule, records)| ((*rule).to_owned(), *records)).collect()
}

fn instant(text: &str) -> Timestamp {
    Timestamp::parse_now(text, &Zone::UTC).unwrap()
}

fn second_before(text: &str) -> String {
    instant(text).plus_seconds(-1).unwrap().to_string()
}
