//! `frist demo`: a stranger's first command.

use std::fs;

use super::support::{Place, Ran};

/// The commands that a demo showed, as they were printed.
fn shown(ran: &Ran) -> Vec<&str> {
    ran.out.lines().filter_map(|line| line.strip_prefix("$ frist ")).collect()
}

#[test]
fn the_demo_runs_from_the_check_to_the_verified_ledger() {
    let place = Place::new();
    let ran = place.frist(&["demo", "company"]).code(0);
    assert_eq!(ran.err, "");
    let commands: Vec<&str> = shown(&ran).iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(commands, ["check", "report", "purge", "report", "ledger", "ledger"]);
    ran.says("11 rules and the data: no problem found").says("Nothing is due.").says("The ledger is whole:");
}

#[test]
fn every_command_that_it_shows_can_be_typed() {
    for folder in ["company", "a folder's \"name\" $HOME"] {
        let place = Place::new();
        for line in shown(&place.frist(&["demo", folder]).code(0)) {
            // As typed into a shell; `$0` is the binary, whatever its path.
            let function = "frist() { \"$binary\" \"$@\"; }; binary=$0; set --;";
            place.frist_in_shell(&format!("{function} frist {line} #"), &[], "").code(0);
        }
    }
}

#[test]
fn it_uses_a_new_or_empty_folder_and_no_other() {
    let place = Place::new();
    fs::create_dir(place.path("empty")).unwrap();
    place.frist(&["demo", "empty"]).code(0);
    let before = place.snapshot();
    place.frist(&["demo", "empty"]).code(2).says("frist: empty is not empty; name a new folder");
    place.write("file", "mine");
    place.frist(&["demo", "file"]).code(2).says("frist: cannot use file: ");
    place.frist(&["demo", "file/below"]).code(2).says("frist: cannot use file/below: ");
    fs::remove_file(place.path("file")).unwrap();
    assert_eq!(place.snapshot(), before);
}

#[test]
fn without_a_name_it_takes_a_temporary_folder_and_says_which() {
    let place = Place::new();
    let ran = Ran::from(place.command(&["demo"]).env("TMPDIR", place.path("")).output().unwrap()).code(0);
    let folder = fs::read_dir(place.path("")).unwrap().next().unwrap().unwrap().path();
    ran.says(&format!("A small company lives in {} now", folder.display()));
}

#[test]
fn it_works_on_any_day() {
    for day in ["2024-02-29", "2027-01-01", "2027-03-28T01:30:00Z", "2030-12-31T23:59:59Z"] {
        let place = Place::new();
        place.frist_at(day, &["demo", &place.arg("company")], None).code(0).says("Nothing is due.");
    }
}
