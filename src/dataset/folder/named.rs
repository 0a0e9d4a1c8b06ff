//! Files that a column of a database names, by their paths below a folder.

use std::path::{Component, Path, PathBuf};

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

/// The ways in which a column may name the file of a path below the folder.
pub fn spellings(folder: &Path, path: &str) -> Vec<rusqlite::types::Value> {
    use rusqlite::types::Value;
    let absolute = folder.join(path).to_string_lossy().into_owned();
    let texts = [path.to_string(), format!("./{path}"), absolute];
    let number = path.parse::<i64>().ok().filter(|number| number.to_string() == path);
    texts.into_iter().map(Value::Text).chain(number.map(Value::Integer)).collect()
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
