//! Instants as numbers, in the shape of another one: a whole number stays whole, digits in a text
//! stay text.

use crate::calendar::format::coarse::nanos;
use crate::calendar::format::number::EPOCH_JULIAN_MILLISECONDS;
use crate::calendar::{Instant, UnixScale, Unreadable};
use crate::value::{Owned, Value};

const MILLISECONDS_PER_DAY: i64 = 86_400_000;

/// A count since 1970. Zero says that no time is known, and so it becomes one.
pub(crate) fn unix(value: Value<'_>, scale: UnixScale, at: Instant) -> Result<Owned, Unreadable> {
    let count = i64::try_from(nanos(at) / scale.nanos()).map_err(|_| Unreadable::OutOfRange)?;
    let count = if count == 0 { 1 } else { count };
    match value {
        Value::Integer(_) => Ok(Owned::Integer(count)),
        Value::Real(_) => Ok(Owned::Real(count as f64)),
        Value::Text(_) => Ok(Owned::Text(count.to_string().into_bytes())),
        Value::Null | Value::Blob => Err(Unreadable::NotANumber),
    }
}

/// A Julian day, which begins at noon: a whole one is that of the first noon of the day.
pub(crate) fn julian_day(value: Value<'_>, at: Instant) -> Result<Owned, Unreadable> {
    let milliseconds = at.seconds().saturating_mul(1_000).saturating_add(EPOCH_JULIAN_MILLISECONDS);
    let days = milliseconds as f64 / MILLISECONDS_PER_DAY as f64;
    let noon = milliseconds.div_euclid(MILLISECONDS_PER_DAY)
        + i64::from(milliseconds.rem_euclid(MILLISECONDS_PER_DAY) > 0);
    match value {
        Value::Integer(_) => Ok(Owned::Integer(noon)),
        Value::Real(_) => Ok(Owned::Real(days)),
        Value::Text(text) if text.contains(&b'.') => Ok(Owned::Text(format!("{days:?}").into_bytes())),
        Value::Text(_) => Ok(Owned::Text(noon.to_string().into_bytes())),
        Value::Null | Value::Blob => Err(Unreadable::NotANumber),
    }
}
