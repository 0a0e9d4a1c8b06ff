//! Findings about `keep`.

use insta::assert_snapshot;

use super::{found, with};

#[test]
fn a_period_has_a_unit() {
    assert_snapshot!(found(&with("[[rule]]", r#"keep = "5""#)), @r#"
    error[bad-period]: `5` has no unit
      --> policy.toml:17:8
       |
    17 | keep = "5"
       |        ^^^
       |
       = help: did you mean 5 years, 5 months or 5 days?
    "#);
}

#[test]
fn a_period_is_text() {
    assert_snapshot!(found(&with("[[rule]]", "keep = 5")), @r#"
    error[bad-period]: `keep` in rule `customers` has no unit
      --> policy.toml:17:8
       |
    17 | keep = 5
       |        ^
       |
       = help: write it in quotes, with its unit, such as "5 years"
    "#);
}

#[test]
fn a_period_is_no_date() {
    assert_snapshot!(found(&with("[[rule]]", "keep = 2020-01-01")), @r#"
    error[wrong-type]: `keep` in rule `customers` must be a period in quotes, or a table, not a date without quotes
      --> policy.toml:17:8
       |
    17 | keep = 2020-01-01
       |        ^^^^^^^^^^
    "#);
}

#[test]
fn a_misspelt_unit_is_met_with_the_period_that_was_meant() {
    assert_snapshot!(found(&with("[[rule]]", r#"keep = "5 yers""#)), @r#"
    error[bad-period]: `yers` is no unit of time
      --> policy.toml:17:8
       |
    17 | keep = "5 yers"
       |        ^^^^^^^^
       |
       = help: did you mean `5 years`?
    "#);
}

#[test]
fn a_negative_period_is_met_with_the_positive_one() {
    assert_snapshot!(found(&with("[[rule]]", r#"keep = "-1 day""#)), @r#"
    error[bad-period]: `-1` is negative
      --> policy.toml:17:8
       |
    17 | keep = "-1 day"
       |        ^^^^^^^^
       |
       = help: did you mean `1 day`?
    "#);
}

#[test]
fn a_period_is_written_in_plain_digits() {
    assert_snapshot!(found(&with("[[rule]]", r#"keep = "1e9 years""#)), @r#"
    error[bad-period]: `1e9` is not a whole number in plain digits
      --> policy.toml:17:8
       |
    17 | keep = "1e9 years"
       |        ^^^^^^^^^^^
       |
       = help: write whole numbers, with a smaller unit for the rest: `1 year 6 months`
    "#);
}

#[test]
fn a_period_is_not_empty() {
    assert_snapshot!(found(&with("[[rule]]", r#"keep = """#)), @r#"
    error[bad-period]: the period is empty
      --> policy.toml:17:8
       |
    17 | keep = ""
       |        ^^
       |
       = help: write a number and its unit, such as `5 years`, `1 year 6 months`, `72 hours`, `at most 3 months`, or `immediately`
    "#);
}

#[test]
fn a_period_ends_before_two_hundred_years() {
    assert_snapshot!(found(&with("[[rule]]", r#"keep = "201 years""#)), @r#"
    error[bad-period]: the period is longer than 200 years
      --> policy.toml:17:8
       |
    17 | keep = "201 years"
       |        ^^^^^^^^^^^
       |
       = help: the longest period is `200 years`
    "#);
}

#[test]
fn the_largest_unit_comes_first() {
    assert_snapshot!(found(&with("[[rule]]", r#"keep = "1 day 1 year""#)), @r#"
    error[bad-period]: the largest unit comes first
      --> policy.toml:17:8
       |
    17 | keep = "1 day 1 year"
       |        ^^^^^^^^^^^^^^
       |
       = help: did you mean `1 year 1 day`?
    "#);
}

#[test]
fn days_and_hours_do_not_mix() {
    assert_snapshot!(found(&with("[[rule]]", r#"keep = "1 day 1 hour""#)), @r#"
    error[bad-period]: calendar units (years, months, weeks, days) and elapsed ones (hours, minutes) do not mix
      --> policy.toml:17:8
       |
    17 | keep = "1 day 1 hour"
       |        ^^^^^^^^^^^^^^
       |
       = help: write `3 days` (whole days of the calendar) or `72 hours`
    "#);
}
