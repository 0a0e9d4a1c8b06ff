//! Reading a ledger entry by entry, to show it.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::calendar::{Timestamp, Zone};
use crate::ledger::chain::{Lines, Piece};
use crate::ledger::error::{LedgerError, io_error};
use crate::ledger::event::Event;
use crate::ledger::folder::StateFolder;
use crate::ledger::line::Line;
use crate::ledger::link::{Hash, Link};

/// What every entry has; the rest are its event's own fields.
const COMMON: [&str; 6] = ["seq", "at", "run", "event", "prev", "hash"];

/// One entry, as it stands in the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its number, and the hash that it gives for itself.
    pub link: Link,
    /// When it was written.
    pub at: String,
    /// The run that wrote it.
    pub run: String,
    /// The event's name.
    pub name: String,
    /// The event's own fields, with any that this version does not know.
    pub fields: Map<String, Value>,
    /// The event, if this version understands it.
    pub event: Option<Event>,
    /// The hash that it gives for the entry before.
    pub prev: Hash,
}

/// The entries of the ledger in this state folder, in their order.
///
/// It checks the form of each line, not the chain; that is for
/// [`verify`](crate::ledger::verify()). A line that cannot be read is an error that
/// names it, and the ones after it are still read.
pub fn entries(state: &Path) -> Result<Entries, LedgerError> {
    let folder = StateFolder::unchecked(state);
    let path = folder.ledger();
    let file = folder.open_if_there(&path, OpenOptions::new().read(true))?;
    let file = file.ok_or_else(|| io_error("open", &path)(ErrorKind::NotFound.into()))?;
    Ok(Entries { lines: Lines::new(file), path, failed: false })
}

/// When a run of a policy last ended with 0, in seconds since 1970-01-01 UTC; none where no entry says so.
pub fn last_success(state: &Path, policy: &str) -> Option<i64> {
    let (mut of_policy, mut last) = (None, None);
    for entry in entries(state).ok()?.map_while(Result::ok) {
        match &entry.event {
            Some(Event::RunStarted(started)) if started.policy == policy => of_policy = Some(entry.run),
            Some(Event::RunFinished(ended))
                if ended.exit_code == 0 && of_policy.as_ref() == Some(&entry.run) =>
            {
                last = Some(entry.at);
            }
            _ => {}
        }
    }
    Timestamp::parse_now(&last?, &Zone::UTC).ok().map(Timestamp::seconds)
}

/// An iterator over the entries of a ledger.
#[derive(Debug)]
pub struct Entries {
    lines: Lines<File>,
    path: PathBuf,
    failed: bool,
}

impl Iterator for Entries {
    type Item = Result<Entry, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let entry = match self.lines.read() {
            Ok(None) => return None,
            Ok(Some(Piece::Whole)) => self.entry(),
            Ok(Some(Piece::Torn)) => Err(self.unreadable("the last line is torn")),
            Ok(Some(Piece::TooLong)) => Err(self.unreadable("too long for an entry")),
            Err(error) => Err(self.fail(error)),
        };
        Some(entry)
    }
}

impl Entries {
    fn entry(&self) -> Result<Entry, LedgerError> {
        let parsed = Line::split(self.lines.bytes()).and_then(|line| parse(&line));
        parsed.ok_or_else(|| self.unreadable("not an entry as frist writes it"))
    }

    fn unreadable(&self, reason: &str) -> LedgerError {
        let (path, line) = (self.path.clone(), Some(self.lines.count));
        LedgerError::Unreadable { path, line, reason: reason.to_owned() }
    }

    fn fail(&mut self, error: io::Error) -> LedgerError {
        self.failed = true;
        io_error("read", &self.path)(error)
    }
}

fn parse(line: &Line<'_>) -> Option<Entry> {
    let mut fields: Map<String, Value> = serde_json::from_str(line.text).ok()?;
    fields.retain(|name, _| !COMMON.contains(&name.as_str()));
    Some(Entry {
        link: line.link,
        at: line.at.to_owned(),
        run: line.run.to_owned(),
        name: line.event.to_owned(),
        fields,
        event: serde_json::from_str(line.text).ok(),
        prev: line.prev,
    })
}
