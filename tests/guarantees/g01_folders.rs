//! G1 in folders: random trees under random policies, against an oracle that asks the file system
//! file by file and sorts.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use frist::calendar::{Date, Event, Period, Schedule, Timestamp, Zone};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::Value;

use super::support::{HEAD, Place, WITHOUT_LIMIT, set_modified};

const NOW: &str = "2026-03-31T12:00:00Z";
const DAY: i64 = 86_400;

/// Seconds before now.
const AGES: [i64; 10] = [
    0,
    1,
    9 * DAY + DAY / 2,
    9 * DAY + DAY / 2 + 1,
    10 * DAY,
    28 * DAY,
    31 * DAY,
    40 * DAY,
    700 * DAY,
    -3 * DAY,
];

const NAMES: [&[u8]; 14] = [
    b"app-2026-03-31.zst",
    b"app-2026-03-30.zst",
    b"app-2026-03-20.zst",
    b"app-2026-02-28.zst",
    b"app-2026-02-30.zst",
    b"app-2025-01-01.zst",
    b"app-2026-02.zst",
    b"app-2026-13.zst",
    b"app-9999-01-01.zst",
    b"app-\xff.zst",
    b"README",
    b".hidden.zst",
    b"  ",
    b"a\nb\\x.zst",
];

#[derive(Clone, Copy, Debug)]
enum What {
    File(usize),
    LinkToFile,
    LinkToFolder,
    Folder,
    Pipe,
}

#[derive(Clone, Debug)]
struct Planted {
    below: &'static str,
    name: &'static [u8],
    what: What,
    /// Seconds since 1970; none is zero of them.
    modified: Option<i64>,
}

#[derive(Clone, Debug)]
struct Asked {
    keep: &'static str,
    pattern: Option<&'static str>,
    when: Option<&'static str>,
    newest: Option<(u64, Option<&'static str>)>,
}

#[derive(Clone, Debug)]
struct Source {
    patterns: Vec<&'static str>,
    recursive: bool,
    is_folders: bool,
}

fn now() -> i64 {
    Timestamp::parse_now(NOW, &Zone::UTC).unwrap().seconds()
}

fn planted() -> impl Strategy<Value = Planted> {
    let what = prop_oneof![
        8 => (0..20_usize).prop_map(What::File),
        1 => Just(What::LinkToFile),
        1 => Just(What::LinkToFolder),
        1 => Just(What::Folder),
        1 => Just(What::Pipe),
    ];
    let modified = prop_oneof![12 => select(&AGES[..]).prop_map(|age| Some(now() - age)), 1 => Just(None)];
    (select(vec!["", "", "a", "a/b", "app-2026-02-28.zst", "c"]), select(&NAMES[..]), what, modified)
        .prop_map(|(below, name, what, modified)| Planted { below, name, what, modified })
}

fn source() -> impl Strategy<Value = Source> {
    let patterns = subsequence(vec!["*.zst", "app-*", "**/*.zst", "a", "a/*", "**"], 0..3);
    (patterns, any::<bool>(), prop::bool::weighted(0.3)).prop_map(|(patterns, recursive, is_folders)| {
        Source { patterns, recursive: recursive && !is_folders, is_folders }
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    (
        select(vec!["10 days", "1 month", "at most 1 month", "36 hours", "immediately", "1 year"]),
        select(vec![None, Some("app-%Y-%m-%d.zst"), Some("app-%Y-%m.zst")]),
        select(vec![None, None, Some("size > 5"), Some("name like 'app-%'"), Some("path like 'a/%'")]),
        proptest::option::of((1..4_u64, select(vec![None, Some("folder"), Some("size"), Some("name")]))),
    )
        .prop_map(|(keep, pattern, when, newest)| Asked { keep, pattern, when, newest })
}

fn policy(source: &Source, rules: &[Asked]) -> String {
    let patterns: Vec<String> = source.patterns.iter().map(|pattern| format!("{pattern:?}")).collect();
    let mut text = format!("{HEAD}{WITHOUT_LIMIT}[source.files]\nfiles = \"data\"\n");
    if !patterns.is_empty() {
        text += &format!("match = [{}]\n", patterns.join(", "));
    }
    text += &format!("recursive = {}\n", source.recursive);
    text += &format!("unit = \"{}\"\n", if source.is_folders { "folder" } else { "file" });
    for (number, rule) in rules.iter().enumerate() {
        text += &format!("[[rule]]\nname = \"r{number}\"\ndata = \"files\"\nkeep = \"{}\"\n", rule.keep);
        text += &rule
            .pattern
            .map_or("after = \"modified\"\n".into(), |name| format!("after = {{ name = \"{name}\" }}\n"));
        text += &rule.when.map(|when| format!("when = \"{when}\"\n")).unwrap_or_default();
        text += &rule.newest.map(|(newest, _)| format!("keep-newest = {newest}\n")).unwrap_or_default();
        let per = rule.newest.and_then(|(_, per)| per);
        text += &per.map(|per| format!("per = \"{per}\"\n")).unwrap_or_default();
    }
    text
}

/// Puts everything where it belongs; what would stand in the place of something else is left out.
fn plant(place: &Place, tree: &[Planted]) {
    let outside = place.path("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("app-2025-01-01.zst"), "not yours").unwrap();
    set_modified(&outside.join("app-2025-01-01.zst"), 1, 0);
    let data = place.path("data");
    fs::create_dir_all(&data).unwrap();
    for planted in tree {
        let folder = data.join(planted.below);
        let path = folder.join(OsStr::from_bytes(planted.name));
        if fs::create_dir_all(&folder).is_err() || path.symlink_metadata().is_ok() {
            continue;
        }
        match planted.what {
            What::File(size) => fs::write(&path, vec![b'x'; size]).unwrap(),
            What::LinkToFile => symlink(outside.join("app-2025-01-01.zst"), &path).unwrap(),
            What::LinkToFolder => symlink(&outside, &path).unwrap(),
            What::Folder => fs::create_dir(&path).unwrap(),
            What::Pipe => make_pipe(&path),
        }
    }
    // Behind all names, for each sets the time of its folder.
    for planted in tree.iter().rev() {
        let path = data.join(planted.below).join(OsStr::from_bytes(planted.name));
        if path.symlink_metadata().is_ok() {
            set_modified(&path, planted.modified.unwrap_or(0), 0);
        }
    }
}

fn make_pipe(path: &Path) {
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
}

/// A record as the oracle sees it.
#[derive(Clone, Debug)]
struct Seen {
    path: Vec<u8>,
    name: Vec<u8>,
    size: u64,
    frees: u64,
    modified: (i64, i64),
    is_whole: bool,
}

fn entries(folder: &Path) -> Vec<(PathBuf, Metadata)> {
    let read = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    read.map(|path| (path.clone(), path.symlink_metadata().unwrap())).collect()
}

fn below(data: &Path, path: &Path) -> Vec<u8> {
    path.strip_prefix(data).unwrap().as_os_str().as_bytes().to_vec()
}

fn seen(data: &Path, path: &Path, metadata: &Metadata) -> Seen {
    let name = path.file_name().unwrap().as_bytes().to_vec();
    let modified = (metadata.mtime(), metadata.mtime_nsec());
    let (size, path) = (metadata.len(), below(data, path));
    Seen { path, name, size, frees: size, modified, is_whole: true }
}

/// All that is in a folder: the newest time, the bytes, and whether there is nothing strange.
fn whole(folder: &Path, own: &Metadata) -> ((i64, i64), u64, bool) {
    let mut times = Vec::new();
    let (mut size, mut is_whole) = (0, true);
    for (path, metadata) in entries(folder) {
        if metadata.is_dir() {
            let (time, inner, ok) = whole(&path, &metadata);
            times.push(time);
            size += inner;
            is_whole &= ok;
        } else {
            times.push((metadata.mtime(), metadata.mtime_nsec()));
            size += metadata.len();
            is_whole &= metadata.is_file() || metadata.is_symlink();
        }
    }
    (times.into_iter().max().unwrap_or((own.mtime(), own.mtime_nsec())), size, is_whole)
}

fn records(data: &Path, folder: &Path, source: &Source, found: &mut Vec<Seen>) {
    for (path, metadata) in entries(folder) {
        let matches = source.patterns.is_empty()
            || source.patterns.iter().any(|pattern| glob(pattern.as_bytes(), &below(data, &path)));
        if source.is_folders {
            if metadata.is_dir() && matches {
                let (modified, size, is_whole) = whole(&path, &metadata);
                found.push(Seen { modified, size, frees: size, is_whole, ..seen(data, &path, &metadata) });
            }
        } else if metadata.is_dir() {
            if source.recursive {
                records(data, &path, source, found);
            }
        } else if (metadata.is_file() || metadata.is_symlink()) && matches {
            found.push(seen(data, &path, &metadata));
        }
    }
}

/// The few patterns above, read as slowly as can be.
fn glob(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        b"**" => true,
        [b'*', b'*', b'/', rest @ ..] => {
            let starts = (0..path.len()).filter(|at| *at == 0 || path[at - 1] == b'/');
            starts.into_iter().any(|at| glob(rest, &path[at..]))
        }
        [b'*', rest @ ..] => {
            let level = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
            (0..=level).any(|taken| glob(rest, &path[taken..]))
        }
        [byte, rest @ ..] => path.first() == Some(byte) && glob(rest, &path[1..]),
        [] => path.is_empty(),
    }
}

/// The event of a record under a rule, where there is one.
fn event(rule: &Asked, seen: &Seen) -> Option<Event> {
    let Some(pattern) = rule.pattern else {
        let zero = seen.modified == (0, 0);
        let at = Timestamp::from_unix(seen.modified.0, u32::try_from(seen.modified.1).unwrap());
        return (!zero && seen.is_whole).then_some(Event::At(at));
    };
    let text = std::str::from_utf8(&seen.name).ok()?;
    let date = text.strip_prefix("app-")?.strip_suffix(".zst")?;
    let parts: Vec<u32> = date.split('-').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (year, month, day) = match (&parts[..], pattern.contains("%d")) {
        (&[year, month, day], true) => (year, month, day),
        (&[year, month], false) => (year, month, last_day(year, month)?),
        _ => return None,
    };
    let in_range = (1900..2300).contains(&year);
    Date::from_ymd_opt(i32::try_from(year).ok()?, month, day).filter(|_| in_range).map(Event::Date)
}

fn last_day(year: u32, month: u32) -> Option<u32> {
    (28..=31).rev().find(|day| Date::from_ymd_opt(i32::try_from(year).unwrap(), month, *day).is_some())
}

fn matches(rule: &Asked, seen: &Seen) -> Option<bool> {
    match rule.when {
        None => Some(true),
        Some("size > 5") => seen.is_whole.then_some(seen.size > 5),
        Some("name like 'app-%'") => Some(seen.name.to_ascii_lowercase().starts_with(b"app-")),
        Some("path like 'a/%'") => Some(seen.path.to_ascii_lowercase().starts_with(b"a/")),
        other => panic!("{other:?}"),
    }
}

/// What one rule says by itself.
fn opinion(rule: &Asked, seen: &Seen) -> Option<(&'static str, Option<Timestamp>)> {
    match matches(rule, seen) {
        Some(false) => return None,
        None => return Some(("unreadable", None)),
        Some(true) => {}
    }
    let Some(event) = event(rule, seen) else { return Some(("unreadable", None)) };
    let due_from = due_from(rule.keep, event);
    let is_due = due_from <= Timestamp::parse_now(NOW, &Zone::UTC).unwrap();
    Some((if is_due { "due" } else { "running" }, Some(due_from)))
}

fn due_from(keep: &str, event: Event) -> Timestamp {
    Schedule::new(Zone::UTC, None, Period::parse(keep).unwrap()).due_from(event)
}

/// Whether some rule keeps the record as one of the newest.
fn is_kept(rules: &[Asked], all: &[Seen], record: &Seen) -> bool {
    rules.iter().any(|rule| {
        let Some((newest, per)) = rule.newest else { return false };
        let group = |seen: &Seen| match per {
            None => Some(Vec::new()),
            Some("folder") => {
                let parts: Vec<&[u8]> = seen.path.split(|byte| *byte == b'/').collect();
                Some(parts[..parts.len() - 1].join(&b'/'))
            }
            Some("name") => Some(seen.name.clone()),
            // Of a record that cannot be seen nobody knows the size.
            _ => seen.is_whole.then(|| seen.size.to_string().into_bytes()),
        };
        let past = |seen: &Seen| {
            let event = event(rule, seen)?;
            (due_from("immediately", event) <= Timestamp::parse_now(NOW, &Zone::UTC).unwrap()
                && group(seen).is_some()
                && group(seen) == group(record))
            .then_some(event)
        };
        let Some(own) = past(record) else { return false };
        let newer = |of: &dyn Fn(&Seen) -> bool| {
            let newer = all.iter().filter(|seen| of(seen) && past(seen).is_some_and(|event| event > own));
            (newer.count() as u64) < newest
        };
        let about = |seen: &Seen| matches(rule, seen) == Some(true);
        newer(&|_| true) || (about(record) && newer(&about))
    })
}

fn state(rules: &[Asked], rule: usize, all: &[Seen], record: &Seen) -> Option<&'static str> {
    let (own, due_from) = opinion(&rules[rule], record)?;
    if own != "due" {
        return Some(own);
    }
    for (other, asked) in rules.iter().enumerate().filter(|(other, _)| *other != rule) {
        match opinion(asked, record) {
            None => {}
            Some(("due", theirs)) if theirs < due_from || (theirs == due_from && other > rule) => {}
            Some(_) => return Some(if record.is_whole { "overruled" } else { "unreadable" }),
        }
    }
    if !record.is_whole {
        return Some("unreadable");
    }
    Some(if is_kept(rules, all, record) { "blocked" } else { "due" })
}

/// The bytes of a key as frist shows it.
fn unshown(key: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = key;
    while let Some(at) = rest.find('\\') {
        bytes.extend(&rest.as_bytes()[..at]);
        match &rest[at + 1..] {
            tail if tail.starts_with('\\') => {
                bytes.push(b'\\');
                rest = &tail[1..];
            }
            tail => {
                bytes.push(u8::from_str_radix(&tail[1..3], 16).unwrap());
                rest = &tail[3..];
            }
        }
    }
    bytes.extend(rest.as_bytes());
    bytes
}

fn reported(rule: &Value) -> BTreeMap<Vec<u8>, String> {
    let records = rule["records"].as_array().unwrap().iter();
    let one = |record: &Value| {
        (unshown(record["key"].as_str().unwrap()), record["state"].as_str().unwrap().to_string())
    };
    records.map(one).collect()
}

/// Every path below a folder.
fn paths(data: &Path, folder: &Path, found: &mut BTreeSet<Vec<u8>>) {
    for (path, metadata) in entries(folder) {
        found.insert(below(data, &path));
        if metadata.is_dir() {
            paths(data, &path, found);
        }
    }
}

fn all_paths(data: &Path) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    paths(data, data, &mut found);
    found
}

fn is_or_lies_in(path: &[u8], record: &[u8]) -> bool {
    path == record || (path.starts_with(record) && path.get(record.len()) == Some(&b'/'))
}

fn holds(tree: &[Planted], source: &Source, rules: &[Asked]) {
    let place = Place::in_memory();
    fs::write(place.policy(), policy(source, rules)).unwrap();
    plant(&place, tree);
    let data = place.path("data");
    let mut all = Vec::new();
    records(&data, &data, source, &mut all);
    let ran = place.at(NOW, &["report", "--list", "--all", "--format", "json"]);
    let mut due = BTreeSet::new();
    for (number, _) in rules.iter().enumerate() {
        let told = ran.rule(&format!("r{number}"));
        let expected = all.iter().filter_map(|seen| Some((seen, state(rules, number, &all, seen)?)));
        let expected: Vec<(&Seen, &str)> = expected.collect();
        let states = expected.iter().map(|(seen, state)| (seen.path.clone(), (*state).to_string())).collect();
        assert_eq!(reported(&told), states, "rule {number} of {ran:#?}");
        for name in ["due", "running", "overruled", "blocked", "unreadable"] {
            let count = expected.iter().filter(|(_, state)| *state == name).count();
            assert_eq!(told[name], count, "{name} of rule {number}");
        }
        let due_now = expected.iter().filter(|(_, state)| *state == "due");
        assert_eq!(told["bytes_due"], due_now.clone().map(|(seen, _)| seen.frees).sum::<u64>());
        due.extend(due_now.map(|(seen, _)| seen.path.clone()));
    }
    purges(&place, &data, &due);
}

/// A purge takes what was due, and nothing else anywhere.
fn purges(place: &Place, data: &Path, due: &BTreeSet<Vec<u8>>) {
    let stays = |path: &Vec<u8>| !due.iter().any(|record| is_or_lies_in(path, record));
    let expected: BTreeSet<Vec<u8>> = all_paths(data).into_iter().filter(stays).collect();
    let ran = place.at(NOW, &["purge", "--yes", "--format", "json"]);
    assert_eq!(all_paths(data), expected, "{ran:?}");
    assert_eq!(ran.json()["totals"]["deleted"], due.len());
    assert_eq!(fs::read(place.path("outside/app-2025-01-01.zst")).unwrap(), b"not yours");
}

proptest! {
    #![proptest_config(crate::depth::config(80))]

    #[test]
    fn every_state_in_a_folder_is_that_of_the_oracle(
        tree in proptest::collection::vec(planted(), 0..14),
        source in source(),
        rules in proptest::collection::vec(asked(), 1..3),
    ) {
        holds(&tree, &source, &rules);
    }
}
