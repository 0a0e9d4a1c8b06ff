//! One rule's deletion from a folder.

use std::ffi::CStr;
use std::os::fd::BorrowedFd;

use super::mark::{Announced, to_json};
use super::parents::{Parents, name_of};
use super::remove::{self, Stuck, Terms};
use crate::diagnostic::Code;
use crate::evaluate::{Evaluator, State};
use crate::policy::{Folder, Unit};
use crate::run::job::{Deletion, Journal, Mark, RuleJob, WriteError};
use crate::source::Problem;
use crate::source::folder::content::{Opaque, look_into};
use crate::source::folder::newest::{Guard, protect};
use crate::source::folder::record::Record;
use crate::source::folder::root::{Closed, Root};
use crate::source::folder::shown;
use crate::source::folder::walk::walk;
use crate::source::request::Flow;

/// How many records are announced together: each announcement is synced, which takes longer than
/// deleting a thousand files.
const FILES: usize = 4_000;

/// Folders take longer, and one that is half deleted should not wait for many others.
const FOLDERS: usize = 50;

pub(super) struct Task<'a> {
    root: &'a Root,
    folder: &'a Folder,
    job: &'a RuleJob<'a>,
    book: &'a Evaluator,
    /// The records on which `keep-newest` rests.
    guards: Vec<Guard>,
    /// What was not seen when the newest were looked for.
    unseen_newest: Option<Problem>,
    /// What was not seen when the rule was asked again.
    unseen: Option<Problem>,
    failures: Failures,
}

/// Records that could not be deleted.
#[derive(Default)]
struct Failures {
    records: u64,
    first: Option<String>,
}

/// What was found when the rule was asked again.
#[derive(Default)]
struct Again {
    due: u64,
    unreadable: u64,
    /// Those of the unreadable that cannot be seen whole.
    opaque: u64,
    first: Option<String>,
}

/// What became of one announced record.
enum Fate {
    Deleted {
        frees: u64,
    },
    /// It is not due any more, or not there any more.
    Left,
    Failed(String),
}

impl<'a> Task<'a> {
    pub(super) fn new(root: &'a Root, folder: &'a Folder, job: &'a RuleJob<'a>) -> Task<'a> {
        let book = &*job.request.book;
        Task {
            root,
            folder,
            job,
            book,
            guards: Vec::new(),
            unseen_newest: None,
            unseen: None,
            failures: Failures::default(),
        }
    }

    /// Deletes what is due and asks again, as long as that finds more and gets on.
    pub(super) fn carry_out(
        mut self,
        journal: &mut dyn Journal,
        done: &mut Deletion,
    ) -> Result<(), WriteError> {
        done.freed = Some(0);
        // Nothing else puts files into a folder, or changes them before they can go.
        done.survived_for.push("another program wrote to the folder meanwhile".to_string());
        self.protect().map_err(WriteError::Problem)?;
        loop {
            let before = done.deleted;
            self.failures = Failures::default();
            self.pass(journal, done)?;
            if done.stopped.is_some() {
                break;
            }
            let survivors = self.survivors()?;
            done.survivors = Some(survivors);
            if survivors == 0 || done.deleted == before || self.room(done) == 0 {
                break;
            }
        }
        let failed = self.failures.problem(self.root, &self.job.source.name);
        let problem = failed.or(self.unseen).or(self.unseen_newest);
        problem.map_or(Ok(()), |problem| Err(WriteError::Problem(problem)))
    }

    fn protect(&mut self) -> Result<(), Problem> {
        let found = protect(self.root, self.folder, self.book)?;
        // What can never be seen is named among the unreadable records.
        let is_told = |problem: &Problem| problem.code == Code::Unreadable && self.job.amount.unreadable > 0;
        self.unseen_newest = found.unseen.filter(|problem| !is_told(problem));
        self.guards = found.guards;
        Ok(())
    }

    fn room(&self, done: &Deletion) -> u64 {
        self.job.amount.most.saturating_sub(done.deleted)
    }

    /// Goes through the folder once.
    fn pass(&mut self, journal: &mut dyn Journal, done: &mut Deletion) -> Result<(), WriteError> {
        let size = if self.folder.unit == Unit::Folder { FOLDERS } else { FILES };
        let (mut batch, mut halted) = (Vec::new(), Ok(()));
        let unseen = walk(self.root, self.folder, &mut |record| {
            batch.extend(self.due(record));
            if batch.len() < size {
                return Flow::On;
            }
            halted = self.commit(std::mem::take(&mut batch), journal, done);
            let is_over = halted.is_err() || done.stopped.is_some() || done.is_capped || self.room(done) == 0;
            if is_over { Flow::Stop } else { Flow::On }
        });
        halted?;
        self.commit(batch, journal, done)?;
        unseen.map(drop).map_err(WriteError::Problem)
    }

    /// The record, where it is due. Only what would go must be seen whole.
    fn due(&self, record: &Record<'_>) -> Option<Announced> {
        let verdict = record.judge(self.book, self.job.rule)?;
        let look = (verdict.state == State::Due).then(|| record.look())?;
        look.as_ref().ok().map(|look| Announced::of(record.path(), look))
    }

    /// Asks the rule again. What cannot be seen any more may be due as well.
    fn survivors(&mut self) -> Result<u64, WriteError> {
        let mut again = Again::default();
        let walked = walk(self.root, self.folder, &mut |record| {
            if let Some(verdict) = record.judge(self.book, self.job.rule) {
                again.add(record, verdict.state);
            }
            Flow::On
        });
        let unseen = walked.map_err(WriteError::Problem)?.problem();
        let known = self.job.amount.unreadable;
        self.unseen = unseen.or_else(|| again.unseen(known, &self.job.source.name));
        Ok(again.due)
    }

    /// Announces a batch and deletes it.
    fn commit(
        &mut self,
        mut batch: Vec<Announced>,
        journal: &mut dyn Journal,
        done: &mut Deletion,
    ) -> Result<(), WriteError> {
        done.stopped = done.stopped.or_else(|| self.job.stop.reason());
        let room = usize::try_from(self.room(done)).unwrap_or(usize::MAX);
        if batch.len() > room {
            done.is_capped = self.job.amount.most > self.job.amount.expected;
            batch.truncate(room);
        }
        if batch.is_empty() || done.stopped.is_some() {
            return Ok(());
        }
        let (number, announced, before) = (done.batches + 1, batch.len() as u64, done.deleted);
        journal.announce(number, announced, Mark::Private(to_json(&batch)))?;
        done.batches = number;
        let deleted = self.look_after_the_newest().and_then(|()| self.delete(&batch, done));
        let rows = done.deleted - before;
        if rows != announced {
            journal.settle(number, rows)?;
        }
        (self.job.told)(done.deleted);
        deleted.map_err(WriteError::Problem)
    }

    fn delete(&mut self, batch: &[Announced], done: &mut Deletion) -> Result<(), Problem> {
        let mut parents = Parents::new(self.root);
        for announced in batch {
            done.stopped = self.job.stop.reason();
            if done.stopped.is_some() {
                break;
            }
            match self.one(announced, &mut parents)? {
                Fate::Deleted { frees } => {
                    done.deleted += 1;
                    done.freed = done.freed.map(|freed| freed.saturating_add(frees));
                }
                Fate::Left => {}
                Fate::Failed(why) => self.failures.add(&announced.path, why),
            }
        }
        parents.sync()
    }

    /// Asks the rule again about one record, and deletes it.
    fn one(&self, announced: &Announced, parents: &mut Parents<'_>) -> Result<Fate, Problem> {
        let Some(name) = name_of(&announced.path) else { return Ok(Fate::Left) };
        let parent = match parents.open(&announced.path)? {
            Ok(parent) => parent,
            Err(Closed::Gone | Closed::Mount) => return Ok(Fate::Left),
            Err(closed) => return Ok(Fate::Failed(closed.words())),
        };
        let record = Record::new(parent, &announced.path, &name, self.folder.unit, self.root.volume());
        let is_due =
            record.judge(self.book, self.job.rule).is_some_and(|verdict| verdict.state == State::Due);
        let look = match record.look() {
            Ok(look) if is_due && announced.is(look) => look,
            _ => return Ok(Fate::Left),
        };
        let removed = match self.folder.unit {
            Unit::File => remove::name(parent, &name),
            Unit::Folder => {
                let identity = (look.device, look.inode);
                let (volume, newest) = (self.root.volume(), look.modified);
                remove::folder(parent, &name, &Terms { volume, identity, newest, is_begun: false })
            }
        };
        Ok(match removed {
            Ok(()) => {
                let frees = look.frees;
                parents.changed();
                Fate::Deleted { frees }
            }
            Err(Stuck::Gone) => Fate::Left,
            Err(Stuck::Written(why) | Stuck::Because(why)) => {
                Fate::Failed(self.and_what_is_gone(why, announced, parent, &name))
            }
        })
    }

    /// A sub-folder that was left in the middle looks whole, and is not.
    fn and_what_is_gone(
        &self,
        why: String,
        announced: &Announced,
        parent: BorrowedFd<'_>,
        name: &CStr,
    ) -> String {
        let left = match self.folder.unit {
            Unit::File => return why,
            Unit::Folder => look_into(parent, name, self.root.volume()),
        };
        let is_whole = left.is_ok_and(|left| left.entries >= announced.entries);
        if is_whole { why } else { format!("{why} (a part of it is gone)") }
    }

    /// Where one of the newest records went away or changed, others are the newest now.
    fn look_after_the_newest(&mut self) -> Result<(), Problem> {
        let mut parents = Parents::new(self.root);
        for guard in &self.guards {
            if !self.stands(guard, &mut parents)? {
                return self.protect();
            }
        }
        Ok(())
    }

    fn stands(&self, guard: &Guard, parents: &mut Parents<'_>) -> Result<bool, Problem> {
        let path = &guard.key;
        let Some(name) = name_of(path) else { return Ok(false) };
        let Ok(parent) = parents.open(path)? else { return Ok(false) };
        let record = Record::new(parent, path, &name, self.folder.unit, self.root.volume());
        let counting = record.counting(self.book, guard.rule);
        // One whose name tells its time counts, whatever is in it.
        let is_there = !matches!(record.look(), Err(Opaque::Gone));
        Ok(is_there && counting.is_some_and(|counting| guard.is(&counting)))
    }
}

impl Again {
    fn add(&mut self, record: &Record<'_>, state: State) {
        self.due += u64::from(state == State::Due);
        self.unreadable += u64::from(state == State::Unreadable);
        if let Some(why) = record.opaque().filter(|_| state == State::Unreadable) {
            self.opaque += 1;
            self.first.get_or_insert_with(|| format!("{} ({why})", shown(record.path())));
        }
    }

    /// Records that cannot be seen whole, where there are more than the plan knew and tells of.
    fn unseen(&self, known: u64, source: &str) -> Option<Problem> {
        let first = self.first.as_ref().filter(|_| self.unreadable > known)?;
        let records = match self.opaque {
            1 => "1 record".to_string(),
            many => format!("{many} records"),
        };
        let message = format!(
            "{records} of {source} could not be seen whole when the rule was asked again, and may be due; first: \
             {first}; look at it, and run again"
        );
        Some(Problem::new(Code::Unreadable, message))
    }
}

impl Failures {
    fn add(&mut self, path: &[u8], why: String) {
        self.records += 1;
        self.first.get_or_insert_with(|| format!("{}: {why}", shown(path)));
    }

    fn problem(&self, root: &Root, source: &str) -> Option<Problem> {
        let first = self.first.as_ref()?;
        let records = match self.records {
            1 => "1 record".to_string(),
            many => format!("{many} records"),
        };
        let message = format!(
            "{records} of {source} could not be deleted; first: {}/{first}; look at its owner and mode, and at \
             those of its folder",
            root.path().display()
        );
        Some(Problem::new(Code::CannotDelete, message))
    }
}
