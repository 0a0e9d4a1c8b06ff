//! Output that goes wrong, is thin, or is not wanted.

use frist::report::text::Style;

use super::support::{Place, rule};

fn place() -> Place {
    let place = Place::with_rules(&rule("people", "people", "1 year", "ended_at"));
    place.sql(
        "CREATE TABLE people (ended_at TEXT);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
         INSERT INTO people SELECT '2999-13-01' FROM n; INSERT INTO people VALUES ('2020-01-01')",
    );
    place.frist(&["purge", "--yes", "policy.toml", "--max-runtime", "0s"]).code(3);
    place
}

const COMMANDS: [&[&str]; 6] = [
    &["check", "policy.toml"],
    &["report", "policy.toml", "--list"],
    &["report", "policy.toml", "--list", "--format", "json"],
    &["ledger", "show", "policy.toml"],
    &["ledger", "verify", "policy.toml"],
    &["purge", "--yes", "policy.toml"],
];

#[test]
fn a_full_disk_below_standard_output_is_told() {
    let place = place();
    for command in COMMANDS.into_iter().chain([&["demo", "company"][..]]) {
        let ran = place.frist_in_shell("", command, ">/dev/full").code(3);
        assert_eq!(
            ran.err.matches("frist: cannot write the output: No space left").count(),
            1,
            "{command:?} {ran:?}"
        );
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error_worth_a_word() {
    let place = place();
    for command in COMMANDS {
        // The reader is gone before the first byte: `true` reads nothing.
        let ran = place.frist_in_shell("{ sleep 0.1;", command, "; echo $? >&2; } | true").code(0);
        assert!(["0\n", "3\n"].contains(&ran.err.as_str()), "{command:?} {ran:?}");
        let ran = place.frist_in_shell("{", command, "; } | head -1").code(0);
        assert_eq!((ran.out.lines().count(), ran.err.as_str()), (1, ""), "{command:?}");
    }
}

#[test]
fn closed_streams_are_no_reason_to_panic() {
    let place = place();
    for command in COMMANDS {
        for closed in [">&-", "2>&-", ">&- 2>&-", "<&-", "2>/dev/full"] {
            let ran = place.frist_in_shell("", command, closed);
            assert!(
                [0, 3].contains(&ran.code) && !ran.err.contains("panicked"),
                "{command:?} {closed} {ran:?}"
            );
        }
    }
}

#[test]
fn the_exit_code_of_a_wrong_policy_does_not_hang_on_standard_error() {
    let place = place();
    place.write("policy.toml", "version = 1");
    for closed in ["2>/dev/full", "2>&-", ""] {
        assert_eq!(place.frist_in_shell("", &["report", "policy.toml"], closed).code, 2, "{closed}");
    }
}

#[test]
fn colour_is_for_terminals_or_for_who_asks() {
    let place = place();
    place.write("policy.toml", "version = 2");
    place.frist(&["check", "policy.toml"]).code(1).does_not_say("\u{1b}");
    place.frist(&["check", "policy.toml", "--color", "always"]).code(1).says("\u{1b}[");
    place.frist(&["check", "policy.toml", "--color", "never"]).code(1).does_not_say("\u{1b}");
    let mut with_no_color = place.command(&["check", "policy.toml"]);
    assert!(!with_no_color.env("NO_COLOR", "1").output().unwrap().stdout.contains(&0x1b));
    place.frist(&["check", "policy.toml", "--color", "sometimes"]).code(2);
}

#[test]
fn a_table_fits_a_thin_terminal() {
    let place = place();
    for width in [40, 60, 80] {
        let style = Style { width: Some(width), color: false };
        let ran = place.frist_with(style, "2026-11-20", &["report", &place.arg("policy.toml")], None).code(3);
        let table: Vec<&str> = ran
            .out
            .lines()
            .skip_while(|line| !line.is_empty())
            .skip(1)
            .take_while(|line| !line.is_empty())
            .collect();
        let fits = |line: &&str| line.chars().count() <= usize::from(width);
        assert!(table.len() >= 2 && table.iter().all(fits), "{width}: {}", ran.out);
    }
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_leaves_nothing_beside_it() {
    let place = place();
    let before = place.snapshot();
    let words = "frist: cannot write nowhere/r.json: No such file or directory";
    place.frist(&["report", "policy.toml", "--output", "json=nowhere/r.json"]).code(3).says(words);
    std::fs::create_dir(place.path("folder")).unwrap();
    place
        .frist(&["report", "policy.toml", "--output", "json=folder"])
        .code(3)
        .says("frist: cannot write folder: ");
    assert_eq!(place.snapshot(), before);
    for wrong in ["r.json", "yaml=r", "json="] {
        place.frist(&["report", "policy.toml", "--output", wrong]).code(2).says("--output");
    }
}

#[test]
fn a_device_is_written_to_and_never_replaced() {
    let place = place();
    let pipe = place.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    // Open on both ends, so that nobody waits for the other.
    let mut ends = std::fs::File::options().read(true).write(true).open(&pipe).unwrap();
    place.frist(&["check", "policy.toml", "--output", "json=pipe"]).code(0);
    assert!(!pipe.metadata().unwrap().is_file());
    let mut written = [0; 1_000];
    let length = std::io::Read::read(&mut ends, &mut written).unwrap();
    assert!(written[..length].starts_with(b"{\"format\":\"frist.check/1\""));
}

#[test]
fn help_and_version_are_there() {
    let place = Place::new();
    place.frist(&["--help"]).code(0).says("Exit codes:").says("purge");
    place.frist(&["--version"]).code(0).says("frist ");
    place.frist(&[]).code(2).says("Usage: frist");
    place.frist(&["prge"]).code(2).says("a similar subcommand exists: 'purge'");
    for command in ["demo", "check", "report", "purge", "ledger"] {
        place.frist(&[command, "--help"]).code(0).says("Usage: frist");
    }
}
