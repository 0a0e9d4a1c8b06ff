//! An example's folder: its policy, databases made from SQL, and every other file, with dates filled in.

use std::fs;
use std::path::Path;

use anyhow::Context;
use frist::calendar::{Timestamp, Zone};
use rusqlite::Connection;

/// Builds `examples/NAME` of the project in a folder, as of a day in UTC.
pub(crate) fn build(project: &Path, name: &str, folder: &Path, today: Timestamp) -> anyhow::Result<()> {
    let policy = format!("{name}.toml");
    fs::create_dir_all(folder.join("policies"))?;
    fs::copy(project.join("policies").join(&policy), folder.join("policies").join(&policy))
        .with_context(|| format!("there is no policy {policy}"))?;
    copy(&project.join("examples").join(name), folder, today)
}

fn copy(from: &Path, to: &Path, today: Timestamp) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).context("a name that is no text")?;
        let target = to.join(dated(name, today)?);
        if name.ends_with(".db") {
            database(&path, &target, today).with_context(|| path.display().to_string())?;
        } else if path.is_dir() {
            copy(&path, &target, today)?;
        } else if name != "README.md" {
            fs::write(target, content(&path, today)?)?;
        }
    }
    Ok(())
}

/// A folder `NAME.db` with `schema.sql` and `data.sql` becomes a database.
fn database(from: &Path, to: &Path, today: Timestamp) -> anyhow::Result<()> {
    let connection = Connection::open(to)?;
    for part in ["schema.sql", "data.sql"] {
        let sql = fs::read_to_string(from.join(part))?;
        connection.execute_batch(&format!("BEGIN; {} COMMIT;", dated(&sql, today)?))?;
    }
    Ok(())
}

/// Dates are filled into text; anything else, a picture for example, stays as it is.
fn content(path: &Path, today: Timestamp) -> anyhow::Result<Vec<u8>> {
    match String::from_utf8(fs::read(path)?) {
        Ok(text) => Ok(dated(&text, today)?.into_bytes()),
        Err(bytes) => Ok(bytes.into_bytes()),
    }
}

/// `{-90}` becomes the date of ninety days ago, `{+30}` that of thirty days from now.
fn dated(text: &str, today: Timestamp) -> anyhow::Result<String> {
    let mut parts = text.split('{');
    let mut filled = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (days, rest) = part.split_once('}').context("a brace that is not closed")?;
        let days: i64 = days.parse().with_context(|| format!("{days:?} is no number of days"))?;
        let day = today.plus_seconds(days * 86_400).context("a day that no calendar has")?;
        filled.push_str(&Zone::UTC.date_of(day).to_string());
        filled.push_str(rest);
    }
    Ok(filled)
}
