//! Removing what killed runs left beside the files of a source.

use std::path::PathBuf;

use super::successor::{path_beside, remove_stray};
use crate::dataset::csv::files;
use crate::policy::CsvFiles;

/// Removes the new files that never took their place. They hold what the old ones held, and would
/// stay for ever where those are gone or have nothing due any more.
pub(in crate::purge) fn clear(source: &CsvFiles) {
    let strays = beside_files(source).into_iter().chain(by_name(source));
    for problem in strays.filter_map(|path| remove_stray(&path).err()) {
        tracing::warn!("{problem}");
    }
}

/// Beside the files that are there, wherever links lead.
fn beside_files(source: &CsvFiles) -> Vec<PathBuf> {
    let found = files::find(source).unwrap_or_default();
    found.files.iter().map(|file| path_beside(&file.path)).collect()
}

/// Where the pattern says that files may have been.
fn by_name(source: &CsvFiles) -> Vec<PathBuf> {
    let name = source.pattern.file_name().unwrap_or_default().to_string_lossy();
    let name = if name == "**" { "*" } else { &name };
    let pattern = source.pattern.with_file_name(format!(".{name}.frist-new"));
    let found = glob::glob_with(&pattern.to_string_lossy(), files::OPTIONS);
    found.into_iter().flatten().flatten().collect()
}
