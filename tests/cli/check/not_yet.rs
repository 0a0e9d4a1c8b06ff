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
    for line in [
        r#"unless = [{ table = "orders", on = "customer_id = id" }]"#,
        r#"only-if = [{ table = "orders", on = "customer_id = id" }]"#,
        r#"with = [{ table = "orders", on = "customer_id = id" }]"#,
        r#"set = { name = "remove" }"#,
        "keep-newest = 1",
        "prove = true",
    ] {
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
fn a_period_from_the_data() {
    for keep in [
        r#"keep = { column = "keep_months", unit = "months" }"#,
        r#"keep = { table = "controllers", column = "keep", on = "id = controller_id" }"#,
    ] {
        refused(&with("[[rule]]", keep), "`keep` from data, in rule `customers`, is not yet supported");
    }
}

#[test]
fn events_of_several_columns_or_of_other_records() {
    for (key, event) in [
        ("latest", r#"{ latest = ["created_at", "ended_at"] }"#),
        ("earliest", r#"{ earliest = ["created_at", "ended_at"] }"#),
        ("name", r#"{ name = "app-%Y-%m-%d.db" }"#),
        ("optional", r#"{ column = "ended_at", optional = true }"#),
    ] {
        let text = with("[[rule]]", &format!("after = {event}"));
        refused(&text, &format!("`{key}` in `after` of rule `customers` is not yet supported"));
    }
}

#[test]
fn events_of_related_records_have_every_key_named() {
    let event = r#"after = { table = "calls", column = "at", on = "customer_id = id", where = "kind = 1" }"#;
    let findings = found(&with("[[rule]]", event));
    for key in ["table", "on", "where"] {
        let what = format!("`{key}` in `after` of rule `customers` is not yet supported");
        assert!(findings.contains(&what), "{findings}");
    }
    assert_eq!(findings.matches("error[").count(), 3, "{findings}");
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
