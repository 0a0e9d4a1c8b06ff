//! What the tables look like on terminals of several widths, in colour and without.

use std::fmt::Write;

use frist::report::text::Style;
use insta::assert_snapshot;

use super::support::{Place, policy, rule};

const LONG: &str = "customer_interactions_of_the_archive_of_before_2020";

fn place() -> Place {
    let rules = rule("billing", "invoices", "5 years", "issued_at")
        + &rule(LONG, LONG, "18 months", "happened_at")
        + &rule("contacts", "people", "at most 1 year", "last_contact_at")
        + "limit = { records = 1 }\n";
    let place = Place::with_rules(&rules);
    place.sql(&format!(
        "CREATE TABLE invoices (id INTEGER PRIMARY KEY, issued_at TEXT);
         CREATE TABLE {LONG} (happened_at TEXT);
         CREATE TABLE people (last_contact_at TEXT);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1234)
         INSERT INTO invoices SELECT i, '2020-12-31' FROM n;
         INSERT INTO {LONG} VALUES ('2019-01-01'), ('2026-11-01'), ('2026-13-01'), (NULL);
         INSERT INTO people VALUES ('2001-01-01'), ('2001-01-01'), ('2026-11-01')"
    ));
    place
}

fn drawn(place: &Place, width: u16, color: bool) -> String {
    let style = Style { width: Some(width), color };
    let policy = place.arg("policy.toml");
    let ran = place.frist_with(style, "2026-11-20T12:00:00Z", &["report", &policy], None).code(3);
    ran.out.replace(&policy, "policy.toml")
}

#[test]
fn nothing_breaks_at_sixty_columns() {
    assert_snapshot!(drawn(&place(), 60, false), @r#"
    shop, as of 2026-11-20T13:00:00+01:00 in Europe/Copenhagen

     rule                            cutoff        due  note
     billing                         2021-11-19  1,234
       app.invoices, 5 years after issued_at
     customer_intera…of_before_2020  2025-05-19      1  problem
       app.customer_interactions_of_the_archive_of_before_2020,
       18 months after happened_at, in period 1, not started 1,
       unreadable 1
     contacts                        2025-11-20      2  limit
       app.people, at most 1 year after last_contact_at, in
       period 1

    billing: oldest event 2020-12-31, overdue by up to 323 days
    customer_interactions_of_the_archive_of_before_2020: oldest
      event 2019-01-01, overdue by up to 2,332 days; next due
      2028-05-02
    contacts: oldest event 2001-01-01, overdue by up to 9,089
      days; next due 2027-11-01

    customer_interactions_of_the_archive_of_before_2020:
      PROBLEM: 1 record of
      app.customer_interactions_of_the_archive_of_before_2020
      cannot be read, and so is kept; first: 3 (happened_at: no
      such day); correct the values, or say in the policy how
      the column is written (`formats`) and what means empty
      (`empty`) (policy.toml:22:1)
    contacts: LIMIT: 2 records are due, more than the 1 that one
      run may delete; if that is right, run purge once with
      --accept-limit contacts

    1,237 records are due, but a purge leaves 2 of them: 2 over
      a limit. Ended with 3: 1 record of
      app.customer_interactions_of_the_archive_of_before_2020
      cannot be read.
    "#);
}

#[test]
fn nothing_breaks_at_eighty_columns() {
    assert_snapshot!(drawn(&place(), 80, false), @r#"
    shop, as of 2026-11-20T13:00:00+01:00 in Europe/Copenhagen

     rule                            cutoff        due  unreadable  note
     billing                         2021-11-19  1,234           0
       app.invoices, 5 years after issued_at
     customer_intera…of_before_2020  2025-05-19      1           1  problem
       app.customer_interactions_of_the_archive_of_before_2020, 18 months after
       happened_at, in period 1, not started 1
     contacts                        2025-11-20      2           0  limit
       app.people, at most 1 year after last_contact_at, in period 1

    billing: oldest event 2020-12-31, overdue by up to 323 days
    customer_interactions_of_the_archive_of_before_2020: oldest event 2019-01-01,
      overdue by up to 2,332 days; next due 2028-05-02
    contacts: oldest event 2001-01-01, overdue by up to 9,089 days; next due
      2027-11-01

    customer_interactions_of_the_archive_of_before_2020: PROBLEM: 1 record of
      app.customer_interactions_of_the_archive_of_before_2020 cannot be read, and so
      is kept; first: 3 (happened_at: no such day); correct the values, or say in
      the policy how the column is written (`formats`) and what means empty
      (`empty`) (policy.toml:22:1)
    contacts: LIMIT: 2 records are due, more than the 1 that one run may delete; if
      that is right, run purge once with --accept-limit contacts

    1,237 records are due, but a purge leaves 2 of them: 2 over a limit. Ended with
      3: 1 record of app.customer_interactions_of_the_archive_of_before_2020 cannot
      be read.
    "#);
}

#[test]
fn all_columns_are_there_at_a_hundred_and_sixty() {
    assert_snapshot!(drawn(&place(), 160, false), @r#"
    shop, as of 2026-11-20T13:00:00+01:00 in Europe/Copenhagen

     rule                            data                                                     cutoff        due  in period  not started  unreadable  note
     billing                         app.invoices                                             2021-11-19  1,234          0            0           0
       5 years after issued_at
     customer_intera…of_before_2020  app.customer_interactions_of_the_archive_of_before_2020  2025-05-19      1          1            1           1  problem
       18 months after happened_at
     contacts                        app.people                                               2025-11-20      2          1            0           0  limit
       at most 1 year after last_contact_at

    billing: oldest event 2020-12-31, overdue by up to 323 days
    customer_interactions_of_the_archive_of_before_2020: oldest event 2019-01-01, overdue by up to 2,332 days; next due 2028-05-02
    contacts: oldest event 2001-01-01, overdue by up to 9,089 days; next due 2027-11-01

    customer_interactions_of_the_archive_of_before_2020: PROBLEM: 1 record of app.customer_interactions_of_the_archive_of_before_2020 cannot be read, and so is
      kept; first: 3 (happened_at: no such day); correct the values, or say in the policy how the column is written (`formats`) and what means empty (`empty`)
      (policy.toml:22:1)
    contacts: LIMIT: 2 records are due, more than the 1 that one run may delete; if that is right, run purge once with --accept-limit contacts

    1,237 records are due, but a purge leaves 2 of them: 2 over a limit. Ended with 3: 1 record of app.customer_interactions_of_the_archive_of_before_2020 cannot be
      read.
    "#);
}

#[test]
fn no_line_is_wider_than_the_terminal_and_no_word_is_lost() {
    let place = place();
    for width in [60, 72, 80, 100, 120, 200] {
        let text = drawn(&place, width, false);
        for line in text.lines() {
            assert!(line.chars().count() <= width.into(), "{width}: {line:?}");
        }
        for whole in ["2021-11-19", "2025-05-19", "1,234", "18 months", "last_contact_at", "contacts: LIMIT:"]
        {
            assert!(text.replace("\n  ", " ").contains(whole), "{width}: {whole}\n{text}");
        }
    }
}

#[test]
fn without_a_terminal_the_table_fits_a_mail() {
    let ran = place().frist(&["report", "policy.toml", "--now", "2026-11-20T12:00:00Z"]).code(3);
    let table: Vec<&str> = ran.out.lines().skip(2).take_while(|line| !line.is_empty()).collect();
    assert!(table.len() > 3 && table.iter().all(|line| line.chars().count() <= 100), "{}", ran.out);
}

#[test]
fn colour_marks_what_is_due_and_what_is_wrong_and_changes_no_letter() {
    let place = place();
    let colored = drawn(&place, 80, true);
    for marked in ["\u{1b}[33m1,234\u{1b}[0m", "\u{1b}[31mLIMIT:\u{1b}[0m", "\u{1b}[31mEnded with\u{1b}[0m"] {
        assert!(
            colored.contains(&marked.replace("\u{1b}[3", "\u{1b}[1m\u{1b}[3")),
            "{marked:?}\n{colored:?}"
        );
    }
    let mut plain = String::new();
    for part in colored.split('\u{1b}') {
        let text = part.strip_prefix('[').map_or(part, |escape| escape.split_once('m').unwrap().1);
        write!(plain, "{text}").unwrap();
    }
    assert_eq!(plain, drawn(&place, 80, false));
}

#[test]
fn the_environment_says_whether_colour_is_wanted() {
    let place = place();
    let is_colored = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = place.command(&[&["report", "policy.toml"][..], arguments].concat());
        command.envs(variables.iter().copied());
        command.output().unwrap().stdout.contains(&0x1b)
    };
    assert!(!is_colored(&[], &[]));
    assert!(is_colored(&[("CLICOLOR_FORCE", "1")], &[]));
    assert!(!is_colored(&[("CLICOLOR_FORCE", "0")], &[]));
    assert!(!is_colored(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[]));
    assert!(!is_colored(&[("CLICOLOR_FORCE", "1")], &["--color", "never"]));
    assert!(is_colored(&[("NO_COLOR", "1")], &["--color", "always"]));
}

#[test]
fn what_is_the_same_about_many_rules_is_said_once_and_last() {
    let mut rules = String::new();
    for number in 0..40 {
        rules += &rule(&format!("r{number}"), &format!("t{number}"), "1 year", "at");
    }
    let place = Place::new();
    place.write("policy.toml", policy("shop", &rules));
    let ran = place.frist(&["report", "policy.toml"]).code(3);
    assert_eq!(ran.out.matches("PROBLEM").count(), 1, "{}", ran.out);
    assert_eq!(ran.out.matches("r39, ").count() + ran.out.matches("r39: PROBLEM").count(), 1, "{}", ran.out);
    assert!(
        ran.out.ends_with("\n\nNo record that can be read is due. Ended with 3: app could not be read.\n")
    );
}
