//! The ledger, open for a run to write to.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};

use crate::ledger::chain::{Step, Walk};
use crate::ledger::error::{LedgerError, io_error};
use crate::ledger::event::Event;
use crate::ledger::finding::{Fault, Finding};
use crate::ledger::folder::{StateFolder, beside};
use crate::ledger::head::{self, Head};
use crate::ledger::history::{Chronicle, History};
use crate::ledger::line::{self, LONGEST, is_plain};
use crate::ledger::link::Link;
use crate::ledger::lock::RunLock;
use crate::ledger::moment::Moment;
use crate::ledger::torn::{self, Torn};

/// The ledger, open for the run that holds the lock.
#[derive(Debug)]
pub struct Ledger<'lock> {
    folder: &'lock StateFolder,
    file: File,
    run: String,
    last: Link,
    length: u64,
    poisoned: bool,
    history: History,
    torn: Option<Torn>,
}

impl<'lock> Ledger<'lock> {
    /// Opens the ledger for entries of this run, and makes it where there is none.
    ///
    /// The whole chain is checked first, and a broken one is an error before
    /// anything is written. A torn last line is moved to `ledger.torn` and told
    /// of by [`Ledger::torn`]; files that a killed run left half-written are erased.
    pub fn open(lock: &'lock RunLock, run: &str) -> Result<Ledger<'lock>, LedgerError> {
        let rule = "only ASCII letters, digits and - + : . _";
        fit("run id", run, rule, is_plain(run))?;
        let folder = lock.folder();
        let file = open_file(folder)?;
        let survey = Survey::of(folder, &file)?;
        // Under a killed run's id, this one's entries would confirm its batches.
        let fresh = survey.history.unfinished.iter().all(|unfinished| unfinished.run != run);
        fit("run id", run, "a killed run has it already", fresh)?;
        let torn = survey.set_aside(folder, &file)?;
        folder.erase(&beside(&folder.head()))?;
        folder.erase(&beside(&folder.pending()))?;
        let Survey { last, length, history, .. } = survey;
        Ok(Ledger { folder, file, run: run.to_owned(), last, length, poisoned: false, history, torn })
    }

    /// What runs before this one left.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The torn last line that opening set aside.
    pub fn torn(&self) -> Option<&Torn> {
        self.torn.as_ref()
    }

    /// The name of the run that writes.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The last entry.
    pub fn last(&self) -> Option<Link> {
        (self.last != Link::START).then_some(self.last)
    }

    /// Writes an entry; [`Ledger::sync`] makes it durable. A line that could not
    /// be written whole is taken back, so that the next one can be tried.
    pub fn append(&mut self, at: &str, event: &Event) -> Result<Link, LedgerError> {
        self.usable()?;
        fit_time("at", at)?;
        if let Event::RunStarted(started) = event {
            fit_time("now", &started.now)?;
        }
        let (line, link) = line::compose(self.last, at, &self.run, event)?;
        fit("entry of length", &line.len().to_string(), "at most 1 MiB", line.len() <= LONGEST)?;
        self.write(line.as_bytes())?;
        self.last = link;
        Ok(link)
    }

    /// Waits until all entries are on the disk.
    pub fn sync(&mut self) -> Result<(), LedgerError> {
        self.usable()?;
        // After a failed sync the system may drop the pages and report the next
        // one as good, so nothing can be promised any more.
        self.file.sync_data().map_err(|error| {
            self.poisoned = true;
            io_error("sync", &self.folder.ledger())(error)
        })
    }

    /// Waits until all entries are on the disk, then makes the last one the head.
    pub fn seal(&mut self) -> Result<(), LedgerError> {
        self.sync()?;
        head::write(self.folder, self.last)
    }

    fn usable(&self) -> Result<(), LedgerError> {
        if self.poisoned { Err(LedgerError::Poisoned { path: self.folder.ledger() }) } else { Ok(()) }
    }

    fn write(&mut self, line: &[u8]) -> Result<(), LedgerError> {
        let path = self.folder.ledger();
        let found = self.file.metadata().map_err(io_error("look at", &path))?.len();
        if found != self.length {
            self.poisoned = true;
            return Err(LedgerError::ChangedMeanwhile { path });
        }
        if let Err(error) = self.file.write_all(line) {
            self.poisoned = self.file.set_len(self.length).is_err();
            return Err(io_error("write", &path)(error));
        }
        self.length += line.len() as u64;
        Ok(())
    }
}

fn fit(field: &'static str, value: &str, rule: &'static str, fits: bool) -> Result<(), LedgerError> {
    if fits { Ok(()) } else { Err(LedgerError::Unfit { field, value: value.to_owned(), rule }) }
}

fn fit_time(field: &'static str, value: &str) -> Result<(), LedgerError> {
    let rule = "a time in RFC 3339, as 2026-11-20T01:00:00Z";
    fit(field, value, rule, Moment::parse(value).is_some())
}

/// The ledger's file. The head is made before it, so a ledger without a head
/// has lost it, and no kill can look like that.
fn open_file(folder: &StateFolder) -> Result<File, LedgerError> {
    let path = folder.ledger();
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    if let Some(file) = folder.open_if_there(&path, &options)? {
        return Ok(file);
    }
    match head::read(folder)? {
        Head::Missing => head::write(folder, Link::START)?,
        Head::Names(Link::START) => {}
        Head::Names(head) => return Err(broken(folder, Fault::LedgerMissing { head })),
        Head::Unreadable => return Err(broken(folder, Fault::HeadUnreadable)),
    }
    folder.open_or_create(&path, &options)
}

fn broken(folder: &StateFolder, fault: Fault) -> LedgerError {
    LedgerError::Broken { path: folder.ledger(), finding: Finding { line: None, fault } }
}

/// What stands in a ledger whose chain is whole.
#[derive(Debug)]
struct Survey {
    last: Link,
    length: u64,
    history: History,
    torn: Vec<u8>,
}

impl Survey {
    fn of(folder: &StateFolder, file: &File) -> Result<Survey, LedgerError> {
        let head = match head::read(folder)? {
            Head::Names(head) => head,
            Head::Missing => return Err(broken(folder, Fault::HeadMissing)),
            Head::Unreadable => return Err(broken(folder, Fault::HeadUnreadable)),
        };
        let (survey, head_seen) = Survey::walk(folder, file, head)?;
        match head_seen {
            true => Ok(survey),
            false => Err(broken(folder, Fault::of_head(head, survey.last.seq))),
        }
    }

    fn walk(folder: &StateFolder, file: impl Read, head: Link) -> Result<(Survey, bool), LedgerError> {
        let path = folder.ledger();
        let mut walk = Walk::new(file);
        let mut chronicle = Chronicle::default();
        let mut torn = Vec::new();
        let mut head_seen = head == Link::START;
        while let Some(step) = walk.step().map_err(io_error("read", &path))? {
            match step {
                Step::Wrong(finding) => return Err(LedgerError::Broken { path, finding }),
                Step::Torn(bytes) => torn = bytes.to_vec(),
                Step::Entry(line) => {
                    head_seen |= line.link == head;
                    chronicle.read(&line);
                }
            }
        }
        let (last, length) = (walk.last, walk.length);
        Ok((Survey { last, length, history: chronicle.finish_reading(), torn }, head_seen))
    }

    fn set_aside(&self, folder: &StateFolder, file: &File) -> Result<Option<Torn>, LedgerError> {
        if self.torn.is_empty() {
            return Ok(None);
        }
        torn::set_aside(folder, file, self.length, &self.torn)?;
        Ok(Some(Torn { line: self.last.seq + 1, bytes: self.torn.len() as u64, path: folder.torn() }))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::ledger::{BatchUndone, verify};

    const AT: &str = "2026-11-20T01:00:00Z";

    fn event() -> Event {
        Event::BatchUndone(BatchUndone { rule: "orders".to_owned(), number: 1 })
    }

    /// Gives the work a ledger of one entry.
    fn with_ledger(work: impl FnOnce(&mut Ledger<'_>)) {
        let dir = tempfile::tempdir().unwrap();
        let folder = StateFolder::create(&dir.path().join("state")).unwrap();
        let lock = RunLock::acquire(&folder).unwrap();
        let mut ledger = Ledger::open(&lock, "a").unwrap();
        ledger.append(AT, &event()).unwrap();
        work(&mut ledger);
        assert_eq!(verify(folder.path(), None).unwrap().entries, 1);
    }

    fn assert_poisoned(ledger: &mut Ledger<'_>) {
        let refusals = [ledger.append(AT, &event()).map(drop), ledger.sync(), ledger.seal()];
        for refusal in refusals {
            assert!(matches!(refusal, Err(LedgerError::Poisoned { .. })), "{refusal:?}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_taken_back_ends_the_writing() {
        with_ledger(|ledger| {
            // Neither a write nor a cut works on a descriptor that only reads.
            let reading = File::open(ledger.folder.ledger()).unwrap();
            let writing = std::mem::replace(&mut ledger.file, reading);
            assert!(matches!(ledger.append(AT, &event()), Err(LedgerError::Io { action: "write", .. })));
            ledger.file = writing;
            assert_poisoned(ledger);
        });
    }

    #[test]
    fn a_failed_sync_ends_the_writing_and_leaves_the_head() {
        with_ledger(|ledger| {
            let head = fs::read(ledger.folder.head()).unwrap();
            let unsyncable = File::open("/dev/null").unwrap();
            let writing = std::mem::replace(&mut ledger.file, unsyncable);
            assert!(matches!(ledger.seal(), Err(LedgerError::Io { action: "sync", .. })));
            ledger.file = writing;
            assert_poisoned(ledger);
            assert_eq!(fs::read(ledger.folder.head()).unwrap(), head);
        });
    }
}
