//! A training company with a web shop.

use super::example::Example;

fn webshop(today: &str) -> Example {
    Example::new("webshop", "data/shop.db", today)
}

const ENQUIRY: &str = "INSERT INTO enquiries VALUES
    (91, 'Tove Lund', 'tove@example.org', '-', '2024-01-15T12:00:00Z', NULL)";

#[test]
fn an_enquiry_goes_2_years_after_it_was_received() {
    let example = webshop("2026-01-16");
    example.sql(ENQUIRY);
    example.goes_at("2026-01-16T00:00:00+01:00", "enquiries WHERE id = 91");
}

#[test]
fn the_last_reply_starts_the_two_years_anew_and_goes_along() {
    let example = webshop("2026-03-01");
    example.sql(ENQUIRY);
    example
        .sql("INSERT INTO replies VALUES (91, 91, '-', '2024-02-29T22:59:59Z'), (92, 91, '-', '2024-02-01')");
    example.goes_at("2026-03-01T00:00:00+01:00", "enquiries WHERE id = 91");
    assert_eq!(example.count("replies WHERE enquiry_id = 91"), 0);
}

#[test]
fn an_enquiry_stays_where_another_relation_followed() {
    let example = webshop("2030-01-01");
    example.sql(ENQUIRY);
    example.sql("INSERT INTO customers VALUES (91, 'Tove Lund', 'Tove@Example.org', NULL, NULL, NULL, NULL)");
    example.stays_at("2030-01-01", "enquiries WHERE id = 91");
    assert_eq!(example.state("2030-01-01", "enquiries", "91"), "spared");
}

/// Customer 91, whose relationship ended on a day.
fn with_customer(today: &str, ended_on: &str) -> Example {
    let example = webshop(today);
    example.sql(&format!(
        "INSERT INTO customers VALUES (91, 'Tove Lund', 'tove@example.org', {ended_on}, NULL, NULL, NULL);
         INSERT INTO accounts VALUES (91, 91, 'tove', 'argon2id:0000', 'Mågevej 1, 8000 Aarhus C', NULL)"
    ));
    example
}

const CUSTOMER: &str = "customers WHERE id = 91";

#[test]
fn a_customer_without_invoices_goes_5_years_after_the_end_with_the_account() {
    let example = with_customer("2029-03-01", "'2024-02-29'");
    example.goes_at("2029-03-01T00:00:00+01:00", CUSTOMER);
    assert_eq!(example.count("accounts WHERE id = 91"), 0);
}

#[test]
fn a_customer_whose_relationship_lasts_waits() {
    with_customer("2030-01-01", "NULL").stays_at("2030-01-01", CUSTOMER);
}

#[test]
fn a_customer_stays_where_another_relation_followed() {
    let example = with_customer("2029-03-01", "'2024-02-29'");
    example.sql("INSERT INTO enrolments VALUES (91, 91, 'Førstehjælp', NULL)");
    example.stays_at("2029-03-01T00:00:00+01:00", CUSTOMER);
    example.sql("UPDATE enrolments SET ended_on = '2029-03-01' WHERE id = 91");
    example.gone_at("2029-03-01T12:00:00+01:00", CUSTOMER);
}

#[test]
fn a_customer_with_invoices_goes_with_the_last_of_them() {
    let example = with_customer("2031-07-01", "'2024-02-29'");
    example.sql("INSERT INTO invoices VALUES (91, 91, 'Tove Lund', 'Mågevej 1', 100, '2025-07-01')");
    example.stays_at("2031-06-30T21:59:59Z", CUSTOMER);
    assert_eq!(example.state("2031-06-30T21:59:59Z", "customers", "91"), "blocked");
    example.goes_at("2031-07-01T00:00:00+02:00", CUSTOMER);
}

#[test]
fn an_invoice_goes_5_years_after_a_financial_year_that_ends_in_june() {
    for (issued_on, due) in [("2024-06-30", "2029-07-01"), ("2024-07-01", "2030-07-01")] {
        let example = webshop(due);
        example.sql(&format!("INSERT INTO invoices VALUES (91, NULL, 'Tove', '-', 100, '{issued_on}')"));
        example.goes_at(&format!("{due}T00:00:00+02:00"), "invoices WHERE number = 91");
    }
}

#[test]
fn a_customer_goes_before_the_general_deletion_on_request() {
    let example = with_customer("2025-06-01", "'2025-05-01'");
    example.sql("UPDATE customers SET erasure_requested_at = '2025-06-01T10:00:00Z' WHERE id = 91");
    example.goes_at("2025-06-01T10:00:00Z", CUSTOMER);
}

#[test]
fn an_invoice_that_the_law_demands_keeps_a_customer_who_asked_for_erasure() {
    let example = with_customer("2025-06-02", "'2025-05-01'");
    example.sql(
        "UPDATE customers SET erasure_requested_at = '2025-06-01T10:00:00Z' WHERE id = 91;
         INSERT INTO invoices VALUES (91, 91, 'Tove Lund', 'Mågevej 1', 100, '2025-01-10')",
    );
    example.stays_at("2025-06-02", CUSTOMER);
    assert_eq!(example.state("2025-06-02", "customers-on-request", "91"), "blocked");
}

#[test]
fn a_restricted_customer_is_only_stored_until_the_restriction_is_lifted() {
    for requested in ["NULL", "'2029-03-01T10:00:00Z'"] {
        let example = with_customer("2030-01-01", "'2024-02-29'");
        example.sql(&format!(
            "UPDATE customers SET restricted_at = '2028-01-01', erasure_requested_at = {requested} WHERE id = 91"
        ));
        example.stays_at("2030-01-01T00:00:00Z", CUSTOMER);
        example.sql("UPDATE customers SET restriction_lifted_at = '2030-01-01T09:00:00Z' WHERE id = 91");
        example.goes_at("2030-01-01T09:00:00Z", CUSTOMER);
    }
}

#[test]
fn the_invoices_contacts_and_enquiries_of_a_restricted_customer_stay_until_it_is_lifted() {
    let example = with_customer("2034-01-01", "'2024-02-29'");
    example.sql(ENQUIRY);
    example.sql(
        "UPDATE customers SET restricted_at = '2028-01-01' WHERE id = 91;
         INSERT INTO invoices VALUES (91, 91, 'Tove Lund', 'Mågevej 1', 100, '2024-01-10');
         INSERT INTO contacts VALUES (91, 'Tove', 'Tove@Example.org', NULL, 'price', '2024-02-29', NULL),
             (92, 'Tove', 'tove@example.org', NULL, NULL, '2024-02-29', NULL),
             (93, 'Tove', 'tove@example.org', NULL, NULL, '2024-02-29', '2029-01-01T10:00:00Z')",
    );
    let kept = ["invoices WHERE number = 91", "contacts WHERE id = 91", "contacts WHERE id = 92"];
    let kept = kept.into_iter().chain(["contacts WHERE id = 93", "enquiries WHERE id = 91", CUSTOMER]);
    example.purge("2034-01-01T00:00:00Z");
    kept.clone().for_each(|record| assert_eq!(example.count(record), 1, "{record}"));
    assert_eq!(example.state("2034-01-01", "invoices", "91"), "spared");
    example.sql("UPDATE customers SET restriction_lifted_at = '2034-01-01T09:00:00Z' WHERE id = 91");
    example.purge("2034-01-01T09:00:00Z");
    // The next night has the last: what waited for the customer goes once the customer is gone.
    example.purge("2034-01-02T00:00:00Z");
    kept.for_each(|record| assert_eq!(example.count(record), 0, "{record}"));
}

#[test]
fn an_enquiry_and_a_contact_go_at_once_on_request() {
    let example = webshop("2024-06-01");
    example.sql(ENQUIRY);
    example.sql(
        "INSERT INTO replies VALUES (91, 91, '-', '2024-02-01');
         INSERT INTO contacts VALUES (91, 'Tove', 'tove@example.org', NULL, NULL, '2024-02-29', NULL)",
    );
    for record in ["enquiries WHERE id = 91", "contacts WHERE id = 91"] {
        example.stays_at("2024-06-01T10:00:00Z", record);
        let (table, condition) = record.split_once(' ').unwrap();
        let requested = "SET erasure_requested_at = '2024-06-01T10:00:01Z'";
        example.sql(&format!("UPDATE {table} {requested} {condition}"));
        example.goes_at("2024-06-01T10:00:01Z", record);
    }
    assert_eq!(example.count("replies WHERE enquiry_id = 91"), 0);
}

#[test]
fn other_contacts_go_as_their_topic_says_and_never_after_more_than_5_years() {
    for (about, due) in [
        ("'price'", "2024-08-30T00:00:00+02:00"),
        ("'complaint'", "2029-02-28T00:00:00+01:00"),
        ("'cooperation'", "2029-02-28T00:00:00+01:00"),
        ("NULL", "2029-02-28T00:00:00+01:00"),
    ] {
        let example = webshop(due);
        example.sql(&format!(
            "INSERT INTO contacts VALUES (91, 'Tove', NULL, '-', {about}, '2024-02-29', NULL)"
        ));
        example.goes_at(due, "contacts WHERE id = 91");
    }
}

#[test]
fn a_newsletter_recipient_is_kept_until_unsubscribing() {
    let example = webshop("2025-05-01");
    example.sql("INSERT INTO newsletter VALUES (91, 'Tove', 'tove@example.org', NULL)");
    example.stays_at("2025-05-01T00:00:00Z", "newsletter WHERE id = 91");
    example.sql("UPDATE newsletter SET unsubscribed_at = '2025-05-01T09:30:00Z' WHERE id = 91");
    example.goes_at("2025-05-01T09:30:00Z", "newsletter WHERE id = 91");
}

const SESSION: &str = "payment_sessions WHERE token = 's-test'";

#[test]
fn a_payment_session_goes_when_the_customer_is_back() {
    let example = webshop("2025-05-01");
    example.sql(
        "INSERT INTO payment_sessions VALUES ('s-test', 1, '2025-05-01T09:00:00Z', '2025-05-01T09:03:10Z')",
    );
    example.goes_at("2025-05-01T09:03:10Z", SESSION);
}

/// A day is 24 hours here, also on the day on which the clock is set forward.
#[test]
fn an_abandoned_payment_session_goes_after_a_day() {
    let example = webshop("2025-03-31");
    example.sql("INSERT INTO payment_sessions VALUES ('s-test', 1, '2025-03-29T23:30:00Z', NULL)");
    example.goes_at("2025-03-30T23:30:00Z", SESSION);
}

#[test]
fn a_card_is_kept_until_the_month_in_which_it_expires_is_over() {
    for (expires, due) in [("02/2024", "2024-03-01T00:00:00+01:00"), ("12/2024", "2025-01-01T00:00:00+01:00")]
    {
        let example = with_customer(due, "NULL");
        example.sql(&format!("INSERT INTO cards VALUES (91, 91, '0091', '{expires}')"));
        example.goes_at(due, "cards WHERE id = 91");
        assert_eq!(example.count("accounts WHERE id = 91"), 1);
    }
}

#[test]
fn the_example_runs_end_to_end() {
    for today in ["2024-02-29", "2026-11-21", "2027-01-01", "2027-07-01"] {
        let example = webshop(today);
        let due = [
            ("enquiries", 1),
            ("enquiries-on-request", 1),
            ("customers", 2),
            ("customers-on-request", 1),
            ("restricted-customers", 0),
            ("invoices", 2),
            ("other-contacts", 2),
            ("contacts-without-a-topic", 1),
            ("contacts-on-request", 1),
            ("newsletter", 1),
            ("payment-redirect-back", 1),
            ("payment-redirect-abandoned", 1),
            ("cards", 1),
        ];
        example.end_to_end(&format!("{today}T12:00:00Z"), &due);
        let left = ["customers", "enrolments", "accounts", "cards", "invoices", "enquiries", "replies"];
        assert_eq!(left.map(|table| example.count(table)), [5, 2, 2, 1, 2, 3, 3]);
        let left = ["contacts", "newsletter", "payment_sessions", "topics"];
        assert_eq!(left.map(|table| example.count(table)), [2, 1, 1, 4]);
    }
}
