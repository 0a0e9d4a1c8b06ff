//! How long a rule keeps: one period for all records, or what the data says of each.

use std::fmt;

use super::relation::Relation;
use crate::calendar::{CountedFrom, Period, Schedule, WrittenPeriods, Zone};

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
