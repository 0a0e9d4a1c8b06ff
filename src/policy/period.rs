//! Periods, as every part of a policy writes them.

use super::section::Complaint;
use crate::calendar::Period;

/// Reads a period of the language.
pub(super) fn parse(text: &str) -> Result<Period, Complaint> {
    Period::parse(text).map_err(|error| Complaint::new("bad-period", &error, Some(error.help())))
}
