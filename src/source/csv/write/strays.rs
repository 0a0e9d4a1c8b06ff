//! Removing what killed runs left beside the files of a source.

use std::path::{Path, PathBuf};

use super::cut;
use super::replacement::{path_beside, remove_stray};
use crate::policy::CsvFiles;
use crate::source::csv::files;

/// Removes the new files that never took their place. They hold what the old ones held, and would
/// stay for ever where those are gone or have nothing due any more. So would notes about a cut.
pub(crate) fn clear(source: &CsvFiles) {
    let new = beside_files(source, path_beside).into_iter().chain(by_name(source, "new"));
    let notes = beside_files(source, cut::path_of).into_iter().chain(by_name(source, "cut"));
    let removed = new.map(|path| remove_stray(&path)).chain(notes.map(|path| cut::remove_stray(&path)));
    for problem in removed.filter_map(Result::err) {
        tracing::warn!("{problem}");
    }
}

/// Beside the files that are there, wherever links lead.
fn beside_files(source: &CsvFiles, beside: fn(&Path) -> PathBuf) -> Vec<PathBuf> {
    let found = files::find(source).unwrap_or_default();
    found.files.iter().map(|file| beside(&file.path)).collect()
}

/// Where the pattern says that files may have been.
fn by_name(source: &CsvFiles, what: &str) -> Vec<PathBuf> {
    let name = source.pattern.file_name().unwrap_or_default().to_string_lossy();
    let name = if name == "**" { "*" } else { &name };
    let pattern = source.pattern.with_file_name(format!(".{name}.frist-{what}"));
    let found = glob::glob_with(&pattern.to_string_lossy(), files::OPTIONS);
    found.into_iter().flatten().flatten().collect()
}
