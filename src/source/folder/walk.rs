//! Meeting every record of a folder, one after the other, in the order in which the system gives
//! them: memory does not grow with their number.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{FileType, RawDir};

use super::look::{Look, is_file_or_link};
use super::record::Record;
use super::root::{Closed, Root, enter};
use crate::diagnostic::Code;
use crate::policy::{Folder, Unit};
use crate::source::Problem;
use crate::source::request::Flow;

/// Bytes of names that are read at once.
pub(super) const BUFFER: usize = 64 * 1024;

/// Deeper folders are not entered: each level takes a descriptor.
pub(super) const DEEPEST: usize = 200;

/// How many sub-folders that could not be read are named.
const NAMED: usize = 3;

/// What a walk could not see.
#[derive(Clone, Debug, Default)]
pub struct Unseen {
    folders: u64,
    first: Vec<String>,
}

impl Unseen {
    fn add(&mut self, root: &Root, below: &[u8], why: &str) {
        self.folders += 1;
        if self.first.len() < NAMED {
            self.first.push(format!("{} ({why})", root.path().join(super::shown(below)).display()));
        }
    }

    /// All of it as one problem.
    pub fn problem(&self) -> Option<Problem> {
        let folders = match self.folders {
            0 => return None,
            1 => "1 sub-folder".to_string(),
            many => format!("{many} sub-folders"),
        };
        let message = format!(
            "{folders} could not be read, and nothing in them was counted or deleted; first: {}; look at their \
             owners and modes, or leave them out with `match` and `recursive`",
            self.first.join(", ")
        );
        Some(Problem::new(Code::UnreadFolder, message))
    }
}

/// Hands every record to `visit`. Returns what could not be seen.
pub fn walk(
    root: &Root,
    folder: &Folder,
    visit: &mut dyn FnMut(&Record<'_>) -> Flow,
) -> Result<Unseen, Problem> {
    let mut walk = Walk { root, folder, visit, unseen: Unseen::default(), path: Vec::new() };
    // A position of its own: the root may be walked again.
    let own = enter(root.as_fd(), c".", root.volume());
    let own = own.map_err(|closed| root.problem(b"", &closed.words()))?;
    walk.through(own.as_fd(), 0)?;
    Ok(walk.unseen)
}

struct Walk<'w> {
    root: &'w Root,
    folder: &'w Folder,
    visit: &'w mut dyn FnMut(&Record<'_>) -> Flow,
    unseen: Unseen,
    /// The path below the root of the folder that is read, with a slash at its end.
    path: Vec<u8>,
}

impl Walk<'_> {
    fn through(&mut self, folder: BorrowedFd<'_>, depth: usize) -> Result<Flow, Problem> {
        let mut buffer = Vec::with_capacity(BUFFER);
        let mut entries = RawDir::new(folder, buffer.spare_capacity_mut());
        let length = self.path.len();
        while let Some(entry) = entries.next() {
            let told = |error| self.root.problem(&self.path, &std::io::Error::from(error).to_string());
            let entry = entry.map_err(told)?;
            if is_dot(entry.file_name()) {
                continue;
            }
            self.path.extend(entry.file_name().to_bytes());
            let flow = self.meet(folder, entry.file_name(), entry.file_type(), depth);
            self.path.truncate(length);
            if flow? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::On)
    }

    fn meet(
        &mut self,
        folder: BorrowedFd<'_>,
        name: &CStr,
        kind: FileType,
        depth: usize,
    ) -> Result<Flow, Problem> {
        let kind = if kind == FileType::Unknown { kind_of(folder, name) } else { kind };
        let is_folder = kind == FileType::Directory;
        match self.folder.unit {
            Unit::File if is_folder && self.folder.recursive => self.descend(folder, name, depth),
            Unit::Folder if is_folder && self.folder.selects(&self.path) => Ok(self.show(folder, name)),
            Unit::File if is_file_or_link(kind) && self.folder.selects(&self.path) => {
                Ok(self.show(folder, name))
            }
            _ => Ok(Flow::On),
        }
    }

    fn show(&mut self, folder: BorrowedFd<'_>, name: &CStr) -> Flow {
        (self.visit)(&Record::new(folder, &self.path, name, self.folder.unit, self.root.volume()))
    }

    fn descend(&mut self, folder: BorrowedFd<'_>, name: &CStr, depth: usize) -> Result<Flow, Problem> {
        let closed = match enter(folder, name, self.root.volume()) {
            Ok(_) if depth >= DEEPEST => "folders are nested too deep".to_string(),
            Ok(inner) => {
                self.path.push(b'/');
                return self.through(inner.as_fd(), depth + 1);
            }
            // What is mounted there belongs to no record, and what is gone is none.
            Err(Closed::Gone | Closed::Mount) => return Ok(Flow::On),
            Err(closed) => closed.words(),
        };
        self.unseen.add(self.root, &self.path, &closed);
        Ok(Flow::On)
    }
}

/// For file systems that do not say it in their listings.
fn kind_of(folder: BorrowedFd<'_>, name: &CStr) -> FileType {
    Look::at(folder, name).map_or(FileType::Unknown, |look| look.kind)
}

/// Whether it is the folder's own entry, or that of the folder above.
pub(super) fn is_dot(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}
