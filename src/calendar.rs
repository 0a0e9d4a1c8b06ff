//! Periods, instants, and when a record is due.
//!
//! This is the part of frist that must not be wrong: a mistake here destroys
//! data, or keeps what should be gone. It knows no clock and does no I/O; the
//! current time is a parameter, and the zones are inside the binary, so the
//! same question has the same answer on every machine.
//!
//! # From a cell to a due date
//!
//! ```text
//! Value ──Timestamps──▶ Event ──Schedule──▶ due date
//!                          └──▶ Cutoff::is_due, one comparison a record
//! ```
//!
//! `Timestamps` reads a cell as an [`Event`]: a civil date in no zone, or an
//! instant. It reads what is declared and nothing else. What would have to be
//! guessed is unreadable, and the record stays.
//!
//! Let E be the event's instant and A its civil date in the policy's zone; an
//! event that is a date has that date as A, and its end as E.
//!
//! 1. [`CountedFrom`] moves A to the last day of the month, quarter, year or
//!    financial year that contains it, and E to the end of that day.
//! 2. A calendar period keeps to the end of its last day L: A plus years and
//!    months in one step, to the same day number or the last day of that
//!    month, then plus weeks and days. The record is due from the start of
//!    L + 1. For `at most` it is due from the start of L.
//! 3. An elapsed period is due from E plus the period, `immediately` from E.
//! 4. A day that begins with a skipped hour begins at the first instant after
//!    it; a day that does not exist begins where the next one does.
//!
//! Two things follow that the rest of frist builds on. A later event is never
//! due earlier, so for every instant there is one [`Cutoff`], and comparing
//! with it is exact, where `now - period` is not: months have no inverse. And
//! due dates are days that have begun for good: where a clock is set back
//! over midnight, frist waits for the second midnight ([`Zone::settled`]).
//!
//! # Sources
//!
//! - Regulation (EEC, Euratom) No 1182/71, article 3: the day of the event is
//!   not counted (1); a period in months or years ends with the day of the
//!   same number, or the last of the month where there is none, and runs to
//!   the end of its last hour (2)(c). Article 3(4) lets periods that end on
//!   a holiday run on; frist leaves that out, because keeping personal data
//!   is not an act that has to be done on a working day.
//! - *Bogføringsloven* § 12: five years from the end of the financial year
//!   that the material concerns, hence [`CountedFrom`].
//! - Regulation (EU) 2016/679, article 5(1)(e): kept no longer than needed,
//!   hence `at most`, whose run ends inside the promise.
//! - RFC 3339 and ISO 8601 for date-times, the IANA time zone database for
//!   zones, SQLite's date functions for Julian days.

mod due;
mod format;
#[cfg(test)]
mod oracle;
mod period;
mod time;

pub use due::counted_from::{CountedFrom, FinancialYear, FinancialYearError, MonthDay};
pub use due::cutoff::{Cutoff, DueUpTo};
pub use due::schedule::Schedule;
pub use period::Period;
pub use period::error::PeriodError;
pub use time::timestamp::{NowError, Timestamp};
pub use time::zone::{UnknownZone, Zone};

pub(crate) use due::comparison::{start_dates, telling_events};
pub(crate) use format::coarse::Coarse;
pub(crate) use format::iso_common::CommonTime;
pub(crate) use format::names::Locale;
pub(crate) use format::number::{Count, Unit};
pub(crate) use format::pattern::{Dialect, Pattern};
pub(crate) use format::shapes::Shapes;
pub(crate) use format::timestamps::{Reading, Timestamps, Unreadable};
pub(crate) use format::written_bound::{NumberBound, TextBound, WrittenBound};
pub(crate) use format::{Format, FormatError};
pub(crate) use period::Longest;
pub(crate) use period::written::{PeriodReading, UnreadablePeriod, WrittenPeriods};

use due::cutoff;
use format::{iso, iso_common, number, written_bound};
use time::civil;

/// A day of the civil calendar, in no zone.
pub type Date = chrono::NaiveDate;

/// What a cell says happened, and how exactly it says when. Two dates, or two
/// instants, are in the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// A civil date, in no zone.
    Date(Date),
    /// An instant.
    At(Timestamp),
}

impl Event {
    /// Its date, or its instant in a zone, as text.
    pub fn in_zone(self, zone: Zone) -> String {
        match self {
            Event::Date(date) => date.to_string(),
            Event::At(at) => zone.rfc3339(at),
        }
    }

    /// Its date, in a zone.
    pub fn date_in(self, zone: Zone) -> Date {
        match self {
            Event::Date(date) => date,
            Event::At(at) => zone.date_of(at),
        }
    }
}
