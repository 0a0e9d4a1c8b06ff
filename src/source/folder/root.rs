//! Opening a folder, and the folders in it, without ever following a link out of it.

use std::ffi::CStr;
use std::fs;
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use super::look::Look;
use super::refusal::refusal;
use super::volume::Volume;
use crate::diagnostic::Code;
use crate::policy::Folder;
use crate::source::Problem;
use crate::source::request::Unusable;

/// A folder that is open: whatever happens to its name, this is what is read.
#[derive(Debug)]
pub struct Root {
    folder: OwnedFd,
    volume: Volume,
    path: PathBuf,
}

impl Root {
    /// Opens the folder of a source. A link to it is followed, as the policy names it; from here
    /// on none is.
    pub fn open(folder: &Folder) -> Result<Root, Unusable> {
        let path = &folder.path;
        let metadata = fs::metadata(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Unusable::missing(missing(path)),
            _ => Unusable::failed(problem(path, &error.to_string())),
        })?;
        if !metadata.is_dir() {
            let message = format!(
                "{} is not a folder; `files` names the folder, `match` the files in it",
                path.display()
            );
            return Err(Unusable::failed(Problem::new(Code::NotAFolder, message)));
        }
        if let Some(why) = refusal(path, &folder.keeps_out) {
            return Err(Unusable::failed(refused(path, &why)));
        }
        let root = Root::reopen(path).map_err(Unusable::failed)?;
        let same = (metadata.dev(), metadata.ino()) == identity(root.as_fd()).unwrap_or_default();
        if same { Ok(root) } else { Err(Unusable::failed(problem(path, "it was replaced meanwhile"))) }
    }

    /// Opens a folder that an earlier run had opened.
    pub fn reopen(path: &Path) -> Result<Root, Problem> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let told = |error: Errno| problem(path, &std::io::Error::from(error).to_string());
        let folder = without_access_time(CWD, path, flags).map_err(told)?;
        let volume = Volume::of(folder.as_fd()).map_err(told)?;
        Ok(Root { folder, volume, path: path.to_path_buf() })
    }

    /// The folder as the policy names it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the folder lies on. The folder itself may be a mount.
    pub fn volume(&self) -> Volume {
        self.volume
    }

    /// A problem with something below the folder.
    pub fn problem(&self, below: &[u8], what: &str) -> Problem {
        problem(&self.path.join(super::shown(below)), what)
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }
}

/// Why a sub-folder is not entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It is not there any more, or is no folder any more.
    Gone,
    /// Something else is mounted there.
    Mount,
    /// Nobody can say whether something is mounted there.
    Unknown,
    /// The system says no.
    Error(Errno),
}

impl Closed {
    /// The reason in words.
    pub fn words(self) -> String {
        match self {
            Closed::Gone => "it is gone".to_string(),
            Closed::Mount => "something is mounted there".to_string(),
            Closed::Unknown => {
                "the system does not tell whether something is mounted there; mount /proc".to_string()
            }
            Closed::Error(error) => std::io::Error::from(error).to_string(),
        }
    }
}

/// Opens a sub-folder by its name in an open folder: never a link, never what is mounted there.
pub fn enter(folder: BorrowedFd<'_>, name: &CStr, volume: Volume) -> Result<OwnedFd, Closed> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = without_access_time(folder, name, flags).map_err(|error| match error {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP => Closed::Gone,
        error => Closed::Error(error),
    })?;
    match Volume::of(opened.as_fd()) {
        Ok(own) if own.device != volume.device => Err(Closed::Mount),
        Ok(Volume { mount: None, .. }) => Err(Closed::Unknown),
        Ok(own) if own == volume => Ok(opened),
        Ok(_) => Err(Closed::Mount),
        Err(error) => Err(Closed::Error(error)),
    }
}

/// Reading a folder would set its access time; who owns it can ask for that not to happen.
fn without_access_time<P: rustix::path::Arg + Copy>(
    folder: BorrowedFd<'_>,
    name: P,
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    openat(folder, name, flags | OFlags::NOATIME, Mode::empty()).or_else(|error| match error {
        Errno::PERM => openat(folder, name, flags, Mode::empty()),
        error => Err(error),
    })
}

fn identity(folder: BorrowedFd<'_>) -> Result<(u64, u64), Errno> {
    fstat(folder).map(|stat| Look::of(&stat)).map(|look| (look.device, look.inode))
}

fn missing(path: &Path) -> String {
    format!("{} does not exist; is the path right, and is the disk mounted?", path.display())
}

fn problem(path: &Path, what: &str) -> Problem {
    let message =
        format!("{}: {what}; look at its owner and mode, and at those of its folders", path.display());
    Problem::new(Code::CannotOpen, message)
}

/// The problem of a folder that must not be emptied.
pub fn refused(path: &Path, why: &str) -> Problem {
    let message = format!(
        "{} is refused as a source: {why}; name a folder that holds nothing but the data",
        path.display()
    );
    Problem::new(Code::RefusedFolder, message)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_link_is_entered_and_nothing_but_a_folder() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("folder")).unwrap();
        fs::write(place.path().join("file"), "").unwrap();
        symlink("folder", place.path().join("link")).unwrap();
        let root = Root::reopen(place.path()).unwrap();
        let entered = |name: &CStr| enter(root.as_fd(), name, root.volume()).map(drop);
        assert_eq!(entered(c"folder"), Ok(()));
        for name in [c"link", c"file", c"nothing"] {
            assert_eq!(entered(name), Err(Closed::Gone), "{name:?}");
        }
        let Volume { device, mount } = root.volume();
        for other in [Volume { device: device + 1, mount }, Volume { device, mount: mount.map(|id| id + 1) }]
        {
            assert_eq!(enter(root.as_fd(), c"folder", other).map(drop), Err(Closed::Mount));
        }
    }
}
