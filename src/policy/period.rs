//! Periods, as every part of a policy writes them.

use super::section::Complaint;
use crate::calendar::Period;
use crate::diagnostic::Code;

/// Reads a period of the language.
pub(super) fn parse(text: &str) -> Result<Period, Complaint> {
    Period::parse(text).map_err(|error| Complaint::new(Code::BadPeriod, &error, Some(error.help())))
}

/// Reads `gone-within`, the promise that data is gone from everywhere, copies included. It ends with a
/// day, so that nobody has to know the hour of an event to judge it.
pub(super) fn promise(text: &str) -> Result<Period, Complaint> {
    let period = parse(text)?;
    let (message, help) = if period.is_at_most() {
        ("`gone-within` is an upper bound already".to_string(), "leave `at most` out")
    } else if !period.is_calendar() {
        let message = format!("`gone-within` promises whole days, not `{text}`");
        (message, "write years, months, weeks or days, such as \"5 months\"")
    } else {
        return Ok(period);
    };
    Err(Complaint::new(Code::BadPeriod, message, Some(help.to_string())))
}
