//! Meebook: a learning platform, mostly as a processor.

use super::example::Example;

/// The example with a controller 90 that instructs `keep` and whose agreement ended on a day, and pupil 91.
fn with_pupil(today: &str, keep: &str, terminated_on: &str, left_on: &str) -> Example {
    let example = Example::new("meebook", "data/meebook.db", today);
    example.sql(&format!(
        "INSERT INTO controllers VALUES (90, 'Birkelund Kommune', {keep}, '2020-01-01', {terminated_on});
         INSERT INTO people VALUES (91, 90, 'pupil', 'Mads Lund', NULL, '2.a', {left_on})"
    ));
    example
}

const PUPIL: &str = "people WHERE id = 91";

#[test]
fn a_pupil_goes_as_long_after_leaving_as_the_controller_instructs() {
    for (keep, due) in [
        ("'3 months'", "2024-05-30T00:00:00+02:00"),
        ("'1 year'", "2025-03-01T00:00:00+01:00"),
        ("'at most 1 year'", "2025-02-28T00:00:00+01:00"),
        ("'immediately'", "2024-03-01T00:00:00+01:00"),
    ] {
        with_pupil(due, keep, "NULL", "'2024-02-29'").goes_at(due, PUPIL);
    }
}

#[test]
fn parents_and_teachers_go_by_the_same_instruction() {
    for role in ["parent", "teacher"] {
        let example = with_pupil("2024-05-30", "'3 months'", "NULL", "'2024-02-29'");
        example.sql(&format!("UPDATE people SET role = '{role}' WHERE id = 91"));
        example.goes_at("2024-05-30T00:00:00+02:00", PUPIL);
    }
}

#[test]
fn whoever_is_still_there_goes_after_the_controller_terminated() {
    let example = with_pupil("2024-10-01", "'3 months'", "'2024-06-30'", "NULL");
    example.goes_at("2024-10-01T00:00:00+02:00", PUPIL);
}

#[test]
fn without_an_instruction_nothing_is_deleted() {
    for (left_on, rule) in [("'2001-06-30'", "people-who-left"), ("NULL", "people-of-former-customers")] {
        for keep in ["NULL", "''"] {
            let example = with_pupil("2030-01-01", keep, "'2001-06-30'", left_on);
            example.stays_at("2030-01-01", PUPIL);
            assert_eq!(example.state("2030-01-01", rule, "91"), "waiting");
        }
    }
}

#[test]
fn an_instruction_that_nobody_can_read_deletes_nothing_and_is_reported() {
    let example = with_pupil("2030-01-01", "'when we say so'", "NULL", "'2001-06-30'");
    let purge = example.at("2030-01-01", &["purge", "--yes", "--format", "json"]).expect(3);
    assert_eq!(purge.problems("people-who-left"), ["unreadable"]);
    assert_eq!(example.count(PUPIL), 1);
}

#[test]
fn a_pupil_who_is_still_there_waits_while_the_agreement_lasts() {
    let example = with_pupil("2030-01-01", "'3 months'", "NULL", "NULL");
    example.stays_at("2030-01-01", PUPIL);
}

#[test]
fn what_a_pupil_wrote_and_drew_goes_with_the_pupil() {
    let example = with_pupil("2024-05-30", "'3 months'", "NULL", "'2024-02-29'");
    example.sql(
        "INSERT INTO entries VALUES (91, 91, 'picture', 'Min hund', 'hund.png', '2024-01-10');
         INSERT INTO people VALUES (92, 90, 'parent', 'Bo Lund', 'bo@example.org', NULL, NULL);
         INSERT INTO guardians VALUES (92, 91)",
    );
    let picture = example.path("uploads/hund.png");
    std::fs::write(&picture, "a picture").unwrap();
    example.stays_at("2024-05-29T21:59:59Z", "entries WHERE id = 91");
    assert!(picture.exists());
    example.goes_at("2024-05-30T00:00:00+02:00", "entries WHERE id = 91");
    assert!(!picture.exists());
    assert_eq!(example.count("guardians WHERE pupil_id = 91"), 0);
    assert_eq!(example.count("people WHERE id = 92"), 1);
}

/// What Meebook is the controller of itself: a row of a table, and when it goes.
const OWN: [(&str, &str, &str, &str); 6] = [
    (
        "customer_contacts",
        "90, 'Ida Birk', 'ida@example.org', NULL, NULL, '2024-02-29', NULL",
        "2025-02-28",
        "+01:00",
    ),
    (
        "course_participants",
        "'Start', 'course', 'Ida Birk', 'ida@example.org', NULL, '2024-02-29', NULL",
        "2026-02-28",
        "+01:00",
    ),
    (
        "course_participants",
        "'Start', 'webinar', 'Ida Birk', 'ida@example.org', NULL, '2024-06-14', NULL",
        "2026-06-14",
        "+02:00",
    ),
    ("visits", "'v0001', '/', '2024-02-29T22:59:59Z'", "2025-04-30", "+02:00"),
    ("social_media_copies", "'comment', 'ida', '-', '2024-02-29', NULL, NULL", "2025-02-28", "+01:00"),
    (
        "social_media_copies",
        "'competition', 'ida', '-', '2020-02-29', '2024-02-29', NULL",
        "2024-05-29",
        "+02:00",
    ),
];

#[test]
fn contacts_participants_visits_and_copies_go_after_the_periods_of_the_example() {
    for (table, values, day, offset) in OWN {
        let example = with_pupil(day, "NULL", "NULL", "NULL");
        example.sql(&format!("INSERT INTO {table} VALUES (91, {values})"));
        example.goes_at(&format!("{day}T00:00:00{offset}"), &format!("{table} WHERE id = 91"));
    }
}

#[test]
fn a_contact_of_a_customer_and_an_open_competition_wait() {
    let example = with_pupil("2030-01-01", "NULL", "NULL", "NULL");
    example.sql(
        "INSERT INTO customer_contacts VALUES (91, 90, 'Ida Birk', 'ida@example.org', NULL, NULL, NULL, NULL);
         INSERT INTO social_media_copies VALUES (91, 'competition', 'ida', '-', '2001-01-01', NULL, NULL)",
    );
    example.stays_at("2030-01-01", "customer_contacts WHERE id = 91");
    example.stays_at("2030-01-01", "social_media_copies WHERE id = 91");
}

#[test]
fn an_invoice_goes_5_years_after_the_end_of_its_financial_year() {
    for (issued_on, due) in
        [("2020-02-29", "2026-01-01"), ("2020-12-31", "2026-01-01"), ("2021-01-01", "2027-01-01")]
    {
        let example = with_pupil(due, "NULL", "NULL", "NULL");
        example.sql(&format!("INSERT INTO invoices VALUES (91, 90, 'Ida Birk', 100, '{issued_on}')"));
        example.goes_at(&format!("{due}T00:00:00+01:00"), "invoices WHERE number = 91");
    }
}

#[test]
fn what_meebook_is_the_controller_of_goes_at_once_on_request() {
    let requested = "'2024-06-01T10:00:00Z'";
    for (table, values) in [
        ("customer_contacts", "90, 'Ida Birk', 'ida@example.org', NULL, NULL, NULL"),
        ("course_participants", "'Start', 'course', 'Ida Birk', 'ida@example.org', NULL, '2024-05-29'"),
        ("social_media_copies", "'comment', 'ida', '-', '2024-05-29', NULL"),
        ("social_media_copies", "'competition', 'ida', '-', '2024-05-29', NULL"),
    ] {
        let example = with_pupil("2024-06-01", "NULL", "NULL", "NULL");
        example.sql(&format!("INSERT INTO {table} VALUES (91, {values}, {requested})"));
        example.goes_at("2024-06-01T10:00:00Z", &format!("{table} WHERE id = 91"));
    }
}

#[test]
fn a_newsletter_recipient_goes_on_unsubscribing() {
    let example = with_pupil("2024-10-27", "NULL", "NULL", "NULL");
    example.sql(
        "INSERT INTO newsletter VALUES (91, 'Ida Birk', 'ida@example.org', '2024-10-27T02:30:00+01:00')",
    );
    example.goes_at("2024-10-27T02:30:00+01:00", "newsletter WHERE id = 91");
}

#[test]
fn the_example_runs_end_to_end() {
    for today in ["2024-02-29", "2026-11-21", "2027-01-01"] {
        let example = Example::new("meebook", "data/meebook.db", today);
        let due = [
            ("people-who-left", 4),
            ("people-of-former-customers", 1),
            ("customer-contacts", 1),
            ("customer-contacts-on-request", 1),
            ("invoices", 1),
            ("course-participants", 1),
            ("course-participants-on-request", 1),
            ("newsletter", 1),
            ("website-visitors", 1),
            ("social-media", 1),
            ("competitions", 1),
            ("social-media-on-request", 1),
        ];
        example.end_to_end(&format!("{today}T12:00:00Z"), &due);
        let left = ["people", "guardians", "entries", "customer_contacts", "course_participants", "visits"];
        assert_eq!(left.map(|table| example.count(table)), [6, 1, 3, 2, 1, 2]);
        let left = ["newsletter", "social_media_copies", "invoices"];
        assert_eq!(left.map(|table| example.count(table)), [1, 2, 2]);
        assert_eq!(["controllers", "record_of_processing"].map(|table| example.count(table)), [4, 3]);
        assert!(!example.path("uploads/lejrtur.png").exists() && example.path("uploads/tavle.png").exists());
    }
}
