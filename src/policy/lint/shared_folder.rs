//! A folder must not reach what another source is about: a database would be deleted as a file.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Finding};
use crate::policy::{Folder, Policy, Source};

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let pairs =
        policy.sources.iter().flat_map(|source| policy.sources.iter().map(move |other| (source, other)));
    pairs
        .filter(|(source, other)| source.name != other.name)
        .filter_map(|(source, other)| finding(source, other))
        .collect()
}

fn finding(source: &Source, other: &Source) -> Option<Finding> {
    let folder = source.kind.folder()?;
    let below = below(folder, other.kind.path())?;
    let reached = if other.kind.folder().is_some() { holds(folder, &below) } else { folder.reaches(&below) };
    if !reached {
        return None;
    }
    let message = format!("source `{}` holds what source `{}` is about", source.name, other.name);
    let finding = Finding::error(Code::SameData, message, source.span.clone());
    Some(finding.help("leave it out with `match`, or move one of them"))
}

/// Whether records of a folder lie in this sub-folder of it. The folder itself is told elsewhere.
fn holds(folder: &Folder, below: &Path) -> bool {
    let is_itself = below.as_os_str().is_empty();
    !is_itself && (folder.recursive || folder.reaches(&below.join("any")))
}

fn below(folder: &Folder, path: &Path) -> Option<PathBuf> {
    real(path)?.strip_prefix(real(&folder.path)?).ok().map(Path::to_path_buf)
}

/// The path without links; of one that is a pattern, or is not there yet, its folder's.
fn real(path: &Path) -> Option<PathBuf> {
    let of_folder = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(of_folder).or_else(|| std::path::absolute(path).ok())
}
