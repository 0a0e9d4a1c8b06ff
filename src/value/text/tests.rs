use rusqlite::Connection;

use crate::value::Value;

/// SQLite's own answer, many at a time so that millions are affordable.
fn differences(numbers: impl Iterator<Item = f64>) -> Vec<(f64, String, String)> {
    let sqlite = Connection::open_in_memory().unwrap();
    let mut cast = sqlite.prepare("select cast(?1 as text)").unwrap();
    numbers
        .filter(|number| !number.is_nan())
        .filter_map(|number| {
            let theirs: String = cast.query_row([number], |row| row.get(0)).unwrap();
            let ours = String::from_utf8(Value::Real(number).text().unwrap().into_owned()).unwrap();
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

#[test]
fn reals_of_any_bits_are_written_as_sqlite_does() {
    assert_eq!(differences(random(1).take(amount()).map(f64::from_bits)), []);
}

#[test]
fn reals_of_few_digits_are_written_as_sqlite_does() {
    let short = random(2).take(amount()).map(|bits| {
        let digits = (bits >> 16) % 10_u64.pow(1 + (bits % 17) as u32);
        let power = (bits >> 8) as i8 as i32 / 6;
        format!("{digits}e{power}").parse().unwrap()
    });
    assert_eq!(differences(short), []);
}

#[test]
fn sums_of_cents_are_written_as_sqlite_does() {
    let sums = random(3)
        .take(amount())
        .map(|bits| (bits % 1_000_000) as f64 / 100.0 + ((bits >> 20) % 1_000_000) as f64 * 0.01);
    assert_eq!(differences(sums), []);
}

#[test]
fn limits_and_powers_are_written_as_sqlite_does() {
    let powers = (-1074..1024).map(|power| 2_f64.powi(power));
    let tens = (-330..309).map(|power| format!("1e{power}").parse().unwrap());
    let edges = [0.0, -0.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY];
    let around = [1e15, 1e16, 1e17, 1e18, 1e-4, 1e-5, 9_007_199_254_740_992.0];
    let around = around.into_iter().flat_map(|x: f64| [x.next_down(), x, x.next_up(), -x]);
    assert_eq!(differences(powers.chain(tens).chain(edges).chain(around)), []);
}

#[test]
fn texts_of_common_reals() {
    let text = |number| String::from_utf8(Value::Real(number).text().unwrap().into_owned()).unwrap();
    assert_eq!(text(5.0), "5.0");
    assert_eq!(text(1e20), "1.0e+20");
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
