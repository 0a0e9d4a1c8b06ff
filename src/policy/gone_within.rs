//! `gone-within`: the promise that data is gone from everywhere, copies included.

use crate::calendar::Period;

use super::period;
use super::section::{Complaint, Placed, Section};

/// The promise of a rule, if it makes one.
pub(super) fn read(section: &mut Section<'_>) -> Option<Placed<Period>> {
    section.parsed("gone-within", parse)
}

/// A promise ends with a day, so that nobody has to know the hour of an event to judge it.
fn parse(text: &str) -> Result<Period, Complaint> {
    let period = period::parse(text)?;
    let (message, help) = if period.is_at_most() {
        ("`gone-within` is an upper bound already".to_string(), "leave `at most` out")
    } else if !period.is_calendar() {
        let message = format!("`gone-within` promises whole days, not `{text}`");
        (message, "write years, months, weeks or days, such as \"5 months\"")
    } else {
        return Ok(period);
    };
    Err(Complaint::new("bad-period", message, Some(help.to_string())))
}
