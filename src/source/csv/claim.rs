//! Whether a file that somebody is about to write would be one of a source's.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use glob::Pattern;

use super::files::{OPTIONS, is_hidden};

/// Whether a source's pattern would claim the file, or whether it is what a purge keeps beside one of those. The
/// file's folder is named as it really is; the file need not be there.
pub(crate) fn claims(pattern: &Path, file: &Path) -> bool {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return false };
    let name = name.to_string_lossy();
    let name = kept_beside(&name).unwrap_or(&name);
    let is_any = pattern.file_name() == Some(OsStr::new("**"));
    let last = pattern.file_name().filter(|_| !is_any).unwrap_or(OsStr::new("*"));
    let is_meant = Pattern::new(&last.to_string_lossy()).is_ok_and(|last| last.matches_with(name, OPTIONS));
    let above = if is_any { Some(pattern) } else { pattern.parent() };
    let lies_in = |meant: PathBuf| {
        let is_seen = !is_hidden(&meant.join(name), pattern);
        let meant = if meant.as_os_str().is_empty() { Path::new(".") } else { &meant };
        is_seen && meant.canonicalize().is_ok_and(|real| real == folder)
    };
    is_meant && above.is_some_and(|above| folders(above).into_iter().any(lies_in))
}

/// The file beside which a purge would write under this name.
fn kept_beside(name: &str) -> Option<&str> {
    Some(name.strip_prefix('.')?.rsplit_once(".frist-")?.0)
}

/// What a pattern of folders means; a part that stands for any folders also stands for none.
fn folders(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![pattern.to_path_buf()];
    found.extend(glob::glob_with(&pattern.to_string_lossy(), OPTIONS).into_iter().flatten().flatten());
    if pattern.file_name() == Some(OsStr::new("**")) {
        found.extend(pattern.parent().map(folders).unwrap_or_default());
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_pattern_claims_what_it_would_match() {
        let place = tempfile::tempdir().unwrap();
        let real = place.path().canonicalize().unwrap();
        fs::create_dir_all(real.join("a/b/c")).unwrap();
        fs::create_dir_all(real.join(".a")).unwrap();
        let claims = |pattern: &str, file: &str| claims(&place.path().join(pattern), &real.join(file));
        for (pattern, file) in [
            ("x.csv", "x.csv"),
            ("*.csv", "x.csv"),
            ("*.csv", ".x.csv.frist-kept"),
            (".*.csv", ".x.csv"),
            ("*/*.csv", "a/x.csv"),
            ("a/**/*.csv", "a/x.csv"),
            ("a/**/*.csv", "a/b/c/x.csv"),
            ("**/c/*.csv", "a/b/c/x.csv"),
            ("a/**", "a/x.csv"),
            ("a/**", "a/b/x.csv"),
            (".a/*", ".a/x"),
        ] {
            assert!(claims(pattern, file), "{pattern} {file}");
        }
        for (pattern, file) in [
            ("x.csv", "y.csv"),
            ("*.csv", "x.json"),
            ("*.csv", ".x.csv"),
            ("*.csv", "a/x.csv"),
            ("*/*.csv", "x.csv"),
            ("*/*.csv", "a/b/x.csv"),
            ("*/*.csv", ".a/x.csv"),
            ("a/**", "x.csv"),
        ] {
            assert!(!claims(pattern, file), "{pattern} {file}");
        }
    }
}
