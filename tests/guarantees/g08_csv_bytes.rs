//! G8: what CSV lines remain are the same bytes in the same order, whatever the file.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::csv_oracle::{expected, is_due};
use super::csv_support::{NOW, csv_place, csv_place_on_disk, file, policy_of, strays, untouched, write};
use super::support::{COMING, OLD, PURGE, Random, deleted};

/// Purges files and compares each with what the slow reader expects of it.
fn check(files: &[(String, Vec<u8>)]) {
    let place = csv_place();
    for (name, bytes) in files {
        let old = SystemTime::UNIX_EPOCH + Duration::new(1_600_000_000, 123_456_789);
        fs::File::open(write(&place, name, bytes)).unwrap().set_modified(old).unwrap();
    }
    let before: Vec<_> = files.iter().map(|(name, _)| untouched(&file(&place, name))).collect();
    let ran = place.at(NOW, &PURGE);
    let mut gone = 0;
    for ((name, bytes), before) in files.iter().zip(before) {
        let path = file(&place, name);
        let (left, due) = expected(bytes, b',', Some(b'"'));
        gone += due;
        assert_same(name, &fs::read(&path).unwrap(), &left);
        let after = untouched(&path);
        if due == 0 {
            assert_eq!(after, before, "{name}, in which nothing is due, was touched");
        } else {
            assert_ne!(after[0], before[0], "{name} is a new file");
            let kept = |seen: &[i64]| [seen[1], seen[2], seen[5], seen[6], seen[7]];
            assert_eq!(kept(&after), kept(&before), "{name}");
        }
    }
    assert_eq!(deleted(&ran), gone, "{ran:?}");
    assert_eq!(strays(&place), [""; 0]);
    assert_eq!(deleted(&place.at(NOW, &PURGE)), 0, "nothing is left to do");
}

fn assert_same(name: &str, found: &[u8], wanted: &[u8]) {
    if found != wanted {
        let at = found.iter().zip(wanted).take_while(|(one, other)| one == other).count();
        let around = |bytes: &[u8]| {
            let end = bytes.len().min(at + 40);
            String::from_utf8_lossy(&bytes[at.saturating_sub(40).min(end)..end]).into_owned()
        };
        panic!(
            "{name} differs at {at} of {} and {}: found {:?}, wanted {:?}",
            found.len(),
            wanted.len(),
            around(found),
            around(wanted)
        );
    }
}

fn due(rest: &str) -> String {
    format!("{OLD},{rest}")
}

fn kept(rest: &str) -> String {
    format!("{COMING},{rest}")
}

#[test]
fn hostile_files_keep_their_bytes() {
    let (d, k) = (due("x\n"), kept("y\n"));
    let big = "z".repeat(3_000_000);
    let unclosed = "w".repeat(9 * 1024 * 1024);
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("bom", format!("\u{feff}at,n\n{d}{k}").into()),
        ("bom-quoted", format!("\u{feff}\"at\",\"n\"\r\n{d}{k}").into()),
        ("bom-all-due", format!("\u{feff}at,n\n{d}{d}{d}").into()),
        ("bom-alone", "\u{feff}".into()),
        ("all-due", format!("at,n\r\n{d}{d}{d}").into()),
        ("all-due-no-end", format!("at,n\n{d}{OLD},x").into()),
        ("mixed-ends", format!("at,n\r\n{d}{k}{OLD},x\r\n{COMING},y\r\n{d}{k}").into()),
        ("quoted-lines", format!("at,n\n{OLD},\"a\n{k}b\"\n{COMING},\"a\r\n{d}b\"\n{d}").into()),
        ("doubled", format!("at,n\n{OLD},\"a \"\"b\"\"\"\n{COMING},\"\"\"\n{d}\"\"\"\n{d}").into()),
        ("doubled-date", format!("at,n\n\"{OLD}\",x\n\"{OLD}\"\"\",x\n\"\"\"{OLD}\",x\n{d}").into()),
        ("ragged", format!("at,n\n{OLD}\n{OLD},x,y\n{d}{OLD},\n,\n").into()),
        ("blank", format!("\n\r\n\nat,n\n\n{d}\n\r\n{d}\r\n{k}\n\n").into()),
        ("blank-alone", "\n\n\r\n".into()),
        ("no-end-due", format!("at,n\n{k}{OLD},x").into()),
        ("no-end-kept", format!("at,n\n{d}{COMING},y").into()),
        ("no-end-return", format!("at,n\n{d}{OLD},y\r").into()),
        ("returns", format!("at,n\n{OLD},a\rb\n{OLD}\r,x\n{d}\r\r\n").into()),
        ("nul", format!("at,n\n{OLD},a\0b\n{OLD}\0,x\n\0{d}{COMING},\0\n\0").into()),
        ("not-utf-8", [b"at,n\n".as_slice(), b"\xff\xfe,x\n", d.as_bytes(), b"2001-02-0\xff3,x\n"].concat()),
        ("big", format!("at,n\n{d}{COMING},{big}\n{d}{OLD},{big}\n{k}{d}").into()),
        ("big-quoted", format!("at,n\n{d}{COMING},\"{big}\n{d}\"\n{d}{OLD},\"{big}\"\n{k}").into()),
        ("unclosed", format!("at,n\n{d}{k}{OLD},\"x\n{d}{k}{d}").into()),
        ("unclosed-long", format!("at,n\n{d}{k}{OLD},\"{unclosed}\n{d}{k}{d}").into()),
        ("behind-quote", format!("at,n\n\"{OLD}\"x,x\n{OLD},\"x\" \n{OLD},\"x\",\n{d}").into()),
        ("inner-quote", format!("at,n\n{OLD},a\"b\n{OLD},a\"b\"\n{COMING},\"\n{d}\"\n{d}").into()),
        ("empty", Vec::new()),
        ("header-alone", "at,n\n".into()),
        ("header-no-end", "at,n".into()),
        ("twice", format!("at,at\n{OLD},{OLD}\n").into()),
        ("twice-other", format!("n,at,n\nx,{OLD},x\nx,{COMING},x\n").into()),
        ("header-again", format!("at,n\n{d}at,n\n{d}").into()),
        ("header-unclosed", format!("at,\"n\n{d}{d}").into()),
        ("no-column", format!("time,n\n{d}").into()),
        ("utf-16", b"\xff\xfea\0t\0,\0n\0\n\0".to_vec()),
        ("utf-16-be", b"\xfe\xff\0a\0t\0,\0n\0\n".to_vec()),
    ];
    let named = |(name, bytes): (&str, Vec<u8>)| (format!("{name}.csv"), bytes);
    check(&files.into_iter().map(named).collect::<Vec<_>>());
}

/// Stretches that stay are gathered or written at once, by their length: all must stay in order.
#[test]
fn kept_stretches_of_every_length_stay_in_order() {
    let mut files = Vec::new();
    for (name, lengths) in [
        ("rising", vec![10, 1_000, 60_000, 100_000, 131_072, 140_000, 200_000, 262_144, 300_000]),
        ("falling", vec![300_000, 262_145, 200_000, 131_071, 100_000, 50_000, 20, 0]),
        ("mixed", vec![100_000, 140_000, 5, 131_072, 131_072, 1, 250_000, 20_000, 0, 0, 160_000]),
    ] {
        for line in [20, 1_000, 60_000] {
            files.push((format!("{name}-{line}.csv"), stretches(&lengths, line)));
        }
    }
    check(&files);
}

/// A due line before each stretch of numbered lines that stay.
fn stretches(lengths: &[usize], line: usize) -> Vec<u8> {
    let mut text = "at,n\n".to_owned();
    let mut number = 0;
    for length in lengths {
        text.push_str(&due("\n"));
        let end = text.len() + length;
        while text.len() < end {
            number += 1;
            text.push_str(&kept(&format!("{number:0>line$}\n")));
        }
    }
    text.into_bytes()
}

/// One piece of a random file.
fn piece(random: &mut Random) -> Vec<u8> {
    let end = if random.below(2) == 0 { "\n" } else { "\r\n" };
    let date = [OLD, OLD, COMING, "", "nonsense"][random.below(5) as usize];
    let number = random.below(1_000_000);
    let long = |random: &mut Random, most: u64| random.below(most) as usize;
    match random.below(40) {
        0 => b"\"".to_vec(),
        1 => end.into(),
        2 => format!("{date}{end}").into(),
        3 => format!("{date},a,b,c{end}").into(),
        4 => format!("\"{date}\"x,{number}{end}").into(),
        5 => format!("{date},\0{number}{end}").into(),
        6 => [date.as_bytes(), b",\xff\xc3", end.as_bytes()].concat(),
        7 => format!("{date},a\"b{end}").into(),
        8 => format!("{date},{}{end}", "l".repeat(long(random, 2_000))).into(),
        9 if random.below(8) == 0 => format!("{date},{}{end}", "l".repeat(long(random, 700_000))).into(),
        10 if random.below(4) == 0 => kept(&format!("{number}{end}")).repeat(long(random, 9_000)).into(),
        11 => b"\r".to_vec(),
        12..20 => format!("{date},\"{number}\n{OLD},x\n\"{end}").into(),
        20..26 => format!("\"{date}\",\"a \"\"{number}\"\"\"{end}").into(),
        _ => format!("{date},{number}{end}").into(),
    }
}

fn random_file(random: &mut Random) -> Vec<u8> {
    let header: [&[u8]; 4] = [b"at,n\n", b"\xef\xbb\xbfat,n\r\n", b"\n\"at\",n\n", b"\"at\",\"n\"\r\n"];
    let mut bytes = header[random.below(4) as usize].to_vec();
    for _ in 0..random.below(300) {
        bytes.extend(piece(random));
    }
    bytes.truncate(bytes.len() - (random.below(4) as usize).min(2));
    bytes
}

#[test]
fn random_hostile_files_keep_their_bytes() {
    let mut random = Random(8);
    for _ in 0..4 {
        let files: Vec<_> = (0..30).map(|place| (format!("{place}.csv"), random_file(&mut random))).collect();
        assert!(files.iter().any(|(_, bytes)| is_due(bytes)));
        check(&files);
    }
}

fn mixed() -> String {
    format!("at,n\n{}{}{}", due("1\n"), kept("2\n"), due("3\n"))
}

fn left() -> String {
    format!("at,n\n{}", kept("2\n"))
}

#[test]
fn owner_mode_times_and_attributes_stay() {
    for mode in [0o640, 0o444, 0o600, 0o4755, 0o2664] {
        let place = csv_place_on_disk();
        let path = write(&place, "a.csv", mixed());
        let is_root = rustix::process::geteuid().is_root();
        if is_root {
            std::os::unix::fs::chown(&path, Some(12_345), Some(23_456)).unwrap();
        }
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let has_attributes = set_attribute(&path, "user.origin", b"one\0two");
        let before = untouched(&path);
        place.at(NOW, &PURGE).expect(0);
        let after = untouched(&path);
        assert_eq!([after[1], after[2]], [before[1], before[2]], "its time of modification");
        assert_eq!(after[5..], before[5..], "its mode, owner and group");
        assert_eq!(fs::read_to_string(&path).unwrap(), left());
        assert!(!has_attributes || attribute(&path, "user.origin").as_deref() == Some(b"one\0two"));
    }
}

fn set_attribute(path: &Path, name: &str, value: &[u8]) -> bool {
    rustix::fs::setxattr(path, name, value, rustix::fs::XattrFlags::empty()).is_ok()
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 1024];
    let length = rustix::fs::getxattr(path, name, &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}

/// A list of the folder's that new files inherit would let others read what they could not.
#[test]
fn a_file_gets_no_attribute_from_its_folder() {
    let place = csv_place_on_disk();
    let path = write(&place, "a.csv", mixed());
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    // The owner, user 12345, the group, a mask and the others, who all may read and write.
    let entries: [(u16, u32); 5] =
        [(0x01, u32::MAX), (0x02, 12_345), (0x04, u32::MAX), (0x10, u32::MAX), (0x20, u32::MAX)];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (kind, id) in entries {
        list.extend([kind.to_le_bytes(), 6_u16.to_le_bytes()].concat());
        list.extend(id.to_le_bytes());
    }
    if !set_attribute(&place.path("data"), "system.posix_acl_default", &list) {
        println!("skipped: the file system has no access control lists");
        return;
    }
    place.at(NOW, &PURGE).expect(0);
    assert_eq!(attribute(&path, "system.posix_acl_access"), None);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
}

#[test]
fn a_symbolic_link_stays_and_its_target_gets_the_new_content() {
    let place = csv_place();
    let target = place.path("target.log");
    fs::write(&target, mixed()).unwrap();
    symlink("../target.log", file(&place, "a.csv")).unwrap();
    symlink("a.csv", file(&place, "b.csv")).unwrap();
    let ran = place.at(NOW, &PURGE).expect(0);
    assert_eq!(deleted(&ran), 2, "one file of two names is one file");
    assert!(fs::symlink_metadata(file(&place, "a.csv")).unwrap().is_symlink());
    assert!(fs::symlink_metadata(&target).unwrap().is_file());
    assert_eq!(fs::read_to_string(target).unwrap(), left());
    assert_eq!(strays(&place), [""; 0]);
}

#[test]
fn a_hard_link_is_refused_and_named() {
    let place = csv_place();
    let path = write(&place, "a.csv", mixed());
    fs::hard_link(&path, place.path("other")).unwrap();
    write(&place, "b.csv", mixed());
    let before = untouched(&path);
    let report = place.at(NOW, &["report", "--format", "json"]).expect(3);
    assert_eq!(report.problems("log"), ["hard-link"]);
    assert_eq!(report.rule("log")["due"], 4, "its lines are due all the same");
    let ran = place.at(NOW, &PURGE).expect(3);
    assert!(ran.out.contains("hard link") && ran.out.contains("a.csv"), "{ran:?}");
    assert_eq!(ran.problems("log"), ["hard-link"]);
    assert_eq!((untouched(&path), fs::read_to_string(&path).unwrap()), (before, mixed()));
    assert_eq!(fs::read_to_string(file(&place, "b.csv")).unwrap(), left(), "the others are done");
    assert_eq!(deleted(&ran), 2);
}

#[test]
fn a_hard_link_is_no_problem_where_nothing_has_to_be_rewritten() {
    let place = csv_place();
    let path = write(&place, "a.csv", left());
    fs::hard_link(&path, place.path("other")).unwrap();
    let report = place.at(NOW, &["report", "--format", "json"]).expect(0);
    assert_eq!(report.problems("log"), [""; 0]);
    policy_of(&place, "rewrite = \"copytruncate\"\n");
    fs::write(&path, mixed()).unwrap();
    let report = place.at(NOW, &["report", "--format", "json"]).expect(0);
    assert_eq!(report.problems("log"), [""; 0], "in place it is rewritten under all names");
}

/// The name of the new file must not lead anywhere else.
#[test]
fn what_stands_where_the_new_file_is_written_is_not_followed() {
    let place = csv_place();
    write(&place, "a.csv", mixed());
    let other = place.path("precious");
    fs::write(&other, "precious").unwrap();
    symlink(&other, file(&place, ".a.csv.frist-new")).unwrap();
    place.at(NOW, &PURGE).expect(3);
    assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
    assert_eq!(fs::read_to_string(file(&place, "a.csv")).unwrap(), mixed());
}
