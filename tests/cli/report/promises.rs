//! What a policy says of a rule stands beside its numbers, for whoever has to sign them.

use serde_json::{Value, json};

use super::super::support::{Place, rule};

/// A rule that says why it is there, and one that says nothing.
fn place() -> Place {
    let told = rule("invoices", "invoices", "5 years", "at")
        + "activity = \"billing\"\npromise = \"Regnskab gemmes i 5 år (afsnittet om bogføring).\"\nnote = \"the act\"\n";
    let silent = rule("visits", "visits", "1 year", "at");
    let activity = "\n[activity.billing]\npurpose = \"Bookkeeping\"\nlaw = \"the books\"\n";
    let place = Place::with_rules(&format!("{activity}{told}{silent}"));
    place.sql(
        "CREATE TABLE invoices (id INTEGER PRIMARY KEY, at TEXT); CREATE TABLE visits (id INTEGER PRIMARY KEY, at TEXT);
         INSERT INTO invoices VALUES (1, '2001-01-01'); INSERT INTO visits VALUES (1, '2001-01-01')",
    );
    place
}

const WORDS: [&str; 4] = ["promise", "purpose", "law", "note"];

#[track_caller]
fn expect_words(rules: &Value) {
    let told = ["Regnskab gemmes i 5 år (afsnittet om bogføring).", "Bookkeeping", "the books", "the act"];
    assert_eq!(WORDS.map(|word| rules[0][word].clone()), told.map(|text| json!(text)), "{rules}");
    assert!(WORDS.iter().all(|word| rules[1].get(word).is_none()), "{rules}");
}

#[test]
fn report_and_run_say_what_was_promised_beside_each_rule() {
    let place = place();
    expect_words(&place.frist(&["report", "--format", "json", "policy.toml"]).code(0).json()["rules"]);
    expect_words(
        &place.frist(&["purge", "--yes", "--format", "json", "policy.toml"]).code(0).json()["rules"],
    );
}
