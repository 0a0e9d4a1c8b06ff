//! A folder with a program's data and a policy for it, and the whole way of a policy: `check`, `report`,
//! `purge`, and both once more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Parser;
use frist::calendar::{Timestamp, Zone};
use frist::cli::Cli;
use frist::command::{self, Console};
use frist::report::text::Style;
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

/// When everything here happens: noon in UTC, and 13:00 in Copenhagen.
pub(crate) const NOW: &str = "2026-11-21T12:00:00Z";

/// The beginning of every policy here. In small tables more goes than a limit would let go.
const HEAD: &str = "version = 1\n[policy]\nname = \"field\"\ntimezone = \"Europe/Copenhagen\"\n\
                    limit = { share = \"100%\" }\n";

/// A program's data in a folder of its own.
pub(crate) struct Program {
    folder: TempDir,
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// What the test itself says of a rule.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) due: u64,
    /// Past its time, and kept by what stays.
    pub(crate) blocked: u64,
    pub(crate) unreadable: u64,
    /// References in rows that stay, which are emptied.
    pub(crate) released: u64,
    /// Rows that go with the due ones, and files, which a report does not count.
    pub(crate) along: u64,
    pub(crate) files: u64,
}

impl Program {
    pub(crate) fn new(sections: &str) -> Program {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        std::fs::write(folder.path().join("policy.toml"), format!("{HEAD}{sections}")).unwrap();
        Program { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file of the program.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// A connection like the program's own, with the SQL run.
    pub(crate) fn database(&self, name: &str, sql: &str) -> Connection {
        let connection = Connection::open(self.path(name)).unwrap();
        connection.execute_batch(sql).unwrap();
        connection
    }

    /// Runs a command on the policy in this process.
    pub(crate) fn frist(&self, arguments: &[&str]) -> Ran {
        let policy = self.path("policy.toml");
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
        let now = Timestamp::parse_now(NOW, &Zone::UTC).unwrap();
        let code = command::run(&cli, &mut console, &|| now);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: code.into(), out: text(out), err: text(err) }
    }

    /// The whole way. `check --data` says nothing but the named codes, a report counts what the test counted,
    /// a purge does what the report said, and after it nothing is due.
    #[track_caller]
    pub(crate) fn hold_to(&self, codes: &[&str], expected: &[(&str, Counts)]) {
        self.frist(&["check", "--deny-warnings"]).expect(0);
        let check = self.frist(&["check", "--data", "--format", "json"]);
        assert_eq!(check.codes(), codes, "{check:#?}");
        let unreadable = expected.iter().any(|(_, counts)| counts.unreadable > 0);
        let code = if unreadable { 3 } else { 0 };
        let expected: BTreeMap<String, Counts> =
            expected.iter().map(|(rule, counts)| ((*rule).to_owned(), *counts)).collect();
        let report = self.frist(&["report", "--format", "json"]).expect(code);
        let told =
            expected.iter().map(|(rule, counts)| (rule.clone(), Counts { files: 0, ..*counts })).collect();
        assert_eq!(report.counts(), told, "{}", report.out);
        let purge = self.frist(&["purge", "--count", "--yes", "--format", "json"]).expect(code);
        // A run does not tell which references it emptied; each test looks at the rows. What went along stands
        // with the rule whose turn it was, where records of several rules go at once.
        let along: u64 = expected.values().map(|counts| counts.along + counts.files).sum();
        let without = |counts: Counts| Counts { released: 0, along: 0, files: 0, ..counts };
        let done: BTreeMap<String, Counts> =
            expected.into_iter().map(|(rule, counts)| (rule, without(counts))).collect();
        assert_eq!(purge.counts(), done, "{}", purge.out);
        assert_eq!(purge.json()["totals"]["taken_along"], along, "{}", purge.out);
        self.nothing_is_left(code);
        self.frist(&["ledger", "verify"]).expect(0);
    }

    /// Another report finds nothing due, and another purge does nothing.
    #[track_caller]
    fn nothing_is_left(&self, code: i32) {
        let report = self.frist(&["report", "--format", "json"]).expect(code);
        let due: u64 = report.counts().values().map(|counts| counts.due).sum();
        assert_eq!(due, 0, "{}", report.out);
        let purge = self.frist(&["purge", "--yes", "--format", "json"]).expect(code);
        assert_eq!(purge.json()["totals"]["deleted"], 0, "{}", purge.out);
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The codes of what `check` found.
    #[track_caller]
    fn codes(&self) -> Vec<String> {
        let json = self.json();
        let findings = json["findings"].as_array().unwrap().iter();
        findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
    }

    /// The counts of each rule. A run has to have done what it counted.
    #[track_caller]
    fn counts(&self) -> BTreeMap<String, Counts> {
        let json = self.json();
        let rules = json["rules"].as_array().unwrap().iter();
        rules.map(|rule| (rule["rule"].as_str().unwrap().to_owned(), counts(rule))).collect()
    }
}

fn counts(rule: &Value) -> Counts {
    let number = |name: &str| rule[name].as_u64().unwrap_or_else(|| panic!("{name} in {rule}"));
    let rows = |name: &str| {
        let parts = rule[name].as_array().into_iter().flatten();
        parts.map(|part| part["rows"].as_u64().unwrap()).sum()
    };
    let counts = Counts {
        due: number("due"),
        blocked: number("blocked"),
        unreadable: number("unreadable"),
        released: rows("released"),
        along: rows("along"),
        files: 0,
    };
    if rule.get("outcome").is_some() {
        assert_eq!(number("deleted") + number("anonymised"), counts.due, "{rule}");
        assert_eq!([&rule["outcome"], &rule["survivors"]], [&Value::from("done"), &Value::from(0)], "{rule}");
    }
    counts
}

/// Seconds since 1970 of a time that SQLite reads.
pub(crate) fn unix(time: &str) -> i64 {
    let memory = Connection::open_in_memory().unwrap();
    memory.query_row("SELECT unixepoch(?1)", [time], |row| row.get(0)).unwrap()
}

/// One column of a query, as text.
#[track_caller]
pub(crate) fn texts(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get_ref(0).map(text)).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

fn text(value: rusqlite::types::ValueRef) -> String {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The whole numbers of one column of a query.
#[track_caller]
pub(crate) fn numbers(connection: &Connection, sql: &str) -> Vec<i64> {
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

/// Every foreign key leads somewhere, and the file is whole.
#[track_caller]
pub(crate) fn assert_sound(connection: &Connection) {
    assert_eq!(texts(connection, "SELECT \"table\" FROM pragma_foreign_key_check"), Vec::<String>::new());
    assert_eq!(texts(connection, "PRAGMA integrity_check"), ["ok"]);
}
