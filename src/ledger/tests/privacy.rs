//! The state folder is for one account, and keys do not outlive their batch.

use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::*;

fn pending(batch: u64, key: &str) -> Pending {
    Pending { run: "a".to_owned(), rule: "orders".to_owned(), batch, range: json!([key, 7, null]) }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Played under a mask that takes nothing away.
pub(super) fn make_every_file(path: &Path) {
    let folder = StateFolder::create(path).unwrap();
    let lock = RunLock::acquire(&folder).unwrap();
    {
        let mut ledger = Ledger::open(&lock, "a").unwrap();
        ledger.append(AT, &started(AT)).unwrap();
        ledger.seal().unwrap();
    }
    let torn = [fs::read(folder.ledger()).unwrap(), b"torn".to_vec()].concat();
    fs::write(folder.ledger(), torn).unwrap();
    Ledger::open(&lock, "b").unwrap().seal().unwrap();
    pending(1, "ann@example.com").write(&lock).unwrap();
}

#[test]
fn the_folder_and_its_files_are_private_under_any_mask() {
    for mask in ["000", "022", "077"] {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("var/frist");
        let status = child::command("everything", &state, &format!("umask {mask}")).status().unwrap();
        assert!(status.success());
        assert_eq!(mode(&state), 0o700);
        assert_eq!(mode(state.parent().unwrap()), 0o700);
        let mut names: Vec<String> = Vec::new();
        for file in fs::read_dir(&state).unwrap() {
            let path = file.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            names.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
        names.sort();
        assert_eq!(names, ["ledger.head", "ledger.jsonl", "ledger.torn", "lock", "pending.json"]);
    }
}

#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    let place = whole();
    for open in [0o770, 0o702, 0o777] {
        fs::set_permissions(place.path(), Permissions::from_mode(open)).unwrap();
        assert!(
            matches!(StateFolder::create(place.path()), Err(LedgerError::Exposed { mode, .. }) if mode == open)
        );
        assert!(StateFolder::open_existing(place.path()).is_err());
    }
    fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
    assert!(StateFolder::open_existing(place.path()).unwrap().is_some());
}

#[test]
fn only_a_purge_makes_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    assert_eq!(StateFolder::open_existing(&state).unwrap(), None);
    assert!(entries(&state).is_err());
    assert!(verify(&state, None).is_err());
    assert!(!state.exists());
    fs::write(&state, "").unwrap();
    assert!(StateFolder::open_existing(&state).is_err());
    assert!(StateFolder::create(&state).is_err());
}

#[test]
fn pending_keys_are_read_again() {
    let place = Place::new();
    let lock = RunLock::acquire(&place.folder).unwrap();
    assert_eq!(Pending::read(&place.folder).unwrap(), None);
    for batch in 1..4 {
        pending(batch, "ann@example.com").write(&lock).unwrap();
        assert_eq!(Pending::read(&place.folder).unwrap(), Some(pending(batch, "ann@example.com")));
    }
    Pending::clear(&lock).unwrap();
    assert_eq!(Pending::read(&place.folder).unwrap(), None);
    Pending::clear(&lock).unwrap();
    assert!(place.files().is_empty());
}

#[test]
fn replaced_and_cleared_keys_are_overwritten() {
    let place = Place::new();
    let lock = RunLock::acquire(&place.folder).unwrap();
    pending(1, "ann@example.com").write(&lock).unwrap();
    let mut first = File::open(place.folder.pending()).unwrap();
    pending(2, "bob@example.com").write(&lock).unwrap();
    let mut second = File::open(place.folder.pending()).unwrap();
    let stray = place.path().join("pending.json.new");
    fs::write(&stray, "eve@example.com").unwrap();
    let mut half = File::open(&stray).unwrap();
    Pending::clear(&lock).unwrap();
    for file in [&mut first, &mut second, &mut half] {
        let mut left = Vec::new();
        file.read_to_end(&mut left).unwrap();
        assert!(left.len() > 10 && left.iter().all(|byte| *byte == 0), "{left:?}");
    }
}

#[test]
fn half_cleared_keys_are_no_keys_and_damaged_ones_are_not_quoted() {
    let place = Place::new();
    fs::write(place.folder.pending(), b"\0\0\0ple.com\"]}").unwrap();
    assert_eq!(Pending::read(&place.folder).unwrap(), None);
    fs::write(place.folder.pending(), b"{\"run\":\"a\",\"rule\":\"r\",\"batch\":\"ann@example.com\"}")
        .unwrap();
    let error = Pending::read(&place.folder).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("ann@"), "{error}");
    assert!(error.to_string().contains("pending.json"));
    assert!(!format!("{:?}", pending(1, "ann@example.com")).contains("ann@"));
}
