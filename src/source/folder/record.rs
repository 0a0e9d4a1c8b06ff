//! One record, and what the rule book can ask of it.

use std::cell::OnceCell;
use std::ffi::CStr;
use std::os::fd::BorrowedFd;

use rustix::io::Errno;

use super::content::{Opaque, look_into};
use super::look::Look;
use super::volume::Volume;
use crate::evaluate::{Counting, Evaluator, Reason, State, Verdict};
use crate::policy::Unit;
use crate::value::Value;

/// A record, as it was met. The system is asked about it only where a rule needs to know.
pub struct Record<'a> {
    folder: BorrowedFd<'a>,
    path: &'a [u8],
    name: &'a CStr,
    unit: Unit,
    volume: Volume,
    look: OnceCell<Result<Look, Opaque>>,
}

impl<'a> Record<'a> {
    /// The record of this name in an open folder; `path` is that below the source's folder.
    pub fn new(
        folder: BorrowedFd<'a>,
        path: &'a [u8],
        name: &'a CStr,
        unit: Unit,
        volume: Volume,
    ) -> Record<'a> {
        Record { folder, path, name, unit, volume, look: OnceCell::new() }
    }

    /// Its path below the folder.
    pub fn path(&self) -> &'a [u8] {
        self.path
    }

    /// What the system knows of it. It is asked once.
    pub fn look(&self) -> &Result<Look, Opaque> {
        self.look.get_or_init(|| match self.unit {
            Unit::Folder => look_into(self.folder, self.name, self.volume),
            Unit::File => match Look::at(self.folder, self.name) {
                // What is mounted in the folder belongs to no record, a single file as little.
                Ok(look) if self.volume.is_mounted_over(&look) => Err(Opaque::Gone),
                Ok(look) => Ok(look),
                Err(Errno::NOENT) => Err(Opaque::Gone),
                Err(error) => Err(Opaque::Because(std::io::Error::from(error).to_string())),
            },
        })
    }

    /// Whether it was found to be gone.
    pub fn is_gone(&self) -> bool {
        matches!(self.look.get(), Some(Err(Opaque::Gone)))
    }

    /// Why it cannot be seen whole, where that was found out.
    pub fn opaque(&self) -> Option<&str> {
        match self.look.get() {
            Some(Err(Opaque::Because(why))) => Some(why),
            _ => None,
        }
    }

    /// Its state under one rule; none where the rule does not match it, or where it is gone.
    pub fn judge(&self, book: &Evaluator, rule: usize) -> Option<Verdict> {
        let verdict = book.judge(rule, &|cell| self.cell(book, cell))?;
        // What would go must be seen whole, also where its name alone tells its time.
        if matches!(verdict.state, State::Due | State::Overruled | State::Blocked | State::Newest)
            && self.look().is_err()
        {
            return (!self.is_gone()).then_some(Verdict::unreadable(Reason::NotSeen));
        }
        let is_unseen = verdict.state == State::Unreadable && self.opaque().is_some();
        let verdict = if is_unseen { Verdict::unreadable(Reason::NotSeen) } else { verdict };
        (!self.is_gone()).then_some(verdict)
    }

    /// What makes it one of those among which a rule keeps the newest; none where it is none.
    pub fn counting(&self, book: &Evaluator, rule: usize) -> Option<Counting> {
        book.counting(rule, &|cell| self.cell(book, cell))
    }

    #[inline]
    pub(super) fn cell(&self, book: &Evaluator, cell: usize) -> Value<'_> {
        // What tells binary data apart: here it is what cannot be seen.
        book.columns().get(cell).map_or(Value::Blob, |column| self.value(column))
    }

    #[inline]
    fn value(&self, column: &str) -> Value<'_> {
        match column {
            "name" => Value::Text(self.name.to_bytes()),
            "path" => Value::Text(self.path),
            "folder" => Value::Text(folder_of(self.path)),
            "size" => self
                .look()
                .as_ref()
                .map_or(Value::Blob, |look| Value::Integer(i64::try_from(look.size).unwrap_or(i64::MAX))),
            "modified" => {
                self.look().as_ref().map_or(Value::Blob, |look| Value::Integer(look.modified.in_nanos()))
            }
            // The policy names no other.
            _ => Value::Blob,
        }
    }
}

/// The folder in which a path lies, without its last slash; empty where that is the source's own.
fn folder_of(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(&[], |slash| &path[..slash])
}
