//! A real number's text, digit by digit what SQLite 3.54 writes (`%!.17g`).
//!
//! SQLite computes with approximate powers of ten, and its last digits are
//! sometimes not the nearest. A comparison has to see the same text whoever
//! evaluates it, so this is a port of `sqlite3FpDecode` and not a better way.

mod powers;

/// The text, or nothing for what is not a number.
pub(super) fn text(number: f64) -> Option<String> {
    let sign = if number < 0.0 { "-" } else { "" };
    if number.is_nan() {
        None
    } else if number.is_infinite() {
        Some(format!("{sign}Inf"))
    } else {
        Some(format!("{sign}{}", Decimal::of(number.abs()).text()))
    }
}

/// `0.DIGITS` times ten to the power of `point`.
struct Decimal {
    digits: String,
    point: i32,
}

impl Decimal {
    fn of(number: f64) -> Decimal {
        if number == 0.0 {
            return Decimal { digits: "0".into(), point: 1 };
        }
        let (long, exponent) = eighteen_digits(number);
        let digits = long.to_string();
        let point = digits.len() as i32 + exponent;
        let count = digits_worth_keeping(number, digits.as_bytes(), point);
        Decimal { digits, point }.rounded(count)
    }

    fn rounded(self, count: usize) -> Decimal {
        let (kept, rest) = self.digits.split_at(count);
        let nines = kept.trim_end_matches('9');
        let up = rest.starts_with(|digit| digit >= '5');
        match nines.as_bytes().split_last() {
            None if up => Decimal { digits: "1".into(), point: self.point + 1 },
            Some((last, before)) if up => {
                let mut digits = String::from_utf8_lossy(before).into_owned();
                digits.push(char::from(last + 1));
                Decimal { digits, ..self }
            }
            _ => Decimal { digits: kept.trim_end_matches('0').into(), ..self },
        }
    }

    fn text(&self) -> String {
        match self.point - 1 {
            exponent @ -4..=16 => self.plain(exponent + 1),
            exponent => self.scientific(exponent),
        }
    }

    fn plain(&self, point: i32) -> String {
        let count = self.digits.len() as i32;
        match point {
            ..=0 => format!("0.{}{}", zeros(-point), self.digits),
            _ if point < count => {
                let (whole, fraction) = self.digits.split_at(point as usize);
                format!("{whole}.{fraction}")
            }
            _ => format!("{}{}.0", self.digits, zeros(point - count)),
        }
    }

    fn scientific(&self, exponent: i32) -> String {
        let (first, rest) = self.digits.split_at(1);
        let rest = if rest.is_empty() { "0" } else { rest };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{first}.{rest}e{sign}{:02}", exponent.abs())
    }
}

fn zeros(count: i32) -> String {
    "0".repeat(count as usize)
}

/// The number as an integer of 18 or 19 digits, times a power of ten.
fn eighteen_digits(number: f64) -> (u64, i32) {
    let (bits, exponent) = normalised(number);
    let power = 17 - powers::log10_of_two(exponent + 63);
    let product = (u128::from(bits) * u128::from(powers::of_ten(power))) >> 64;
    let doubled = (product as u64) >> -(exponent + powers::log2_of_ten(power) + 2);
    (doubled.div_ceil(2), -power)
}

/// The significand with its highest bit set, and its power of two.
fn normalised(number: f64) -> (u64, i32) {
    let fraction = number.to_bits() & ((1 << 52) - 1);
    match (number.to_bits() >> 52) as i32 & 0x7ff {
        0 => {
            let shift = fraction.leading_zeros();
            (fraction << shift, -1074 - shift as i32)
        }
        biased => (fraction << 11 | 1 << 63, biased - 1086),
    }
}

/// Seventeen, or fewer where fewer give the same number again. SQLite tries
/// only numbers that end in nines or zeros.
fn digits_worth_keeping(number: f64, digits: &[u8], point: i32) -> usize {
    let candidate = if digits[14..16] == *b"99" {
        Some(cut_in_nines(digits))
    } else if point >= digits.len() as i32 || digits[13..16] == *b"000" {
        Some(cut_in_zeros(digits))
    } else {
        None
    };
    match candidate {
        Some((short, count)) if nearest(short, point - count as i32) == number => count + 1,
        _ => 17,
    }
}

/// The number before the run of nines, one higher, and its length.
fn cut_in_nines(digits: &[u8]) -> (u64, usize) {
    let count = 14 - digits[..14].iter().rev().take_while(|digit| **digit == b'9').count();
    (integer(&digits[..count]) + 1, count)
}

fn cut_in_zeros(digits: &[u8]) -> (u64, usize) {
    let count = 13 - digits[..13].iter().rev().take_while(|digit| **digit == b'0').count();
    (integer(&digits[..count]), count)
}

fn integer(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
}

/// `integer` times ten to the power of `power`, as Rust's own correctly
/// rounding parser reads it.
fn nearest(integer: u64, power: i32) -> f64 {
    format!("{integer}e{power}").parse().unwrap_or(f64::NAN)
}
