//! `report --forecast`: what falls due month by month, compared with reports as of the end of each month.

use std::fs::{self, File};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use crate::support::Place;

const NOW: &str = "2026-11-20T12:00:00+01:00";

/// A table, CSV files and a folder, with times over the four years before and one after.
fn place() -> Place {
    let place = Place::new();
    let rule = |name: &str, data: &str, keep: &str, after: &str| {
        format!("[[rule]]\nname = \"{name}\"\ndata = \"{data}\"\nkeep = \"{keep}\"\n{after}\n")
    };
    let policy = "version = 1\n[policy]\nname = \"shop\"\ntimezone = \"Europe/Copenhagen\"\nstate = \"state\"\n\
                  [source.app]\nsqlite = \"app.db\"\n[source.log]\ncsv = \"log.csv\"\n[source.files]\nfiles = \"files\"\n"
        .to_string()
        + &rule("months", "app.a", "13 months", "after = \"at\"\nwhen = \"kind = 'm'\"")
        + &rule("books", "app.a", "1 year", "after = { column = \"at\", counted-from = \"end-of-year\" }\nwhen = \"kind = 'y'\"")
        + &rule("hours", "app.a", "900 hours", "after = \"at\"\nwhen = \"kind = 'h'\"")
        // Of two rules on one record the longer decides, also in months to come.
        + &rule("short", "app.b", "1 month", "after = \"at\"")
        + &rule("long", "app.b", "3 months", "after = \"at\"\nwhen = \"kind = 'l'\"")
        + &rule("newest", "app.c", "2 months", "after = \"at\"\nkeep-newest = 3")
        + &rule("lines", "log", "at most 6 months", "after = \"at\"")
        + &rule("files", "files", "400 days", "after = \"modified\"");
    place.write("policy.toml", policy);
    place.sql(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, at TEXT, kind TEXT);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
         INSERT INTO a SELECT i, CASE WHEN i % 50 = 0 THEN NULL ELSE
            strftime('%Y-%m-%dT%H:%M:%SZ', '2023-11-20', '+' || (i * 211 % 1800) || ' days', '+' || (i * 37 % 1440) || ' minutes') END,
            substr('myh', 1 + i % 3, 1) FROM n;
         CREATE TABLE b AS SELECT id, date(at) AS at, iif(id % 2, 'l', 's') AS kind FROM a;
         CREATE TABLE c AS SELECT id, date(at) AS at FROM a WHERE at < '2027-05-01'",
    );
    let days: Vec<String> = (0..300).map(|i| format!("{},x\n", day(i * 97 % 1500))).collect();
    place.write("log.csv", format!("at,what\n{}", days.concat()));
    for i in 0..60 {
        place.write(&format!("files/{i}"), "x");
        let modified = UNIX_EPOCH + Duration::from_secs(1_700_000_000 + i * 1_600_000);
        File::options()
            .write(true)
            .open(place.path(&format!("files/{i}")))
            .unwrap()
            .set_modified(modified)
            .unwrap();
    }
    place
}

/// So many days after 2023-11-20.
fn day(days: u64) -> String {
    let first: chrono::NaiveDate = "2023-11-20".parse().unwrap();
    (first + chrono::Days::new(days)).to_string()
}

fn rules(place: &Place, more: &[&str]) -> Vec<Value> {
    let json = place.frist(&[&["report", "policy.toml", "--format", "json"], more].concat()).code(0).json();
    json["rules"].as_array().unwrap().clone()
}

#[test]
fn each_month_is_what_reports_of_its_end_count_more() {
    let place = place();
    let forecast = rules(&place, &["--now", NOW, "--forecast", "14mo"]);
    let months: Vec<String> = forecast[0]["forecast"]["months"]
        .as_array()
        .unwrap()
        .iter()
        .map(|month| month["month"].as_str().unwrap().to_string())
        .collect();
    assert_eq!((months.len(), months[0].as_str(), months[14].as_str()), (15, "2026-11", "2028-01"));
    let mut before: Vec<u64> =
        rules(&place, &["--now", NOW]).iter().map(|rule| rule["due"].as_u64().unwrap()).collect();
    for (rule, due) in forecast.iter().zip(&before) {
        assert_eq!(rule["forecast"]["due"], *due, "{rule}");
    }
    for (at, month) in months.iter().enumerate() {
        // The last day that is looked at is 14 months from now.
        let last: String = if at == 14 { format!("{month}-20") } else { last_day(month) };
        let at_end = rules(&place, &["--now", &format!("{last}T23:59:59")]);
        for (place, rule) in at_end.iter().enumerate() {
            let due = rule["due"].as_u64().unwrap();
            let more = &forecast[place]["forecast"]["months"][at]["records"];
            assert_eq!(*more, due - before[place], "{month} of {}", rule["rule"]);
            before[place] = due;
        }
    }
    let never = rules(&place, &["--now", "2200-01-01"]);
    for (place, rule) in never.iter().enumerate() {
        assert_eq!(forecast[place]["forecast"]["later"], rule["due"].as_u64().unwrap() - before[place]);
        assert!(before[place] > 0 && rule["due"] != 0);
    }
}

fn last_day(month: &str) -> String {
    let days = (28..=31).rev().map(|day| format!("{month}-{day}"));
    days.into_iter().find(|day| day.parse::<chrono::NaiveDate>().is_ok()).unwrap()
}

#[test]
fn the_text_has_a_line_for_each_month_and_says_what_is_not_whole() {
    let place = place();
    let out = place.frist(&["report", "policy.toml", "--now", NOW, "--forecast", "90d"]).code(0).out;
    assert!(out.contains("falls due until 2027-02-18, if nothing changes:\n\n due now "), "{out}");
    for line in ["\n 2026-11 ", "\n 2026-12 ", "\n 2027-01 ", "\n 2027-02 ", "\n later "] {
        assert_eq!(out.matches(line).count(), 1, "{line} in {out}");
    }
    assert!(out.contains(" #") && out.contains("lines "), "{out}");
    place.frist(&["report", "policy.toml", "--forecast", "12m"]).code(2).says("90d, 12mo or 2y");
    fs::remove_file(place.path("log.csv")).unwrap();
    place.frist(&["report", "policy.toml", "--now", NOW, "--forecast", "90d"]).code(3).says("Ended with 3");
}
