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
    for line in [r#"set = { name = "remove" }"#, "keep-newest = 1", "prove = true"] {
        let key = line.split(' ').next().unwrap();
        refused(&with("[[rule]]", line), &format!("`{key}` in rule `customers` is not yet supported"));
    }
}

#[test]
fn anonymising() {
    let what = "`then = \"anonymise\"` in rule `customers` is not yet supported";
    refused(&with("[[rule]]", r#"then = "anonymise""#), what);
}

#[test]
fn events_of_a_database_have_no_names() {
    let text = with("[[rule]]", r#"after = { name = "app-%Y-%m-%d.db", column = "at" }"#);
    refused(&text, "`name` in `after` of rule `customers` is not yet supported");
}

#[test]
fn related_rows_outside_of_the_record_s_database() {
    let elsewhere = "\n[source.crm]\nsqlite = \"crm.db\"\n[[rule]]\nname = \"crm\"\ndata = \"crm.people\"\n\
                     keep = \"1 year\"\nafter = \"at\"\n";
    for table in ["crm.calls", "crm"] {
        let line = format!("unless = [{{ table = \"{table}\", on = \"customer_id = id\" }}]");
        let text = with("[[rule]]", &line) + elsewhere;
        refused(
            &text,
            "related rows in another source, in `unless` of rule `customers`, are not yet supported",
        );
    }
    let csv = BASE.replace("sqlite = \"app.db\"", "csv = \"*.csv\"").replace("app.customers", "app");
    let of_csv = csv + "only-if = [{ table = \"calls\", on = \"customer_id = id\" }]\n";
    let what =
        "related rows of records that are not in a database, in `only-if` of rule `customers`, are not";
    refused(&of_csv, what);
}

#[test]
fn a_rule_that_cannot_be_carried_out_stops_every_command() {
    let place = super::Place::new();
    place.write("policy.toml", with("[[rule]]", "keep-newest = 1"));
    for command in [&["report", "policy.toml"][..], &["purge", "--yes", "policy.toml"]] {
        place.frist(command).code(2).says("`keep-newest` in rule `customers` is not yet supported");
    }
    assert!(!place.path(".frist").exists());
}
