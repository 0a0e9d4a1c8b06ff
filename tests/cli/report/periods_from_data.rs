//! Rules whose periods stand in the data: in the record, or in a related row.

use insta::assert_snapshot;

use super::{Place, report, rule};

/// A place whose only rule, on `records` and `created_at`, has this `keep`.
fn place(keep: &str, sql: &str) -> Place {
    let policy = rule("records", "records", "1 year", "created_at");
    let place = Place::with_rules(&policy.replace("\"1 year\"", &format!("{{ {keep} }}")));
    place.sql(sql);
    place
}

/// Each record with its state.
fn states(place: &Place) -> String {
    let json = report(place, &["--list", "--all", "--format", "json"]).json();
    let records = json["rules"][0]["records"].as_array().unwrap();
    let told = records
        .iter()
        .map(|record| format!("{} {}", record["key"].as_str().unwrap(), record["state"].as_str().unwrap()));
    told.collect::<Vec<_>>().join(", ")
}

/// A school platform: each school says how long its records are kept, or has not said yet.
const SCHOOLS: &str = "
    PRAGMA foreign_keys = OFF;
    CREATE TABLE schools (id INTEGER PRIMARY KEY, keep TEXT, is_valid INTEGER);
    INSERT INTO schools VALUES (1, '1 year', 1), (2, '10 years', 1), (3, NULL, 1), (4, 'soon', 1);
    CREATE TABLE records (id INTEGER PRIMARY KEY, school_id REFERENCES schools, created_at TEXT);
    INSERT INTO records VALUES (1, 1, '2025-11-19'), (2, 1, '2025-11-20'), (3, 2, '2020-01-01'), (4, 3, '2001-01-01'),
        (5, 4, '2001-01-01'), (6, NULL, '2001-01-01'), (7, 99, '2001-01-01'), (8, 4, NULL), (9, 2, '2016-11-19')";

#[test]
fn each_controller_says_how_long_its_records_are_kept() {
    let place = place("table = \"schools\", column = \"keep\", at-most = \"5 years\"", SCHOOLS);
    assert_snapshot!(report(&place, &["--list", "--all"]).code(3).out, @r#"
    shop, as of 2026-11-20T12:00:00+01:00 in Europe/Copenhagen

     rule     data         cutoff  due  in period  not started  unreadable  note
     records  app.records  -         3          1            3           2  problem
       schools.keep, at most 5 years, after created_at

    records (app.records):
      key  state        event       reason
      1    due          2025-11-19  its period is over since 2026-11-20
      2    in period    2025-11-20  its period is over on 2026-11-21
      3    due          2020-01-01  its period is over since 2025-01-02 (687 days)
      4    not started  -           nothing says yet how long it is kept
      5    unreadable   -           the period of a related row of schools cannot be read
      6    not started  -           nothing says yet how long it is kept
      7    not started  -           nothing says yet how long it is kept
      8    unreadable   -           the period of a related row of schools cannot be read
      9    due          2016-11-19  its period is over since 2021-11-20 (1,826 days)

    records: oldest event 2016-11-19, overdue by up to 1,826 days; next due 2026-11-21

    records: PROBLEM: 2 records of app.records cannot be read, and so are kept; first: 5 (a related row of schools cannot be read), 8 (a related row of schools cannot be read); correct the values, or say in the policy how times and periods are written (`formats`, `unit`) and what means empty (`empty`) (policy.toml:15:8)

    3 records are due. Ended with 3: 2 records of app.records cannot be read.
    "#);
    let rule = report(&place, &["--format", "json"]).json()["rules"][0].clone();
    assert_eq!(rule["keep"], "schools.keep, at most 5 years");
    assert_eq!(rule["due_up_to"], serde_json::Value::Null);
    assert_eq!(rule["next_due"], "2026-11-21");
}

#[test]
fn of_several_rows_the_longest_counts_from_the_record_s_own_date() {
    let sql = "CREATE TABLE orders (record INTEGER, keep TEXT, kind TEXT);
               CREATE TABLE records (id INTEGER PRIMARY KEY, created_at TEXT);
               INSERT INTO records VALUES (1, '2026-10-20'), (2, '2026-09-20'), (3, '2026-01-01'), (4, '2026-01-01');
               INSERT INTO orders VALUES (1, '30 days', 'a'), (1, '1 month', 'a'), (2, '30 days', 'a'), (2, '1 month', 'a'),
                   (3, '1 day', 'a'), (3, ' ', 'a'), (4, '1 day', 'a'), (4, '10 years', 'b')";
    let related = "table = \"orders\", column = \"keep\", on = \"record = id\"";
    let all = place(related, sql);
    // From 20 October a month is longer than 30 days, from 20 September it is not.
    let json = report(&all, &["--list", "--all", "--format", "json"]).json();
    let due: Vec<&str> = json["rules"][0]["records"].as_array().unwrap()[..2]
        .iter()
        .map(|record| record["due_from"].as_str().unwrap())
        .collect();
    assert_eq!(due, ["2026-11-21T00:00:00+01:00", "2026-10-21T00:00:00+02:00"]);
    assert_eq!(states(&all), "1 running, 2 due, 3 waiting, 4 running");
    let some = place(&format!("{related}, where = \"kind = 'a'\""), sql);
    assert_eq!(states(&some), "1 running, 2 due, 3 waiting, 4 due");
}

#[test]
fn a_row_that_may_count_keeps_the_record() {
    let sql = "CREATE TABLE orders (record INTEGER, keep TEXT, kind);
               CREATE TABLE records (id INTEGER PRIMARY KEY, created_at TEXT);
               INSERT INTO records VALUES (1, '2020-01-01'), (2, '2020-01-01'), (3, '2020-01-01');
               INSERT INTO orders VALUES (1, '1 day', 1), (1, '1 day', NULL), (2, '1 day', 1), (2, '1 day', 'x'), (3, '1 day', 1), (3, 'x', 2)";
    let place =
        place("table = \"orders\", column = \"keep\", on = \"record = id\", where = \"kind = 1\"", sql);
    assert_eq!(states(&place), "1 waiting, 2 waiting, 3 due");
}

#[test]
fn an_own_column_counts_from_the_end_of_the_year_where_the_rule_says_so() {
    let counted = "after = { column = \"created_at\", counted-from = \"end-of-year\" }";
    let policy = rule("records", "records", "1 year", "created_at")
        .replace("\"1 year\"", "{ column = \"keep\", unit = \"years\" }")
        .replace("after = 'created_at'", counted);
    let place = Place::with_rules(&policy);
    place.sql("CREATE TABLE records (id INTEGER PRIMARY KEY, created_at TEXT, keep INTEGER);
               INSERT INTO records VALUES (1, '2024-02-01', 1), (2, '2025-02-01', 1), (3, '2020-05-01', 6), (4, '2020-05-01', 5)");
    assert_eq!(states(&place), "1 due, 2 running, 3 running, 4 due");
    let out = report(&place, &[]).out;
    assert!(out.contains("keep years after created_at, from the end of the year"), "{out}");
}

#[test]
fn an_index_on_the_event_hides_no_record() {
    let sql = "CREATE TABLE records (id INTEGER PRIMARY KEY, created_at TEXT, keep INTEGER);
               CREATE INDEX of_records ON records (created_at);
               INSERT INTO records VALUES (1, '2026-11-01', 1), (2, '2020-01-01', 9999), (3, '2026-11-15', 4)";
    let place = place("column = \"keep\", unit = \"days\"", sql);
    assert_eq!(states(&place), "1 due, 2 running, 3 due");
    let policy = place.arg("policy.toml");
    let purge = ["purge", policy.as_str(), "--yes", "--format", "json"];
    assert_eq!(place.frist_at("2026-11-20T12:00:00Z", &purge, None).code(0).json()["totals"]["deleted"], 2);
    assert_eq!(place.number("SELECT id FROM records"), 2);
}

#[test]
fn the_longest_due_date_wins_whichever_rule_it_is_of() {
    let place = place(
        "column = \"keep\", unit = \"days\"",
        "CREATE TABLE records (id INTEGER PRIMARY KEY, created_at TEXT, keep);
         INSERT INTO records VALUES (1, '2026-11-01', 1), (2, '2026-11-01', 18), (3, '2026-11-01', NULL), (4, '2026-11-01', 'x')",
    );
    let mut policy = String::from_utf8(place.read("policy.toml")).unwrap();
    policy += &rule("fixed", "records", "10 days", "created_at");
    place.write("policy.toml", policy);
    assert_eq!(states(&place), "1 overruled, 2 due, 3 waiting, 4 unreadable");
    let json = report(&place, &["--list", "--all", "--format", "json"]).json();
    let fixed: Vec<&str> = json["rules"][1]["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["state"].as_str().unwrap())
        .collect();
    assert_eq!(fixed, ["due", "overruled", "overruled", "overruled"]);
}

#[test]
fn a_csv_file_says_it_line_by_line() {
    let place = Place::new();
    let rule = "[[rule]]\nname = \"log\"\ndata = \"log\"\nkeep = { column = \"keep\" }\nafter = \"at\"\n";
    let policy = super::policy("shop", rule)
        .replace("[source.app]\nsqlite = \"app.db\"", "[source.log]\ncsv = \"log.csv\"");
    place.write("policy.toml", policy);
    place.write("log.csv", "at,keep\n2026-01-01,1 year\n2026-01-01,1 month\n2026-01-01,\n2026-01-01,later\n2020-01-01,\"immediately\"\n");
    assert_eq!(
        states(&place),
        "log.csv:2 running, log.csv:3 due, log.csv:4 waiting, log.csv:5 unreadable, log.csv:6 due"
    );
    let policy = place.arg("policy.toml");
    let purge = ["purge", policy.as_str(), "--yes", "--format", "json"];
    assert_eq!(place.frist_at("2026-11-20T12:00:00Z", &purge, None).code(3).json()["totals"]["deleted"], 2);
    assert_eq!(place.read("log.csv"), b"at,keep\n2026-01-01,1 year\n2026-01-01,\n2026-01-01,later\n");
}
