//! What the engine cannot carry out is told before a purge meets it, by the part of the schema that
//! stands in the way: in `check --data`, in `report`, and in a purge that changes nothing.

use crate::support::{Place, rule};

/// A place with a rule on `t`, made by an application with functions and collations of its own.
fn place_with(sql: &str, more: &str) -> Place {
    let place = Place::with_rules(&format!("{}{more}", rule("r", "t", "1 year", "at")));
    let connection = place.sql("");
    let flags = rusqlite::functions::FunctionFlags::SQLITE_UTF8
        | rusqlite::functions::FunctionFlags::SQLITE_DETERMINISTIC;
    connection
        .create_scalar_function("title_sort", 1, flags, |context| context.get::<Option<String>>(0))
        .unwrap();
    connection.execute_batch(&sql.replace("unicase", "NOCASE")).unwrap();
    if sql.contains("unicase") {
        let rename =
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'NOCASE', 'unicase')";
        connection.execute_batch(rename).unwrap();
    }
    place
}

const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT, name TEXT, up INTEGER);
    INSERT INTO t (at, name) VALUES ('2001-01-01', 'a'), ('2290-01-01', 'b');";
const ANONYMISE: &str = "then = \"anonymise\"\nset = { name = \"remove\" }\n";

fn is_refused(sql: &str, more: &str, code: &str, by: &str) {
    let place = place_with(sql, more);
    let check = place.frist(&["check", "--data", "policy.toml"]).code(1);
    assert!(check.out.contains(&format!("error[{code}]")) && check.out.contains(by), "{check:?}");
    let report = place.frist(&["report", "policy.toml"]);
    assert!(report.out.contains("REFUSED") && report.out.contains(by), "{report:?}");
    let before = std::fs::read(place.path("app.db")).unwrap();
    let purge = place.frist(&["purge", "--yes", "policy.toml"]).code(3);
    assert!(purge.out.contains(by), "{purge:?}");
    assert!(std::fs::read(place.path("app.db")).unwrap() == before, "nothing was written");
}

fn goes(sql: &str, more: &str) {
    let place = place_with(sql, more);
    place.frist(&["check", "--data", "policy.toml"]).code(0);
    place.frist(&["purge", "--yes", "policy.toml"]).code(0).says("1 record");
}

#[test]
fn collations_of_the_application_are_named_with_their_index() {
    let sql = TABLE.replace("name TEXT", "name TEXT COLLATE unicase");
    let index = format!("{sql} CREATE UNIQUE INDEX t_names ON t (name);");
    is_refused(&index, "", "needs-application", "index `t_names`");
    is_refused(&index, ANONYMISE, "needs-application", "index `t_names`");
    // Without an index nobody compares.
    goes(&sql, "");
}

#[test]
fn functions_of_the_application_are_named_with_what_calls_them() {
    let trigger = |event: &str| {
        format!(
            "{TABLE} CREATE TRIGGER sorts AFTER {event} ON t BEGIN UPDATE t SET up = title_sort('x') WHERE 0; END;"
        )
    };
    is_refused(&trigger("UPDATE"), ANONYMISE, "needs-application", "trigger `sorts`");
    is_refused(&trigger("DELETE"), "", "needs-application", "trigger `sorts`");
    is_refused(
        &format!("{TABLE} CREATE INDEX t_sort ON t (title_sort(name));"),
        "",
        "needs-application",
        "index `t_sort`",
    );
    // A rule is refused for what it would do, and for nothing else.
    goes(&trigger("UPDATE"), "");
    goes(&trigger("DELETE"), ANONYMISE);
}

#[test]
fn a_trigger_behind_a_cascade_is_found() {
    let sql = format!(
        "{TABLE} CREATE TABLE lines (id INTEGER PRIMARY KEY, t INTEGER REFERENCES t ON DELETE CASCADE);
         CREATE INDEX lines_t ON lines (t);
         CREATE TRIGGER counts AFTER DELETE ON lines BEGIN SELECT title_sort(old.t); END;"
    );
    is_refused(&sql, "", "needs-application", "trigger `counts`");
    let along = "with = [{ table = \"lines\", on = \"t = id\" }]\n";
    is_refused(&sql.replace(" ON DELETE CASCADE", ""), along, "needs-application", "trigger `counts`");
}

#[test]
fn keys_that_cannot_be_checked_are_named() {
    let mismatch = format!(
        "{TABLE} CREATE TABLE parts (id INTEGER PRIMARY KEY, code TEXT REFERENCES t (name)); CREATE INDEX p ON parts (code);"
    );
    is_refused(&mismatch, "", "broken-foreign-key", "parts.code → t.name");
    goes(&format!("{mismatch} CREATE UNIQUE INDEX t_name ON t (name);"), "");
    let missing = format!("PRAGMA foreign_keys = OFF;{TABLE}")
        .replace("up INTEGER", "up INTEGER REFERENCES gone_table (id)");
    is_refused(&missing, "", "broken-foreign-key", "t.up → gone_table.id");
    // What the key is not about is not in its way.
    goes(&missing, ANONYMISE);
}

#[test]
fn a_trigger_that_names_what_is_not_there_is_told() {
    let sql = format!(
        "{TABLE} CREATE TABLE log (t INTEGER); CREATE TRIGGER logs AFTER DELETE ON t BEGIN INSERT INTO log VALUES (old.id); END; DROP TABLE log;"
    );
    is_refused(&sql, "", "cannot-be-carried-out", "trigger `logs`");
}
