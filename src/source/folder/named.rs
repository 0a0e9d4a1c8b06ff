//! Files that a column of a database names, by their paths below a folder.

use std::cell::OnceCell;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;

use super::look::{Look, is_file_or_link};
use super::root::{Closed, Root, enter};
use crate::value::Value;

/// A value that names nothing below the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strange;

/// The path below a folder that a value names; none where it is empty. An absolute path must begin with
/// the folder's own.
pub fn below(folder: &Path, value: Value<'_>) -> Result<Option<PathBuf>, Strange> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::Text(text) => std::str::from_utf8(text).map_err(|_| Strange)?.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Real(_) | Value::Blob => return Err(Strange),
    };
    if text.trim().is_empty() {
        return Ok(None);
    }
    if text.contains('\0') {
        return Err(Strange);
    }
    let path = Path::new(&text);
    let path = if path.is_absolute() { path.strip_prefix(folder).map_err(|_| Strange)? } else { path };
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(Strange),
        }
    }
    // A folder is no file, and `a/` names one.
    if plain.as_os_str().is_empty() || text.ends_with('/') { Err(Strange) } else { Ok(Some(plain)) }
}

/// Where a named file lies, or would lie: its folder, open, and its name in it.
pub struct Place<'r> {
    root: &'r Root,
    /// None for the folder itself.
    inner: Option<OwnedFd>,
    /// Its name.
    pub name: CString,
}

impl Place<'_> {
    /// The folder that it lies in.
    pub fn folder(&self) -> BorrowedFd<'_> {
        self.inner.as_ref().map_or_else(|| self.root.as_fd(), AsFd::as_fd)
    }

    /// What the system knows of the file; none where there is none. What is no file is an error.
    pub fn look(&self) -> Result<Option<Look>, String> {
        match Look::at(self.folder(), &self.name) {
            Ok(look) if self.root.volume().is_mounted_over(&look) => Err(Closed::Mount.words()),
            Ok(look) if is_file_or_link(look.kind) => Ok(Some(look)),
            Ok(_) => Err("it is no file".to_string()),
            // A name that no file can have is one that is not there.
            Err(Errno::NOENT | Errno::NAMETOOLONG) => Ok(None),
            Err(error) => Err(std::io::Error::from(error).to_string()),
        }
    }
}

/// Goes to where a path below a folder leads, past every link and every mount; none where a folder on
/// the way is not there.
pub fn place<'r>(root: &'r Root, path: &Path) -> Result<Option<Place<'r>>, String> {
    let names: Result<Vec<CString>, _> = path.iter().map(|name| CString::new(name.as_bytes())).collect();
    let Ok(mut names) = names else { return Ok(None) };
    let Some(name) = names.pop() else { return Ok(None) };
    let mut inner: Option<OwnedFd> = None;
    for folder in &names {
        let outer = inner.as_ref().map_or_else(|| root.as_fd(), AsFd::as_fd);
        inner = Some(match enter(outer, folder, root.volume()) {
            Ok(entered) => entered,
            Err(Closed::Gone) => return nothing_or_link(outer, folder).map(|()| None),
            Err(Closed::Error(Errno::NAMETOOLONG)) => return Ok(None),
            Err(closed) => return Err(closed.words()),
        });
    }
    Ok(Some(Place { root, inner, name }))
}

/// A folder that is not there holds nothing; through a link nobody goes.
fn nothing_or_link(folder: BorrowedFd<'_>, name: &CStr) -> Result<(), String> {
    match Look::at(folder, name) {
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(std::io::Error::from(error).to_string()),
        Ok(_) => Err("its folder is a link, or no folder".to_string()),
    }
}

/// A folder below which values name files.
pub struct Below {
    folder: PathBuf,
    root: OnceCell<Option<Root>>,
}

impl Below {
    /// It is opened when the first value leads into it.
    pub fn new(folder: &Path) -> Below {
        Below { folder: folder.to_path_buf(), root: OnceCell::new() }
    }

    /// Whether a value leads nowhere that a file could be removed: out of the folder, to a folder, or
    /// through a link or a mount.
    pub fn is_strange(&self, value: Value<'_>) -> bool {
        let path = match below(&self.folder, value) {
            Ok(None) => return false,
            Ok(Some(path)) => path,
            Err(Strange) => return true,
        };
        // Of a folder that is not there, or that the system keeps shut, the purge tells.
        let root = self.root.get_or_init(|| Root::reopen(&self.folder).ok());
        let Some(root) = root else { return false };
        match place(root, &path) {
            Ok(Some(place)) => place.look().is_err(),
            Ok(None) => false,
            Err(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_never_leaves_its_folder() {
        let below = |text: &str| below(Path::new("/srv/uploads"), Value::Text(text.as_bytes()));
        let plain = |text: &str| Ok(Some(PathBuf::from(text)));
        assert_eq!(below("a/b.jpg"), plain("a/b.jpg"));
        assert_eq!(below("./a//b.jpg"), plain("a/b.jpg"));
        assert_eq!(below("/srv/uploads/a.jpg"), plain("a.jpg"));
        assert_eq!(below(" "), Ok(None));
        for strange in
            ["../a", "a/../b", "/etc/passwd", "/srv/uploads", "/srv/uploads2/a", ".", "a/", "a\0b", "/"]
        {
            assert_eq!(below(strange), Err(Strange), "{strange:?}");
        }
    }

    #[test]
    fn only_texts_and_whole_numbers_are_names() {
        let below = |value| below(Path::new("/srv"), value);
        assert_eq!(below(Value::Null), Ok(None));
        assert_eq!(below(Value::Integer(17)), Ok(Some("17".into())));
        for strange in [Value::Real(1.5), Value::Blob, Value::Text(b"\xff")] {
            assert_eq!(below(strange), Err(Strange), "{strange:?}");
        }
    }
}
