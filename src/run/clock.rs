//! A wrong clock would make everything due: a run compares its time with the ledger's.

use thiserror::Error;

use crate::calendar::Timestamp;

/// Clocks that are kept by the network step back by this much without being wrong.
const STEP_BACK: i64 = 5 * 60;

/// A clock that is further ahead of the last run is not believed, unless runs are as rare.
const JUMP: i64 = 31 * 24 * 60 * 60;

/// How many runs may be missed at any rate.
const MISSED: i64 = 10;

/// Why a clock is not believed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClockFault {
    /// It is before the last run.
    #[error("the clock says {now}, but the last run was at {last}: it went backwards")]
    Backwards {
        /// What the clock says.
        now: Timestamp,
        /// The last run.
        last: Timestamp,
    },
    /// It is much further ahead of the last run than runs are apart.
    #[error("the clock says {now}, {days} days after the last run at {last}")]
    Jumped {
        /// What the clock says.
        now: Timestamp,
        /// The last run.
        last: Timestamp,
        /// The whole days between them.
        days: i64,
    },
}

/// Compares the clock with the latest time in the ledger, where runs are so many seconds apart.
pub fn check(now: Timestamp, last: Option<Timestamp>, between: i64) -> Result<(), ClockFault> {
    let Some(last) = last else { return Ok(()) };
    let ahead = now.seconds() - last.seconds();
    if ahead < -STEP_BACK {
        return Err(ClockFault::Backwards { now, last });
    }
    if ahead > JUMP && ahead > between.saturating_mul(MISSED) {
        return Err(ClockFault::Jumped { now, last, days: ahead / (24 * 60 * 60) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn checked(ahead: i64, between: i64) -> Result<(), ClockFault> {
        let last = Timestamp::from_unix(1_700_000_000, 0);
        check(Timestamp::from_unix(1_700_000_000 + ahead, 0), Some(last), between)
    }

    #[test]
    fn a_clock_may_step_back_five_minutes_and_run_ahead_a_month() {
        assert_eq!(checked(0, DAY), Ok(()));
        assert_eq!(checked(-300, DAY), Ok(()));
        assert_eq!(checked(31 * DAY, DAY), Ok(()));
        assert!(matches!(checked(-301, DAY), Err(ClockFault::Backwards { .. })));
        assert!(matches!(checked(31 * DAY + 1, DAY), Err(ClockFault::Jumped { days: 31, .. })));
    }

    #[test]
    fn where_runs_are_rare_ten_may_be_missed() {
        assert_eq!(checked(70 * DAY, 7 * DAY), Ok(()));
        assert!(matches!(checked(70 * DAY + 1, 7 * DAY), Err(ClockFault::Jumped { .. })));
        assert_eq!(checked(1_000 * DAY, i64::MAX), Ok(()));
    }

    #[test]
    fn the_first_run_has_nothing_to_compare_with() {
        assert_eq!(check(Timestamp::from_unix(0, 0), None, DAY), Ok(()));
    }
}
