//! What laws make of rules.
use proptest::prelude::*;

use super::is_one_slip;
use crate::diagnostic::Code;
use crate::policy::tests::{BEGINNING, read, rule};

/// An activity under a law, with the sections that it needs.
fn activity(law: &str, sections: &str) -> String {
    format!("{sections}\n[activity.billing]\npurpose = \"Bookkeeping\"\nlaw = \"{law}\"\n")
}

/// The only finding about a rule under a law, if there is one: its message and its help.
fn found(law: &str, sections: &str, rule_lines: &str) -> Option<(String, String)> {
    let rule = rule(&format!("activity = \"billing\"\n{rule_lines}"));
    let (_, mut findings) = read(&format!("{BEGINNING}{}{rule}", activity(law, sections)));
    assert!(findings.len() < 2, "{findings:?}");
    findings.pop().map(|finding| (finding.message, finding.help.unwrap_or_default()))
}

fn judged(law: &str, rule_lines: &str) -> Option<String> {
    found(law, "", rule_lines).map(|(message, _)| message)
}

/// Lines of a rule, which counts from the event where nothing else is said.
fn kept(keep: &str, counted_from: &str) -> String {
    match counted_from {
        "" => format!("keep = \"{keep}\"\nafter = \"at\""),
        counted => {
            format!("keep = \"{keep}\"\nafter = {{ column = \"at\", counted-from = \"{counted}\" }}")
        }
    }
}

fn bookkeeping(keep: &str, counted_from: &str) -> bool {
    judged("dk:bogfoeringsloven-12", &kept(keep, counted_from)).is_none()
}

fn laundering(keep: &str) -> bool {
    judged("dk:hvidvaskloven-30", &kept(keep, "")).is_none()
}

/// What a law of one's own makes of a rule.
fn own(bounds: &str, lines: &str) -> Option<(String, String)> {
    let law = format!("[law.\"acme:contract-7\"]\ntitle = \"contract 7\"\n{bounds}\n");
    found("acme:contract-7", &law, lines)
}

#[test]
fn five_years_from_the_end_of_the_financial_year_are_enough() {
    assert!(bookkeeping("5 years", "end-of-financial-year"));
    assert!(bookkeeping("60 months", "end-of-financial-year"));
    assert!(bookkeeping("10 years", "end-of-financial-year"));
    assert!(!bookkeeping("4 years 11 months", "end-of-financial-year"));
    assert!(!bookkeeping("at most 5 years", "end-of-financial-year"), "it ends a day before five years do");
    assert!(bookkeeping("at most 5 years 1 day", "end-of-financial-year"));
}

#[test]
fn days_are_enough_where_they_are_so_many_in_every_five_years() {
    assert!(!bookkeeping("1825 days", "end-of-financial-year"));
    assert!(!bookkeeping("1826 days", "end-of-financial-year"), "five years may have two leap days");
    assert!(bookkeeping("1827 days", "end-of-financial-year"));
    assert!(bookkeeping("261 weeks", "end-of-financial-year"), "which is 1,827 days");
}

#[test]
fn another_start_has_to_make_up_for_the_year_that_it_may_lose() {
    assert!(!bookkeeping("5 years", "end-of-month"));
    assert!(bookkeeping("5 years 11 months", "end-of-month"), "from the end of January to that of the year");
    assert!(!bookkeeping("5 years 10 months 28 days", "end-of-month"));
    assert!(bookkeeping("5 years", "end-of-year"), "where the two years are the same");
    assert!(bookkeeping("6 years", ""));
    assert!(bookkeeping("5 years 11 months 30 days", ""), "from 1 January to the last day of the year");
    assert!(!bookkeeping("5 years 11 months 29 days", ""));
}

#[test]
fn the_end_of_the_calendar_year_may_come_before_that_of_the_financial_year() {
    let split_year = BEGINNING.replace("12-31", "06-30");
    let rule = rule(&format!("activity = \"billing\"\n{}", kept("5 years", "end-of-year")));
    let (_, findings) = read(&format!("{split_year}{}{rule}", activity("dk:bogfoeringsloven-12", "")));
    let message = findings[0].message.as_str();
    assert!(message.contains("a record of 2024-07-01 would be deleted on 2030-01-01"), "{message}");
    assert!(message.contains("keeps it to the end of 2030-06-30"), "{message}");
}

#[test]
fn an_irregular_financial_year_is_as_long_as_it_is() {
    let long_year = BEGINNING.replace(
        "financial-year-ends = \"12-31\"",
        "financial-year-ends = \"12-31\"\nirregular-year-ends = [\"2030-06-30\", \"2031-12-31\"]",
    );
    let judged = |keep: &str| {
        let rule = rule(&format!("activity = \"billing\"\n{}", kept(keep, "")));
        let (_, findings) = read(&format!("{long_year}{}{rule}", activity("dk:bogfoeringsloven-12", "")));
        findings.first().map(|finding| finding.message.clone())
    };
    let message = judged("6 years").unwrap();
    assert!(message.contains("a record of 2030-07-01 would be deleted on 2036-07-02"), "{message}");
    assert!(message.contains("keeps it to the end of 2036-12-31"), "{message}");
    assert_eq!(judged("6 years 6 months"), None);
}

#[test]
fn a_law_may_demand_and_forbid_at_once() {
    assert!(laundering("5 years"));
    assert!(laundering("60 months"));
    assert!(!laundering("5 years 1 day"));
    assert!(!laundering("61 months"));
    assert!(!laundering("4 years"));
    assert!(!laundering("at most 5 years"));
    assert!(!laundering("1826 days"), "it is not the same on every date");
    assert!(!laundering("immediately"));
    let message = judged("dk:hvidvaskloven-30", &kept("5 years", "end-of-year")).unwrap();
    assert!(message.contains("keeps longer than"), "{message}");
    assert!(message.contains("a record of 2024-01-01 would be deleted on 2030-01-01"), "{message}");
    assert!(message.ends_with("wants it gone on 2029-01-02"), "{message}");
}

#[test]
fn an_upper_bound_wants_everything_gone_when_it_is_over() {
    let recordings = |keep: &str| judged("dk:tv-overvaagningsloven-4c", &kept(keep, "")).is_none();
    assert!(recordings("at most 30 days"));
    assert!(recordings("29 days"));
    assert!(!recordings("30 days"), "they would be there on the 31st day until the run");
    assert!(!recordings("at most 1 month"), "most months have 31 days");
    assert!(recordings("at most 4 weeks"));
    assert!(recordings("immediately"));
    assert!(recordings("72 hours"));
    assert!(recordings("695 hours"), "from the end of the day: 29 days, or an hour less in spring");
    assert!(!recordings("696 hours"), "29 days and an hour where one of them has 23");
    assert!(!recordings("720 hours"));
    let (_, help) = found("dk:tv-overvaagningsloven-4c", "", &kept("30 days", "end-of-month")).unwrap();
    assert!(help.ends_with("write `keep = \"at most 30 days\"`, without `counted-from`"), "{help}");
}

#[test]
fn hours_may_be_too_few_too() {
    let (message, _) = own("at-least = \"2 days\"", &kept("48 hours", "")).unwrap();
    let expected = "a record of 2024-01-01T00:00:00+01:00 would be deleted at 2024-01-03T00:00:00+01:00, \
                    and the law keeps it to the end of 2024-01-03";
    assert!(message.ends_with(expected), "{message}");
    assert_eq!(own("at-least = \"2 days\"", &kept("73 hours", "")), None);
    assert!(own("at-least = \"2 days\"", &kept("72 hours", "")).is_some(), "a day of 25 hours");
    assert!(own("at-least = \"1 minute\"", &kept("immediately", "")).is_some());
}

#[test]
fn laws_in_hours_are_compared_to_the_minute() {
    assert_eq!(own("at-most = \"72 hours\"", &kept("72 hours", "")), None);
    assert_eq!(own("at-most = \"72 hours\"", &kept("at most 2 days", "")), None);
    let (message, help) = own("at-most = \"72 hours\"", &kept("72 hours 1 minute", "")).unwrap();
    assert!(message.contains("contract 7 allows: a record of 2024-01-01T00:00:00+01:00"), "{message}");
    assert!(message.ends_with("wants it gone at 2024-01-04T00:00:00+01:00"), "{message}");
    assert_eq!(help, "it wants at most 72 hours, counted from the event: write `keep = \"72 hours\"`");
    assert_eq!(own("at-most = \"immediately\"", &kept("immediately", "")), None);
    assert!(own("at-most = \"immediately\"", &kept("1 minute", "")).is_some());
}

#[test]
fn between_two_bounds_there_is_room() {
    let bounds = "at-least = \"3 years\"\nat-most = \"5 years\"\ncounted-from = \"end-of-month\"";
    for keep in ["3 years", "4 years", "at most 5 years", "at most 60 months"] {
        assert_eq!(own(bounds, &kept(keep, "end-of-month")), None, "{keep}");
    }
    for keep in ["2 years", "at most 3 years", "5 years", "1 day"] {
        assert!(own(bounds, &kept(keep, "end-of-month")).is_some(), "{keep}");
    }
    let (_, help) = own(bounds, &kept("2 years", "end-of-month")).unwrap();
    assert!(help.contains("write `keep = \"3 years\"`"), "{help}");
    let (_, help) = own(bounds, &kept("6 years", "end-of-month")).unwrap();
    assert_eq!(
        help,
        "it wants at least 3 years and at most 5 years, counted from the end of the month: \
         write `keep = \"at most 5 years\"`, and `counted-from = \"end-of-month\"` in `after`"
    );
}

#[test]
fn a_law_that_counts_from_financial_years_needs_to_know_them() {
    let without = BEGINNING.replace("financial-year-ends = \"12-31\"", "");
    let rule = rule(&format!("activity = \"billing\"\n{}", kept("9 years", "")));
    let (_, findings) = read(&format!("{without}{}{rule}", activity("dk:bogfoeringsloven-12", "")));
    assert_eq!(findings[0].code, Code::MissingKey, "{findings:?}");
    let (_, findings) = read(&format!("{without}{}", activity("dk:bogfoeringsloven-12", "")));
    assert_eq!(findings.iter().filter(|finding| finding.is_error()).count(), 0, "{findings:?}");
}

#[test]
fn words_are_no_entry_of_the_catalogue() {
    assert_eq!(judged("the promise in our notice", &kept("1 day", "")), None);
    let unknown = judged("dk:skatteloven-1", &kept("1 day", "")).unwrap();
    assert!(unknown.contains("not in the catalogue"), "{unknown}");
}

#[test]
fn a_misspelt_law_of_ones_own_is_met_with_it() {
    let law = "[law.\"acme:contract-7\"]\ntitle = \"contract 7\"\nat-least = \"1 day\"\n\
               [activity.other]\npurpose = \"Other\"\ntime-limit = \"2 days\"\nlaw = \"acme:contract-7\"";
    let (message, help) = found("acme:kontracts-7", law, &kept("1 day", "")).unwrap();
    assert!(message.starts_with("`acme:kontracts-7` is not in the catalogue"), "{message}");
    assert_eq!(help, "did you mean \"acme:contract-7\"?");
    let (_, help) = found("acme:kontract-7", law, &kept("1 day", "")).unwrap();
    assert!(help.starts_with("write \"acme:contract-7\"; another law gets"), "{help}");
}

#[test]
fn one_slip_is_an_error_and_two_are_a_doubt() {
    let slips = [
        "dk:bogforingsloven-12",
        "dk:bogføringsloven-12",
        "DK:Bogfoeringsloven-12",
        "dk:bogfoeringsloven_12",
    ];
    for id in
        slips.iter().chain(&["dk:bogfoeringsloven-21", "dk:bogfoeringsloven-1", "dk:bogfoeringlsoven-12"])
    {
        assert!(is_one_slip(id, "dk:bogfoeringsloven-12"), "{id}");
    }
    for id in ["dk:bogforingslov-12", "dk:bogfoeringsloven", "dk:hvidvaskloven-30"] {
        assert!(!is_one_slip(id, "dk:bogfoeringsloven-12"), "{id}");
    }
}

/// What has been compared once is not compared again, and is told again where it is wrong.
#[test]
fn every_rule_that_keeps_too_short_is_told() {
    let bad = kept("4 years", "end-of-financial-year");
    let rules: String = (0..3)
        .map(|number| {
            let rule = rule(&format!("activity = \"billing\"\n{bad}"));
            rule.replace("\"billing\"\ndata", &format!("\"r{number}\"\ndata"))
        })
        .collect();
    let good = rule(&format!("activity = \"billing\"\n{}", kept("5 years", "end-of-financial-year")));
    let good = good.replace("\"billing\"\ndata", "\"good\"\ndata");
    let text = format!("{BEGINNING}{}{good}{rules}", activity("dk:bogfoeringsloven-12", ""));
    let (_, findings) = read(&text);
    let told: Vec<&str> =
        findings.iter().filter(|one| one.is_error()).map(|one| one.message.as_str()).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        (0..3)
            .all(|number| told.iter().any(|told| told.starts_with(&format!("rule `r{number}` keeps less"))))
    );
}

fn periods() -> impl Strategy<Value = String> {
    let units = proptest::sample::select(vec!["years", "months", "weeks", "days", "hours"]);
    (1_u32..80, units).prop_map(|(count, unit)| format!("{count} {unit}"))
}

fn starts() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["", "end-of-month", "end-of-year", "end-of-financial-year"])
}

proptest! {
    #![proptest_config(crate::depth::config(4))]

    /// Whoever does what the help says is done.
    #[test]
    fn the_help_is_a_way_out(least in proptest::option::of(periods()), most in periods(), start in starts()) {
        let counted = if start.is_empty() { String::new() } else { format!("counted-from = \"{start}\"\n") };
        let at_least = least.map(|least| format!("at-least = \"{least}\"\n")).unwrap_or_default();
        let bounds = format!("{at_least}at-most = \"{most}\"\n{counted}");
        if let Some((message, help)) = own(&bounds, &kept("200 years", "end-of-quarter"))
            && message.starts_with("rule `")
        {
            let keep = help.split("write `keep = \"").nth(1).unwrap().split('"').next().unwrap();
            prop_assert_eq!(own(&bounds, &kept(keep, start)), None, "{}", help);
        }
    }
}
