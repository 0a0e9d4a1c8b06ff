//! What the rest of a policy gives to its rules, and what all their parts read alike.

use crate::calendar::{FinancialYear, Zone};
use crate::condition::Condition;
use crate::diagnostic::{Code, Finding, Lines, nearest};
use crate::policy::LoadContext;
use crate::policy::activity::Activity;
use crate::policy::header::Header;
use crate::policy::limit::Limit;
use crate::policy::section::{Placed, Section};
use crate::policy::source::Sources;

/// What the rest of the policy gives to its rules.
pub(crate) struct Given<'a> {
    pub(super) zone: Zone,
    pub(super) financial_year: Option<FinancialYear>,
    pub(super) financial_year_written: bool,
    pub(super) limit: Limit,
    pub(super) sources: &'a Sources,
    pub(super) activities: &'a [Activity],
    lines: Lines<'a>,
    pub(super) surroundings: &'a LoadContext<'a>,
}

impl<'a> Given<'a> {
    pub(crate) fn new(
        header: Option<&Header>,
        sources: &'a Sources,
        activities: &'a [Activity],
        text: &'a str,
        surroundings: &'a LoadContext<'a>,
    ) -> Given<'a> {
        Given {
            // Rules are read even where the zone is wrong; such a policy is never valid.
            zone: header.and_then(|header| header.zone).unwrap_or(Zone::UTC),
            financial_year: header.and_then(|header| header.financial_year.clone()),
            financial_year_written: header.is_some_and(|header| header.financial_year_written),
            limit: header.map(|header| header.limit).unwrap_or_default(),
            sources,
            activities,
            lines: Lines::of(text),
            surroundings,
        }
    }

    pub(super) fn place(&self, byte: usize) -> String {
        let at = self.lines.position(byte);
        format!("{}:{}:{}", self.surroundings.file, at.line, at.column)
    }

    /// Reads the name of an activity.
    pub(super) fn activity(&self, section: &mut Section<'_>) -> Option<String> {
        let activity = section.text("activity")?;
        let mut known = self.activities.iter().map(|activity| activity.name.as_str());
        if !known.clone().any(|name| name == activity.value) {
            let message = format!("there is no activity `{}`", activity.value);
            let help = match nearest(&activity.value, &mut known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add a section [activity.{}]", activity.value),
            };
            section.note(Finding::error(Code::UnknownActivity, message, activity.span).help(help));
        }
        Some(activity.value)
    }
}

/// Reads a condition, and says at which byte of the file it goes wrong.
pub(super) fn condition(section: &mut Section<'_>, key: &'static str) -> Option<Placed<Condition>> {
    let text = section.text(key)?;
    match Condition::parse(&text.value) {
        Ok(value) => Some(Placed { value, span: text.span }),
        Err(error) => {
            // Inside plain quotes the text's bytes are the file's, one behind the quote.
            let plain = text.span.len() == text.value.len() + 2;
            let start = text.span.start + 1;
            let span = if plain { start + error.span.start..start + error.span.end } else { text.span };
            section.note(Finding::error(Code::BadCondition, error.message, span).maybe_help(error.help));
            None
        }
    }
}
