//! `keep`: the retention period.

use toml::de::DeValue;

use crate::calendar::Period;
use crate::diagnostic::Finding;
use crate::policy::period;
use crate::policy::section::{Placed, Section};

/// Reads the period.
pub(super) fn read(section: &mut Section<'_>) -> Option<Placed<Period>> {
    let Some(value) = section.value("keep") else {
        section.missing("keep");
        return None;
    };
    match value.get_ref() {
        DeValue::Table(_) => {
            let message = format!("`keep` from data, in {}, is not yet supported", section.title());
            let finding = Finding::error("not-yet-supported", message, value.span());
            section.note(finding.help("write a period, such as \"5 years\""));
            None
        }
        DeValue::Integer(digits) => {
            let message = format!("`keep` in {} has no unit", section.title());
            let help = format!("write it in quotes, with its unit, such as \"{} years\"", digits.as_str());
            section.note(Finding::error("bad-period", message, value.span()).help(help));
            None
        }
        _ => section.parsed("keep", period::parse),
    }
}
