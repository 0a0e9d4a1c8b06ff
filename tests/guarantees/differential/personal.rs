//! Columns that rules anonymise: what stands in them, and what each form makes of it.

use chrono::{Datelike, NaiveDate};

use super::calendar::Calendar;
use super::draw::Draw;
use super::moment::ymd;
use super::time::Written;

/// The columns, with the forms that fit them.
pub(super) const COLUMNS: [(&str, &[&str]); 5] = [
    ("name", &["remove", "text:x 'y', z"]),
    ("born", &["year", "month", "remove"]),
    ("ip", &["truncate", "remove"]),
    ("note", &["remove", "text:[gone]"]),
    ("phone", &["pseudonym", "remove"]),
];

/// How a table writes the days of birth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum BornFormat {
    Iso,
    /// With a time of day, on a clock of its own.
    IsoTime,
    Reversed,
    Unix,
}

impl BornFormat {
    pub(super) const ALL: [BornFormat; 4] =
        [BornFormat::Iso, BornFormat::IsoTime, BornFormat::Reversed, BornFormat::Unix];

    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            BornFormat::Iso | BornFormat::IsoTime => None,
            BornFormat::Reversed => Some("%d-%m-%Y"),
            BornFormat::Unix => Some("unix"),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Personal {
    pub(super) written: Written,
    means: Means,
}

#[derive(Clone, Debug)]
enum Means {
    /// Nothing that could be made less.
    Nothing,
    /// What the form that reads it makes of it.
    Becomes(&'static str),
    Born(NaiveDate, BornFormat),
    Text,
    Unreadable,
}

/// What becomes of a cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Made {
    Already,
    Nothing,
    Text(String),
    Number(String),
    Pseudonym,
    Unreadable,
}

pub(super) const PSEUDONYM: &str = "frist:0123456789abcdef0123456789abcdef";

const IPS: [(&str, &str); 5] = [
    ("10.1.2.3", "10.1.2.0"),
    ("10.1.2.0", "10.1.2.0"),
    ("2001:db8:1:2::9", "2001:db8:1::"),
    ("2001:db8:1::", "2001:db8:1::"),
    ("10.1.2.3:443", "10.1.2.0"),
];

pub(super) fn draw(draw: &mut Draw, column: usize, born: BornFormat, calendar: &Calendar) -> Personal {
    let text = |text: &str, means| Personal { written: Written::Text(text.to_owned()), means };
    match (draw.below(8), COLUMNS[column].0) {
        (0 | 7, _) => Personal { written: Written::Null, means: Means::Nothing },
        (1, "ip") => text("here", Means::Unreadable),
        (1, "born") => text("?", Means::Unreadable),
        (1, "phone") => text(" ", Means::Nothing),
        (2, "phone") => text(PSEUDONYM, Means::Becomes(PSEUDONYM)),
        (_, "phone") => text(draw.pick(&["12345678", "+45 1"]), Means::Text),
        (_, "ip") => {
            let (written, becomes) = draw.pick(&IPS);
            text(written, Means::Becomes(becomes))
        }
        (_, "born") => day_of_birth(draw, born, calendar),
        (_, "name") => text(draw.pick(&["Ida", "x 'y', z", "x 'y', z", "Søren; \"Bo\""]), Means::Text),
        _ => text(draw.pick(&["[gone]", "[gone]", "a\nb", " ", "a, b"]), Means::Text),
    }
}

/// In the middle of a month, where no zone matters, or the first of one already.
fn day_of_birth(draw: &mut Draw, format: BornFormat, calendar: &Calendar) -> Personal {
    let (year, month) = (1975 + draw.below(30) as i32, draw.pick(&[1, 1, 2, 7, 12]));
    let day = ymd(year, month, draw.pick(&[1, 12, 15, 17]));
    let is_number = format == BornFormat::Unix && draw.chance(50);
    let hour = if day.day() == 1 { 0 } else { 11 };
    let text = spelt(day, format, hour, calendar);
    let written = if is_number { Written::Number(text) } else { Written::Text(text) };
    Personal { written, means: Means::Born(day, format) }
}

fn spelt(day: NaiveDate, format: BornFormat, hour: u32, calendar: &Calendar) -> String {
    match format {
        BornFormat::Iso => day.to_string(),
        BornFormat::IsoTime => format!("{day} {hour:02}:00:00.0+01:00"),
        BornFormat::Reversed => day.format("%d-%m-%Y").to_string(),
        BornFormat::Unix => (calendar.start_of(day).timestamp() + i64::from(hour) * 3600).to_string(),
    }
}

impl Personal {
    pub(super) fn made(&self, form: &str, calendar: &Calendar) -> Made {
        let is = |text: &str| self.written == Written::Text(text.to_owned());
        let to = |text: &str| if is(text) { Made::Already } else { Made::Text(text.to_owned()) };
        match (form, &self.means) {
            ("remove", _) if self.written == Written::Null => Made::Already,
            ("remove", _) => Made::Nothing,
            (form, _) if form.starts_with("text:") => to(&form[5..]),
            (_, Means::Nothing) => Made::Already,
            (_, Means::Unreadable) => Made::Unreadable,
            (_, Means::Becomes(text)) => to(text),
            (form, Means::Born(day, format)) => {
                let first =
                    if form == "year" { ymd(day.year(), 1, 1) } else { ymd(day.year(), day.month(), 1) };
                let text = spelt(first, *format, 0, calendar);
                match &self.written {
                    _ if first == *day => Made::Already,
                    Written::Number(_) => Made::Number(text),
                    _ => Made::Text(text),
                }
            }
            (_, Means::Text) => Made::Pseudonym,
        }
    }
}
