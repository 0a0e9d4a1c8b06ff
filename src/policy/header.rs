//! `version` and `[policy]`: who promises, in which zone, and where the state lies.

use std::ops::Range;
use std::path::PathBuf;

use crate::calendar::{Date, FinancialYear, MonthDay, Period, Zone};
use crate::diagnostic::{Code, Finding};

use super::limit::{self, Limit};
use super::section::{Complaint, Placed, Section};
use super::{LoadContext, path, period};

/// Who answers for the data, for the record of processing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controller {
    /// The controller's name.
    pub name: String,
    /// A register's number for it.
    pub id: Option<String>,
    /// Where to write to.
    pub contact: Option<String>,
    /// The data-protection officer.
    pub dpo: Option<String>,
    /// The representative in the Union.
    pub representative: Option<String>,
    /// Those who decide together with it.
    pub joint_controllers: Vec<String>,
}

/// What `[policy]` says. The zone is none where its name was wrong: rules are still read, so
/// that their problems are found in the same run.
pub(super) struct Header {
    pub(super) name: String,
    pub(super) name_span: Range<usize>,
    pub(super) title: Option<String>,
    pub(super) zone: Option<Zone>,
    pub(super) financial_year: Option<FinancialYear>,
    pub(super) financial_year_written: bool,
    pub(super) state: PathBuf,
    pub(super) runs_every: Option<Period>,
    pub(super) controller: Option<Controller>,
    pub(super) limit: Limit,
}

/// The language's version: this program reads version 1.
pub(super) fn version(whole: &mut Section<'_>) {
    if !whole.has("version") {
        let message = "the policy does not say which version of the language it is written in";
        let finding = Finding::error(Code::MissingKey, message, 0..0);
        whole.note(finding.help("begin the file with `version = 1`"));
    }
    if let Some(version) = whole.whole_number("version")
        && version.value != 1
    {
        let message = format!("version {} of the policy language is not known", version.value);
        let finding = Finding::error(Code::UnknownVersion, message, version.span);
        whole.note(finding.help("this program reads `version = 1`"));
    }
}

/// Reads `[policy]`.
pub(super) fn read(whole: &mut Section<'_>, surroundings: &LoadContext<'_>) -> Option<Header> {
    if !whole.has("policy") {
        whole.missing("[policy]");
    }
    let mut section = whole.section("policy", "[policy]".to_string())?;
    let name = section.required("name").and_then(|name| section.understood(name, policy_name));
    let zone = section.required("timezone").and_then(|zone| section.understood(zone, parse_zone));
    let header = Header {
        name_span: name.as_ref().map(|name| name.span.clone()).unwrap_or_default(),
        name: name.map(|name| name.value).unwrap_or_default(),
        title: section.text("title").map(|title| title.value),
        zone: zone.map(|zone| zone.value),
        financial_year_written: section.has("financial-year-ends"),
        financial_year: financial_year(&mut section),
        state: state(&mut section, surroundings),
        runs_every: section.parsed("runs-every", parse_interval).map(|period| period.value),
        controller: controller(&mut section),
        limit: limit::read(&mut section),
    };
    section.finish();
    Some(header)
}

fn policy_name(name: &str) -> Result<String, Complaint> {
    let proper = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.is_empty() && name.chars().all(proper) {
        return Ok(name.to_string());
    }
    let help = "use small letters, digits and hyphens, such as \"mobilize-me\"".to_string();
    Err(Complaint::new(Code::BadName, format!("`{name}` is not a policy's name"), Some(help)))
}

pub(super) fn parse_zone(name: &str) -> Result<Zone, Complaint> {
    Zone::parse(name).map_err(|unknown| {
        let help = match &unknown.suggestion {
            Some(zone) => format!("did you mean \"{zone}\"?"),
            None => "write an IANA name, such as \"Europe/Copenhagen\" or \"UTC\"".to_string(),
        };
        Complaint::new(Code::UnknownTimezone, format!("there is no timezone `{name}`"), Some(help))
    })
}

/// The time from one run to the next: a period with a length.
fn parse_interval(text: &str) -> Result<Period, Complaint> {
    let period = period::parse(text)?;
    if !period.is_at_most() && !period.is_immediate() {
        return Ok(period);
    }
    let help = "write how often purge runs, such as \"1 day\"".to_string();
    Err(Complaint::new(Code::BadPeriod, format!("`{text}` is no time between two runs"), Some(help)))
}

fn financial_year(section: &mut Section<'_>) -> Option<FinancialYear> {
    let ends = section.parsed("financial-year-ends", |text| {
        let help = "write month and day, such as \"12-31\" or \"06-30\"".to_string();
        let message = || format!("`{text}` is no day of the year");
        MonthDay::parse(text).map_err(|_| Complaint::new(Code::BadDate, message(), Some(help)))
    });
    let listed = section.texts("irregular-year-ends", false);
    let irregular: Vec<Placed<Date>> =
        listed.iter().filter_map(|text| section.understood(text.clone(), parse_date)).collect();
    if ends.is_none() && !listed.is_empty() && !section.has("financial-year-ends") {
        let message = "`irregular-year-ends` needs `financial-year-ends` beside it";
        section.note(Finding::error(Code::MissingKey, message, section.key_span("irregular-year-ends")));
    }
    let dates = irregular.iter().map(|date| date.value).collect();
    match FinancialYear::new(ends?.value, dates) {
        Ok(year) => Some(year),
        Err(error) => {
            let span = section.key_span("irregular-year-ends");
            let message = error.to_string();
            let (message, help) = message.split_once("; ").unwrap_or((&message, ""));
            section.note(Finding::error(Code::BadDate, message, span).help(help));
            None
        }
    }
}

pub(super) fn parse_date(text: &str) -> Result<Date, Complaint> {
    let strict = text.len() == 10 && text.is_ascii();
    let date = Date::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| strict);
    let help = "write a date such as \"2019-06-30\"".to_string();
    date.ok_or_else(|| Complaint::new(Code::BadDate, format!("`{text}` is not a date"), Some(help)))
}

fn state(section: &mut Section<'_>, surroundings: &LoadContext<'_>) -> PathBuf {
    let written = section.parsed("state", |text| path::resolve(text, surroundings));
    written.map_or_else(|| surroundings.default_state.to_path_buf(), |state| state.value)
}

fn controller(section: &mut Section<'_>) -> Option<Controller> {
    let mut inner = section.section("controller", "[policy.controller]".to_string())?;
    let controller = Controller {
        name: inner.required("name").map(|name| name.value).unwrap_or_default(),
        id: inner.text("id").map(|id| id.value),
        contact: inner.text("contact").map(|contact| contact.value),
        dpo: inner.text("dpo").map(|dpo| dpo.value),
        representative: inner.text("representative").map(|name| name.value),
        joint_controllers: inner
            .texts("joint-controllers", true)
            .into_iter()
            .map(|name| name.value)
            .collect(),
    };
    inner.finish();
    Some(controller)
}
