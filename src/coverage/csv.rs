//! CSV files beside those of a source that no source is about: an old name, a compressed log.

use std::path::PathBuf;

use super::claims::Claims;
use super::names::Few;
use super::{Coverage, Named};
use crate::diagnostic::{Code, Finding};
use crate::policy::CsvFiles;
use crate::source::csv::files::{OPTIONS, name_below};

/// Looks at the folders in which the files of a source lie.
pub(super) fn check(named: &Named<'_>, source: &CsvFiles, claims: &mut Claims<'_>, coverage: &mut Coverage) {
    let Some(ending) = source.pattern.file_name().and_then(|name| ending(&name.to_string_lossy())) else {
        return;
    };
    let mut left = Few::default();
    for file in siblings(source, &ending) {
        let below = name_below(&source.root(), &file);
        let is_ignored = named.source.ignore_files.iter().any(|ignored| ignored.matches(below.as_bytes()));
        if !is_hidden(&below) && !is_ignored && !claims.cover(&file) && claims.tell(&file) {
            left.add(below);
        }
    }
    coverage.findings.extend(finding(named, &left, &ending).map(|finding| (named.at, finding)));
}

fn finding(named: &Named<'_>, left: &Few, ending: &str) -> Option<Finding> {
    let (files, are) = match left.count() {
        0 => return None,
        1 => (format!("1 .{ending} file"), "is"),
        many => (format!("{many} .{ending} files"), "are"),
    };
    let message =
        format!("{files} beside those of source `{}` {are} covered by no source: {left}", named.source.name);
    let help = "widen `csv`, write a source for them, or ignore them: \
                ignore = [{ file = \"old-*.csv\", why = \"…\" }]";
    Some(Finding::warning(Code::UncoveredFiles, message, named.source.span.clone()).help(help))
}

/// The files in the folders that the pattern means, whose names end so.
fn siblings<'s>(source: &'s CsvFiles, wanted: &'s str) -> impl Iterator<Item = PathBuf> + 's {
    let every = source.pattern.with_file_name("*");
    let paths = glob::glob_with(&every.to_string_lossy(), OPTIONS).into_iter().flatten().flatten();
    let alike = move |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.and_then(|name| ending(&name)).is_some_and(|ending| ending == wanted)
    };
    paths.filter(alike).filter(|path| path.metadata().is_ok_and(|metadata| metadata.is_file()))
}

/// Hidden files, and those in hidden folders, are being written, or belong to a program.
fn is_hidden(below: &str) -> bool {
    below.split('/').any(|name| name.starts_with('.'))
}

/// What a name, or a pattern of names, ends with, however the file is compressed; none where
/// that is not said.
fn ending(name: &str) -> Option<String> {
    let name = name.to_lowercase();
    let plain = [".gz", ".zst"].iter().find_map(|coding| name.strip_suffix(coding)).unwrap_or(&name);
    let (_, ending) = plain.rsplit_once('.')?;
    let is_said = !ending.is_empty() && !ending.contains(['*', '?', '[', ']', '/']);
    is_said.then(|| ending.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_alike_by_what_they_end_with() {
        let same = |one: &str, other: &str| ending(one).is_some() && ending(one) == ending(other);
        assert!(same("access-*.csv", "old.csv"));
        assert!(same("access-*.csv", "access-2024.CSV.gz"), "a rotated log");
        assert!(same("access-*.csv.zst", "access.csv"));
        assert!(!same("access-*.csv", "access.txt"));
        assert!(!same("access-*.csv", "access.gz"));
        for pattern in ["*", "access", "access.*", "access.c[sx]v", "access.", ".gz"] {
            assert_eq!(ending(pattern), None, "{pattern}");
        }
    }
}
