//! What belongs to the demo's customers and contacts, and goes with them.

use rusqlite::{Transaction, params};

use super::company::{CUSTOMERS, ago, email, id, name};
use crate::calendar::Timestamp;

const PLANS: [&str; 4] = ["Morgenmad", "Bussen til arbejde", "Vasketøj", "Ringe til Åse"];
const GOALS: [&str; 3] = ["Gå en tur hver dag", "Lave mad selv", "Komme op, når vækkeuret ringer"];

/// The file with a user's face, below the folder of uploads.
pub(super) fn avatar(number: usize) -> String {
    format!("avatar-{number}.png")
}

/// The file with the picture in a user's message.
pub(super) fn picture(number: usize) -> String {
    format!("picture-{number}.png")
}

/// Every customer has a user with plans, a goal, a friend, and a message with a picture in it.
pub(super) fn of_customers(transaction: &Transaction<'_>, now: Timestamp) -> anyhow::Result<()> {
    let mut user = transaction.prepare("INSERT INTO users VALUES (?1, ?1, ?2, ?3, ?4)")?;
    for number in 1..=CUSTOMERS {
        user.execute(params![id(number), name(number), email(number), avatar(number)])?;
    }
    for number in 1..=CUSTOMERS {
        writings(transaction, number, now)?;
    }
    Ok(())
}

fn writings(transaction: &Transaction<'_>, number: usize, now: Timestamp) -> anyhow::Result<()> {
    let user = id(number);
    let friend = id(number % CUSTOMERS + 1);
    let at = ago(now, number).to_string();
    for title in PLANS.iter().take(1 + number % PLANS.len()) {
        transaction.execute("INSERT INTO activities VALUES (NULL, ?1, ?2, ?3)", params![user, title, at])?;
    }
    let goal = GOALS[number % GOALS.len()];
    transaction.execute("INSERT INTO goals VALUES (?1, ?1, ?2)", params![user, goal])?;
    transaction.execute("INSERT INTO relations VALUES (?1, ?2, 'friend')", params![user, friend])?;
    let message = "INSERT INTO messages VALUES (?1, ?1, ?2, 'Se her!', ?3)";
    transaction.execute(message, params![user, friend, at])?;
    transaction.execute("INSERT INTO pictures VALUES (?1, ?1, ?2)", params![user, picture(number)])?;
    Ok(())
}

/// Every fourth contact once asked the support.
pub(super) fn of_contacts(transaction: &Transaction<'_>) -> anyhow::Result<()> {
    transaction.execute_batch(
        "INSERT INTO enquiries SELECT id, id, 'Glemt adgangskode', 'Jeg kan ikke logge ind.'
         FROM contacts WHERE id % 4 = 0",
    )?;
    Ok(())
}
