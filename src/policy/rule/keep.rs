//! `keep`: one period for all records, or what the data says of each.

use std::fmt;

use toml::de::DeValue;

use super::{Given, Target, related, rows};
use crate::calendar::{CountedFrom, Period, Schedule, WrittenPeriods, Zone};
use crate::diagnostic::{Code, Finding};
use crate::policy::period;
use crate::policy::relation::Relation;
use crate::policy::section::{Complaint, Placed, Section};

/// How long a rule keeps.
#[derive(Clone, Debug)]
pub enum Keep {
    /// One period for all records.
    Fixed(Schedule),
    /// What the data says of each record.
    FromData(Box<Instructions>),
}

/// Where the data says how long each record is kept.
#[derive(Clone, Debug)]
pub struct Instructions {
    /// The column that holds the periods.
    pub column: String,
    /// The rows that it is a column of; where there is no relation, the record itself.
    pub relation: Option<Relation>,
    /// How it writes periods.
    pub periods: WrittenPeriods,
    /// The longest period that counts.
    pub at_most: Option<Period>,
    /// From where, and in which zone, each period is counted; a schedule for no time at all.
    pub counted: Schedule,
}

impl Keep {
    /// The schedule of all records, where there is one.
    pub fn fixed(&self) -> Option<&Schedule> {
        match self {
            Keep::Fixed(schedule) => Some(schedule),
            Keep::FromData(_) => None,
        }
    }

    /// What the data is asked, where it is asked.
    pub fn instructions(&self) -> Option<&Instructions> {
        match self {
            Keep::Fixed(_) => None,
            Keep::FromData(instructions) => Some(instructions),
        }
    }

    /// The schedule that no record outlasts; none where the data may say anything.
    pub fn longest(&self) -> Option<Schedule> {
        match self {
            Keep::Fixed(schedule) => Some(schedule.clone()),
            Keep::FromData(instructions) => instructions.cap(),
        }
    }

    /// The zone in which civil dates are taken.
    pub fn zone(&self) -> Zone {
        self.counted().zone()
    }

    /// What the period is counted from, where that is not the event itself.
    pub fn counted_from(&self) -> Option<&CountedFrom> {
        self.counted().counted_from()
    }

    /// A schedule that counts from the same as this one does.
    fn counted(&self) -> &Schedule {
        match self {
            Keep::Fixed(schedule) => schedule,
            Keep::FromData(instructions) => &instructions.counted,
        }
    }
}

impl Instructions {
    /// The schedule of the longest period that counts.
    pub fn cap(&self) -> Option<Schedule> {
        self.at_most.clone().map(|period| self.counted.with_period(period))
    }

    /// The column of the record itself that holds its period.
    pub fn own_column(&self) -> Option<&str> {
        self.relation.is_none().then_some(self.column.as_str())
    }
}

/// The period in its canonical spelling; or what says it: `keep_months months, at most 5 years`.
impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Keep::Fixed(schedule) => schedule.period().fmt(f),
            Keep::FromData(instructions) => instructions.fmt(f),
        }
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table =
            self.relation.as_ref().map(|relation| format!("{}.", relation.rows())).unwrap_or_default();
        write!(f, "{table}{}", self.column)?;
        self.periods.unit().map_or(Ok(()), |unit| write!(f, " {unit}"))?;
        match &self.at_most {
            Some(period) if period.is_at_most() => write!(f, ", {period}"),
            Some(period) => write!(f, ", at most {period}"),
            None => Ok(()),
        }
    }
}

/// Reads the period of a rule whose data may not be known.
pub(super) fn read(
    section: &mut Section<'_>,
    counted_from: Option<CountedFrom>,
    target: Option<&Target<'_>>,
    given: &Given<'_>,
) -> Option<Placed<Keep>> {
    let value = section.value("keep")?;
    let schedule = |period| Schedule::new(given.zone, counted_from, period);
    match value.get_ref() {
        DeValue::Table(_) => {
            let mut inner = section.as_section("keep", value, format!("`keep` of {}", section.title()))?;
            let asked = from_data(&mut inner, schedule(Period::IMMEDIATELY), target, given);
            inner.finish();
            asked.map(|asked| Placed { value: Keep::FromData(Box::new(asked)), span: value.span() })
        }
        DeValue::Integer(digits) => {
            let message = format!("`keep` in {} has no unit", section.title());
            let help = format!("write it in quotes, with its unit, such as \"{} years\"", digits.as_str());
            section.note(Finding::error(Code::BadPeriod, message, value.span()).help(help));
            None
        }
        DeValue::String(_) => {
            let text = section.as_text("keep", value)?;
            let period = section.understood(text, period::parse)?;
            Some(Placed { value: Keep::Fixed(schedule(period.value)), span: period.span })
        }
        _ => section.wrong_type("keep", "a period in quotes, or a table", value),
    }
}

fn from_data(
    inner: &mut Section<'_>,
    counted: Schedule,
    target: Option<&Target<'_>>,
    given: &Given<'_>,
) -> Option<Instructions> {
    if !inner.has("column") {
        let message = format!("{} has no `column`", inner.title());
        let finding = Finding::error(Code::MissingKey, message, inner.span());
        inner.note(finding.help("write the column that holds the period, such as column = \"keep_months\""));
    }
    let column = inner.text("column").and_then(|column| named(inner, column));
    let unit_written = inner.has("unit");
    let unit = inner.parsed("unit", unit);
    let at_most_written = inner.has("at-most");
    let at_most = inner.parsed("at-most", cap).map(|period| period.value);
    let is_related = inner.has("table");
    let relation = if is_related { related::read(inner, target, given) } else { None };
    let is_file = target.is_some_and(|target| target.source.kind.folder().is_some());
    if is_file && !is_related {
        let message =
            format!("the records of a folder have no periods, as {} takes them to have", inner.title());
        let finding = Finding::error(Code::BadValue, message, inner.span());
        inner.note(finding.help("write a period, such as \"30 days\""));
        return None;
    }
    let is_broken = (unit_written && unit.is_none()) || (at_most_written && at_most.is_none());
    if is_broken || is_related != relation.is_some() {
        return None;
    }
    let settings = match &relation {
        Some(relation) => rows::settings(relation, target, given),
        None => target.map(|target| target.source.settings(&target.table).clone()).unwrap_or_default(),
    };
    let empty = settings.empty;
    let periods = match unit {
        Some(unit) => WrittenPeriods::counted_in(&unit.value, empty)?,
        None => WrittenPeriods::texts(empty),
    };
    Some(Instructions { column: column?, relation, periods, at_most, counted })
}

fn named(inner: &Section<'_>, column: Placed<String>) -> Option<String> {
    if !column.value.is_empty() {
        return Some(column.value);
    }
    let message = format!("{} names no column", inner.title());
    let finding = Finding::error(Code::BadValue, message, column.span);
    inner.note(finding.help("write the column that says how long the record is kept"));
    None
}

/// The unit of whole numbers.
fn unit(text: &str) -> Result<String, Complaint> {
    if WrittenPeriods::counted_in(text, Vec::new()).is_some() {
        return Ok(text.to_string());
    }
    let help = match WrittenPeriods::nearest_unit(text) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => "write years, months, weeks, days, hours or minutes".to_string(),
    };
    Err(Complaint::new(Code::BadPeriod, format!("`{text}` is no unit of time"), Some(help)))
}

/// The longest period that counts.
fn cap(text: &str) -> Result<Period, Complaint> {
    let period = period::parse(text)?;
    if !period.is_immediate() {
        return Ok(period);
    }
    let help = "leave it out, or write the longest period that the data may ask for, such as \"5 years\"";
    Err(Complaint::new(
        Code::BadPeriod,
        "`at-most` of no time would leave nothing to the data",
        Some(help.to_string()),
    ))
}
