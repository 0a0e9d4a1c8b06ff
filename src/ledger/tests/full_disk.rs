//! G6: a disk that takes no more is an error that names the file, and leaves the
//! ledger as it was before the entry.

use std::fs;

use super::*;

/// Appends until an entry is refused, and says how many were not.
fn fill(ledger: &mut Ledger<'_>, folder: &StateFolder) -> u64 {
    let mut taken = ledger.last().map_or(0, |last| last.seq);
    loop {
        let before = fs::metadata(folder.ledger()).unwrap().len();
        match ledger.append(AT, &rule_started("orders")) {
            Ok(link) => taken = link.seq,
            Err(error) => {
                assert!(error.to_string().contains("ledger.jsonl"), "{error}");
                assert_eq!(fs::metadata(folder.ledger()).unwrap().len(), before, "a short write stays");
                assert_eq!(ledger.last().unwrap().seq, taken);
                return taken;
            }
        }
    }
}

/// Played by a process whose files may only grow to 8 KiB.
pub(super) fn fill_up_to_the_limit(folder: &Path) {
    let folder = StateFolder::create(folder).unwrap();
    let lock = RunLock::acquire(&folder).unwrap();
    let mut ledger = Ledger::open(&lock, "limited").unwrap();
    let taken = fill(&mut ledger, &folder);
    ledger.seal().unwrap();
    assert_eq!(fill(&mut ledger, &folder), taken);
    assert_eq!(verify(folder.path(), None).unwrap().entries, taken);
}

/// Played by a process that has a disk of 48 KiB of its own.
pub(super) fn fill_a_tmpfs(disk: &Path) {
    let folder = StateFolder::create(&disk.join("state")).unwrap();
    let ballast = disk.join("ballast");
    fs::write(&ballast, vec![1; 12 * 1024]).unwrap();
    let lock = RunLock::acquire(&folder).unwrap();
    let mut ledger = Ledger::open(&lock, "tmpfs").unwrap();
    let pending = |batch| Pending {
        run: "tmpfs".to_owned(),
        rule: "orders".to_owned(),
        batch,
        range: serde_json::json!(["a".repeat(3000), "z"]),
    };
    pending(1).write(&lock).unwrap();
    ledger.append(AT, &started(AT)).unwrap();
    ledger.seal().unwrap();
    let head = fs::read(folder.head()).unwrap();
    let taken = fill(&mut ledger, &folder);
    let errors = [ledger.seal().unwrap_err(), pending(2).write(&lock).unwrap_err()];
    for (error, name) in errors.iter().zip(["ledger.head.new", "pending.json.new"]) {
        assert!(error.to_string().contains(name), "{error}");
        assert!(!folder.path().join(name).exists(), "{name} stays");
    }
    assert_eq!(fs::read(folder.head()).unwrap(), head);
    assert_eq!(Pending::read(&folder).unwrap(), Some(pending(1)));
    assert_eq!(verify(folder.path(), None).unwrap().entries, taken);
    fs::remove_file(ballast).unwrap();
    ledger.append(AT, &finished()).unwrap();
    ledger.seal().unwrap();
    pending(2).write(&lock).unwrap();
    assert_eq!(verify(folder.path(), None).unwrap().entries, taken + 1);
    println!("\nplayed to the end");
}

#[test]
fn an_entry_that_does_not_fit_is_taken_back() {
    let place = Place::new();
    let limit = "trap '' XFSZ; ulimit -f 16";
    let status = child::command("limited", place.path(), limit).status().unwrap();
    assert!(status.success());
    let taken = place.verify().unwrap().entries;
    assert!((5..40).contains(&taken), "{taken}");
    place.with("z", |ledger| ledger.append(AT, &started(AT)).map(drop)).unwrap().unwrap();
    assert_eq!(place.verify().unwrap().entries, taken + 1);
}

#[test]
fn a_full_disk_leaves_the_ledger_its_head_and_the_keys_and_no_strays() {
    let dir = tempfile::tempdir().unwrap();
    let mut probe = std::process::Command::new("unshare");
    let mount = format!("mount -t tmpfs -o size=48k none '{}'", dir.path().display());
    if !probe.args(["-rm", "sh", "-c", &mount]).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: this account may not mount a tmpfs of its own");
        return;
    }
    let prelude = format!(
        "set -e; [ -n \"$INSIDE\" ] || INSIDE=1 exec unshare -rm sh -c '{}; exec \"$@\"' sh \"$@\"",
        mount.replace('\'', "'\\''")
    );
    let output = child::command("tmpfs", dir.path(), &prelude).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("played to the end"), "{said}");
}
