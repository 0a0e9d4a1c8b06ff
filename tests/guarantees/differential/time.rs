//! Times in the formats of the language: what is written, and what it means.

use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

use super::calendar::{Counted, Event};
use super::draw::Draw;
use super::format::Format;
use super::moment::{Focus, days_of_change};

/// A cell of a table, and what it means.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) written: Written,
    pub(super) means: Means,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Written {
    Null,
    Text(String),
    /// A number in a table, its digits in a file.
    Number(String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Means {
    Event(Event),
    Empty,
    Unreadable,
}

impl Cell {
    pub(super) fn null() -> Cell {
        Cell { written: Written::Null, means: Means::Empty }
    }
}

/// Draws cells of time.
#[derive(Debug)]
pub(super) struct Clock<'m> {
    pub(super) focus: Focus<'m>,
    /// The zone of date-times without an offset.
    pub(super) times_in: Tz,
    /// What the policy lists as empty.
    pub(super) empty: &'m [String],
}

impl Clock<'_> {
    pub(super) fn cell(&self, draw: &mut Draw, format: Format) -> Cell {
        match draw.below(40) {
            0 | 1 => Cell::null(),
            2 => Cell { written: Written::Text(draw.pick(&[" ", "\t "]).to_owned()), means: Means::Empty },
            3 | 4 => self.nonsense(draw, format),
            _ => self.readable(draw, format),
        }
    }

    fn nonsense(&self, draw: &mut Draw, format: Format) -> Cell {
        let text = draw.pick(format.nonsense()).to_owned();
        let means = if self.empty.contains(&text) { Means::Empty } else { Means::Unreadable };
        Cell { written: Written::Text(text), means }
    }

    fn readable(&self, draw: &mut Draw, format: Format) -> Cell {
        let (text, event) = match format {
            Format::Iso if draw.chance(45) => {
                let date = self.focus.date(draw);
                (date.to_string(), Event::Date(date))
            }
            Format::Iso => self.iso(draw),
            Format::Count(_, per_second) => {
                let nanos = 1_000_000_000 / per_second;
                let at = truncated(self.focus.instant(draw), nanos);
                let count = at.timestamp() * per_second + i64::from(at.timestamp_subsec_nanos()) / nanos;
                (count.to_string(), Event::At(at))
            }
            Format::Julian => {
                let at = truncated(self.focus.instant(draw), 1_000_000);
                let millis = at.timestamp_millis() + 210_866_760_000_000;
                (format!("{}", millis as f64 / 86_400_000.0), Event::At(at))
            }
            Format::Dates(pattern) => {
                let date = self.focus.date(draw);
                (date.format(pattern).to_string(), Event::Date(date))
            }
            Format::Months(pattern) => self.last_day(draw, pattern, Counted::Month),
            Format::Years(pattern) => self.last_day(draw, pattern, Counted::Year),
            Format::Minutes(pattern) => self.local(draw, pattern, 60_000_000_000),
            Format::Seconds(pattern) => self.local(draw, pattern, 1_000_000_000),
            Format::WithOffset(pattern) => {
                let nanos = if pattern.contains("%.f") { 1 } else { 1_000_000_000 };
                let at = truncated(self.focus.instant(draw), nanos);
                let offset = FixedOffset::east_opt(draw.pick(&[0, 19_800, -28_800])).unwrap();
                (at.with_timezone(&offset).format(pattern).to_string(), Event::At(at))
            }
        };
        let is_number = matches!(format, Format::Count(..) | Format::Julian) && draw.chance(60);
        let written = if is_number { Written::Number(text) } else { Written::Text(text) };
        Cell { written, means: Means::Event(event) }
    }

    /// A month or a year stands for its last day.
    fn last_day(&self, draw: &mut Draw, pattern: &str, counted: Counted) -> (String, Event) {
        let date = self.focus.calendar.end_of(self.focus.date(draw), counted);
        (date.format(pattern).to_string(), Event::Date(date))
    }

    fn local(&self, draw: &mut Draw, pattern: &str, nanos: i64) -> (String, Event) {
        let local = floor(self.local_time(draw), nanos);
        (local.format(pattern).to_string(), Event::At(meant(local, self.times_in)))
    }

    /// What a clock shows, or skips.
    fn local_time(&self, draw: &mut Draw) -> NaiveDateTime {
        if draw.chance(30) {
            let (hour, minute) = (draw.pick(&[0, 1, 2, 2, 23]), draw.pick(&[0, 1, 30]));
            let day = draw.pick(&days_of_change(self.times_in)) - TimeDelta::days(draw.within(0..=1));
            return day.and_hms_opt(hour, minute, 0).unwrap();
        }
        self.focus.instant(draw).with_timezone(&self.times_in).naive_local()
    }

    fn iso(&self, draw: &mut Draw) -> (String, Event) {
        let nanos = draw.pick(&[60_000_000_000, 1_000_000_000, 1_000_000_000, 1]);
        let offsets =
            [("Z", 0), ("z", 0), ("+00", 0), ("+05:30", 19_800), ("-0800", -28_800), (" +01", 3_600)];
        if draw.chance(45) {
            let local = floor(self.local_time(draw), nanos);
            return (iso_text(draw, local, nanos), Event::At(meant(local, self.times_in)));
        }
        let (word, seconds) = draw.pick(&offsets);
        let at = truncated(self.focus.instant(draw), nanos);
        let local = at.naive_utc() + TimeDelta::seconds(seconds);
        (iso_text(draw, local, nanos) + word, Event::At(at))
    }
}

fn iso_text(draw: &mut Draw, local: NaiveDateTime, nanos: i64) -> String {
    let between = draw.pick(&["T", " ", "t"]);
    let (date, time) = (local.date(), local.time());
    match nanos {
        _ if time.num_seconds_from_midnight() == 0 && time.nanosecond() == 0 && draw.chance(30) => {
            format!("{}{between}24:00", date.pred_opt().unwrap())
        }
        1 => {
            format!("{date}{between}{}{}{:09}", time.format("%T"), draw.pick(&[".", ","]), time.nanosecond())
        }
        1_000_000_000 => format!("{date}{between}{}", time.format("%T")),
        _ => format!("{date}{between}{}", time.format("%R")),
    }
}

fn floor(local: NaiveDateTime, nanos: i64) -> NaiveDateTime {
    truncated(local.and_utc(), nanos).naive_utc()
}

fn truncated(at: DateTime<Utc>, nanos: i64) -> DateTime<Utc> {
    let count = at.timestamp_nanos_opt().unwrap();
    DateTime::from_timestamp_nanos(count - count.rem_euclid(nanos))
}

/// Of a time that is shown twice the later, and of one that is skipped the first that is not.
fn meant(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    if let Some(at) = local.and_local_timezone(zone).latest() {
        return at.to_utc();
    }
    let whole = floor(local, 60_000_000_000);
    let shown =
        (1..).find_map(|minutes| (whole + TimeDelta::minutes(minutes)).and_local_timezone(zone).earliest());
    shown.unwrap().to_utc()
}
