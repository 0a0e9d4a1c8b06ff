//! Entries of a folder that are no records: what `match` leaves out, and what lies deeper or
//! beside.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::claims::Claims;
use super::names::Few;
use super::{Coverage, Named};
use crate::diagnostic::{Code, Finding};
use crate::policy::{Folder, Unit};
use crate::source::folder::root::Root;
use crate::source::folder::shown;
use crate::source::folder::walk::walk;
use crate::source::request::Flow;

/// Looks at every entry. What cannot be read is told by those who read the records.
pub(super) fn check(named: &Named<'_>, folder: &Folder, claims: &Claims<'_>, coverage: &mut Coverage) {
    let Ok(root) = Root::open(folder) else { return };
    let mut left = Few::default();
    for unit in [Unit::File, Unit::Folder] {
        if unit == Unit::Folder && folder.recursive {
            continue;
        }
        let Ok(every) = Folder::new(folder.path.clone(), unit, folder.recursive, &[]) else { continue };
        // What could not be seen is told by those who read the records.
        let _ = walk(&root, &every, &mut |record| {
            left_out(named, folder, unit, record.path(), claims).into_iter().for_each(|name| left.add(name));
            Flow::On
        });
    }
    coverage.findings.extend(finding(named, &left).map(|finding| (named.at, finding)));
}

/// The name of an entry that no source is about.
fn left_out(
    named: &Named<'_>,
    folder: &Folder,
    unit: Unit,
    below: &[u8],
    claims: &Claims<'_>,
) -> Option<String> {
    let is_record = unit == folder.unit && folder.selects(below);
    if is_record || named.source.ignore_files.iter().any(|ignored| ignored.matches(below)) {
        return None;
    }
    let path: PathBuf = folder.path.join(OsStr::from_bytes(below));
    let is_claimed = if unit == Unit::Folder { claims.reach_into(&path) } else { claims.cover(&path) };
    let slash = if unit == Unit::Folder { "/" } else { "" };
    (!is_claimed).then(|| format!("{}{slash}", shown(below)))
}

fn finding(named: &Named<'_>, left: &Few) -> Option<Finding> {
    let (entries, are) = match left.count() {
        0 => return None,
        1 => ("1 entry".to_string(), "is"),
        many => (format!("{many} entries"), "are"),
    };
    let message = format!(
        "{entries} in the folder of source `{}` {are} covered by no source: {left}",
        named.source.name
    );
    let help = "widen `match`, write a source for them, or ignore them: \
                ignore = [{ file = \"README*\", why = \"…\" }]";
    Some(Finding::warning(Code::UncoveredFiles, message, named.source.span.clone()).help(help))
}
