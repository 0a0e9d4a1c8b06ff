//! What each form makes of each value, and that what it made is known again.

use proptest::prelude::*;

use super::*;

const KEY: Key = Key([7; 32]);

/// What a form finally writes; none where it leaves the value as it is.
fn written(form: &Form, value: Value<'_>) -> Result<Option<Option<Owned>>, Illegible> {
    match form.make(value) {
        Made::Already => Ok(None),
        Made::Nothing => Ok(Some(None)),
        Made::Value(value) => Ok(Some(Some(value))),
        Made::PseudonymOf(text) => Ok(Some(Some(Owned::Text(KEY.pseudonym(&text).into_bytes())))),
        Made::Illegible(why) => Err(why),
    }
}

fn text_of(form: &Form, text: &str) -> String {
    match written(form, Value::Text(text.as_bytes())) {
        Ok(None) => "as it is".to_owned(),
        Ok(Some(Some(Owned::Text(text)))) => String::from_utf8(text).unwrap(),
        other => format!("{other:?}"),
    }
}

#[test]
fn the_network_of_an_address_stays() {
    for (address, network) in [
        ("10.1.2.3", "10.1.2.0"),
        ("10.1.2.0", "as it is"),
        ("10.1.2.3:443", "10.1.2.0"),
        ("10.1.2.0:443", "10.1.2.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("2001:DB8:1::", "as it is"),
        ("[2001:db8:1::7]:443", "2001:db8:1::"),
        ("::ffff:10.1.2.3", "::ffff:10.1.2.0"),
        ("::ffff:10.1.2.0", "as it is"),
        ("fe80::1%eth0", "fe80::"),
        ("fe80::%eth0", "fe80::"),
        ("::1", "::"),
        ("", "as it is"),
        (" ", "as it is"),
    ] {
        assert_eq!(text_of(&Form::Truncate, address), network, "{address}");
    }
    let wrong = [
        "10.1.2",
        "10.1.2.3/24",
        "010.1.2.3",
        " 10.1.2.3",
        "10.1.2.3, 10.1.2.4",
        "localhost",
        "fe80::1%",
        "1%a",
    ];
    for wrong in wrong.map(|text| Value::Text(text.as_bytes())).into_iter().chain([
        Value::Integer(167_837_955),
        Value::Blob,
        Value::Text(b"\xff"),
    ]) {
        assert_eq!(written(&Form::Truncate, wrong), Err(Illegible::NoAddress), "{wrong:?}");
    }
}

#[test]
fn a_pseudonym_is_the_same_for_the_same_text_and_is_recognised() {
    let made = text_of(&Form::Pseudonym, "12 34 56 78");
    assert!(made.starts_with("frist:"), "{made}");
    assert_eq!(made.len(), SAMPLE_PSEUDONYM.len());
    assert_eq!(text_of(&Form::Pseudonym, &made), "as it is");
    assert_eq!(text_of(&Form::Pseudonym, SAMPLE_PSEUDONYM), "as it is");
    assert_ne!(text_of(&Form::Pseudonym, "12 34 56 79"), made);
    assert_ne!(Key([8; 32]).pseudonym(b"12 34 56 78"), made, "another key gives others");
    let number = written(&Form::Pseudonym, Value::Integer(12_345_678));
    assert_eq!(number, written(&Form::Pseudonym, Value::Text(b"12345678")), "a number is its text");
    for near in ["frist:", "frist:0123456789ABCDEF0123456789abcdef", "Frist:0123456789abcdef0123456789abcdef"]
    {
        assert_ne!(text_of(&Form::Pseudonym, near), "as it is", "{near}");
    }
    assert_eq!(written(&Form::Pseudonym, Value::Blob), Err(Illegible::Binary));
    assert_eq!(format!("{KEY:?}"), "Key { .. }");
}

/// RFC 4231, test case 2, of which the first half stays.
#[test]
fn the_hash_is_hmac_sha_256() {
    let mut key = [0; 32];
    key[..4].copy_from_slice(b"Jefe");
    let made = Key(key).pseudonym(b"what do ya want for nothing?");
    assert_eq!(made, "frist:5bdcc146bf60754e6a042426089575c7");
}

#[test]
fn nothing_is_removed_twice_and_a_constant_goes_everywhere() {
    let text = |text: &'static str| Value::Text(text.as_bytes());
    assert_eq!(Form::Remove.make(Value::Null), Made::Already);
    assert_eq!(Form::Remove.make(text("")), Made::Already);
    for value in [text(" "), text("Ida"), Value::Integer(0), Value::Real(0.0), Value::Blob] {
        assert_eq!(Form::Remove.make(value), Made::Nothing, "{value:?}");
    }
    let constant = Form::Text("0".to_owned());
    assert_eq!(constant.make(text("0")), Made::Already);
    assert_eq!(constant.make(Value::Integer(0)), Made::Already);
    for value in [Value::Null, text(""), text("00"), Value::Real(0.0), Value::Blob] {
        assert_eq!(constant.make(value), Made::Value(Owned::Text(b"0".to_vec())), "{value:?}");
    }
}

fn forms() -> impl Strategy<Value = Form> {
    let begin = |coarse| {
        let timestamps = Timestamps::new(crate::calendar::Format::Iso, Zone::UTC, Vec::new());
        Form::Begin(Box::new(Column { coarse, timestamps, zone: Zone::UTC }))
    };
    prop::sample::select(vec![
        Form::Remove,
        begin(Coarse::Year),
        begin(Coarse::Month),
        Form::Truncate,
        Form::Text("[removed]".to_owned()),
        Form::Pseudonym,
    ])
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9.:a-f/% ]{0,12}",
        (any::<u32>()).prop_map(|bits| std::net::Ipv4Addr::from_bits(bits).to_string()),
        (any::<u128>()).prop_map(|bits| std::net::Ipv6Addr::from_bits(bits).to_string()),
        (1900..2300, 1..13, 1..29).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}")),
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn what_was_made_is_left_as_it_is(form in forms(), text in texts(), number: i64, kind in 0..3) {
        let value = match kind {
            0 => Value::Integer(number),
            1 => Value::Real(number as f64 / 3.0),
            _ => Value::Text(text.as_bytes()),
        };
        if let Ok(Some(made)) = written(&form, value) {
            // Where null cannot be, its place is taken by an empty text.
            let nothing = [Value::Null, Value::Text(b"")];
            let now = made.as_ref().map_or(nothing.to_vec(), |made| vec![made.as_value()]);
            for value in now {
                prop_assert_eq!(written(&form, value), Ok(None), "{:?}", form);
            }
        }
    }
}
