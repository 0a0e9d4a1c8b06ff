//! The spelling that most databases use, `YYYY-MM-DDTHH:MM:SS` in UTC, read eight bytes at a
//! time: millions of these are read in a pass.
//!
//! It reads only what is beyond doubt. Everything else goes to the careful reader, which also
//! says what is wrong.

use crate::calendar::civil::{self, SECONDS_PER_DAY};
use crate::calendar::{Event, Timestamp, Zone};

/// `0000-00-`, and what each byte may be above that: nine for digits, nothing for hyphens.
const YEAR_MONTH: u64 = u64::from_le_bytes(*b"0000-00-");
const YEAR_MONTH_ROOM: [u8; 8] = [9, 9, 9, 9, 0, 9, 9, 0];
/// `00T00:00`; the byte of the `T` is looked at apart, because it may be a blank.
const DAY_TIME: u64 = u64::from_le_bytes(*b"00\x0000:00") & !SEPARATOR;
const DAY_TIME_ROOM: [u8; 8] = [9, 9, 0, 9, 9, 0, 9, 9];
const SEPARATOR: u64 = 0xff << 16;

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// What to add so that the high bit shows a byte that is above its room.
const fn excess(room: [u8; 8]) -> u64 {
    let mut add = [0; 8];
    let mut at = 0;
    while at < 8 {
        add[at] = 0x7f - room[at];
        at += 1;
    }
    u64::from_le_bytes(add)
}

/// Numbers of two digits: each byte becomes ten times itself plus the next one, where each is
/// within its room.
#[inline]
fn pairs(word: u64, base: u64, room: [u8; 8]) -> Option<[u8; 8]> {
    let above = word ^ base;
    // A carry can only come from a byte whose high bit is set, which is refused anyway.
    let refused = (above | above.wrapping_add(excess(room))) & HIGH_BITS;
    // No byte is above nine, and so no sum reaches into the next byte.
    (refused == 0).then(|| above.wrapping_mul(10).wrapping_add(above >> 8).to_le_bytes())
}

/// The spelling in one column: a zone in which times without an offset are.
#[derive(Clone, Copy, Debug)]
pub struct CommonTime {
    is_utc: bool,
}

impl CommonTime {
    pub(crate) fn of(times_in: Zone) -> CommonTime {
        CommonTime { is_utc: times_in == Zone::UTC }
    }

    /// The seconds since 1970, where the text has this spelling and names a day and a time that
    /// exist.
    #[inline(always)]
    pub fn seconds(self, text: &[u8]) -> Option<i64> {
        seconds(text, self.is_utc)
    }
}

/// The event, where the text has this spelling.
#[inline(always)]
pub(crate) fn read(text: &[u8], times_in: Zone) -> Option<Event> {
    let seconds = CommonTime::of(times_in).seconds(text)?;
    Some(Event::At(Timestamp::from_unix(seconds, 0)))
}

#[inline(always)]
fn seconds(text: &[u8], is_utc: bool) -> Option<i64> {
    let (text, has_offset) = match text {
        [text @ .., b'Z'] => (text, true),
        text => (text, false),
    };
    let text: &[u8; 19] = text.try_into().ok()?;
    if !has_offset && !is_utc {
        return None;
    }
    let [first, rest @ ..] = text.first_chunk::<16>()?.as_chunks::<8>().0 else { return None };
    let second_word = u64::from_le_bytes(*rest.first()?);
    let [century, _, year, _, _, month, ..] =
        pairs(u64::from_le_bytes(*first), YEAR_MONTH, YEAR_MONTH_ROOM)?.map(i64::from);
    let [day, _, _, hour, _, _, minute, _] =
        pairs(second_word & !SEPARATOR, DAY_TIME, DAY_TIME_ROOM)?.map(i64::from);
    let [b'T' | b' ', .., b':', s1 @ b'0'..=b'9', s2 @ b'0'..=b'9'] = text[10..] else { return None };
    let year = century * 100 + year;
    let second = i64::from(s1 - b'0') * 10 + i64::from(s2 - b'0');
    let is_day = (1900..=2299).contains(&year)
        && day >= 1
        && (1..=12).contains(&month)
        && (day <= 28 || day <= civil::days_in_month(year, month));
    if !is_day || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(civil::day_number(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::format::iso;

    #[test]
    fn it_reads_every_day_as_the_careful_reader_does() {
        for day in civil::day_number(1899, 12, 25)..civil::day_number(2300, 1, 7) {
            let (year, month, date) = civil::civil_of(day);
            let text = format!("{year:04}-{month:02}-{date:02}T{:02}:{:02}:59Z", day % 24, day % 60);
            assert_eq!(
                read(text.as_bytes(), Zone::UTC),
                iso::read_carefully(text.as_bytes(), Zone::UTC).ok(),
                "{text}"
            );
        }
    }

    #[test]
    fn it_reads_nothing_that_the_careful_reader_refuses() {
        let good = "2024-02-29 23:59:58Z";
        let mut read_by_both = 0;
        for at in 0..good.len() {
            for byte in 0..=255 {
                let mut text = good.as_bytes().to_vec();
                text[at] = byte;
                let careful = iso::read_carefully(&text, Zone::UTC).ok();
                if let Some(event) = read(&text, Zone::UTC) {
                    assert_eq!(Some(event), careful, "{text:?}");
                    read_by_both += 1;
                }
            }
        }
        assert!(read_by_both > 60, "{read_by_both}");
    }

    #[test]
    fn a_time_without_an_offset_is_left_to_the_zone() {
        let copenhagen = Zone::parse("Europe/Copenhagen").unwrap();
        let text = b"2024-02-29T12:00:00";
        assert!(read(text, Zone::UTC).is_some());
        assert_eq!(read(text, copenhagen), None);
        assert_eq!(read(b"2024-02-29T12:00:00Z", copenhagen), read(text, Zone::UTC));
    }
}
