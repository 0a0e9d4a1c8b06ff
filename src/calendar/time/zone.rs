//! Zones: which civil date it is, and when a date begins.

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use thiserror::Error;

use crate::calendar::civil::{self, SECONDS_PER_DAY};
use crate::calendar::time::timestamp::write_civil_time;
use crate::calendar::{Date, Timestamp};
use crate::spelling;

/// No zone was ever further from UTC than this: the record is 15 h 13 min,
/// in Alaska before 1867.
const FURTHEST_OFFSET: i64 = 16 * 3600;

/// Seconds from 1970 within which chrono has dates; instants further away
/// are treated as if they were here.
const CHRONO_REACH: i64 = 8_000_000_000_000;

/// An IANA time zone, with the rules that the binary carries.
///
/// The rules come from chrono-tz and do not depend on the machine. It
/// tabulates clock changes up to the end of 2099 and keeps the last offset
/// for ever after: from 2100 Copenhagen is always one hour ahead of UTC,
/// and Sydney always eleven. Summer time that far ahead is anybody's guess;
/// what matters is that the answer is the same at every run.
///
/// Time here never goes backwards. Where the clock is set back over
/// midnight (St. John's did so from 1987 to 2011), a day that has begun
/// counts as begun, so that [`date_of`](Zone::date_of) never decreases;
/// and a due date waits until the day before it is over for good, see
/// [`settled`](Zone::settled).
///
/// A zone keeps an offset for at least six days, in every zone and at all
/// times. The search for clock changes relies on two days of it, and a test
/// looks for a zone that breaks this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

/// Seconds of UTC, from one to before another, in which the offset is the
/// same.
#[derive(Clone, Copy)]
struct Spell {
    from: i64,
    to: i64,
    offset: i64,
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Zone = Zone(Tz::UTC);

    /// The zone of an IANA name, written exactly so.
    pub fn parse(name: &str) -> Result<Zone, UnknownZone> {
        name.parse().map(Zone).map_err(|_| UnknownZone::new(name))
    }

    /// The IANA name.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The civil date at an instant. Never decreases with time, and never a
    /// date that the zone skipped: it is the latest date that has begun.
    pub fn date_of(&self, instant: Timestamp) -> Date {
        let now = within_reach(instant.seconds());
        let furthest = self
            .spells(now - 2 * FURTHEST_OFFSET, now + 1)
            .into_iter()
            .filter(|spell| spell.from < spell.to)
            .map(|spell| spell.to - 1 + spell.offset)
            .max();
        civil::date_of(furthest.unwrap_or(now).div_euclid(SECONDS_PER_DAY))
    }

    /// The first instant whose civil date is `date` or later: midnight, the
    /// first instant after a gap that swallows midnight, or the start of the
    /// next day for a day that the zone skipped.
    pub fn opening_of(&self, date: Date) -> Timestamp {
        Timestamp::from_unix(self.reaching(midnight(date)), 0)
    }

    /// The instant from which the local date is never again before `date`.
    /// It differs from [`opening_of`](Zone::opening_of) only where a clock
    /// is set back over midnight, and is then the later one.
    pub fn settled(&self, date: Date) -> Timestamp {
        Timestamp::from_unix(self.staying_at(midnight(date)), 0)
    }

    /// The instant of a local time: the later one where the clock shows it
    /// twice, the first instant after the gap where the clock skips it.
    pub fn instant_of_local(&self, local: NaiveDateTime) -> Timestamp {
        let utc = local.and_utc();
        self.instant_of_local_seconds(utc.timestamp(), utc.timestamp_subsec_nanos())
    }

    /// The same for a local time that is counted in seconds as if it were UTC.
    pub(crate) fn instant_of_local_seconds(&self, local: i64, nanos: u32) -> Timestamp {
        if self.0 == Tz::UTC {
            return Timestamp::from_unix(local, nanos);
        }
        let local = within_reach(local);
        match self.showing(local) {
            Some(seconds) => Timestamp::from_unix(seconds, nanos),
            None => Timestamp::from_unix(self.reaching(local), 0),
        }
    }

    /// RFC 3339 in this zone: `2026-11-20T02:00:00+01:00`. The format has no
    /// seconds in offsets; for the odd offsets of a century ago they are left
    /// out of both, so that the text names the same instant.
    pub fn rfc3339(&self, instant: Timestamp) -> String {
        let minutes = self.offset_at(instant.seconds()) / 60;
        let mut text = String::with_capacity(32);
        let local = instant.seconds().saturating_add(minutes * 60);
        // Writing to a string cannot fail.
        let _ = write_civil_time(&mut text, local, instant.nanos());
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
        text + &format!("{sign}{hours:02}:{minutes:02}")
    }

    /// The first second at which the clock shows `local` or later.
    fn reaching(&self, local: i64) -> i64 {
        self.spells_around(local)
            .into_iter()
            .map(|spell| (spell.from.max(local - spell.offset), spell.to))
            .find(|(reached, end)| reached < end)
            .map_or(local + FURTHEST_OFFSET, |(reached, _)| reached)
    }

    /// The second from which the clock never again shows less than `local`.
    fn staying_at(&self, local: i64) -> i64 {
        self.spells_around(local)
            .into_iter()
            .rev()
            .map(|spell| (spell.from, spell.to.min(local - spell.offset)))
            .find(|(begin, left)| begin < left)
            .map_or(local - FURTHEST_OFFSET, |(_, left)| left)
    }

    /// The last second at which the clock shows `local`, if it ever does.
    fn showing(&self, local: i64) -> Option<i64> {
        self.spells_around(local)
            .into_iter()
            .rev()
            .map(|spell| (local - spell.offset, spell))
            .find(|(second, spell)| (spell.from..spell.to).contains(second))
            .map(|(second, _)| second)
    }

    /// All seconds at which some zone could show `local`.
    fn spells_around(&self, local: i64) -> [Spell; 2] {
        self.spells(local - FURTHEST_OFFSET, local + FURTHEST_OFFSET)
    }

    /// Splits a range of less than two days where the offset changes; the
    /// second part is empty where it does not.
    fn spells(&self, from: i64, to: i64) -> [Spell; 2] {
        let (first, last) = (self.offset_at(from), self.offset_at(to - 1));
        let change = if first == last { to } else { self.change_within(from, to - 1, first) };
        let before = Spell { from, to: change, offset: first };
        let after = Spell { from: change, to, offset: last };
        [before, after]
    }

    /// The first second at which the offset is no longer `old`: it is at
    /// `from`, and is not at `to`.
    fn change_within(&self, from: i64, to: i64, old: i64) -> i64 {
        let (mut old_at, mut new_at) = (from, to);
        while new_at - old_at > 1 {
            let middle = old_at + (new_at - old_at) / 2;
            if self.offset_at(middle) == old {
                old_at = middle;
            } else {
                new_at = middle;
            }
        }
        new_at
    }

    fn offset_at(&self, seconds: i64) -> i64 {
        let utc = DateTime::from_timestamp(within_reach(seconds), 0).unwrap_or_default();
        let offset = self.0.offset_from_utc_datetime(&utc.naive_utc());
        offset.fix().local_minus_utc().into()
    }
}

fn midnight(date: Date) -> i64 {
    within_reach(civil::number_of(date) * SECONDS_PER_DAY)
}

fn within_reach(seconds: i64) -> i64 {
    seconds.clamp(-CHRONO_REACH, CHRONO_REACH)
}

impl std::fmt::Display for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no IANA time zone.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{name}` is no IANA time zone{}", spelling::did_you_mean(.suggestion))]
pub struct UnknownZone {
    /// The name as it was written.
    pub name: String,
    /// The zone that was probably meant.
    pub suggestion: Option<String>,
}

impl UnknownZone {
    pub(crate) fn new(name: &str) -> UnknownZone {
        let zones = TZ_VARIANTS.iter().map(|zone| zone.name());
        let suggestion = zones
            .clone()
            .find(|zone| zone.eq_ignore_ascii_case(name))
            .or_else(|| zones.clone().find(|zone| city(zone).eq_ignore_ascii_case(name)))
            .or_else(|| spelling::nearest(name, zones));
        UnknownZone { name: name.to_owned(), suggestion: suggestion.map(str::to_owned) }
    }
}

/// The part of a name that people remember.
fn city(zone: &str) -> &str {
    zone.rsplit('/').next().unwrap_or(zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_now(text, &Zone::UTC).unwrap()
    }

    /// Opening and settling of a date, in the zone's own time.
    fn edges(name: &str, date: &str) -> (String, String) {
        let (zone, date) = (zone(name), date.parse().unwrap());
        (zone.rfc3339(zone.opening_of(date)), zone.rfc3339(zone.settled(date)))
    }

    fn same(edges: (String, String)) -> String {
        assert_eq!(edges.0, edges.1);
        edges.0
    }

    #[test]
    fn days_begin_at_midnight_or_after_the_gap_that_swallows_it() {
        assert_eq!(same(edges("UTC", "2026-11-20")), "2026-11-20T00:00:00+00:00");
        assert_eq!(same(edges("Europe/Copenhagen", "2026-03-29")), "2026-03-29T00:00:00+01:00");
        assert_eq!(same(edges("America/Sao_Paulo", "2018-11-04")), "2018-11-04T01:00:00-02:00");
        assert_eq!(same(edges("Africa/Cairo", "2024-04-26")), "2024-04-26T01:00:00+03:00");
        assert_eq!(same(edges("Asia/Beirut", "2024-03-31")), "2024-03-31T01:00:00+03:00");
    }

    #[test]
    fn days_that_never_were_begin_with_the_next() {
        assert_eq!(same(edges("Pacific/Apia", "2011-12-30")), "2011-12-31T00:00:00+14:00");
        assert_eq!(same(edges("Pacific/Kwajalein", "1993-08-21")), "1993-08-22T00:00:00+12:00");
    }

    #[test]
    fn a_doubled_midnight_opens_at_the_first_and_settles_at_the_second() {
        let (opening, settled) = edges("America/St_Johns", "2010-11-07");
        assert_eq!(opening, "2010-11-07T00:00:00-02:30");
        assert_eq!(settled, "2010-11-07T00:00:00-03:30");
        // Cuba goes back from 01:00 to midnight: the day has begun, and is
        // never left.
        assert_eq!(same(edges("America/Havana", "2023-11-05")), "2023-11-05T00:00:00-04:00");
    }

    #[test]
    fn a_day_that_has_begun_counts_as_begun() {
        let johns = zone("America/St_Johns");
        let day = |text| johns.date_of(at(text)).to_string();
        assert_eq!(day("2010-11-07T02:29:59Z"), "2010-11-06");
        assert_eq!(day("2010-11-07T02:30:00Z"), "2010-11-07");
        assert_eq!(day("2010-11-07T03:00:00Z"), "2010-11-07");
        assert_eq!(johns.rfc3339(at("2010-11-07T03:00:00Z")), "2010-11-06T23:30:00-03:30");
        let apia = zone("Pacific/Apia");
        assert_eq!(apia.date_of(at("2011-12-30T09:59:59Z")).to_string(), "2011-12-29");
        assert_eq!(apia.date_of(at("2011-12-30T10:00:00Z")).to_string(), "2011-12-31");
    }

    #[test]
    fn a_doubled_local_time_is_the_later_and_a_skipped_one_ends_its_gap() {
        let copenhagen = zone("Europe/Copenhagen");
        let instant = |text: &str| copenhagen.instant_of_local(text.parse().unwrap()).to_string();
        assert_eq!(instant("2026-10-25T02:30:00"), "2026-10-25T01:30:00Z");
        assert_eq!(instant("2026-03-29T02:30:00.5"), "2026-03-29T01:00:00Z");
        assert_eq!(instant("2026-03-29T03:00:00.5"), "2026-03-29T01:00:00.5Z");
        assert_eq!(instant("2026-07-01T00:00:00"), "2026-06-30T22:00:00Z");
    }

    #[test]
    fn offsets_stay_as_they_are_from_2100() {
        assert_eq!(same(edges("Europe/Copenhagen", "2099-07-01")), "2099-07-01T00:00:00+02:00");
        assert_eq!(same(edges("Europe/Copenhagen", "2100-07-01")), "2100-07-01T00:00:00+01:00");
        assert_eq!(same(edges("Australia/Sydney", "2299-07-01")), "2299-07-01T00:00:00+11:00");
    }

    #[test]
    fn odd_offsets_of_a_century_ago_name_the_same_instant() {
        let text = zone("Europe/Amsterdam").rfc3339(Timestamp::EARLIEST);
        assert_eq!(at(&text), Timestamp::EARLIEST);
        let text = zone("Africa/Monrovia").rfc3339(Timestamp::EARLIEST);
        assert_eq!((text.as_str(), at(&text)), ("1899-12-31T23:17:00-00:43", Timestamp::EARLIEST));
    }

    #[test]
    fn the_ends_of_time_have_dates_and_texts() {
        for name in ["UTC", "Pacific/Apia", "America/St_Johns"] {
            let zone = zone(name);
            for instant in [Timestamp::NEVER, Timestamp::from_unix(i64::MIN, 0)] {
                let _ = (zone.date_of(instant), zone.rfc3339(instant));
            }
            for date in [Date::MIN, Date::MAX] {
                let _ = (zone.opening_of(date), zone.settled(date));
                let _ = zone.instant_of_local(date.and_time(chrono::NaiveTime::MIN));
            }
        }
    }

    #[test]
    fn unknown_zones_are_met_with_a_suggestion() {
        let suggestion = |name| Zone::parse(name).unwrap_err().suggestion;
        assert_eq!(suggestion("europe/copenhagen").as_deref(), Some("Europe/Copenhagen"));
        assert_eq!(suggestion("Europe/Kopenhagen").as_deref(), Some("Europe/Copenhagen"));
        assert_eq!(suggestion("Copenhagen").as_deref(), Some("Europe/Copenhagen"));
        assert_eq!(suggestion("utc").as_deref(), Some("UTC"));
        assert_eq!(suggestion(""), None);
        assert_eq!(suggestion(&"x".repeat(1000)), None);
        let message = Zone::parse("Europe/Kopenhagen").unwrap_err().to_string();
        assert!(message.ends_with("did you mean `Europe/Copenhagen`?"), "{message}");
    }
}
