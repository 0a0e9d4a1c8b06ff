//! Findings about the file as a whole, `[policy]`, and `[activity]`.

use insta::assert_snapshot;

use super::{BASE, found, warned, with};

#[test]
fn a_policy_says_which_version_of_the_language_it_is_in() {
    assert_snapshot!(found(&BASE.replace("version = 1", "")), @r#"
    error[missing-key]: the policy does not say which version of the language it is written in
     --> policy.toml:1:1
      |
    1 |
      | ^
      |
      = help: begin the file with `version = 1`
    "#);
}

#[test]
fn another_version_of_the_language_is_not_known() {
    assert_snapshot!(found(&BASE.replace("version = 1", "version = 2")), @r#"
    error[unknown-version]: version 2 of the policy language is not known
     --> policy.toml:1:11
      |
    1 | version = 2
      |           ^
      |
      = help: this program reads `version = 1`
    "#);
}

#[test]
fn a_version_is_a_number() {
    assert_snapshot!(found(&BASE.replace("version = 1", r#"version = "1""#)), @r#"
    error[wrong-type]: `version` in the policy must be a whole number of zero or more, not text
     --> policy.toml:1:11
      |
    1 | version = "1"
      |           ^^^
    "#);
}

#[test]
fn what_is_not_toml_is_shown_where_it_goes_wrong() {
    assert_snapshot!(found(&BASE.replace("[policy]", "[policy")), @r#"
    error[not-toml]: not TOML: unclosed table, expected `]`
     --> policy.toml:3:8
      |
    3 | [policy
      |        ^
    "#);
}

#[test]
fn a_key_written_twice_is_not_toml() {
    assert_snapshot!(found(&BASE.replace(r#"name = "shop""#, r#"name = "shop"
name = "shop""#)), @r#"
    error[not-toml]: not TOML: duplicate key
     --> policy.toml:5:1
      |
    5 | name = "shop"
      | ^^^^
    "#);
}

#[test]
fn a_misspelt_key_is_met_with_the_nearest_known_one() {
    assert_snapshot!(found(&BASE.replace("timezone =", "timezoen =")), @r#"
    error[unknown-key]: unknown key `timezoen` in [policy]
     --> policy.toml:5:1
      |
    5 | timezoen = "Europe/Copenhagen"
      | ^^^^^^^^
      |
      = help: did you mean `timezone`?
    "#);
}

#[test]
fn a_strange_key_is_met_with_the_known_ones() {
    assert_snapshot!(found(&with("[policy]", "zebra = 1")), @r#"
    error[unknown-key]: unknown key `zebra` in [policy]
     --> policy.toml:4:1
      |
    4 | zebra = 1
      | ^^^^^
      |
      = help: known here: name, timezone, title, financial-year-ends, irregular-year-ends, state, runs-every, controller, limit
    "#);
}

#[test]
fn a_policy_has_a_name_of_small_letters() {
    assert_snapshot!(found(&with("[policy]", r#"name = "Æbler & pærer""#)), @r#"
    error[bad-name]: `Æbler & pærer` is not a policy's name
     --> policy.toml:4:8
      |
    4 | name = "Æbler & pærer"
      |        ^^^^^^^^^^^^^^^
      |
      = help: use small letters, digits and hyphens, such as "mobilize-me"
    "#);
}

#[test]
fn a_policy_has_a_timezone() {
    assert_snapshot!(found(&BASE.replace(r#"timezone = "Europe/Copenhagen""#, "")), @r#"
    error[missing-key]: [policy] has no `timezone`
     --> policy.toml:3:1
      |
    3 | [policy]
      | ^^^^^^^^
      |
      = help: add a line such as: timezone = "Europe/Copenhagen"
    "#);
}

#[test]
fn an_unknown_timezone_is_met_with_the_nearest() {
    assert_snapshot!(found(&with("[policy]", r#"timezone = "Europe/Kopenhagen""#)), @r#"
    error[unknown-timezone]: there is no timezone `Europe/Kopenhagen`
     --> policy.toml:5:12
      |
    5 | timezone = "Europe/Kopenhagen"
      |            ^^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean "Europe/Copenhagen"?
    "#);
}

#[test]
fn a_strange_timezone_is_met_with_examples() {
    assert_snapshot!(found(&with("[policy]", r#"timezone = "CET+1""#)), @r#"
    error[unknown-timezone]: there is no timezone `CET+1`
     --> policy.toml:5:12
      |
    5 | timezone = "CET+1"
      |            ^^^^^^^
      |
      = help: write an IANA name, such as "Europe/Copenhagen" or "UTC"
    "#);
}

#[test]
fn a_financial_year_ends_on_a_day_of_the_year() {
    assert_snapshot!(found(&with("[policy]", r#"financial-year-ends = "31-12""#)), @r#"
    error[bad-date]: `31-12` is no day of the year
     --> policy.toml:4:23
      |
    4 | financial-year-ends = "31-12"
      |                       ^^^^^^^
      |
      = help: write month and day, such as "12-31" or "06-30"
    "#);
}

#[test]
fn an_irregular_year_ends_on_a_date_and_needs_the_regular_end() {
    assert_snapshot!(found(&with("[policy]", r#"irregular-year-ends = ["2019-02-30"]"#)), @r#"
    error[missing-key]: `irregular-year-ends` needs `financial-year-ends` beside it
     --> policy.toml:4:1
      |
    4 | irregular-year-ends = ["2019-02-30"]
      | ^^^^^^^^^^^^^^^^^^^

    error[bad-date]: `2019-02-30` is not a date
     --> policy.toml:4:24
      |
    4 | irregular-year-ends = ["2019-02-30"]
      |                        ^^^^^^^^^^^^
      |
      = help: write a date such as "2019-06-30"
    "#);
}

#[test]
fn irregular_years_stand_in_order() {
    assert_snapshot!(found(&with("[policy]", r#"irregular-year-ends = ["2020-06-30", "2019-06-30"]"#).replace("timezone", "financial-year-ends = '12-31'\ntimezone")), @r#"
    error[bad-date]: 2019-06-30 stands after 2020-06-30
     --> policy.toml:4:1
      |
    4 | irregular-year-ends = ["2020-06-30", "2019-06-30"]
      | ^^^^^^^^^^^^^^^^^^^
      |
      = help: list the ends of financial years from the earliest to the latest, each once
    "#);
}

#[test]
fn runs_every_is_a_period() {
    assert_snapshot!(found(&with("[policy]", r#"runs-every = "1 dag""#)), @r#"
    error[bad-period]: `dag` is no unit of time
     --> policy.toml:4:14
      |
    4 | runs-every = "1 dag"
      |              ^^^^^^^
      |
      = help: write a number and its unit, such as `5 years`, `1 year 6 months`, `72 hours`, `at most 3 months`, or `immediately`
    "#);
}

#[test]
fn runs_every_has_a_length() {
    assert_snapshot!(found(&with("[policy]", r#"runs-every = "immediately""#)), @r#"
    error[bad-period]: `immediately` is no time between two runs
     --> policy.toml:4:14
      |
    4 | runs-every = "immediately"
      |              ^^^^^^^^^^^^^
      |
      = help: write how often purge runs, such as "1 day"
    "#);
    assert!(
        found(&with("[policy]", r#"runs-every = "at most 1 day""#)).contains("is no time between two runs")
    );
}

#[test]
fn an_empty_state_is_no_path() {
    assert_snapshot!(found(&with("[policy]", r#"state = """#)), @r#"
    error[bad-path]: "" is not a path
     --> policy.toml:4:9
      |
    4 | state = ""
      |         ^^
      |
      = help: write where it lies, relative to the policy's folder
    "#);
}

#[test]
fn a_limit_counts_records_from_zero() {
    assert_snapshot!(found(&with("[policy]", "limit = { records = -1 }")), @r#"
    error[wrong-type]: `records` in `limit` of [policy] must be a whole number of zero or more, not a negative number
     --> policy.toml:4:21
      |
    4 | limit = { records = -1 }
      |                     ^^
    "#);
}

#[test]
fn a_limit_is_no_endless_number() {
    assert_snapshot!(found(&with("[policy]", "limit = { records = 99999999999999999999 }")), @r#"
    error[wrong-type]: `records` in `limit` of [policy] must be a whole number of zero or more, not a number as large as this
     --> policy.toml:4:21
      |
    4 | limit = { records = 99999999999999999999 }
      |                     ^^^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn a_share_is_a_percentage() {
    assert_snapshot!(found(&with("[policy]", r#"limit = { share = "25" }"#)), @r#"
    error[bad-value]: `25` is not a share
     --> policy.toml:4:19
      |
    4 | limit = { share = "25" }
      |                   ^^^^
      |
      = help: write a percentage above 0 and up to 100, such as "25%"
    "#);
}

#[test]
fn a_controller_has_a_name() {
    assert_snapshot!(found(&BASE.replace("[source.app]", r#"[policy.controller]
id = "CVR 1"

[source.app]"#)), @r#"
    error[missing-key]: [policy.controller] has no `name`
     --> policy.toml:7:1
      |
    7 | [policy.controller]
      | ^^^^^^^^^^^^^^^^^^^
      |
      = help: add a line such as: name = "billing"
    "#);
}

#[test]
fn an_activity_has_a_purpose() {
    assert_snapshot!(found(&BASE.replace(r#"purpose = "Sales""#, r#"subjects = ["customers"]"#)), @r#"
    error[missing-key]: activity `sales` has no `purpose`
      --> policy.toml:10:1
       |
    10 | [activity.sales]
       | ^^^^^^^^^^^^^^^^
       |
       = help: add a line such as: purpose = "Invoicing and bookkeeping"
    "#);
}

#[test]
fn a_basis_is_one_of_article_six() {
    assert_snapshot!(found(&with("[activity.sales]", r#"basis = "because""#)), @r#"
    error[bad-value]: `because` is not a legal basis
      --> policy.toml:11:9
       |
    11 | basis = "because"
       |         ^^^^^^^^^
       |
       = help: one of: consent, contract, legal-obligation, vital-interests, public-task, legitimate-interests
    "#);
}

#[test]
fn a_role_is_one_of_two() {
    assert_snapshot!(found(&with("[activity.sales]", r#"role = "boss""#)), @r#"
    error[bad-value]: `boss` is not a role
      --> policy.toml:11:8
       |
    11 | role = "boss"
       |        ^^^^^^
       |
       = help: write "controller" or "processor"
    "#);
}

#[test]
fn an_activity_that_no_rule_uses_is_told() {
    assert_snapshot!(warned(&BASE.replace("[activity.sales]", r#"[activity.support]
purpose = "Help"

[activity.sales]"#)), @r#"
    warning[unused-activity]: no rule uses activity `support`
      --> policy.toml:10:11
       |
    10 | [activity.support]
       |           ^^^^^^^
       |
       = help: write a rule for it, or take the activity away
    "#);
}
