//! Djøf: online courses of a trade union.

use super::example::Example;

fn djoef(today: &str) -> Example {
    Example::new("djoef", "data/courses.db", today)
}

/// Participation 91, of somebody with a member's number or none, on a day.
fn with_participation(today: &str, member_no: &str, took_part_on: &str) -> Example {
    let example = djoef(today);
    example.sql(&format!(
        "INSERT INTO participations VALUES (91, {member_no}, 'tove', 'Tove Lund', 'tove@example.org',
             'Bak & Lund', 'Jurist', 'Forhandlingsteknik', '-', 'argon2id:0000', {took_part_on}, NULL);
         INSERT INTO correspondence VALUES (91, 91, '-', '2024-01-01')"
    ));
    example
}

const PARTICIPATION: &str = "participations WHERE id = 91";

#[test]
fn participation_goes_3_years_after_taking_part_with_its_correspondence() {
    for (took_part_on, due) in [("2024-02-29", "2027-03-01"), ("2023-01-15", "2026-01-16")] {
        let example = with_participation(due, "NULL", &format!("'{took_part_on}'"));
        example.goes_at(&format!("{due}T00:00:00+01:00"), PARTICIPATION);
        assert_eq!(example.count("correspondence WHERE participation_id = 91"), 0);
    }
}

#[test]
fn whoever_has_not_taken_part_yet_waits() {
    with_participation("2030-01-01", "NULL", "NULL").stays_at("2030-01-01", PARTICIPATION);
}

#[test]
fn the_participation_of_an_active_member_is_kept_until_the_membership_ends() {
    let example = with_participation("2027-03-01", "'70091'", "'2024-02-29'");
    let union = crate::support::open(&example.path("data/union.db"));
    union.execute_batch("INSERT INTO memberships VALUES (91, '70091', '2019-01-01', NULL)").unwrap();
    example.stays_at("2027-03-01T00:00:00+01:00", PARTICIPATION);
    assert_eq!(example.state("2027-03-01", "participation", "91"), "spared");
    union.execute_batch("UPDATE memberships SET left_on = '2027-03-01' WHERE id = 91").unwrap();
    example.gone_at("2027-03-01T12:00:00+01:00", PARTICIPATION);
}

#[test]
fn a_former_member_is_no_active_one_and_another_members_number_speaks_for_nobody_else() {
    let example = with_participation("2027-03-01", "'70091'", "'2024-02-29'");
    let union = crate::support::open(&example.path("data/union.db"));
    let sql = "INSERT INTO memberships VALUES (91, '70091', '2019-01-01', '2020-01-01'), (92, '70092', '2019-01-01', NULL)";
    union.execute_batch(sql).unwrap();
    example.goes_at("2027-03-01T00:00:00+01:00", PARTICIPATION);
}

#[test]
fn participation_and_answers_go_at_once_on_request_also_those_of_a_member() {
    let example = with_participation("2024-06-01", "'70091'", "'2024-02-29'");
    let union = crate::support::open(&example.path("data/union.db"));
    union.execute_batch("INSERT INTO memberships VALUES (91, '70091', '2019-01-01', NULL)").unwrap();
    example.sql(
        "INSERT INTO survey_answers VALUES (91, 'Forhandlingsteknik', 'Tove Lund', 'tove@example.org', NULL, NULL,
             'Hvad var godt?', 'Øvelserne', '2024-02-29', NULL)",
    );
    example.stays_at("2024-06-01T10:00:00Z", PARTICIPATION);
    for table in ["participations", "survey_answers"] {
        let requested = "SET erasure_requested_at = '2024-06-01T10:00:01Z' WHERE id = 91";
        example.sql(&format!("UPDATE {table} {requested}"));
    }
    example.stays_at("2024-06-01T10:00:00Z", "survey_answers WHERE id = 91");
    example.goes_at("2024-06-01T10:00:01Z", PARTICIPATION);
    assert_eq!(example.count("survey_answers WHERE id = 91"), 0);
    assert_eq!(example.count("correspondence WHERE participation_id = 91"), 0);
}

/// A recording that ended at a time, or lasts.
fn with_recording(ended_at: &str) -> Example {
    let example = djoef("2025-05-01");
    example.sql(&format!(
        "INSERT INTO recordings VALUES (91, 'Forhandlingsteknik', 'tove.m4a', '2025-05-01T17:00:00+02:00', {ended_at})"
    ));
    std::fs::write(example.path("recordings/tove.m4a"), "a voice").unwrap();
    example
}

#[test]
fn sound_picture_and_voice_go_at_once() {
    let example = with_recording("'2025-05-01T19:00:00+02:00'");
    let file = example.path("recordings/tove.m4a");
    example.stays_at("2025-05-01T18:59:58+02:00", "recordings WHERE id = 91");
    assert!(file.exists());
    example.goes_at("2025-05-01T19:00:00+02:00", "recordings WHERE id = 91");
    assert!(!file.exists());
}

#[test]
fn what_is_being_transmitted_is_left_alone() {
    let example = with_recording("NULL");
    example.stays_at("2025-05-01T23:00:00+02:00", "recordings WHERE id = 91");
    assert!(example.path("recordings/tove.m4a").exists());
}

#[test]
fn a_consent_to_share_membership_goes_5_years_after_it_was_given() {
    for (given_at, due) in [
        ("2024-02-29T08:00:00Z", "2029-03-01T00:00:00+01:00"),
        ("2024-06-30T21:59:59Z", "2029-07-01T00:00:00+02:00"),
        ("2024-06-30T22:00:00Z", "2029-07-02T00:00:00+02:00"),
    ] {
        let example = djoef(due);
        example.sql(&format!(
            "INSERT INTO consents VALUES (91, '70091', 'Tove Lund', 'tove@example.org', '{given_at}')"
        ));
        example.goes_at(due, "consents WHERE id = 91");
    }
}

#[test]
fn an_answer_is_kept_longer_in_anonymised_form() {
    let example = djoef("2027-03-01");
    example.sql(
        "INSERT INTO survey_answers VALUES (91, 'Forhandlingsteknik', 'Tove Lund', 'tove@example.org', 'Bak & Lund',
             'Jurist', 'Hvad var godt?', 'Øvelserne', '2024-02-29', NULL)",
    );
    let named = "survey_answers WHERE id = 91 AND name = 'Tove Lund' AND position = 'Jurist'";
    example.goes_at("2027-03-01T00:00:00+01:00", named);
    let anonymous = "survey_answers WHERE id = 91 AND answer = 'Øvelserne'
        AND coalesce(name, mail, workplace, position) IS NULL";
    example.stays_at("2027-03-01T12:00:00+01:00", anonymous);
    assert_eq!(example.state("2027-03-01T12:00:00+01:00", "survey-answers", "91"), "done");
}

#[test]
fn the_example_runs_end_to_end() {
    for today in ["2024-02-29", "2026-11-21", "2027-01-01"] {
        let example = djoef(today);
        let due = [
            ("participation", 2),
            ("participation-on-request", 1),
            ("survey-answers", 1),
            ("survey-answers-on-request", 1),
            ("sound-picture-voice", 1),
            ("consents", 1),
        ];
        example.end_to_end(&format!("{today}T12:00:00Z"), &due);
        let left = ["participations", "correspondence", "survey_answers", "recordings", "consents"];
        assert_eq!(left.map(|table| example.count(table)), [3, 1, 3, 1, 1]);
        assert_eq!(example.count("survey_answers WHERE name IS NULL"), 2);
        assert!(!example.path("recordings/forhandlingsteknik.m4a").exists());
        assert!(example.path("recordings/statistik.m4a").exists());
    }
}
