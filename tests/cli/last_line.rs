//! The last line says what is left and why; it never reads as if more were done than was.

use serde_json::{Value, json};

use super::support::{Place, Ran, policy, rule};

const BILLS: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, at TEXT);
    CREATE TABLE bills (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people (id));
    CREATE INDEX bill ON bills (person);
    INSERT INTO people VALUES (1, '2001-01-01'), (2, '2090-01-01'); INSERT INTO bills VALUES (1, 1)";

fn people(sql: &str) -> Place {
    let place = Place::with_rules(&rule("people", "people", "1 year", "at"));
    place.sql(sql);
    place
}

fn last(ran: &Ran) -> &str {
    ran.out.lines().rfind(|line| !line.is_empty()).unwrap_or_default()
}

fn report(place: &Place, more: &[&str]) -> Ran {
    place.frist(&[&["report", "policy.toml"][..], more].concat())
}

fn purge(place: &Place, more: &[&str]) -> Ran {
    place.frist(&[&["purge", "--yes", "policy.toml"][..], more].concat())
}

fn totals(ran: &Ran, names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| ran.json()["totals"][name].clone()).collect()
}

const STATES: [&str; 4] = ["due", "blocked", "held", "unreadable"];

#[test]
fn a_blocked_record_is_past_its_time() {
    let place = people(BILLS);
    assert_eq!(last(&report(&place, &[]).code(0)), "1 record past its time is blocked.");
    let failing = report(&place, &["--fail-on-due"]).code(1);
    assert_eq!(
        last(&failing),
        "1 record past its time is blocked. Ended with 1: that is what --fail-on-due asks for."
    );
    let ran = report(&place, &["--fail-on-due", "-q"]).code(1);
    assert!(last(&ran).starts_with("1 record past its time is blocked. Ended with 1: "), "{ran:?}");
    assert_eq!(totals(&report(&place, &["--format", "json"]), &STATES), [0, 1, 0, 0]);
    assert_eq!(last(&purge(&place, &[]).code(0)), "0 records deleted; 1 past its time is blocked.");
    let json = purge(&place, &["--format", "json"]);
    assert_eq!(totals(&json, &["due", "blocked", "held", "deleted", "taken_along"]), [0, 1, 0, 0, 0]);
    place.sql("INSERT INTO people VALUES (3, '2001-01-01')");
    assert_eq!(last(&report(&place, &[]).code(0)), "1 record is due; 1 past its time is blocked.");
}

#[test]
fn an_unreadable_record_is_named_in_the_last_line() {
    let place =
        people("CREATE TABLE people (at TEXT); INSERT INTO people VALUES ('someday'), ('2090-01-01')");
    let line = "No record that can be read is due. Ended with 3: 1 record of app.people cannot be read.";
    assert_eq!(last(&report(&place, &[]).code(3)), line);
    assert_eq!(totals(&report(&place, &["--format", "json"]), &STATES), [0, 0, 0, 1]);
    let line = "0 records deleted. Ended with 3: 1 record of app.people cannot be read.";
    assert_eq!(last(&purge(&place, &[]).code(3)), line);
    assert_eq!(last(&purge(&place, &["-q"]).code(3)), "Ended with 3: 1 record of app.people cannot be read.");
    // An index does not show what is not due, and a count that is not known is not 0.
    place.sql("CREATE INDEX i ON people (at); INSERT INTO people VALUES ('2001-01-01')");
    let json = purge(&place, &["--format", "json"]);
    assert_eq!(totals(&json, &["due", "deleted"]), [1, 1]);
    assert_eq!(json.json()["totals"]["unreadable"], json.json()["rules"][0]["unreadable"]);
}

#[test]
fn what_a_purge_would_leave_is_not_told_as_if_it_went() {
    let rules = rule("people", "people", "1 year", "at") + "limit = { records = 1 }\nwhen = \"id < 10\"\n";
    let draft = rule("draft", "people", "1 year", "at") + "enforce = false\nwhen = \"id > 9\"\n";
    let place = Place::with_rules(&(rules + &draft));
    place.sql(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, at TEXT);
         INSERT INTO people VALUES (1, '2001-01-01'), (2, '2001-01-01'), (10, '2001-01-01')",
    );
    let line = "3 records are due, but a purge leaves 3 of them: 2 over a limit, 1 only reported (`enforce = false`).";
    assert_eq!(last(&report(&place, &[]).code(0)), line);
    let ran = purge(&place, &[]).code(4);
    let line = "0 records deleted; 2 due records are left; 1 due record is only reported (`enforce = false`). \
                Ended with 4: a limit refused people.";
    assert_eq!(last(&ran), line);
    let ran = purge(&place, &["--accept-limit", "people"]).code(0);
    assert_eq!(last(&ran), "2 records deleted; 1 due record is only reported (`enforce = false`).");
}

#[test]
fn what_the_newest_are_kept_for_is_neither_due_nor_blocked() {
    let place = Place::new();
    let header =
        policy("shop", "").replace("[source.app]\nsqlite = \"app.db\"", "[source.app]\nfiles = \"files\"");
    let rules = "\n[[rule]]\nname = \"files\"\ndata = \"app\"\nkeep = \"1 year\"\nafter = \"modified\"\nkeep-newest = 1\n";
    place.write("policy.toml", header + rules);
    place.write("files/only", "");
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let file = std::fs::File::options().write(true).open(place.path("files/only")).unwrap();
    file.set_modified(old).unwrap();
    let line = "Nothing is due; 1 past its time is kept by `keep-newest`.";
    assert_eq!(last(&report(&place, &["--fail-on-due"]).code(0)), line);
    let json = report(&place, &["--format", "json"]).code(0);
    assert_eq!(totals(&json, &STATES), [0, 0, 0, 0]);
    let rule = &json.json()["rules"][0];
    assert_eq!((&rule["blocked"], &rule["newest"]), (&json!(1), &json!(1)));
    assert_eq!(
        last(&purge(&place, &[]).code(0)),
        "0 records deleted; 1 past its time is kept by `keep-newest`."
    );
    assert!(place.path("files/only").exists());
}

#[test]
fn sources_that_could_not_be_read_are_named() {
    let place = people("CREATE TABLE people (at TEXT); INSERT INTO people VALUES ('2001-01-01')");
    let mut text = String::from_utf8(place.read("policy.toml")).unwrap();
    text += "\n[source.logs]\ncsv = \"logs.csv\"\n[source.calls]\nsqlite = \"calls.db\"\n";
    for data in ["logs", "calls.calls"] {
        let name = data.split('.').next().unwrap();
        text += &rule(name, "x", "1 year", "at").replace("'app.x'", &format!("'{data}'"));
    }
    place.write("policy.toml", text);
    let line = "1 record is due. Ended with 3: 2 of 3 sources could not be read: logs, calls.";
    assert_eq!(last(&report(&place, &[]).code(3)), line);
    let line = "1 record deleted. Ended with 3: 2 of 3 sources could not be read: logs, calls.";
    assert_eq!(last(&purge(&place, &[]).code(3)), line);
    let line = "0 records deleted. Ended with 3: there is no answer for people; 2 of 3 sources could not be read: \
                logs, calls.";
    place.sql("DROP TABLE people");
    assert_eq!(last(&purge(&place, &[]).code(3)), line);
}

#[test]
fn several_policies_end_with_a_line_about_all() {
    let place = people(BILLS);
    place.write(
        "other.toml",
        policy("other", &rule("log", "log", "1 year", "at")).replace("\"state\"", "\"other\""),
    );
    place.sql("CREATE TABLE log (at TEXT); INSERT INTO log VALUES ('2001-01-01'), ('soon')");
    let ran = place.frist(&["report", "policy.toml", "other.toml"]).code(3);
    let line = "2 policies: 1 record is due; 1 past its time is blocked. Ended with 3: 1 record of app.log cannot be \
                read.";
    assert_eq!(last(&ran), line);
    let ran = ran.says("\n1 record past its time is blocked.\n\nother, as of ");
    ran.says("\n1 record is due; 1 record of app.log cannot be read.\n\n2 policies: ");
    // The state of the other cannot be made, and so it is not carried out.
    place.write("policy.toml", policy("shop", "").replace("\"state\"", "\"other.toml/state\""));
    let ran = place.frist(&["purge", "--yes", "policy.toml", "other.toml"]).code(3);
    let line = "2 policies: 1 record deleted. Ended with 3: shop was not carried out; 1 record of app.log cannot be \
                read.";
    assert_eq!(last(&ran), line);
}
