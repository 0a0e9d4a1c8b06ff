//! When a record is due.

use crate::calendar::{CountedFrom, Cutoff, Date, Event, Period, Timestamp, Zone, civil, cutoff};

/// A period, what it is counted from, and the zone whose dates count: all
/// that turns an event into a due date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    zone: Zone,
    counted_from: Option<CountedFrom>,
    period: Period,
}

impl Schedule {
    /// A schedule in the policy's time zone.
    pub fn new(zone: Zone, counted_from: Option<CountedFrom>, period: Period) -> Schedule {
        Schedule { zone, counted_from, period }
    }

    /// The zone in which civil dates are taken.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// What the period is counted from, where that is not the event itself.
    pub fn counted_from(&self) -> Option<&CountedFrom> {
        self.counted_from.as_ref()
    }

    /// The same schedule for another period.
    pub fn with_period(&self, period: Period) -> Schedule {
        Schedule { period, ..self.clone() }
    }

    /// How long is kept.
    pub fn period(&self) -> &Period {
        &self.period
    }

    /// The first instant at which a record of this event is due.
    pub fn due_from(&self, event: Event) -> Timestamp {
        match event {
            Event::Date(date) => self.due_from_date(date),
            Event::At(instant) if self.counts_dates() => self.due_from_date(self.zone.date_of(instant)),
            Event::At(instant) => self.elapsed_after(instant),
        }
    }

    /// Which events are due at `now`.
    pub fn cutoff(&self, now: Timestamp) -> Cutoff {
        cutoff::of(self, now)
    }

    /// Whether only the civil date of an event matters, and not its time.
    pub(crate) fn counts_dates(&self) -> bool {
        self.period.is_calendar() || self.counted_from.is_some()
    }

    pub(crate) fn due_from_date(&self, date: Date) -> Timestamp {
        match self.first_day_due(date) {
            Some(day) => self.zone.settled(day),
            None => self.elapsed_after(self.zone.settled(civil::days_after(self.start(date), 1))),
        }
    }

    /// The day from whose start a record of this date is due; none where the period is elapsed
    /// time, which may end within a day.
    pub(crate) fn first_day_due(&self, date: Date) -> Option<Date> {
        let last_day = self.period.is_calendar().then(|| self.period.last_day(self.start(date)))?;
        Some(if self.period.is_at_most() { last_day } else { civil::days_after(last_day, 1) })
    }

    /// The date that the period is added to.
    pub(crate) fn start(&self, date: Date) -> Date {
        match &self.counted_from {
            Some(unit) => unit.end_of(date),
            None => date,
        }
    }

    fn elapsed_after(&self, instant: Timestamp) -> Timestamp {
        let seconds = self.period.elapsed_seconds().unwrap_or(0);
        instant.plus_seconds(seconds).unwrap_or(Timestamp::NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{FinancialYear, MonthDay};

    const COPENHAGEN: &str = "Europe/Copenhagen";

    fn date(text: &str) -> Event {
        Event::Date(text.parse().unwrap())
    }

    fn at(text: &str) -> Event {
        Event::At(instant(text))
    }

    fn instant(text: &str) -> Timestamp {
        Timestamp::parse_now(text, &Zone::UTC).unwrap()
    }

    fn schedule(zone: &str, counted_from: Option<CountedFrom>, keep: &str) -> Schedule {
        Schedule::new(Zone::parse(zone).unwrap(), counted_from, Period::parse(keep).unwrap())
    }

    fn due(zone: &str, event: Event, keep: &str) -> String {
        let schedule = schedule(zone, None, keep);
        schedule.zone().rfc3339(schedule.due_from(event))
    }

    fn financial_year(irregular: &[&str]) -> Option<CountedFrom> {
        let irregular = irregular.iter().map(|text| text.parse().unwrap()).collect();
        let years = FinancialYear::new(MonthDay::parse("12-31").unwrap(), irregular).unwrap();
        Some(CountedFrom::EndOfFinancialYear(years))
    }

    #[test]
    fn the_table_of_the_language() {
        for (from, keep, due_from) in [
            ("2025-01-31", "1 month", "2025-03-01T00:00:00+01:00"),
            ("2025-01-31", "2 months", "2025-04-01T00:00:00+02:00"),
            ("2024-11-30", "3 months", "2025-03-01T00:00:00+01:00"),
            ("2024-02-29", "1 year", "2025-03-01T00:00:00+01:00"),
            ("2025-01-31", "at most 1 month", "2025-02-28T00:00:00+01:00"),
        ] {
            assert_eq!(due(COPENHAGEN, date(from), keep), due_from);
        }
        let bookkeeping = schedule(COPENHAGEN, financial_year(&[]), "5 years");
        assert_eq!(bookkeeping.due_from(date("2020-01-02")), instant("2025-12-31T23:00:00Z"));
        let new_year = at("2024-12-31T23:30:00Z");
        assert_eq!(due(COPENHAGEN, new_year, "1 year"), "2026-01-02T00:00:00+01:00");
    }

    #[test]
    fn a_date_is_over_at_the_end_of_its_day() {
        let event = date("2026-03-28");
        assert_eq!(due(COPENHAGEN, event, "immediately"), "2026-03-29T00:00:00+01:00");
        assert_eq!(due(COPENHAGEN, event, "24 hours"), "2026-03-30T01:00:00+02:00");
        assert_eq!(due(COPENHAGEN, event, "1 day"), "2026-03-30T00:00:00+02:00");
    }

    #[test]
    fn elapsed_time_runs_from_the_instant() {
        let event = at("2026-03-28T12:00:00.5Z");
        assert_eq!(due(COPENHAGEN, event, "immediately"), "2026-03-28T13:00:00.5+01:00");
        assert_eq!(due(COPENHAGEN, event, "24 hours 30 minutes"), "2026-03-29T14:30:00.5+02:00");
    }

    #[test]
    fn counted_from_moves_date_and_instant() {
        let event = at("2026-02-10T12:00:00Z");
        let due = |unit, keep| {
            let schedule = schedule("UTC", Some(unit), keep);
            schedule.due_from(event).to_string()
        };
        assert_eq!(due(CountedFrom::EndOfMonth, "immediately"), "2026-03-01T00:00:00Z");
        assert_eq!(due(CountedFrom::EndOfMonth, "36 hours"), "2026-03-02T12:00:00Z");
        assert_eq!(due(CountedFrom::EndOfQuarter, "1 month"), "2026-05-01T00:00:00Z");
        assert_eq!(due(CountedFrom::EndOfYear, "at most 1 day"), "2027-01-01T00:00:00Z");
        assert_eq!(due(financial_year(&["2026-06-30"]).unwrap(), "1 day"), "2026-07-02T00:00:00Z");
    }

    #[test]
    fn the_day_begins_after_a_skipped_midnight() {
        // Brazil put its clocks forward at midnight on 4 November 2018.
        let event = date("2018-11-02");
        assert_eq!(due("America/Sao_Paulo", event, "1 day"), "2018-11-04T01:00:00-02:00");
    }

    #[test]
    fn a_day_that_does_not_exist_starts_with_the_next() {
        // Samoa had no 30 December 2011.
        let (before, after) = (date("2011-12-28"), date("2011-12-29"));
        assert_eq!(due("Pacific/Apia", before, "1 day"), "2011-12-31T00:00:00+14:00");
        assert_eq!(due("Pacific/Apia", after, "1 day"), "2011-12-31T00:00:00+14:00");
        assert_eq!(due("Pacific/Apia", date("2011-12-30"), "immediately"), "2011-12-31T00:00:00+14:00");
    }

    #[test]
    fn a_day_that_begins_twice_is_due_from_the_second_time() {
        // St. John's put its clocks back from 00:01 on 7 November 2010.
        let begun = at("2010-11-07T02:30:30Z");
        let again_the_sixth = at("2010-11-07T03:00:00Z");
        let sixth = date("2010-11-06");
        for event in [begun, again_the_sixth] {
            assert_eq!(due("America/St_Johns", event, "1 day"), "2010-11-09T00:00:00-03:30");
        }
        assert_eq!(due("America/St_Johns", sixth, "immediately"), "2010-11-07T00:00:00-03:30");
    }

    #[test]
    fn the_ends_of_time_are_answered() {
        for event in [
            Event::Date(chrono::NaiveDate::MAX),
            Event::Date(chrono::NaiveDate::MIN),
            Event::At(Timestamp::NEVER),
            Event::At(Timestamp::from_unix(i64::MIN, 0)),
        ] {
            for keep in ["200 years", "at most 1 day", "1753152 hours", "immediately"] {
                for zone in ["UTC", "Pacific/Apia", "America/St_Johns"] {
                    let schedule = schedule(zone, financial_year(&[]), keep);
                    let _ = schedule.due_from(event);
                    let _ = Schedule { counted_from: None, ..schedule }.due_from(event);
                }
            }
        }
    }
}
