//! A folder with policies and databases, and the commands that are run in it.

use std::fs;
use std::io::BufRead;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use clap::Parser;
use frist::calendar::{Timestamp, Zone};
use frist::cli::Cli;
use frist::command::{self, Console};
use frist::report::text::Style;
use rusqlite::Connection;
use tempfile::TempDir;

/// A folder of its own for one test.
pub(crate) struct Place {
    folder: TempDir,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        // Readable by the account that `as_nobody` runs as.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Place { folder }
    }

    /// A folder with `policy.toml`, made of the usual beginning and these rules.
    pub(crate) fn with_rules(rules: &str) -> Place {
        let place = Place::new();
        place.write("policy.toml", policy("shop", rules));
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Runs SQL on `app.db`, which is made where it is missing.
    pub(crate) fn sql(&self, sql: &str) -> Connection {
        let connection = Connection::open(self.path("app.db")).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
        connection.execute_batch(sql).unwrap();
        connection
    }

    /// The number that a query on `app.db` gives.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.sql("").query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// The binary, ready to run in this folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("frist"));
        self.prepare(&mut command, arguments);
        command
    }

    fn prepare(&self, command: &mut Command, arguments: &[&str]) {
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("USER", "tester").env("DATA", "app.db");
    }

    /// Runs the binary in this folder.
    pub(crate) fn frist(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    /// Runs the binary as an account without any rights: the test's own, or, where that is
    /// root, nobody's.
    pub(crate) fn frist_as_nobody(&self, arguments: &[&str]) -> Ran {
        if !rustix::process::geteuid().is_root() {
            return self.frist(arguments);
        }
        // The build folder may be closed to others.
        let binary = self.path(".frist-binary");
        if !binary.exists() {
            fs::copy(assert_cmd::cargo::cargo_bin!("frist"), &binary).unwrap();
        }
        let mut command = Command::new(binary);
        self.prepare(&mut command, arguments);
        command.uid(65_534).gid(65_534);
        loop {
            match command.output() {
                // Another test's process that is just being made holds the copy open for writing.
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                output => return Ran::from(output.unwrap()),
            }
        }
    }

    /// Runs the binary in a shell, after these words of it: `ulimit -f 4;`.
    pub(crate) fn frist_in_shell(&self, before: &str, arguments: &[&str], after: &str) -> Ran {
        let binary = assert_cmd::cargo::cargo_bin!("frist");
        let line = format!("{before} \"$0\" \"$@\" {after}");
        let mut command = Command::new("sh");
        self.prepare(&mut command, &[]);
        Ran::from(command.arg("-c").arg(line).arg(binary).args(arguments).output().unwrap())
    }

    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs a command in this process, at a time of the test's choice, with somebody who answers.
    pub(crate) fn frist_at(&self, now: &str, arguments: &[&str], answers: Option<&str>) -> Ran {
        self.frist_with(Style { width: None, color: false }, now, arguments, answers)
    }

    /// The same, on a terminal of a certain kind.
    pub(crate) fn frist_with(
        &self,
        style: Style,
        now: &str,
        arguments: &[&str],
        answers: Option<&str>,
    ) -> Ran {
        let now = Timestamp::parse_now(now, &Zone::UTC).unwrap();
        let cli = Cli::try_parse_from(std::iter::once("frist").chain(arguments.iter().copied())).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut answers = answers.map(str::as_bytes);
        let mut console = Console {
            out: &mut out,
            err: &mut err,
            answers: answers.as_mut().map(|answers| answers as &mut dyn BufRead),
            style,
            quiet: cli.quiet,
            progress: false,
        };
        let code = command::run(&cli, &mut console, &|| now);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: code.into(), out: text(out), err: text(err) }
    }

    /// Names and bytes of every file, to see that nothing was touched.
    pub(crate) fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(self.folder.path(), &mut files);
        files.sort();
        files
    }

    /// A path in this folder as text, for commands that run in this process.
    pub(crate) fn arg(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_string()
    }
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.is_file() {
            files.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Fails where the command ended otherwise.
    #[track_caller]
    pub(crate) fn code(self, wanted: i32) -> Ran {
        assert_eq!(self.code, wanted, "out: {}\nerr: {}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    /// Fails where a text was not printed to either stream.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Ran {
        assert!(self.out.contains(text) || self.err.contains(text), "no {text:?} in {self:#?}");
        self
    }

    /// Fails where a text was printed.
    #[track_caller]
    pub(crate) fn does_not_say(self, text: &str) -> Ran {
        assert!(!self.out.contains(text) && !self.err.contains(text), "{text:?} in {self:#?}");
        self
    }

    /// Standard output as one JSON object.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:#?}"))
    }

    /// Standard output with hashes and times taken that differ from run to run replaced.
    pub(crate) fn steady(&self) -> String {
        self.out.lines().map(steady_line).collect::<Vec<_>>().join("\n")
    }
}

fn steady_line(line: &str) -> String {
    line.split(' ').map(steady_word).collect::<Vec<_>>().join(" ")
}

fn steady_word(word: &str) -> String {
    if let Some((number, _)) =
        word.split_once(':').filter(|(_, hash)| hash.len() == 13 && hash.ends_with(';'))
    {
        return format!("{number}:<hash>;");
    }
    let is_hash = |part: &str| part.len() >= 64 && part[..64].bytes().all(|byte| byte.is_ascii_hexdigit());
    let (number, hash) = word.split_once(':').unwrap_or(("", word));
    if is_hash(hash) {
        return format!("{number}:<hash>{}", &hash[64..]);
    }
    let seconds = word.len() == 4 && word.parse::<f64>().is_ok() && word.as_bytes()[1] == b'.';
    if seconds { "s.ss".to_string() } else { word.to_string() }
}

/// A policy with a source `app` on `app.db`, and these rules.
pub(crate) fn policy(name: &str, rules: &str) -> String {
    format!(
        "version = 1\n\n[policy]\nname = \"{name}\"\ntimezone = \"Europe/Copenhagen\"\n\
         limit = {{ share = \"100%\" }}\nstate = \"state\"\n\n[source.app]\nsqlite = \"app.db\"\n{rules}"
    )
}

/// A rule on a table of `app`.
pub(crate) fn rule(name: &str, table: &str, keep: &str, after: &str) -> String {
    format!("\n[[rule]]\nname = \"{name}\"\ndata = 'app.{table}'\nkeep = \"{keep}\"\nafter = '{after}'\n")
}

/// Sends a signal to a child, as `kill` does.
pub(crate) fn signal(child: &Child, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).unwrap();
}

/// Waits for a child and takes what it printed.
pub(crate) fn wait(child: Child) -> Ran {
    Ran::from(child.wait_with_output().unwrap())
}

/// Waits until a condition holds; gives up after a generous time.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("still not: {what}");
}

/// Names that are hard to write in SQL, in TOML and in a terminal.
pub(crate) const HOSTILE_NAMES: [&str; 12] = [
    "order",
    "a b",
    "a\"b",
    "it's",
    "[x]",
    "😀",
    "æøå",
    "x; DROP TABLE x; --",
    "100%",
    "a.b",
    "Σ\u{1b}[31m",
    "rowid",
];

/// An identifier in SQL.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in TOML.
pub(crate) fn toml_text(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}
