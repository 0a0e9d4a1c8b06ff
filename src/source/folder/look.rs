//! What the system knows of one entry, asked without following it.

use std::ffi::CStr;
use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, FileType, Stat, Statx, StatxFlags, Timespec, fstat, makedev, statat, statx};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// A modification time, in seconds and nanoseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Modified {
    seconds: i64,
    nanos: u32,
}

impl Modified {
    /// So many seconds and nanoseconds since 1970.
    pub fn new(seconds: i64, nanos: u32) -> Modified {
        Modified { seconds, nanos }
    }

    /// Nanoseconds since 1970. Times too far away for that, which lie in the year 2262 or before
    /// 1678, become the last and the first that can be told: to come, and not readable.
    pub fn in_nanos(self) -> i64 {
        let whole = self.seconds.saturating_mul(1_000_000_000);
        whole.saturating_add(i64::from(self.nanos))
    }
}

impl From<Modified> for Timespec {
    fn from(modified: Modified) -> Timespec {
        Timespec { tv_sec: modified.seconds, tv_nsec: modified.nanos.into() }
    }
}

/// What the system knows of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The file system.
    pub device: u64,
    /// The file, among those of the file system.
    pub inode: u64,
    /// File, link, folder or something else.
    pub kind: FileType,
    /// When its content last changed.
    pub modified: Modified,
    /// Bytes of content.
    pub size: u64,
    /// Bytes that its removal gives back: none where the file has another name.
    pub frees: u64,
    /// The mount by which it is seen; none where the system does not tell.
    pub mount: Option<u64>,
    /// How many entries it is; more than one for a sub-folder with content.
    pub entries: u64,
}

impl Look {
    /// Looks at an entry; a link is looked at itself.
    pub fn at(folder: BorrowedFd<'_>, name: &CStr) -> Result<Look, Errno> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        match statx(folder, name, flags, ASKED) {
            Ok(stat) => Ok(Look::of_statx(&stat)),
            // Old kernels, and what forbids new calls.
            Err(Errno::NOSYS | Errno::PERM) => statat(folder, name, flags).map(|stat| Look::of(&stat)),
            Err(error) => Err(error),
        }
    }

    /// Looks at what is open.
    pub fn of_open(file: BorrowedFd<'_>) -> Result<Look, Errno> {
        match statx(file, c"", AtFlags::EMPTY_PATH, ASKED) {
            Ok(stat) => Ok(Look::of_statx(&stat)),
            Err(_) => fstat(file).map(|stat| Look::of(&stat)),
        }
    }

    fn of_statx(stat: &Statx) -> Look {
        let size = stat.stx_size;
        Look {
            device: makedev(stat.stx_dev_major, stat.stx_dev_minor),
            inode: stat.stx_ino,
            kind: FileType::from_raw_mode(stat.stx_mode.into()),
            modified: Modified::new(stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
            size,
            frees: if stat.stx_nlink > 1 { 0 } else { size },
            mount: (stat.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(stat.stx_mnt_id),
            entries: 1,
        }
    }

    /// What an answer of the system says.
    pub fn of(stat: &Stat) -> Look {
        let size = u64::try_from(stat.st_size).unwrap_or_default();
        Look {
            device: stat.st_dev,
            inode: stat.st_ino,
            kind: FileType::from_raw_mode(stat.st_mode),
            modified: Modified::new(stat.st_mtime, stat.st_mtime_nsec as u32),
            size,
            frees: if stat.st_nlink > 1 { 0 } else { size },
            mount: None,
            entries: 1,
        }
    }
}

/// All that a look tells.
const ASKED: StatxFlags = StatxFlags::BASIC_STATS.union(StatxFlags::MNT_ID);

/// Whether an entry of this kind can be a record of files.
pub fn is_file_or_link(kind: FileType) -> bool {
    matches!(kind, FileType::RegularFile | FileType::Symlink)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_calls_of_the_system_tell_the_same() {
        use std::os::fd::AsFd;

        let file = tempfile::tempfile().unwrap();
        let new = Look::of_open(file.as_fd()).unwrap();
        assert_eq!(Look { mount: None, ..new }, Look::of(&fstat(&file).unwrap()));
    }

    #[test]
    fn no_time_overflows() {
        assert_eq!(Modified::new(1, 5).in_nanos(), 1_000_000_005);
        assert_eq!(Modified::new(-1, 999_999_999).in_nanos(), -1);
        assert_eq!(Modified::new(i64::MAX, 999_999_999).in_nanos(), i64::MAX);
        assert_eq!(Modified::new(i64::MIN, 0).in_nanos(), i64::MIN);
        assert!(Modified::new(3, 0) > Modified::new(2, 999_999_999));
    }
}
