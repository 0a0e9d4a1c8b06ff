//! The files that a pattern means, and opening one of them.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::coding::Coding;
use crate::diagnostic::Code;
use crate::policy::{CsvFiles, Rewrite};
use crate::source::Problem;
use crate::source::folder::shown;
use crate::source::request::Unusable;

/// A wildcard matches no slash. That it matches no hidden file is looked at here: asked for that,
/// `glob` panics at the first name that is not UTF-8.
pub(crate) const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// Deeper folders are not looked through for names that are no text.
const DEEPEST: usize = 200;

/// One file of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CsvFile {
    /// The file itself, behind all links.
    pub(crate) path: PathBuf,
    /// What names it: its path from where the pattern begins to vary.
    pub(crate) name: String,
}

/// The files of a source, each once, and what could not be looked at.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) files: Vec<CsvFile>,
    pub(crate) problems: Vec<Problem>,
}

/// Finds the files in the order of their paths. No file at all is never "nothing due".
pub(crate) fn find(source: &CsvFiles) -> Result<Found, Unusable> {
    let pattern = source.pattern.to_string_lossy();
    let wrong = |error: glob::PatternError| Problem::new(Code::BadGlob, format!("{pattern}: {}", error.msg));
    let paths = glob::glob_with(&pattern, OPTIONS).map_err(|error| Unusable::failed(wrong(error)))?;
    let (root, mut seen, mut found) = (source.root(), HashSet::new(), Found::default());
    for path in paths {
        if path.as_ref().is_ok_and(|path| is_hidden(path, &source.pattern)) {
            continue;
        }
        let looked = path.map_err(|error| cannot_open(error.path(), error.error()));
        match looked.and_then(|path| one(&path, &root)) {
            Ok(Some((file, identity))) if seen.insert(identity) => found.files.push(file),
            Ok(_) => {}
            Err(problem) => found.problems.push(problem),
        }
    }
    found.problems.extend(nameless(&source.pattern, &root));
    if found.files.is_empty() && found.problems.is_empty() {
        let message =
            format!("no file matches {pattern}; relative paths start at the policy's folder, or at --root");
        return Err(Unusable::missing(message));
    }
    Ok(found)
}

/// Files and folders that the pattern would mean if their names were text: they are passed over by whoever
/// expands it, and must not be so silently.
fn nameless(pattern: &Path, folder: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Ok(parts) = pattern.strip_prefix(folder) {
        let parts: Vec<&str> = parts.iter().filter_map(OsStr::to_str).collect();
        look_for_nameless(folder, &parts, 0, &mut problems);
    }
    problems
}

fn look_for_nameless(folder: &Path, parts: &[&str], depth: usize, problems: &mut Vec<Problem>) {
    let Some((part, further)) = parts.split_first() else { return };
    let Ok(pattern) = Pattern::new(part) else { return };
    let Ok(entries) = fs::read_dir(folder) else { return };
    let is_any_depth = *part == "**";
    if is_any_depth {
        look_for_nameless(folder, further, depth, problems);
    }
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let is_meant = is_any_depth || pattern.matches_with(&name.to_string_lossy(), OPTIONS);
        // What is below `**` may be meant only as a folder.
        let is_folder = || fs::metadata(&path).is_ok_and(|metadata| metadata.is_dir());
        let may_lead_on = !further.is_empty() || is_any_depth;
        if !is_meant || (may_lead_on && !is_folder()) || depth > DEEPEST {
            continue;
        }
        if name.to_str().is_none() {
            let problem = not_utf_8(&path);
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        } else if may_lead_on && !(is_any_depth && entry.file_type().is_ok_and(|kind| kind.is_symlink())) {
            let rest = if is_any_depth { parts } else { further };
            look_for_nameless(&path, rest, depth + 1, problems);
        }
    }
}

fn not_utf_8(path: &Path) -> Problem {
    let path = shown(path.as_os_str().as_bytes());
    let message = format!("the name of {path} is not UTF-8; rename the file or the folder");
    Problem::new(Code::NotUtf8, message)
}

/// Whether a wildcard would stand for the dot of a hidden name: a file that is being written has
/// such a name.
pub(crate) fn is_hidden(path: &Path, pattern: &Path) -> bool {
    let begins_with_dot = |name: &OsStr| name.as_bytes().starts_with(b".");
    let written: Vec<Pattern> = pattern
        .iter()
        .filter_map(|part| Pattern::new(part.to_str().filter(|part| part.starts_with('.'))?).ok())
        .collect();
    let is_written = |name: &OsStr| written.iter().any(|part| part.matches(&name.to_string_lossy()));
    let file = path.file_name().filter(|name| begins_with_dot(name));
    let is_file_hidden = file.is_some() && !pattern.file_name().is_some_and(begins_with_dot);
    is_file_hidden || path.iter().any(|name| begins_with_dot(name) && !is_written(name))
}

type Identity = (u64, u64);

/// A file that matched; none for a folder.
fn one(path: &Path, root: &Path) -> Result<Option<(CsvFile, Identity)>, Problem> {
    let metadata = fs::metadata(path).map_err(|error| cannot_open(path, &error))?;
    if metadata.is_dir() {
        return Ok(None);
    }
    if !metadata.is_file() {
        let message = format!("{} is neither a file nor a folder; narrow the pattern", path.display());
        return Err(Problem::new(Code::NotAFile, message));
    }
    let real = path.canonicalize().map_err(|error| cannot_open(path, &error))?;
    if real.to_str().is_none() {
        // A purge could not note what it is about to do to it.
        return Err(not_utf_8(&real));
    }
    let name = name_below(root, path);
    Ok(Some((CsvFile { path: real, name }, (metadata.dev(), metadata.ino()))))
}

/// The path below a folder, however either is written; the whole path where it is not below it.
pub(crate) fn name_below(root: &Path, path: &Path) -> String {
    let real = |path: &Path| if path.as_os_str().is_empty() { Path::new(".") } else { path }.canonicalize();
    let folder = path.parent().and_then(|folder| real(folder).ok());
    let whole = folder.map(|folder| folder.join(path.file_name().unwrap_or_default()));
    let below = whole.as_ref().zip(real(root).ok()).and_then(|(whole, root)| whole.strip_prefix(root).ok());
    below.unwrap_or(path).to_string_lossy().into_owned()
}

pub(crate) fn cannot_open(path: &Path, error: &io::Error) -> Problem {
    let message = format!(
        "{} cannot be opened: {error}; look at the owner and mode of the file and its folders",
        path.display()
    );
    Problem::new(Code::CannotOpen, message)
}

pub(crate) fn cannot_read(path: &Path, error: &io::Error) -> Problem {
    Problem::new(Code::CannotRead, format!("{} cannot be read: {error}", path.display()))
}

/// The hidden name beside a file under which a purge writes.
pub(crate) fn hidden_beside(file: &Path, what: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(file.file_name().unwrap_or_default());
    name.push(format!(".frist-{what}"));
    file.with_file_name(name)
}

/// That no purge was killed while it overwrote the file: only the next one can make it whole.
pub(crate) fn require_finished(file: &Path) -> Result<(), Problem> {
    let kept = hidden_beside(file, "kept");
    if !kept.exists() {
        return Ok(());
    }
    let message = format!(
        "{} is being rewritten, or a purge was killed while it did: what is to stay is in {}; purge again with the \
         same policy, which finishes it",
        file.display(),
        kept.display()
    );
    Err(Problem::new(Code::Unfinished, message))
}

/// That a purge could rewrite the file in the way that its source asks for.
pub(crate) fn require_rewritable(file: &Path, metadata: &Metadata, way: Rewrite) -> Result<(), Problem> {
    let (path, links) = (file.display(), metadata.nlink());
    if links > 1 && way == Rewrite::Rename {
        let message = format!(
            "{path} has {links} names (hard links): under the others its lines would stay; remove those, or rewrite \
             the file by `rewrite = \"copytruncate\"`"
        );
        return Err(Problem::new(Code::HardLink, message));
    }
    if Coding::of(file) != Coding::Plain && way != Rewrite::Rename {
        let message = format!("{path} is compressed, and so can only be replaced: leave `rewrite` out");
        return Err(Problem::new(Code::Compressed, message));
    }
    Ok(())
}

/// What a file holds, from its beginning.
pub(crate) fn content(path: &Path) -> Result<Box<dyn Read + Send>, Problem> {
    Coding::of(path).decoded(open(path)?).map_err(|error| cannot_read(path, &error))
}

/// Opens a file without touching the time of its last reading, where that is allowed.
pub(crate) fn open(path: &Path) -> Result<File, Problem> {
    let quiet = fs::OpenOptions::new().read(true).custom_flags(NO_ACCESS_TIME).open(path);
    quiet.or_else(|_| File::open(path)).map_err(|error| cannot_open(path, &error))
}

/// Only the owner may ask for it.
#[cfg(target_os = "linux")]
const NO_ACCESS_TIME: i32 = rustix::fs::OFlags::NOATIME.bits() as i32;
#[cfg(not(target_os = "linux"))]
const NO_ACCESS_TIME: i32 = 0;

/// What a file looks like at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: u64,
    modified: (i64, i64),
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }

    pub(crate) fn is_same_file(&self, other: &Stamp) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// How often a file is read that changes meanwhile.
const ATTEMPTS: usize = 3;

/// Reads a file: `work` is asked again where anything but an appended line changed under it.
pub(crate) fn read<T>(
    file: &CsvFile,
    mut work: impl FnMut(Box<dyn Read + Send>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    for _ in 0..ATTEMPTS {
        require_finished(&file.path)?;
        let opened = open(&file.path)?;
        let stamp = |metadata: io::Result<Metadata>| {
            metadata.map(|metadata| Stamp::of(&metadata)).map_err(|error| cannot_open(&file.path, &error))
        };
        let before = stamp(opened.metadata())?;
        let content = Coding::of(&file.path).decoded(opened);
        let result = content.map_err(|error| cannot_read(&file.path, &error)).and_then(&mut work);
        let after = stamp(fs::metadata(&file.path))?;
        let only_grew = before.is_same_file(&after) && after.size > before.size;
        if before == after || only_grew {
            return result;
        }
    }
    let message = format!("{} changes faster than it can be read; run again", file.path.display());
    Err(Problem::new(Code::Changing, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_that_is_no_text_is_passed_over_silently() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &[u8]| place.path().join(OsStr::from_bytes(name));
        for folder in [&b"a"[..], b"a/deep", b"b\xff"] {
            fs::create_dir(path(folder)).unwrap();
        }
        for file in [&b"a/x.csv"[..], b"a/\xff.csv", b"a/deep/\xff.csv", b"b\xff/x.csv", b"\xff.txt"] {
            fs::write(path(file), "").unwrap();
        }
        let told = |pattern: &str| nameless(&place.path().join(pattern), place.path()).len();
        assert_eq!((told("*/*.csv"), told("a/*.csv"), told("*.csv")), (2, 1, 0));
        assert_eq!((told("**/*.csv"), told("*/*.log"), told("a/x.csv")), (3, 1, 0));
    }
}
