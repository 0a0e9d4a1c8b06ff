//! Findings about sources that are CSV files.

use super::{BASE, found, warned, with};

/// The usual policy, with a source of CSV files in place of its database.
fn csv(lines: &str) -> String {
    let text = BASE.replace(r#"sqlite = "app.db""#, &format!("csv = \"app-*.csv\"\n{lines}"));
    text.replace("app.customers", "app")
}

#[track_caller]
fn refused(lines: &str, finding: &str) {
    let findings = found(&csv(lines));
    assert!(findings.contains(finding), "{findings}");
    assert_eq!(findings.matches("error[").count(), 1, "{findings}");
    assert!(findings.contains("= help: "), "{findings}");
}

#[test]
fn every_key_of_a_csv_source_is_understood() {
    for lines in [
        "",
        "delimiter = \";\"\nquote = \"'\"",
        "delimiter = \"\\t\"",
        "quote = \"\"",
        "header = true",
        "header = false\ncolumns = [\"id\", \"ended_at\"]",
        "rewrite = \"rename\"",
    ] {
        assert_eq!(warned(&csv(lines)), "", "{lines}");
    }
}

#[test]
fn a_delimiter_and_a_quote_are_one_character_each() {
    for wrong in [
        r#"delimiter = ", ""#,
        r#"delimiter = """#,
        r#"delimiter = "\n""#,
        r#"delimiter = "æ""#,
        r#"quote = "''""#,
    ] {
        refused(wrong, "error[bad-value]: ");
    }
    refused("quote = \",\"", "error[bad-value]: the quote is the delimiter too");
    refused("delimiter = \"\\\"\"", "error[bad-value]: the quote is the delimiter too");
    assert!(found(&csv("delimiter = 1")).contains("error[wrong-type]: `delimiter` in source `app`"));
}

#[test]
fn columns_are_for_files_without_a_header() {
    refused("columns = [\"id\"]", "error[bad-value]: `columns` is for files without a header");
    refused("header = false", "error[missing-key]: files without a header need `columns`");
    refused(
        "header = false\ncolumns = [\"id\", \"id\"]",
        "error[duplicate-name]: two columns are called `id`",
    );
}

#[test]
fn a_file_is_rewritten_in_a_way_that_exists() {
    refused("rewrite = \"append\"", "error[bad-value]: `append` is no way to rewrite a file");
}

#[test]
fn a_pattern_must_be_one() {
    let findings = found(&csv("").replace("app-*.csv", "app-[1.csv"));
    assert!(findings.contains("error[bad-glob]: `app-[1.csv` is no pattern"), "{findings}");
}

#[test]
fn a_source_has_one_kind() {
    let findings = found(&with("[source.app]", "csv = \"a.csv\""));
    assert!(findings.contains("error[two-kinds]: source `app` has `sqlite` and `csv`"), "{findings}");
}

#[test]
fn csv_files_have_no_tables() {
    let findings = found(&csv("").replace("data = \"app\"", "data = \"app.customers\""));
    assert!(findings.contains("error[no-tables]: `app` has no tables"), "{findings}");
    refused("[source.app.table.x]\nkey = \"id\"", "error[no-tables]: source `app` has no tables");
}

#[test]
fn two_sources_with_the_same_pattern_are_the_same_data() {
    let text =
        csv("").replace("[activity.sales]", "[source.again]\ncsv = \"./app-*.csv\"\n\n[activity.sales]");
    let findings = found(&text);
    assert!(findings.contains("error[same-data]"), "{findings}");
}

#[test]
fn two_patterns_that_meet_in_a_file_are_the_same_data() {
    let place = crate::support::Place::new();
    std::fs::write(place.path("app-1.csv"), "id\n").unwrap();
    let text = csv("").replace("[activity.sales]", "[source.all]\ncsv = \"*-1.csv\"\n\n[activity.sales]");
    std::fs::write(place.path("policy.toml"), text).unwrap();
    place.frist(&["check", "policy.toml"]).code(1).says("[same-data]");
    std::fs::remove_file(place.path("app-1.csv")).unwrap();
    let ran = place.frist(&["check", "policy.toml"]);
    assert!(!ran.out.contains("[same-data]") && !ran.err.contains("[same-data]"), "{ran:?}");
}
