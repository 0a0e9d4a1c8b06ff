//! A wrong clock would make everything due: a run compares its time with the ledger's.

use thiserror::Error;

use crate::calendar::Instant;

/// Clocks that are kept by the network step back by this much without being wrong.
const STEP_BACK: i64 = 5 * 60;

/// A clock that is further ahead than this of the last run is not believed.
const JUMP: i64 = 366 * 24 * 60 * 60;

/// Why a clock is not believed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClockFault {
    /// It is before the last run.
    #[error("the clock says {now}, but the last run was at {last}: it went backwards")]
    Backwards {
        /// What the clock says.
        now: Instant,
        /// The last run.
        last: Instant,
    },
    /// It is more than a year after the last run.
    #[error("the clock says {now}, more than a year after the last run at {last}")]
    Jumped {
        /// What the clock says.
        now: Instant,
        /// The last run.
        last: Instant,
    },
}

/// Compares the clock with the latest time in the ledger.
pub fn check(now: Instant, last: Option<Instant>) -> Result<(), ClockFault> {
    let Some(last) = last else { return Ok(()) };
    let ahead = now.seconds() - last.seconds();
    if ahead < -STEP_BACK {
        return Err(ClockFault::Backwards { now, last });
    }
    if ahead > JUMP {
        return Err(ClockFault::Jumped { now, last });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(ahead: i64) -> Result<(), ClockFault> {
        let last = Instant::from_unix(1_700_000_000, 0);
        check(Instant::from_unix(1_700_000_000 + ahead, 0), Some(last))
    }

    #[test]
    fn a_clock_may_step_back_five_minutes_and_run_ahead_a_year() {
        assert_eq!(checked(0), Ok(()));
        assert_eq!(checked(-300), Ok(()));
        assert_eq!(checked(366 * 86_400), Ok(()));
        assert!(matches!(checked(-301), Err(ClockFault::Backwards { .. })));
        assert!(matches!(checked(366 * 86_400 + 1), Err(ClockFault::Jumped { .. })));
    }

    #[test]
    fn the_first_run_has_nothing_to_compare_with() {
        assert_eq!(check(Instant::from_unix(0, 0), None), Ok(()));
    }
}
