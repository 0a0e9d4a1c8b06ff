//! Mobilize Me: planning apps.

use std::fs;

use super::example::Example;

fn mobilize_me(today: &str) -> Example {
    Example::new("mobilize-me", "data/app.db", today)
}

#[test]
fn an_invoice_goes_5_years_after_the_end_of_its_financial_year() {
    for (issued_at, due) in
        [("29-02-2020", "2026-01-01"), ("31-12-2020", "2026-01-01"), ("01-01-2021", "2027-01-01")]
    {
        let example = mobilize_me(due);
        example.sql(&format!("INSERT INTO invoices VALUES (91, 1, 'Tove', '-', 100, '{issued_at}')"));
        example.goes_at(&format!("{due}T00:00:00+01:00"), "invoices WHERE number = 91");
    }
}

#[test]
fn a_line_of_the_access_log_goes_after_1_year_and_the_others_stay_as_they_are() {
    // The day of two lines, in UTC the last second of it and the first of the next one in Copenhagen.
    for (day, before, due) in [
        ("2024-02-29", "2025-02-28T22:59:59Z", "2025-02-28T23:00:00Z"),
        ("2024-02-10", "2025-02-10T22:59:59Z", "2025-02-10T23:00:00Z"),
    ] {
        let example = mobilize_me("2025-03-01");
        let log = example.path("data/access-2024-02.csv");
        let header = "at,ip,path,agent\n";
        let old = format!("{day}T22:59:59Z,192.0.2.9,/,x\n");
        let young = format!("{day}T23:00:00Z,192.0.2.9,/,\"x\"\n");
        fs::write(&log, [header, &old, &young].concat()).unwrap();
        example.purge(before);
        assert_eq!(fs::read_to_string(&log).unwrap(), [header, &old, &young].concat());
        example.purge(due);
        assert_eq!(fs::read_to_string(&log).unwrap(), [header, &young].concat());
    }
}

/// A file is there a second before a time, and not from then on.
fn file_goes_at(example: &Example, due: &str, before: &str, name: &str) {
    let path = example.path(name);
    fs::write(&path, "-").unwrap();
    example.purge(before);
    assert!(path.exists(), "{name} is gone at {before}");
    example.purge(due);
    assert!(!path.exists(), "{name} is there at {due}");
}

#[test]
fn a_server_log_goes_after_1_year() {
    let example = mobilize_me("2025-03-01");
    let name = "logs/server-2024-02-29.log";
    file_goes_at(&example, "2025-03-01T00:00:00+01:00", "2025-02-28T23:59:59+01:00", name);
}

#[test]
fn a_backup_goes_after_30_days() {
    let example = mobilize_me("2024-03-31");
    let name = "backups/app-2024-02-29.db.zst";
    file_goes_at(&example, "2024-03-31T00:00:00+01:00", "2024-03-30T23:59:59+01:00", name);
}

#[test]
fn the_last_backup_is_never_deleted() {
    let example = mobilize_me("2024-03-31");
    fs::remove_dir_all(example.path("backups")).unwrap();
    fs::create_dir(example.path("backups")).unwrap();
    let last = example.path("backups/app-2020-02-29.db.zst");
    fs::write(&last, "-").unwrap();
    example.purge("2024-03-31T00:00:00Z");
    assert!(last.exists());
}

/// Customer 91, whose relationship ended on a day, with a user and all that belongs to it.
fn with_customer(today: &str, ended_at: &str) -> Example {
    let example = mobilize_me(today);
    example.sql(&format!(
        "INSERT INTO customers VALUES (91, 'Tove Lund', 'tove@example.org', {ended_at}, NULL);
         INSERT INTO users VALUES (91, 91, 'Tove Lund', NULL, 'tove.png');
         INSERT INTO activities VALUES (91, 91, 'Frokost', '2024-01-10T11:00:00Z');
         INSERT INTO goals VALUES (91, 91, 'Gå en tur');
         INSERT INTO relations VALUES (91, 1, 'friend'), (1, 91, 'friend');
         INSERT INTO messages VALUES (91, 91, 1, 'Se!', '2024-01-10T11:00:00Z'), (92, 1, 91, 'Flot', '2024-01-10');
         INSERT INTO pictures VALUES (91, 91, 'tur.png')"
    ));
    for file in ["uploads/tove.png", "uploads/tur.png"] {
        fs::write(example.path(file), "a picture").unwrap();
    }
    example
}

/// What belongs to customer 91, one row in each.
const BELONGINGS: [&str; 6] = [
    "users WHERE id = 91",
    "activities WHERE user_id = 91",
    "goals WHERE user_id = 91",
    "relations WHERE user_id = 91",
    "relations WHERE other_id = 91",
    "messages WHERE sender_id = 91",
];

#[test]
fn application_data_goes_3_months_after_the_relationship_ended() {
    for (ended_at, due) in [
        ("2023-11-29", "2024-03-01T00:00:00+01:00"),
        ("2023-11-30", "2024-03-01T00:00:00+01:00"),
        ("2024-02-29", "2024-05-30T00:00:00+02:00"),
    ] {
        let example = with_customer(due, &format!("'{ended_at}'"));
        BELONGINGS.iter().for_each(|rows| assert_eq!(example.count(rows), 1, "{rows}"));
        example.goes_at(due, "customers WHERE id = 91");
        BELONGINGS.iter().for_each(|rows| assert_eq!(example.count(rows), 0, "{rows}"));
        // What others wrote to the customer is theirs.
        assert_eq!(example.count("messages WHERE id = 92 AND recipient_id IS NULL"), 1);
    }
}

#[test]
fn pictures_and_avatars_go_with_the_rows_that_name_them() {
    let example = with_customer("2024-05-30", "'2024-02-29'");
    let files = ["uploads/tove.png", "uploads/tur.png"].map(|file| example.path(file));
    example.stays_at("2024-05-29T23:59:59+02:00", "pictures WHERE id = 91");
    assert!(files.iter().all(|file| file.exists()));
    example.goes_at("2024-05-30T00:00:00+02:00", "pictures WHERE id = 91");
    assert!(files.iter().all(|file| !file.exists()));
}

#[test]
fn application_data_stays_while_the_relationship_lasts() {
    let example = with_customer("2030-01-01", "NULL");
    example.stays_at("2030-01-01", "customers WHERE id = 91");
    BELONGINGS.iter().for_each(|rows| assert_eq!(example.count(rows), 1, "{rows}"));
}

#[test]
fn application_data_goes_at_once_on_request_with_all_that_belongs_to_it() {
    for ended_at in ["NULL", "'2024-05-29'"] {
        let example = with_customer("2024-05-30", ended_at);
        example.sql("INSERT INTO invoices VALUES (91, 91, 'Tove Lund', '-', 100, '28-02-2024')");
        example.stays_at("2024-05-30T08:00:00Z", "customers WHERE id = 91");
        example.sql("UPDATE customers SET erasure_requested_at = '2024-05-30T08:00:01Z' WHERE id = 91");
        example.goes_at("2024-05-30T08:00:01Z", "customers WHERE id = 91");
        BELONGINGS.iter().for_each(|rows| assert_eq!(example.count(rows), 0, "{rows}"));
        let pictures = ["uploads/tove.png", "uploads/tur.png"];
        assert!(pictures.iter().all(|file| !example.path(file).exists()));
        // What the bookkeeping act demands stays.
        assert_eq!(example.count("invoices WHERE number = 91"), 1);
    }
}

#[test]
fn application_data_is_gone_everywhere_13_months_after_the_end() {
    let example = mobilize_me("2024-05-30");
    example.at("2024-05-30", &["check", "--deny-warnings"]).expect(0);
    let policy = example.path("policies/mobilize-me.toml");
    let promise = fs::read_to_string(&policy).unwrap();
    // Backups of a year would break it.
    fs::write(&policy, promise.replace("\"30 days\"", "\"1 year\"")).unwrap();
    let check = example.at("2024-05-30", &["check"]).expect(1);
    assert!(check.out.contains("error[gone-too-late]"), "{check:?}");
    // The periods add up to far less than the notice says.
    fs::write(&policy, promise.replace("\"13 months\"", "\"5 months\"")).unwrap();
    example.at("2024-05-30", &["check"]).expect(0);
}

/// What the policy's comment says of logs that lie in backups.
#[test]
fn a_year_of_logs_and_30_days_of_backups_are_more_than_13_months() {
    let example = mobilize_me("2024-05-30");
    let policy = example.path("policies/mobilize-me.toml");
    let text = fs::read_to_string(&policy).unwrap();
    let (before, rule) = text.split_once("name     = \"logs\"\n").unwrap();
    let before = before.replace("copies-of = [\"app\"]", "copies-of = [\"app\", \"access-log\"]");
    fs::write(&policy, format!("{before}name = \"logs\"\ngone-within = \"13 months\"\n{rule}")).unwrap();
    let check = example.at("2024-05-30", &["check"]).expect(1);
    assert!(check.out.contains("error[gone-too-late]: rule `logs`"), "{check:?}");
}

/// Contact 91 with an enquiry; of customer 91, or of none.
fn with_contact(today: &str, customer_no: &str, last_contact_at: &str) -> Example {
    let example = mobilize_me(today);
    example.sql(&format!(
        "INSERT INTO contacts VALUES (91, 'Tove Lund', 'tove@example.org', {customer_no}, '{last_contact_at}', NULL);
         INSERT INTO enquiries VALUES (91, 91, 'Hjælp', '-')"
    ));
    example
}

#[test]
fn a_contact_goes_at_most_12_months_after_the_purpose_ended() {
    for (last, due) in [("2024-02-29", "2025-02-28"), ("2024-01-15", "2025-01-15")] {
        with_contact(due, "NULL", last).goes_at(&format!("{due}T00:00:00+01:00"), "contacts WHERE id = 91");
    }
}

#[test]
fn a_contact_who_was_invoiced_is_kept_up_to_5_years() {
    let example = with_contact("2029-02-28", "91", "2024-02-29");
    example.sql("INSERT INTO invoices VALUES (91, 91, 'Tove Lund', '-', 100, '28-02-2024')");
    example.goes_at("2029-02-28T00:00:00+01:00", "contacts WHERE id = 91");
}

#[test]
fn a_contact_goes_at_once_on_request_invoiced_or_not() {
    for customer_no in ["NULL", "91"] {
        let example = with_contact("2024-03-10", customer_no, "2024-02-29");
        example.sql("INSERT INTO invoices VALUES (91, 91, 'Tove Lund', '-', 100, '28-02-2024')");
        example.stays_at("2024-03-10T08:00:00Z", "contacts WHERE id = 91");
        example.sql("UPDATE contacts SET erasure_requested_at = '2024-03-10T08:00:01Z' WHERE id = 91");
        example.goes_at("2024-03-10T08:00:01Z", "contacts WHERE id = 91");
        assert_eq!(example.count("enquiries WHERE contact_id = 91"), 0);
    }
}

#[test]
fn a_customer_number_without_invoices_is_no_invoicing_relationship() {
    let example = with_contact("2025-02-28", "91", "2024-02-29");
    example.goes_at("2025-02-28T00:00:00+01:00", "contacts WHERE id = 91");
}

#[test]
fn support_enquiries_are_kept_as_part_of_the_relationship() {
    let example = with_contact("2025-02-28", "NULL", "2024-02-29");
    example.goes_at("2025-02-28T00:00:00+01:00", "enquiries WHERE id = 91");
    let example = with_contact("2029-02-28", "91", "2024-02-29");
    example.sql("INSERT INTO invoices VALUES (91, 91, 'Tove Lund', '-', 100, '28-02-2024')");
    example.goes_at("2029-02-28T00:00:00+01:00", "enquiries WHERE id = 91");
}

#[test]
fn web_analytics_go_after_14_months_events_and_identifiers_alike() {
    for (milliseconds, due) in [
        // 2024-02-29 at 23:59:59.999 in Copenhagen, and a millisecond later.
        ("1709247599999", "2025-04-30T00:00:00+02:00"),
        ("1709247600000", "2025-05-02T00:00:00+02:00"),
    ] {
        let example = mobilize_me(due);
        example.sql(&format!(
            "INSERT INTO page_views VALUES ('v0091', {milliseconds}, '/'); INSERT INTO visitors VALUES ('v0091', {milliseconds})"
        ));
        example.goes_at(due, "page_views WHERE visitor = 'v0091'");
        assert_eq!(example.count("visitors WHERE visitor = 'v0091'"), 0);
    }
}

#[test]
fn a_visitor_number_goes_14_months_after_the_last_visit() {
    let example = mobilize_me("2025-04-30");
    example.sql("INSERT INTO visitors VALUES ('v0091', 1709247599999)");
    example.goes_at("2025-04-30T00:00:00+02:00", "visitors WHERE visitor = 'v0091'");
}

#[test]
fn the_example_runs_end_to_end() {
    for today in ["2024-02-29", "2026-11-21", "2027-01-01"] {
        let example = mobilize_me(today);
        let due = [
            ("billing", 1),
            ("app-data", 1),
            ("app-data-on-request", 1),
            ("logs", 2),
            ("server-logs", 1),
            ("backups", 2),
            ("contacts", 1),
            ("invoiced-contacts", 1),
            ("contacts-on-request", 1),
            ("analytics", 2),
            ("visitor-numbers", 1),
        ];
        example.end_to_end(&format!("{today}T12:00:00Z"), &due);
        let left = ["customers", "users", "relations", "activities", "goals", "messages", "pictures"];
        assert_eq!(left.map(|table| example.count(table)), [3, 2, 1, 1, 1, 2, 2]);
        let left = ["invoices", "contacts", "enquiries", "page_views", "visitors"];
        assert_eq!(left.map(|table| example.count(table)), [2, 2, 1, 1, 1]);
        assert!(!example.path("uploads/frokost.png").exists());
        for file in ["avatar-bo.png", "avatar-astrid.png", "dragoer.png", "hund.png"] {
            assert!(example.path("uploads").join(file).exists(), "{file}");
        }
    }
}
