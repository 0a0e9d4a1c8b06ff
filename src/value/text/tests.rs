//! The text of a real number, held against SQLite's own on very many numbers.

use rusqlite::Connection;

use crate::value::Value;

/// Where SQLite's own answer is another one, many at a time so that thousands are affordable.
fn differences(numbers: impl Iterator<Item = f64>) -> Vec<(f64, String, String)> {
    let sqlite = Connection::open_in_memory().unwrap();
    let mut cast = sqlite.prepare("select cast(?1 as text)").unwrap();
    numbers
        .filter_map(|number| {
            let ours = String::from_utf8(Value::Real(number).sure_text()?.into_owned()).unwrap();
            let theirs: String = cast.query_row([number], |row| row.get(0)).unwrap();
            (ours != theirs).then_some((number, ours, theirs))
        })
        .take(5)
        .collect()
}

/// A small generator of its own (splitmix64): the same numbers every time.
fn random(seed: u64) -> impl Iterator<Item = u64> {
    (1_u64..).map(move |step| {
        let z = seed.wrapping_add(step.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// How many numbers of each kind.
fn amount() -> usize {
    crate::depth::cases(5_000) as usize
}

/// Numbers of up to this many digits.
fn decimals(seed: u64, digits: u32, powers: std::ops::Range<i32>) -> impl Iterator<Item = String> {
    random(seed).take(amount()).map(move |bits| {
        let digits = (bits >> 16) % 10_u64.pow(1 + (bits % u64::from(digits)) as u32);
        format!("{digits}e{}", powers.start + (bits >> 8) as u8 as i32 % powers.len() as i32)
    })
}

/// Beyond ten digits and these sizes SQLite's own digits are not always the shortest.
#[test]
fn reals_of_few_digits_are_written_as_sqlite_does() {
    let short = decimals(2, 10, -12..6).map(|text| text.parse().unwrap());
    assert_eq!(differences(short.filter(|number| *number >= 0.001)), []);
}

#[test]
fn what_has_fifteen_digits_has_a_sure_text_that_reads_back() {
    for decimal in decimals(4, 15, -120..120) {
        let number: f64 = decimal.parse().unwrap();
        let text = Value::Real(number).sure_text().unwrap_or_else(|| panic!("{decimal}"));
        assert_eq!(std::str::from_utf8(&text).unwrap().parse(), Ok(number), "{decimal}");
    }
}

#[test]
fn what_has_more_digits_has_a_text_and_no_sure_one() {
    for number in [0.1 + 0.2, 1.0 / 3.0, -4.000_000_000_000_001, 1.234_567_890_123_456_7e-200] {
        let text = String::from_utf8(Value::Real(number).text().unwrap().into_owned()).unwrap();
        assert_eq!(text.parse(), Ok(number));
        assert_eq!(Value::Real(number).sure_text(), None, "{text}");
    }
}

#[test]
fn cents_are_written_as_sqlite_does() {
    assert_eq!(differences(random(3).take(amount()).map(|bits| (bits % 1_000_000_000) as f64 / 100.0)), []);
}

#[test]
fn texts_of_common_reals() {
    let text = |number| String::from_utf8(Value::Real(number).text().unwrap().into_owned()).unwrap();
    assert_eq!(text(5.0), "5.0");
    assert_eq!(text(1e20), "1.0e+20");
    assert_eq!(text(1e16), "10000000000000000.0");
    assert_eq!(text(1.5e17), "1.5e+17");
    assert_eq!(text(0.0001), "0.0001");
    assert_eq!(text(f64::NEG_INFINITY), "-Inf");
    assert_eq!(text(0.1), "0.1");
    assert_eq!(text(-0.0), "0.0");
    assert_eq!(text(0.1 + 0.2), "0.30000000000000004");
    assert_eq!(text(-1.5e-7), "-1.5e-07");
}

#[test]
fn other_values_have_plain_texts_or_none() {
    assert_eq!(Value::Integer(i64::MIN).text().unwrap().as_ref(), b"-9223372036854775808");
    assert_eq!(Value::Text(b"\xff").text().unwrap().as_ref(), b"\xff");
    assert_eq!(Value::Null.text(), None);
    assert_eq!(Value::Blob.text(), None);
    assert_eq!(Value::Real(f64::NAN).text(), None);
}
