//! `--now`, and what the values of an event's column mean.

use super::{Place, Ran, only_rule, report, rule};

fn place() -> Place {
    let place = Place::with_rules(&rule("a", "a", "1 year", "at"));
    place.sql("CREATE TABLE a (at TEXT)");
    place
}

fn as_of(place: &Place, now: &str) -> Ran {
    place.frist(&["report", "policy.toml", "--format", "json", "--now", now])
}

#[test]
fn now_is_a_date_or_a_time_in_the_zone_of_the_policy() {
    let place = place();
    for (typed, meant) in [
        ("2027-01-01", "2027-01-01T00:00:00+01:00"),
        ("2027-07-01", "2027-07-01T00:00:00+02:00"),
        ("2027-01-01T02:00", "2027-01-01T02:00:00+01:00"),
        ("2027-01-01 02:00:30", "2027-01-01T02:00:30+01:00"),
        ("2027-01-01T02:00:00Z", "2027-01-01T03:00:00+01:00"),
        ("2027-01-01T02:00:00-05:00", "2027-01-01T08:00:00+01:00"),
        ("2027-03-28T02:30", "2027-03-28T03:00:00+02:00"),
        ("1900-01-01", "1900-01-01T00:00:00+01:00"),
        ("2299-12-31T23:59:59Z", "2300-01-01T00:59:59+01:00"),
    ] {
        assert_eq!(as_of(&place, typed).code(0).json()["now"], meant, "{typed}");
    }
}

#[test]
fn what_is_no_time_is_a_wrong_command_line() {
    let place = place();
    for typed in ["9999-12-31", "0000-01-01", "1899-12-31", "2300-01-01"] {
        as_of(&place, typed).code(2).says("frist: --now: ").says("outside 1900 to 2299");
    }
    for typed in ["", "now", "yesterday", "5", "1767225600", "2027-1-1", "01-01-2027", "2027-01-01T25:00"] {
        as_of(&place, typed).code(2).says("write `2026-11-20` or `2026-11-20T02:00:00+01:00`");
    }
    as_of(&place, "2027-02-29").code(2).says("no such day");
}

/// The state of the only record, whose event is an SQL literal in a column of any type.
fn state_of(literal: &str, settings: &str) -> String {
    let text = super::policy("shop", &rule("a", "a", "1 year", "at"));
    let place = Place::new();
    place.write(
        "policy.toml",
        text.replace("sqlite = \"app.db\"\n", &format!("sqlite = \"app.db\"\n{settings}\n")),
    );
    place.sql(&format!("CREATE TABLE a (at); INSERT INTO a VALUES ({literal})"));
    let rule = only_rule(&place);
    let states = ["due", "running", "waiting", "unreadable"];
    states.into_iter().find(|state| rule[state] == 1).unwrap_or("none").to_string()
}

#[test]
fn text_without_a_declared_format_is_read_as_iso_and_nothing_is_guessed() {
    for due in
        ["'2020-01-01'", "'2020-01-01 10:00'", "'2020-01-01T10:00:00.123Z'", "'2020-01-01T10:00+02:00'"]
    {
        assert_eq!(state_of(due, ""), "due", "{due}");
    }
    for waiting in ["NULL", "''", "'   '", "char(9)"] {
        assert_eq!(state_of(waiting, ""), "waiting", "{waiting}");
    }
    for unreadable in [
        "'0000-00-00'",
        "'2023-02-29'",
        "'9999-12-31'",
        "'1899-12-31'",
        "'2020-1-1'",
        "'20200101'",
        "'01-02-2020'",
        "'1577836800'",
        "'2020-01-01x'",
        "1577836800",
        "0",
        "2020.5",
        "x'323032302d30312d3031'",
        "1e300",
        "-1",
        "'2020-01-01' || char(0)",
        "9223372036854775807",
        "CAST(x'ff' AS TEXT)",
    ] {
        assert_eq!(state_of(unreadable, ""), "unreadable", "{unreadable}");
    }
}

#[test]
fn a_declared_format_is_read_and_nothing_else() {
    let unix = "formats = { at = \"unix\" }";
    for (literal, state) in [
        ("1577836800", "due"),
        ("'1577836800'", "due"),
        ("1577836800.5", "due"),
        ("'2020-01-01'", "unreadable"),
        ("0", "unreadable"),
        ("-1", "due"),
        ("x'00'", "unreadable"),
        ("9223372036854775807", "unreadable"),
        ("NULL", "waiting"),
    ] {
        assert_eq!(state_of(literal, unix), state, "{literal}");
    }
    assert_eq!(state_of("'31-12-2019'", "formats = { at = \"%d-%m-%Y\" }"), "due");
    assert_eq!(state_of("'2019-12-31'", "formats = { at = \"%d-%m-%Y\" }"), "unreadable");
    assert_eq!(state_of("2458849.5", "formats = { at = \"julian-day\" }"), "due");
}

#[test]
fn values_that_mean_empty_wait() {
    let empty = "empty = [\"9999-12-31\", \"0\"]";
    assert_eq!(state_of("'9999-12-31'", empty), "waiting");
    assert_eq!(state_of("0", empty), "waiting");
    assert_eq!(state_of("'9999-12-30'", empty), "unreadable");
}

#[test]
fn an_unreadable_value_is_told_with_its_key_its_reason_and_a_way_out() {
    let place = place();
    place.sql(
        "INSERT INTO a VALUES ('2020-01-01'), (5), ('gestern'), ('2023-02-29'), (x'00'), ('2024-02-30')",
    );
    report(&place, &[]).code(3).says(
        "a: PROBLEM: 5 records of app.a cannot be read, and so are kept; first: 2 (at: not a date), 3 (at: not a \
         date), 4 (at: no such day); correct the values, or say in the policy how the column is written \
         (`formats`) and what means empty (`empty`) (policy.toml:16:1)",
    );
}
