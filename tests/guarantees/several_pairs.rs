//! Relations of several pairs of columns: what is noted of rows that are gone is found by all of them.

use super::support::{PURGE, Place, REPORT, WITHOUT_LIMIT, open};

const NOW: &str = "2026-11-21T12:00:00Z";

/// A policy whose calls go after a day, and whose customers ten years after their last one.
fn policy(sources: &str, calls: &str, on: &str) -> String {
    let data = if calls == "calls" && !sources.contains("source.calls") { "db.calls" } else { calls };
    format!(
        "{WITHOUT_LIMIT}[source.db]\nsqlite = \"data.db\"\n{sources}\
         [[rule]]\nname = \"calls\"\ndata = \"{data}\"\nkeep = \"1 day\"\nafter = \"at\"\n\
         [[rule]]\nname = \"customers\"\ndata = \"db.customers\"\nkeep = \"10 years\"\n\
         after = {{ table = \"{calls}\", column = \"at\", on = {on} }}\n"
    )
}

const CUSTOMERS: &str = "CREATE TABLE customers (no INTEGER PRIMARY KEY, tenant TEXT, id INTEGER);
    INSERT INTO customers VALUES (1, 'a', 7), (2, 'b', 7), (3, NULL, 7), (4, 'a', 8), (5, 'A', 7);";
const CALLS: &str = "CREATE TABLE calls (id INTEGER, tenant TEXT, at TEXT);
    INSERT INTO calls VALUES (7, 'a', '2020-01-01'), (7, NULL, '2020-01-01'), (8, 'b', '2020-01-01');";

fn states(place: &Place) -> Vec<String> {
    let report = place.at(NOW, &[&REPORT[..], &["--list", "--all"]].concat()).expect(0);
    let records = report.rule("customers")["records"].as_array().unwrap().clone();
    records.iter().map(|record| format!("{} {}", record["key"], record["state"]).replace('"', "")).collect()
}

#[test]
fn what_went_is_noted_under_all_pairs_in_every_kind_of_source() {
    for (sources, calls) in [
        ("", "calls"),
        ("[source.other]\nsqlite = \"other.db\"\n", "other.calls"),
        ("[source.calls]\ncsv = \"calls.csv\"\n", "calls"),
    ] {
        for (on, expected) in [
            ("[\"tenant = tenant\", \"id = id\"]", [true, false, false]),
            ("[\"id = id\", \"lower(tenant) = lower(tenant)\"]", [true, false, true]),
        ] {
            let place = Place::in_memory();
            place.write_policy(&policy(sources, calls, on));
            let connection = place.database(CUSTOMERS);
            match calls {
                "other.calls" => open(&place.path("other.db")).execute_batch(CALLS).unwrap(),
                _ if sources.is_empty() => connection.execute_batch(CALLS).unwrap(),
                _ => {
                    let lines = "at,tenant,id\n2020-01-01,a,7\n2020-01-01,,7\n2020-01-01,b,8\n";
                    std::fs::write(place.path("calls.csv"), lines).unwrap();
                }
            }
            let words = ["1", "2", "5"].iter().zip(expected);
            let running = words.filter(|(_, is_related)| *is_related).map(|(no, _)| format!("{no} running"));
            let running: Vec<String> = running.collect();
            let is_running = |states: Vec<String>| {
                states.into_iter().filter(|state| state.ends_with("running")).collect::<Vec<_>>()
            };
            assert_eq!(is_running(states(&place)), running, "{sources} {on}");
            assert_eq!(place.at(NOW, &PURGE).expect(0).rule("calls")["deleted"], 3, "{sources} {on}");
            assert_eq!(is_running(states(&place)), running, "from notes: {sources} {on}");
            // The same pairs in another order are the same relation.
            let turned = "[\"id = id\", \"tenant = tenant\"]";
            if on.starts_with("[\"tenant") {
                place.write_policy(&policy(sources, calls, turned));
                assert_eq!(is_running(states(&place)), running, "{sources} {turned}");
            }
            connection.execute_batch("UPDATE customers SET tenant = 'b' WHERE no IN (1, 5)").unwrap();
            assert_eq!(is_running(states(&place)), [""; 0], "{sources} {on}");
        }
    }
}
