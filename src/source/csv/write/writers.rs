//! Which programs can still write to a file that has no name any more.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whether a process that can be seen has the file open for writing. Those of other users cannot be seen, but by root.
pub(super) fn are_there(file: &Metadata) -> bool {
    numbered("/proc").any(|process| {
        numbered(Path::new("/proc").join(&process).join("fd"))
            .any(|descriptor| leads_to(file, &process, &descriptor))
    })
}

/// The entries of a folder that are numbers; none where it cannot be read.
fn numbered(folder: impl AsRef<Path>) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
}

fn leads_to(file: &Metadata, process: &str, descriptor: &str) -> bool {
    let process = Path::new("/proc").join(process);
    let is_it = fs::metadata(process.join("fd").join(descriptor))
        .is_ok_and(|open| (open.dev(), open.ino()) == (file.dev(), file.ino()));
    is_it
        && fs::read_to_string(process.join("fdinfo").join(descriptor)).is_ok_and(|told| is_for_writing(&told))
}

/// Reads `flags:` of a descriptor, in octal: the last two bits are 0 where it can only be read.
fn is_for_writing(told: &str) -> bool {
    let flags = told.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & 0b11 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs::{File, OpenOptions};

    use super::*;

    #[test]
    fn who_can_write_is_seen_and_who_can_read_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        fs::write(&path, "x").unwrap();
        let reader = File::open(&path).unwrap();
        fs::remove_file(folder.path().join("log.csv")).unwrap();
        let metadata = reader.metadata().unwrap();
        assert!(!are_there(&metadata));
        fs::write(&path, "another file of that name").unwrap();
        let other = OpenOptions::new().append(true).open(&path).unwrap();
        assert!(!are_there(&metadata) && are_there(&other.metadata().unwrap()));
    }
}
