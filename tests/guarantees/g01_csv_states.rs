//! G1: the same records mean the same in a CSV file and in a database, under the same rules.

use std::collections::BTreeSet;
use std::fs;

use rusqlite::params_from_iter;
use serde_json::Value;

use super::support::{PURGE, Place, REPORT, Ran, Random, WITHOUT_LIMIT, open};

const NOW: &str = "2026-01-01T12:00:00Z";

const COLUMNS: [&str; 6] = ["id", "at", "ended", "stamp", "kind", "n"];

const RULES: usize = 3;

/// A table as texts; an empty one is null.
struct Table {
    rows: Vec<Vec<Vec<u8>>>,
}

fn pick<'a>(random: &mut Random, from: &[&'a str]) -> &'a str {
    from[random.below(from.len() as u64) as usize]
}

/// A time in some spelling, mostly near the cutoffs of the rules.
fn time(random: &mut Random) -> Vec<u8> {
    let year = 2023 + random.below(5);
    let (month, day) = (1 + random.below(12), 1 + random.below(29));
    let (hour, minute) = (random.below(25), random.below(60));
    let date = format!("{year}-{month:02}-{day:02}");
    let text = match random.below(14) {
        0 => String::new(),
        1 => pick(random, &[" ", "\t", "  \r\n", "\u{a0}"]).to_owned(),
        2 => pick(
            random,
            &["0000-00-00", "9999-12-31", "2025-02-30", "n/a", "2025/01/02", "2025-1-2", "1735689600"],
        )
        .to_owned(),
        3 => format!("{date}T{hour:02}:{minute:02}:59Z"),
        4 => format!("{date} {hour:02}:{minute:02}"),
        5 => format!("{date}T{hour:02}:{minute:02}:00+05:30"),
        6 => format!("{date}T{hour:02}:{minute:02}:00.123456-0800"),
        7 => format!("{date} {hour:02}:{minute:02}:00,5 +02"),
        8 => format!("\"{date}\""),
        9 => format!("{date}\n"),
        10 => format!("{date}\0"),
        11 if random.below(2) == 0 => return [date.as_bytes(), b"\xff"].concat(),
        _ => date,
    };
    text.into_bytes()
}

fn unix(random: &mut Random) -> Vec<u8> {
    let seconds = 1_672_531_200 + random.below(126_230_400);
    let odd = ["", "0", "-1", "1e9", "1735689600.5", " 1735689600", "2025-01-01", "99999999999999999999"];
    if random.below(4) == 0 { pick(random, &odd).into() } else { seconds.to_string().into() }
}

fn kind(random: &mut Random) -> Vec<u8> {
    let kinds = [
        "a", "A", "B", "b", "", "a,b;c", "\"a\"", "a\nb", "a\r\nb", " a ", "\"", "aa", "a%", "æ", "a\tb|c",
        "'a'", "a\0b",
    ];
    if random.below(20) == 0 { b"a\xff\xfe".to_vec() } else { pick(random, &kinds).into() }
}

fn number(random: &mut Random) -> Vec<u8> {
    let odd = [
        "",
        "five",
        " 5",
        "5 ",
        "5.5",
        "-7",
        "+6",
        "1e1",
        "0x10",
        "007",
        "99999999999999999999",
        "5,5",
        "NaN",
    ];
    if random.below(3) == 0 { pick(random, &odd).into() } else { random.below(12).to_string().into() }
}

fn table(random: &mut Random) -> Table {
    let count = random.below(90);
    let row = |id: u64| {
        let id = id.to_string().into_bytes();
        vec![id, time(random), time(random), unix(random), kind(random), number(random)]
    };
    Table { rows: (0..count).map(row).collect() }
}

const CONDITIONS: [&str; 20] = [
    "",
    "kind = 'a'",
    "kind <> 'a'",
    "not (kind = 'a')",
    "kind is null",
    "kind is not null",
    "kind in ('a', 'B', '\\\"')",
    "kind not in ('a', 'B')",
    "kind like 'a%'",
    "kind like '_'",
    "lower(kind) = 'b'",
    "upper(kind) like '%B'",
    "trim(kind) = 'a'",
    "length(kind) > 1",
    "coalesce(kind, 'z') = 'z'",
    "n > 5",
    "n between 2 and 7",
    "n <> 3 or kind = 'a'",
    "n <= 5 and not (kind like '%b%')",
    "id > 20 and n is not null",
];

const KEEPS: [&str; 7] =
    ["1 day", "1 year", "at most 6 months", "2 years 1 month", "36 hours", "immediately", "3 months"];

/// The rest of a rule, the same for both sources.
fn rule(random: &mut Random) -> String {
    let column = pick(random, &["at", "ended", "stamp"]);
    let after = match random.below(5) {
        0 => format!("{{ column = \"{column}\", counted-from = \"end-of-month\" }}"),
        1 => "{ latest = [\"at\", { column = \"ended\", optional = true }] }".to_owned(),
        2 => format!("{{ earliest = [\"ended\", \"{column}\"] }}"),
        _ => format!("\"{column}\""),
    };
    let keep = if after.contains("counted-from") { "1 year" } else { pick(random, &KEEPS) };
    let when = match pick(random, &CONDITIONS) {
        "" => String::new(),
        condition => format!("when = \"{condition}\"\n"),
    };
    format!("keep = \"{keep}\"\nafter = {after}\n{when}")
}

/// A record as it is written, with the number of its row.
type Written = (u64, Vec<u8>);

/// Each file's name, header and records.
type Files = Vec<(String, Vec<u8>, Vec<Written>)>;

struct Scene {
    place: Place,
    rules: usize,
    files: Files,
}

fn scene(random: &mut Random) -> Scene {
    let place = Place::in_memory();
    let table = table(random);
    let delimiter = pick(random, &[",", ";", "\\t", "|"]);
    let rules: Vec<String> = (0..1 + random.below(RULES as u64)).map(|_| rule(random)).collect();
    let zone = pick(random, &["UTC", "Europe/Copenhagen", "America/New_York", "Pacific/Apia"]);
    let named = |source: &str, data: &str| -> String {
        let one = |(number, rule): (usize, &String)| {
            format!("[[rule]]\nname = \"{source}{number}\"\ndata = \"{data}\"\n{rule}")
        };
        rules.iter().enumerate().map(one).collect()
    };
    let policy = format!(
        "version = 1\n[policy]\nname = \"test\"\ntimezone = \"{zone}\"\n{WITHOUT_LIMIT}\
         [source.db]\nsqlite = \"data.db\"\n\
         [source.db.table.log]\nformats = {{ stamp = \"unix\" }}\n\
         [source.csv]\ncsv = \"data/*.csv\"\ndelimiter = \"{delimiter}\"\nformats = {{ stamp = \"unix\" }}\n{}{}",
        named("db", "db.log"),
        named("csv", "csv"),
    );
    fs::write(place.policy(), policy).unwrap();
    fill_database(&place, &table);
    let delimiter = if delimiter == "\\t" { b'\t' } else { delimiter.as_bytes()[0] };
    let files = write_files(&place, &table, delimiter, random);
    Scene { place, rules: rules.len(), files }
}

fn fill_database(place: &Place, table: &Table) {
    let types = COLUMNS.map(|column| format!("{column} TEXT")).join(", ");
    let connection = place.database(&format!("CREATE TABLE log ({types}); BEGIN"));
    let values = ["nullif(CAST(? AS TEXT), '')"; COLUMNS.len()].join(", ");
    let mut insert = connection.prepare(&format!("INSERT INTO log VALUES ({values})")).unwrap();
    for row in &table.rows {
        insert.execute(params_from_iter(row)).unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
}

fn write_files(place: &Place, table: &Table, delimiter: u8, random: &mut Random) -> Files {
    fs::create_dir(place.path("data")).unwrap();
    let mut files = Files::new();
    let count = 1 + random.below(4);
    let mut orders = Vec::new();
    for number in 0..count {
        let order = shuffled(random);
        let names: Vec<Vec<u8>> = order.iter().map(|column| COLUMNS[*column].into()).collect();
        let mut header = if random.below(3) == 0 { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
        header.extend(record(&names, delimiter, random));
        files.push((format!("{number}.csv"), header, Vec::new()));
        orders.push(order);
    }
    for (number, row) in (0..).zip(&table.rows) {
        let file = random.below(count) as usize;
        let fields: Vec<Vec<u8>> = orders[file].iter().map(|column| row[*column].clone()).collect();
        files[file].2.push((number, record(&fields, delimiter, random)));
    }
    for (name, header, records) in &mut files {
        if let Some((_, last)) = records.last_mut().filter(|_| random.below(2) == 0) {
            let end = if last.ends_with(b"\r\n") { 2 } else { 1 };
            last.truncate(last.len() - end);
        }
        let records = records.iter().flat_map(|(_, record)| record);
        let bytes: Vec<u8> = header.iter().chain(records).copied().collect();
        fs::write(place.path("data").join(name), bytes).unwrap();
    }
    files
}

fn shuffled(random: &mut Random) -> Vec<usize> {
    let mut order: Vec<usize> = (0..COLUMNS.len()).collect();
    for place in (1..order.len()).rev() {
        order.swap(place, random.below(place as u64 + 1) as usize);
    }
    order
}

/// A line as some program would write it.
fn record(fields: &[Vec<u8>], delimiter: u8, random: &mut Random) -> Vec<u8> {
    let mut line = Vec::new();
    for (place, field) in fields.iter().enumerate() {
        if place > 0 {
            line.push(delimiter);
        }
        let must = field.iter().any(|byte| [delimiter, b'"', b'\n', b'\r'].contains(byte));
        if must || random.below(4) == 0 {
            line.push(b'"');
            for byte in field {
                line.extend(if *byte == b'"' { &b"\"\""[..] } else { std::slice::from_ref(byte) });
            }
            line.push(b'"');
        } else {
            line.extend(field);
        }
    }
    line.extend(if random.below(2) == 0 { &b"\n"[..] } else { &b"\r\n"[..] });
    line
}

const STATES: [&str; 9] = [
    "matched",
    "due",
    "overruled",
    "waiting",
    "running",
    "unreadable",
    "oldest_event",
    "longest_overdue_days",
    "next_due",
];

/// Both sources have the same to say under every rule.
fn assert_same(scene: &Scene, ran: &Ran, told: &[&str], seed: u64) -> Vec<Value> {
    let of = |source: &str, number: usize| -> Vec<Value> {
        let rule = ran.rule(&format!("{source}{number}"));
        told.iter().map(|name| rule[*name].clone()).collect()
    };
    let pairs = (0..scene.rules).map(|number| (of("db", number), of("csv", number)));
    let policy = fs::read_to_string(scene.place.policy()).unwrap();
    pairs
        .flat_map(|(db, csv)| {
            assert_eq!(db, csv, "{told:?}, seed {seed}, in {policy}");
            db
        })
        .collect()
}

/// What the database has left, the files have left, byte by byte.
fn assert_left_is_same(scene: &Scene, seed: u64) {
    let connection = open(&scene.place.path("data.db"));
    let mut ids = connection.prepare("SELECT CAST(id AS INTEGER) FROM log").unwrap();
    let left = ids.query_map([], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs())).unwrap();
    let left: BTreeSet<u64> = left.map(Result::unwrap).collect();
    for (name, header, records) in &scene.files {
        let kept = records.iter().filter(|(number, _)| left.contains(number)).flat_map(|(_, record)| record);
        let wanted: Vec<u8> = header.iter().chain(kept).copied().collect();
        let found = fs::read(scene.place.path("data").join(name)).unwrap();
        let texts = (String::from_utf8_lossy(&found), String::from_utf8_lossy(&wanted));
        assert!(found == wanted, "seed {seed}: {name} is {:?}, not {:?}", texts.0, texts.1);
    }
}

#[test]
fn files_and_tables_of_the_same_records_are_judged_alike() {
    let (cases, mut due, mut kept) = (u64::from(crate::depth::cases(20)), 0, 0);
    for seed in 0..cases {
        let scene = scene(&mut Random(seed));
        let report = scene.place.at(NOW, &REPORT);
        let states = assert_same(&scene, &report, &STATES, seed);
        due += states[1].as_u64().unwrap();
        kept += states[0].as_u64().unwrap() - states[1].as_u64().unwrap();
        let purge = scene.place.at(NOW, &PURGE);
        assert!(purge.code == 0 || purge.code == 3, "{purge:?}");
        assert_same(&scene, &purge, &["deleted", "survivors", "outcome"], seed);
        assert_left_is_same(&scene, seed);
        assert_same(&scene, &scene.place.at(NOW, &REPORT), &STATES, seed);
    }
    assert!(due > 3 * cases && kept > 3 * cases, "{due} due, {kept} kept: too few to prove much");
}
