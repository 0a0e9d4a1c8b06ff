//! `check` of large policies: of twice as many rules beside half of them, in one run, and so whether each
//! rule costs more the more there are.
//!
//! ```text
//! cargo bench --bench check                  # up to 10,000 rules in a policy
//! ```
//!
//! What is quoted is the ratio: 2 is as it should be, 4 would be a look at each rule for each rule.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

use std::process::Command;
use std::time::{Duration, Instant};

const ROUNDS: usize = 3;

fn main() {
    let app = "[source.app]\nsqlite = \"app.db\"\n";
    let rule = |data: &str| {
        format!("[[rule]]\nname = \"rN\"\ndata = \"{data}\"\nkeep = \"1 day\"\nafter = \"at\"\n")
    };
    let source = format!("[source.sN]\nsqlite = \"N.db\"\n{}", rule("sN.t"));
    let law = "[activity.aN]\npurpose = \"p\"\nlaw = \"dk:bogfoeringsloven-12\"\n[[rule]]\nname = \"rN\"\ndata = \"app.tN\"\n\
         keep = \"5 years\"\nafter = { column = \"at\", counted-from = \"end-of-financial-year\" }\nactivity = \"aN\"\n";
    compare("a table each", 10_000, app, &rule("app.tN"));
    compare("a source each", 5_000, "", &source);
    compare("an activity under a law each", 4_000, app, law);
    compare("nothing but faults", 4_000, app, "[[rule]]\n");
}

fn compare(what: &str, rules: usize, beginning: &str, section: &str) {
    let (half, whole) = (median(rules / 2, beginning, section), median(rules, beginning, section));
    println!(
        "{what}: {} rules {:.2} s, {rules} rules {:.2} s, ratio {:.1}",
        rules / 2,
        half.as_secs_f64(),
        whole.as_secs_f64(),
        whole.as_secs_f64() / half.as_secs_f64()
    );
}

fn median(rules: usize, beginning: &str, section: &str) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let head =
        "version = 1\n[policy]\nname = \"many\"\ntimezone = \"UTC\"\nfinancial-year-ends = \"12-31\"\n";
    let sections: String = (0..rules).map(|number| section.replace('N', &number.to_string())).collect();
    std::fs::write(folder.path().join("p.toml"), format!("{head}{beginning}{sections}")).unwrap();
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            let mut check = Command::new(env!("CARGO_BIN_EXE_frist"));
            let ran = check.args(["check", "p.toml"]).current_dir(folder.path()).output().unwrap();
            assert!(matches!(ran.status.code(), Some(0 | 1)), "{ran:?}");
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}
