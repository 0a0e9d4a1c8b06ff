//! Numbers against numbers, in every type that holds them.

use proptest::prelude::*;

use super::super::Truth::{False, True};
use super::{UNREADABLE, ask, text};
use crate::value::Value::{Integer, Real};

const MAX: &str = "9223372036854775807";

#[test]
fn integers_and_reals_compare_without_loss() {
    // As reals these would be equal.
    assert_eq!(ask("n = 9007199254740993", Real(9_007_199_254_740_992.0)), False);
    assert_eq!(ask("n > 9007199254740992.0", Integer(9_007_199_254_740_993)), True);
    assert_eq!(ask(&format!("n > {MAX}"), Real(9_223_372_036_854_775_808.0)), True);
    assert_eq!(ask(&format!("n = {MAX}"), Integer(i64::MAX)), True);
    assert_eq!(ask("n = -9223372036854775808", Real(-9_223_372_036_854_775_808.0)), True);
    assert_eq!(ask("n < 1e30", Integer(i64::MAX)), True);
    assert_eq!(ask("n > -1e30", Integer(i64::MIN)), True);
    assert_eq!(ask("n > -1", Real(-0.5)), True);
    assert_eq!(ask("n < -1", Real(-1.5)), True);
    assert_eq!(ask("n < 0", Real(-0.0)), False);
    assert_eq!(ask("n = -0.0", Integer(0)), True);
    assert_eq!(ask("n < 0.5", Integer(0)), True);
    assert_eq!(ask("n > -0.5", Integer(0)), True);
    assert_eq!(ask("n > 5", Real(f64::INFINITY)), True);
    assert_eq!(ask("n < 1.5", Real(f64::NEG_INFINITY)), True);
}

#[test]
fn whole_literals_are_integers_however_written() {
    for literal in ["1000", "1e3", "1000.0", "1E+3", "0.1e4", "10000e-1", "1000.000"] {
        assert_eq!(ask(&format!("n = {literal}"), Integer(1000)), True, "{literal}");
        assert_eq!(ask(&format!("n = {literal}"), text("1000")), True, "{literal}");
    }
    assert_eq!(ask("n = 9007199254740993.0", Integer(9_007_199_254_740_993)), True);
}

#[test]
fn numbers_in_text_compare_by_value() {
    for number in ["10", "+10", "010", "10.0", "1e1", "1E+1", "100e-1", "0.1e2", "10.000e0"] {
        assert_eq!(ask("n = 10", text(number)), True, "{number}");
    }
    assert_eq!(ask("n = 0.1", text("0.1")), True);
    assert_eq!(ask("n = 0.1", text("1e-1")), True);
    assert_eq!(ask("n = -2.5", text("-2.50")), True);
    assert_eq!(ask("n > 9", text("10")), True);
    assert_eq!(ask("n < 1", text("1e-2")), True);
    assert_eq!(ask("n > 0", text("12.5e-3")), True);
    assert_eq!(ask("n > -1", text("-9e-5")), True);
    assert_eq!(ask("n = 0", text("-0")), True);
    assert_eq!(ask("n = 0", text("0e99999999999999999999")), True);
}

#[test]
fn long_numbers_in_text_lose_no_digit() {
    assert_eq!(ask(&format!("n = {MAX}"), text("9223372036854775806")), False);
    assert_eq!(ask(&format!("n = {MAX}"), text(MAX)), True);
    assert_eq!(ask(&format!("n > {MAX}"), text("9223372036854775808")), True);
    assert_eq!(ask("n = 9007199254740992", text("9007199254740992.5")), False);
    assert_eq!(ask("n > 9007199254740992", text("9007199254740993.0")), True);
    assert_eq!(ask("n < 1", text("0.99999999999999999999999")), True);
    assert_eq!(ask("n > -1", text("-0.99999999999999999999999")), True);
    assert_eq!(ask("n < -1", text("-1.00000000000000000000001")), True);
    assert_eq!(ask("n > 0", text("1e-999")), True);
    assert_eq!(ask("n < 0", text("-1e-99999999999999999999")), True);
    assert_eq!(ask("n > 0.5", text("1e99999999999999999999")), True);
    assert_eq!(ask("n < 5", text("-1e99999999999999999999")), True);
    assert_eq!(ask("n > 5", text(&"9".repeat(5000))), True);
    assert_eq!(ask("n = 1", text(&format!("{}e-5000", "1".to_owned() + &"0".repeat(5000)))), True);
    assert_eq!(ask(&format!("n > {MAX}"), text(&format!("1{}", "0".repeat(60)))), True);
}

#[test]
fn other_text_is_no_number() {
    for other in
        ["", " ", "x", " 1", "1 ", "1\n", ".5", "5.", "1e", "1e+", "e5", "--1", "+-1", "1,5", "1_0", "0x10"]
    {
        assert_eq!(ask("n = 1", text(other)), UNREADABLE, "{other:?}");
        assert_eq!(ask("n <> 1.5", text(other)), UNREADABLE, "{other:?}");
    }
    for other in ["inf", "Infinity", "nan", "NaN", "-", "+", "1.5.5", "1e5.5", "1\0", "١", "12 kr.", "true"]
    {
        assert_eq!(ask("not n > 1", text(other)), UNREADABLE, "{other:?}");
        assert_eq!(ask("n < 1e30", text(other)), UNREADABLE, "{other:?}");
    }
}

/// A decimal as its digits and the place of its point, so that whole numbers compare it.
fn decimal() -> impl Strategy<Value = (i128, u32)> {
    prop_oneof![
        (-999_999_i128..=999_999, 0_u32..4),
        (any::<i64>().prop_map(i128::from), 0_u32..6),
        (-30_i128..30, 0_u32..2),
    ]
}

fn written((digits, places): (i128, u32)) -> String {
    let unit = 10_i128.pow(places);
    let (whole, fraction) = (digits.abs() / unit, digits.abs() % unit);
    let sign = if digits < 0 { "-" } else { "" };
    match places {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{fraction:0width$}", width = places as usize),
    }
}

proptest! {
    #![proptest_config(crate::depth::config(200))]

    /// A decimal in text against a whole literal is exact, to the last digit.
    #[test]
    fn text_against_whole_numbers(value in decimal(), literal in prop_oneof![any::<i64>(), -30_i64..30], shift in -8_i32..8) {
        let scaled = i128::from(literal) * 10_i128.pow(value.1);
        // The same number with its point moved, and an exponent that moves it back.
        let (digits, places) = value;
        let moved = format!("{}e{}", written((digits * 10_i128.pow(8), places + (8 + shift) as u32)), shift);
        for text_of_value in [written(value), moved] {
            prop_assert_eq!(ask(&format!("n = {literal}"), text(&text_of_value)), (digits == scaled).into(), "{}", text_of_value);
            prop_assert_eq!(ask(&format!("n < {literal}"), text(&text_of_value)), (digits < scaled).into(), "{}", text_of_value);
            prop_assert_eq!(ask(&format!("n > {literal}"), text(&text_of_value)), (digits > scaled).into(), "{}", text_of_value);
        }
    }

    /// Short decimals are told apart by reals as well as by their digits.
    #[test]
    fn text_against_decimals(value in (-999_999_i128..=999_999, 0_u32..4), literal in (-999_999_i128..=999_999, 0_u32..4)) {
        let left = value.0 * 10_i128.pow(literal.1);
        let right = literal.0 * 10_i128.pow(value.1);
        prop_assert_eq!(ask(&format!("n = {}", written(literal)), text(&written(value))), (left == right).into());
        prop_assert_eq!(ask(&format!("n <= {}", written(literal)), text(&written(value))), (left <= right).into());
    }
}
