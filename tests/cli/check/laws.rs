//! Findings about laws: those of the catalogue, and `[law."ID"]`.

use insta::assert_snapshot;

use super::{BASE, found, warned, with};

/// The valid policy under a law of the catalogue, with financial years.
fn under(law: &str) -> String {
    with("[activity.sales]", &format!("law = \"{law}\""))
        .replace("[source.app]", "financial-year-ends = \"12-31\"\n\n[source.app]")
}

/// The valid policy with a law of its own that has these lines, named by its activity.
fn own(lines: &str) -> String {
    let law = format!("[law.\"acme:contract-7\"]\n{lines}\n\n[activity.sales]\nlaw = \"acme:contract-7\"");
    BASE.replace("[activity.sales]", &law)
}

#[test]
fn a_rule_keeps_what_its_law_demands() {
    assert_snapshot!(found(&under("dk:bogfoeringsloven-12")), @r#"
    error[statutory-period]: rule `customers` keeps less than the Danish bookkeeping act, section 12 demands: a record of 2024-01-01 would be deleted on 2025-01-02, and the law keeps it to the end of 2029-12-31
      --> policy.toml:20:8
       |
    20 | keep = "1 year"
       |        ^^^^^^^^
       |
       = help: it wants at least 5 years, counted from the end of the financial year: write `keep = "5 years"`, and `counted-from = "end-of-financial-year"` in `after`
    "#);
}

#[test]
fn a_rule_keeps_no_longer_than_its_law_allows() {
    assert_snapshot!(found(&under("dk:hvidvaskloven-30").replace("1 year", "6 years")), @r#"
    error[statutory-period]: rule `customers` keeps longer than the Danish anti-money-laundering act, section 30 allows: a record of 2024-01-01 would be deleted on 2030-01-02, and the law wants it gone on 2029-01-02
      --> policy.toml:20:8
       |
    20 | keep = "6 years"
       |        ^^^^^^^^^
       |
       = help: it wants exactly 5 years, counted from the end of the business relationship, or the single transaction: write `keep = "5 years"`
    "#);
}

#[test]
fn what_may_be_kept_for_thirty_days_is_gone_when_they_are_over() {
    assert_snapshot!(found(&under("dk:tv-overvaagningsloven-4c").replace("1 year", "30 days")), @r#"
    error[statutory-period]: rule `customers` keeps longer than the Danish act on video surveillance, section 4 c(4) allows: a record of 2024-01-01 would be deleted on 2024-02-01, and the law wants it gone on 2024-01-31
      --> policy.toml:20:8
       |
    20 | keep = "30 days"
       |        ^^^^^^^^^
       |
       = help: it wants at most 30 days, counted from the recording: write `keep = "at most 30 days"`
    "#);
}

#[test]
fn a_law_of_financial_years_needs_their_end() {
    let text = with("[activity.sales]", r#"law = "dk:bogfoeringsloven-12""#);
    assert_snapshot!(found(&text), @r#"
    error[missing-key]: the Danish bookkeeping act, section 12 counts from the end of the financial year, which [policy] does not give
      --> policy.toml:11:7
       |
    11 | law = "dk:bogfoeringsloven-12"
       |       ^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: write `financial-year-ends = "12-31"` under [policy], with your own date
    "#);
}

#[test]
fn a_law_that_is_not_in_the_catalogue_is_told() {
    assert_snapshot!(warned(&under("dk:bogforingslov-12")), @r#"
    warning[unknown-law]: `dk:bogforingslov-12` is not in the catalogue of laws, so no period is compared with it
      --> policy.toml:13:7
       |
    13 | law = "dk:bogforingslov-12"
       |       ^^^^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean "dk:bogfoeringsloven-12"?
    "#);
}

#[test]
fn a_law_that_is_one_slip_away_is_an_error() {
    assert_snapshot!(found(&under("dk:bogforingsloven-12")), @r#"
    error[unknown-law]: `dk:bogforingsloven-12` is not in the catalogue of laws, so no period is compared with it
      --> policy.toml:13:7
       |
    13 | law = "dk:bogforingsloven-12"
       |       ^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: write "dk:bogfoeringsloven-12"; another law gets a section of its own, [law."dk:bogforingsloven-12"]
    "#);
}

#[test]
fn a_law_of_ones_own_is_compared_like_any_other() {
    assert_snapshot!(found(&own("title = \"contract 7\"\nat-least = \"2 years\"\nevent = \"the last delivery\"")), @r#"
    error[statutory-period]: rule `customers` keeps less than contract 7 demands: a record of 2024-01-01 would be deleted on 2025-01-02, and the law keeps it to the end of 2026-01-01
      --> policy.toml:23:8
       |
    23 | keep = "1 year"
       |        ^^^^^^^^
       |
       = help: it wants at least 2 years, counted from the last delivery: write `keep = "2 years"`
    "#);
}

#[test]
fn a_law_of_ones_own_that_is_kept_is_not_mentioned() {
    let lines = "title = \"contract 7\"\nsection = \"clause 2\"\ncovers = \"Deliveries.\"\nevent = \"the last delivery\"\n\
                 at-least = \"3 months\"\nat-most = \"13 months\"\nsource = \"the contract\"\nchecked = \"2026-02-01\"";
    assert_eq!(warned(&own(lines)), "");
}

#[test]
fn a_law_needs_a_title_and_a_period() {
    assert_snapshot!(found(&own("source = \"the contract\"")), @r#"
    error[missing-key]: law `acme:contract-7` has no `title`
      --> policy.toml:10:1
       |
    10 | [law."acme:contract-7"]
       | ^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: add a line such as: title = "the contract with our carrier"

    error[missing-key]: law `acme:contract-7` has neither `at-least` nor `at-most`
      --> policy.toml:10:1
       |
    10 | [law."acme:contract-7"]
       | ^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: add a line such as: at-least = "5 years"
    "#);
}

#[test]
fn a_key_that_laws_do_not_have_is_met_with_the_nearest() {
    assert_snapshot!(found(&own("title = \"contract 7\"\nat-lest = \"2 years\"\nat-most = \"3 years\"")), @r#"
    error[unknown-key]: unknown key `at-lest` in law `acme:contract-7`
      --> policy.toml:12:1
       |
    12 | at-lest = "2 years"
       | ^^^^^^^
       |
       = help: did you mean `at-least`?
    "#);
}

#[test]
fn periods_of_a_law_are_periods_and_no_bounds() {
    let lines = "title = \"contract 7\"\nat-least = \"at most 2 years\"\nat-most = \"at most 3 years\"";
    assert_snapshot!(found(&own(lines)), @r#"
    error[bad-period]: `at-least` is a lower bound, and `at most` makes an upper one
      --> policy.toml:12:12
       |
    12 | at-least = "at most 2 years"
       |            ^^^^^^^^^^^^^^^^^
       |
       = help: leave `at most` out

    error[bad-period]: `at-most` is an upper bound already
      --> policy.toml:13:11
       |
    13 | at-most = "at most 3 years"
       |           ^^^^^^^^^^^^^^^^^
       |
       = help: leave `at most` out of the period
    "#);
    assert_snapshot!(found(&own("title = \"contract 7\"\nat-least = \"immediately\"\nat-most = \"5\"")), @r#"
    error[bad-period]: `immediately` demands nothing
      --> policy.toml:12:12
       |
    12 | at-least = "immediately"
       |            ^^^^^^^^^^^^^
       |
       = help: write how long the law wants data to be kept, such as "5 years"

    error[bad-period]: `5` has no unit
      --> policy.toml:13:11
       |
    13 | at-most = "5"
       |           ^^^
       |
       = help: did you mean 5 years, 5 months or 5 days?
    "#);
}

#[test]
fn a_law_counts_from_what_rules_count_from() {
    let lines =
        "title = \"contract 7\"\nat-least = \"2 days\"\ncounted-from = \"end-of-yaer\"\nchecked = \"today\"";
    assert_snapshot!(found(&own(lines)), @r#"
    error[bad-value]: `end-of-yaer` is nothing to count from
      --> policy.toml:13:16
       |
    13 | counted-from = "end-of-yaer"
       |                ^^^^^^^^^^^^^
       |
       = help: did you mean "end-of-year"?

    error[bad-date]: `today` is not a date
      --> policy.toml:14:11
       |
    14 | checked = "today"
       |           ^^^^^^^
       |
       = help: write a date such as "2019-06-30"
    "#);
}

#[test]
fn a_law_cannot_demand_more_than_it_allows() {
    assert_snapshot!(found(&own("title = \"contract 7\"\nat-least = \"6 years\"\nat-most = \"5 years\"")), @r#"
    error[contradictory-law]: law `acme:contract-7` demands 6 years and allows 5 years, which is less after 2024-01-01
      --> policy.toml:10:6
       |
    10 | [law."acme:contract-7"]
       |      ^^^^^^^^^^^^^^^^^
       |
       = help: write `at-least` no longer than `at-most`
    "#);
}

#[test]
fn a_law_of_the_catalogue_is_what_it_is() {
    let text =
        own("title = \"mine\"\nat-least = \"1 day\"").replace("acme:contract-7", "dk:hvidvaskloven-30");
    assert_snapshot!(found(&text), @r#"
    error[duplicate-name]: `dk:hvidvaskloven-30` is in the catalogue of laws, and means the same in every policy
      --> policy.toml:10:6
       |
    10 | [law."dk:hvidvaskloven-30"]
       |      ^^^^^^^^^^^^^^^^^^^^^
       |
       = help: give yours an id of its own, such as [law."own:hvidvaskloven-30"], or take the section away
    "#);
}

#[test]
fn a_law_has_an_id() {
    for id in ["contract", "acme:", ":7", "Acme:contract-7", "acme:contract 7", "acme:7:8", ""] {
        let findings = found(&own("title = \"mine\"\nat-least = \"1 day\"").replace("acme:contract-7", id));
        assert!(findings.starts_with(&format!("error[bad-name]: `{id}` is no id of a law")), "{findings}");
    }
    let text = own("title = \"mine\"\nat-least = \"1 day\"").replace("acme:contract-7", "contract");
    assert_snapshot!(found(&text), @r#"
    error[bad-name]: `contract` is no id of a law
      --> policy.toml:10:6
       |
    10 | [law."contract"]
       |      ^^^^^^^^^^
       |
       = help: write who made it, a colon and a name, in small letters, digits and hyphens, such as [law."acme:contract-7"]
    "#);
}

#[test]
fn laws_are_tables_by_id() {
    assert_snapshot!(found(&BASE.replace("[source.app]", "[[law]]\ntitle = \"mine\"\n\n[source.app]")), @r#"
    error[wrong-type]: `law` in the policy must be a table, not a list
     --> policy.toml:7:1
      |
    7 | [[law]]
      | ^^^^^^^
    "#);
}

#[test]
fn a_law_that_no_activity_names_is_told() {
    let text = own("title = \"mine\"\nat-least = \"1 day\"").replace("law = \"acme:contract-7\"", "");
    assert_snapshot!(warned(&text), @r#"
    warning[unused-law]: no activity names law `acme:contract-7`
      --> policy.toml:10:6
       |
    10 | [law."acme:contract-7"]
       |      ^^^^^^^^^^^^^^^^^
       |
       = help: write it as the `law` of an activity, or take the law away
    "#);
}
