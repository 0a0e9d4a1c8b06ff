//! Whether a ledger is what frist wrote: offline, without writing, in flat memory.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::ledger::chain::{Step, Walk};
use crate::ledger::error::LedgerError;
use crate::ledger::finding::{Fault, Finding};
use crate::ledger::folder::StateFolder;
use crate::ledger::head::{self, Head};
use crate::ledger::link::{Link, Receipt};

/// A file that is no ledger has a finding on each line; nobody reads more.
const MOST_FINDINGS: usize = 100;

/// A ledger that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many entries it has.
    pub entries: u64,
    /// The last one.
    pub last: Option<Link>,
    /// What is not wrong, and worth knowing.
    pub notes: Vec<Note>,
}

/// Something that is not wrong, and worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Entries after the head: a run goes on, or was killed. Their loss would
    /// not be noticed.
    Unsealed {
        /// How many.
        entries: u64,
    },
    /// Torn last lines were set aside.
    SetAside {
        /// How much `ledger.torn` holds.
        bytes: u64,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Unsealed { entries } => {
                write!(f, "entries not yet sealed by ledger.head, for a run goes on or was killed: {entries}")
            }
            Note::SetAside { bytes } => {
                write!(f, "bytes of torn last lines set aside in ledger.torn: {bytes}")
            }
        }
    }
}

/// Checks a state folder's ledger: every byte of every entry, their order, the
/// end that `ledger.head` names, and the entry `expect` from a copy kept elsewhere.
///
/// Without such a copy, whoever can write both files can forge a chain that this
/// finds whole. Beside a running purge the last line may seem torn.
pub fn verify(state: &Path, expect: Option<Receipt>) -> Result<Verified, Vec<Finding>> {
    let folder = StateFolder::unchecked(state);
    let mut inquiry = Inquiry::default();
    // The head goes first: a purge that runs meanwhile only adds to the ledger.
    let head = inquiry.head(&folder);
    let ledger = folder.open_if_there(&folder.ledger(), OpenOptions::new().read(true));
    match ledger {
        Ok(Some(file)) => inquiry.ledger(file, folder.ledger(), head, expect),
        Ok(None) => inquiry.no_ledger(head, expect),
        Err(error) => inquiry.unreadable(folder.ledger(), error),
    }
    inquiry.verdict(&folder, head)
}

/// What is found out about one ledger.
#[derive(Default)]
pub(super) struct Inquiry {
    pub(super) findings: Vec<Finding>,
    last: Option<Link>,
    /// The highest number met, whether or not its entry is as it should be.
    reached: u64,
}

impl Inquiry {
    fn found(&mut self, fault: Fault) {
        self.findings.push(Finding { line: None, fault });
    }

    fn unreadable(&mut self, path: PathBuf, error: LedgerError) {
        let reason = match error {
            LedgerError::Io { source, .. } => source.to_string(),
            LedgerError::NotAFile { .. } => "not a regular file".to_owned(),
            other => other.to_string(),
        };
        self.found(Fault::Unreadable { path, reason });
    }

    /// The entry that the head names. Without one, what is wrong is noted, unless
    /// the ledger is missing as well.
    fn head(&mut self, folder: &StateFolder) -> Option<Link> {
        match head::read(folder) {
            Ok(Head::Names(link)) => return Some(link),
            Ok(Head::Missing) => self.found(Fault::HeadMissing),
            Ok(Head::Unreadable) => self.found(Fault::HeadUnreadable),
            Err(error) => self.unreadable(folder.head(), error),
        }
        None
    }

    fn no_ledger(&mut self, head: Option<Link>, expect: Option<Receipt>) {
        let fault = match head {
            // A first run was killed between making the head and the ledger.
            Some(Link::START) => None,
            Some(head) => Some(Fault::LedgerMissing { head }),
            None => Some(Fault::NoLedger),
        };
        self.findings.retain(|finding| finding.fault != Fault::HeadMissing);
        let expected = expect.map(|expected| Fault::NotAsExpected { expected });
        fault.into_iter().chain(expected).for_each(|fault| self.found(fault));
    }

    pub(super) fn ledger(
        &mut self,
        file: impl Read,
        path: PathBuf,
        head: Option<Link>,
        expect: Option<Receipt>,
    ) {
        let mut head = Watch::over(head);
        let mut expect = expect;
        let walked = self.walk(file, |link| {
            head.see(link);
            expect.take_if(|expected| expected.is_of(&link));
        });
        // Of a ledger that was not read to its end, nothing is known to be missing.
        match walked {
            Ok(true) => self.missed(head.missed(), expect),
            Ok(false) => self.found(Fault::GaveUp),
            Err(error) => self.found(Fault::Unreadable { path, reason: error.to_string() }),
        }
    }

    fn missed(&mut self, head: Option<Link>, expect: Option<Receipt>) {
        let head = head.map(|head| Fault::of_head(head, self.reached));
        let expected = expect.map(|expected| Fault::NotAsExpected { expected });
        head.into_iter().chain(expected).for_each(|fault| self.found(fault));
    }

    /// Whether it came to the end.
    fn walk(&mut self, file: impl Read, mut meet: impl FnMut(Link)) -> io::Result<bool> {
        let mut walk = Walk::new(file);
        while let Some(step) = walk.step()? {
            match step {
                Step::Entry(line) => meet(line.link),
                Step::Torn(bytes) => self.found(Fault::Torn { bytes: bytes.len() as u64 }),
                Step::Wrong(finding) => self.findings.push(finding),
            }
            if self.findings.len() >= MOST_FINDINGS {
                return Ok(false);
            }
        }
        self.reached = walk.reached();
        self.last = Some(walk.last).filter(|last| *last != Link::START);
        Ok(true)
    }

    fn verdict(self, folder: &StateFolder, head: Option<Link>) -> Result<Verified, Vec<Finding>> {
        if !self.findings.is_empty() {
            return Err(self.findings);
        }
        let entries = self.last.map_or(0, |last| last.seq);
        let notes = [unsealed(entries, head), set_aside(folder)];
        Ok(Verified { entries, last: self.last, notes: notes.into_iter().flatten().collect() })
    }
}

fn unsealed(entries: u64, head: Option<Link>) -> Option<Note> {
    let entries = entries.checked_sub(head?.seq).filter(|entries| *entries > 0)?;
    Some(Note::Unsealed { entries })
}

fn set_aside(folder: &StateFolder) -> Option<Note> {
    let bytes = folder.torn().symlink_metadata().ok()?.len();
    Some(Note::SetAside { bytes })
}

/// An entry that the ledger has to hold.
struct Watch {
    link: Option<Link>,
    seen: bool,
}

impl Watch {
    fn over(link: Option<Link>) -> Watch {
        Watch { link, seen: link == Some(Link::START) }
    }

    fn see(&mut self, link: Link) {
        self.seen |= self.link == Some(link);
    }

    fn missed(self) -> Option<Link> {
        self.link.filter(|_| !self.seen)
    }
}
