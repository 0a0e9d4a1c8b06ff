//! Days and instants to draw: mostly where something changes.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use super::calendar::{Calendar, Counted};
use super::draw::Draw;
use super::period::Length;

/// What the events of a model are drawn around.
#[derive(Debug)]
pub(super) struct Focus<'m> {
    pub(super) now: DateTime<Utc>,
    pub(super) calendar: &'m Calendar,
    pub(super) lengths: Vec<Length>,
}

pub(super) fn ymd(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

pub(super) const ZONES: [Tz; 5] =
    [Tz::Europe__Copenhagen, Tz::America__Sao_Paulo, Tz::Pacific__Apia, Tz::America__St_Johns, Tz::UTC];

/// Days on which clocks were changed, and days that never were.
pub(super) fn days_of_change(zone: Tz) -> Vec<NaiveDate> {
    match zone {
        Tz::Europe__Copenhagen => vec![ymd(2025, 3, 30), ymd(2025, 10, 26), ymd(2024, 3, 31)],
        Tz::America__Sao_Paulo => {
            vec![ymd(2018, 11, 4), ymd(2018, 2, 18), ymd(2017, 10, 15), ymd(2019, 2, 17)]
        }
        Tz::Pacific__Apia => vec![ymd(2011, 12, 29), ymd(2011, 12, 30), ymd(2011, 12, 31), ymd(2012, 4, 1)],
        Tz::America__St_Johns => vec![ymd(2010, 11, 7), ymd(2009, 11, 1), ymd(2010, 3, 14), ymd(2011, 3, 13)],
        _ => vec![ymd(2016, 2, 29), ymd(2020, 2, 29), ymd(2024, 12, 31)],
    }
}

/// As of when everything is judged.
pub(super) fn now(draw: &mut Draw, calendar: &Calendar) -> DateTime<Utc> {
    let day = match draw.below(10) {
        0..=2 => near(draw, days_of_change(calendar.zone), 1),
        3..=6 => turning_day(draw, 2009, 2030),
        _ => ymd(2009, 1, 1) + Days::new(draw.below(365 * 20) as u64),
    };
    time_on(draw, calendar, day)
}

fn near(draw: &mut Draw, days: Vec<NaiveDate>, most: i64) -> NaiveDate {
    let day = draw.pick(&days);
    day + TimeDelta::days(draw.within(-most..=most))
}

/// The days around the ends of months, those of February before all.
fn turning_day(draw: &mut Draw, first: i64, last: i64) -> NaiveDate {
    let year = draw.within(first..=last) as i32;
    let month = if draw.chance(40) { 3 } else { 1 + draw.below(12) as u32 };
    ymd(year, month, 1) + TimeDelta::days(draw.within(-3..=1))
}

fn time_on(draw: &mut Draw, calendar: &Calendar, day: NaiveDate) -> DateTime<Utc> {
    let seconds = match draw.below(8) {
        0..=2 => 0,
        3 => -1,
        4 => 1,
        5 => 86_399,
        6 => 1_800,
        _ => draw.within(0..=86_399),
    };
    calendar.start_of(day) + TimeDelta::seconds(seconds)
}

impl Focus<'_> {
    pub(super) fn date(&self, draw: &mut Draw) -> NaiveDate {
        let today = self.calendar.date_of(self.now);
        let year = i64::from(today.year());
        match draw.below(13) {
            0..=6 => self.falling_due(draw, today),
            7 => {
                let counted = draw.pick(&Counted::DRAWN);
                let end = self.calendar.end_of(self.falling_due(draw, today), counted);
                end + TimeDelta::days(draw.within(-1..=1)) - Months::new(3 * draw.below(5) as u32)
            }
            8 => turning_day(draw, year - 6, year),
            9 => near(draw, days_of_change(self.calendar.zone), 1),
            10 if !self.calendar.irregular_ends.is_empty() => {
                near(draw, self.calendar.irregular_ends.clone(), 1)
            }
            11 => today + TimeDelta::days(draw.within(-3..=400)),
            _ => today - Days::new(draw.below(2500) as u64),
        }
    }

    /// A day whose period is over about today, or on a day on which clocks were changed.
    fn falling_due(&self, draw: &mut Draw, today: NaiveDate) -> NaiveDate {
        let changed = days_of_change(self.calendar.zone);
        let target = if draw.chance(80) { today } else { draw.pick(&changed) };
        let (months, days) = match draw.pick(&self.lengths) {
            Length::Calendar { months, days, .. } => (months, days.into()),
            Length::Elapsed { minutes } => (0, minutes / 1440),
        };
        target - TimeDelta::days(days) - Months::new(months) + TimeDelta::days(draw.within(-2..=1))
    }

    pub(super) fn instant(&self, draw: &mut Draw) -> DateTime<Utc> {
        let elapsed: Vec<i64> = self.lengths.iter().filter_map(|length| length.minutes()).collect();
        let at = if !elapsed.is_empty() && draw.chance(40) {
            let about = draw.pick(&[0, 0, -1, 1, -60, 60]);
            self.now - TimeDelta::minutes(draw.pick(&elapsed)) + TimeDelta::seconds(about)
        } else {
            let day = self.date(draw);
            time_on(draw, self.calendar, day)
        };
        at + TimeDelta::nanoseconds(draw.pick(&[0, 0, 0, 500_000_000, 123_456_789, 999_000_000]))
    }
}

impl Length {
    fn minutes(self) -> Option<i64> {
        match self {
            Length::Elapsed { minutes } => Some(minutes),
            Length::Calendar { .. } => None,
        }
    }
}
