//! Output that goes wrong, is thin, or is not wanted.

use frist::report::text::Style;

use super::support::{Place, policy, rule};

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
fn a_reader_that_goes_away_does_not_change_how_a_report_ends() {
    let place = Place::with_rules(&rule("people", "people", "1 year", "ended_at"));
    place
        .sql("CREATE TABLE people (ended_at TEXT); INSERT INTO people VALUES ('2020-01-01'), ('2090-12-01')");
    for (more, code) in [(&[][..], "0\n"), (&["--fail-on-due"], "1\n")] {
        let command = [&["report", "policy.toml"], more].concat();
        let ran = place.frist_in_shell("{ sleep 0.1;", &command, "; echo $? >&2; } | true").code(0);
        assert_eq!(ran.err, code);
    }
}

/// Without a handler the signal would end the process in the middle of a write.
#[test]
fn the_limit_of_a_files_size_is_an_error_and_no_death() {
    let place = Place::with_rules(&rule("people", "people", "1 year", "ended_at"));
    place.sql("CREATE TABLE people (ended_at TEXT); INSERT INTO people VALUES ('2020-01-01')");
    let ran = place.frist_in_shell("ulimit -f 0;", &["purge", "--yes", "policy.toml"], "").code(3);
    assert!(ran.err.contains("File too large") || ran.out.contains("File too large"), "{ran:?}");
    assert_eq!(place.frist(&["purge", "--yes", "policy.toml"]).code, 0);
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

/// A place whose only due record a purge would delete.
fn place_with_one_due() -> Place {
    let place = Place::with_rules(&rule("people", "people", "1 year", "ended_at"));
    place.sql(
        "CREATE TABLE people (ended_at TEXT); INSERT INTO people VALUES ('2020-01-01'), ('2026-11-01');",
    );
    place
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_anything_is_done() {
    let place = place_with_one_due();
    std::fs::create_dir(place.path("folder")).unwrap();
    std::fs::write(place.path("file"), "").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(place.path("socket")).unwrap();
    let before = place.snapshot();
    let commands: [&[&str]; 3] =
        [&["check", "policy.toml"], &["report", "policy.toml"], &["purge", "--yes", "policy.toml"]];
    for command in commands {
        for (path, why) in [
            ("nowhere/r.json", "No such file or directory (os error 2)"),
            ("folder", "is a directory; name a file in it"),
            ("folder/", "is a directory; name a file in it"),
            ("folder/..", "is a directory; name a file in it"),
            ("nowhere/", "is a directory; name a file in it"),
            ("file/r.json", "Not a directory"),
            ("socket", "it is a socket"),
        ] {
            let output = format!("json={path}");
            let ran = place.frist(&[command, &["--output", &output]].concat()).code(2);
            let ran = ran.says(&format!("frist: --output: cannot write {path}: ")).says(why);
            assert_eq!(ran.out, "", "{command:?}");
            assert!(!ran.err.contains(".frist-"), "what is made beside it is nobody's business: {ran:?}");
        }
    }
    assert_eq!(place.snapshot(), before);
    for wrong in ["r.json", "yaml=r", "json="] {
        place.frist(&["report", "policy.toml", "--output", wrong]).code(2).says("--output");
    }
}

#[test]
fn one_file_for_two_outputs_is_one_too_few() {
    let place = place_with_one_due();
    let before = place.snapshot();
    std::fs::create_dir(place.path("folder")).unwrap();
    for (one, other) in [("r", "r"), ("r", "./r"), ("r", "folder/../r")] {
        let (one, other) = (format!("json={one}"), format!("text={other}"));
        place
            .frist(&["purge", "--yes", "policy.toml", "--output", &one, "--output", &other])
            .code(2)
            .says("it is named twice, and the second would replace the first");
    }
    std::fs::remove_dir(place.path("folder")).unwrap();
    assert_eq!(place.snapshot(), before);
}

/// What a killed run left there is needed by the next one.
#[test]
fn no_output_takes_the_place_of_a_file_of_the_state_folder() {
    let place = place_with_one_due();
    place.frist(&["purge", "--yes", "policy.toml"]).code(0);
    for name in
        ["ledger.jsonl", "ledger.head", "pending.json", "removals.json", "running.json", "lock", "new"]
    {
        let output = format!("json=state/{name}");
        let ran = place.frist(&["report", "policy.toml", "--output", &output]).code(2);
        ran.says("it is part of the state folder of policy `shop`; name another file");
    }
    place.frist(&["ledger", "verify", "policy.toml"]).code(0);
}

/// Where a folder is still to be made, a file in its place would be in the way.
#[test]
fn no_output_takes_the_place_of_what_is_not_there_yet() {
    let rules = rule("people", "people", "1 year", "ended_at")
        + "with = [{ files = \"photos\", column = \"photo\" }]\n[source.backups]\nfiles = \"backups\"\n\
           [[rule]]\nname = \"backups\"\ndata = \"backups\"\nkeep = \"1 year\"\nafter = \"modified\"\n";
    let place = Place::with_rules(&rules);
    place.sql("CREATE TABLE people (ended_at TEXT, photo TEXT)");
    for (path, what) in [
        ("state", "part of the state folder of policy `shop`"),
        ("backups", "data of source `backups`"),
        ("photos", "in a folder of files that rows of rule `people` name"),
    ] {
        let output = format!("json={path}");
        let ran = place.frist(&["report", "policy.toml", "--output", &output]).code(2);
        ran.says(&format!("cannot write {path}: it is {what}; name another file"));
        assert!(!place.path(path).exists());
    }
}

#[test]
fn no_output_takes_the_place_of_a_file_that_a_row_may_name() {
    let people = rule("people", "people", "1 year", "ended_at");
    let along = "with = [{ files = \"photos\", column = \"photo\" },
        { table = \"notes\", on = \"person = id\", with = [{ files = \"scans\", column = \"scan\" }] }]\n";
    let place = Place::with_rules(&(people + along));
    place.sql(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, ended_at TEXT, photo TEXT);
         CREATE TABLE notes (person INTEGER, scan TEXT); CREATE INDEX i ON notes (person);
         INSERT INTO people VALUES (1, '2090-01-01', 'kim.jpg')",
    );
    place.write("photos/kim.jpg", "precious");
    place.write("scans/deep/1.pdf", "precious");
    std::os::unix::fs::symlink("photos", place.path("link")).unwrap();
    let before = place.snapshot();
    for path in ["photos/kim.jpg", "photos/new.jpg", "link/kim.jpg", "scans/deep/1.pdf", "scans/2.pdf"] {
        let output = format!("json={path}");
        for command in [&["check", "policy.toml"][..], &["purge", "--yes", "policy.toml"]] {
            let ran = place.frist(&[command, &["--output", &output]].concat()).code(2);
            ran.says("it is in a folder of files that rows of rule `people` name; name another file");
        }
    }
    assert_eq!(place.snapshot(), before);
    place.frist(&["report", "policy.toml", "--output", "json=photos.json"]).code(0);
}

#[test]
fn no_output_becomes_a_file_of_a_csv_source() {
    let source = |name: &str, pattern: &str| {
        format!(
            "\n[source.{name}]\ncsv = \"{pattern}\"\n[[rule]]\nname = \"{name}\"\ndata = \"{name}\"\n\
             keep = \"1 year\"\nafter = \"at\"\n"
        )
    };
    let place = Place::new();
    let sources = source("logs", "logs/*.csv") + &source("deep", "deep/**/*.log") + &source("one", "one.csv");
    place.write("policy.toml", policy("shop", &sources));
    for file in ["logs/a.csv", "deep/a.log", "deep/x/y/a.log"] {
        place.write(file, "at\n2020-01-01\n");
    }
    std::os::unix::fs::symlink("logs", place.path("link")).unwrap();
    let before = place.snapshot();
    let report = |path: &str| {
        let output = format!("json={path}");
        place.frist(&["report", "policy.toml", "--output", &output])
    };
    for (path, name) in [
        ("logs/new.csv", "logs"),
        ("link/new.csv", "logs"),
        ("logs/.a.csv.frist-kept", "logs"),
        ("logs/.a.csv.frist-new", "logs"),
        ("deep/new.log", "deep"),
        ("deep/x/y/new.log", "deep"),
        ("one.csv", "one"),
    ] {
        report(path).code(2).says(&format!("it is data of source `{name}`; name another file"));
    }
    assert_eq!(place.snapshot(), before);
    for path in ["logs/new.json", "logs/.new.csv", "new.csv", "deep/x/new.csv"] {
        // The data of one source is missing.
        report(path).code(3).does_not_say("--output");
        assert!(place.path(path).exists(), "{path}");
    }
}

#[test]
fn no_output_becomes_a_record_of_a_folder() {
    let rules = "\n[source.backups]\nfiles = \"backups\"\nmatch = \"*.zst\"\n[[rule]]\nname = \"backups\"\n\
                 data = \"backups\"\nkeep = \"30 days\"\nafter = \"modified\"\n";
    let place = Place::new();
    place.write("policy.toml", policy("shop", rules));
    std::fs::create_dir(place.path("backups")).unwrap();
    place.write("backups/a.zst", "precious");
    let report = |path: &str| {
        let output = format!("json={path}");
        place.frist(&["report", "policy.toml", "--output", &output])
    };
    for path in ["backups/a.zst", "backups/new.zst"] {
        report(path).code(2).says("it is data of source `backups`; name another file");
    }
    assert_eq!(place.read("backups/a.zst"), b"precious");
    report("backups/report.json").code(0);
}

#[test]
fn no_output_takes_the_place_of_a_policy_or_of_data() {
    let place = place_with_one_due();
    std::os::unix::fs::symlink(place.path("app.db"), place.path("link.db")).unwrap();
    std::fs::write(place.path("log.csv"), "at\n2020-01-01\n").unwrap();
    let policy = std::fs::read_to_string(place.path("policy.toml")).unwrap();
    let csv = "[source.log]\ncsv = \"*.csv\"\n[[rule]]\nname = \"log\"\ndata = \"log\"\nkeep = \"1 year\"\n\
               after = \"at\"\n";
    place.write("policy.toml", format!("{policy}\n{csv}"));
    let before = place.snapshot();
    for (path, what) in [
        ("policy.toml", "a policy"),
        ("./app.db", "data of source `app`"),
        ("app.db-wal", "data of source `app`"),
        ("log.csv", "data of source `log`"),
    ] {
        let output = format!("text={path}");
        for command in [&["report", "policy.toml"][..], &["purge", "--yes", "policy.toml"]] {
            let ran = place.frist(&[command, &["--output", &output]].concat()).code(2);
            ran.says(&format!("cannot write {path}: it is {what}; name another file"));
        }
    }
    assert_eq!(place.snapshot(), before);
    place.write("policy.toml", "version = 2");
    place.frist(&["check", "policy.toml", "--output", "json=policy.toml"]).code(2).says("it is a policy");
}

#[test]
fn a_full_disk_below_one_output_keeps_none_of_the_others() {
    let place = place_with_one_due();
    let files = ["--output", "json=/dev/full", "--output", "json=r.json", "--output", "text=/dev/full"];
    let ran = place.frist(&[&["purge", "--yes", "policy.toml"], &files[..]].concat()).code(3);
    assert_eq!(ran.err.matches("frist: cannot write /dev/full: No space left").count(), 2, "{ran:?}");
    ran.says("people");
    let written = std::fs::read_to_string(place.path("r.json")).unwrap();
    assert!(written.starts_with("{\"format\":\"frist.run/1\""), "{written}");
    let refused = place.frist(&["purge", "policy.toml", "--output", "json=/dev/full"]);
    refused.code(4);
}

/// What is lost is all told, whichever fails first.
#[test]
fn a_full_disk_below_everything_is_told_of_everything() {
    let place = place_with_one_due();
    let files = "--output json=/dev/full >/dev/full";
    let ran = place.frist_in_shell("", &["report", "policy.toml"], files).code(3);
    for told in
        ["frist: cannot write /dev/full: No space left", "frist: cannot write the output: No space left"]
    {
        assert_eq!(ran.err.matches(told).count(), 1, "{ran:?}");
    }
}

#[test]
fn a_purge_that_only_looks_is_a_report() {
    let place = place_with_one_due();
    let before = place.snapshot();
    for more in [&[][..], &["--format", "json"], &["--rule", "people"], &["--quiet"]] {
        let asked = ["policy.toml", "--now", "2026-11-20"];
        let with = |command: &[&str]| place.frist(&[command, &asked, more].concat()).code(0);
        let (looked, reported) = (with(&["purge", "--yes", "--dry-run"]), with(&["report"]));
        assert_eq!((looked.out, looked.err), (reported.out, reported.err), "{more:?}");
    }
    place.frist(&["purge", "--dry-run", "missing.toml"]).code(2);
    place.frist(&["purge", "--dry-run", "policy.toml", "--accept-limit", "people"]).code(2);
    place.frist(&["purge", "--force", "--yes", "policy.toml"]).code(2).says("see --accept-limit");
    assert_eq!(place.snapshot(), before, "not even a state folder is made");
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
