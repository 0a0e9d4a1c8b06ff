//! Findings about related rows of another source.

use super::super::support::Place;
use super::{BASE, found, warned, with};

/// Other sources than that of the records: a database, CSV files and a folder.
const OTHERS: &str = "
[source.crm]
sqlite = \"crm.db\"

[source.calls]
csv = \"calls-*.csv\"

[source.files]
files = \"files\"

[[rule]]
name = \"files\"
data = \"files\"
keep = \"1 year\"
after = \"modified\"
";

/// The valid policy with a line of its own and those sources.
fn beside(line: &str) -> String {
    with("[[rule]]", line) + OTHERS
}

#[track_caller]
fn error(text: &str, wanted: &str) {
    let errors = found(text);
    assert!(errors.contains(wanted), "no {wanted:?} in {errors}");
    assert_eq!(errors.matches("error[").count(), 1, "{errors}");
}

/// The same policy about lines of a CSV file.
fn of_lines(line: &str) -> String {
    beside(line).replace("sqlite = \"app.db\"", "csv = \"app.csv\"").replace("app.customers", "app")
}

#[test]
fn rows_of_another_database_or_of_files_belong_to_rows_and_to_lines() {
    for line in [
        "unless = [{ table = \"crm.calls\", on = \"customer = id\" }, { table = \"calls\", on = \"customer = id\" }]",
        "only-if = [{ table = \"crm.calls\", on = \"lower(mail) = trim(mail)\", where = \"kind = 1\" }, { table = \"calls\", on = \"customer = id\" }]",
        "after = { latest = [{ table = \"crm.calls\", column = \"at\", on = \"customer = id\" }, { table = \"calls\", column = \"at\", on = \"customer = id\" }] }",
    ] {
        assert_eq!(warned(&beside(line)), "", "{line}");
        assert_eq!(warned(&of_lines(line)), "", "{line}");
    }
    let keep = "keep = { table = \"crm.controllers\", column = \"keep\", on = \"id = controller\" }";
    assert_eq!(warned(&(beside(keep).replace("[source.calls]\ncsv = \"calls-*.csv\"\n", ""))), "");
}

#[test]
fn a_source_that_only_a_relation_asks_about_is_used() {
    let warning = warned(&beside("unless = [{ table = \"crm.calls\", on = \"customer = id\" }]"));
    assert!(warning.contains("no rule uses source `calls`") && !warning.contains("`crm`"), "{warning}");
}

#[test]
fn the_columns_of_related_rows_are_written_as_their_own_source_says() {
    let after = "after = { table = \"crm.calls\", column = \"at\", on = \"customer = id\" }";
    let settings = "\n[source.crm.table.calls]\nformats = { at = \"unix\" }\n";
    let warnings = warned(&(beside(after) + settings));
    assert!(!warnings.contains("unused-table") && !warnings.contains("unused-format"), "{warnings}");
    let misspelt = "\n[source.crm.table.cals]\nformats = { at = \"unix\" }\n";
    assert!(warned(&(beside(after) + misspelt)).contains("unused-table"));
}

#[test]
fn what_cannot_be_related_is_told_with_a_way_out() {
    let unless = |table: &str| format!("unless = [{{ table = \"{table}\", on = \"customer = id\" }}]");
    error(&beside(&unless("files")), "`files` is a folder, and files are nobody's related rows");
    error(&beside(&unless("calls.x")), "`calls` has no tables: `table` names the source alone");
    error(&beside(&unless("crm.")), "`crm` is a database: `table` must name one of its tables");
    error(&of_lines(&unless("crm")), "`crm` is a database: `table` must name one of its tables");
    error(&of_lines(&unless("cals")), "there is no source `cals`");
    error(&of_lines(&unless("cals")), "did you mean `calls`?");
    error(&beside("unless = [{ table = \"crm.calls\" }]"), "no foreign key reaches another source");
    let with = "with = [{ table = \"crm.calls\", on = \"customer = id\" }]";
    error(
        &beside(with),
        "rows of another source cannot go along with a record, in `with` of rule `customers`",
    );
    let of_files = BASE.to_string() + OTHERS + &unless("crm.calls");
    error(
        &of_files,
        "the records of a folder have no related rows, as `unless` of rule `files` takes them to have",
    );
}

#[test]
fn a_name_is_a_table_of_the_own_database_unless_it_is_that_of_files() {
    let place = Place::new();
    place.sql("CREATE TABLE customers (id INTEGER PRIMARY KEY, ended_at TEXT); INSERT INTO customers VALUES (1, '2020-01-01');
               CREATE TABLE crm (customer); CREATE TABLE calls (customer); INSERT INTO crm VALUES (1); INSERT INTO calls VALUES (1)");
    place.write("calls-1.csv", "customer\n");
    let spared = |table: &str| {
        let line = format!("unless = [{{ table = \"{table}\", on = \"customer = id\" }}]");
        place.write(
            "policy.toml",
            beside(&line).replace(&OTHERS[OTHERS.find("[source.files]").unwrap()..], ""),
        );
        place.frist(&["report", "policy.toml", "--format", "json"]).code(0).json()["rules"][0]["spared"] == 1
    };
    assert!(spared("crm"), "a table may be called as a database is");
    assert!(spared("app.calls"));
    assert!(!spared("calls"), "the files hold no row");
}

#[test]
fn evidence_in_another_source_may_be_kept_shorter_than_what_it_starts() {
    let after = "after = { table = \"crm.calls\", column = \"at\", on = \"customer = id\" }";
    let rule = "\n[[rule]]\nname = \"calls\"\ndata = \"crm.calls\"\nkeep = \"6 months\"\nafter = \"at\"\n";
    assert!(!warned(&(beside(after) + rule)).contains("calls` deletes"));
    let of_files = "after = { table = \"calls\", column = \"at\", on = \"customer = id\" }";
    assert!(!warned(&(beside(of_files) + &rule.replace("crm.calls", "calls"))).contains("calls` deletes"));
}

#[test]
fn check_data_names_what_is_not_there() {
    let place = Place::new();
    place.sql("CREATE TABLE customers (id INTEGER PRIMARY KEY, ended_at TEXT)");
    let line = "unless = [{ table = \"crm.calls\", on = \"custmer = id\" }]";
    let text = beside(line).replace(&OTHERS[OTHERS.find("[source.calls]").unwrap()..], "");
    place.write("policy.toml", &text);
    let check = |code| place.frist(&["check", "--data", "policy.toml"]).code(code);
    check(3)
        .says("--> policy.toml:14:21")
        .says("the related rows of crm.calls cannot be read, and so nothing is deleted")
        .says("crm.db");
    rusqlite::Connection::open(place.path("crm.db"))
        .unwrap()
        .execute_batch("CREATE TABLE calls (customer)")
        .unwrap();
    check(1).says("table `calls` has no column `custmer`; did you mean `customer`?");
}
