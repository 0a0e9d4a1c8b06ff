//! ISO dates and date-times in the shape of another one.

use crate::calendar::Date;

const DATE: usize = 10;

/// A readable text with another date, and midnight where it has a time: `T` or blank, seconds,
/// fraction and offset stay as they are written.
pub(crate) fn with_date(text: &[u8], date: Date) -> Option<Vec<u8>> {
    let (_, time) = text.split_at_checked(DATE)?;
    let mut made = date.format("%Y-%m-%d").to_string().into_bytes();
    // Behind the `T` or the blank, the offset begins where the digits and their marks end.
    let clock = time.iter().skip(1).take_while(|byte| byte.is_ascii_digit() || b":.,".contains(byte)).count();
    let (clock, offset) = time.split_at(time.len().min(clock + 1));
    made.extend(clock.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }));
    made.extend_from_slice(offset);
    Some(made)
}
