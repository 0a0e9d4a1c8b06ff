//! Whether the files of `--output` can be written, asked before anything else is done.

use std::fs::{Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use tempfile::NamedTempFile;

use crate::cli::{Output, OutputFormat};
use crate::policy::{Kind, Policy, Rule};
use crate::source::csv::claim::claims;

use super::Failure;

/// Refuses what could not be written afterwards, and what would take the place of something else: of
/// one of these policy files, or of what their policies are about.
pub(super) fn require_writable<F: OutputFormat>(
    output: &Output<F>,
    files: &[&str],
    policies: &[Policy],
) -> Result<(), Failure> {
    let mut replaced: Vec<PathBuf> = Vec::new();
    for (_, path) in &output.output {
        let told = |why: String| Failure::usage(format!("--output: cannot write {}: {why}", path.display()));
        let Some(file) = tried(path).map_err(|error| told(words(&error)))? else { continue };
        if replaced.contains(&file) {
            return Err(told("it is named twice, and the second would replace the first".to_string()));
        }
        let is_policy = files.iter().any(|policy| is_same(Path::new(policy), &file));
        let needed = is_policy.then(|| "a policy".to_string());
        if let Some(what) = needed.or_else(|| policies.iter().find_map(|policy| needed_by(policy, &file))) {
            return Err(told(format!("it is {what}; name another file")));
        }
        replaced.push(file);
    }
    Ok(())
}

fn words(error: &io::Error) -> String {
    let advice = match error.kind() {
        ErrorKind::NotFound => "; make its folder first",
        ErrorKind::IsADirectory => "; name a file in it",
        _ => "",
    };
    format!("{error}{advice}")
}

/// The file that would be replaced, with its folder as it really is; none where a device or a pipe is
/// written to.
fn tried(path: &Path) -> io::Result<Option<PathBuf>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().filter(|_| !path.as_os_str().as_bytes().ends_with(b"/"));
    let name = name.ok_or(ErrorKind::IsADirectory)?;
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => may_be_replaced(path, folder)?,
        Ok(metadata) => return may_be_written(path, &metadata).map(|()| None),
        Err(_) => {}
    }
    // What is written goes beside the file first. Nothing of it stays here.
    beside(folder)?.close()?;
    Ok(Some(folder.canonicalize()?.join(name)))
}

/// A new file in a folder, which is to take the place of another. Where there can be none the system says
/// why, without a name that nobody knows.
pub(super) fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    let readable = 0o666;
    tempfile::Builder::new().prefix(".frist-").make_in(folder, |path| {
        OpenOptions::new().read(true).write(true).create_new(true).mode(readable).open(path)
    })
}

fn may_be_written(path: &Path, metadata: &Metadata) -> io::Result<()> {
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if metadata.file_type().is_socket() {
        return Err(io::Error::other("it is a socket"));
    }
    Ok(accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS)?)
}

/// In a folder such as `/tmp` nobody replaces what belongs to others.
fn may_be_replaced(path: &Path, folder: &Path) -> io::Result<()> {
    const STICKY: u32 = 0o1000;
    let (file, folder) = (path.symlink_metadata()?, folder.metadata()?);
    let own = rustix::process::geteuid().as_raw();
    let is_foreign = own != 0 && file.uid() != own && folder.uid() != own;
    if folder.mode() & STICKY != 0 && is_foreign {
        return Err(io::Error::other(
            "it belongs to another user, in a folder where only that one may replace it",
        ));
    }
    Ok(())
}

/// What of a policy the file is, or would become: a report must not take its place.
fn needed_by(policy: &Policy, file: &Path) -> Option<String> {
    let lies_in_state = real(&policy.state).is_some_and(|state| file.parent() == Some(&state));
    if lies_in_state || is_same(&policy.state, file) {
        return Some(format!("part of the state folder of policy `{}`", policy.name));
    }
    if let Some(source) = policy.sources.iter().find(|source| holds(&source.kind, file)) {
        return Some(format!("data of source `{}`", source.name));
    }
    // Which of them a row names is not looked up: no source has been opened.
    let is_below =
        |folder: &Path| is_same(folder, file) || real(folder).is_some_and(|real| file.starts_with(real));
    let names = |rule: &&Rule| rule.with.all_files().iter().any(|files| is_below(&files.folder));
    let rule = policy.rules.iter().find(names)?;
    Some(format!("in a folder of files that rows of rule `{}` name", rule.name))
}

/// Whether the file is data of a source, or would be once it is there.
fn holds(source: &Kind, file: &Path) -> bool {
    match source {
        Kind::Sqlite(path) => {
            ["", "-wal", "-shm", "-journal"].iter().any(|end| is_same(&with_end(path, end), file))
        }
        Kind::Csv(files) => {
            let there = glob::glob(&files.pattern.to_string_lossy()).into_iter().flatten().flatten();
            claims(&files.pattern, file) || there.into_iter().any(|path| is_same(&path, file))
        }
        // A record, or a part of one, that it would replace or become.
        Kind::Folder(folder) => {
            let below = real(&folder.path)
                .is_some_and(|path| file.strip_prefix(path).is_ok_and(|below| folder.reaches(below)));
            below || is_same(&folder.path, file)
        }
    }
}

fn real(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_os_string();
    path.push(end);
    PathBuf::from(path)
}

/// Whether a path leads to the file, by its own name or as a link. What it names itself is what a
/// rename would replace.
fn is_same(path: &Path, file: &Path) -> bool {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let named = folder.canonicalize().ok().zip(path.file_name()).map(|(folder, name)| folder.join(name));
    named.is_some_and(|named| named == file) || path.canonicalize().is_ok_and(|real| real == file)
}
