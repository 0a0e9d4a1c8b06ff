//! Findings about `copies-of`.

use insta::assert_snapshot;

use super::{BASE, found, warned, with};

/// The valid policy with sources that copy these.
fn copies(sources: &[(&str, &str)]) -> String {
    let source = |(name, copies_of): &(&str, &str)| {
        format!("[source.{name}]\nsqlite = \"{name}.db\"\ncopies-of = {copies_of}\n")
    };
    let sections: Vec<String> = sources.iter().map(source).collect();
    BASE.replace("[activity.sales]", &format!("{}\n[activity.sales]", sections.concat()))
}

#[test]
fn a_copy_names_one_source_or_several() {
    let text = copies(&[("backups", r#""app""#), ("tape", r#"["app", "backups"]"#)]);
    let warnings = warned(&text);
    assert_eq!(warnings.matches("warning[unused-source]").count(), 2, "{warnings}");
    assert_eq!(warnings.matches("warning[").count(), 2, "{warnings}");
}

#[test]
fn a_copy_of_an_unknown_source_is_met_with_the_nearest() {
    assert_snapshot!(found(&copies(&[("backups", r#"["apps"]"#)])), @r#"
    error[unknown-source]: source `backups` holds copies of `apps`, but there is no source `apps`
      --> policy.toml:12:14
       |
    12 | copies-of = ["apps"]
       |              ^^^^^^
       |
       = help: did you mean `app`?
    "#);
}

#[test]
fn a_copy_of_a_strange_source_is_met_with_the_section_to_add() {
    assert_snapshot!(found(&copies(&[("backups", r#"["app", "crm"]"#)])), @r#"
    error[unknown-source]: source `backups` holds copies of `crm`, but there is no source `crm`
      --> policy.toml:12:21
       |
    12 | copies-of = ["app", "crm"]
       |                     ^^^^^
       |
       = help: add a section [source.crm]
    "#);
}

#[test]
fn a_table_is_no_source() {
    let findings = found(&copies(&[("backups", r#"["app.customers"]"#)]));
    assert!(findings.contains("there is no source `app.customers`"), "{findings}");
}

#[test]
fn a_source_is_no_copy_of_itself() {
    assert_snapshot!(found(&with("[source.app]", r#"copies-of = ["app"]"#)), @r#"
    error[circular-copies]: source `app` cannot be a copy of itself
     --> policy.toml:8:14
      |
    8 | copies-of = ["app"]
      |              ^^^^^
      |
      = help: name only the sources that the data comes from
    "#);
}

#[test]
fn copies_do_not_go_in_a_circle() {
    assert_snapshot!(found(&copies(&[("disk", r#"["app", "tape"]"#), ("tape", r#"["disk"]"#)])), @r#"
    error[circular-copies]: copies go in a circle: `disk` of `tape` of `disk`
      --> policy.toml:12:21
       |
    12 | copies-of = ["app", "tape"]
       |                     ^^^^^^
       |
       = help: name only the sources that the data comes from
    "#);
}

#[test]
fn copies_are_a_list_of_names() {
    assert_snapshot!(found(&with("[source.app]", "copies-of = 1")), @r"
    error[wrong-type]: `copies-of` in source `app` must be a list of texts, not a whole number
     --> policy.toml:8:13
      |
    8 | copies-of = 1
      |             ^
    ");
}
