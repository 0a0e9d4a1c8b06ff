//! The data of the demo: names and addresses that belong to nobody, dates relative to today.

use std::path::Path;

use rusqlite::{Connection, Transaction, params};

use super::belongings;
use crate::calendar::{Date, Timestamp, Zone};

const SCHEMA: &str = include_str!("../../../examples/mobilize-me/data/app.db/schema.sql");

const GIVEN: [&str; 8] = ["Astrid", "Bo", "Cecilie", "Ditlev", "Ea", "Frode", "Gro", "Håkon"];
const FAMILY: [&str; 7] = ["Lund", "Bak", "Østerlund", "Vang", "Skovby", "Åkjær", "Højmark"];
const STREETS: [&str; 5] = ["Mågevej", "Birkealle", "Søndre Torv", "Åparken", "Kirsebærhaven"];
pub(super) const PAGES: [&str; 4] = ["/", "/priser", "/kontakt", "/plan"];

/// How many customers there are.
pub(super) const CUSTOMERS: usize = 120;

/// Builds the database.
pub(super) fn database(path: &Path, now: Timestamp) -> anyhow::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA journal_mode = WAL")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.execute_batch("INSERT INTO schema_migrations VALUES (1), (2), (3)")?;
    customers(&transaction, now)?;
    belongings::of_customers(&transaction, now)?;
    invoices(&transaction, now)?;
    contacts(&transaction, now)?;
    belongings::of_contacts(&transaction)?;
    page_views(&transaction, now)?;
    transaction
        .execute_batch("INSERT INTO visitors SELECT visitor, max(at) FROM page_views GROUP BY visitor")?;
    transaction.commit()?;
    Ok(())
}

/// A row's number as the database stores it.
pub(super) fn id(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn name(number: usize) -> String {
    format!("{} {}", GIVEN[number % GIVEN.len()], FAMILY[number % FAMILY.len()])
}

pub(super) fn email(number: usize) -> String {
    format!("person{number}@example.org")
}

pub(super) fn ago(now: Timestamp, days: usize) -> Timestamp {
    let seconds = id(days) * 86_400;
    now.plus_seconds(-seconds).unwrap_or(now)
}

pub(super) fn date_ago(now: Timestamp, days: usize) -> Date {
    Zone::UTC.date_of(ago(now, days))
}

/// Every fifth customer has left, between 10 and 250 days ago; two asked yesterday to be forgotten.
fn customers(transaction: &Transaction<'_>, now: Timestamp) -> anyhow::Result<()> {
    let mut insert = transaction.prepare("INSERT INTO customers VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for number in 1..=CUSTOMERS {
        let ended = (number % 5 == 0).then(|| date_ago(now, 10 + number * 2).to_string());
        let requested = asked(number, now);
        insert.execute(params![id(number), name(number), email(number), ended, requested])?;
    }
    Ok(())
}

/// When somebody asked for erasure: yesterday, if ever.
fn asked(number: usize, now: Timestamp) -> Option<String> {
    (number % 60 == 7).then(|| ago(now, 1).to_string())
}

fn invoices(transaction: &Transaction<'_>, now: Timestamp) -> anyhow::Result<()> {
    let mut insert = transaction.prepare("INSERT INTO invoices VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for number in 0..900 {
        let customer = number % CUSTOMERS + 1;
        let address = format!("{} {}, 8000 Aarhus", STREETS[number % STREETS.len()], number % 90 + 1);
        let issued = date_ago(now, number * 37 % 2_350).format("%d-%m-%Y").to_string();
        let amount = 250.0 + (number % 40) as f64 * 12.5;
        insert.execute(params![
            id(20_000 + number),
            id(customer),
            name(customer),
            address,
            amount,
            issued
        ])?;
    }
    Ok(())
}

/// Every third contact became a customer; some asked yesterday to be forgotten.
fn contacts(transaction: &Transaction<'_>, now: Timestamp) -> anyhow::Result<()> {
    let mut insert = transaction.prepare("INSERT INTO contacts VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for number in 1..=300 {
        let last = date_ago(now, number * 7 % 440).to_string();
        let customer = (number % 3 == 0).then(|| id(number / 3));
        let requested = asked(number, now);
        insert.execute(params![id(number), name(number), email(number), customer, last, requested])?;
    }
    Ok(())
}

fn page_views(transaction: &Transaction<'_>, now: Timestamp) -> anyhow::Result<()> {
    let mut insert = transaction.prepare("INSERT INTO page_views VALUES (?1, ?2, ?3)")?;
    for number in 0..4_000 {
        let visitor = format!("v{:04x}", number * 7_919 % 65_536);
        let at = ago(now, number * 481 / 4_000).seconds() * 1_000 + id(number);
        insert.execute(params![visitor, at, PAGES[number % PAGES.len()]])?;
    }
    Ok(())
}
