//! `report` and `purge` of a folder beside `find`, alternating, in one run.
//!
//! ```text
//! cargo bench --bench folder                 # 1,000,000 files, 5 pairs
//! FRIST_BENCH_FILES=200000 FRIST_BENCH_PAIRS=3 cargo bench --bench folder -- report
//! ```
//!
//! What is quoted is the median of the ratios of neighbouring runs. Words after `--` choose from:
//! report, newest, names, purge. The files are empty: their content is never read.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

#[path = "support/measure.rs"]
#[allow(dead_code, reason = "the other benchmark measures databases")]
mod measure;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use measure::{Measured, frist, frist_with_peak, pairs};

const TEN_YEARS: u64 = 3_652 * 86_400;

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|word| word == name);
    let files = number("FRIST_BENCH_FILES", 1_000_000);
    let count = number("FRIST_BENCH_PAIRS", 5);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let data = folder.path().join("data");
    fill(&data, files);
    println!("{files} files, {count} pairs\n");
    let policy = |after: &str, more: &str| policy(folder.path(), after, more);
    if wanted("report") {
        report(count, &policy("after = \"modified\"", ""), &data);
    }
    if wanted("newest") {
        println!("with keep-newest, which reads the folder twice:");
        report(count, &policy("after = \"modified\"", "keep-newest = 10"), &data);
    }
    if wanted("names") {
        println!("by the date in the name, which needs no look at the file:");
        report(count, &policy("after = { name = \"%Y-%m-%d-%H-%M-%S.%f\" }", ""), &data);
    }
    if wanted("purge") {
        purge(folder.path(), count, files.min(100_000));
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[allow(clippy::disallowed_methods, reason = "the files are as old as they are today")]
/// Files of random times over the ten years before now, named by their time.
fn fill(folder: &Path, files: u64) {
    fs::create_dir(folder).unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let mut state = 1_u64;
    for number in 0..files {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let age = (state >> 20) % TEN_YEARS;
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(now - age);
        let name = frist::calendar::Timestamp::from_unix((now - age) as i64, 0).to_string();
        let name = name.trim_end_matches('Z').replace(['T', ':'], "-");
        let file = File::create(folder.join(format!("{name}.{number}"))).unwrap();
        file.set_modified(modified).unwrap();
    }
}

fn policy(folder: &Path, after: &str, more: &str) -> String {
    let path = folder.join("policies/policy.toml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text = format!(
        "version = 1\n[policy]\nname = \"bench\"\ntimezone = \"UTC\"\nlimit = {{ share = \"100%\" }}\n\
         [source.files]\nfiles = \"../data\"\n[[rule]]\nname = \"files\"\ndata = \"files\"\n\
         keep = \"1826 days\"\n{after}\n{more}\n"
    );
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_string()
}

fn report(count: u64, policy: &str, data: &Path) {
    let mut memory = 0;
    let measured = pairs(
        count,
        || {
            let (time, peak) = frist_with_peak(&["report", policy]);
            memory = memory.max(peak);
            time
        },
        || find(data, &["-mtime", "+1826", "-printf", "."]),
    );
    print("report / find -mtime +1826 -printf .", &measured);
    println!("  peak memory of report: {memory} MiB\n");
}

fn purge(folder: &Path, count: u64, files: u64) {
    let fresh = || -> PathBuf {
        let data = folder.join("data");
        let _ = fs::remove_dir_all(&data);
        fill(&data, files);
        File::open(&data).unwrap().sync_all().unwrap();
        data
    };
    let measured = pairs(
        count,
        || {
            fresh();
            frist(&["purge", "--yes", &policy(folder, "after = \"modified\"", "")])
        },
        || find(&fresh(), &["-type", "f", "-mtime", "+1826", "-delete"]),
    );
    print(&format!("purge of half of {files} files / find -mtime +1826 -delete"), &measured);
}

fn find(folder: &Path, words: &[&str]) -> Duration {
    let started = Instant::now();
    let status = Command::new("find").arg(folder).args(words).stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
    started.elapsed()
}

fn print(what: &str, measured: &[Measured]) {
    let mut ratios: Vec<f64> = measured.iter().map(Measured::ratio).collect();
    ratios.sort_by(f64::total_cmp);
    let seconds = |of: fn(&Measured) -> Duration| {
        let mut all: Vec<Duration> = measured.iter().map(of).collect();
        all.sort();
        all[all.len() / 2].as_secs_f64()
    };
    println!("{what}");
    println!(
        "  {:.2} (from {:.2} to {:.2}); {:.2} s beside {:.2} s",
        ratios[ratios.len() / 2],
        ratios[0],
        ratios[ratios.len() - 1],
        seconds(|one| one.mine),
        seconds(|one| one.theirs)
    );
}
