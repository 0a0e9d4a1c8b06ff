//! Numbers: as a condition and as data write them, compared without losing a digit.

use std::cmp::Ordering;

use crate::value::Value;

/// A number written in a condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Integer(i64),
    /// Whole, but written as a real number (`1e3`, `5.0`).
    Whole(i64),
    Real(f64),
}

impl Number {
    /// Reads a literal; one that no column could hold is refused.
    pub(super) fn parse(text: &str) -> Result<Number, NumberError> {
        let decimal = Decimal::parse(text.as_bytes()).ok_or(NumberError::Malformed)?;
        let floor = decimal.floor();
        match i64::try_from(floor.number) {
            Ok(integer) if floor.exact => Ok(Number::whole(integer, decimal.is_written_whole())),
            Err(_) if decimal.is_written_whole() => Err(NumberError::OutOfRange),
            _ => Number::real(decimal.real()),
        }
    }

    /// Beyond the whole numbers that a real holds, even `9007199254740993.0` is an integer.
    fn whole(integer: i64, written_whole: bool) -> Number {
        let held = integer_to_real(integer, integer as f64) == Some(Ordering::Equal);
        if held && !written_whole { Number::Whole(integer) } else { Number::Integer(integer) }
    }

    fn real(real: f64) -> Result<Number, NumberError> {
        match real == 0.0 || real.is_infinite() {
            true => Err(NumberError::OutOfRange),
            false => Ok(Number::Real(real)),
        }
    }

    pub(super) fn value(self) -> Value<'static> {
        match self {
            Number::Integer(integer) => Value::Integer(integer),
            Number::Whole(integer) => Value::Real(integer as f64),
            Number::Real(real) => Value::Real(real),
        }
    }

    /// How a value stands to this number, where it is one.
    pub(super) fn ordering_of(self, value: Value<'_>) -> Option<Ordering> {
        match (value, self) {
            (Value::Integer(left), Number::Integer(right) | Number::Whole(right)) => Some(left.cmp(&right)),
            (Value::Integer(left), Number::Real(right)) => integer_to_real(left, right),
            (Value::Real(left), Number::Integer(right) | Number::Whole(right)) => {
                integer_to_real(right, left).map(Ordering::reverse)
            }
            (Value::Real(left), Number::Real(right)) => left.partial_cmp(&right),
            (Value::Text(text), number) => Decimal::parse(text)?.ordering_to(number),
            (Value::Null | Value::Blob, _) => None,
        }
    }
}

/// Why a literal is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberError {
    Malformed,
    OutOfRange,
}

/// Compares the numbers themselves: as reals, large integers would look equal.
fn integer_to_real(integer: i64, real: f64) -> Option<Ordering> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if real >= BEYOND {
        Some(Ordering::Less)
    } else if real < -BEYOND {
        Some(Ordering::Greater)
    } else {
        let fraction = 0.0.partial_cmp(&real.fract())?;
        Some(integer.cmp(&(real.trunc() as i64)).then(fraction))
    }
}

/// A number in text: `[+-]digits[.digits][e[+-]digits]`, and nothing around it.
struct Decimal<'t> {
    text: &'t [u8],
    negative: bool,
    whole: &'t [u8],
    fraction: &'t [u8],
    exponent: i64,
}

/// The whole number at or below a decimal, held at the limits of its type.
struct Floor {
    number: i128,
    exact: bool,
}

impl<'t> Decimal<'t> {
    fn parse(text: &'t [u8]) -> Option<Decimal<'t>> {
        let (negative, unsigned) = sign(text);
        let (whole, rest) = digits(unsigned)?;
        let (fraction, rest) = match rest.split_first() {
            Some((b'.', rest)) => digits(rest)?,
            _ => (&rest[..0], rest),
        };
        let exponent = exponent(rest)?;
        Some(Decimal { text, negative, whole, fraction, exponent })
    }

    fn is_written_whole(&self) -> bool {
        self.whole.len() + usize::from(self.text[0] == b'-' || self.text[0] == b'+') == self.text.len()
    }

    fn ordering_to(&self, number: Number) -> Option<Ordering> {
        let floor = self.floor();
        match (number, i64::try_from(floor.number)) {
            (Number::Integer(right) | Number::Whole(right), _) => Some(floor.ordering_to(right)),
            (Number::Real(right), Ok(left)) if floor.exact => integer_to_real(left, right),
            (Number::Real(right), _) => self.real().partial_cmp(&right),
        }
    }

    fn floor(&self) -> Floor {
        let (magnitude, exact) = self.truncated();
        let magnitude = i128::try_from(magnitude).unwrap_or(i128::MAX);
        let number = match (self.negative, exact) {
            (false, _) => magnitude,
            (true, true) => -magnitude,
            (true, false) => -magnitude - 1,
        };
        Floor { number, exact }
    }

    /// The digits before the point, and whether only zeros follow it.
    fn truncated(&self) -> (u128, bool) {
        let point = self.exponent.saturating_add(self.whole.len() as i64).max(0) as usize;
        let digits = self.whole.iter().chain(self.fraction);
        let written = digits
            .clone()
            .take(point)
            .fold(0, |sum: u128, digit| sum.saturating_mul(10).saturating_add(u128::from(digit - b'0')));
        let missing = point.saturating_sub(self.whole.len() + self.fraction.len());
        let scale = 10_u128.saturating_pow(u32::try_from(missing).unwrap_or(u32::MAX));
        (written.saturating_mul(scale), digits.skip(point).all(|digit| *digit == b'0'))
    }

    /// The nearest real number; beyond the largest one, infinity.
    fn real(&self) -> f64 {
        String::from_utf8_lossy(self.text).parse().unwrap_or(f64::NAN)
    }
}

impl Floor {
    fn ordering_to(&self, integer: i64) -> Ordering {
        match self.number.cmp(&i128::from(integer)) {
            Ordering::Equal if !self.exact => Ordering::Greater,
            ordering => ordering,
        }
    }
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text.split_first() {
        Some((sign @ (b'+' | b'-'), rest)) => (*sign == b'-', rest),
        _ => (false, text),
    }
}

/// The digits that a text begins with, at least one, and what follows them.
fn digits(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then(|| text.split_at(count))
}

/// The exponent that is all of a text; none is zero, and a huge one is held at a limit.
fn exponent(text: &[u8]) -> Option<i64> {
    let Some((b'e' | b'E', rest)) = text.split_first() else {
        return text.is_empty().then_some(0);
    };
    let (negative, rest) = sign(rest);
    let (digits, rest) = digits(rest)?;
    let magnitude = digits
        .iter()
        .fold(0, |sum: i64, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    rest.is_empty().then_some(if negative { -magnitude } else { magnitude })
}
