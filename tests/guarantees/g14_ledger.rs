//! G14: the ledger holds no personal data, and a purge goes on only behind a whole one.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use sha2::{Digest, Sha256, Sha512};

use super::support::{OLD, PURGE, Place, Random, SOURCE, WITHOUT_LIMIT, count, finish, rule};

const NOW: &str = "2026-01-01T12:00:00Z";

/// What stands in the data and nowhere else.
const VALUES: [&str; 8] = [
    "Bodil Vestergaard",
    "bodil.vestergaard@example.org",
    "120345-9876",
    "4529171717",
    "Nørregade 17, 2. th.",
    "unreadable-value-of-bodil",
    "vip-7731",
    "DK-KEY-00042",
];

/// Tables of every key, each with something to delete, and everything that can go wrong with one.
fn place_full_of_values() -> (Place, Connection) {
    let place = Place::in_memory();
    let tables = ["people", "phones", "codes", "pairs", "kept", "forbidden", "back", "limited"];
    let rules: String = tables.iter().map(|table| rule(table, table)).collect();
    place.write_policy(&format!(
        "{WITHOUT_LIMIT}{SOURCE}key = []\n{rules}limit = {{ records = 1 }}\n\
         [[rule]]\nname = \"by-name\"\ndata = \"db.people\"\nkeep = \"2 years\"\nafter = \"at\"\n\
         when = \"name = 'Bodil Vestergaard' or code = 'vip-7731'\"\n"
    ));
    let [name, mail, cpr, phone, street, unreadable, vip, key] = VALUES;
    let connection = place.database(&format!(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, at TEXT, name TEXT, code TEXT);
         INSERT INTO people VALUES (1, '{OLD}', '{name}', '{vip}'), (2, '{unreadable}', '{street}', '{cpr}'),
             (3, '{OLD}', 'other', 'code');
         CREATE TABLE phones (number INTEGER PRIMARY KEY, at TEXT) WITHOUT ROWID;
         INSERT INTO phones VALUES ({phone}, '{OLD}');
         CREATE TABLE codes (mail TEXT PRIMARY KEY, at TEXT) WITHOUT ROWID;
         INSERT INTO codes VALUES ('{mail}', '{OLD}');
         CREATE TABLE pairs (cpr TEXT, street TEXT, at TEXT, PRIMARY KEY (cpr, street)) WITHOUT ROWID;
         INSERT INTO pairs VALUES ('{cpr}', '{street}', '{OLD}');
         CREATE TABLE kept (name TEXT PRIMARY KEY, at TEXT);
         INSERT INTO kept VALUES ('{key}', '{OLD}');
         CREATE TABLE child (name TEXT REFERENCES kept (name)); INSERT INTO child VALUES ('{key}');
         CREATE TABLE forbidden (name TEXT PRIMARY KEY, at TEXT) WITHOUT ROWID;
         INSERT INTO forbidden VALUES ('{key}', '{OLD}');
         CREATE TRIGGER no BEFORE DELETE ON forbidden BEGIN SELECT RAISE(ABORT, '{mail} is forbidden'); END;
         CREATE TABLE back (name TEXT PRIMARY KEY, at TEXT) WITHOUT ROWID;
         INSERT INTO back VALUES ('{key}', '{OLD}');
         CREATE TRIGGER back AFTER DELETE ON back BEGIN INSERT INTO back VALUES (old.name, old.at); END;
         CREATE TABLE limited (name TEXT PRIMARY KEY, at TEXT) WITHOUT ROWID;
         INSERT INTO limited VALUES ('{key}', '{OLD}'), ('{name}', '{OLD}');"
    ));
    (place, connection)
}

/// A value in the forms in which it could have been kept.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut forms = vec![value.as_bytes().to_vec(), hex(value.as_bytes()).into_bytes()];
    forms.push(serde_json::to_string(value).unwrap().trim_matches('"').as_bytes().to_vec());
    // Of a hash, the beginning tells enough.
    forms.push(hex(&Sha256::digest(value)[..8]).into_bytes());
    forms.push(hex(&Sha512::digest(value)[..8]).into_bytes());
    forms.push(hex(&Sha256::digest(value.to_lowercase())[..8]).into_bytes());
    forms
}

fn assert_no_value_in(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        for value in VALUES {
            for form in forms(value) {
                let found = bytes.windows(form.len()).any(|window| window == form);
                assert!(!found, "{value} stands in {}: {}", path.display(), String::from_utf8_lossy(&bytes));
            }
        }
    }
}

#[test]
fn no_value_of_the_data_stands_in_the_state_folder() {
    let (place, connection) = place_full_of_values();
    let purge = place.frist(&PURGE);
    for (rule, outcome) in [
        ("people", "done"),
        ("phones", "done"),
        ("codes", "done"),
        ("pairs", "done"),
        ("kept", "done"),
        ("forbidden", "failed"),
        ("back", "failed"),
        ("limited", "refused"),
        ("by-name", "done"),
    ] {
        assert_eq!(purge.rule(rule)["outcome"], outcome, "{rule}: {purge:?}");
    }
    assert_eq!(count(&connection, "people"), 1, "the unreadable one");
    assert_no_value_in(&place.state());
}

#[test]
fn no_value_stays_in_the_state_folder_after_a_kill_was_accounted_for() {
    let place = Place::with_rule_on("log");
    let [name, ..] = VALUES;
    let connection = place.database(&format!(
        "CREATE TABLE log (name TEXT PRIMARY KEY, at TEXT) WITHOUT ROWID;
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 30000)
         INSERT INTO log SELECT '{name} ' || n, '{OLD}' FROM n"
    ));
    let mut purge = place.start(&PURGE);
    while !place.state().join("pending.json").exists() {
        assert!(purge.try_wait().unwrap().is_none(), "it ended without a batch of text keys");
    }
    purge.kill().unwrap();
    finish(purge);
    place.purge().expect(0);
    assert_eq!(count(&connection, "log"), 0);
    assert_no_value_in(&place.state());
}

/// A place with a ledger of some runs, and one more due row.
fn place_with_a_ledger() -> (Place, Connection) {
    let place = Place::in_memory();
    place.write_rule_on("log");
    let insert = format!("INSERT INTO log (at) VALUES ('{OLD}')");
    let connection = place.database("CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT)");
    for _ in 0..3 {
        connection.execute_batch(&insert).unwrap();
        place.at(NOW, &PURGE).expect(0);
    }
    connection.execute_batch(&insert).unwrap();
    (place, connection)
}

/// A changed ledger is found, and no purge deletes behind it.
fn assert_found(place: &Place, connection: &Connection) {
    place.at(NOW, &["ledger", "verify"]).expect(1);
    let before = fs::read(place.state().join("ledger.jsonl")).unwrap();
    place.at(NOW, &PURGE).expect_error(3, "ledger");
    assert_eq!(count(connection, "log"), 1, "nothing is deleted that could not be told");
    assert_eq!(fs::read(place.state().join("ledger.jsonl")).unwrap(), before, "the evidence stays as it is");
}

fn assert_changes_are_found(file: &str, change: impl Fn(&mut Vec<u8>, u64) -> bool) {
    let (place, connection) = place_with_a_ledger();
    let path = place.state().join(file);
    let whole = fs::read(&path).unwrap();
    let mut random = Random(14);
    for _ in 0..60 {
        let mut bytes = whole.clone();
        if change(&mut bytes, random.below(whole.len() as u64)) {
            fs::write(&path, &bytes).unwrap();
            assert_found(&place, &connection);
        }
    }
    fs::write(&path, &whole).unwrap();
    place.at(NOW, &PURGE).expect(0);
    assert_eq!(count(&connection, "log"), 0);
}

#[test]
fn a_changed_byte_of_the_ledger_is_found() {
    // Without its line end the last line is torn, as a kill would leave it.
    assert_changes_are_found("ledger.jsonl", |bytes, at| {
        let at = at as usize;
        bytes[at] ^= 1 + (at % 7) as u8;
        at + 1 < bytes.len()
    });
}

#[test]
fn a_changed_byte_of_the_head_is_found() {
    assert_changes_are_found("ledger.head", |bytes, at| {
        bytes[at as usize] ^= 1;
        true
    });
}

#[test]
fn a_lost_line_of_the_ledger_is_found() {
    assert_changes_are_found("ledger.jsonl", |bytes, at| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let lost = text[..at as usize].lines().count().saturating_sub(1);
        let left =
            text.lines().enumerate().filter(|(line, _)| *line != lost).map(|(_, line)| format!("{line}\n"));
        *bytes = left.collect::<String>().into_bytes();
        true
    });
}

#[test]
fn swapped_lines_of_the_ledger_are_found() {
    assert_changes_are_found("ledger.jsonl", |bytes, at| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        let first = at as usize % (lines.len() - 1);
        lines.swap(first, first + 1);
        *bytes = lines.iter().map(|line| format!("{line}\n")).collect::<String>().into_bytes();
        true
    });
}

#[test]
fn a_tail_that_was_cut_off_is_found() {
    assert_changes_are_found("ledger.jsonl", |bytes, at| {
        bytes.truncate(at as usize);
        true
    });
}

#[test]
fn a_ledger_that_was_removed_is_found() {
    for file in ["ledger.jsonl", "ledger.head"] {
        let (place, connection) = place_with_a_ledger();
        fs::remove_file(place.state().join(file)).unwrap();
        place.at(NOW, &["ledger", "verify"]).expect(1);
        place.at(NOW, &PURGE).expect_error(3, "ledger");
        assert_eq!(count(&connection, "log"), 1);
    }
}

#[test]
fn a_ledger_is_compared_with_an_entry_kept_elsewhere() {
    let (place, _connection) = place_with_a_ledger();
    let kept = place.at(NOW, &PURGE).json()["ledger"].clone();
    let (entry, hash) = (kept["entry"].as_u64().unwrap(), kept["hash"].as_str().unwrap());
    let verify = |expected: String| place.at(NOW, &["ledger", "verify", "--expect", &expected]).code;
    assert_eq!(verify(format!("{entry}:{hash}")), 0);
    assert_eq!(verify(format!("{}:{hash}", entry - 1)), 1);
    assert_eq!(
        verify(format!(
            "{entry}:{}",
            hash.replace(&hash[..1], if hash.starts_with('0') { "1" } else { "0" })
        )),
        1
    );
    assert_eq!(verify("nonsense".to_owned()), 2);
    // Whoever removes the whole folder and starts anew is found by the copy alone.
    fs::remove_dir_all(place.state()).unwrap();
    place.at(NOW, &PURGE).expect(0);
    place.at(NOW, &["ledger", "verify"]).expect(0);
    assert_eq!(verify(format!("{entry}:{hash}")), 1);
}

#[test]
fn files_of_the_state_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let (place, _connection) = place_with_a_ledger();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.state()), 0o700);
    for entry in fs::read_dir(place.state()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}
