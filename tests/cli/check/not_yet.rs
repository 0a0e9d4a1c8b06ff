//! Keys of the language that this version cannot carry out: an error that names the key, never
//! ignored.

use super::{BASE, found, with};

/// That the only finding is that this is not yet supported.
#[track_caller]
fn refused(text: &str, what: &str) {
    let findings = found(text);
    assert!(findings.contains(&format!("error[not-yet-supported]: {what}")), "{what}: {findings}");
    assert_eq!(findings.matches("error[").count(), 1, "{findings}");
    assert!(findings.contains("= help: "), "{findings}");
}

#[test]
fn sources_of_another_kind() {
    for key in ["postgres", "mysql"] {
        let text = BASE.replace("sqlite =", &format!("{key} ="));
        refused(&text, &format!("`{key}` in source `app` is not yet supported"));
        // Their rules write the source alone, which is no fault of theirs.
        refused(&text.replace("app.customers", "app"), &format!("`{key}` in source `app`"));
    }
}

#[test]
fn reclaiming_space() {
    for how in ["incremental", "vacuum"] {
        let line = format!("reclaim = \"{how}\"");
        refused(&with("[source.app]", &line), &format!("`reclaim = \"{how}\"` is not yet supported"));
    }
    assert_eq!(super::warned(&with("[source.app]", r#"reclaim = "none""#)), "");
}

#[test]
fn keys_of_rules() {
    refused(&with("[[rule]]", "prove = true"), "`prove` in rule `customers` is not yet supported");
}

#[test]
fn events_of_a_database_have_no_names() {
    let text = with("[[rule]]", r#"after = { name = "app-%Y-%m-%d.db", column = "at" }"#);
    refused(&text, "`name` in `after` of rule `customers` is not yet supported");
}

#[test]
fn related_rows_in_the_record_s_own_table() {
    let what =
        "related rows in the record's own table, in `unless` of rule `customers`, are not yet supported";
    for table in ["customers", "app.customers", "Customers"] {
        let line = format!("unless = [{{ table = \"{table}\", on = \"parent = id\" }}]");
        refused(&with("[[rule]]", &line), what);
    }
    let csv = BASE.replace("sqlite = \"app.db\"", "csv = \"*.csv\"").replace("app.customers", "app");
    refused(&(csv + "unless = [{ table = \"app\", on = \"parent = id\" }]\n"), what);
}

#[test]
fn a_rule_that_cannot_be_carried_out_stops_every_command() {
    let place = super::Place::new();
    place.write("policy.toml", with("[[rule]]", "prove = true"));
    for command in [&["report", "policy.toml"][..], &["purge", "--yes", "policy.toml"]] {
        place.frist(command).code(2).says("`prove` in rule `customers` is not yet supported");
    }
    assert!(!place.path(".frist").exists());
}
