//! Findings about `[[rule]]`.

use insta::assert_snapshot;

use super::{BASE, found, warned, with};
use crate::support::Place;

#[test]
fn a_rule_has_a_name_data_a_period_and_an_event() {
    assert_snapshot!(found(&BASE.replace(r#"name = "customers"
data = "app.customers"
activity = "sales"
keep = "1 year"
after = "ended_at""#, r#"note = "nothing else""#)), @r#"
    error[missing-key]: a rule has no `name`
      --> policy.toml:13:1
       |
    13 | [[rule]]
       | ^^^^^^^^
       |
       = help: add a line such as: name = "billing"

    error[missing-key]: a rule has no `data`
      --> policy.toml:13:1
       |
    13 | [[rule]]
       | ^^^^^^^^
       |
       = help: add a line such as: data = "app.customers"

    error[missing-key]: a rule has no `keep`
      --> policy.toml:13:1
       |
    13 | [[rule]]
       | ^^^^^^^^
       |
       = help: add a line such as: keep = "5 years"

    error[missing-key]: a rule has no `after`
      --> policy.toml:13:1
       |
    13 | [[rule]]
       | ^^^^^^^^
       |
       = help: add a line such as: after = "ended_at"
    "#);
}

#[test]
fn a_rule_is_one_of_a_list() {
    assert_snapshot!(found(&BASE.replace("[[rule]]", "[rule]")), @r#"
    error[wrong-type]: `rule` in the policy must be a list of tables, not a table
      --> policy.toml:13:1
       |
    13 | [rule]
       | ^^^^^^
       |
       = help: write each one as [[rule]]
    "#);
}

#[test]
fn a_rule_has_a_name_that_can_be_read() {
    assert_snapshot!(found(&with("[[rule]]", r#"name = "\u001b[31m""#)), @r#"
    error[bad-name]: a rule needs a name that can be read
      --> policy.toml:14:8
       |
    14 | name = "\u001b[31m"
       |        ^^^^^^^^^^^^
       |
       = help: write letters, digits and blanks, such as "app-data"
    "#);
}

#[test]
fn two_rules_have_two_names() {
    assert_snapshot!(found(&BASE.replace("[[rule]]", r#"[[rule]]
name = "customers"
data = "app.orders"
keep = "1 year"
after = "at"

[[rule]]"#)), @r#"
    error[duplicate-name]: two rules are called `customers`
      --> policy.toml:20:8
       |
    20 | name = "customers"
       |        ^^^^^^^^^^^
       |
       = help: give this one a name of its own
    "#);
}

#[test]
fn an_unknown_source_is_met_with_the_nearest() {
    assert_snapshot!(found(&with("[[rule]]", r#"data = "apps.customers""#)), @r#"
    error[unknown-source]: rule `customers` is about `apps.customers`, but there is no source `apps`
      --> policy.toml:15:8
       |
    15 | data = "apps.customers"
       |        ^^^^^^^^^^^^^^^^
       |
       = help: did you mean `app`?
    "#);
}

#[test]
fn a_strange_source_is_to_be_added() {
    assert_snapshot!(found(&with("[[rule]]", r#"data = "kunder.æøå""#)), @r#"
    error[unknown-source]: rule `customers` is about `kunder.æøå`, but there is no source `kunder`
      --> policy.toml:15:8
       |
    15 | data = "kunder.æøå"
       |        ^^^^^^^^^^^^
       |
       = help: add a section [source.kunder]
    "#);
}

#[test]
fn data_names_a_table() {
    assert_snapshot!(found(&with("[[rule]]", r#"data = "app""#)), @r#"
    error[missing-table]: `app` is a database: `data` must name one of its tables
      --> policy.toml:15:8
       |
    15 | data = "app"
       |        ^^^^^
       |
       = help: write "app.TABLE"
    "#);
}

#[test]
fn an_unknown_activity_is_met_with_the_nearest() {
    assert_snapshot!(found(&with("[[rule]]", r#"activity = "sale""#)), @r#"
    error[unknown-activity]: there is no activity `sale`
      --> policy.toml:16:12
       |
    16 | activity = "sale"
       |            ^^^^^^
       |
       = help: did you mean `sales`?
    "#);
}

#[test]
fn a_strange_activity_is_to_be_added() {
    assert_snapshot!(found(&with("[[rule]]", r#"activity = "marketing""#)), @r#"
    error[unknown-activity]: there is no activity `marketing`
      --> policy.toml:16:12
       |
    16 | activity = "marketing"
       |            ^^^^^^^^^^^
       |
       = help: add a section [activity.marketing]
    "#);
}

#[test]
fn an_event_names_a_column() {
    assert_snapshot!(found(&with("[[rule]]", r#"after = """#)), @r#"
    error[bad-value]: rule `customers` names no column
      --> policy.toml:18:9
       |
    18 | after = ""
       |         ^^
       |
       = help: write the column that holds the time from which the period runs
    "#);
}

#[test]
fn an_event_is_a_column_or_a_table() {
    assert_snapshot!(found(&with("[[rule]]", "after = 5")), @r#"
    error[wrong-type]: `after` in rule `customers` must be a column's name, or a table, not a whole number
      --> policy.toml:18:9
       |
    18 | after = 5
       |         ^
    "#);
}

#[test]
fn an_event_that_is_a_table_names_a_column() {
    assert_snapshot!(found(&with("[[rule]]", r#"after = { counted-from = "end-of-year" }"#)), @r#"
    error[missing-key]: `after` of rule `customers` has no `column`
      --> policy.toml:18:9
       |
    18 | after = { counted-from = "end-of-year" }
       |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: add a line such as: column = "ended_at"
    "#);
}

#[test]
fn a_count_starts_at_a_known_end() {
    assert_snapshot!(found(&with("[[rule]]", r#"after = { column = "ended_at", counted-from = "end-of-yaer" }"#)), @r#"
    error[bad-value]: `end-of-yaer` is nothing to count from
      --> policy.toml:18:47
       |
    18 | after = { column = "ended_at", counted-from = "end-of-yaer" }
       |                                               ^^^^^^^^^^^^^
       |
       = help: did you mean "end-of-year"?
    "#);
}

#[test]
fn a_count_from_the_financial_year_needs_one() {
    assert_snapshot!(found(&with("[[rule]]", r#"after = { column = "ended_at", counted-from = "end-of-financial-year" }"#)), @r#"
    error[missing-key]: `after` of rule `customers` counts from the end of the financial year, which [policy] does not give
      --> policy.toml:18:47
       |
    18 | after = { column = "ended_at", counted-from = "end-of-financial-year" }
       |                                               ^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: write `financial-year-ends = "12-31"` under [policy], with your own date
    "#);
}

#[test]
fn a_condition_that_ends_too_early_is_shown_where_it_ends() {
    assert_snapshot!(found(&with("[[rule]]", r#"when = "status =""#)), @r#"
    error[bad-condition]: expected a column or a literal, found the end
      --> policy.toml:14:17
       |
    14 | when = "status ="
       |                 ^
    "#);
}

#[test]
fn a_text_without_quotes_in_a_condition_is_met_with_quotes() {
    assert_snapshot!(found(&with("[[rule]]", r#"when = "land = Ærø and x is null""#)), @r#"
    error[bad-condition]: this compares a column with a column; compare a column with a literal
      --> policy.toml:14:16
       |
    14 | when = "land = Ærø and x is null"
       |                ^^^
       |
       = help: text goes in single quotes: 'Ærø'
    "#);
}

#[test]
fn a_condition_in_long_quotes_is_shown_where_it_begins() {
    assert_snapshot!(found(&with("[[rule]]", r#"when = """
status = """"#)), @r#"
    error[bad-condition]: expected a column or a literal, found the end
      --> policy.toml:14:8
       |
    14 | when = """
       |        ^^^
    "#);
}

#[test]
fn what_happens_to_a_record_is_a_known_word() {
    assert_snapshot!(found(&with("[[rule]]", r#"then = "remove""#)), @r#"
    error[bad-value]: `remove` is nothing that can be done to a record
      --> policy.toml:14:8
       |
    14 | then = "remove"
       |        ^^^^^^^^
       |
       = help: did you mean "delete"?
    "#);
}

#[test]
fn enforce_is_true_or_false() {
    assert_snapshot!(found(&with("[[rule]]", r#"enforce = "no""#)), @r#"
    error[wrong-type]: `enforce` in rule `customers` must be true or false, not text
      --> policy.toml:14:11
       |
    14 | enforce = "no"
       |           ^^^^
    "#);
}

#[test]
fn a_rule_that_is_not_enforced_is_told() {
    assert_snapshot!(warned(&with("[[rule]]", "enforce = false")), @r#"
    warning[not-enforced]: rule `customers` is reported and never carried out
      --> policy.toml:14:1
       |
    14 | enforce = false
       | ^^^^^^^
       |
       = help: take `enforce = false` away once the report shows what you expect
    "#);
}

#[test]
fn a_promise_says_something_and_is_a_rules() {
    assert_snapshot!(found(&with("[[rule]]", r#"promise = " ""#)), @r#"
    error[bad-value]: `promise` says nothing
      --> policy.toml:14:11
       |
    14 | promise = " "
       |           ^^^
       |
       = help: write what is promised, and where, or leave it out
    "#);
    assert_snapshot!(found(&with("[[rule]]", "promise = 5")), @r#"
    error[wrong-type]: `promise` in rule `customers` must be text in quotes, not a whole number
      --> policy.toml:14:11
       |
    14 | promise = 5
       |           ^
    "#);
    assert_snapshot!(found(&with("[activity.sales]", r#"promise = "-""#)), @r#"
    error[unknown-key]: unknown key `promise` in activity `sales`
      --> policy.toml:11:1
       |
    11 | promise = "-"
       | ^^^^^^^
       |
       = help: known here: purpose, basis, law, subjects, categories, special-categories, recipients, transfers, processors, measures, on-behalf-of, role, time-limit
    "#);
    let promise = with("[[rule]]", r#"promise = "Slettes efter et år (afsnittet om kunder).""#);
    assert_eq!(warned(&promise), "");
}

#[test]
fn a_policy_without_rules_is_told_of() {
    let text =
        "version = 1\n[policy]\nname = \"empty\"\ntimezone = \"UTC\"\n[source.app]\nsqlite = \"app.db\"\n";
    let told = warned(text);
    assert!(told.starts_with("warning[no-rules]: the policy has no rule, so nothing is ever due"), "{told}");
    let place = Place::new();
    place.write("policy.toml", text);
    place.frist(&["check", "--deny-warnings", "policy.toml"]).code(1);
}
