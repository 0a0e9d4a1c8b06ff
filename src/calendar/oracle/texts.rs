//! Written times once more, read by other means, to compare with.
//!
//! The second reader of ISO texts takes a text apart at its punctuation and
//! writes what it found again: only a text that comes out as it went in was
//! read. Patterns are compared with what chrono writes.
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta};
use proptest::prelude::*;

use crate::calendar::{
    Dialect, Event, Format, Pattern, Period, Reading, Schedule, Timestamp, Timestamps, Unreadable, Zone, iso,
};
use crate::value::Value;

fn utc_event(local: NaiveDateTime, offset_seconds: i64) -> Option<Event> {
    let utc = (local - TimeDelta::seconds(offset_seconds)).and_utc();
    let instant = Timestamp::from_unix(utc.timestamp(), utc.timestamp_subsec_nanos());
    (1900..=2299).contains(&utc.year()).then_some(Event::At(instant))
}

/// Reads `YYYY-MM-DD…` in UTC, slowly.
fn second_reader(text: &str) -> Option<Event> {
    let (date_text, rest) = text.split_at_checked(10)?;
    let mut pieces = date_text.split('-').map(|piece| piece.parse::<u32>().unwrap_or(9999));
    let (year, month, day) = (pieces.next()?, pieces.next()?, pieces.next()?);
    if date_text != format!("{year:04}-{month:02}-{day:02}") {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(year as i32, month, day)?;
    if rest.is_empty() {
        return (1900..=2299).contains(&year).then_some(Event::Date(date));
    }
    let (separator, clock) = rest.split_at_checked(1)?;
    if !["T", "t", " "].contains(&separator) {
        return None;
    }
    let (time, offset) =
        offsets(clock).into_iter().find_map(|(time, offset)| Some((clock_of(time)?, offset)))?;
    let (seconds, nanos) = time;
    let local = date.and_hms_opt(0, 0, 0)? + TimeDelta::seconds(seconds) + TimeDelta::nanoseconds(nanos);
    utc_event(local, offset)
}

/// Every way to end in an offset, with what stands before it.
fn offsets(clock: &str) -> Vec<(&str, i64)> {
    let mut ways = vec![(clock, 0)];
    for zulu in ["Z", "z"] {
        ways.extend(clock.strip_suffix(zulu).map(|time| (time, 0)));
    }
    for (sign, factor) in [('+', 1), ('-', -1)] {
        let Some((time, offset)) = clock.rsplit_once(sign) else {
            continue;
        };
        let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
        let hours: i64 = digits.get(..2).unwrap_or("99").parse().unwrap();
        let minutes: i64 = digits.get(2..4).unwrap_or("0").parse().unwrap();
        let forms =
            [format!("{hours:02}"), format!("{hours:02}{minutes:02}"), format!("{hours:02}:{minutes:02}")];
        if hours < 24 && minutes < 60 && forms.iter().any(|form| form == offset) {
            ways.push((time, factor * (hours * 3600 + minutes * 60)));
        }
    }
    let with_blank: Vec<_> =
        ways.iter().skip(1).filter_map(|(time, o)| Some((time.strip_suffix(' ')?, *o))).collect();
    ways.extend(with_blank);
    ways
}

/// Seconds and nanoseconds of `HH:MM[:SS[.fraction]]`.
fn clock_of(text: &str) -> Option<(i64, i64)> {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let numbers: Vec<i64> = clock.split(':').map(|piece| piece.parse::<u32>().unwrap_or(99).into()).collect();
    let written = numbers.iter().map(|number| format!("{number:02}")).collect::<Vec<_>>().join(":");
    let has_fraction = clock.len() < text.len();
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if written != clock
        || (has_fraction && (numbers.len() != 3 || fraction.is_empty() || fraction.len() > 9 || !digits))
    {
        return None;
    }
    let nanos: i64 = format!("{fraction:0<9}").parse().unwrap();
    let (hour, minute, second) = match numbers[..] {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let usual = hour < 24 && minute < 60 && second < 60;
    let end_of_day = (hour, minute, second, nanos) == (24, 0, 0, 0);
    let leap = hour < 24 && minute == 59 && second == 60;
    (usual || end_of_day || leap).then_some((hour * 3600 + minute * 60 + second, nanos))
}

fn local_times() -> impl Strategy<Value = NaiveDateTime> {
    // From 1899 to 2300, to meet both ends of what is readable.
    let seconds = prop_oneof![-2_240_524_800_i64..10_445_414_400, 1_500_000_000_i64..1_800_000_000];
    let nanos = prop_oneof![Just(0_u32), (0..1000_u32).prop_map(|ms| ms * 1_000_000), 0..1_000_000_000_u32];
    (seconds, nanos)
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).unwrap().naive_utc())
}

/// One of the forms of a local time with an offset in minutes, and the event.
fn iso_texts() -> impl Strategy<Value = (String, Option<Event>)> {
    let forms = (0..4_usize, 0..3_usize, 0..6_usize, -1439_i64..1440);
    (local_times(), forms).prop_map(|(local, (time, between, offset, minutes))| {
        let between = ["T", "t", " "][between];
        let date = local.date();
        let (clock, kept) = match time {
            0 => return (date.to_string(), readable_date(date)),
            1 => (
                "%H:%M",
                local
                    .date()
                    .and_hms_opt(chrono::Timelike::hour(&local), chrono::Timelike::minute(&local), 0)
                    .unwrap(),
            ),
            2 => (
                "%H:%M:%S",
                local - TimeDelta::nanoseconds(i64::from(local.and_utc().timestamp_subsec_nanos())),
            ),
            _ => ("%H:%M:%S.%f", local),
        };
        let (sign, ahead) = (if minutes < 0 { '-' } else { '+' }, minutes.abs());
        let (offset, seconds) = match offset {
            0 => (String::new(), 0),
            1 => ("Z".to_owned(), 0),
            2 => (" z".to_owned(), 0),
            3 => (format!("{sign}{:02}", ahead / 60), minutes.signum() * (ahead / 60) * 3600),
            4 => (format!(" {sign}{:02}{:02}", ahead / 60, ahead % 60), minutes * 60),
            _ => (format!("{sign}{:02}:{:02}", ahead / 60, ahead % 60), minutes * 60),
        };
        (format!("{date}{between}{}{offset}", local.format(clock)), utc_event(kept, seconds))
    })
}

fn readable_date(date: NaiveDate) -> Option<Event> {
    (1900..=2299).contains(&date.year()).then_some(Event::Date(date))
}

/// A few changes of single characters, mostly to others that dates have.
fn mutations() -> impl Strategy<Value = Vec<(usize, u8, char)>> {
    let characters: Vec<char> = "0123456789-+:.,TtZz ".chars().collect();
    let character = prop_oneof![9 => proptest::sample::select(characters), 1 => any::<char>()];
    proptest::collection::vec((0..36_usize, 0..3_u8, character), 0..4)
}

fn mutated(text: &str, mutations: &[(usize, u8, char)]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (place, kind, character) in mutations {
        let place = place % (characters.len() + 1);
        match kind {
            0 => characters.insert(place, *character),
            _ if place == characters.len() => {}
            1 => drop(characters.remove(place)),
            _ => characters[place] = *character,
        }
    }
    characters.into_iter().collect()
}

/// Patterns that chrono writes exactly one text for, up to case.
const PATTERNS: [&str; 16] = [
    "%Y-%m-%d",
    "%d-%m-%Y",
    "%Y%m%d",
    "%-d.%-m.%Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%A %d %B %Y %I:%M:%S %p",
    "%F %T",
    "%F %T,%f",
    "%F %R %z",
    "%Y.%j",
    "%B %Y",
    "%Y",
    "%e %h %Y %-H:%M",
    "%-m/%-d/%Y %-I:%M %p",
    "%Y-%m-%d %-H.%-M",
    "app-%Y-%m-%d.db.zst",
];

/// Formats of which several read the same text.
const ANY: [&str; 8] =
    ["iso", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "unix", "unix-ms", "excel-serial", "%Y-%m-%d %H:%M"];

fn any_text(format: &str, local: NaiveDateTime) -> String {
    let utc = local.and_utc();
    match format {
        "iso" => utc.date_naive().to_string(),
        "unix" => utc.timestamp().to_string(),
        "unix-ms" => utc.timestamp_millis().to_string(),
        "excel-serial" => (utc.timestamp().div_euclid(86_400) + 25_569).to_string(),
        pattern => written(pattern, local, 0),
    }
}

fn reader(format: &str, times_in: Zone) -> Timestamps {
    Timestamps::new(Format::parse(format).unwrap(), times_in, vec![])
}

fn written(pattern: &str, local: NaiveDateTime, minutes: i32) -> String {
    let offset = FixedOffset::east_opt(minutes * 60).unwrap();
    local.and_local_timezone(offset).unwrap().format(pattern).to_string()
}

/// What a pattern's text keeps of a local time.
fn kept(pattern: &str, local: NaiveDateTime, minutes: i32) -> Option<Event> {
    let has = |field| pattern.contains(field);
    let date = local.date();
    if !(has("%H") || has("%-H") || has("%I") || has("%-I") || has("%T") || has("%R")) {
        let later = |day: &NaiveDate| match (
            has("%j") || has("%d") || has("%-d") || has("%F"),
            has("%m") || has("%-m") || has("%B"),
        ) {
            (true, _) => *day == date,
            (false, true) => day.month() == date.month(),
            (false, false) => true,
        };
        return date
            .iter_days()
            .take_while(|day| day.year() == date.year())
            .take(366)
            .filter(later)
            .last()
            .and_then(readable_date);
    }
    let text = local.format(if has("%f") {
        "%F %T%.f"
    } else if has("%S") || has("%T") {
        "%F %T"
    } else {
        "%F %H:%M:00"
    });
    let local = NaiveDateTime::parse_from_str(&text.to_string(), "%F %T%.f").unwrap();
    utc_event(local, if has("%z") { i64::from(minutes) * 60 } else { 0 })
}

proptest! {
    #![proptest_config(crate::depth::config(500))]

    #[test]
    fn every_form_of_a_time_is_read_as_what_was_written((text, event) in iso_texts()) {
        prop_assert_eq!(iso::read(text.as_bytes(), Zone::UTC).ok(), event, "{}", text);
    }

    #[test]
    fn the_second_reader_agrees_on_damaged_texts((text, _) in iso_texts(), mutations in mutations()) {
        let text = mutated(&text, &mutations);
        prop_assert_eq!(iso::read(text.as_bytes(), Zone::UTC).ok(), second_reader(&text), "{}", text);
    }

    #[test]
    fn any_bytes_have_a_reading(bytes in proptest::collection::vec(any::<u8>(), 0..40), integer: i64, real: f64) {
        for format in ["iso", "unix", "unix-ms", "unix-us", "unix-ns", "julian-day", "webkit", "cocoa", "excel-serial", "dotnet-ticks"].into_iter().chain(PATTERNS) {
            let column = reader(format, Zone::parse("Pacific/Apia").unwrap());
            for value in [Value::Text(&bytes), Value::Integer(integer), Value::Real(real)] {
                if let Reading::Event(Event::At(instant)) = column.read(value) {
                    prop_assert!(instant.is_readable());
                }
            }
        }
    }

    #[test]
    fn what_chrono_writes_by_a_pattern_is_read_as_that(local in local_times(), minutes in -1439..1440_i32, pattern in proptest::sample::select(PATTERNS.to_vec())) {
        let text = written(pattern, local, minutes);
        let event = Pattern::parse(pattern).unwrap().read(text.as_bytes(), Zone::UTC).ok();
        prop_assert_eq!(event, kept(pattern, local, minutes), "{} by {}", text, pattern);
    }

    /// chrono, too, reads 70 as 1970 and 69 as 2069.
    #[test]
    fn a_year_of_two_digits_is_read_as_chrono_reads_it(local in local_times(), mutations in mutations()) {
        let text = mutated(&written("%d.%m.%y", local, 0), &mutations);
        let dialect = Dialect { century: Some(1970), locale: None };
        let event = Pattern::parse_in("%d.%m.%y", dialect).unwrap().read(text.as_bytes(), Zone::UTC).ok();
        let is_plain = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let date = NaiveDate::parse_from_str(&text, "%d.%m.%y").ok().filter(|_| is_plain);
        prop_assert_eq!(event, date.map(Event::Date), "{}", text);
    }

    /// Two readers apart, and then: what both read alike, or one of them alone.
    #[test]
    fn of_several_formats_exactly_one_meaning_is_read(
        local in local_times(),
        mutations in mutations(),
        writes in proptest::sample::select(ANY.to_vec()),
        reads in proptest::collection::vec(proptest::sample::select(ANY.to_vec()), 1..4),
    ) {
        let text = mutated(&any_text(writes, local), &mutations);
        let value = Value::Text(text.as_bytes());
        let mut events: Vec<Event> = reads.iter().filter_map(|format| match reader(format, Zone::UTC).read(value) {
            Reading::Event(event) => Some(event),
            _ => None,
        }).collect();
        events.dedup();
        let all = Format::OneOf(reads.iter().map(|format| Format::parse(format).unwrap()).collect());
        let read = Timestamps::new(all, Zone::UTC, vec![]).read(value);
        match events[..] {
            _ if text.trim_ascii().is_empty() => prop_assert_eq!(read, Reading::Empty),
            [event] => prop_assert_eq!(read, Reading::Event(event), "{} by {:?}", text, reads),
            [] => prop_assert!(matches!(read, Reading::Unreadable(why) if why != Unreadable::Ambiguous)),
            _ => prop_assert_eq!(read, Reading::Unreadable(Unreadable::Ambiguous), "{} by {:?}", text, reads),
        }
    }

    #[test]
    fn what_is_read_by_a_pattern_is_what_chrono_writes_for_it(local in local_times(), mutations in mutations(), pattern in proptest::sample::select(PATTERNS.to_vec())) {
        let text = mutated(&written(pattern, local, 0), &mutations);
        let Ok(event) = Pattern::parse(pattern).unwrap().read(text.as_bytes(), Zone::UTC) else { return Ok(()) };
        let local = match event {
            Event::Date(date) => date.and_hms_opt(0, 0, 0).unwrap(),
            Event::At(instant) => DateTime::from_timestamp(instant.seconds(), instant.nanos()).unwrap().naive_utc(),
        };
        // Leap seconds, offsets, short fractions and padding have several spellings.
        let plain = |text: &str| text.to_ascii_lowercase().replace(' ', "0");
        let several = pattern.contains("%-") || pattern.contains("%f") || pattern.contains("%z") || text.contains("60");
        prop_assert!(several || plain(&written(pattern, local, 0)) == plain(&text), "{} by {} as {:?}", text, pattern, event);
    }

    #[test]
    fn whatever_is_due_lies_within_the_written_bound(
        (text, _) in iso_texts(),
        zone in proptest::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
        times_in in proptest::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
        keep in proptest::sample::select(vec!["immediately", "1 minute", "1 day", "at most 1 day", "1 month", "1 year"]),
        nudge in prop_oneof![-1_i64..=1, 0_i64..200_000],
        fraction in 0.0..1.0_f64,
    ) {
        let [zone, times_in] = [zone, times_in].map(|tz| Zone::parse(tz.name()).unwrap());
        let Ok(event) = iso::read(text.as_bytes(), times_in) else { return Ok(()) };
        let schedule = Schedule::new(zone, None, Period::parse(keep).unwrap());
        let now = schedule.due_from(event).plus_seconds(nudge).unwrap();
        let cutoff = schedule.cutoff(now);
        let bound = reader("iso", times_in).written_before(&cutoff).unwrap();
        prop_assert!(!cutoff.is_due(&event) || bound.text.admits(text.as_bytes()), "{} {:?}", text, bound);

        let Event::At(instant) = event else { return Ok(()) };
        let seconds = instant.seconds() as f64 + fraction;
        let spellings = [("unix", seconds), ("unix-ms", seconds * 1e3), ("unix-us", seconds * 1e6), ("unix-ns", seconds * 1e9), ("julian-day", seconds / 86_400.0 + 2_440_587.5), ("webkit", (seconds + 11_644_473_600.0) * 1e6), ("cocoa", seconds - 978_307_200.0), ("excel-serial", seconds / 86_400.0 + 25_569.0), ("dotnet-ticks", (seconds + 62_135_596_800.0) * 1e7)];
        for (format, number) in spellings {
            let column = reader(format, times_in);
            let bound = column.written_before(&cutoff).unwrap();
            let Reading::Event(event) = column.read(Value::Real(number)) else { continue };
            prop_assert!(!cutoff.is_due(&event) || bound.numbers.admits(number), "{} {:?}", number, bound);
        }
    }
}
