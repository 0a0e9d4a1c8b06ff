//! Removing files that deleted rows named, below their folder, past every link and every mount. A file
//! goes if it is the one that was there before the rows went, and no row names it.

mod question;

use std::path::Path;

use rusqlite::Connection;
use rustix::fs::{AtFlags, unlinkat};
use rustix::io::Errno;

use crate::diagnostic::Code;
use crate::ledger::{NamedFile, Removal, Seen};
use crate::policy::{NamingColumn, Policy};
use crate::source::Problem;
use crate::source::folder::named;
use crate::source::folder::root::Root;
use crate::value::Value;
use question::Question;

/// What came of removing files.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    /// Files that are gone by our hand.
    pub(crate) files: u64,
    /// Files that are not to go.
    pub(crate) stayed: Stayed,
    /// Those that are still to go.
    pub(crate) left: Vec<Removal>,
    /// Why.
    pub(crate) problems: Vec<Problem>,
}

/// Files that stay although rows that named them are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stayed {
    /// Other rows name them.
    named: u64,
    /// They are not what was there before the rows went.
    changed: u64,
}

impl Stayed {
    /// Counts those of another batch, too.
    pub(crate) fn add(&mut self, other: Stayed) {
        self.named += other.named;
        self.changed += other.changed;
    }

    /// Warns of them; their names may be personal, and so are not told.
    pub(crate) fn tell(self) {
        let files = |files: u64| if files == 1 { "1 file".to_string() } else { format!("{files} files") };
        if self.named > 0 {
            let files = files(self.named);
            tracing::warn!("{files} that deleted rows named stay: rows that stay name them as well");
        }
        if self.changed > 0 {
            let files = files(self.changed);
            tracing::warn!(
                "{files} that deleted rows named stay: they were written or replaced after the rows were judged"
            );
        }
    }
}

/// Removes the files of rows that are gone. The database that is open is asked by its own connection.
pub(crate) fn remove(removals: &[Removal], open: Option<(&Path, &Connection)>) -> Removed {
    let mut removed = Removed::default();
    match Question::about(removals).ask(open) {
        Ok(question) => removals.iter().for_each(|removal| removed.one(removal, &question)),
        Err(problem) => {
            removed.problems.push(problem);
            removed.left = removals.to_vec();
        }
    }
    removed
}

/// Removes the files of an earlier run, as far as no row names them: the rows that did may still be
/// there. What the policy says by now is asked as well as what it said then.
pub(crate) fn finish(removals: &[Removal], policy: &Policy) -> Removed {
    let mut removed = Removed::default();
    for removal in removals {
        let mut removal = removal.clone();
        removal.naming.push(removal.own_naming());
        removal.naming.extend(NamingColumn::all(policy));
        let Removed { files, stayed, left, problems } = remove(std::slice::from_ref(&removal), None);
        removed.files += files;
        removed.stayed.add(stayed);
        removed.left.extend(left);
        removed.problems.extend(problems);
    }
    removed
}

/// What became of one file.
enum Fate {
    Removed,
    NotThere,
    Named,
    Changed,
}

impl Removed {
    fn one(&mut self, removal: &Removal, question: &Question) {
        let root = match Root::reopen(&removal.folder) {
            Ok(root) => root,
            Err(problem) => {
                self.problems.push(problem);
                self.left.push(removal.clone());
                return;
            }
        };
        let mut left = Vec::new();
        for file in &removal.files {
            match unlink(&root, &removal.folder, file, question) {
                Ok(Fate::Removed) => self.files += 1,
                Ok(Fate::NotThere) => {}
                Ok(Fate::Named) => self.stayed.named += 1,
                Ok(Fate::Changed) => self.stayed.changed += 1,
                Err(why) => {
                    if left.is_empty() {
                        self.problems.push(stuck(removal, &why));
                    }
                    left.push(file.clone());
                }
            }
        }
        if !left.is_empty() {
            self.left.push(Removal { files: left, ..removal.clone() });
        }
    }
}

/// Says why files stay; their names may be personal, and so are not told.
fn stuck(removal: &Removal, why: &str) -> Problem {
    let message = format!(
        "a file below {} that a deleted row of `{}` named cannot be removed: {why}; it is remembered, and the next \
         run tries again",
        removal.folder.display(),
        removal.table
    );
    Problem::new(Code::NamedFiles, message)
}

/// Removes one file. What is not there is as good as removed.
fn unlink(root: &Root, folder: &Path, file: &NamedFile, question: &Question) -> Result<Fate, String> {
    let Ok(Some(path)) = named::below(folder, Value::Text(file.path.as_bytes())) else {
        return Ok(Fate::NotThere);
    };
    let Some(place) = named::place(root, &path)? else { return Ok(Fate::NotThere) };
    let Some(look) = place.look()? else { return Ok(Fate::NotThere) };
    if question.is_named(folder, &path) {
        return Ok(Fate::Named);
    }
    if file.seen != Some(Seen::of(&look)) {
        return Ok(Fate::Changed);
    }
    match unlinkat(place.folder(), place.name.as_c_str(), AtFlags::empty()) {
        Ok(()) => Ok(Fate::Removed),
        Err(Errno::NOENT) => Ok(Fate::NotThere),
        Err(error) => Err(std::io::Error::from(error).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_goes_only_if_it_is_still_the_one_from_before_the_commit() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        for name in ["same", "written", "replaced"] {
            fs::write(path(name), "old").unwrap();
        }
        let root = Root::reopen(place.path()).unwrap();
        let seen = |name: &str| {
            let look = named::place(&root, Path::new(name)).unwrap().unwrap().look().unwrap().unwrap();
            NamedFile { path: name.to_string(), seen: Some(Seen::of(&look)) }
        };
        let mut files: Vec<NamedFile> = ["same", "written", "replaced"].map(seen).into();
        files.push(NamedFile { path: "unseen".to_string(), seen: None });
        fs::write(path("written"), "longer").unwrap();
        fs::write(path("new"), "old").unwrap();
        fs::rename(path("new"), path("replaced")).unwrap();
        fs::write(path("unseen"), "").unwrap();
        let (database, folder) = (path("none.db"), place.path().to_path_buf());
        let (table, column) = ("t".to_string(), "c".to_string());
        let own = NamingColumn { database, table, column, path: None, folder };
        let removal = Removal { files, ..Removal::of(own, Vec::new()) };
        let removed = remove(&[removal], None);
        assert_eq!((removed.files, removed.left.len(), removed.problems.len()), (1, 0, 0));
        assert_eq!(removed.stayed, Stayed { named: 0, changed: 3 });
        assert!(!path("same").exists());
        assert!(["written", "replaced", "unseen"].iter().all(|name| path(name).exists()));
    }
}
