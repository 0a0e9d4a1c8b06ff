//! Times made coarse: the first day of an event's year or month, written as the column writes
//! time.
//!
//! What is written reads back in the same format, and made coarse again it stays as it is. A text
//! keeps its shape, offset included, and its time of day becomes midnight on the wall; a number
//! becomes the first instant of the day in the policy's zone.

use chrono::{Datelike, Days};

use crate::calendar::{Date, Format, Reading, Timestamps, Unreadable, Zone, iso, number};
use crate::value::{Owned, Value};

/// How much of a date stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coarse {
    /// The year.
    Year,
    /// The year and the month.
    Month,
}

/// The date on the wall and that in the policy's zone are never further apart.
const APART: Days = Days::new(2);

impl Coarse {
    /// The first day of what a date is in.
    fn first(self, date: Date) -> Date {
        let month = if self == Coarse::Year { 1 } else { date.month() };
        Date::from_ymd_opt(date.year(), month, 1).unwrap_or(date)
    }
}

impl Timestamps {
    /// What a cell becomes; none where it is empty or says no more already.
    pub fn coarsened(
        &self,
        value: Value<'_>,
        coarse: Coarse,
        zone: Zone,
    ) -> Result<Option<Owned>, Unreadable> {
        let event = match self.read(value) {
            Reading::Empty => return Ok(None),
            Reading::Unreadable(why) => return Err(why),
            Reading::Event(event) => event,
        };
        let date = event.date_in(zone);
        let made = match (self.format_of(value), value) {
            (Format::Count(_) | Format::JulianDay, _) => self.number(value, coarse.first(date), zone)?,
            (format, Value::Text(text)) => Owned::Text(format.text(text, coarse, date)?),
            (format, Value::Integer(count)) => {
                let text = format.text(count.to_string().as_bytes(), coarse, date)?;
                let text = std::str::from_utf8(&text).map_err(|_| Unreadable::OtherPattern)?;
                Owned::Integer(text.parse().map_err(|_| Unreadable::OutOfRange)?)
            }
            _ => return Err(Unreadable::OtherPattern),
        };
        match self.read(made.as_value()) {
            Reading::Event(same) if same == event => Ok(None),
            Reading::Event(_) => Ok(Some(made)),
            // Nothing may come of a time that nobody can read afterwards.
            Reading::Unreadable(why) => Err(why),
            Reading::Empty => Err(Unreadable::OutOfRange),
        }
    }

    fn number(&self, value: Value<'_>, first: Date, zone: Zone) -> Result<Owned, Unreadable> {
        let opening = zone.opening_of(first);
        let made = match self.format_of(value) {
            Format::Count(count) => count.write(value, first, zone)?,
            _ => number::write_julian_day(value, opening)?,
        };
        // A float may have been rounded to the day before.
        let of = |made: &Owned| match self.read(made.as_value()) {
            Reading::Event(event) => Some(event.date_in(zone)),
            _ => None,
        };
        match made {
            Owned::Real(count) if of(&made).is_some_and(|date| date < first) => {
                Ok(Owned::Real(count.next_up()))
            }
            made => Ok(made),
        }
    }
}

impl Format {
    /// A text of another date in the shape of one that this format reads.
    fn text(&self, text: &[u8], coarse: Coarse, date: Date) -> Result<Vec<u8>, Unreadable> {
        let with = |date: Date| match self {
            Format::Strftime(pattern) => pattern.with_date(text, date),
            _ => iso::with_date(text, date),
        };
        // Midnight on the wall may be the day before in the policy's zone: what reads as the first
        // day already stays.
        let later = date.checked_add_days(APART).map(|later| coarse.first(later));
        if later.and_then(with).is_some_and(|same| same == text) {
            return Ok(text.to_vec());
        }
        with(coarse.first(date)).ok_or(Unreadable::OtherPattern)
    }
}

#[cfg(test)]
mod tests;
