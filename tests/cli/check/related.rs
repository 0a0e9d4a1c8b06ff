//! Rules that look at several columns, or at the rows that belong to a record.

use insta::assert_snapshot;

use super::{found, warned, with};

#[test]
fn every_form_of_an_event_is_read() {
    for event in [
        r#"{ latest = ["created_at", "ended_at"] }"#,
        r#"{ latest = ["created_at", { column = "last_login", optional = true }] }"#,
        r#"{ latest = ["a", { table = "calls", column = "at", on = "customer_id = id" }], counted-from = "end-of-month" }"#,
        r#"{ earliest = ["unsubscribed_at", { column = "bounced_at" }] }"#,
        r#"{ table = "calls", column = "at", on = "customer_id = id", where = "kind <> 'spam'" }"#,
        r#"{ table = "calls", column = "at" }"#,
        r#"{ table = "calls", column = "at", on = "lower(mail) = trim(lower(\"e mail\"))" }"#,
    ] {
        assert_eq!(warned(&with("[[rule]]", &format!("after = {event}"))), "", "{event}");
    }
    for key in ["unless", "only-if"] {
        let one = r#"{ table = "orders", on = "customer_id = id", where = "status <> 'cancelled'" }"#;
        assert_eq!(warned(&with("[[rule]]", &format!("{key} = [{one}, {{ table = \"calls\" }}]"))), "");
    }
}

#[test]
fn what_says_nothing_is_told_with_a_way_out() {
    let finding = |line: &str| {
        let findings = found(&with("[[rule]]", line));
        assert_eq!(findings.matches("error[").count(), 1, "{findings}");
        assert!(findings.contains("= help: ") || findings.contains("[wrong-type]"), "{findings}");
        findings.lines().next().unwrap().to_owned()
    };
    let told: Vec<String> = [
        "after = { latest = [] }",
        "after = { latest = \"at\" }",
        "after = { latest = [1] }",
        "after = { latest = [\"\"] }",
        "after = { earliest = [{ table = \"calls\", column = \"at\" }] }",
        "after = { earliest = [{ column = \"at\", optional = true }] }",
        "after = { latest = [{ table = \"calls\", column = \"at\", optional = true }] }",
        "after = { column = \"at\", optional = true }",
        "after = { table = \"calls\" }",
        "after = { table = \"\", column = \"at\" }",
        "after = { table = \"calls\", column = \"at\", on = \"id\" }",
        "after = { table = \"calls\", column = \"at\", where = \"kind = null\" }",
        "after = { table = \"calls\", column = \"at\", were = \"kind = 1\" }",
        "unless = [{ table = \"calls\", on = [] }]",
        "unless = [{ table = \"calls\", on = 7 }]",
        "unless = [{ table = \"calls\", on = [\"a = b\", 7] }]",
        "unless = [{ table = \"calls\", on = [\"a = b\", \"c\"] }]",
        "only-if = [{ table = \"calls\", on = [\"a = b\", \"c = d\", \"a=b\"] }]",
        "set-null = [{ table = \"calls\", column = \"a\", on = [\"a = b\", \"a = b\"] }]",
        "with = [{ table = \"calls\", on = [] }]",
        "unless = { table = \"calls\" }",
        "unless = [{ table = \"calls\", onn = \"a = b\" }]",
        "only-if = [{ table = \"calls\", column = \"at\" }]",
    ]
    .iter()
    .map(|line| format!("{line}\n    {}", finding(line)))
    .collect();
    assert_snapshot!(told.join("\n"), @r#"
    after = { latest = [] }
        error[bad-value]: `latest` in `after` of rule `customers` lists nothing
    after = { latest = "at" }
        error[wrong-type]: `latest` in `after` of rule `customers` must be a list of columns and tables, not text
    after = { latest = [1] }
        error[wrong-type]: `latest` in `after` of rule `customers` must be a list of columns and tables, not a whole number
    after = { latest = [""] }
        error[bad-value]: `after` of rule `customers` names no column
    after = { earliest = [{ table = "calls", column = "at" }] }
        error[bad-value]: `earliest` in `after` of rule `customers` can name columns of the record alone
    after = { earliest = [{ column = "at", optional = true }] }
        error[unknown-key]: unknown key `optional` in `earliest` in `after` of rule `customers`
    after = { latest = [{ table = "calls", column = "at", optional = true }] }
        error[unknown-key]: unknown key `optional` in `latest` in `after` of rule `customers`
    after = { column = "at", optional = true }
        error[unknown-key]: unknown key `optional` in `after` of rule `customers`
    after = { table = "calls" }
        error[missing-key]: `after` of rule `customers` has no `column`
    after = { table = "", column = "at" }
        error[bad-value]: `after` of rule `customers` names no table
    after = { table = "calls", column = "at", on = "id" }
        error[bad-relation]: `id` does not say which columns are equal
    after = { table = "calls", column = "at", where = "kind = null" }
        error[bad-condition]: nothing compares with `null`: the answer is always unknown, and never matches
    after = { table = "calls", column = "at", were = "kind = 1" }
        error[unknown-key]: unknown key `were` in `after` of rule `customers`
    unless = [{ table = "calls", on = [] }]
        error[bad-relation]: `on` in `unless` of rule `customers` names no columns
    unless = [{ table = "calls", on = 7 }]
        error[wrong-type]: `on` in `unless` of rule `customers` must be text in quotes, not a whole number
    unless = [{ table = "calls", on = ["a = b", 7] }]
        error[wrong-type]: `on` in `unless` of rule `customers` must be text in quotes, not a whole number
    unless = [{ table = "calls", on = ["a = b", "c"] }]
        error[bad-relation]: `c` does not say which columns are equal
    only-if = [{ table = "calls", on = ["a = b", "c = d", "a=b"] }]
        error[bad-relation]: `a = b` stands in `on` of `only-if` of rule `customers` twice
    set-null = [{ table = "calls", column = "a", on = ["a = b", "a = b"] }]
        error[bad-relation]: `a = b` stands in `on` of `set-null` of rule `customers` twice
    with = [{ table = "calls", on = [] }]
        error[bad-relation]: `on` in `with` of rule `customers` names no columns
    unless = { table = "calls" }
        error[wrong-type]: `unless` in rule `customers` must be a list of tables, not a table
    unless = [{ table = "calls", onn = "a = b" }]
        error[unknown-key]: unknown key `onn` in `unless` of rule `customers`
    only-if = [{ table = "calls", column = "at" }]
        error[unknown-key]: unknown key `column` in `only-if` of rule `customers`
    "#);
}

#[test]
fn a_relation_that_cannot_be_read_is_shown_where_it_stands() {
    let line = "unless = [{ table = \"orders\", on = \"customer_id == id\" }]";
    assert_snapshot!(found(&with("[[rule]]", line)), @r#"
    error[bad-relation]: `customer_id == id` does not say which columns are equal
      --> policy.toml:14:36
       |
    14 | unless = [{ table = "orders", on = "customer_id == id" }]
       |                                    ^^^^^^^^^^^^^^^^^^^
       |
       = help: write the column of the other table, `=`, and the column of this one, such as "customer_id = id"; either may stand in lower() or trim(); several pairs of columns are a list, such as on = ["tenant_id = tenant_id", "user_id = id"]
    "#);
}

#[test]
fn each_pair_that_cannot_be_read_is_shown_where_it_stands() {
    let line = "unless = [{ table = \"orders\", on = [\"tenant_id = tenant_id\", \"customer_id\", \"tenant_id=tenant_id\"] }]";
    assert_snapshot!(found(&with("[[rule]]", line)), @r#"
    error[bad-relation]: `customer_id` does not say which columns are equal
      --> policy.toml:14:62
       |
    14 | unless = [{ table = "orders", on = ["tenant_id = tenant_id", "customer_id", "tenant_id=tenant_id"] }]
       |                                                              ^^^^^^^^^^^^^
       |
       = help: write the column of the other table, `=`, and the column of this one, such as "customer_id = id"; either may stand in lower() or trim(); several pairs of columns are a list, such as on = ["tenant_id = tenant_id", "user_id = id"]

    error[bad-relation]: `tenant_id = tenant_id` stands in `on` of `unless` of rule `customers` twice
      --> policy.toml:14:77
       |
    14 | unless = [{ table = "orders", on = ["tenant_id = tenant_id", "customer_id", "tenant_id=tenant_id"] }]
       |                                                                             ^^^^^^^^^^^^^^^^^^^^^
       |
       = help: write each pair of columns once
    "#);
    let same_column_twice =
        "unless = [{ table = \"orders\", on = [\"customer_id = id\", \"payer_id = id\"] }]";
    assert_eq!(warned(&with("[[rule]]", same_column_twice)), "");
}

#[test]
fn formats_of_related_times_are_used() {
    let text = with("[[rule]]", "after = { table = \"calls\", column = \"at\" }");
    let settings = "\n[source.app.table.calls]\nformats = { at = \"unix\", on = \"unix\" }\n";
    let warnings = warned(&(text + settings));
    assert!(warnings.contains("no rule on table `calls` reads the time in column `on`"), "{warnings}");
    assert_eq!(warnings.matches("warning[").count(), 1, "{warnings}");
}

/// What frist deletes still counts as evidence, so that rows may be kept shorter than what they start.
#[test]
fn rows_that_start_a_clock_may_go_before_its_period_is_over() {
    let text =
        with("[[rule]]", "after = { latest = [\"created_at\", { table = \"calls\", column = \"at\" }] }");
    for (keep, after) in [("1 day", "\"at\""), ("2 years", "\"made_at\"")] {
        let calls = format!(
            "\n[[rule]]\nname = \"calls\"\ndata = \"app.calls\"\nkeep = \"{keep}\"\nafter = {after}\n"
        );
        assert_eq!(warned(&(text.clone() + &calls)), "", "{keep} {after}");
    }
}
