//! Metier: courses and certifications.

use super::example::Example;

fn metier(today: &str) -> Example {
    Example::new("metier", "data/metier.db", today)
}

/// A course of 2024 that ended on a day, with the number 90.
fn with_course(today: &str, ended_on: &str) -> Example {
    let example = metier(today);
    example.sql(&format!("INSERT INTO courses VALUES (90, 'Planlægning', '2024-01-10', {ended_on})"));
    example
}

const MAILS: &str = "INSERT INTO partner_mails VALUES
    (91, 90, 'enrolment', 'Gro Vang', 'Bo Lund', '-'), (92, 90, 'result', 'Gro Vang', 'Bo Lund', '-')";

#[test]
fn the_partners_two_mails_go_as_soon_as_the_course_is_over() {
    for mail in [91, 92] {
        let example = with_course("2024-02-29", "'2024-02-29'");
        example.sql(MAILS);
        example.goes_at("2024-03-01T00:00:00+01:00", &format!("partner_mails WHERE id = {mail}"));
    }
}

#[test]
fn the_partners_mails_stay_while_the_course_has_no_end() {
    let example = with_course("2030-01-01", "NULL");
    example.sql(MAILS);
    example.stays_at("2030-01-01", "partner_mails WHERE id = 91");
    assert_eq!(example.state("2030-01-01", "partner-mails", "91"), "waiting");
}

const PARTICIPATION: &str =
    "INSERT INTO participations VALUES (91, 90, 'Bo Lund', 'bo@example.org', 'passed', NULL)";

#[test]
fn course_and_certification_go_5_years_after_the_course_ended() {
    let example = with_course("2029-06-15", "'2024-06-14'");
    example.sql(PARTICIPATION);
    example.goes_at("2029-06-15T00:00:00+02:00", "participations WHERE id = 91");
}

#[test]
fn a_course_that_ended_on_the_29th_of_february_is_kept_until_the_28th_is_over() {
    let example = with_course("2029-03-01", "'2024-02-29'");
    example.sql(PARTICIPATION);
    example.goes_at("2029-03-01T00:00:00+01:00", "participations WHERE id = 91");
}

#[test]
fn course_and_certification_go_at_any_time_on_request() {
    let example = with_course("2024-07-01", "'2024-06-14'");
    example.sql(PARTICIPATION);
    example.stays_at("2024-07-01T00:00:00Z", "participations WHERE id = 91");
    example.sql("UPDATE participations SET erasure_requested_at = '2024-07-01T08:00:00Z' WHERE id = 91");
    example.goes_at("2024-07-01T08:00:00Z", "participations WHERE id = 91");
}

#[test]
fn a_newsletter_recipient_is_kept_until_consent_is_withdrawn() {
    let example = metier("2025-03-30");
    let insert = "INSERT INTO newsletter VALUES (91, 'Bo Lund', 'bo@example.org', '2001-01-01T08:00:00Z', ";
    example.sql(&format!("{insert} NULL)"));
    example.stays_at("2025-03-30T00:00:00Z", "newsletter WHERE id = 91");
    example.sql("UPDATE newsletter SET withdrawn_at = '2025-03-30T03:10:00+02:00' WHERE id = 91");
    example.goes_at("2025-03-30T03:10:00+02:00", "newsletter WHERE id = 91");
}

#[test]
fn an_invoice_goes_5_years_after_the_end_of_its_financial_year_requests_or_not() {
    for (issued_on, due) in
        [("2020-02-29", "2026-01-01"), ("2020-12-31", "2026-01-01"), ("2021-01-01", "2027-01-01")]
    {
        let example = with_course(due, "'2020-02-29'");
        example.sql(PARTICIPATION);
        example.sql("UPDATE participations SET erasure_requested_at = '2021-06-01T08:00:00Z' WHERE id = 91");
        example.sql(&format!(
            "INSERT INTO invoices VALUES (91, 'Bo Lund', NULL, '-', 'bo@example.org', 100, '{issued_on}')"
        ));
        example.goes_at(&format!("{due}T00:00:00+01:00"), "invoices WHERE number = 91");
        assert_eq!(example.count("participations WHERE id = 91"), 0);
    }
}

#[test]
fn a_sign_up_for_an_event_is_kept_as_long_as_its_purpose_lasts() {
    let example = metier("2025-05-01");
    let insert =
        "INSERT INTO event_sign_ups VALUES (91, 'Projektdagen', 'Bo Lund', NULL, NULL, 'bo@example.org', ";
    example.sql(&format!("{insert} NULL)"));
    example.stays_at("2025-05-01T00:00:00Z", "event_sign_ups WHERE id = 91");
    example.sql("UPDATE event_sign_ups SET purpose_ended_at = '2025-05-01T12:00:00Z' WHERE id = 91");
    example.goes_at("2025-05-01T12:00:00Z", "event_sign_ups WHERE id = 91");
}

#[test]
fn everything_else_is_kept_as_long_as_its_purpose_lasts() {
    let example = metier("2025-05-01");
    let insert = "INSERT INTO enquiries VALUES (91, 'Bo Lund', 'bo@example.org', '-', '2001-01-01', ";
    example.sql(&format!("{insert} NULL)"));
    example.stays_at("2025-05-01T00:00:00Z", "enquiries WHERE id = 91");
    example.sql("UPDATE enquiries SET purpose_ended_at = '2025-05-01T12:00:00Z' WHERE id = 91");
    example.goes_at("2025-05-01T12:00:00Z", "enquiries WHERE id = 91");
}

#[test]
fn the_example_runs_end_to_end() {
    for today in ["2024-02-29", "2026-11-21", "2027-01-01"] {
        let example = metier(today);
        let due = [
            ("partner-mails", 2),
            ("course-history", 2),
            ("course-history-on-request", 1),
            ("invoices", 1),
            ("newsletter", 1),
            ("event-sign-ups", 2),
            ("everything-else", 1),
        ];
        example.end_to_end(&format!("{today}T12:00:00Z"), &due);
        let left =
            ["partner_mails", "participations", "invoices", "newsletter", "event_sign_ups", "enquiries"];
        assert_eq!(left.map(|table| example.count(table)), [2, 4, 2, 2, 1, 1]);
        assert_eq!(example.count("courses"), 5);
    }
}
