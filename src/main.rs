//! The `frist` binary: parses, runs, exits.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use frist::calendar::Timestamp;
use frist::cli::{Cli, Color, LogFormat};
use frist::command::{self, Console};
use frist::diagnostic::printable;
use frist::report::text::Style;
use tracing::field::Field;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(&cli);
    outlive_the_file_size_limit();
    let (stdout, mut stderr, mut logged) = (io::stdout(), io::stderr(), Logged::default());
    let asks = io::stdin().is_terminal() && stderr.is_terminal();
    let mut answers = io::stdin().lock();
    let style = Style { width: width(), color: color(cli.color) };
    let mut console = Console {
        out: &mut io::BufWriter::new(stdout.lock()),
        err: match cli.log_format {
            // Not locked: the threads of a run log there too, and somebody waits for them.
            LogFormat::Text => &mut stderr,
            LogFormat::Json => &mut logged,
        },
        answers: if asks { Some(&mut answers) } else { None },
        style,
        quiet: cli.quiet,
        progress: io::stderr().is_terminal() && !cli.quiet,
    };
    let code = command::run(&cli, &mut console, &now);
    // A reader that went away before the end has been dealt with where it was noticed.
    let _ = console.out.flush();
    let _ = console.err.flush();
    ExitCode::from(code)
}

/// Standard error for programs: each line that is said there is an entry of the log.
#[derive(Default)]
struct Logged {
    line: Vec<u8>,
}

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.flush()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let line = String::from_utf8_lossy(&self.line).trim_end().to_string();
        self.line.clear();
        if !line.is_empty() {
            tracing::error!("{}", line.strip_prefix("frist: ").unwrap_or(&line));
        }
        Ok(())
    }
}

/// A file that grows past the limit of its size is an error of its source, and must not end the process in
/// the middle of a write. A signal that somebody catches does not; nobody needs the flag.
fn outlive_the_file_size_limit() {
    let flag = Arc::new(AtomicBool::new(false));
    if let Err(error) = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, flag) {
        tracing::warn!("SIGXFSZ cannot be caught: {error}");
    }
}

/// The one place that asks the time.
#[expect(clippy::disallowed_methods, reason = "everything else takes the time as a parameter")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), 0)
}

fn width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col >= 40).then_some(size.ws_col)
}

fn color(wanted: Color) -> bool {
    match wanted {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => !is_set("NO_COLOR") && (io::stdout().is_terminal() || is_set("CLICOLOR_FORCE")),
    }
}

/// Whether a variable is set to anything; of one that forces something, `0` is nothing.
fn is_set(name: &str) -> bool {
    let value = std::env::var_os(name).filter(|value| !value.is_empty());
    value.is_some_and(|value| name == "NO_COLOR" || value != "0")
}

fn start_log(cli: &Cli) {
    let level = match (cli.quiet, cli.verbose) {
        (true, _) => tracing::Level::ERROR,
        (false, 0) => tracing::Level::INFO,
        (false, 1) => tracing::Level::DEBUG,
        (false, _) => tracing::Level::TRACE,
    };
    let log = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .with_target(false)
        .with_ansi(color(cli.color) && io::stderr().is_terminal());
    match cli.log_format {
        LogFormat::Text => log.fmt_fields(debug_fn(log_field)).init(),
        LogFormat::Json => log.json().init(),
    }
}

/// What comes from the data or the file system cannot act on the terminal.
fn log_field(out: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let value = printable(&format!("{value:?}"));
    if field.name() == "message" { write!(out, "{value}") } else { write!(out, " {field}={value}") }
}
