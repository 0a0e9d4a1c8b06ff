//! Timing whole processes in turn, and what another writer feels meanwhile.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// One run of each, one after the other.
pub(crate) struct Measured {
    pub(crate) mine: Duration,
    pub(crate) theirs: Duration,
}

impl Measured {
    pub(crate) fn ratio(&self) -> f64 {
        self.mine.as_secs_f64() / self.theirs.as_secs_f64()
    }
}

/// Runs both in turn, after one uncounted round.
pub(crate) fn pairs(
    count: u64,
    mut mine: impl FnMut() -> Duration,
    mut theirs: impl FnMut() -> Duration,
) -> Vec<Measured> {
    (0..=count).map(|_| Measured { mine: mine(), theirs: theirs() }).skip(1).collect()
}

/// Runs frist and returns its time.
pub(crate) fn frist(arguments: &[&str]) -> Duration {
    frist_with_peak(arguments).0
}

/// Runs frist and returns its largest memory, in MiB.
pub(crate) fn peak(arguments: &[&str]) -> u64 {
    frist_with_peak(arguments).1
}

/// Runs frist; its time, and its largest memory in MiB.
pub(crate) fn frist_with_peak(arguments: &[&str]) -> (Duration, u64) {
    let started = Instant::now();
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_frist")).args(arguments).stdout(Stdio::null()).spawn().unwrap();
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        let text = std::fs::read_to_string(&status_file).unwrap_or_default();
        let high = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = high.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        thread::sleep(Duration::from_millis(2));
    };
    let time = started.elapsed();
    assert!(status.success(), "frist {arguments:?}: {status}");
    (time, peak / 1024)
}

/// Runs one statement in the `sqlite3` shell; none where there is no shell.
pub(crate) fn shell(path: &Path, sql: &str) -> Option<Duration> {
    let started = Instant::now();
    let output = Command::new("sqlite3").args(["-cmd", ".timeout 60000"]).arg(path).arg(sql).output().ok()?;
    let time = started.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(time)
}

/// How long the unluckiest insert of another connection waits while `work` runs. It waits as
/// SQLite's stock busy handler does, and rests a moment between inserts.
pub(crate) fn longest_wait(path: &Path, work: impl FnOnce()) -> Duration {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let connection = Connection::open(path).unwrap();
            connection.busy_timeout(Duration::from_secs(60)).unwrap();
            connection.execute_batch("CREATE TABLE IF NOT EXISTS beside (at TEXT)").unwrap();
            let mut longest = Duration::ZERO;
            while !done.load(Ordering::Relaxed) {
                let started = Instant::now();
                connection.execute("INSERT INTO beside VALUES ('x')", []).unwrap();
                longest = longest.max(started.elapsed());
                thread::sleep(Duration::from_millis(3));
            }
            longest
        });
        thread::sleep(Duration::from_millis(50));
        let ended = Ended(&done);
        work();
        drop(ended);
        writer.join().unwrap()
    })
}

/// How long the unluckiest insert of a connection waits that is opened while `work` runs, and closed again: one a
/// second.
pub(crate) fn wait_of_a_late_writer(path: &Path, work: impl FnOnce()) -> Duration {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            loop {
                thread::sleep(Duration::from_secs(1));
                if done.load(Ordering::Relaxed) {
                    return longest;
                }
                let connection = Connection::open(path).unwrap();
                connection.busy_timeout(Duration::from_secs(60)).unwrap();
                let started = Instant::now();
                connection.execute("INSERT INTO beside VALUES ('x')", []).unwrap();
                longest = longest.max(started.elapsed());
            }
        });
        let ended = Ended(&done);
        work();
        drop(ended);
        writer.join().unwrap()
    })
}

/// Lets the writer end, also where the work panics.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A number from the environment.
pub(crate) fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Prints the ratios of two commands, and their medians.
pub(crate) fn print(who: [&str; 2], name: &str, goal: &str, measured: &[Measured]) {
    let ratios: Vec<f64> = measured.iter().map(Measured::ratio).collect();
    let seconds = |pick: fn(&Measured) -> Duration| -> f64 {
        median(&measured.iter().map(|pair| pick(pair).as_secs_f64()).collect::<Vec<_>>())
    };
    println!("{name}: {:.2} ({goal})", median(&ratios));
    println!("  ratios {ratios:.2?}");
    println!(
        "  medians: {} {:.3} s, {} {:.3} s",
        who[0],
        seconds(|pair| pair.mine),
        who[1],
        seconds(|pair| pair.theirs)
    );
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
