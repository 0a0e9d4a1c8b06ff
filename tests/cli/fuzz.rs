//! No policy makes frist panic, however it is spoilt.

use frist::report::text::Style;
use proptest::prelude::*;
use proptest::sample::select;

use super::support::Place;

const POLICY: &str = include_str!("../../policies/mobilize-me.toml");

/// Words that mean something to one of the readers, or should not.
const WORDS: [&str; 40] = [
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[rule]]",
    "{",
    "}",
    "=",
    ",",
    "\n",
    "\r\n",
    "\t",
    "#",
    "\\",
    "\\u0000",
    "\0",
    "\u{feff}",
    "\u{1b}[31m",
    "å",
    "😀",
    "e\u{301}",
    "\u{202e}",
    "-1",
    "99999999999999999999",
    "1e400",
    "nan",
    "5",
    "2020-01-01",
    "${",
    "${PATH}",
    "at most ",
    " years",
    "201 years",
    "Europe/",
    "%Y%",
    "latest",
    "keep = 5",
    "when = \"",
    " or (not ",
];

#[derive(Clone, Debug)]
enum Change {
    Delete(usize, usize),
    Insert(usize, &'static str),
    Repeat(usize, usize, usize),
    Cut(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = || 0..POLICY.len();
    prop_oneof![
        3 => (at(), 1..40_usize).prop_map(|(at, length)| Change::Delete(at, length)),
        5 => (at(), select(&WORDS[..])).prop_map(|(at, word)| Change::Insert(at, word)),
        2 => (at(), 1..200_usize, at()).prop_map(|(from, length, to)| Change::Repeat(from, length, to)),
        1 => at().prop_map(Change::Cut),
    ]
}

/// The nearest place at or before a byte where a text may be parted.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap()
}

fn changed(mut text: String, change: &Change) -> String {
    match *change {
        Change::Delete(at, length) => {
            let (start, end) = (boundary(&text, at), boundary(&text, at + length));
            text.replace_range(start..end, "");
        }
        Change::Insert(at, word) => text.insert_str(boundary(&text, at), word),
        Change::Repeat(from, length, to) => {
            let piece = text[boundary(&text, from)..boundary(&text, from + length)].to_string();
            text.insert_str(boundary(&text, to), &piece);
        }
        Change::Cut(at) => text.truncate(boundary(&text, at)),
    }
    text
}

fn check(place: &Place) {
    let policy = place.arg("policy.toml");
    for width in [None, Some(40)] {
        let style = Style { width, color: width.is_some() };
        let text = place.frist_with(style, "2026-11-20", &["check", &policy], None);
        let json = place.frist_with(style, "2026-11-20", &["check", "--format", "json", &policy], None);
        assert!([0, 1].contains(&text.code) && text.code == json.code, "{text:?}");
        let json = json.json();
        assert_eq!(text.code == 1, json["errors"] != 0);
        for finding in json["findings"].as_array().unwrap() {
            assert!(finding["line"].as_u64() <= finding["end_line"].as_u64(), "{finding}");
        }
        if text.code == 0 {
            let report = place.frist_with(style, "2026-11-20", &["report", "--list", &policy], None);
            assert!([0, 3].contains(&report.code), "{report:?}");
        }
    }
}

proptest! {
    #![proptest_config(crate::depth::config(40))]

    #[test]
    fn a_spoilt_policy_is_answered(changes in prop::collection::vec(change(), 1..4)) {
        let place = Place::new();
        place.write("policy.toml", changes.iter().fold(POLICY.to_string(), changed));
        check(&place);
    }

    #[test]
    fn spoilt_bytes_are_answered(at in 0..POLICY.len(), bytes in prop::collection::vec(any::<u8>(), 1..6)) {
        let mut text = POLICY.as_bytes().to_vec();
        text.splice(at..at, bytes);
        let place = Place::new();
        place.write("policy.toml", text);
        check(&place);
    }
}
