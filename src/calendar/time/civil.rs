//! Days of the Gregorian calendar as numbers.
//!
//! Reading a column is the one place where millions of dates are taken
//! apart, so the arithmetic of days is written out here instead of going
//! through a date type. Years before 1582 are counted as if the calendar had
//! always been in force, as ISO 8601 does.

use crate::calendar::Date;

pub(crate) const SECONDS_PER_DAY: i64 = 86_400;

/// 1970-01-01, in the days that chrono counts from 0001-01-01.
const EPOCH_FROM_COMMON_ERA: i64 = 719_163;

/// The days from 1970-01-01 to a day that exists.
///
/// The year is counted from March, so that the leap day is its last: months
/// 3 to 14, of which 979/32 days a month gives the lengths. The shifts round
/// down, for years before Christ too.
#[inline]
pub(crate) const fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 12) } else { (year, month) };
    let century = year.div_euclid(100);
    let before_year = ((1461 * year) >> 2) - century + (century >> 2);
    let before_month = (979 * month - 2919) >> 5;
    before_year + before_month + day - 719_469
}

/// Year, month and day of a day number.
pub(crate) const fn civil_of(day_number: i64) -> (i64, i64, i64) {
    let from_march_0000 = day_number + 719_468;
    let era = from_march_0000.div_euclid(146_097);
    let day_of_era = from_march_0000.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + (month <= 2) as i64;
    (year, month, day)
}

#[inline]
pub(crate) const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// How many days a month has; zero for a month that does not exist, so that
/// no day of it does.
#[inline]
pub(crate) const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 0,
    }
}

/// The day number of a date.
pub(crate) fn number_of(date: Date) -> i64 {
    use chrono::Datelike;
    i64::from(date.num_days_from_ce()) - EPOCH_FROM_COMMON_ERA
}

/// The date of a day number; the first or the last date there is for numbers
/// beyond them.
pub(crate) fn date_of(day_number: i64) -> Date {
    i32::try_from(day_number.saturating_add(EPOCH_FROM_COMMON_ERA))
        .ok()
        .and_then(Date::from_num_days_from_ce_opt)
        .unwrap_or(if day_number < 0 { Date::MIN } else { Date::MAX })
}

/// The date so many days later, or the last date there is.
pub(crate) fn days_after(date: Date, days: u32) -> Date {
    date_of(number_of(date) + i64::from(days))
}

/// The last day of a month, or the last date there is.
pub(crate) fn last_of_month(year: i64, month: i64) -> Date {
    date_of(day_number(year, month, days_in_month(year, month)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Datelike;

    #[test]
    fn day_numbers_agree_with_chrono_on_every_day_of_nine_centuries() {
        let mut date = Date::from_ymd_opt(1599, 12, 31).unwrap();
        while date.year() < 2500 {
            let (year, month, day) = (date.year().into(), date.month().into(), date.day().into());
            let number = day_number(year, month, day);
            assert_eq!(number, number_of(date));
            assert_eq!(civil_of(number), (year, month, day));
            assert_eq!(date_of(number), date);
            let last = i64::from(date.num_days_in_month());
            assert_eq!(days_in_month(year, month), last);
            date = date.succ_opt().unwrap();
        }
    }

    #[test]
    fn numbers_beyond_the_calendar_stop_at_its_ends() {
        assert_eq!(date_of(i64::MAX), Date::MAX);
        assert_eq!(date_of(i64::MIN), Date::MIN);
        assert_eq!(days_after(Date::MAX, u32::MAX), Date::MAX);
        assert_eq!(civil_of(-719_469 - 365 * 5), (-5, 3, 2));
    }
}
