//! Folders that no policy can have emptied: a slip in a path would cost too much.

use std::env;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Why a folder is refused, if it is: because it is one of these, or holds one of them. It is
/// told by device and inode, so that no link and no second mount hides it.
pub fn refusal(folder: &Path, keeps_out: &[PathBuf]) -> Option<String> {
    let own = identity(folder)?;
    if identity(Path::new("/")) == Some(own) {
        return Some("it is the root of the file system".to_string());
    }
    if env::home_dir().is_some_and(|home| holds(own, &home)) {
        return Some("it is the home folder, or holds it".to_string());
    }
    let held = keeps_out.iter().find(|path| holds(own, path));
    let held =
        held.map(|path| format!("it holds {}, and frist must not delete its own files", path.display()));
    held.or_else(|| within(folder, keeps_out))
}

/// Whether the folder is one of a path's, or the path itself.
fn holds(folder: (u64, u64), path: &Path) -> bool {
    real(path).ancestors().any(|ancestor| identity(ancestor) == Some(folder))
}

/// The state folder holds nothing but what frist needs; the policy's may hold data beside it.
fn within(folder: &Path, keeps_out: &[PathBuf]) -> Option<String> {
    let state = keeps_out.last().and_then(|state| identity(state))?;
    let is_within = real(folder).ancestors().any(|ancestor| identity(ancestor) == Some(state));
    is_within.then(|| "it lies in frist's own state folder".to_string())
}

/// The path without links. What does not exist yet ends it as it is written.
fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let existing = path.ancestors().find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    match existing {
        Some((ancestor, real)) => real.join(path.strip_prefix(ancestor).unwrap_or(Path::new(""))),
        None => path,
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_folders_above_what_is_kept_out_are_refused_and_those_beside_are_not() {
        let place = tempfile::tempdir().unwrap();
        let policy = place.path().join("etc/policies");
        let state = place.path().join("var/state");
        let data = place.path().join("data");
        [&policy, &state, &data, &state.join("deep")]
            .iter()
            .for_each(|path| fs::create_dir_all(path).unwrap());
        let keeps_out = [policy.clone(), state.clone()];
        let refused = |path: &Path| refusal(path, &keeps_out).is_some();
        for path in [&policy, &state, &place.path().join("etc"), &state.join("deep"), place.path()] {
            assert!(refused(path), "{}", path.display());
        }
        assert!(refused(Path::new("/")) && refused(&env::home_dir().unwrap()));
        assert!(!refused(&data));
        fs::create_dir(policy.join("backups")).unwrap();
        assert!(!refused(&policy.join("backups")), "data may lie below the policy");
    }

    /// Where one guard is missing, another may still refuse: each must give its own reason.
    #[test]
    fn every_folder_is_refused_for_its_own_reason() {
        let place = tempfile::tempdir().unwrap();
        let [policy, state] = ["policies", "state"].map(|name| place.path().join(name));
        fs::create_dir(&policy).unwrap();
        fs::create_dir_all(state.join("deep")).unwrap();
        let keeps_out = [policy.clone(), state.clone()];
        let reason = |path: &Path| refusal(path, &keeps_out).unwrap_or_default();
        let holds = |path: &Path| format!("it holds {}, and frist must not", path.display());
        assert!(reason(Path::new("/")).contains("root of the file system"));
        assert!(reason(&env::home_dir().unwrap()).contains("home folder"));
        assert!(reason(&policy).starts_with(&holds(&policy)), "{}", reason(&policy));
        assert!(reason(&state).starts_with(&holds(&state)), "{}", reason(&state));
        assert!(reason(&state.join("deep")).contains("in frist's own state folder"));
    }

    #[test]
    fn a_link_or_a_detour_hides_nothing() {
        let place = tempfile::tempdir().unwrap();
        let state = place.path().join("not/yet/there");
        let link = place.path().join("link");
        std::os::unix::fs::symlink(place.path(), &link).unwrap();
        let keeps_out = [state];
        assert!(refusal(&link, &keeps_out).is_some());
        fs::create_dir(place.path().join("not")).unwrap();
        assert!(refusal(&place.path().join("x/../not"), &keeps_out).is_none(), "there is no x");
        assert!(refusal(&place.path().join("not/../not"), &keeps_out).is_some());
    }
}
