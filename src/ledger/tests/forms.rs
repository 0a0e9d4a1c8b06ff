//! The exact form of what is written, and what is understood of other forms.

use std::fs;

use super::super::line::{Line, compose};
use super::super::moment::Moment;
use super::*;

#[test]
fn a_line_has_this_form() {
    let (line, link) = compose(Link::START, AT, "r-1", &batch("orders", 1, 3)).unwrap();
    let covered = r#"{"seq":1,"at":"2026-11-20T01:00:00Z","run":"r-1","event":"batch","rule":"orders","number":1,"rows":3,"range":[-9223372036854775808,1],"prev":"0000000000000000000000000000000000000000000000000000000000000000""#;
    let hash = Hash::of(covered.as_bytes());
    assert_eq!(link, Link { seq: 1, hash });
    assert_eq!(line, format!("{covered},\"hash\":\"{hash}\"}}\n"));
}

#[test]
fn the_hash_is_the_one_that_sha256sum_prints() {
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(Hash::of(b"abc").to_string(), abc);
    assert_eq!(format!("7:{abc}").parse(), Ok(Link { seq: 7, hash: Hash::of(b"abc") }));
    assert_eq!(Link { seq: 7, hash: Hash::of(b"abc") }.to_string(), format!("7:{abc}"));
    for wrong in [abc, "", ":", "7:", &format!("07:{abc}"), &format!("0:{abc}"), &format!("+7:{abc}")] {
        assert_eq!(wrong.parse::<Link>(), Err(NotALink), "{wrong}");
    }
    for wrong in [format!("7:{abc}0"), format!("7:{}", &abc[1..]), format!("7:{}", abc.to_uppercase())] {
        assert_eq!(wrong.parse::<Link>(), Err(NotALink), "{wrong}");
    }
}

#[test]
fn seconds_are_rounded_to_milliseconds() {
    let written = |micros| serde_json::to_string(&Seconds::from(Duration::from_micros(micros))).unwrap();
    assert_eq!(written(1_234_499), "1.234");
    assert_eq!(written(1_234_500), "1.235");
    assert_eq!(written(0), "0.0");
    for millis in (0..100_000).chain((1..u64::from(u32::MAX)).step_by(65_537)) {
        let seconds = Seconds::from(Duration::from_millis(millis));
        let text = serde_json::to_string(&seconds).unwrap();
        assert_eq!(serde_json::from_str::<Seconds>(&text).unwrap(), seconds);
    }
    assert!(serde_json::from_str::<Seconds>("-1.0").is_err());
}

#[test]
fn values_without_room_in_a_line_are_refused() {
    let place = Place::new();
    for run in ["", "a b", "a\"b", "é", "a\nb"] {
        assert!(matches!(place.with(run, |_| ()), Err(LedgerError::Unfit { .. })), "{run:?}");
    }
    let refused = place.with("a", |ledger| {
        for at in ["", "yesterday", "2026-11-20", "2026-11-20 01:00:00Z", "2026-13-20T01:00:00Z"] {
            assert!(matches!(ledger.append(at, &finished()), Err(LedgerError::Unfit { field: "at", .. })));
            assert!(matches!(ledger.append(AT, &started(at)), Err(LedgerError::Unfit { field: "now", .. })));
        }
        let long = ledger.append(AT, &source(&"x".repeat(1 << 20)));
        assert!(matches!(long, Err(LedgerError::Unfit { .. })));
        let error = long.unwrap_err().to_string();
        assert!(error.len() < 200, "{error}");
        let longest = "x".repeat((1 << 20) - 292);
        ledger.append(AT, &source(&longest)).unwrap();
        ledger.append(AT, &finished()).unwrap().seq
    });
    assert_eq!(refused.unwrap(), 2);
    assert_eq!(place.verify().unwrap().entries, 2);
}

/// Writes a line as a version to come might.
fn foreign(after: Link, fields: &str) -> (String, Link) {
    let seq = after.seq + 1;
    let covered =
        format!("{{\"seq\":{seq},\"at\":\"{AT}\",\"run\":\"n\",{fields},\"prev\":\"{}\"", after.hash);
    let hash = Hash::of(covered.as_bytes());
    (format!("{covered},\"hash\":\"{hash}\"}}\n"), Link { seq, hash })
}

#[test]
fn what_a_newer_version_wrote_is_verified_shown_and_counted() {
    let place = Place::new();
    write_runs(&place, &[("a", started(AT)), ("a", finished())]);
    let last = place.verify().unwrap().last.unwrap();
    let (one, link) = foreign(last, r#""event":"backup-expired","copies":{"tape":[1,2.5,null]}"#);
    let (two, link) = foreign(link, r#""event":"batch-undone","rule":"orders","number":1,"why":"power""#);
    let (three, link) = foreign(link, r#""event":"source","source":"crm","status":"asleep""#);
    let (four, _) = foreign(link, r#""event":"pause""#);
    let ledger = fs::read_to_string(place.folder.ledger()).unwrap();
    fs::write(place.folder.ledger(), ledger + &one + &two + &three + &four).unwrap();
    assert_eq!(place.verify().unwrap().entries, 6);
    let read: Vec<Entry> = entries(place.path()).unwrap().skip(2).map(|entry| entry.unwrap()).collect();
    let names: Vec<&str> = read.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["backup-expired", "batch-undone", "source", "pause"]);
    let known: Vec<bool> = read.iter().map(|entry| entry.event.is_some()).collect();
    assert_eq!(known, [false, true, false, false]);
    let shown = |index: usize| serde_json::to_string(&read[index].fields).unwrap();
    assert_eq!(shown(0), r#"{"copies":{"tape":[1,2.5,null]}}"#);
    assert_eq!(shown(1), r#"{"rule":"orders","number":1,"why":"power"}"#);
    assert_eq!(shown(3), "{}");
    let history = place.with("z", |ledger| ledger.history().clone()).unwrap();
    assert_eq!(history.not_understood, 3);
    assert_eq!(history.unfinished[0].run, "n");
}

#[test]
fn an_unreadable_line_is_named_and_the_rest_is_shown() {
    let place = whole();
    let ledger = fs::read_to_string(place.folder.ledger()).unwrap();
    let damaged = ledger.replacen("\n", "\nwhat\n", 1) + "{\"seq\":";
    fs::write(place.folder.ledger(), damaged).unwrap();
    let read: Vec<_> = entries(place.path()).unwrap().collect();
    assert_eq!(read.len(), 27);
    let errors: Vec<String> =
        read.iter().filter_map(|entry| entry.as_ref().err()).map(|error| error.to_string()).collect();
    assert!(errors[0].ends_with("ledger.jsonl line 2: not an entry as frist writes it"), "{errors:?}");
    assert!(errors[1].ends_with("ledger.jsonl line 27: the last line is torn"), "{errors:?}");
    assert_eq!(errors.len(), 2);
}

#[test]
fn a_valid_hash_does_not_make_bad_json_an_entry() {
    for fields in [
        r#""event":"x","a":"#,
        r#""event":"x",,"a":1"#,
        r#""event":"x"}{"a":1"#,
        "\"event\":\"x\",\r\"a\":1",
        "\"event\":\"x\",\t\"a\":1",
        r#""event":"x","a":"	""#,
    ] {
        let place = Place::new();
        place.with("a", |_| ()).unwrap();
        fs::write(place.folder.ledger(), foreign(Link::START, fields).0).unwrap();
        let findings = place.verify().unwrap_err();
        assert_eq!(findings, [Finding { line: Some(1), fault: Fault::NotAnEntry }], "{fields}");
    }
}

#[test]
fn lines_of_any_other_form_are_no_entries() {
    let (line, _) = compose(Link::START, AT, "r", &finished()).unwrap();
    let line = line.trim_end();
    assert!(Line::split(line.as_bytes()).is_some());
    let others = [
        line.replacen("{\"seq\":1", "{\"seq\":01", 1),
        line.replacen("{\"seq\":1", "{\"seq\": 1", 1),
        line.replacen("{\"seq\":1", "{\"seq\":+1", 1),
        line.replacen("{\"seq\":1", "{\"seq\":99999999999999999999", 1),
        line.replacen("\"run\":\"r\"", "\"run\":\"\"", 1),
        line.replacen("\"run\":\"r\"", "\"run\":\"\\u0072\"", 1),
        line.to_uppercase(),
        format!("\u{feff}{line}"),
        format!("{line} "),
        format!("{line}\r"),
    ];
    for other in others {
        assert!(Line::split(other.as_bytes()).is_none(), "{other}");
    }
}

#[test]
fn moments_compare_as_moments() {
    let ascending = [
        "1969-12-31T23:59:59.999999999Z",
        "1970-01-01T00:00:00Z",
        "2000-02-29T23:59:59Z",
        "2000-03-01T00:00:00Z",
        "2026-11-20T01:00:00+02:00",
        "2026-11-20T00:30:00Z",
        "2026-11-20T00:30:00.000000001Z",
        "2026-11-20T00:30:00.5Z",
        "2026-11-19T23:30:01-01:00",
    ];
    assert!(ascending.is_sorted_by(|one, next| Moment::parse(one).unwrap() < Moment::parse(next).unwrap()));
    assert_eq!(Moment::parse("2026-11-20T01:00:00Z"), Moment::parse("2026-11-20T02:00:00+01:00"));
    for wrong in [
        "2026-11-20T01:00:00",
        "2026-11-20T01:00:00.Z",
        "2026-11-20T01:00:00+1:00",
        "2026-11-20T24:00:00Z",
        "+026-11-20T01:00:00Z",
        "2026-11-20T01:00:00ZZ",
        "２026-11-20T01:00:00Z",
    ] {
        assert_eq!(Moment::parse(wrong), None, "{wrong}");
    }
}
