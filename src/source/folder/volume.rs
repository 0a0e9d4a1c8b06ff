//! Which mount something is seen by. A bind mount has the device of the file system that it shows, so
//! that no device tells where one begins.

use std::fs;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

use super::look::Look;

/// A file system, and the mount by which it is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The file system.
    pub device: u64,
    /// The mount; none where the system does not tell.
    pub mount: Option<u64>,
}

impl Volume {
    /// That of a folder that is open.
    pub fn of(folder: BorrowedFd<'_>) -> Result<Volume, Errno> {
        let look = Look::of_open(folder)?;
        Ok(Volume { device: look.device, mount: look.mount.or_else(|| from_proc(folder)) })
    }

    /// Whether a file is mounted over its own name. Files are told by their mount alone: those of a
    /// layered file system can have another device than their folder has.
    pub fn is_mounted_over(&self, file: &Look) -> bool {
        matches!((self.mount, file.mount), (Some(own), Some(other)) if own != other)
    }
}

/// What kernels before 5.8 tell of an open file.
fn from_proc(folder: BorrowedFd<'_>) -> Option<u64> {
    let told = fs::read_to_string(format!("/proc/self/fdinfo/{}", folder.as_raw_fd())).ok()?;
    told.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn both_ways_of_asking_give_the_same_mount() {
        let folder = fs::File::open("/proc/self").unwrap();
        let other = fs::File::open("/").unwrap();
        let asked = Volume::of(folder.as_fd()).unwrap();
        if asked.mount.is_some() {
            assert_eq!(asked.mount, from_proc(folder.as_fd()));
        }
        assert_ne!(asked, Volume::of(other.as_fd()).unwrap());
    }
}
