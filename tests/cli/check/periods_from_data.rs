//! Findings about `keep` that comes from data.

use super::super::support::Place;
use super::{found, warned, with};

/// The valid policy with another `keep`.
fn keep(table: &str) -> String {
    with("[[rule]]", &format!("keep = {{ {table} }}"))
}

#[track_caller]
fn error(text: &str, wanted: &str) {
    let errors = found(text);
    assert!(errors.contains(wanted), "no {wanted:?} in {errors}");
}

#[test]
fn a_period_stands_in_a_column_of_the_record_or_of_a_related_row() {
    for table in [
        r#"column = "keep""#,
        r#"column = "keep_months", unit = "months""#,
        r#"column = "keep_days", unit = "day", at-most = "at most 5 years""#,
        r#"table = "controllers", column = "keep", on = "id = controller_id""#,
        r#"table = "controllers", column = "keep", where = "valid = 1", unit = "years", at-most = "72 hours""#,
    ] {
        assert_eq!(warned(&keep(table)), "", "{table}");
    }
}

#[test]
fn what_means_nothing_is_told() {
    error(&keep("unit = \"months\""), "`keep` of rule `customers` has no `column`");
    error(&keep("column = \"\""), "`keep` of rule `customers` names no column");
    error(&keep("column = \"keep\", unit = \"mnths\""), "did you mean \"months\"?");
    error(&keep("column = \"keep\", unit = \"moons\""), "write years, months, weeks, days, hours or minutes");
    error(&keep("column = \"keep\", at-most = \"5\""), "`5` has no unit");
    error(&keep("column = \"keep\", at-most = \"immediately\""), "would leave nothing to the data");
    error(&keep("column = \"keep\", at_most = \"5 years\""), "did you mean `at-most`?");
    error(&keep("column = \"keep\", table = \"customers\", on = \"id = id\""), "the record's own table");
    error(&with("[[rule]]", "keep = true"), "must be a period in quotes, or a table, not true or false");
}

#[test]
fn a_folder_s_records_have_no_periods() {
    let folder = "[source.backups]\nfiles = \"backups\"\n[[rule]]\nname = \"b\"\ndata = \"backups\"\nafter = \"modified\"\n";
    let text = super::BASE.to_string() + folder + "keep = { column = \"size\", unit = \"days\" }\n";
    error(&text, "the records of a folder have no periods, as `keep` of rule `b` takes them to have");
}

/// The valid policy with a `keep` from data under a law of the catalogue.
fn under(law: &str, table: &str) -> String {
    keep(table)
        .replace("purpose = \"Sales\"", &format!("purpose = \"Sales\"\nlaw = \"{law}\""))
        .replace("[source.app]", "financial-year-ends = \"12-31\"\n\n[source.app]")
}

#[test]
fn a_law_s_minimum_can_only_be_seen_in_the_data() {
    let least = under("dk:bogfoeringsloven-12", r#"column = "keep", unit = "years""#);
    let warning = warned(&least);
    assert!(
        warning.starts_with("warning[period-from-data]: rule `customers` keeps as long as its data says")
    );
    assert!(
        warning.contains("whether that is the 5 years that the Danish bookkeeping act, section 12 demands")
    );
    // Where even the longest period is too short, no record can be kept as long.
    let capped = under("dk:bogfoeringsloven-12", r#"column = "keep", unit = "years", at-most = "4 years""#);
    error(&capped, "rule `customers` keeps less than the Danish bookkeeping act, section 12 demands");
    error(&capped, "write `at-most = \"5 years\"`");
}

#[test]
fn a_law_s_maximum_is_compared_with_the_longest_period() {
    let law = "dk:tv-overvaagningsloven-4c";
    let endless = under(law, r#"column = "keep", unit = "days""#);
    error(
        &endless,
        "rule `customers` keeps as long as its data says, and the Danish act on video surveillance",
    );
    error(&endless, "write `at-most = \"at most 30 days\"`");
    error(&under(law, r#"column = "keep", at-most = "31 days""#), "keeps longer than");
    assert_eq!(warned(&under(law, r#"column = "keep", at-most = "at most 30 days""#)), "");
}

#[test]
fn a_promise_about_copies_needs_an_end() {
    let promise = |table: &str| {
        keep(table).replace("after = \"ended_at\"", "after = \"ended_at\"\ngone-within = \"5 months\"")
    };
    error(
        &promise("column = \"keep\""),
        "rule `customers` promises that its data is gone, but rule `customers` keeps as long as its data says",
    );
    error(&promise("column = \"keep\""), "write `at-most` in the `keep` of rule `customers`");
    assert_eq!(warned(&promise("column = \"keep\", at-most = \"4 months\"")), "");
    error(
        &promise("column = \"keep\", at-most = \"5 months\""),
        "gone after 2024-06-01, but it may exist until 2024-06-02",
    );
}

#[test]
fn rows_that_start_or_say_periods_may_go_before_these_are_over() {
    let rule = "\n[[rule]]\nname = \"controllers\"\ndata = \"app.controllers\"\nkeep = \"1 year\"\nafter = \"left_at\"\n";
    let longest = keep(r#"table = "controllers", column = "keep", on = "id = controller_id""#);
    assert_eq!(warned(&(longest + rule)), "");
    let calls = "\n[[rule]]\nname = \"calls\"\ndata = \"app.calls\"\nkeep = \"2 years\"\nafter = \"at\"\n";
    let after = r#"after = { table = "calls", column = "at", on = "customer_id = id" }"#;
    let text = keep("column = \"keep\", at-most = \"3 years\"").replace("after = \"ended_at\"", after);
    assert_eq!(warned(&(text + calls)), "");
}

#[test]
fn check_data_names_a_column_that_is_missing_and_counts_what_is_no_period() {
    let place = Place::new();
    place.write("policy.toml", keep("column = \"kep\", unit = \"months\""));
    place.sql("CREATE TABLE customers (ended_at TEXT, keep INTEGER); INSERT INTO customers VALUES ('2020-01-01', 1), ('2020-01-01', 'x'), ('2020-01-01', 0)");
    let check = |place: &Place| place.frist(&["check", "--data", "policy.toml"]);
    check(&place)
        .code(1)
        .says("table `customers` has no column `kep`; did you mean `keep`?")
        .says("policy.toml:17:8");
    place.write("policy.toml", keep("column = \"keep\", unit = \"months\""));
    check(&place)
        .says("2 records of app.customers cannot be read, and so are kept")
        .says("2 (keep: not a whole number), 3 (keep: zero, which stands for no known period)");
}
