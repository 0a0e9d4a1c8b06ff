//! What can be typed, and what is taken from the environment.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::support::{Place, Ran, rule};

fn place() -> Place {
    let place = Place::with_rules(&rule("people", "people", "1 year", "ended_at"));
    place
        .sql("CREATE TABLE people (ended_at TEXT); INSERT INTO people VALUES ('2020-05-01'), ('2290-01-01')");
    place
}

fn with_variables(place: &Place, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let mut command = place.command(arguments);
    command.envs(variables.iter().copied());
    Ran::from(command.output().unwrap())
}

#[test]
fn the_long_version_says_what_decides_about_dates_and_databases() {
    let place = Place::new();
    let out = place.frist(&["--version"]).code(0).out;
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with(&format!("frist {} (", env!("CARGO_PKG_VERSION"))), "{out}");
    assert!(lines[1].starts_with("SQLite 3.") && lines[2].starts_with("time zones 20"), "{out}");
    assert_eq!(place.frist(&["-V"]).code(0).out.lines().count(), 1);
}

#[test]
fn help_has_groups_examples_and_exit_codes() {
    let place = Place::new();
    for command in ["check", "report", "purge"] {
        let ran = place.frist(&[command, "--help"]).code(0);
        let ran = ran.says("Where things are:").says("Output:").says("Options of all commands:");
        ran.says("Examples:\n  frist ").says("Exit codes: 0").says("[env: FRIST_STATE=]");
        place.frist(&[command, "-h"]).code(0).does_not_say("Examples:");
    }
    place.frist(&["purge", "--help"]).code(0).says("Safety:\n      --yes");
    place.frist(&["ledger", "--help"]).code(0).says("frist ledger verify --expect");
}

#[test]
fn the_environment_says_where_things_are_and_how_output_is_written() {
    let place = place();
    let report = &["report", "policy.toml"];
    let json = with_variables(&place, &[("FRIST_FORMAT", "json")], report).code(0).json();
    assert_eq!(json["totals"]["due"], 1);
    with_variables(&place, &[("FRIST_FORMAT", "json")], &["report", "policy.toml", "--format", "text"])
        .code(0)
        .says("1 record is due.");
    with_variables(&place, &[("FRIST_FORMAT", "yaml")], report).code(2).says("yaml");
    with_variables(&place, &[("FRIST_ROOT", "nowhere")], report).code(3).says("nowhere/app.db");
    with_variables(&place, &[("FRIST_COLOR", "always")], report).code(0).says("\u{1b}[");
    let purge = &["purge", "--yes", "policy.toml"];
    with_variables(&place, &[("FRIST_STATE", "elsewhere")], purge).code(0).says("1 record deleted.");
    assert!(place.path("elsewhere/ledger.jsonl").exists() && !place.path("state").exists());
    for ledger in [&["ledger", "verify"][..], &["ledger", "verify", "policy.toml"]] {
        with_variables(&place, &[("FRIST_STATE", "elsewhere")], ledger).code(0).says("is whole");
    }
    place.frist(&["ledger", "verify"]).code(2).says("name a policy, or the state folder with --state");
}

#[test]
fn no_variable_consents() {
    let place = place();
    let names =
        ["FRIST_YES", "FRIST_ACCEPT_LIMIT", "FRIST_ACCEPT_LIMITS", "FRIST_ACCEPT_CLOCK", "FRIST_FORCE"];
    for value in ["1", "true", "people", "yes"] {
        let variables = names.map(|name| (name, value));
        with_variables(&place, &variables, &["purge", "policy.toml"]).code(4);
    }
    assert_eq!(place.number("SELECT count(*) FROM people"), 2);
    // A limit that is broken stays so.
    let limited = String::from_utf8(place.read("policy.toml"))
        .unwrap()
        .replace("after =", "limit = { records = 0 }\nafter =");
    place.write("policy.toml", limited);
    let variables = names.map(|name| (name, "people"));
    with_variables(&place, &variables, &["purge", "--yes", "policy.toml"]).code(4).says("LIMIT");
    assert_eq!(place.number("SELECT count(*) FROM people"), 2);
}

#[test]
fn the_folder_of_a_service_is_for_policies_that_name_none() {
    let place = place();
    let named = String::from_utf8(place.read("policy.toml")).unwrap();
    let unnamed: String =
        named.lines().filter(|line| !line.starts_with("state")).map(|line| format!("{line}\n")).collect();
    let purge = &["purge", "--yes", "policy.toml"];
    let folders = format!("{}:/other", place.arg("service"));
    let service = &[("STATE_DIRECTORY", folders.as_str())];
    place.write("policy.toml", &unnamed);
    with_variables(&place, service, purge).code(0);
    assert!(place.path("service/ledger.jsonl").exists() && !place.path(".frist").exists());
    with_variables(&place, service, &["purge", "--yes", "--state", "own", "policy.toml"]).code(0);
    assert!(place.path("own/ledger.jsonl").exists());
    // What is there already stays in use, and so does what the policy names.
    fs::create_dir(place.path(".frist")).unwrap();
    fs::set_permissions(place.path(".frist"), PermissionsExt::from_mode(0o700)).unwrap();
    with_variables(&place, service, purge).code(0);
    assert!(place.path(".frist/ledger.jsonl").exists());
    place.write("policy.toml", unnamed.replace("[policy]\n", "[policy]\nstate = \"mine\"\n"));
    with_variables(&place, service, purge).code(0);
    assert!(place.path("mine/ledger.jsonl").exists());
}

#[test]
fn shells_and_manuals_are_told_from_the_command_line_itself() {
    let place = Place::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        place.frist(&["completions", shell]).code(0).says("accept-limit");
    }
    place.frist(&["completions", "csh"]).code(2).says("bash");
    place.write("frist.bash", place.frist(&["completions", "bash"]).code(0).out);
    assert!(
        std::process::Command::new("bash")
            .arg("-n")
            .arg(place.path("frist.bash"))
            .status()
            .unwrap()
            .success()
    );
    place.frist(&["man"]).code(0).says(".TH frist 1").says("purge");
    place
        .frist(&["man", "ledger-show"])
        .code(0)
        .says(".TH frist-ledger-show 1  \"frist ")
        .says("Every entry");
    place.frist(&["man", "purge"]).code(0).says("accept\\-limit");
    place.frist(&["man", "nothing"]).code(2).says("there are demo, check, report");
}

#[test]
fn a_purge_leaves_metrics_that_a_collector_can_read() {
    let place = place();
    place.frist(&["report", "policy.toml", "--format", "prometheus"]).code(0).says(
        "# TYPE frist_due_records gauge\nfrist_due_records{policy=\"shop\",rule=\"people\"} 1\n# HELP frist_blocked_records",
    );
    let purge = ["purge", "--yes", "policy.toml", "--output", "prometheus=frist.prom"];
    let shell = place.frist_in_shell("umask 077;", &purge, "").code(0);
    assert!(shell.out.contains("1 record deleted."), "{}", shell.out);
    let mode = place.path("frist.prom").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "another account reads it");
    let metrics = String::from_utf8(place.read("frist.prom")).unwrap();
    for line in [
        "frist_due_records{policy=\"shop\",rule=\"people\"} 0",
        "frist_run_records{policy=\"shop\",rule=\"people\",done=\"deleted\"} 1",
        "frist_run_exit_code{policy=\"shop\"} 0",
    ] {
        assert!(metrics.lines().any(|own| own == line), "{line} in {metrics}");
    }
    assert_eq!(value(&metrics, "frist_last_success"), value(&metrics, "frist_run_timestamp"));
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split('{').next().unwrap();
        assert_eq!(metrics.matches(&format!("# TYPE {name} gauge\n")).count(), 1, "{name}");
    }
}

fn value<'a>(metrics: &'a str, name: &str) -> &'a str {
    metrics.lines().find(|line| line.starts_with(name)).unwrap().rsplit(' ').next().unwrap()
}

/// Otherwise an alert would end with the first night that goes wrong.
#[test]
fn a_run_that_was_refused_or_is_incomplete_remembers_the_last_success() {
    let place = place();
    place.frist(&["purge", "--yes", "policy.toml"]).code(0);
    let purge = ["purge", "--yes", "policy.toml", "--format", "prometheus"];
    let good = place.frist(&purge).code(0).out;
    let stopped = place.frist(&[&purge[..], &["--max-runtime", "0s"]].concat()).code(3);
    assert!(stopped.err.contains("Ended with 3"), "{}", stopped.err);
    let refused = place.frist(&["purge", "policy.toml", "--format", "prometheus"]).code(4);
    for (metrics, code) in [(stopped.out, "3"), (refused.out, "4")] {
        assert_eq!(value(&metrics, "frist_run_exit_code"), code, "{metrics}");
        let [first, last] =
            [&good, &metrics].map(|told| value(told, "frist_last_success").parse::<i64>().unwrap());
        assert!(last >= first && last - first < 600, "{metrics}");
    }
    let never = self::place().frist(&["purge", "policy.toml", "--format", "prometheus"]).code(4);
    assert!(!never.out.contains("frist_last_success"), "{}", never.out);
}

#[test]
fn who_asks_for_json_on_standard_error_gets_nothing_else() {
    let place = place();
    place.write("broken.toml", "version = 1\n");
    let commands: [&[&str]; 4] = [
        &["purge", "policy.toml", "--log-format", "json"],
        &["purge", "--yes", "broken.toml", "--log-format", "json"],
        &["report", "nowhere.toml", "--log-format", "json"],
        &["ledger", "verify", "--state", "nowhere", "--log-format", "json"],
    ];
    for command in commands {
        let ran = place.frist(command);
        assert!(ran.code > 1 && !ran.err.is_empty(), "{command:?} {ran:?}");
        for line in ran.err.lines() {
            let entry: serde_json::Value =
                serde_json::from_str(line).unwrap_or_else(|_| panic!("{command:?}: {line}"));
            assert_eq!(entry["level"], "ERROR", "{line}");
            assert!(!entry["fields"]["message"].as_str().unwrap().starts_with("frist: "), "{line}");
        }
    }
}

/// A shell that is set up for a company's policies must not lead the demo into them.
#[test]
fn the_demo_keeps_to_its_own_folder() {
    let place = place();
    let (root, state) = (place.arg("elsewhere"), place.arg("ours"));
    let variables =
        [("FRIST_ROOT", root.as_str()), ("FRIST_STATE", state.as_str()), ("FRIST_FORMAT", "json")];
    with_variables(&place, &variables, &["demo", "demo"]).code(0).does_not_say("frist.run/1");
    assert!(!place.path("ours").exists() && place.path("demo/var/frist/ledger.jsonl").exists());
}
