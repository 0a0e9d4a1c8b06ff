//! The files of the demo: a server's access logs, a CSV a month; its other logs and a backup, a file a day; and
//! pictures that rows of the database name.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::belongings::{avatar, picture};
use super::company::{CUSTOMERS, PAGES, ago, date_ago};
use crate::calendar::{Timestamp, Zone};

const AGENTS: [&str; 3] = ["Mozilla/5.0", "\"Mozilla/5.0 (iPad; like \"\"Safari\"\")\"", "curl/8.5.0"];

/// Lines of the last fifteen months, the oldest first.
pub(super) fn access_logs(folder: &Path, now: Timestamp) -> anyhow::Result<()> {
    let mut months: BTreeMap<String, String> = BTreeMap::new();
    for number in (0..5_000).rev() {
        let at = ago(now, number * 451 / 5_000);
        let month = Zone::UTC.date_of(at).format("%Y-%m").to_string();
        let log = months.entry(month).or_insert_with(|| "at,ip,path,agent\n".to_string());
        let (page, agent) = (PAGES[number % PAGES.len()], AGENTS[number % AGENTS.len()]);
        writeln!(log, "{at},192.0.2.{},{page},{agent}", number % 250 + 1)?;
    }
    for (month, log) in months {
        fs::write(folder.join(format!("access-{month}.csv")), log)?;
    }
    Ok(())
}

/// A log a day: nine more than are promised, or eight where a leap day is among them.
pub(super) fn server_logs(folder: &Path, now: Timestamp) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    for days in 0..375 {
        let name = format!("server-{}.log", date_ago(now, days));
        fs::write(folder.join(name), "04:00:00 server: backup written\n")?;
    }
    Ok(())
}

/// What [`super::belongings`] names. What is in them is not looked at.
pub(super) fn pictures(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    for number in 1..=CUSTOMERS {
        fs::write(folder.join(avatar(number)), "a face")?;
        fs::write(folder.join(picture(number)), "a picture")?;
    }
    Ok(())
}

/// A backup a night: five more than are promised. What is in them is not looked at.
pub(super) fn backups(folder: &Path, now: Timestamp) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    for days in 0..36 {
        let name = format!("app-{}.db.zst", date_ago(now, days));
        fs::write(folder.join(name), vec![b'0'; 4_096])?;
    }
    Ok(())
}
