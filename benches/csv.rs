//! CSV: `report` beside `xan count`, `purge` beside a plain copy and beside other tools, in one
//! run.
//!
//! ```text
//! cargo bench --bench csv                  # 5,000,000 lines, 5 pairs, unquoted and quoted
//! FRIST_BENCH_ROWS=50000000 FRIST_BENCH_PAIRS=3 cargo bench --bench csv -- report purge
//! ```
//!
//! Peers that are not installed are left out. Words after `--` choose from: report, purge, peers.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

#[path = "support/measure.rs"]
#[allow(dead_code)]
mod measure;
#[path = "support/rows.rs"]
#[allow(dead_code)]
mod rows;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use measure::{frist, frist_with_peak, number, pairs, peak, print};
use rows::{now, rows};

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|word| word == name);
    let (lines, count) = (number("FRIST_BENCH_ROWS", 5_000_000), number("FRIST_BENCH_PAIRS", 5));
    for quoted in [false, true] {
        let data = Data::build(lines, quoted);
        println!(
            "{lines} lines, {} MB, {}\n",
            data.megabytes(),
            if quoted { "every field quoted" } else { "plain" }
        );
        if wanted("report") {
            report(&data, count);
        }
        if wanted("purge") {
            purge(&data, count);
        }
        if wanted("peers") && !quoted {
            peers(&data, count);
        }
    }
}

struct Data {
    folder: PathBuf,
}

impl Data {
    /// Builds the file, or takes the one that was built earlier today.
    fn build(lines: u64, quoted: bool) -> Data {
        let today = now() / 86_400;
        let name = format!("bench-csv-{lines}-{quoted}-{today}");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if !folder.join("policy.toml").exists() {
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            fill(&folder.join("log.csv"), lines, today * 86_400, quoted);
            let policy = "version = 1\n[policy]\nname = \"bench\"\ntimezone = \"UTC\"\n\
                          limit = { share = \"100%\" }\n[source.log]\ncsv = \"log.csv\"\n\
                          [[rule]]\nname = \"log\"\ndata = \"log\"\nkeep = \"5 years\"\nafter = \"created_at\"\n";
            fs::write(folder.join("policy.toml"), policy).unwrap();
        }
        Data { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("log.csv")
    }

    fn policy(&self) -> String {
        self.folder.join("policy.toml").display().to_string()
    }

    fn megabytes(&self) -> u64 {
        fs::metadata(self.file()).unwrap().len() / 1_000_000
    }

    /// The same in a folder of its own, on the disk.
    fn copy(&self) -> (tempfile::TempDir, Data) {
        let folder = tempfile::tempdir_in(&self.folder).unwrap();
        for name in ["log.csv", "policy.toml"] {
            fs::copy(self.folder.join(name), folder.path().join(name)).unwrap();
        }
        let copy = Data { folder: folder.path().to_path_buf() };
        File::open(copy.file()).unwrap().sync_all().unwrap();
        (folder, copy)
    }
}

fn fill(path: &Path, lines: u64, until: u64, quoted: bool) {
    let mut out = BufWriter::new(File::create(path).unwrap());
    writeln!(out, "id,customer_id,created_at,level,email,message,amount").unwrap();
    for row in rows(lines, until) {
        let message = row.message.replace('"', "\"\"");
        let (id, customer, at, level, email, amount) =
            (row.id, row.customer, row.at, row.level, row.email, row.amount);
        if quoted {
            writeln!(
                out,
                "\"{id}\",\"{customer}\",\"{at}\",\"{level}\",\"{email}\",\"{message}\",\"{amount}\""
            )
        } else if message.contains(',') {
            writeln!(out, "{id},{customer},{at},{level},{email},\"{message}\",{amount}")
        } else {
            writeln!(out, "{id},{customer},{at},{level},{email},{message},{amount}")
        }
        .unwrap();
    }
    out.into_inner().unwrap().sync_all().unwrap();
}

fn timed(command: &mut Command) -> Option<Duration> {
    let started = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    status.success().then(|| started.elapsed())
}

fn report(data: &Data, count: u64) {
    let (file, policy) = (data.file(), data.policy());
    let xan = || timed(Command::new("xan").arg("count").arg(&file));
    if xan().is_none() {
        println!("xan is not installed; nothing to compare report with\n");
    } else {
        let measured = pairs(count, || frist(&["report", &policy]), || xan().unwrap());
        print(["frist", "xan"], "report / xan count", "at most 0.8", &measured);
    }
    println!("  peak memory of report: {} MiB\n", peak(&["report", &policy]));
}

fn purge(data: &Data, count: u64) {
    let mut memory = 0;
    let measured = pairs(
        count,
        || {
            let (_folder, copy) = data.copy();
            let (time, peak) = frist_with_peak(&["purge", "--yes", &copy.policy()]);
            memory = memory.max(peak);
            time
        },
        || {
            let (folder, copy) = data.copy();
            let started = Instant::now();
            let target = folder.path().join("copy.csv");
            std::io::copy(&mut Plain(File::open(copy.file()).unwrap()), &mut File::create(&target).unwrap())
                .unwrap();
            File::open(&target).unwrap().sync_all().unwrap();
            started.elapsed()
        },
    );
    print(["frist", "copy"], "purge of half the lines / copy and fsync", "at most 1.5", &measured);
    println!("  peak memory of purge: {memory} MiB (at most 64)\n");
}

/// A file that is read, not copied inside the system: what a program that looks at it must do.
struct Plain(File);

impl std::io::Read for Plain {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

/// Other tools that filter into a new file, which is then put on the disk.
fn peers(data: &Data, count: u64) {
    let today = chrono::DateTime::from_timestamp((now() / 86_400 * 86_400) as i64, 0).unwrap().date_naive();
    let before = today.checked_sub_months(chrono::Months::new(60)).unwrap();
    let (source, target) = (data.file().display().to_string(), data.folder.join("filtered.csv"));
    let polars = format!(
        "import polars as p; p.scan_csv('{source}').filter(p.col('created_at') >= '{before}').sink_csv('{}')",
        target.display()
    );
    let commands = [
        ("python3", vec!["-c".to_string(), polars]),
        ("xan", vec!["filter".to_string(), format!("created_at ge \"{before}\""), source]),
    ];
    for (program, arguments) in commands {
        let peer = || {
            let out = File::create(&target).unwrap();
            let started = Instant::now();
            let status = Command::new(program).args(&arguments).stdout(out).stderr(Stdio::null()).status();
            File::open(&target).unwrap().sync_all().unwrap();
            status.is_ok_and(|status| status.success()).then(|| started.elapsed())
        };
        if peer().is_none() {
            println!("{program} cannot be compared with here\n");
            continue;
        }
        let own = || {
            let (_folder, copy) = data.copy();
            frist(&["purge", "--yes", &copy.policy()])
        };
        let measured = pairs(count, own, || peer().unwrap());
        let name = if program == "python3" { "purge / polars" } else { "purge / xan filter" };
        print(["frist", program], name, "at most 0.5", &measured);
        println!();
    }
    let _ = fs::remove_file(&target);
}
