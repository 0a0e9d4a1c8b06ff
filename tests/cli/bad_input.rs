//! What a user may do wrong: each with a message that has a place and a way out, the right exit
//! code, and nothing lost.

mod databases;

use std::os::unix::fs::{PermissionsExt, symlink};
use std::{fs, process};

use insta::assert_snapshot;

use super::support::{Place, policy, rule};

/// What `check` says of a file with these bytes, which can be opened.
#[track_caller]
fn checked(bytes: &[u8]) -> String {
    let place = Place::new();
    place.write("policy.toml", bytes);
    place
        .frist(&["report", "policy.toml"])
        .code(2)
        .says("frist: the policy is not valid; nothing was opened");
    place.frist(&["purge", "--yes", "policy.toml"]).code(2);
    assert_eq!(place.snapshot().len(), 1, "nothing is made beside a policy that is not valid");
    place.frist(&["check", "policy.toml"]).code(1).out
}

/// What `check` says of a path that cannot be opened as a policy.
#[track_caller]
fn unopened(place: &Place, path: &str) -> String {
    place.frist(&["report", path]).code(2);
    place.frist(&["purge", "--yes", path]).code(2);
    let ran = place.frist(&["check", path]).code(2);
    ran.out.split("\n\n").next().unwrap().to_string()
}

#[test]
fn a_policy_that_is_not_utf_8_is_shown_up_to_the_byte() {
    assert_snapshot!(checked(b"version = 1\ntitle = \"K\xf8benhavn\"\n"), @r#"
    error[not-utf-8]: not UTF-8: byte 0xf8 cannot be read
     --> policy.toml:2:11
      |
    2 | title = "K
      |           ^
      |
      = help: save the file as UTF-8

    1 policy: 1 error
    "#);
    checked(b"\xff\xfev\0e\0r\0s\0i\0o\0n\0");
}

#[test]
fn an_empty_policy_says_how_to_begin() {
    assert_snapshot!(checked(b""), @r#"
    error[missing-key]: the policy does not say which version of the language it is written in
     --> policy.toml:1:1
      |
    1 |
      | ^
      |
      = help: begin the file with `version = 1`

    error[missing-key]: the policy has no `[policy]`
     --> policy.toml:1:1
      |
    1 |
      | ^
      |
      = help: add a line such as: [policy]

    1 policy: 2 errors
    "#);
    checked(b"\n\n# only a comment\n");
}

#[test]
fn a_policy_may_begin_with_a_byte_order_mark_and_end_its_lines_in_any_way() {
    let place = Place::new();
    place.write("policy.toml", format!("\u{feff}{}", policy("shop", "").replace('\n', "\r\n")));
    place.frist(&["check", "policy.toml"]).code(0).says("1 policy with 0 rules: 2 warnings");
    let rule = rule("a", "a", "5 yers", "at").replace('\n', "\r\n");
    place.write("policy.toml", format!("{}{rule}", policy("shop", "").replace('\n', "\r\n")));
    place.frist(&["check", "policy.toml"]).code(1).says("policy.toml:15:8").says("^^^^^^^^\n");
}

#[test]
fn what_is_not_text_at_all_is_no_policy() {
    checked(b"version = 1\n\0\n");
    checked(&[0; 1_000]);
    checked(b"SQLite format 3\0\x10\0\x02\x02\0@  ");
    checked("{ \"version\": 1 }".as_bytes());
    checked("[".repeat(20_000).as_bytes());
    checked(format!("a = {}1{}", "[".repeat(20_000), "]".repeat(20_000)).as_bytes());
    checked(format!("{} = 1", "a.".repeat(20_000)).as_bytes());
}

#[test]
fn a_huge_file_is_no_policy() {
    let place = Place::new();
    place.write("policy.toml", "#".repeat(2 << 20));
    assert_snapshot!(unopened(&place, "policy.toml"), @r#"
    error[too-large]: it is larger than 1 MiB, which no policy is
    --> policy.toml
     = help: is this the data rather than the policy?
    "#);
}

#[test]
fn a_missing_policy_is_told_with_its_path() {
    let place = Place::new();
    assert_snapshot!(unopened(&place, "policies/shop.toml"), @r#"
    error[cannot-open]: policies/shop.toml does not exist
    --> policies/shop.toml
     = help: is the path spelt right, and does it start at this folder?
    "#);
    symlink("nowhere.toml", place.path("link.toml")).unwrap();
    assert!(unopened(&place, "link.toml").contains("link.toml does not exist"));
    symlink("loop.toml", place.path("loop.toml")).unwrap();
    assert!(unopened(&place, "loop.toml").contains("cannot open loop.toml: Too many levels"));
}

#[test]
fn a_pipe_is_never_waited_for() {
    let place = Place::new();
    fs::create_dir(place.path("policies")).unwrap();
    let pipe = place.path("policies/pipe.toml");
    assert!(process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    assert_snapshot!(unopened(&place, "policies/pipe.toml"), @r#"
    error[cannot-open]: it is neither a file nor a folder
    --> policies/pipe.toml
     = help: name a policy file, or a folder of them
    "#);
    assert_snapshot!(unopened(&place, "policies"), @r#"
    error[cannot-open]: it ends in .toml and is not a regular file
    --> policies/pipe.toml
     = help: move it out of the folder of policies
    "#);
    assert!(unopened(&place, "/dev/null").contains("neither a file nor a folder"));
}

#[test]
fn a_folder_without_policies_says_what_a_policy_is() {
    let place = Place::new();
    place.write("policies/policy.yaml", "version: 1");
    assert_snapshot!(unopened(&place, "policies"), @r#"
    error[no-policy]: the folder holds no policy
    --> policies
     = help: policies are files that end in .toml
    "#);
}

#[test]
fn a_policy_that_may_not_be_read_is_told() {
    let place = Place::new();
    place.write("policy.toml", policy("shop", ""));
    fs::set_permissions(place.path("policy.toml"), fs::Permissions::from_mode(0o000)).unwrap();
    let words = "cannot open policy.toml: Permission denied";
    place.frist_as_nobody(&["check", "policy.toml"]).code(2).says(words).says("owner and mode");
}

#[test]
fn one_bad_policy_keeps_the_good_ones_from_running() {
    let place = Place::with_rules(&rule("people", "people", "1 year", "ended_at"));
    place.sql("CREATE TABLE people (ended_at TEXT); INSERT INTO people VALUES ('2020-01-01')");
    let ran = place.frist(&["purge", "--yes", "policy.toml", "nowhere.toml"]).code(2);
    ran.says("nowhere.toml does not exist").says("frist: a policy cannot be opened; nothing was done");
    assert_eq!(place.number("SELECT count(*) FROM people"), 1);
}
