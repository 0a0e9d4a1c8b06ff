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
fn what_rested_on_a_consent_goes_with_the_consent() {
    let example = metier("2025-05-01");
    example.sql("INSERT INTO testimonials VALUES (91, 'Bo Lund', 'Bak & Lund', '-', '2025-05-01T12:00:00Z')");
    example.goes_at("2025-05-01T12:00:00Z", "testimonials WHERE id = 91");
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
            ("newsletter", 1),
            ("testimonials", 1),
            ("everything-else", 1),
        ];
        example.end_to_end(&format!("{today}T12:00:00Z"), &due);
        let left = ["partner_mails", "participations", "newsletter", "testimonials", "enquiries"];
        assert_eq!(left.map(|table| example.count(table)), [2, 4, 2, 1, 1]);
        assert_eq!(example.count("courses"), 5);
    }
}
