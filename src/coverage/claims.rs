//! Which files the sources of the policies are about, and which they ignore.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::Named;
use crate::policy::{Folder, Kind, Unit};
use crate::source::csv::files;
use crate::source::sqlite::open::{beside, real};

/// The files that some source is about, or that have been told already.
#[derive(Debug, Default)]
pub(super) struct Claims<'p> {
    files: HashSet<PathBuf>,
    folders: Vec<(PathBuf, &'p Folder)>,
}

/// What SQLite keeps beside a database.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-journal"];

impl<'p> Claims<'p> {
    /// What these sources are about, and what frist itself writes for their policies.
    pub(super) fn of(sources: &[Named<'p>]) -> Claims<'p> {
        let mut claims = Claims::default();
        for named in sources {
            claims.files.insert(real(&named.policy.state));
            match &named.source.kind {
                Kind::Sqlite(path) => {
                    claims.files.extend(BESIDE.map(|suffix| beside(&real(path), suffix)));
                }
                // A pattern that cannot be expanded is told by those who read the files.
                Kind::Csv(pattern) => {
                    let found = files::find(pattern).unwrap_or_default();
                    claims.files.extend(found.files.into_iter().map(|file| file.path));
                }
                Kind::Folder(folder) => claims.folders.push((real(&folder.path), folder)),
            }
        }
        claims
    }

    /// Whether a file is a record, or part of one, of some source.
    pub(super) fn cover(&self, file: &Path) -> bool {
        let file = real(file);
        let in_folder = |(path, folder): &(PathBuf, &Folder)| {
            file.strip_prefix(path).is_ok_and(|below| is_in_a_record(folder, below))
        };
        self.files.contains(&file) || self.folders.iter().any(in_folder)
    }

    /// Whether a folder holds, or is, what some source is about.
    pub(super) fn reach_into(&self, folder: &Path) -> bool {
        let folder = real(folder);
        let paths = self.files.iter().chain(self.folders.iter().map(|(path, _)| path));
        paths.into_iter().any(|path| path.starts_with(&folder))
    }

    /// Notes that a file has been told. Returns whether it had not been.
    pub(super) fn tell(&mut self, file: &Path) -> bool {
        self.files.insert(real(file))
    }
}

/// Whether a file of this path below a folder goes with one of its records. Where those are
/// sub-folders, a file beside them is none.
fn is_in_a_record(folder: &Folder, below: &Path) -> bool {
    let least = if folder.unit == Unit::Folder { 2 } else { 1 };
    below.components().count() >= least && folder.reaches(below)
}
