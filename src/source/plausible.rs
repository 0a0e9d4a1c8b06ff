//! Whether the times of a column lie where some can: a count with a wrong epoch or unit reads as times, and all of
//! them lie together, in the epoch's first month, before there were such databases, or far in the future.

use chrono::{Datelike, Days, Months};

use super::request::{Flow, RuleCounts, TableQuery};
use super::{Problem, list};
use crate::calendar::{Date, Event, Format, Zone};
use crate::diagnostic::Code;
use crate::policy::{Kind, Source};

/// Where all times of a column are, and few are meant to be.
#[derive(Clone, Copy)]
enum Region {
    /// Within a month of the day from which is counted.
    FirstMonth(Date),
    /// Before version 3 of SQLite was released, on 18 June 2004, whose format all its databases have.
    BeforeDatabases,
    /// More than 20 years after this day.
    FarAhead(Date),
}

/// A warning where no time of a rule's column lies where it can be.
pub(super) fn warning(source: &Source, request: &TableQuery<'_>, counts: &RuleCounts) -> Option<Problem> {
    let rule = request.rules[counts.rule];
    let own = rule.start.only_column()?;
    let Format::Count(count) = own.timestamps.format() else { return None };
    let tally = &counts.counted.tallies[counts.rule];
    let earliest = tally.events().map(day).min()?;
    let regions = [
        Region::FirstMonth(count.epoch()),
        Region::BeforeDatabases,
        Region::FarAhead(Zone::UTC.date_of(request.now)),
    ];
    let is_database = matches!(source.kind, Kind::Sqlite(_));
    let region = regions
        .into_iter()
        .filter(|region| is_database || !matches!(region, Region::BeforeDatabases))
        .find(|region| region.holds(earliest))?;
    are_all_in(region, source, request, counts.rule).then(|| {
        let message = format!(
            "all times in `{}` of {} {}; count and epoch may be wrong: look at them, and at `formats`",
            own.column,
            rule.data(),
            region.words()
        );
        Problem::new(Code::ImplausibleTimes, message).at(&rule.places.after_at)
    })
}

/// Looks at every record, until one is elsewhere.
fn are_all_in(region: Region, source: &Source, request: &TableQuery<'_>, rule: usize) -> bool {
    let mut are_all = true;
    let listed = list(source, request, rule, &mut |listed| {
        are_all &= listed.verdict.event.is_none_or(|event| region.holds(day(event)));
        if are_all { Flow::On } else { Flow::Stop }
    });
    are_all && listed.is_ok()
}

fn day(event: Event) -> Date {
    event.date_in(Zone::UTC)
}

impl Region {
    fn holds(self, date: Date) -> bool {
        match self {
            Region::FirstMonth(epoch) => {
                let last = epoch.checked_add_days(Days::new(31));
                date >= epoch && last.is_some_and(|last| date < last)
            }
            Region::BeforeDatabases => Date::from_ymd_opt(2004, 6, 18).is_some_and(|first| date < first),
            Region::FarAhead(today) => {
                let far = today.checked_add_months(Months::new(20 * 12));
                far.is_some_and(|far| date > far)
            }
        }
    }

    fn words(self) -> String {
        match self {
            Region::FirstMonth(epoch) => {
                format!("read as the first month of {}, from which is counted", epoch.year())
            }
            Region::BeforeDatabases => "lie before 2004, when there was no such database".to_string(),
            Region::FarAhead(_) => "lie more than 20 years ahead".to_string(),
        }
    }
}
