//! G17 in folders: whatever is exchanged while a purge runs, nothing outside of the folder goes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::support::{HEAD, Place, WITHOUT_LIMIT, set_modified};

const NOW: &str = "2026-11-20T12:00:00Z";
const PURGE: [&str; 4] = ["purge", "--yes", "--format", "json"];
const FILES: usize = 30;

fn place(source: &str) -> Place {
    let place = Place::in_memory();
    let source = format!("[source.files]\nfiles = \"data\"\n{source}\n");
    let rule = "[[rule]]\nname = \"files\"\ndata = \"files\"\nkeep = \"1 year\"\nafter = \"modified\"\n";
    fs::write(place.policy(), format!("{HEAD}{WITHOUT_LIMIT}{source}{rule}")).unwrap();
    fs::create_dir(place.path("data")).unwrap();
    place
}

fn fill(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for number in 0..FILES {
        let path = folder.join(number.to_string());
        fs::write(&path, "x").unwrap();
        set_modified(&path, 1, 0);
    }
}

/// Exchanges sub-folders and links to a folder outside, over and over, until it is told to end.
fn exchange(pairs: &[(PathBuf, PathBuf)], ends: &AtomicBool) -> u64 {
    let swap = |(one, other): &(PathBuf, PathBuf)| renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE);
    let mut exchanges = 0;
    while !ends.load(Ordering::Relaxed) {
        exchanges += pairs.iter().filter(|pair| swap(pair).is_ok()).count() as u64;
        thread::yield_now();
    }
    exchanges
}

fn nothing_outside_goes(source: &str) {
    let (mut exchanges, mut deleted) = (0, 0);
    for _ in 0..12 {
        let place = place(source);
        let outside = place.path("outside");
        fill(&outside);
        let pairs: Vec<(PathBuf, PathBuf)> = (0..30)
            .map(|number| (place.path(&format!("data/sub-{number}")), place.path(&format!("link-{number}"))))
            .collect();
        for (sub, link) in &pairs {
            fill(sub);
            symlink(&outside, link).unwrap();
        }
        // Whatever the moment, half of them are folders.
        pairs.iter().step_by(2).for_each(|(sub, link)| {
            renameat_with(CWD, sub, CWD, link, RenameFlags::EXCHANGE).unwrap();
        });
        fill(&place.path("data/steady"));
        let ends = AtomicBool::new(false);
        exchanges += thread::scope(|scope| {
            let attacker = scope.spawn(|| exchange(&pairs, &ends));
            // Where a sub-folder is a link just then, its files are not there.
            let ran = place.at(NOW, &PURGE);
            ends.store(true, Ordering::Relaxed);
            deleted += ran.json()["totals"]["deleted"].as_u64().unwrap();
            attacker.join().unwrap()
        });
        assert_eq!(fs::read_dir(&outside).unwrap().count(), FILES, "files outside went");
    }
    assert!(exchanges > 300 && deleted > 0, "{exchanges} exchanges, {deleted} deleted");
}

#[test]
fn a_sub_folder_that_becomes_a_link_leads_nowhere() {
    nothing_outside_goes("recursive = true");
}

#[test]
fn a_record_that_becomes_a_link_leads_nowhere() {
    nothing_outside_goes("unit = \"folder\"");
}

/// Moves old sub-folders out of the source and young ones into their places, and back, over and
/// over: whichever is met under a name, what was judged is what must go.
fn only_what_was_judged_goes(source: &str) {
    let (mut exchanges, mut deleted) = (0, 0);
    for _ in 0..12 {
        let place = place(source);
        let pairs: Vec<(PathBuf, PathBuf)> = (0..30)
            .map(|number| (place.path(&format!("data/sub-{number}")), place.path(&format!("young/{number}"))))
            .collect();
        for (old, young) in &pairs {
            fill(&old.join("deep"));
            fs::create_dir_all(young.join("deep")).unwrap();
            (0..FILES)
                .for_each(|number| fs::write(young.join("deep").join(number.to_string()), "y").unwrap());
        }
        let ends = AtomicBool::new(false);
        exchanges += thread::scope(|scope| {
            let mover = scope.spawn(|| exchange(&pairs, &ends));
            let ran = place.at(NOW, &PURGE);
            ends.store(true, Ordering::Relaxed);
            deleted += ran.json()["totals"]["deleted"].as_u64().unwrap();
            mover.join().unwrap()
        });
        let whole = |path: &PathBuf| {
            let file = |number: usize| fs::read_to_string(path.join("deep").join(number.to_string()));
            (0..FILES).all(|number| file(number).is_ok_and(|text| text == "y"))
        };
        for (old, young) in &pairs {
            assert!(whole(old) || whole(young), "a file went that was not due, from {}", young.display());
        }
        place.assert_ledger_is_whole();
    }
    assert!(exchanges > 300 && deleted > 0, "{exchanges} exchanges, {deleted} deleted");
}

#[test]
fn a_sub_folder_that_takes_the_place_of_another_is_judged_itself() {
    only_what_was_judged_goes("recursive = true");
}

#[test]
fn a_record_that_takes_the_place_of_another_is_judged_itself() {
    only_what_was_judged_goes("unit = \"folder\"");
}

#[test]
fn links_go_and_what_they_lead_to_stays() {
    let place = place("match = [\"link-*\", \"\\\\*\"]");
    fill(&place.path("outside"));
    for (name, target) in
        [("link-file", "outside/1"), ("link-folder", "outside"), ("link-nowhere", "nowhere")]
    {
        let link = place.path("data").join(name);
        symlink(place.path(target), &link).unwrap();
        set_modified(&link, 1, 0);
    }
    let ran = place.at(NOW, &PURGE).expect(0);
    assert_eq!(ran.rule("files")["deleted"], 3);
    assert_eq!(fs::read_dir(place.path("data")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(place.path("outside")).unwrap().count(), FILES);
}

#[test]
fn a_folder_goes_with_its_links_and_without_what_they_lead_to() {
    let place = place("unit = \"folder\"");
    fill(&place.path("outside"));
    fs::create_dir_all(place.path("data/old/deep")).unwrap();
    for name in ["data/old/link", "data/old/deep/link"] {
        symlink(place.path("outside"), place.path(name)).unwrap();
        set_modified(&place.path(name), 1, 0);
    }
    assert_eq!(place.at(NOW, &PURGE).expect(0).rule("files")["deleted"], 1);
    assert!(!place.path("data/old").exists());
    assert_eq!(fs::read_dir(place.path("outside")).unwrap().count(), FILES);
}

#[test]
fn names_that_are_no_text_are_deleted_by_their_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    for unit in ["file", "folder"] {
        let place = place(&format!("unit = \"{unit}\""));
        let name = |bytes: &[u8]| place.path("data").join(OsStr::from_bytes(bytes));
        let names: [&[u8]; 5] = [b"\xff\xfe", b"a\xc3", b"a\\xc3", b"new\nline", b" "];
        for bytes in names {
            let path =
                if unit == "file" { name(bytes) } else { name(bytes).join(OsStr::from_bytes(b"\xf0")) };
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            set_modified(&path, 1, 0);
        }
        fs::write(name(b"young"), "").unwrap();
        let report = place.at(NOW, &["report", "--list", "--format", "json"]);
        assert_eq!(report.rule("files")["due"], 5, "{report:?}");
        assert!(report.out.contains(r"a\\xc3") && report.out.contains(r"a\\\\xc3"), "{}", report.out);
        assert_eq!(place.at(NOW, &PURGE).expect(0).rule("files")["deleted"], 5);
        assert_eq!(fs::read_dir(place.path("data")).unwrap().count(), 1);
    }
}
