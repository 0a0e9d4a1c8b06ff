//! `report` and `purge` beside the `sqlite3` shell, alternating, in one run.
//!
//! ```text
//! cargo bench --bench sqlite                 # 5,000,000 rows, 5 pairs
//! FRIST_BENCH_ROWS=50000000 FRIST_BENCH_PAIRS=3 cargo bench --bench sqlite -- nightly
//! ```
//!
//! What is quoted is the median of the ratios of neighbouring runs: absolute times drift with
//! the machine. Words after `--` choose from: report, purge, waits, nightly,
//! related, circles, indexed, evidence, together, formats, field.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

#[path = "support/chains.rs"]
mod chains;
#[path = "support/circles.rs"]
mod circles;
#[path = "support/data.rs"]
mod data;
#[path = "support/evidence.rs"]
mod evidence;
#[path = "support/field.rs"]
mod field;
#[path = "support/formats.rs"]
mod formats;
#[path = "support/indexed.rs"]
mod indexed;
#[path = "support/measure.rs"]
mod measure;
#[path = "support/neighbours.rs"]
mod neighbours;
#[path = "support/related.rs"]
mod related;
#[path = "support/rows.rs"]
mod rows;
#[path = "support/together.rs"]
mod together;

use std::path::Path;
use std::time::Duration;

use data::Database;
use measure::{frist, longest_wait, number, pairs, peak, print, shell};

fn main() {
    if shell(Path::new(":memory:"), "SELECT 1").is_none() {
        println!("the sqlite3 shell is not installed; there is nothing to compare with");
        return;
    }
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|word| word == name);
    let rows = number("FRIST_BENCH_ROWS", 5_000_000);
    let count = number("FRIST_BENCH_PAIRS", 5);
    let database = Database::build(rows);
    println!("{rows} rows, {} MB, WAL, {count} pairs\n", database.megabytes());
    if wanted("report") {
        report(&database, count);
    }
    if wanted("purge") {
        purge(&database, count);
    }
    if wanted("waits") {
        waits(&database);
    }
    if wanted("nightly") {
        nightly(&database, count);
    }
    if wanted("related") {
        related(rows, count);
    }
    if wanted("together") {
        together(rows, count);
    }
    if wanted("circles") {
        circles(rows, count);
    }
    if wanted("chains") {
        chains(rows / 5, count);
    }
    if wanted("indexed") {
        indexed(rows, count);
    }
    if wanted("evidence") {
        evidence(rows / 5, count);
    }
    if wanted("formats") {
        formats(rows / 5, count);
    }
    if wanted("field") {
        field(rows / 5, count);
    }
}

/// Tables of real programs, beside what an operator would write by hand.
fn field(rows: u64, count: u64) {
    for program in &field::PROGRAMS {
        let data = field::Field::build(program, rows);
        let mut memory = 0;
        let measured = pairs(
            count,
            || {
                data.fresh();
                let (time, peak) = measure::frist_with_peak(&["purge", "--yes", &data.policy]);
                memory = memory.max(peak);
                time
            },
            || {
                let sql =
                    format!("PRAGMA foreign_keys = ON; BEGIN; {}; COMMIT; {CHECKPOINT}", program.delete);
                shell(&data.fresh(), &sql).unwrap()
            },
        );
        let name = format!("purge: {}, {rows} rows / by hand", program.name);
        print(["frist", "sqlite3"], &name, "at most 1.5", &measured);
        println!("  peak memory of purge: {memory} MiB\n");
    }
}

/// The same column in every form beside the commonest.
fn formats(rows: u64, count: u64) {
    let forms = formats::Forms::build(rows);
    let [commonest, others @ ..] = &forms.policies[..] else { return };
    for (policy, (declared, sql)) in others.iter().zip(formats::FORMS) {
        let measured = pairs(count, || frist(&["report", policy]), || frist(&["report", commonest]));
        let name = format!("report of {rows} rows of {declared} / of iso; {sql}");
        print(["other", "iso"], &name, "at most 3.0", &measured);
    }
}

/// Half of the rows that start other records' clocks, with and without a rule on these.
fn evidence(rows: u64, count: u64) {
    let mut memory = 0;
    let mut purge = |has_people| {
        let data = evidence::Evidence::build(rows, has_people);
        let (time, peak) = measure::frist_with_peak(&["purge", "--yes", "--rule", "bills", &data.policy]);
        memory = memory.max(peak);
        time
    };
    let purge = std::cell::RefCell::new(&mut purge);
    let measured = pairs(count, || (purge.borrow_mut())(true), || (purge.borrow_mut())(false));
    let name = format!("purge of half of {rows} rows of evidence / of the same rows without notes");
    print(["noted", "plain"], &name, "at most 1.5", &measured);
    println!("  peak memory of purge: {memory} MiB\n");
}

/// What goes together, and what is kept for the sake of others.
fn together(rows: u64, count: u64) {
    for shape in &together::SHAPES {
        let build = || together::Together::build(shape, rows / 5);
        let data = build();
        let measured = pairs(count, || frist(&["report", &data.policy]), || data.shell(shape.count));
        print(
            ["frist", "sqlite3"],
            &format!("report: {} / a count", shape.name),
            "told for comparison",
            &measured,
        );
        println!("  peak memory of report: {} MiB\n", peak(&["report", &data.policy]));
        let mut memory = 0;
        let measured = pairs(
            count,
            || {
                let data = build();
                let (time, peak) = measure::frist_with_peak(&["purge", "--yes", &data.policy]);
                memory = memory.max(peak);
                time
            },
            || {
                let sql = format!("PRAGMA foreign_keys = ON; BEGIN; {}; COMMIT; {CHECKPOINT}", shape.delete);
                build().shell(&sql)
            },
        );
        let goal = "at most 1.5, alone";
        print(["frist", "sqlite3"], &format!("purge: {} / DELETEs", shape.name), goal, &measured);
        println!("  peak memory of purge: {memory} MiB");
        let (data, mut time) = (build(), Duration::ZERO);
        let wait = longest_wait(&data.path, || time = frist(&["purge", "--yes", &data.policy]));
        println!("  beside another writer: {time:.1?}, and that waits for {wait:.0?} at most\n");
    }
}

/// Rows of two tables that refer to each other, a fiftieth of the rows in each.
fn circles(rows: u64, count: u64) {
    for kind in circles::KINDS {
        let mut memory = 0;
        let accepted = ["--accept-limit", "customers", "--accept-limit", "contacts"];
        let measured = pairs(
            count,
            || {
                let data = circles::Circles::build(kind, rows / 50);
                let (time, peak) =
                    measure::frist_with_peak(&[&["purge", "--yes", &data.policy][..], &accepted].concat());
                memory = memory.max(peak);
                time
            },
            || {
                let data = circles::Circles::build(kind, rows / 50);
                let sql = "PRAGMA foreign_keys = ON; BEGIN; PRAGMA defer_foreign_keys = ON; DELETE FROM customers; \
                           DELETE FROM contacts; COMMIT";
                shell(&data.path, &format!("{sql}; {CHECKPOINT}")).unwrap()
            },
        );
        let name = format!("purge of {}, {} rows in each table / two DELETE", kind.0, rows / 50);
        print(["frist", "sqlite3"], &name, "told for comparison", &measured);
        println!("  peak memory of purge: {memory} MiB\n");
    }
}

/// Reports on a table that refers to itself, beside the shell that finds what stays.
fn chains(rows: u64, count: u64) {
    for kind in chains::KINDS {
        let data = chains::Chains::build(kind, rows);
        let report = ["report", &data.policy];
        let measured = pairs(count, || frist(&report), || shell(&data.path, chains::KEPT).unwrap());
        let name = format!("report: {} of {rows} rows / what stays, in SQL", kind.0);
        print(["frist", "sqlite3"], &name, "under 1 s", &measured);
        println!("  peak memory of report: {} MiB\n", peak(&report));
    }
}

/// Half the rows of tables with several indexes, and a writer that comes in the middle.
fn indexed(rows: u64, count: u64) {
    for shape in indexed::SHAPES {
        let mut memory = 0;
        let build = || indexed::Indexed::build(shape, rows / 5);
        let measured = pairs(
            count,
            || {
                let data = build();
                let (time, peak) = measure::frist_with_peak(&["purge", "--yes", &data.policy]);
                memory = memory.max(peak);
                time
            },
            || build().delete(),
        );
        let name = format!("purge of half of {} rows, {} / one DELETE", rows / 5, shape.0);
        print(["frist", "sqlite3"], &name, "at most 1.0, alone", &measured);
        println!("  peak memory of purge: {memory} MiB (at most 64)");
        let data = build();
        let wait = measure::wait_of_a_late_writer(&data.path, || {
            frist(&["purge", "--yes", &data.policy]);
        });
        println!("  a writer that comes in the middle waits for {} ms\n", wait.as_millis());
    }
}

/// A million records and five times as many rows that belong to them.
fn related(rows: u64, count: u64) {
    let data = related::Related::build(rows);
    let query = "SELECT count(*) FROM customers AS c WHERE max(created_at, coalesce((SELECT max(at) FROM contacts \
                 WHERE customer_id = c.id), '')) < date('now', '-5 years')";
    let measured = pairs(count, || frist(&["report", &data.policy]), || shell(&data.path, query).unwrap());
    print(
        ["frist", "sqlite3"],
        "report with related rows / the same in SQL",
        "told for comparison",
        &measured,
    );
    println!("  peak memory of report: {} MiB\n", peak(&["report", &data.policy]));
}

fn report(database: &Database, count: u64) {
    let copy = database.copy(false);
    let policy = copy.policy("5 years");
    let before = copy.due_before(&policy);
    let query = format!("SELECT count(*) FROM log WHERE created_at < '{before}'");
    let measured = pairs(count, || frist(&["report", &policy]), || shell(&copy.path, &query).unwrap());
    print(["frist", "sqlite3"], "report / SELECT count(*) WHERE", "at most 1.0", &measured);
    println!("  peak memory of report: {} MiB\n", peak(&["report", &policy]));
}

fn purge(database: &Database, count: u64) {
    let mut memory = 0;
    let measured = pairs(
        count,
        || {
            let copy = database.copy(false);
            let policy = copy.policy("5 years");
            let (time, peak) = measure::frist_with_peak(&["purge", "--yes", &policy]);
            memory = memory.max(peak);
            time
        },
        || {
            let copy = database.copy(false);
            let before = copy.due_before(&copy.policy("5 years"));
            shell(&copy.path, &format!("DELETE FROM log WHERE created_at < '{before}'; {CHECKPOINT}"))
                .unwrap()
        },
    );
    print(["frist", "sqlite3"], "purge of half the rows / one DELETE", "at most 1.25", &measured);
    println!("  peak memory of purge: {memory} MiB (at most 64)\n");
}

const CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE);";

fn waits(database: &Database) {
    let copy = database.copy(false);
    let policy = copy.policy("5 years");
    let mine = longest_wait(&copy.path, || {
        frist(&["purge", "--yes", &policy]);
    });
    let copy = database.copy(false);
    let before = copy.due_before(&copy.policy("5 years"));
    let theirs = longest_wait(&copy.path, || {
        shell(&copy.path, &format!("DELETE FROM log WHERE created_at < '{before}'; {CHECKPOINT}"));
    });
    println!("another writer's longest wait (at most 100 ms)");
    println!("  during purge: {} ms; during one DELETE: {} ms", mine.as_millis(), theirs.as_millis());
    println!("  beside a reader's open snapshot: {} ms", neighbours::beside_a_snapshot().as_millis());
    println!("  where a trigger takes 50 ms a row: {} ms", neighbours::beside_a_slow_trigger().as_millis());
    println!(
        "  entries about batches while a reader of a rollback journal stays for 10 s: {}\n",
        neighbours::entries_beside_a_reader()
    );
}

fn nightly(database: &Database, count: u64) {
    for indexed in [true, false] {
        let measured = pairs(
            count,
            || {
                let copy = database.copy(indexed);
                frist(&["purge", "--yes", &copy.policy(data::ALL_BUT_A_DAY)])
            },
            || {
                let copy = database.copy(indexed);
                let before = copy.due_before(&copy.policy(data::ALL_BUT_A_DAY));
                shell(&copy.path, &format!("DELETE FROM log WHERE created_at < '{before}'; {CHECKPOINT}"))
                    .unwrap()
            },
        );
        let name = if indexed {
            "nightly purge of a day, with an index / DELETE"
        } else {
            "the same, without an index / DELETE"
        };
        print(["frist", "sqlite3"], name, "told for comparison", &measured);
        println!();
    }
}
